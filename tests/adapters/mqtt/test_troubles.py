"""What people are told about the broker, the session and devices, when, and when it is over."""

import asyncio
from pathlib import Path

import pytest

from alertd.model.events import TroubleRaised
from alertd.model.ids import DISTRICT
from alertd_simulator.virtual_time import in_virtual_time
from tests.adapters.mqtt.fake_broker import FakeBroker, FakeDoor
from tests.adapters.mqtt.world import running

DROPPED = "$SYS/broker/publish/messages/dropped"


@in_virtual_time
async def test_a_broker_that_stays_away_is_a_trouble_until_it_is_back():
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door) as world:
        broker.down = "connection refused"
        broker.drop()
        await asyncio.sleep(25)
        assert door.standing == {}
        assert not world.source.is_connected
        await asyncio.sleep(10)
        assert "broker.example:1883" in door.standing["broker:oak"]
        assert "connection refused" in door.standing["broker:oak"]
        assert door.standing["broker:oak"].startswith("Presses do NOT arrive: "), "what it means is cut off in a text"
        raised = next(e for e in door.events if isinstance(e, TroubleRaised))
        assert (raised.site_id, raised.rings) == (DISTRICT, False)
        broker.down = None
        await asyncio.sleep(20)
        assert door.standing == {}
        assert world.source.is_connected


@in_virtual_time
async def test_a_broker_that_was_never_there_is_a_trouble():
    broker, door = FakeBroker(), FakeDoor()
    broker.down = "the broker refused us: Not authorized"
    async with running(broker, door):
        await asyncio.sleep(31)
        assert "Not authorized" in door.standing["broker:oak"]


@in_virtual_time
async def test_a_broker_that_restarts_quickly_is_none():
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door):
        for _ in range(5):
            broker.drop()
            await asyncio.sleep(20)
        assert door.events == []


@in_virtual_time
async def test_a_forgotten_session_is_a_trouble_that_says_presses_are_lost(tmp_path: Path):
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door, state_dir=tmp_path):
        assert door.standing == {}
        broker.lose_everything()
        await asyncio.sleep(5)
        assert door.standing["broker_session:oak"].startswith("Presses made while alertd was away are lost: ")


@in_virtual_time
async def test_a_weak_subscription_is_a_standing_trouble():
    broker, door = FakeBroker(), FakeDoor()
    broker.granted["alertd/press/+"] = 0
    async with running(broker, door):
        assert "QoS 0" in door.standing["qos0:oak"]
        assert door.standing["qos0:oak"].startswith("A press can be LOST: ")
        broker.granted.clear()
        broker.drop()
        await asyncio.sleep(2)
        assert door.standing == {}


@in_virtual_time
async def test_a_refused_subscription_is_a_trouble():
    broker, door = FakeBroker(), FakeDoor()
    broker.granted["alertd/press/+"] = 0x87
    async with running(broker, door):
        assert "alertd/press/+" in door.standing["broker_subscription:oak"]
        assert door.standing["broker_subscription:oak"].startswith("Presses are NOT seen: ")
        assert next(e.rings for e in door.events if isinstance(e, TroubleRaised)), "presses there are not seen"


@in_virtual_time
async def test_a_device_that_presses_at_qos_0_is_a_trouble_until_it_does_not():
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door) as world:
        world.press("badge-7", qos=0)
        world.press("badge-8", qos=1)
        await asyncio.sleep(0.1)
        assert list(door.standing) == ["qos0:badge-7"]
        world.press("badge-7", qos=1)
        await asyncio.sleep(0.1)
        assert door.standing == {}


@in_virtual_time
async def test_a_flood_of_device_names_raises_a_bounded_number_of_troubles():
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door) as world:
        for number in range(700):
            world.press(f"forged-{number}", qos=0)
        await asyncio.sleep(1)
        assert len(door.standing) == 500


@in_virtual_time
async def test_a_broker_that_takes_but_does_not_deliver_is_a_trouble_and_no_proof_of_life():
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door) as world:
        assert world.source.is_connected
        broker.swallowed.add("alertd/alive/alertd-oak")
        await asyncio.sleep(45)
        assert not world.source.is_connected
        assert "does not come back" in door.standing["broker_alive:oak"]
        broker.swallowed.clear()
        await asyncio.sleep(25)
        assert world.source.is_connected
        assert door.standing == {}


