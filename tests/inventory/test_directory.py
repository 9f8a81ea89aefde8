"""What the directory tells from the console's own machine decides delegation; what it does not tell stays unknown."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import pytest
from pydantic import ValidationError

from console.checks.catalogue import Facts, run_checks
from console.configuration.models import ClusterOptions
from console.directory import TRUSTED_TO_AUTH_FOR_DELEGATION, Connection, Entry, LdapDirectory, _connected
from console.inventory.directory import with_delegations
from console.model.cluster import Cluster, MigrationAuthentication
from console.model.failures import Failure, Refused
from console.model.identity import HostName
from console.windows.commands import Row
from tests.checks.worlds import DOMAIN, HOSTS, cluster_of, every_host

WORKSTATION_TRUST = 0x1000
SERVICES = ("cifs", "Microsoft Virtual System Migration Service")


class FakeDirectory:
    """Tells rows, or fails."""

    def __init__(self, rows: Sequence[Row] = (), failure: Failure | None = None) -> None:
        self.rows, self.failure = rows, failure
        self.asked: list[tuple[HostName, ...]] = []

    async def computers(self, hosts: Sequence[HostName]) -> Sequence[Row]:
        self.asked.append(tuple(hosts))
        if self.failure is not None:
            raise self.failure
        return self.rows


class FakeConnection:
    """A domain controller with a few entries."""

    def __init__(self, entries: Sequence[Entry], root: Entry) -> None:
        self.entries, self.root = entries, root
        self.filters: list[str] = []

    def search(self, base: str, scope: int, filter_exp: str, attrlist: list[str], timeout: float) -> Sequence[Entry]:
        self.filters.append(filter_exp)
        return [self.root] if not base else self.entries


def _entry(host: str, flags: int | None, *, without: str = "") -> Entry:
    others = [other for other in HOSTS if other not in (host, without)]
    names = [f"{service}/{name}" for service in SERVICES for o in others for name in (o, f"{o}.{DOMAIN}")]
    entry: dict[str, Sequence[object]] = {"cn": [host], "msDS-AllowedToDelegateTo": names}
    return entry if flags is None else {**entry, "userAccountControl": [flags]}


def _directory(entries: Sequence[Entry], root: Entry | None = None) -> tuple[LdapDirectory, FakeConnection]:
    naming = root if root is not None else {"defaultNamingContext": ["DC=corp,DC=example"]}
    connection = FakeConnection(entries, naming)

    @contextmanager
    def connect() -> Iterator[Connection]:
        yield connection

    return LdapDirectory("ldaps://dc01.corp.example", connect), connection


def _kerberos() -> Cluster:
    return every_host(migration_authentication=MigrationAuthentication.KERBEROS, delegation=None)


def _found(cluster: Cluster) -> tuple[set[str], set[str]]:
    findings = run_checks(Facts(cluster))
    code = "auth-delegation-missing"
    told = {f"{one.subject.host}>{one.subject.destination}" for one in findings.conflicts if one.code == code}
    return told, {one.missing for one in findings.unknown if one.code == code}


TRUSTED = WORKSTATION_TRUST | TRUSTED_TO_AUTH_FOR_DELEGATION


async def test_what_it_tells_is_judged_like_a_node_s_own_answer() -> None:
    assert _found(_kerberos())[1]
    directory, connection = _directory([_entry(host, TRUSTED, without="HV03" * (host == "HV01")) for host in HOSTS])
    cluster = await with_delegations(directory, _kerberos())
    assert _found(cluster) == ({"HV01>HV03"}, set())
    assert "(sAMAccountName=HV01$)" in connection.filters[1]


async def test_a_flag_that_is_not_set_is_a_finding_and_one_that_did_not_come_is_unknown() -> None:
    plain, _ = _directory([_entry(host, WORKSTATION_TRUST) for host in HOSTS])
    assert _found(await with_delegations(plain, _kerberos()))[0] == {f"{host}>None" for host in HOSTS}
    silent, _ = _directory([_entry(host, None) for host in HOSTS])
    told, unknown = _found(await with_delegations(silent, _kerberos()))
    assert not told
    assert unknown


async def test_an_account_that_is_not_there_stays_unknown_and_is_named() -> None:
    directory, _ = _directory([_entry(host, TRUSTED) for host in HOSTS[:2]])
    cluster = await with_delegations(directory, _kerberos())
    assert _found(cluster)[1]
    assert "The directory has no account of HV03." in cluster.problems


async def test_a_failure_leaves_everything_unknown_with_its_reason() -> None:
    directory = FakeDirectory(failure=Refused(HostName("dc01"), "dc01 refused the sign-in.", "Look at the account."))
    cluster = await with_delegations(directory, _kerberos())
    assert _found(cluster) == (set(), _found(_kerberos())[1])
    assert "dc01 refused the sign-in. Look at the account." in cluster.problems
    stranger, _ = _directory([], {})
    assert any("no domain controller" in one for one in (await with_delegations(stranger, _kerberos())).problems)


async def test_nobody_is_asked_about_what_is_known_or_not_needed() -> None:
    directory = FakeDirectory()
    assert await with_delegations(directory, cluster_of()) == cluster_of()
    credssp = every_host(migration_authentication=MigrationAuthentication.CREDSSP, delegation=None)
    assert await with_delegations(directory, credssp) == credssp
    await with_delegations(None, _kerberos())
    assert directory.asked == []
    one = _kerberos()
    known = replace(one, hosts=(cluster_of().hosts[0], *one.hosts[1:]))
    await with_delegations(directory, known)
    asked = [host for host in known.hosts if host.delegation is None]
    assert directory.asked == [tuple(host.name for host in asked)]


async def test_a_name_can_not_widen_the_search() -> None:
    directory, connection = _directory([])
    await directory.computers([HostName("HV01)(cn=*")])
    assert "HV01\\29\\28cn=\\2a$" in connection.filters[1]


def test_without_the_library_there_is_a_sentence() -> None:
    if importlib.util.find_spec("bonsai") is None:
        with pytest.raises(Refused, match="bonsai"), _connected("ldaps://dc01", None, None):
            raise AssertionError("it connected without a library")


@pytest.mark.parametrize(
    ("url", "user", "sentence"),
    [
        ("dc01.example.com", None, "no address"),
        ("http://dc01.example.com", None, "no address"),
        ("ldap://dc01.example.com", "CORP\\op", "in the clear"),
    ],
)
def test_an_address_that_is_none_or_tells_the_password_is_refused(url: str, user: str | None, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        ClusterOptions(nodes=("HV01",), directory=url, username=user)  # type: ignore[arg-type]
    assert ClusterOptions(nodes=("HV01",), directory="ldaps://dc01:636").directory == "ldaps://dc01:636"  # type: ignore[arg-type]
