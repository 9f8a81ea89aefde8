"""The records of a pipeline: errors, warnings, progress and its last word (MS-PSRP 2.2.2.20 to 2.2.2.25)."""

from __future__ import annotations

from enum import IntEnum

from console.lab.endpoint.clixml import Writer, text
from console.lab.engine import PsEnum, PsError, PsValue, Typed

CATEGORIES = [
    "NotSpecified",
    "OpenError",
    "CloseError",
    "DeviceError",
    "DeadlockDetected",
    "InvalidArgument",
    "InvalidData",
    "InvalidOperation",
    "InvalidResult",
    "InvalidType",
    "MetadataError",
    "NotImplemented",
    "NotInstalled",
    "ObjectNotFound",
    "OperationStopped",
    "OperationTimeout",
    "SyntaxError",
    "ParserError",
    "PermissionDenied",
    "ResourceBusy",
    "ResourceExists",
    "ResourceUnavailable",
    "ReadError",
    "WriteError",
    "FromStdErr",
    "SecurityError",
    "ProtocolError",
    "ConnectionError",
    "AuthenticationError",
    "LimitsExceeded",
    "QuotaExceeded",
    "NotEnabled",
]
"""System.Management.Automation.ErrorCategory, by number."""

_DEFAULT_HRESULT = -2146233087  # 0x80131501, COR_E_SYSTEM
_ERROR_TYPES = ("System.Management.Automation.ErrorRecord", "System.Object")
_WARNING_TYPES = (
    "System.Management.Automation.WarningRecord",
    "System.Management.Automation.InformationalRecord",
    "System.Object",
)
_WIN32_TYPES = (
    "System.ComponentModel.Win32Exception",
    "System.Runtime.InteropServices.ExternalException",
    "System.SystemException",
    "System.Exception",
    "System.Object",
)
_DICTIONARY_TYPES = ("System.Collections.ListDictionaryInternal", "System.Object")
_PROGRESS_TYPE = "System.Management.Automation.ProgressRecordType"


class PipelineState(IntEnum):
    """PSInvocationState, the numbers that end a pipeline."""

    STOPPED = 3
    COMPLETED = 4
    FAILED = 5


def category_message(error: PsError) -> str:
    """The line ``ObjectNotFound: (X:String) [], CommandNotFoundException``."""
    known = 0 <= error.category < len(CATEGORIES)
    category = CATEGORIES[error.category] if known else str(error.category)
    return f"{category}: ({error.target}:{error.target_type}) [{error.activity}], {_reason(error)}"


def _reason(error: PsError) -> str:
    return error.reason or error.exception.rsplit(".", 1)[-1]


def _signed(hresult: int) -> int:
    return hresult - 0x1_0000_0000 if hresult > 0x7FFFFFFF else hresult


def _exception_types(name: str) -> tuple[str, ...]:
    bases = ("System.Exception", "System.Object")
    return bases if name in bases else (name, *bases)


def _inner(writer: Writer, error: PsError) -> str:
    if error.native_code is None:
        return '<Nil N="InnerException" />'
    values: dict[str, PsValue] = {
        "NativeErrorCode": Typed("I32", _signed(error.native_code)),
        "ErrorCode": Typed("I32", -2147467259),
        "Message": error.message,
        "HResult": Typed("I32", -2147467259),
    }
    start = f"{writer.open('InnerException')}{writer.type_names(_WIN32_TYPES)}"
    return f"{start}<ToString>{text(error.message)}</ToString><Props>{writer.properties(values)}</Props></Obj>"


def _exception(writer: Writer, error: PsError) -> str:
    hresult = _DEFAULT_HRESULT if error.hresult is None else _signed(error.hresult)
    start = f"{writer.open('Exception')}{writer.type_names(_exception_types(error.exception))}"
    message = text(error.message)
    shown = f"<ToString>{text(error.exception)}: {message}</ToString>"
    data = f"{writer.open('Data')}{writer.type_names(_DICTIONARY_TYPES)}<DCT /></Obj>"
    rest: dict[str, PsValue] = {
        "TargetSite": None,
        "StackTrace": None,
        "HelpLink": None,
        "Source": None,
        "HResult": Typed("I32", hresult),
    }
    inside = f'<S N="Message">{message}</S>{data}{_inner(writer, error)}{writer.properties(rest)}'
    return f"{start}{shown}<Props>{inside}</Props></Obj>"


def _error(writer: Writer, error: PsError, name: str = "", *, to_error_stream: bool = False) -> str:
    start = f"{writer.open(name)}{writer.type_names(_ERROR_TYPES)}<ToString>{text(error.message)}</ToString><MS>"
    notes: dict[str, PsValue] = {
        "TargetObject": error.target or None,
        "FullyQualifiedErrorId": error.identifier,
        "InvocationInfo": None,
        "ErrorCategory_Category": Typed("I32", error.category),
        "ErrorCategory_Activity": error.activity,
        "ErrorCategory_Reason": _reason(error),
        "ErrorCategory_TargetName": error.target,
        "ErrorCategory_TargetType": error.target_type,
        "ErrorCategory_Message": category_message(error),
        "SerializeExtendedInfo": False,
    }
    stream = '<B N="writeErrorStream">true</B>' if to_error_stream else ""
    return f"{start}{stream}{_exception(writer, error)}{writer.properties(notes)}</MS></Obj>"


def error_record(error: PsError) -> str:
    """A non-terminating error: Windows marks it with ``writeErrorStream``."""
    return _error(Writer(), error, to_error_stream=True)


