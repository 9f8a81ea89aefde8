"""The host's side of a session: run pipelines of cmdlets against the world."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache

from console.lab import surface
from console.lab.cmdlets import (
    cim,
    cim_cluster,
    cim_counters,
    cim_host,
    cim_virtual,
    clusters,
    directory,
    errors,
    event_cmdlets,
    flow,
    host_cmdlets,
    hyper_v,
    mending,
    meta,
    moves,
    scripts,
    typed_lines,
)
from console.lab.cmdlets.binding import bind
from console.lab.cmdlets.invocation import CHANGING, HANDLERS, Invocation, Scope
from console.lab.constrained.installed import SessionConfiguration
from console.lab.constrained.module import Function, unqualified
from console.lab.engine import Command, PsError, PsValue, SessionContext, Sink, TerminatingError
from console.lab.surface import CmdletFacts
from console.lab.world.cluster import LabCluster
from console.lab.world.state import Host

_FAMILIES = (
    cim, cim_cluster, cim_counters, cim_host, cim_virtual, clusters, directory, event_cmdlets, flow, host_cmdlets,
    hyper_v, mending, meta, moves,
)  # fmt: skip
"""Imported for what they register."""

CLUSTER_MODULE = "FailoverClusters"

VIRTUAL_ACCOUNTS = "WinRM Virtual Users"
"""The domain of the accounts that functions run as."""

RESTRICTED = frozenset(
    {
        "Clear-Host", "Exit-PSSession", "Get-Command", "Get-FormatData", "Get-Help", "Measure-Object", "Out-Default",
        "Select-Object",
    }
)  # fmt: skip
"""What RestrictedRemoteServer shows by default (about JEA session configurations)."""


class _StopOnError:
    """-ErrorAction Stop: the first error ends the pipeline; SilentlyContinue and Ignore: errors vanish."""

    def __init__(self, sink: Sink, action: str) -> None:
        self._sink, self._action = sink, action

    def output(self, value: PsValue) -> None:
        self._sink.output(value)

    def error(self, error: PsError) -> None:
        if self._action == "stop":
            raise TerminatingError(error)
        if self._action not in ("silentlycontinue", "ignore", "0", "4"):
            self._sink.error(error)

    def warning(self, text: str) -> None:
        self._sink.warning(text)

    def progress(self, activity: str, status: str, percent: int) -> None:
        self._sink.progress(activity, status, percent)


def _changes(command: Command) -> bool:
    if command.is_script:
        return scripts.changes(command.name)
    return command.name.rpartition("\\")[2].lower() in CHANGING


def _spelled_out(pipeline: Sequence[Command]) -> list[Command]:
    """Scripts that are nothing but a typed line of cmdlets, as those cmdlets."""
    found: list[Command] = []
    for command in pipeline:
        typed = typed_lines.commands(command.name) if command.is_script and not command.parameters else None
        found.extend([command] if typed is None else typed)
    return found


class LabHostEngine:
    """Answers pipelines as one simulated host."""

    def __init__(
        self, cluster: LabCluster, host: Host, sessions: Mapping[str, SessionConfiguration] | None = None
    ) -> None:
        self.scope = Scope(cluster, host, sessions or {})

    async def run(self, context: SessionContext, pipeline: Sequence[Command], sink: Sink) -> None:
        """Run one pipeline to its end.

        Raises:
            TerminatingError: the pipeline failed.
        """
        self.scope.cluster.advance()
        if not context.constrained:
            pipeline = _spelled_out(pipeline)
        self._count(context, pipeline)
        for value in await self._through(context, pipeline, sink):
            sink.output(value)

    async def _through(self, context: SessionContext, pipeline: Sequence[Command], sink: Sink) -> Iterable[PsValue]:
        values: Iterable[PsValue] = ()
        for index, command in enumerate(pipeline):
            values = await self._stage(context, command, tuple(values), index > 0, sink)
        return values

    async def _call(
        self, context: SessionContext, function: Function, command: Command, sink: Sink
    ) -> Iterable[PsValue]:
        """A function runs unconstrained, as the virtual account of its session; but the session's proxies still win."""
        user = context.user.replace("\\", "_")
        inside = replace(context, user=f"{VIRTUAL_ACCOUNTS}\\WinRM VA_1_{user}", constrained=False)
        stages = function.commands(command)
        try:
            for stage in stages:
                if not stage.is_script and stage.name == "Select-Object":
                    flow.check_restricted(self._facts(inside, stage.name), stage)
            return tuple(await self._through(inside, stages, sink))
        except TerminatingError as failed:
            if function.guarded:
                raise
            sink.error(failed.error)
            return ()

    async def _stage(
        self, context: SessionContext, command: Command, values: tuple[PsValue, ...], has_input: bool, sink: Sink
    ) -> Iterable[PsValue]:
        if command.is_script:
            if context.constrained:
                raise errors.no_scripts()
            if scripts.changes(command.name):
                self._check_cluster_rights(context, "Full", "Get-Cluster")
            return scripts.run(self.scope, command)
        function = self._function(context, command.name)
        if function is not None:
            return await self._call(context, function, command, sink)
        facts = self._facts(context, command.name)
        self._check_rights(context, facts)
        if context.constrained and facts.name == "Select-Object":
            flow.check_restricted(facts, command)
        arguments = bind(facts, command, has_input)
        action = str(arguments.get("ErrorAction", "")).lower()
        invocation = Invocation(
            self.scope, context, facts, arguments, values, has_input, _StopOnError(sink, action) if action else sink
        )
        answer = HANDLERS[facts.name.lower()](invocation)
        return await answer if inspect.isawaitable(answer) else answer

    def _function(self, context: SessionContext, name: str) -> Function | None:
        session = self.scope.sessions.get(context.configuration_name.casefold()) if context.constrained else None
        return None if session is None else session.functions.get(name.casefold())

    def _facts(self, context: SessionContext, name: str) -> CmdletFacts:
        module, _, plain = name.rpartition("\\")
        facts = surface.cmdlet(plain)
        if facts is None or facts.name.lower() not in HANDLERS or facts.name not in self.visible_commands(context):
            raise errors.unknown_command(name)
        if module and module.casefold() != facts.module.casefold():
            raise errors.unknown_command(name)
        return facts

    def _check_rights(self, context: SessionContext, facts: CmdletFacts) -> None:
        if facts.module == CLUSTER_MODULE:
            self._check_cluster_rights(context, "Full" if facts.name.lower() in CHANGING else "Read", facts.name)

    def _check_cluster_rights(self, context: SessionContext, rights: str, cmdlet: str) -> None:
        if not self.scope.world.facts.may(context.user, rights):
            raise errors.no_cluster_rights(cmdlet)

    def _count(self, context: SessionContext, pipeline: Sequence[Command]) -> None:
        changing = any(self._may_change(context, command) for command in pipeline)
        received = self.scope.cluster.received
        counter = received.changing if changing else received.reading
        counter[(self.scope.host.name, context.user)] += 1
        for command in pipeline:
            received.by_cmdlet["script" if command.is_script else command.name] += 1

    def _may_change(self, context: SessionContext, command: Command) -> bool:
        function = None if command.is_script else self._function(context, command.name)
        if function is None:
            return _changes(command)
        if function.pipeline is not None:
            return any(_changes(stage) for stage in function.pipeline)
        return scripts.changes(unqualified(function.script or ""))

    def visible_commands(self, context: SessionContext) -> frozenset[str]:
        """Names of the commands that this session may run."""
        if context.constrained:
            session = self.scope.sessions.get(context.configuration_name.casefold())
            shown = () if session is None else session.functions.values()
            return RESTRICTED | {function.name for function in shown}
        return _shown_without(frozenset(self.scope.world.facts.missing_modules.get(self.scope.host.name, ())))


@cache
def _shown_without(modules: frozenset[str]) -> frozenset[str]:
    """The names of all commands but those of these modules."""
    known = (surface.cmdlet(name) for name in HANDLERS)
    return frozenset(each.name for each in known if each is not None and each.module not in modules) | RESTRICTED
