"""Every file of the export, as texts by their places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import NAMESPACE_URL, UUID, uuid5

from console import __version__
from console.windows.commands import Effect
from console.windows.constrained import functions, offered
from console.windows.modules import (
    MODULE,
    OPERATE_ENDPOINT,
    OPERATE_ROLE,
    WATCH_ENDPOINT,
    WATCH_ROLE,
)

from .functions import function
from .sheet import install_sheet
from .text import Data, data_file

_NAMES = uuid5(NAMESPACE_URL, "drainboard")
_COMMENT = "Written by drainboard jea export; write it anew instead of editing it."
_EDITED = "Written by drainboard jea export. Only the account names below are yours to edit."


@dataclass(frozen=True, slots=True)
class Groups:
    """Who may open the endpoints. The defaults exist nowhere: what is registered unedited lets nobody in."""

    watch: str = "EXAMPLE\\Drainboard-Watch"
    operate: str = "EXAMPLE\\Drainboard-Operate"


def export(groups: Groups = Groups()) -> Mapping[str, str]:
    """Text by path inside the folder; the same for the same catalogue and groups."""
    watch = functions(Effect.READS)
    operate = functions(Effect.CHANGES)
    return {
        f"{MODULE}/{MODULE}.psd1": _manifest((*watch, *operate)),
        f"{MODULE}/{MODULE}.psm1": _module(),
        f"{MODULE}/RoleCapabilities/{WATCH_ROLE}.psrc": _role(WATCH_ROLE, "Looks; changes nothing.", watch),
        f"{MODULE}/RoleCapabilities/{OPERATE_ROLE}.psrc": _role(OPERATE_ROLE, "What a drain changes.", operate),
        f"{WATCH_ENDPOINT}.pssc": _session(WATCH_ENDPOINT, groups.watch, WATCH_ROLE),
        f"{OPERATE_ENDPOINT}.pssc": _session(OPERATE_ENDPOINT, groups.operate, WATCH_ROLE, OPERATE_ROLE),
        "INSTALL.md": install_sheet(groups.watch, groups.operate, len(watch), len(operate)),
    }


def _module() -> str:
    entries = (*offered(Effect.READS), *offered(Effect.CHANGES))
    return "\n".join([f"# {_COMMENT}", "", *(function(entry) for entry in entries)])


def _id(name: str) -> str:
    found: UUID = uuid5(_NAMES, name)
    return str(found)


def _manifest(names: tuple[str, ...]) -> str:
    values: dict[str, Data] = {
        "RootModule": f"{MODULE}.psm1",
        "ModuleVersion": __version__,
        "GUID": _id(MODULE),
        "Description": "What a Drainboard console may ask of this node and tell it.",
        "PowerShellVersion": "5.1",
        "FunctionsToExport": names,
        "CmdletsToExport": (),
        "VariablesToExport": (),
        "AliasesToExport": (),
    }
    return data_file(_COMMENT, values)


def _role(name: str, description: str, shown: tuple[str, ...]) -> str:
    values: dict[str, Data] = {
        "GUID": _id(name),
        "Description": description,
        "ModulesToImport": MODULE,
        "VisibleFunctions": shown,
    }
    return data_file(_COMMENT, values)


def _session(name: str, group: str, *roles: str) -> str:
    values: dict[str, Data] = {
        "SchemaVersion": "2.0.0.0",
        "GUID": _id(name),
        "Description": "Drainboard: to watch." if len(roles) == 1 else "Drainboard: to watch and to drain.",
        "SessionType": "RestrictedRemoteServer",
        "RunAsVirtualAccount": True,
        "TranscriptDirectory": f"C:\\ProgramData\\{MODULE}\\Transcripts",
        "RoleDefinitions": {group: {"RoleCapabilities": roles}},
    }
    return data_file(_EDITED, values)
