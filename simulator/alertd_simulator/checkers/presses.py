"""Promise 1, from the outside: a press that was acknowledged, or that has arrived, is somebody's business.

Owns the link between what the broker delivered and what was committed. Must take nothing of it from alertd's word:
which press a message is, the world says.
"""

from collections import Counter
from collections.abc import Sequence

from alertd.model.events import Event, Malformed, Pressed, Unregistered
from alertd.model.ids import DeviceId
from alertd.model.incident import Incident
from alertd.model.notification import NotificationRow
from alertd_simulator.checkers.checker import Checker, Consequence, Scene
from alertd_simulator.checkers.covering import CoverBook, Press, holds, is_sensors
from alertd_simulator.checkers.final import Final
from alertd_simulator.world.happenings import (
    Acked,
    Arrived,
    Committed,
    Crashed,
    Happening,
    Published,
    Started,
    Truth,
)

SECOND_US = 1_000_000
DISK = ("slow_disk", "disk_full", "disk_fails")
WITHHELD_MAX = 15
"""Acknowledgements that are withheld while the disk takes nothing (design: below the broker's 20 in flight)."""
TAKEN_UP_S = 15.0
"""Calm seconds from a press's arrival to the commit that covers it."""


class AcknowledgedPresses(Checker):
    name = "acknowledged press"
    docs = (
        "Promise 1: a press whose PUBACK reached the broker is in an incident of its site that holds its device and is "
        "at least as grave, or its site was paged by the fallback; then, after every restart, and at the end. (Of a "
        "gesture whose first presses a full disk left to memory, and the power took, the rest is counted anew. A "
        "button that is held on after a human has closed what its gesture called for rings, and opens nothing.)"
    )
    sees = (Published, Acked, Consequence, Crashed)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._book = CoverBook(scene.registry)
        self._acked: list[Press] = []
        self._device_of: dict[int, DeviceId] = {}
        self._in_memory: set[DeviceId] = set()
        """Devices of whose last message only memory knows."""
        self._fleeting: set[int] = set()
        """Messages that were acknowledged so. Of a gesture they may be too few to be a press, and still its beginning:
        who presses three times has said nothing with the third alone."""

    def see(self, happening: Happening) -> None:
        match happening:
            case Published(truth=truth):
                self._book.publish(happening)
                if truth is not None:
                    self._device_of[happening.number] = truth.device_id
            case Committed():
                self._book.commit(happening)
                self._held(happening)
            case Acked(number=number):
                if self._device_of.get(number) in self._in_memory:
                    self._fleeting.add(number)
                self._acknowledged(happening)
            case Crashed(power=True):
                self._book.forget(self._fleeting)
                self._fleeting.clear()
                for press in self._acked:
                    press.excused = press.excused or not any(cover.durable for cover in press.covers)
            case _:
                pass

    def _held(self, committed: Committed) -> None:
        event = committed.event
        if not isinstance(event, Pressed):
            return
        if committed.durable:  # before it, what memory held has come back
            self._in_memory.clear()
            self._fleeting.clear()
        else:
            self._in_memory.add(event.signal.device_id)

    def _acknowledged(self, acked: Acked) -> None:
        for number in self._book.came(acked.number):
            press = self._book.presses[number]
            press.covers = self._book.of(press)
            if press.covers:
                self._acked.append(press)
                continue
            connection = f"message {number}, connection {acked.connection}"
            self.accuse(
                acked.at_us, f"{press.words} was acknowledged ({connection}), and nothing that was committed covers it"
            )

    def reread(self, incidents: Sequence[Incident], rows: Sequence[NotificationRow], at_us: int) -> None:
        self._compare(incidents, rows, at_us, "after the restart")

    def finish(self, final: Final, at_us: int) -> None:
        self._compare(final.incidents, final.rows, at_us, "at the end")

    def _compare(self, incidents: Sequence[Incident], rows: Sequence[NotificationRow], at_us: int, when: str) -> None:
        by_id = {incident.id: incident for incident in incidents}
        row_ids = {row.notification.id for row in rows}
        for press in self._acked:
            kept = any(
                (cover.incident_id in by_id and holds(by_id[cover.incident_id], press.truth, press.wanted))
                or (cover.pages and set(cover.pages) <= row_ids)
                or cover.tried
                or cover.held_on
                for cover in press.covers
                if cover.incident_id is None or cover.incident_id in by_id
            )
            if not kept and not press.excused:
                self.accuse(at_us, f"{press.words} was acknowledged and is gone {when}", once=f"gone {press.words}")


