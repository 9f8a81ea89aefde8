"""LDAP filters (RFC 4515), as far as they compare: ``(|(name=HV01)(name=HV0*))``."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

Lookup: TypeAlias = Callable[[str], "str | list[str] | None"]
Filter: TypeAlias = Callable[[Lookup], bool]

_ITEM = re.compile(r"\(([\w-]+)=([^()]*)\)")
_CODE = re.compile(r"\\([0-9a-fA-F]{2})")


class LdapError(ValueError):
    """Not a filter that a directory would take."""


def parse(text: str) -> Filter:
    """
    Raises:
        LdapError: it is none.
    """
    found, end = _filter(text, 0)
    if end != len(text):
        raise LdapError(text)
    return found


def _filter(text: str, at: int) -> tuple[Filter, int]:
    item = _ITEM.match(text, at)
    if item is not None:
        return _comparison(item[1], item[2]), item.end()
    sign = text[at + 1 : at + 2]
    if text[at : at + 1] != "(" or sign not in ("&", "|", "!"):
        raise LdapError(text)
    parts: list[Filter] = []
    at += 2
    while text[at : at + 1] == "(":
        part, at = _filter(text, at)
        parts.append(part)
    if text[at : at + 1] != ")" or not parts:
        raise LdapError(text)
    combine: dict[str, Filter] = {
        "&": lambda lookup: all(part(lookup) for part in parts),
        "|": lambda lookup: any(part(lookup) for part in parts),
        "!": lambda lookup: not parts[0](lookup),
    }
    return combine[sign], at + 1


def _comparison(name: str, wanted: str) -> Filter:
    pieces = [re.escape(_CODE.sub(lambda code: chr(int(code[1], 16)), piece)) for piece in wanted.split("*")]
    pattern = re.compile(".*".join(pieces), re.IGNORECASE | re.DOTALL)

    def holds(lookup: Lookup) -> bool:
        value = lookup(name)
        values = value if isinstance(value, list) else [] if value is None else [value]
        return any(pattern.fullmatch(each) for each in values)

    return holds
