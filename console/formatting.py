"""Numbers, durations and remote text for people: the one edge where values become words.

Everything in here is pure. Inputs are bytes, seconds, bytes per second and aware datetimes; ``None`` is *unknown*
and is written as a dash, never as zero.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, tzinfo
from functools import lru_cache

UNKNOWN = "–"
UNNAMED = "(unnamed)"
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

_ESCAPE_SEQUENCES = re.compile(
    r"\x1b(?:\[[0-9:;<=>?]*[ -/]*[@-~]"  # CSI
    r"|[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS, SOS, PM, APC
    r"|[ -/]*[0-~])"  # two-byte escapes
    r"|\x9b[0-9:;<=>?]*[ -/]*[@-~]"
)
_WHITE = re.compile(r"[\s\x00]+")
_GAPS = re.compile("( {2,})")
_PLAIN_ASCII = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_WIDTH_BREAKERS = frozenset(
    map(chr, (*range(0xFE00, 0xFE10), *range(0xE0000, 0xE01F0), 0x00AD, 0x034F, 0x115F, 0x3164))
)
"""Variation selectors, tags and fillers: terminals disagree about their width, so a row would lose its columns."""


@lru_cache(maxsize=32_768)
def plain(text: str, limit: int = 0) -> str:
    """Make remote text harmless for a screen, a log line, a report or a file name's stem.

    Escape sequences, control characters, direction overrides, zero-width and private-use characters go; white space
    (line ends too) becomes one blank; at most two combining marks stay on a letter. Brackets stay as they are: no
    caller may ever parse the result as markup.

    Args:
        limit: the largest number of characters, 0 for no limit; what is cut ends in an ellipsis.
    """
    if not _PLAIN_ASCII.fullmatch(text) or "  " in text:
        text = _harmless(text)
    if limit and len(text) > limit:
        return text[: limit - 1].rstrip() + "…"
    return text


def _harmless(text: str) -> str:
    text = _WHITE.sub(" ", _ESCAPE_SEQUENCES.sub("", text))
    kept: list[str] = []
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        if category == "Cf" or character in _WIDTH_BREAKERS:
            continue
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks > 2:
            continue
        kept.append(_REPLACEMENT if category in ("Cc", "Co", "Cs", "Cn") else character)
    return "".join(kept).strip()


def plain_lines(text: str) -> str:
    """As :func:`plain`, for text of ours that has remote parts: its line ends, indentation and gaps stay."""
    return "\n".join("".join(map(_plain_part, _GAPS.split(line))) for line in text.split("\n"))


def _plain_part(part: str) -> str:
    if not part.strip(" "):
        return part
    start, end = part.startswith(" "), part.endswith(" ")
    return f"{' ' * start}{plain(part)}{' ' * end}"


def name(text: str) -> str:
    """A remote name for people; an empty one says so."""
    return plain(text) or UNNAMED


def size(value: float | None) -> str:
    """Bytes in binary units with three significant figures at most: ``512 MiB``, ``1.9 TiB``."""
    if value is None:
        return UNKNOWN
    amount = float(value)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(amount) < 999.5 or unit == "TiB":
            break
        amount /= 1024
    return f"{_three(amount)} {unit}"


def _three(amount: float) -> str:
    if abs(amount) >= 9.95 or amount == round(amount):
        return f"{amount:.0f}"
    return f"{amount:.1f}"


def rate(value: float | None) -> str:
    """Bytes per second: ``1.1 GiB/s``."""
    return UNKNOWN if value is None else f"{size(value)}/s"


def link(value: float | None) -> str:
    """A link's speed as its label says it, in decimal bits, from bytes per second: ``25 Gbit``."""
    if value is None:
        return UNKNOWN
    bits = value * 8
    return f"{_three(bits / 1e9)} Gbit" if bits >= 1e9 else f"{_three(bits / 1e6)} Mbit"


def duration(value: float | None) -> str:
    """Seconds in the two largest units that matter: ``0.8 s``, ``6 min 03 s``, ``1 h 05 min``, ``2 d 4 h``."""
    if value is None:
        return UNKNOWN
    sign, seconds = ("-", -value) if value < 0 else ("", value)
    if 0 < seconds < 9.95:
        return f"{sign}{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{sign}{whole} s"
    if whole < 600:
        return f"{sign}{whole // 60} min {whole % 60:02} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{sign}{minutes} min"
    if minutes < 48 * 60:
        return f"{sign}{minutes // 60} h {minutes % 60:02} min"
    hours = round(seconds / 3600)
    return f"{sign}{hours // 24} d {hours % 24} h"


def short_duration(value: float | None) -> str:
    """Seconds for a narrow column: ``0.8s``, ``42s``, ``6m03``, ``1h05``."""
    if value is None:
        return UNKNOWN
    sign, seconds = ("-", -value) if value < 0 else ("", value)
    if 0 < seconds < 9.95:
        return f"{sign}{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{sign}{whole}s"
    if whole < 3600:
        return f"{sign}{whole // 60}m{whole % 60:02}"
    minutes = round(seconds / 60)
    return f"{sign}{minutes // 60}h{minutes % 60:02}"


def age(seconds: float | None) -> str:
    """How long ago, in words: ``now``, ``12 s ago``."""
    if seconds is None:
        return "never"
    return "now" if seconds < 1.5 else f"{duration(max(2, seconds))} ago"


def clock_time(moment: datetime | None, zone: tzinfo | None = None, *, seconds: bool = False) -> str:
    """The time of day in ``zone``, the machine's own by default: ``02:41``."""
    if moment is None:
        return UNKNOWN
    return moment.astimezone(zone).strftime("%H:%M:%S" if seconds else "%H:%M")


def date_time(moment: datetime | None, zone: tzinfo | None = None) -> str:
    """A day and a time: ``2026-01-31 02:41``."""
    return UNKNOWN if moment is None else moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def percent(fraction: float | None) -> str:
    """A fraction of one as a whole percentage."""
    return UNKNOWN if fraction is None else f"{fraction * 100:.0f} %"


def number(value: float | None) -> str:
    """A count with thin grouping: ``12 345``."""
    return UNKNOWN if value is None else f"{value:,.0f}".replace(",", "\N{NO-BREAK SPACE}")


def count(amount: int, noun: str, plural: str = "") -> str:
    """``1 move``, ``3 moves``, ``no moves``."""
    if amount == 1:
        return f"1 {noun}"
    return f"{amount or 'no'} {plural or noun + 's'}"


def reading(value: float) -> str:
    """A guard's reading, whose unit its own line names: at most three significant figures."""
    if value == round(value) and abs(value) < 1e6:
        return f"{value:.0f}"
    return f"{value:.3g}"
