"""What can be rehearsed, and the days that are drawn for it."""

from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from alertd.model.ids import DeviceId, SiteId
from alertd.model.site import DeviceKind
from alertd_simulator.people import Habit
from alertd_simulator.rehearsal.assumptions import Assumptions, Hours
from alertd_simulator.rehearsal.days import Day, TimeOfDay, days_of, silent_day
from alertd_simulator.rehearsal.parts import PartKind, parts_of, person, without
from alertd_simulator.rehearsal.subjects import Subject, Way, subjects_of
from alertd_simulator.world.plan import CarrierWeather, Press, SensorReport
from tests.simulator.rehearsal.made_up import example

pytestmark = pytest.mark.slow

ELM_GATEWAYS = {device.id for device in example().registry.devices.values() if device.id.startswith("gw-elm-")}
CHICAGO = ZoneInfo("America/Chicago")


def subject(key: str) -> Subject:
    return next(each for each in subjects_of(example().registry)[0] if each.key == key)


def drawn(key: str, count: int = 200, assumptions: Assumptions | None = None) -> tuple[Day, ...]:
    return days_of(example().registry, subject(key), assumptions or Assumptions(), seed=1, count=count)


def test_every_policy_of_a_site_is_rehearsed_or_said_not_to_be() -> None:
    possible, impossible = subjects_of(example().registry)

    assert {each.key for each in possible} == {
        "oak/lockdown", "oak/duress", "oak/staff_assist", "oak/medical", "oak/vape", "oak/masking", "oak/tamper",
        "elm/lockdown", "elm/duress", "elm/staff_assist", "elm/medical", "elm/vape", "elm/masking", "elm/tamper",
    }  # fmt: skip
    reasons = {f"{each.site_id}/{each.incident_class}": each.why for each in impossible}
    for without_device in ("hold", "environmental", "fire", "police_duress"):
        assert reasons.pop(f"oak/{without_device}") == reasons.pop(f"elm/{without_device}") == "no device triggers it"
    assert set(reasons) == {"oak/trouble", "elm/trouble"}


def test_a_way_says_how_often_to_press_or_what_the_device_says() -> None:
    ways = {(way.device_id, way.action, way.presses) for way in subject("oak/lockdown").ways}

    assert ("button-204", "press", 4) in ways
    assert ("button-204", "emergency", 1) in ways
    assert ("badge-kim", "press", 8) in ways


def test_a_roaming_badge_is_pressed_where_a_gateway_of_that_school_hears_it() -> None:
    ways = [way for way in subject("elm/lockdown").ways if way.device_id == "badge-reed"]

    assert {gateway for way in ways for gateway in way.gateways} <= ELM_GATEWAYS
    assert all(way.gateways for way in ways)
    assert {way.wearer for way in ways} == {"reed"}


def test_a_badge_that_never_goes_to_a_school_is_not_pressed_there() -> None:
    assert not [way for way in subject("elm/lockdown").ways if way.device_id == "badge-kim"]


def test_a_press_asks_for_exactly_the_gesture_that_means_the_class() -> None:
    way = Way(device_id=DeviceId("button-204"), kind=DeviceKind.BUTTON, action="press", presses=4)
    one = replace(subject("oak/lockdown"), ways=(way,))

    (day,) = days_of(example().registry, one, Assumptions(), seed=1, count=1)
    press = day.plan.deeds[0]

    assert isinstance(press, Press)
    assert (press.device, press.presses, press.action) == ("button-204", 4, "")


def test_a_sensor_reports() -> None:
    report = drawn("oak/vape", 1)[0].plan.deeds[0]

    assert isinstance(report, SensorReport)
    assert (report.device, report.action) == ("vape-112", "vape")


def test_days_are_of_the_hours_that_they_are_said_to_be() -> None:
    days = drawn("oak/staff_assist")

    for day in days:
        began = datetime.fromisoformat(day.plan.begins).astimezone(CHICAGO)
        hour = began.hour + (began.minute + 1) / 60
        is_school = began.isoweekday() < 6 and 7.4 <= hour <= 16.1
        is_night = hour >= 21.9 or hour <= 6.1
        assert (day.time_of_day is TimeOfDay.DUTY) is is_school, day.moment
        assert (day.time_of_day is TimeOfDay.NIGHT) is is_night, day.moment
    counted = Counter(day.time_of_day for day in days)
    assert 100 < counted[TimeOfDay.DUTY] < 140
    assert min(counted.values()) > 20


