"""A process that dies right before, or right after, the answer to an operator's request is on the disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from console.journal.store import Journal, Table
from console.model.identity import RunId


class Killed(Exception):
    """Nothing that the process meant to do after this was done."""


@contextmanager
def dies_answering(journal: Journal, *, written: bool) -> Iterator[None]:
    """Whoever answers a request through ``journal`` dies of it, with the answer ``written`` or not."""
    real = journal.append_to

    def append_to(
        table: Table,
        run: RunId,
        lines: Sequence[tuple[str, str]],
        *,
        token: str | None = None,
        answering: Sequence[int] = (),
    ) -> int:
        if answering and not written:
            raise Killed
        last = real(table, run, lines, token=token, answering=answering)
        if answering:
            raise Killed
        return last

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(journal, "append_to", append_to)
        with pytest.raises(Killed):
            yield
