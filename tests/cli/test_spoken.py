"""What an operator reads is what would be sent, as PowerShell takes it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import tree_sitter_powershell
from tree_sitter import Language, Parser

from console.checks.values import Findings
from console.forecast.forecaster import PriorForecaster
from console.model.cluster import VmState
from console.model.identity import HostName
from console.planner.values import Engine, Plan, PlanOptions
from console.planning import make_plan
from console.spoken import lines_of, spoken
from console.windows.catalogue import changes, cluster
from console.windows.commands import Call
from tests.builders import make_cluster, make_vm

HV01 = HostName("HV01")
HOSTILE = "a'b\u2019; Remove-Item C:\\ -Recurse #\n$(calc)"


def plan(options: PlanOptions | None = None) -> Plan:
    vms = (make_vm("a", "HV01"), make_vm("b", "HV01", state=VmState.OFF), make_vm("c", "HV01", default_move_type=1))
    return make_plan(make_cluster(3, vms=vms), HV01, options or PlanOptions(), PriorForecaster(), Findings())


def test_a_plan_is_pause_moves_and_the_drain_mark_in_order() -> None:
    lines = lines_of(plan())
    assert lines[0] == "Suspend-ClusterNode -Name 'HV01' -Confirm:$false"
    assert lines[-1] == "Suspend-ClusterNode -Name 'HV01' -Drain -Confirm:$false"
    assert len(lines) == 5
    assert sum("-MigrationType 'Live'" in line for line in lines) == 1
    assert sum("-MigrationType 'Quick'" in line for line in lines) == 1
    assert all(line.startswith("Move-ClusterVirtualMachineRole -VMId '") for line in lines[1:-1])
    assert all(line.endswith("-Wait 0") for line in lines[1:-1])


def test_the_clusters_own_drain_is_one_line() -> None:
    assert lines_of(plan(PlanOptions(engine=Engine.NATIVE))) == (
        "Suspend-ClusterNode -Name 'HV01' -Drain -Confirm:$false",
    )


@pytest.mark.parametrize(
    "call",
    [
        changes.MOVE_GROUP.bind(Role=HOSTILE, Destination="HV02"),
        changes.SET_SMB_BANDWIDTH.bind(Value=2500),
        cluster.GROUPS.bind(),
        replace(changes.PAUSE_NODE.bind(Node=HOSTILE), entry="x"),
    ],
)
def test_every_line_is_one_statement_of_powershell_whatever_the_names(call: Call) -> None:
    tree = Parser(Language(tree_sitter_powershell.language())).parse(spoken(call).encode())
    assert not tree.root_node.has_error
    (statements,) = tree.root_node.named_children
    assert len(statements.named_children) == 1
    assert "sub_expression" not in str(statements)
