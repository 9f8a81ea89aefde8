"""Leases and the object for changed settings, as the cluster keeps them: empty groups with private properties."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from console.clock import Clock
from console.drain import signals as sg
from console.drain.commands import CreateLease, RemoveLease, RenewLease, SetSetting
from console.drain.facts import DONE, Answered, Reply
from console.drain.lease import PREFIX, LeaseRow
from console.model.cluster import Contact, Host
from console.model.failures import Failure
from console.model.identity import RoleName, RunId
from console.ports import Reader
from console.windows import catalogue, decode
from console.windows.catalogue import changes
from console.windows.commands import Row
from console.windows.decode import Problems

from .changing import Hands
from .control import Circle

SETTINGS_OBJECT = RoleName(f"{PREFIX}settings")
"""Holds, for each setting that a run has changed, what it was before and which run changed it."""


@dataclass(frozen=True, slots=True)
class Changed:
    """One property of the object for changed settings."""

    original: str
    run: str

    @classmethod
    def read(cls, text: str) -> Changed | None:
        original, separator, run = text.partition("|")
        return cls(original, run) if separator else None

    def __str__(self) -> str:
        return f"{self.original}|{self.run}"


@dataclass(frozen=True)
class Leases:
    """Reads and writes what consoles tell one another through the cluster."""

    reader: Reader
    circle: Circle
    hands: Hands
    clock: Clock
    run: RunId
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One at a time: a look that began before a creation must not be told after it."""

    async def read(self) -> sg.Signal:
        """Every lease, and the time of the node that is asked first."""
        asked_at = self.clock.now()
        try:
            rows, now = await asyncio.gather(self._rows(), self._cluster_now())
        except Failure as failure:
            return sg.ReadFailed(self.clock.now(), str(failure))
        return sg.LeaseRead(self.clock.now(), now, rows, asked_at)

    async def in_force(self) -> tuple[LeaseRow, ...]:
        """The leases of other runs that have not expired.

        Raises:
            Failure: they can not be read.
        """
        now = await self._cluster_now()
        rows = await self._rows()
        return tuple(row for row in rows if row.run != self.run and row.expires_at is not None and row.expires_at > now)

    async def _rows(self) -> tuple[LeaseRow, ...]:
        """Every lease; one that can not be read makes the whole look fail, for it may be in force."""
        groups = await self._listed()
        found = await asyncio.gather(*(self._row(name, id, turn) for turn, (name, id) in enumerate(groups)))
        return tuple(row for row in found if row is not None)

    async def _row(self, name: RoleName, id: str, turn: int) -> LeaseRow | None:
        """None for a lease that was removed meanwhile."""
        try:
            return LeaseRow(name, id, await self._properties(name, turn))
        except Failure:
            if (name, id) in await self._listed():
                raise
            return None

    async def _listed(self) -> tuple[tuple[RoleName, str], ...]:
        groups = await self.circle.told(catalogue.leases.LEASES.bind(), _groups)
        return tuple(group for group in groups if group[0] != SETTINGS_OBJECT)

    async def _properties(self, name: RoleName, turn: int = 0) -> Mapping[str, str]:
        return await self.circle.told(catalogue.leases.lease_properties(name), _named_values, turn=turn)

    async def _cluster_now(self) -> datetime:
        host = self.circle.order[0]
        known = Host(host, Contact.ANSWERING, None)
        read_at = self.clock.now()
        told = await self.circle.told_if_possible(
            catalogue.host.OPERATING_SYSTEM.bind(),
            lambda rows, problems: decode.host.with_operating_system(known, rows, problems),
        )
        return read_at if told is None or told.local_time is None else told.local_time

    async def create(self, command: CreateLease) -> sg.Signal:
        async with self._turn:
            answer, reply = await self.hands.send(changes.create_lease(command.name))
        id = _groups(answer, Problems(str(command.name)))[0][1] if answer else ""
        return sg.LeaseCreated(self.clock.now(), command.name, reply, id)

    async def renew(self, command: RenewLease) -> sg.Signal:
        reply = DONE
        async with self._turn:
            for name, value in command.properties:
                _, reply = await self.hands.send(changes.set_lease_property(command.name, name, value))
                if not reply.done:
                    break
        return sg.LeaseWritten(self.clock.now(), command.name, reply)

    async def remove(self, command: RemoveLease) -> None:
        await self.hands.send(changes.remove_lease(command.name, command.id))

    # changed settings

    async def changed(self, setting: str) -> Changed | None:
        """What the object says about a setting; None when nobody has changed it."""
        groups = await self.circle.told(catalogue.leases.LEASES.bind(), _groups)
        if all(name != SETTINGS_OBJECT for name, _ in groups):
            return None
        text = (await self._properties(SETTINGS_OBJECT)).get(setting, "")
        return Changed.read(text) if text else None

    async def holder(self, changed: Changed | None) -> str:
        """The run that changed a setting and still goes on; empty when it is this one, or over."""
        if changed is None or changed.run == self.run:
            return ""
        return changed.run if any(row.run == changed.run for row in await self.in_force()) else ""

    async def note(self, command: SetSetting) -> Reply:
        """Write the original down where every console finds it, before it changes; clear it when it is back."""
        if command.original is None:
            _, reply = await self.hands.send(changes.set_lease_property(SETTINGS_OBJECT, command.name, ""))
            return reply
        await self.hands.send(changes.create_lease(SETTINGS_OBJECT))  # refused when it is there already: as well
        text = str(Changed(command.original, self.run))
        _, reply = await self.hands.send(changes.set_lease_property(SETTINGS_OBJECT, command.name, text))
        return reply

    async def set(self, command: SetSetting) -> Reply:
        """Change a setting, its original noted first; a site that refuses the note has the journal alone."""
        if command.original is not None:
            noted = await self.note(command)
            if noted.answered is Answered.UNANSWERED:
                return Reply(Answered.REFUSED, f"its original value could not be noted: {noted.reason}")
            return await self.hands.carry_out(command)
        reply = await self.hands.carry_out(command)
        if reply.done:
            await self.note(command)
        return reply


def _groups(rows: Sequence[Row], problems: Problems) -> tuple[tuple[RoleName, str], ...]:
    found = []
    for row in rows:
        read = decode.values.Reader(row, problems)
        name, id = read.name("Name"), read.guid("Id")
        if name is not None:
            found.append((RoleName(name), id or ""))
    return tuple(found)


def _named_values(rows: Sequence[Row], problems: Problems) -> Mapping[str, str]:
    return {str(row.get("Name")): str(row.get("Value") or "") for row in rows}
