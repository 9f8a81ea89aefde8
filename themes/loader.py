"""Reads themes from TOML and lets none through that could fail later: one bad colour would end the console mid-drain.

A theme is plain data here; :mod:`screens.paint` turns it into styles. No widget library is imported.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

ATTRIBUTES = frozenset({"bold", "italic", "underline", "dim", "reverse"})
_SIXTEEN = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
ANSI_COLOURS = frozenset(("default", *_SIXTEEN, *(f"bright_{name}" for name in _SIXTEEN)))
"""For ``ansi = true``: the terminal's own palette."""

TABLES: Mapping[str, tuple[str, ...]] = {
    "surface": ("background", "raised", "cursor", "cursor-idle"),
    "text": (
        "normal", "strong", "muted", "off", "accent", "good", "warning", "bad", "rule", "key", "heading",
    ),
    "bar": ("fill", "track", "high", "full"),
    "badge": ("read-only", "plan", "live", "done"),
    "state": (
        "planned", "queued", "checking", "moving", "verifying", "done", "held", "blocked", "failed", "skipped",
        "interrupted", "left-behind", "unknown",
    ),
}  # fmt: skip
PLAIN_COLOURS = ("background", "raised")
_HEX = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True, slots=True)
class Ink:
    """One style: a foreground, a background (None: inherited) and attributes."""

    foreground: str | None = None
    background: str | None = None
    attributes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ThemeSpec:
    """A validated theme: every style that the console uses, by ``table.name``."""

    name: str
    dark: bool
    ansi: bool
    inks: Mapping[str, Ink]

    @property
    def background(self) -> str:
        return self.inks["surface.background"].foreground or "default"

    @property
    def colourless(self) -> bool:
        """Whether fill and track of a bar look alike, so that only glyphs can tell them apart."""
        return self.inks["bar.fill"].foreground == self.inks["bar.track"].foreground

    @property
    def raised(self) -> str:
        return self.inks["surface.raised"].foreground or "default"


class ThemeError(ValueError):
    """A theme that can not be used; ``problems`` are sentences."""

    def __init__(self, origin: str, problems: Iterable[str]) -> None:
        self.origin = origin
        self.problems = tuple(problems)
        super().__init__(f"{origin}: " + " ".join(self.problems))


def parse_ink(text: str, *, ansi: bool = False) -> Ink:
    """Read ``[attribute …] [colour] [on colour]``.

    Raises:
        ValueError: a word is neither an attribute nor a colour.
    """
    foreground: str | None = None
    background: str | None = None
    attributes: set[str] = set()
    words = iter(text.split())
    for word in words:
        if word in ATTRIBUTES:
            attributes.add(word)
        elif word == "on":
            background = _colour(next(words, ""), ansi)
        elif foreground is None:
            foreground = _colour(word, ansi)
        else:
            raise ValueError(f"{word!r} is one colour too many")
    return Ink(foreground, background, frozenset(attributes))


def _colour(word: str, ansi: bool) -> str:
    if ansi and word in ANSI_COLOURS:
        return word
    if not ansi and _HEX.fullmatch(word):
        return word.lower()
    raise ValueError(f"{word!r} is not " + ("one of the sixteen colours" if ansi else "a colour like #1a2b3c"))


def parse_theme(text: str, origin: str) -> ThemeSpec:
    """Validate a theme's text.

    Raises:
        ThemeError: with every problem at once.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ThemeError(origin, [f"it is not TOML: {error}."]) from error
    head = data.get("theme", {})
    problems: list[str] = []
    name, dark, ansi = head.get("name"), head.get("dark", True), head.get("ansi", False)
    if not (isinstance(name, str) and re.fullmatch(r"[a-z0-9][a-z0-9-]*", name)):
        problems.append("theme.name must be lower-case letters, digits and hyphens.")
    if not isinstance(dark, bool) or not isinstance(ansi, bool):
        problems.append("theme.dark and theme.ansi must be true or false.")
    problems += _unknown_keys("theme", head, ("name", "dark", "ansi"))
    problems += _unknown_keys("", data, ("theme", *TABLES))
    inks: dict[str, Ink] = {}
    for table, names in TABLES.items():
        problems += _read_table(table, data.get(table, {}), names, bool(ansi), inks)
    if problems:
        raise ThemeError(origin, problems)
    return ThemeSpec(str(name), bool(dark), bool(ansi), inks)


def _read_table(table: str, values: Any, names: tuple[str, ...], ansi: bool, inks: dict[str, Ink]) -> list[str]:
    if not isinstance(values, dict):
        return [f"{table} must be a table."]
    problems = _unknown_keys(table, values, names)
    for name in names:
        value = values.get(name)
        if not isinstance(value, str):
            problems.append(f"{table}.{name} is missing." if value is None else f"{table}.{name} must be a text.")
            continue
        try:
            ink = parse_ink(value, ansi=ansi)
        except ValueError as error:
            problems.append(f"{table}.{name}: {error}.")
            continue
        if table == "surface" and name in PLAIN_COLOURS and (ink.foreground is None or ink != Ink(ink.foreground)):
            problems.append(f"{table}.{name} must be one colour.")
        inks[f"{table}.{name}"] = ink
    return problems


def _unknown_keys(table: str, values: Mapping[str, Any], known: Iterable[str]) -> list[str]:
    problems = []
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(key, list(known), n=1)
            where = f"{table}.{key}" if table else key
            problems.append(f"{where} is not known" + (f"; did you mean {near[0]}?" if near else "."))
    return problems


def load_themes(folders: Iterable[Path] = ()) -> tuple[dict[str, ThemeSpec], tuple[ThemeError, ...]]:
    """The themes that come with the console and those in ``folders``; later ones replace earlier ones by name.

    Returns:
        The usable themes by name, and what was wrong with the others.
    """
    themes: dict[str, ThemeSpec] = {}
    failed: list[ThemeError] = []
    built_in = sorted(
        (entry for entry in files("themes").iterdir() if entry.name.endswith(".toml")), key=lambda e: e.name
    )
    own = [path for folder in folders if folder.is_dir() for path in sorted(folder.glob("*.toml"))]
    for entry in (*built_in, *own):
        try:
            theme = parse_theme(entry.read_text(encoding="utf-8"), entry.name)
        except ThemeError as error:
            failed.append(error)
        except (OSError, UnicodeDecodeError) as error:
            failed.append(ThemeError(entry.name, [f"it can not be read: {error}."]))
        else:
            themes[theme.name] = theme
    return themes, tuple(failed)
