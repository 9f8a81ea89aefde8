"""CPU per output object: this project's CLIXML decoder against the one that pypsrp brings.

Run ``python tests/bench/decode.py [objects]``; 8,000 objects of 30 properties (6 enumerations, 2 lists) by default,
about the shape of ``Get-VM``. The slower decoder gets a sample and is scaled up.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from pypsrp.serializer import Serializer

from console.wire.decoder import decode

SAMPLE = 500
"""Objects that pypsrp's decoder is given: it takes more than a millisecond for each."""


def document(number: int) -> str:
    """One live object as Windows writes it: 22 primitives, 6 enumerations, 2 lists; about 4 kB."""
    enums = "".join(
        f'<Obj N="Mode{index}" RefId="{index + 1}">'
        + (
            f'<TN RefId="{index + 1}"><T>Microsoft.HyperV.PowerShell.Mode{index}</T><T>System.Enum</T>'
            "<T>System.ValueType</T><T>System.Object</T></TN>"
        )
        + f"<ToString>Running</ToString><I32>{index}</I32></Obj>"
        for index in range(6)
    )
    lists = "".join(
        f'<Obj N="List{index}" RefId="{index + 10}"><TN RefId="{index + 10}"><T>System.UInt16[]</T>'
        "<T>System.Array</T><T>System.Object</T></TN><LST><U16>2</U16><U16>11</U16></LST></Obj>"
        for index in range(2)
    )
    primitives = "".join(
        (
            f'<S N="Name{index}">vm-{number:05d} text</S>',
            f'<I64 N="Memory{index}">{number * 2**30 + index}</I64>',
            f'<B N="Flag{index}">{"true" if index % 2 else "false"}</B>',
            f'<DT N="Time{index}">2026-01-01T02:00:00.0000000Z</DT>',
            f'<G N="Id{index}">9a1b1c1d-0000-4000-8000-{number:012d}</G>',
            f'<I32 N="Count{index}">{index}</I32>',
        )[index % 6]
        for index in range(22)
    )
    return (
        '<Obj RefId="0"><TN RefId="0"><T>Microsoft.HyperV.PowerShell.VirtualMachine</T>'
        "<T>Microsoft.HyperV.PowerShell.VMCompute</T><T>System.Object</T></TN>"
        f"<ToString>VirtualMachine (Name = 'vm-{number}')</ToString><Props>{primitives}{enums}{lists}</Props></Obj>"
    )


def microseconds(read: Callable[[str], object], documents: list[str]) -> float:
    """CPU per document, best of three."""
    best = float("inf")
    for _ in range(3):
        started = time.process_time()
        for text in documents:
            read(text)
        best = min(best, time.process_time() - started)
    return best / len(documents) * 1e6


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
    documents = [document(number) for number in range(count)]
    ours = microseconds(decode, documents)
    theirs = microseconds(Serializer().deserialize, documents[:SAMPLE])
    print(f"{count} objects x 30 properties, {len(documents[0])} characters each")
    print(f"ours    {ours:8.1f} us/object  {ours * count / 1e6:6.2f} s")
    print(f"pypsrp  {theirs:8.1f} us/object  {theirs * count / 1e6:6.2f} s (from {min(SAMPLE, count)})")
    print(f"ratio   {theirs / ours:8.1f}x")


if __name__ == "__main__":
    main()
