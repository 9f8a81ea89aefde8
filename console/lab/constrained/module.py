"""A script module's functions: their parameters, and the pipeline or the known script that each runs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from console.lab import surface
from console.lab.cmdlets import errors, typed_lines
from console.lab.cmdlets.typed_lines import Variable
from console.lab.constrained import datafile
from console.lab.constrained.datafile import UnreadableFile
from console.lab.constrained.parameters import Parameter, bind, declared
from console.lab.engine import Command

_COMMENTS = re.compile(r"('(?:[^']|'')*'|\"[^\"]*\")|<#.*?#>|#[^\n]*", re.DOTALL)
_FUNCTION = re.compile(r"\bfunction\s+(?P<name>[A-Za-z]+-\w+)\s*(?=\{)", re.IGNORECASE)
_BINDING = re.compile(r"\s*(?:\[CmdletBinding\(\)\]\s*)?param\s*(?=\()", re.IGNORECASE)
_GUARD = re.compile(r"\s*try\s*(?=\{)", re.IGNORECASE)
_RETHROW = re.compile(r"\s*catch\s*\{\s*throw\s*\}\s*", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"(?P<name>[A-Za-z]\w*)(?P<array>\[\])?\s*(?:\((?P<arguments>.*)\))?", re.DOTALL)
_MANDATORY = re.compile(r"Mandatory\s*=\s*", re.IGNORECASE)
_TABLE = re.compile(r"\$(?P<table>\w+)\s*=\s*@\{\s*\}")
_WHEN_GIVEN = re.compile(
    r"if\s*\(\s*\$PSBoundParameters\.ContainsKey\(\s*'(?P<asked>\w+)'\s*\)\s*\)\s*"
    r"\{\s*\$(?P<table>\w+)\[\s*'(?P<name>\w+)'\s*\]\s*=\s*\$(?P<variable>\w+)\s*\}",
    re.IGNORECASE,
)
_COMMAND = re.compile(r"(?:(?P<module>[A-Za-z][\w.-]*)\\)?(?P<name>\b[A-Z][A-Za-z]+-[A-Z]\w+)")
_CLOSING = {"{": "}", "(": ")", "[": "]"}


@dataclass(frozen=True, slots=True)
class Function:
    """One function. Exactly one of ``pipeline`` and ``script`` is there."""

    name: str
    parameters: tuple[Parameter, ...]
    pipeline: tuple[Command, ...] | None
    """With :class:`Variable` where a parameter's value goes, and ``@table`` for the optional ones."""
    script: str | None
    optional: Mapping[str, tuple[tuple[str, str], ...]]
    """Table → (parameter of the cmdlet, parameter of the function)."""
    guarded: bool
    """Whether a command that fails ends the function; else it ends its own statement only."""

    def commands(self, call: Command) -> list[Command]:
        """What one call comes to.

        Raises:
            TerminatingError: the call's parameters are refused, or a command is not in the module that is written.
        """
        given = bind(self.name, self.parameters, call)
        if self.script is not None:
            return [Command(_checked(self.script), given, is_script=True)]
        return [self._filled(stage, given) for stage in self.pipeline or ()]

    def _filled(self, stage: Command, given: Mapping[str, object]) -> Command:
        parameters: dict[str, object] = {}
        for name, value in stage.parameters.items():
            if not name.startswith("@"):
                parameters[name] = given.get(value.name) if isinstance(value, Variable) else value
                continue
            for of_cmdlet, of_function in self.optional.get(name[1:], ()):
                if of_function in given:
                    parameters[of_cmdlet] = given[of_function]
        return Command(stage.name, parameters, stage.positional)


def read(text: str) -> dict[str, Function]:
    """The functions by lower-case name.

    Raises:
        UnreadableFile: a function is more than the lab understands.
    """
    text = _COMMENTS.sub(lambda found: found[1] or "", text.removeprefix("\ufeff"))
    found: dict[str, Function] = {}
    place = 0
    while (match := _FUNCTION.search(text, place)) is not None:
        place = _end(text, match.end())
        function = _function(match["name"], text[match.end() + 1 : place - 1])
        found[function.name.casefold()] = function
    return found


