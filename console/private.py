"""Files that their owner alone reads: they hold no secret, but names, times and who agreed to what."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

FOLDER_MODE, FILE_MODE = 0o700, 0o600


def private_folder(path: Path) -> None:
    """Make the folder; one that is there keeps its rights: a site may share it on purpose.

    Raises:
        OSError: it can not be made.
    """
    path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)


def private_file(path: Path) -> None:
    """Make the file if it is not there, empty; what is made beside it by SQLite takes its rights.

    Raises:
        OSError: it can not be made.
    """
    if not path.exists():
        path.touch(mode=FILE_MODE)


def open_log(path: Path, longest_bytes: int) -> IO[bytes]:
    """A file to append to; begun anew when it has grown.

    Raises:
        OSError: it can not be opened.
    """
    private_folder(path.parent)
    private_file(path)
    return path.open("wb" if os.stat(path).st_size > longest_bytes else "ab")
