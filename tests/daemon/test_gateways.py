"""Gateways and bridges (req 29): one that is gone is one trouble, and what hangs below it is not missed one by one."""

import pytest
from msgspec.structs import replace

from alertd.model.check_in import Link
from alertd.model.ids import DeviceId
from alertd.model.site import DeviceKind
from alertd_simulator.virtual_time import in_virtual_time
from tests.daemon.watch import HOUR_S, Watch, below, many, school
from tests.engine.school import BADGE, device

FIXED = {"check_in_s": 200}
NONE = {"check_in_s": 0}


@in_virtual_time
async def test_of_what_nobody_names_as_a_gateway_nobody_says_that_nothing_hangs_below_it() -> None:
    """A Sparkplug node's devices go with it whether or not their rows name it."""
    watch = Watch(school(gw_oak={"label": "panel pc"}))
    watch.hears("gw-oak")
    watch.hears("gw-oak", alive=False, link=Link.OFFLINE, retained=False)
    await watch.passes(70)
    (text,) = watch.told("gateway")
    assert "panel pc (gw-oak) went offline at 10:42: no device names it as its gateway. Look at its power" in text


@in_virtual_time
async def test_a_gateway_that_is_gone_is_one_trouble_and_not_eighty() -> None:
    devices = below("gw-oak", 80)
    watch = Watch(many(school(gw_oak={"label": "gateway West"}), devices))
    for each in devices:
        watch.hears(each.id)
    watch.hears("gw-oak", alive=False, link=Link.OFFLINE, retained=False)
    await watch.passes(40)
    assert not watch.events, "a bridge that restarts says so, too"
    await watch.passes(30)
    (text,) = watch.told("gateway")
    assert text.startswith("Rm 118 gateway West (gw-oak) went offline at 10:42: 80 devices below it cannot be heard")

    await watch.passes(HOUR_S)
    assert len(watch.events) == 1, "who hangs below is not missed by itself"
    assert watch.device("wall-0").behind == "gw-oak"

    watch.hears("gw-oak", link=Link.ONLINE)
    await watch.settle()
    assert "gateway:gw-oak" not in watch.standing
    await watch.passes(150)
    assert not watch.told("silent"), "they have their window anew"
    await watch.passes(90)
    assert watch.told("silent")[0].startswith("80 devices are silent"), "and no more than that"


@in_virtual_time
async def test_a_gateway_without_a_last_will_is_missed_before_what_hangsbelow() -> None:
    devices = below("gw-oak", 5)
    watch = Watch(many(school(gw_oak={"check_in_s": 200}), devices))
    await watch.passes(300, talks=["gw-oak", *(each.id for each in devices)])
    await watch.passes(300)
    assert len(watch.told("gateway")) == 1
    assert not watch.told("silent"), "their silence is the gateway's"


@in_virtual_time
async def test_a_gateway_has_its_own_below_it_however_its_address_is_spelled() -> None:
    """Its network server writes small letters, its label capitals."""
    gateway = device("0016C001F0ABCDEF", DeviceKind.GATEWAY, BADGE, zone_id="118", check_in_s=200)
    wall = device("wall", DeviceKind.BUTTON, BADGE, zone_id="204", check_in_s=200)
    watch = Watch(many(school(), [gateway, wall]))
    watch.hears(gateway.id)
    for _ in range(5):
        watch.hears("wall", heard_by=DeviceId("0016c001f0abcdef"))
        await watch.passes(100)
    assert not watch.events, "it carries, and is told as silent"

    watch.hears("00:16:c0:01:f0:ab:cd:ef", alive=False, link=Link.OFFLINE)
    await watch.passes(400)
    (text,) = watch.told("gateway")
    assert "1 device below it cannot be heard" in text
    assert not watch.told("silent"), "its silence is the gateway's"


@in_virtual_time
async def test_a_device_that_another_gateway_hears_is_not_deaf() -> None:
    watch = Watch(school(badge_204=FIXED, gw_elm={"site_id": "oak"}))
    watch.hears("badge-204", heard_by=DeviceId("gw-oak"))
    watch.hears("gw-oak", alive=False, link=Link.OFFLINE)
    await watch.passes(70)
    assert "1 device below it" in watch.told("gateway")[0]
    watch.hears("badge-204", heard_by=DeviceId("gw-elm"))
    await watch.passes(240)
    assert watch.standing["silent:oak"].members == ("badge-204",), "it speaks through the other one, and fell silent"


