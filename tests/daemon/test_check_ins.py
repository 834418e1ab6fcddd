"""Supervision (req 2, 29, 30): who is silent is missed in its own window, once, and nobody is missed who was not heard
because nobody listened."""

import pytest
from msgspec.structs import replace

from alertd.model.check_in import Battery, LastSeen, Link
from alertd.model.ids import DeviceId, SiteId
from alertd.model.registry import Registry
from alertd.model.site import DeviceKind
from alertd.model.trouble import Trouble
from alertd_adapters.decoders.press_json import PressJson
from alertd_adapters.decoders.zigbee2mqtt import Zigbee2Mqtt
from alertd_simulator.virtual_time import in_virtual_time
from tests.daemon.watch import DAY_S, HOUR_S, Broker, Watch, many, school
from tests.engine.school import BADGE, device

FIXED = {"check_in_s": 200}
NONE = {"check_in_s": 0}


@in_virtual_time
async def test_a_fixed_button_is_missed_within_its_window_and_heard_again() -> None:
    watch = Watch(school(badge_204=FIXED))
    await watch.passes(600, talks=["badge-204"])
    assert not watch.events, "it was heard all the time"

    await watch.passes(200)
    assert not watch.told("silent"), "its window has not ended"
    await watch.passes(30)
    (text,) = watch.told("silent")
    assert text.startswith("Rm 204 Okafor badge (badge-204) is silent since 10:52"), text
    assert watch.device("badge-204").silent

    watch.hears("badge-204")
    await watch.settle()
    assert "silent:oak" not in watch.standing, "any message restarts it"
    assert not watch.device("badge-204").silent


@in_virtual_time
async def test_a_device_without_a_window_is_never_missed() -> None:
    watch = Watch(school(badge_204=NONE))
    watch.hears("badge-204")
    await watch.passes(9 * DAY_S, step_s=600)
    assert not watch.events


@in_virtual_time
async def test_the_window_of_a_profile_counts_where_the_registry_says_nothing() -> None:
    watch = Watch(school(badge_204={"profile": "acme"}, badge_118={"profile": "acme", **NONE}), {"acme": 300})
    watch.hears("badge-204")
    watch.hears("badge-118")
    await watch.passes(340)
    assert watch.standing["silent:oak"].members == ("badge-204",)


@in_virtual_time
async def test_the_profile_that_read_it_counts_where_nobody_names_one() -> None:
    watch = Watch(school(), {"zigbee2mqtt": 300})
    watch.hears("badge-204", profile="zigbee2mqtt")
    await watch.passes(340)
    assert watch.standing["silent:oak"].members == ("badge-204",)


@in_virtual_time
async def test_those_who_fall_silent_together_are_one_text_and_later_ones_do_not_come_at_once() -> None:
    names = [f"wall-{number}" for number in range(30)]
    fixed = [device(name, DeviceKind.BUTTON, BADGE, zone_id="204", check_in_s=200, label=name) for name in names]
    watch = Watch(many(school(badge_204=FIXED), fixed))
    for name in names:
        watch.hears(name)
    watch.hears("badge-204")
    await watch.passes(60, talks=["badge-204"])
    await watch.passes(180, talks=["badge-204"])
    assert len(watch.told("silent")) == 1
    assert watch.told("silent")[0].startswith("30 devices are silent: "), watch.told("silent")

    await watch.passes(270)
    assert len(watch.told("silent")) == 1, "badge-204 is silent, too; the last text is not five minutes old"
    await watch.passes(60)
    assert len(watch.told("silent")) == 2
    assert len(watch.standing["silent:oak"].members) == 31


@in_virtual_time
async def test_a_device_that_was_never_heard_has_a_day_to_be_hung() -> None:
    watch = Watch(school(badge_204=FIXED))
    await watch.passes(DAY_S - 60, step_s=60)
    assert not watch.told("silent")
    await watch.passes(180, step_s=30)
    (text,) = watch.told("silent")
    assert "was never heard since Wed 14 Oct 10:42" in text, text


