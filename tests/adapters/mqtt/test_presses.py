"""The trigger session: what is acknowledged when, what happens when connections and commits fail."""

import asyncio
from math import inf
from pathlib import Path

import pytest

from alertd.ports import NotCommittedError
from alertd_simulator.virtual_time import in_virtual_time
from tests.adapters.mqtt.fake_broker import FakeBroker, FakeDoor
from tests.adapters.mqtt.world import running

PRESS = b'{"action":"press"}'


@in_virtual_time
async def test_promise_1_puback_leaves_only_after_the_commit():
    broker, door = FakeBroker(), FakeDoor(hold=True)
    async with running(broker, door) as world:
        world.press()
        await asyncio.sleep(5)

        assert [a.signals[0].action for a in door.arrivals] == ["press"]
        assert broker.acked() == [], "promise 1 broken: PUBACK left before the press was committed"

        door.commit()
        await asyncio.sleep(0.1)
        assert broker.acked() == [PRESS]


@in_virtual_time
async def test_promise_1_a_stale_ack_does_not_consume_a_new_press():
    """A restarted broker gives the packet id of the old press to a new one, and not to a message of our own."""
    broker, door = FakeBroker(), FakeDoor(hold=True)
    async with running(broker, door, alive_topic="") as world:
        world.press("badge-1", b'{"action":"old"}')
        await asyncio.sleep(0.1)
        old_mid = next(iter(broker.presses.unacked))
        broker.reuse_packet_ids()
        await asyncio.sleep(2)
        while True:  # the new press gets the old one's packet id
            world.press("badge-2", b'{"action":"new"}')
            await asyncio.sleep(0.1)
            if old_mid in broker.presses.unacked:
                break

        door.commit(0)
        await asyncio.sleep(1)

        assert broker.acked() == [], "promise 1 broken: the ack of an old connection's press consumed a new press"


@in_virtual_time
async def test_promise_1_a_failed_commit_is_not_acknowledged_and_comes_again():
    broker, door = FakeBroker(), FakeDoor(hold=True)
    async with running(broker, door) as world:
        world.press()
        await asyncio.sleep(0.1)
        before = broker.presses
        door.fail()
        await asyncio.sleep(2)

        assert broker.acked() == [], "promise 1 broken: PUBACK after a failed commit"
        assert broker.presses is not before
        assert [len(a.signals) for a in door.arrivals] == [1, 1]

        door.commit()
        await asyncio.sleep(0.1)
        assert broker.acked() == [PRESS]


@in_virtual_time
async def test_any_error_of_the_door_counts_as_not_committed():
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door) as world:
        door.fail_with = RuntimeError("a defect in intake")
        world.press()
        await asyncio.sleep(1)
        door.fail_with = None
        await asyncio.sleep(10)
        assert broker.acked() == [PRESS]


@in_virtual_time
async def test_a_press_delivered_again_is_the_same_arrival():
    """The connection is lost between commit and ack: nobody is told twice."""
    broker, door = FakeBroker(), FakeDoor(hold=True)
    async with running(broker, door) as world:
        world.press()
        world.press()
        await asyncio.sleep(0.1)
        broker.drop()
        await asyncio.sleep(2)

        first, second, first_again, second_again = (a.arrival_id for a in door.arrivals)
        assert (first_again, second_again) == (first, second)
        assert first != second


@in_virtual_time
async def test_a_press_committed_after_its_connection_was_lost_is_the_same_although_nobody_had_noticed_the_loss():
    """The reader waits for a slot while a disk stalls, and commits that end at once come before it reads on."""
    broker, door = FakeBroker(), FakeDoor(hold=True)
    async with running(broker, door, max_unacked=3) as world:
        for number in range(5):
            world.press(f"badge-{number}")
        await asyncio.sleep(1)
        broker.drop()
        await asyncio.sleep(30)
        door.hold = False
        while door.waiting:
            door.commit()
        await asyncio.sleep(10)
        assert len(broker.acked()) == 5
        assert len({arrival.arrival_id for arrival in door.arrivals}) == 5, "one press is taken for two"


