"""On which line of a TOML source each key stands.

The parser gives values without places, so this scanner walks the same source once more. It expects a source that
the parser has already accepted, and knows just enough of TOML to find keys: headers, dotted keys, inline tables,
arrays, and strings and comments that only look like them.
"""

from __future__ import annotations

import re
from typing import TypeAlias

KeyPath: TypeAlias = tuple[str | int, ...]
"""Keys from the top of the file; array items by index."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\n]*")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}' r"|'''.*?'{3,5}" r'|"(?:\\.|[^"\\\n])*"' r"|'[^'\n]*'",
    re.DOTALL,
)


def key_lines(source: str) -> dict[KeyPath, int]:
    """Map every key path of a valid TOML source to the line (from 1) where it is first written."""
    return _Scanner(source).scan()


class _Scanner:
    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._line = 1
        self._counted = 0
        self._lines: dict[KeyPath, int] = {}
        self._array_sizes: dict[KeyPath, int] = {}

    def scan(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        self._skip(_BLANK)
        while self._at < len(self._source):
            if self._peek("["):
                table = self._header()
            else:
                self._assignment(table)
            self._skip(_BLANK)
        return self._lines

    def _peek(self, text: str) -> bool:
        return self._source.startswith(text, self._at)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._source, self._at)
        if match is None:
            return ""
        self._at = match.end()
        return match.group()

    def _take(self, text: str) -> bool:
        found = self._peek(text)
        if found:
            self._at += len(text)
        return found

    def _note(self, path: KeyPath) -> None:
        self._line += self._source.count("\n", self._counted, self._at)
        self._counted = self._at
        for length in range(1, len(path) + 1):
            self._lines.setdefault(path[:length], self._line)

    def _header(self) -> KeyPath:
        is_array = self._take("[[")
        if not is_array:
            self._take("[")
        path = self._within_arrays(self._key())
        self._skip(_BLANK)
        self._take("]]" if is_array else "]")
        if is_array:
            index = self._array_sizes.get(path, 0)
            self._array_sizes[path] = index + 1
            path = (*path, index)
        self._note(path)
        return path

    def _within_arrays(self, keys: KeyPath) -> KeyPath:
        """``[a.b]`` below ``[[a]]`` means the last item of a."""
        path: KeyPath = ()
        for position, key in enumerate(keys):
            path = (*path, key)
            if path in self._array_sizes and position < len(keys) - 1:
                path = (*path, self._array_sizes[path] - 1)
        return path

    def _key(self) -> KeyPath:
        parts: list[str] = []
        while True:
            self._skip(_BLANK)
            bare = self._skip(_BARE)
            parts.append(bare or self._skip(_STRING)[1:-1])
            self._skip(_BLANK)
            if not self._take("."):
                return tuple(parts)

    def _assignment(self, table: KeyPath) -> None:
        start = self._at
        path = (*table, *self._key())
        self._note(path)
        self._take("=")
        self._value(path)
        if self._at == start:
            raise ValueError(f"not a TOML source, at character {start}")

    def _value(self, path: KeyPath) -> None:
        self._skip(_BLANK)
        if self._take("{"):
            self._inline_table(path)
        elif self._take("["):
            self._array(path)
        elif not self._skip(_STRING):
            self._skip(_SCALAR)

    def _inline_table(self, path: KeyPath) -> None:
        self._skip(_BLANK)
        while not self._take("}"):
            self._assignment(path)
            self._skip(_BLANK)
            self._take(",")
            self._skip(_BLANK)

    def _array(self, path: KeyPath) -> None:
        index = 0
        self._skip(_BLANK)
        while not self._take("]"):
            start = self._at
            item = (*path, index)
            self._note(item)
            self._value(item)
            self._skip(_BLANK)
            self._take(",")
            self._skip(_BLANK)
            index += 1
            if self._at == start:
                raise ValueError(f"not a TOML source, at character {start}")
