"""One configured cluster with everything that is needed to sign in to it, and the clock that its world runs by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from pydantic import SecretStr

from console.checks.registry import Ruling, SitePolicy
from console.clock import Clock, ScaledClock, SystemClock
from console.configuration.choices import Approve
from console.configuration.loading import load_configuration
from console.configuration.models import ClusterOptions, Configuration
from console.configuration.problems import nearest
from console.configuration.windows import Opening, next_opening
from console.drain.state import WhenStuck
from console.exits import UsageProblem
from console.guard import Lines
from console.model.identity import HostName
from console.model.units import bits_to_bytes_per_s
from console.paths import Paths, standard_paths
from console.planner.schedule import SharedLink
from console.planner.values import PlanOptions, SiteLimits, SlotReading
from console.rolling.defaults import RollDefaults


def _nobody_waits(runner: int) -> None:
    """A real cluster does not end with its runners."""


@dataclass(frozen=True)
class Site:
    """A cluster as the configuration describes it; nothing is connected yet."""

    name: str
    options: ClusterOptions
    configuration: Configuration
    paths: Paths
    password: SecretStr | None = None
    on_runner_started: Callable[[int], None] = _nobody_waits
    """Told the process id of each runner: a lab has to outlive the console as long as a run goes on in it."""

    @property
    def theme(self) -> str | None:
        return self.options.theme or self.configuration.theme

    def options_of(self, levers: PlanOptions) -> PlanOptions:
        """The operator's levers, with the site's policy where no lever was touched."""
        policy = self.options.policy
        reserve = levers.memory_reserve_fraction
        is_untouched = reserve == PlanOptions().memory_reserve_fraction
        return replace(
            levers,
            slots=policy.slots if levers.slots is None else levers.slots,
            smb_cap_fraction=policy.smb_cap_fraction if levers.smb_cap_fraction is None else levers.smb_cap_fraction,
            memory_reserve_fraction=policy.memory_reserve_fraction if is_untouched else reserve,
            avoided=levers.avoided | {HostName(name) for name in policy.avoid},
            limits=levers.limits.over(self._limits),
            guard=levers.guard or self.guard,
        )

    @property
    def _limits(self) -> SiteLimits:
        policy = self.options.policy
        return SiteLimits(
            reading=SlotReading(policy.parallel_per.value),
            per_destination=policy.per_destination,
            per_pair=policy.per_pair,
            cluster_wide=policy.cluster_wide,
            links=tuple(
                SharedLink(line.name, bits_to_bytes_per_s(line.gbps * 1e9), frozenset(map(HostName, line.members)))
                for line in self.options.shared_links
            ),
        )

    @property
    def guard(self) -> Lines | None:
        """What moves must not do to others; None where the site wants no guard."""
        lines = self.options.guard
        if not lines.enabled:
            return None
        return Lines(
            csv_latency_s=lines.csv_latency_ms / 1000,
            missed_heartbeats=lines.missed_heartbeats,
            host_cpu_fraction=lines.host_cpu_percent / 100,
            free_memory_fraction=lines.free_memory_percent / 100,
            redirected_io_per_s=lines.redirected_io_per_s,
            smb_stalls_per_s=lines.smb_stalls_per_s,
            calm_s=lines.calm_s,
            raise_after_s=lines.raise_after_s,
        )

    @property
    def when_stuck(self) -> WhenStuck | None:
        """What becomes of a stuck move here; None where the site leaves that to whoever starts the run."""
        chosen = self.options.watchdog.when_stuck
        return None if chosen is None else WhenStuck(chosen.value)

    @property
    def roll_defaults(self) -> RollDefaults:
        """What a rolling run begins with here."""
        table = self.options.roll
        return RollDefaults(
            hook=table.hook,
            hook_timeout_s=table.hook_timeout_minutes * 60,
            service_s=table.service_minutes * 60,
            wave=table.wave,
            failback=table.failback,
            approve=None if table.approve is None else table.approve is Approve.EACH,
        )

    @property
    def check_policy(self) -> SitePolicy:
        """The site's own word on conflict codes."""
        rulings = self.options.checks.items()
        return SitePolicy({code: (Ruling(ruling.severity.value), ruling.reason) for code, ruling in rulings})

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


def find_site(
    configuration: Path | None,
    cluster: str | None,
    password: Password,
    *,
    on_runner_started: Callable[[int], None] = _nobody_waits,
) -> Site:
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
    journal = loaded.journal.path
    if journal is None and options.clock is not None:
        journal = paths.configuration.absolute().parent / "journal.sqlite"  # a lab's runs are not the site's history
    paths = standard_paths(paths.configuration, journal)
    return Site(name, options, loaded, paths, password(name, options), on_runner_started)


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
