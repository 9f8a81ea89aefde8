"""A snapshot holds everything that was read, and a redacted one nothing that tells whose it is."""

from __future__ import annotations

import json
import random
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from console.checks.catalogue import Facts, run_checks
from console.checks.registry import Ruling, SitePolicy
from console.cli import run
from console.commands.planned import plan_offline
from console.documents import plan_document
from console.forecast.forecaster import PriorForecaster
from console.forecast.priors import workload_of
from console.guard import Lines
from console.model.cluster import Cluster, Host, NodeFlags, NodeState, VirtualMachine, VmState
from console.model.details import Disk, VmDetails
from console.model.identity import HostName, RoleName, VmId, VmRef
from console.planner.schedule import SharedLink
from console.planner.values import PlanOptions, SiteLimits, SlotReading
from console.planning import make_plan
from console.snapshot import SnapshotUnreadable, parse_snapshot, read_snapshot, schema, snapshot_of
from tests.builders import make_cluster, make_host, make_vm

HOSTILE = "[/b] \x1b[2J \u202eexe.\U0001f600 " + "x" * 200


def telltale() -> Cluster:
    """A cluster in which every name holds the word ``acme``."""
    details = VmDetails(
        disks=(Disk("C:\\ClusterStorage\\acme-volume\\acme-sql\\acme disk.vhdx", False),),
        missing=(("switches", "acme said no"),),
        configuration_path="C:\\ClusterStorage\\acme-volume\\acme-sql",
    )
    ref = VmRef(VmId("11111111-2222-3333-4444-555555555555"), "acme-sql", RoleName("acme-role"))
    vm = make_vm("acme-sql", "acme-hv1", ref=ref, details=details, anti_affinity=("acme-class",), status="acme ok")
    hosts = (
        make_host("acme-hv1", fault_domain="acme-rack", problems=("acme is down",), switches=("acme-switch",)),
        make_host("acme-hv2", flags=NodeFlags.ISOLATED | NodeFlags.AVOID_PLACEMENT, state=NodeState.PAUSED),
    )
    owners = frozenset({HostName("acme-hv1"), HostName("acme-hv2")})
    return make_cluster(hosts, vms=(replace(vm, possible_owners=owners),), name="acme-prod", problems=("acme!",))


def as_text(cluster: Cluster, *, redact: bool = False) -> str:
    return json.dumps(snapshot_of(cluster, redact=redact))


@pytest.mark.parametrize("cluster", [make_cluster(), telltale(), make_cluster(0, 0), make_cluster(12, 20, seed=7)])
def test_a_cluster_comes_back_as_it_was(cluster: Cluster) -> None:
    assert parse_snapshot(as_text(cluster), "x").cluster == cluster


def test_unknown_stays_unknown_and_is_written_as_null() -> None:
    silent = Host(HostName("HV01"), contact=make_host("x").contact, read_at=None)
    document = snapshot_of(make_cluster((silent,), vms=()))
    assert document["hosts"][0]["memory_bytes"] is None
    assert parse_snapshot(json.dumps(document), "x").cluster.hosts == (silent,)


def test_hostile_names_survive() -> None:
    cluster = make_cluster(1, vms=(make_vm(HOSTILE, "HV01"), make_vm("", "HV01")))
    assert parse_snapshot(as_text(cluster), "x").cluster == cluster


def test_a_redacted_snapshot_holds_none_of_the_old_names() -> None:
    text = as_text(telltale(), redact=True)
    assert "acme" not in text
    assert "11111111-2222" not in text


def test_redaction_keeps_what_a_plan_depends_on() -> None:
    original = replace(telltale(), vms=(*telltale().vms, make_vm("acme-a", "acme-hv2", state=VmState.OFF)))
    shown = parse_snapshot(as_text(original, redact=True), "x").cluster
    assert [facts(vm) for vm in shown.vms] == [facts(vm) for vm in original.vms]
    assert [len(shown.vms_on(host.name)) for host in shown.hosts] == [1, 1]
    assert shown.vms[0].possible_owners == frozenset(host.name for host in shown.hosts)
    assert [host.name for host in shown.hosts] == sorted(host.name for host in shown.hosts)
    details = shown.vms[0].details
    assert details is not None
    assert details.disks is not None
    assert details.disks[0].path.startswith(f"{details.configuration_path}\\")
    assert details.disks[0].path.startswith("C:\\ClusterStorage\\")
    assert details.disks[0].path.endswith(".vhdx")


