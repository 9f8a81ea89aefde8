"""Settings: changed only by consent, the old value written down first, always put back or reported by name."""

from __future__ import annotations

import pytest

from console.drain import commands as cmd
from console.drain import events as ev
from console.drain import requests as rq
from console.drain import signals as sg
from console.drain.recovery import recover
from console.drain.settings import PARALLEL_MIGRATIONS, SMB_FACTOR
from console.drain.state import Consent, Phase

from .desk import DONE, UNANSWERED, Desk, desk, node, refused
from .moments import EPOCH, moment

AGREED = (Consent("setting", f"{PARALLEL_MIGRATIONS}=6", "ann", EPOCH),)


def with_consent() -> Desk:
    return desk(1, consents=AGREED).claim()


def changed() -> Desk:
    table = with_consent().send(sg.SettingRead, PARALLEL_MIGRATIONS, "2")
    return table.send(sg.SettingAnswered, PARALLEL_MIGRATIONS, "6", DONE)


def test_without_consent_nothing_is_changed() -> None:
    table = desk(1).claim()
    assert not table.asked(cmd.ReadSetting)
    table.send(sg.SettingRead, PARALLEL_MIGRATIONS, "2")
    assert not table.asked(cmd.SetSetting)


def test_a_consent_for_something_else_changes_nothing() -> None:
    agreed = (Consent("setting", "SameSubnetThreshold=40", "ann", EPOCH),)
    assert not desk(1, consents=agreed).claim().asked(cmd.ReadSetting)


def test_the_old_value_is_written_down_before_the_new_one_is_set() -> None:
    table = with_consent()
    assert table.asked(cmd.ReadSetting)
    assert not table.asked(cmd.CheckMove), "starts wait for what was consented to"
    table.send(sg.SettingRead, PARALLEL_MIGRATIONS, "2")
    assert table.told(ev.SettingIntended)[0].before == "2"
    assert table.asked(cmd.SetSetting) == [cmd.SetSetting(PARALLEL_MIGRATIONS, "6", "2")]
    table.send(sg.SettingAnswered, PARALLEL_MIGRATIONS, "6", DONE)
    assert table.state.per_node_limit == 6
    assert table.asked(cmd.CheckMove)


@pytest.mark.parametrize(
    ("value", "original", "held_by", "words"),
    [
        (None, None, "", "could not be read"),
        ("6", None, "", "has this value already"),
        ("4", "2", "run-9", "run run-9 has changed it to 4"),
    ],
)
def test_a_setting_that_can_not_be_had_is_left_alone(
    value: str | None, original: str | None, held_by: str, words: str
) -> None:
    table = with_consent().send(sg.SettingRead, PARALLEL_MIGRATIONS, value, "no answer", original, held_by)
    assert not table.asked(cmd.SetSetting)
    assert words in table.told(ev.SettingFailed)[0].reason
    assert table.asked(cmd.CheckMove), "the run goes on without it"


def test_what_a_crashed_run_left_behind_is_not_taken_for_the_original() -> None:
    table = with_consent().send(sg.SettingRead, PARALLEL_MIGRATIONS, "8", "", "2")
    assert table.state.settings_changed[0].before == "2"
    assert table.asked(cmd.SetSetting) == [cmd.SetSetting(PARALLEL_MIGRATIONS, "6", "2")]


def close(table: Desk) -> Desk:
    return table.ask(rq.StopRun()).see(0).send(sg.NodeRead, node(table.state), at_s=300.0)


def test_it_comes_back_at_a_stop_and_the_run_waits_for_that() -> None:
    table = close(changed())
    assert table.state.phase is Phase.CLOSING
    assert table.asked(cmd.SetSetting) == [cmd.SetSetting(PARALLEL_MIGRATIONS, "2")]
    table.send(sg.SettingAnswered, PARALLEL_MIGRATIONS, "2", DONE)
    assert table.state.phase is Phase.ENDED
    assert table.state.settings_changed[0].restored
    assert table.state.per_node_limit == 4 or table.state.per_node_limit == 2


def test_a_restoring_without_an_answer_is_read_and_done_again() -> None:
    table = close(changed()).send(sg.SettingAnswered, PARALLEL_MIGRATIONS, "2", UNANSWERED)
    assert table.tick().asked(cmd.ReadSetting)
    table.send(sg.SettingRead, PARALLEL_MIGRATIONS, "6")
    assert table.asked(cmd.SetSetting) == [cmd.SetSetting(PARALLEL_MIGRATIONS, "2")]
    table.send(sg.SettingRead, PARALLEL_MIGRATIONS, "2")
    assert table.state.settings_changed[0].restored


@pytest.mark.parametrize("how", ["refused", "silence", "force"])
def test_what_can_not_be_put_back_is_reported_by_name_and_value(how: str) -> None:
    table = changed()
    if how == "force":
        table.ask(rq.CloseByForce())
    else:
        close(table)
        if how == "refused":
            table.send(sg.SettingAnswered, PARALLEL_MIGRATIONS, "2", refused("access denied", 5))
        else:
            table.tick(1000.0)
    assert table.state.phase is Phase.ENDED
    assert table.state.settings_changed[0].given_up
    assert any("MaximumParallelMigrations is NOT back to 2" in line.text for line in table.state.log)


def test_a_change_without_an_answer_is_put_back_all_the_same() -> None:
    table = with_consent().send(sg.SettingRead, PARALLEL_MIGRATIONS, "2")
    table.send(sg.SettingAnswered, PARALLEL_MIGRATIONS, "6", UNANSWERED)
    assert cmd.SetSetting(PARALLEL_MIGRATIONS, "2") in close(table).commands


def test_a_crash_between_intent_and_answer_is_put_back_too() -> None:
    table = with_consent().send(sg.SettingRead, PARALLEL_MIGRATIONS, "2")
    events = recover(table.state, (), moment(5.0))
    again = Desk(table.journal[0])  # type: ignore[arg-type]
    for event in (*table.journal[1:], *events):
        from console.drain.fold import apply

        again.journal.append(event)
        again.state = apply(again.state, event)
    again.now_s = 5.0
    assert again.state.settings_changed[0].touched
    assert cmd.SetSetting(PARALLEL_MIGRATIONS, "2") in close(again).commands


def test_the_bandwidth_share_needs_smb_and_consent_and_a_sane_value() -> None:
    agreed = (Consent("setting", f"{SMB_FACTOR}=2500", "ann", EPOCH),)
    assert "does not use SMB" in desk(1).claim().ask(rq.SetBandwidthCap(2500)).state.log[-1].text
    without = desk(1, smb=True).claim().ask(rq.SetBandwidthCap(2500))
    assert "not consented" in without.state.log[-1].text
    table = desk(1, smb=True, consents=agreed).claim().send(sg.SettingRead, SMB_FACTOR, "1000")
    table.send(sg.SettingAnswered, SMB_FACTOR, "2500", DONE)
    assert "between 1 and 10000" in table.ask(rq.SetBandwidthCap(0)).state.log[-1].text
    assert table.ask(rq.SetBandwidthCap(5000)).asked(cmd.SetSetting) == [cmd.SetSetting(SMB_FACTOR, "5000", "1000")]
    assert table.state.settings_changed[0].before == "1000"
