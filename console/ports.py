"""The two doors to Windows. Read-only is the absence of the second one."""

from __future__ import annotations

from typing import Protocol

from console.model.identity import HostName
from console.windows.commands import Answer, Call


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
