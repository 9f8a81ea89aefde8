"""The control port: the truth, faults and manual time, asked over a socket as a test would."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from console.clock import ManualClock
from console.lab.control import ControlPort
from console.lab.endpoint.faults import Fault, FaultBoard
from console.lab.serve import EPOCH
from console.lab.world import outcome_log
from console.lab.world.cluster import LabCluster
from console.lab.world.moving import Outcome
from console.lab.world.spec import load_scenario
from console.lab.world.state import VirtualMachine
from console.model.units import MIB


class Asked:
    """A lab without hosts on the network, and its control port."""

    def __init__(self) -> None:
        self.clock = ManualClock(EPOCH)
        self.cluster = LabCluster(load_scenario("quiet"), 1, self.clock)
        self.board = FaultBoard()
        self.port = ControlPort(self.cluster, self.board)
        self.address = ""

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(self.address.rsplit(":", 1)[1]))
        data = b"" if body is None else json.dumps(body).encode()
        writer.write(f"{method} {path} HTTP/1.1\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)
        head, _, text = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        await writer.wait_closed()
        return int(head.split()[1]), json.loads(text)

    async def throw(self, **fault: object) -> None:
        status, document = await self.ask("POST", "/fault", fault)
        assert status == 200, document

    async def world(self) -> dict[str, Any]:
        status, document = await self.ask("GET", "/world")
        assert status == 200
        assert isinstance(document, dict)
        return document

    async def advance(self, seconds: float) -> None:
        status, _ = await self.ask("POST", "/advance", {"seconds": seconds})
        assert status == 200

    @property
    def first(self) -> VirtualMachine:
        """The biggest VM on HV01, which is long on its way."""
        return max(self.cluster.world.vms_on["HV01"].values(), key=lambda vm: vm.memory_bytes)

    def start(self, destination: str = "HV02") -> VirtualMachine:
        """Move that VM."""
        vm = self.first
        group = self.cluster.world.group_of(vm.id)
        assert group is not None
        self.cluster.service.move_vm_role(group, destination, "Live")
        return vm


@pytest.fixture
async def lab() -> AsyncIterator[Asked]:
    asked = Asked()
    asked.address = await asked.port.start()
    asked.cluster.start()
    yield asked
    await asked.port.stop()
    await asked.cluster.stop()


async def test_the_truth_of_a_drain(lab: Asked) -> None:
    await lab.throw(kind="drain", host="HV01")
    await lab.advance(600)
    truth = await lab.world()
    assert [host["drain_status"] for host in truth["hosts"] if host["name"] == "HV01"] == ["Completed"]
    assert {vm["host"] for vm in truth["vms"]} == {"HV02", "HV03", "HV04"}
    assert all(vm["host"] == vm["owner"] and vm["state"] == "Running" for vm in truth["vms"])
    assert len(truth["moves"]) == 10
    for move in truth["moves"]:
        assert move["started_s"] < move["ended_s"]
        assert move["bytes"] > 0
        assert 0 < move["blackout_s"] < 2
    assert truth["limits"]["most_by_node"]["HV01"] == truth["limits"]["maximum_parallel_migrations"] == 2
    assert truth["limits"]["violations"] == []
    assert truth["changing_commands"] == 0


async def test_a_slot_is_refilled_at_once(lab: Asked) -> None:
    await lab.throw(kind="drain", host="HV01")
    await lab.advance(600)
    moves = sorted((await lab.world())["moves"], key=lambda move: move["started_s"])
    ends = {move["ended_s"] for move in moves}
    assert [move["started_s"] for move in moves[:2]] == [0.0, 0.0]
    assert all(move["started_s"] in ends for move in moves[2:])


async def test_a_host_dies_and_takes_its_door_with_it(lab: Asked) -> None:
    vm = lab.start()
    await lab.advance(4)
    await lab.throw(kind="host-down", host="HV01")
    assert vm.host != "HV01"
    assert lab.cluster.world.moves[0].outcome is Outcome.FAILED
    assert lab.board.amount(Fault.REFUSE, "HV01") is not None
    await lab.throw(kind="host-up", host="HV01")
    assert lab.board.amount(Fault.REFUSE, "HV01") is None


@pytest.mark.parametrize("hresult", sorted(outcome_log.MESSAGES))
async def test_a_move_fails_with_every_known_code(lab: Asked, hresult: int) -> None:
    await lab.throw(kind="fail", vm=str(lab.first.id), percent=30, hresult=hex(hresult))
    vm = lab.start()
    await lab.advance(120)
    move = lab.cluster.world.moves[0]
    assert (move.outcome, move.hresult, vm.host) == (Outcome.FAILED, hresult, "HV01")
    assert any(f"0x{hresult:08X}" in event.message for event in lab.cluster.world.log.of("HV01"))


async def test_a_move_hangs_until_it_is_let_go(lab: Asked) -> None:
    vm = lab.start()
    await lab.throw(kind="stuck", vm=vm.name, percent=50)
    await lab.advance(3600)
    (move,) = (await lab.world())["moves"]
    assert (move["stuck"], move["percent"], move["ended_s"]) == (True, 50, None)
    await lab.throw(kind="release", vm=vm.name)
    await lab.advance(120)
    assert vm.host == "HV02"


async def test_a_guest_that_writes_too_fast_is_dark_for_long(lab: Asked) -> None:
    await lab.throw(kind="dirtying", vm=str(lab.first.id), first_second_mib=lab.first.memory_bytes / MIB / 4)
    lab.start()
    await lab.advance(900)
    (move,) = lab.cluster.world.moves
    assert move.outcome is Outcome.COMPLETED
    assert (move.blackout_s or 0.0) > 2.0


async def test_somebody_else_moves_a_vm_and_fills_a_host(lab: Asked) -> None:
    vm = lab.first
    await lab.throw(kind="foreign-move", vm=str(vm.id), destination="HV03")
    await lab.advance(120)
    assert vm.host == "HV03"
    await lab.throw(kind="fill-memory", host="HV02", free_gib=1)
    assert lab.cluster.world.free_bytes("HV02") == 1024 * MIB


async def test_the_nodes_clock_jumps_and_nothing_else(lab: Asked) -> None:
    before = (await lab.world())["now"]
    await lab.throw(kind="clock-jump", seconds=3600)
    after = await lab.world()
    assert (after["time_s"], after["now"] > before) == (0.0, True)


async def test_faults_of_the_wire_are_thrown_and_lifted(lab: Asked) -> None:
    await lab.throw(kind="slow-open", host="hv02", amount=7)
    assert lab.board.amount(Fault.SLOW_OPEN, "HV02") == 7
    await lab.throw(kind="slow-open", host="HV02", lift=True)
    await lab.throw(kind="quota")
    await lab.throw(kind="lift-all")
    assert lab.board.active("HV02") == frozenset()


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("GET", "/", None, 404, "there are GET /world"),
        ("POST", "/fault", [], 400, "JSON object"),
        ("POST", "/fault", {"kind": "earthquake"}, 400, "no fault 'earthquake'; there are balance, clock-jump"),
        ("POST", "/fault", {"kind": "stuck"}, 400, "stuck needs 'vm'"),
        ("POST", "/fault", {"kind": "stuck", "vm": "nobody"}, 400, "0 VMs are called 'nobody'"),
        ("POST", "/fault", {"kind": "drain", "host": "HV01", "node": "x"}, 400, "knows nothing of node"),
        ("POST", "/fault", {"kind": "drain", "host": "HV01", "target": "HV01"}, 409, "not available"),
        ("POST", "/fault", {"kind": "csv-latency", "seconds": "long"}, 400, "csv-latency: could not convert"),
        ("POST", "/fault", {"kind": "refuse", "host": "HV99"}, 400, "no host 'HV99'"),
        ("POST", "/fault", {"kind": "refuse", "seconds": 3}, 400, "knows nothing of seconds"),
        ("POST", "/fault", {"kind": "quota", "strikes": 0}, 400, "at least once"),
        ("POST", "/advance", {"seconds": -1}, 400, "not negative"),
    ],
)
async def test_nonsense_gets_a_sentence(
    lab: Asked, method: str, path: str, body: object, status: int, words: str
) -> None:
    got, document = await lab.ask(method, path, body)
    assert (got, words in document["error"]) == (status, True), document


async def test_every_fault_says_what_it_may_be_told(lab: Asked) -> None:
    _, document = await lab.ask("GET", "/faults")
    assert document["world"]["drain"] == ["host", "target"]
    assert set(document["wire"]) == {fault.value for fault in Fault}
