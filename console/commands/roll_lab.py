"""A lab that a roll still works in: the same command again joins that one instead of starting another world.

A lab lasts as long as the processes of its runs do. What it takes to find it, its throw-away password included, lies
in a file of the user's own state folder that nobody else may read.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from console.configuration.secrets import GENERAL_VARIABLE
from console.journal.ledger import rolls_of
from console.journal.store import Journal
from console.journal.trouble import JournalUnusable
from console.paths import standard_paths
from console.processes import is_alive
from console.site import Site

from .output import narrate
from .target import Target

_FILE = "rolling-lab.json"


def remember_lab(target: Target, site: Site) -> None:
    """Note where this command's own lab is found, while its roll goes on."""
    if target.scenario is None or site.password is None:
        return
    note = {
        "scenario": target.scenario,
        "config": str(site.paths.configuration.absolute()),
        "password": site.password.get_secret_value(),
    }
    with suppress(OSError):
        path = standard_paths(target.config).state / _FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(note, file)


def joined_lab(target: Target) -> Target:
    """The target, or the lab of the same scenario in which a roll still goes on."""
    if target.scenario is None:
        return target
    try:
        note = json.loads((standard_paths(target.config).state / _FILE).read_text(encoding="utf-8"))
        config = Path(note["config"])
        if note["scenario"] != target.scenario or not _goes_on(config.parent / "journal.sqlite"):
            return target
        os.environ[GENERAL_VARIABLE] = note["password"]
    except (OSError, ValueError, KeyError, TypeError, JournalUnusable):
        return target
    narrate(f"A rolling run still goes on in a lab of {target.scenario}; this joins it.")
    return replace(target, scenario=None, config=config)


def _goes_on(journal: Path) -> bool:
    if not journal.exists():
        return False
    with Journal.open(journal, read_only=True) as opened:
        ledger = rolls_of(opened)
        names = ledger.names()
        if not names or ledger.load(names[0]).closed:
            return False
        beat = opened.runner(names[0])
        return beat is not None and is_alive(beat.pid)
