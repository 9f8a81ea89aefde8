"""The two doors to Windows, and one to the directory. Read-only is the absence of the second one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from console.model.identity import HostName
from console.windows.commands import Answer, Call, Row


class Reader(Protocol):
    """Sends calls that only read."""

    async def read(self, host: HostName, call: Call) -> Answer:
        """Ask one host.

        Raises:
            Failure: one of the tree in :mod:`console.model.failures`.
            ValueError: the call changes something.
        """


class Writer(Protocol):
    """Sends calls that change the world. Never constructed in read-only mode; never sends anything twice."""

    async def change(self, host: HostName, call: Call) -> Answer:
        """Tell one host.

        Raises:
            Failure: one of the tree; after ``TimedOut`` or ``SessionGone`` nobody knows whether it ran.
        """


class Directory(Protocol):
    """Reads Active Directory from the machine that the console runs on."""

    async def computers(self, hosts: Sequence[HostName]) -> Sequence[Row]:
        """The accounts of these hosts that there are, with the properties that Get-ADComputer would give them.

        Raises:
            Failure: it can not be reached, or refuses.
        """
