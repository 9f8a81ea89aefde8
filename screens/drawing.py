"""Bars, sparklines and big letters as text: pure functions from numbers to spans."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from rich.cells import cell_len, set_cell_size

from screens.paint import Glyphs

Span: TypeAlias = tuple[str, str]
"""A text and the name of its style."""
Line: TypeAlias = tuple[Span, ...]


def cut(text: str, width: int) -> str:
    """At most ``width`` cells, an ellipsis where something was cut; never half a wide character."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(0, width - 1)).rstrip() + "…" if width > 0 else ""


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Exactly ``width`` cells."""
    text = cut(text, width)
    blank = " " * (width - cell_len(text))
    return blank + text if right else text + blank


def width_of(line: Iterable[Span]) -> int:
    """Cells that a line takes."""
    return sum(cell_len(text) for text, _ in line)


def joined(parts: Iterable[Line | None], gap: str = "  ") -> Line:
    """Several pieces in one line, parted by blanks; empty ones leave no gap."""
    spans: list[Span] = []
    for part in parts:
        if part:
            if spans:
                spans.append((gap, ""))
            spans.extend(part)
    return tuple(spans)


def fitting(parts: Iterable[Line | None], width: int, gap: str = "  ") -> Line:
    """As :func:`joined`, without the pieces that there is no room for: none but the first is cut in its middle."""
    kept: list[Line] = []
    for part in parts:
        if part and (not kept or width_of(joined([*kept, part], gap)) <= width):
            kept.append(part)
    return clip(joined(kept, gap), width)


def between(left: Line, right: Line, width: int) -> Line:
    """Two pieces at the two ends of a line; the left one gives way."""
    room = width - width_of(right) - 1
    if room <= 0:
        return clip(right, width)
    left = clip(left, room)
    return (*left, (" " * (width - width_of(left) - width_of(right)), ""), *right)


def clip(line: Line, width: int) -> Line:
    """At most ``width`` cells of a line."""
    kept: list[Span] = []
    room = width
    for text, style in line:
        if cell_len(text) > room:
            kept.append((cut(text, room), style))
            break
        kept.append((text, style))
        room -= cell_len(text)
    return tuple(kept)


TRACK = "bar.track"


def bar(fraction: float | None, width: int, glyphs: Glyphs, fill: str = "bar.fill") -> Line:
    """A bar of exactly ``width`` cells; unknown is an empty track, and anything at all is at least one cell."""
    if width <= 0:
        return ()
    share = min(1.0, max(0.0, fraction or 0.0))
    full = max(round(share * width), 1 if share > 0 else 0)
    return _painted(((glyphs.fill * full, fill), (glyphs.track * (width - full), TRACK)))


def _painted(spans: Iterable[Span]) -> Line:
    return tuple(span for span in spans if span[0])


def horizon(gone: float, middle: float, worst: float, width: int, glyphs: Glyphs, risk: str) -> Line:
    """A window as a bar of ``width`` cells: what is gone, and where between ``middle`` and ``worst`` it will end.

    All three are fractions of the window; what lies beyond it is drawn at its end.
    """
    if width <= 0:
        return ()
    past, first, last = (round(min(1.0, max(0.0, share)) * width) for share in (gone, middle, worst))
    first = min(max(first, past), width - 1)
    last = min(width, max(last, first + 1))
    return _painted(
        (
            (glyphs.fill * min(past, first), "bar.fill"),
            (glyphs.track * (first - min(past, first)), TRACK),
            (glyphs.range * (last - first), risk),
            (glyphs.track * (width - last), TRACK),
        )
    )


def stretch(start: float, end: float, total: float, width: int, glyphs: Glyphs, style: str) -> Line:
    """One row of a Gantt chart: a stretch from ``start`` to ``end`` on an axis of ``total``; at least one cell."""
    if width <= 0 or total <= 0:
        return ((" " * max(0, width), ""),)
    first = min(width - 1, max(0, int(start / total * width)))
    last = min(width, max(first + 1, round(end / total * width)))
    return (
        (" " * first, ""),
        (glyphs.fill * (last - first), style),
        (" " * (width - last), ""),
    )


def sparkline(values: Sequence[float], width: int, glyphs: Glyphs, top: float | None = None) -> str:
    """The newest ``width`` values, scaled from zero to ``top`` or to the largest shown; newest at the right."""
    shown = values[-width:] if width > 0 else ()
    highest = top or max((value for value in shown), default=0.0)
    steps = len(glyphs.sparks) - 1
    if highest <= 0:
        return (glyphs.sparks[0] * len(shown)).rjust(width)
    return "".join(glyphs.sparks[round(min(1.0, max(0.0, value / highest)) * steps)] for value in shown).rjust(width)


_LETTERS = {
    "A": ("███", "█ █", "███", "█ █", "█ █"),
    "B": ("██ ", "█ █", "██ ", "█ █", "██ "),
    "C": ("███", "█  ", "█  ", "█  ", "███"),
    "D": ("██ ", "█ █", "█ █", "█ █", "██ "),
    "E": ("███", "█  ", "██ ", "█  ", "███"),
    "F": ("███", "█  ", "██ ", "█  ", "█  "),
    "H": ("█ █", "█ █", "███", "█ █", "█ █"),
    "I": ("█", "█", "█", "█", "█"),
    "K": ("█ █", "█ █", "██ ", "█ █", "█ █"),
    "L": ("█  ", "█  ", "█  ", "█  ", "███"),
    "N": ("█  █", "██ █", "█ ██", "█  █", "█  █"),
    "O": ("███", "█ █", "█ █", "█ █", "███"),
    "P": ("███", "█ █", "███", "█  ", "█  "),
    "R": ("██ ", "█ █", "██ ", "█ █", "█ █"),
    "S": ("███", "█  ", "███", "  █", "███"),
    "T": ("███", " █ ", " █ ", " █ ", " █ "),
    "U": ("█ █", "█ █", "█ █", "█ █", "███"),
    "W": ("█ █ █", "█ █ █", "█ █ █", "█ █ █", "█████"),
    " ": ("  ", "  ", "  ", "  ", "  "),
}
LETTER_ROWS = 5


def big(word: str, glyphs: Glyphs, *, wide: bool = False) -> tuple[str, ...]:
    """A word in letters of five rows; ``wide`` doubles every cell sideways."""
    rows = []
    for row in range(LETTER_ROWS):
        text = "  ".join(_LETTERS.get(letter, _LETTERS[" "])[row] for letter in word.upper())
        if wide:
            text = "".join(character * 2 for character in text)
        rows.append(text.replace("█", glyphs.blocks))
    return tuple(rows)


def wrap(text: str, width: int, indent: str = "") -> list[str]:
    """Break a sentence into rows of at most ``width`` cells; a longer word is cut into pieces."""
    rows: list[str] = []
    row = indent
    for whole in text.split():
        word = whole
        while cell_len(indent + word) > width > cell_len(indent) + 1:
            if row.strip():
                rows.append(row)
            head = set_cell_size(word, width - cell_len(indent)).rstrip()
            rows.append(indent + head)
            word, row = word[len(head) :], indent
        candidate = f"{row} {word}" if row.strip() else indent + word
        if cell_len(candidate) > width and row.strip():
            rows.append(row)
            candidate = indent + word
        row = candidate
    return [*rows, row] if row.strip() or not rows else rows
