"""What is believed of a site before anything was measured on it; every figure gives way to evidence.

Rates and overheads are those measured on other platforms and published for older Hyper-V versions, named at each
figure; none of them is a promise about this cluster. The p90 factors are wide for that reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum

from console.model.cluster import VirtualMachine, VmState

from .model import PowerLaw


class Workload(Enum):
    """What a VM most likely does, as far as its facts tell; decides how much memory it dirties."""

    IDLE = "idle"
    WEB = "web"
    FILE = "file"
    DATABASE = "database"
    GENERAL = "general"


@dataclass(frozen=True, slots=True)
class TransportPriors:
    """What one transport makes of a link. Rates are bytes of guest memory per second."""

    line_share: float
    """Of the line, usable by all moves together."""
    stream_ceiling_bytes_per_s: float
    """What one VM reaches on the wire however fast the link is."""
    compression_ratio: float = 1.0
    """Guest memory per byte on the wire."""
    handover_s: float = 0.8


@dataclass(frozen=True, slots=True)
class Priors:
    """The starting point of every forecast."""

    tcp: TransportPriors = TransportPriors(0.95, 425e6)
    """3.4 Gbit/s a stream measured on KVM, 339 MB/s published for Hyper-V 2012; ten streams fill 10 GbE."""
    compression: TransportPriors = TransportPriors(0.95, 425e6, compression_ratio=2.0)
    """Microsoft's own figure for active SQL is about 2; idle guests reach 4."""
    smb: TransportPriors = TransportPriors(0.95, 1.7e9)
    """Without RDMA: SMB Multichannel spreads one move over several connections (prior: four)."""
    smb_direct: TransportPriors = TransportPriors(0.92, 12.5e9, handover_s=0.4)
    """RDMA moves 0.90–0.95 of the line; one VM fills 25 GbE."""
    encrypted_share: float = 0.96
    """Encryption of SMB costs a few per cent of the line."""
    idle_compression: float = 2.0
    """How many times better than others an idle guest compresses: 4 where active ones reach 2."""
    plateau_bytes_per_s: float = 125e6
    """About 1 Gbit/s: where a fast adapter without VMQ stays, and a move whose ends differ in jumbo frames."""
    compressor_bytes_per_s_per_processor: float = 60e6
    """Guest memory compressed per second by one idle logical processor (prior): what holds a rate back."""
    compressed_bytes_per_processor_s: float = 40e6
    """Guest memory compressed in a second of one logical processor: what compressing asks for (prior). XPRESS is
    lighter than the deflate of the figure below, but two threads share a core."""
    compressed_at_least_bytes: float = 34e6
    """The same at the worst: what QEMU documents of eight threads with deflate at its fastest, the link nearly full."""
    expander_share: float = 0.25
    """Of what compressing takes, for expanding at the other end: QEMU documents four times the speed."""
    compressor_bytes_per_s: float = 500e6
    """Where processors are not known: eight of them."""
    base_bytes: float = 30e6
    """What a guest's kernel fills beside the memory that is known to be filled."""
    zero_s_per_byte: float = 1.0 / 8e9
    """Looking at memory that is zero and need not be sent."""
    unknown_link_bytes_per_s: float = 1.25e9
    """10 GbE, where no adapter's speed could be read."""
    overhead_before_s: float = 3.0
    overhead_after_s: float = 2.0
    """3–9 s a move altogether, measured on three platforms by their managers: until these see that it is over."""
    seen_after_s: float = 0.2
    """How much later than the host that writes it down a run that glances at what is about to arrive sees it."""
    offline_s: float = 4.0
    """Moving the ownership of a VM without memory."""
    failed_network_s: float = 20.0
    """Per network candidate that fails first, before build 26100 (Windows Server 2025)."""
    stop_s: float = 0.5
    """Copying ends when what is left takes this long to send: gives the usual 1–2 s of blackout."""
    pass_cap: int = 10
    duration_p90_factor: float = 1.6
    blackout_p90_factor: float = 2.0
    dirtying: dict[Workload, PowerLaw] = field(
        default_factory=lambda: {
            Workload.IDLE: PowerLaw(4e6, 0.45),
            Workload.WEB: PowerLaw(30e6, 0.5),
            Workload.FILE: PowerLaw(60e6, 0.55),
            Workload.DATABASE: PowerLaw(150e6, 0.6),
            Workload.GENERAL: PowerLaw(25e6, 0.5),
        }
    )
    """Distinct bytes of the first second and the exponent; exponents measured between 0.1 and 0.7."""

    def after_copying_s(self, overhead_s: float) -> float:
        """Of the seconds of a move in which nothing is copied, those at its end."""
        last_s = self.overhead_after_s + self.tcp.handover_s
        return min(last_s, overhead_s * last_s / (last_s + self.overhead_before_s))


_NAME_HINTS = (
    (Workload.DATABASE, re.compile(r"sql|(?<![a-z])db|db(?![a-z])|oracle|(?<![a-z])ora(?![a-z])|postgres|mongo|exch")),
    (Workload.WEB, re.compile(r"web|(?<![a-z])iis|www|nginx|apache|(?<![a-z])app")),
    (Workload.FILE, re.compile(r"file|(?<![a-z])fs(?![a-z])|share|backup|nas(?![a-z])")),
)

_IDLE_CPU_PERCENT = 2


def workload_of(vm: VirtualMachine) -> Workload:
    """What the VM most likely does: the name's hint first, then whether its processors idle.

    Nothing that Windows tells before a move says how fast memory is dirtied, so this is a guess to start from.
    """
    name = vm.name.lower()
    for workload, pattern in _NAME_HINTS:
        if pattern.search(name):
            return workload
    if vm.state is VmState.PAUSED or (vm.cpu_percent is not None and vm.cpu_percent <= _IDLE_CPU_PERCENT):
        return Workload.IDLE
    return Workload.GENERAL
