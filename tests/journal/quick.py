"""Journals that do not wait for the disk, for tests that are not about a crash of the machine."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def quick_journals(monkeypatch: pytest.MonkeyPatch) -> None:
    """A drain in virtual time commits hundreds of times; each wait for a real disk would be longer than the drain."""
    monkeypatch.setattr("console.journal.store.SYNCHRONOUS", "OFF")
