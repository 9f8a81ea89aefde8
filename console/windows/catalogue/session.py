"""Reads about the session itself: what this account may do here."""

from __future__ import annotations

from collections.abc import Iterable

from console.windows.commands import Call, ParameterType

from .entry import Entry, Fill, Privilege, Source, Stage, reads

ABILITIES = reads(
    "abilities",
    "Reads which of some commands this session may run.",
    Stage("Get-Command", (Fill("Name", ParameterType.STRINGS, "Name"),)),
    type_name="CommandInfo",
    properties=("Name", "CommandType", "ModuleName"),
    privilege=Privilege.SESSION,
    source=Source.DOCUMENTED,
    function="Get-Command",
)
"""The three properties are among the few that Select-Object allows on a constrained endpoint, and Get-Command is there
itself. A name that is not there is a non-terminating CommandNotFoundException."""

ENTRIES: tuple[Entry, ...] = (ABILITIES,)


def abilities(names: Iterable[str]) -> Call:
    return ABILITIES.bind(Name=tuple(names))
