"""The lab counts MaximumParallelMigrations by node, as Windows' reference says: a run that read it otherwise learns."""

from __future__ import annotations

from pathlib import Path

from console.drain import events as ev
from console.drain import move_events as mv
from console.drain.state import Outcome
from console.journal.ledger import runs_of
from console.journal.store import Journal
from console.lab.serve import InProcessLab
from console.planner.values import PlanOptions, SiteLimits, SlotReading
from tests.labdoor import LabDoor
from tests.runner.drains import Drain


async def test_a_run_that_reads_the_limit_per_pair_learns_from_the_queue_that_it_counts_by_node(tmp_path: Path) -> None:
    async with InProcessLab("quiet") as lab:
        with Journal.open(tmp_path / "journal.sqlite") as journal:
            run = Drain(lab, LabDoor(lab), journal, tmp_path)
            await run.open(PlanOptions(slots=6, limits=SiteLimits(reading=SlotReading.PAIR)))
            state = await run.finish()
            events = list(runs_of(journal).events(run.run))
    assert state.outcome is Outcome.DRAINED
    assert not lab.cluster.world.limits.violations
    assert any(isinstance(event, mv.MoveProgressed) and event.queued_by_cluster for event in events)
    assert [e.counts for e in events if isinstance(e, ev.ParallelMeaningSeen)] == [SlotReading.NODE]
    assert state.parallel_per is SlotReading.NODE
