"""The console on screen: composition and routing. Values come in from the operations, screens show them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from textual.screen import ModalScreen, Screen

import themes
from console import formatting
from console.actions import Scope, effective_keys
from console.clock import Clock, SystemClock
from console.drain import ending
from console.drain.handing_over import agreed
from console.drain.requests import DetachRun, StopRun
from console.drain.state import RunState
from console.exits import ExitCode
from console.journal.trouble import JournalUnusable
from console.model.failures import Failure
from console.model.identity import RunId
from console.notices import NO_NOTICES, Notices, notice
from console.operations import Operations
from console.store import Store, Topic
from screens import messages
from screens.base import ConsoleScreen
from screens.bindings import bindings_of
from screens.board import BoardScreen
from screens.crash import DiscreetCrash
from screens.paint import Look, textual_theme
from screens.rolling_notice import told_of_roll
from screens.routes import Routes
from screens.sight import Hand, Services, Sight
from screens.typing_ahead import TypedAhead
from screens.watch import LEAST_WAIT_S, Watcher, words_of
from themes.loader import ThemeError, ThemeSpec, load_themes

if TYPE_CHECKING:
    from console.guard import Lines


class DrainboardApp(TypedAhead, Routes, DiscreetCrash, inherit_bindings=False):
    """One cluster, one terminal.

    Args:
        keys: other keys for actions, id to keys; check them with :func:`console.actions.validate_keys` first.
        theme: a theme's name; by default the cluster's own, else ``dark``.
        ascii: draw without box and block glyphs.
        window_ends_at: when the maintenance window closes, for the countdown.
        run: a run to open at once.
        theme_folders: where further themes may lie.
        guard: the lines that a run's guard keeps, to draw its readings against; by default the usual ones.
        notices: how the end of a run makes itself known beyond the screen.
        settle_s: real seconds that a confirmation ignores keys.
        least_wait_s: real seconds between two looks at the least; a test on a manual clock gives 0.
        pace: real time, by which replays are played.
        troubles: what an operator has to know from the start, in sentences.
    """

    TITLE = "Drainboard"
    CSS_PATH = str(Path(themes.__file__).with_name("console.tcss"))
    BINDINGS = bindings_of(Scope.APP)
    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self,
        operations: Operations,
        *,
        keys: Mapping[str, str] | None = None,
        theme: str | None = None,
        ascii: bool = False,
        window_ends_at: datetime | None = None,
        run: RunId | None = None,
        theme_folders: Sequence[Path] = (),
        guard: Lines | None = None,
        notices: Notices = NO_NOTICES,
        settle_s: float = 0.3,
        least_wait_s: float = LEAST_WAIT_S,
        pace: Clock | None = None,
        troubles: Sequence[str] = (),
    ) -> None:
        colourless = bool(os.environ.get("NO_COLOR"))
        super().__init__(ansi_color=True if colourless else None)
        self.animation_level = "none"
        self.specs, self._bad_themes = load_themes(theme_folders)
        wanted = "mono" if colourless else theme or operations.theme or self._usual_theme()
        self._unknown_theme = "" if wanted in self.specs else wanted
        look = Look(self.specs.get(wanted, self.specs["dark"]), ascii)
        self.store = Store()
        hand = None if operations.read_only else Hand(operations)
        self.services = Services(Sight(operations), hand, self.store, look, window_ends_at, settle_s, guard)
        self.services.keys = effective_keys(keys)
        self._overrides = dict(keys or {})
        self._notices = notices
        self._pace = pace or SystemClock()
        self._watcher = Watcher(self.services, self.problem, least_wait_s)
        self._first_run = run
        self._troubles = troubles
        self._celebrated: set[RunId] = set()
        self.use_theme(look.spec)

    def _usual_theme(self) -> str:
        """What the terminal can show when nobody asked for anything."""
        return {None: "mono", "standard": "sixteen", "windows": "sixteen"}.get(self.console.color_system, "dark")

    # -- life ----------------------------------------------------------------------------------------------------

    def get_default_screen(self) -> Screen[None]:
        return BoardScreen(self.services)

    def on_mount(self) -> None:
        self.set_keymap({id: ",".join(keys) for id, keys in self.services.keys.items() if id in self._overrides})
        for bad in self._bad_themes:
            self.problem("themes", bad)
        if self._unknown_theme:
            self.problem("themes", ThemeError(self._unknown_theme, ["there is no such theme; dark is used."]))
        for trouble in self._troubles:
            self.store.add_problem("journal", formatting.plain(trouble, 600), self.services.now)
            self.notify(formatting.plain(trouble, 200), severity="warning", timeout=20, markup=False)
        self.store.subscribe(Topic.RUN, lambda _: self._note_end())
        self._roll_told = self.store.subscribe(Topic.CLUSTER, lambda _: self._tell_of_roll())
        self.set_interval(1.0, self._tick)
        self._watcher.start()
        if self._first_run is not None:
            self._open_run(self._first_run)

    def on_unmount(self) -> None:
        self._watcher.stop()

    def _tell_of_roll(self) -> None:
        """Once the cluster is known: a rolling run that is open waits for nobody to find it."""
        if self.store.cluster is not None:
            self._roll_told()
            text = told_of_roll(self.services)
            if text:
                self.notify(text, timeout=10, markup=False)

    def use_theme(self, spec: ThemeSpec) -> None:
        """Draw everything in this theme from now on."""
        self.services.look.use(spec)
        built = textual_theme(spec)
        self.register_theme(built)
        self.theme = built.name
        for screen in self.screen_stack if self.is_running else ():
            for widget in screen.walk_children(with_self=True):
                widget.refresh()

    def _tick(self) -> None:
        """The last one may come when the screens are gone already."""
        if self.screen_stack and isinstance(self.screen, ConsoleScreen) and self.screen.stands:
            self.screen.look_again()

    def problem(self, source: str, error: BaseException) -> None:
        """Keep what went wrong until it was read."""
        self.store.add_problem(source, formatting.plain(words_of(error), 600), self.services.now)

    # -- routing -------------------------------------------------------------------------------------------------

    def go(self, screen: ConsoleScreen) -> None:
        """Show a screen; one of its kind that is open already is closed first, with all above it."""
        for depth, open_screen in enumerate(self.screen_stack):
            if type(open_screen) is type(screen) and depth > 0:
                for _ in range(len(self.screen_stack) - depth):
                    self.pop_screen()
                break
        self.push_screen(screen)

    def action_go_board(self) -> None:
        while len(self.screen_stack) > 1:
            self.pop_screen()

    def action_go_run(self) -> None:
        from screens.run import RunScreen
        from screens.run_view import RunView

        if isinstance(self.screen, RunView):
            self.screen.show_result()
        elif self.store.run is None:
            self.notify("No run is open; a lists all runs.", markup=False)
        else:
            self.go(RunScreen(self.services))

    def action_app_help(self) -> None:
        from screens.help import HelpScreen

        screen = self.screen
        if isinstance(screen, ConsoleScreen) and not isinstance(screen, HelpScreen):
            self.push_screen(HelpScreen(self.services, screen.NAME))

    def action_app_palette(self) -> None:
        from screens.palette import open_palette

        if isinstance(self.screen, ConsoleScreen):
            open_palette(self, self.services, self.screen, tuple(self.specs.values()), self.use_theme)

    def action_view_back(self) -> None:
        if isinstance(self.screen, ConsoleScreen):
            self.screen.action_view_back()

    def action_app_refresh(self) -> None:
        self._watcher.read_now()
        if isinstance(self.screen, ConsoleScreen):
            self.screen.look_anew()

    def on_details_wanted(self, message: messages.DetailsWanted) -> None:
        self._watcher.want_details(message.node)

    def on_host_chosen(self, message: messages.HostChosen) -> None:
        from screens.host import HostScreen

        self.go(HostScreen(self.services, message.host))

    def on_vm_chosen(self, message: messages.VmChosen) -> None:
        from screens.reading import VmScreen

        self.go(VmScreen(self.services, message.vm))

    def on_drain_chosen(self, message: messages.DrainChosen) -> None:
        from screens.plan import PlanScreen

        self.go(PlanScreen(self.services, message.host))

    def on_commands_chosen(self, message: messages.CommandsChosen) -> None:
        from screens.reading import CommandsScreen

        self.go(CommandsScreen(self.services, message.plan))

    def on_run_chosen(self, message: messages.RunChosen) -> None:
        self._open_run(message.run)

    def on_play_chosen(self, message: messages.PlayChosen) -> None:
        self.run_worker(self._play(message.run, message.playing), exit_on_error=False)

    async def _play(self, run: RunId, playing: bool) -> None:
        from screens.replay import ReplayScreen

        try:
            tape = await asyncio.to_thread(self.services.sight.tape_of, run)
        except (ValueError, JournalUnusable) as error:
            self.on_failed(messages.Failed(f"run {run}", error))
        else:
            self.go(ReplayScreen(self.services, tape, self._pace, playing=playing))

    def on_return_chosen(self, message: messages.ReturnChosen) -> None:
        from screens.giving_back import ReturnScreen

        self.go(ReturnScreen(self.services, message.run))

    def _open_run(self, run: RunId) -> None:
        self._watcher.follow(run)
        state = self.store.run
        if state is not None and state.outcome is not None:
            self._celebrated.add(state.run)
        self.action_go_run()

    def on_result_chosen(self, message: messages.ResultChosen) -> None:
        from screens.drained import DrainedScreen

        self.go(DrainedScreen(self.services, message.run))

    def on_failed(self, message: messages.Failed) -> None:
        self.problem(message.source, message.error)
        self.notify(formatting.plain(words_of(message.error), 300), severity="error", markup=False)

    # -- the hand ------------------------------------------------------------------------------------------------

    def on_go_chosen(self, message: messages.GoChosen) -> None:
        from screens.confirm import ConfirmScreen

        if self.services.hand is not None:

            def answered(go: bool | None) -> None:
                if go:
                    self.run_worker(self._start(message), exit_on_error=False)

            screen = ConfirmScreen(self.services, message.plan, message.consents, message.purpose)
            self.push_screen(screen, answered)

    async def _start(self, chosen: messages.GoChosen) -> None:
        assert self.services.hand is not None
        try:
            run = await self.services.hand.start(chosen.plan, chosen.consents, chosen.purpose)
        except (Failure, OSError, JournalUnusable) as error:
            self.on_failed(messages.Failed(f"{chosen.purpose.value} of {chosen.plan.node}", error))
        else:
            self._open_run(run)

    def on_hand_over_chosen(self, message: messages.HandOverChosen) -> None:
        self._offer_hand_over(message.run)

    def _offer_hand_over(self, run: RunState) -> None:
        from screens.hand_over import hand_over_screen

        agreed_by_name = agreed(run, self.services.store.cluster)

        def answered(go: bool | None) -> None:
            if go:
                self._ask(messages.Asked(run.run, agreed_by_name))

        self.push_screen(hand_over_screen(self.services, run), answered)

    def on_asked(self, message: messages.Asked) -> None:
        self._ask(message)

    def _ask(self, message: messages.Asked) -> bool:
        """Pass a request on; False when it could not be given to the runner."""
        if self.services.hand is None:
            return False
        try:
            self.services.hand.ask(message.run, message.request)
        except (Failure, OSError, JournalUnusable) as error:
            self.on_failed(messages.Failed(f"run {message.run}", error))
            return False
        self._watcher.look_at_run()
        return True

    # -- the end -------------------------------------------------------------------------------------------------

    def _note_end(self) -> None:
        run = self.store.run
        if run is not None and run.outcome is not None and run.run not in self._celebrated:
            self._celebrated.add(run.run)
            self._make_known(run)
            while isinstance(self.screen, ModalScreen):  # what it asks is about a run that is over now
                self.pop_screen()
            self.post_message(messages.ResultChosen(run))

    def _make_known(self, run: RunState) -> None:
        """The driver writes in turn with the pictures, so a notice never lands inside one."""
        if self._notices.bell:
            self.bell()
        if self._notices.desktop and self._driver is not None and not (self.is_headless or self.is_web):
            self._driver.write(notice(run))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a question is open, leaving means going back from the question."""
        return not (action == "app_quit" and isinstance(self.screen, ModalScreen))

    async def action_app_quit(self) -> None:
        if self.services.hand is None or not self.store.run_is_on:
            self.exit(exit_code(self.store.run))
            return
        from screens.quit import quit_screen

        self.push_screen(quit_screen(self.services), self._leave)

    def _leave(self, answer: str | None) -> None:
        from screens.quit import DETACH, HAND_OVER, STOP

        run = self.store.run
        if run is None or answer is None:
            return
        if answer == STOP:
            self._ask(messages.Asked(run.run, StopRun()))
            return
        if answer == HAND_OVER:
            self._offer_hand_over(run)
            return
        if answer == DETACH:
            self._celebrated.add(run.run)
            if not self._ask(messages.Asked(run.run, DetachRun())):
                return
        self.exit(int(ExitCode.DETACHED))


def exit_code(run: RunState | None) -> int:
    """How the process ends after this run; 0 when there was none or it is only watched."""
    if run is None or run.outcome is None:
        return int(ExitCode.DONE)
    return ending.exit_code(run)
