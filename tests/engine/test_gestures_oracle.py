"""Promise 2 of gestures, by a judge who knows what a person truly did with a button, and by which path it was heard.

The judge shares nothing with the engine. Gaps are clear of the window: half a second on the way decides nothing.
"""

from collections.abc import Iterable
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from alertd.engine.routing import route
from alertd.model.events import Arrival, Signal
from alertd.model.ids import DeviceId
from alertd.model.incident import SEVERITY, IncidentClass
from tests.engine.play import START_US, Play
from tests.engine.school import registry

SCHOOL = registry()
WINDOW_S, CLOCKS_APART_S = 10, 30
PROMPT_S = 0.5
"""What is neither kept nor delayed takes less."""
FIRST, UPGRADE = 3, 8
WORDS = {1: "press", 2: "double", 3: "triple"}
LONG_AGO_S = -1e9
GAPS_S = (*(0.3, 2, 8, 9) * 3, 11, 14, 35, 45, 75, 300, 4000)
PROMPTLY = (("live", 0), ("live", 0.1), ("live", 0.4))
WAYS = (*PROMPTLY, *product(("stored", "delayed"), (0.5, 20, 100, 900)))
# How long after the last; its way, and how long that takes; over the other gateway; put together; copied after.
PRESSES = tuple(product(GAPS_S, WAYS, (False, True), (1, 1, 2, 3), (None, None, None, 0.5, 8, 60)))
# It has a clock; an identity for its presses; counts, and begins anew after so long; puts presses together.
DEVICES = tuple(product((False, True), (False, True), (0, 0, 0, 3, 10), (False, True)))
# The ways; how far the other gateway's clock is off; how long a decision takes.
PATHS = tuple(product(("live", "live stored", "live delayed"), (0, 0, -12, -28), (0, 0, 12)))
TURNS = ("", "", "line", "set", "set line", "reboot", "reboot line")


def elapsed_s(later_s: float, sooner_s: float) -> float:
    """To the microsecond, in which alertd reckons: from 9.6 to 19.6 it is ten seconds, and not a trifle more."""
    return round(later_s - sooner_s, 6)


class Said(Struct, frozen=True):
    """A message of a press, and the truth about it, in seconds of true time. `presses` are put together, and `count` is
    counted, by the device; the clock that stamps it, if any, is off by `off_s`; it waited since the line was lost."""

    number: int
    pressed_s: float
    arrives_s: float
    presses: int
    count: int | None
    off_s: float | None
    has_cause: bool
    lost_s: float | None
    stored: bool
    is_copy: bool = False

    @property
    def is_kept(self) -> bool:
        return self.stored or self.lost_s is not None


class Day(Struct, frozen=True):
    """`said`, in the order of arrival; `step`: when the wall clock is set, and by how much."""

    said: tuple[Said, ...]
    step: tuple[float, float] = (0, 0)
    reboots_s: float | None = None
    lag_s: float = 0

    def stepped_s(self, at_s: float) -> float:
        return self.step[1] if at_s >= self.step[0] else 0

    def boot(self, said: Said) -> str:
        return "first" if self.reboots_s is None or said.arrives_s < self.reboots_s else "second"

    def is_timed(self, said: Said) -> bool:
        """Does it say when it was pressed, and is that not in the future?"""
        says_s = LONG_AGO_S if said.off_s is None else said.pressed_s + said.off_s
        return said.off_s is not None and says_s <= said.arrives_s + self.stepped_s(said.arrives_s)

    @property
    def apart_s(self) -> float:
        """So far two clocks of this day may be apart."""
        return CLOCKS_APART_S if len({said.off_s for said in self.said}) > 1 or self.reboots_s is not None else 0

    def between(self, said: Said) -> tuple[float, float]:
        """When it may have been pressed, for whoever knows the path and not the person."""
        if self.is_timed(said):
            return said.pressed_s, said.pressed_s
        since_s = said.arrives_s if said.lost_s is None else said.lost_s
        return LONG_AGO_S if said.stored else since_s, said.arrives_s

    def may_join(self, one: Said, other: Said) -> bool:
        """Can nobody know that more than a window lies between them? What was kept may always be of another clock; what
        came straight and calls itself old may be of a clock that is wrong. Clocks apart mislead by twice as much."""
        (one_from, one_to), (other_from, other_to) = self.between(one), self.between(other)
        is_kept = one.is_kept or other.is_kept
        within_s = WINDOW_S + self.apart_s + (CLOCKS_APART_S if is_kept or self.apart_s else 0)
        came_together = not is_kept and abs(elapsed_s(one.arrives_s, other.arrives_s)) <= within_s
        return came_together or max(elapsed_s(other_from, one_to), elapsed_s(one_from, other_to)) <= within_s


