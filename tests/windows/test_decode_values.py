"""Single values: what each reader accepts, and that everything else is unknown with a reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.model.cluster import GroupFlags, NodeState
from console.windows.commands import EnumValue, ObjectText, Value
from console.windows.decode.values import Problems, Reader, duration_s, guid_of, guid_within, moment

GUID = "0a1b2c3d-0000-4000-8000-000000000001"


def _reader(value: Value) -> tuple[Reader, Problems]:
    problems = Problems("HV01, vms")
    return Reader({"P": value}, problems), problems


def test_enumerations_compare_by_number_never_by_name() -> None:
    reader, problems = _reader(EnumValue(2, "En pause"))
    assert reader.enum("P", NodeState) is NodeState.PAUSED
    assert not problems


@pytest.mark.parametrize("value", ["Paused", True, None, [2], EnumValue(9, "Paused"), 2.0, ObjectText("2", {})])
def test_what_is_no_known_number_is_unknown_and_said(value: Value) -> None:
    reader, problems = _reader(value)
    assert reader.enum("P", NodeState) is None
    assert len(problems.sentences()) == 1


def test_wmi_writes_minus_one_unsigned() -> None:
    reader, _ = _reader(4294967295)
    assert reader.enum("P", NodeState) is NodeState.UNKNOWN
    assert reader.size("P") == 4294967295


def test_flags_keep_known_bits_and_drop_unnamed_ones() -> None:
    reader, problems = _reader(EnumValue(512 | 4, "516"))
    assert reader.flags("P", GroupFlags) == GroupFlags.QUEUED
    assert not problems


def test_a_missing_property_is_one_sentence_for_all_rows() -> None:
    problems = Problems("HV01, vms")
    for _ in range(3):
        assert Reader({}, problems).integer("MemoryAssigned") is None
    assert problems.sentences() == ("HV01, vms: MemoryAssigned is missing (3 rows).",)


def test_null_is_unknown_but_not_a_problem_where_windows_may_say_null() -> None:
    reader, problems = _reader(None)
    assert reader.integer("P", nullable=True) is None
    assert not problems
    assert reader.integer("P") is None
    assert problems.sentences() == ("HV01, vms: P is empty.",)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("P1DT2H3M4.5S", 93784.5),
        ("PT0S", 0.0),
        ("PT0.5S", 0.5),
        ("-PT3S", -3.0),
        ("P12D", 1036800.0),
        ("P", None),
        ("PT", None),
        ("", None),
        ("1:02:03", None),
        ("P1Y", None),
    ],
)
def test_durations(text: str, seconds: float | None) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-01-01T02:00:00.1234567Z", datetime(2026, 1, 1, 2, 0, 0, 123456, UTC)),
        ("2026-01-01T03:00:00+01:00", datetime(2026, 1, 1, 2, 0, tzinfo=UTC)),
        ("2026-01-01T02:00:00", datetime(2026, 1, 1, 2, 0, tzinfo=UTC)),
        ("20260101030000.500000+060", datetime(2026, 1, 1, 2, 0, 0, 500000, UTC)),
        ("0001-01-01T00:00:00+05:00", None),
        ("yesterday", None),
        ("20261301030000.500000+060", None),
    ],
)
def test_moments(text: str, found: datetime | None) -> None:
    assert moment(text) == found


@pytest.mark.parametrize("text", [GUID, f"{{{GUID.upper()}}}", f" {GUID} "])
def test_guids_have_one_form(text: str) -> None:
    assert guid_of(text) == GUID


def test_guids_are_found_in_longer_identifiers() -> None:
    assert guid_within(f"Microsoft:{GUID.upper()}\\ffffffff-0000-4000-8000-000000000001") == GUID
    assert guid_within("Microsoft:Definition") is None
    assert guid_of(GUID[:-1]) is None


def test_nested_objects_are_named_by_their_text() -> None:
    assert _reader(ObjectText("HV02", {}))[0].name("P") == "HV02"
    assert _reader(ObjectText("", {"Name": "HV02"}))[0].name("P") == "HV02"
    assert _reader("HV02")[0].name("P") == "HV02"
    assert _reader(7)[0].name("P") is None


def test_collections_of_texts_and_numbers() -> None:
    assert _reader(["a", ObjectText("b", {})])[0].names("P") == ("a", "b")
    assert _reader("a")[0].names("P") == ("a",)
    assert _reader(None)[0].names("P") == ()
    assert _reader(["a", 7])[0].names("P") is None
    assert _reader([EnumValue(2, "Ok"), 5])[0].numbers("P") == (2, 5)
    assert _reader([True])[0].numbers("P") is None


def test_booleans_are_also_zero_and_one() -> None:
    assert [_reader(value)[0].truth("P") for value in (True, 0, 1, EnumValue(1, "On"))] == [True, False, True, True]
    assert _reader(2)[0].truth("P") is None
    assert _reader("True")[0].truth("P") is None


READS: tuple[Callable[[Reader], object], ...] = (
    lambda reader: reader.text("P"),
    lambda reader: reader.integer("P"),
    lambda reader: reader.size("P"),
    lambda reader: reader.real("P"),
    lambda reader: reader.truth("P"),
    lambda reader: reader.guid("P"),
    lambda reader: reader.duration_s("P"),
    lambda reader: reader.moment("P"),
    lambda reader: reader.enum("P", NodeState),
    lambda reader: reader.flags("P", GroupFlags),
    lambda reader: reader.names("P", nullable=False),
    lambda reader: reader.numbers("P", nullable=False),
)

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
) | st.builds(EnumValue, st.integers(), st.text(max_size=5))


@given(values)
def test_no_value_raises_and_nothing_unreadable_is_silent(value: Value) -> None:
    for read in READS:
        reader, problems = _reader(value)
        if read(reader) is None:
            assert problems
