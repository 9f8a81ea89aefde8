"""``drainboard jea``: the constrained endpoint that a careful site puts on its nodes."""

from __future__ import annotations

from pathlib import Path

import click


@click.group(name="jea")
def command() -> None:
    """Write what makes a node offer this console's commands and nothing else (Just Enough Administration)."""


@command.command(name="export")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--watch-group", metavar="GROUP", help="Who may watch: DOMAIN\\GROUP; else to be edited in the file.")
@click.option("--operate-group", metavar="GROUP", help="Who may drain: DOMAIN\\GROUP; else to be edited in the file.")
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
def export(directory: Path, watch_group: str | None, operate_group: str | None, force: bool) -> int:
    """Write module, roles, session configurations and an install sheet into DIR.

    One function for each command that this console knows, with its parameters checked. Nothing is installed: DIR's
    INSTALL.md says how that is done on each node.
    """
    from console.exits import UsageProblem
    from console.jea.files import Groups
    from console.jea.files import export as texts_of
    from console.jea.writing import InTheWay, write

    from .output import narrate

    usual = Groups()
    groups = Groups(
        usual.watch if watch_group is None else _account("--watch-group", watch_group),
        usual.operate if operate_group is None else _account("--operate-group", operate_group),
    )
    try:
        written = write(directory, texts_of(groups), force=force)
    except InTheWay as there:
        raise UsageProblem(
            f"{there.files[0]} is there already{_and_others(len(there.files) - 1)}; nothing was written. "
            "Name another folder, or overwrite with --force."
        ) from None
    except OSError as error:
        place = error.filename or directory
        raise UsageProblem(f"{place} can not be written: {error.strerror or error}.") from None
    narrate(f"Wrote {len(written)} files into {directory}. Read {directory / 'INSTALL.md'} first.")
    return 0


def _account(option: str, text: str) -> str:
    from console.exits import UsageProblem

    domain, separator, name = text.partition("\\")
    if not (domain and separator and name) or not text.isprintable() or text != text.strip():
        raise UsageProblem(f"{option} {text!r} is no group: write DOMAIN\\GROUP.")
    return text


def _and_others(count: int) -> str:
    return "" if count < 1 else f", and {count} more file{'s' * (count > 1)}"
