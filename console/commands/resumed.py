"""The planned return: what the node's last drain moved away, back from where it is now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from console.consents import Consents
from console.documents import plan_document
from console.drain.state import Outcome, Purpose, RunState
from console.exits import ExitCode, UsageProblem
from console.model.identity import HostName
from console.runs import Manner

from .drained import require_endpoint, start, when_stuck
from .followed import follow
from .names import find_host
from .output import narrate, print_document
from .reports import report_plan
from .session import with_operations
from .target import Target

if TYPE_CHECKING:
    from console.composition import LiveOperations


def resumed(target: Target, node: str, slots: int | None, *, confirmed: bool, as_json: bool, events: bool) -> int:
    """Plan the return; start and follow it when it was confirmed. Returns the exit code.

    Raises:
        CommandEnded: the node was never drained from here, another run holds it, or no connection.
    """

    async def work(operations: LiveOperations) -> int:
        cluster = await operations.read_cluster()
        host = find_host(cluster, node)
        drained = last_drain(operations.runs().known, host)
        cluster = await operations.read_details(cluster, None)
        plan = operations.plan_return(cluster, drained, slots)
        if not confirmed:
            if as_json:
                print_document(plan_document(plan))
            else:
                report_plan(plan)
                narrate(f"Nothing was sent. To do it: drainboard resume {host} --confirm {host}")
            return int(ExitCode.DONE)
        require_endpoint(operations, cluster, host)
        manner = Manner(when_stuck=when_stuck(operations, None))
        handle = await start(operations, plan, Consents(), Purpose.RETURN, manner)
        return await follow(operations.run_book, handle, as_json=as_json, events=events, may_stop=True)

    return with_operations(target, work, read_only=not confirmed)


def last_drain(runs: Sequence[RunState], node: HostName) -> RunState:
    """The newest drain of a node that is over.

    Raises:
        UsageProblem: the journal holds none.
    """
    for state in runs:
        if state.node == node and state.purpose is Purpose.DRAIN and state.outcome not in (None, Outcome.RETURNED):
            return state
    raise UsageProblem(
        f"The journal holds no drain of {node}, so nobody knows what to bring back. "
        f"Resume it without failback in Failover Cluster Manager or by Resume-ClusterNode -Failback NoFailback."
    )
