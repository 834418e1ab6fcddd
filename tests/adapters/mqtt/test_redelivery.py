"""Which arrival is the same press again: the DUP flag, the packet id and the content must all agree."""

from alertd_adapters.mqtt.connection import BrokerMessage
from alertd_adapters.mqtt.redelivery import Redelivery

FIRST_US, NOW_US = 5_000_000, 95_000_000


def message(payload: bytes = b"204", *, mid: int = 7, dup: bool = False, qos: int = 1) -> BrokerMessage:
    return BrokerMessage(topic="alertd/press/badge-204", payload=payload, qos=qos, dup=dup, mid=mid)


def owed() -> Redelivery:
    """A press came, and its connection was lost before it was acknowledged."""
    redelivery = Redelivery()
    assert redelivery.identify(message(), "first", FIRST_US)[0] == "first"
    redelivery.connection_lost()
    return redelivery


def test_a_press_that_is_delivered_again_after_a_lost_connection_is_the_same_press() -> None:
    assert owed().identify(message(dup=True), "fresh", NOW_US) == ("first", FIRST_US)


def test_another_press_under_an_old_packet_id_is_another_press() -> None:
    """A broker that came back with an older copy of its session counts packet ids anew. It gave ours to a new press,
    lost the connection before that one arrived, and so delivers it with the DUP flag."""
    again = owed().identify(message(b"118", dup=True), "fresh", NOW_US)[0]

    assert again == "fresh", "promise 1: a press was taken for another one that is known already"


def test_a_press_that_is_delivered_for_the_first_time_is_another_press() -> None:
    assert owed().identify(message(), "fresh", NOW_US)[0] == "fresh"
    assert owed().identify(message(mid=8, dup=True), "fresh", NOW_US)[0] == "fresh"


def test_what_was_acknowledged_or_has_come_is_forgotten() -> None:
    redelivery = Redelivery()
    redelivery.identify(message(), "first", FIRST_US)
    redelivery.acked(message())
    redelivery.connection_lost()
    assert redelivery.identify(message(dup=True), "fresh", NOW_US)[0] == "fresh"
    redelivery = owed()
    redelivery.all_came()
    assert redelivery.identify(message(dup=True), "fresh", NOW_US)[0] == "fresh"


def test_what_is_owed_outlives_a_connection_that_brought_nothing() -> None:
    redelivery = owed()
    redelivery.connection_lost()

    assert redelivery.identify(message(dup=True), "fresh", NOW_US)[0] == "first"


def test_qos_0_is_never_delivered_again() -> None:
    assert owed().identify(message(dup=True, qos=0), "fresh", NOW_US)[0] == "fresh"
