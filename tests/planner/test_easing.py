"""How much a move that outlasts the others really shares."""

from __future__ import annotations

import pytest

from console.forecast.values import MigrationType, MoveForecast
from console.model.units import GIB
from console.planner.easing import eased
from console.planner.moves import Candidate
from console.planner.places import Choice
from tests.builders import host_name, make_vm

HERE, THERE = host_name(1), host_name(2)
VM = make_vm("sql01", HERE, 64)


def forecast(duration_s: float, sent: float, rate: float, converges: bool = True) -> MoveForecast:
    return MoveForecast(MigrationType.LIVE, duration_s, duration_s * 1.1, 1.0, 2.0, rate, sent, converges, "")


def candidate(solo: MoveForecast, shared: MoveForecast) -> Candidate:
    return Candidate(Choice(VM, THERE, ""), solo, shared)


def others(total_s: float) -> Candidate:
    short = forecast(total_s, 1e9, 1e9)
    return candidate(short, short)


def test_what_is_dirtied_more_by_sharing_is_sent_for_as_long_as_the_others_last() -> None:
    long = candidate(forecast(100, 80e9, 1e9), forecast(300, 120e9, 0.5e9))
    found, _ = eased([long, others(50)], 1)
    assert found.shared.bytes_to_send == pytest.approx(100e9)
    assert 100 < found.shared.duration_p50_s < 300


@pytest.mark.parametrize(("others_s", "expected_s"), [(40, 600), (400, 220)])
def test_where_the_first_pass_decides_the_likelier_end_is_taken_with_room_for_both(
    others_s: float, expected_s: float
) -> None:
    solo, shared = forecast(600, 480e9, 0.8e9, False), forecast(220, 2 * 64 * GIB, 0.6e9, False)
    found, _ = eased([candidate(solo, shared), others(others_s)], 1)
    assert found.shared.duration_p50_s == expected_s
    assert found.shared.duration_p90_s == pytest.approx(660)