@in_virtual_time
async def test_a_device_that_is_heard_at_last_has_its_own_window_from_then_on() -> None:
    """Found by the simulated district, seed 12: it was given a day, and kept it."""
    watch = Watch(school(badge_204=FIXED))
    await watch.passes(600)
    watch.hears("badge-204")
    await watch.passes(240)
    assert watch.told("silent"), "it was heard, and then no more"


# --- wearables ------------------------------------------------------------------------------------------------------


@in_virtual_time
async def test_a_badge_is_missed_in_school_hours_only() -> None:
    """It is Wednesday 10:42; hours are 08:00 to 15:00 (req 29)."""
    watch = Watch(school(walker={"check_in_s": 3600}))
    watch.hears("walker")
    await watch.passes(1.1 * HOUR_S, step_s=60)
    assert len(watch.told("silent")) == 1

    watch.hears("walker")
    await watch.settle()
    await watch.passes(2.9 * HOUR_S, step_s=60, talks=["walker"])  # 14:43
    await watch.passes(17 * HOUR_S, step_s=60)  # Thursday, before nine: it hung in a drawer
    assert len(watch.told("silent")) == 1, watch.told("silent")
    await watch.passes(1.5 * HOUR_S, step_s=60)
    assert len(watch.told("silent")) == 2, "an hour after school began it is missed"


@pytest.mark.parametrize(("window_h", "after_h"), [(6, 27.5), (26, 47.5)])
@pytest.mark.parametrize("restarted", ["nothing", "the broker", "alertd"])
@in_virtual_time
async def test_a_badge_that_may_be_silent_for_long_is_missed_whatever_is_restarted_each_night(
    window_h: int, after_h: float, restarted: str
) -> None:
    """Heard on Wednesday at 10:42 for the last time. Its window ends outside the hours of Thursday, or in them; one
    more since they began is given to whoever takes it home."""
    watch = Watch(school(walker={"check_in_s": window_h * 3600}))
    watch.hears("walker")
    await watch.passes(12 * HOUR_S, step_s=120)
    hours = 12.0
    while not watch.told("silent") and hours < 14 * 24:
        if hours % 24 == 12 and restarted == "the broker":
            watch.broker.is_connected = False
            await watch.passes(120, step_s=30)
            watch.broker.is_connected = True
        elif hours % 24 == 12 and restarted == "alertd":
            watch.flush()
            watch.restart()
        await watch.passes(0.5 * HOUR_S, step_s=60)
        hours += 0.5
    assert watch.told("silent"), "two weeks without a word, and nobody was told"
    assert hours <= after_h + 24 * (restarted != "nothing"), "it counts from the last restart, not from its last word"


@in_virtual_time
async def test_a_badge_that_may_be_silent_for_long_is_missed_in_school_hours_too() -> None:
    """A window since Thursday's hours began ends on Thursday after school."""
    watch = Watch(school(walker={"check_in_s": 8 * 3600}))
    watch.hears("walker")
    await watch.passes(46 * HOUR_S, step_s=60)  # Friday 8:42
    assert not watch.told("silent"), "it may hang in a drawer yet"
    await watch.passes(0.5 * HOUR_S, step_s=60)
    assert watch.told("silent"), "it was missed in no hours at all"


@in_virtual_time
async def test_a_badge_that_is_at_home_over_the_weekend_has_its_window_on_monday() -> None:
    watch = Watch(school(walker={"check_in_s": 26 * 3600}))
    await watch.passes(2 * 24 * HOUR_S, step_s=600, talks=["walker"])  # Friday 10:42
    await watch.passes(3 * 24 * HOUR_S, step_s=600)
    assert not watch.told("silent"), "it reports at its own hour, and lay at home over the weekend"
    await watch.passes(24 * HOUR_S, step_s=600)
    assert watch.told("silent")


# --- nobody listens -------------------------------------------------------------------------------------------------


@in_virtual_time
async def test_a_broker_that_is_away_makes_nobody_silent() -> None:
    watch = Watch(school(badge_204=FIXED))
    await watch.passes(60, talks=["badge-204"])
    watch.broker.is_connected = False
    await watch.passes(2 * HOUR_S, step_s=10)
    watch.broker.is_connected = True
    await watch.passes(180)
    assert not watch.events, "its window began anew when somebody listened again"
    await watch.passes(120)
    assert watch.told("silent")


