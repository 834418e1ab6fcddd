"""Who comes and goes texts nobody each time; what is wrong is told at once all the same (req 30)."""

from alertd.model.check_in import Battery, Link
from alertd.model.events import TroubleRaised
from alertd.model.ids import DeviceId
from alertd.model.site import DeviceKind
from alertd_simulator.virtual_time import in_virtual_time
from tests.daemon.watch import Watch, many, school
from tests.engine.school import BADGE, device

FIXED = {"check_in_s": 200}
DAY_S = 86_400


def _texts(watch: Watch) -> int:
    """What people get: a begin and an end each time, and whoever is new in a trouble that stands."""
    standing: dict[str, set[str]] = {}
    count = 0
    for event in watch.events:
        if isinstance(event, TroubleRaised):
            count += event.key not in standing or not set(event.members) <= standing[event.key]
            standing[event.key] = set(event.members)
        else:
            count += 1
            del standing[event.key]
    return count


@in_virtual_time
async def test_a_device_that_falls_silent_every_few_minutes_is_one_trouble() -> None:
    watch = Watch(school(badge_204=FIXED))
    for _ in range(60):  # four hours
        watch.hears("badge-204")
        await watch.passes(240)
    assert _texts(watch) <= 3, "technicians are texted each time it comes and goes"
    assert "silent:oak" in watch.standing

    await watch.passes(700, talks=["badge-204"])
    assert "comes and goes, heard last at 14:" in watch.standing["silent:oak"].summary
    await watch.passes(5 * 3600, talks=["badge-204"], step_s=30)
    assert not watch.standing, "it has been steady for four hours"


@in_virtual_time
async def test_another_device_is_told_though_one_comes_and_goes() -> None:
    watch = Watch(school(badge_204=FIXED, badge_118=FIXED))
    for _ in range(20):
        watch.hears("badge-204")
        await watch.passes(240, talks=["badge-118"])
    assert watch.standing["silent:oak"].members == ("badge-204",)
    watch.hears("badge-204")
    await watch.passes(530)
    assert set(watch.standing["silent:oak"].members) == {"badge-204", "badge-118"}, "a new one is news at once"


@in_virtual_time
async def test_who_was_steady_for_a_day_is_well_at_once() -> None:
    watch = Watch(school(badge_204=FIXED))
    for _ in range(2):
        watch.hears("badge-204")
        await watch.passes(300)
        assert watch.standing
        watch.hears("badge-204")
        await watch.settle()
        assert not watch.standing
        await watch.passes(DAY_S + 600, talks=["badge-204"], step_s=60)


@in_virtual_time
async def test_a_device_that_comes_and_goes_is_one_trouble_though_alertd_is_started_each_hour() -> None:
    watch = Watch(school(badge_204=FIXED))
    for number in range(90):  # six hours
        watch.hears("badge-204")
        await watch.passes(240)
        if number % 15 == 14:
            watch.flush()
            watch.restart(down_s=5)
    assert _texts(watch) <= 3, "technicians are texted anew with each start of alertd"
    assert "silent:oak" in watch.standing

    for _ in range(6):
        await watch.passes(3600, talks=["badge-204"], step_s=30)
        watch.flush()
        watch.restart(down_s=5)
    assert not watch.standing, "it has been steady for four hours, however often alertd was started"


@in_virtual_time
async def test_a_battery_at_its_threshold_is_one_trouble_though_alertd_is_started_again() -> None:
    watch = Watch(school())
    for number in range(60):
        for low in (True, False):
            watch.hears("badge-204", battery=Battery(low=low))
            await watch.passes(15)
        if number % 10 == 9:
            watch.flush()
            watch.restart(down_s=5)
    assert _texts(watch) <= 3, "technicians are texted anew with each start of alertd"


@in_virtual_time
async def test_a_gateway_that_comes_and_goes_is_one_trouble_though_alertd_is_started_again() -> None:
    watch = Watch(school())
    for number in range(30):
        watch.hears("gw-oak", alive=False, link=Link.OFFLINE)
        await watch.passes(80)
        watch.hears("gw-oak", alive=False, link=Link.ONLINE)
        await watch.passes(40)
        if number % 6 == 5:
            watch.flush()
            watch.restart(down_s=5)
    assert _texts(watch) <= 3, "technicians are texted anew with each start of alertd"


