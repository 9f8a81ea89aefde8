"""The rules of talking to a node, against a remote end that does what the test says."""

from __future__ import annotations

from dataclasses import replace
from threading import Event

import pytest
from pypsrp.exceptions import AuthenticationError, WinRMTransportError, WSManFaultError
from requests.exceptions import ConnectionError as LostConnection
from requests.exceptions import ReadTimeout
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import NewConnectionError

from console.model.failures import (
    Busy,
    CommandFailed,
    CommandMissing,
    ProtocolBroken,
    SessionGone,
    SignInRefused,
    TimedOut,
    Unreachable,
)
from console.windows.commands import Answer, RemoteError
from console.wire.conversation import Cancelled
from console.wire.decoder import MalformedOutput
from console.wire.remote import Ended
from console.wire.settings import WireOptions
from console.wire.signin import SignInGate
from tests.wire.fakes import CHANGE, READ, ROWS, World


def fault(code: int | str, reason: str = "no") -> WSManFaultError:
    return WSManFaultError(code, None, reason, None, None, None)


def refused_connection() -> LostConnection:
    return LostConnection(NewConnectionError(HTTPConnectionPool("n1"), "refused"))


def lost() -> LostConnection:
    return LostConnection("Connection aborted.")


SHELL_GONE = 0x8033805B


def test_opens_once_and_frees_every_pipeline() -> None:
    world = World()
    talk = world.conversation()
    for _ in range(3):
        assert talk.perform(READ, Event()) == ROWS.answer
        talk.tidy()
    assert world.count("open") == 1
    assert world.count("begin Get-ClusterNode") == world.count("close") == 3


def test_deadline_is_ours_and_stops_the_pipeline() -> None:
    world = World(polls=[1.0] * 100)
    talk = world.conversation()
    with pytest.raises(TimedOut):
        talk.perform(READ, Event())
    assert world.time.now_s == pytest.approx(READ.deadline_s, abs=1.5)
    talk.tidy()
    assert world.log[-1] == "close"
    world.polls.clear()
    assert talk.perform(READ, Event()) == ROWS.answer
    assert world.count("open") == 1


def test_deadline_counts_from_the_open_session() -> None:
    world = World(polls=[20.0, ROWS])
    talk = world.conversation()
    world.time.now_s = 1000.0
    assert talk.perform(READ, Event()) == ROWS.answer


@pytest.mark.parametrize("error", [lost(), ReadTimeout(), WinRMTransportError("http", 400, "")])
def test_lost_connection_while_receiving_is_survived(error: Exception) -> None:
    world = World(polls=[error, error, ROWS])
    for call in (READ, CHANGE):
        world.polls = [error, error, ROWS]
        assert world.conversation().perform(call, Event()) == ROWS.answer
    assert world.count("reset") == 4
    assert world.count("begin Suspend-ClusterNode") == 1


def test_change_that_never_hears_again_is_unknown() -> None:
    world = World(polls=[lost()] * 1000)
    with pytest.raises(TimedOut, match="Nobody knows whether the command ran"):
        world.conversation().perform(CHANGE, Event())
    assert world.count("begin Suspend-ClusterNode") == 1
    assert world.time.now_s >= CHANGE.deadline_s


def test_change_cut_while_it_was_sent_is_never_resent() -> None:
    world = World(begins=[lost()])
    talk = world.conversation()
    with pytest.raises(SessionGone, match="Nobody knows whether the command ran"):
        talk.perform(CHANGE, Event())
    assert world.count("begin Suspend-ClusterNode") == 1


def test_change_that_was_refused_did_not_run_and_says_so() -> None:
    world = World(opens=[refused_connection()])
    with pytest.raises(Unreachable, match="was not sent") as caught:
        world.conversation().perform(CHANGE, Event())
    assert not isinstance(caught.value, TimedOut)

    world = World(opens=[ReadTimeout()])
    with pytest.raises(Unreachable, match="was not sent") as caught:
        world.conversation().perform(CHANGE, Event())
    assert not isinstance(caught.value, TimedOut)

    world = World(begins=[fault(0x803381A6)])
    with pytest.raises(Busy, match="was not sent"):
        world.conversation().perform(CHANGE, Event())

    world = World(begins=[fault(SHELL_GONE)])
    with pytest.raises(Unreachable, match="was not sent") as caught:
        world.conversation().perform(CHANGE, Event())
    assert world.count("begin Suspend-ClusterNode") == 1


def test_change_goes_only_into_a_session_that_is_proven_to_be_there() -> None:
    world = World(probes=[False])
    talk = world.conversation()
    talk.perform(CHANGE, Event())
    talk.tidy()
    talk.perform(CHANGE, Event())
    assert world.log == [
        "open", "begin Suspend-ClusterNode", "poll", "close",
        "probe", "end", "open", "begin Suspend-ClusterNode", "poll",
    ]  # fmt: skip


def test_dropped_idle_connection_is_healed_before_a_change() -> None:
    world = World(probes=[WinRMTransportError("http", 400, ""), True])
    talk = world.conversation()
    talk.perform(CHANGE, Event())
    talk.tidy()
    assert talk.perform(CHANGE, Event()) == ROWS.answer
    assert world.log[4:7] == ["probe", "reset", "probe"]
    assert world.count("open") == 1


