"""The reference page of conflicts, written from the code and from one example of each code."""

from __future__ import annotations

from collections.abc import Mapping

from .catalogue import CHECKS
from .gaps import command_of
from .registry import Check, Family
from .values import Conflict, Fix, Severity

MEANING = {
    Severity.BLOCKS: "the move would fail or must not be tried",
    Severity.INTERRUPTS: "it would go through, but not live",
    Severity.RISKS: "it may fail, or hurts others",
    Severity.ADVICE: "worth knowing",
}

INTRODUCTION = """# Conflicts

What can stop, slow or spoil a live migration, by code. Each conflict comes with the evidence (what was read, where,
when) and with the fix, as a sentence and, where one exists, as a PowerShell line with the real names in it. The
examples are what the code says of a small cluster of hosts HV01 to HV04.

A fact that could not be read makes its codes *unknown*: never clean, never a conflict. "Read from" names the facts
without which a code stays unknown.

A site can raise, lower or silence a code, with a reason that shows in reports: see `config.example.toml`.

*Live Migration Internals and Tuning* is the guide of that name for Hyper-V on Windows Server 2025; *reflected* facts
were read from the Windows modules themselves; *windowsserverdocs* is Microsoft's documentation.

The console sends none of these lines by itself: they are for you to read, decide on and paste. A line that names a
host acts on that host and can be typed on any machine with the module and the rights. A line about the cluster or a
role is typed on one of its nodes. Some set a value for the window only: note the old one first. "The VM has to be off
for it" means an outage of that VM, to be agreed on before.

This page is written by `python -m tests.checks.page`; a test holds it to the code.
"""


def reference_page(examples: Mapping[str, Conflict]) -> str:
    """Markdown: the severities, then every code by family, with its example."""
    lines = [INTRODUCTION]
    lines += [f"* **{severity.value}**: {meaning}" for severity, meaning in MEANING.items()]
    for family in Family:
        checks = [entry for entry in CHECKS.values() if entry.family is family]
        if checks:
            lines += ["", f"## {family.value}", ""]
            lines += [line for entry in checks for line in _entry(entry, examples[entry.code])]
    return "\n".join(lines).rstrip() + "\n"


def _entry(entry: Check, example: Conflict) -> list[str]:
    return [
        f"### `{entry.code}`",
        "",
        f"{entry.title}.",
        "",
        f"* *{entry.severity.value.capitalize()}.* Rests on: {entry.source}.",
        *([f"* Read from: {_facts(entry.reads)}."] if entry.reads else []),
        f"* Example: {example.message}",
        *_fix(example.fix),
        "",
    ]


def _fix(fix: Fix) -> list[str]:
    off = " The VM has to be off for it." if fix.needs_vm_off else ""
    lines = [f"* Fix: {fix.text}{off}"]
    if fix.powershell:
        lines += ["", "  ```powershell", *(f"  {line}" for line in fix.powershell.splitlines()), "  ```"]
    return lines


def _facts(reads: tuple[str, ...]) -> str:
    """Commands with the properties that are read of their rows, each once, in the order of the check."""
    found: dict[str, list[str]] = {}
    for read in reads:
        entry, _, name = read.partition(".")
        names = found.setdefault(command_of(entry), [])
        if name and name not in names:
            names.append(name)
    return "; ".join(
        f"`{command}` ({', '.join(names)})" if names else f"`{command}`" for command, names in found.items()
    )
