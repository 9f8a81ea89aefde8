"""Active Directory by LDAP, from the machine that the console runs on: what the nodes' computer accounts may delegate.

From a node's plain session the directory is a second hop, which fails; from here it is the first one. Needs the extra
``directory`` (bonsai, which stands on OpenLDAP's library, or on Windows' own).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol, TypeAlias

from console.model.failures import Refused, Unreachable
from console.model.identity import HostName
from console.site import Site
from console.windows.commands import Row, Value

ATTRIBUTES = ("cn", "msDS-AllowedToDelegateTo", "userAccountControl")
TRUSTED_TO_AUTH_FOR_DELEGATION = 0x1000000
"""Flag of userAccountControl ([MS-ADTS] 2.2.16; Microsoft, "UserAccountControl property flags"): the account may
delegate for sign-ins by any protocol. Get-ADComputer shows it as TrustedToAuthForDelegation."""
LIMIT_S = 10.0
_BASE, _SUBTREE = 0, 2
_SPECIAL = {ord(character): f"\\{ord(character):02x}" for character in "\\*()\0"}
"""What a value in a filter may not hold as it is (RFC 4515)."""

Entry: TypeAlias = Mapping[str, Sequence[object]]


class Connection(Protocol):
    """The part of an LDAP connection that is used here."""

    def search(
        self,
        base: str,
        scope: int,
        filter_exp: str,
        attrlist: list[str],
        timeout: float,
    ) -> Sequence[Entry]: ...


Connect: TypeAlias = Callable[[], AbstractContextManager[Connection]]


class LdapDirectory:
    """See :class:`console.ports.Directory`."""

    def __init__(self, url: str, connect: Connect) -> None:
        self._url = url
        self._connect = connect

    async def computers(self, hosts: Sequence[HostName]) -> Sequence[Row]:
        return await asyncio.to_thread(self._search, hosts)

    def _search(self, hosts: Sequence[HostName]) -> list[Row]:
        names = "".join(f"(sAMAccountName={host.translate(_SPECIAL)}$)" for host in hosts)
        with self._connect() as connection:
            root = connection.search("", _BASE, "(objectClass=*)", ["defaultNamingContext"], LIMIT_S)
            base = next((str(one) for entry in root for one in entry.get("defaultNamingContext", ())), "")
            if not base:
                what = f"{self._url} tells no defaultNamingContext: it is no domain controller."
                raise Refused(HostName(self._url), what)
            found = connection.search(base, _SUBTREE, f"(&(objectClass=computer)(|{names}))", [*ATTRIBUTES], LIMIT_S)
            return [_row(entry) for entry in found if entry.get("cn")]


def _row(entry: Entry) -> Row:
    """As Get-ADComputer would tell it; flags that did not come leave both facts untold."""
    row: dict[str, Value] = {"Name": str(entry["cn"][0])}
    flags = next(iter(entry.get("userAccountControl", ())), None)
    if flags is None or not str(flags).lstrip("-").isdecimal():
        return row
    row["TrustedToAuthForDelegation"] = bool(int(str(flags)) & TRUSTED_TO_AUTH_FOR_DELEGATION)
    row["msDS-AllowedToDelegateTo"] = [str(one) for one in entry.get("msDS-AllowedToDelegateTo", ())]
    return row


def open_directory(site: Site) -> LdapDirectory | None:
    """The site's directory; None where the configuration names none."""
    options = site.options
    if options.directory is None:
        return None
    url = options.directory
    secret = None if site.password is None else site.password.get_secret_value()
    signed = (options.username, secret) if options.username and secret else None
    return LdapDirectory(url, lambda: _connected(url, options.ca_file, signed))


@contextmanager
def _connected(url: str, ca_file: Path | None, signed: tuple[str, str] | None) -> Iterator[Connection]:
    """A connection that is signed in: with the name and password where TLS hides them, else with the ticket at hand.

    Raises:
        Failure: the library is not there, or the directory refuses or does not answer.
    """
    where = HostName(url)
    try:
        import bonsai
    except ImportError:
        what = "Reading the directory takes the library bonsai, which is not installed here."
        raise Refused(where, what, "Install the extra: pip install 'drainboard[directory]'.") from None
    client = bonsai.LDAPClient(url)
    if ca_file is not None:
        client.set_ca_cert(str(ca_file))
    if signed is not None and url.startswith("ldaps://"):
        client.set_credentials("SIMPLE", user=signed[0], password=signed[1])
    else:
        client.set_credentials("GSSAPI")
    try:
        with client.connect(timeout=LIMIT_S) as connection:
            yield connection
    except bonsai.AuthenticationError as error:
        raise Refused(where, f"{url} refused the sign-in ({error}).") from None
    except bonsai.LDAPError as error:
        raise Unreachable(where, f"{url} could not be asked ({error}).") from None
