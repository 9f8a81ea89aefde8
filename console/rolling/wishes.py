"""What is wanted of a rolling run besides its plan: said by a command or chosen on screen, and kept in the journal."""

from __future__ import annotations

from dataclasses import dataclass, field

from console.model.identity import VmId
from console.operations import Consents

HOOK_TIMEOUT_S = 3600.0


@dataclass(frozen=True, slots=True)
class RollWishes:
    """What is done at each node, and what was agreed to for all of them."""

    consents: Consents = field(default_factory=Consents)
    approve: bool = False
    hook: tuple[str, ...] = ()
    hook_timeout_s: float = HOOK_TIMEOUT_S
    excluded: tuple[VmId, ...] = ()
    continues: str = ""