@in_virtual_time
async def test_equal_presses_are_presses_of_their_own():
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door) as world:
        for _ in range(3):
            world.press()
            await asyncio.sleep(0.1)
        broker.drop()
        await asyncio.sleep(2)
        world.press()
        await asyncio.sleep(0.1)
        assert len({a.arrival_id for a in door.arrivals}) == 4


@in_virtual_time
async def test_an_equal_press_under_a_reused_packet_id_is_its_own():
    """Not DUP, so it is new, whatever its number."""
    broker, door = FakeBroker(), FakeDoor(hold=True)
    async with running(broker, door, alive_topic="") as world:
        world.press()
        await asyncio.sleep(0.1)
        broker.reuse_packet_ids()
        await asyncio.sleep(2)
        world.press()
        await asyncio.sleep(0.1)
        assert len({a.arrival_id for a in door.arrivals}) == 2


@in_virtual_time
async def test_acks_do_not_wait_for_each_other():
    broker, door = FakeBroker(), FakeDoor(hold=True)
    async with running(broker, door) as world:
        for number in range(5):
            world.press(payload=b'{"action":"press%d"}' % number)
        await asyncio.sleep(0.1)
        assert len(door.waiting) == 5
        door.commit(3)
        door.commit(0)
        await asyncio.sleep(0.1)
        assert broker.acked() == [b'{"action":"press3"}', b'{"action":"press0"}']


@in_virtual_time
async def test_arrivals_keep_the_order_of_the_broker():
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door) as world:
        for number in range(50):
            world.press(payload=b'{"action":"press%d"}' % number)
        await asyncio.sleep(0.1)
        assert door.payload_actions == [f"press{number}" for number in range(50)]


@in_virtual_time
async def test_no_more_than_max_unacked_are_taken():
    broker, door = FakeBroker(), FakeDoor(hold=True)
    async with running(broker, door, max_unacked=3) as world:
        for _ in range(10):
            world.press()
        await asyncio.sleep(0.1)
        assert len(door.arrivals) == 3
        door.commit()
        await asyncio.sleep(0.1)
        assert len(door.arrivals) == 4
        while door.waiting:
            door.commit()
            await asyncio.sleep(0.01)
        assert len(door.arrivals) == len(broker.acked()) == 10


@in_virtual_time
async def test_slots_of_a_lost_connection_are_given_back():
    broker, door = FakeBroker(), FakeDoor(hold=True)
    async with running(broker, door, max_unacked=2) as world:
        for round_ in range(5):
            world.press()
            await asyncio.sleep(0.1)
            door.fail()
            await asyncio.sleep(30)
            assert len(door.waiting) == 1, f"round {round_}"
            door.commit()
            await asyncio.sleep(0.1)
        assert len(broker.acked()) == 5


@in_virtual_time
async def test_back_off_grows_while_commits_fail_and_starts_anew_after_a_quiet_time():
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door, retry_min_s=0.2, retry_max_s=5) as world:
        door.fail_with = NotCommittedError("disk full")
        world.press()
        await asyncio.sleep(60)
        gaps = [b - a for a, b in zip(broker.connected_at, broker.connected_at[1:], strict=False)]
        assert gaps[0] < 0.3
        assert all(2.4 < gap < 5.1 for gap in gaps[6:])
        assert len(gaps) < 30

        door.fail_with = None
        await asyncio.sleep(60)
        broker.connected_at.clear()
        broker.drop()
        lost_at = asyncio.get_running_loop().time()
        await asyncio.sleep(5)
        assert broker.connected_at[0] - lost_at <= 0.21


@in_virtual_time
async def test_when_one_session_gets_through_the_other_tries_at_once():
    """Whichever finds the broker first: presses must not wait out a pause that telemetry knows to be needless."""
    found_by = set()
    for outage_s in range(200, 400, 10):
        broker, door = FakeBroker(), FakeDoor()
        async with running(broker, door, retry_max_s=60):
            await asyncio.sleep(20)
            broker.down = "connection refused"
            broker.drop()
            await asyncio.sleep(outage_s)
            broker.down = None
            while not (first := [c for c in broker.connections if c.lost is None]):  # noqa: ASYNC110 - virtual time
                await asyncio.sleep(0.01)
            found_by.add(first[0].options.client_id)
            await asyncio.sleep(0.1)
            assert broker.live() is not None, f"presses are not read after {outage_s} s, and telemetry is"
            assert broker.live("alertd-oak-side") is not None
    assert found_by == {"alertd-oak", "alertd-oak-side"}, "the test saw only one of the two ways"


