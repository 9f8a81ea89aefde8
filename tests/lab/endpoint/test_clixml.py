"""The writer of CLIXML, read back by two decoders that are not ours."""

from __future__ import annotations

import math
import re
import time
import xml.etree.ElementTree as ElementTree
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psrpcore import PSRemotingCrypto
from psrpcore.types import PSObject, deserialize
from pypsrp.complex_objects import GenericComplexObject
from pypsrp.serializer import Serializer

from console.lab.endpoint import clixml
from console.lab.endpoint.create_pipeline import RANGES, UnreadableValue, read_value, uncode
from console.lab.engine import PsEnum, PsObject, PsStringCollection, PsValue, Typed

HOSTILE = [
    "",
    "_x0041_",
    "_X0041_",
    "__x",
    "a\x00b\x1b[31m",
    "😀 \U0010ffff",
    "\u202e<&>\"'",
    "\ufffe\uffff",
    "x" * 200,
]
TYPES = ("Microsoft.HyperV.PowerShell.VirtualMachine", "System.Object")
STATE = PsEnum("Microsoft.HyperV.PowerShell.VMState", 2, "Running")

words = st.one_of(st.text(), st.sampled_from(HOSTILE))
whole = st.text(st.characters(exclude_categories=["Cs"]))
names = st.text(min_size=1)
moments = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-3, minutes=-30))]) | st.none())
spans = st.timedeltas()
numbers = st.one_of(
    *(st.builds(Typed, st.just(tag), st.integers(low, high)) for tag, (low, high) in RANGES.items()),
    st.builds(Typed, st.just("Db"), st.floats(allow_nan=False)),
    st.builds(Typed, st.just("Version"), st.just("10.0.20348.1")),
)
leaves: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), words, numbers, st.binary(), st.uuids(), st.integers(-(2**63), 2**64 - 1), moments, spans
)
values: st.SearchStrategy[Any] = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(words, inner, max_size=4)),
    max_leaves=8,
)


def by_pypsrp(xml: str) -> Any:
    return Serializer().deserialize(xml)


def by_psrpcore(xml: str) -> Any:
    return deserialize(ElementTree.fromstring(xml), PSRemotingCrypto())


def plain(value: PsValue) -> Any:
    """What a decoder that keeps no tags makes of a value."""
    if isinstance(value, Typed):
        return plain(value.value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


@given(words)
def test_strings_survive(text: str) -> None:
    assert by_pypsrp(clixml.write(text)) == text


@given(whole)
def test_strings_survive_psrpcore(text: str) -> None:
    assert str(by_psrpcore(clixml.write(text))) == text


@given(words)
def test_a_string_is_printable_on_the_wire(text: str) -> None:
    assert not re.search("[\x00-\x1f\x7f-\x9f\ud800-\udfff\U00010000-\U0010ffff]", clixml.write(text))


@given(values)
def test_our_own_strict_reader_gets_the_very_values(value: PsValue) -> None:
    read = read_value(clixml.write(value).encode(), decrypt=str)
    assert plain(read) == plain(value)  # type: ignore[arg-type]


@given(st.dictionaries(names, leaves.filter(lambda leaf: leaf != b""), max_size=6), st.booleans())
def test_objects_come_back_with_every_property(properties: dict[str, Any], notes: bool) -> None:
    written = clixml.write(PsObject(TYPES, properties, "shown", notes=notes))
    read = by_pypsrp(written)
    assert isinstance(read, GenericComplexObject)
    assert read.types == list(TYPES)
    assert str(read) == "shown"
    full, empty = (read.extended_properties, read.adapted_properties)[:: 1 if notes else -1]
    assert [uncode(name) for name in full] == list(properties)  # pypsrp leaves names as they travel
    assert empty == {}


@given(st.dictionaries(st.from_regex("[A-Za-z]{1,9}", fullmatch=True), numbers | st.booleans(), max_size=6))
def test_numbers_keep_their_type_for_psrpcore(properties: dict[str, Any]) -> None:
    read = by_psrpcore(clixml.write(PsObject(TYPES, properties)))
    assert isinstance(read, PSObject)
    for name, value in properties.items():
        expected = value.value if isinstance(value, Typed) else value
        found = getattr(read, name)
        assert str(found) == str(expected) if isinstance(expected, str) else found == expected


@given(spans)
def test_durations_read_back_to_the_microsecond(span: timedelta) -> None:
    assert read_value(clixml.write(span).encode(), decrypt=str) == span


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(0), "PT0S"),
        (timedelta(seconds=10), "PT10S"),
        (timedelta(days=1, hours=2, minutes=3, seconds=4.5), "P1DT2H3M4.5S"),
        (-timedelta(minutes=20), "-PT20M"),
        (timedelta(days=30), "P30D"),
        (timedelta(microseconds=1), "PT0.000001S"),
    ],
)
def test_durations_look_as_xml_wants_them(span: timedelta, text: str) -> None:
    assert clixml.duration(span) == text


def test_a_moment_has_seven_digits_and_its_zone() -> None:
    assert clixml.moment(datetime(2026, 1, 2, 3, 4, 5, 678900, UTC)) == "2026-01-02T03:04:05.6789000Z"
    east = timezone(timedelta(hours=2))
    assert clixml.moment(datetime(2026, 1, 2, 3, 4, 5, tzinfo=east)) == "2026-01-02T03:04:05.0000000+02:00"
    assert clixml.moment(datetime(2026, 1, 2)) == "2026-01-02T00:00:00.0000000"