@in_virtual_time
async def test_no_storm_and_nobody_forgotten_after_a_restart() -> None:
    devices = [device(f"wall-{n}", DeviceKind.BUTTON, BADGE, zone_id="204", check_in_s=200) for n in range(40)]
    watch = Watch(many(school(badge_204=FIXED), devices))
    names = [each.id for each in devices]
    watch.hears("badge-204")
    await watch.passes(300, talks=names)
    assert watch.standing["silent:oak"].members == ("badge-204",)
    watch.flush()

    watch.restart(down_s=HOUR_S)
    await watch.passes(60)
    assert len(watch.told("silent")) == 1, "those who spoke while we were away were heard by nobody"
    assert watch.device("badge-204").silent, "who was missed is missed still"
    await watch.passes(HOUR_S, talks=names)
    assert len(watch.told("silent")) == 1, "and is not told anew"
    assert watch.standing["silent:oak"].members == ("badge-204",)

    watch.hears("badge-204")
    await watch.settle()
    assert not watch.standing


@in_virtual_time
async def test_a_daemon_that_is_restarted_again_and_again_forgets_nobody() -> None:
    """A button that reports daily, and alertd restarted every three hours: each life begins its window anew."""
    watch = Watch(school(badge_204={"check_in_s": 26 * 3600}))
    watch.hears("badge-204")
    for _ in range(30):
        await watch.passes(3 * HOUR_S, step_s=300)
        watch.flush()
        watch.restart(down_s=30)
        if watch.told("silent"):
            break
    assert watch.told("silent"), "ninety hours without a word, and nobody was told"
    silent_h = (watch.wall_us - watch.kept[DeviceId("badge-204")].seen_us) / 3.6e9
    assert 26 < silent_h < 60, silent_h


@in_virtual_time
async def test_a_source_that_is_new_hides_nobody() -> None:
    """Who was never heard may speak to any source: the one that has listened longest would have heard it."""
    watch = Watch(school(badge_204={"check_in_s": 26 * 3600}))
    for hours in (20, 20, 9):
        await watch.passes(hours * HOUR_S, step_s=300)
        watch.flush()
        watch.restart(down_s=30)
    watch.sources["other"] = Broker()
    await watch.passes(2 * HOUR_S, step_s=300)
    assert not watch.told("silent"), "51 hours, less than two windows"
    await watch.passes(2 * HOUR_S, step_s=300)
    assert watch.told("silent"), "a source that is new hides who was silent for two windows"


@in_virtual_time
async def test_what_another_node_heard_counts() -> None:
    watch = Watch(school(badge_204=FIXED))
    watch.hears("badge-204")
    await watch.passes(150)
    watch.elsewhere = [LastSeen(device_id=DeviceId("badge-204"), seen_us=watch.wall_us)]
    await watch.passes(150)
    assert not watch.events
    await watch.passes(150)
    assert watch.told("silent")


@in_virtual_time
async def test_a_bridge_that_repeats_what_it_heard_yesterday_is_no_sign_of_life() -> None:
    watch = Watch(school(badge_204=FIXED))
    watch.hears("badge-204")
    first_us = watch.wall_us
    await watch.passes(150)
    watch.hears("badge-204", seen_us=first_us)
    await watch.passes(80)
    assert watch.told("silent")


@in_virtual_time
async def test_what_was_not_committed_is_told_again() -> None:
    watch = Watch(school(badge_204=FIXED))
    watch.hears("badge-204")
    watch.hears("gw-oak", alive=False, link=Link.OFFLINE)
    watch.refuses = 3
    await watch.passes(300)
    assert {"silent:oak", "gateway:gw-oak"} <= set(watch.standing)
    watch.refuses = 2
    watch.hears("badge-204")
    watch.hears("gw-oak")
    await watch.settle()
    assert not watch.standing


# --- batteries ------------------------------------------------------------------------------------------------------


