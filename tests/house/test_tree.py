"""The tree keeps its own rules: short modules, one clock, no strangers' addresses, and a README that is run."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOP = {
    ".ci", ".gitignore", "CHANGELOG.md", "LICENSE", "README.md", "config.example.toml", "console", "constraints.txt",
    "docs", "pyproject.toml", "run.py", "screens", "tests", "themes",
}  # fmt: skip
TEXTS = {".py", ".md", ".toml", ".txt", ".tcss", ".json", ".csv", ".svg", ""}
GENERATED = {"__pycache__", "build", "dist"}

REGISTRIES = re.compile("|".join(("pypi\\." + "org", "files\\.python" + "hosted", "/simple" + "/", "--index" + "-url")))
MACHINE = re.compile("|".join(("/wo" + "rk/", "/ro" + "ot/", "/opt/py" + "pi", "/tmp/[a-z]" + "b/")))


def tracked() -> list[Path]:
    """Every file of the project, without what tools leave behind."""
    files = (path for path in ROOT.rglob("*") if path.is_file())
    return [path for path in files if _is_ours(path.relative_to(ROOT).parts)]


def _is_ours(parts: tuple[str, ...]) -> bool:
    hidden = any(part.startswith(".") and part not in (".ci", ".gitignore") for part in parts)
    return not hidden and not GENERATED & set(parts) and not any(part.endswith(".egg-info") for part in parts)


MODULES = [path for path in tracked() if path.suffix == ".py"]
OURS = [path for path in MODULES if path.relative_to(ROOT).parts[0] in ("console", "screens")]


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_nothing_lies_at_the_top_without_a_reason() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in tracked()} <= TOP


def test_no_module_is_longer_than_400_lines() -> None:
    long = {shown(path): count for path in MODULES if (count := len(path.read_text("utf-8").splitlines())) > 400}
    assert not long


@pytest.mark.parametrize("path", OURS, ids=shown)
def test_only_the_clock_asks_for_the_time(path: Path) -> None:
    if shown(path) == "console/clock.py":
        return
    asked = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and (node.func.value.id, node.func.attr)
        in {("datetime", "now"), ("datetime", "utcnow"), ("time", "time"), ("time", "monotonic"), ("date", "today")}
    ]
    assert not asked


def test_no_file_names_a_registry_or_a_machine() -> None:
    texts = {shown(path): path.read_text("utf-8") for path in tracked() if path.suffix in TEXTS}
    found = {
        name: match.group()
        for name, text in texts.items()
        for pattern in (REGISTRIES, MACHINE)
        if (match := pattern.search(text))
    }
    assert not found


def test_nothing_is_left_for_later() -> None:
    words = re.compile(
        r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b|NotImplemented" + r"Error|pytest\.mark\.(sk" + r"ip|xf" + r"ail)"
    )
    found = {shown(path): m.group() for path in MODULES if (m := words.search(path.read_text("utf-8")))}
    assert not found


def test_the_readme_tells_two_commands_and_the_second_is_what_is_checked() -> None:
    commands = re.findall(r"^python3 run\.py .*$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    assert commands[:2] == ["python3 run.py lab", "python3 run.py test"]
    checked = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    assert checked[-1] == commands[1]


def test_every_version_is_pinned_with_hashes() -> None:
    entries = re.split(r"\n(?=[a-z])", (ROOT / "constraints.txt").read_text("utf-8"))[1:]
    assert len(entries) > 30
    assert all(re.match(r"[a-z0-9-]+==[^\s]+", entry) and "--hash=sha256:" in entry for entry in entries)
