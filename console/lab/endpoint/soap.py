"""WS-Management envelopes: what a request asks, how an answer and a fault look (DSP0226, MS-WSMV)."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import uuid4
from xml.sax.saxutils import escape, quoteattr

S = "http://www.w3.org/2003/05/soap-envelope"
WSA = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
WSMID = "http://schemas.dmtf.org/wbem/wsman/identify/1/wsmanidentity.xsd"
WSMANFAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
WSMV = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"
CONFIG = "http://schemas.microsoft.com/wbem/wsman/1/config"
SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
WSEN = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
WST = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
POWERSHELL = "http://schemas.microsoft.com/powershell"

DEFAULT_TIMEOUT_S = 60.0
DEFAULT_ENVELOPE_BYTES = 153_600

_ANONYMOUS = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
_FAULT_DETAIL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail"
_FAULT_ACTION = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Envelope:
    """The parts of a request that the endpoint reads."""

    action: str
    message_id: str
    resource_uri: str
    selectors: Mapping[str, str]
    operation_timeout_s: float
    max_envelope_bytes: int
    session_id: str
    body: ElementTree.Element | None
    """The first element of the body."""

    @property
    def shell_id(self) -> str:
        """The shell that is meant; empty when none is named."""
        return self.selectors.get("ShellId", "")


class WsmanFault(Exception):
    """A request that ends in a SOAP fault."""

    def __init__(self, code: int, subcode: str, reason: str, *, detail: str = "", sender: bool = True) -> None:
        super().__init__(reason)
        self.code = code
        self.subcode = subcode
        self.reason = reason
        self.detail = detail
        """Last part of the ``w:FaultDetail`` URI, or empty."""
        self.sender = sender
        """Whether the client is to blame (``s:Sender``), or the server (``s:Receiver``)."""


def timed_out() -> WsmanFault:
    """Nothing to deliver within OperationTimeout; clients ask again."""
    return WsmanFault(
        0x80338029,
        "w:TimedOut",
        "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.",
        sender=False,
    )


def unknown_shell() -> WsmanFault:
    """No such shell, or command: deleted, expired, or never there."""
    return WsmanFault(
        0x8033805B,
        "w:InvalidSelectors",
        "The WS-Management service cannot process the request because the request contained invalid selectors "
        "for the resource.",
        detail="UnexpectedSelectors",
    )


def unknown_resource(uri: str) -> WsmanFault:
    """No such configuration on this host."""
    return WsmanFault(
        0x8033803B,
        "w:InvalidResourceURI",
        f"The WS-Management service cannot process the request. The resource URI ({uri}) was not found in the "
        "WS-Management catalog. The catalog contains the metadata that describes resources, or logical endpoints.",
        detail="InvalidResourceURI",
    )


def too_many_shells(limit: int) -> WsmanFault:
    """MaxShellsPerUser."""
    return WsmanFault(
        0x803381A5,
        "w:QuotaLimit",
        "The WS-Management service cannot process the request. This user is allowed a maximum number of "
        f"{limit} concurrent shells, which has been exceeded. Close existing shells or raise the quota for this user.",
        sender=False,
    )


def too_many_commands(limit: int) -> WsmanFault:
    """MaxConcurrentCommandsPerShell: finished commands count until they are closed."""
    return WsmanFault(
        0x803381E9,
        "w:QuotaLimit",
        "The WS-Management service cannot process the request. The maximum number of concurrent commands per shell "
        f"({limit}) has been exceeded. Close existing commands or raise the quota.",
        sender=False,
    )


def too_many_operations() -> WsmanFault:
    """MaxConcurrentOperationsPerUser."""
    return WsmanFault(
        0x803381A6,
        "w:QuotaLimit",
        "The WS-Management service cannot process the request. The maximum number of concurrent operations for this "
        "user has been exceeded. Close existing operations for this user, or raise the quota for this user.",
        sender=False,
    )


def access_denied() -> WsmanFault:
    """Signed in, but not allowed here."""
    return WsmanFault(5, "w:AccessDenied", "Access is denied.")


def not_supported(action: str) -> WsmanFault:
    """An action that this resource does not have."""
    return WsmanFault(
        0x80338000,
        "a:ActionNotSupported",
        f"The WS-Management service cannot process the request because the action {action} is not supported.",
    )


def malformed(why: str) -> WsmanFault:
    """A request that is no proper envelope, or carries what .NET can not read."""
    return WsmanFault(0x80131516, "w:InternalError", why, sender=False)


def internal_error(why: str) -> WsmanFault:
    """The endpoint itself failed; a fault keeps the connection alive, a closed one would kill encrypted clients."""
    return WsmanFault(0x80131501, "w:InternalError", why, sender=False)


def parse(body: bytes) -> Envelope:
    """Read a request.

    Raises:
        WsmanFault: not a SOAP envelope.
    """
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as failure:
        raise malformed(f"The request is not well-formed XML: {failure}.") from failure
    header = root.find(f"{{{S}}}Header")
    soap_body = root.find(f"{{{S}}}Body")
    if root.tag != f"{{{S}}}Envelope" or soap_body is None:
        raise malformed("The request is not a SOAP envelope.")
    if header is None:
        header = ElementTree.Element("Header")
    return Envelope(
        action=_text(header, WSA, "Action"),
        message_id=_text(header, WSA, "MessageID"),
        resource_uri=_text(header, WSMAN, "ResourceURI"),
        selectors=selectors(header.find(f"{{{WSMAN}}}SelectorSet")),
        operation_timeout_s=seconds(_text(header, WSMAN, "OperationTimeout")),
        max_envelope_bytes=int(_text(header, WSMAN, "MaxEnvelopeSize") or DEFAULT_ENVELOPE_BYTES),
        session_id=_text(header, WSMV, "SessionId"),
        body=next(iter(soap_body), None),
    )


def _text(parent: ElementTree.Element, namespace: str, name: str) -> str:
    return (parent.findtext(f"{{{namespace}}}{name}") or "").strip()


def selectors(element: ElementTree.Element | None) -> dict[str, str]:
    """A SelectorSet by name; nothing from nothing."""
    if element is None:
        return {}
    return {selector.attrib.get("Name", ""): (selector.text or "").strip() for selector in element}


def seconds(duration: str) -> float:
    """An XML duration in seconds; the default when there is none.

    Raises:
        WsmanFault: not a duration.
    """
    if not duration:
        return DEFAULT_TIMEOUT_S
    match = _DURATION.fullmatch(duration)
    if match is None:
        raise malformed(f"{duration} is not a duration.")
    days, hours, minutes, rest = match.groups()
    return int(days or 0) * 86_400 + int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(rest or 0)


def clean(value: str) -> str:
    """Text that is safe inside an element, whatever it was."""
    return escape(_UNPRINTABLE.sub("�", value))


def quoted(value: str) -> str:
    """A quoted attribute value."""
    return quoteattr(_UNPRINTABLE.sub("�", value))


def answer(request: Envelope, body: bytes = b"", *, action: str = "") -> bytes:
    """The answer to a request: ``RelatesTo`` is its MessageID, letter by letter."""
    return _envelope(action or f"{request.action}Response", request.message_id, body)


def _envelope(action: str, relates_to: str, body: bytes) -> bytes:
    head = (
        f'<s:Envelope xml:lang="en-US" xmlns:s="{S}" xmlns:a="{WSA}" xmlns:x="{WST}" xmlns:w="{WSMAN}" '
        f'xmlns:rsp="{SHELL}" xmlns:p="{WSMV}"><s:Header><a:Action>{clean(action)}</a:Action>'
        f"<a:MessageID>uuid:{str(uuid4()).upper()}</a:MessageID>"
        f'<p:ActivityId s:mustUnderstand="false">{str(uuid4()).upper()}</p:ActivityId>'
        f"<a:To>{_ANONYMOUS}</a:To><a:RelatesTo>{clean(relates_to)}</a:RelatesTo></s:Header><s:Body>"
    )
    return head.encode() + body + b"</s:Body></s:Envelope>"


def fault_answer(fault: WsmanFault, relates_to: str, machine: str) -> bytes:
    """The SOAP fault, for an HTTP 500."""
    side = "Sender" if fault.sender else "Receiver"
    detail = f"<w:FaultDetail>{_FAULT_DETAIL}/{fault.detail}</w:FaultDetail>" if fault.detail else ""
    reason = clean(fault.reason)
    body = (
        f"<s:Fault><s:Code><s:Value>s:{side}</s:Value><s:Subcode><s:Value>{fault.subcode}</s:Value></s:Subcode>"
        f'</s:Code><s:Reason><s:Text xml:lang="en-US">{reason}</s:Text></s:Reason><s:Detail>{detail}'
        f'<f:WSManFault xmlns:f="{WSMANFAULT}" Code="{fault.code}" Machine={quoted(machine)}>'
        f"<f:Message>{reason}</f:Message></f:WSManFault></s:Detail></s:Fault>"
    )
    return _envelope(_FAULT_ACTION, relates_to, body.encode())


def identify_answer() -> bytes:
    """What Identify says, without sign-in."""
    body = (
        f'<s:Envelope xml:lang="en-US" xmlns:s="{S}"><s:Header/><s:Body>'
        f'<wsmid:IdentifyResponse xmlns:wsmid="{WSMID}">'
        f"<wsmid:ProtocolVersion>{WSMAN}</wsmid:ProtocolVersion>"
        "<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>"
        "<wsmid:ProductVersion>OS: 10.0.20348 SP: 0.0 Stack: 3.0</wsmid:ProductVersion>"
        "</wsmid:IdentifyResponse></s:Body></s:Envelope>"
    )
    return body.encode()
