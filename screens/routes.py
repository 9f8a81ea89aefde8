"""The ways to the screens that need nothing but the services; each is imported when it is first shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from screens.base import ConsoleScreen
    from screens.sight import Services


class Routes:
    """Mixed into the app."""

    services: Services
    go: Callable[[ConsoleScreen], None]
    """Shows a screen; the app's own."""

    def action_go_vms(self) -> None:
        from screens.vms import VmsScreen

        self.go(VmsScreen(self.services))

    def action_go_conflicts(self) -> None:
        from screens.conflicts import ConflictsScreen

        self.go(ConflictsScreen(self.services))

    def action_go_tuning(self) -> None:
        from screens.conflicts import TuningScreen

        self.go(TuningScreen(self.services))

    def action_go_runs(self) -> None:
        from screens.history import HistoryScreen

        self.go(HistoryScreen(self.services))

    def action_go_doctor(self) -> None:
        from screens.doctor import DoctorScreen

        self.go(DoctorScreen(self.services))

    def action_go_rolling(self) -> None:
        from screens.rolling import RollingScreen

        self.go(RollingScreen(self.services))

    def action_go_problems(self) -> None:
        from screens.problems import ProblemsScreen

        self.go(ProblemsScreen(self.services))
