"""Where this machine keeps things: the only module that knows. Created by whoever writes there, not here."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

_APPLICATION = "drainboard"


@dataclass(frozen=True, slots=True)
class Paths:
    configuration: Path
    """config.toml: ``--config``, else ``DRAINBOARD_CONFIG``, else the user's configuration folder."""
    journal: Path
    """SQLite file of every run."""
    state: Path
    """Folder of what running processes leave for one another."""
    cache: Path

    @property
    def reports(self) -> Path:
        """Folder of the reports that a console wrote; a lab's outlast the lab."""
        return self.state / "reports"


def standard_paths(configuration: Path | None = None, journal: Path | None = None) -> Paths:
    """The paths of this user on this machine, with the two that can be given replaced."""
    folders = platformdirs.PlatformDirs(_APPLICATION, appauthor=False, roaming=False)
    from_environment = os.environ.get("DRAINBOARD_CONFIG")
    named = configuration or (Path(from_environment).expanduser() if from_environment else None)
    return Paths(
        configuration=named or folders.user_config_path / "config.toml",
        journal=journal or folders.user_state_path / "journal.sqlite",
        state=folders.user_state_path,
        cache=folders.user_cache_path,
    )
