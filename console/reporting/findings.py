"""What the checks found, as a file: for a ticket, a spreadsheet or a program."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from console.checks.values import Conflict, Evidence, Findings, Subject, Unknown
from console.documents import check_document
from console.formatting import count, plain
from console.model.cluster import Cluster
from console.private import private_folder

from .formats import Format
from .markdown import safe
from .table import safe as cell

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_HEADINGS = (
    "code", "severity", "host", "VM", "VM id", "destination", "message", "evidence", "fix", "PowerShell", "VM off",
    "rests on",
)  # fmt: skip


def write_findings(folder: Path, cluster: Cluster, findings: Findings, form: Format) -> Path:
    """Write the findings, over an earlier file of the same cluster and format; returns the file.

    Raises:
        OSError: the folder can not be made, or the file not be written.
        ValueError: findings have no such format.
    """
    if form not in FORMATS:
        raise ValueError(f"Findings are written as {', '.join(one.value for one in FORMATS)}, not as {form.value}.")
    text = FORMATS[form](cluster, findings)
    private_folder(folder)
    path = folder / f"drainboard-conflicts-{_UNSAFE.sub('-', cluster.name).strip('.-') or 'cluster'}.{form.value}"
    path.write_text(text, encoding="utf-8", newline="")
    return path


def markdown(cluster: Cluster, findings: Findings) -> str:
    """One section a conflict, the worst first."""
    total = count(len(findings.conflicts), "conflict"), count(len(findings.unknown), "open question")
    lines = [
        f"# Conflicts of {safe(cluster.name)}",
        "",
        f"{total[0]}, {total[1]}; read at {cluster.read_at.isoformat(timespec='seconds')}.",
    ]
    for conflict in findings.conflicts:
        lines += _section(conflict)
    if findings.unknown:
        lines += ["", "## Open questions", ""]
        lines += [f"- `{gap.code}` {safe(_about(gap.subject))}: {safe(gap.missing)}" for gap in findings.unknown]
    return "\n".join(lines) + "\n"


def _section(conflict: Conflict) -> list[str]:
    off = " The VM has to be off for it." if conflict.fix.needs_vm_off else ""
    return [
        "",
        f"## {conflict.code} ({conflict.severity.value}): {safe(_about(conflict.subject))}",
        "",
        safe(conflict.message),
        "",
        *(f"- {safe(_read(seen))}" for seen in conflict.evidence),
        f"- Fix: {safe(conflict.fix.text)}{off}",
        *([f"- `{plain(conflict.fix.powershell).replace('`', '')}`"] if conflict.fix.powershell else []),
        f"- Rests on: {safe(conflict.source)}",
    ]


def table(cluster: Cluster, findings: Findings) -> str:
    """One row a conflict, then one an open question with the severity ``unknown``."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(_HEADINGS)
    rows: list[Conflict | Unknown] = [*findings.conflicts, *findings.unknown]
    writer.writerows([cell(text) for text in _row(one)] for one in rows)
    return file.getvalue()


def _row(found: Conflict | Unknown) -> list[str]:
    subject = found.subject
    vm = ("", "") if subject.vm is None else (subject.vm.name, subject.vm.id)
    about = [subject.host or "", *vm, subject.destination or ""]
    if isinstance(found, Unknown):
        return [found.code, "unknown", *about, found.missing, "", "", "", "", ""]
    evidence = "; ".join(_read(seen) for seen in found.evidence)
    off = "yes" if found.fix.needs_vm_off else "no"
    return [
        found.code, found.severity.value, *about, found.message, evidence, found.fix.text, found.fix.powershell, off,
        found.source,
    ]  # fmt: skip


def _read(seen: Evidence) -> str:
    where = f" on {seen.host}" if seen.host else ""
    at = f", read at {seen.read_at.isoformat(timespec='seconds')}" if seen.read_at else ""
    return f"{seen.what}{where}: {seen.value}{at}"


def _about(subject: Subject) -> str:
    start = (subject.vm.name or subject.vm.id) if subject.vm else subject.host or ""
    end = f" → {subject.destination}" if subject.destination else ""
    return f"{start}{end}".strip() or "the cluster"


def _json(cluster: Cluster, findings: Findings) -> str:
    return json.dumps(check_document(findings, None), indent=2) + "\n"


FORMATS: Mapping[Format, Callable[[Cluster, Findings], str]] = {
    Format.MARKDOWN: markdown,
    Format.JSON: _json,
    Format.CSV: table,
}
"""How each is written."""
