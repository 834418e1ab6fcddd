"""The way back to the presser's device."""

import asyncio
import json

from alertd.model.decision import Confirmation, FeedbackState
from alertd.model.ids import DeviceId
from alertd.ports import Downlink
from alertd_adapters.decoders.mapping.bindings import Bindings
from alertd_adapters.decoders.mapping.checking import registry_of
from alertd_adapters.decoders.mapping.decoder import MappedDecoder
from alertd_adapters.decoders.mapping.library import library
from alertd_simulator.virtual_time import in_virtual_time
from tests.adapters.mqtt.fake_broker import FakeBroker, FakeDoor, Publication
from tests.adapters.mqtt.world import World, running


def received(device: str = "badge-1", state: FeedbackState = FeedbackState.RECEIVED) -> Confirmation:
    return Confirmation(device_id=DeviceId(device), state=state)


def told(world: World) -> list[Publication]:
    return [p for p in world.broker.published if p.topic.startswith("alertd/feedback/")]


@in_virtual_time
async def test_the_device_is_told_and_the_message_expires():
    async with running(FakeBroker(), FakeDoor()) as world:
        assert world.feedback is not None
        world.feedback.confirm(received())
        world.feedback.confirm(received(state=FeedbackState.RESPONDER_ACCEPTED))
        await asyncio.sleep(1)
        first, second = told(world)
        assert (first.topic, first.expires_s) == ("alertd/feedback/badge-1", 30)
        said = json.loads(first.payload)
        assert said == {"state": "received", "at": "2026-10-14T14:42:00.100Z", "expires_at": "2026-10-14T14:42:30.100Z"}
        assert json.loads(second.payload)["state"] == "responder_accepted"


@in_virtual_time
async def test_a_device_is_told_where_it_listens_however_the_registry_spells_it():
    """By the name under which it pressed last: that is the topic it knows. The core knows only the registry's."""
    label = "24E124535B316056"
    known = registry_of([label, "badge-1"], "")
    async with running(FakeBroker(), FakeDoor(), registry=known) as world:
        assert world.feedback is not None
        for spelled in ("24:e1:24:53:5b:31:60:56", "badge-1", label):
            world.press(spelled)
            await asyncio.sleep(1)
            world.feedback.confirm(received(label))
            world.feedback.confirm(received("badge-1"))
            await asyncio.sleep(1)
        assert [p.topic.rpartition("/")[2] for p in told(world)] == [
            "24:e1:24:53:5b:31:60:56", "badge-1",
            "24:e1:24:53:5b:31:60:56", "badge-1",
            label, "badge-1",
        ], "it waits for its feedback in vain, and presses until then"  # fmt: skip


@in_virtual_time
async def test_while_the_broker_is_away_confirming_neither_fails_nor_waits_and_old_news_is_dropped():
    async with running(FakeBroker(), FakeDoor()) as world:
        assert world.feedback is not None
        world.broker.down = "connection refused"
        world.broker.drop()
        await asyncio.sleep(1)
        loop = asyncio.get_running_loop()
        began = loop.time()
        world.feedback.confirm(received("early"))
        assert loop.time() == began
        await asyncio.sleep(35)
        world.feedback.confirm(received("late"))
        await asyncio.sleep(5)
        world.broker.down = None
        await asyncio.sleep(20)
        (only,) = told(world)
        assert only.topic == "alertd/feedback/late"
        assert only.expires_s is not None
        assert only.expires_s <= 25


@in_virtual_time
async def test_a_flood_of_confirmations_is_bounded():
    async with running(FakeBroker(), FakeDoor()) as world:
        assert world.feedback is not None
        world.broker.down = "connection refused"
        world.broker.drop()
        await asyncio.sleep(1)
        for number in range(5000):
            world.feedback.confirm(received(f"badge-{number}"))
        world.broker.down = None
        await asyncio.sleep(20)
        assert len(told(world)) == 2000
        assert told(world)[-1].topic == "alertd/feedback/badge-4999"


@in_virtual_time
async def test_a_refused_topic_does_not_stop_the_next_one():
    async with running(FakeBroker(), FakeDoor()) as world:
        assert world.feedback is not None
        world.broker.forbidden.add("alertd/feedback/badge-1")
        for device in ("badge-1", "bad+ge", "badge-2"):
            world.feedback.confirm(received(device))
        await asyncio.sleep(1)
        assert [p.topic for p in told(world)] == ["alertd/feedback/badge-2"]


SHOWN = {
    "p.toml": {
        "profile": {
            "lamp": {
                "about": "A badge with a lamp",
                "rules": [{"value": "object.pressed", "map": {"1": "press"}}],
                "feedback": {
                    "received": {"fport": 7, "bytes": "01ff"},
                    "responder_accepted": {"fport": 7, "bytes": "02"},
                },
            }
        }
    }
}


