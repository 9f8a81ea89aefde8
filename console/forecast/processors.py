"""What a move asks of the processors at both ends, while it copies and after it arrived."""

from __future__ import annotations

from dataclasses import dataclass

from console.model.cluster import Host, MigrationTransport, VirtualMachine

from .forecaster import guest_of
from .priors import Priors
from .transport import transport_of


@dataclass(frozen=True, slots=True)
class Toil:
    """Processor time of one move. Only compression asks for enough to be seen."""

    source_s_per_byte: float = 0.0
    """Seconds of one logical processor of the source for each byte of guest memory."""
    destination_s_per_byte: float = 0.0
    guest_processors: float = 0.0
    """Logical processors that its guest keeps busy wherever it is."""

    def for_each(self, share: float) -> Toil:
        """The same where so much of a byte is counted as one."""
        return Toil(self.source_s_per_byte / share, self.destination_s_per_byte / share, self.guest_processors)


NO_TOIL = Toil()


def toil_of(source: Host, vm: VirtualMachine, priors: Priors) -> Toil:
    """What moving ``vm`` off ``source`` asks of both."""
    guest = (vm.processors or 0) * (vm.cpu_percent or 0.0) / 100.0
    if transport_of(source, guest_of(vm)) is not MigrationTransport.COMPRESSION:
        return Toil(guest_processors=guest)
    compressing = 1.0 / priors.compressed_bytes_per_processor_s
    return Toil(compressing, compressing * priors.expander_share, guest)
