"""A configuration is right, or everything that is wrong with it is said at once, with its place."""

from __future__ import annotations

from datetime import UTC, datetime, time
from pathlib import Path

import pytest

from console.configuration.choices import Day, Severity
from console.configuration.loading import load_configuration, parse_configuration
from console.configuration.models import Authentication, Configuration, Transport
from console.configuration.problems import ConfigurationError, Problem

FILE = Path("/etc/drainboard/config.toml")

GOOD = """
default_cluster = "prod"
theme = "dark"

[clusters.prod]
nodes = ["HV01", "hv02.example.com", { name = "HV03", address = "192.0.2.3", port = 15986 }]
transport = "HTTPS"
authentication = "kerberos"
read_only = true

[clusters.prod.window]
start = "02:00"
duration_minutes = 120
days = ["saturday", "Sunday"]

[clusters.prod.policy]
memory_reserve_fraction = 0.1
slots = 4
avoid = ["HV09"]

[clusters.prod.checks.auth-credssp-credential-guard]
severity = "risks"
reason = "moved fine since the last reboot"

[clusters.lab]
nodes = ["HV01"]
clock = { speed = 60.0, origin = 1000.5, epoch = 2026-01-01T02:00:00Z }
"""


def problems_of(source: str) -> tuple[Problem, ...]:
    with pytest.raises(ConfigurationError) as caught:
        parse_configuration(source, FILE)
    return caught.value.problems


def only_problem(source: str) -> Problem:
    (problem,) = problems_of(source)
    return problem


def cluster(text: str) -> str:
    """A file with one cluster; ``text`` starts on line 3."""
    return f'[clusters.prod]\nnodes = ["HV01"]\n{text}\n'


def test_a_good_file_gives_every_value() -> None:
    configuration = parse_configuration(GOOD, FILE)
    prod = configuration.clusters["prod"]
    assert [(node.name, node.address, node.port) for node in prod.nodes] == [
        ("HV01", None, None),
        ("hv02", "hv02.example.com", None),
        ("HV03", "192.0.2.3", 15986),
    ]
    assert (prod.transport, prod.authentication) == (Transport.HTTPS, Authentication.KERBEROS)
    assert prod.window is not None
    assert (prod.window.start, prod.window.days) == (time(2), (Day.SATURDAY, Day.SUNDAY))
    assert (prod.policy.slots, prod.policy.avoid) == (4, ("HV09",))
    assert prod.checks["auth-credssp-credential-guard"].severity is Severity.RISKS
    clock = configuration.clusters["lab"].clock
    assert clock is not None
    assert clock.epoch == datetime(2026, 1, 1, 2, tzinfo=UTC)


def test_an_empty_file_is_a_valid_one() -> None:
    assert parse_configuration("", FILE) == Configuration()


def test_everything_wrong_is_reported_at_once_in_the_order_of_the_file() -> None:
    source = """\
default_cluster = "prd"
thme = "dark"
[clusters.prod]
nodes = ["HV01", { name = "HV02", adress = "x" },
  5]
transport = "htps"
port = "5986"
[clusters.prod.window]
start = "25:00"
days = ["mondy"]
[clusters.prod.policy]
memory_reserve_fraction = 1.5
[clusters.test]
"""
    assert [(problem.line, problem.key, problem.nearest) for problem in problems_of(source)] == [
        (1, "default_cluster", "prod"),
        (2, "thme", "theme"),
        (4, "clusters.prod.nodes[1].adress", "address"),
        (5, "clusters.prod.nodes[2]", None),
        (6, "clusters.prod.transport", "https"),
        (7, "clusters.prod.port", None),
        (9, "clusters.prod.window.start", None),
        (10, "clusters.prod.window.days[0]", "monday"),
        (12, "clusters.prod.policy.memory_reserve_fraction", None),
        (13, "clusters.test.nodes", None),
    ]


def test_a_problem_reads_as_one_line_with_file_line_key_and_hint() -> None:
    assert str(only_problem('\nthme = "dark"\n')) == (f"{FILE}:2: thme: there is no such option. Did you mean theme?")


@pytest.mark.parametrize(
    "line",
    [
        'password = "hunter2"',
        'winrm_password = "hunter2"',
        'PassPhrase = "hunter2"',
        'client_secret = "hunter2"',
        'credential = { user = "x", value = "hunter2" }',
        'api_key = "hunter2"',
        'pwd = "hunter2"',
    ],
)
def test_a_secret_is_refused_wherever_it_stands_and_never_repeated(line: str) -> None:
    for source, key_line in ((f"{line}\n", 1), (cluster(line), 3), (cluster(f"[clusters.prod.policy]\n{line}"), 4)):
        problem = only_problem(source)
        assert problem.line == key_line
        assert "DRAINBOARD_PASSWORD" in problem.what
        assert "keyring" in problem.what
        assert "hunter2" not in str(problem)


