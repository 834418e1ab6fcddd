"""The stated school and its days: big enough, accepted by alertd, the same for everybody, and bad in many ways."""

import subprocess
import sys
from collections import Counter
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec
import pytest

from alertd import lint
from alertd.config import ProblemSeverity
from alertd.model.ids import DISTRICT, DeviceId, SiteId
from alertd.model.incident import IncidentClass
from alertd.model.policy import TargetKind
from alertd.model.site import DeviceKind
from alertd_simulator.dispatch_center import Mood
from alertd_simulator.people import Habit
from alertd_simulator.swarm.plan_check import problems_of
from alertd_simulator.weather import Weather
from alertd_simulator.world import plan
from alertd_simulator.world.district import CALLED, TWO_ENDPOINTS, stated_district, widened
from alertd_simulator.world.other_families import BY_ID
from alertd_simulator.world.plan import Order, Plan, Poison, Press, SensorReport
from alertd_simulator.world.school_day import HEAL_AT_S, OVER_AT_S, plan_of
from alertd_simulator.world.school_day_fault_kinds import ends_s, lasts_s
from alertd_simulator.world.school_day_faults import GROUPS, PAIRS
from alertd_simulator.world.school_day_habits import USUAL
from alertd_simulator.world.school_day_presses import QUIET_S

SEEDS = 300
PRINT_PLANS = """
import hashlib, msgspec
from alertd_simulator.world.school_day import plan_of
from alertd_simulator.world.district import stated_district
print(hashlib.sha256(b"".join(msgspec.json.encode(plan_of(seed)) for seed in range(40))).hexdigest())
print(stated_district().registry.version)
"""


@pytest.fixture(scope="module")
def plans() -> list[Plan]:
    return [plan_of(seed) for seed in range(SEEDS)]


def faults_of(day: Plan) -> list[plan.Fault | Poison]:
    return [deed for deed in day.deeds if isinstance(deed, plan.FAULTS)]


def morning_s(day: Plan) -> float:
    """When the stated day begins: at once, unless there is a night before it."""
    return round(day.heal_at_s - HEAL_AT_S, 3)


def night_of(day: Plan) -> plan.Crash | None:
    """The crash that lasts all night."""
    return next((d for d in day.deeds if isinstance(d, plan.Crash) and d.at_s < morning_s(day)), None)


def is_cursed(fault: plan.Deed) -> bool:
    return isinstance(fault, Poison) and fault.kind == "decide"


def meetings_of(day: Plan) -> set[tuple[str, str]]:
    """First, second: kinds of which the second begins while the first lasts, or in its wake."""
    found = [d for d in day.deeds if isinstance(d, plan.FAULTS) or (isinstance(d, Order) and d.what == "reload")]
    return {
        (str(type(first).__struct_config__.tag), str(type(second).__struct_config__.tag))
        for first in found
        for second in found
        if first is not second and first.at_s <= second.at_s <= first.at_s + max(lasts_s(first), 15.0)
    }


# --- the district


def test_the_district_is_as_large_as_stated_and_alertd_finds_nothing_wrong_with_it():
    for polls_only in (True, False):
        loaded = stated_district(polls_only=polls_only)
        registry = loaded.registry

        assert loaded.problems == ()
        assert [site for site in registry.sites if site != DISTRICT] == ["elm", "oak"]
        assert (len(registry.devices.keys() - BY_ID.keys()), len(registry.people)) == (80, 40)
        assert registry.devices.keys() >= BY_ID.keys(), "and of every other family"
        assert all(person.endpoints for person in registry.people.values())
        on = {
            channel: {p.id for p in registry.people.values() if any(e.channel == channel for e in p.endpoints)}
            for channel in ("sms", "sms-second", "voice")
        }
        assert on == {"sms": registry.people.keys(), "sms-second": TWO_ENDPOINTS, "voice": CALLED}
        assert (loaded.settings.public_base_url is None) is polls_only


def test_a_lockdown_tells_at_least_ten_at_once_at_either_school():
    registry = stated_district().registry
    for site_id in ("oak", "elm"):
        policy = registry.policies[registry.sites[SiteId(site_id)].policies[IncidentClass.LOCKDOWN]]
        kinds = {target.kind for target in policy.steps[0].targets}
        staff = registry.site_staff[SiteId(site_id)]

        assert TargetKind.SITE_STAFF in kinds
        assert sum(len(person.endpoints) for person in staff) >= 10


