"""The reference page of conflicts, with examples: ``python -m tests.checks.page > docs/conflicts.md``."""

from __future__ import annotations

from console.checks.catalogue import Facts, run_checks
from console.checks.page import reference_page
from console.checks.values import Conflict
from tests.checks.cases import CASES


def examples() -> dict[str, Conflict]:
    """The first conflict of each code that its own case shows."""
    found: dict[str, Conflict] = {}
    for case in CASES:
        facts = Facts(case.fires, outlook=case.outlook(case.fires), account="CORP\\operator")
        for conflict in run_checks(facts).conflicts:
            if conflict.code == case.code:
                found.setdefault(case.code, conflict)
    return found


if __name__ == "__main__":
    print(reference_page(examples()), end="")