@in_virtual_time
async def test_a_low_battery_has_not_fallen_anew_because_alertd_was_started() -> None:
    watch = Watch(school())
    watch.hears("badge-204", battery=Battery(low=True))
    for _ in range(5):
        await watch.passes(600)
        watch.flush()
        watch.restart(down_s=5)
    watch.hears("badge-204", battery=Battery(low=False))
    await watch.settle()
    assert not watch.standing, "the battery was changed once, and that is believed at once"
    assert _texts(watch) == 2


@in_virtual_time
async def test_a_battery_at_its_threshold_is_one_trouble() -> None:
    watch = Watch(school())
    for _ in range(60):  # half an hour
        for low in (True, False):
            watch.hears("badge-204", battery=Battery(low=low))
            await watch.passes(15)
    assert _texts(watch) <= 3, "a text with each reading"
    assert "battery:oak" in watch.standing


@in_virtual_time
async def test_a_gateway_that_comes_and_goes_is_one_trouble_and_what_hangs_below_is_supervised_between() -> None:
    below = device("wall-1", DeviceKind.BUTTON, BADGE, zone_id="204", check_in_s=200, gateway=DeviceId("gw-oak"))
    watch = Watch(many(school(), [below]))
    for _ in range(30):
        watch.hears("gw-oak", alive=False, link=Link.OFFLINE)
        await watch.passes(80)
        watch.hears("gw-oak", alive=False, link=Link.ONLINE)
        await watch.passes(40, talks=["wall-1"])
    assert _texts(watch) <= 3, "technicians are texted each time it comes and goes"
    assert "comes and goes" in watch.standing["gateway:gw-oak"].summary
    assert watch.device("wall-1").behind is None, "it is there, though nobody trusts it yet"
    await watch.passes(230)
    assert watch.standing["silent:oak"].members == ("wall-1",), "what hangs below is supervised meanwhile"
    await watch.passes(4 * 3600, step_s=30)
    assert "gateway:gw-oak" not in watch.standing


@in_virtual_time
async def test_how_long_it_has_been_well_is_known_after_a_power_cut() -> None:
    """Boot time begins at nought; since when it was well does not move with it."""
    watch = Watch(school())
    for low in (True, False, True, False):
        watch.hears("badge-204", battery=Battery(low=low))
        await watch.passes(15 if low else 330)
        if not low and watch.standing:
            break
    watch.hears("badge-204", battery=Battery(low=True))
    await watch.passes(330)
    watch.hears("badge-204", battery=Battery(low=False))
    await watch.passes(60)
    assert "battery:oak" in watch.standing, "it comes and goes: five minutes, or ten"
    watch.flush()
    watch.restart(down_s=5, power=True)
    await watch.passes(660)
    assert not watch.standing, "it has been well for longer than that"


# --- and then it is dead ----------------------------------------------------------------------------------------------


async def _comes_and_goes(watch: Watch, times: int = 3) -> None:
    """The last time it is there for half a minute."""
    for _ in range(times):
        await watch.passes(300, talks=["badge-118"])
        watch.hears("badge-204")
        await watch.passes(30, talks=["badge-118"])


@in_virtual_time
async def test_who_came_and_went_and_then_is_dead_is_told_again() -> None:
    """Somebody acknowledged that it comes and goes, and that is another thing."""
    watch = Watch(school(badge_204=FIXED, badge_118=FIXED))
    watch.hears("badge-204")
    await _comes_and_goes(watch)
    assert "comes and goes" in watch.standing["silent:oak"].summary
    assert not watch.told_anew()
    await watch.passes(500, talks=["badge-118"])
    assert "is silent since 10:" in watch.standing["silent:oak"].summary, "a reminder says that it comes and goes"
    assert not watch.told_anew(), "it may be there again at once"
    await watch.passes(1300, talks=["badge-118"])
    anew = watch.told_anew()
    assert len(anew) == 1, "it is dead, and whoever acknowledged that it comes and goes hears nothing"
    assert "is silent since" in anew[0]
    await watch.passes(DAY_S, talks=["badge-118"], step_s=30)
    assert len(watch.told_anew()) == 1


