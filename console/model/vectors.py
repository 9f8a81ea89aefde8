"""Do the processor features that a VM uses fit a host? Ten documented comparisons of opaque vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .details import CompatibilityVector

COMPARISONS: Mapping[int, Callable[[int, int], bool]] = {
    0: lambda vm, host: vm == host,
    1: lambda vm, host: vm & host == host,
    2: lambda vm, host: vm & host == vm,
    3: lambda vm, host: vm & host == 0,
    4: lambda vm, host: vm > host,
    5: lambda vm, host: vm >= host,
    6: lambda vm, host: vm < host,
    7: lambda vm, host: vm <= host,
    8: lambda vm, host: host != 0 and vm % host == 0,
    9: lambda vm, host: vm != 0 and host % vm == 0,
}
"""Msvm_CompatibilityVector.CompareOperation: equal, superset, subset, disjoint, greater, greater or equal, less,
less or equal, multiple, divisible. The VM's value is the left operand (Win32 documentation of the class)."""


def failing_vectors(
    vm: tuple[CompatibilityVector, ...], host: tuple[CompatibilityVector, ...]
) -> tuple[CompatibilityVector, ...]:
    """The VM's vectors that do not fit the host.

    A vector without a partner on the host does not fit (Microsoft's sample counts it so), nor does one with an
    operation that the documentation does not name.
    """
    theirs = {vector.vector_id: vector.value for vector in host}
    failing = []
    for vector in vm:
        compare = COMPARISONS.get(vector.operation)
        partner = theirs.get(vector.vector_id)
        if compare is None or partner is None or not compare(vector.value, partner):
            failing.append(vector)
    return tuple(failing)
