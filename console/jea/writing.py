"""The export on the disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


class InTheWay(Exception):
    """Files that are there already, and may have been edited."""

    def __init__(self, files: tuple[Path, ...]) -> None:
        super().__init__(", ".join(str(file) for file in files))
        self.files = files


def write(directory: Path, texts: Mapping[str, str], *, force: bool = False) -> tuple[Path, ...]:
    """Write every file, with a byte order mark where Windows PowerShell would else guess the encoding.

    Raises:
        InTheWay: some are there already, and ``force`` is not given; nothing was written.
        OSError: the folder or a file can not be written.
    """
    files = {directory / name: text for name, text in texts.items()}
    there = tuple(file for file in files if file.exists())
    if there and not force:
        raise InTheWay(there)
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        encoding = "utf-8" if file.suffix == ".md" else "utf-8-sig"
        file.write_text(text, encoding=encoding, newline="\n")
    return tuple(files)
