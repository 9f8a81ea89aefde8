"""``drainboard lab``: a simulated cluster on loopback, with the console on it or served for others."""

from __future__ import annotations

import click

from .target import DEFAULT_SCENARIO, Target, json_option

ENDPOINTS = {"plain": None, "watch": "Drainboard.Watch", "operate": "Drainboard.Operate"}


@click.command(name="lab")
@click.argument("scenario", required=False)
@click.option("--scenario", "named", metavar="SCENARIO", help="The same as the argument.")
@click.option("--seed", type=int, metavar="N", help="Another world of the same kind (1).")
@click.option(
    "--speed",
    type=click.FloatRange(0),
    metavar="X",
    help="Seconds of the lab in one of life (5 to 20, by scenario); 0 stands still.",
)
@click.option(
    "--serve", "only_serve", is_flag=True, help="Only serve: print one JSON line when ready, until interrupted."
)
@click.option("--port", type=click.IntRange(1, 65535), metavar="P", help="Serve on this port and those after it.")
@click.option(
    "--endpoint",
    type=click.Choice(list(ENDPOINTS)),
    help="Which session configuration the served lab's config names (plain); watch and operate are constrained.",
)
@click.option("--tied", is_flag=True, hidden=True, help="Serve as long as standard input is open.")
@click.option("--list", "only_list", is_flag=True, help="List the scenarios.")
@json_option
def command(
    scenario: str | None,
    named: str | None,
    seed: int | None,
    speed: float | None,
    only_serve: bool,
    port: int | None,
    endpoint: str | None,
    tied: bool,
    only_list: bool,
    as_json: bool,
) -> int:
    """Start a simulated cluster and open the console on it.

    SCENARIO is one of `drainboard lab --list`, or a TOML file of your own. Everything stays on this machine.
    """
    if scenario and named and scenario != named:
        raise click.UsageError("two scenarios were named.")
    chosen = scenario or named or DEFAULT_SCENARIO
    if only_list:
        return _list(as_json)
    if only_serve:
        from .lab_service import serve_lab

        named_endpoint = ENDPOINTS[endpoint or "plain"]
        return serve_lab(chosen, 1 if seed is None else seed, speed, port, tied=tied, endpoint=named_endpoint)
    if port is not None or endpoint is not None:
        raise click.UsageError(f"--{'endpoint' if port is None else 'port'} goes with --serve.")
    from .console import open_console

    return open_console(Target(scenario=chosen, seed=seed, speed=speed), read_only=False)


def _list(as_json: bool) -> int:
    from console.documents import scenarios_document
    from console.lab.serve import scenarios

    from .output import print_document, print_table

    known = [{"name": file.name, "title": file.title, "codes": list(file.codes)} for file in scenarios()]
    if as_json:
        print_document(scenarios_document(known))
    else:
        print_table(("scenario", "what it shows"), [(file.name, file.title) for file in scenarios()])
    return 0
