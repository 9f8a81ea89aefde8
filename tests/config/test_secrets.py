"""A password comes from the environment, the keyring or a question, in that order, and never shows."""

from __future__ import annotations

import traceback

import pytest
from pydantic import SecretStr

from console.configuration.models import ClusterOptions
from console.configuration.secrets import PasswordMissing, find_password, variable_of

NTLM = ClusterOptions.model_validate({"nodes": ["HV01"], "username": "LAB\\admin"})
TICKET = ClusterOptions.model_validate({"nodes": ["HV01"]})


def find(
    options: ClusterOptions = NTLM,
    environment: dict[str, str] | None = None,
    stored: str | None = None,
    answer: str | None = None,
) -> SecretStr | None:
    return find_password("prod-a", options, environment or {}, lambda service, user: stored, lambda question: answer)


def text(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def test_the_variable_of_the_cluster_wins_over_the_general_one() -> None:
    both = {"DRAINBOARD_PASSWORD_PROD_A": "one", "DRAINBOARD_PASSWORD": "two"}
    assert text(find(environment=both, stored="three", answer="four")) == "one"
    assert text(find(environment={"DRAINBOARD_PASSWORD": "two"}, stored="three", answer="four")) == "two"


def test_the_keyring_wins_over_the_question() -> None:
    assert text(find(stored="three", answer="four")) == "three"
    assert text(find(answer="four")) == "four"


def test_the_keyring_is_asked_for_the_cluster() -> None:
    asked: list[tuple[str, str]] = []

    def look_up(service: str, user: str) -> str | None:
        asked.append((service, user))
        return "stored"

    find_password("prod-a", NTLM, {}, look_up, lambda question: None)
    assert asked == [("drainboard", "prod-a")]


def test_nothing_is_asked_when_a_ticket_signs_in() -> None:
    assert find_password("prod", TICKET, {}, lambda *_: pytest.fail("asked"), lambda _: pytest.fail("asked")) is None


def test_a_missing_password_names_every_source() -> None:
    with pytest.raises(PasswordMissing, match=r"DRAINBOARD_PASSWORD_PROD_A.*keyring.*terminal"):
        find()


def test_a_password_shows_in_no_repr_and_no_traceback() -> None:
    secret = find(answer="hunter2")
    try:
        raise RuntimeError(f"with {secret} and {secret!r}")
    except RuntimeError as error:
        shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "secret = SecretStr(" in shown
    assert "hunter2" not in shown


@pytest.mark.parametrize(("name", "variable"), [("prod", "PROD"), ("prod-a", "PROD_A"), ("2024_x", "2024_X")])
def test_a_clusters_variable_is_its_name_in_capitals(name: str, variable: str) -> None:
    assert variable_of(name) == f"DRAINBOARD_PASSWORD_{variable}"
