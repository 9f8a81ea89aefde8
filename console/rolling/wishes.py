"""What is wanted of a rolling run besides its plan: said by a command or chosen on screen, and kept in the journal."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from console.consents import Consents
from console.formatting import plain
from console.model.identity import VmId

from .defaults import HOOK_TIMEOUT_S


@dataclass(frozen=True, slots=True)
class RollWishes:
    """What is done at each node, and what was agreed to for all of them."""

    consents: Consents = field(default_factory=Consents)
    approve: bool = False
    hook: tuple[str, ...] = ()
    hook_timeout_s: float = HOOK_TIMEOUT_S
    excluded: tuple[VmId, ...] = ()
    continues: str = ""


def program_of(typed: str) -> tuple[str, ...]:
    """The hook as a program, found now, and its arguments; nothing for a blank.

    Raises:
        ValueError: no such program, or quotes that do not close; with a sentence.
    """
    try:
        words = shlex.split(typed, posix=sys.platform != "win32")
    except ValueError as error:
        raise ValueError(f"{plain(typed)}: {error}.") from None
    if not words:
        return ()
    found = shutil.which(words[0])
    if found is None:
        raise ValueError(f"there is no program {plain(words[0])!r} on this machine that can be run.")
    return (str(Path(found).absolute()), *words[1:])


def typed_of(program: Sequence[str]) -> str:
    """A hook as it would be typed."""
    return shlex.join(program) if sys.platform != "win32" else " ".join(program)


def written(settings: Mapping[str, int] | Iterable[tuple[str, int]]) -> str:
    """Settings as they would be typed: ``AutoBalancerMode=0``."""
    return " ".join(f"{name}={value}" for name, value in dict(settings).items())
