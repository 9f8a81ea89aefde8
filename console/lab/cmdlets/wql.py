"""WQL, as far as filters use it: comparisons, LIKE, IS NULL, AND, OR, NOT, parentheses (WMI's query language).

Names and texts compare in any letter case; a backslash escapes in a text; ``_``, ``%`` and ``[…]`` are LIKE's signs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

Lookup: TypeAlias = Callable[[str], object]
"""The value of a property by name."""
Condition: TypeAlias = Callable[[Lookup], bool]

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_]\w*)"""
    r"""|(?P<sign><>|!=|<=|>=|=|<|>|\(|\)|,|\*))""",
    re.DOTALL,
)
_QUERY = re.compile(
    r"\s*select\s+(?P<names>.+?)\s+from\s+(?P<class>\w+)(?:\s+where\s+(?P<where>.+?))?\s*", re.IGNORECASE | re.DOTALL
)


class WqlError(ValueError):
    """Not a query that WMI would take."""


@dataclass(frozen=True, slots=True)
class Query:
    """SELECT names FROM class WHERE condition."""

    properties: tuple[str, ...]
    """Empty: all of them."""
    class_name: str
    where: str | None


def parse_query(text: str) -> Query:
    """
    Raises:
        WqlError: it is no SELECT.
    """
    found = _QUERY.fullmatch(text)
    if found is None:
        raise WqlError(text)
    names = tuple(name.strip() for name in found["names"].split(","))
    return Query(() if names == ("*",) else names, found["class"], found["where"])


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    value: str


def _tokens(text: str) -> list[_Token]:
    found, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise WqlError(text)
        kind = str(match.lastgroup)
        found.append(_Token(kind, match[kind]))
        at = match.end()
    return found


def parse(text: str) -> Condition:
    """A filter as a function of an instance's properties.

    Raises:
        WqlError: it is no condition.
    """
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._at = 0

    def whole(self) -> Condition:
        condition = self._any()
        if self._at != len(self._tokens):
            raise WqlError(self._text)
        return condition

    def _any(self) -> Condition:
        parts = [self._all()]
        while self._word("or"):
            parts.append(self._all())
        found = _one_of(parts)
        if found is not None or len(parts) == 1:
            return found or parts[0]
        return lambda lookup: any(part(lookup) for part in parts)

    def _all(self) -> Condition:
        parts = [self._one()]
        while self._word("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else lambda lookup: all(part(lookup) for part in parts)

    def _one(self) -> Condition:
        if self._word("not"):
            inner = self._one()
            return lambda lookup: not inner(lookup)
        if self._sign("("):
            inner = self._any()
            if not self._sign(")"):
                raise WqlError(self._text)
            return inner
        return self._comparison()

    def _comparison(self) -> Condition:
        name = self._take("name").value
        if self._word("is"):
            wanted_null = not self._word("not")
            if not self._word("null"):
                raise WqlError(self._text)
            return lambda lookup: (lookup(name) is None) == wanted_null
        if self._word("like"):
            pattern = _like(_unquoted(self._take("text").value))
            return lambda lookup: pattern.fullmatch(str(lookup(name) or "")) is not None
        operator = self._take("sign").value
        if operator not in _OPERATORS:
            raise WqlError(self._text)
        return _Comparison(name, operator, self._literal())

    def _literal(self) -> object:
        if self._at >= len(self._tokens):
            raise WqlError(self._text)
        token = self._tokens[self._at]
        self._at += 1
        if token.kind == "text":
            return _unquoted(token.value)
        if token.kind == "number":
            return float(token.value) if "." in token.value else int(token.value)
        words: dict[str, object] = {"true": True, "false": False, "null": None}
        if token.kind == "name" and token.value.lower() in words:
            return words[token.value.lower()]
        raise WqlError(self._text)

    def _word(self, word: str) -> bool:
        return self._next("name", word)

    def _sign(self, sign: str) -> bool:
        return self._next("sign", sign)

    def _next(self, kind: str, value: str) -> bool:
        token = self._tokens[self._at] if self._at < len(self._tokens) else None
        if token is None or token.kind != kind or token.value.lower() != value:
            return False
        self._at += 1
        return True

    def _take(self, kind: str) -> _Token:
        token = self._tokens[self._at] if self._at < len(self._tokens) else None
        if token is None or token.kind != kind:
            raise WqlError(self._text)
        self._at += 1
        return token


class _Comparison:
    """``Name operator literal``."""

    __slots__ = ("literal", "name", "operator")

    def __init__(self, name: str, operator: str, literal: object) -> None:
        self.name, self.operator, self.literal = name, operator, literal

    def __call__(self, lookup: Lookup) -> bool:
        return _OPERATORS[self.operator](*_comparable(lookup(self.name), self.literal))


class OneOf:
    """``Name='a' OR Name='b' OR …`` as one look into a set, however long."""

    __slots__ = ("name", "texts")

    def __init__(self, name: str, texts: frozenset[str]) -> None:
        self.name, self.texts = name, texts
        """The property, and the texts in small letters."""

    def __call__(self, lookup: Lookup) -> bool:
        return str(lookup(self.name)).casefold() in self.texts


def _one_of(parts: list[Condition]) -> Condition | None:
    """None when it is something else."""
    equal = [part for part in parts if isinstance(part, _Comparison) and part.operator == "="]
    names = {part.name.lower() for part in equal}
    texts = [part.literal for part in equal if isinstance(part.literal, str)]
    if len(texts) != len(parts) or len(names) != 1:
        return None
    return OneOf(equal[0].name, frozenset(text.casefold() for text in texts))


def _comparable(left: object, right: object) -> tuple[object, object]:
    if isinstance(left, bool) and isinstance(right, str):
        return left, right.lower() == "true"
    if isinstance(left, int | float) and isinstance(right, str):
        try:
            return left, float(right)
        except ValueError:
            return str(left), right
    if isinstance(left, str):
        return left.casefold(), "" if right is None else str(right).casefold()
    return left, right


def _ordered(compare: Callable[[object, object], bool]) -> Callable[[object, object], bool]:
    return lambda left, right: left is not None and right is not None and compare(left, right)


_OPERATORS: dict[str, Callable[[object, object], bool]] = {
    "=": lambda left, right: left == right,
    "<>": lambda left, right: left != right,
    "!=": lambda left, right: left != right,
    "<": _ordered(lambda left, right: left < right),  # type: ignore[operator]
    "<=": _ordered(lambda left, right: left <= right),  # type: ignore[operator]
    ">": _ordered(lambda left, right: left > right),  # type: ignore[operator]
    ">=": _ordered(lambda left, right: left >= right),  # type: ignore[operator]
}


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)


def _like(pattern: str) -> re.Pattern[str]:
    parts: list[str] = []
    at = 0
    while at < len(pattern):
        sign = pattern[at]
        closing = pattern.find("]", at) if sign == "[" else -1
        if closing > at:
            inside = pattern[at + 1 : closing]
            negated = inside.startswith("^")
            escaped = re.escape(inside.removeprefix("^")).replace("\\-", "-")
            parts.append(f"[{'^' if negated else ''}{escaped}]")
            at = closing + 1
            continue
        parts.append({"%": ".*", "_": "."}.get(sign) or re.escape(sign))
        at += 1
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)
