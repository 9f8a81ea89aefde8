"""PowerShell's data files: one hash table of texts, numbers, constants, lists and tables. Nothing is evaluated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias

Value: TypeAlias = "str | int | bool | list[Value] | dict[str, Value] | None"

_TOKEN = re.compile(
    r"(?P<gap>\s+|;|#[^\n]*|<#.*?#>)|(?P<text>'(?:[^']|'')*')|(?P<double>\"[^\"$`]*\")|(?P<number>-?\d+\b)"
    r"|(?P<constant>\$(?:true|false|null)\b)|(?P<word>[A-Za-z]\w*)|(?P<sign>@\{|@\(|[}(),=])",
    re.IGNORECASE | re.DOTALL,
)
_CONSTANTS: dict[str, bool | None] = {"$true": True, "$false": False, "$null": None}


class UnreadableFile(Exception):
    """Not such a file; the message says where."""


def read(text: str) -> dict[str, Value]:
    """The hash table that the file is.

    Raises:
        UnreadableFile: it is something else, or more.
    """
    reader = _Reader(text.removeprefix("\ufeff"))
    value = reader.value()
    if not isinstance(value, dict) or reader.next_token() is not None:
        raise UnreadableFile("It is not one hash table.")
    return value


def arguments(text: str) -> list[Value]:
    """Values with commas between them, such as an attribute's arguments.

    Raises:
        UnreadableFile: it is something else.
    """
    reader = _Reader(text)
    return reader.items(None)


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens: Iterator[tuple[str, str]] = _tokens(text)
        self._ahead: tuple[str, str] | None = None

    def next_token(self) -> tuple[str, str] | None:
        token, self._ahead = self._ahead or next(self._tokens, None), None
        return token

    def _peek(self) -> str:
        self._ahead = self._ahead or next(self._tokens, None)
        return "" if self._ahead is None else self._ahead[1]

    def value(self) -> Value:
        """One value; several with commas between them are a list."""
        values = [self._one()]
        while self._peek() == ",":
            self.next_token()
            values.append(self._one())
        return values[0] if len(values) == 1 else values

    def items(self, end: str | None) -> list[Value]:
        """Values up to a sign, or up to the end."""
        found: list[Value] = []
        while self._peek() not in (end, ""):
            value = self.value()
            found += value if isinstance(value, list) else [value]
        if end is not None and self.next_token() is None:
            raise UnreadableFile(f"A {end} is missing.")
        return found

    def _one(self) -> Value:
        kind, token = self.next_token() or ("end", "the end")
        if kind == "text":
            return token[1:-1].replace("''", "'")
        if kind == "double":
            return token[1:-1]
        if kind == "number":
            return int(token)
        if kind == "constant":
            return _CONSTANTS[token.lower()]
        if token == "@{":
            return self._table()
        if token == "@(":
            return self.items(")")
        raise UnreadableFile(f"A value was expected, not {token!r}.")

    def _table(self) -> dict[str, Value]:
        found: dict[str, Value] = {}
        while self._peek() != "}":
            kind, token = self.next_token() or ("end", "the end")
            if kind not in ("word", "text") or self._peek() != "=":
                raise UnreadableFile(f"A key was expected, not {token!r}.")
            self.next_token()
            found[token[1:-1].replace("''", "'") if kind == "text" else token] = self.value()
        self.next_token()
        return found


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            line = text.count("\n", 0, place) + 1
            raise UnreadableFile(f"Line {line} is not data: {text[place : place + 20]!r}.")
        if match.lastgroup not in (None, "gap"):
            yield str(match.lastgroup), match.group()
        place = match.end()
