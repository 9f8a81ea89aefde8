"""The command line: one command each, headless twins of the screens."""

from __future__ import annotations

import click

from console import __version__


@click.group(invoke_without_command=True)
@click.version_option(__version__, prog_name="drainboard")
def main() -> None:
    """Empty Hyper-V failover-cluster nodes by live migration."""


if __name__ == "__main__":
    main()
