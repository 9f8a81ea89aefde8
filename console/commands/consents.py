"""What an operator agrees to before VMs are touched, as options of a command, handed to it as one ``agreed``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from console.consents import EVERY, Consents
from console.exits import UsageProblem

from .grouped import grouped

if TYPE_CHECKING:
    from console.model.cluster import Cluster


@dataclass(frozen=True, slots=True)
class Agreed:
    """The consents as they were typed; of VMs nothing is looked up yet."""

    interrupt: tuple[str, ...] = ()
    leave_behind: tuple[str, ...] = ()
    settings: tuple[tuple[str, int], ...] = ()

    def on(self, cluster: Cluster) -> Consents:
        """The same for the VMs of a cluster.

        Raises:
            UsageProblem: a name that the cluster does not have, or has more than once.
        """
        return Consents(_ids(cluster, self.interrupt), _ids(cluster, self.leave_behind), self.settings)


def _ids(cluster: Cluster, typed: Sequence[str]) -> frozenset[str]:
    from .names import find_vm

    return frozenset(EVERY if name.casefold() == EVERY else str(find_vm(cluster, name).id) for name in typed)


def _agreed(allow_interrupt: tuple[str, ...], leave_behind: tuple[str, ...], allow_setting: tuple[str, ...]) -> Agreed:
    return Agreed(allow_interrupt, leave_behind, settings_of(allow_setting))


def settings_of(typed: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """``NAME=VALUE`` as pairs.

    Raises:
        UsageProblem: a setting that no run changes, or a value that is no number.
    """
    from console.drain.settings import settings_of as settings_named

    try:
        return settings_named(typed)
    except ValueError as error:
        raise UsageProblem(f"--allow-setting {error}") from None


consent_options = grouped(
    "agreed",
    _agreed,
    {
        "allow_interrupt": click.option("--allow-interrupt", multiple=True, metavar="VM|all",
                                        help="Move this VM although that saves it or restarts it."),
        "leave_behind": click.option("--leave-behind", multiple=True, metavar="VM|all",
                                     help="Leave this VM on its node."),
        "allow_setting": click.option("--allow-setting", multiple=True, metavar="NAME=VALUE",
                                      help="Let a drain set a cluster setting; it is put back at its end."),
    },
)  # fmt: skip