def test_the_same_seed_draws_the_same_days_and_another_one_others() -> None:
    registry, oak = example().registry, subject("oak/lockdown")

    assert days_of(registry, oak, Assumptions(), seed=1, count=5) == drawn("oak/lockdown", 5)
    assert days_of(registry, oak, Assumptions(), seed=2, count=5) != drawn("oak/lockdown", 5)
    assert drawn("oak/lockdown", 5) == drawn("oak/lockdown", 9)[:5]


def test_shares_of_people_are_as_assumed() -> None:
    awake = Hours(phone_off=0.2, asleep=0.0, silent=0.4, cannot_go=0.0, words=0.0, tapback=0.0, driving=0.0,
                  wrong_code=0.0)  # fmt: skip
    days = drawn("oak/lockdown", 60, Assumptions(duty=awake, share_in_duty_hours=1.0))
    habits = [habit for day in days for habit in day.plan.habits]

    shares = Counter(habit.habit for habit in habits)
    assert shares[Habit.SILENT] / len(habits) == pytest.approx(0.4, abs=0.04)
    assert shares[Habit.GOES_AND_ARRIVES] / len(habits) == pytest.approx(0.6, abs=0.04)
    assert sum(habit.phone_off_s > 0 for habit in habits) / len(habits) == pytest.approx(0.2, abs=0.04)


def test_answer_delays_have_the_median_that_is_assumed() -> None:
    days = drawn("oak/lockdown", 60, Assumptions(share_in_duty_hours=1.0))
    delays = sorted(habit.after_s for day in days for habit in day.plan.habits)

    assert delays[len(delays) // 2] == pytest.approx(25.0, rel=0.1)


def test_on_the_silent_day_nobody_answers_no_phone_is_off_and_nothing_fails() -> None:
    day = silent_day(example().registry, subject("oak/lockdown"), Assumptions(), seed=1)

    assert {habit.habit for habit in day.plan.habits} == {Habit.SILENT}
    assert {habit.phone_off_s for habit in day.plan.habits} == {0.0}
    assert len(day.plan.deeds) == 1


def test_a_day_lasts_until_the_widening_after_its_last_step() -> None:
    plan = drawn("oak/lockdown", 1)[0].plan

    assert plan.over_at_s >= 20 + (30 + 30 + 60) + 2 * 120


def test_parts_are_channels_and_destinations_and_what_every_press_needs() -> None:
    kinds = Counter(part.kind for part in parts_of(example()))

    assert kinds == {
        PartKind.CHANNEL: 2,  # texts, and notices of sensors over a number of their own
        PartKind.PROVIDER: 1,  # which both have in common
        PartKind.DESTINATION: 1,
        PartKind.INTERNET: 1,
        PartKind.BROKER: 1,
    }


def test_without_a_person_the_day_is_the_same_but_for_that_phone() -> None:
    plan = drawn("oak/lockdown", 1)[0].plan
    other = without(example(), plan, person(example(), "ruiz"))

    changed = [(a, b) for a, b in zip(plan.habits, other.habits, strict=True) if a != b]
    assert [b.person for _, b in changed] == ["ruiz"]
    assert changed[0][1].phone_off_s == plan.over_at_s
    assert (other.deeds, other.seed, other.begins) == (plan.deeds, plan.seed, plan.begins)


def test_without_a_channel_it_fails_from_before_the_press_to_the_end() -> None:
    plan = drawn("oak/lockdown", 1)[0].plan
    part = next(part for part in parts_of(example()) if part.kind is PartKind.CHANNEL)
    fault = without(example(), plan, part).deeds[-1]

    assert isinstance(fault, CarrierWeather)
    assert fault.channel == "sms"
    assert fault.at_s < 20.0
    assert fault.at_s + fault.lasts_s == plan.over_at_s


def test_a_site_without_devices_has_nothing_to_rehearse() -> None:
    registry = example().registry
    only_oak = {id_: device for id_, device in registry.devices.items() if device.site_id == "oak"}
    no_roaming = {id_: replace(device, roaming_sites=()) for id_, device in only_oak.items()}

    possible, impossible = subjects_of(replace(registry, devices=no_roaming))

    assert SiteId("elm") not in {each.site_id for each in possible}
    assert ("elm", "lockdown") in {(each.site_id, each.incident_class) for each in impossible}
