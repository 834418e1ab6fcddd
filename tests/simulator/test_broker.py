"""The broker in memory keeps MQTT's promises at QoS 1, and breaks where real brokers break."""

import asyncio
from contextlib import suppress

import pytest

from alertd_adapters.mqtt.connection import (
    Broker,
    BrokerConnection,
    BrokerMessage,
    ConnectionLostError,
    ConnectOptions,
)
from alertd_simulator.broker import SimulatedBroker, SimulatedConnection, matches
from alertd_simulator.virtual_time import in_virtual_time
from alertd_simulator.world.plan import BrokerTricks

TOPIC = "alertd/press/badge-17"


async def connect(broker: SimulatedBroker, *, persistent: bool = True, window: int = 20) -> SimulatedConnection:
    options = ConnectOptions(client_id="alertd", persistent=persistent, window=window)
    connection = await broker.connect(options)
    if not connection.session_present:
        await connection.subscribe([("alertd/press/+", 1)])
    return connection


async def arrivals(connection: SimulatedConnection, *, for_s: float = 1.0, ack: bool = False) -> list[BrokerMessage]:
    """What arrives within so many seconds."""
    seen: list[BrokerMessage] = []
    with suppress(TimeoutError, ConnectionLostError):
        async with asyncio.timeout(for_s):
            async for message in connection.messages():
                seen.append(message)  # a comprehension would lose them at the time-out
                if ack:
                    connection.ack(message)
    return seen


@in_virtual_time
async def test_what_was_not_acknowledged_comes_again_on_the_next_connection_and_only_there():
    broker = SimulatedBroker()
    first = await connect(broker)
    broker.publish(TOPIC, b"1")
    broker.publish(TOPIC, b"2")
    one, two = await arrivals(first)
    first.ack(one)
    assert await arrivals(first, for_s=60) == []

    broker.drop_connections()
    second = await connect(broker)
    again = await arrivals(second)

    assert second.session_present
    assert [(message.payload, message.dup) for message in again] == [(b"2", True)]
    assert two.payload == b"2"


@in_virtual_time
async def test_a_stale_ack_reaches_nobody_though_its_packet_id_is_reused():
    broker = SimulatedBroker()
    first = await connect(broker)
    broker.publish(TOPIC, b"old")
    (old,) = await arrivals(first)
    broker.drop_connections()
    second = await connect(broker)
    (again,) = await arrivals(second)
    assert again.mid == old.mid

    first.ack(old)
    broker.drop_connections()

    assert [message.payload for message in await arrivals(await connect(broker))] == [b"old"]


@in_virtual_time
async def test_a_persistent_session_collects_while_nobody_is_connected_and_a_clean_one_does_not():
    for persistent, expected in ((True, [b"away"]), (False, [])):
        broker = SimulatedBroker()
        await (await connect(broker, persistent=persistent)).close()
        broker.publish(TOPIC, b"away")
        broker.publish(TOPIC, b"away, QoS 0", qos=0)

        assert [message.payload for message in await arrivals(await connect(broker, persistent=persistent))] == expected


@in_virtual_time
async def test_a_restart_with_state_keeps_the_session_and_one_without_loses_it():
    for with_state, expected in ((True, [b"press"]), (False, [])):
        broker = SimulatedBroker()
        connection = await connect(broker)
        broker.publish(TOPIC, b"press")
        broker.stop()
        with pytest.raises(ConnectionLostError, match="went down"):
            await connection.publish("a", b"", qos=1)
        with pytest.raises(ConnectionLostError, match="broker is down"):
            broker.publish(TOPIC, b"nobody took this")
        broker.start(with_state=with_state)
        after = await connect(broker)

        assert after.session_present is with_state
        assert [message.payload for message in await arrivals(after)] == expected


@in_virtual_time
async def test_the_window_limits_what_is_under_way():
    broker = SimulatedBroker()
    connection = await connect(broker, window=3)
    for number in range(5):
        broker.publish(TOPIC, str(number).encode())

    assert len(await arrivals(connection)) == 3
    assert broker.unacknowledged("alertd") == 5
    for message in list(connection.under_way.values()):
        connection.ack(message)
    assert [message.payload for message in await arrivals(connection, ack=True)] == [b"3", b"4"]
    assert broker.unacknowledged("alertd") == 0