class WithheldAcknowledgements(Checker):
    name = "withheld acknowledgement"
    docs = (
        "Promise 1: while the disk is full, a press that only memory holds is not acknowledged; beyond fifteen the "
        "oldest is, because the next press must be able to arrive (promise 2 outranks)."
    )
    sees = (Published, Arrived, Acked, Committed, Started)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._device_of: dict[int, Truth] = {}
        self._durable: dict[DeviceId, bool] = {}
        """Did the last commit about the device reach the disk?"""
        self._waiting: Counter[DeviceId] = Counter()
        """Messages of a device since its last commit: copies that come while the first of them waits share its commit,
        and each has an acknowledgement of its own."""
        self._taken = 0
        self._given = 0
        self._sensor_of: dict[int, DeviceId] = {}
        self._unacknowledged: dict[DeviceId, set[int]] = {}
        """Messages of a sensor that arrived: repeats are acknowledged before the commit that they share."""
        self._held: set[int] = set()
        """Of them, those that memory holds: each takes a place from presses."""

    def see(self, happening: Happening) -> None:
        match happening:
            case Published(truth=truth) if truth is not None and is_sensors(self.scene.registry, truth.device_id):
                self._sensor_of[happening.number] = truth.device_id
            case Published(truth=truth) if truth is not None:
                self._device_of[happening.number] = truth
            case Arrived(number=number) | Acked(number=number) if number in self._sensor_of:
                self._see_sensor(happening, number)
            case Committed():
                self._committed(happening)
            case Arrived(number=number) if number in self._device_of:
                self._waiting[self._device_of[number].device_id] += 1
            case Acked():
                self._acknowledged(happening)
            case Started():
                self._begin_anew()
                self._waiting.clear()
                self._unacknowledged.clear()
            case _:
                pass

    def _begin_anew(self) -> None:
        self._taken = self._given = 0
        self._held.clear()

    def _see_sensor(self, happening: Arrived | Acked, number: int) -> None:
        messages = self._unacknowledged.setdefault(self._sensor_of[number], set())
        if isinstance(happening, Arrived):
            messages.add(number)
            return
        messages.discard(number)
        if number in self._held:
            self._held.discard(number)
            self._taken -= 1

    def _committed(self, committed: Committed) -> None:
        event = committed.event
        pressed = isinstance(event, Pressed | Unregistered | Malformed)
        if isinstance(event, Pressed) and is_sensors(self.scene.registry, event.signal.device_id):
            pressed = False
            self._sensor_committed(event.signal.device_id, durable=committed.durable)
        ailing = any(self.scene.conditions.is_on(fault) for fault in DISK)
        if committed.durable and (pressed or not ailing):
            self._begin_anew()  # room alone is not enough: what memory holds must have come back
        elif not committed.durable and pressed:
            self._taken += max(1, self._messages(committed.event))
        if isinstance(committed.event, Pressed):
            self._durable[committed.event.signal.device_id] = committed.durable
            del self._waiting[committed.event.signal.device_id]

    def _sensor_committed(self, device_id: DeviceId, *, durable: bool) -> None:
        held = self._unacknowledged.pop(device_id, set()) - self._held
        if not durable:
            self._held |= held
            self._taken += len(held)

    def _messages(self, event: Event) -> int:
        return self._waiting[event.signal.device_id] if isinstance(event, Pressed) else 1

    def _acknowledged(self, acked: Acked) -> None:
        truth = self._device_of.get(acked.number)
        full = self.scene.conditions.is_on("disk_full")
        if truth is None or truth.incident_class is None or not full or self._durable.get(truth.device_id, True):
            return
        self._given += 1
        if self._given > max(0, self._taken - WITHHELD_MAX):
            self.accuse(
                acked.at_us,
                f"press {truth.press} of {truth.device_id} was acknowledged though only memory holds it "
                f"({self._taken} taken in memory, {self._given} acknowledged)",
            )


class ArrivedPresses(Checker):
    name = "arrived press"
    docs = (
        "Promises 1 and 2: a press that the broker delivered is covered by a commit within seconds, whatever else "
        "arrives: vape storms, nonsense, messages that nobody understands."
    )
    sees = (Published, Arrived, Committed, Crashed)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._book = CoverBook(scene.registry)
        self._pending: dict[int, int] = {}
        """Message -> calm time at its arrival."""

    def see(self, happening: Happening) -> None:
        match happening:
            case Published():
                self._book.publish(happening)
            case Arrived(number=number, retain=False) if self.scene.conditions.up:
                # At a machine without power nothing arrives, though the broker may not know yet: it comes again.
                for each in self._book.came(number):
                    self._pending.setdefault(each, self.scene.conditions.calm_us(happening.at_us))
            case Committed():
                self._book.commit(happening)
            case Crashed():
                self._pending.clear()  # what was on its way to the disk comes again
            case _:
                pass
        self._look(happening.at_us)

    def _look(self, at_us: int) -> None:
        if not self._pending:
            return
        now_us = self.scene.conditions.calm_us(at_us)
        for number, since_us in tuple(self._pending.items()):
            press = self._book.presses[number]
            if self._book.of(press):
                del self._pending[number]
            elif now_us - since_us > TAKEN_UP_S * SECOND_US:
                del self._pending[number]
                self.accuse(at_us, f"{press.words} has arrived (message {number}) and is not taken up")

    def finish(self, final: Final, at_us: int) -> None:  # noqa: ARG002 - a checker's signature
        self._look(at_us)
