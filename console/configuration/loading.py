"""From a TOML file to a :class:`Configuration`, or to every problem that stands in the way."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli
from pydantic import BaseModel, ValidationError

from .lines import KeyPath, key_lines
from .models import Configuration
from .problems import ConfigurationError, Problem, nearest

_SECRET = re.compile(r"passw(or)?d|passphrase|secret|credential|token|api_?key|^pwd$", re.IGNORECASE)

WHERE_SECRETS_GO = (
    "secrets do not belong in this file. Take it out (and change it: it was readable), then use the environment "
    'variable DRAINBOARD_PASSWORD_<CLUSTER> or DRAINBOARD_PASSWORD, the system\'s keyring (service "drainboard", '
    'user "<cluster>"), or let the console ask.'
)


def load_configuration(path: Path) -> Configuration:
    """Read and validate one file. Relative paths in it are taken from the file's own folder.

    Raises:
        ConfigurationError: it cannot be read, is not TOML, or has problems; all of them are in it.
    """
    try:
        source = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ConfigurationError([Problem(path, None, "", f"cannot be read: {reason}.")]) from None
    return parse_configuration(source, path)


def parse_configuration(source: str, path: Path) -> Configuration:
    """Validate the text of a file; ``path`` is only its name in problems and the base of relative paths.

    Raises:
        ConfigurationError: everything that is wrong with it.
    """
    source = source.replace("\r\n", "\n")
    try:
        data = tomli.loads(source)
    except tomli.TOMLDecodeError as error:
        raise ConfigurationError([Problem(path, error.lineno, "", f"is not TOML: {error.msg}.")]) from None
    places = _Places(path, key_lines(source))
    secrets = list(_secret_problems(data, (), places))
    cleaned = _resolved(_without_secrets(data), path.parent)
    problems = [*secrets, *_reference_problems(cleaned, places)]
    try:
        configuration = Configuration.model_validate(cleaned)
    except ValidationError as error:
        problems += [_problem(dict(detail), cleaned, places) for detail in error.errors(include_url=False)]
        raise ConfigurationError(problems) from None
    if problems:
        raise ConfigurationError(problems)
    return configuration


_WANTED = {
    "bool_type": "true or false",
    "dict_type": "a table",
    "float_type": "a number",
    "int_type": "a whole number",
    "is_instance_of": "a word in quotes",
    "model_type": "a table",
    "path_type": "a path in quotes",
    "string_type": "a text in quotes",
    "time_type": 'a time of day such as "02:00"',
    "tuple_type": "a list",
}
"""What a validator's kind of error asks for, in the words of a TOML file."""


class _Places:
    """Turns key paths into problems with a line and a dotted name."""

    def __init__(self, path: Path, lines: Mapping[KeyPath, int]) -> None:
        self._path = path
        self._lines = lines

    def problem(self, key: KeyPath, what: str, hint: str | None = None) -> Problem:
        line = next((self._lines[key[:n]] for n in range(len(key), 0, -1) if key[:n] in self._lines), None)
        return Problem(self._path, line, dotted(key), what, hint)


def dotted(key: KeyPath) -> str:
    """``("clusters", "prod", "nodes", 0)`` as ``clusters.prod.nodes[0]``."""
    text = ""
    for part in key:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            shown = part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else f'"{part}"'
            text += f".{shown}" if text else shown
    return text


def _secret_problems(value: object, key: KeyPath, places: _Places) -> Iterator[Problem]:
    if isinstance(value, dict):
        for name, below in value.items():
            if _is_secret((*key, name)):
                yield places.problem((*key, name), WHERE_SECRETS_GO)
            else:
                yield from _secret_problems(below, (*key, name), places)
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from _secret_problems(below, (*key, index), places)


def _is_secret(key: KeyPath) -> bool:
    """Names that an operator invents (clusters, actions, codes) may hold such words: ``auth-credssp…`` is a code."""
    invented = (len(key) == 2 and key[0] in ("clusters", "keys")) or (len(key) == 4 and key[2] == "checks")
    return not invented and bool(_SECRET.search(str(key[-1])))


def _without_secrets(value: Any, key: KeyPath = ()) -> Any:
    """The same tree without the keys that were already reported: their values must reach no other message."""
    if isinstance(value, dict):
        return {
            name: _without_secrets(below, (*key, name)) for name, below in value.items() if not _is_secret((*key, name))
        }
    if isinstance(value, list):
        return [_without_secrets(below, (*key, index)) for index, below in enumerate(value)]
    return value


