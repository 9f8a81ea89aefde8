"""``drainboard forecast``: what was learned about a VM's moves, and making the console forget it."""

from __future__ import annotations

import click

from .target import ClusterCommand, Target, json_option, target_options


@click.group(name="forecast")
def command() -> None:
    """Look at what finished moves have taught the forecast, or have it forgotten."""


@command.command(name="explain", cls=ClusterCommand)
@click.argument("vm")
@target_options
@json_option
def explain(vm: str, target: Target, as_json: bool) -> int:
    """Show on what the forecast of VM rests, host by host, beside what the priors alone would say."""
    from console.commands.explaining import explain_vm, explanation_document, report_explanation
    from console.commands.output import print_document

    found = explain_vm(target, vm)
    if as_json:
        print_document(explanation_document(found))
    else:
        report_explanation(found)
    return 0


@command.command(name="forget", cls=ClusterCommand)
@click.argument("vm", metavar="VM|all")
@target_options
def forget(vm: str, target: Target) -> int:
    """Let moves that are over by now count for nothing: those of VM, or all of them.

    The journal stays whole; removing the file that is named brings everything back.
    """
    from console.commands.explaining import forget_vm
    from console.commands.output import print_text

    print_text(forget_vm(target, vm))
    return 0
