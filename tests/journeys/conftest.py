"""The journeys need tmux; a machine without it (and Windows) does the rest of the tests."""

from __future__ import annotations

import shutil

collect_ignore_glob = [] if shutil.which("tmux") else ["test_*.py"]
