"""PowerShell's error records: read from pypsrp's objects, and told apart by what the caller can do about them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from console.model.failures import CommandFailed, CommandMissing, Failure, Forbidden
from console.model.identity import HostName
from console.windows.commands import RemoteError
from console.windows.modules import MODULE, OPERATE_ENDPOINT

PERMISSION_DENIED = 18
"""ErrorCategory.PermissionDenied."""
SECURITY_ERROR = 8
"""ErrorCategory.SecurityError."""

_HEXADECIMAL = re.compile(r"0x([0-9a-fA-F]{8})\b")
_ACCESS_DENIED = frozenset((5, 0x80070005, 0x80041003))
"""ERROR_ACCESS_DENIED, E_ACCESSDENIED, WBEM_E_ACCESS_DENIED."""
_E_FAIL = 0x80004005
_MISSING = ("CommandNotFoundException", "ModuleNotFound", "CouldNotAutoloadMatchingModule", "CouldNotAutoLoadModule")
_NO_SCRIPTS = "ScriptsNotAllowed"
_INSTALL = "Install its module (RSAT-Clustering-PowerShell, Hyper-V-PowerShell), or let the endpoint show it."
_EXPORT_AGAIN = (
    f"This endpoint is for watching, or an older console wrote it: name {OPERATE_ENDPOINT} as the cluster's endpoint, "
    "or write and install it again (drainboard jea export)."
)
_DEEPEST = 8
"""Inner exceptions that are looked into; the wire itself carries far fewer."""


def remote_error(record: Any) -> RemoteError:
    """An error record (pypsrp's ErrorRecordMessage) as a value.

    The message is ErrorDetails' when the command wrote one, else the record's own text.
    """
    exceptions = tuple(_chain(record.exception))
    message = _text(record.details_message) or _text(record._to_string)
    if not message:
        message = next((str(values["Message"]) for _, values in exceptions if values.get("Message")), "")
    identifier = _text(record.fq_error)
    return RemoteError(
        message=message.strip(),
        identifier=identifier,
        category=int(record.category or 0),
        exception=next((name for name, _ in exceptions if name), "") or _text(record.reason),
        code=_code([values for _, values in exceptions], identifier, message, _texts(record.exception)),
        target=_text(record.target_name),
    )


def failed(error: RemoteError, host: HostName, entry: str) -> Failure:
    """The failure that a terminating error stands for."""
    identifier = error.identifier.partition(",")[0]
    if identifier == _NO_SCRIPTS:
        return CommandMissing(
            host,
            "This endpoint takes no scripts.",
            "Install the console's endpoint on this node (drainboard jea export).",
            code=identifier,
            entry=entry,
        )
    if identifier.endswith(_MISSING) or error.exception.endswith("CommandNotFoundException"):
        name = error.target or "A command"
        advice = _EXPORT_AGAIN if f"-{MODULE}" in name else _INSTALL
        return CommandMissing(host, f"{name} is not there, or not exposed.", advice, code=identifier, entry=entry)
    if error.category == PERMISSION_DENIED or error.code in _ACCESS_DENIED or "Unauthorized" in error.exception:
        advice = "The account needs rights on the cluster and on Hyper-V of this node."
        return Forbidden(host, _sentence(error), advice, code=error.code, entry=entry)
    return CommandFailed(host, _sentence(error), code=error.code, entry=entry)


def _sentence(error: RemoteError) -> str:
    return error.message or f"The command failed ({error.identifier or error.exception or 'no reason given'})."


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _chain(exception: object) -> Iterator[tuple[str, Mapping[str, object]]]:
    """(type name, properties) of the exception and of every inner one that came as an object."""
    for _ in range(_DEEPEST):
        adapted = getattr(exception, "adapted_properties", None)
        if adapted is None:
            return
        values = {**adapted, **getattr(exception, "extended_properties", {})}
        types = getattr(exception, "types", None) or [""]
        yield str(types[0]).removeprefix("Deserialized."), values
        exception = values.get("InnerException")


def _texts(exception: object) -> str:
    """What the exceptions say of themselves; an inner one usually travels as its text alone."""
    return "\n".join(
        str(text) for _, values in _chain(exception) for text in (values.get("Message"), values.get("InnerException"))
    )


def _code(exceptions: list[Mapping[str, object]], identifier: str, message: str, said: str) -> int | None:
    """The HRESULT or Win32 code of a record, unsigned; the most specific one that can be found.

    Win32 exceptions carry ``NativeErrorCode``, CIM and Hyper-V write the number into identifier or message, and the
    last number of a message is the innermost cause. .NET's own numbers (0x8013….) and E_FAIL say nothing.
    """
    natives = [values.get("NativeErrorCode") for values in reversed(exceptions)]
    hexadecimal = [
        int(digits, 16) for text in (identifier, message, said) for digits in _HEXADECIMAL.findall(text)[::-1]
    ]
    properties = [values.get(name) for values in reversed(exceptions) for name in ("ErrorCode", "HResult")]
    found = (*natives, *hexadecimal, *properties)
    numbers = [value & 0xFFFFFFFF for value in found if isinstance(value, int) and not isinstance(value, bool)]
    specific = [number for number in numbers if number not in (0, _E_FAIL) and number >> 16 != 0x8013]
    if specific:
        return specific[0]
    return _E_FAIL if _E_FAIL in numbers else None
