"""The run that is on, or has just ended, with the keys that ask its runner for something."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from console import formatting
from console.drain import requests
from console.drain.handing_over import why_not_hand_over
from console.drain.requests import OperatorRequest
from console.drain.state import Move, MoveState, Pace, Purpose
from console.model.cluster import MigrationTransport
from console.planner.values import Engine
from screens.bindings import screen_bindings
from screens.choice import Choice, ChoiceScreen
from screens.drawing import wrap
from screens.messages import Asked, HandOverChosen, PlayChosen
from screens.run_view import RunView
from screens.stuck import CANCEL, FORCE, force_screen, stuck_screen
from screens.vm_columns import vm_label

_WAITING = (MoveState.PLANNED, MoveState.QUEUED)
_OVER = (MoveState.FAILED, MoveState.BLOCKED, MoveState.SKIPPED)
MOST_SLOTS = 16


class RunScreen(RunView, inherit_bindings=False):
    """The operator's screen of one run."""

    NAME = "run"
    BINDINGS = screen_bindings("run")

    # -- when a key can be used ----------------------------------------------------------------------------------

    def reasons(self) -> Mapping[str, Callable[[], str]]:
        return {
            **super().reasons(),
            "run_on": self._why_over,
            "steerable": self._why_not_steer,
            "smb": self._why_no_bandwidth,
            "holdable": lambda: self._unless(
                (*_WAITING, MoveState.HELD), "Only a move that has not started can be held."
            ),
            "retryable": lambda: self._unless(_OVER, "Only a failed, blocked or skipped move can be tried again."),
            "cancellable": lambda: self._unless((MoveState.MOVING,), "Only a move in flight can be cancelled."),
            "skippable": lambda: self._unless(
                (*_WAITING, MoveState.HELD, MoveState.BLOCKED), "It has started already."
            ),
            "handable": self._why_not_hand_over,
        }

    def _why_over(self) -> str:
        run = self.run_state
        return "" if run is not None and run.outcome is None else "No run is on."

    def _why_not_steer(self) -> str:
        run = self.run_state
        if run is not None and run.engine is Engine.NATIVE:
            return "The cluster's own drain decides what starts when; only S can stop it."
        return self._why_over()

    def _why_not_hand_over(self) -> str:
        run = self.run_state
        why = why_not_hand_over(run) if run is not None and run.outcome is None else None
        return f"It can not be handed over: {why}." if why else self._why_over()

    def _why_no_bandwidth(self) -> str:
        run, cluster = self.run_state, self.services.store.cluster
        host = cluster.host_by_name.get(run.node) if run and cluster else None
        if host is None or host.migration_transport is not MigrationTransport.SMB:
            return "Bandwidth can be shared out only with the SMB transport; this node uses another one."
        return self._why_over()

    def _unless(self, states: tuple[MoveState, ...], reason: str) -> str:
        if self._why_over():
            return self._why_over()
        return "" if any(move.state in states for move in self._chosen()) else reason

    def _chosen(self) -> list[Move]:
        return [row.move for row in self.moves.marked]

    # -- asking --------------------------------------------------------------------------------------------------

    def _ask(self, *wanted: OperatorRequest) -> None:
        run = self.run_state
        if run is not None:
            for request in wanted:
                self.post_message(Asked(run.run, request))

    def _ask_after(self, title: str, text: str, yes: str, *wanted: OperatorRequest) -> None:
        lines = [((row, ""),) for row in wrap(text, 68)]
        choices = (Choice[bool]("Go back", "nothing is asked", None), Choice(yes, "", True, dangerous=True))
        self.app.push_screen(
            ChoiceScreen[bool](self.services, title, lines, choices),
            lambda answer: self._ask(*wanted) if answer else None,
        )

    def action_run_pause(self) -> None:
        if not self.refused("run.pause") and self.run_state is not None:
            self._ask(requests.ContinueStarts() if self.run_state.paused else requests.PauseStarts())

    def action_run_more(self) -> None:
        self._set_slots(1)

    def action_run_fewer(self) -> None:
        self._set_slots(-1)

    def _set_slots(self, step: int) -> None:
        if not self.refused("run.more") and self.run_state is not None:
            self._ask(requests.SetSlots(max(0, min(MOST_SLOTS, self.run_state.slots + step))))

    def action_run_bandwidth(self) -> None:
        if not self.refused("run.bandwidth"):
            shares = [Choice(f"{share} %", "of the bandwidth", share * 100) for share in (10, 25, 50, 75, 100)]
            choices = (Choice[int]("Go back", "nothing changes", None), *shares)
            self.app.push_screen(
                ChoiceScreen[int](self.services, "Bandwidth share of SMB migrations", (), choices), self._set_bandwidth
            )

    def _set_bandwidth(self, factor: int | None) -> None:
        if factor is not None:
            self._ask(requests.SetBandwidthCap(factor))

    def action_run_hold(self) -> None:
        if not self.refused("run.hold"):
            self._ask(
                *(
                    requests.ReleaseMove(move.vm.id) if move.state is MoveState.HELD else requests.HoldMove(move.vm.id)
                    for move in self._chosen()
                    if move.state in (*_WAITING, MoveState.HELD)
                )
            )

    def action_run_retry(self) -> None:
        if not self.refused("run.retry"):
            self._ask(*(requests.RetryMove(move.vm.id) for move in self._chosen() if move.state in _OVER))

    def action_run_cancel(self) -> None:
        if not self.refused("run.cancel"):
            moving = [move for move in self._chosen() if move.state is MoveState.MOVING]
            if len(moving) == 1 and moving[0].pace is Pace.STUCK:
                self._offer_for_stuck(moving[0])
                return
            names = ", ".join(vm_label(move.vm) for move in moving)
            text = f"{names}: the live migration is cancelled. The VM goes on running on its source."
            self._ask_after(
                "Cancel this move?", text, "Cancel the move", *(requests.CancelMove(m.vm.id) for m in moving)
            )

    def _offer_for_stuck(self, move: Move) -> None:
        def chosen(answer: str | None) -> None:
            if answer == CANCEL:
                self._ask(requests.CancelMove(move.vm.id))
            elif answer == FORCE:
                self.app.push_screen(force_screen(self.services, move), typed)

        def typed(agreed: bool | None) -> None:
            if agreed:
                self._ask(requests.ForceBack(move.vm.id))

        self.app.push_screen(stuck_screen(self.services, move), chosen)

    def action_run_skip(self) -> None:
        run = self.run_state
        if not self.refused("run.skip") and run is not None:
            states = (*_WAITING, MoveState.HELD, MoveState.BLOCKED)
            wanted = [move for move in self._chosen() if move.state in states]
            returns = run.purpose is Purpose.RETURN
            stays = "where it runs now" if returns else "on the node, which will not be empty then"
            text = f"{', '.join(vm_label(move.vm) for move in wanted)}: stays {stays}. T takes it in again."
            self._ask_after("Leave it where it is?", text, "Leave it", *(requests.SkipMove(m.vm.id) for m in wanted))

    def action_run_stop(self) -> None:
        run = self.run_state
        if self.refused("run.stop") or run is None:
            return
        waiting = sum(move.state in (*_WAITING, MoveState.CHECKING, MoveState.HELD) for move in run.moves.values())
        if run.engine is Engine.NATIVE:
            text = "The cluster's drain is stopped by resuming the node without failback; what moves now finishes."
        else:
            flight = formatting.count(len(run.in_flight), "move")
            text = f"{flight} in flight finish, {waiting} will not start, then the run closes."
        if run.purpose is Purpose.DRAIN:
            text += f" {formatting.name(run.node)} will not be empty."
        self._ask_after("Stop this run?", text, "Stop after what is in flight", requests.StopRun())

    def action_run_hand_over(self) -> None:
        run = self.run_state
        if not self.refused("run.hand-over") and run is not None:
            self.post_message(HandOverChosen(run))

    def action_run_force(self) -> None:
        if not self.refused("run.force"):
            text = (
                "Ends the run's record and changes nothing on the cluster: what moves goes on by itself, and nobody "
                "verifies it. For a runner that does not answer any more."
            )
            self._ask_after("Close the run's record by force?", text, "Close by force", requests.CloseByForce())

    def action_replay_play(self) -> None:
        if not self.refused("replay.play") and self.run_state is not None:
            self.post_message(PlayChosen(self.run_state.run))
