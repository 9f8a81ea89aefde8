"""The command ``drainboard``: finds the subcommand, turns every expected failure into a sentence and an exit code."""

from __future__ import annotations

import importlib
import io
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from console import __version__
from console.commands.target import Target
from console.exits import CommandEnded, ExitCode
from console.formatting import plain_lines

COMMANDS = (
    "lab",
    "hosts",
    "vms",
    "check",
    "doctor",
    "tune",
    "plan",
    "roll",
    "drain",
    "attach",
    "resume",
    "watch",
    "snapshot",
    "backtest",
    "forecast",
    "paths",
    "history",
    "report",
    "replay",
    "jea",
)
"""Each is the ``command`` of the module of its name in :mod:`console.commands`."""


class CommandGroup(click.Group):
    """Imports a command's module only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"console.commands.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command


@click.group(
    cls=CommandGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--cluster", metavar="NAME", help="A cluster of the configuration.")
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The configuration, instead of the user's own.",
)
@click.option("--read-only", is_flag=True, help="Only look: nothing can be changed from this console.")
@click.version_option(__version__, prog_name="drainboard")
@click.pass_context
def drainboard(ctx: click.Context, cluster: str | None, config: Path | None, read_only: bool) -> int | None:
    """Empty Hyper-V failover-cluster nodes by live migration.

    Without a command the console opens on the configured cluster. Try it without one: drainboard lab
    """
    ctx.obj = Target(cluster, None, config)
    if ctx.invoked_subcommand is not None:
        return None
    from console.commands.console import open_console

    return open_console(ctx.obj, read_only=read_only)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and end the process with its exit code."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run one command; every expected failure has become text on stderr and an exit code."""
    try:
        result = drainboard.main(list(arguments), prog_name="drainboard", standalone_mode=False)
    except click.ClickException as error:
        said = io.StringIO()
        error.show(said)
        click.echo(plain_lines(said.getvalue().rstrip("\n")), err=True)
        return int(ExitCode.USAGE)
    except CommandEnded as error:
        click.echo(plain_lines(error.text), err=True)
        return int(error.code)
    except (click.Abort, KeyboardInterrupt):
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        return int(ExitCode.DONE)
    return result if isinstance(result, int) else int(ExitCode.DONE)


if __name__ == "__main__":
    main()
