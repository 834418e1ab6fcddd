"""What sensors say before it passes the door: numbers become alarms, repeats are gathered, nothing else is touched."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from alertd.daemon.readings import GATHER_S, GATHER_SHOTS_S, RETRY_S, Readings
from alertd.daemon.telemetry import Telemetry
from alertd.model.decision import Decision, EntryKind
from alertd.model.device_memory import DeviceTest, GestureCount
from alertd.model.events import GOES_ON, Event, Pressed, Signal, TroubleCleared, TroubleRaised
from alertd.model.ids import CauseId, DeviceId
from alertd.model.incident import IncidentClass
from alertd.model.notification import Kind
from alertd.model.registry import Registry
from alertd.model.site import DeviceKind, Gestures, SensorRules, Thresholds
from alertd_simulator.virtual_time import COMMIT_DELAY, VirtualClock, in_virtual_time
from tests.daemon.world import World
from tests.engine.school import OAK, device, registry

SENSES = Gestures(
    id="sensor",
    actions={"vape": "vape", "masking": "masking", "gunshot": "gunshot_sensor"},
    sensor=SensorRules(thresholds={"vape": Thresholds(trigger=50, release=20, for_s=10)}),
)


def school() -> Registry:
    known = registry()
    sensor = device("vape-wc", DeviceKind.SENSOR, SENSES, zone_id="118", label="vape sensor")
    return replace(known, devices={**known.devices, sensor.id: sensor})


class Door:
    """Takes what passes; `fails` says that it is not committed."""

    def __init__(self) -> None:
        self.passed: list[Pressed] = []
        self.troubles: list[TroubleRaised | TroubleCleared] = []
        self.fails = False

    def submit(self, event: Event) -> "asyncio.Future[None]":
        if isinstance(event, TroubleRaised | TroubleCleared):
            self.troubles.append(event)
        else:
            assert isinstance(event, Pressed)
            self.passed.append(event)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.fails:
            done.set_exception(OSError("the disk"))
            done.exception()
        else:
            done.set_result(None)
        return done


class Front:
    """`Readings` with a door behind it, in virtual time."""

    def __init__(self) -> None:
        self.registry = school()
        self.clock = VirtualClock()
        self.door = Door()
        self.readings = Readings(self.clock, Telemetry(self.clock))
        run = self.readings.run(self.door, lambda: self.registry)  # type: ignore[arg-type]
        self._task = asyncio.get_running_loop().create_task(run)
        self._number = 0

    def say(self, action: str = "vape", device_id: str = "vape-wc", age_s: float = 0.0, **more: object) -> int:
        """How many events pass at once."""
        self._number += 1
        now_us = self.clock.now().wall_us
        mine = {k: v for k, v in more.items() if k in Signal.__struct_fields__}
        rest = {k: v for k, v in more.items() if k not in mine}
        event = Pressed(
            site_id=OAK,
            cause=CauseId(f"c{self._number}"),
            signal=Signal(device_id=DeviceId(device_id), action=action, **mine),  # type: ignore[arg-type]
            received_us=now_us,
            oldest_us=now_us - round(age_s * 1e6),
            **{"backlog": False, "retained": False, "source": "b", **rest},  # type: ignore[arg-type]
        )
        passed = self.readings.sift((event,), self.registry)
        for each in passed:
            self.readings.await_commit(self.door.submit(each))
        return len(passed)

    def heard(self) -> list[tuple[str, int | None, bool]]:
        found = [(e.signal.action, e.signal.count, e.signal.ends) for e in self.door.passed]
        self.door.passed.clear()
        return found


@in_virtual_time
async def test_the_first_passes_at_once_and_repeats_as_one_with_a_count():
    front = Front()
    for _ in range(30):
        front.say()
        await asyncio.sleep(1)
    assert front.heard() == [("vape", 1, False)]
    await asyncio.sleep(GATHER_S)

    assert front.heard() == [("vape", 29, False)]


@in_virtual_time
async def test_each_thing_that_a_sensor_says_passes_by_itself():
    front = Front()
    front.say("vape")
    front.say("masking")
    front.say("gunshot")
    assert front.heard() == [("vape", 1, False), ("masking", 1, False), ("gunshot", 1, False)]


@in_virtual_time
async def test_shots_wait_for_seconds_only():
    front = Front()
    front.say("gunshot")
    front.say("gunshot")
    await asyncio.sleep(GATHER_SHOTS_S + 0.1)
    assert front.heard() == [("gunshot", 1, False), ("gunshot", 1, False)]


@in_virtual_time
async def test_a_count_in_the_payload_counts_for_nothing():
    front = Front()
    front.say(count=1000)
    assert front.heard() == [("vape", 1, False)]


@in_virtual_time
async def test_words_that_nobody_knows_are_gathered_as_one_however_many_there_are():
    front = Front()
    for number in range(5000):
        front.say(f"word-{number}")
    assert front.heard() == [("word-0", 1, False)]


@in_virtual_time
async def test_buttons_and_strangers_are_not_held_back():
    front = Front()
    for name in ("badge-204", "nobody-knows"):
        assert [front.say("hold", name) for _ in range(50)] == [1] * 50


@in_virtual_time
async def test_what_was_not_committed_passes_again_at_once():
    front = Front()
    front.door.fails = True
    front.say()
    await asyncio.sleep(0)
    front.door.fails = False
    front.say()
    assert front.heard() == [("vape", 1, False), ("vape", 1, False)]


@in_virtual_time
async def test_the_end_of_an_alarm_passes_after_it():
    front = Front()
    front.say()
    front.say(ends=True)
    await asyncio.sleep(GATHER_S + 1)
    assert front.heard() == [("vape", 1, False), ("vape", 1, True)]


@in_virtual_time
async def test_an_end_does_not_stand_for_the_alarms_that_still_wait():
    front = Front()
    for ends in (False, False, True):
        front.say(ends=ends)
    assert front.heard() == [("vape", 1, False)]
    await asyncio.sleep(GATHER_S + 1)
    assert front.heard() == [("vape", 1, False)], "an alarm was written down as an end"


@in_virtual_time
async def test_a_sensor_that_says_with_each_report_that_it_is_over_says_it_once():
    """Else each report would begin its cool-down anew, and its next alarm would wait to be gathered."""
    front = Front()
    for _ in range(5):
        front.say(ends=True)
        await asyncio.sleep(GATHER_S + 1)
    front.say(ends=True)
    front.say()
    assert front.heard() == [("vape", 1, True), ("vape", 1, False)], "an alarm waits behind what says nothing"

    front.say(ends=True)
    await asyncio.sleep(GATHER_S + 1)
    front.say(ends=True)
    assert front.heard() == [("vape", 1, True)]


@in_virtual_time
async def test_the_end_of_an_alarm_that_was_not_committed_passes_when_it_is_said_again():
    front = Front()
    front.say()
    await asyncio.sleep(GATHER_S + 1)
    front.door.fails = True
    front.say(ends=True)
    await asyncio.sleep(0)
    front.door.fails = False
    front.heard()
    front.say(ends=True)
    assert front.heard() == [("vape", 1, True)]


@in_virtual_time
async def test_an_end_that_an_alarm_was_in_the_way_of_passes_when_it_is_said_again():
    front = Front()
    for ends in (False, False, True):
        front.say(ends=ends)
    await asyncio.sleep(2 * GATHER_S + 2)
    front.heard()
    front.say(ends=True)
    assert front.heard() == [("vape", 1, True)], "the end of it is never heard"


def _tried(front: Front, *, is_tried: bool) -> None:
    test = DeviceTest(id="t-1", by="J. Ruiz", incident_class=IncidentClass.VAPE, began_us=0, ends_us=600_000_000)
    memory = GestureCount(device_id=DeviceId("vape-wc"), test=test if is_tried else None)
    front.readings.committed(Decision(gestures=(memory,)))


@in_virtual_time
async def test_a_real_alarm_behind_a_test_is_no_repeat_of_what_was_tried():
    front = Front()
    _tried(front, is_tried=True)
    front.say()
    assert front.heard() == [("vape", 1, False)]
    _tried(front, is_tried=False)
    front.say()
    assert front.heard() == [("vape", 1, False)], "the flood behind a test was gathered"


@in_virtual_time
async def test_a_number_that_is_high_behind_a_test_is_an_alarm_of_its_own():
    front = Front()
    _tried(front, is_tried=True)
    await _readings(front, 60, 60, 60)
    assert front.heard() == [("vape", 1, False)]
    _tried(front, is_tried=False)
    await _readings(front, 60, 60, 60)
    assert front.heard() == [("vape", 1, False)], "it was hidden for an hour"


@in_virtual_time
async def test_a_sensor_that_left_the_registry_says_nothing_more():
    front = Front()
    front.say()
    front.say()
    front.registry = registry()
    front.registry = replace(front.registry, devices={})
    front.heard()
    await asyncio.sleep(GATHER_S * 2)
    assert front.heard() == []


# --- numbers --------------------------------------------------------------------------------------------------------


async def _readings(front: Front, *numbers: float, every_s: float = 5.0) -> None:
    for number in numbers:
        front.say(reading=number)
        await asyncio.sleep(every_s)


@in_virtual_time
async def test_a_number_is_an_alarm_once_it_is_high_for_long_enough():
    front = Front()
    await _readings(front, 10, 49, 50)
    assert front.heard() == []
    await _readings(front, 50, 50)
    assert front.heard() == [("vape", 1, False)]


@in_virtual_time
async def test_a_peak_is_no_alarm():
    front = Front()
    await _readings(front, 99, 30, 99, 30, 99, 49)
    await asyncio.sleep(60)
    assert front.heard() == []


@in_virtual_time
async def test_a_sensor_that_speaks_only_when_something_changes_is_believed_after_the_same_time():
    front = Front()
    front.say(reading=90.0)
    await asyncio.sleep(9.9)
    assert front.heard() == []
    await asyncio.sleep(0.2)
    assert front.heard() == [("vape", 1, False)]


@in_virtual_time
async def test_between_release_and_trigger_what_was_so_stays_so():
    front = Front()
    await _readings(front, 60, 60, 60, 30, 49, 21, 30, 60, 30)
    await asyncio.sleep(GATHER_S)
    assert front.heard() == [("vape", 1, False)]
    await _readings(front, 20)
    assert front.heard() == [("vape", 1, True)]


@in_virtual_time
async def test_of_a_number_that_stays_high_it_is_said_twice_a_cool_down_that_it_goes_on():
    front = Front()
    await _readings(front, *[90] * 31, every_s=60.0)
    goes_on = [("vape", GOES_ON, False)] * 5
    assert front.heard() == [("vape", 1, False), *goes_on], "after a restart nobody knows what was told"
    await _readings(front, *[30] * 119, every_s=60.0)
    assert front.heard() == [], "it falls, and has not ended"


@in_virtual_time
async def test_a_sensor_whose_end_was_lost_is_heard_the_next_day():
    front = Front()
    await _readings(front, 90, 90, 90)
    assert front.heard() == [("vape", 1, False)]
    await asyncio.sleep(24 * 3600)
    await _readings(front, 90, 90, 90)
    assert front.heard() == [("vape", 1, False)], "an alarm whose end was lost hid the next day's"


@in_virtual_time
async def test_a_number_whose_alarm_was_not_committed_is_an_alarm_when_it_comes_again():
    front = Front()
    front.door.fails = True
    await _readings(front, 90, 90, 90)
    assert front.heard() == [("vape", 1, False)]
    front.door.fails = False
    await _readings(front, 90, 90, 90)
    assert front.heard() == [("vape", 1, False)], "an alarm that was in vain was never said again"


@in_virtual_time
async def test_a_number_that_stands_is_an_alarm_though_its_first_commit_failed():
    """A sensor that speaks when something changes says nothing more, and its message was acknowledged."""
    front = Front()
    front.say(reading=90.0)
    front.door.fails = True
    await asyncio.sleep(60)
    tried = len(front.heard())
    assert 2 <= tried <= 60 / RETRY_S, "lost with the disk, or tried without a pause"
    front.door.fails = False
    await asyncio.sleep(60)
    assert front.heard() == [("vape", 1, False)], "an alarm was lost over a disk that failed"


@in_virtual_time
async def test_a_number_that_came_down_while_the_disk_failed_is_tried_no_more():
    front = Front()
    front.say(reading=90.0)
    front.door.fails = True
    await asyncio.sleep(12)
    front.door.fails = False
    front.heard()
    front.say(reading=30.0)
    await asyncio.sleep(60)
    assert front.heard() == []


@pytest.mark.parametrize("more", [{"backlog": True}, {"retained": True}, {"age_s": 600.0}])
@in_virtual_time
async def test_an_old_number_says_nothing_of_now(more):
    front = Front()
    for _ in range(5):
        front.say(reading=99.0, **more)
        await asyncio.sleep(5)
    assert front.heard() == []


@in_virtual_time
async def test_a_number_that_nothing_judges_is_nothing():
    front = Front()
    front.say("masking", reading=99.0)
    await asyncio.sleep(60)
    assert front.heard() == []


# --- the whole daemon -----------------------------------------------------------------------------------------------


@pytest.mark.slow
@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_3500_vape_messages_an_hour_delay_no_press_and_are_one_text(tmp_path: Path):
    """Req 68: a staffer of one district got 3,500 e-mails of its sensors."""
    world = World(tmp_path, school=school())
    await world.start()
    pressed_at_us = None
    for number in range(3500):
        world.press("vape-wc", "vape")
        if number == 1800:
            pressed_at_us = world.clock.now().boot_us
            arrival = world.press("badge-204")
        await asyncio.sleep(3600 / 3500)
        if number == 1800:
            assert arrival in world.source.acked, "promise 2: within a second"
    await asyncio.sleep(120)

    assert pressed_at_us is not None
    (vape,) = [i for i in world.incidents() if i.incident_class is IncidentClass.VAPE]
    told = [r.notification for r in world.rows() if r.notification.incident_id == vape.id]
    assert [n.template for n in told] == ["alert.responder", "digest.responder"]
    assert sum(p.count for p in vape.presses) <= 3500
    lines = world.store.read_journal(OAK, since_us=0, until_us=2**62, kind=EntryKind.PRESS)
    assert len(lines) < 200, "a commit a minute"
    await world.stop()


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_burst_of_a_sensor_is_one_commit_and_a_press_behind_it_waits_for_nothing(tmp_path: Path):
    world = World(tmp_path, school=school())
    await world.start()
    for _ in range(400):
        world.press("vape-wc", "vape")
    await asyncio.sleep(0.001)
    arrival = world.press("badge-204")
    await asyncio.sleep(1)

    assert arrival in world.source.acked, "promise 2: nothing silences a first panic"
    lines = world.store.read_journal(OAK, since_us=0, until_us=2**62, kind=EntryKind.PRESS)
    assert len(lines) == 2, "one of the sensor, one of the badge"
    await world.stop()


@pytest.mark.slow
@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_after_a_crash_the_same_alarm_is_still_the_same(tmp_path: Path):
    world = World(tmp_path, school=school())
    await world.start()
    world.press("vape-wc", "vape")
    await asyncio.sleep(200)  # nobody answers: it ends by itself
    await world.crash()
    await world.start()
    world.press("vape-wc", "vape")
    await asyncio.sleep(5)

    assert [r.notification.kind for r in world.rows()] == [Kind.ALERT]
    await world.stop()


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_sensor_whose_first_word_was_not_committed_is_heard_when_it_comes_again(tmp_path: Path):
    world = World(tmp_path, school=school())
    await world.start()
    arrival = world.arrival("vape-wc", "vape")
    world.source.publish(arrival)
    await world.crash()
    assert arrival.arrival_id in world.source.unacked
    await world.start()
    await asyncio.sleep(5)

    assert [i.incident_class for i in world.incidents()] == [IncidentClass.VAPE]
    await world.stop()
