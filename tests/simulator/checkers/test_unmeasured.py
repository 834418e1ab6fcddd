"""What the checker finds when a press may have waited at the broker, and when it is only a copy of a known one."""

from typing import Any

from msgspec.structs import replace

from alertd.model.decision import Entry, EntryKind
from alertd.model.reason import Reason
from alertd_simulator.checkers.unmeasured import Unmeasured
from alertd_simulator.world.happenings import Crashed
from tests.simulator.checkers.story import WALL_US, Story, incident, pressed

SAYS_NOTHING = "waited at the broker, and nothing says so"
BEFORE_US = WALL_US - 40_000_000
KNOWN_ALREADY = (Entry(kind=EntryKind.PRESS, reason=Reason.DUPLICATE, text="known already"),)


def story() -> Story:
    return Story(Unmeasured).start().at(1)


def heard(story: Story, *waited: bool, backlog: bool = True, **decision: Any) -> Story:
    """The press of badge-204 is committed, and its incident has it once for each of `waited`."""
    cause = pressed().cause
    press = replace(incident().presses[0], id=cause)
    presses = tuple(replace(press, waited_since_us=BEFORE_US if each else None) for each in waited)
    return story.committed(
        pressed(backlog=backlog, oldest_us=BEFORE_US), incidents=(replace(incident(), presses=presses),), **decision
    )


def crashed(story: Story, *, power: bool) -> Story:
    return story.see(Crashed, incarnation=1, where="at its hour", power=power, lost_bytes=0)


def test_a_press_that_waited_and_says_nothing_of_it_is_found() -> None:
    assert heard(story(), True).violations == []
    assert SAYS_NOTHING in heard(story(), False).violations[0]


def test_a_press_that_never_waited_and_says_so_is_found() -> None:
    assert heard(story(), False, backlog=False).violations == []
    assert "is said to have waited" in heard(story(), True, backlog=False).violations[0]


def test_a_copy_of_what_memory_holds_is_no_new_press() -> None:
    """Seed 500100: the disk was full, alertd was killed, and its spare came back with it."""
    told = heard(story(), False, backlog=False, durable=False)
    crashed(told.at(2), power=False)
    heard(told.at(3), False, entries=KNOWN_ALREADY)
    assert told.violations == []


def test_what_memory_held_and_the_power_took_is_a_new_press() -> None:
    told = heard(story(), False, backlog=False, durable=False)
    crashed(told.at(2), power=True)
    heard(told.at(3), False)
    assert SAYS_NOTHING in told.violations[0]


def test_what_memory_held_and_the_disk_took_outlives_the_power() -> None:
    told = heard(story(), False, backlog=False, durable=False)
    told.at(2).committed(pressed("button-7"))
    crashed(told.at(3), power=True)
    heard(told.at(4), False, entries=KNOWN_ALREADY)
    assert told.violations == []


def test_the_same_press_once_more_after_the_clock_was_set_is_judged_anew() -> None:
    told = heard(story(), False, backlog=False, durable=False)
    assert heard(told.at(2), False, True, durable=False).violations == []
    assert SAYS_NOTHING in heard(told.at(3), False, True, False).violations[0]
