"""A run that has ended, told again in the screen that it was driven from. Nothing can be asked of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from textual.widget import Widget

from console import formatting
from console.clock import Clock
from console.drain.state import RunState
from console.drain.tape import Tape
from console.store import Store, Topic
from screens.bindings import screen_bindings
from screens.drawing import Line, bar, between
from screens.lines import Lines
from screens.run_view import RunView
from screens.sight import Services

SPEEDS = (1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 120.0, 300.0, 600.0, 3600.0)
REDRAW_S = 0.25
"""Real seconds between two pictures."""
PLEASANT_S = 60.0
"""A replay begins at the speed at which it lasts about as long."""


class ReplayServices(Services):
    """What the run's screens are given while they show the past: a store and a time of their own, and no hand."""

    def __init__(self, live: Services, cluster: str, moment: datetime) -> None:
        super().__init__(live.sight, None, Store(), live.look, None, live.settle_s, live.guard)
        self.keys = live.keys
        self.live = live.store
        self.moment = moment
        self._cluster = cluster

    @property
    def now(self) -> datetime:
        return self.moment

    @property
    def cluster_name(self) -> str:
        return self._cluster

    @property
    def live_run(self) -> RunState | None:
        return self.live.run if self.live.run_is_on else None

    @property
    def mode(self) -> str:
        return "replay"


class ReplayScreen(RunView, inherit_bindings=False):
    """Plays a tape at any speed; a pause, and the end, stand still.

    Args:
        pace: real time, by which it plays.
        playing: False shows the run as it ended.
    """

    NAME = "replay"
    BINDINGS = screen_bindings("replay")

    def __init__(self, services: Services, tape: Tape, pace: Clock, *, playing: bool) -> None:
        self.tape = tape
        self.speed = pleasant_speed(tape.length_s)
        self.playing = playing
        self.past = ReplayServices(services, tape.at(tape.began_at).cluster, tape.began_at)
        super().__init__(self.past)
        self._pace = pace
        self._before_s = pace.elapsed_s()
        self._show_moment(tape.began_at if playing else tape.ended_at)

    def body(self) -> Iterable[Widget]:
        yield Lines(self.services.look, id="replay-head", classes="section")
        yield from super().body()

    def on_mount(self) -> None:
        super().on_mount()
        self.set_interval(REDRAW_S, self.turn)

    # -- time ----------------------------------------------------------------------------------------------------

    def turn(self) -> None:
        """Go on as far as real time did since the last turn, times the speed."""
        now_s = self._pace.elapsed_s()
        gone_s, self._before_s = max(0.0, now_s - self._before_s), now_s
        if not self.playing or not self.stands:
            return
        self._show_moment(min(self.tape.ended_at, self.past.moment + timedelta(seconds=gone_s * self.speed)))
        if self.at_end:
            self.playing = False
        self._tell_where()
        self.look_again()

    @property
    def at_end(self) -> bool:
        return self.past.moment >= self.tape.ended_at

    def _show_moment(self, moment: datetime) -> None:
        self.past.moment = moment
        self.past.store.put_run(self.tape.at(moment))

    def show(self, changed: Topic) -> None:
        super().show(changed)
        self._tell_where()

    def _tell_where(self) -> None:
        self.query_one("#replay-head", Lines).set_lines([self._where(self.size.width)])

    def _where(self, width: int) -> Line:
        glyphs = self.services.look.glyphs
        gone_s = (self.past.moment - self.tape.began_at).total_seconds()
        share = gone_s / self.tape.length_s if self.tape.length_s > 0 else 1.0
        doing = "playing" if self.playing else "ended: p plays it" if self.at_end else "PAUSED: p goes on"
        words: Line = (
            ("  REPLAY ", "text.warning"),
            (f"of {formatting.date_time(self.tape.began_at)}  ", "text.muted"),
            (f"×{self.speed:g}  ", "text.strong"),
            (doing, "" if self.playing else "text.warning"),
        )
        place = f"  {formatting.short_duration(gone_s)} of {formatting.short_duration(self.tape.length_s)}  "
        cells = max(6, min(40, width - 76))
        return between(words, (*bar(share, cells, glyphs), (place, "")), width)

    # -- the keys ------------------------------------------------------------------------------------------------

    def reasons(self) -> Mapping[str, Callable[[], str]]:
        return {**super().reasons(), "playable": lambda: ""}

    def action_replay_play(self) -> None:
        """Pause, go on, or begin again."""
        if not self.playing and self.at_end:
            self.past.store.put_run(None)
            self._show_moment(self.tape.began_at)
        self.playing = not self.playing
        self._before_s = self._pace.elapsed_s()
        self._tell_where()
        self.look_again()

    def action_replay_faster(self) -> None:
        self._change_speed(1)

    def action_replay_slower(self) -> None:
        self._change_speed(-1)

    def _change_speed(self, step: int) -> None:
        place = SPEEDS.index(self.speed) + step
        self.speed = SPEEDS[max(0, min(len(SPEEDS) - 1, place))]
        self._tell_where()


def pleasant_speed(length_s: float) -> float:
    """The speed at which a run of this length is told within about a minute."""
    return next((speed for speed in SPEEDS if length_s / speed <= PLEASANT_S), SPEEDS[-1])
