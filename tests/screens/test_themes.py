"""Every theme can be read: contrast, states that differ, colour blindness; and bad ones are refused with sentences."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from screens.paint import ASCII, COLOURLESS, UNICODE, Glyphs, Look, textual_theme
from tests.screens.driving import console, text_of
from tests.screens.fakes import FakeOperations, cluster_of
from themes.loader import ThemeError, ThemeSpec, load_themes, parse_theme

THEMES, _FAILED = load_themes()
HEX = {name: spec for name, spec in THEMES.items() if not spec.ansi}
PLAIN = ("text.normal", "text.strong", "text.muted", "text.accent", "text.good", "text.warning", "text.bad", "text.key")
LEAST = {"high-contrast": 7.0}
DEFICIENCIES = {
    "deuteranopia": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    "tritanopia": ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)),
}
"""What is left of red, green and blue (Machado, Oliveira and Fernandes 2009, severity 1, on linear light)."""


def _channels(colour: str) -> tuple[float, ...]:
    values = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return tuple(value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in values)


def _contrast(one: str, other: str) -> float:
    light, dark = sorted(
        (0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (_channels(one), _channels(other))), reverse=True
    )
    return (light + 0.05) / (dark + 0.05)


def _grounds(spec: ThemeSpec) -> list[str]:
    cursors = [spec.inks[f"surface.{name}"].background for name in ("cursor", "cursor-idle")]
    return [spec.background, spec.raised, *(ground for ground in cursors if ground)]


@pytest.mark.parametrize("name", sorted(HEX))
def test_every_text_and_state_is_readable_on_every_ground(name: str) -> None:
    spec = HEX[name]
    inks = [*PLAIN, *(ink for ink in spec.inks if ink.startswith("state."))]
    low = {
        f"{ink} on {ground}": round(contrast, 2)
        for ink in inks
        for ground in _grounds(spec)
        if (contrast := _contrast(spec.inks[ink].foreground or "", ground)) < LEAST.get(name, 4.5)
    }
    assert low == {}


@pytest.mark.parametrize("name", sorted(HEX))
def test_badges_and_greyed_keys_are_readable(name: str) -> None:
    spec = HEX[name]
    for badge in ("read-only", "plan", "live", "done"):
        ink = spec.inks[f"badge.{badge}"]
        assert ink.foreground
        assert ink.background
        assert _contrast(ink.foreground, ink.background) >= 4.5, badge
    assert _contrast(spec.inks["text.off"].foreground or "", spec.raised) >= 3.0


@pytest.mark.parametrize("name", sorted(DEFICIENCIES))
def test_a_colour_blind_eye_tells_good_warning_and_bad_apart(name: str) -> None:
    spec, rows = HEX[name], DEFICIENCIES[name]

    def seen(ink: str) -> tuple[float, ...]:
        light = _channels(spec.inks[ink].foreground or "")
        linear = [max(0.0, sum(share * value for share, value in zip(row, light, strict=True))) for row in rows]
        return tuple(value ** (1 / 2.2) for value in linear)

    for one, other in itertools.combinations(("text.good", "text.warning", "text.bad"), 2):
        distance = sum((a - b) ** 2 for a, b in zip(seen(one), seen(other), strict=True)) ** 0.5
        assert distance > 0.25, (one, other, distance)


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII, COLOURLESS])
def test_every_state_has_a_symbol_of_its_own(glyphs: Glyphs) -> None:
    assert len(set(glyphs.states.values())) == len(glyphs.states)
    assert glyphs.fill != glyphs.track or glyphs is UNICODE


def test_without_colour_a_bar_s_track_is_drawn_in_another_glyph() -> None:
    assert Look(THEMES["mono"]).glyphs.fill != Look(THEMES["mono"]).glyphs.track
    assert all(ord(character) < 128 for symbol in ASCII.states.values() for character in symbol)


@pytest.mark.parametrize("name", sorted(THEMES))
def test_textual_takes_every_theme(name: str) -> None:
    assert textual_theme(THEMES[name]).name == f"drainboard-{name}"


def test_all_themes_that_come_along_are_usable() -> None:
    assert _FAILED == ()
    assert set(THEMES) == {"dark", "light", "high-contrast", "deuteranopia", "tritanopia", "mono", "sixteen"}


def test_a_bad_theme_is_refused_with_every_problem_and_the_others_work(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('[theme]\nname = "own"\n[text]\nnormal = "notacolour"\nmutd = "#ffffff"\n')
    (tmp_path / "broken.toml").write_text("not toml at all")
    themes, failed = load_themes([tmp_path])
    assert set(themes) == set(THEMES)
    told = "\n".join(str(error) for error in failed)
    assert "text.normal: 'notacolour' is not a colour like #1a2b3c" in told
    assert "text.mutd is not known; did you mean muted?" in told
    assert "broken.toml: it is not TOML" in told


def test_a_theme_of_the_wrong_shape_is_a_sentence() -> None:
    with pytest.raises(ThemeError, match=r"text must be a table"):
        parse_theme('text = 3\n[theme]\nname = "x"\n', "x.toml")


async def test_no_color_takes_the_colourless_theme_whatever_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with console(FakeOperations(cluster_of(4, 3)), (80, 24), theme="dark") as (app, _):
        assert app.services.look.spec.name == "mono"
        assert "● up" in text_of(app)


async def test_a_terminal_of_sixteen_colours_gets_its_own_theme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "linux")
    monkeypatch.delenv("COLORTERM")
    async with console(FakeOperations(cluster_of(4, 3)), (80, 24)) as (app, _):
        assert app.services.look.spec.name == "sixteen"


async def test_a_cluster_has_its_own_theme_and_an_unknown_one_is_a_problem() -> None:
    operations = FakeOperations(cluster_of(4, 3))
    operations.theme = "high-contrast"
    async with console(operations, (80, 24)) as (app, _):
        assert app.services.look.spec.name == "high-contrast"
    operations.theme = "purple"
    async with console(operations, (80, 24)) as (app, _):
        assert app.services.look.spec.name == "dark"
        assert any("purple" in problem.text for problem in app.store.problems)


async def test_the_ascii_set_leaves_no_other_character_on_the_screen() -> None:
    async with console(FakeOperations(cluster_of(4, 3)), (120, 40), ascii=True) as (app, pilot):
        for keys in ((), ("d",), ("c",), ("question_mark",)):
            await pilot.press(*keys)
            await pilot.pause(0.05)
            assert {c for c in text_of(app) if ord(c) > 126} == set(), keys