def test_there_is_every_kind_of_device_at_both_schools():
    devices = stated_district().registry.devices.values()
    for site_id in ("oak", "elm"):
        prefixes = {device.id.partition("-")[0] for device in devices if device.site_id == site_id}
        assert {"button", "timeless", "plain", "astray", "aed", "zb", "zbs", "badge", "rover", "vape", "gw"} <= prefixes
        rovers = [device for device in devices if device.site_id == site_id and device.roaming_sites]
        gateways = [d for d in devices if d.site_id == site_id and d.kind is DeviceKind.GATEWAY]
        assert len(rovers) >= 3
        assert len(gateways) >= 5


def test_a_reload_brings_one_person_more_each_time():
    before = stated_district()
    once = widened(before)
    twice = widened(once)

    assert [len(each.registry.people) for each in (before, once, twice)] == [40, 41, 42]
    assert len({each.registry.version for each in (before, once, twice)}) == 3
    addresses = [e.key for person in twice.registry.people.values() for e in person.endpoints]
    assert len(set(addresses)) == len(addresses)
    assert len(twice.registry.site_staff[SiteId("elm")]) == len(before.registry.site_staff[SiteId("elm")]) + 2
    errors = [p for p in lint.check(twice) if p.severity is ProblemSeverity.ERROR]
    assert errors == []


# --- its days


