"""What a session needs of a remote end: the seam between our rules and pypsrp, and where tests put a fake."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from console.windows.commands import Answer, Cmdlet, Script


@dataclass(frozen=True, slots=True)
class Ended:
    """A pipeline that is over."""

    answer: Answer
    failed: bool = False
    """Its last error ended it."""
    completed: bool = True


class RemotePipeline(Protocol):
    """One pipeline. Each method may raise whatever the libraries below raise; limits are seconds."""

    def begin(self, limit_s: float) -> None:
        """Send it, once."""

    def poll(self, limit_s: float) -> bool:
        """Take what is there, waiting a moment for it; True when it is over."""

    def ended(self) -> Ended:
        """What came of it, once it is over."""

    def close(self, limit_s: float) -> None:
        """Stop it when it is not over, and free it on the node: finished ones count against a quota."""


class RemotePool(Protocol):
    """One connection with one remote session in it, for one thread."""

    def open(self, limit_s: float) -> None:
        """Connect, sign in, open the session."""

    def prepare(self, pipeline: tuple[Cmdlet | Script, ...]) -> RemotePipeline:
        """Prepare a pipeline; nothing is sent yet."""

    def probe(self, limit_s: float) -> bool:
        """Whether the session is there and ours; a harmless question."""

    def reset_connection(self) -> None:
        """After a lost connection: make the next request connect and sign in anew, into the same session."""

    def close(self, limit_s: float) -> None:
        """End the session and the connection."""