@in_virtual_time
async def test_a_last_will_that_the_broker_remembers_is_read_as_state_and_no_sign_of_life() -> None:
    watch = Watch(school(badge_204=FIXED))
    watch.hears("gw-oak", alive=False, link=Link.OFFLINE, retained=True)
    watch.hears("badge-204")
    await watch.passes(100)
    assert "gateway:gw-oak" in watch.standing
    watch.hears("gw-oak", link=Link.ONLINE, retained=True)
    await watch.settle()
    assert "gateway:gw-oak" not in watch.standing

    watch.hears("badge-204", link=Link.ONLINE, retained=True)
    await watch.passes(130)
    assert "silent:oak" in watch.standing, "what a broker remembers restarts no window"


@in_virtual_time
async def test_what_a_broker_remembers_of_a_silent_device_is_not_that_it_is_back() -> None:
    watch = Watch(school(badge_204=FIXED))
    watch.hears("badge-204")
    await watch.passes(260)
    assert "silent:oak" in watch.standing
    watch.hears("badge-204", alive=False, link=Link.ONLINE, retained=True)
    await watch.settle()
    assert "silent:oak" in watch.standing, "it has a window, and has said nothing"
    watch.hears("badge-204", alive=False, link=Link.ONLINE)
    await watch.settle()
    assert not watch.standing, "its bridge says it now"


@in_virtual_time
async def test_a_device_whose_own_last_will_came_is_missed_without_a_window() -> None:
    watch = Watch(school(badge_204=NONE))
    watch.hears("badge-204")
    watch.hears("badge-204", alive=False, link=Link.OFFLINE)
    await watch.passes(90)
    (text,) = watch.told("silent")
    assert "went offline at 10:42" in text
    watch.hears("badge-204")
    await watch.settle()
    assert not watch.standing


@in_virtual_time
async def test_gateways_below_gateways() -> None:
    bridge = device("bridge", DeviceKind.GATEWAY, BADGE, zone_id="204", gateway=DeviceId("gw-oak"))
    watch = Watch(many(school(), [bridge, *below("bridge", 3)]))
    for number in range(3):
        watch.hears(f"wall-{number}")
    watch.hears("gw-oak", alive=False, link=Link.OFFLINE)
    watch.hears("bridge", alive=False, link=Link.OFFLINE)
    await watch.passes(300)
    (text,) = watch.told("gateway")
    assert "4 devices below it" in text
    assert not watch.told("silent")


# --- what a gateway carries -----------------------------------------------------------------------------------------


@in_virtual_time
async def test_what_it_carried_does_not_bring_back_a_gateway_whose_last_will_came() -> None:
    """The message may have waited at the broker, and be older than the will."""
    watch = Watch(school(badge_204=NONE))
    watch.hears("badge-204", heard_by=DeviceId("gw-oak"))
    watch.hears("gw-oak", alive=False, link=Link.OFFLINE)
    await watch.passes(400)
    assert "gateway:gw-oak" in watch.standing
    before = watch.device("gw-oak").last.seen_us
    watch.hears("badge-204", heard_by=DeviceId("gw-oak"))
    await watch.settle()
    assert "gateway:gw-oak" in watch.standing, "what it carried may be older than its last will"
    assert watch.device("gw-oak").last.seen_us == before, "what it carried may be older than its last will"


@in_virtual_time
async def test_a_gateway_that_carries_is_not_silent_though_it_says_nothing_of_itself() -> None:
    watch = Watch(many(school(gw_oak={"check_in_s": 200}), [replace(each, gateway=None) for each in below("", 2)]))
    watch.hears("gw-oak")
    for _ in range(60):
        watch.hears("wall-0", heard_by=DeviceId("gw-oak"))
        watch.hears("wall-1", heard_by=DeviceId("gw-oak"))
        await watch.passes(10)
    assert not watch.events, "it brought a word of two devices every ten seconds"
    for _ in range(24):
        watch.hears("wall-0", heard_by=DeviceId("gw-oak"))
        await watch.passes(10)
    assert watch.standing["silent:oak"].members == ("wall-1",), "and it hides nobody who is silent below it"


@in_virtual_time
async def test_what_a_device_said_an_hour_ago_does_not_bring_back_its_gateway() -> None:
    """A bridge says again what its radio heard before; the gateway is off, and whoever hangs below it is deaf."""
    watch = Watch(school(gw_oak={"check_in_s": 200}, badge_204=NONE))
    watch.hears("gw-oak")
    await watch.passes(400)
    assert "gateway:gw-oak" in watch.standing
    before = watch.device("gw-oak").last.seen_us
    watch.hears("badge-204", heard_by=DeviceId("gw-oak"), seen_us=watch.wall_us - 300_000_000)
    await watch.settle()
    assert "gateway:gw-oak" in watch.standing, "it was heard by the gateway before that was gone"
    assert watch.device("gw-oak").last.seen_us == before