def facts(vm: VirtualMachine) -> tuple[object, ...]:
    return (vm.memory_bytes, vm.state, vm.clustered, vm.priority, vm.version, workload_of(vm))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("no json", "not a snapshot"),
        ("[]", "not a snapshot"),
        ("{}", "not a snapshot"),
        ('{"schema": 2}', "schema 2"),
        ('{"schema": 1, "made_by": "x", "is_redacted": false, "cluster": {"name": "c"}}', "cluster: must be a text"),
    ],
)
def test_what_is_no_snapshot_is_refused_with_the_reason(text: str, word: str) -> None:
    with pytest.raises(SnapshotUnreadable, match=word):
        parse_snapshot(text, "x.json")


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SnapshotUnreadable, match=r"absent\.json"):
        read_snapshot(tmp_path / "absent.json")


def test_the_schema_says_the_units() -> None:
    text = json.dumps(schema())
    assert "memory_free_bytes" in text
    assert "link_bytes_per_s" in text


# the planning instance

HV01 = HostName("HV01")
DOCS = Path(__file__).parents[2] / "docs"


def least(**changes: object) -> dict[str, object]:
    """The smallest file that can be planned on."""
    host = {"memory_bytes": 64 * 2**30, "memory_free_bytes": 32 * 2**30, "link_out_bytes_per_s": 1.25e9,
            "link_in_bytes_per_s": 1.25e9, "slots": 2}  # fmt: skip
    document: dict[str, object] = {
        "schema": 1,
        "cluster": "C",
        "read_at": "2026-01-01T02:00:00+00:00",
        "hosts": [{"name": "A", **host}, {"name": "B", **host}, {"name": "C", **host}],
        "vms": [{"name": f"v{number}", "host": "A", "memory_bytes": 2**30} for number in range(4)],
    }
    return document | changes


def written(tmp_path: Path, document: object) -> str:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return str(path)


