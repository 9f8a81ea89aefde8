"""Lines of PowerShell as commands for the lab's engines: what an administrator would paste, read by a real grammar."""

from __future__ import annotations

import re
from collections.abc import Iterator

import tree_sitter_powershell
from tree_sitter import Language, Node, Parser

from console.lab.engine import Command

_PARSER = Parser(Language(tree_sitter_powershell.language()))
_WORDS: dict[str, object] = {"$true": True, "$false": False, "$null": None}
_TEXT = re.compile(r"'((?:[^']|'')*)'")


def pipeline_of(line: str) -> list[Command]:
    """The commands of one pipeline; an assignment to a property is a script."""
    root = _PARSER.parse(line.encode()).root_node
    assert not root.has_error, line
    if ")." in line:
        return [Command(line, {}, is_script=True)]
    return [_command(node) for node in _walk(root) if node.type == "command"]


def _command(node: Node) -> Command:
    name = node.child_by_field_name("command_name")
    assert name is not None
    parameters: dict[str, object] = {}
    last = ""
    for one in _elements(node):
        text = (one.text or b"").decode()
        if one.type == "command_parameter":
            last = text.removeprefix("-").rstrip(":")
            parameters[last] = True
        elif one.type != "command_argument_sep":
            assert last, "every argument is named"
            parameters[last] = _value(text.lstrip(":"))
    return Command((name.text or b"").decode(), parameters)


def _elements(command: Node) -> Iterator[Node]:
    for holder in command.children:
        if holder.type == "command_elements":
            yield from holder.children


def _value(text: str) -> object:
    if text in _WORDS:
        return _WORDS[text]
    if text.startswith("@{"):
        key, _, rest = text[2:-1].partition("=")
        return {key.strip().strip("'"): _value(rest.strip())}
    texts = [found.replace("''", "'") for found in _TEXT.findall(text)]
    if texts:
        return texts if len(texts) > 1 else texts[0]
    return int(text) if text.isdigit() else text


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _walk(child)
