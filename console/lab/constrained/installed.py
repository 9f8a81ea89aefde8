"""What is installed on the lab's hosts: session configurations, and the functions that each shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from console.lab.constrained import datafile, module
from console.lab.constrained.datafile import UnreadableFile, Value
from console.lab.constrained.module import Function

_RESTRICTED = "RestrictedRemoteServer"


@dataclass(frozen=True, slots=True)
class SessionConfiguration:
    """One registered endpoint."""

    name: str
    module: str = ""
    functions: Mapping[str, Function] = field(default_factory=dict)
    """Those that are visible, by lower-case name."""


def load(directory: Path) -> Mapping[str, SessionConfiguration]:
    """Every ``.pssc`` file of a folder, with the roles and modules beside it, by lower-case name.

    Raises:
        UnreadableFile: a file is not what it should be.
        OSError: a file can not be read.
    """
    found: dict[str, SessionConfiguration] = {}
    for file in sorted(directory.glob("*.pssc")):
        settings = _lowered(_data(file))
        if settings.get("sessiontype") != _RESTRICTED:
            raise UnreadableFile(f"{file.name} is not restricted.")
        roles = _role_names(settings.get("roledefinitions"))
        found[file.stem.casefold()] = _configuration(file.stem, directory, roles)
    return found


def _configuration(name: str, directory: Path, roles: Iterable[str]) -> SessionConfiguration:
    visible: dict[str, Function] = {}
    modules: set[str] = set()
    for role in roles:
        (file,) = directory.glob(f"*/RoleCapabilities/{role}.psrc")
        capability = _lowered(_data(file))
        for wanted in _texts(capability.get("modulestoimport")):
            modules.add(wanted)
            shown = {each.casefold() for each in _texts(capability.get("visiblefunctions"))}
            exported = _module(directory / wanted)
            visible |= {key: function for key, function in exported.items() if key in shown}
    return SessionConfiguration(name, ", ".join(sorted(modules)), visible)


def _module(folder: Path) -> dict[str, Function]:
    """The functions that a module's manifest exports."""
    manifest = _lowered(_data(folder / f"{folder.name}.psd1"))
    exported = {each.casefold() for each in _texts(manifest.get("functionstoexport"))}
    root = folder / str(manifest.get("rootmodule"))
    functions = module.read(root.read_text("utf-8-sig"))
    return {key: function for key, function in functions.items() if key in exported}


def _role_names(definitions: Value) -> list[str]:
    accounts = definitions.values() if isinstance(definitions, dict) else ()
    roles = (_lowered(account).get("rolecapabilities") for account in accounts if isinstance(account, dict))
    return list(dict.fromkeys(name for names in roles for name in _texts(names)))


def _data(file: Path) -> dict[str, Value]:
    try:
        return datafile.read(file.read_text("utf-8-sig"))
    except UnreadableFile as error:
        raise UnreadableFile(f"{file.name}: {error}") from None


def _lowered(values: dict[str, Value]) -> dict[str, Value]:
    return {name.lower(): value for name, value in values.items()}


def _texts(value: Value) -> list[str]:
    if value is None:
        return []
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]