def longest(presses: Iterable[Said], within_s: float) -> int:
    """Presses of the longest gesture that was truly made."""
    best, total, before_s = 0, 0, LONG_AGO_S
    for said in sorted(presses, key=lambda each: each.pressed_s):
        total = said.presses + (total if elapsed_s(said.pressed_s, before_s) <= within_s else 0)
        best, before_s = max(best, total), said.pressed_s
    return best


def possible(day: Day, made: list[Said]) -> int:
    """Presses that may be one gesture, at the most."""
    left, best = list(made), 0
    while left:
        gesture = [left.pop()]
        for one in gesture:  # which grows
            gesture += (joined := [other for other in left if day.may_join(one, other)])
            left = [other for other in left if other not in joined]
        best = max(best, sum(said.presses for said in gesture))
    return best


def certain(day: Day, made: list[Said]) -> int:
    """Presses of the longest gesture by one clock: the device's own, or boot time for what came promptly. A count that
    begins anew may be one that is said again."""
    by_clock: dict[object, list[Said]] = {}
    for said in made:
        run = said.number - said.count if said.count else None
        if day.is_timed(said) or not said.is_kept:
            by_clock.setdefault((said.off_s if day.is_timed(said) else day.boot(said), run), []).append(said)
    return max((longest(each, WINDOW_S - PROMPT_S) for each in by_clock.values()), default=0)


@st.composite
def days(draw: st.DrawFn) -> Day:
    made = draw(st.lists(st.sampled_from(PRESSES), min_size=1, max_size=11))
    has_clock, has_cause, anew_s, bundles = draw(st.sampled_from(DEVICES))
    (ways, apart_s, lag_s), turn = draw(st.sampled_from(PATHS)), draw(st.sampled_from(TURNS))
    moment = st.integers(0, int(sum(gap_s for gap_s, *_ in made) * 10) + 10).map(lambda tenths: tenths / 10)
    lost_s, back_s = sorted((draw(moment), draw(moment))) if "line" in turn else (0, 0)
    reboots_s = draw(moment) if "reboot" in turn else None
    step = (draw(moment), draw(st.sampled_from([15, 3600, -3600]))) if "set" in turn else (0, 0)
    if reboots_s is not None:
        step = (reboots_s, draw(st.sampled_from([0, 15, 29, -5, -29])))
    if anew_s:  # by a clock that is off by less than a window nothing tells what was overtaken from what began anew
        apart_s, step = -28 if apart_s else 0, (step[0], max(0, step[1]))
    if not has_clock or apart_s or step[1] < 0:  # nothing would tell of a delay
        ways = ways.replace("delayed", "")
    said: list[Said] = []
    at_s, count = -made[0][0], 0
    for number, (gap_s, (drawn, drawn_s), is_other, presses, copied_s) in enumerate(made):
        at_s = round(at_s + gap_s, 1)
        count = count + 1 if gap_s <= anew_s else 1
        way, took_s = (drawn, drawn_s) if drawn in ways else ("live", 0)
        if anew_s and (apart_s or not has_clock):
            way, took_s = "live", 0  # in their order: no number tells what was overtaken from what began anew
        waits = lost_s <= at_s + took_s < back_s
        arrives_s = back_s + took_s % PROMPT_S if waits else at_s + took_s
        together, own = (1, count) if anew_s else (presses if bundles else 1, None)
        off_s, since_s = apart_s * is_other if has_clock else None, lost_s if waits else None
        one = Said(number, at_s, arrives_s, together, own, off_s, has_cause, since_s, way == "stored")
        said.append(one)
        if has_cause and copied_s is not None:
            other_s = apart_s if has_clock else None
            said.append(replace(one, arrives_s=arrives_s + copied_s, off_s=other_s, is_copy=True))
    return Day(tuple(sorted(said, key=lambda each: each.arrives_s)), step, reboots_s, lag_s)