@in_virtual_time
async def test_low_batteries_are_one_trouble_a_site_with_hysteresis() -> None:
    watch = Watch(school())
    watch.hears("badge-204", battery=Battery(pct=22))
    watch.hears("badge-118", battery=Battery(pct=90))
    await watch.settle()
    assert not watch.events
    watch.hears("badge-204", battery=Battery(pct=9))
    watch.hears("badge-118", battery=Battery(low=True))
    await watch.settle()
    (text,) = watch.told("battery")
    assert text.startswith("Low batteries: Rm 118 Diaz badge (badge-118); Rm 204 Okafor badge (badge-204) 9 %."), text

    watch.hears("badge-118", battery=Battery(low=False))
    watch.hears("badge-204", battery=Battery(pct=24))
    await watch.passes(330)
    assert watch.standing["battery:oak"].members == ("badge-204",), "a cold night makes no second trouble"
    watch.hears("badge-204", battery=Battery(pct=100))
    await watch.settle()
    assert not watch.standing


@in_virtual_time
async def test_a_low_battery_that_falls_further_is_the_same_number_in_trouble_and_list() -> None:
    watch = Watch(school())
    for pct in (12, 6, 3, 1, 0):
        watch.hears("badge-204", battery=Battery(pct=pct))
        await watch.passes(5)
    assert " 6 %" in watch.told("battery")[0]
    await watch.passes(310)
    assert " 0 %" in watch.standing["battery:oak"].summary, "trouble and list say two numbers of one battery"
    assert watch.device("badge-204").last.battery_pct == 0
    assert len(watch.told("battery")) == 2, "no member is new, so nobody is texted: the trouble says another number"
    watch.hears("badge-204", battery=Battery(pct=0))
    await watch.passes(400)
    assert len(watch.told("battery")) == 2, "nothing has changed"


@in_virtual_time
async def test_a_radio_lives_however_its_address_is_spelled() -> None:
    radio = device("00158D0001A2B3C4", DeviceKind.BUTTON, BADGE, zone_id="204", check_in_s=300)
    watch = Watch(many(school(), [radio]))
    await watch.passes(24 * 3600.0, step_s=100)
    watch.hears("0x00158d0001a2b3c4")
    await watch.passes(250)
    assert not watch.device(radio.id).silent, "it speaks, and is missed"


@in_virtual_time
async def test_what_a_broker_remembers_ends_no_low_battery() -> None:
    watch = Watch(school())
    watch.hears("badge-204", battery=Battery(pct=3))
    await watch.passes(60)
    for pct in (85, 25):  # alertd subscribes again: a reload, a restart of the broker
        for seen_us in (None, watch.wall_us - 3600 * 1_000_000, watch.wall_us + 3600 * 1_000_000):
            watch.hears("badge-204", retained=True, battery=Battery(pct=pct), seen_us=seen_us)
            await watch.passes(400)
    assert not watch.over(), "the broker remembers it of last month: the battery is not changed"
    assert watch.device("badge-204").last.battery_pct == 3

    watch.hears("badge-204", retained=True, battery=Battery(pct=85), seen_us=watch.wall_us - 1)
    await watch.passes(400)
    assert watch.over() == [("oak", "battery:oak")], "its own time says that it is newer than what is known"


@in_virtual_time
async def test_a_low_battery_of_which_the_broker_tells_before_what_was_kept_is_read_ends() -> None:
    watch = Watch(school())
    watch.hears("badge-204", battery=Battery(pct=85))
    watch.flush()
    watch.restart(first={"badge-204": Battery(pct=9)})
    await watch.passes(60)
    assert " 9 %" in watch.told("battery")[0], "trouble and list say two numbers of one battery"
    watch.hears("badge-204", battery=Battery(pct=85))
    await watch.passes(400)
    assert watch.over() == [("oak", "battery:oak")]


@in_virtual_time
async def test_a_low_battery_is_still_low_after_a_restart_and_mains_is_none() -> None:
    watch = Watch(school())
    watch.hears("badge-204", battery=Battery(pct=9))
    await watch.settle()
    watch.flush()
    watch.restart()
    await watch.settle()
    assert len(watch.told("battery")) == 1, "it is known already"
    assert watch.device("badge-204").last.battery_pct == 9
    watch.hears("badge-204", battery=Battery(mains=True))
    await watch.settle()
    assert not watch.standing
    assert watch.device("badge-204").last.mains


