"""``drainboard jea export``: what it writes, and its sentences when it can not."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.cli import run
from console.jea.files import export


def test_every_file_is_written_as_windows_powershell_reads_it(tmp_path: Path) -> None:
    assert run(["jea", "export", str(tmp_path / "a/b")]) == 0
    for name, text in export().items():
        file = tmp_path / "a/b" / name
        assert file.read_text("utf-8-sig") == text
        assert file.read_bytes().startswith(b"\xef\xbb\xbf") is not name.endswith(".md")


def test_nothing_is_overwritten_unasked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edited = tmp_path / "Drainboard.Watch.pssc"
    edited.write_text("mine")
    assert run(["jea", "export", str(tmp_path)]) == 2
    assert f"{edited} is there already; nothing was written" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == [edited.name]
    assert run(["jea", "export", str(tmp_path), "--force"]) == 0
    assert "mine" not in edited.read_text("utf-8-sig")


def test_a_folder_that_is_none_gets_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert run(["jea", "export", str(tmp_path / "file")]) == 2
    said = capsys.readouterr().err
    assert "can not be written: Not a directory." in said
    assert "Traceback" not in said


@pytest.mark.parametrize("group", ["", "Admins", "CORP\\", "\\Admins", "CORP\\x\n'", "CORP\\x\x1b[2J"])
def test_a_group_that_is_none_gets_a_sentence(group: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["jea", "export", str(tmp_path / "out"), "--operate-group", group]) == 2
    said = capsys.readouterr().err
    assert "is no group: write DOMAIN\\GROUP." in said
    assert "\x1b" not in said
    assert not (tmp_path / "out").exists()
