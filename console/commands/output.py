"""What a command prints: one document on stdout, everything that is said to a person on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

from console.formatting import plain_lines


def print_document(document: Mapping[str, Any]) -> None:
    """One JSON document on stdout: ASCII, so that no terminal or code page can spoil it."""
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
    sys.stdout.flush()


def print_line(document: Mapping[str, Any]) -> None:
    """One document on one line, for streams."""
    sys.stdout.write(json.dumps(document, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def narrate(text: str) -> None:
    """Say something to the person who watches; never on stdout."""
    click.echo(plain_lines(text), err=True)


def print_text(text: str = "") -> None:
    """A line of a report for people on stdout, in characters that the stream can take."""
    encoding = sys.stdout.encoding or "ascii"
    click.echo(text.encode(encoding, "replace").decode(encoding))


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns, left-aligned; a heading that starts with ``>`` aligns its column to the right."""
    from rich.cells import cell_len

    titles = [heading.removeprefix(">") for heading in headings]
    table = [titles, *rows]
    widths = [max(cell_len(row[column]) for row in table) for column in range(len(titles))]
    for row in table:
        cells = []
        for heading, cell, width in zip(headings, row, widths, strict=True):
            gap = " " * (width - cell_len(cell))
            cells.append(gap + cell if heading.startswith(">") else cell + gap)
        print_text("  ".join(cells).rstrip())