@in_virtual_time
async def test_devices_whose_window_ends_just_after_the_last_will_of_their_gateway_are_not_missed_one_by_one() -> None:
    """Its trouble comes a minute after its will, and says how many it took with it."""
    watch = Watch(many(school(), below("gw-oak", 3)))
    for number in range(3):
        watch.hears(f"wall-{number}")
    await watch.passes(190)
    watch.hears("gw-oak", alive=False, link=Link.OFFLINE)
    await watch.passes(120)
    assert not watch.told("silent"), "two troubles for one gateway"
    (text,) = watch.told("gateway")
    assert "3 devices below it" in text


@in_virtual_time
async def test_a_word_that_waited_does_not_call_back_a_gateway_whose_last_will_came() -> None:
    watch = Watch(school())
    watch.hears("gw-oak", alive=False, link=Link.OFFLINE, retained=True)
    watch.hears("badge-204", heard_by=DeviceId("gw-oak"), pressed=True)
    await watch.passes(90)
    assert "gateway:gw-oak" in watch.standing


@in_virtual_time
async def test_devices_that_spoke_before_the_gateways_last_word_are_not_missed_before_it() -> None:
    """Their windows end first: a thousand were said to be silent, and then the gateway, and then nobody."""
    devices = below("gw-oak", 20)
    watch = Watch(many(school(gw_oak={"check_in_s": 200}), devices))
    for each in devices:
        watch.hears(each.id)
    await watch.passes(90, talks=["gw-oak"])
    await watch.passes(600)
    assert not watch.told("silent"), "their silence is the gateway's"
    assert len(watch.told("gateway")) == 1


@in_virtual_time
async def test_a_gateway_that_reports_once_a_day_delays_no_devices_end_by_a_day() -> None:
    (wall,) = below("gw-oak", 1)
    watch = Watch(many(school(gw_oak={"check_in_s": 26 * 3600}), [wall]))
    watch.hears("gw-oak")
    await watch.passes(30)
    watch.hears(wall.id)
    await watch.passes(450)
    assert watch.standing["silent:oak"].members == (wall.id,), "two windows without a word, and nobody was told"


@in_virtual_time
async def test_a_silence_older_than_the_gateways_is_a_devices_own() -> None:
    devices = below("gw-oak", 2)
    watch = Watch(many(school(gw_oak={"check_in_s": 200}), devices))
    watch.hears("wall-1")
    await watch.passes(600, talks=["wall-0", "gw-oak"])
    assert watch.standing["silent:oak"].members == ("wall-1",)
    await watch.passes(400)
    assert "gateway:gw-oak" in watch.standing
    assert "silent:oak" in watch.standing, "it was silent while the gateway was there"
    assert watch.standing["silent:oak"].members == ("wall-1",), "it was silent while the gateway was there"


@in_virtual_time
async def test_who_speaks_though_its_gateway_is_said_to_be_gone_has_another_way_and_is_supervised() -> None:
    """A plug on the school's wireless network, which another access point carries now."""
    watch = Watch(many(school(gw_oak={"check_in_s": 200}), below("gw-oak", 2)))
    watch.hears("gw-oak")
    await watch.passes(600, talks=["wall-0", "wall-1"])
    assert len(watch.told("gateway")) == 1
    assert watch.device("wall-0").behind is None, "it was heard a moment ago"
    await watch.passes(300, talks=["wall-0"])
    missed = watch.standing["silent:oak"].members if "silent:oak" in watch.standing else ()
    assert missed == ("wall-1",), "it died, and is hidden by a gateway that it did not need"


@in_virtual_time
async def test_after_a_power_cut_a_device_behind_a_gateway_that_was_never_gone_is_missed() -> None:
    """What was heard before the machine started lies before its boot time began."""
    watch = Watch(many(school(gw_oak=NONE), below("gw-oak", 2)))
    watch.hears("wall-0")
    watch.hears("wall-1")
    watch.flush()
    watch.restart(down_s=60, power=True)
    await watch.passes(600)
    assert watch.standing["silent:oak"].members == ("wall-0", "wall-1")


# --- what adds up, and what comes with it -----------------------------------------------------------------------------