@in_virtual_time
async def test_retained_messages_are_marked_and_an_empty_one_deletes():
    broker = SimulatedBroker()
    broker.publish(TOPIC, b"old news", retain=True)
    broker.publish("alertd/press/badge-18", b"gone", retain=True)
    broker.publish("alertd/press/badge-18", b"", retain=True)

    messages = await arrivals(await connect(broker))

    assert [(message.payload, message.retain) for message in messages] == [(b"old news", True)]


@in_virtual_time
async def test_a_second_connection_takes_the_session_over():
    broker = SimulatedBroker()
    first = await connect(broker)
    second = await connect(broker)

    with pytest.raises(ConnectionLostError, match="took the session over"):
        await first.subscribe([("x", 1)])
    broker.publish(TOPIC, b"press")
    assert len(await arrivals(second)) == 1


@in_virtual_time
async def test_duplicates_and_refused_filters():
    broker = SimulatedBroker()
    broker.duplicates = lambda: True
    broker.forbidden_filters = {"secret/#"}
    connection = await connect(broker)
    broker.publish(TOPIC, b"press")

    assert await connection.subscribe([("secret/#", 1), ("a/b", 0)]) == (0x80, 0)
    assert [message.dup for message in await arrivals(connection)] == [False, True]


class Ears:
    """What the broker tells of."""

    def __init__(self, broker: SimulatedBroker) -> None:
        self.arrived: list[tuple[int, int, bool, bool]] = []
        self.acked: list[tuple[int, int]] = []
        self.forgot: list[tuple[tuple[int, ...], str]] = []
        broker.on_arrived.append(
            lambda number, connection, _mid, dup, retain: self._hear(number, connection, dup, retain)
        )
        broker.on_acked.append(lambda number, connection: self.acked.append((number, connection)))
        broker.on_forgot.append(lambda numbers, why: self.forgot.append((numbers, why)))

    def _hear(self, number: int, connection: int, dup: bool, retain: bool) -> None:
        self.arrived.append((number, connection, dup, retain))


@in_virtual_time
async def test_a_message_keeps_its_number_through_redelivery_and_is_told_acked_once():
    broker = SimulatedBroker()
    ears = Ears(broker)
    first = await connect(broker)
    number = broker.publish(TOPIC, b"press")
    (old,) = await arrivals(first)
    broker.drop_connections()
    first.ack(old)
    second = await connect(broker)
    (again,) = await arrivals(second)
    assert ears.acked == [], "the connection that had delivered was lost"

    second.ack(again)
    second.ack(again)

    assert ears.arrived == [(number, first.number, False, False), (number, second.number, True, False)]
    assert ears.acked == [(number, second.number)]
    assert broker.violations == []


@in_virtual_time
async def test_an_ack_of_a_packet_that_the_connection_never_delivered_is_a_violation():
    broker = SimulatedBroker()
    ears = Ears(broker)
    first = await connect(broker)
    broker.publish(TOPIC, b"press")
    (press,) = await arrivals(first)
    broker.drop_connections()
    broker.forget()
    second = await connect(broker)

    second.ack(press)

    assert len(broker.violations) == 1
    assert ears.acked == []


@in_virtual_time
async def test_jitter_reorders_topics_and_never_within_a_topic():
    broker = SimulatedBroker()
    connection = await connect(broker, window=100)
    broker.tricks = BrokerTricks(at_s=0, lasts_s=60, jitter_s=3.0)
    topics = [f"alertd/press/b{number}" for number in range(8)]
    for number in range(40):
        broker.publish(topics[number % 8], str(number).encode())

    seen = [(message.topic, int(message.payload)) for message in await arrivals(connection, for_s=60)]

    assert [number for _, number in seen] != sorted(number for _, number in seen)
    for topic in topics:
        numbers = [number for each, number in seen if each == topic]
        assert numbers == sorted(numbers)
        assert len(numbers) == 5


