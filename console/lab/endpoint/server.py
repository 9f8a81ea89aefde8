"""The lab's door: one https and one http listener on loopback for each simulated host."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from console.clock import Clock
from console.lab.endpoint.certificates import LOOPBACK, Authority, KeyFiles
from console.lab.endpoint.connections import HostSide
from console.lab.endpoint.counters import Statistics
from console.lab.endpoint.faults import FaultBoard
from console.lab.endpoint.hosts import Host
from console.lab.endpoint.service import Service
from console.lab.endpoint.shells import Surroundings
from console.lab.endpoint.signin import Accounts
from console.lab.endpoint.traits import Traits
from console.lab.engine import HostEngine


@dataclass(frozen=True, slots=True)
class Listener:
    """Where one host answers. A port is None when its scheme is switched off."""

    host: str
    https_address: str
    https_port: int | None
    http_address: str
    http_port: int | None


class LabServer:
    """Serves simulated hosts over WinRM. All methods belong to the event loop's thread.

    Nothing listens before :meth:`start`.

    Args:
        engines: who answers, by host name.
        users: passwords by user, as clients write them (``LAB\\admin``).
        clock: the lab's time: slow opening, idle closing, ages. A Receive's OperationTimeout is real time, because
            the client's socket counts real seconds.
        directory: takes the CA's certificate and clients' certificates.
        read_only_users: of the users, those who may open the watching endpoint only.
        first_port: the first of consecutive ports, https then http, host by host; free ports without.

    Raises:
        ValueError: a user name or password that the NTLM acceptor's file can not hold.
    """

    def __init__(
        self,
        engines: Mapping[str, HostEngine],
        *,
        users: Mapping[str, str],
        clock: Clock,
        directory: Path,
        read_only_users: Collection[str] = (),
        http: bool = True,
        https: bool = True,
        first_port: int | None = None,
        traits: Traits | None = None,
        faults: FaultBoard | None = None,
    ) -> None:
        self.statistics = Statistics()
        self.faults = FaultBoard() if faults is None else faults
        self.traits = Traits() if traits is None else traits
        self._engines = dict(engines)
        self._clock = clock
        self._http = http
        self._https = https
        self._first_port = first_port
        self._watchers = frozenset(user.casefold() for user in read_only_users)
        self._private = tempfile.TemporaryDirectory(prefix="drainboard-lab-")
        self._accounts = Accounts(users, Path(self._private.name))
        self._authority = Authority(directory)
        self._hosts: dict[str, Host] = {}

    @property
    def ca_file(self) -> Path:
        """The certificate that clients must trust."""
        return self._authority.ca_file

    async def start(self) -> tuple[Listener, ...]:
        """Listen.

        Raises:
            OSError: a port is taken.
        """
        for name, engine in self._engines.items():
            self._hosts[name] = self._host(name, engine)
        port = 0 if self._first_port is None else self._first_port
        for host in self._hosts.values():
            for listener in host.ports:
                await listener.open(port)
                port = port + 1 if port else 0
            host.start()
        return tuple(self._listener(name, host) for name, host in self._hosts.items())

    async def stop(self) -> None:
        """Close every port, connection and session."""
        for host in self._hosts.values():
            await host.stop()
        self._hosts.clear()
        self._private.cleanup()

    def change_password(self, user: str, password: str) -> None:
        """Give a user another password; signed-in connections stay so, as on Windows.

        Raises:
            KeyError: no such user.
        """
        self._accounts.change_password(user, password)

    def client_certificate(self, user: str) -> KeyFiles:
        """Files with which a client signs this user in over https."""
        return self._authority.client_files(user)

    def open_connections(self, host: str) -> int:
        """How many connections a host has open."""
        return self._hosts[host].open_connections

    def open_shells(self, host: str) -> int:
        """How many shells a host holds."""
        return len(self._hosts[host].side.service.shells)

    def open_pipelines(self, host: str) -> int:
        """How many commands of a host run or wait to be closed by their clients."""
        return sum(len(shell.pipelines) for shell in self._hosts[host].side.service.shells)

    def _host(self, name: str, engine: HostEngine) -> Host:
        def pipeline_started(user: str) -> None:
            self.statistics.of(name, user).pipelines += 1

        around = Surroundings(engine, self._clock, self.traits, pipeline_started)
        service = Service(name, around, self.faults, self._watchers)
        side = HostSide(name, service, self._accounts, self.statistics, self.faults, self._clock)
        context = self._authority.server_context(name) if self._https else None
        return Host(side, self.traits, context, http=self._http)

    @staticmethod
    def _listener(name: str, host: Host) -> Listener:
        https = None if host.https is None else host.https.number
        http = None if host.http is None else host.http.number
        return Listener(name, LOOPBACK, https, LOOPBACK, http)
