"""Every event and every request survives its way through the journal's text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from enum import Enum
from types import UnionType
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.drain.requests import OperatorRequest
from console.drain.state import RunState
from console.journal.codec import Undecodable, decode, encode
from console.journal.ledger import RUNS

HOSTILE = st.one_of(
    st.text(max_size=40),
    st.text(alphabet=st.characters(), max_size=10),
    st.sampled_from(["", "[bold]", "\x1b[31m", "\u202eevil", "\ud83d", "💥" * 50, "x" * 200, '"}', "\0"]),
)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))


BASICS: dict[Any, st.SearchStrategy[Any]] = {
    str: HOSTILE,
    datetime: MOMENTS,
    float: st.floats(allow_nan=False, allow_infinity=False),
    int: st.integers(-(2**63), 2**64),
    bool: st.booleans(),
    type(None): st.none(),
}


def _values(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a field's type: the few shapes that events are made of."""
    if isinstance(kind, NewType):
        return _values(kind.__supertype__)
    if kind in BASICS:
        return BASICS[kind]
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return st.one_of([_values(part) for part in inner])
    if origin is tuple:
        return st.lists(_values(inner[0]), max_size=2).map(tuple)
    if origin is Mapping:
        return st.dictionaries(_values(inner[0]), _values(inner[1]), max_size=2)
    if issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    hints = get_type_hints(kind)
    return st.builds(kind, **{field.name: _values(hints[field.name]) for field in fields(kind)})


@pytest.mark.parametrize("name", sorted(RUNS.events))
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_every_event_comes_back_equal(name: str, data: st.DataObject) -> None:
    event = data.draw(_values(RUNS.events[name]))
    text = encode(event)
    assert text.isascii()
    assert "\n" not in text
    assert decode(text, RUNS.events) == event
    assert type(decode(text, RUNS.events)) is type(event)


@pytest.mark.parametrize("name", sorted(RUNS.requests))
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_every_request_comes_back_equal(name: str, data: st.DataObject) -> None:
    request: OperatorRequest = data.draw(_values(RUNS.requests[name]))
    assert decode(encode(request), RUNS.requests) == request


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"type": "Nothing"}', '{"at": 1}', '{"type": "MoveHeld"}'])
def test_what_is_no_event_is_refused_with_one_error(text: str) -> None:
    with pytest.raises(Undecodable):
        decode(text, RUNS.events)


def test_a_field_of_a_newer_version_is_ignored() -> None:
    event = decode('{"type": "MoveHeld", "at": "2026-01-01T02:00:00+00:00", "vm": "a", "mood": "fine"}', RUNS.events)
    assert encode(event) == '{"type":"MoveHeld","at":"2026-01-01T02:00:00Z","vm":"a"}'


def test_moments_keep_their_offset_from_utc() -> None:
    event = decode('{"type": "MoveHeld", "at": "2026-01-01T04:00:00+02:00", "vm": "a"}', RUNS.events)
    assert event.at.utcoffset() in (timedelta(0), timedelta(hours=2))
    assert event.at == datetime(2026, 1, 1, 2, tzinfo=UTC)


def test_the_state_itself_is_not_an_event() -> None:
    assert RunState.__name__ not in RUNS.events
