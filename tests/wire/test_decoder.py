"""The decoder against what Windows writes, and against pypsrp's own decoder."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from uuid import UUID
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypsrp.complex_objects import GenericComplexObject
from pypsrp.serializer import Serializer

from console.windows.commands import EnumValue, ObjectText, Row, Value
from console.wire.decoder import BARE, MalformedOutput, decode, unescape

LIVE = """<Obj RefId="0"><TN RefId="0"><T>Microsoft.FailoverClusters.PowerShell.ClusterNode</T><T>System.Object</T></TN>
<ToString>N1</ToString><Props><S N="Name">N1</S><Obj N="State" RefId="1"><TN RefId="1">
<T>Microsoft.FailoverClusters.PowerShell.ClusterNodeState</T><T>System.Enum</T><T>System.ValueType</T>
<T>System.Object</T></TN><ToString>Paused</ToString><I32>2</I32></Obj><U32 N="DrainTarget">4294967295</U32>
<Obj N="DrainStatus" RefId="2"><TNRef RefId="1"/><ToString>Completed</ToString><I32>2</I32></Obj></Props></Obj>"""


def test_live_object_with_enumerations_and_type_references() -> None:
    assert decode(LIVE) == {
        "Name": "N1",
        "State": EnumValue(2, "Paused"),
        "DrainTarget": 4294967295,
        "DrainStatus": EnumValue(2, "Completed"),
    }


def test_note_properties_win_over_adapted_ones() -> None:
    text = '<Obj RefId="0"><MS><S N="A">note</S><I32 N="B">1</I32></MS><Props><S N="A">adapted</S></Props></Obj>'
    assert decode(text) == {"A": "note", "B": 1}


@pytest.mark.parametrize(
    ("element", "value"),
    [
        ('<S N="P">a_x000D__x000A_b</S>', "a\r\nb"),
        ('<S N="P">_xD83D__xDE00_</S>', "\U0001f600"),
        ('<S N="P">_x005F_x0041_</S>', "_x0041_"),
        ('<S N="P">_xZZZZ_ _x00_</S>', "_xZZZZ_ _x00_"),
        ('<S N="P">_xD83D_</S>', "\ufffd"),
        ('<S N="P"/>', ""),
        ('<I64 N="P">8589934592</I64>', 8589934592),
        ('<U64 N="P">18446744073709551615</U64>', 18446744073709551615),
        ('<B N="P">true</B>', True),
        ('<B N="P">false</B>', False),
        ('<Db N="P">0.5</Db>', 0.5),
        ('<Db N="P">-INF</Db>', float("-inf")),
        ('<DT N="P">2026-01-01T02:00:00.1234567Z</DT>', "2026-01-01T02:00:00.1234567Z"),
        ('<TS N="P">P1DT2H3M4.5S</TS>', "P1DT2H3M4.5S"),
        ('<Version N="P">10.0.20348.1</Version>', "10.0.20348.1"),
        ('<G N="P">9a1b1c1d-0000-4000-8000-000000000001</G>', "9a1b1c1d-0000-4000-8000-000000000001"),
        ('<BA N="P">AQID</BA>', b"\x01\x02\x03"),
        ('<C N="P">65</C>', "A"),
        ('<Nil N="P"/>', None),
        ('<SS N="P">c2VjcmV0</SS>', None),
        ('<Obj N="P" RefId="1"><LST><S>a</S><I32>1</I32><Nil/></LST></Obj>', ["a", 1, None]),
        (
            '<Obj N="P" RefId="1"><TN RefId="1"><T>System.Collections.Specialized.StringCollection</T></TN>'
            '<Props><I32 N="Count">2</I32></Props><IE><S>web</S><S>sql</S></IE></Obj>',
            ["web", "sql"],
        ),
        (
            '<Obj N="P" RefId="1"><DCT><En><S N="Key">a</S><I32 N="Value">1</I32></En>'
            '<En><I32 N="Key">7</I32><Nil N="Value"/></En></DCT></Obj>',
            {"a": 1, "7": None},
        ),
        (
            '<Obj N="P" RefId="1"><ToString>SW1</ToString><Props><I32 N="Ports">4</I32></Props></Obj>',
            ObjectText("SW1", {"Ports": 4}),
        ),
        ('<Obj N="P" RefId="1"><S>text</S><MS><S N="PSPath">C:\\x</S></MS></Obj>', "text"),
        ('<Obj N="P" RefId="1"><ToString>5</ToString><I32>5</I32><MS><B N="x">true</B></MS></Obj>', 5),
        (
            '<Obj N="P" RefId="1"><TN RefId="1"><T>Microsoft.HyperV.PowerShell.OnOffState</T><T>System.Enum</T></TN>'
            "<ToString>On</ToString><By>0</By></Obj>",
            EnumValue(0, "On"),
        ),
    ],
)
def test_one_property(element: str, value: Value) -> None:
    decoded = decode(f'<Obj RefId="0"><MS>{element}</MS></Obj>')["P"]
    assert decoded == value
    assert type(decoded) is type(value)


def test_reference_gives_the_same_object_and_a_cycle_ends() -> None:
    text = (
        '<Obj RefId="0"><MS><Obj N="A" RefId="1"><LST><S>x</S><Ref RefId="1"/></LST></Obj>'
        '<Ref N="B" RefId="1"/></MS></Obj>'
    )
    assert decode(text) == {"A": ["x", None], "B": ["x", None]}


def test_objects_without_properties_are_bare() -> None:
    assert decode("<S>line</S>") == {BARE: "line"}
    assert decode('<Obj RefId="0"><S>line</S><MS><I32 N="ReadCount">1</I32></MS></Obj>') == {
        "ReadCount": 1,
        BARE: "line",
    }
    assert decode('<Obj RefId="0"><LST><I32>1</I32></LST></Obj>') == {BARE: [1]}
    assert decode('<Obj RefId="0"><DCT><En><S N="Key">k</S><S N="Value">v</S></En></DCT></Obj>') == {"k": "v"}


def test_property_names_are_unescaped() -> None:
    assert decode('<Obj RefId="0"><MS><S N="a_x000A_b">1</S></MS></Obj>') == {"a\nb": "1"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no xml",
        "<S>cut",
        "<html><body>Service unavailable</body></html>",
        '<Obj RefId="0"><MS><I32 N="P"/></MS></Obj>',
        '<Obj RefId="0"><MS><I32 N="P">one</I32></MS></Obj>',
        '<Obj RefId="0"><MS><S>no name</S></MS></Obj>',
        '<Obj RefId="0"><TNRef RefId="9"/></Obj>',
        "<Obj><LST>" * 3000 + "</LST></Obj>" * 3000,
    ],
)
def test_nonsense_is_named_as_such(text: str) -> None:
    with pytest.raises(MalformedOutput):
        decode(text)


# ---- against pypsrp's decoder ---------------------------------------------------------------------------------------

_ENUM_TYPES = "<T>Vendor.Mode</T><T>System.Enum</T><T>System.ValueType</T><T>System.Object</T>"
_LIST_TYPES = "<T>System.Collections.ArrayList</T><T>System.Object</T>"
_TABLE_TYPES = "<T>System.Collections.Hashtable</T><T>System.Object</T>"

# pypsrp reads "_xwxyz_" with any word characters as an escape and fails: keep those out of what both are given.
_texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=30).filter(lambda text: "_x" not in text)


def _escaped(text: str) -> str:
    """As .NET escapes: control characters, and everything outside the basic plane, by UTF-16 units."""
    units = [
        (
            "".join(f"_x{unit:04X}_" for unit in _units(character))
            if ord(character) < 32 or 127 <= ord(character) < 160 or ord(character) > 0xFFFD
            else escape(character)
        )
        for character in text
    ]
    return "".join(units)


def _units(character: str) -> list[int]:
    data = character.encode("utf-16-be")
    return [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]


_primitives = st.one_of(
    _texts.map(lambda text: ("S", _escaped(text))),
    st.integers(-(2**31), 2**31 - 1).map(lambda number: ("I32", str(number))),
    st.integers(0, 2**64 - 1).map(lambda number: ("U64", str(number))),
    st.booleans().map(lambda value: ("B", str(value).lower())),
    st.floats(allow_nan=False).map(lambda number: ("Db", repr(number))),
    st.uuids().map(lambda value: ("G", str(value))),
    st.binary(min_size=1, max_size=20).map(lambda data: ("BA", b64encode(data).decode())),
    st.sampled_from(
        [("DT", "2026-01-01T02:00:00.0000001+02:00"), ("TS", "-PT3.5S"), ("Version", "1.2"), ("D", "0.10")]
    ),
    st.just(("Nil", "")),
)
_Tree = tuple[str, object]
_trees: st.SearchStrategy[_Tree] = st.recursive(
    _primitives,
    lambda children: st.one_of(
        st.lists(children, max_size=4).map(lambda items: ("list", items)),
        st.dictionaries(_texts, children, max_size=4).map(lambda items: ("table", items)),
        st.tuples(_texts, st.dictionaries(_texts, children, max_size=4)).map(lambda item: ("object", item)),
        st.tuples(_texts, st.integers(-(2**31), 2**31 - 1)).map(lambda item: ("enum", item)),
    ),
    max_leaves=12,
)


class _Writer:
    """CLIXML of a tree, with the type lists written once and referred to afterwards."""

    def __init__(self) -> None:
        self.objects = 0
        self.types: dict[str, int] = {}

    def write(self, tree: _Tree, name: str | None = None) -> str:
        kind, content = tree
        named = "" if name is None else f" N={quoteattr(_escaped(name))}"
        if kind not in ("list", "table", "object", "enum"):
            return f"<{kind}{named}>{content}</{kind}>"
        self.objects += 1
        return f'<Obj{named} RefId="{self.objects}">{self._inside(kind, content)}</Obj>'

    def _inside(self, kind: str, content: object) -> str:
        if isinstance(content, list):
            return self._types(_LIST_TYPES) + "<LST>" + "".join(self.write(item) for item in content) + "</LST>"
        if isinstance(content, dict):
            entries = (
                f"<En>{self.write(('S', _escaped(key)), 'Key')}{self.write(value, 'Value')}</En>"
                for key, value in content.items()
            )
            return self._types(_TABLE_TYPES) + "<DCT>" + "".join(entries) + "</DCT>"
        assert isinstance(content, tuple)
        text, rest = content
        to_string = f"<ToString>{_escaped(text)}</ToString>"
        if kind == "enum":
            return self._types(_ENUM_TYPES) + to_string + f"<I32>{rest}</I32>"
        head = self._types("<T>System.Object</T>") + to_string
        return head + "<Props>" + "".join(self.write(value, key) for key, value in rest.items()) + "</Props>"

    def _types(self, names: str) -> str:
        if names in self.types:
            return f'<TNRef RefId="{self.types[names]}"/>'
        self.types[names] = len(self.types)
        return f'<TN RefId="{self.types[names]}">{names}</TN>'


def _as_ours(value: object) -> Value:
    """What pypsrp decoded, in this project's words."""
    if isinstance(value, GenericComplexObject):
        if value.property_sets:
            return EnumValue(value.property_sets[0], str(value.to_string))
        properties = {**value.adapted_properties, **value.extended_properties}
        return ObjectText(str(value.to_string), {name: _as_ours(item) for name, item in properties.items()})
    if isinstance(value, list):
        return [_as_ours(item) for item in value]
    if isinstance(value, dict):
        return {str(name): _as_ours(item) for name, item in value.items()}
    if isinstance(value, UUID):
        return str(value)
    assert value is None or isinstance(value, bool | int | float | str | bytes)
    return value


def _row(value: Value) -> Row:
    if isinstance(value, ObjectText):
        return value.properties
    return value if isinstance(value, Mapping) else {BARE: value}


def _unescaped_names(row: Value) -> Value:
    """pypsrp leaves property names escaped; PowerShell's own client does not."""
    if isinstance(row, ObjectText):
        return ObjectText(row.text, {unescape(name): _unescaped_names(item) for name, item in row.properties.items()})
    if isinstance(row, dict):
        return {name: _unescaped_names(item) for name, item in row.items()}
    return [_unescaped_names(item) for item in row] if isinstance(row, list) else row


@settings(max_examples=150, deadline=None)
@given(_trees)
def test_agrees_with_pypsrp(tree: _Tree) -> None:
    document = _Writer().write(tree)
    theirs = _unescaped_names(_as_ours(Serializer().deserialize(document)))
    assert decode(document) == _row(theirs)


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=60))
def test_escaping_round_trip_with_pypsrp(text: str) -> None:
    written = Serializer()._serialize_string(text)
    assert unescape(written) == text
