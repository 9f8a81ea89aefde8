"""Random clusters and options for the planner's properties, and what has to hold of every plan of them."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from console.model.cluster import AffinityRule, Cluster, VmState
from console.model.identity import HostName, RoleName
from console.model.units import GIB
from console.planner.places import memory_needed
from console.planner.rules import Positions
from console.planner.schedule import SharedLink
from console.planner.values import OFFLINE_AT_ONCE, HeavyClass, Plan, PlanOptions, SiteLimits, SlotReading
from tests.builders import host_name, make_cluster, make_host, make_settings, make_vm

HOSTS = [host_name(number) for number in range(1, 6)]
NODE = HOSTS[0]


@dataclass(frozen=True)
class Interval:
    """One move as the checks see it."""

    source: HostName
    destination: HostName
    start_s: float
    end_s: float
    rate_bytes_per_s: float = 0.0
    memory_bytes: int = 0
    offline: bool = False


@st.composite
def clusters(draw: st.DrawFn) -> Cluster:
    sizes = draw(st.lists(st.sampled_from([1, 2, 7, 14, 28, 56]), min_size=1, max_size=12))
    vms = []
    for number, size in enumerate(sizes):
        owners = draw(st.sampled_from([None, None, None, frozenset(HOSTS[:3]), frozenset(HOSTS[2:])]))
        classes = draw(st.sampled_from([(), (), ("dc",)]))
        at = draw(st.sampled_from([NODE, NODE, NODE, *HOSTS[1:]]))
        state = draw(st.sampled_from([VmState.RUNNING] * 5 + [VmState.OFF]))
        vms.append(make_vm(f"v{number}", at, size, possible_owners=owners, anti_affinity=classes, state=state))
    free = draw(st.lists(st.integers(0, 120), min_size=len(HOSTS), max_size=len(HOSTS)))
    hosts = [
        make_host(name, memory_bytes=512 * GIB, memory_free_bytes=room * GIB, fault_domain=f"rack {number % 3}")
        for number, (name, room) in enumerate(zip(HOSTS, free, strict=True))
    ]
    roles = [RoleName(vm.name) for vm in vms]
    pairs = draw(st.lists(st.tuples(st.integers(1, 4), st.sampled_from(roles), st.sampled_from(roles)), max_size=3))
    rules = tuple(AffinityRule(f"r{n}", kind, True, (one, other)) for n, (kind, one, other) in enumerate(pairs)
                  if one != other)  # fmt: skip
    settings = make_settings(enforced_anti_affinity=draw(st.booleans()))
    return make_cluster(hosts, vms=vms, affinity_rules=rules, settings=settings)


site_limits = st.builds(
    SiteLimits,
    reading=st.sampled_from(SlotReading),
    slots_of=st.sampled_from([{}, {}, {HOSTS[1]: 1}]),
    per_destination=st.sampled_from([None, 1, 2]),
    per_pair=st.sampled_from([None, 1]),
    cluster_wide=st.sampled_from([None, 1, 3]),
    links=st.sampled_from([(), (SharedLink("between sites", 5e8, frozenset(HOSTS[:2])),)]),
    in_bytes_per_s=st.sampled_from([{}, {HOSTS[2]: 3e8}]),
    out_bytes_per_s=st.sampled_from([{}, {NODE: 1e9}]),
)
plan_options = st.builds(
    PlanOptions,
    slots=st.sampled_from([None, 1, 3]),
    heavy=st.sampled_from(HeavyClass),
    limits=site_limits,
    memory_reserve_fraction=st.sampled_from([0.0, 0.05]),
)


def instants(moves: Iterable[Interval]) -> list[float]:
    moments = sorted({moment for move in moves for moment in (move.start_s, move.end_s)})
    return [(one + other) / 2 for one, other in itertools.pairwise(moments) if other - one > 1e-6]


def intervals(cluster: Cluster, plan: Plan) -> list[Interval]:
    """The plan's moves, those under way included."""
    need = needs(cluster)
    return [
        Interval(move.source, move.destination, move.start_s, move.end_s, move.forecast.rate_bytes_per_s,
                 need[move.vm.id], cluster.vm_by_id[move.vm.id].state is VmState.OFF)
        for move in (*plan.in_flight, *plan.moves)
    ]  # fmt: skip


def check_counts(
    cluster: Cluster,
    options: PlanOptions,
    slots: int,
    moves: Sequence[Interval],
    nodes: Collection[HostName] = (NODE,),
) -> None:
    """No limit on moves at once is exceeded at any instant."""
    site = options.limits
    for at_s in instants(moves):
        every = [move for move in moves if move.start_s <= at_s < move.end_s]
        now = [move for move in every if not move.offline]
        for source in nodes:
            assert sum(move.offline and move.source == source for move in every) <= OFFLINE_AT_ONCE
        for host in HOSTS:
            ends = sum(host in (move.source, move.destination) for move in now)
            assert ends <= min(_slots(cluster, options, slots, host, nodes), site.slots_of.get(host, 99))
            coming = sum(move.destination == host for move in now)
            assert coming <= (site.per_destination or 99)
            pair = min(site.per_pair or 99, 2 if site.reading is SlotReading.PAIR else 99)
            for source in nodes:
                assert sum((move.source, move.destination) == (source, host) for move in now) <= pair
        assert len(now) <= (site.cluster_wide or 99)


def _slots(cluster: Cluster, options: PlanOptions, slots: int, host: HostName, nodes: Collection[HostName]) -> int:
    """What a host may take part in at once, where the plan's own number says it."""
    if host in nodes and len(nodes) == 1:
        return slots
    if options.limits.reading is SlotReading.PAIR and options.slots is None:
        return 99
    return options.slots or cluster.settings.maximum_parallel_migrations or 99


def check_memory(cluster: Cluster, reserve_fraction: float, moves: Sequence[Interval]) -> None:
    """A move holds its memory at both ends; no host is ever asked for more than it has besides its reserve."""
    free = {host.name: float(host.memory_free_bytes or 0) for host in cluster.hosts}
    least = {host.name: min(free[host.name], reserve_fraction * (host.memory_bytes or 0)) for host in cluster.hosts}
    ends = [(move.end_s, 0, move.source, move.memory_bytes) for move in moves]
    starts = [(move.start_s, 1, move.destination, -move.memory_bytes) for move in moves]
    for _, _, host, change in sorted(ends + starts):
        free[host] += change
        assert free[host] >= least[host] - 1 or change > 0


def check_rules(cluster: Cluster, plan: Plan) -> None:
    """Possible owners and every hard rule hold where the VMs go, once all have arrived."""
    positions = Positions(cluster)
    for move in plan.moves:
        vm = cluster.vm_by_id[move.vm.id]
        assert vm.possible_owners is None or move.destination in vm.possible_owners
        positions.place(vm, move.destination)
    for move in plan.moves:
        broken = positions.broken_by(cluster.vm_by_id[move.vm.id], move.destination)
        assert not [each.text for each in broken if each.hard]


def needs(cluster: Cluster) -> dict[str, int]:
    return {vm.id: memory_needed(vm) for vm in cluster.vms}
