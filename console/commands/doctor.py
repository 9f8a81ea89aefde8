"""``drainboard doctor``: whether this console gets through to every node, and what it may do there."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import click

from .target import Target, json_option, target_options

if TYPE_CHECKING:
    from console.diagnose.doctor import DoctorReport
    from console.site import Site


@click.command(name="doctor")
@target_options
@json_option
def command(target: Target, as_json: bool) -> int:
    """Look at names, ports, sign-in, rights, delegation, clocks and versions of every node; changes nothing.

    Ends with 7 when no node could be signed in to, with 1 when something is wrong.
    """
    from console.diagnose.doctor import Verdict
    from console.exits import ExitCode

    from .output import print_document
    from .session import explained, opened_site

    with opened_site(target) as site, explained():
        report = asyncio.run(_examined(site))
    if as_json:
        print_document(doctor_document(report))
    else:
        _print(report)
    if not report.reaches_somebody:
        return int(ExitCode.NO_CONNECTION)
    return int(ExitCode.SOME_FAILED if report.worst is Verdict.PROBLEM else ExitCode.DONE)


async def _examined(site: Site) -> DoctorReport:
    from console.directory import open_directory
    from console.doors import open_reader
    from console.examining import examine_site

    reader = open_reader(site)
    try:
        return await examine_site(site, reader, open_directory(site))
    finally:
        await reader.close()


def doctor_document(report: DoctorReport) -> dict[str, object]:
    """``doctor``: every aspect of every host."""
    return {
        "schema": 1,
        "site": report.site,
        "cluster": report.cluster or None,
        "at": report.at.isoformat(),
        "worst": report.worst.value,
        "hosts": [
            {
                "host": host,
                "aspects": [
                    {
                        "aspect": symptom.aspect.value,
                        "verdict": symptom.verdict.value,
                        "message": symptom.message,
                        "advice": symptom.advice,
                        "evidence": [
                            {
                                "what": seen.what,
                                "value": seen.value,
                                "host": seen.host,
                                "read_at": None if seen.read_at is None else seen.read_at.isoformat(),
                            }
                            for seen in symptom.evidence
                        ],
                        "powershell": symptom.powershell,
                    }
                    for symptom in report.of(host)
                ],
            }
            for host in report.hosts
        ],
    }


def _print(report: DoctorReport) -> None:
    from console.formatting import name, plain

    from .output import print_text

    for host in report.hosts:
        print_text(name(host))
        well = [symptom.aspect.value for symptom in report.of(host) if symptom.verdict.value == "well"]
        if well:
            print_text(f"  well     {', '.join(well)}")
        for symptom in report.of(host):
            if symptom.verdict.value == "well":
                continue
            print_text(f"  {symptom.verdict.value:<8} {symptom.aspect.value:<16} {plain(symptom.message)}")
            if symptom.advice:
                print_text(f"{'':<28}{plain(symptom.advice)}")
            if symptom.powershell:
                print_text(f"{'':<28}PS> {plain(symptom.powershell)}")
    counts = Counter(symptom.verdict.value for symptom in report.symptoms)
    print_text(", ".join(f"{counts[word]} {word}" for word in ("problem", "warning", "unknown", "well")) + ".")