def warning_record(message: str) -> str:
    """A warning; its text is also its ToString, as on Windows."""
    writer = Writer()
    notes: dict[str, PsValue] = {
        "InformationalRecord_Message": message,
        "InformationalRecord_SerializeInvocationInfo": False,
    }
    start = f"{writer.open()}{writer.type_names(_WARNING_TYPES)}<ToString>{text(message)}</ToString>"
    return f"{start}<MS>{writer.properties(notes)}</MS></Obj>"


def progress_record(activity: str, status: str, percent: int) -> str:
    """Progress in per cent; -1 says unknown, 100 ends the activity."""
    writer = Writer()
    kind = PsEnum(_PROGRESS_TYPE, 1, "Completed") if percent >= 100 else PsEnum(_PROGRESS_TYPE, 0, "Processing")
    notes: dict[str, PsValue] = {
        "Activity": activity,
        "ActivityId": Typed("I32", 0),
        "StatusDescription": status,
        "CurrentOperation": None,
        "ParentActivityId": Typed("I32", -1),
        "PercentComplete": Typed("I32", min(percent, 100)),
        "Type": kind,
        "SecondsRemaining": Typed("I32", -1),
    }
    return f"{writer.open()}<MS>{writer.properties(notes)}</MS></Obj>"


def first_use_progress() -> str:
    """What Windows says when a session loads its first module; consoles must take no notice."""
    writer = Writer()
    notes: dict[str, PsValue] = {
        "Activity": "Preparing modules for first use.",
        "ActivityId": Typed("I32", 0),
        "StatusDescription": " ",
        "CurrentOperation": None,
        "ParentActivityId": Typed("I32", -1),
        "PercentComplete": Typed("I32", -1),
        "Type": PsEnum(_PROGRESS_TYPE, 1, "Completed"),
        "SecondsRemaining": Typed("I32", -1),
    }
    return f"{writer.open()}<MS>{writer.properties(notes)}</MS></Obj>"


def pipeline_state(state: PipelineState, error: PsError | None = None) -> str:
    """A pipeline's last message; Failed and Stopped carry ``ExceptionAsErrorRecord``."""
    writer = Writer()
    start = f'{writer.open()}<MS><I32 N="PipelineState">{state.value}</I32>'
    record = "" if error is None else _error(writer, error, "ExceptionAsErrorRecord")
    return f"{start}{record}</MS></Obj>"


def stopped() -> PsError:
    """The record of a pipeline that was stopped."""
    return PsError(
        message="The pipeline has been stopped.",
        identifier="PipelineStopped",
        category=14,
        exception="System.Management.Automation.PipelineStoppedException",
    )


def command_not_found(name: str) -> PsError:
    """PowerShell's answer to a name that it does not know, or does not show."""
    return PsError(
        message=(
            f"The term '{name}' is not recognized as the name of a cmdlet, function, script file, or operable program. "
            "Check the spelling of the name, or if a path was included, verify that the path is correct and try again."
        ),
        identifier="CommandNotFoundException",
        category=13,
        exception="System.Management.Automation.CommandNotFoundException",
        target=name,
        target_type="String",
    )


def scripts_not_allowed() -> PsError:
    """PowerShell's answer to script text in a runspace in no-language mode."""
    return PsError(
        message=(
            "The syntax is not supported by this runspace. This can occur if the runspace is in no-language mode."
        ),
        identifier="ScriptsNotAllowed",
        category=17,
        exception="System.Management.Automation.ParseException",
    )


def prompt_refused(command: str) -> PsError:
    """A prompt where the client has no host to show it: an error, never a wait."""
    return PsError(
        message=(
            "A command that prompts the user failed because the host program or the command type does not support "
            "user interaction. Try a host program that supports user interaction, and remove prompt-related commands "
            "from command types that do not support user interaction."
        ),
        identifier=f"HostFunctionNotImplemented,{command}",
        category=11,
        exception="System.Management.Automation.Host.HostException",
        activity=command,
    )


def parameter_not_found(command: str, parameter: str) -> PsError:
    """A parameter that the command does not have."""
    return PsError(
        message=f"A parameter cannot be found that matches parameter name '{parameter}'.",
        identifier=f"NamedParameterNotFound,{command}",
        category=5,
        exception="System.Management.Automation.ParameterBindingException",
        activity=command,
    )


def value_not_in_set(command: str, parameter: str, value: str, allowed: tuple[str, ...]) -> PsError:
    """A parameter value outside its ValidateSet."""
    return PsError(
        message=(
            f"Cannot validate argument on parameter '{parameter}'. The argument \"{value}\" does not belong to the set "
            f'"{",".join(allowed)}" specified by the ValidateSet attribute. Supply an argument that is in the set and '
            "then try the command again."
        ),
        identifier=f"ParameterArgumentValidationError,{command}",
        category=6,
        exception="System.Management.Automation.ParameterBindingValidationException",
        reason="ParameterBindingValidationException",
        activity=command,
    )


def not_supported(what: str) -> PsError:
    """Something that this endpoint does not offer."""
    return PsError(
        message=f"{what} is not supported by this endpoint.",
        identifier="NotSupported",
        category=11,
        exception="System.NotSupportedException",
    )


def engine_failed(exception: Exception) -> PsError:
    """An engine that broke; the client hears of it instead of waiting."""
    return PsError(
        message=f"{type(exception).__name__}: {exception}",
        identifier="InternalError",
        category=7,
        exception="System.InvalidOperationException",
    )
