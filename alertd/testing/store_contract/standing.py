"""What stands between events, of a site, of its devices and of the district, over restarts.

Owns drills, troubles, opt-outs, channels that are broken, what is remembered of devices and when they were heard last.
"""

from msgspec.structs import replace

from alertd.model.check_in import LastSeen
from alertd.model.decision import Decision
from alertd.model.device_memory import Activation, DeviceTest, GestureCount
from alertd.model.ids import DeviceId
from alertd.model.incident import IncidentClass
from alertd.model.trouble import Trouble
from alertd.ports import StoreError
from alertd.testing.store_contract.world import ELM, OneWorld, World
from alertd.testing.store_values import DAY_US, OAK, SECOND_US, START_WALL_US, drill, phone, press


def write_seen(world: World, *seen: LastSeen) -> None:
    """What is not kept is not taken for kept: whoever asked writes it again."""
    try:
        world.store.write_last_seen(seen)
    except StoreError:
        assert not world.store.durable, "a healthy store does not keep when devices were heard"
    else:
        assert world.store.durable, "when devices were heard is lost: it passes for kept, and memory throws it away"


class Standing(OneWorld):
    """There until it is over, and gone then."""

    def test_what_is_remembered_of_a_device_outlives_a_restart_and_its_test_is_found(self, world: World) -> None:
        test = DeviceTest(id="t-1", by="J. Ruiz", incident_class=IncidentClass.STAFF_ASSIST, began_us=1, ends_us=2)
        panic = Activation(what="", state="duress:", since_us=1, last_us=2)
        tried = GestureCount(device_id=DeviceId("b-1"), lasting=(panic,), test=test)
        world.commit(Decision(gestures=(tried, GestureCount(device_id=DeviceId("b-2"), count=2, last_us=5))))
        world.restart()

        with world.store.begin([OAK], world.clock.now()) as transaction:
            assert transaction.site_state(OAK).gestures[DeviceId("b-1")] == tried, "promise 2: a call is not known"
        assert world.store.read_device_tests() == ((OAK, tried),)
        assert world.store.read_device_tests(DeviceId("b-1")) == ((OAK, tried),)
        assert world.store.read_device_tests(DeviceId("b-2")) == ()
        world.commit(Decision(gestures=(GestureCount(device_id=DeviceId("b-1")),)))
        assert world.store.read_device_tests() == ()

    def test_a_drill_is_there_after_a_restart_until_it_has_ended(self, world: World) -> None:
        world.commit(Decision(drill=drill()))
        world.restart()
        with world.store.begin([OAK], world.clock.now()) as transaction:
            assert transaction.site_state(OAK).drill == drill(), "the drill is forgotten: its presses would be real"
        assert world.store.read_drills(running_only=True, site_id=OAK, limit=10) == (drill(),)
        assert world.store.read_drills(running_only=True, site_id=ELM, limit=10) == ()

        world.commit(Decision(drill=drill(ended=True)))
        with world.store.begin([OAK], world.clock.now()) as transaction:
            assert transaction.site_state(OAK).drill is None, "promise 3: a press after it is drill"
            assert transaction.site_state(OAK).drill_over == drill(ended=True)
        world.restart()
        with world.store.begin([OAK], world.clock.now()) as transaction:
            assert transaction.site_state(OAK).drill is None
            over = transaction.site_state(OAK).drill_over
            assert over == drill(ended=True), "promise 3: who was told of it, and not of its end, hears no word of it"
        assert world.store.read_drills(running_only=True, site_id=None, limit=10) == ()
        assert world.store.read_drill(drill().id) == drill(ended=True)

    def test_a_drill_that_was_not_committed_did_not_begin_and_did_not_end(self, world: World) -> None:
        now = world.clock.now()
        with world.store.begin([OAK], now) as transaction:
            transaction.write(press(), Decision(drill=drill()), now)
        with world.store.begin([OAK], now) as transaction:
            assert transaction.site_state(OAK).drill is None
        world.commit(Decision(drill=drill()))
        with world.store.begin([OAK], now) as transaction:
            transaction.write(press(), Decision(drill=drill(ended=True)), now)
        with world.store.begin([OAK], now) as transaction:
            assert transaction.site_state(OAK).drill == drill()
            assert transaction.site_state(OAK).drill_over is None

    def test_opt_outs_and_broken_channels(self, world: World) -> None:
        key = phone(1).key
        world.commit(Decision(opt_outs=(key, "sms:other"), broken_channels=("sms",)))
        world.restart()
        with world.store.begin([OAK], world.clock.now()) as transaction:
            assert transaction.opted_out() == {key, "sms:other"}
            assert transaction.broken_channels() == {"sms"}
        world.commit(Decision(opt_ins=(key,), mended_channels=("sms",)))

        for _ in range(2):
            with world.store.begin([OAK], world.clock.now()) as transaction:
                assert transaction.opted_out() == {"sms:other"}
                assert transaction.broken_channels() == frozenset()
            world.restart()

    def test_a_cleared_trouble_no_longer_stands(self, world: World) -> None:
        trouble = Trouble(key="broker", site_id=OAK, summary="broker away", raised_us=START_WALL_US)
        world.commit(Decision(troubles=(trouble,)))
        assert world.store.read_troubles() == (trouble,)
        cleared = Trouble(
            key="broker", site_id=OAK, summary="broker away", raised_us=START_WALL_US, cleared_us=START_WALL_US + 1
        )
        world.commit(Decision(troubles=(cleared,)))
        world.restart()

        assert world.store.read_troubles() == ()
        with world.store.begin([OAK], world.clock.now()) as transaction:
            assert transaction.site_state(OAK).troubles == {}

    def test_a_trouble_that_is_over_is_latched_until_it_is_acknowledged(self, world: World) -> None:
        over = Trouble(
            key="silent:oak", site_id=OAK, summary="silent", raised_us=START_WALL_US, over_us=1, members=("b-1", "b-2")
        )
        world.commit(Decision(troubles=(over,)))
        world.restart()

        assert world.store.read_troubles() == ()
        assert world.store.read_troubles(latched=True) == (over,)
        with world.store.begin([OAK], world.clock.now()) as transaction:
            state = transaction.site_state(OAK)
            assert (state.troubles, state.latched) == ({}, {"silent:oak": over})
        world.commit(Decision(troubles=(replace(over, cleared_us=2),)))
        assert world.store.read_troubles(latched=True) == ()

    def test_when_devices_were_heard_last_is_kept_and_the_newer_wins(self, world: World) -> None:
        badge = LastSeen(device_id=DeviceId("b-1"), seen_us=START_WALL_US, battery_pct=80, heard_by=DeviceId("gw"))
        button = LastSeen(device_id=DeviceId("b-2"), known_us=START_WALL_US)
        write_seen(world, badge, button)
        write_seen(world, replace(badge, seen_us=START_WALL_US - 1, battery_pct=3))
        write_seen(world, replace(button, seen_us=START_WALL_US))
        if not world.store.durable:
            assert world.store.read_last_seen() == ()
            return
        world.restart()

        found = {each.device_id: each for each in world.store.read_last_seen()}
        assert found == {"b-1": badge, "b-2": replace(button, seen_us=START_WALL_US)}
        assert world.store.read_last_seen([DeviceId("b-1"), DeviceId("b-9")]) == (badge,)
        assert world.store.read_last_seen([]) == ()

    def test_what_a_clock_that_stood_a_year_ahead_has_written_of_devices_is_not_the_newest(self, world: World) -> None:
        """Until that date a device that died would look alive after each restart."""
        ahead = [LastSeen(device_id=DeviceId(f"b-{n}"), seen_us=START_WALL_US + 365 * DAY_US) for n in (1, 2)]
        write_seen(world, *ahead)
        world.clock.advance(60)
        heard = LastSeen(device_id=DeviceId("b-1"), seen_us=START_WALL_US)
        write_seen(world, heard)
        write_seen(world, replace(heard, seen_us=START_WALL_US - SECOND_US))
        if world.store.durable:
            found = {each.device_id: each for each in world.store.read_last_seen()}
            assert found == {"b-1": heard, "b-2": ahead[1]}, "a device that died looks alive until that date"