@in_virtual_time
async def test_a_dead_device_is_missed_though_its_gateway_is_off_each_night() -> None:
    """Half an hour without power each night gave its devices their whole window anew, for ever."""
    wall = replace(below("gw-oak", 1)[0], check_in_s=26 * 3600)
    watch = Watch(many(school(gw_oak={"check_in_s": 200}), [wall]))
    watch.hears(wall.id)
    for _ in range(2):
        await watch.passes(23.5 * HOUR_S, step_s=60, talks=["gw-oak"])
        await watch.passes(0.5 * HOUR_S, step_s=60)
    await watch.passes(4 * HOUR_S, step_s=60, talks=["gw-oak"])
    assert not watch.told("silent"), "its gateway was there for 51 hours, less than two windows"
    await watch.passes(2 * HOUR_S, step_s=60, talks=["gw-oak"])
    assert watch.told("silent"), "it could be heard for two windows, and said nothing"
    assert watch.standing["silent:oak"].members == (wall.id,)


@in_virtual_time
async def test_a_dead_device_is_missed_though_alertd_is_started_while_its_gateway_is_off() -> None:
    wall = replace(below("gw-oak", 1)[0], check_in_s=26 * 3600)
    watch = Watch(many(school(gw_oak={"check_in_s": 200}), [wall]))
    watch.hears(wall.id)
    for number in range(3):
        await watch.passes(23.5 * HOUR_S, step_s=60, talks=["gw-oak"])
        await watch.passes(0.25 * HOUR_S, step_s=60)
        watch.flush()
        watch.restart(down_s=5)
        await watch.passes(0.25 * HOUR_S, step_s=60)
        assert number == 2 or not watch.told("silent")
    await watch.passes(HOUR_S, step_s=60, talks=["gw-oak"])
    assert watch.standing["silent:oak"].members == (wall.id,), "three nights, and three starts"


@in_virtual_time
async def test_a_long_time_without_a_gateway_counts_against_nobody_below_it() -> None:
    """Over a start of alertd, too: what was deaf is kept with the device."""
    wall = replace(below("gw-oak", 1)[0], check_in_s=26 * 3600)
    watch = Watch(many(school(gw_oak={"check_in_s": 200}), [wall]))
    watch.hears(wall.id)
    await watch.passes(HOUR_S, step_s=60, talks=["gw-oak"])
    await watch.passes(72 * HOUR_S, step_s=60)
    assert watch.told("gateway")
    await watch.passes(60, talks=["gw-oak"])
    watch.flush()
    watch.restart(down_s=5)
    await watch.passes(25 * HOUR_S, step_s=60, talks=["gw-oak"])
    assert not watch.told("silent"), "for three days nobody could hear it"
    await watch.passes(2 * HOUR_S, step_s=60, talks=["gw-oak"])
    assert "silent:oak" in watch.standing


@in_virtual_time
async def test_a_bridge_that_restarts_each_night_ends_no_silence() -> None:
    """It speaks when it starts, and leaves a last will: the device below was silent for days before that."""
    wall = replace(below("gw-oak", 1)[0], check_in_s=26 * 3600)
    watch = Watch(many(school(gw_oak=NONE), [wall]))
    watch.hears(wall.id)
    watch.hears("gw-oak", link=Link.ONLINE)
    await watch.passes(27 * HOUR_S, step_s=60)
    assert "silent:oak" in watch.standing
    watch.hears("gw-oak", alive=False, link=Link.OFFLINE)
    await watch.passes(180)
    watch.hears("gw-oak", link=Link.ONLINE)
    await watch.settle()
    assert (watch.over(), watch.told("silent")[1:]) == ([("oak", "gateway:gw-oak")], []), "it was silent before"


@pytest.mark.parametrize("window_s", [0, 200, 26 * 3600])
@pytest.mark.parametrize("later_s", [0, 2, 30, 55])
@in_virtual_time
async def test_last_wills_of_devices_and_of_their_gateway_are_one_trouble(window_s: int, later_s: int) -> None:
    """A switch dies, and the broker finds one connection dead after the other."""
    devices = [replace(each, check_in_s=window_s) for each in below("gw-oak", 5)]
    watch = Watch(many(school(gw_oak=NONE), devices))
    watch.hears("gw-oak")
    await watch.passes(60, talks=[each.id for each in devices])
    for each in devices:
        watch.hears(each.id, alive=False, link=Link.OFFLINE)
    await watch.passes(later_s)
    watch.hears("gw-oak", alive=False, link=Link.OFFLINE)
    await watch.passes(600)
    assert "5 devices below it" in watch.told("gateway")[0]
    assert (watch.told("silent"), watch.over()) == ([], []), "five texts of one cause"

    watch.hears("gw-oak", link=Link.ONLINE)
    for each in devices[1:]:
        watch.hears(each.id, alive=False, link=Link.ONLINE)
    await watch.passes(50)
    assert not watch.told("silent"), "they have a minute to connect anew"
    await watch.passes(50)
    assert watch.standing["silent:oak"].members == ("wall-0",), "its own last will still stands"


