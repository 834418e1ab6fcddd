"""What devices put on the air, and the truth about it: judged by alertd's own decoders, never by its engine."""

from random import Random

import msgspec
import pytest
from msgspec.structs import replace

from alertd.model.events import Signal
from alertd.model.ids import DeviceId
from alertd.model.incident import IncidentClass
from alertd.ports import DecodeError
from alertd_adapters.decoders.press_json import PressJson
from alertd_adapters.decoders.zigbee2mqtt import Zigbee2Mqtt
from alertd_simulator.broker import Published
from alertd_simulator.fleet import DYING_MESSAGES, Fleet, Make, Message, make_of, meaning
from alertd_simulator.virtual_time import VirtualClock, in_virtual_time
from alertd_simulator.world.district import stated_district
from alertd_simulator.world.happenings import Truth
from alertd_simulator.world.plan import Gesture, Poison, Press, SensorReport

NOW_US = 60_000_000


def a_fleet(seed: str = "1") -> Fleet:
    return Fleet(stated_district().registry, clock=VirtualClock(), random=Random(seed))


def press(device: str, gesture: Gesture = Gesture.EIGHT, *, name: str = "p1", **more) -> Press:
    return Press(at_s=60, name=name, device=device, gesture=gesture, **more)


def a_device(prefix: str, site: str = "oak") -> str:
    devices = stated_district().registry.devices.values()
    return next(d.id for d in devices if d.id.startswith(f"{prefix}-") and d.site_id == site)


def truths(messages: list[Message]) -> list[Truth]:
    found = [truth for _, _, truth in messages if truth is not None]
    assert len(found) == len(messages)
    return found


def signals(messages: list[Message]) -> list[Signal]:
    """As alertd's decoders read them."""
    found: list[Signal] = []
    for _, payload, _ in messages:
        decoder = Zigbee2Mqtt() if payload.topic.startswith("zigbee2mqtt/") else PressJson()
        found += decoder.decode(payload.topic, payload.payload)
    return found


@in_virtual_time
async def test_eight_presses_of_a_wall_button_count_upward():
    messages = a_fleet().messages(press(a_device("button")), NOW_US)

    heard = signals(messages)
    classes = [truth.incident_class for truth in truths(messages)]
    assert [signal.count for signal in heard] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert len({signal.cause for signal in heard}) == 8
    assert classes == [IncidentClass.STAFF_ASSIST] * 3 + [IncidentClass.LOCKDOWN] * 5
    assert {truth.press for truth in truths(messages)} == {"p1"}
    assert {truth.site_id for truth in truths(messages)} == {"oak"}
    pressed = [truth.pressed_us for truth in truths(messages)]
    assert pressed[0] == NOW_US
    assert pressed == sorted(pressed)
    assert pressed[-1] - pressed[0] < 10_000_000, "one gesture stays in its window"


@in_virtual_time
async def test_a_badge_below_its_lowest_gesture_has_to_tell_nobody():
    messages = a_fleet().messages(press("badge-kim", Gesture.THREE), NOW_US)

    assert [truth.incident_class for truth in truths(messages)] == [None, None, IncidentClass.STAFF_ASSIST]
    assert [truth.zone_id for truth in truths(messages)] == [None] * 3


@in_virtual_time
async def test_two_gateways_that_hear_a_badge_say_the_same_press_twice():
    for number in range(20):
        deed = press("badge-kim", Gesture.HOLD, name=f"p{number}", heard_by=("gw-2-east", "gw-gym"))
        heard = signals(a_fleet().messages(deed, NOW_US))
        if {signal.heard_by for signal in heard} == {"gw-2-east", "gw-gym"}:
            break

    assert {signal.heard_by for signal in heard} == {"gw-2-east", "gw-gym"}
    assert len({signal.cause for signal in heard}) == 1


