"""The two doors to a site's nodes, made from its configuration: a reader for everybody, a writer for a runner.

A node that was found through another one has no address in the configuration; it is looked for beside the node that
has one.
"""

from __future__ import annotations

from console.configuration.models import Authentication, ClusterOptions, Transport
from console.model.identity import HostName
from console.site import Site
from console.windows.commands import Answer, Call
from console.wire.connection import Authentication as WireAuthentication
from console.wire.connection import (
    Credentials,
    Target,
    WireOptions,
    WireReader,
    WireWriter,
    connect_reader,
    connect_writer,
)

HTTPS_PORT = 5986
HTTP_PORT = 5985


class Addresses:
    """Where each node of a cluster is reached, also those that the configuration does not name."""

    def __init__(self, options: ClusterOptions) -> None:
        self._https = options.transport is Transport.HTTPS
        self._port = options.port or (HTTPS_PORT if self._https else HTTP_PORT)
        self._known = {
            HostName(node.name.casefold()): Target(
                HostName(node.name), node.address or node.name, node.port or self._port, self._https
            )
            for node in options.nodes
        }
        self._domain = next((domain for node in options.nodes if (domain := _domain_of(node.name, node.address))), "")

    @property
    def configured(self) -> tuple[Target, ...]:
        return tuple(self._known.values())

    def of(self, host: HostName) -> Target:
        """The configured node, however its name is spelt; else the name, in the domain of the configured nodes."""
        known = self._known.get(HostName(host.casefold()))
        return known or Target(host, f"{host}{self._domain}", self._port, self._https)


def _domain_of(name: str, address: str | None) -> str:
    """``.example.com`` of a node whose address is its name and a domain, else nothing."""
    is_qualified = address is not None and address.casefold().startswith(f"{name.casefold()}.")
    return address[len(name) :] if is_qualified and address is not None else ""


class SiteReader:
    """See :class:`console.ports.Reader`; knows every node of the site by its name."""

    def __init__(self, wire: WireReader, addresses: Addresses) -> None:
        self._wire = wire
        self._addresses = addresses

    async def read(self, host: HostName, call: Call) -> Answer:
        target = self._addresses.of(host)
        self._wire.add(target)
        return await self._wire.read(target.host, call)

    async def close(self) -> None:
        await self._wire.close()


class SiteWriter:
    """See :class:`console.ports.Writer`; only a runner ever has one."""

    def __init__(self, wire: WireWriter, addresses: Addresses) -> None:
        self._wire = wire
        self._addresses = addresses

    async def change(self, host: HostName, call: Call) -> Answer:
        target = self._addresses.of(host)
        self._wire.add(target)
        return await self._wire.change(target.host, call)

    async def close(self) -> None:
        await self._wire.close()


def open_reader(site: Site) -> SiteReader:
    """A reader for the site. Nothing is sent before the first question."""
    wire, addresses = _reader(site)
    return SiteReader(wire, addresses)


def open_doors(site: Site) -> tuple[SiteReader, SiteWriter]:
    """Reader and writer that share what they know of a refused password, so that it is tried once.

    Raises:
        PermissionError: the site is read-only.
    """
    if site.options.read_only:
        raise PermissionError(f"{site.name} is read-only")
    wire, addresses = _reader(site)
    writer = connect_writer(addresses.configured, _credentials(site), _wire_options(site.options), gate=wire.gate)
    return SiteReader(wire, addresses), SiteWriter(writer, addresses)


def seeds_of(options: ClusterOptions) -> tuple[HostName, ...]:
    """The nodes to ask first."""
    return tuple(HostName(node.name) for node in options.nodes)


def _reader(site: Site) -> tuple[WireReader, Addresses]:
    addresses = Addresses(site.options)
    wire = connect_reader(addresses.configured, _credentials(site), _wire_options(site.options), site.clock())
    return wire, addresses


def _credentials(site: Site) -> Credentials:
    secret = None if site.password is None else site.password.get_secret_value()
    if site.options.authentication is Authentication.CERTIFICATE:
        return Credentials(
            certificate_file=site.options.certificate_file,
            certificate_key_file=site.options.certificate_key_file,
            certificate_key_password=secret,
        )
    return Credentials(username=site.options.username, password=secret)


def _wire_options(options: ClusterOptions) -> WireOptions:
    return WireOptions(
        authentication=WireAuthentication(options.authentication.value),
        ca_file=options.ca_file,
        configuration_name=options.endpoint,
    )
