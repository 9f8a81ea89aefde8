"""A line as a person types it at the prompt, ``Get-VM | Select-Object Name,State``, as the commands that it stands for.

Only pipelines of cmdlets with plain arguments: words, quoted strings, numbers, lists with commas, ``$true``, ``$false``
and ``$null``. Anything with an expression in it is not taken apart, and nothing is evaluated.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from console.lab import surface
from console.lab.engine import Command

_TOKEN = re.compile(
    r"\s+|(?P<pipe>\|)|(?P<comma>,)|(?P<single>'(?:[^']|'')*')|(?P<double>\"[^\"$`]*\")"
    r"|(?P<parameter>-[A-Za-z]\w*:?)|(?P<constant>\$(?:true|false|null)\b)|(?P<variable>\$\w+)|(?P<table>@[A-Za-z]\w*)"
    r"|(?P<word>[\w.\\:/*?@+-]+)",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?:[A-Za-z][\w.-]*\\)?[A-Za-z]+-[A-Za-z]\w*")
_CONSTANTS = {"$true": True, "$false": False, "$null": None}
_SWITCH = "SwitchParameter"

_Tokens = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Variable:
    """Where a function's parameter stands."""

    name: str


def commands(text: str, *, variables: bool = False) -> list[Command] | None:
    """The pipeline's commands; None when the text is more than a plain pipeline.

    With ``variables`` a variable is a :class:`Variable`, and a splatted table a switch named ``@table``.
    """
    tokens = _tokens(text.strip().rstrip(";"))
    if not tokens or (not variables and any(kind in ("variable", "table") for kind, _ in tokens)):
        return None
    stages: list[_Tokens] = [[]]
    for kind, token in tokens:
        if kind == "pipe":
            stages.append([])
        else:
            stages[-1].append((kind, token))
    found = [_command(stage) for stage in stages]
    return None if any(command is None for command in found) else [command for command in found if command is not None]


def _tokens(text: str) -> _Tokens | None:
    found: _Tokens = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            return None
        if match.lastgroup is not None:
            found.append((match.lastgroup, match.group()))
        place = match.end()
    return found


def _command(stage: _Tokens) -> Command | None:
    if not stage or stage[0][0] != "word" or _NAME.fullmatch(stage[0][1]) is None:
        return None
    name = stage[0][1]
    parameters: dict[str, object] = {}
    positional: list[object] = []
    place = 1
    while place < len(stage):
        kind, token = stage[place]
        place += 1
        if kind == "table":
            parameters[token] = True
        elif kind == "parameter":
            label = token[1:].rstrip(":")
            if (
                place < len(stage)
                and stage[place][0] not in ("parameter", "table")
                and not (_is_switch(name, label) and token[-1] != ":")
            ):
                parameters[label], place = _argument(stage, place)
            else:
                parameters[label] = True
        else:
            value, place = _argument(stage, place - 1)
            positional.append(value)
    return Command(name, parameters, tuple(positional))


def _argument(stage: _Tokens, place: int) -> tuple[object, int]:
    """One value, or the list that commas make, and the place after it."""
    values = [_value(*stage[place])]
    place += 1
    while place + 1 < len(stage) and stage[place][0] == "comma":
        values.append(_value(*stage[place + 1]))
        place += 2
    return (values if len(values) > 1 else values[0]), place


def _value(kind: str, token: str) -> object:
    if kind == "single":
        return token[1:-1].replace("''", "'")
    if kind == "double":
        return token[1:-1]
    if kind == "constant":
        return _CONSTANTS[token.lower()]
    if kind == "variable":
        return Variable(token[1:])
    return int(token) if re.fullmatch(r"-?\d{1,9}", token) else token


def _is_switch(cmdlet: str, parameter: str) -> bool:
    facts = surface.cmdlet(cmdlet.rpartition("\\")[2])
    if facts is None:
        return False
    wanted = parameter.lower()
    exact = [each for each in facts.parameters.values() if each.name.lower() == wanted]
    meant = exact or [each for each in facts.parameters.values() if each.name.lower().startswith(wanted)]
    return len(meant) == 1 and meant[0].type.endswith(_SWITCH)
