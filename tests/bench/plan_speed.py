"""How long planning takes in a large cluster: one node, what would help it, all nodes in turn, many migrations.

    python -m tests.bench.plan_speed

64 hosts of 3 TiB with 125 VMs each, sizes 4 to 32 GiB at random; findings are computed before. Best of five, wall
time and processor time, one thread. Rolling: all hosts, and how many moves a VM at 8 hosts without a spare.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from console.checks.catalogue import Facts, run_checks
from console.forecast.forecaster import PriorForecaster
from console.guard import Lines
from console.model.identity import HostName
from console.planner.improve import best_schedule
from console.planner.roll import RollOptions, plan_roll
from console.planner.schedule import Job, Limits
from console.planner.values import PlanOptions, SiteLimits, SlotReading
from console.planning import make_plan, make_roll, what_would_help
from tests.builders import make_cluster

RUNS = 5


def timed(name: str, work: Callable[[], str], target_s: float) -> None:
    best_wall_s = best_cpu_s = float("inf")
    told = ""
    for _ in range(RUNS):
        wall, cpu = time.perf_counter(), time.process_time()
        told = work()
        best_wall_s = min(best_wall_s, time.perf_counter() - wall)
        best_cpu_s = min(best_cpu_s, time.process_time() - cpu)
    print(f"{name:52} {best_wall_s * 1000:9.1f} {best_cpu_s * 1000:9.1f} {target_s * 1000:9.0f}  {told}", flush=True)


def thousand() -> tuple[list[Job], Limits]:
    chance = random.Random(1)
    hosts = [HostName(f"h{number}") for number in range(16)]
    jobs = []
    for _ in range(1000):
        source, destination = chance.sample(hosts, 2)
        jobs.append(Job(source, destination, 5.0, chance.choice((2, 4, 8, 16)) * 1e9, 0.85e9))
    ports = dict.fromkeys(hosts, 1.25e9)
    return jobs, Limits(dict.fromkeys(hosts, 2), ports, ports)


def main() -> None:
    cluster = make_cluster(64, 125, seed=1, host_memory_gib=3072.0)
    node, forecaster = HostName("HV01"), PriorForecaster()
    findings = run_checks(Facts(cluster, node))
    everywhere = run_checks(Facts(cluster))
    names = [host.name for host in cluster.hosts]
    first = make_plan(cluster, node, PlanOptions(), forecaster, findings)
    jobs, limits = thousand()

    def one_node(options: PlanOptions) -> str:
        plan = make_plan(cluster, node, options, forecaster, findings)
        return f"{len(plan.moves)} moves, ratio {plan.ratio:.4f}, held {len(plan.holds)} times"

    def by_pair() -> str:
        return one_node(PlanOptions(limits=SiteLimits(reading=SlotReading.PAIR)))

    def guarded() -> str:
        return one_node(PlanOptions(guard=Lines()))

    def helps() -> str:
        return f"{len(what_would_help(cluster, first, forecaster, findings))} changes"

    def all_nodes() -> str:
        plan = make_roll(cluster, names, RollOptions(), PriorForecaster(), everywhere)
        return f"{len(plan.waves)} waves, {plan.moves_per_vm:.4f} moves a VM (bound {plan.lower_bound_moves:.4f})"

    def migrations() -> str:
        found = best_schedule(jobs, limits, effort=0)
        return f"ratio {found.ratio:.4f}"

    print(f"{'':52} {'wall ms':>9} {'CPU ms':>9} {'target':>9}")
    timed("one node of 125 VMs, findings at hand", lambda: one_node(PlanOptions()), 0.05)
    timed("the same, slots read per pair", by_pair, 0.05)
    timed("the same with a guard that will hold", guarded, 0.1)
    timed("what would help it", helps, 1.0)
    timed("rolling plan, 64 hosts, 8,000 VMs", all_nodes, 2.0)
    timed("1,000 migrations between 16 hosts", migrations, 1.0)
    for memory_gib in (1024.0, 600.0, 400.0):
        small = make_cluster(8, 20, seed=1, host_memory_gib=memory_gib)
        plan = plan_roll(small, [host.name for host in small.hosts], RollOptions(), PriorForecaster())
        used = 1 - sum(host.memory_free_bytes or 0 for host in small.hosts) / sum(
            host.memory_bytes or 1 for host in small.hosts
        )
        print(f"8 hosts without a spare, {used:.0%} of the memory in use: {plan.moves_per_vm:.4f} moves a VM "
              f"(target 1.15, bound {plan.lower_bound_moves:.4f}), {len(plan.infeasible)} without a place")  # fmt: skip


if __name__ == "__main__":
    main()