@in_virtual_time
async def test_a_gateway_misses_some_messages_that_another_one_hears():
    counts = []
    for number in range(30):
        deed = press("badge-kim", name=f"p{number}", heard_by=("gw-2-east", "gw-gym"))
        heard = signals(a_fleet().messages(deed, NOW_US))
        counts.append(sum(signal.heard_by == "gw-2-east" for signal in heard))
        assert {signal.count for signal in heard if signal.heard_by == "gw-gym"} == set(range(1, 9))

    assert min(counts) < 8, "the first one hears everything"
    assert max(counts) >= 8


@pytest.mark.parametrize(
    ("badge", "heard_by", "site"),
    [
        ("badge-kim", (), "oak"),
        ("badge-kim", ("gw-elm-hall",), "oak"),
        ("badge-reed", (), "oak"),
        ("badge-reed", ("gw-gym",), "oak"),
        ("badge-reed", ("gw-elm-hall",), "elm"),
        ("badge-reed", ("button-204",), "oak"),
    ],
)
@in_virtual_time
async def test_a_badge_presses_for_its_home_and_a_rover_for_who_heard_it(badge, heard_by, site):
    messages = a_fleet().messages(press(badge, Gesture.HOLD, heard_by=heard_by), NOW_US)

    assert {truth.site_id for truth in truths(messages)} == {site}


@in_virtual_time
async def test_a_rover_that_is_heard_where_it_may_not_press_has_to_tell_nobody():
    registry = stated_district().registry
    rover = registry.devices[DeviceId("badge-reed")]
    narrowed = msgspec.structs.replace(rover, roaming_sites=(rover.site_id,))
    fields = {name: getattr(registry, name) for name in registry.__struct_fields__}
    registry = type(registry)(**fields | {"devices": registry.devices | {rover.id: narrowed}})
    fleet = Fleet(registry, clock=VirtualClock(), random=Random("1"))

    messages = fleet.messages(press("badge-reed", Gesture.HOLD, heard_by=("gw-elm-hall",)), NOW_US)

    assert {(truth.site_id, truth.incident_class) for truth in truths(messages)} == {(None, None)}


def seconds_on(seconds: float) -> int:
    return NOW_US + round(seconds * 1e6)


def placed(fleet: Fleet, message: Message, seconds: float) -> Truth:
    _, payload, truth = message
    assert truth is not None
    return fleet.placed(payload, truth, seconds_on(seconds))


@in_virtual_time
async def test_a_rovers_press_that_was_held_back_may_be_where_it_was_heard_since():
    fleet = a_fleet()
    (message,) = fleet.messages(press("badge-reed", Gesture.HOLD, held_back_s=57), NOW_US)
    assert placed(fleet, message, 30).near == (), "nobody has heard it"
    heard = fleet.messages(press("badge-reed", Gesture.HOLD, name="p2", heard_by=("gw-elm-hall",)), seconds_on(38))
    placed(fleet, heard[0], 38)
    late = placed(fleet, message, 57)
    assert (late.site_id, late.near, late.is_near) == ("oak", ("elm",), True)
    later = placed(fleet, message, 38 + 120)
    assert (later.near, later.is_near) == (("elm",), False), "it may be there, or at home"
    assert placed(fleet, message, 38 + 1_000).near == ()


@in_virtual_time
async def test_a_repetition_that_a_gateway_brings_says_where_the_badge_is():
    fleet = a_fleet()
    heard = fleet.messages(press("badge-reed", Gesture.HOLD, heard_by=("gw-elm-hall",)), NOW_US)[0]
    placed(fleet, heard, 15)
    (message,) = fleet.messages(press("badge-reed", Gesture.HOLD, name="p2"), seconds_on(74))

    assert placed(fleet, message, 74).is_near


@pytest.mark.parametrize(
    ("prefix", "has_identity", "has_time", "has_count"),
    [
        ("button", True, True, True),
        ("timeless", True, False, True),
        ("plain", False, False, False),
        ("zb", False, False, False),
        ("zbs", True, True, False),
    ],
)
@in_virtual_time
async def test_what_each_make_of_button_knows(prefix, has_identity, has_time, has_count):
    messages = a_fleet().messages(press(a_device(prefix), Gesture.EIGHT), NOW_US)

    heard = signals(messages)
    assert len(heard) == 8
    assert {truth.has_identity for truth in truths(messages)} == {has_identity}
    assert all((signal.cause is not None) is has_identity for signal in heard)
    assert all((signal.pressed_us is not None) is has_time for signal in heard)
    assert all((signal.count is not None) is has_count for signal in heard)


