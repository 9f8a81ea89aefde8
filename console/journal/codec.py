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
from typing import Any, get_args

from pydantic import TypeAdapter

from console.drain.events import Event
from console.drain.requests import OperatorRequest
from console.drain.roll_events import RollEvent
from console.drain.roll_requests import RollRequest


class Undecodable(ValueError):
    """A line of the journal that this version can not read."""


EVENT_TYPES: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}
ROLL_EVENT_TYPES: dict[str, type[RollEvent]] = {kind.__name__: kind for kind in get_args(RollEvent)}
REQUEST_TYPES: dict[str, type[OperatorRequest]] = {kind.__name__: kind for kind in get_args(OperatorRequest)}
ROLL_REQUEST_TYPES: dict[str, type[RollRequest]] = {kind.__name__: kind for kind in get_args(RollRequest)}


_adapters: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    """Made on first use: each takes milliseconds."""
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def _encode(value: Event | RollEvent | OperatorRequest | RollRequest) -> str:
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


def _decode(text: str, kinds: dict[str, type[Any]]) -> Any:
    try:
        document = json.loads(text)
        kind = kinds[document.pop("type")]
        return _adapter(kind).validate_python(document, strict=False)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Undecodable(f"{error.__class__.__name__}: {text[:200]}") from error


def encode_event(event: Event) -> str:
    return _encode(event)


def decode_event(text: str) -> Event:
    """The event.

    Raises:
        Undecodable: not JSON, or not an event of this version.
    """
    event: Event = _decode(text, EVENT_TYPES)
    return event


def encode_roll_event(event: RollEvent) -> str:
    return _encode(event)


def decode_roll_event(text: str) -> RollEvent:
    """The event of a rolling run.

    Raises:
        Undecodable: not JSON, or not an event of this version.
    """
    event: RollEvent = _decode(text, ROLL_EVENT_TYPES)
    return event


def encode_request(request: OperatorRequest) -> str:
    return _encode(request)


def decode_request(text: str) -> OperatorRequest:
    """The request.

    Raises:
        Undecodable: not JSON, or not a request of this version.
    """
    request: OperatorRequest = _decode(text, REQUEST_TYPES)
    return request


def encode_roll_request(request: RollRequest) -> str:
    return _encode(request)


def decode_roll_request(text: str) -> RollRequest:
    """The request to a rolling run.

    Raises:
        Undecodable: not JSON, or not a request of this version.
    """
    request: RollRequest = _decode(text, ROLL_REQUEST_TYPES)
    return request


def event_document(event: Event) -> dict[str, Any]:
    """The event as plain JSON values, for ``drain --json --events``."""
    document: dict[str, Any] = json.loads(encode_event(event))
    return document