def pressed_over(source: str, topic: str, payload: dict[str, object], device: str) -> MappedDecoder:
    found = library(SHOWN)
    registry = registry_of([device], "lamp")
    decoder = MappedDecoder(found.sources[source], found.profiles, Bindings(lambda: registry))
    decoder.decode(topic, json.dumps(payload).encode())
    return decoder


def test_a_badge_behind_chirpstack_is_told_by_the_way_it_came():
    topic = "application/7f3c/device/70b3d50000000001/event/up"
    decoder = pressed_over("chirpstack-v4", topic, {"object": {"pressed": 1}}, "70B3D50000000001")
    (down,) = decoder.answers(received("70B3D50000000001"), 1_788_187_357_310_000)

    assert down.topic == "application/7f3c/device/70b3d50000000001/command/down"
    assert json.loads(down.payload) == {
        "devEui": "70b3d50000000001", "confirmed": False, "fPort": 7, "data": "Af8=",
        "expiresAt": "2026-08-31T14:42:37.310Z",
    }, "hours later it answers a press that nobody has heard"  # fmt: skip
    assert decoder.answers(received("another"), 0) == ()


@in_virtual_time
async def test_chirpstack_is_told_when_what_a_badge_shows_is_worthless():
    topic = "application/7f3c/device/70b3d50000000001/event/up"
    decoder = pressed_over("chirpstack-v4", topic, {"object": {"pressed": 1}}, "70b3d50000000001")
    async with running(FakeBroker(), FakeDoor()) as world:
        assert world.feedback is not None
        world.feedback._answers = decoder.answers  # type: ignore[attr-defined]
        world.feedback.confirm(received("70b3d50000000001"))
        await asyncio.sleep(1)
        (sent,) = [p for p in world.broker.published if p.topic.endswith("/command/down")]
        assert json.loads(sent.payload)["expiresAt"] == json.loads(told(world)[0].payload)["expires_at"]


def test_what_a_sleeping_badge_has_not_fetched_within_half_a_minute_is_taken_back():
    """Else its next press, which alertd may not hear, would be answered by an old "received"."""

    @in_virtual_time
    async def story():
        payload = {
            "end_device_ids": {"dev_eui": "70B3D50000000001"},
            "uplink_message": {"decoded_payload": {"pressed": 1}},
        }
        decoder = pressed_over("tts-v3", "v3/oak@t/devices/b-1/up", payload, "70B3D50000000001")
        async with running(FakeBroker(), FakeDoor()) as world:
            assert world.feedback is not None
            world.feedback._answers = decoder.answers  # type: ignore[attr-defined]
            world.feedback.confirm(received("70B3D50000000001"))
            await asyncio.sleep(20)
            world.feedback.confirm(received("70B3D50000000001", FeedbackState.RESPONDER_ACCEPTED))
            await asyncio.sleep(20)
            sent = [p for p in world.broker.published if p.topic == "v3/oak@t/devices/b-1/down/replace"]
            assert [len(json.loads(p.payload)["downlinks"]) for p in sent] == [1, 1], "the newer one has its own time"
            await asyncio.sleep(15)
            sent = [p for p in world.broker.published if p.topic == "v3/oak@t/devices/b-1/down/replace"]
            assert json.loads(sent[-1].payload) == {"downlinks": []}
            assert len(sent) == 3

    story()


@in_virtual_time
async def test_what_was_shown_is_taken_back_though_the_broker_is_away_when_it_expires():
    """The network server keeps it: a day later it would answer a press that nobody has heard."""
    shown = Downlink(topic="ns/down/replace", payload=b"LED", forget=Downlink(topic="ns/down/replace", payload=b"[]"))
    async with running(FakeBroker(), FakeDoor()) as world:
        assert world.feedback is not None
        world.feedback._answers = lambda *_: (shown,)  # type: ignore[attr-defined]
        world.feedback.confirm(received())
        await asyncio.sleep(20)
        world.broker.down = "connection refused"
        world.broker.drop()
        await asyncio.sleep(600)
        world.feedback.confirm(received(state=FeedbackState.RESPONDER_ACCEPTED))
        await asyncio.sleep(5)
        world.broker.down = None
        await asyncio.sleep(20)
        sent = [p.payload for p in world.broker.published if p.topic == "ns/down/replace"]
        assert sent == [b"LED", b"[]", b"LED"], "it is shown for ever, or the newer one is taken back at once"
        await asyncio.sleep(15)
        sent = [p.payload for p in world.broker.published if p.topic == "ns/down/replace"]
        assert sent[3:] == [b"[]"]
