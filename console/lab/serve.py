"""Start a lab: the world, its hosts' endpoints, the control port, and a ready config for the console."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TypedDict

from console.clock import Clock, ManualClock, ScaledClock, SystemClock
from console.lab.cmdlets.engine import LabHostEngine
from console.lab.constrained import installed
from console.lab.control import ControlPort, advance
from console.lab.endpoint.faults import Fault
from console.lab.endpoint.server import LabServer, Listener
from console.lab.engine import Command, PsError, PsValue, SessionContext, TerminatingError
from console.lab.world.cluster import LabCluster
from console.lab.world.spec import ScenarioError, ScenarioFile, load_scenario, scenarios
from console.lab.world.state import NodeState

__all__ = ["HostLine", "InProcessLab", "ReadyLine", "ScenarioError", "ScenarioFile", "ServedLab", "scenarios", "serve"]

EPOCH = datetime(2026, 1, 1, 2, 0, tzinfo=UTC)
"""The wall time at which every lab's world begins: two at night."""
USER = "LAB\\admin"
WATCHER = "LAB\\watch"
"""May open the watching endpoint only."""
CLUSTER_KEY = "lab"
"""The cluster's name in the config that is written."""


class HostLine(TypedDict):
    name: str
    https: str | None
    http: str | None


class ReadyLine(TypedDict):
    """What ``drainboard lab --serve`` prints when it is ready."""

    config: str
    control: str
    hosts: list[HostLine]
    user: str
    password: str
    ca_file: str


class ServedLab:
    """A lab that listens."""

    def __init__(self, cluster: LabCluster, server: LabServer, control: ControlPort, ready: ReadyLine) -> None:
        self.cluster = cluster
        self.server = server
        self.ready = ready
        self._control = control

    @property
    def clock(self) -> Clock:
        return self.cluster.clock

    async def advance(self, seconds: float) -> None:
        """Move manual time."""
        await advance(self.cluster, seconds)

    async def close(self) -> None:
        """Stop listening and end the world."""
        await self._control.stop()
        await self.server.stop()
        await self.cluster.stop()


async def serve(
    scenario: str = "quiet",
    *,
    seed: int = 1,
    speed: float | None = None,
    port: int | None = None,
    directory: Path,
    sessions: Path | None = None,
    endpoint: str | None = None,
) -> ServedLab:
    """Start a lab on loopback.

    Args:
        scenario: a name of :func:`scenarios`, or the path of a TOML file.
        speed: seconds of the lab in one second of life; 0 for manual time; None for what the scenario says.
        port: the first of consecutive ports; free ones without.
        directory: takes ``config.toml`` and the certificates.
        sessions: a folder of session configurations with their modules, as they would be installed on every host.
        endpoint: the session configuration that the config names; the default one without.

    Raises:
        ScenarioError: there is no such scenario or it is not valid.
        UnreadableFile: a file in ``sessions`` is more than the lab understands.
        OSError: a port is taken.
    """
    cluster = _cluster(scenario, seed, speed)
    password = secrets.token_urlsafe(12)
    server = _server(cluster, _engines(cluster, sessions), password, directory, port)
    listeners, control, address = await _listening(cluster, server)
    cluster.start()
    title = cluster.world.scenario.title
    ready = ReadyLine(
        config=_written(directory, config_text(listeners, server.ca_file, cluster.clock, title, endpoint)),
        control=address,
        hosts=[_host_line(listener) for listener in listeners],
        user=USER,
        password=password,
        ca_file=str(server.ca_file),
    )
    return ServedLab(cluster, server, control, ready)


def _written(directory: Path, text: str) -> str:
    config = directory / "config.toml"
    config.write_text(text, encoding="utf-8")
    return str(config)


async def _listening(cluster: LabCluster, server: LabServer) -> tuple[Sequence[Listener], ControlPort, str]:
    """Where the hosts and the control port listen: all of them, or none.

    Raises:
        OSError: a port is taken.
    """
    listeners, control = await server.start(), ControlPort(cluster, server.faults)
    try:
        return listeners, control, await control.start()
    except OSError:
        await server.stop()
        raise


def _cluster(scenario: str, seed: int, speed: float | None) -> LabCluster:
    """The world, at the scenario's own speed without another."""
    spec = load_scenario(scenario)
    return LabCluster(spec, seed, lab_clock(spec.speed if speed is None else speed))