def _function(name: str, body: str) -> Function:
    start = _BINDING.match(body)
    if start is None:
        raise UnreadableFile(f"{name} has no param block.")
    end = _end(body, start.end())
    parameters = tuple(_parameters(name, body[start.end() + 1 : end - 1]))
    rest, guarded = _unguarded(body[end:])
    optional: dict[str, list[tuple[str, str]]] = {}
    statements = []
    for statement in _statements(rest):
        if (given := _WHEN_GIVEN.fullmatch(statement)) is not None:
            optional.setdefault(given["table"], []).append((given["name"], given["variable"]))
        elif _TABLE.fullmatch(statement) is None:
            statements.append(statement)
    pipeline = typed_lines.commands(statements[0], variables=True) if len(statements) == 1 else None
    signature = ", ".join(f"[{each.type}]${each.name}" for each in parameters)
    script = f"param({signature}) {'; '.join(statements)}"
    return Function(
        name,
        parameters,
        None if pipeline is None else tuple(pipeline),
        script if pipeline is None else None,
        {table: tuple(pairs) for table, pairs in optional.items()},
        guarded,
    )


def _unguarded(body: str) -> tuple[str, bool]:
    start = _GUARD.match(body)
    if start is None:
        return body, False
    end = _end(body, start.end())
    if _RETHROW.fullmatch(body[end:]) is None:
        raise UnreadableFile("A try block that does not end in throwing again.")
    return body[start.end() + 1 : end - 1], True


def _statements(body: str) -> list[str]:
    lines = re.sub(r"\|[ \t]*\n\s*", "| ", body).split("\n")
    return [line.strip() for line in lines if line.strip()]


def _parameters(function: str, text: str) -> list[Parameter]:
    found = []
    place = 0
    attributes: dict[str, Sequence[object]] = {}
    kind = "string"
    while (match := re.compile(r"[\s,]*(?:(?P<bracket>\[)|\$(?P<name>\w+))").match(text, place)) is not None:
        if match["name"] is not None:
            found.append(declared(match["name"], attributes, kind))
            attributes, kind, place = {}, "string", match.end()
            continue
        place = _end(text, match.end() - 1)
        name, arguments = _attribute(function, text[match.end() : place - 1])
        if arguments is None:
            kind = name
        else:
            attributes[name] = arguments
    if text[place:].strip():
        raise UnreadableFile(f"{function}: {text[place:].strip()[:30]!r} is no parameter.")
    return found


def _attribute(function: str, text: str) -> tuple[str, Sequence[object] | None]:
    """An attribute's lower-case name with its arguments, or a type's with None."""
    match = _ATTRIBUTE.fullmatch(text)
    if match is None:
        raise UnreadableFile(f"{function}: [{text}] is not understood.")
    name = match["name"].lower()
    if match["arguments"] is None:
        return name + (match["array"] or ""), None
    return name, datafile.arguments(_MANDATORY.sub("", match["arguments"]))


def _end(text: str, start: int) -> int:
    """The place after the bracket that closes the one at ``start``; brackets in strings are text."""
    waiting: list[str] = []
    place = start
    while place < len(text):
        sign = text[place]
        if sign in "'\"":
            place = text.find(sign, place + 1)
            if place < 0:
                break
        elif sign in _CLOSING:
            waiting.append(_CLOSING[sign])
        elif waiting and sign == waiting[-1]:
            waiting.pop()
            if not waiting:
                return place + 1
        place += 1
    raise UnreadableFile(f"A bracket is not closed: {text[start : start + 30]!r}.")


def unqualified(script: str) -> str:
    """The script with bare commands."""
    return _COMMAND.sub(lambda found: found["name"], script)


def _checked(script: str) -> str:
    """The script with bare commands, each of which was written with its own module.

    Raises:
        TerminatingError: one was not; unqualified, the session's own proxies would have answered.
    """
    for found in _COMMAND.finditer(script):
        facts = surface.cmdlet(found["name"])
        if facts is None or (found["module"] or "").casefold() != facts.module.casefold():
            raise errors.unknown_command(found.group())
    return unqualified(script)
