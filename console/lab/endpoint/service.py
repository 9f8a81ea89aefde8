"""The WS-Management service of one host: each action on each resource."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

from console.lab.endpoint import clixml, soap
from console.lab.endpoint.faults import Fault, FaultBoard
from console.lab.endpoint.outbox import Carrier, Outbox, Wake
from console.lab.endpoint.pipelines import Pipeline
from console.lab.endpoint.shells import Shell, ShellTable, Surroundings
from console.lab.endpoint.soap import Envelope, clean
from console.lab.endpoint.traits import Endpoint
from console.lab.engine import SessionContext

CONFIG_URI = "http://schemas.microsoft.com/wbem/wsman/1/config"
COMMAND_URI = f"{soap.SHELL}/Command"
TERMINATE = f"{soap.SHELL}/signal/terminate"
"""Compared without regard to case: clients write Terminate too."""
STOP_SIGNALS = frozenset({"powershell/signal/crtl_c", "powershell/signal/ctrl_c", f"{soap.SHELL}/signal/ctrl_c"})
"""PowerShell really writes crtl_c."""

_DONE = f"{soap.SHELL}/CommandState/Done"
_OVERHEAD_BYTES = 4096
_ENDPOINTS = {endpoint.value.casefold(): endpoint for endpoint in Endpoint}

Handler = Callable[[Envelope, str, Carrier], Awaitable[bytes]]


class Service:
    """Answers the requests of signed-in users."""

    def __init__(self, host: str, around: Surroundings, faults: FaultBoard, watchers: frozenset[str]) -> None:
        self.host = host
        self.shells = ShellTable(around)
        self._around = around
        self._faults = faults
        self._watchers = watchers
        self._delivered: dict[Carrier, Outbox] = {}
        self._handlers: dict[str, Handler] = {
            f"{soap.WST}/Create": self._create,
            f"{soap.WST}/Delete": self._delete,
            f"{soap.WST}/Get": self._get,
            f"{soap.WSEN}/Enumerate": self._enumerate,
            f"{soap.SHELL}/Command": self._command,
            f"{soap.SHELL}/Send": self._send,
            f"{soap.SHELL}/Receive": self._receive,
            f"{soap.SHELL}/Signal": self._signal,
            f"{soap.SHELL}/Disconnect": self._disconnect,
            f"{soap.SHELL}/Reconnect": self._reconnect,
            f"{soap.SHELL}/Connect": self._connect,
        }

    async def answer(self, request: Envelope, user: str, carrier: Carrier) -> bytes:
        """The answer's envelope.

        Raises:
            WsmanFault: the request ends in a fault.
            ClientGone: the client went away while it waited.
        """
        handler = self._handlers.get(request.action)
        if handler is None:
            raise soap.not_supported(request.action)
        return await handler(request, user, carrier)

    def arrived(self, carrier: Carrier) -> None:
        """What went out last on this connection has reached its client."""
        outbox = self._delivered.pop(carrier, None)
        if outbox is not None:
            outbox.arrived(carrier)

    def forget(self, carrier: Carrier) -> None:
        """A connection is gone; what it carried last may be asked for again."""
        self._delivered.pop(carrier, None)

    async def _create(self, request: Envelope, user: str, carrier: Carrier) -> bytes:
        context = self._context(request.resource_uri, user)
        if self._faults.strike(Fault.QUOTA, self.host) is not None:
            raise soap.too_many_shells(self._around.traits.shells_per_user)
        body = _body(request, "Shell")
        creation = body.find(f"{{{soap.POWERSHELL}}}creationXml")
        if creation is None:
            raise soap.malformed("There is no creationXml.")
        shell = self.shells.create(body.attrib.get("ShellId") or str(uuid4()).upper(), context)
        slow = self._faults.strike(Fault.SLOW_OPEN, self.host)
        try:
            shell.open(_decoded(creation), self._around.traits.slow_open_s if slow is None else slow)
        except soap.WsmanFault:
            self.shells.drop(shell)
            raise
        reference = (
            f"<x:ResourceCreated><a:Address>http://{clean(self.host)}:5985/wsman</a:Address><a:ReferenceParameters>"
            f"<w:ResourceURI>{clean(request.resource_uri)}</w:ResourceURI><w:SelectorSet>"
            f'<w:Selector Name="ShellId">{clean(shell.shell_id)}</w:Selector></w:SelectorSet>'
            "</a:ReferenceParameters></x:ResourceCreated>"
        )
        return soap.answer(request, reference.encode() + self._described(shell, request.resource_uri))

    def _context(self, resource_uri: str, user: str) -> SessionContext:
        prefix, _, name = resource_uri.rpartition("/")
        endpoint = _ENDPOINTS.get(name.casefold())
        if prefix != soap.POWERSHELL or endpoint is None:
            raise soap.unknown_resource(resource_uri)
        if user.casefold() in self._watchers and endpoint is not Endpoint.WATCH:
            raise soap.access_denied()
        return SessionContext(
            user=user,
            configuration_name=endpoint.value,
            constrained=endpoint is not Endpoint.PLAIN,
            operator=endpoint is not Endpoint.WATCH,
        )

    def _described(self, shell: Shell, resource_uri: str, extra: str = "") -> bytes:
        traits = self._around.traits
        now = self._around.clock.elapsed_s()
        alive = clixml.duration(timedelta(seconds=int(now - shell.created_s)))
        idle = clixml.duration(timedelta(seconds=int(now - shell.last_used_s)))
        limit = f"PT{traits.shell_idle_timeout_s:.3f}S"
        described = (
            f"<rsp:Shell><rsp:ShellId>{clean(shell.shell_id)}</rsp:ShellId><rsp:Name>Runspace</rsp:Name>"
            f"<rsp:ResourceUri>{clean(resource_uri)}</rsp:ResourceUri><rsp:Owner>{clean(shell.context.user)}</rsp:Owner>"
            "<rsp:ClientIP>127.0.0.1</rsp:ClientIP><rsp:ProcessId>4212</rsp:ProcessId>"
            f"<rsp:IdleTimeOut>{limit}</rsp:IdleTimeOut><rsp:InputStreams>stdin pr</rsp:InputStreams>"
            f"<rsp:OutputStreams>stdout</rsp:OutputStreams><rsp:MaxIdleTimeOut>PT2147483.647S</rsp:MaxIdleTimeOut>"
            "<rsp:Locale>en-US</rsp:Locale><rsp:DataLocale>en-US</rsp:DataLocale>"
            "<rsp:CompressionMode>NoCompression</rsp:CompressionMode><rsp:ProfileLoaded>Yes</rsp:ProfileLoaded>"
            "<rsp:Encoding>UTF8</rsp:Encoding><rsp:BufferMode>Block</rsp:BufferMode>"
            f"<rsp:State>{'Connected' if shell.connected else 'Disconnected'}</rsp:State>"
            f"<rsp:ShellRunTime>{alive}</rsp:ShellRunTime><rsp:ShellInactivity>{idle}</rsp:ShellInactivity>"
            f"{extra}</rsp:Shell>"
        )
        return described.encode()

    def _shell(self, request: Envelope, user: str, carrier: Carrier) -> Shell:
        shell = self.shells.find(request.shell_id, user)
        self.shells.touch(shell)
        shell.connected = True
        shell.carrier = carrier
        return shell

    async def _delete(self, request: Envelope, user: str, carrier: Carrier) -> bytes:
        self.shells.drop(self._shell(request, user, carrier))
        return soap.answer(request)

    async def _get(self, request: Envelope, user: str, carrier: Carrier) -> bytes:
        if request.resource_uri == soap.SHELL:
            shell = self.shells.find(request.shell_id, user)
            return soap.answer(request, self._described(shell, _resource_uri(shell)))
        if request.resource_uri == CONFIG_URI:
            size = self._around.traits.max_envelope_kib
            config = (
                f'<cfg:Config xmlns:cfg="{soap.CONFIG}" xml:lang="en-US">'
                f"<cfg:MaxEnvelopeSizekb>{size}</cfg:MaxEnvelopeSizekb><cfg:MaxTimeoutms>1800000</cfg:MaxTimeoutms>"
                "<cfg:MaxBatchItems>32000</cfg:MaxBatchItems></cfg:Config>"
            )
            return soap.answer(request, config.encode())
        raise soap.unknown_resource(request.resource_uri)

    async def _enumerate(self, request: Envelope, user: str, carrier: Carrier) -> bytes:
        if request.resource_uri == soap.SHELL:
            mine = [shell for shell in self.shells if shell.context.user == user]
            extra = "<rsp:MemoryUsed>62MB</rsp:MemoryUsed><rsp:ChildProcesses>0</rsp:ChildProcesses>"
            items = b"".join(self._described(shell, _resource_uri(shell), extra) for shell in mine)
        elif request.resource_uri == COMMAND_URI:
            wanted = _body(request, "Enumerate", soap.WSEN).find(f".//{{{soap.WSMAN}}}SelectorSet")
            shell = self.shells.find(soap.selectors(wanted).get("ShellId", ""), user)
            items = "".join(
                f"<rsp:Command><rsp:ShellId>{clean(shell.shell_id)}</rsp:ShellId>"
                f"<rsp:CommandId>{clean(command_id)}</rsp:CommandId></rsp:Command>"
                for command_id in shell.pipelines
            ).encode()
        else:
            raise soap.unknown_resource(request.resource_uri)
        listed = b"<w:Items>" + items + b"</w:Items>" if items else b""
        body = (
            f'<n:EnumerateResponse xmlns:n="{soap.WSEN}">'.encode()
            + b"<n:EnumerationContext/>"
            + listed
            + b"<w:EndOfSequence/></n:EnumerateResponse>"
        )
        return soap.answer(request, body)

    async def _command(self, request: Envelope, user: str, carrier: Carrier) -> bytes:
        shell = self._shell(request, user, carrier)
        line = _body(request, "CommandLine")
        pipeline = shell.command(line.attrib.get("CommandId") or str(uuid4()))
        arguments = line.find(f"{{{soap.SHELL}}}Arguments")
        if arguments is None:
            shell.close_command(pipeline.command_id)
            raise soap.malformed("There are no Arguments.")
        shell.feed(_decoded(arguments))
        body = f"<rsp:CommandResponse><rsp:CommandId>{pipeline.command_id}</rsp:CommandId></rsp:CommandResponse>"
        return soap.answer(request, body.encode())

    async def _send(self, request: Envelope, user: str, carrier: Carrier) -> bytes:
        shell = self._shell(request, user, carrier)
        for stream in _body(request, "Send").iterfind(f"{{{soap.SHELL}}}Stream"):
            if stream.attrib.get("CommandId"):
                shell.pipeline(stream.attrib["CommandId"])
            shell.feed(_decoded(stream))
        return soap.answer(request, b"<rsp:SendResponse/>")

    async def _receive(self, request: Envelope, user: str, carrier: Carrier) -> bytes:
        shell = self._shell(request, user, carrier)
        desired = _body(request, "Receive").find(f"{{{soap.SHELL}}}DesiredStream")
        command_id = "" if desired is None else desired.attrib.get("CommandId", "")
        pipeline = shell.pipeline(command_id) if command_id else None
        outbox = shell.outbox if pipeline is None else pipeline.outbox
        outbox.begin(carrier, request.message_id)
        await _output(outbox, carrier, request)
        budget = min(request.max_envelope_bytes, self._around.traits.max_envelope_kib * 1024) - _OVERHEAD_BYTES
        single = self._around.traits.one_message_per_receive
        fragments = outbox.take(budget * 3 // 4, carrier, request.message_id, one_message=single)
        self._delivered[carrier] = outbox
        self.shells.touch(shell)
        return soap.answer(request, _received(fragments, pipeline))

    async def _signal(self, request: Envelope, user: str, carrier: Carrier) -> bytes:
        shell = self._shell(request, user, carrier)
        signal = _body(request, "Signal")
        command_id = signal.attrib.get("CommandId", "")
        code = (signal.findtext(f"{{{soap.SHELL}}}Code") or "").strip().casefold()
        if code in STOP_SIGNALS:
            shell.stop_command(command_id)
        elif code == TERMINATE:
            shell.pipeline(command_id)
            shell.close_command(command_id)
        else:
            raise soap.not_supported(code)
        return soap.answer(request, b"<rsp:SignalResponse/>")

    async def _disconnect(self, request: Envelope, user: str, carrier: Carrier) -> bytes:
        self._shell(request, user, carrier).connected = False
        return soap.answer(request)

    async def _reconnect(self, request: Envelope, user: str, carrier: Carrier) -> bytes:
        self._shell(request, user, carrier)
        return soap.answer(request)

    async def _connect(self, request: Envelope, user: str, carrier: Carrier) -> bytes:
        shell = self._shell(request, user, carrier)
        body = _body(request, "Connect")
        if body.attrib.get("CommandId"):
            shell.pipeline(body.attrib["CommandId"])
            return soap.answer(request, b"<rsp:ConnectResponse/>")
        content = body.find(f"{{{soap.POWERSHELL}}}connectXml")
        if content is None:
            raise soap.malformed("There is no connectXml.")
        reply = b64encode(shell.attach(_decoded(content)))
        return soap.answer(
            request,
            b"<rsp:ConnectResponse><rsp:InputStreams>stdin pr</rsp:InputStreams>"
            b"<rsp:OutputStreams>stdout</rsp:OutputStreams>"
            + f'<pwsh:connectResponseXml xmlns:pwsh="{soap.POWERSHELL}">'.encode()
            + reply
            + b"</pwsh:connectResponseXml></rsp:ConnectResponse>",
        )


class ClientGone(Exception):
    """The client closed the connection that its answer would have travelled on."""


async def _output(outbox: Outbox, carrier: Carrier, request: Envelope) -> None:
    wake = await outbox.wait(carrier, request.operation_timeout_s)
    if wake is Wake.CLIENT_GONE or carrier.ended:
        raise ClientGone
    if wake is Wake.ABANDONED:
        raise soap.unknown_shell()
    if wake is not Wake.READY:
        raise soap.timed_out()


def _received(fragments: list[bytes], pipeline: Pipeline | None) -> bytes:
    """One ``rsp:Stream`` a fragment, and Done once everything has been handed over."""
    command = b"" if pipeline is None else f' CommandId="{pipeline.command_id}"'.encode()
    start = b'<rsp:Stream Name="stdout"' + command + b">"
    streams = b"".join([start + b64encode(fragment) + b"</rsp:Stream>" for fragment in fragments])
    state = b""
    if pipeline is not None and pipeline.outbox.exhausted:
        state = b"<rsp:CommandState" + command + f' State="{_DONE}">'.encode()
        state += b"<rsp:ExitCode>0</rsp:ExitCode></rsp:CommandState>"
    return b"<rsp:ReceiveResponse>" + streams + state + b"</rsp:ReceiveResponse>"


def _resource_uri(shell: Shell) -> str:
    return f"{soap.POWERSHELL}/{shell.context.configuration_name}"


def _body(request: Envelope, name: str, namespace: str = soap.SHELL) -> ElementTree.Element:
    body = request.body
    if body is None or body.tag != f"{{{namespace}}}{name}":
        raise soap.malformed(f"The body has no {name}.")
    return body


def _decoded(element: ElementTree.Element) -> bytes:
    try:
        return b64decode((element.text or "").strip(), validate=True)
    except (Base64Error, ValueError) as failure:
        raise soap.malformed("The content is not base64.") from failure