# --- the registry changes -------------------------------------------------------------------------------------------


@in_virtual_time
async def test_what_is_registered_no_more_is_missed_no_more() -> None:
    watch = Watch(school(badge_204=FIXED))
    watch.hears("badge-204")
    watch.hears("gw-oak", alive=False, link=Link.OFFLINE)
    await watch.passes(300)
    assert {"silent:oak", "gateway:gw-oak"} <= set(watch.standing)
    without = school()
    kept = {key: each for key, each in without.devices.items() if key not in ("badge-204", "gw-oak")}
    watch.check_ins.use(replace(without, devices=kept), {})
    await watch.settle()
    assert not watch.standing


@pytest.mark.parametrize("qos", [0, 1])
@in_virtual_time
async def test_who_presses_at_qos_0_only_is_known(qos: int) -> None:
    watch = Watch(school())
    watch.hears("badge-204", pressed=True, qos=0)
    watch.hears("badge-204", pressed=True, qos=qos)
    assert watch.device("badge-204").last.qos == qos
    assert watch.device("badge-204").last.pressed_us == watch.wall_us
    assert watch.device("badge-118").last.pressed_us == 0


@pytest.mark.parametrize(
    ("device_id", "topic", "payload", "tried"),
    [
        ("badge-204", "alertd/press/badge-204", b'{"action": "press"}', True),
        ("badge-204", "alertd/press/badge-204", b'{"action": "hold"}', True),
        ("badge-204", "alertd/press/badge-204", b'{"action": "booting"}', False),
        ("badge-204", "alertd/press/badge-204", b'{"action": "tamper"}', False),
        ("badge-204", "alertd/press/badge-204", b'{"action": "hold", "over": true}', False),
        ("wall-gym", "alertd/press/wall-gym", b'{"action": "press"}', True),
        ("wall-gym", "alertd/press/wall-gym", b'{"action": "release"}', False),
        ("badge-204", "zigbee2mqtt/badge-204", b'{"tamper": true}', False),
        ("badge-204", "zigbee2mqtt/badge-204", b'{"action": "hold", "tamper": true}', True),
        ("badge-204", "zigbee2mqtt/badge-204/action", b"booting", False),
    ],
)
@in_virtual_time
async def test_a_device_that_nobody_pressed_is_still_on_the_list_of_those_never_tested(
    device_id: str, topic: str, payload: bytes, tried: bool
) -> None:
    """Its gestures say which of its own words is a press (req 13)."""
    decoder = Zigbee2Mqtt() if topic.startswith("zigbee2mqtt") else PressJson()
    watch = Watch(school())
    watch.check_ins.heard("broker", decoder.understand(topic, payload).check_ins, qos=1)
    assert bool(watch.device(device_id).last.pressed_us) == tried, "nobody pressed it, or somebody did"
    assert watch.device(device_id).last.seen_us, "it lives all the same"


@in_virtual_time
async def test_who_hangs_in_another_school_now_has_its_troubles_there() -> None:
    low = Battery(pct=5)
    watch = Watch(school(badge_204=FIXED))
    watch.hears("badge-204")
    watch.hears("badge-118", battery=low)
    watch.hears("gw-oak", alive=False, link=Link.OFFLINE)
    await watch.passes(300)
    moved = {"site_id": "elm", "zone_id": None}
    watch.becomes(school(badge_204={**FIXED, **moved}, badge_118=moved, gw_oak=moved))
    await watch.settle()
    assert sorted(watch.over()) == [("oak", "battery:oak"), ("oak", "gateway:gw-oak"), ("oak", "silent:oak")], (
        "its trouble stands for ever where it hung before"
    )
    assert watch.standing["silent:elm"].members == ("badge-204",)
    assert watch.standing["battery:elm"].members == ("badge-118",)
    assert watch.standing["gateway:gw-oak"].site_id == "elm"

    watch.hears("badge-204")
    watch.hears("badge-118", battery=Battery(pct=90))
    watch.hears("gw-oak")
    await watch.settle()
    assert not watch.standing


