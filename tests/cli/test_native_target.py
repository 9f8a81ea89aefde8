"""Where a native drain sends everything: refused with a sentence before anything is sent."""

from __future__ import annotations

import pytest

from console.cli import run
from console.commands.drained import aimed_options
from console.exits import CommandEnded
from console.model.cluster import NodeState
from console.planner.values import Engine, PlanOptions
from tests.builders import host_name, make_cluster, make_host

HV01, HV02, HV03 = (host_name(number) for number in range(1, 4))
CLUSTER = make_cluster([make_host(HV01), make_host(HV02), make_host(HV03, state=NodeState.PAUSED)])


def test_a_target_without_the_clusters_own_drain_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["drain", "HV01", "--confirm", "HV01", "--target", "HV02"]) == 2
    assert "--target goes with --native" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "said"),
    [("hv01", "is the node that is drained"), ("HV03", "it is paused"), ("HV09", "HV09")],
)
def test_a_target_that_the_cluster_would_refuse_is_named(typed: str, said: str) -> None:
    with pytest.raises(CommandEnded, match=said):
        aimed_options(PlanOptions(), CLUSTER, HV01, typed)


def test_a_target_leaves_one_place_to_go() -> None:
    options = aimed_options(PlanOptions(engine=Engine.NATIVE), CLUSTER, HV01, "hv02")
    assert (options.engine, options.native_target, options.avoided) == (Engine.NATIVE, HV02, {HV01, HV03})
    assert aimed_options(PlanOptions(), CLUSTER, HV01, None) == PlanOptions()
