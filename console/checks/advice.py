"""The part of the findings that is advice: what would make moves faster or safer, and stands against none."""

from __future__ import annotations

from .catalogue import CHECKS
from .values import Findings, Severity


def advice_of(findings: Findings) -> Findings:
    """The findings that only advise, and the open questions of the checks that only ever advise."""
    return Findings(
        tuple(conflict for conflict in findings.conflicts if conflict.severity is Severity.ADVICE),
        tuple(gap for gap in findings.unknown if gap.code in CHECKS and CHECKS[gap.code].severity is Severity.ADVICE),
    )
