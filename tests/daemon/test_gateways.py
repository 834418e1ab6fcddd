"""Gateways and bridges (req 29): one that is gone is one trouble, and what hangs below it is not missed one by one."""

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
