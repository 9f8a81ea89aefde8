"""What a cluster's table makes of plans and of the guard."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.configuration.loading import parse_configuration
from console.configuration.problems import ConfigurationError
from console.guard import Lines
from console.model.identity import HostName
from console.paths import standard_paths
from console.planner.schedule import SharedLink
from console.planner.values import PlanOptions, SiteLimits, SlotReading
from console.site import Site

FILE = Path("/etc/drainboard/config.toml")


def site_of(text: str) -> Site:
    configuration = parse_configuration(f'[clusters.prod]\nnodes = ["HV01"]\n{text}', FILE)
    return Site("prod", configuration.clusters["prod"], configuration, standard_paths(FILE))


def test_nothing_that_is_not_written_limits_a_plan_or_moves_a_line() -> None:
    site = site_of("")
    assert site.options_of(PlanOptions()).limits == SiteLimits()
    assert site.guard == Lines()


def test_limits_and_shared_lines_reach_the_plan() -> None:
    site = site_of(
        '[clusters.prod.policy]\nparallel_per = "pair"\nper_destination = 2\nper_pair = 1\ncluster_wide = 8\n'
        '[[clusters.prod.shared_links]]\nname = "inter-site"\ngbps = 10.0\nmembers = ["HV01", "HV02"]\n'
    )
    line = SharedLink("inter-site", 1.25e9, frozenset({HostName("HV01"), HostName("HV02")}))
    assert site.options_of(PlanOptions()).limits == SiteLimits(SlotReading.PAIR, {}, 2, 1, 8, (line,))
    asked = PlanOptions(limits=SiteLimits(per_pair=3))
    assert site.options_of(asked).limits.per_pair == 3, "a lever is stronger than the policy"


def test_the_guard_keeps_the_sites_lines_or_is_off() -> None:
    site = site_of("[clusters.prod.guard]\ncsv_latency_ms = 20\nhost_cpu_percent = 75.0\nsmb_stalls_per_s = 5.0\n")
    assert site.guard == Lines(csv_latency_s=0.02, host_cpu_fraction=0.75, smb_stalls_per_s=5.0)
    assert site_of("[clusters.prod.guard]\nenabled = false\n").guard is None


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[clusters.prod.policy]\nparallel_per = "host"\n', "parallel_per"),
        ("[clusters.prod.policy]\nper_pair = 0\n", "per_pair"),
        ("[clusters.prod.guard]\nhost_cpu_percent = 101.0\n", "host_cpu_percent"),
        ("[clusters.prod.guard]\ncsv_latency_ms = nan\n", "csv_latency_ms"),
        ('[[clusters.prod.shared_links]]\nname = "a"\ngbps = 0\nmembers = ["HV01"]\n', "gbps"),
        ('[[clusters.prod.shared_links]]\nname = "a"\ngbps = 1\nmembers = []\n', "members"),
    ],
)
def test_what_makes_no_sense_is_named(text: str, key: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        site_of(text)
    assert [problem.key for problem in raised.value.problems if key in problem.key]