@in_virtual_time
async def test_promise_1_a_session_through_which_nothing_comes_is_opened_anew_and_the_press_is_heard():
    broker, door = FakeBroker(), FakeDoor()
    broker.clogs = 1
    async with running(broker, door) as world:
        world.press()
        broker.publish("alertd/press/badge-2", b"{}", qos=0)  # comes all the same, and proves nothing
        await asyncio.sleep(45)
        assert broker.acked() == [b'{"action":"press"}'], "promise 1 broken: the broker has it, and nobody asks for it"
        assert "broker_alive:oak" not in door.standing
        assert world.source.is_connected


@in_virtual_time
async def test_where_opening_it_anew_does_not_help_the_phone_rings_and_the_broker_is_not_hammered():
    broker, door = FakeBroker(), FakeDoor()
    broker.clogs = 100
    async with running(broker, door):
        await asyncio.sleep(90)
        assert door.rings["broker_alive:oak"], "presses page nobody: somebody must be woken"
        await asyncio.sleep(3_600)
        assert len(broker.connected_at) < 12, "after a while once in ten minutes"
        broker.clogs = 0
        await asyncio.sleep(640)
        assert "broker_alive:oak" not in door.standing


@in_virtual_time
async def test_promise_1_what_comes_at_qos_0_does_not_hide_that_presses_do_not_come():
    broker, door = FakeBroker(), FakeDoor()
    broker.clogs = 1
    async with running(broker, door) as world:
        world.press()
        for _ in range(12):
            broker.publish("alertd/press/badge-2", b"{}", qos=0)
            await asyncio.sleep(5)
        assert broker.acked() == [b'{"action":"press"}'], "promise 1 broken: the broker has it, and nobody asks for it"


@in_virtual_time
async def test_promise_1_what_was_deaf_months_ago_is_opened_anew_as_soon_and_rings_no_sooner():
    broker, door = FakeBroker(), FakeDoor()
    broker.clogs = 1
    async with running(broker, door) as world:
        await asyncio.sleep(3_600)
        broker.clogs = 2
        broker.drop()
        await asyncio.sleep(50)
        assert not door.rings["broker_alive:oak"], "it was not yet tried to open it anew"
        world.press()
        await asyncio.sleep(100)
        assert broker.acked() == [b'{"action":"press"}'], "promise 1 broken: after one minute, not after two"


@in_virtual_time
async def test_where_only_our_sign_of_life_cannot_come_back_nobody_is_woken_and_the_session_stands():
    """Our user may write it and not read it; a quiet school. Our canaries come, so presses would."""
    broker, door = FakeBroker(), FakeDoor()
    broker.swallowed.add("alertd/alive/alertd-oak")
    async with running(broker, door):
        await asyncio.sleep(1_200)
        assert list(door.standing) == ["broker_alive:oak"]
        assert "NOTHING comes" not in door.standing["broker_alive:oak"], "our canaries come"
        assert not door.rings["broker_alive:oak"]
        assert len(door.events) == 1, "it is said once"
        assert len(broker.connected_at) == 1


@in_virtual_time
async def test_a_silence_that_a_press_ends_was_the_schools_and_wakes_nobody_again():
    """No word of our own comes through: silence says as much of the school as of the broker, until somebody presses."""
    broker, door = FakeBroker(), FakeDoor()
    broker.swallowed.add("alertd/alive/alertd-oak")
    broker.forbidden.add("alertd/press/alertd-canary")
    async with running(broker, door) as world:
        await asyncio.sleep(95)
        assert "presses may page NOBODY" in door.standing["broker_alive:oak"]
        assert door.rings["broker_alive:oak"]
        await asyncio.sleep(50)
        opened = len(broker.connected_at)
        for _ in range(30):
            world.press()
            await asyncio.sleep(120)
        assert "NOTHING comes" not in door.standing["broker_alive:oak"], "presses come"
        assert [e.rings for e in door.events if isinstance(e, TroubleRaised)] == [False, True, False], "it rang once"
        assert len(broker.connected_at) == opened, "a session through which presses come is cut"