@in_virtual_time
async def test_sessions_that_both_get_through_and_are_hung_up_on_do_not_chase_each_other():
    broker, door = FakeBroker(), FakeDoor()
    broker.hangs_up_on |= {"alertd/press/+", "alertd/telemetry/#"}
    async with running(broker, door, telemetry=["alertd/telemetry/#"], retry_max_s=5):
        await asyncio.sleep(60)
    assert len(broker.connections) < 60


@in_virtual_time
async def test_a_qos_0_press_that_was_not_committed_is_tried_again():
    """The broker has forgotten it: nobody else has it."""
    broker, door = FakeBroker(), FakeDoor(hold=True)
    async with running(broker, door) as world:
        world.press(qos=0)
        await asyncio.sleep(0.1)
        door.fail()
        await asyncio.sleep(2)
        assert [a.arrival_id for a in door.arrivals] == [door.arrivals[0].arrival_id] * 2
        door.commit()


# --- what may have waited -------------------------------------------------------------------------------------------


@in_virtual_time
async def test_a_press_that_waited_says_since_when(tmp_path: Path):
    """The daemon was stopped for an hour. What comes well behind our own sign of life is fresh; what comes just behind
    it may have waited, too: a broker promises order within a topic only."""
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door, state_dir=tmp_path) as world:
        await asyncio.sleep(35)
        stopped_us = world.clock.now().wall_us
    world.press(payload=b'{"action":"waited"}')
    await asyncio.sleep(3600)
    async with running(broker, door, state_dir=tmp_path) as world:
        await asyncio.sleep(2)
        world.press(payload=b'{"action":"overtaken"}')
        await asyncio.sleep(3)
        world.press(payload=b'{"action":"fresh"}')
        await asyncio.sleep(0.1)

    waited, overtaken, fresh = door.arrivals
    assert overtaken.backlog_since_us == waited.backlog_since_us
    assert waited.signals[0].action == "waited"
    assert waited.backlog_since_us is not None
    assert stopped_us - 10_000_000 <= waited.backlog_since_us <= stopped_us
    assert fresh.backlog_since_us is None


@pytest.mark.parametrize("step_s", [-7200, 7200])
@in_virtual_time
async def test_since_when_a_press_waited_is_known_whatever_the_clock_was_set_to(step_s: int):
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door) as world:
        await asyncio.sleep(35)
        broker.down = "connection refused"
        broker.drop()
        world.press()
        await asyncio.sleep(600)
        world.clock.step_wall(step_s)
        broker.down = None
        await asyncio.sleep(60)
    (waited,) = door.arrivals
    assert waited.backlog_since_us is not None
    absent_s = (waited.received_us - waited.backlog_since_us) / 1e6
    assert 600 <= absent_s <= 680, "by the clock as it is now: the line was lost ten minutes ago"


@pytest.mark.parametrize("step_s", [-150, 150])
@in_virtual_time
async def test_since_when_a_press_may_have_waited_is_known_though_the_clock_is_set_after_the_connection(step_s: int):
    """Seed 400028: three presses of one gesture, each of which had waited since after it came: nobody was called."""
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door) as world:
        await asyncio.sleep(35)
        broker.swallowed.add("alertd/alive/alertd-oak")  # our sign of life is on its way
        broker.drop()
        await asyncio.sleep(3)
        world.clock.step_wall(step_s)
        world.press()
        await asyncio.sleep(1)
    (waited,) = door.arrivals
    assert waited.backlog_since_us is not None
    waited_s = (waited.received_us - waited.backlog_since_us) / 1e6
    assert 3 <= waited_s <= 45, "by the clock as it is now: a gesture of three is none"


HOUR_S = 3600