@in_virtual_time
async def test_who_came_and_went_and_then_is_dead_is_told_again_though_alertd_is_started_and_the_disk_is_full() -> None:
    watch = Watch(school(badge_204=FIXED, badge_118=FIXED))
    watch.hears("badge-204")
    await _comes_and_goes(watch)
    await watch.passes(300, talks=["badge-118"])
    watch.flush()
    watch.restart(down_s=5)
    watch.hears("badge-118")
    assert not watch.told_anew()
    await watch.passes(240, talks=["badge-118"])
    watch.refuses = 3
    await watch.passes(1300, talks=["badge-118"])
    assert len(watch.told_anew()) == 1, "it is dead, and alertd was started since it fell"
    watch.flush()
    watch.restart(down_s=5)
    watch.hears("badge-118")
    await watch.passes(DAY_S, talks=["badge-118"], step_s=30)
    assert len(watch.told_anew()) == 1, "that is known, and no news after a start"


@in_virtual_time
async def test_among_many_it_is_told_who_is_dead_and_who_comes_and_goes() -> None:
    watch = Watch(school(badge_204=FIXED, badge_118=FIXED))
    watch.hears("badge-204")
    watch.hears("badge-118")
    for _ in range(3):
        await watch.passes(300)
        watch.hears("badge-204")
        await watch.passes(30)
    await watch.passes(20)
    watch.standing["silent:oak"].summary.index("badge-204) comes and goes")
    await watch.passes(1800)
    assert len(watch.told_anew()) == 1
    assert "comes and goes" not in watch.told_anew()[0]


@in_virtual_time
async def test_who_dies_for_longer_each_time_is_told_seldom() -> None:
    watch = Watch(school(badge_204=FIXED))
    for _ in range(24):  # three quarters of an hour silent, a quarter there
        watch.hears("badge-204")
        await watch.passes(900, step_s=100, talks=["badge-204"])
        await watch.passes(2700, step_s=20)
    assert _texts(watch) + len(watch.told_anew()) <= 8, "technicians are texted each time it comes and goes"


@in_virtual_time
async def test_a_gateway_that_came_and_went_and_then_is_dead_is_told_again() -> None:
    watch = Watch(school())
    for _ in range(3):
        watch.hears("gw-oak", alive=False, link=Link.OFFLINE)
        await watch.passes(80)
        watch.hears("gw-oak", alive=False, link=Link.ONLINE)
        await watch.passes(40)
    watch.hears("gw-oak", alive=False, link=Link.OFFLINE)
    await watch.passes(80)
    assert "went offline" in watch.standing["gateway:gw-oak"].summary
    assert not watch.told_anew()
    await watch.passes(30)
    watch.flush()
    watch.restart(down_s=5)
    watch.refuses = 2
    await watch.passes(1800)
    anew = watch.told_anew()
    assert len(anew) == 1, "it is gone for good, and whoever acknowledged that it comes and goes hears nothing"
    assert "went offline" in anew[0]
    watch.flush()
    watch.restart(down_s=5)
    await watch.passes(DAY_S, step_s=30)
    assert len(watch.told_anew()) == 1


@in_virtual_time
async def test_a_trouble_that_is_over_is_told_at_once_when_it_begins_anew() -> None:
    """Not within the five minutes that changes of one trouble keep between them."""
    watch = Watch(school(badge_204=FIXED, badge_118=FIXED))
    watch.hears("badge-204")
    await watch.passes(215, talks=["badge-118"])
    watch.hears("badge-204")
    await watch.passes(20, talks=["badge-118"])
    assert (len(watch.told("silent")), watch.over()) == (1, [("oak", "silent:oak")])
    await watch.passes(220)
    assert len(watch.told("silent")) == 2, "it is a new trouble, and waits as if it were an old one's change"
