"""``drainboard tune``: the advice, what would shorten one node's drain, and nothing that stands against a move."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from console.cli import run
from console.model.cluster import Cluster, VmState
from console.snapshot import snapshot_of
from tests.checks.worlds import busy_and_balanced, cluster_of, damaged, with_settings, with_vm


def _tuned(cluster: Cluster, folder: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    file = folder / "cluster.json"
    file.write_text(json.dumps(snapshot_of(cluster)), encoding="utf-8")
    assert run(["tune", *arguments, "--from", str(file), "--json"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_advice_is_told_with_its_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = _tuned(with_settings(maximum_parallel_migrations=1), tmp_path, capsys)
    advice = next(one for one in document["advice"] if one["code"] == "limit-default-on-fast")
    assert advice["fix"]["powershell"] == "(Get-Cluster).MaximumParallelMigrations = 2"
    assert advice["evidence"]
    assert (document["node"], document["what_helps"]) == (None, None)


def test_what_stands_against_moves_is_no_advice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = _tuned(busy_and_balanced(), tmp_path, capsys)
    assert {one["severity"] for one in document["advice"]} <= {"advice"}
    assert "cluster-balancer" not in {one["code"] for one in document["advice"]}


def test_what_was_not_read_leaves_advice_open(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = _tuned(damaged(cluster_of(), ("cluster.MaximumParallelMigrations",)), tmp_path, capsys)
    assert "limit-default-on-fast" in {one["code"] for one in document["unknown"]}
    assert "limit-above-rule" not in {one["code"] for one in document["unknown"]}


def test_for_a_node_it_also_tells_what_would_shorten_its_drain(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = _tuned(cluster_of(), tmp_path, capsys, "hv01")
    assert document["node"] == "HV01"
    assert all(one["saved_s"] > 0 for one in document["what_helps"])


def test_people_read_the_command_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "cluster.json"
    file.write_text(json.dumps(snapshot_of(with_vm(state=VmState.PAUSED))), encoding="utf-8")
    assert run(["tune", "--from", str(file)]) == 0
    said = capsys.readouterr().out
    assert "PS> Resume-VM" in said
    assert "1 piece of advice" in said


def test_an_unknown_host_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "cluster.json"
    file.write_text(json.dumps(snapshot_of(cluster_of())), encoding="utf-8")
    assert run(["tune", "HV09", "--from", str(file)]) == 2
    assert "HV09" in capsys.readouterr().err
