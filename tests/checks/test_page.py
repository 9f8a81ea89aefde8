"""The reference page says what the code says."""

from __future__ import annotations

from pathlib import Path

from console.checks.page import reference_page
from tests.checks.page import examples

PAGE = Path(__file__).parents[2] / "docs" / "conflicts.md"


def test_the_page_is_written_from_the_code() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference_page(examples())
