"""Shells: the sessions of a host, their commands and their quotas (MS-WSMV 3.1.4)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

from console.clock import Clock, sleep_for
from console.lab.endpoint import records, soap
from console.lab.endpoint.create_pipeline import UnreadableValue, read_pipeline, read_value
from console.lab.endpoint.framing import Message, MessageType
from console.lab.endpoint.outbox import Carrier, Outbox
from console.lab.endpoint.pipelines import Pipeline, Stage
from console.lab.endpoint.psrp import Conversation, ProtocolError, Sent
from console.lab.endpoint.traits import Traits
from console.lab.engine import HostEngine, SessionContext

_POOL_STATE = 0x00021005
_CONNECT_REPLY = 0x0002100B
"""RUNSPACEPOOL_INIT_DATA."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a shell needs of its host."""

    engine: HostEngine
    clock: Clock
    traits: Traits
    pipeline_started: Callable[[str], None]
    """Told the user, for the statistics."""


class Shell:
    """One runspace pool of one user."""

    def __init__(self, shell_id: str, context: SessionContext, around: Surroundings) -> None:
        self.shell_id = shell_id
        self.context = context
        self.outbox = Outbox()
        self.pipelines: dict[str, Pipeline] = {}
        self.connected = True
        self.carrier: Carrier | None = None
        """The connection that was used last."""
        self.created_s = around.clock.elapsed_s()
        self.last_used_s = self.created_s
        self._around = around
        self._conversation = Conversation(byte_order_mark=around.traits.byte_order_mark)
        self._queue: deque[Pipeline] = deque()
        self._running: set[Pipeline] = set()
        self._used = False
        self._opening: asyncio.Task[None] | None = None

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        """Everything that runs for this shell."""
        runs = [pipeline.task for pipeline in self.pipelines.values()]
        return [task for task in (self._opening, *runs) if task is not None]

    def open(self, creation: bytes, slow_open_s: float) -> None:
        """Take SESSION_CAPABILITY and INIT_RUNSPACEPOOL; the pool's own messages follow with Receive.

        Raises:
            WsmanFault: not those messages.
        """
        replies = [reply for message in self._messages(creation) for reply in self._control(message)]
        early = [reply for reply in replies if reply.type != _POOL_STATE] if slow_open_s > 0 else replies
        self._post(early)
        if slow_open_s > 0:
            late = [reply for reply in replies if reply.type == _POOL_STATE]
            self._opening = asyncio.get_running_loop().create_task(self._open_late(late, slow_open_s))

    async def _open_late(self, replies: list[Sent], seconds: float) -> None:
        await sleep_for(self._around.clock, seconds)
        self._post(replies)
        self._opening = None

    def attach(self, connection: bytes) -> bytes:
        """Another client takes the shell over: its fragments in, the fragments of the answer out.

        Raises:
            WsmanFault: the shell can not be attached.
        """
        try:
            self._conversation.attach()
            answer = list(self._conversation.capability().fragments)
        except ProtocolError as failure:
            raise soap.malformed(str(failure)) from failure
        self.outbox = Outbox()
        for message in self._messages(connection):
            for reply in self._control(message):
                if reply.type == _CONNECT_REPLY:
                    answer.extend(reply.fragments)
                else:
                    self.outbox.put(reply.fragments)
        return b"".join(answer)

    def command(self, command_id: str) -> Pipeline:
        """Make room for a command; its pipeline starts when CREATE_PIPELINE is whole.

        Raises:
            WsmanFault: too many commands, a bad id, or one that is taken.
        """
        limit = self._around.traits.commands_per_shell
        if len(self.pipelines) >= limit:
            raise soap.too_many_commands(limit)
        try:
            known = str(UUID(command_id)).upper()
        except ValueError as failure:
            raise soap.malformed(f"{command_id} is no command id.") from failure
        if known in self.pipelines:
            raise soap.malformed(f"The command {command_id} exists already.")
        pipeline = Pipeline(known, self._conversation)
        self.pipelines[known] = pipeline
        return pipeline

    def pipeline(self, command_id: str) -> Pipeline:
        """A command that has not been closed.

        Raises:
            WsmanFault: there is none.
        """
        try:
            return self.pipelines[command_id.upper()]
        except KeyError:
            raise soap.unknown_shell() from None

    def feed(self, data: bytes) -> None:
        """Take fragments from the client, of whatever stream.

        Raises:
            WsmanFault: bad framing, or values that .NET would not read.
        """
        for message in self._messages(data):
            self._take(message)

    def close_command(self, command_id: str) -> None:
        """The client has everything: free the command."""
        pipeline = self.pipelines.pop(command_id.upper(), None)
        if pipeline is not None:
            self._queue = deque(queued for queued in self._queue if queued is not pipeline)
            pipeline.outbox.abandon()
            pipeline.stop()
            self._conversation.forget(pipeline.pipeline_id)

    def stop_command(self, command_id: str) -> None:
        """Ctrl+C; the command stays until it is closed.

        Raises:
            WsmanFault: there is no such command.
        """
        pipeline = self.pipeline(command_id)
        self._queue = deque(queued for queued in self._queue if queued is not pipeline)
        pipeline.stop()

    def close(self) -> None:
        """End everything that runs."""
        if self._opening is not None:
            self._opening.cancel()
        self._queue.clear()
        self.outbox.abandon()
        for pipeline in list(self.pipelines.values()):
            pipeline.outbox.abandon()
            pipeline.stop()

    def _messages(self, data: bytes) -> list[Message]:
        try:
            return self._conversation.receive(data)
        except ProtocolError as failure:
            raise soap.malformed(str(failure)) from failure

    def _control(self, message: Message) -> list[Sent]:
        free = max(0, self._conversation.max_runspaces - len(self._running))
        try:
            return self._conversation.control(message, free_runspaces=free)
        except ProtocolError as failure:
            raise soap.malformed(str(failure)) from failure

    def _post(self, replies: list[Sent]) -> None:
        for reply in replies:
            self.outbox.put(reply.fragments)

    def _take(self, message: Message) -> None:
        kind = message.type
        if kind in {MessageType.RUNSPACEPOOL_HOST_RESPONSE, MessageType.PIPELINE_HOST_RESPONSE}:
            return  # we never call the client's host, so there is nothing to answer
        if kind == MessageType.CREATE_PIPELINE:
            self._create(message)
        elif kind == MessageType.GET_COMMAND_METADATA:
            self._of(message).fail(records.not_supported("GET_COMMAND_METADATA"))
        elif kind == MessageType.PIPELINE_INPUT:
            self._of(message).inputs.append(self._input(message))
        elif kind == MessageType.END_OF_PIPELINE_INPUT:
            self._enqueue(self._of(message))
        else:
            self._post(self._control(message))
            self._advance()  # the pool may have become wider

    def _of(self, message: Message) -> Pipeline:
        return self.pipeline(str(message.pipeline_id))

    def _create(self, message: Message) -> None:
        pipeline = self._of(message)
        try:
            pipeline.request = read_pipeline(message.clixml, self._conversation.decrypt)
        except UnreadableValue as failure:
            del self.pipelines[pipeline.command_id]
            raise soap.malformed(str(failure)) from failure
        if pipeline.request.no_input:
            self._enqueue(pipeline)

    def _input(self, message: Message) -> object:
        try:
            return read_value(message.clixml, self._conversation.decrypt)
        except UnreadableValue as failure:
            raise soap.malformed(str(failure)) from failure

    def _enqueue(self, pipeline: Pipeline) -> None:
        if pipeline.stage is Stage.ANNOUNCED and pipeline.request is not None:
            pipeline.stage = Stage.QUEUED
            self._queue.append(pipeline)
            self._advance()

    def _advance(self) -> None:
        while self._queue and len(self._running) < self._conversation.max_runspaces:
            pipeline = self._queue.popleft()
            self._running.add(pipeline)
            self._around.pipeline_started(self.context.user)
            first_use = self._around.traits.progress_noise and not self._used
            self._used = True
            pipeline.start(self._around.engine, self.context, self._ended, first_use=first_use)

    def _ended(self, pipeline: Pipeline) -> None:
        self._running.discard(pipeline)
        self._advance()


