"""``drainboard backtest``: the document, the table, and one sentence for what can not be used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from console.cli import run

HEADER = "run,memory_bytes,link_bytes_per_s,duration_s,blackout_s,outcome,give_up_s"
ROWS = [f"r{number // 4},{(1 + number % 3) * 2**30},1e9,{6 + number % 3},0.4,," for number in range(40)]

CONFUSION = ("converged_as_forecast", "converged_unexpectedly", "failed_as_forecast", "failed_unexpectedly")


def write(folder: Path, *lines: str) -> str:
    path = folder / "moves.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return str(path)


def test_the_document_has_every_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lost = "r9,1e9,1e9,,,not_converged,60"
    assert run(["backtest", write(tmp_path, HEADER, *ROWS, lost), "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert err == ""
    assert list(found) == ["schema", "rows", "cold", "cross_validated", "online", "makespan"]
    assert (found["schema"], found["rows"]) == (1, 41)
    for way in ("cold", "cross_validated", "online"):
        assert found[way]["duration"]["rows"] == 40
        assert {"mape_percent", "median_percent", "p90_percent", "p99_percent"} < set(found[way]["duration"])
        assert {"mean_ms", "median_ms", "p90_ms", "p99_ms"} < set(found[way]["blackout"])
        assert 0 <= found[way]["p90_coverage_percent"] <= 100
        assert sum(found[way]["convergence"][each] for each in CONFUSION) == 41
        assert found["makespan"][way]["runs"] == 10
    assert found["makespan"]["runs"][0]["moves"] == 4


def test_the_table_names_the_three_ways(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["backtest", write(tmp_path, HEADER, *ROWS)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("40 finished migrations")
    assert all(way in out for way in ("cold", "cross validated", "online", "duration MAPE"))


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([HEADER], "has no rows"),
        ([HEADER, ROWS[0]], "has one row"),
        ([], "line 1: the columns run, memory_bytes"),
        ([HEADER, *ROWS, "r,1e9,fast,3,,,"], "line 42: link_bytes_per_s is no number: 'fast'"),
        ([HEADER, *ROWS, "r,1e9,1e9,-3,,,"], "line 42: duration_s is negative"),
        ([HEADER, *ROWS, "r,1e9,1e9,nan,,,"], "line 42: duration_s is not a finite number"),
        ([HEADER, "r,1e9,1e9,3,,\x1b[31mred,"], "line 2: outcome is"),
    ],
)
def test_bad_input_is_one_sentence_and_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lines: list[str], says: str
) -> None:
    assert run(["backtest", write(tmp_path, *lines)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err
    assert len(err.splitlines()) == 1
    assert "\x1b" not in err


def test_files_that_are_no_text_or_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    binary = tmp_path / "x.csv"
    binary.write_bytes(b"\xff\xfe\x00\x01" * 100)
    for path, says in ((binary, "no text in UTF-8"), (tmp_path / "none.csv", "can not be read")):
        assert run(["backtest", str(path)]) == 2
        assert says in capsys.readouterr().err
