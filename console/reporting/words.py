"""The report's rows and sentences, the same for Markdown and HTML. Every name is made harmless here."""

from __future__ import annotations

from console.drain.setting_state import SettingChange
from console.drain.state import Consent, Move, MoveState, Outcome, Purpose, RunState
from console.formatting import UNKNOWN, count, date_time, duration, name, plain, size

from .facts import RunReport

MOVE_HEADINGS = ("VM", "from", "to", "state", "started", "took", "forecast", "blackout", "copied", "tries", "why")

_OUTCOMES = {
    Outcome.DRAINED: "drained",
    Outcome.RETURNED: "returned",
    Outcome.STOPPED: "stopped by the operator",
    Outcome.DETACHED: "detached while moves went on",
    Outcome.FAILED: "failed",
    Outcome.BLOCKED: "blocked",
    Outcome.WINDOW_CLOSED: "the window closed first",
    Outcome.CONTACT_LOST: "contact lost",
}


def outcome(state: RunState) -> str:
    return "still open" if state.outcome is None else _OUTCOMES[state.outcome]


def headline(report: RunReport) -> str:
    state = report.state
    what = "Drain of" if state.purpose is Purpose.DRAIN else "Return to"
    return f"{what} {name(state.node)}: {outcome(state)}"


def summary(report: RunReport) -> tuple[tuple[str, str], ...]:
    """Label and value, the facts that a ticket begins with."""
    state = report.state
    took = duration(report.duration_s)
    rows = [
        ("run", plain(state.run)),
        ("cluster", name(state.cluster)),
        ("node", name(state.node)),
        ("operator", plain(state.operator) or UNKNOWN),
        ("engine", "the cluster's own drain" if state.engine.value == "native" else "planned moves"),
        ("began", date_time(state.created_at)),
        ("ended", date_time(state.finished_at)),
        ("took", f"{took}, forecast {duration(state.forecast_s)}"),
        ("window ended", date_time(state.window_ends_at)),
        ("moved", f"{len(report.moved)} of {count(len(state.moves), 'VM')}, {count(report.starts, 'start')}"),
        ("longest blackout", duration(report.blackout_s) if report.blackout_s else UNKNOWN),
        ("verified empty", "yes" if state.verified_empty else "no"),
        ("shown as drained", {True: "yes", False: "no", None: UNKNOWN}[state.drain_flag]),
        ("guard held", count(len(report.breaches), "time")),
    ]
    return tuple(row for row in rows if row[1] != UNKNOWN or row[0] in ("ended", "longest blackout"))


def forecast_sentence(report: RunReport) -> str:
    told = report.accuracy
    if told.median_ratio is None:
        return "No move arrived whose forecast could be compared."
    return (
        f"Of {count(told.moves, 'move')}, {told.within_p90} took no longer than the forecast's p90; "
        f"the middle one took {told.median_ratio:.2f} times its p50."
    )


def move_row(move: Move) -> tuple[str, ...]:
    """The cells under :data:`MOVE_HEADINGS`."""
    return (
        name(move.vm.name),
        name(move.source),
        plain(move.destination or "") or UNKNOWN,
        move.state.value,
        f"{move.started_at.astimezone():%H:%M:%S}" if move.started_at else UNKNOWN,
        duration(move.duration_s),
        duration(move.forecast_p50_s) if move.forecast_p50_s else UNKNOWN,
        duration(move.blackout_s),
        size(move.bytes_sent),
        str(move.attempts),
        plain(move.reason),
    )


def consent_sentence(consent: Consent) -> str:
    what = {
        "interrupt": "may be interrupted (saved and restored, or restarted)",
        "leave-behind": "may stay on the node",
        "setting": "may be set for the run",
    }.get(consent.kind, f"was agreed to ({plain(consent.kind)})")
    whom = "every VM" if consent.subject == "all" else plain(consent.subject)
    return f"{whom} {what}: {plain(consent.by) or 'somebody'}, {date_time(consent.at)}"


def setting_sentence(change: SettingChange) -> str:
    before, after = plain(change.before), plain(change.wanted or change.after)
    if change.lowered:
        after += f" (turned down by the guard {count(change.lowered, 'time')})"
    if change.given_up:
        return f"{change.name}: changed from {before} to {after}, NOT put back. Set it to {before} by hand."
    if not change.touched:
        return f"{change.name}: was to become {after}, was not changed"
    if change.restored:
        return f"{change.name}: changed from {before} to {after}, put back to {before}"
    return f"{change.name}: changed from {before} to {after}, not put back yet"


def remarks(report: RunReport) -> tuple[str, ...]:
    """What somebody has to know or do."""
    state = report.state
    unknown = [name(move.vm.name) for move in state.moves.values() if move.state is MoveState.UNKNOWN]
    lines = [
        f"Left on {name(state.node)}: {', '.join(name(item) for item in state.left_on_node)}"
        if state.left_on_node
        else "",
        f"Nobody knows where these are, look at the cluster: {', '.join(unknown)}" if unknown else "",
        f"Held by {plain(state.held_by)}" if state.held_by else "",
        "Closed by force: nothing was changed on the cluster to close it" if state.forced else "",
        *(f"{plain(change.by) or 'The run'}: {plain(change.reason)}" for change in report.handovers),
    ]
    return tuple(line for line in lines if line)