def test_a_file_by_hand_is_planned_within_its_links_and_slots(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["plan", "A", "--from", written(tmp_path, least()), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["moves"]) == 4
    assert found["slots"] == 2
    assert all(0 < move["rate_bytes_per_s"] <= 1.25e9 for move in found["moves"])
    assert 1.0 <= found["ratio"] <= 1.2


def test_several_nodes_are_planned_as_one_and_none_takes_the_vms_of_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vms = [{"name": f"v{number}", "host": "AB"[number % 2], "memory_bytes": 2**30} for number in range(6)]
    file = written(tmp_path, least(vms=vms))
    assert run(["plan", "A", "b", "--from", file, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["node"], found["nodes"]) == ("A", ["A", "B"])
    assert sorted(move["vm"] for move in found["moves"]) == [f"v{number}" for number in range(6)]
    assert {move["destination"] for move in found["moves"]} == {"C"}
    assert run(["plan", "A", "D", "--from", file]) == 2
    assert "has no host 'D'" in capsys.readouterr().err
    assert run(["plan", "A", "B", "C", "--from", file]) == 3


def test_the_plan_from_a_snapshot_is_the_one_on_the_live_cluster() -> None:
    cluster = make_cluster(6, 12, seed=4)
    options = PlanOptions(
        slots=3,
        avoided=frozenset({HostName("HV03")}),
        limits=SiteLimits(
            reading=SlotReading.PAIR, per_destination=2, cluster_wide=5, slots_of={HostName("HV02"): 1},
            links=(SharedLink("between sites", 6e8, frozenset({HV01, HostName("HV02")})),),
            in_bytes_per_s={HostName("HV04"): 4e8},
        ),
        guard=Lines(host_cpu_fraction=0.5, calm_s=30.0),
    )  # fmt: skip
    policy = SitePolicy({"vm-heavy": (Ruling.SILENCE, "known")})
    live = make_plan(cluster, HV01, options, PriorForecaster(), run_checks(Facts(cluster, HV01), policy))
    text = json.dumps(snapshot_of(cluster, options=options, policy=policy))
    offline, _ = plan_offline(parse_snapshot(text, "x"), HV01, PlanOptions())
    assert plan_document(offline) == plan_document(live)
    assert offline.holds == live.holds != ()


def test_a_redacted_file_keeps_links_limits_and_fixed_destinations_under_the_new_names() -> None:
    cluster = telltale()
    site = frozenset({HostName("acme-hv1")})
    options = PlanOptions(
        pinned={cluster.vms[0].id: HostName("acme-hv2")},
        limits=SiteLimits(links=(SharedLink("acme line", 1e9, site),), slots_of={HostName("acme-hv1"): 3}),
    )
    text = json.dumps(snapshot_of(cluster, redact=True, options=options))
    assert "acme" not in text
    read = parse_snapshot(text, "x")
    first, second = (host.name for host in read.cluster.hosts)
    assert read.options.limits.links[0].members == {first}
    assert read.options.limits.slots_of == {first: 3}
    assert dict(read.options.pinned) == {read.cluster.vms[0].id: second}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"vms": [{"name": "v", "host": "Z"}]}, "vms.0.host: there is no host 'Z'"),
        ({"vms": [{"name": "v", "host": "A", "destination": "BB"}]}, "vms.0.destination: there is no host 'BB'"),
        ({"vms": [{"name": "v", "host": "A"}] * 2}, "vms.0.id: .* is there 2 times"),
        ({"vms": [{"name": "v", "host": "A", "memory_bytes": -1}]}, "vms.0.memory_bytes: must not be negative"),
        ({"vms": [{"name": "v", "host": "A", "state": "Runing"}]}, "vms.0.state: must be one of .*Running"),
        ({"hosts": [{"name": "A", "memory_bytes": 0}]}, "hosts.0.memory_bytes: must be above 0"),
        ({"hosts": [{"name": "A", "cpu_fraction": float("nan")}]}, "hosts.0.cpu_fraction: must be a finite number"),
        ({"hosts": [{"name": "A", "link_in_bytes_per_s": 0}]}, "hosts.0.link_in_bytes_per_s: must be above 0"),
        ({"hosts": [{"name": "A", "memory_bytes": 1, "memory_free_bytes": 2}]}, "memory_free_bytes: 2 is more than"),
        ({"hosts": [{"name": "A"}, {"name": "A"}]}, "hosts.0.name: 'A' is there 2 times"),
        ({"shared_links": [{"name": "l", "capacity_bytes_per_s": 0, "members": ["A"]}]}, "shared_links.0.capacity"),
        ({"shared_links": [{"name": "l", "capacity_bytes_per_s": 1, "members": ["Q"]}]}, "shared_links.0.members"),
        ({"planning": {"memory_reserve_fraction": 1}}, "planning.memory_reserve_fraction: must be below 1"),
        ({"hosts": 3}, "hosts: must be a list"),
        ({"read_at": "yesterday"}, "read_at: must be a time"),
        ({"read_at": "2026-01-01T02:00:00"}, "read_at: needs an offset"),
    ],
)
def test_what_does_not_fit_is_a_sentence_that_names_the_field(
    change: dict[str, object], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["plan", "A", "--from", written(tmp_path, least(**change))]) == 2
    error = capsys.readouterr().err
    assert re.search(words, error)
    assert "Traceback" not in error


