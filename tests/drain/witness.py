"""What the journal and the world say of a run, without a line of the product's own reckoning.

The judge folds events as the product does and would share its mistakes; the witness counts for itself: what was
promised, what was asked of the cluster, and what is true in the world at that moment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from console.drain import commands as cmd
from console.drain import events as ev
from console.drain import lease_events as le
from console.drain import move_events as mv
from console.drain.rules import AUTHENTICATION
from console.model.identity import VmId

from .caps import OFF_AT_ONCE
from .faults import within
from .world import SOURCE, World

_CONTACT = "contact"
_CHECK_TRAVELS_S = 6.0
"""From the look that a check is to its answer, at the longest, where nothing delays it."""
_GUARD_IS_SLOW_S = 25.0
"""Between two readings, an answer's longest way, and the check of a start."""
_INTENT_OF: dict[type[cmd.Command], type[ev.Event]] = {
    cmd.CancelMove: mv.CancelIntended,
    cmd.ForceOwner: mv.ForceIntended,
    cmd.PauseNode: ev.PauseIntended,
    cmd.StartNativeDrain: ev.NativeDrainIntended,
    cmd.CloseNode: ev.DrainFlagIntended,
    cmd.MoveOwned: ev.OwnedMoveIntended,
}
"""What has to stand in the journal before the cluster is asked."""
_HOLDS: dict[type[ev.Event], tuple[str, str]] = {
    ev.StopRequested: ("operator", "a stop"),
    ev.Detached: ("operator", "a detach"),
    ev.CloseForced: ("operator", "closing by force"),
    ev.WindowClosed: ("window", "the window's end"),
    ev.StartsPaused: ("pause", "a pause"),
    ev.GuardBreached: ("guard", "a breach of the guard"),
    ev.ContactLost: (_CONTACT, "a loss of contact"),
    le.LeaseLost: ("lease", "the loss of the lease"),
    ev.ClosingBegan: ("closing", "the end"),
}
"""After these nothing starts, and why."""
_LETS: dict[type[ev.Event], str] = {
    ev.StartsContinued: "pause",
    ev.GuardCalmed: "guard",
    ev.ContactRegained: _CONTACT,
}