@in_virtual_time
async def test_a_device_that_hangs_in_another_school_after_a_restart_has_its_trouble_there() -> None:
    watch = Watch(school(badge_204=FIXED))
    watch.hears("badge-204")
    await watch.passes(300)
    watch.flush()
    watch._school = school(badge_204={**FIXED, "site_id": "elm", "zone_id": None})
    watch.restart()
    await watch.settle()
    assert watch.over() == [("oak", "silent:oak")]
    assert watch.standing["silent:elm"].members == ("badge-204",)


@in_virtual_time
async def test_an_opened_device_that_leaves_the_registry_leaves_no_trouble_behind() -> None:
    watch = Watch(school())
    opened = Trouble(key="tamper:badge-204", site_id=SiteId("oak"), summary="open", raised_us=watch.wall_us)
    watch.standing[opened.key] = opened
    watch.restart()
    watch.becomes(_without("badge-204"))
    await watch.settle()
    assert watch.over() == [("oak", "tamper:badge-204")]


def _without(*names: str) -> Registry:
    known = school()
    return replace(known, devices={key: each for key, each in known.devices.items() if key not in names})


@in_virtual_time
async def test_a_source_that_is_called_otherwise_now_hides_nobody() -> None:
    """Its old name is kept as somebody who never listens: nobody was missed any more."""
    watch = Watch(school(badge_204=FIXED, badge_118=FIXED))
    watch.hears("badge-204")
    await watch.passes(60)
    watch.flush()
    watch.sources = {"main": watch.broker}
    watch.restart()
    await watch.passes(2 * DAY_S, step_s=60)
    missed = watch.standing["silent:oak"].members if "silent:oak" in watch.standing else ()
    assert set(missed) == {"badge-204", "badge-118"}, "the old name is waited for, and nobody is missed"


# --- what is said again, and clocks that are wrong ------------------------------------------------------------------


@in_virtual_time
async def test_a_bridge_that_repeats_what_it_heard_yesterday_ends_no_silence() -> None:
    watch = Watch(school(badge_204=FIXED))
    watch.hears("badge-204")
    first_us = watch.wall_us
    await watch.passes(300)
    for _ in range(20):
        watch.hears("badge-204", seen_us=first_us)
        await watch.passes(30)
    assert len(watch.events) == 1, "each repetition was an end and a new begin"


@pytest.mark.parametrize("ago_us", [0, 1_000])
@in_virtual_time
async def test_a_clock_that_is_set_back_makes_nobody_silent_who_speaks(ago_us: int) -> None:
    watch = Watch(school(badge_204=FIXED))
    watch.wall_us += 3_600_000_000
    watch.hears("badge-204")
    await watch.passes(20)
    watch.wall_us -= 3_600_000_000
    for _ in range(100):
        watch.hears("badge-204", seen_us=watch.wall_us - ago_us)
        await watch.passes(5)
    assert not watch.events, "it speaks, and is said to be silent"


@in_virtual_time
async def test_a_clock_that_is_set_back_leaves_no_press_that_is_still_to_come() -> None:
    """Pressed next year, a device would be on no list of those that nobody has pressed for a term."""
    watch = Watch(school())
    watch.hears("badge-204", pressed=True)
    watch.wall_us -= 365 * 86_400_000_000
    await watch.settle()
    assert 0 < watch.device("badge-204").last.pressed_us <= watch.wall_us, "it was pressed in the future"
    watch.flush()
    assert watch.kept[DeviceId("badge-204")].pressed_us <= watch.wall_us, "and so after a restart"


@pytest.mark.parametrize("before", [0, None, 1])
@in_virtual_time
async def test_a_device_whose_press_came_at_qos_1_is_never_again_one_that_presses_at_qos_0_only(
    before: int | None,
) -> None:
    """What an earlier life knew is read a moment after the first press of this one."""
    watch = Watch(school())
    watch.hears("badge-204", pressed=True, qos=1)
    watch.check_ins.remember([LastSeen(device_id=DeviceId("badge-204"), qos=before)])
    assert watch.device("badge-204").last.qos == 1, "a press of it came at QoS 1"