def test_a_secret_beside_other_problems_shows_in_none_of_them() -> None:
    problems = problems_of('[clusters.prod]\npassword = "hunter2"\n[[clusters.prod.window]]\ntoken = "hunter2"\n')
    assert len(problems) >= 3
    assert "hunter2" not in "\n".join(map(str, problems))


def test_names_that_people_invent_may_look_like_secrets() -> None:
    configuration = parse_configuration(
        '[clusters.secretariat]\nnodes = ["HV01"]\n'
        '[clusters.secretariat.checks.auth-credssp-credential-guard]\nseverity = "advice"\nreason = "x"\n',
        FILE,
    )
    assert "secretariat" in configuration.clusters


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ('[clusters.prod.window]\nstart = "02:00"', 3, "exactly one of end and duration_minutes"),
        ('[clusters.prod.window]\nstart = "02:00"\nend = "04:00"\nduration_minutes = 5', 3, "exactly one"),
        ('[clusters.prod.window]\nstart = "02:00"\nend = "02:00"', 3, "1440"),
        ('transport = "http"\nauthentication = "basic"\nusername = "x"', 1, 'transport = "https"'),
        ('authentication = "certificate"', 1, "certificate_key_file"),
        ('authentication = "basic"', 1, "username"),
        ('ca_file = "absent.pem"', 3, "/etc/drainboard/absent.pem"),
        ("port = 70000", 3, "65535"),
        ("port = true", 3, "whole number"),
        ("read_only = 1", 3, "true or false"),
        ("endpoint = 5", 3, "text in quotes"),
        ("clock = { speed = 60.0, origin = 0.0, epoch = 2026-01-01T02:00:00 }", 3, "time zone"),
        ("clock = { speed = 0.0, origin = 0.0, epoch = 2026-01-01T02:00:00Z }", 3, "greater than 0"),
    ],
)
def test_what_does_not_fit_together_is_said_in_the_operators_words(text: str, line: int, word: str) -> None:
    problem = only_problem(cluster(text))
    assert problem.line == line
    assert word in str(problem)


@pytest.mark.parametrize("nodes", ['["HV01", "hv01"]', "[]", '["HV 01"]', '"HV01"', '["192.0.2.3"]'])
def test_nodes_are_a_list_of_different_short_names(nodes: str) -> None:
    assert only_problem(f"[clusters.prod]\nnodes = {nodes}\n").line == 2


def test_other_keys_are_held_against_the_actions() -> None:
    problems = problems_of('[keys]\n"app.hlp" = "x"\n"go.board" = "nosuchkey"\n')
    assert [(problem.line, problem.key) for problem in problems] == [(2, 'keys."app.hlp"'), (3, 'keys."go.board"')]
    assert "app.help" in problems[0].what
    assert parse_configuration('[keys]\n"go.board" = "f9"\n', FILE).keys == {"go.board": "f9"}


def test_a_ruling_on_an_unknown_conflict_names_the_nearest_one() -> None:
    problem = only_problem(cluster('[clusters.prod.checks.cpu-vender]\nseverity = "risks"\nreason = "x"'))
    assert (problem.line, problem.nearest) == (3, "cpu-vendor")


def test_a_cluster_name_fits_an_environment_variable() -> None:
    assert "'prod east'" in str(only_problem('[clusters."prod east"]\nnodes = ["HV01"]\n'))


def test_a_file_that_is_not_toml_says_where() -> None:
    problem = only_problem('theme = "dark"\nnodes = [\n')
    assert problem.line is not None
    assert "not TOML" in problem.what


@pytest.mark.parametrize("content", [None, b"theme = '\xff'\n"])
def test_a_file_that_cannot_be_read_is_one_problem(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "config.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_configuration(path)


def test_relative_paths_are_taken_from_the_files_folder(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----", encoding="ascii")
    (tmp_path / "config.toml").write_bytes(
        b'\xef\xbb\xbf[journal]\r\npath = "runs/j.sqlite"\r\n'
        b'[clusters.prod]\r\nnodes = ["HV01"]\r\nca_file = "ca.pem"\r\n'
    )
    configuration = load_configuration(tmp_path / "config.toml")
    assert configuration.clusters["prod"].ca_file == tmp_path / "ca.pem"
    assert configuration.journal.path == tmp_path / "runs" / "j.sqlite"
