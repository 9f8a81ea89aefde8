"""Everything that one node tells about the whole cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from console.model.cluster import (
    AffinityRule,
    ClusterNetwork,
    ClusterSettings,
    Host,
    NetworkInterface,
    SharedVolume,
)
from console.model.failures import ProtocolBroken
from console.model.identity import HostName
from console.windows import catalogue, decode
from console.windows.commands import Row
from console.windows.decode import Problems
from console.windows.decode.cluster import Group, MigrationRules, Resource, VmParameters

from .control import Control


@dataclass(frozen=True, slots=True)
class Survey:
    """The cluster as the cluster service sees it; None is unknown."""

    name: str | None
    settings: ClusterSettings
    groups: tuple[Group, ...] | None
    resources: tuple[Resource, ...] | None
    """Of type Virtual Machine."""
    parameters: Mapping[str, VmParameters] | None
    """By the resource's name."""
    networks: tuple[ClusterNetwork, ...]
    interfaces: tuple[NetworkInterface, ...] | None
    volumes: tuple[SharedVolume, ...]
    affinity_rules: tuple[AffinityRule, ...] | None


async def read_nodes(control: Control) -> tuple[Host, ...]:
    """The cluster's nodes.

    Raises:
        Failure: no candidate can tell them, or what it told names no node.
    """
    found = await control.told(catalogue.cluster.NODES.bind(), decode.cluster.nodes, essential=True)
    if not found:
        node = control.node or HostName("")
        what = "what it told of the cluster's nodes names none that can be read."
        raise ProtocolBroken(node, what, "Run Get-ClusterNode there.", entry=catalogue.cluster.NODES.id)
    return found


async def read_survey(control: Control) -> Survey:
    """All of it, a read after another from the node that answers.

    Raises:
        Failure: no candidate answers any more.
    """
    read, told = catalogue.cluster, decode.cluster
    named = await control.told(read.CLUSTER.bind(), told.settings)
    name, settings = named or (None, ClusterSettings())
    rules = await control.told(read.VM_RESOURCE_TYPE.bind(), told.migration_rules) or MigrationRules()
    groups = await control.told(read.GROUPS.bind(), told.groups)
    resources = await control.told(read.VM_RESOURCES.bind(), told.resources)
    parameters = await control.told(read.VM_PARAMETERS.bind(), told.vm_parameters)
    networks = await control.told(read.NETWORKS.bind(), lambda rows, problems: told.networks(rows, rules, problems))
    interfaces = await control.told(read.NETWORK_INTERFACES.bind(), told.interfaces)
    volumes = await _volumes(control)
    affinity = await control.told(read.AFFINITY_RULES.bind(), told.affinity_rules)
    return Survey(
        name=name,
        settings=told.with_rules(settings, rules),
        groups=groups,
        resources=resources,
        parameters=parameters,
        networks=networks or (),
        interfaces=interfaces,
        volumes=volumes,
        affinity_rules=affinity,
    )


async def _volumes(control: Control) -> tuple[SharedVolume, ...]:
    states = await control.told(catalogue.cluster.SHARED_VOLUME_STATES.bind(), _looked_through) or ()
    volumes = await control.told(
        catalogue.cluster.SHARED_VOLUMES.bind(),
        lambda rows, problems: decode.volumes.shared_volumes(rows, states, problems),
    )
    return volumes or ()


def _looked_through(rows: Sequence[Row], problems: Problems) -> Sequence[Row]:
    """The states' rows, with what is wrong with them noted under their own entry."""
    decode.volumes.volume_states(rows, problems)
    return rows