@pytest.mark.parametrize(
    ("away_s", "off_s", "right_after_s", "least_s", "most_s"),
    [
        pytest.param(2 * HOUR_S, -2 * HOUR_S - 600, 1, 2 * HOUR_S, inf, id="slow, and set right after the connection"),
        pytest.param(2 * HOUR_S, -2 * HOUR_S - 600, None, 2 * HOUR_S, inf, id="slow, and nobody knows how much"),
        pytest.param(2 * HOUR_S, 0, None, 2 * HOUR_S, 2 * HOUR_S + 60, id="right"),
        pytest.param(30, HOUR_S, 1, 30, 90, id="ahead, and set right after the connection"),
    ],
)
@in_virtual_time
async def test_since_when_a_press_may_have_waited_over_a_boot_is_told_by_a_clock_that_is_right(
    tmp_path: Path, away_s: int, off_s: int, right_after_s: int | None, least_s: float, most_s: float
):
    """A late one for live tells dispatch of what is over; a live one for late tells nobody but the responders."""
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door, state_dir=tmp_path) as world:
        await asyncio.sleep(35)
    clock = world.clock
    clock.reboot()
    await asyncio.sleep(away_s)
    clock.step_wall(off_s)
    broker.swallowed.add("alertd/alive/alertd-oak")  # our sign of life is on its way
    async with running(broker, door, state_dir=tmp_path) as world:
        await asyncio.sleep(right_after_s or 0)
        clock.step_wall(0 if right_after_s is None else -off_s)
        world.press()
        await asyncio.sleep(1)
    (waited,) = door.arrivals
    assert waited.backlog_since_us is not None
    assert least_s <= (waited.received_us - waited.backlog_since_us) / 1e6 <= most_s, "by a clock that is right"


@in_virtual_time
async def test_req_35_a_press_that_waited_behind_a_deaf_session_says_since_when(tmp_path: Path):
    """The broker acknowledges what we send, and delivers nothing: that it answers says nothing of presses."""
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door, state_dir=tmp_path) as world:
        await asyncio.sleep(35)
        broker.clogs = 3
        broker.drop()
        await asyncio.sleep(1)
        pressed_us = world.clock.now().wall_us
        world.press()
        await asyncio.sleep(400)
    (waited,) = door.arrivals
    assert waited.received_us - pressed_us > 120_000_000
    assert waited.backlog_since_us is not None
    assert pressed_us - 12_000_000 <= waited.backlog_since_us <= pressed_us, "it passes for one of now"


@pytest.mark.parametrize("chatter", [False, True], ids=["quiet", "a sensor at QoS 0"])
def test_req_35_a_press_that_waited_behind_a_second_deaf_session_that_heals_by_itself_says_since_when(
    tmp_path: Path, chatter: bool
):
    """The first is opened anew at once, the next after a minute: it may be older than what drains in that time."""

    @in_virtual_time
    async def story():
        broker, door = FakeBroker(), FakeDoor()
        async with running(broker, door, state_dir=tmp_path) as world:
            await asyncio.sleep(35)
            broker.clogs = 3
            broker.drop()
            await asyncio.sleep(1)
            pressed_us = world.clock.now().wall_us
            for _ in range(2):
                world.press(payload=PRESS)
            while len(broker.connected_at) < 4 or asyncio.get_running_loop().time() - broker.connected_at[-1] < 100:
                await asyncio.sleep(5)
                if chatter:
                    broker.publish("alertd/press/badge-2", b"{}", qos=0)
            broker.presses.heal()
            await asyncio.sleep(1)
        for waited in [each for each in door.arrivals if each.signals]:
            assert waited.received_us - pressed_us > 120_000_000
            assert waited.backlog_since_us is not None, "it passes for one of now"
            assert waited.backlog_since_us <= pressed_us, "it says that it waited a minute"
        assert sum(bool(each.signals) for each in door.arrivals) == 2

    story()


