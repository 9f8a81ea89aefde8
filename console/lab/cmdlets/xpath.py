"""The subset of XPath that the Windows event log takes: ``*[System[(EventID=1 or EventID=2) and …]]``.

Paths, predicates, ``and``, ``or``, comparisons, attributes, ``timediff(@SystemTime)`` and ``position()``; texts in
either quotes. A path in a comparison holds when any of the nodes it finds does.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

Test: TypeAlias = Callable[[ET.Element, datetime], bool]
Values: TypeAlias = Callable[[ET.Element, datetime], "list[str | float]"]

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'[^']*'|"[^"]*")|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>@?[A-Za-z_*][\w.:-]*|\*)"""
    r"""|(?P<sign>!=|<=|>=|=|<|>|\(|\)|\[|\]|/))"""
)


class XPathError(ValueError):
    """Not a query that the event log would take."""


def parse(text: str) -> Test:
    """A query as a function of an event (without namespaces) and the moment of asking.

    Raises:
        XPathError: it is none.
    """
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[tuple[str, str]] = []
        at, end = 0, len(text.rstrip())
        while at < end:
            match = _TOKEN.match(text, at)
            if match is None:
                raise XPathError(text)
            kind = str(match.lastgroup)
            self._tokens.append((kind, match[kind]))
            at = match.end()
        self._at = 0

    def whole(self) -> Test:
        if not (self._sign("*") or self._sign("Event")):
            raise XPathError(self._text)
        tests = self._predicates()
        if self._at != len(self._tokens):
            raise XPathError(self._text)
        return lambda node, now: all(test(node, now) for test in tests)

    def _predicates(self) -> list[Test]:
        tests = []
        while self._sign("["):
            tests.append(self._any())
            self._expect("]")
        return tests

    def _any(self) -> Test:
        parts = [self._all()]
        while self._sign("or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else lambda node, now: any(part(node, now) for part in parts)

    def _all(self) -> Test:
        parts = [self._one()]
        while self._sign("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else lambda node, now: all(part(node, now) for part in parts)

    def _one(self) -> Test:
        if self._sign("("):
            inner = self._any()
            self._expect(")")
            return inner
        values = self._values()
        kind, operator = self._peek()
        if kind != "sign" or operator not in _COMPARE:
            return lambda node, now: bool(values(node, now))
        self._at += 1
        literal = self._literal()
        compare = _COMPARE[operator]
        return lambda node, now: any(compare(value, literal) for value in values(node, now))

    def _values(self) -> Values:
        kind, name = self._peek()
        if kind != "name":
            raise XPathError(self._text)
        self._at += 1
        if name == "timediff":
            self._expect("(")
            _, attribute = self._peek()
            self._at += 1
            self._expect(")")
            return _age_ms(attribute.removeprefix("@"))
        if name.startswith("@"):
            wanted = name[1:]
            return lambda node, now: [node.attrib[wanted]] if wanted in node.attrib else []
        return self._path(name)

    def _path(self, name: str) -> Values:
        tests = self._predicates()
        below = self._values() if self._sign("/") else None

        def values(node: ET.Element, now: datetime) -> list[str | float]:
            found = [child for child in node if name in ("*", child.tag) and all(test(child, now) for test in tests)]
            if below is not None:
                return [value for child in found for value in below(child, now)]
            return [child.text or "" for child in found]

        return values

    def _literal(self) -> str | float:
        kind, value = self._peek()
        self._at += 1
        if kind == "text":
            return value[1:-1]
        if kind == "number":
            return float(value)
        raise XPathError(self._text)

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _sign(self, value: str) -> bool:
        if self._peek()[1] != value:
            return False
        self._at += 1
        return True

    def _expect(self, value: str) -> None:
        if not self._sign(value):
            raise XPathError(self._text)


def _age_ms(attribute: str) -> Values:
    """Milliseconds since the moment that an attribute holds."""

    def values(node: ET.Element, now: datetime) -> list[str | float]:
        text = node.attrib.get(attribute)
        return [] if text is None else [(now - datetime.fromisoformat(text)).total_seconds() * 1000]

    return values


def _order(left: str | float, right: str | float) -> int:
    """-1, 0 or 1; a number decides that numbers are compared, where the other is one."""
    if not isinstance(right, str):
        try:
            number = float(left)
            return (number > right) - (number < right)
        except ValueError:
            right = str(right)
    text = str(left)
    return (text > right) - (text < right)


_COMPARE: dict[str, Callable[[str | float, str | float], bool]] = {
    "=": lambda left, right: _order(left, right) == 0,
    "!=": lambda left, right: _order(left, right) != 0,
    "<": lambda left, right: _order(left, right) < 0,
    "<=": lambda left, right: _order(left, right) <= 0,
    ">": lambda left, right: _order(left, right) > 0,
    ">=": lambda left, right: _order(left, right) >= 0,
}
