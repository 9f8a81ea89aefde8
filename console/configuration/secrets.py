"""Where a password comes from: an environment variable, the system's keyring, or a question. Never a file.

It travels as :class:`pydantic.SecretStr`, whose text shows in no log, no traceback and no ``repr``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from pydantic import SecretStr

from .models import Authentication, ClusterOptions

KEYRING_SERVICE = "drainboard"
GENERAL_VARIABLE = "DRAINBOARD_PASSWORD"

Ask: TypeAlias = Callable[[str], str | None]
"""Puts a question to the operator; None when nobody can be asked."""
Lookup: TypeAlias = Callable[[str, str], str | None]
"""(service, user) → the stored password, or None."""


class PasswordMissing(Exception):
    """A sign-in needs a password and none was found anywhere."""

    def __init__(self, cluster: str) -> None:
        self.cluster = cluster
        super().__init__(
            f"No password for {cluster}. Set {variable_of(cluster)} or {GENERAL_VARIABLE}, store one in the "
            f'keyring (keyring set {KEYRING_SERVICE} "{cluster}"), or run from a terminal to be asked.'
        )


def variable_of(cluster: str) -> str:
    """The environment variable of one cluster: ``prod-a`` is ``DRAINBOARD_PASSWORD_PROD_A``."""
    return f"{GENERAL_VARIABLE}_{re.sub(r'[^A-Z0-9]', '_', cluster.upper())}"


def without_passwords(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for what we start: it gets a password it needs by another way, and its own children none."""
    return {name: value for name, value in environment.items() if not name.startswith(GENERAL_VARIABLE)}


def find_password(
    cluster: str, options: ClusterOptions, environment: Mapping[str, str], look_up: Lookup, ask: Ask
) -> SecretStr | None:
    """The password for one cluster, from the first source that has one; None where none is needed.

    A sign-in with a ticket (no username) or with a certificate whose key is not encrypted needs none; for an
    encrypted key the same variables hold its passphrase.

    Raises:
        PasswordMissing: one is needed and no source has it.
    """
    for variable in (variable_of(cluster), GENERAL_VARIABLE):
        if environment.get(variable):
            return SecretStr(environment[variable])
    if options.authentication is Authentication.CERTIFICATE or options.username is None:
        return None
    found = look_up(KEYRING_SERVICE, cluster) or ask(f"Password of {options.username} for {cluster}: ")
    if not found:
        raise PasswordMissing(cluster)
    return SecretStr(found)


def keyring_lookup(service: str, user: str) -> str | None:
    """Ask the system's keyring; a machine without one has no password stored."""
    import keyring
    from keyring.errors import KeyringError

    try:
        return keyring.get_password(service, user)
    except KeyringError:
        return None
