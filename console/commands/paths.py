"""``drainboard paths``: where this machine keeps what the console reads and writes."""

from __future__ import annotations

import click

from .target import Target, json_option, target_options


@click.command(name="paths")
@target_options
@json_option
def command(target: Target, as_json: bool) -> int:
    """Print where configuration, journal and cache lie."""
    from console.configuration.loading import load_configuration
    from console.paths import standard_paths

    from .output import print_document, print_table

    paths = standard_paths(target.config)
    if paths.configuration.exists():
        paths = standard_paths(paths.configuration, load_configuration(paths.configuration).journal.path)
    rows = {name: getattr(paths, name) for name in ("configuration", "journal", "reports", "state", "cache")}
    if as_json:
        print_document({"schema": 1, **{name: str(path) for name, path in rows.items()}})
    else:
        print_table(
            ("what", "where", ""), [(n, str(p), "" if p.exists() else "(not there yet)") for n, p in rows.items()]
        )
    return 0
