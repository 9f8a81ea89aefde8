"""``drainboard check``: one document, exit 3 when something blocks, and the site's own word on codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from console.checks.registry import Ruling, SitePolicy
from console.cli import run
from console.model.cluster import Cluster, VmState
from console.snapshot import snapshot_of
from tests.checks.worlds import cluster_of, with_host, with_vm


def _checked(
    cluster: Cluster,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    *arguments: str,
    policy: SitePolicy | None = None,
) -> tuple[int, dict[str, Any], str]:
    file = folder / "cluster.json"
    file.write_text(json.dumps(snapshot_of(cluster, policy=policy or SitePolicy())), encoding="utf-8")
    code = run(["check", *arguments, "--from", str(file), "--json"])
    said = capsys.readouterr()
    return code, json.loads(said.out) if said.out else {}, said.err


def test_nothing_that_blocks_ends_with_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, document, _ = _checked(cluster_of(), tmp_path, capsys)
    assert (code, document["schema"], document["node"]) == (0, 1, None)
    assert not [one for one in document["conflicts"] if one["severity"] in ("blocks", "risks")]


def test_something_that_blocks_ends_with_3_and_has_evidence_and_fix(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, document, _ = _checked(with_host(migration_enabled=False), tmp_path, capsys)
    conflict = next(one for one in document["conflicts"] if one["code"] == "host-migration-disabled")
    assert code == 3
    assert conflict["subject"] == {"host": "HV01"}
    assert conflict["evidence"][0]["host"] == "HV01"
    assert conflict["evidence"][0]["read_at"] == "2026-01-01T02:00:00+00:00"
    assert conflict["fix"]["powershell"] == "Enable-VMMigration -ComputerName 'HV01'"


@pytest.mark.parametrize("arguments", [("hv01",), ("--node", "hv01"), ("HV01", "--node", "hv01")])
def test_a_node_is_named_either_way(
    arguments: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, document, _ = _checked(cluster_of(), tmp_path, capsys, *arguments)
    assert document["node"] == "HV01"


def test_two_nodes_are_a_question(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = _checked(cluster_of(), tmp_path, capsys, "HV01", "--node", "HV02")
    assert code == 2
    assert "HV01 or HV02" in err


def test_the_site_raises_lowers_and_silences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paused = with_vm(state=VmState.PAUSED)
    raised = SitePolicy({"vm-paused": (Ruling.BLOCKS, "a paused VM is an error here")})
    code, document, _ = _checked(paused, tmp_path, capsys, policy=raised)
    message = next(one["message"] for one in document["conflicts"] if one["code"] == "vm-paused")
    assert code == 3
    assert "a paused VM is an error here" in message
    silent = SitePolicy({"vm-paused": (Ruling.SILENCE, "test machines")})
    code, document, _ = _checked(paused, tmp_path, capsys, policy=silent)
    assert code == 0
    assert "vm-paused" not in {one["code"] for one in document["conflicts"]}


def test_a_ruling_on_a_code_that_is_none_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stranger = SitePolicy({"vm-pausd": (Ruling.SILENCE, "typed in haste")})
    _, _, err = _checked(cluster_of(), tmp_path, capsys, policy=stranger)
    assert "vm-pausd" in err
    assert "vm-paused" in err