@in_virtual_time
async def test_req_35_what_came_at_qos_0_through_a_deaf_session_does_not_make_a_press_behind_it_young(tmp_path: Path):
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door, state_dir=tmp_path) as world:
        await asyncio.sleep(35)
        broker.clogs = 3
        broker.drop()
        await asyncio.sleep(1)
        pressed_us = world.clock.now().wall_us
        world.press()
        for _ in range(80):
            broker.publish("alertd/press/badge-2", b"{}", qos=0)
            await asyncio.sleep(5)
    (waited,) = [each for each in door.arrivals if each.signals]
    assert waited.backlog_since_us is not None
    assert waited.backlog_since_us <= pressed_us, "what came at QoS 0 proves no session of presses"


@in_virtual_time
async def test_req_35_what_waited_does_not_make_the_rest_young(tmp_path: Path):
    """The line is lost once more while the backlog is read."""
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door, state_dir=tmp_path) as world:
        await asyncio.sleep(35)
        broker.swallowed.add("alertd/alive/alertd-oak")  # it stands behind the backlog
        door.hold = True
        broker.drop()
        pressed_us = world.clock.now().wall_us
        world.press()
        await asyncio.sleep(5)
        broker.drop()
        await asyncio.sleep(5)
    since_us = [arrival.backlog_since_us for arrival in door.arrivals]
    assert len(since_us) == 2
    assert all(since is not None and since <= pressed_us for since in since_us), "pressed before, it passes for young"


@in_virtual_time
async def test_a_press_that_is_delivered_again_says_how_long_ago_it_came():
    broker, door = FakeBroker(), FakeDoor(hold=True)
    async with running(broker, door) as world:
        world.press()
        await asyncio.sleep(0.1)
        broker.down = "no route"
        broker.drop()
        await asyncio.sleep(90)
        broker.down = None
        await asyncio.sleep(60)
    first, again = door.arrivals
    assert first.again_after_us == 0
    assert 90 <= again.again_after_us / 1e6 <= 150, "its copy is taken for another press"


@in_virtual_time
async def test_what_comes_through_proves_the_session_where_our_sign_of_life_cannot(tmp_path: Path):
    """Our user may write it and not read it: a restart must not make what waited a minute look a week old."""
    broker, door = FakeBroker(), FakeDoor()
    broker.swallowed.add("alertd/alive/alertd-oak")
    async with running(broker, door, state_dir=tmp_path) as world:
        await asyncio.sleep(200)
        stopped_us = world.clock.now().wall_us
    world.press()
    async with running(broker, door, state_dir=tmp_path):
        await asyncio.sleep(1)
    (waited,) = door.arrivals
    assert waited.backlog_since_us is not None
    assert stopped_us - 70_000_000 <= waited.backlog_since_us <= stopped_us, "a canary comes every minute"


@in_virtual_time
async def test_without_a_sign_of_life_silence_ends_the_backlog(tmp_path: Path):
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door, state_dir=tmp_path, alive_topic=""):
        await asyncio.sleep(15)
    async with running(broker, door, state_dir=tmp_path, alive_topic="") as world:
        for pause in (0, 0.5, 0.9, 1.5):
            await asyncio.sleep(pause)
            world.press()
        await asyncio.sleep(0.1)
    assert [a.backlog_since_us is not None for a in door.arrivals] == [True, True, True, False]


@in_virtual_time
async def test_nothing_waits_in_a_new_session():
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door, alive_topic="") as world:
        world.press()
        await asyncio.sleep(0.1)
        assert door.arrivals[0].backlog_since_us is None


@in_virtual_time
async def test_a_session_older_than_our_memory_makes_a_press_look_old():
    broker, door = FakeBroker(), FakeDoor()
    broker.session_filters["alertd-oak"] = {"alertd/press/+": 1}
    broker.publish("alertd/press/badge-1", PRESS)
    async with running(broker, door) as world:
        since_us = door.arrivals[0].backlog_since_us
        assert since_us is not None
        assert world.clock.now().wall_us - since_us > 24 * 3600 * 1_000_000


@in_virtual_time
async def test_a_damaged_memory_is_no_reason_to_stop(tmp_path: Path):
    (tmp_path / "mqtt-oak.json").write_text('{"connected_us": "yester')
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door, state_dir=tmp_path) as world:
        world.press()
        await asyncio.sleep(0.1)
        assert broker.acked() == [PRESS]


