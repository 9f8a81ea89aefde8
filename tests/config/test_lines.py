"""The scanner finds every key that the parser finds, on the line where it stands."""

from __future__ import annotations

from typing import Any

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from console.configuration.lines import KeyPath, key_lines

TRICKY = '''\
# [not.a.table]
title = "a # no comment, no [table] = 1"   # but this is
"quoted key" = 1
dotted . "two words".end = 2

[plain]
text = """
inner = "not a key"
[nor.a.table]
\\"""
"""
after = 1979-05-27T07:32:00Z
literal = \'\'\'
x = 1
\'\'\'
[plain.below]
list = [ 1, # comment, with comma
  "two", [ 3,
  4 ], { five = 5,  six = [6] },
]

[[many]]
name = "first"
[many.sub]
x = 1
[[many]]
name = "second"
[many.sub]
x = 2
'''

EXPECTED: dict[KeyPath, int] = {
    ("title",): 2,
    ("quoted key",): 3,
    ("dotted",): 4,
    ("dotted", "two words", "end"): 4,
    ("plain",): 6,
    ("plain", "text"): 7,
    ("plain", "after"): 12,
    ("plain", "literal"): 13,
    ("plain", "below"): 16,
    ("plain", "below", "list", 0): 17,
    ("plain", "below", "list", 1): 18,
    ("plain", "below", "list", 2, 1): 19,
    ("plain", "below", "list", 3, "five"): 19,
    ("plain", "below", "list", 3, "six", 0): 19,
    ("many", 0, "name"): 23,
    ("many", 0, "sub", "x"): 25,
    ("many", 1, "name"): 27,
    ("many", 1, "sub", "x"): 29,
}


def paths_of(value: Any, path: KeyPath = ()) -> set[KeyPath]:
    """Every key path of parsed data."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    below = {(*path, key) for key, _ in items}
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return below.union(*(paths_of(item, (*path, key)) for key, item in items))


@pytest.mark.parametrize(("path", "line"), EXPECTED.items())
def test_a_key_is_found_on_its_line(path: KeyPath, line: int) -> None:
    assert key_lines(TRICKY)[path] == line


def test_it_finds_exactly_the_keys_that_the_parser_finds() -> None:
    assert set(key_lines(TRICKY)) == paths_of(tomli.loads(TRICKY))


SCALARS = st.sampled_from(['"a#b"', "'[x]'", "1", "true", '"""\nk = 1\n"""', "[]", "{}", "2026-01-01"])
KEYS = st.text(alphabet="abc-_", min_size=1, max_size=3)


@given(
    st.dictionaries(KEYS, st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3), max_leaves=5), max_size=6)
)
def test_any_file_of_assignments_has_each_key_on_its_own_line(values: dict[str, Any]) -> None:
    lines: list[str] = []
    expected: dict[str, int] = {}
    for key, value in values.items():
        expected[key] = "\n".join(lines).count("\n") + (2 if lines else 1)
        lines.append(f"{key} = {as_toml(value)}")
    source = "\n".join(lines) + "\n"
    found = key_lines(source)
    assert {path[0]: line for path, line in found.items() if len(path) == 1} == expected
    assert set(found) == paths_of(tomli.loads(source))


def as_toml(value: Any) -> str:
    return f"[{', '.join(map(as_toml, value))}]" if isinstance(value, list) else str(value)
