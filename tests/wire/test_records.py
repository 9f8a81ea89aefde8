"""PowerShell's error records, as Windows writes them."""

from __future__ import annotations

import pytest
from pypsrp.complex_objects import ObjectMeta
from pypsrp.messages import ErrorRecordMessage
from pypsrp.serializer import Serializer

from console.model.failures import CommandFailed, CommandMissing, Forbidden
from console.model.identity import HostName
from console.windows.commands import RemoteError
from console.wire.records import failed, remote_error

N1 = HostName("N1")


def record(
    *,
    text: str = "It failed.",
    identifier: str = "OperationFailed,Microsoft.HyperV.PowerShell.Commands.MoveVMCommand",
    category: int = 0,
    exception: str = "",
    exception_type: str = "System.Management.Automation.RuntimeException",
    details: str = "",
) -> ErrorRecordMessage:
    """An error record in CLIXML ([MS-PSRP] 2.2.3.15) through pypsrp's decoder."""
    thrown = (
        f'<Obj N="Exception" RefId="1"><TN RefId="1"><T>{exception_type}</T><T>System.Exception</T>'
        f"<T>System.Object</T></TN><ToString>{text}</ToString><Props>{exception}</Props></Obj>"
    )
    detail = f'<S N="ErrorDetails_Message">{details}</S>' if details else ""
    document = (
        '<Obj RefId="0"><TN RefId="0"><T>System.Management.Automation.ErrorRecord</T><T>System.Object</T></TN>'
        f'<ToString>{text}</ToString><MS>{thrown}<Nil N="TargetObject"/>'
        f'<S N="FullyQualifiedErrorId">{identifier}</S><I32 N="ErrorCategory_Category">{category}</I32>'
        '<S N="ErrorCategory_Activity">Move-VM</S><S N="ErrorCategory_Reason">Virtualization</S>'
        '<S N="ErrorCategory_TargetName">web-01</S><S N="ErrorCategory_TargetType">String</S>'
        f'{detail}<B N="SerializeExtendedInfo">false</B></MS></Obj>'
    )
    decoded = Serializer().deserialize(document, ObjectMeta("Obj", object=ErrorRecordMessage))
    assert isinstance(decoded, ErrorRecordMessage)
    return decoded


def inner(native: int) -> str:
    return (
        '<Obj N="InnerException" RefId="2"><TN RefId="2"><T>System.ComponentModel.Win32Exception</T>'
        f'<T>System.Object</T></TN><Props><I32 N="NativeErrorCode">{native}</I32>'
        '<I32 N="ErrorCode">-2147467259</I32></Props></Obj>'
    )


def test_fields() -> None:
    error = remote_error(record(text="web-01 was not found. ", category=13))
    assert error == RemoteError(
        message="web-01 was not found.",
        identifier="OperationFailed,Microsoft.HyperV.PowerShell.Commands.MoveVMCommand",
        category=13,
        exception="System.Management.Automation.RuntimeException",
        code=None,
        target="web-01",
    )


def test_details_speak_before_the_record() -> None:
    assert remote_error(record(details="What it means.")).message == "What it means."


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (record(exception=inner(5962)), 5962),
        (record(exception='<I32 N="HResult">-2147019880</I32>'), 0x80071398),
        (record(exception='<I32 N="HResult">-2146233087</I32>'), None),
        (record(exception='<I32 N="HResult">-2147467259</I32>'), 0x80004005),
        (record(identifier="HRESULT 0x80041010,Microsoft.Management.Infrastructure.CimCmdlets"), 0x80041010),
        (record(text="Migration failed: no credentials (0x8009030E)."), 0x8009030E),
        (record(text="Failed (0x80004005). Access denied (0x80070005)."), 0x80070005),
        (record(text="Outer 0x80070005 inner 0x8007271D"), 0x8007271D),
        (record(exception='<S N="InnerException">System.Exception: port is closed (0x8007274D)</S>'), 0x8007274D),
        (record(exception='<I32 N="NativeErrorCode">0</I32><I32 N="HResult">-2147024891</I32>'), 0x80070005),
        (record(text="VM 0x12 of 0x123456789"), None),
    ],
)
def test_the_most_specific_code_is_found(made: ErrorRecordMessage, code: int | None) -> None:
    assert remote_error(made).code == code


def error(**changes: object) -> RemoteError:
    values: dict[str, object] = {"message": "No.", "identifier": "X,Y", "category": 0, "exception": "System.Exception"}
    return RemoteError(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (error(), CommandFailed),
        (error(code=5962), CommandFailed),
        (error(code=5), Forbidden),
        (error(code=0x80070005), Forbidden),
        (error(category=18), Forbidden),
        (error(exception="System.UnauthorizedAccessException"), Forbidden),
        (error(identifier="CommandNotFoundException"), CommandMissing),
        (error(identifier="CouldNotAutoloadMatchingModule"), CommandMissing),
        (error(exception="System.Management.Automation.CommandNotFoundException"), CommandMissing),
        (error(identifier="ScriptsNotAllowed"), CommandMissing),
    ],
)
def test_terminating_errors_by_what_can_be_done(made: RemoteError, kind: type[Exception]) -> None:
    failure = failed(made, N1, "vm.move")
    assert type(failure) is kind
    assert failure.entry == "vm.move"
    assert failure.what


def test_an_error_without_words_still_says_something() -> None:
    assert "X,Y" in failed(error(message=""), N1, "").what
