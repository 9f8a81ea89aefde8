"""How a run ended: big and unmistakable, then what an operator writes into the ticket."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from textual.widget import Widget

from console import formatting
from console.drain.state import Move, MoveState, Outcome, Purpose, RunState
from console.store import Topic
from screens.base import ConsoleScreen
from screens.bindings import screen_bindings
from screens.drawing import Line, big, cut, wrap
from screens.exporting import offer_export
from screens.lines import Pager
from screens.messages import PlayChosen, ReturnChosen
from screens.run_tables import OUTCOME_WORDS
from screens.sight import Services
from screens.vm_columns import vm_label

_NOT_MOVED = (
    MoveState.FAILED, MoveState.BLOCKED, MoveState.SKIPPED, MoveState.LEFT_BEHIND, MoveState.UNKNOWN, MoveState.HELD,
)  # fmt: skip


class DrainedScreen(ConsoleScreen, inherit_bindings=False):
    """The end of one run; later news of other runs do not change it."""

    NAME = "drained"
    PANES = ("reading",)
    TOPICS = Topic.CLUSTER | Topic.RUN
    BINDINGS = screen_bindings("drained")

    def __init__(self, services: Services, run: RunState) -> None:
        super().__init__(services)
        self.run_state = run

    def headline(self) -> str:
        word = "return" if self.run_state.purpose is Purpose.RETURN else "drain"
        return f"{formatting.name(self.run_state.node)}: {word} over"

    def body(self) -> Iterable[Widget]:
        yield Pager(self.services.look, id="reading")

    def show(self, changed: Topic) -> None:
        self.query_one(Pager).set_lines(end_lines(self.run_state, self.services, self.app.size.width))

    def on_resize(self) -> None:
        super().on_resize()
        if self.is_current:
            self.refill(Topic.ALL)

    def reasons(self) -> Mapping[str, Callable[[], str]]:
        return {"may_resume": self._why_not_resume, "exportable": lambda: "", "playable": lambda: ""}

    def _why_not_resume(self) -> str:
        if self.services.why_roll_holds:
            return self.services.why_roll_holds
        if self.run_state.purpose is Purpose.RETURN:
            return "This run took the node back into service; there is nothing to resume."
        return "A run is on already; r shows it." if self.services.store.run_is_on else ""

    def action_drain_resume(self) -> None:
        if not self.refused("drain.resume"):
            self.post_message(ReturnChosen(self.run_state))

    def action_report_export(self) -> None:
        offer_export(self, self.services, self.run_state)

    def action_replay_play(self) -> None:
        self.post_message(PlayChosen(self.run_state.run))


def end_lines(run: RunState, services: Services, width: int) -> list[Line]:
    """Everything about the end of a run, for a terminal of this width."""
    word, style = OUTCOME_WORDS[run.outcome] if run.outcome is not None else ("", "")
    letters = big(word, services.look.glyphs, wide=width >= 100)
    lines: list[Line] = [(), *(((f"  {row}", style),) for row in letters), (), _band(run, width), ()]
    lines += [((row, "text.strong"),) for row in wrap(_verdict(run), max(40, width - 4), "  ")]
    if run.node_paused and run.purpose is Purpose.DRAIN:
        lines.append(((f"  {formatting.name(run.node)} stays paused and takes no roles until it is resumed (R).", ""),))
    lines += [(), *_facts(run)]
    lines += _moves("NOT MOVED", [move for move in run.moves.values() if move.state in _NOT_MOVED], width)
    lines += _moves("INTERRUPTED, WITH CONSENT", _with(run, MoveState.INTERRUPTED), width)
    if run.left_on_node:
        lines += [(), (("  STILL ON THE NODE", "text.heading"),)]
        lines += [((f"  {formatting.name(left)}", "text.warning"),) for left in run.left_on_node]
    if run.settings_changed:
        lines += [(), (("  SETTINGS", "text.heading"),)]
        for change in run.settings_changed:
            state, colour = ("put back", "text.good") if change.restored else ("NOT PUT BACK", "text.bad")
            before, after = formatting.plain(change.before), formatting.plain(change.wanted or change.after)
            text = f"  {formatting.plain(change.name)}: {before} → {after}"
            lines.append(((text, ""), (f"  {state}", colour)))
    return lines


_SURE = frozenset({Outcome.DRAINED, Outcome.RETURNED})


def _band(run: RunState, width: int) -> Line:
    """One line across the screen that can not be misread from the other side of a room."""
    node, done = formatting.name(run.node), run.outcome in _SURE
    if run.outcome is Outcome.RETURNED:
        words = f"{node} IS IN SERVICE"
    elif run.outcome is Outcome.DRAINED:
        done = run.verified_empty
        left = "BUT FOR WHAT STAYS BY CONSENT" if run.left_on_node else "VERIFIED" if done else "NOT VERIFIED"
        words = f"{node} IS EMPTY: {left}" if done or run.left_on_node else f"{node}: EMPTINESS {left}"
    else:
        words = f"{node} IS NOT EMPTY" if run.purpose is Purpose.DRAIN else f"NOT EVERY VM IS BACK ON {node}"
    text = cut(f" {words} ", width - 4)
    return (("  ", ""), (text.ljust(max(len(text), width - 5)), "badge.done" if done else "badge.live"))


def _verdict(run: RunState) -> str:
    node = formatting.name(run.node)
    rest = f"{node} is not empty" if run.purpose is Purpose.DRAIN else f"not every VM is back on {node}"
    verdicts = {
        Outcome.DRAINED: _drained(run, node),
        Outcome.RETURNED: f"{node} is in service again, and its VMs are back.",
        Outcome.STOPPED: _stopped(run, rest),
        Outcome.DETACHED: f"The console let go. What was moving goes on by itself; nobody verifies {node}.",
        Outcome.FAILED: f"Some moves failed; {rest}.",
        Outcome.BLOCKED: f"Nothing more can move; {rest}.",
        Outcome.WINDOW_CLOSED: f"The window closed first; {rest}.",
        Outcome.CONTACT_LOST: f"Contact was lost with moves running: look at {node} before anything else.",
    }
    return verdicts[run.outcome] if run.outcome is not None else "The run is still on."


def _stopped(run: RunState, rest: str) -> str:
    if run.stopping:
        return f"Stopped by the operator. What was in flight has finished; {rest}."
    left = len(_with(run, MoveState.SKIPPED))
    return f"{formatting.count(left, 'VM')} {'was' if left == 1 else 'were'} left by the operator; {rest}."


def _drained(run: RunState, node: str) -> str:
    left = len(run.left_on_node)
    if left:
        return f"{node} is drained but for {formatting.count(left, 'thing')} that stays by consent."
    if not run.verified_empty:
        return f"{node} is drained; that it is empty was NOT verified. Look at it before you take it down."
    return f"{node} is empty: verified. It owns no role, no shared volume, no core group."


def _facts(run: RunState) -> list[Line]:
    took_s = ((run.finished_at or run.now) - run.created_at).total_seconds()
    done = _with(run, MoveState.DONE) + _with(run, MoveState.INTERRUPTED)
    dark = [move.blackout_s for move in done if move.blackout_s is not None and move.live]
    facts = [
        ("moved", f"{len(done)} of {len(run.moves)} VMs, {formatting.size(sum(move.memory_bytes for move in done))}"),
        ("took", f"{formatting.duration(took_s)}; the forecast was {formatting.duration(run.forecast_s)}"),
        ("began", formatting.date_time(run.created_at)),
        ("ended", formatting.date_time(run.finished_at)),
        ("longest dark", formatting.duration(max(dark)) if dark else "–"),
        ("operator", formatting.plain(run.operator) or "–"),
        ("run", formatting.plain(run.run)),
    ]
    if run.window_ends_at is not None and run.finished_at is not None:
        spare_s = (run.window_ends_at - run.finished_at).total_seconds()
        words = f"{formatting.duration(spare_s)} to spare" if spare_s >= 0 else f"{formatting.duration(-spare_s)} over"
        facts.insert(2, ("window", words))
    return [((f"  {name:<14}", "text.muted"), (value, "")) for name, value in facts]


def _with(run: RunState, state: MoveState) -> list[Move]:
    return [move for move in run.moves.values() if move.state is state]


def _moves(title: str, moves: list[Move], width: int) -> list[Line]:
    if not moves:
        return []
    lines: list[Line] = [(), ((f"  {title}", "text.heading"),)]
    for move in moves:
        reason = formatting.plain(move.reason)
        said = reason.lower().startswith(move.state.value)
        text = f"{vm_label(move.vm)}: {reason if said else f'{move.state.value}: {reason}'}"
        lines += [((row, f"state.{move.state.value}"),) for row in wrap(text, max(40, width - 4), "  ")]
    return lines