@in_virtual_time
async def test_a_zigbee_button_names_what_it_means():
    emergency = a_fleet().messages(press(a_device("zb"), Gesture.HOLD), NOW_US)

    assert [signal.action for signal in signals(emergency)] == ["emergency"]
    assert [truth.incident_class for truth in truths(emergency)] == [IncidentClass.LOCKDOWN]


@in_virtual_time
async def test_some_clocks_are_wrong_and_the_others_are_right():
    clock = VirtualClock()
    right = signals(a_fleet().messages(press(a_device("button"), Gesture.ONCE), NOW_US))[0]
    wrong = [signals(a_fleet(str(n)).messages(press(a_device("astray"), Gesture.ONCE), NOW_US))[0] for n in range(12)]

    assert abs((right.pressed_us or 0) - clock.now().wall_us) < 1_000
    off_s = {
        None if each.pressed_us is None else round((each.pressed_us - clock.now().wall_us) / 1e6) for each in wrong
    }
    assert 0 not in off_s
    assert {None, -7_200} <= off_s, "hours behind, and never set"


@in_virtual_time
async def test_a_dying_battery_counts_down_and_falls_silent():
    for seed in range(60):
        fleet = a_fleet(str(seed))
        levels = []
        for number in range(10):
            found = signals(fleet.messages(press("badge-kim", name=f"p{number}"), NOW_US))
            levels.append([signal.battery_pct for signal in found])
        if levels[-1] == []:
            break

    said = [level for each in levels for level in each]
    assert levels[-1] == [], "no badge of sixty is dying"
    assert said == list(range(len(said) - 1, -1, -1))
    assert len(said) < DYING_MESSAGES[1]


@in_virtual_time
async def test_a_gateway_says_it_again_until_alertd_has_confirmed():
    for number in range(30):
        fleet = a_fleet()
        deed = press("badge-kim", Gesture.HOLD, name=f"p{number}", heard_by=("gw-gym",))
        first, *again = fleet.messages(deed, NOW_US)
        if again:
            break

    assert [payload.payload for _, payload, _ in again] == [first[1].payload] * len(again)
    assert [fleet.is_needless(payload) for _, payload, _ in (first, *again)] == [False] * (len(again) + 1)
    fleet.hear(published("alertd/feedback/badge-diaz", "alertd-side"))
    assert not fleet.is_needless(again[0][1])
    fleet.hear(published("alertd/feedback/badge-kim", "alertd-side"))
    assert fleet.is_needless(again[0][1])
    assert not fleet.is_needless(first[1])


def published(topic: str, client_id: str) -> Published:
    return Published(at_s=0, topic=topic, payload=b"{}", qos=1, client_id=client_id)


@in_virtual_time
async def test_a_gateway_without_uplink_publishes_later_what_was_pressed_now():
    messages = a_fleet().messages(press(a_device("timeless"), Gesture.ONCE, held_back_s=120), NOW_US)

    assert [120 <= delay_s < 121 for delay_s, _, _ in messages] == [True]
    assert [truth.pressed_us for truth in truths(messages)] == [NOW_US]


@in_virtual_time
async def test_a_storm_of_a_vape_sensor_is_many_reports_in_words_that_alertd_understands():
    sensor = a_device("vape")
    storm = SensorReport(at_s=60, name="s1", device=sensor, action="vape", times=30, every_s=0.5)

    messages = a_fleet().messages(storm, NOW_US)

    assert len({signal.cause for signal in signals(messages)}) == 30
    assert {truth.incident_class for truth in truths(messages)} == {IncidentClass.VAPE}
    assert messages[-1][0] == pytest.approx(14.5)


