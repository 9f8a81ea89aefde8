"""Shares of what several flows use."""

from __future__ import annotations

import math

import pytest

from console.lab.world.fluid import Flow, fair_rates


def flow(*uses: str, ceiling: float = math.inf) -> Flow:
    return Flow(ceiling, tuple((resource, 1.0) for resource in uses))


def test_a_flow_over_a_fast_way_has_what_one_over_a_slow_way_leaves() -> None:
    flows = {"slow": flow("out", "narrow", "unlimited"), "fast": flow("out", "wide", "unlimited")}
    capacities = {"out": 100.0, "narrow": 10.0, "wide": 100.0, "unlimited": math.inf}
    assert fair_rates(flows, capacities) == {"slow": pytest.approx(10.0), "fast": pytest.approx(90.0)}


def test_a_flow_that_is_held_back_leaves_its_share() -> None:
    flows = {"held": flow("out", ceiling=20.0), "free": flow("out")}
    assert fair_rates(flows, {"out": 100.0}) == {"held": pytest.approx(20.0), "free": pytest.approx(80.0)}
