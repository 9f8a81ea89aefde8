"""Which cluster is meant, where its nodes are reached, and which clock its world runs by."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.checks.registry import Ruling
from console.clock import ScaledClock, SystemClock
from console.configuration.loading import parse_configuration
from console.configuration.models import ClusterOptions, Configuration
from console.doors import Addresses, open_doors, open_reader, seeds_of
from console.exits import UsageProblem
from console.model.identity import HostName
from console.paths import standard_paths
from console.planner.values import PlanOptions
from console.site import Site, choose_cluster, find_site
from console.wire.connection import Target

HV02 = HostName("HV02")

TWO = """
[clusters.prod]
nodes = ["HV01"]
[clusters.test]
nodes = ["HV01"]
"""


def configuration(source: str) -> Configuration:
    return parse_configuration(source, Path("config.toml"))


def options(**values: object) -> ClusterOptions:
    return ClusterOptions.model_validate({"nodes": ["HV01"], **values})


def site(**values: object) -> Site:
    return Site("prod", options(**values), Configuration(theme="dark"), standard_paths())


def test_the_cluster_is_the_named_one_the_default_or_the_only_one() -> None:
    assert choose_cluster(configuration(TWO), "test") == "test"
    assert choose_cluster(configuration(f'default_cluster = "prod"\n{TWO}'), None) == "prod"
    assert choose_cluster(configuration('[clusters.one]\nnodes = ["HV01"]'), None) == "one"


@pytest.mark.parametrize(
    ("source", "asked", "word"),
    [(TWO, None, "prod, test"), (TWO, "prd", "Did you mean prod"), ("", None, "names none"), (TWO, "zzz", "'zzz'")],
)
def test_no_cluster_is_guessed(source: str, asked: str | None, word: str) -> None:
    with pytest.raises(UsageProblem, match=word):
        choose_cluster(configuration(source), asked)


def test_a_missing_configuration_points_to_the_example_and_the_lab(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match=r"config\.example\.toml(.|\n)*drainboard lab"):
        find_site(tmp_path / "absent.toml", None, lambda *_: None)


def test_a_site_keeps_its_journal_where_the_file_says(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[journal]\npath = "j.sqlite"\n[clusters.one]\nnodes = ["HV01"]\n')
    assert find_site(tmp_path / "config.toml", None, lambda *_: None).paths.journal == tmp_path / "j.sqlite"


def test_a_node_that_the_configuration_names_is_reached_as_it_says() -> None:
    addresses = Addresses(options(nodes=["HV01", {"name": "HV02", "address": "192.0.2.2", "port": 15986}]))
    assert addresses.configured == (
        Target(HostName("HV01"), "HV01", 5986, True),
        Target(HostName("HV02"), "192.0.2.2", 15986, True),
    )
    assert addresses.of(HostName("hv02")) == addresses.configured[1]


def test_a_node_that_was_found_is_looked_for_beside_the_named_ones() -> None:
    beside = Addresses(options(nodes=["hv01.example.com"], transport="http"))
    assert beside.of(HostName("HV07")) == Target(HostName("HV07"), "HV07.example.com", 5985, False)
    assert Addresses(options()).of(HostName("HV07")).address == "HV07"
    by_number = Addresses(options(nodes=[{"name": "HV01", "address": "192.0.2.1"}], port=99))
    assert by_number.of(HostName("HV07")) == Target(HostName("HV07"), "HV07", 99, True)


async def test_a_read_only_site_has_no_writer() -> None:
    with pytest.raises(PermissionError, match="read-only"):
        open_doors(site(read_only=True))
    await open_reader(site(read_only=True)).close()


def test_the_nodes_to_ask_first_are_the_configured_ones() -> None:
    assert seeds_of(options(nodes=["HV02", "hv01.example.com"])) == ("HV02", "hv01")


def test_the_clusters_own_theme_wins() -> None:
    assert (site().theme, site(theme="light").theme) == ("dark", "light")


def test_a_plan_starts_from_the_policy_and_a_touched_lever_wins() -> None:
    here = site(policy={"slots": 3, "memory_reserve_fraction": 0.1, "smb_cap_fraction": 0.5, "avoid": ["HV09"]})
    untouched = here.options_of(PlanOptions())
    assert (untouched.slots, untouched.memory_reserve_fraction, untouched.smb_cap_fraction) == (3, 0.1, 0.5)
    assert untouched.avoided == frozenset({"HV09"})
    touched = PlanOptions(slots=1, memory_reserve_fraction=0.2, smb_cap_fraction=1.0, avoided=frozenset({HV02}))
    avoided = frozenset({HV02, HostName("HV09")})
    assert here.options_of(touched) == replace(touched, avoided=avoided, guard=here.guard)
    assert untouched.guard == here.guard is not None, "what a plan foresees is what the run will have"
    assert site(guard={"enabled": False}).options_of(PlanOptions()).guard is None


def test_the_sites_word_on_a_conflict_reaches_the_checks() -> None:
    policy = site(checks={"vm-paused": {"severity": "silence", "reason": "as wanted"}}).check_policy
    assert policy.rulings == {"vm-paused": (Ruling.SILENCE, "as wanted")}


def test_a_lab_has_its_own_clock_and_a_real_cluster_the_systems() -> None:
    epoch = datetime(2026, 1, 1, 2, tzinfo=UTC)
    clock = site(clock={"speed": 60.0, "origin": 5.0, "epoch": epoch}).clock()
    assert isinstance(clock, ScaledClock)
    assert (clock.speed, clock.origin, clock.epoch) == (60.0, 5.0, epoch)
    assert isinstance(site().clock(), SystemClock)


def test_the_window_is_the_one_of_the_configuration() -> None:
    assert site().opening(datetime(2026, 1, 1, tzinfo=UTC)) is None
    opening = site(window={"start": "02:00", "end": "04:00"}).opening(datetime(2026, 1, 1, tzinfo=UTC))
    assert opening is not None
    assert (opening.ends_at - opening.starts_at).total_seconds() == 7200
