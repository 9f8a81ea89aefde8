"""The ten documented comparisons, with the VM's value on the left."""

from __future__ import annotations

import pytest

from console.checks.processor import failing_vectors
from console.model.details import CompatibilityVector

FITS = [
    (0, 5, 5), (1, 0b111, 0b101), (2, 0b101, 0b111), (3, 0b100, 0b011), (4, 6, 5),
    (5, 5, 5), (6, 4, 5), (7, 5, 5), (8, 12, 4), (9, 4, 12),
]  # fmt: skip
FAILS = [
    (0, 5, 6), (1, 0b101, 0b111), (2, 0b111, 0b101), (3, 0b110, 0b010), (4, 5, 5),
    (5, 4, 5), (6, 5, 5), (7, 6, 5), (8, 13, 4), (9, 5, 12),
]  # fmt: skip


@pytest.mark.parametrize(("operation", "vm", "host"), FITS)
def test_fits(operation: int, vm: int, host: int) -> None:
    assert not failing_vectors((CompatibilityVector(7, operation, vm),), (CompatibilityVector(7, operation, host),))


@pytest.mark.parametrize(("operation", "vm", "host"), FAILS)
def test_does_not_fit(operation: int, vm: int, host: int) -> None:
    vector = CompatibilityVector(7, operation, vm)
    assert failing_vectors((vector,), (CompatibilityVector(7, operation, host),)) == (vector,)


def test_a_vector_without_partner_or_with_an_unknown_operation_does_not_fit() -> None:
    alone = CompatibilityVector(7, 0, 1)
    strange = CompatibilityVector(8, 99, 1)
    assert failing_vectors((alone, strange), (CompatibilityVector(8, 99, 1),)) == (alone, strange)