@in_virtual_time
async def test_nobody_is_told_that_nothing_comes_where_something_came_through_the_new_session():
    broker, door = FakeBroker(), FakeDoor()
    broker.swallowed.add("alertd/alive/alertd-oak")
    broker.forbidden.add("alertd/press/alertd-canary")
    async with running(broker, door) as world:
        await asyncio.sleep(50)
        assert len(broker.connected_at) == 2
        world.press()
        await asyncio.sleep(45)
        assert not door.rings["broker_alive:oak"], "NOTHING comes, it says, and a press came"


@in_virtual_time
async def test_a_disk_that_stalls_is_not_called_a_broker_that_delivers_nothing():
    broker, door = FakeBroker(), FakeDoor(hold=True)
    async with running(broker, door, max_unacked=3) as world:
        await asyncio.sleep(20)
        for number in range(6):
            world.press(f"badge-{number}")
        await asyncio.sleep(300)
        assert not world.source.is_connected, "nothing is read"
        assert door.standing == {}, "the broker's sign of life waits behind presses that wait for the disk"
        assert len(broker.connected_at) == 1
        door.hold = False
        while door.waiting:
            door.commit()
        await asyncio.sleep(15)
        assert world.source.is_connected
        assert len(broker.acked()) == 6


@in_virtual_time
async def test_promise_1_a_session_that_is_deaf_twice_is_heard_two_minutes_later():
    broker, door = FakeBroker(), FakeDoor()
    broker.clogs = 2
    async with running(broker, door) as world:
        world.press()
        await asyncio.sleep(150)
        assert broker.acked() == [b'{"action":"press"}'], "promise 1 broken: the broker has it, and nobody asks for it"


@in_virtual_time
async def test_a_long_backlog_before_our_sign_of_life_is_no_deaf_session():
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door) as world:
        broker.swallowed.add("alertd/alive/alertd-oak")  # it stands behind the backlog
        for _ in range(30):
            world.press()
            await asyncio.sleep(5)
        assert len(broker.connected_at) == 1


@in_virtual_time
async def test_a_refused_sign_of_life_is_a_trouble_at_once_and_the_connection_stands():
    broker, door = FakeBroker(), FakeDoor()
    broker.forbidden.add("alertd/alive/alertd-oak")
    async with running(broker, door) as world:
        connection = broker.presses
        assert "not authorized" in door.standing["broker_alive:oak"]
        world.press()
        await asyncio.sleep(1)
        assert broker.presses is connection
        assert len(broker.acked()) == 1
        assert world.source.is_connected


@in_virtual_time
async def test_a_broker_that_hangs_up_on_a_refused_sign_of_life_is_not_annoyed_again():
    """As mosquitto 2.0.11 does: presses would come in between, but each time over a new connection."""
    broker, door = FakeBroker(), FakeDoor()
    broker.forbidden.add("alertd/alive/alertd-oak")
    async with running(broker, door) as world:
        broker.drop("the broker hung up")
        await asyncio.sleep(60)
        assert len(broker.connected_at) == 2
        assert "not authorized" in door.standing["broker_alive:oak"]
        broker.forbidden.clear()
        await asyncio.sleep(600)
        broker.drop()
        await asyncio.sleep(5)
        assert door.standing == {}
        assert world.source.is_connected


@pytest.mark.slow
@in_virtual_time
async def test_thrown_away_messages_are_counted_and_told():
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door):
        for count in (b"40", b"40", b"42"):
            broker.publish(DROPPED, count, qos=0)
            await asyncio.sleep(10)
        assert "thrown away 2 messages" in door.standing["broker_dropped:oak"]
        assert "Set max_queued_messages" in door.standing["broker_dropped:oak"]
        for _ in range(24 * 6 + 1):
            broker.publish(DROPPED, b"42", qos=0)
            await asyncio.sleep(600)
        assert door.standing == {}