@in_virtual_time
async def test_a_gateway_without_a_last_will_is_missed_before_the_last_wills_of_what_hangs_below() -> None:
    devices = [replace(each, check_in_s=0) for each in below("gw-oak", 5)]
    watch = Watch(many(school(gw_oak={"check_in_s": 200}), devices))
    await watch.passes(90, talks=["gw-oak", *(each.id for each in devices)])
    await watch.passes(90)
    for each in devices:
        watch.hears(each.id, alive=False, link=Link.OFFLINE)
    await watch.passes(600)
    assert len(watch.told("gateway")) == 1
    assert not watch.told("silent"), "five texts of one cause"


@in_virtual_time
async def test_a_last_will_is_a_devices_own_while_its_gateway_speaks() -> None:
    (wall,) = below("gw-oak", 1)
    watch = Watch(many(school(gw_oak={"check_in_s": 200}), [wall]))
    await watch.passes(90, talks=["gw-oak", wall.id])
    watch.hears(wall.id, alive=False, link=Link.OFFLINE)
    await watch.passes(90, talks=["gw-oak"])
    assert "silent:oak" in watch.standing, "a minute after its last will, and nobody was told"


@in_virtual_time
async def test_a_gateway_that_is_gone_long_after_a_last_will_did_not_take_that_device() -> None:
    (wall,) = [replace(each, check_in_s=0) for each in below("gw-oak", 1)]
    watch = Watch(many(school(gw_oak=NONE), [wall]))
    watch.hears("gw-oak", link=Link.ONLINE)
    watch.hears(wall.id)
    watch.hears(wall.id, alive=False, link=Link.OFFLINE)
    await watch.passes(HOUR_S)
    assert "silent:oak" in watch.standing
    watch.hears("gw-oak", alive=False, link=Link.OFFLINE)
    await watch.passes(180)
    assert "silent:oak" in watch.standing, "it was gone an hour before its gateway"


@in_virtual_time
async def test_a_bridge_that_came_back_while_alertd_was_away_is_there() -> None:
    """The broker hands out what it remembers before alertd has read what it knew."""
    devices = below("gw-oak", 3)
    watch = Watch(many(school(gw_oak=NONE), devices))
    watch.hears("gw-oak", alive=False, link=Link.OFFLINE)
    await watch.passes(70)
    assert "gateway:gw-oak" in watch.standing
    watch.flush()
    watch.restart(down_s=60, first={"gw-oak": Link.ONLINE})
    await watch.passes(HOUR_S)
    assert "gateway:gw-oak" not in watch.standing, "it is there, and said to be gone"
    assert watch.device("wall-0").behind is None, "what hangs below it is not supervised"


@in_virtual_time
async def test_a_last_will_of_an_earlier_life_that_was_taken_back_meanwhile_is_told_to_nobody() -> None:
    watch = Watch(school(gw_oak=NONE, badge_204=NONE))
    for name in ("gw-oak", "badge-204"):
        watch.hears(name, alive=False, link=Link.OFFLINE)
    await watch.passes(20)
    watch.flush()
    watch.restart(down_s=30, first={"gw-oak": Link.ONLINE, "badge-204": Link.ONLINE})
    await watch.passes(HOUR_S)
    assert not watch.events, "it was taken back while alertd was away"


@in_virtual_time
async def test_a_device_whose_last_will_was_taken_back_while_alertd_was_away_is_missed_no_more() -> None:
    watch = Watch(school(badge_204=NONE))
    watch.hears("badge-204", alive=False, link=Link.OFFLINE)
    await watch.passes(90)
    assert "silent:oak" in watch.standing
    watch.flush()
    watch.restart(down_s=60, first={"badge-204": Link.ONLINE})
    await watch.passes(HOUR_S)
    assert "silent:oak" not in watch.standing


@in_virtual_time
async def test_what_a_broker_remembers_ends_no_silence_of_a_bridge_that_has_to_report() -> None:
    watch = Watch(school(gw_oak={"check_in_s": 200}))
    watch.hears("gw-oak")
    await watch.passes(300)
    assert "gateway:gw-oak" in watch.standing
    watch.flush()
    watch.restart(down_s=60, first={"gw-oak": Link.ONLINE})
    await watch.passes(HOUR_S)
    assert "gateway:gw-oak" in watch.standing
