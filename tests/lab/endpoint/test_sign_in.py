"""Every way to sign in, and the ways to be turned away."""

from __future__ import annotations

import stat
from typing import Any

import pytest
from pypsrp.exceptions import AuthenticationError, WinRMTransportError
from pypsrp.powershell import RunspacePool
from pypsrp.wsman import WSMan

from console.lab.endpoint.faults import Fault
from console.lab.endpoint.signin import Accounts, ntlm_user
from tests.lab.endpoint.support import HOST, PASSWORD, USER, Lab, invoke

WAYS = [("basic", True), ("ntlm", True), ("negotiate", True), ("ntlm", False), ("negotiate", False)]


def names(wsman: WSMan) -> list[str]:
    with RunspacePool(wsman) as pool:
        return [each.adapted_properties["Name"] for each in invoke(pool, "Get-VM", Count=3).output]


@pytest.mark.parametrize(("auth", "ssl"), WAYS)
async def test_signs_in_and_runs_a_command(lab: Lab, auth: str, ssl: bool) -> None:
    assert await lab.client(names, auth, ssl=ssl) == ["vm0", "vm1", "vm2"]
    assert lab.engine.asked[0][0].user == USER
    tally = lab.server.statistics.of(HOST, USER)
    assert (tally.sign_in_attempts, tally.sign_in_failures, tally.pipelines) == (1, 0, 1)


async def test_signs_in_with_a_client_certificate(lab: Lab) -> None:
    files = lab.server.client_certificate(USER)
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600
    options: dict[str, Any] = {"certificate_pem": str(files.certificate), "certificate_key_pem": str(files.key)}
    options |= {"username": None, "password": None}
    assert await lab.client(names, "certificate", **options) == ["vm0", "vm1", "vm2"]
    assert lab.server.statistics.of(HOST, USER).sign_in_attempts == 1


async def test_a_certificate_of_a_stranger_is_no_sign_in(lab: Lab) -> None:
    files = lab.server.client_certificate("LAB\\stranger")
    options: dict[str, Any] = {"certificate_pem": str(files.certificate), "certificate_key_pem": str(files.key)}
    with pytest.raises(AuthenticationError):
        await lab.client(names, "certificate", **options)


@pytest.mark.parametrize(("auth", "ssl"), WAYS)
async def test_a_wrong_password_is_one_attempt_and_401(lab: Lab, auth: str, ssl: bool) -> None:
    with pytest.raises(AuthenticationError):
        await lab.client(names, auth, ssl=ssl, password="wrong")
    tally = lab.server.statistics.by_user("lab\\ADMIN")
    assert (tally.sign_in_attempts, tally.sign_in_failures, tally.requests) == (1, 1, 0)


@pytest.mark.parametrize("auth", ["basic", "ntlm", "negotiate"])
async def test_a_stranger_is_turned_away(lab: Lab, auth: str) -> None:
    with pytest.raises(AuthenticationError):
        await lab.client(names, auth, username="LAB\\nobody")
    assert lab.server.statistics.by_user("LAB\\nobody").sign_in_failures == 1


async def test_basic_is_not_offered_without_tls(lab: Lab) -> None:
    with pytest.raises(AuthenticationError):
        await lab.client(names, "basic", ssl=False, encryption="never")
    assert lab.server.statistics.total().sign_in_attempts == 0


async def test_unencrypted_soap_over_http_is_refused(lab: Lab) -> None:
    with pytest.raises(WinRMTransportError) as caught:
        await lab.client(names, "ntlm", ssl=False, encryption="never")
    assert caught.value.code == 500
    assert lab.engine.asked == []


@pytest.mark.parametrize(("auth", "ssl"), WAYS)
async def test_after_a_password_change_nobody_gets_in(lab: Lab, auth: str, ssl: bool) -> None:
    lab.faults.throw(Fault.SIGN_IN_REFUSED)
    with pytest.raises(AuthenticationError):
        await lab.client(names, auth, ssl=ssl)
    assert lab.server.statistics.of(HOST, USER).sign_in_failures == 1
    lab.faults.lift(Fault.SIGN_IN_REFUSED)
    assert len(await lab.client(names, auth, ssl=ssl)) == 3


@pytest.mark.parametrize("auth", ["basic", "ntlm"])
async def test_a_changed_password_is_the_one_that_counts(lab: Lab, auth: str) -> None:
    lab.server.change_password(USER, "new one")
    with pytest.raises(AuthenticationError):
        await lab.client(names, auth)
    assert len(await lab.client(names, auth, password="new one")) == 3


@pytest.mark.parametrize(("auth", "ssl"), WAYS)
async def test_a_session_that_is_open_meets_the_refusal_too(lab: Lab, auth: str, ssl: bool) -> None:
    def work(wsman: WSMan) -> None:
        pool = RunspacePool(wsman)
        pool.open()
        invoke(pool, "Get-VM")
        lab.faults.throw(Fault.SIGN_IN_REFUSED, HOST)
        with pytest.raises(AuthenticationError):
            invoke(pool, "Get-VM")

    await lab.client(work, auth, ssl=ssl)
    assert lab.server.statistics.of(HOST, USER).sign_in_failures == 1


def test_passwords_lie_in_a_private_file_only(tmp_path: Any) -> None:
    Accounts({USER: PASSWORD}, tmp_path)
    (file,) = list(tmp_path.iterdir())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(ValueError, match="colon"):
        Accounts({USER: "a:b"}, tmp_path)


@pytest.mark.parametrize("token", [b"", b"NTLMSSP\0\x01\0\0\0", b"NTLMSSP\0\x03\0\0\0short"])
def test_a_token_that_names_nobody(token: bytes) -> None:
    assert ntlm_user(token) is None