@in_virtual_time
async def test_a_clock_that_is_set_back_after_a_restart_makes_nobody_silent_who_speaks() -> None:
    """When it spoke last, an earlier life of alertd has written down by the clock of then."""
    watch = Watch(school(badge_204=FIXED))
    watch.hears("badge-204")
    watch.flush()
    watch.restart()
    watch.wall_us -= 3_600_000_000
    for _ in range(100):
        watch.hears("badge-204", seen_us=watch.wall_us - 1_000)
        await watch.passes(5)
    assert not watch.events, "it speaks, and is said to be silent"


@in_virtual_time
async def test_what_was_written_under_a_wrong_clock_is_not_believed_later() -> None:
    watch = Watch(school(badge_204=FIXED))
    watch.elsewhere = [LastSeen(device_id=DeviceId("badge-204"), seen_us=watch.wall_us + 365 * 86_400_000_000)]
    watch.hears("badge-204")
    await watch.passes(240)
    (text,) = watch.told("silent")
    assert "is silent since 10:42" in text, text


@pytest.mark.parametrize("step_s", [365 * DAY_S, -365 * DAY_S])
@in_virtual_time
async def test_a_clock_that_is_set_right_leaves_nobody_alive_for_a_year(step_s: float) -> None:
    """A button that died under the wrong clock, and alertd restarted every three hours."""
    watch = Watch(school(badge_204={"check_in_s": 26 * 3600}))
    watch.wall_us += round(step_s * 1_000_000)
    watch.hears("badge-204")
    await watch.passes(HOUR_S, step_s=300)
    watch.flush()
    watch.wall_us -= round(step_s * 1_000_000)
    await watch.passes(HOUR_S, step_s=300)
    assert watch.device("badge-204").last.seen_us == watch.wall_us - 2 * HOUR_S * 1e6, "heard two hours ago"
    watch.flush()
    for life in range(30):
        watch.restart(down_s=30)
        await watch.passes(3 * HOUR_S, step_s=300)
        watch.flush()
        if watch.told("silent"):
            assert life >= 7, "it is said to be silent before its window is over"
            break
    assert watch.told("silent"), "ninety hours without a word, and nobody was told"


@in_virtual_time
async def test_what_an_earlier_life_wrote_under_a_wrong_clock_makes_nobody_alive_for_a_year() -> None:
    watch = Watch(school(badge_204={"check_in_s": 26 * 3600}))
    ahead_us = watch.wall_us + 365 * 86_400_000_000
    watch.kept = {DeviceId("badge-204"): LastSeen(device_id=DeviceId("badge-204"), seen_us=ahead_us, source="broker")}
    for _ in range(30):
        watch.restart(down_s=30)
        await watch.passes(3 * HOUR_S, step_s=300)
        watch.flush()
        if watch.told("silent"):
            break
    assert watch.told("silent"), "ninety hours without a word, and nobody was told"


# --- what is kept ---------------------------------------------------------------------------------------------------


@in_virtual_time
async def test_a_last_will_holds_over_a_restart() -> None:
    watch = Watch(school(badge_204=NONE))
    watch.hears("badge-204")
    watch.hears("badge-204", alive=False, link=Link.OFFLINE)
    watch.flush()
    watch.restart()
    await watch.passes(90)
    assert watch.standing["silent:oak"].members == ("badge-204",), "it is gone still, and the broker says so once only"


@in_virtual_time
async def test_a_window_longer_than_a_day_holds_for_who_was_never_heard() -> None:
    watch = Watch(school(badge_204={"check_in_s": 3 * DAY_S}))
    await watch.passes(2.9 * DAY_S, step_s=600)
    assert not watch.events
    await watch.passes(0.2 * DAY_S, step_s=600)
    assert watch.told("silent")


@in_virtual_time
async def test_who_speaks_before_the_past_was_read_is_counted_from_now() -> None:
    watch = Watch(school(badge_204=FIXED))
    await watch.passes(1_000, talks=["badge-204"])
    watch.flush()
    watch.check_ins = watch._new()
    watch.hears("badge-204")
    watch.check_ins.remember(tuple(watch.kept.values()))
    assert watch.device("badge-204").last.listened_us >= 990_000_000, "it was silent for a thousand seconds, it seems"
