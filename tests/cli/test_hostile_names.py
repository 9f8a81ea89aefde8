"""Names as bad as they come, through every command that prints them: nothing reaches the terminal but text."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import pytest

from console.cli import run
from console.model.cluster import Cluster
from console.model.identity import RoleName
from console.snapshot import snapshot_of
from tests.builders import make_cluster

NAMES = (
    "\x1b]0;owned\x07\x1b[2Jweb",
    "[bold red]a[/] [link=http://evil]x[/link]",
    "rtl\u202egnp.exe",
    "x\u2019; Stop-Computer #\u2018",
    "multi\nline\ttab\x00",
    "zero\u200bwidth\u00ad",
    "\x9b31mcsi",
    "=1+1",
    "",
)


def hostile() -> Cluster:
    """Every VM, role and problem has a bad name, and some VMs are in the way of a drain."""
    plain = make_cluster(3, 6)
    names = cycle(NAMES)
    vms = tuple(
        replace(
            vm,
            ref=replace(vm.ref, name=(name := next(names)), role=RoleName(f"{name} role")),
            status=name,
            version="99.0" if place % 3 == 0 else vm.version,
            anti_affinity=(name,) if place % 2 else (),
        )
        for place, vm in enumerate(plain.vms)
    )
    hosts = tuple(replace(host, problems=(NAMES[0],)) for host in plain.hosts)
    return replace(plain, vms=vms, hosts=hosts, name=f"LAB{NAMES[0]}", problems=(NAMES[0], NAMES[4]))


@pytest.mark.parametrize("flags", [[], ["--json"]], ids=["text", "json"])
@pytest.mark.parametrize(
    "command", [["check"], ["check", "HV01"], ["plan", "HV01"], ["tune"], ["roll", "--all"]], ids=" ".join
)
def test_no_name_writes_on_the_terminal(
    command: list[str], flags: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    snapshot = tmp_path / "snapshot.json"
    snapshot.write_text(json.dumps(snapshot_of(hostile())), "utf-8")
    assert run([*command, "--from", str(snapshot), *flags]) in (0, 1, 3)
    shown = capsys.readouterr()
    assert shown.out
    for text in (shown.out, shown.err):
        assert not {sign for sign in text if sign != "\n" and unicodedata.category(sign) in ("Cc", "Cf", "Co", "Cs")}
    if flags:
        json.loads(shown.out)


TYPED = "\x1b]0;owned\x07\x1b[31mx"


@pytest.mark.parametrize(
    "command",
    [
        ["plan", "HV01", "--from", TYPED],
        ["hosts", "--config", TYPED],
        ["hosts", "--config", "bad.toml"],
        ["drain", TYPED, TYPED],
        ["report", TYPED, "--journal", "none.sqlite"],
        ["jea", "export", f"file/{TYPED}"],
        ["lab", "--serve", TYPED],
        [TYPED],
    ],
    ids=lambda command: command[0].strip("\x1b")[:6],
)
def test_what_was_typed_or_configured_is_told_as_text(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    (tmp_path / "bad.toml").write_text('"\\u001b]0;x\\u0007\\u001b[31m" = 1\n')
    assert run(command) == 2
    shown = capsys.readouterr()
    assert shown.err
    assert not {sign for sign in shown.out + shown.err if sign != "\n" and unicodedata.category(sign) == "Cc"}
