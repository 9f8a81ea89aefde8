"""The registry of actions, its page, and what a remapping may not do."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.actions import ACTIONS, SCREENS, Effect, actions_on, effective_keys, validate_keys
from console.keys_page import page


def test_the_page_is_the_registry_s() -> None:
    written = (Path(__file__).parents[2] / "docs" / "keys.md").read_text(encoding="utf-8")
    assert written == page(), "python -m console.keys_page > docs/keys.md"


def test_the_keys_that_come_with_the_console_break_none_of_its_rules() -> None:
    assert validate_keys({action.id: ",".join(action.keys) for action in ACTIONS}) == []


def test_every_problem_of_a_remapping_is_told_at_once() -> None:
    problems = validate_keys(
        {
            "run.paus": "p",
            "run.stop": "ctrl+z",
            "plan.hold": "w",
            "run.hold": "nokey",
            "go.vms": "V",
            "plan.pin": "ctrl+q",
        }
    )
    told = "\n".join(problems)
    assert "run.paus: there is no such action; did you mean run.pause?" in told
    assert "run.stop: ctrl+z may never arrive" in told
    assert "w is taken twice on plan: by plan.commands and by plan.hold." in told
    assert "run.hold: 'nokey' is not a key." in told
    assert "go.vms: V breaks the rule" in told
    assert "plan.pin: ctrl+q always quits" in told


@pytest.mark.parametrize("screen", sorted(SCREENS))
def test_a_read_only_screen_has_no_action_that_changes_anything(screen: str) -> None:
    assert all(action.effect is Effect.NONE for action in actions_on(screen, read_only=True))


def test_an_override_replaces_all_keys_of_its_action_alone() -> None:
    keys = effective_keys({"run.pause": "f6, ctrl+x"})
    assert keys["run.pause"] == ("f6", "ctrl+x")
    assert keys["run.stop"] == ("S",)