def test_floats_are_written_as_dotnet_writes_them() -> None:
    assert [clixml.real(each) for each in (math.inf, -math.inf, math.nan, 1e22, 0.5)] == [
        "INF",
        "-INF",
        "NaN",
        "1E+22",
        "0.5",
    ]


def test_an_enumeration_has_its_name_its_number_and_its_bases() -> None:
    read = by_pypsrp(clixml.write(STATE))
    assert (str(read), read.property_sets) == ("Running", [2])
    assert read.types == [STATE.type_name, "System.Enum", "System.ValueType", "System.Object"]
    unsigned = PsEnum("Microsoft.FailoverClusters.PowerShell.AutoFailbackType", 2**32 - 1, "None", "U32")
    assert by_pypsrp(clixml.write(unsigned)).property_sets == [2**32 - 1]


def test_type_names_repeat_as_references() -> None:
    inner = PsObject(("A.Inner", "System.Object"), {"State": STATE})
    written = clixml.write(PsObject(TYPES, {"One": STATE, "Two": STATE, "Three": [inner, inner]}))
    assert written.count(f"<T>{STATE.type_name}</T>") == 1
    assert written.count("<T>A.Inner</T>") == 1
    read = by_pypsrp(written).adapted_properties
    assert [str(read["One"]), str(read["Two"])] == ["Running", "Running"]
    assert [each.types[0] for each in read["Three"]] == ["A.Inner", "A.Inner"]
    assert len(set(re.findall(r'<Obj[^>]*RefId="(\d+)"', written))) == written.count("<Obj")


def test_below_a_property_objects_become_their_text() -> None:
    deep = PsObject(("Deep", "System.Object"), {"A": 1}, "deep one")
    nameless = PsObject(("No.Text", "System.Object"), {"A": 1})
    middle = PsObject(("Middle", "System.Object"), {"Deep": deep, "Nameless": nameless, "State": STATE})
    read = by_pypsrp(clixml.write(PsObject(TYPES, {"Middle": middle}))).adapted_properties["Middle"]
    assert (read.adapted_properties["Deep"], read.adapted_properties["Nameless"]) == ("deep one", "No.Text")
    assert str(read.adapted_properties["State"]) == "Running"


def test_a_string_collection_is_an_enumerable() -> None:
    written = clixml.write(PsStringCollection(("a", "b<")))
    assert "<IE><S>a</S><S>b&lt;</S></IE>" in written
    assert "System.Collections.Specialized.StringCollection" in written


@pytest.mark.parametrize(
    ("value", "tag"), [(2**31 - 1, "I32"), (2**31, "I64"), (-(2**31), "I32"), (2**63, "U64"), (-(2**63), "I64")]
)
def test_a_bare_integer_takes_the_type_that_holds_it(value: int, tag: str) -> None:
    assert clixml.write(value) == f"<{tag}>{value}</{tag}>"


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, Typed("Obj", 1)])
def test_what_dotnet_can_not_hold_is_refused(value: PsValue) -> None:
    with pytest.raises(ValueError, match=r"fits no integer|no tag"):
        clixml.write(value)


def test_what_is_no_value_is_refused() -> None:
    with pytest.raises(TypeError, match="set does not travel"):
        clixml.write({1, 2})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "xml",
    [
        "<I32>8589934592</I32>",
        "<I32>-2147483649</I32>",
        "<U16>-1</U16>",
        "<By>256</By>",
        "<I64>9223372036854775808</I64>",
        "<I32>one</I32>",
        "<B>yes</B>",
        "<TS>5 minutes</TS>",
        "<G>not a guid</G>",
        "<Mystery>1</Mystery>",
        "<S>cut",
    ],
)
def test_the_reader_is_as_strict_as_dotnet(xml: str) -> None:
    with pytest.raises(UnreadableValue):
        read_value(xml.encode(), decrypt=str)


def test_the_reader_knows_enumerations_and_references() -> None:
    assert read_value(clixml.write(STATE).encode(), decrypt=str) == STATE
    assert read_value(b"<G>0f8fad5b-d9cb-469f-a165-70867728950e</G>", str) == UUID(
        "0f8fad5b-d9cb-469f-a165-70867728950e"
    )
    shared = b'<Obj RefId="0"><LST><Obj RefId="1"><LST><I32>1</I32></LST></Obj><Ref RefId="1" /></LST></Obj>'
    assert read_value(shared, str) == [[Typed("I32", 1)], [Typed("I32", 1)]]


def test_a_thirty_property_object_takes_microseconds() -> None:
    """The target is 80 µs of processor time; the bound leaves room for a busy machine."""
    properties: dict[str, PsValue] = {f"Text{index}": f"vm {index} on a host" for index in range(12)}
    properties |= {f"Enum{index}": STATE for index in range(6)}
    properties |= {f"Number{index}": Typed("I64", 2**33) for index in range(8)}
    properties |= {"Id": UUID(int=7), "Up": timedelta(days=3), "On": True, "List": ["a", "b"]}
    machine = PsObject(TYPES, properties, "vm")
    best = min(_seconds(machine) for _ in range(5))
    assert best / 200 < 240e-6


def _seconds(machine: PsObject) -> float:
    start = time.process_time()
    for _ in range(200):
        clixml.write(machine)
    return time.process_time() - start