def _engines(cluster: LabCluster, sessions: Path | None) -> dict[str, LabHostEngine]:
    """What answers on each host, by its name."""
    registered = {} if sessions is None else installed.load(sessions)
    return {name: LabHostEngine(cluster, host, registered) for name, host in cluster.world.hosts.items()}


def _server(
    cluster: LabCluster, engines: Mapping[str, LabHostEngine], password: str, directory: Path, port: int | None
) -> LabServer:
    """The hosts' endpoints; a host that is down, or has no WinRM, refuses from the start."""
    directory.mkdir(parents=True, exist_ok=True)
    server = LabServer(
        engines,
        users={USER: password, WATCHER: password},
        clock=cluster.clock,
        directory=directory,
        read_only_users=(WATCHER,),
        first_port=port,
    )
    for host in cluster.world.hosts.values():
        if host.state is NodeState.DOWN or not host.winrm:
            server.faults.throw(Fault.REFUSE, host.name)
    return server


def lab_clock(speed: float) -> Clock:
    """A clock of the given speed that begins at :data:`EPOCH`; 0 is manual."""
    if speed == 0:
        return ManualClock(EPOCH)
    return ScaledClock(speed, origin=SystemClock().now().timestamp(), epoch=EPOCH)


def _host_line(listener: Listener) -> HostLine:
    https = f"https://{listener.https_address}:{listener.https_port}/wsman" if listener.https_port else None
    http = f"http://{listener.http_address}:{listener.http_port}/wsman" if listener.http_port else None
    return HostLine(name=listener.host, https=https, http=http)


def config_text(
    listeners: Sequence[Listener], ca_file: Path, clock: Clock, title: str, endpoint: str | None = None
) -> str:
    """The console's config for this lab, TOML."""
    nodes = ",\n".join(
        f'  {{ name = "{each.host}", address = "{each.https_address}", port = {each.https_port} }}'
        for each in listeners
    )
    lines = [
        f"# {title}",
        f'default_cluster = "{CLUSTER_KEY}"',
        "",
        f"[clusters.{CLUSTER_KEY}]",
        f"nodes = [\n{nodes},\n]",
        'transport = "https"',
        'authentication = "ntlm"',
        f"username = '{USER}'",
        f"ca_file = '{ca_file.resolve()}'",
        *(() if endpoint is None else (f"endpoint = '{endpoint}'",)),
    ]
    if isinstance(clock, ScaledClock):
        lines += [
            "",
            f"[clusters.{CLUSTER_KEY}.clock]",
            f"speed = {float(clock.speed)!r}",
            f"origin = {float(clock.origin)!r}",
            f"epoch = {clock.epoch.isoformat().replace('+00:00', 'Z')}",
        ]
    return "\n".join(lines) + "\n"


class _Collector:
    """A sink that keeps what comes."""

    def __init__(self) -> None:
        self.outputs: list[PsValue] = []
        self.errors: list[PsError] = []

    def output(self, value: PsValue) -> None:
        self.outputs.append(value)

    def error(self, error: PsError) -> None:
        self.errors.append(error)

    def warning(self, text: str) -> None:
        """Warnings are not kept."""

    def progress(self, activity: str, status: str, percent: int) -> None:
        """Progress is not kept."""


class InProcessLab:
    """The engines of all hosts without a socket, on a manual clock, for fast tests."""

    def __init__(
        self, scenario: str = "quiet", *, seed: int = 1, clock: ManualClock | None = None, sessions: Path | None = None
    ) -> None:
        self.clock = ManualClock(EPOCH) if clock is None else clock
        self.cluster = LabCluster(load_scenario(scenario), seed, self.clock)
        self.engines: Mapping[str, LabHostEngine] = _engines(self.cluster, sessions)

    async def __aenter__(self) -> InProcessLab:
        self.cluster.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.cluster.stop()

    async def run(
        self, host: str, commands: Sequence[Command], context: SessionContext | None = None
    ) -> tuple[list[PsValue], list[PsError]]:
        """Run one pipeline on a host: what it put out, and its errors; a terminating one comes last."""
        sink = _Collector()
        who = context or SessionContext(USER, "Microsoft.PowerShell", constrained=False)
        with suppress(TerminatingError):
            try:
                await self.engines[host].run(who, commands, sink)
            except TerminatingError as failed:
                sink.error(failed.error)
                raise
        return sink.outputs, sink.errors

    async def advance(self, seconds: float) -> None:
        """Move time; everything that happens in between happens."""
        await advance(self.cluster, seconds)
