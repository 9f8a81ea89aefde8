"""How far the first reading of a cluster is: told while it goes on, so that nobody waits before a silent screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from console.model.cluster import Contact, Host
from console.model.identity import HostName


@dataclass(frozen=True, slots=True)
class ReadingProgress:
    """Hosts that were read, those that did not answer, and those that are still asked, in the cluster's order."""

    answered: int
    silent: tuple[HostName, ...]
    waiting: tuple[HostName, ...]

    @property
    def hosts(self) -> int:
        return self.answered + len(self.silent) + len(self.waiting)


Told = Callable[[ReadingProgress], None]
"""Hears of each step, on the loop that reads."""


class Count:
    """Counts hosts as they come in, and tells each time."""

    def __init__(self, hosts: Iterable[HostName], told: Told | None) -> None:
        self._waiting = dict.fromkeys(hosts)
        self._silent: list[HostName] = []
        self._answered = 0
        self._told = told
        self._tell()

    def take(self, host: Host) -> None:
        self._waiting.pop(host.name, None)
        if host.contact is Contact.ANSWERING:
            self._answered += 1
        else:
            self._silent.append(host.name)
        self._tell()

    def _tell(self) -> None:
        if self._told is not None:
            self._told(ReadingProgress(self._answered, tuple(self._silent), tuple(self._waiting)))