class ShellTable:
    """The shells of one host."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._shells: dict[str, Shell] = {}

    def __iter__(self) -> Iterator[Shell]:
        return iter(list(self._shells.values()))

    def __len__(self) -> int:
        return len(self._shells)

    def create(self, shell_id: str, context: SessionContext) -> Shell:
        """A new shell.

        Raises:
            WsmanFault: too many of this user, or the id is taken.
        """
        self._expire()
        limit = self._around.traits.shells_per_user
        if sum(1 for shell in self if shell.context.user == context.user) >= limit:
            raise soap.too_many_shells(limit)
        if shell_id.upper() in self._shells:
            raise soap.malformed(f"The shell {shell_id} exists already.")
        shell = Shell(shell_id, context, self._around)
        self._shells[shell_id.upper()] = shell
        return shell

    def find(self, shell_id: str, user: str) -> Shell:
        """A user's shell.

        Raises:
            WsmanFault: it is gone, another's, or was never there.
        """
        self._expire()
        shell = self._shells.get(shell_id.upper())
        if shell is None or shell.context.user != user:
            raise soap.unknown_shell()
        return shell

    def touch(self, shell: Shell) -> None:
        """A shell is in use."""
        shell.last_used_s = self._around.clock.elapsed_s()

    def drop(self, shell: Shell) -> None:
        """A shell is deleted."""
        self._shells.pop(shell.shell_id.upper(), None)
        shell.close()

    def drop_all(self) -> None:
        """All shells are lost, as when WinRM restarts."""
        for shell in self:
            self.drop(shell)

    def _expire(self) -> None:
        limit = self._around.clock.elapsed_s() - self._around.traits.shell_idle_timeout_s
        for shell in self:
            if shell.last_used_s < limit and not shell.tasks:
                self.drop(shell)