@in_virtual_time
async def test_at_qos_0_messages_are_lost_and_at_qos_1_none():
    broker = SimulatedBroker()
    ears = Ears(broker)
    connection = await connect(broker)
    broker.tricks = BrokerTricks(at_s=0, lasts_s=60, loses=0.5)
    for _ in range(40):
        broker.publish(TOPIC, b"weak", qos=0)
        broker.publish(TOPIC, b"strong")

    seen = [message.payload for message in await arrivals(connection, ack=True)]

    lost = sum(len(numbers) for numbers, _ in ears.forgot)
    assert seen.count(b"strong") == 40
    assert 5 < lost < 35
    assert seen.count(b"weak") == 40 - lost


@in_virtual_time
async def test_at_qos_0_what_is_on_its_way_dies_with_the_connection():
    broker = SimulatedBroker()
    ears = Ears(broker)
    connection = await connect(broker)
    number = broker.publish(TOPIC, b"weak", qos=0)
    broker.drop_connections()

    assert await arrivals(connection) == []
    assert [numbers for numbers, _ in ears.forgot] == [(number,)]


@in_virtual_time
async def test_what_no_session_takes_and_what_dies_with_the_brokers_memory_is_told():
    broker = SimulatedBroker()
    ears = Ears(broker)
    nobody = broker.publish(TOPIC, b"nobody listens")
    connection = await connect(broker)
    waiting = broker.publish(TOPIC, b"under way")
    await arrivals(connection)
    await connection.close()
    queued = broker.publish(TOPIC, b"queued")

    broker.forget()

    assert [numbers for numbers, _ in ears.forgot] == [(nobody,), (waiting, queued)]
    assert not (await connect(broker)).session_present


@in_virtual_time
async def test_a_copy_of_a_retained_message_is_never_told_acked_because_it_comes_again():
    broker = SimulatedBroker()
    ears = Ears(broker)
    number = broker.publish(TOPIC, b"old news", retain=True)
    connection = await connect(broker)

    await arrivals(connection, ack=True)

    assert ears.arrived == [(number, connection.number, False, True)]
    assert ears.acked == []


@in_virtual_time
async def test_a_restarted_broker_gives_old_packet_ids_to_new_messages_and_a_standing_one_keeps_them():
    for restarts in (False, True):
        broker = SimulatedBroker()
        broker.renumbers = False
        first = await connect(broker)
        broker.publish(TOPIC, b"gone")
        broker.publish(TOPIC, b"old")
        gone, old = await arrivals(first)
        first.ack(gone)
        if restarts:
            broker.stop()
            broker.start()
        else:
            broker.drop_connections()
        second = await connect(broker)
        broker.publish(TOPIC, b"new")
        seen = [(message.mid, message.payload) for message in await arrivals(second)]

        assert old.mid == 2
        assert seen == [(2, b"old"), (1 if restarts else 3, b"new")]


@in_virtual_time
async def test_a_replay_brings_the_newest_messages_of_devices_again_byte_for_byte():
    broker = SimulatedBroker()
    connection = await connect(broker)
    for payload in (b"1", b"2", b"3"):
        broker.publish(TOPIC, payload)
    await connection.publish("alertd/press/alive", b"our own", qos=1)
    await arrivals(connection, ack=True)

    numbers = broker.replay(2)

    assert numbers == (5, 6)
    assert [message.payload for message in await arrivals(connection)] == [b"2", b"3"]
    broker.stop()
    assert broker.replay(2) == ()


@in_virtual_time
async def test_it_fits_through_the_adapters_door():
    broker: Broker = SimulatedBroker()
    connection: BrokerConnection = await broker.connect(ConnectOptions(client_id="alertd", persistent=False))

    await connection.close()
    await connection.close()


@pytest.mark.parametrize(
    ("topic_filter", "topic", "expected"),
    [
        ("alertd/press/+", "alertd/press/badge-1", True),
        ("alertd/press/+", "alertd/press/badge-1/x", False),
        ("alertd/press/+", "alertd/press", False),
        ("zigbee2mqtt/#", "zigbee2mqtt/a/action", True),
        ("#", "$SYS/broker/uptime", False),
        ("$SYS/broker/+", "$SYS/broker/uptime", True),
        ("a/b", "a/b", True),
    ],
)
def test_wildcards(topic_filter, topic, expected):
    assert matches(topic_filter, topic) is expected
