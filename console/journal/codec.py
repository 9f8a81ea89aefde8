"""Events and requests as JSON text: one object with the class's name under ``"type"``.

Fields that a newer version added are ignored, fields that are missing take their defaults; a field is never
renamed within one schema version.
"""

from __future__ import annotations

import json
from typing import Any, get_args

from pydantic import TypeAdapter

from console.drain.events import Event
from console.drain.requests import OperatorRequest


class Undecodable(ValueError):
    """A line of the journal that this version can not read."""


EVENT_TYPES: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}
REQUEST_TYPES: dict[str, type[OperatorRequest]] = {kind.__name__: kind for kind in get_args(OperatorRequest)}


_adapters: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    """Made on first use: each takes milliseconds."""
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def _encode(value: Event | OperatorRequest) -> str:
    kind = type(value)
    fields = _adapter(kind).dump_python(value, mode="json")
    # ASCII only: names may hold what UTF-8 can not say (half a surrogate pair).
    return json.dumps({"type": kind.__name__, **fields}, ensure_ascii=True, separators=(",", ":"))


def _decode(text: str, kinds: dict[str, type[Any]]) -> Any:
    try:
        fields = json.loads(text)
        kind = kinds[fields.pop("type")]
        return _adapter(kind).validate_python(fields, strict=False)
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


def encode_request(request: OperatorRequest) -> str:
    return _encode(request)


def decode_request(text: str) -> OperatorRequest:
    """The request.

    Raises:
        Undecodable: not JSON, or not a request of this version.
    """
    request: OperatorRequest = _decode(text, REQUEST_TYPES)
    return request


def event_document(event: Event) -> dict[str, Any]:
    """The event as plain JSON values, for ``drain --json --events``."""
    document: dict[str, Any] = json.loads(encode_event(event))
    return document