def us(seconds: float) -> int:
    return round(seconds * 1e6)


def heard(day: Day, said: Said, number: int) -> Arrival:
    device, cause = DeviceId("badge-204"), str(said.number) if said.has_cause else None
    pressed_us = None if said.off_s is None else START_US + us(said.pressed_s + said.off_s)
    signal = Signal(device_id=device, action=WORDS[said.presses], count=said.count, cause=cause, late=said.stored)
    came_s, since_s = said.arrives_s + day.stepped_s(said.arrives_s), said.lost_s
    if since_s is not None:  # the clock is followed as long as the machine runs
        is_rebooted = day.reboots_s is not None and since_s < day.reboots_s <= said.arrives_s
        since_s = min(came_s, since_s + day.stepped_s(since_s if is_rebooted else said.arrives_s))
    return Arrival(
        source="mqtt",
        topic="alertd/press/badge-204",
        signals=(replace(signal, pressed_us=pressed_us),),
        received_us=START_US + us(came_s),
        arrival_id=str(number),
        backlog_since_us=None if since_s is None else START_US + us(since_s),
        boot_us=us(said.arrives_s),
    )


def played(day: Day) -> list[IncidentClass | None]:
    """The gravest that is called for, after each message."""
    play, found = Play(SCHOOL), list[IncidentClass | None]()
    for said in day.said:
        play.now_us = max(play.now_us, START_US + us(said.arrives_s)) + us(day.lag_s)
        play.stepped_us = us(day.stepped_s((play.now_us - START_US) / 1e6))
        play.boot_id = day.boot(said)
        for event in route(SCHOOL, heard(day, said, len(found))):
            play.do(event)
        classes = {incident.incident_class for incident in play.state.incidents.values()}
        found.append(max(classes, key=lambda each: SEVERITY[each], default=None))
    return found


def judge(day: Day) -> None:
    called = played(day)
    for n, incident_class in enumerate(called, 1):
        told, now = [said for said in day.said[:n] if not said.is_copy], f"at {n} of {day}"
        numbers = {said.number - back for said in told for back in range(said.count or 1)}
        made = [said for said in day.said if said.number in numbers and not said.is_copy]
        if longest(told, WINDOW_S - PROMPT_S) >= FIRST or any((said.count or 0) >= FIRST for said in told):
            assert incident_class is not None, f"promise 2: a gesture that was made paged nobody, {now}"
        if possible(day, made) < FIRST:
            assert incident_class is None, f"no gesture was made, and people are paged, {now}"
        if longest(made, WINDOW_S + PROMPT_S + day.apart_s) < UPGRADE:
            assert incident_class is not IncidentClass.LOCKDOWN, f"nobody pressed {UPGRADE} times, {now}"
        if certain(day, made) >= UPGRADE:
            assert incident_class is IncidentClass.LOCKDOWN, f"promise 2: {UPGRADE} presses, {now}"
    if any(said.is_copy for said in day.said):
        alone = replace(day, said=tuple(said for said in day.said if not said.is_copy))
        with_copies = [each for each, said in zip(called, day.said, strict=True) if not said.is_copy]
        assert played(alone) == with_copies, f"a copy changes what is called for: {day}"


QUICK = settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
test_what_is_called_for_was_truly_pressed = QUICK(given(days())(judge))
MANY = settings(QUICK, max_examples=5_000)
test_what_is_called_for_was_truly_pressed_on_many_days = pytest.mark.slow(MANY(given(days())(judge)))


@settings(QUICK, max_examples=100)
@given(days(), st.permutations(range(11)))
def test_stored_presses_call_for_the_same_in_whatever_order_they_come(day: Day, order: list[int]) -> None:
    """Of a device whose clock is good, over one gateway."""
    stored = [replace(said, off_s=0, lost_s=None, stored=True) for said in day.said if not said.is_copy]
    end_s, calls = max(said.pressed_s for said in stored) + 60, []
    for turn in (list(range(11)), order):
        by_turn = sorted((turn[said.number], said) for said in stored)
        calls.append(played(Day(tuple(replace(said, arrives_s=end_s + n) for n, (_, said) in enumerate(by_turn))))[-1])
    assert calls[0] == calls[1], f"stored presses in another order, {order}, are another call: {stored}"
