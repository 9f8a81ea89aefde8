"""A roll from the command line: planned, agreed to, started, or gone on with."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from console.consents import EVERY, Consents
from console.drain.roll_requests import LeaveNode, StopRolling, TryNodeAgain
from console.drain.roll_state import RollState
from console.exits import CommandEnded, ExitCode, UsageProblem
from console.formatting import name
from console.journal.ledger import RollListing, RunListing, named
from console.journal.trouble import JournalUnusable
from console.model.cluster import Cluster
from console.model.identity import HostName, RunId, VmId
from console.planner.roll import RollPlan
from console.rolling.book import RollBook, RollHandle
from console.rolling.defaults import RollDefaults
from console.rolling.needs import needs_of_roll, unmet
from console.rolling.wishes import RollWishes, program_of

from .consents import Agreed
from .drained import with_limit
from .levers import Levers, Way
from .names import find_host
from .output import narrate
from .reports import report_roll_plan
from .roll_followed import follow_roll
from .roll_lab import joined_lab, remember_lab
from .session import read_all, with_operations
from .target import Target

if TYPE_CHECKING:
    from console.composition import LiveOperations


@dataclass(frozen=True, slots=True)
class Asked:
    """What is wanted of the open roll."""

    retry: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    stop: bool = False
    approve: str | None = None
    """``each`` or ``all``; None: each on a terminal, of a new roll all without one."""

    @property
    def any(self) -> bool:
        return bool(self.retry or self.skip or self.stop)


@dataclass(frozen=True, slots=True)
class Work:
    """What is done at each empty node; None: as the configuration has it."""

    hook: str | None = None
    timeout_s: float | None = None

    def program(self, defaults: RollDefaults) -> tuple[str, ...]:
        """The hook as a program and its arguments; empty: none.

        Raises:
            UsageProblem: there is no such program.
        """
        typed, where = (defaults.hook, "hook") if self.hook is None else (self.hook, "--hook")
        try:
            return program_of(typed)
        except ValueError as error:
            raise UsageProblem(f"{where} {error}") from None


@dataclass(frozen=True, slots=True)
class RollRequest:
    """A roll as it was typed; None: as the configuration has it."""

    nodes: tuple[str, ...]
    levers: Levers
    way: Way
    confirm: str | None
    work: Work
    agreed: Agreed
    anew: bool


def continued(target: Target, asked: Asked, *, as_json: bool) -> int:
    """Go on with the open roll; returns its exit code.

    Raises:
        CommandEnded: none is open, a node that it does not know, or no connection.
    """

    target = joined_lab(target)

    async def work(operations: LiveOperations) -> int:
        cluster = await operations.read_cluster()
        book = RollBook(operations.site, operations.clock, read_only=operations.read_only)
        state = _open_roll(book, cluster)
        if state is None:
            raise UsageProblem("No roll is open here. Name the nodes, or say --all.")
        return await _go_on(operations, book, state, asked, as_json=as_json)

    return with_operations(target, work, read_only=False)


async def watched(operations: LiveOperations, typed: str | None, *, as_json: bool) -> int | None:
    """Follow the roll of that name, or with none the open one, without a hand in it; None when there is no such."""
    book = RollBook(operations.site, operations.clock, read_only=operations.read_only)
    chosen = _chosen(book.listing(), operations.runs(), typed)
    if chosen is None:
        return None
    handle = book.attach(chosen)
    return await follow_roll(operations, book, handle, approve="wait", as_json=as_json, may_stop=False)


def _chosen(rolls: RollListing, runs: RunListing, typed: str | None) -> RunId | None:
    """The roll that is meant.

    Raises:
        UsageProblem: it is damaged; with no name, one that may be open is.
    """
    if typed is None:
        meant = list(rolls.perhaps_open)
        found = [state.roll for state in rolls.known if not state.closed]
    else:
        found = named([*(state.roll for state in rolls.known), *(each.name for each in rolls.damaged)], typed)
        also_runs = named([*(state.run for state in runs.known), *(each.name for each in runs.damaged)], typed)
        if len(found) != 1 or (found[0] != typed and also_runs):
            return None
        meant = [each for each in rolls.damaged if each.name == found[0]]
    if meant:
        raise UsageProblem(str(meant[0]))
    return found[0] if found else None


def rolled_out(target: Target, request: RollRequest, asked: Asked, *, as_json: bool) -> int:
    """Start the roll, or go on with the open one, and follow it; returns its exit code.

    Raises:
        CommandEnded: it can not start: names, consents, another roll, no connection.
    """
    target = joined_lab(target)

    async def work(operations: LiveOperations) -> int:
        cluster = await operations.read_cluster()
        _require_name(request.confirm, cluster, operations)
        book = RollBook(operations.site, operations.clock, read_only=operations.read_only)
        state = _open_roll(book, cluster)
        if state is not None:
            return await _go_on(operations, book, state, asked, as_json=as_json)
        cluster = await read_all(operations)
        wishes = _wishes(cluster, request, asked, operations.rolling.defaults)
        nodes, continues = _nodes(cluster, request, book)
        levers = with_limit(request.levers.on(cluster), wishes.consents.settings)
        options = request.way.over(operations.rolling.defaults).with_plan(
            replace(levers, excluded=frozenset(wishes.excluded))
        )
        plan, choices = operations.roll(cluster, nodes, options)
        plan, wishes = _left_by_consent(operations, cluster, nodes, (plan, wishes))
        _require_consents(operations, cluster, plan, wishes.consents)
        if not as_json:
            report_roll_plan(plan, choices)
        handle = _start(book, plan, cluster, replace(wishes, continues=continues))
        remember_lab(target, operations.site)
        return await follow_roll(operations, book, handle, approve=_approve(asked, fresh=True), as_json=as_json)

    return with_operations(target, work, read_only=False)


def _open_roll(book: RollBook, cluster: Cluster) -> RollState | None:
    try:
        return book.open(cluster.name)
    except JournalUnusable as trouble:
        raise UsageProblem(str(trouble)) from None


async def _go_on(operations: LiveOperations, book: RollBook, state: RollState, asked: Asked, *, as_json: bool) -> int:
    done = len(state.nodes) - len(state.left)
    narrate(f"Roll {state.roll} is open ({done} of {len(state.nodes)} nodes done); it goes on.")
    handle = book.attach(state.roll)
    for request, typed in ((TryNodeAgain, asked.retry), (LeaveNode, asked.skip)):
        for text in typed:
            book.request(state.roll, request(_node_of(state, text)))
    if asked.stop:
        book.request(state.roll, StopRolling())
    approve = _approve(asked, fresh=False)
    return await follow_roll(operations, book, handle, approve=approve, as_json=as_json, was_asked=asked.any)


def _approve(asked: Asked, *, fresh: bool) -> str:
    """``each`` asks on a terminal, ``all`` approves by itself, ``wait`` leaves it to another console."""
    if asked.approve == "all" or (asked.approve is None and fresh and not sys.stdin.isatty()):
        return "all"
    return "each" if sys.stdin.isatty() else "wait"


def _node_of(state: RollState, typed: str) -> HostName:
    for node in state.nodes:
        if node.casefold() == typed.casefold():
            return node
    raise UsageProblem(f"{typed} is not in roll {state.roll}: {', '.join(state.nodes)}.")


def _require_name(typed: str | None, cluster: Cluster, operations: LiveOperations) -> None:
    names = {cluster.name.casefold(), operations.site.name.casefold()}
    if typed is not None and typed.casefold() not in names:
        raise UsageProblem(
            f"This cluster is {name(cluster.name)}, not {typed}: write --confirm {cluster.name}. Nothing was sent."
        )


def _wishes(cluster: Cluster, request: RollRequest, asked: Asked, defaults: RollDefaults) -> RollWishes:
    """What was typed, over what the configuration lets a roll begin with."""
    consents = request.agreed.on(cluster)
    left = consents.leave_behind | {str(vm) for vm in request.levers.on(cluster).excluded}
    each = defaults.approve if asked.approve is None else asked.approve == "each"
    return RollWishes(
        consents=replace(consents, leave_behind=left),
        approve=sys.stdin.isatty() if each is None else each,
        hook=request.work.program(defaults),
        hook_timeout_s=request.work.timeout_s or defaults.hook_timeout_s,
        excluded=tuple(VmId(vm) for vm in sorted(left - {EVERY})),
    )


def _nodes(cluster: Cluster, request: RollRequest, book: RollBook) -> tuple[tuple[HostName, ...], str]:
    """The nodes to roll over, and the stopped roll whose rest they are, if they are."""
    every = tuple(host.name for host in cluster.hosts)
    nodes = tuple(dict.fromkeys(find_host(cluster, text) for text in request.nodes)) or every
    last = next((state for state in book.listing().known if state.cluster == cluster.name), None)
    if request.anew or last is None or not (last.closed and last.stopping and last.left):
        return nodes, ""
    if set(nodes) != set(_whole(last, book)):
        return nodes, ""
    rest = tuple(node for node in last.left if node in cluster.host_by_name)
    narrate(
        f"Roll {last.roll} was stopped with {len(rest)} of {len(nodes)} nodes left; this goes on with those "
        "(--anew begins with all again)."
    )
    return rest or nodes, last.roll if rest else ""


def _whole(state: RollState, book: RollBook) -> tuple[HostName, ...]:
    """The nodes of a roll, and of those whose rest it was."""
    found = list(state.nodes)
    before = {other.roll: other for other in book.listing().known}
    while state.continues and state.continues in before:
        state = before[state.continues]  # type: ignore[index]
        found += state.nodes
    return tuple(dict.fromkeys(found))


def _left_by_consent(
    operations: LiveOperations, cluster: Cluster, nodes: tuple[HostName, ...], planned: tuple[RollPlan, RollWishes]
) -> tuple[RollPlan, RollWishes]:
    """``--leave-behind all`` covers what has no place, too: it is planned as left behind."""
    plan, wishes = planned
    if EVERY not in wishes.consents.leave_behind or not plan.infeasible:
        return planned
    stay = frozenset(wishes.excluded) | frozenset(item.vm.id for item in plan.infeasible)
    options = plan.options.with_plan(replace(plan.options.plan, excluded=stay))
    return operations.roll(cluster, nodes, options)[0], replace(wishes, excluded=tuple(sorted(stay)))


def _require_consents(operations: LiveOperations, cluster: Cluster, plan: RollPlan, consents: Consents) -> None:
    """Whether everything that would not go over live, or not at all, was agreed to.

    Raises:
        CommandEnded: with the list of what was not, and how to agree to it.
    """
    needs = needs_of_roll(plan, lambda node, options: operations.plan(cluster, node, options))
    lines = [f"  {need.node}: {need.refusal}" for need in unmet(needs, consents)]
    if lines:
        advice = "Agree with --allow-interrupt VM (or all) and --leave-behind VM (or all). No node was touched."
        raise CommandEnded(ExitCode.BLOCKED, "\n".join(["The roll needs consents:", *lines, advice]))


def _start(book: RollBook, plan: RollPlan, cluster: Cluster, wishes: RollWishes) -> RollHandle:
    try:
        return book.start(plan, cluster.name, wishes)
    except PermissionError as error:
        raise UsageProblem(f"Nothing was sent: {error}. Remove read_only from the configuration to roll.") from None
    except JournalUnusable as trouble:
        raise CommandEnded(ExitCode.USAGE, f"The roll was not started: {trouble}") from None
