"""How a command ends: the exit codes, and the error that carries one."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    DONE = 0
    SOME_FAILED = 1
    USAGE = 2
    """Configuration or usage; nothing was sent."""
    BLOCKED = 3
    """Blocked or infeasible, or VMs would be left behind without consent."""
    STOPPED = 4
    """Stopped by the operator; what was in flight finished."""
    DETACHED = 5
    """Left while moves go on."""
    HELD_BY_ANOTHER = 6
    """Another operator holds the node."""
    NO_CONNECTION = 7
    """Could not connect or sign in."""
    WINDOW_CLOSED = 8
    CONTACT_LOST = 9
    """Contact lost with moves running."""
    INTERRUPTED = 130


class CommandEnded(Exception):
    """A command cannot go on: what to say on stderr, and with which code to end."""

    def __init__(self, code: ExitCode, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class UsageProblem(CommandEnded):
    """What was typed or configured cannot be done; nothing was sent."""

    def __init__(self, text: str) -> None:
        super().__init__(ExitCode.USAGE, text)
