"""What compresses better takes less of a link that others share."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.forecast.values import MigrationType, MoveForecast
from console.model.identity import HostName
from console.planner.limits import implied_ports
from console.planner.moves import Candidate
from console.planner.places import Choice
from console.planner.schedule import Limits, list_schedule
from tests.builders import host_name, make_vm

HERE, THERE = host_name(1), host_name(2)
USUAL = MoveForecast(MigrationType.LIVE, 0, 0, 0, 0, 250.0, 1000.0, True, "")
SMALLER = replace(USUAL, rate_bytes_per_s=500.0, link_weight=0.5)
"""Twice the guest memory for each byte on the wire."""


def alone(shared: MoveForecast) -> MoveForecast:
    return replace(shared, rate_bytes_per_s=shared.rate_bytes_per_s * 2)


def candidate(shared: MoveForecast) -> Candidate:
    copying_s = shared.bytes_to_send / shared.rate_bytes_per_s
    shared = replace(shared, duration_p50_s=copying_s, duration_p90_s=copying_s)
    return Candidate(Choice(make_vm("vm01", HERE, 1), THERE, ""), alone(shared), shared)


def ports(*shared: MoveForecast) -> tuple[dict[HostName, float], dict[HostName, float]]:
    return implied_ports([(THERE, alone(each), each) for each in shared], [HERE], sharing=4)


def test_the_link_is_as_wide_whoever_tells_of_it() -> None:
    assert ports(USUAL) == ports(SMALLER) == ports(USUAL, SMALLER) == ({HERE: 1000.0}, {THERE: 1000.0})


def test_beside_others_each_has_an_equal_share_of_the_wire() -> None:
    out, into = ports(USUAL, SMALLER)
    jobs = [candidate(each).job(alone=False) for each in (USUAL, USUAL, USUAL, SMALLER)]
    slots = list_schedule(jobs, Limits(out_bytes_per_s=out, in_bytes_per_s=into))
    assert slots[3].end_s == pytest.approx(1000 / 500)
    assert slots[0].end_s == pytest.approx(2 + 500 / 333.3, rel=1e-3), "a third each, once it is over"
