"""What a list shows and in which order: columns as values, layout and ordering as pure functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeAlias, TypeVar

from screens.drawing import Line
from screens.filtering import Filter

T = TypeVar("T")

Cell: TypeAlias = str | Line
"""A plain text, or spans that already have the column's width or less."""

GAP = 2
"""Blank cells between two columns."""


@dataclass(frozen=True)
class Column(Generic[T]):
    """One column of a list of ``T``."""

    key: str
    title: str
    width: int
    """Cells; the least when the column may grow."""
    cell: Callable[[T, int], Cell]
    """Draws one row's cell at the column's width of the moment."""
    right: bool = False
    grows: int = 0
    """Share of the room that is left over."""
    most: int = 0
    """Where growing ends; 0 for nowhere."""
    sort: Callable[[T], Any] | None = None
    style: str = ""
    heading: Callable[[int], str] | None = None
    """Draws the title at the column's width, where it depends on what is shown."""
    span: Callable[[T, int], Line | None] | None = None
    """Draws one row from this column to the end of the line, given the cells there; None leaves it to the columns."""
    pinned: bool = False
    """Stays while the others scroll sideways; only leading columns can."""


@dataclass(frozen=True, slots=True)
class Order:
    """By which column a list is sorted; empty for the order it came in."""

    key: str = ""
    reverse: bool = False


@dataclass(frozen=True)
class Layout(Generic[T]):
    """The columns that are seen at one width and sideways offset."""

    columns: tuple[tuple[Column[T], int], ...]
    hidden_before: bool
    hidden_after: bool


def lay_out(columns: Sequence[Column[T]], offset: int, width: int) -> Layout[T]:
    """Choose whole columns for ``width`` cells: the pinned ones, then from ``offset`` on as many as fit."""
    pinned = [column for column in columns if column.pinned]
    others = [column for column in columns if not column.pinned][offset:]
    seen: list[Column[T]] = []
    room = width
    for column in (*pinned, *others):
        if seen and column.width > room:
            break
        seen.append(column)
        room -= column.width + GAP
    return Layout(_share(seen, max(0, room + GAP), width), offset > 0, len(seen) < len(pinned) + len(others))


def _share(seen: Sequence[Column[T]], room: int, width: int) -> tuple[tuple[Column[T], int], ...]:
    """Give the left-over cells to the columns that can grow."""
    widths = [min(column.width, width) for column in seen]
    while room > 0:
        growing = [
            index
            for index, column in enumerate(seen)
            if column.grows and (not column.most or widths[index] < column.most)
        ]
        total = sum(seen[index].grows for index in growing)
        if not total:
            break
        given = 0
        for index in growing:
            column = seen[index]
            wanted = max(1, room * column.grows // total)
            extra = min(wanted, room - given, (column.most or width) - widths[index])
            widths[index] += extra
            given += extra
        room -= given
        if given == 0:
            break
    return tuple(zip(seen, widths, strict=True))


def arrange(
    items: Sequence[T], columns: Sequence[Column[T]], order: Order, chosen: Filter, search: Callable[[T], str]
) -> list[T]:
    """Filter and sort; equal rows keep the order they came in, whichever way the sort goes."""
    kept = [item for item in items if chosen.matches(search(item))] if chosen.active else list(items)
    column = next((column for column in columns if column.key == order.key and column.sort), None)
    if column is not None and column.sort is not None:
        kept.sort(key=column.sort, reverse=order.reverse)
    return kept


def next_order(columns: Sequence[Column[T]], order: Order) -> Order:
    """Each press: the same column the other way round, then the next column, then the order it came in."""
    keys = [column.key for column in columns if column.sort]
    if not keys:
        return order
    if order.key not in keys:
        return Order(keys[0])
    if not order.reverse:
        return replace(order, reverse=True)
    position = keys.index(order.key) + 1
    return Order(keys[position]) if position < len(keys) else Order()


def known(value: float | None) -> tuple[bool, float]:
    """A sort key that puts unknown values last."""
    return (value is None, value or 0.0)
