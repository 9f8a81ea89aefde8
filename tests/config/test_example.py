"""The example is a valid file that names every option there is, each documented."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from console.configuration.loading import load_configuration, parse_configuration
from console.configuration.models import Configuration, Options

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"
REFERENCE = Path(__file__).parents[2] / "docs" / "configuration.md"


def models(kind: type[BaseModel] = Configuration) -> Iterator[type[BaseModel]]:
    """Every table of the configuration."""
    yield kind
    for field in kind.model_fields.values():
        for part in parts(field.annotation):
            if isinstance(part, type) and issubclass(part, Options):
                yield from models(part)


def parts(annotation: object) -> Iterator[object]:
    yield annotation
    for argument in typing.get_args(annotation):
        yield from parts(argument)


OPTIONS = sorted({name for model in models() for name in model.model_fields})


def test_the_example_is_valid() -> None:
    configuration = load_configuration(EXAMPLE)
    assert configuration.default_cluster in configuration.clusters


def test_what_the_example_leaves_commented_is_valid_too(tmp_path: Path) -> None:
    for name in ("ca.pem", "drainer.pem", "drainer.key"):
        (tmp_path / name).touch()
    alternatives = re.compile(r'^end = .*$|^nodes = \["HV01", "hv02.*$|^username = .*$', re.MULTILINE)
    source = alternatives.sub("", EXAMPLE.read_text("utf-8"))
    source = re.sub(r'^# ("?[a-z_.]+"? = |\[clusters)', r"\1", source, flags=re.MULTILINE)
    source = source.replace("[clusters.production]", '[clusters.production]\nnodes = ["HV01"]', 1)
    configuration = parse_configuration(source, tmp_path / "config.toml")
    production = configuration.clusters["production"]
    assert production.ca_file == tmp_path / "ca.pem"
    assert production.window is not None
    assert production.window.duration_minutes == 120
    assert (production.policy.slots, production.policy.smb_cap_fraction) == (2, 0.5)
    assert configuration.clusters["workgroup"].certificate_file == tmp_path / "drainer.pem"


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_is_in_the_example_and_in_the_reference(option: str) -> None:
    assert re.search(rf"\b{option}\b", EXAMPLE.read_text("utf-8"))
    assert f"`{option}`" in REFERENCE.read_text("utf-8")


@pytest.mark.parametrize("model", list(models()), ids=lambda model: model.__name__)
def test_every_option_is_documented(model: type[BaseModel]) -> None:
    undocumented = [name for name, field in model.model_fields.items() if not field.description]
    assert not undocumented
