"""Events and requests as JSON text: one object with the class's name under ``"type"``.

Fields that a newer version added are ignored, fields that are missing take their defaults; a field is never
renamed within one schema version.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


class Undecodable(ValueError):
    """A line of the journal that this version can not read."""


_adapters: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(kind: type[T]) -> TypeAdapter[T]:
    """Made on first use: each takes milliseconds."""
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def encode(value: Any) -> str:
    """An event or a request as one line."""
    # ASCII only: names may hold what UTF-8 can not say (half a surrogate pair).
    document = {"type": type(value).__name__, **_plain(value)}
    return json.dumps(document, ensure_ascii=True, separators=(",", ":"))


def _plain(value: Any) -> Any:
    """The value in JSON's own kinds. By hand: pydantic replaces half a surrogate pair in a mapping's key."""
    if isinstance(value, str | int | float | None) and not isinstance(value, Enum):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        text = value.isoformat()
        return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return [_plain(item) for item in value]


def decode(text: str, kinds: Mapping[str, type[T]]) -> T:
    """What the text says; ``kinds`` are what it may be, by the names of their classes.

    Raises:
        Undecodable: not JSON, or none of those in this version.
    """
    try:
        document = json.loads(text)
        kind = kinds[document.pop("type")]
        return _adapter(kind).validate_python(document, strict=False)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Undecodable(f"{error.__class__.__name__}: {text[:200]}") from error


def document_of(event: Any) -> dict[str, Any]:
    """The event as plain JSON values, for ``--json --events``."""
    document: dict[str, Any] = json.loads(encode(event))
    return document
