"""Names as bad as they come, and terminals of every size: each screen stands, and no row is longer than the screen."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from console.drain.state import MoveState
from console.model.identity import HostName
from tests.screens.driving import Console, console, pass_time, text_of, until
from tests.screens.fakes import HOSTILE, FakeOperations, cluster_of, run_of

TINY, FLOOR, ROOMY = (40, 10), (80, 24), (160, 50)


async def _walk(operations: FakeOperations, opened: Console) -> list[str]:
    """Every screen once; what each of them showed."""
    app, pilot = opened
    shown = []
    for keys in (("v",), ("G", "g", "enter"), ("escape", "f2"), ("enter",), ("f2", "c"), ("3",), ("2",), ("u",),
                 ("exclamation_mark",), ("question_mark",), ("f2", "colon"), ("escape", "d")):  # fmt: skip
        await pilot.press(*keys)
        await pilot.pause(0.02)
        shown.append(text_of(app))
    await until(pilot, lambda: getattr(app.screen, "plan", None) is not None)
    for keys in (("2",), ("3",), ("4",), ("w",), ("escape", "D"), ("escape",)):
        await pilot.press(*keys)
        await pilot.pause(0.02)
        shown.append(text_of(app))
    handle = run_of(operations)
    app._open_run(handle.run)
    await pass_time(pilot, operations, 2)
    for move, state in zip(list(handle.state().moves.values()), (MoveState.FAILED, MoveState.BLOCKED), strict=False):
        handle.force(move.vm.id, state=state, reason=HOSTILE[0] * 9)
    await pass_time(pilot, operations, 2)
    for keys in ((), ("2",), ("3",), ("ctrl+q",), ("escape",)):
        await pilot.press(*keys)
        await pilot.pause(0.02)
        shown.append(text_of(app))
    return shown


@pytest.mark.parametrize("size", [TINY, FLOOR, ROOMY])
async def test_no_name_breaks_any_screen(size: tuple[int, int]) -> None:
    operations = FakeOperations(cluster_of(4, 8, hostile=True))
    async with console(operations, size) as opened:
        shown = await _walk(operations, opened)
    for text in shown:
        assert not set(text) & {"\x1b", "\u202e", "\u202c", "\t", "\x00"}
        assert {cell_len(line) for line in text.splitlines()} == {size[0]}


@pytest.mark.parametrize("size", [(40, 10), (59, 40), (120, 12), (1, 1)])
async def test_a_terminal_that_is_too_small_says_what_it_needs(size: tuple[int, int]) -> None:
    async with console(FakeOperations(cluster_of(4, 3)), size) as (app, pilot):
        if size[0] >= 40:
            text = text_of(app)
            assert "Drainboard needs 80 × 24." in text
            assert f"This terminal has {size[0]} × {size[1]}." in text
        await pilot.resize_terminal(100, 30)
        await pilot.pause()
        assert "HV01" in text_of(app)
        await pilot.resize_terminal(*size)
        await pilot.pause()
        assert "HV01" not in text_of(app)


async def test_the_plan_of_a_host_that_is_gone_is_a_problem_not_an_end() -> None:
    operations = FakeOperations(cluster_of(4, 3))

    def refuse(*_: object) -> None:
        raise KeyError(HostName("HV99"))

    operations.plan = refuse  # type: ignore[method-assign, assignment]
    async with console(operations, FLOOR) as (app, pilot):
        await pilot.press("d")
        await until(pilot, lambda: app.store.unread > 2)
        await pilot.pause(0.05)
        assert "There is no plan: ! says why." in text_of(app)
        await pilot.press("D", "escape")
        assert operations.changes == []
