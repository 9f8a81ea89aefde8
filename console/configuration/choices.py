"""Words and simple values of ``config.toml``, and how what was typed becomes one of them."""

from __future__ import annotations

import re
from datetime import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError


class Day(StrEnum):
    """In the order of :meth:`datetime.date.weekday`."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class Severity(StrEnum):
    """What a site can say of a conflict."""

    SILENCE = "silence"
    BLOCKS = "blocks"
    INTERRUPTS = "interrupts"
    RISKS = "risks"
    ADVICE = "advice"


class ParallelPer(StrEnum):
    """What MaximumParallelMigrations counts on this cluster."""

    NODE = "node"
    PAIR = "pair"


class Approve(StrEnum):
    """Which waves of a rolling run wait for somebody."""

    EACH = "each"
    ALL = "all"


def choice(kind: type[StrEnum]) -> BeforeValidator:
    """Take a word, in any case, as a member of ``kind``."""

    def convert(value: object) -> object:
        try:
            return kind(value.lower()) if isinstance(value, str) else value
        except ValueError:
            raise PydanticCustomError(
                "choice", "unknown word", {"expected": [str(member) for member in kind]}
            ) from None

    return BeforeValidator(convert)


def as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _time_of_day(value: object) -> object:
    """TOML knows local times with seconds only; people write ``"02:00"``."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,2}:\d{2}(?::\d{2})?", value):
        try:
            return time.fromisoformat(value.zfill(5))
        except ValueError:
            return value
    return value


def _path(value: object) -> object:
    return Path(value).expanduser() if isinstance(value, str) and value else value


TimeOfDay = Annotated[time, BeforeValidator(_time_of_day)]
FilePath = Annotated[Path, BeforeValidator(_path)]
DayChoice = Annotated[Day, choice(Day)]
SeverityChoice = Annotated[Severity, choice(Severity)]
ParallelPerChoice = Annotated[ParallelPer, choice(ParallelPer)]
ApproveChoice = Annotated[Approve, choice(Approve)]