def test_read_is_asked_once_more_when_its_session_is_gone() -> None:
    world = World()
    talk = world.conversation()
    talk.perform(READ, Event())
    world.begins = [fault(SHELL_GONE)]
    assert talk.perform(READ, Event()) == ROWS.answer
    assert world.count("open") == 2
    world.begins = [fault(SHELL_GONE), fault(SHELL_GONE)]
    with pytest.raises(SessionGone):
        talk.perform(READ, Event())


def test_read_on_a_dropped_encrypted_connection_is_asked_once_more_in_the_same_session() -> None:
    world = World()
    talk = world.conversation()
    talk.perform(READ, Event())
    talk.tidy()
    world.begins = [WinRMTransportError("http", 400, "")]
    assert talk.perform(READ, Event()) == ROWS.answer
    assert world.count("open") == 1
    assert world.count("reset") == 1


def test_refused_sign_in_is_never_tried_again_by_itself() -> None:
    world = World(opens=[AuthenticationError("no")] * 9)
    talk = world.conversation()
    for call in (READ, READ, CHANGE):
        with pytest.raises(SignInRefused):
            talk.perform(call, Event())
    assert world.count("open") == 1


def test_new_credentials_are_tried() -> None:
    world = World(opens=[AuthenticationError("no")])
    talk = world.conversation()
    with pytest.raises(SignInRefused):
        talk.perform(READ, Event())
    talk.renew()
    assert talk.perform(READ, Event()) == ROWS.answer


def test_sign_in_refused_in_the_middle_is_remembered() -> None:
    world = World()
    talk = world.conversation()
    talk.perform(READ, Event())
    world.begins = [AuthenticationError("password changed")]
    for _ in range(3):
        with pytest.raises(SignInRefused):
            talk.perform(READ, Event())
    assert world.count("begin Get-ClusterNode") == 2


def test_gate_keeps_a_wrong_password_from_going_round() -> None:
    world = World(opens=[AuthenticationError("no")] * 9)
    gate = SignInGate(world.time.elapsed_s)
    refusals = []
    for _ in range(6):
        with pytest.raises(SignInRefused) as caught:
            world.conversation(gate).perform(READ, Event())
        refusals.append(str(caught.value))
    assert world.count("open") == 2
    assert "it was not tried here" in refusals[-1]


def test_one_node_that_refuses_does_not_keep_the_others_out() -> None:
    world = World(opens=[AuthenticationError("this node is broken")])
    gate = SignInGate(world.time.elapsed_s)
    with pytest.raises(SignInRefused):
        world.conversation(gate).perform(READ, Event())
    for _ in range(5):
        assert world.conversation(gate).perform(READ, Event()) == ROWS.answer


def test_terminating_error_and_errors_on_the_side() -> None:
    error = RemoteError("The node was not found.", "NodeNotFound,Suspend", 13, "ClusterCmdletException", 5042)
    world = World(polls=[Ended(Answer((), (error,)), failed=True, completed=False), Ended(Answer((), (error,)))])
    talk = world.conversation()
    with pytest.raises(CommandFailed, match="The node was not found") as caught:
        talk.perform(CHANGE, Event())
    assert caught.value.code == 5042
    assert caught.value.entry == "pause"
    assert talk.perform(READ, Event()).errors == (error,)


def test_pipeline_stopped_by_somebody_else() -> None:
    world = World(polls=[Ended(Answer(()), completed=False)])
    with pytest.raises(SessionGone, match="Nobody knows"):
        world.conversation().perform(CHANGE, Event())


def test_nonsense_loses_the_session_not_the_conversation() -> None:
    world = World(polls=[MalformedOutput("x")])
    talk = world.conversation()
    with pytest.raises(ProtocolBroken):
        talk.perform(READ, Event())
    assert world.log[-1] == "end"
    assert talk.perform(READ, Event()) == ROWS.answer


def test_cancelled_read_is_stopped_and_a_cancelled_change_is_not() -> None:
    world = World(polls=[None, None, ROWS])
    cancelled = Event()
    world.on_poll = cancelled.set
    talk = world.conversation()
    with pytest.raises(Cancelled):
        talk.perform(READ, cancelled)
    talk.tidy()
    assert world.log == ["open", "begin Get-ClusterNode", "poll", "close"]
    world.polls = [None, None, ROWS]
    assert talk.perform(CHANGE, cancelled) == ROWS.answer


def test_pipeline_that_could_not_be_freed_is_freed_before_the_next() -> None:
    world = World(closes=[lost()])
    talk = world.conversation()
    talk.perform(READ, Event())
    talk.tidy()
    talk.perform(READ, Event())
    assert world.log[3:] == ["close", "reset", "close", "begin Get-ClusterNode", "poll"]


def test_constrained_endpoint_is_told_the_function() -> None:
    world = World()
    talk = world.conversation(options=WireOptions(configuration_name="Drainboard"))
    talk.perform(READ, Event())
    assert world.log[1] == "begin Get-DbNode"
    with pytest.raises(CommandMissing, match="Drainboard"):
        talk.perform(replace(READ, constrained_function=None), Event())
    assert world.count("open") == 1


def test_busy_at_the_door() -> None:
    world = World(opens=[fault(0x803381A5)])
    talk = world.conversation()
    with pytest.raises(Busy):
        talk.perform(READ, Event())
    assert talk.perform(READ, Event()) == ROWS.answer
