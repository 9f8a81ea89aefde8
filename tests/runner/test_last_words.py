"""Why a runner ended is told to whoever waits for it, not only to its log."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from console.configuration.models import ClusterOptions, Configuration
from console.paths import standard_paths
from console.runner.starting import last_words
from console.site import Site


def test_the_last_line_about_a_run_without_its_moment(tmp_path: Path) -> None:
    paths = replace(standard_paths(tmp_path / "config.toml"), state=tmp_path)
    site = Site("lab", ClusterOptions.model_validate({"nodes": ["HV01"]}), Configuration(), paths)
    assert last_words(site, "run-1") == ""
    lines = [
        "2026-11-24T22:00:00+00:00 run run-1: The journal can not grow: the disk is full. Free some space.",
        "2026-11-24T22:00:01+00:00 run run-2: another",
        "Traceback (most recent call last):",
    ]
    (tmp_path / "runner.log").write_text("\n".join(lines), "utf-8")
    assert last_words(site, "run-1") == "run run-1: The journal can not grow: the disk is full. Free some space."