@pytest.mark.slow
def test_the_same_seed_is_the_same_day_in_every_process():
    outputs = {
        subprocess.run(
            [sys.executable, "-c", PRINT_PLANS],
            env={"PYTHONHASHSEED": hash_seed, "PATH": ""},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for hash_seed in ("0", "4711")
    }

    assert len(outputs) == 1
    assert len({msgspec.json.encode(plan_of(seed)) for seed in range(40)}) == 40


@pytest.mark.slow
def test_a_plan_can_be_written_down_and_read_again(plans):
    for day in plans[:50]:
        assert msgspec.json.decode(msgspec.json.encode(day), type=Plan) == day


def test_what_a_seed_draws_is_a_plan_that_may_be_replayed():
    """In the day of 132 a gateway would have come back after its end."""
    assert {seed: wrong for seed in (*range(40), 132, 407) if (wrong := problems_of(plan_of(seed)))} == {}


def test_every_day_has_its_presses_and_all_of_it_happens_before_the_world_heals(plans):
    registry = stated_district().registry
    for day in plans:
        presses = [deed for deed in day.deeds if isinstance(deed, Press)]
        drilled = [press for press in presses if press.name.startswith("d")]
        assert 30 <= len(presses) - len(drilled) <= 33
        assert not drilled or any(isinstance(deed, Order) and deed.what == "drill_start" for deed in day.deeds)
        assert all(0 < deed.at_s < day.heal_at_s for deed in presses)
        assert [deed.at_s for deed in day.deeds] == sorted(deed.at_s for deed in day.deeds)
        assert len({deed.name for deed in presses}) == len(presses)
        assert {registry.devices[DeviceId(press.device)].site_id for press in presses} == {"oak", "elm"}
        assert round(day.over_at_s - day.heal_at_s, 2) == OVER_AT_S - HEAL_AT_S >= 8 * 60
        assert morning_s(day) >= 0


def test_one_device_never_begins_a_gesture_in_the_middle_of_its_last(plans):
    for day in plans:
        by_device: dict[str, list[float]] = {}
        for deed in day.deeds:
            if isinstance(deed, Press):
                by_device.setdefault(deed.device, []).append(deed.at_s)
        assert all(later - earlier >= QUIET_S - 0.01 for at in by_device.values() for earlier, later in pairwise(at))


def test_presses_come_in_every_shape(plans):
    registry = stated_district().registry
    presses = [deed for day in plans for deed in day.deeds if isinstance(deed, Press)]
    shapes: Counter[str] = Counter()
    for press in presses:
        device = registry.devices[DeviceId(press.device)]
        shapes[f"{device.kind} {press.gesture}"] += 1
        made = "another family" if device.id in BY_ID else device.id.partition("-")[0]
        shapes[f"made like {made}"] += 1
        shapes[f"heard by {len(press.heard_by)}"] += device.kind is DeviceKind.WEARABLE
        heard_at = {registry.devices[DeviceId(gateway)].site_id for gateway in press.heard_by}
        assert len(heard_at) <= 1
        shapes[f"{'rover' if device.roaming_sites else 'badge'} elsewhere"] += bool(heard_at - {device.site_id})
        shapes["retained"] += press.retain
        shapes["held back"] += press.held_back_s > 0

    assert not [shape for shape, count in shapes.items() if count < 20], shapes
    assert len(shapes) == 8 + 10 + 3 + 2 + 2, shapes


def test_a_second_room_of_the_same_school_presses_seconds_later(plans):
    registry = stated_district().registry
    counts = []
    for day in plans:
        walls = [
            (deed.at_s, device.site_id, device.zone_id)
            for deed in day.deeds
            if isinstance(deed, Press)
            for device in [registry.devices[DeviceId(deed.device)]]
            if device.zone_id
        ]
        counts.append(sum(b[0] - a[0] < 25 and a[1] == b[1] and a[2] != b[2] for a, b in pairwise(walls)))

    assert counts.count(0) < SEEDS / 20
    assert sum(counts) > 5 * SEEDS


def test_faults_are_one_to_eight_fit_into_the_day_and_never_overlap_their_own_kind(plans):
    for day in plans:
        faults = [fault for fault in faults_of(day) if fault.at_s > morning_s(day)]
        own = [fault for fault in faults if not is_cursed(fault) and not isinstance(fault, plan.LoudspeakersDown)]
        assert len(own) <= 8 + 1, "a curse may bring one crash more"
        assert faults or any(isinstance(deed, Order) and deed.what == "reload" for deed in day.deeds)
        for fault in faults:
            assert fault.at_s > 0
            assert ends_s(fault) <= day.heal_at_s - 4
        for kind in {type(fault) for fault in faults}:
            same = [fault for fault in faults if type(fault) is kind and ends_s(fault) > fault.at_s]
            assert all(ends_s(earlier) < later.at_s for earlier, later in pairwise(same))


def test_every_fault_happens_and_often_during_another(plans):
    seen = Counter(type(fault).__name__ for day in plans for fault in faults_of(day))
    assert set(seen) == {kind.__name__ for kind in plan.FAULTS}
    assert min(seen.values()) >= 10, seen

    overlapping = sum(
        any(a.at_s < b.at_s < ends_s(a) for a in faults_of(day) for b in faults_of(day) if a is not b) for day in plans
    )
    assert overlapping > SEEDS / 3


def test_faults_that_make_one_another_worse_meet(plans):
    met = Counter(pair for day in plans for pair in meetings_of(day))
    telling = [
        ("slow_disk", "broker_drops"), ("disk_full", "crash"), ("carrier_tricks", "clock_step"),
        ("broker_drops", "order"), ("broker_down", "crash"),
    ]  # fmt: skip
    assert {pair: met[pair] for pair in telling if met[pair] < SEEDS / 50} == {}
    meeting = sum(bool(meetings_of(day)) for day in plans)
    assert meeting > SEEDS * 0.75
    assert len(PAIRS) == len({(first.__name__, second.__name__) for first, second, _ in PAIRS})


def test_one_day_of_eight_the_engine_fails_on_a_press_and_now_and_then_dies_over_it(plans):
    cursed = [day for day in plans if any(is_cursed(fault) for fault in faults_of(day))]
    assert SEEDS / 10 < len(cursed) < SEEDS / 4
    died = [
        day
        for day in cursed
        for curse in faults_of(day)
        if is_cursed(curse)
        and any(isinstance(crash, plan.Crash) and 0 <= curse.at_s - crash.at_s < 0.02 for crash in faults_of(day))
    ]
    assert len(died) > len(cursed) / 8
    during = [
        d for d in cursed for c in d.deeds if is_cursed(c) and any(f.at_s < c.at_s < ends_s(f) for f in faults_of(d))
    ]
    assert len(during) > len(cursed) / 4


def test_one_day_of_five_begins_with_presses_that_nobody_has_heard_of(plans):
    nights = [day for day in plans if morning_s(day)]
    assert SEEDS * 0.14 < len(nights) < SEEDS * 0.27
    late: Counter[str] = Counter()
    for day in nights:
        night = night_of(day)
        assert night is not None
        up_s = night.at_s + night.down_s
        waiting = [d for d in day.deeds if isinstance(d, Press) and night.at_s < d.at_s < up_s]
        assert 1 <= len(waiting) <= 3
        late["waits long"] += any(up_s - press.at_s > 120 for press in waiting)
        late["medical"] += any(press.device.startswith("aed") for press in waiting)
        late["lockdown"] += any(press.gesture is plan.Gesture.EIGHT for press in waiting)
        late["evening"] += any(isinstance(d, Press) and d.at_s < night.at_s for d in day.deeds)
        late["morning"] += any(isinstance(d, Press) and up_s < d.at_s < morning_s(day) for d in day.deeds)
        late["power"] += night.power
        late["broker restarts"] += any(isinstance(d, plan.BrokerDown) and d.at_s < up_s for d in day.deeds)
    assert min(late.values()) >= len(nights) / 8, late
    assert late["waits long"] == len(nights)
    assert len(late) == 7


def test_days_differ_in_kind_some_nearly_calm_and_some_all_hell(plans):
    kinds = [len({type(fault) for fault in faults_of(day) if fault.at_s > morning_s(day)}) for day in plans]
    assert kinds.count(1) >= SEEDS / 20
    assert sum(count >= 6 for count in kinds) >= SEEDS / 20

    odd = [sum(Habit(habit.habit) not in {usual for usual, _ in USUAL} for habit in day.habits) for day in plans]
    assert odd.count(0) >= SEEDS / 20
    assert sum(count > 25 for count in odd) >= SEEDS / 20


def test_all_words_of_a_plan_are_words_that_the_world_knows(plans):
    for day in plans:
        for fault in faults_of(day):
            match fault:
                case plan.CarrierWeather() | plan.DispatchWeather():
                    assert Weather(fault.weather) is not Weather.FINE
                case plan.DispatchMood():
                    assert Mood(fault.mood) is not Mood.ACCEPTS
                case _:
                    pass
        assert {Habit(habit.habit) for habit in day.habits}
    habits = {habit.habit for day in plans for habit in day.habits}
    assert habits == set(Habit)


def test_people_have_one_habit_each_and_some_phones_are_off(plans):
    people = set(stated_district().registry.people)
    for day in plans:
        assert {habit.person for habit in day.habits} == people
        assert len(day.habits) == 40
    off = [sum(habit.phone_off_s > 0 for habit in day.habits) for day in plans]
    assert off.count(0) > SEEDS / 4
    assert max(off) > 8


def test_sensors_whisper_and_storm(plans):
    times = [deed.times for day in plans for deed in day.deeds if isinstance(deed, SensorReport)]
    assert times.count(1) > SEEDS
    assert sum(count >= 20 for count in times) > SEEDS / 4


def test_most_days_are_school_mornings_and_some_are_days_on_which_clocks_change(plans):
    chicago = ZoneInfo("America/Chicago")
    changes: Counter[float] = Counter()
    dates: Counter[str] = Counter()
    ordinary = through_the_night = 0
    for day in plans:
        begins = datetime.fromisoformat(day.begins)
        local = begins.astimezone(chicago)
        morning = datetime.fromtimestamp(begins.timestamp() + morning_s(day), chicago)
        ends = datetime.fromtimestamp(begins.timestamp() + day.over_at_s, chicago)
        shift_s = (ends.replace(tzinfo=None) - local.replace(tzinfo=None)).total_seconds() - day.over_at_s
        changes[shift_s] += 1
        dates[f"{ends:%m-%d}"] += 1
        ordinary += morning.weekday() < 5 and 7 <= morning.hour < 14 and shift_s == 0
        through_the_night += bool(morning_s(day)) and shift_s != 0
        assert 2026 <= begins.year <= 2028
    assert ordinary > SEEDS * 0.6
    assert changes[3_600] >= 5
    assert changes[-3_600] >= 5
    assert through_the_night >= 5, "clocks change while incidents wait for the morning"
    assert dates["02-29"] >= 5
    assert dates["01-01"] >= 3


def test_callbacks_reach_the_school_on_most_days_and_on_others_it_must_poll(plans):
    polling = sum(day.polls_only for day in plans)
    assert SEEDS * 0.1 < polling < SEEDS * 0.35


def test_every_group_of_faults_has_a_weight_and_a_name_of_its_own():
    assert len({group.name for group in GROUPS}) == len(GROUPS)
    assert all(weight > 0 for group in GROUPS for _, weight in group.kinds)


def test_one_day_in_four_has_a_drill_of_devices_that_can_be_pressed_for_it(plans):
    registry = stated_district().registry
    drills = [deed for day in plans for deed in day.deeds if isinstance(deed, Order) and deed.what == "drill_start"]
    days = sum(any(isinstance(d, Order) and d.what == "drill_start" for d in day.deeds) for day in plans)

    assert len(plans) / 6 < days < len(plans) / 3
    for drill in drills:
        assert drill.devices
        for device in (registry.devices[DeviceId(name)] for name in drill.devices):
            assert {device.site_id, *device.roaming_sites} == {drill.site}, "alertd refuses it, and nobody drills"
            assert drill.drilled in (*device.gestures.presses.values(), *device.gestures.actions.values())
