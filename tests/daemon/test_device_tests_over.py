"""Device tests of an earlier start end with it, however often the disk refuses; and one that has ended is not shown."""

import asyncio
from collections.abc import Awaitable

from alertd.daemon.activity import OpenIncidents
from alertd.daemon.tests_over import TestsOver
from alertd.model.decision import Decision, Entry, EntryKind
from alertd.model.device_memory import DeviceTest, GestureCount
from alertd.model.ids import DeviceId
from alertd.model.incident import IncidentClass
from alertd.model.reason import Reason
from alertd.ports import NotCommittedError
from alertd_simulator.virtual_time import VirtualClock, in_virtual_time
from tests.engine.school import OAK

TEST = DeviceTest(id="t-1", by="ruiz", incident_class=IncidentClass.STAFF_ASSIST, began_us=1, ends_us=2)
MEMORY = GestureCount(device_id=DeviceId("badge-204"), test=TEST)


class Door:
    def __init__(self, refuses: int) -> None:
        self.refuses = refuses
        self.ended: list[DeviceId] = []

    def submit(self, event: object) -> Awaitable[None]:
        return self._commit(event)

    async def _commit(self, event: object) -> None:
        if self.refuses:
            self.refuses -= 1
            raise NotCommittedError("disk full")
        self.ended.append(event.device_id)  # type: ignore[attr-defined]


@in_virtual_time
async def test_an_end_that_was_not_committed_is_ordered_again() -> None:
    door = Door(refuses=2)
    task = asyncio.create_task(TestsOver([(OAK, MEMORY)], door).run(door))  # type: ignore[arg-type]
    await asyncio.sleep(30)
    task.cancel()
    assert door.ended == ["badge-204"], "its presses page nobody until it ends"


@in_virtual_time
async def test_a_test_that_is_over_is_shown_no_more() -> None:
    activity = OpenIncidents(store=None, clock=VirtualClock())  # type: ignore[arg-type]
    activity.committed(Decision(gestures=(MEMORY,)))
    assert activity.device_tests() == (("badge-204", TEST),)
    over = Entry(kind=EntryKind.PRESS, reason=Reason.TRIED_ENOUGH, text="", data={"test": "t-1"})
    activity.committed(Decision(entries=(over,)))
    assert activity.device_tests() == ()
