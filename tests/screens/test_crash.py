"""A console that breaks tells where, and shows no value of any variable."""

from __future__ import annotations

import pytest

from screens.crash import crash_text
from tests.screens.driving import console
from tests.screens.fakes import FakeOperations, cluster_of


async def test_a_crash_shows_frames_and_no_values(capsys: pytest.CaptureFixture[str]) -> None:
    secret = "correct horse " + "battery"

    def broken() -> None:
        password = secret
        raise RuntimeError(f"\x1b]0;evil\x07 after {len(password)}")

    async def crash() -> None:
        async with console(FakeOperations(cluster_of(2, 2))) as (app, pilot):
            app.call_later(broken)
            await pilot.pause()

    with pytest.raises(RuntimeError):
        await crash()
    shown = "".join(capsys.readouterr())
    assert "in broken" in shown
    assert "RuntimeError: after 21" in shown
    assert "battery" not in shown
    assert "\x1b]0" not in shown


def test_the_text_keeps_its_frames_apart() -> None:
    try:
        raise KeyError("a\nb")
    except KeyError as error:
        lines = crash_text(error).splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1].startswith('  File "')
