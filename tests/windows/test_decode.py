"""Rows into facts: what a healthy answer gives, and that no damaged one raises or invents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.model.cluster import (
    Contact,
    GroupFlags,
    GroupState,
    Host,
    MigrationTransport,
    NodeState,
    VmState,
    VolumeState,
)
from console.model.details import CompatibilityMode, VmDetails
from console.model.identity import HostName, RoleName, VmId
from console.windows.commands import EnumValue, Row, Value
from console.windows.decode import Problems, cluster, details, events, host, progress, vms, volumes
from tests.windows import rows

AT = datetime(2026, 1, 1, 2, 0, tzinfo=UTC)
HOST = Host(HostName("HV01"), Contact.ANSWERING, AT)
KNOWN = {VmId(rows.VM_A): VmDetails(), VmId(rows.VM_B): VmDetails()}
RULES = cluster.MigrationRules()


def _quiet() -> Problems:
    return Problems("HV01")


def _clean(decode: Callable[[Problems], object]) -> None:
    problems = _quiet()
    decode(problems)
    assert problems.sentences() == ()


DECODERS: dict[str, tuple[Sequence[Row], Callable[[Sequence[Row], Problems], object]]] = {
    "settings": (rows.CLUSTER, cluster.settings),
    "nodes": ([rows.node("HV01", 1), rows.node("HV02", 2, state=2)], cluster.nodes),
    "groups": ([rows.group("web01", "HV01"), rows.group("Cluster Group", "HV01", 1)], cluster.groups),
    "groups in flight": (rows.GROUPS_IN_FLIGHT, cluster.groups_in_flight),
    "resources": ([rows.resource("Virtual Machine web01", "HV01", "web01")], cluster.resources),
    "vm parameters": (
        [rows.vm_parameter("Virtual Machine web01", "VmID", rows.VM_A)],
        cluster.vm_parameters,
    ),
    "migration rules": (rows.NETWORK_RULES, cluster.migration_rules),
    "networks": (rows.NETWORKS, lambda found, problems: cluster.networks(found, RULES, problems)),
    "interfaces": (rows.INTERFACES, cluster.interfaces),
    "volumes": (rows.VOLUMES, lambda found, problems: volumes.shared_volumes(found, rows.VOLUME_STATES, problems)),
    "volume states": (
        rows.VOLUME_STATES,
        lambda found, problems: volumes.shared_volumes(rows.VOLUMES, found, problems),
    ),
    "affinity": (rows.AFFINITY, cluster.affinity_rules),
    "owners": (rows.OWNERS, cluster.owners),
    "vm host": (rows.VM_HOST, lambda found, problems: host.with_vm_host(HOST, found, problems)),
    "versions": (rows.VERSIONS, lambda found, problems: host.with_supported_versions(HOST, found, problems)),
    "adapters": (
        rows.ADAPTERS,
        lambda found, problems: host.with_adapters(HOST, found, rows.RDMA, rows.VMQ, problems),
    ),
    "rdma": (rows.RDMA, lambda found, problems: host.with_adapters(HOST, rows.ADAPTERS, found, None, problems)),
    "vmq": (rows.VMQ, lambda found, problems: host.with_adapters(HOST, rows.ADAPTERS, None, found, problems)),
    "switches": (rows.SWITCHES, lambda found, problems: host.with_switches(HOST, found, problems)),
    "os": (rows.OPERATING_SYSTEM, lambda found, problems: host.with_operating_system(HOST, found, problems)),
    "memory": (rows.MEMORY, lambda found, problems: host.with_memory_counters(HOST, found, problems)),
    "processors": (rows.PROCESSORS, lambda found, problems: host.with_processors(HOST, found, problems)),
    "device guard": (rows.DEVICE_GUARD, lambda found, problems: host.with_device_guard(HOST, found, problems)),
    "load": (rows.LOAD, lambda found, problems: host.with_processor_load(HOST, found, problems)),
    "feature": (rows.FEATURE, lambda found, problems: host.with_smb_bandwidth_feature(HOST, found, problems)),
    "vectors": (rows.VECTORS, lambda found, problems: host.with_vectors(HOST, found, problems)),
    "vms": (
        [rows.vm(rows.VM_A, "web01"), rows.vm(rows.VM_B, "", 3, clustered=False)],
        lambda found, problems: vms.virtual_machines(found, HOST.name, AT, problems),
    ),
    "vm settings": (rows.VM_SETTINGS, lambda found, problems: details.with_settings(KNOWN, found, problems)),
    "vm processors": (rows.VM_PROCESSORS, lambda found, problems: details.with_processors(KNOWN, found, problems)),
    "vm disks": (rows.VM_DISKS, lambda found, problems: details.with_disks(KNOWN, found, problems)),
    "vm drives": (rows.VM_DRIVES, lambda found, problems: details.with_optical_drives(KNOWN, found, problems)),
    "vm adapters": (rows.VM_ADAPTERS, lambda found, problems: details.with_adapters(KNOWN, found, problems)),
    "vm checkpoints": (
        rows.VM_CHECKPOINTS,
        lambda found, problems: details.with_checkpoints(KNOWN, found, problems),
    ),
    "vm gpus": (rows.VM_GPUS, lambda found, problems: details.with_gpu_partitions(KNOWN, found, problems)),
    "vm devices": (rows.VM_DEVICES, lambda found, problems: details.with_assigned_devices(KNOWN, found, problems)),
    "vm fibre": (rows.VM_FIBRE, lambda found, problems: details.with_fibre_channel(KNOWN, found, problems)),
    "vm security": (rows.VM_SECURITY, lambda found, problems: details.with_security(KNOWN, found, problems)),
    "vm vectors": (rows.VM_VECTORS, lambda found, problems: details.with_vectors(KNOWN, found, problems)),
    "counters": (rows.COUNTERS, progress.counters),
    "jobs": (rows.JOBS, progress.jobs),
    "volume latencies": (rows.VOLUME_LATENCIES, progress.volume_counters),
    "heartbeats": (rows.HEARTBEATS, progress.heartbeats),
    "stalls": (rows.STALLS, progress.smb_stalls_per_s),
    "events": (rows.EVENTS, events.records),
}


@pytest.mark.parametrize("name", DECODERS)
def test_a_healthy_answer_has_no_problems(name: str) -> None:
    healthy, decode = DECODERS[name]
    _clean(lambda problems: decode(healthy, problems))


wild = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**65), 2**65),
    st.floats(),
    st.text(max_size=200),
    st.sampled_from(["", "[a]*", "\x1b[31m", "\u202eabc", "😀", "_x0041_", "P1Y", "4294967295", rows.VM_B]),
    st.builds(EnumValue, st.integers(-(2**40), 2**40), st.text(max_size=5)),
    st.lists(st.none() | st.integers() | st.text(max_size=3), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@st.composite
def damaged(draw: st.DrawFn, name: str) -> list[Row]:
    """A healthy answer with rows lost or doubled and properties lost, renamed or replaced."""
    healthy, _ = DECODERS[name]
    kept = draw(st.lists(st.sampled_from(list(healthy)), max_size=4))
    found: list[Row] = []
    for row in kept:
        changed: dict[str, Value] = dict(row)
        for property in draw(st.lists(st.sampled_from(sorted(row)), unique=True, max_size=len(row))):
            value = changed.pop(property)
            how = draw(st.sampled_from(["lost", "renamed", "replaced"]))
            if how == "renamed":
                changed[property + "2"] = value
            elif how == "replaced":
                changed[property] = draw(wild)
        found.append(changed)
    return found


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_no_damage_raises(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(DECODERS)))
    problems = _quiet()
    DECODERS[name][1](data.draw(damaged(name)), problems)
    assert all(isinstance(sentence, str) for sentence in problems.sentences())


@pytest.mark.parametrize("name", sorted(set(DECODERS) - {"events", "vm parameters", "migration rules"}))
def test_every_property_that_is_renamed_is_missed_by_name(name: str) -> None:
    """Renaming what a decoder reads must show: silence would hide a Windows version that names it otherwise."""
    healthy, decode = DECODERS[name]
    read: set[str] = set()
    for property in healthy[0]:
        problems = _quiet()
        decode([{key + "X" if key == property else key: value for key, value in healthy[0].items()}], problems)
        if any(property in sentence for sentence in problems.sentences()):
            read.add(property)
    assert read, "the decoder misses nothing"


def test_nodes_settings_and_groups() -> None:
    nodes = cluster.nodes([rows.node("HV01", 1), rows.node("HV02", 2, state=2)], _quiet())
    assert [(node.name, node.state, node.contact) for node in nodes] == [
        ("HV01", NodeState.UP, Contact.NEVER),
        ("HV02", NodeState.PAUSED, Contact.NEVER),
    ]
    assert nodes[0].fault_domain == "Site:Zurich/Rack:R1"
    name, found = cluster.settings(rows.CLUSTER, _quiet())
    assert (name, found.maximum_parallel_migrations, found.smb_bandwidth_limit_factor) == ("PROD", 1, 2500)
    assert (found.enforced_anti_affinity, found.s2d_enabled, found.dynamic_quorum) == (False, True, True)
    group = cluster.groups(
        [rows.group("web01", "HV01", StatusInformation=EnumValue(516, "516"), LockedFromMoving=1)], _quiet()
    )[0]
    assert group.flags == GroupFlags.QUEUED | GroupFlags.LOCKED
    assert (group.owner, group.anti_affinity, group.auto_failback) == ("HV01", ("web",), False)


def test_a_role_in_flight_is_read_from_wmi() -> None:
    (state,) = cluster.groups_in_flight(rows.GROUPS_IN_FLIGHT, _quiet())
    assert state == cluster.RoleState(RoleName("web01"), HostName("HV01"), GroupState.PENDING, GroupFlags.QUEUED)


def test_a_vm_is_found_by_the_parameter_of_its_resource() -> None:
    resource = "Virtual Machine web01"
    found = cluster.vm_parameters(
        [
            rows.vm_parameter(resource, "VmID", rows.VM_A.upper()),
            rows.vm_parameter(resource, "DefaultMoveType", 4294967295),
        ],
        _quiet(),
    )
    assert found == {resource: cluster.VmParameters(VmId(rows.VM_A), 4294967295)}


def test_networks_carry_their_migration_rules() -> None:
    rules = cluster.migration_rules(rows.NETWORK_RULES, _quiet())
    assert rules.move_type_threshold == 2000
    lm, management = cluster.networks(rows.NETWORKS, rules, _quiet())
    assert (lm.subnet, lm.up, lm.migration_excluded, lm.migration_order) == ("10.0.20.0/24", True, False, 0)
    assert (management.up, management.migration_excluded, management.migration_order) == (False, True, 1)


def test_without_rules_it_is_unknown_whether_a_network_is_excluded() -> None:
    assert cluster.networks(rows.NETWORKS, RULES, _quiet())[0].migration_excluded is None


def test_volumes_owners_and_affinity() -> None:
    (volume,) = volumes.shared_volumes(rows.VOLUMES, rows.VOLUME_STATES, _quiet())
    assert (volume.coordinator, volume.states) == ("HV01", ((HostName("HV01"), VolumeState.DIRECT),))
    assert volume.redirected_for == ()
    reason = {"FileSystemRedirectedIOReason": EnumValue(33, "UserRequest, FileSystemReFs")}
    (by_hand,) = volumes.shared_volumes(rows.VOLUMES, [{**rows.VOLUME_STATES[0], **reason}], _quiet())
    assert by_hand.redirected_for == ((HostName("HV01"), 33),)
    assert cluster.owners(rows.OWNERS, _quiet()) == {"Virtual Machine web01": ("HV01", "HV02")}
    (rule,) = cluster.affinity_rules(rows.AFFINITY, _quiet())
    assert (rule.kind, rule.enabled, rule.groups) == (4, True, ("dc1", "dc2"))


def test_units_are_bytes_and_bytes_per_second() -> None:
    found = host.with_operating_system(HOST, rows.OPERATING_SYSTEM, _quiet())
    assert (found.build, found.memory_bytes, found.memory_free_bytes) == (26100, 512 * 2**30, 100 * 2**30)
    adapters = host.with_adapters(found, rows.ADAPTERS, rows.RDMA, rows.VMQ, _quiet()).adapters
    assert adapters is not None
    assert (adapters[0].link_bytes_per_s, adapters[0].up, adapters[0].rdma_operational) == (3.125e9, True, True)
    assert (adapters[0].vmq_enabled, adapters[1].vmq_enabled) == (False, False)
    assert (adapters[1].link_bytes_per_s, adapters[1].up, adapters[1].rdma_enabled) == (None, False, False)


def test_a_failed_rdma_read_leaves_it_unknown() -> None:
    adapters = host.with_adapters(HOST, rows.ADAPTERS, None, None, _quiet()).adapters
    assert adapters is not None
    assert adapters[0].rdma_enabled is None


def test_host_settings() -> None:
    found = host.with_vm_host(HOST, rows.VM_HOST, _quiet())
    assert (found.migration_transport, found.migration_enabled) == (MigrationTransport.SMB, True)
    assert host.with_device_guard(HOST, rows.DEVICE_GUARD, _quiet()).credential_guard is True
    assert host.with_device_guard(HOST, [], _quiet()).credential_guard is None
    assert host.with_processor_load(HOST, rows.LOAD, _quiet()).cpu_fraction == 0.25
    assert host.with_supported_versions(HOST, rows.VERSIONS, _quiet()).supported_vm_versions == ("10.0", "12.0")
    assert host.with_processors(HOST, rows.PROCESSORS, _quiet()).processor_name == "Intel(R) Xeon(R) Gold 6430"
    assert host.with_vectors(HOST, [], _quiet()).compatibility_vectors is None


@pytest.mark.parametrize(
    ("number", "state", "problems"),
    [(2, VmState.RUNNING, 0), (32788, VmState.CRITICAL, 0), (32783, VmState.OTHER, 0), (777, VmState.UNKNOWN, 1)],
)
def test_states_of_a_vm(number: int, state: VmState, problems: int) -> None:
    noted = _quiet()
    (vm,) = vms.virtual_machines([rows.vm(rows.VM_A, "web01", number)], HOST.name, AT, noted)
    assert (vm.state, vm.state_number, len(noted.sentences())) == (state, number, problems)


def test_a_vm_without_an_id_is_left_out_and_named() -> None:
    problems = _quiet()
    assert vms.virtual_machines([{**rows.vm(rows.VM_A, "web01"), "Id": "web01"}], HOST.name, AT, problems) == ()
    assert problems.sentences() == ("HV01: Id is no GUID.",)


def test_details_of_vms() -> None:
    known = details.with_disks(KNOWN, rows.VM_DISKS, _quiet())
    known = details.with_processors(known, rows.VM_PROCESSORS, _quiet())
    known = details.with_security(known, rows.VM_SECURITY, _quiet())
    known = details.with_vectors(known, rows.VM_VECTORS, _quiet())
    one, other = known[VmId(rows.VM_A)], known[VmId(rows.VM_B)]
    assert one.disks is not None
    assert [disk.pass_through for disk in one.disks] == [False, True]
    assert one.processor is not None
    assert one.processor.compatibility_mode is CompatibilityMode.COMMON_CLUSTER_FEATURE_SET
    assert one.security is not None
    assert one.security.tpm_enabled is True
    assert one.vectors is not None
    assert (other.disks, other.processor, other.security, other.vectors) == ((), None, None, None)


def test_a_mode_is_a_name_or_a_number() -> None:
    row: dict[str, Value] = dict(rows.VM_PROCESSORS[0])
    for value, mode in ((EnumValue(0, "x"), 0), (1, 1), ("MinimumFeatureSet", 0), (None, None)):
        row["CompatibilityForMigrationMode"] = value
        processor = details.with_processors(KNOWN, [row], _quiet())[VmId(rows.VM_A)].processor
        assert processor is not None
        assert processor.compatibility_mode == mode


def test_progress_of_a_move() -> None:
    found = progress.of_resource((32774 << 32) | 42)
    assert found is not None
    assert found.percent == 42.0
    assert progress.of_resource(2 << 32) is None
    assert progress.of_resource(None) is None
    counters = progress.counters(rows.COUNTERS, _quiet())["web01"]
    assert (counters.pass_number, counters.dirty_pages, counters.bytes_sent) == (2, 4096, 123456789)
    assert (counters.rate_bytes_per_s, counters.blackout) == (1e6, False)


def test_counters_that_two_migrations_share_are_nobodys() -> None:
    assert progress.counters(rows.COUNTERS * 2, _quiet()) == {}


@pytest.mark.parametrize(
    ("state", "code", "over", "well"),
    [(4, 0, False, False), (7, 0, True, True), (7, 5, True, False), (10, 5, True, False)],
)
def test_a_job_ended_well_only_without_an_error_code(state: int, code: int, over: bool, well: bool) -> None:
    (job,) = progress.jobs([{**rows.JOBS[0], "JobState": state, "ErrorCode": code}], _quiet())
    assert (job.over, job.succeeded) == (over, well)


def test_a_latency_is_the_growth_between_two_readings() -> None:
    before = progress.volume_counters(rows.VOLUME_LATENCIES, _quiet())["Volume1"]
    later = {**rows.VOLUME_LATENCIES[0], "ReadLatency": 12_000_000, "ReadLatency_Base": 1010}
    after = progress.volume_counters([later], _quiet())["Volume1"]
    assert after.read_latency_s(before) == pytest.approx(0.02)
    assert after.write_latency_s(before) is None
    assert before.read_latency_s(after) is None


def test_an_event_tells_its_vm_and_the_blackout() -> None:
    (event,) = events.records(rows.EVENTS, _quiet())
    assert (event.id, event.vm, event.blackout_s) == (20417, VmId(rows.VM_A), 63.1)
    assert event.at == datetime(2026, 1, 1, 2, 0, 0, 500000, UTC)
    assert event.failure_code is None


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ("<VmName>a</VmName><ErrorMessage>%%2147943732</ErrorMessage><ErrorCode>0x80070534</ErrorCode>", 0x80070534),
        ("<Parameter0>80070534</Parameter0>", 0x80070534),
        ("<Parameter2>Live migration failed (0x80071398). 0x0</Parameter2>", 0x80071398),
        ("<Parameter2>Die Livemigration ist fehlgeschlagen.</Parameter2>", None),
    ],
)
def test_a_failure_tells_its_code(values: str, code: int | None) -> None:
    text = rows.LONG_BLACKOUT.replace("20417", "21502")
    head, tail = text.index("<Parameter0>"), text.index("</VmlEventLog>")
    (event,) = events.records([{"Value": text[:head] + values + text[tail:]}], _quiet())
    assert event.failure_code == code


@pytest.mark.parametrize("text", ["", "<a/>", "<Event><System><EventID>x</EventID></System></Event>", "<Event"])
def test_what_is_no_event_is_named(text: str) -> None:
    problems = _quiet()
    assert events.records([{"Value": text}], problems) == ()
    assert problems.sentences() == ("HV01: Value is no event.",)


def test_uplinks_are_those_of_the_only_external_switch() -> None:
    (external,) = rows.SWITCHES
    internal = {**external, "Name": "Internal", "NetAdapterInterfaceDescriptions": None}
    assert host.with_switches(HOST, [external, internal], _quiet()).uplinks == ("Mellanox ConnectX-6",)
    assert host.with_switches(HOST, [external, {**external, "Name": "Other"}], _quiet()).uplinks is None
    assert host.with_switches(HOST, [internal], _quiet()).uplinks is None
