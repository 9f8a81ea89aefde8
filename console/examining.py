"""The doctor on a configured site: what the configuration says, plain connections, and the site's own reader."""

from __future__ import annotations

from console.clock import SystemClock
from console.diagnose.doctor import DoctorReport, NodeAddress, SiteFacts, examine
from console.doors import Addresses
from console.ports import Directory, Reader
from console.reaching import Sockets
from console.site import Site


async def examine_site(site: Site, reader: Reader, directory: Directory | None) -> DoctorReport:
    """Whether this console gets through to every node, and what it may do there. Changes nothing, raises no Failure."""
    stopwatch = SystemClock()
    prober = Sockets(stopwatch, site.options.ca_file)
    return await examine(reader, site_facts(site), prober, site.clock(), stopwatch=stopwatch, directory=directory)


def site_facts(site: Site) -> SiteFacts:
    """What the configuration says about the way to the nodes."""
    targets = Addresses(site.options).configured
    return SiteFacts(
        name=site.name,
        nodes=tuple(NodeAddress(one.host, one.address, one.port, one.https) for one in targets),
        account=site.options.username or "",
        authentication=str(site.options.authentication),
        endpoint=site.options.endpoint,
    )