@dataclass
class Witness:
    world: World
    say: Callable[[str], None]
    opened: ev.RunOpened | None = None
    slots: int = 0
    against: dict[str, str] = field(default_factory=dict)
    """Why nothing may start, by who said so."""
    detached: bool = False
    closed: bool = False
    guarded: bool = True
    """Whether this run has a guard at all."""
    codes: dict[VmId, int | None] = field(default_factory=dict)
    retries: Counter[VmId] = field(default_factory=Counter)
    intents: Counter[type[ev.Event]] = field(default_factory=Counter)
    wanted: Counter[VmId] = field(default_factory=Counter)
    """Starts written down and not yet asked for."""
    since_death: bool = False
    share: tuple[int, int] | None = None
    """The share of the links that SMB had before the run, and what the operator last wanted."""
    share_at_s: float = 0.0

    def see(self, event: ev.Event) -> None:
        """One event, in the moment in which it is written down."""
        if self.closed:
            self.say(f"{type(event).__name__} after the run was closed")
        self.intents[type(event)] += 1
        match event:
            case ev.RunOpened():
                self.opened, self.slots = event, event.slots
            case ev.SlotsChanged(slots=slots):
                self.slots = slots
            case ev.RunClosed():
                self.closed = True
            case mv.MoveIntended():
                self._start(event)
            case mv.MoveFailed():
                self._failed(event)
            case mv.MoveRetried():
                self._retried(event)
            case mv.MoveVerified():
                self._verified(event)
            case ev.SettingIntended(name="SMBBandwidthLimitFactor"):
                self._share(event)
            case _:
                self._weather(event)

    def _weather(self, event: ev.Event) -> None:
        """What lets starts go on, and what does not."""
        kind = type(event)
        if kind in _HOLDS:
            topic, words = _HOLDS[kind]
            self.against[topic] = words
        elif kind in _LETS:
            self.against.pop(_LETS[kind], None)
        self.detached = self.detached or kind is ev.Detached

    def _share(self, event: ev.SettingIntended) -> None:
        """The guard keeps between what was and what is wanted, and gives each change its time."""
        if not event.before:
            return  # it could not be read, and is not changed
        if not event.by_guard or self.share is None:
            self.share = int(event.before), int(event.after)
        before, wanted = self.share
        if not min(before, wanted) <= int(event.after) <= wanted:
            self.say(f"SMB gets {event.after}, was {before}, wanted {wanted}")
        if event.by_guard and self.against.keys() - {"guard", "pause"}:
            self.say(f"the guard changes a setting after {', '.join(self.against.values())}")
        if event.by_guard and not self.world.faults.clock_jumps and self.world.now_s - self.share_at_s < 15.0:
            self.say("the guard changes a setting again within seconds")
        self.share_at_s = self.world.now_s

    # starts

    def _start(self, event: mv.MoveIntended) -> None:
        self.wanted[event.vm] += 1
        for why in self.against.values():
            self.say(f"a start after {why}")
        vm = self.world.vms[event.vm]
        if event.destination in vm.excluded:
            self.say(f"{vm.ref.name} is to go to {event.destination}, which a conflict excludes")
        if vm.state == 3:
            if self.flying(offline=True) + 1 > OFF_AT_ONCE:
                self.say(f"{vm.ref.name} is one too many of those that are off")
        elif self.flying() + 1 > self.slots:
            self.say(f"{self.flying()} move, another one starts, and {self.slots} were allowed")
        if vm.state == 2 and not event.live and not self._may_interrupt(event.vm):
            self.say(f"{vm.ref.name} runs, is not moved live, and nobody consented")
        if vm.migration is not None and self._could_be_seen(vm.migration.start_s):
            self.say(f"{vm.ref.name} is asked to move while it moves")
        if self._crossed_for_long():
            self.say("a start long after a line of the guard was crossed")

    def _could_be_seen(self, since_s: float) -> bool:
        """Whether the check of a start that is written down now was read after that moment."""
        faults = self.world.faults
        delayed = faults.slow_open or faults.disk_full or faults.clock_jumps
        return not delayed and self.world.now_s - since_s > _CHECK_TRAVELS_S

    def flying(self, *, offline: bool = False) -> int:
        """This run's own live migrations, or those of VMs that are off; one that looks failed and goes on is nobody's
        to count."""
        own = [vm.migration for vm in self.world.vms.values() if vm.migration is not None and vm.migration.own]
        return sum(migration.offline is offline and migration.fate != "late" for migration in own)

    def _may_interrupt(self, vm: VmId) -> bool:
        consents = self.opened.consents if self.opened is not None else ()
        subjects = {consent.subject for consent in consents if consent.kind == "interrupt"}
        return bool(subjects & {"all", vm, self.world.vms[vm].ref.name})

    def _crossed_for_long(self) -> bool:
        faults, now_s = self.world.faults, self.world.now_s
        if not self.guarded or self.since_death or faults.slow_open or faults.silent or faults.disk_full:
            return False
        if faults.clock_jumps or faults.signed_out_at is not None or faults.no_quorum:
            return False
        lines = (*faults.busy_csv, *faults.redirected, *faults.heartbeats_missed)
        return within(tuple((start + _GUARD_IS_SLOW_S, end) for start, end in lines), now_s)

    # ends

    def _failed(self, event: mv.MoveFailed) -> None:
        self.codes[event.vm] = event.code
        vm = self.world.vms[event.vm]
        if _CONTACT in self.against and not event.reason.startswith("arrived on"):
            self.say(f"{vm.ref.name} is called failed while nobody answers")
        if not event.reason:
            self.say(f"{vm.ref.name} is called failed without a reason")

    def _retried(self, event: mv.MoveRetried) -> None:
        if not event.automatic:
            return
        self.retries[event.vm] += 1
        if self.retries[event.vm] > 1:
            self.say(f"{event.vm} is tried a third time by itself")
        if self.codes.get(event.vm) in AUTHENTICATION:
            self.say(f"{event.vm} is tried again by itself after a refused sign-in")

    def _verified(self, event: mv.MoveVerified) -> None:
        vm = self.world.vms[event.vm]
        if self.world.faults.node_dies or self.world.faults.foreign or self.world.forced:
            return
        if vm.host != event.host:
            self.say(f"{vm.ref.name} is verified on {event.host} and is on {vm.host}")
        if (vm.host == SOURCE) is not self.world.returning:
            self.say(f"{vm.ref.name} is verified and has not moved")
        if event.heartbeat is not None and vm.heartbeat != event.heartbeat:
            self.say(f"{vm.ref.name} is verified with a heartbeat that it does not have")

    # commands

    def command(self, command: cmd.Command) -> None:
        """What the cluster is asked for, after its events were written down."""
        if isinstance(command, cmd.StartMove):
            if not self.wanted[command.vm]:
                self.say(f"{command.vm} is started without an intent in the journal")
            self.wanted[command.vm] -= 1
        elif type(command) in _INTENT_OF:
            self._intended(_INTENT_OF[type(command)])
        elif isinstance(command, cmd.SetSetting) and not self.intents[ev.SettingIntended]:
            self.say("a setting is changed without an intent in the journal")
        if isinstance(command, cmd.CancelMove) and self.detached:
            self.say("a cancel after a detach")

    def _intended(self, kind: type[ev.Event]) -> None:
        """Each intent is good for one command."""
        if self.intents[kind] <= 0:
            self.say(f"a command without {kind.__name__} in the journal")
        self.intents[kind] -= 1

    def died(self) -> None:
        """Intents whose command was lost with the runner are good for nothing any more."""
        self.wanted.clear()
        self.since_death = True

    # recovery

    def recovered(self, vm: VmId, *, told_arrived: bool) -> None:
        """After a death: an arrival that could be seen is no secret."""
        found = self.world.vms[vm]
        away = (found.host == SOURCE) is self.world.returning
        if away and found.migration is None and not told_arrived:
            self.say(f"{found.ref.name} has arrived on {found.host}, and the new runner does not know")
