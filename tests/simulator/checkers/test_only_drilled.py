"""Promise 3: what the checker takes for a drill's first gesture, and which of them the power takes with it."""

import pytest

from alertd.model.drill import Drill
from alertd.model.events import DrillOrdered
from alertd.model.ids import CauseId, DeviceId, DrillId
from alertd.model.incident import IncidentClass
from alertd.model.mode import Mode
from alertd_simulator.checkers.drills import OnlyDrilled
from alertd_simulator.world.happenings import Crashed
from tests.engine.school import OAK
from tests.simulator.checkers.story import S, Story, incident, press, pressed

OTHER = "badge-118"
AGAIN = "badge-204 was pressed again, and that is taken for a drill"


def drilled() -> Story:
    devices = (DeviceId("badge-204"), DeviceId(OTHER))
    order = DrillOrdered(
        site_id=OAK, cause=CauseId("order"), by="J. Ruiz", incident_class=IncidentClass.LOCKDOWN, device_ids=devices,
        told_before="J. Doe", minutes=30,
    )  # fmt: skip
    begun = Drill(
        id=DrillId("d"), site_id=OAK, incident_class=IncidentClass.LOCKDOWN, device_ids=devices, told_before="J. Doe",
        by="J. Ruiz", started_us=0, ends_us=1800 * S,
    )  # fmt: skip
    return Story(OnlyDrilled).start().committed(order, drill=begun)


def pressed_at(story: Story, seconds: float, *, durable: bool = True, device: str = "badge-204") -> Story:
    """Pressed, heard, taken for a drill, and acknowledged."""
    number = round(seconds)
    story.at(seconds).published(number, device_id=DeviceId(device)).arrived(number)
    taken = incident(mode=Mode.DRILL, presses=(press(device, count=number),))
    return story.committed(pressed(device), incidents=(taken,), durable=durable).acked(number)


def crashed_at(story: Story, seconds: float, *, power: bool) -> Story:
    story.at(seconds).see(Crashed, incarnation=1, where="at its hour", power=power, lost_bytes=0)
    return story.start()


@pytest.mark.parametrize("durable", [True, False])
def test_a_second_gesture_that_is_taken_for_a_drill_is_found(durable: bool) -> None:
    told = pressed_at(drilled(), 10, durable=durable)
    assert told.violations == []
    assert pressed_at(told, 30, durable=durable).violations == [], "a finger is slow, and one gesture is one"
    assert pressed_at(told, 60, durable=durable).violations == [AGAIN]


def test_a_first_gesture_that_memory_held_and_the_power_took_is_none() -> None:
    """Seed 920241: nobody knows of it any more, and the next is the first."""
    told = crashed_at(pressed_at(drilled(), 10, durable=False), 20, power=True)
    assert pressed_at(told, 60).violations == []
    assert pressed_at(told, 120).violations == [AGAIN], "the power took one gesture, not all that will come"


def test_what_memory_held_outlives_whoever_was_killed() -> None:
    told = crashed_at(pressed_at(drilled(), 10, durable=False), 20, power=False)
    assert pressed_at(told, 60).violations == [AGAIN]


def test_what_the_disk_holds_outlives_the_power() -> None:
    told = crashed_at(pressed_at(drilled(), 10), 20, power=True)
    assert pressed_at(told, 60).violations == [AGAIN]


def test_what_memory_held_and_the_disk_took_later_outlives_the_power() -> None:
    told = pressed_at(pressed_at(drilled(), 10, durable=False), 15, device=OTHER)
    assert pressed_at(crashed_at(told, 20, power=True), 60).violations == [AGAIN]


def test_what_the_disk_holds_is_known_though_memory_alone_holds_what_came_after_it() -> None:
    told = pressed_at(pressed_at(drilled(), 10), 15, durable=False)
    assert pressed_at(crashed_at(told, 20, power=True), 60).violations == [AGAIN]


def test_the_power_takes_the_first_gesture_only_of_whom_memory_alone_knew() -> None:
    told = pressed_at(pressed_at(drilled(), 10), 15, durable=False, device=OTHER)
    crashed_at(told, 20, power=True)
    assert pressed_at(told, 60, device=OTHER).violations == []
    assert pressed_at(told, 70).violations == [AGAIN]


def test_a_second_power_cut_takes_nothing_that_the_disk_holds_by_then() -> None:
    told = crashed_at(pressed_at(drilled(), 10, durable=False), 20, power=True)
    crashed_at(pressed_at(told, 60), 70, power=True)
    assert pressed_at(told, 120).violations == [AGAIN]


@pytest.mark.parametrize("power", [True, False])
def test_a_message_that_was_on_its_way_in_a_crash_excuses_nobody_after_it(power: bool) -> None:
    """Whoever took it is gone without having acknowledged it: the broker delivers it once more, and that counts."""
    told = drilled().at(10).published(10).arrived(10)
    crashed_at(told, 20, power=power)
    told.arrived(10).committed(pressed(), incidents=(incident(mode=Mode.DRILL),)).acked(10)
    assert told.violations == []
    assert pressed_at(told, 60).violations == [AGAIN], "a message of before the crash is on its way for ever"
