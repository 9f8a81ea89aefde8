"""Everything that one host tells about itself, in a handful of reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from console.clock import Clock
from console.model.cluster import Contact, Host, VirtualMachine
from console.model.failures import Failure
from console.ports import Reader
from console.windows import catalogue, decode
from console.windows.commands import Call, Row
from console.windows.decode import Problems

from .asking import Interview, silence, updated, without_silence

Overlay = Callable[[Host, Sequence[Row], Problems], Host]


@dataclass(frozen=True, slots=True)
class Visit:
    """What one host told; ``vms`` is None when it did not tell which VMs it has."""

    host: Host
    vms: tuple[VirtualMachine, ...] | None


_SETTINGS: tuple[tuple[Call, Overlay], ...] = (
    (catalogue.host.VM_HOST.bind(), decode.host.with_vm_host),
    (catalogue.host.SUPPORTED_VERSIONS.bind(), decode.host.with_supported_versions),
    (catalogue.host.SWITCHES.bind(), decode.host.with_switches),
    (catalogue.host.PROCESSORS.bind(), decode.host.with_processors),
    (catalogue.host.DEVICE_GUARD.bind(), decode.host.with_device_guard),
    (catalogue.host.PROCESSOR_LOAD.bind(), decode.host.with_processor_load),
)
_SLOW: tuple[Call, Overlay] = (
    catalogue.host.SMB_BANDWIDTH_FEATURE.bind(),
    decode.host.with_smb_bandwidth_feature,
)
"""Last: the feature list takes seconds on a real host, and a deadline missed there costs nothing else."""


QUESTIONS = len(("system", "VMs")) + len(_SETTINGS) + len(("adapters", "RDMA", "VMQ")) + len(("slow",))
"""How many reads a visit is made of."""


async def visit(reader: Reader, node: Host, clock: Clock, previous: Host | None) -> Visit:
    """Read one host in full. Never raises a Failure: a host that does not answer keeps what was known of it."""
    interview = Interview(reader, node.name)
    try:
        host = await overlaid(
            interview, node, catalogue.host.OPERATING_SYSTEM.bind(), decode.host.with_operating_system
        )
        read_at = clock.now()
        vms = await _vms(interview, read_at)
        for call, overlay in _SETTINGS:
            host = await overlaid(interview, host, call, overlay)
        host = await _with_adapters(interview, host)
        host = await overlaid(interview, host, *_SLOW)
    except Failure as failure:
        return Visit(silent(node, previous, (silence(failure),)), None)
    return Visit(
        replace(
            host,
            contact=Contact.ANSWERING,
            read_at=read_at,
            problems=(*node.problems, *interview.problems),
            unread=tuple(sorted(interview.unread)),
            denied=tuple(sorted(interview.denied)),
        ),
        vms,
    )


async def glance(reader: Reader, host: Host, clock: Clock) -> Host:
    """Re-read what changes by the minute: memory and load. Never raises a Failure."""
    interview = Interview(reader, host.name)
    try:
        found = await overlaid(interview, host, catalogue.host.MEMORY_COUNTERS.bind(), decode.host.with_memory_counters)
        found = await overlaid(interview, found, catalogue.host.PROCESSOR_LOAD.bind(), decode.host.with_processor_load)
    except Failure as failure:
        return silent(host, host, (silence(failure),))
    return replace(
        found,
        contact=Contact.ANSWERING,
        read_at=clock.now(),
        problems=_merged(without_silence(host.problems), interview.problems),
    )


async def read_vms_of(reader: Reader, host: Host, clock: Clock) -> Visit:
    """Re-read which VMs a host has. Never raises a Failure."""
    interview = Interview(reader, host.name)
    try:
        vms = await _vms(interview, clock.now())
    except Failure as failure:
        return Visit(silent(host, host, (silence(failure),)), None)
    found = replace(
        host,
        contact=Contact.ANSWERING,
        read_at=clock.now(),
        problems=_merged(without_silence(host.problems), interview.problems),
        unread=updated(host.unread, interview.unread, (catalogue.vms.VMS.id,)),
    )
    return Visit(found, vms)


def silent(node: Host, previous: Host | None, problems: tuple[str, ...]) -> Host:
    """A host that does not answer: what the cluster says of it now, over what it last said itself."""
    if previous is None or previous.contact is Contact.NEVER:
        return replace(node, contact=Contact.NEVER, problems=_merged(node.problems, problems))
    return replace(
        previous,
        contact=Contact.SILENT,
        node_id=node.node_id,
        state=node.state,
        drain_status=node.drain_status,
        flags=node.flags,
        fault_domain=node.fault_domain,
        problems=_merged(node.problems, problems),
    )


async def _vms(interview: Interview, read_at: datetime) -> tuple[VirtualMachine, ...] | None:
    return await interview.told(
        catalogue.vms.VMS.bind(),
        lambda rows, problems: decode.vms.virtual_machines(rows, interview.host, read_at, problems),
    )


async def overlaid(interview: Interview, host: Host, call: Call, overlay: Overlay) -> Host:
    """The host with what one read tells laid over it; as it was where that read was refused."""
    return await interview.told(call, lambda rows, problems: overlay(host, rows, problems)) or host


async def _with_adapters(interview: Interview, host: Host) -> Host:
    of_rdma, of_vmq = catalogue.host.ADAPTERS_RDMA.bind(), catalogue.host.ADAPTERS_VMQ.bind()
    rdma, vmq = await interview.rows(of_rdma), await interview.rows(of_vmq)
    about_rdma, about_vmq = (Problems(f"{interview.host}, {call.entry}") for call in (of_rdma, of_vmq))
    found = await overlaid(
        interview,
        host,
        catalogue.host.ADAPTERS.bind(),
        lambda known, rows, problems: decode.host.with_adapters(
            known, rows, rdma, vmq, problems, of_rdma=about_rdma, of_vmq=about_vmq
        ),
    )
    interview.heard(of_rdma, about_rdma)
    interview.heard(of_vmq, about_vmq)
    return found


def _merged(known: tuple[str, ...], found: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*known, *found)))