@in_virtual_time
async def test_what_the_broker_threw_away_while_we_were_stopped_is_told(tmp_path: Path):
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door, state_dir=tmp_path):
        broker.publish(DROPPED, b"40", qos=0)
        await asyncio.sleep(1)
    async with running(broker, door, state_dir=tmp_path):
        broker.publish(DROPPED, b"2040", qos=0)
        await asyncio.sleep(1)
        assert "2000 messages" in door.standing["broker_dropped:oak"]


@in_virtual_time
async def test_a_trouble_that_is_over_is_cleared_although_the_daemon_dies_before_it_could_say_so(tmp_path: Path):
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door, state_dir=tmp_path):
        broker.down = "connection refused"
        broker.drop()
        await asyncio.sleep(40)
        assert "broker:oak" in door.standing
        door.refuse_events = 1_000
        broker.down = None
        await asyncio.sleep(20)
    door.refuse_events = 0
    async with running(broker, door, state_dir=tmp_path):
        await asyncio.sleep(5)
        assert door.standing == {}, "a trouble that healed cries wolf until a human looks"
    heard = len(door.events)
    async with running(broker, door, state_dir=tmp_path):
        await asyncio.sleep(5)
        assert len(door.events) == heard, "what was cleared is cleared again at each start"


@in_virtual_time
async def test_an_end_that_was_committed_and_lost_is_said_again_by_the_next_run(tmp_path: Path):
    """While the disk is full, commits are in memory only, and go with the power."""
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door, state_dir=tmp_path):
        broker.down = "connection refused"
        broker.drop()
        await asyncio.sleep(40)
        on_the_disk = dict(door.standing)
        assert on_the_disk.keys() == {"broker:oak"}
        broker.down = None
        await asyncio.sleep(20)
        assert door.standing == {}
    door.standing.update(on_the_disk)
    async with running(broker, door, state_dir=tmp_path):
        await asyncio.sleep(5)
        assert door.standing == {}, "presses arrive, and it is said for ever that they do not"


@in_virtual_time
async def test_a_restarted_broker_counts_from_nought():
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door):
        for count in (b"40", b"0", b"3", b"nonsense", b"3"):
            broker.publish(DROPPED, count, qos=0)
            await asyncio.sleep(10)
        assert "thrown away 3 messages" in door.standing["broker_dropped:oak"]


@in_virtual_time
async def test_a_broker_that_hangs_up_on_sys_still_gives_us_telemetry():
    """As rumqttd, the demo's broker, does."""
    broker, door = FakeBroker(), FakeDoor()
    broker.hangs_up_on.add(DROPPED)
    async with running(broker, door, telemetry=["alertd/telemetry/#"]):
        await asyncio.sleep(30)
        broker.publish("alertd/telemetry/badge-1", b"{}", qos=0)
        await asyncio.sleep(1)
        assert door.observed == [("oak", "telemetry")]
        assert len([c for c in broker.connections if c.options.client_id == "alertd-oak-side"]) == 4


@in_virtual_time
async def test_telemetry_is_counted_and_never_reaches_the_door():
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door, telemetry=["alertd/telemetry/#"]):
        for _ in range(3):
            broker.publish("alertd/telemetry/badge-1", b'{"battery": 80}', qos=0)
        await asyncio.sleep(1)
        assert door.arrivals == []
        assert door.observed == [("oak", "telemetry")] * 3


@in_virtual_time
async def test_a_trouble_is_retried_until_it_is_committed():
    broker, door = FakeBroker(), FakeDoor()
    door.refuse_events = 3
    async with running(broker, door) as world:
        world.press("badge-7", qos=0)
        await asyncio.sleep(30)
        assert list(door.standing) == ["qos0:badge-7"]


@in_virtual_time
async def test_a_trouble_of_the_last_run_is_cleared_by_this_one(tmp_path: Path):
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door, state_dir=tmp_path) as world:
        world.press("badge-7", qos=0)
        await asyncio.sleep(1)
    async with running(broker, door, state_dir=tmp_path) as world:
        world.press("badge-7")
        await asyncio.sleep(1)
        assert door.standing == {}
