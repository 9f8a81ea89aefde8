"""The guard's lever: the share that SMB may take, down by half on a breach and up by steps in calm, within consent."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from console.drain import commands as cmd
from console.drain import events as ev
from console.drain import requests as rq
from console.drain import signals as sg
from console.drain.facts import Answered, Reply
from console.drain.guard import LEVER_REST_S
from console.drain.recovery import recover
from console.drain.rules import Rules
from console.drain.setting_state import SettingChange
from console.drain.settings import SMB_FACTOR
from console.drain.state import Consent
from console.guard import CSV_LATENCY, FREE_MEMORY, Lines

from .desk import DONE, UNANSWERED, Desk, desk, refused
from .moments import EPOCH, moment

OVER, CALM, FULL = {CSV_LATENCY: 0.2}, {CSV_LATENCY: 0.001}, {FREE_MEMORY: 0.001}
AGREED = (Consent("setting", f"{SMB_FACTOR}=6000", "ann", EPOCH),)


def table(before: str = "1000", *, smb: bool = True, window_s: float | None = None) -> Desk:
    """A run at second 100 that raised the share from ``before`` to 6000, with consent."""
    made = desk(4, Rules(guard=Lines()), consents=AGREED, smb=smb, window_s=window_s).claim()
    made.send(sg.SettingRead, SMB_FACTOR, before)
    made.send(sg.SettingAnswered, SMB_FACTOR, "6000", DONE)
    return made.send(sg.GuardMeasured, CALM, at_s=100.0)


def read(run: Desk, values: dict[str, float], at_s: float, reply: Reply = DONE) -> Desk:
    """A reading, and the answer to the change that it brings about."""
    run.send(sg.GuardMeasured, values, at_s=at_s)
    asked = run.asked(cmd.SetSetting)
    return run.send(sg.SettingAnswered, SMB_FACTOR, asked[0].value, reply) if asked else run


def share(run: Desk) -> SettingChange:
    return next(change for change in run.state.settings_changed if change.name == SMB_FACTOR)


def test_a_breach_halves_it_and_calm_brings_it_back_by_steps() -> None:
    run = table()
    run.send(sg.GuardMeasured, OVER, at_s=110.0)
    assert run.told(ev.SettingIntended) == [ev.SettingIntended(moment(110.0), SMB_FACTOR, "1000", "3000", True)]
    assert run.asked(cmd.SetSetting) == [cmd.SetSetting(SMB_FACTOR, "3000", "1000")]
    run.send(sg.SettingAnswered, SMB_FACTOR, "3000", DONE)
    assert run.state.log[-1].text == f"Guard turns {SMB_FACTOR} down from 6000 to 3000"
    seen = []
    for at_s in range(112, 260, 2):
        read(run, CALM, float(at_s))
        seen.append(share(run).after)
    assert list(dict.fromkeys(seen)) == ["3000", "4250", "5500", "6000"]
    assert run.state.log[-1].text == f"Guard turns {SMB_FACTOR} up again from 5500 to 6000"


def test_it_goes_no_lower_than_it_was_before_the_run_and_not_every_two_seconds() -> None:
    run = table()
    changes = []
    for at_s in range(110, 200, 2):
        read(run, OVER, float(at_s))
        changes += [(at_s, share(run).after)] if not changes or share(run).after != changes[-1][1] else []
    assert [value for _, value in changes] == ["3000", "1500", "1000"]
    assert all(later - sooner >= LEVER_REST_S for (sooner, _), (later, _) in itertools.pairwise(changes))


def test_short_memory_at_a_destination_is_no_reason_to_slow_the_links() -> None:
    run = table()
    run.send(sg.GuardMeasured, FULL, at_s=110.0)
    assert run.state.guard is not None
    assert run.state.guard.holding
    assert not run.asked(cmd.SetSetting)


def test_after_the_end_of_the_window_it_changes_nothing_more() -> None:
    run = table(window_s=130.0).start(0).tick(130.0)
    assert run.told(ev.WindowClosed)
    run.send(sg.GuardMeasured, OVER, at_s=140.0)
    assert not run.asked(cmd.SetSetting)


def test_without_consent_or_without_smb_it_touches_nothing() -> None:
    bare = desk(4, Rules(guard=Lines()), smb=True).claim().send(sg.GuardMeasured, CALM, at_s=100.0)
    assert not bare.send(sg.GuardMeasured, OVER, at_s=110.0).asked(cmd.SetSetting)
    assert not table(smb=False).send(sg.GuardMeasured, OVER, at_s=110.0).asked(cmd.SetSetting)


def test_a_consent_to_less_than_before_leaves_no_room() -> None:
    assert not table("9000").send(sg.GuardMeasured, OVER, at_s=110.0).asked(cmd.SetSetting)


def test_what_the_operator_asks_for_is_the_new_ceiling() -> None:
    run = read(table(), OVER, 110.0)
    run.now_s = 115.0
    run.ask(rq.SetBandwidthCap(2000)).send(sg.SettingAnswered, SMB_FACTOR, "2000", DONE)
    for at_s in range(140, 400, 2):
        read(run, CALM, float(at_s))
    assert (share(run).after, share(run).wanted) == ("2000", "2000")


def test_a_change_that_is_refused_leaves_what_was() -> None:
    run = read(table(), OVER, 110.0, refused("access denied", 5))
    assert (share(run).after, share(run).pending, share(run).touched) == ("6000", False, True)
    assert "access denied" in run.state.log[-1].text


def test_a_stop_waits_for_the_change_that_is_on_its_way_and_then_puts_it_back() -> None:
    run = table()
    run.send(sg.GuardMeasured, OVER, at_s=110.0)
    run.ask(rq.DetachRun())
    assert not run.asked(cmd.SetSetting), "two changes at once could land in either order"
    run.send(sg.SettingAnswered, SMB_FACTOR, "3000", UNANSWERED)
    assert run.asked(cmd.SetSetting) == [cmd.SetSetting(SMB_FACTOR, "1000")]
    run.send(sg.SettingAnswered, SMB_FACTOR, "1000", DONE)
    assert share(run).restored
    assert run.state.outcome is not None


def test_a_runner_that_takes_over_does_not_wait_for_a_lost_answer() -> None:
    run = table()
    run.send(sg.GuardMeasured, OVER, at_s=110.0)
    events = recover(run.state, (), moment(120.0))
    assert ev.SettingFailed(moment(120.0), SMB_FACTOR, "the runner was replaced while it was set", True) in events


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["500", "2500", "6000", "9000"]),
    st.lists(
        st.tuples(
            st.floats(0.5, 40.0),
            st.sampled_from([OVER, CALM, FULL, {}]),
            st.sampled_from([DONE, DONE, UNANSWERED, refused("no", 5)]),
            st.sampled_from([None, None, None, 2000, 7500]),
        ),
        max_size=40,
    ),
)
def test_whatever_happens_it_stays_between_what_was_and_what_is_wanted(
    before: str, steps: list[tuple[float, dict[str, float], Reply, int | None]]
) -> None:
    run = table(before)
    asked_at, ceiling = -1e9, 6000
    for seconds, values, reply, wish in steps:
        run.send(sg.GuardMeasured, values, at_s=run.now_s + seconds)
        for command in run.asked(cmd.SetSetting):
            assert min(int(before), ceiling) <= int(command.value) <= ceiling
            assert command.original == before, "whoever finds it knows what to put back"
            assert run.now_s - asked_at >= LEVER_REST_S
            assert [(event.after, event.by_guard) for event in run.told(ev.SettingIntended)] == [(command.value, True)]
            asked_at = run.now_s
            run.send(sg.SettingAnswered, SMB_FACTOR, command.value, reply)
        if wish is not None and run.ask(rq.SetBandwidthCap(wish)).asked(cmd.SetSetting):
            asked_at, ceiling = run.now_s, wish
            run.send(sg.SettingAnswered, SMB_FACTOR, str(wish), DONE)
    run.ask(rq.DetachRun())
    if before != "6000":
        assert run.asked(cmd.SetSetting) == [cmd.SetSetting(SMB_FACTOR, before)]
        assert run.send(sg.SettingAnswered, SMB_FACTOR, before, Reply(Answered.DONE)).state.outcome is not None
