"""Commands over constrained endpoints of a served lab: sockets, sign-in and no language at all."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.cli.served import Served, served


def _on(lab: Served, endpoint: str, home: Path) -> Served:
    """The same lab through another session configuration."""
    text = Path(lab.config).read_text("utf-8")
    config = home / f"{endpoint}.toml"
    config.write_text(text.replace("ca_file", f'endpoint = "{endpoint}"\nca_file', 1), encoding="utf-8")
    return Served({**lab.ready, "config": str(config)}, home)


def _document(lab: Served, *arguments: str) -> Any:
    done = lab.run(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(re.sub(r'"read_at": "[^"]*"', '"read_at": ""', done.stdout))


def test_what_is_read_is_the_same_and_who_only_watches_is_refused(tmp_path: Path) -> None:
    with served("quiet", tmp_path, speed=0) as lab:
        operate, watch = _on(lab, "Drainboard.Operate", tmp_path), _on(lab, "Drainboard.Watch", tmp_path)
        plan = _document(operate, "plan", "HV01")
        assert len(plan["moves"]) == 10
        assert plan == _document(lab, "plan", "HV01")
        refused = watch.run("drain", "HV01", "--confirm", "HV01")
        assert refused.returncode == 3
        assert "Nothing was sent: Drainboard.Watch on HV01 lets this console look, not move." in refused.stderr
        assert "Drainboard.Watch answers: constrained, to watch only" in watch.run("doctor", "--json").stdout
        assert lab.changing_commands() == 0
