"""A wrong password is tried on two nodes at most; a right one opens the door for everybody."""

from __future__ import annotations

from threading import Event, Thread

from console.model.failures import SignInRefused
from console.model.identity import HostName
from console.wire.signin import PATIENCE_S, SignInGate
from tests.wire.fakes import FakeTime

REFUSED = SignInRefused(HostName("N1"), "no")


def test_two_refusals_close_it_and_new_credentials_open_it() -> None:
    gate = SignInGate(FakeTime().elapsed_s)
    for _ in range(2):
        ticket = gate.enter()
        assert ticket is not None
        gate.refused(REFUSED)
        gate.leave(ticket)
    assert gate.enter() is None
    assert gate.refusal() is REFUSED
    gate.renew()
    assert gate.refusal() is None
    assert gate.enter() is not None


def test_once_proven_everybody_may_enter_at_once() -> None:
    gate = SignInGate(FakeTime().elapsed_s)
    gate.enter()
    gate.accepted()
    assert all(gate.enter() is not None for _ in range(64))


def test_a_proven_password_that_is_refused_is_under_suspicion_again() -> None:
    gate = SignInGate(FakeTime().elapsed_s)
    gate.accepted()
    gate.refused(REFUSED)
    assert gate.refusal() is None
    gate.refused(REFUSED)
    assert gate.enter() is None


def test_the_third_waits_until_the_first_two_are_done() -> None:
    gate = SignInGate(FakeTime().elapsed_s)
    first, second = gate.enter(), gate.enter()
    assert first is not None
    assert second is not None
    outcome: list[int | None] = []
    entered = Event()

    def third() -> None:
        outcome.append(gate.enter())
        entered.set()

    thread = Thread(target=third, daemon=True)
    thread.start()
    assert not entered.wait(0.05)
    gate.accepted()
    assert entered.wait(5)
    thread.join()
    assert outcome[0] is not None


def test_nodes_that_do_not_answer_hold_nobody_up() -> None:
    time = FakeTime()
    gate = SignInGate(time.elapsed_s)
    gate.enter()
    gate.enter()
    time.now_s += PATIENCE_S
    assert gate.enter() is not None