def _resolved(data: dict[str, Any], base: Path) -> dict[str, Any]:
    """Relative paths of files, taken from the folder of the configuration."""
    for cluster in _tables(data.get("clusters")):
        for option in ("ca_file", "certificate_file", "certificate_key_file"):
            _resolve(cluster, option, base)
    for journal in _tables({"journal": data.get("journal")}):
        _resolve(journal, "path", base)
    return data


def _tables(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield from (table for table in value.values() if isinstance(table, dict))


def _resolve(table: dict[str, Any], option: str, base: Path) -> None:
    if isinstance(table.get(option), str) and table[option]:
        table[option] = str(base / Path(table[option]).expanduser())


def _reference_problems(data: Mapping[str, Any], places: _Places) -> Iterator[Problem]:
    """Names that must exist elsewhere: in the file, among the actions, among the conflicts."""
    clusters = data.get("clusters")
    names = list(clusters) if isinstance(clusters, dict) else []
    default = data.get("default_cluster")
    if isinstance(default, str) and default not in names:
        yield places.problem(("default_cluster",), f"there is no cluster {default!r}.", nearest(default, names))
    if isinstance(data.get("keys"), dict):
        yield from _key_problems(data["keys"], places)
    for name in names:
        if isinstance(clusters, dict) and isinstance(clusters[name], dict):
            yield from _code_problems(name, clusters[name].get("checks"), places)


def _key_problems(keys: Mapping[str, Any], places: _Places) -> Iterator[Problem]:
    from console.actions import validate_keys

    for sentence in validate_keys({action: key for action, key in keys.items() if isinstance(key, str)}):
        action, _, what = sentence.partition(": ")
        is_about_one = action in keys
        yield places.problem(("keys", action) if is_about_one else ("keys",), what if is_about_one else sentence)


def _code_problems(cluster: str, checks: object, places: _Places) -> Iterator[Problem]:
    if not isinstance(checks, dict):
        return
    from console.checks.catalogue import CHECKS

    for code in checks:
        if code not in CHECKS:
            key = ("clusters", cluster, "checks", code)
            yield places.problem(key, "there is no conflict of that code.", nearest(code, CHECKS))


def _problem(detail: Mapping[str, Any], data: object, places: _Places) -> Problem:
    key = _existing_key(detail["loc"], data)
    last = str(detail["loc"][-1]) if detail["loc"] else ""
    kind = detail["type"]
    if kind == "extra_forbidden":
        return places.problem(key, "there is no such option.", nearest(last, _options_beside(key)))
    if kind == "missing":
        return places.problem(key, "is missing.")
    if kind == "choice":
        expected: list[str] = detail["ctx"]["expected"]
        what = f"{detail['input']!r} is not one of {', '.join(expected)}."
        return places.problem(key, what, nearest(str(detail["input"]), expected))
    if kind == "value_error":
        return places.problem(key, str(detail["ctx"]["error"]))
    wanted = _WANTED.get(kind) or detail["msg"].removeprefix("Input should be ")
    return places.problem(key, f"should be {wanted}, not {_shown(detail['input'])}.")


def _existing_key(loc: Sequence[str | int], data: object) -> KeyPath:
    """A validator's location without the names of types that it mixes in; a missing last key is kept."""
    key: list[str | int] = []
    for position, part in enumerate(loc):
        is_last = position == len(loc) - 1
        if isinstance(data, dict) and isinstance(part, str) and (part in data or is_last):
            key.append(part)
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            key.append(part)
            data = data[part]
    return tuple(key)


def _options_beside(key: KeyPath) -> tuple[str, ...]:
    """Every option that may stand where ``key`` stands."""
    here: Any = Configuration
    for part in key[:-1]:
        here = _below(here, part)
        if here is None:
            return ()
    return tuple(here.model_fields) if isinstance(here, type) and issubclass(here, BaseModel) else ()


def _below(annotation: Any, part: str | int) -> Any:
    """The model, or the container of models, one key further down."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = annotation.model_fields.get(str(part))
        return _stripped(field.annotation) if field else None
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is dict:
        return _stripped(arguments[1])
    return _stripped(arguments[0]) if arguments else None


def _stripped(annotation: Any) -> Any:
    """Without Annotated and ``| None``."""
    if typing.get_origin(annotation) is typing.Annotated:
        return _stripped(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return _stripped(next(part for part in typing.get_args(annotation) if part is not type(None)))
    return annotation


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