@in_virtual_time
async def test_filters_that_left_the_configuration_leave_the_session(tmp_path: Path):
    broker, door = FakeBroker(), FakeDoor()
    old = [{"topic": "alertd/press/+"}, {"topic": "zigbee2mqtt/+", "decoder": "zigbee2mqtt"}]
    async with running(broker, door, state_dir=tmp_path, triggers=old):
        assert "zigbee2mqtt/+" in broker.session_filters["alertd-oak"]
    async with running(broker, door, state_dir=tmp_path):
        assert sorted(broker.session_filters["alertd-oak"]) == ["alertd/alive/alertd-oak", "alertd/press/+"]


@in_virtual_time
async def test_of_filters_that_cover_one_message_the_widest_is_asked_for():
    """With MQTT 5 mosquitto 2.0.11 sends a session each message once for each of its filters."""
    broker, door = FakeBroker(), FakeDoor()
    triggers = [{"topic": "alertd/press/badge-1"}, {"topic": "alertd/press/+"}, {"topic": "alertd/press/#"}]
    async with running(broker, door, triggers=triggers):
        asked = [each for each in broker.session_filters["alertd-oak"] if each.startswith("alertd/press")]
        assert asked == ["alertd/press/#"], "what the wider covers is asked for once"


@in_virtual_time
async def test_promise_1_what_the_broker_allows_is_heard_where_it_refuses_the_wider():
    broker, door = FakeBroker(), FakeDoor()
    broker.granted = {"alertd/press/#": 135}
    async with running(broker, door, triggers=[{"topic": "alertd/press/+"}, {"topic": "alertd/press/#"}]):
        asked = broker.session_filters["alertd-oak"]
        assert asked.get("alertd/press/+") == 1, "promise 1: presses that the broker would have sent"
        assert "refuses to send us alertd/press/#." in door.standing["broker_subscription:oak"]


@in_virtual_time
async def test_promise_1_a_narrower_filter_leaves_when_the_wider_is_there(tmp_path: Path):
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door, state_dir=tmp_path):
        pass
    broker.on_unsubscribe = lambda: broker.publish("alertd/press/badge-1", PRESS)
    async with running(broker, door, state_dir=tmp_path, triggers=[{"topic": "alertd/press/#"}]):
        await asyncio.sleep(0.1)
        assert len(door.arrivals) == 1, "promise 1: nobody hears a press made in between"


# --- what is in them ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        pytest.param(b" ", "empty", id="blank"),
        pytest.param(b"x" * 1024 * 1024, "1048576 bytes", id="1 MiB"),
        pytest.param(b"[" * 50_000, "nested too deeply", id="deeply nested"),
        pytest.param(b'{"action":"\xff\xfe"}', "not UTF-8", id="not UTF-8"),
        pytest.param(b'{"action":', "not JSON", id="half"),
        pytest.param(b"[1, 2]", "a list", id="not an object"),
        pytest.param(b'{"action":{"a":1}}', "action", id="wrong type"),
        pytest.param(b'{"action":"press","action":"test"}', "twice", id="duplicate key"),
    ],
)
def test_hostile_payloads_are_committed_as_refused_and_the_source_goes_on(payload: bytes, why: str):
    @in_virtual_time
    async def story():
        broker, door = FakeBroker(), FakeDoor(hold=True)
        async with running(broker, door) as world:
            world.press(payload=payload)
            world.press(payload=PRESS)
            await asyncio.sleep(0.1)
            hostile, press = door.arrivals
            assert why in hostile.refused
            assert (hostile.signals, hostile.size) == ((), len(payload))
            assert press.signals[0].action == "press"
            assert broker.acked() == []
            door.commit()
            door.commit()
            await asyncio.sleep(0.1)
            assert broker.acked() == [payload, PRESS]
            assert ("oak", "refused") in door.observed

    story()


@in_virtual_time
async def test_retained_and_qos_are_passed_on():
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door) as world:
        world.press(retain=True)
        world.press(qos=0)
        await asyncio.sleep(0.1)
        assert [(a.retained, a.qos) for a in door.arrivals] == [(True, 1), (False, 0)]
