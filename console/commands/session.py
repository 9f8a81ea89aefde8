"""From a target to a cluster that answers: the configuration, the password, the lab's process, the connection."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

from console.configuration.problems import ConfigurationError
from console.configuration.secrets import PasswordMissing, find_password, keyring_lookup
from console.exits import CommandEnded, ExitCode, UsageProblem
from console.formatting import plain
from console.journal.trouble import JournalUnusable
from console.model.failures import Failure
from console.site import Site, find_site
from console.snapshot import SnapshotUnreadable

from .output import narrate
from .target import Target

if TYPE_CHECKING:
    from pydantic import SecretStr

    from console.composition import LiveOperations
    from console.configuration.models import ClusterOptions
    from console.model.cluster import Cluster

Result = TypeVar("Result")


def with_operations(
    target: Target, work: Callable[[LiveOperations], Awaitable[Result]], *, read_only: bool = True
) -> Result:
    """Connect, do the work, close.

    Raises:
        CommandEnded: with the sentence and the exit code for whatever was in the way.
    """
    from console.composition import open_operations

    async def connected(site: Site) -> Result:
        async with open_operations(site, read_only=read_only) as operations:
            return await work(operations)

    with opened_site(target) as site, explained():
        return asyncio.run(connected(site))


@contextlib.contextmanager
def opened_site(target: Target) -> Iterator[Site]:
    """The configured cluster, or a lab that lasts as long as the context."""
    with explained():
        if target.scenario is None:
            yield find_site(target.config, target.cluster, ask_for_password)
            return
        from console.lab_process import LabSettings, started_lab

        with started_lab(LabSettings(target.scenario, target.seed, target.speed), narrate) as site:
            yield site


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Expected failures as sentences with an exit code."""
    try:
        yield
    except ConfigurationError as error:
        count = len(error.problems)
        raise UsageProblem(f"{error}\n{count} problem{'s' * (count > 1)} in the configuration.") from None
    except SnapshotUnreadable as error:
        raise UsageProblem(str(error)) from None
    except JournalUnusable as error:
        raise UsageProblem(str(error)) from None
    except PasswordMissing as error:
        raise CommandEnded(ExitCode.NO_CONNECTION, str(error)) from None
    except Failure as error:
        raise CommandEnded(ExitCode.NO_CONNECTION, explain(error)) from None


def explain(failure: Failure) -> str:
    """What happened, to which host, and what to do next."""
    lines = [f"{plain(failure.host)}: {plain(failure.what)}"]
    return "\n".join([*lines, plain(failure.advice)] if failure.advice else lines)


def ask_for_password(cluster: str, options: ClusterOptions) -> SecretStr | None:
    """The cluster's password from environment, keyring or, on a terminal, a question on stderr."""
    return find_password(cluster, options, os.environ, keyring_lookup, _ask)


def _ask(question: str) -> str | None:
    if not sys.stdin.isatty():
        return None
    import getpass

    return getpass.getpass(question, stream=sys.stderr) or None


async def read_all(operations: LiveOperations) -> Cluster:
    """The cluster with every finer fact of every VM."""
    return await operations.read_details(await operations.read_cluster(), None)