def test_a_vm_larger_than_any_host_and_rules_in_a_circle_are_infeasible(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = [
        {"name": "one", "kind": 2, "enabled": True, "groups": ["v0", "v1"]},
        {"name": "two", "kind": 2, "enabled": True, "groups": ["v1", "v2"]},
        {"name": "apart", "kind": 4, "enabled": True, "groups": ["v2", "v0"]},
    ]
    vms = [{"name": f"v{number}", "host": "A", "memory_bytes": 2**30} for number in range(3)]
    giant = {"name": "giant", "host": "A", "memory_bytes": 2**50}
    path = written(tmp_path, least(rules=rules, vms=[*vms, giant]))
    assert run(["plan", "A", "--from", path, "--json"]) == 3
    found = {each["vm"]: each for each in json.loads(capsys.readouterr().out)["infeasible"]}
    assert found["giant"]["rules"] == ["memory"]
    assert found["v0"]["rules"] == ["affinity rule two", "affinity rule one", "affinity rule apart"]
    assert "can not all hold" in found["v0"]["reason"]


def test_fields_that_mean_nothing_are_told_and_ignored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", "A", "--from", written(tmp_path, least(colour="red")), "--json"]) == 0
    assert "colour: not a field of this schema" in capsys.readouterr().err


def test_stated_dirtying_and_class_lengthen_the_forecast() -> None:
    def duration(**facts: object) -> float:
        vm = {"name": "v", "host": "A", "memory_bytes": 8 * 2**30, **facts}
        found, _ = plan_offline(parse_snapshot(json.dumps(least(vms=[vm])), "x"), HostName("A"), PlanOptions())
        return found.makespan_s

    assert duration(dirty_bytes_per_s=4e8) > duration(dirty_bytes_per_s=1e6)
    assert duration(**{"class": "database"}) > duration(**{"class": "idle"})


def test_a_roll_from_a_file_moves_each_vm_little_more_than_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, snapshot_of(make_cluster(8, 10, seed=2)))
    assert run(["roll", "--all", "--from", path, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert sorted(name for wave in found["order"] for name in wave) == [f"HV0{number}" for number in range(1, 9)]
    assert found["lower_bound_moves"] <= found["moves_per_vm"] <= 1.15
    fewest, *between, shortest, failback = found["choices"]
    assert fewest["moves_per_vm"] == found["moves_per_vm"] < shortest["moves_per_vm"] < failback["moves_per_vm"] == 2.0
    assert fewest["window_s"] > between[0]["window_s"] > shortest["window_s"]


def test_roll_wants_nodes_or_all(tmp_path: Path) -> None:
    path = written(tmp_path, least())
    assert run(["roll", "--from", path]) == 2
    assert run(["roll", "A", "--all", "--from", path]) == 2
    assert run(["roll", "Z", "--from", path]) == 2


def test_the_published_schema_and_example_are_those_of_the_code() -> None:
    published = json.loads((DOCS / "snapshot.schema.json").read_text(encoding="utf-8"))
    assert published == schema(), "drainboard snapshot --schema --output docs/snapshot.schema.json"
    page = (DOCS / "snapshot.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    read = parse_snapshot(example, "the example")
    assert read.notes == ()
    found, _ = plan_offline(read, HostName("A1"), PlanOptions())
    assert not found.infeasible
    assert found.moves


def test_absurd_numbers_are_refused_or_planned_with_but_never_waited_for() -> None:
    with pytest.raises(SnapshotUnreadable, match=r"hosts\.0\.memory_bytes: is out of range"):
        parse_snapshot(json.dumps(least(hosts=[{"name": "A", "memory_bytes": 10**30}])), "x")
    many = least(planning={"slots": 2**62})
    hosts = many["hosts"]
    assert isinstance(hosts, list)
    many["hosts"] = [{**host, "slots": 2**62} for host in hosts]
    found, _ = plan_offline(parse_snapshot(json.dumps(many), "x"), HostName("A"), PlanOptions())
    assert len(found.moves) == 4


def test_whatever_is_damaged_in_a_file_is_a_sentence_or_a_plan() -> None:
    chance = random.Random(7)
    whole = json.dumps(least(rules=[{"name": "r", "kind": 4, "enabled": True, "groups": ["v0", "v1"]}]))
    values = (None, 0, -1, 1e308, float("nan"), "", "x", [], {}, True, 2**80, [None], "A")
    refused = 0
    for _ in range(150):
        document = json.loads(whole)
        *way, last = chance.choice(places(document))
        holder = document
        for step in way:
            holder = holder[step]
        holder[last] = chance.choice(values)
        try:
            instance = parse_snapshot(json.dumps(document), "x")
        except SnapshotUnreadable:
            refused += 1
            continue
        for host in instance.cluster.hosts[:1]:
            plan_offline(instance, host.name, PlanOptions())
    assert 20 < refused < 150


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [at] if at else []
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        found += places(item, (*at, key))
    return found
