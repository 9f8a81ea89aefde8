"""One configured cluster with everything that is needed to sign in to it, and the clock that its world runs by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import SecretStr

from console.clock import Clock, ScaledClock, SystemClock
from console.configuration.loading import load_configuration
from console.configuration.models import ClusterOptions, Configuration
from console.configuration.problems import nearest
from console.configuration.windows import Opening, next_opening
from console.exits import UsageProblem
from console.model.identity import HostName
from console.paths import Paths, standard_paths
from console.planner.values import PlanOptions


@dataclass(frozen=True)
class Site:
    """A cluster as the configuration describes it; nothing is connected yet."""

    name: str
    options: ClusterOptions
    configuration: Configuration
    paths: Paths
    password: SecretStr | None = None

    @property
    def theme(self) -> str | None:
        return self.options.theme or self.configuration.theme

    @property
    def plan_options(self) -> PlanOptions:
        """What a plan starts from at this site, before anybody touches a lever."""
        policy = self.options.policy
        return PlanOptions(
            slots=policy.slots,
            smb_cap_fraction=policy.smb_cap_fraction,
            memory_reserve_fraction=policy.memory_reserve_fraction,
            avoided=frozenset(HostName(name) for name in policy.avoid),
        )

    def clock(self) -> Clock:
        world = self.options.clock
        if world is None:
            return SystemClock()
        return ScaledClock(world.speed, origin=world.origin, epoch=world.epoch)

    def opening(self, now: datetime) -> Opening | None:
        """The maintenance window that is open at ``now`` or opens next, in this machine's time zone."""
        return None if self.options.window is None else next_opening(self.options.window, now.astimezone())


Password = Callable[[str, ClusterOptions], SecretStr | None]
"""Finds a cluster's password; see :func:`console.configuration.secrets.find_password`."""


def find_site(configuration: Path | None, cluster: str | None, password: Password) -> Site:
    """The cluster to work on, from a configuration file.

    Raises:
        ConfigurationError: the file has problems.
        UsageProblem: there is no file, or no such cluster, or several and none was named.
        PasswordMissing: ``password`` found none.
    """
    paths = standard_paths(configuration)
    if not paths.configuration.exists():
        raise UsageProblem(
            f"There is no configuration at {paths.configuration}.\n"
            "Write one (config.example.toml shows every option), or try the lab first: drainboard lab"
        )
    loaded = load_configuration(paths.configuration)
    name = choose_cluster(loaded, cluster)
    options = loaded.clusters[name]
    paths = standard_paths(paths.configuration, loaded.journal.path)
    return Site(name, options, loaded, paths, password(name, options))


def choose_cluster(configuration: Configuration, asked: str | None) -> str:
    """The name that was asked for, else the default, else the only one.

    Raises:
        UsageProblem: none of these.
    """
    names = list(configuration.clusters)
    name = asked or configuration.default_cluster or (names[0] if len(names) == 1 else None)
    if name is None:
        known = f"Name one with --cluster, or set default_cluster: {', '.join(names)}." if names else "It names none."
        raise UsageProblem(f"Which cluster? {known}")
    if name not in names:
        hint = nearest(name, names)
        raise UsageProblem(f"There is no cluster {name!r}." + (f" Did you mean {hint}?" if hint else ""))
    return name
