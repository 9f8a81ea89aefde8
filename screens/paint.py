"""Turns a theme's plain data into styles, and knows which glyphs the terminal can show."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from rich.style import Style
from textual.theme import Theme

from console.drain.state import MoveState
from console.model.cluster import NodeState
from themes.loader import Ink, ThemeSpec


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters of the screens; every one is one cell wide."""

    states: dict[str, str]
    nodes: dict[NodeState, str]
    fill: str
    track: str
    sparks: str
    mark: str
    slot: str
    free: str
    ascending: str
    descending: str
    before: str
    after: str
    dot: str
    dash: str
    arrow: str
    blocks: str
    """Full block for big letters."""
    range: str
    """From the expected to the worst case."""


_STATE_NAMES = tuple(state.value for state in MoveState)

UNICODE = Glyphs(
    states=dict(zip(_STATE_NAMES, "·○◔▶◎✓‖!✗»↯⌂?", strict=True)),
    nodes={
        NodeState.UP: "●", NodeState.PAUSED: "‖", NodeState.DOWN: "✗", NodeState.JOINING: "◔", NodeState.UNKNOWN: "?",
    },
    fill="■", track="■", sparks="▁▂▃▄▅▆▇█", mark="●", slot="■", free="□", ascending="↑", descending="↓",
    before="‹", after="›", dot="·", dash="–", arrow="→", blocks="█", range="■",
)  # fmt: skip

ASCII = Glyphs(
    states=dict(zip(_STATE_NAMES, ".oc>v+=!x-~_?", strict=True)),
    nodes={
        NodeState.UP: "*", NodeState.PAUSED: "=", NodeState.DOWN: "x", NodeState.JOINING: "o", NodeState.UNKNOWN: "?",
    },
    fill="#", track="-", sparks="_.-=+*%#", mark="*", slot="#", free=".", ascending="^", descending="v",
    before="<", after=">", dot="|", dash="-", arrow=">", blocks="#", range=":",
)  # fmt: skip

COLOURLESS = replace(UNICODE, track="·")
"""Where a bar's track has no colour to be seen by."""

_ASCII_WORDS = str.maketrans(
    {"·": "|", "–": "-", "…": "~", "→": ">", "×": "x", "≤": "<", "≥": ">", "─": "-", "\u00a0": " "}
    | {"←": "<", "↑": "^", "↓": "v"}
)


def style_of(ink: Ink) -> Style:
    """A theme's ink as a style."""
    attributes: dict[str, bool] = dict.fromkeys(ink.attributes, True)
    return Style(
        color=ink.foreground,
        bgcolor=ink.background,
        bold=attributes.get("bold"),
        italic=attributes.get("italic"),
        underline=attributes.get("underline"),
        dim=attributes.get("dim"),
        reverse=attributes.get("reverse"),
    )


@dataclass
class Look:
    """How everything is drawn now; ``version`` grows with every change of theme."""

    spec: ThemeSpec
    ascii: bool = False
    version: int = 0
    _styles: dict[tuple[str, str], Style] = field(default_factory=dict)

    @property
    def glyphs(self) -> Glyphs:
        if self.ascii:
            return ASCII
        return COLOURLESS if self.spec.colourless else UNICODE

    def use(self, spec: ThemeSpec) -> None:
        """Change the theme."""
        self.spec = spec
        self.version += 1
        self._styles.clear()

    def style(self, name: str, over: str = "base") -> Style:
        """The style ``table.name`` on one of the grounds ``base``, ``raised``, ``cursor``, ``cursor-idle``."""
        key = (name, over)
        style = self._styles.get(key)
        if style is None:
            style = self._styles[key] = self._make(name, over)
        return style

    def words(self, text: str) -> str:
        """Our own words in the glyphs at hand; remote text passes unchanged but for dashes and dots."""
        return text.translate(_ASCII_WORDS) if self.ascii else text

    def _make(self, name: str, over: str) -> Style:
        inks = self.spec.inks
        ground = self.spec.raised if over == "raised" else self.spec.background
        base = style_of(inks["text.normal"]) + Style(bgcolor=ground)
        ink = inks.get(name)
        style = base + style_of(ink) if ink else base
        if over.startswith("cursor"):
            style += style_of(inks[f"surface.{over}"])
        return style


_ANSI = {
    "ansi-background": "ansi_default",
    "ansi-foreground": "ansi_default",
    "input-cursor-background": "ansi_default",
    "input-cursor-foreground": "ansi_default",
    "input-cursor-text-style": "reverse",
    "block-cursor-background": "ansi_default",
    "block-cursor-foreground": "ansi_default",
}
"""What Textual's own rules ask for in a theme of the terminal's colours."""


def textual_theme(spec: ThemeSpec) -> Theme:
    """The part of a theme that Textual's own style sheets need."""

    def colour(name: str) -> str:
        found = spec.inks[name].foreground or "default"
        return f"ansi_{found}" if spec.ansi else found

    return Theme(
        name=f"drainboard-{spec.name}",
        primary=colour("text.accent"),
        secondary=colour("text.muted"),
        accent=colour("text.accent"),
        warning=colour("text.warning"),
        error=colour("text.bad"),
        success=colour("text.good"),
        foreground=colour("text.normal"),
        background=colour("surface.background"),
        surface=colour("surface.raised"),
        panel=colour("surface.raised"),
        boost=colour("surface.raised"),
        dark=spec.dark,
        ansi=spec.ansi,
        variables={
            "rule": colour("text.rule"),
            "muted": colour("text.muted"),
            "cursor": _ground(spec),
            "bar-fill": colour("bar.fill"),
            "bar-track": colour("bar.track"),
            **(_ANSI if spec.ansi else {}),
        },
    )


def _ground(spec: ThemeSpec) -> str:
    """The cursor's ground, for the one list that Textual draws itself."""
    found = spec.inks["surface.cursor"].background
    if found is None:
        return "ansi_bright_black"
    return f"ansi_{found}" if spec.ansi else found
