"""The hosts' event logs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

VMMS_ADMIN = "Microsoft-Windows-Hyper-V-VMMS-Admin"
VMMS_OPERATIONAL = "Microsoft-Windows-Hyper-V-VMMS-Operational"
HIGH_AVAILABILITY = "Microsoft-Windows-Hyper-V-High-Availability-Admin"
CLUSTERING = "Microsoft-Windows-FailoverClustering/Operational"
SYSTEM = "System"

_PROVIDERS = {
    VMMS_ADMIN: "Microsoft-Windows-Hyper-V-VMMS",
    VMMS_OPERATIONAL: "Microsoft-Windows-Hyper-V-VMMS",
    HIGH_AVAILABILITY: "Microsoft-Windows-Hyper-V-High-Availability",
    CLUSTERING: "Microsoft-Windows-FailoverClustering",
    SYSTEM: "Microsoft-Windows-FailoverClustering",
}

ERROR, WARNING, INFORMATION = 2, 3, 4


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One record; ``values`` in the order of the provider's own template."""

    record: int
    at_s: float
    host: str
    channel: str
    id: int
    level: int
    message: str
    values: tuple[str, ...]

    @property
    def provider(self) -> str:
        return _PROVIDERS[self.channel]


FIRST_RECORD = 100_000
"""Records of this world's time are counted from here, those of its past from 1."""

Past = Callable[[], Mapping[str, Sequence[LogEvent]]]


class EventLog:
    """Every host's records, oldest first."""

    def __init__(self, first: int = FIRST_RECORD) -> None:
        self._by_host: dict[str, list[LogEvent]] = {}
        self._count = first
        self.past: Past | None = None
        """What the hosts wrote before, when somebody asks."""

    def write(
        self, at_s: float, host: str, channel: str, event: int, level: int, message: str, *values: str
    ) -> LogEvent:
        self._count += 1
        record = LogEvent(self._count, at_s, host, channel, event, level, message, values)
        self._by_host.setdefault(host, []).append(record)
        return record

    def of(self, host: str) -> list[LogEvent]:
        before = () if self.past is None else self.past().get(host, ())
        return [*before, *self._by_host.get(host, ())]
