"""One pipeline: an engine's run, and what it puts out on its way to the client."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from enum import Enum, auto
from uuid import UUID

from console.lab.endpoint import clixml, guard, records
from console.lab.endpoint.create_pipeline import PipelineRequest
from console.lab.endpoint.framing import MessageType
from console.lab.endpoint.outbox import Outbox
from console.lab.endpoint.psrp import Conversation
from console.lab.endpoint.records import PipelineState
from console.lab.engine import Command, HostEngine, PsError, PsValue, SessionContext, TerminatingError

_log = logging.getLogger(__name__)


class Stage(Enum):
    """Where a pipeline is."""

    ANNOUNCED = auto()
    """The command is known, CREATE_PIPELINE is not complete yet, or its input is not."""
    QUEUED = auto()
    RUNNING = auto()
    ENDED = auto()


class Pipeline:
    """A command of a shell. Also the engine's sink: every call may go to the client at once."""

    def __init__(self, command_id: str, conversation: Conversation) -> None:
        self.command_id = command_id
        self.pipeline_id = UUID(command_id)
        self.outbox = Outbox()
        self.stage = Stage.ANNOUNCED
        self.request: PipelineRequest | None = None
        self.inputs: list[object] = []
        self._conversation = conversation
        self._task: asyncio.Task[None] | None = None
        self._first_use = False

    @property
    def task(self) -> asyncio.Task[None] | None:
        """The engine's run, while there is one."""
        return self._task

    def start(
        self, engine: HostEngine, context: SessionContext, ended: Callable[[Pipeline], None], *, first_use: bool
    ) -> None:
        """Let the engine run; ``ended`` is called once, whatever happens."""
        self.stage = Stage.RUNNING
        self._first_use = first_use
        self._task = asyncio.get_running_loop().create_task(self._run(engine, context))

        def settle(task: asyncio.Task[None]) -> None:
            self._task = None
            if task.cancelled():  # also before its first step, which no handler inside the run would see
                self._end(PipelineState.STOPPED, records.stopped())
            ended(self)

        self._task.add_done_callback(settle)

    def stop(self) -> None:
        """The client pressed Ctrl+C; the last word follows when the engine has let go."""
        if self._task is not None:
            self._task.cancel()
        elif self.stage is not Stage.ENDED:
            self._end(PipelineState.STOPPED, records.stopped())

    def fail(self, error: PsError) -> None:
        """End without a run."""
        if self.stage is not Stage.ENDED:
            self._end(PipelineState.FAILED, error)

    def output(self, value: PsValue) -> None:
        self._put(MessageType.PIPELINE_OUTPUT, clixml.write(value))

    def error(self, error: PsError) -> None:
        self._put(MessageType.ERROR_RECORD, records.error_record(error))

    def warning(self, text: str) -> None:
        self._put(MessageType.WARNING_RECORD, records.warning_record(text))

    def progress(self, activity: str, status: str, percent: int) -> None:
        self._put(MessageType.PROGRESS_RECORD, records.progress_record(activity, status, percent))

    async def _run(self, engine: HostEngine, context: SessionContext) -> None:
        if self._first_use:
            self._put(MessageType.PROGRESS_RECORD, records.first_use_progress())
        try:
            for commands in self._statements():
                guard.check(engine, context, commands)
                await engine.run(context, commands, self)
            self._end(PipelineState.COMPLETED)
        except TerminatingError as failure:
            self._end(PipelineState.FAILED, failure.error)
        except Exception as failure:
            # The border to the engine: whatever breaks there, the client hears of it instead of waiting for ever.
            _log.exception("An engine failed")
            self._end(PipelineState.FAILED, records.engine_failed(failure))

    def _statements(self) -> list[tuple[Command, ...]]:
        statements = [] if self.request is None else list(self.request.statements)
        if self.inputs and statements:
            first, *rest = statements[0]
            parameters = {**first.parameters, "InputObject": list(self.inputs)}
            statements[0] = (Command(first.name, parameters, first.positional, first.is_script), *rest)
        return statements

    def _end(self, state: PipelineState, error: PsError | None = None) -> None:
        self._put(MessageType.PIPELINE_STATE, records.pipeline_state(state, error))
        self.stage = Stage.ENDED
        self.outbox.finish()

    def _put(self, kind: MessageType, xml: str) -> None:
        if self.stage is not Stage.ENDED:
            self.outbox.put(self._conversation.frame(kind, xml, self.pipeline_id))
