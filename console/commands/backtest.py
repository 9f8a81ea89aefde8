"""``drainboard backtest``: how far the forecast would have been off on migrations that are over."""

from __future__ import annotations

from pathlib import Path

import click

from .target import json_option


@click.command(name="backtest")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
def command(file: Path, as_json: bool) -> int:
    """Score the forecast on FILE, a CSV with one finished migration a row, in the order of their starts.

    Three ways, none of which sees what it is scored on: cold (priors only), cross-validated (learned from the other
    runs) and online (learned from earlier moves). docs/forecast.md describes columns and figures.
    """
    from console.commands.backtesting import backtest_document, report_backtest, run_backtest
    from console.commands.output import print_document

    found = run_backtest(file)
    if as_json:
        print_document(backtest_document(found))
    else:
        report_backtest(found)
    return 0
