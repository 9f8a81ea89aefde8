"""The reference page of conflicts, written from the code: ``python -m console.checks.page > docs/conflicts.md``."""

from __future__ import annotations

from .catalogue import CHECKS
from .registry import Check, Family
from .values import Severity

MEANING = {
    Severity.BLOCKS: "the move would fail or must not be tried",
    Severity.INTERRUPTS: "it would go through, but not live",
    Severity.RISKS: "it may fail, or hurts others",
    Severity.ADVICE: "worth knowing",
}

INTRODUCTION = """# Conflicts

What can stop, slow or spoil a live migration, by code. Each conflict comes with the evidence (what was read, where,
when) and with the fix, as a sentence and, where one exists, as a PowerShell line with the real names in it.
A fact that could not be read makes its codes *unknown*: never clean, never a conflict.

*Live Migration Internals and Tuning* is the guide of that name for Hyper-V on Windows Server 2025; *reflected* facts
were read from the Windows modules themselves; *windowsserverdocs* is Microsoft's documentation.

This page is written from the code by `python -m console.checks.page`; a test holds it to that.
"""


def reference_page() -> str:
    """Markdown: the severities, then every code by family."""
    lines = [INTRODUCTION]
    lines += [f"* **{severity.value}**: {meaning}" for severity, meaning in MEANING.items()]
    for family in Family:
        checks = [entry for entry in CHECKS.values() if entry.family is family]
        if checks:
            lines += ["", f"## {family.value}", ""]
            lines += [line for entry in checks for line in _entry(entry)]
    return "\n".join(lines).rstrip() + "\n"


def _entry(entry: Check) -> list[str]:
    return [
        f"### `{entry.code}`",
        "",
        f"{entry.title}.",
        "",
        f"*{entry.severity.value.capitalize()}.* Rests on: {entry.source}.",
        "",
    ]


if __name__ == "__main__":
    print(reference_page(), end="")