@pytest.mark.parametrize("kind", ["garbage", "deep"])
@in_virtual_time
async def test_nonsense_is_nothing_that_a_decoder_understands(kind):
    poison = Poison(at_s=60, name="x1", device="button-204", kind=kind)
    ((_, payload, truth),) = a_fleet().messages(poison, NOW_US)

    with pytest.raises(DecodeError):
        PressJson().decode(payload.topic, payload.payload)
    assert truth is None


@in_virtual_time
async def test_poison_that_looks_like_a_press():
    messages = {
        kind: a_fleet().messages(Poison(at_s=60, name="x1", device="button-204", kind=kind), NOW_US)[0]
        for kind in ("unregistered", "unmapped", "huge", "decide")
    }

    assert messages["unregistered"][1].topic == "alertd/press/ghost-x1"
    assert signals([messages["unmapped"]])[0].action == "dance"
    assert len(messages["huge"][1].payload) > 64 * 1024
    assert {kind for kind, (_, _, truth) in messages.items() if truth is not None} == {"decide"}
    (truth,) = truths([messages["decide"]])
    assert (truth.site_id, truth.incident_class) == ("oak", IncidentClass.LOCKDOWN)


@in_virtual_time
async def test_leaving_one_deed_out_changes_no_other():
    badge = press("badge-kim", name="p2", heard_by=("gw-gym", "gw-office"))
    both = a_fleet()
    both.messages(press(a_device("button")), NOW_US)

    assert both.messages(badge, NOW_US) == a_fleet().messages(badge, NOW_US)


@in_virtual_time
async def test_a_rehearsed_press_may_have_any_number_and_any_word():
    fleet = a_fleet()
    two = fleet.messages(press("button-204", Gesture.ONCE, presses=2), NOW_US)
    named = fleet.messages(press("button-204", Gesture.HOLD, name="p2", action="emergency"), NOW_US)

    assert [signal.count for signal in signals(two)] == [1, 2]
    assert [signal.action for signal in signals(named)] == ["emergency"]
    assert [truth.incident_class for truth in truths(named)] == [IncidentClass.LOCKDOWN]


def test_meaning_is_read_from_the_registry():
    devices = stated_district().registry.devices
    aed = devices[DeviceId("button-gym")]

    assert meaning(aed, "press", 5) is IncidentClass.MEDICAL
    assert meaning(aed, "hold", 1) is IncidentClass.MEDICAL
    assert meaning(aed, "dance", 1) is None
    assert meaning(devices[DeviceId("button-204")], "multi_press", 1) is IncidentClass.LOCKDOWN
    assert meaning(devices[DeviceId("button-204")], "double_press", 1) is IncidentClass.STAFF_ASSIST
    assert meaning(devices[DeviceId("gw-gym")], "press", 8) is None


def test_makes_are_told_by_names():
    names = ("plain-oak-1", "badge-kim", "zbs-elm-1")

    assert [make_of(name) for name in names] == [Make.PLAIN, Make.COUNTING, Make.ZIGBEE_SEEN]


@in_virtual_time
async def test_a_button_that_is_held_belongs_to_the_gesture_in_whose_window_it_is_said():
    registry = stated_district().registry
    name = DeviceId(a_device("button"))
    device = registry.devices[name]
    bare = replace(device, gestures=replace(device.gestures, actions={}, window_s=10))
    fleet = Fleet(replace(registry, devices={**registry.devices, name: bare}), clock=VirtualClock(), random=Random("1"))
    began: list[int | None] = []
    for at_s, action in ((60, "press"), (64, "hold"), (73, "hold"), (90, "hold"), (95, "press")):
        told = fleet.messages(press(name, Gesture.ONCE, name=f"p{at_s}", action=action), at_s * 1_000_000)
        began.append(truths(told)[-1].began_us)
    assert [us and us // 1_000_000 for us in began] == [None, 60, 60, 90, None]


@in_virtual_time
async def test_a_button_that_is_held_and_means_something_is_a_gesture_of_its_own():
    fleet, name = a_fleet(), a_device("button")
    assert truths(fleet.messages(press(name, Gesture.HOLD), NOW_US))[-1].began_us is None
