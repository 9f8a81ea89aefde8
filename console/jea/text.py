"""Values as PowerShell writes them: nothing in them can end the literal that they stand in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from console.windows.powershell import quoted

Data: TypeAlias = "str | bool | tuple[str, ...] | Mapping[str, Data]"
"""What a data file (.psd1, .psrc, .pssc) holds here."""

_KEY = re.compile(r"[A-Za-z]\w*", re.ASCII)
_WIDTH = 110


def array(texts: Iterable[str]) -> str:
    return ", ".join(quoted(text) for text in texts)


def data_file(comment: str, values: Mapping[str, Data]) -> str:
    """A file that is one hash table."""
    return f"# {comment}\n{_table(values, '')}\n"


def _table(values: Mapping[str, Data], indent: str) -> str:
    keys = {name: name if _KEY.fullmatch(name) else quoted(name) for name in values}
    width = max(len(key) for key in keys.values())
    inner = indent + "    "
    lines = [f"{inner}{keys[name].ljust(width)} = {_value(value, inner)}" for name, value in values.items()]
    return "\n".join(["@{", *lines, f"{indent}}}"])


def _value(value: Data, indent: str) -> str:
    if isinstance(value, bool):
        return f"${str(value).lower()}"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Mapping):
        return _table(value, indent)
    if len(array(value)) <= _WIDTH:
        return f"@({array(value)})"
    return "\n".join(["@(", *(f"{indent}    {quoted(text)}" for text in value), f"{indent})"])
