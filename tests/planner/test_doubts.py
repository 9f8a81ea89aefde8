"""Destinations of which it is not sure that a move can sign in."""

from __future__ import annotations

import pytest

from console.checks.values import Conflict, Findings, Fix, Severity, Subject
from console.forecast.forecaster import PriorForecaster
from console.model.units import GIB
from console.planner.values import PlanOptions
from console.planning import make_plan
from tests.builders import host_name, make_cluster, make_host, make_vm

HERE, SURE, DOUBTFUL = (host_name(number) for number in (1, 2, 3))


def risk(code: str, subject: Subject, severity: Severity = Severity.RISKS) -> Conflict:
    return Conflict(code, severity, subject, "may fail", (), Fix(""), "")


@pytest.mark.parametrize(
    ("conflicts", "expected"),
    [
        ((), DOUBTFUL),
        ((risk("auth-mixed", Subject(host=DOUBTFUL)),), SURE),
        ((risk("host-unreachable", Subject(destination=DOUBTFUL)),), SURE),
        ((risk("network-mtu", Subject(host=DOUBTFUL)),), DOUBTFUL),
        ((risk("auth-mixed", Subject(host=DOUBTFUL), Severity.ADVICE),), DOUBTFUL),
        (
            (
                *(risk("auth-delegation-missing", Subject(HERE, None, host)) for host in (SURE, DOUBTFUL)),
                risk("auth-mixed", Subject(host=DOUBTFUL)),
            ),
            SURE,
        ),
        (
            (
                risk("auth-mixed", Subject(host=DOUBTFUL)),
                risk("host-not-available", Subject(destination=SURE), Severity.BLOCKS),
            ),
            DOUBTFUL,
        ),
    ],
    ids=["none", "one", "unreachable", "not about signing in", "advice", "the fewer the better", "no other serves"],
)
def test_the_surest_of_those_that_serve_is_taken(conflicts: tuple[Conflict, ...], expected: str) -> None:
    fuller = make_host(SURE, memory_free_bytes=400 * GIB)
    cluster = make_cluster([make_host(HERE), fuller, make_host(DOUBTFUL)], vms=(make_vm("app", HERE, 8),))
    plan = make_plan(cluster, HERE, PlanOptions(), PriorForecaster(), Findings(conflicts))
    assert [move.destination for move in plan.moves] == [expected]
