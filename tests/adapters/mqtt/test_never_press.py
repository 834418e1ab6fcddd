"""What a sensor says and nobody understands: from the broker to whoever is told."""

import asyncio
import json
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from alertd.engine.routing import route
from alertd.model.events import Event, Lasting, Pressed, TroubleAcknowledged, TroubleRaised, Unregistered
from alertd.model.ids import DISTRICT, CauseId, DeviceId
from alertd.model.notification import Lane
from alertd.model.policy import Step
from alertd.model.registry import Registry
from alertd.model.site import DeviceKind
from alertd_adapters.decoders.mapping.checking import registry_of
from alertd_simulator.virtual_time import in_virtual_time
from tests.adapters.mqtt.fake_broker import FakeBroker, FakeDoor
from tests.adapters.mqtt.world import running
from tests.engine.play import Play
from tests.engine.school import BADGE, device, group, policy, registry

EUI = "24e1240000000301"
UPLINK = f"application/7f3c/device/{EUI}/event/up"
REPORT = json.dumps(
    {"deduplicationId": "x", "deviceInfo": {"devEui": EUI}, "fPort": 85, "data": "AFoBDwAVBQ=="}
).encode()
"""Battery and index, and a value that its maker has added."""


@pytest.mark.parametrize("payload", [REPORT, b"{", b" "], ids=["a value more", "not JSON", "blank"])
@pytest.mark.parametrize(
    ("kind", "said"), [(DeviceKind.SENSOR, "Not a press"), (DeviceKind.BUTTON, "May have been a press")]
)
@in_virtual_time
async def test_it_is_told_as_what_it_is(kind: DeviceKind, said: str, payload: bytes):
    broker, door = FakeBroker(), FakeDoor()
    known = registry_of([EUI], "milesight-gs601")
    known = replace(known, devices={id_: replace(each, kind=kind) for id_, each in known.devices.items()})
    trigger = {"topic": "application/#", "decoder": "profiles", "options": {"source": "chirpstack-v4"}}
    async with running(broker, door, registry=known, triggers=[trigger]):
        broker.publish(UPLINK, payload)
        await asyncio.sleep(1)
    (arrival,) = door.arrivals
    (event,) = route(known, arrival)
    play = Play(site_id=event.site_id)
    play.do(event)

    told = [said in each.text for each in play.news()]
    assert told == [True], "a sensor's nonsense is told as what may be a press, or a button's as none"


HALO = {"topic": "halo/+/event", "decoder": "profiles", "options": {"source": "halo"}, "kinds": ["sensor"]}
PLAIN = {"topic": "halo/+", "decoder": "press_json", "kinds": ["gateway", "sensor"]}


def of_kind(kind: DeviceKind, name: str) -> Registry:
    known = registry_of([name], "")
    return replace(known, devices={id_: replace(each, kind=kind) for id_, each in known.devices.items()})


@pytest.mark.parametrize(
    ("trigger", "topic", "payload"),
    [
        (HALO, "halo/button-2/event", b'{"event": {"ID": "hold", "Status": "true"}}'),
        (PLAIN, "halo/button-2", b'{"action": "hold"}'),
    ],
    ids=["profiles", "press_json"],
)
@pytest.mark.parametrize("kind", [DeviceKind.BUTTON, DeviceKind.WEARABLE])
@in_virtual_time
async def test_a_sensors_password_presses_no_button_and_whoever_is_on_duty_is_rung(
    kind: DeviceKind, trigger: dict[str, object], topic: str, payload: bytes
):
    """A sensors' bridge said a button's name, and locked the school down. Or the kinds are wrong, and somebody has
    pressed: nobody knows, so people look (promise 2)."""
    broker, door, known = FakeBroker(), FakeDoor(), of_kind(kind, "button-2")
    async with running(broker, door, registry=known, triggers=[trigger]):
        broker.publish(topic, payload)
        await asyncio.sleep(1)
        assert len(broker.acked()) == 1
    (arrival,) = door.arrivals
    (event,) = route(known, arrival)
    assert isinstance(event, Unregistered), "a sensor's password pressed a button"
    assert "refused" in [what for _, what in door.observed]
    assert not [sign for sign, *_ in door.check_ins if sign.pressed], "it counts as tested"
    play = Play(replace(registry(), devices=known.devices), site_id=event.site_id)
    play.do(event)
    (told,) = play.news()
    assert told.lane is Lane.PANIC
    said = f"button-2 pressed; its sources.{arrival.source} trigger pages NOBODY: go look"
    assert said in told.text, "it was understood, and they cannot know whose"
    remedy = f'If real, add "{kind}" to its kinds'
    assert remedy in told.text, "whoever has a sensors' password is let in by who does what the text says"


DESK = "24e1240000000101"
SERVER = "application/6f3c1d2e-9b1a-4c55-8d7e-0a1b2c3d4e5f/device"
SENSORS = {
    "topic": f"{SERVER}/+/event/up",
    "decoder": "profiles",
    "options": {"source": "chirpstack-v4"},
    "kinds": ["sensor"],
}


async def desk_button(*data: str) -> tuple[Play, FakeDoor, list[Event]]:
    """A WS101 of room 204 whose network server has a trigger for sensors; what came of each of its messages."""
    broker, door, known = FakeBroker(), FakeDoor(), registry()
    desk = device(DESK, DeviceKind.BUTTON, BADGE, zone_id="204", label="desk button", profile="milesight-ws101")
    known = replace(known, devices={**known.devices, desk.id: desk})
    async with running(broker, door, registry=known, triggers=[SENSORS]):
        for number, each in enumerate(data):
            uplink = {"deduplicationId": str(number), "deviceInfo": {"devEui": DESK}, "fPort": 85, "data": each}
            broker.publish(f"{SERVER}/{DESK}/event/up", json.dumps(uplink).encode())
            await asyncio.sleep(1)
    return Play(known, site_id=DISTRICT), door, [event for each in door.arrivals for event in route(known, each)]


SHORT = "AXVk/y4B"
"""Battery 100 %, one short press."""


@in_virtual_time
async def test_what_a_refused_press_asks_for_stands_in_one_text():
    """The topic of a network server is long: the text ended before it had said what is wrong."""
    play, _, (event,) = await desk_button(SHORT)
    play.do(event)
    (told,) = {each.text for each in play.news()}
    assert "OAK ELEM Rm 204 desk button" in told
    assert "its sources.oak trigger" in told
    assert 'If real, add "button" to its kinds' in told, "it ends before it has said what to do"
    assert DESK in next(iter(play.state.troubles.values())).summary, "and for whoever looks it up, its address"


@in_virtual_time
async def test_each_refused_press_rings_though_somebody_looks_after_the_one_before():
    """Whoever had acknowledged one was not told of the next for an hour: that rule is for what nobody understands."""
    play, _, events = await desk_button(SHORT, SHORT, SHORT)
    key = f"refused:{DESK}"
    told = []
    for event in events:
        play.do(event)
        told.append(len(play.news()))
        play.do(TroubleAcknowledged(site_id=DISTRICT, cause=CauseId(f"ack-{len(told)}"), key=key, by="Ruiz"))
        play.wait(600)
    assert told == [1, 1, 1], "a known button was pressed again, and nobody is told"


def rings_of_refused(said: Sequence[tuple[str, str, Lasting | None]], every_s: int) -> list[int]:
    """Devices and words, each so long after the one before; whoever is rung looks after it at once."""
    play, told = Play(site_id=DISTRICT), []
    for name, word, lasting in said:
        play.arrive(name, word, lasting=lasting, never_press=True)
        told.append(len(play.news()))
        acknowledge_all(play)
        play.wait(every_s)
        play.news()
    return told


def test_a_state_that_is_refused_again_and_again_does_not_ring_each_time_while_somebody_looks_after_it():
    """A strip that was pulled says so every ten minutes, and whoever is on duty was rung for each, all night."""
    told = rings_of_refused([("badge-204", "hold", Lasting(repeats_s=900))] * 24, 600)
    assert told[0] == 1
    assert sum(told) == 4, "four hours of one state: once an hour, for somebody looks after it"


@pytest.mark.parametrize("word", ["press", "hold", "panic"])
def test_each_press_that_is_no_state_rings_when_it_is_refused(word: str):
    assert rings_of_refused([("badge-204", word, None)] * 3, 120) == [1, 1, 1], "promise 2: pressed, and nobody is told"


def test_another_state_another_button_or_a_press_is_no_repeat_of_the_state_that_somebody_looks_after():
    first = Lasting(repeats_s=900, what="1", state="1")
    said = [
        ("badge-204", "hold", first),
        ("badge-204", "hold", replace(first, what="2")),
        ("badge-204", "hold", replace(first, state="2")),
        ("badge-204", "panic", first),
        ("badge-204", "hold", None),
        ("walker", "hold", first),
    ]
    assert rings_of_refused([*said, *said[:4]], 120) == [1] * 6 + [0] * 4, "promise 2: another, and nobody is told"


@in_virtual_time
async def test_a_flood_in_the_name_of_buttons_does_not_ring_for_each():
    """A sensor's password, and every button's name: the first lane is for panics (promise 2)."""
    broker, door, known = FakeBroker(), FakeDoor(), registry()
    names = [f"b-{number}" for number in range(40)]
    more = {DeviceId(name): device(name, DeviceKind.BUTTON, BADGE, zone_id="204") for name in names}
    known = replace(known, devices={**known.devices, **more})
    async with running(broker, door, registry=known, triggers=[PLAIN]):
        for name in names:
            for _ in range(3):
                broker.publish(f"halo/{name}", b'{"action": "hold"}')
        await asyncio.sleep(1)
    play = Play(known, site_id=DISTRICT)
    for event in [event for each in door.arrivals for event in route(known, each)]:
        play.do(event)
    assert len(play.news()) == 4, "three by name, and one of all the others"


def test_of_a_badge_whose_press_is_refused_people_read_where_it_was_heard():
    play = Play(site_id=DISTRICT)
    play.arrive("walker", "hold", heard_by=DeviceId("gw-oak"), never_press=True)
    (told,) = {each.text for each in play.news()}
    assert "pressed near OAK ELEM Rm 118" in told, "nobody knows where to go"
    assert "UNKNOWN" not in told, "it is known, and not known"
    assert "its sources.mqtt trigger" in told
    assert 'If real, add "wearable" to its kinds' in told


@in_virtual_time
async def test_where_it_is_registered_as_a_gateway_nobody_is_told_to_register_it():
    known = of_kind(DeviceKind.GATEWAY, "H10")
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door, registry=known, triggers=[PLAIN, {"topic": "all/+", "decoder": "press_json"}]):
        broker.publish("halo/H10", b'{"action": "press"}')
        broker.publish("all/H10", b'{"action": "press"}')
        await asyncio.sleep(1)
    play = Play(replace(registry(), devices=known.devices), site_id=DISTRICT)
    for event in [event for each in door.arrivals for event in route(known, each)]:
        play.do(event)
    for told in play.news():
        assert "egister it" not in told.text, "it is registered"
        assert "orrect its row in devices.csv" in told.text, "what to do is not said"
    assert len(play.state.troubles) == 2


@in_virtual_time
async def test_a_press_that_is_refused_says_nothing_of_how_its_button_publishes():
    """A sensors' bridge spoke in its name: who looked at the button's settings found nothing."""
    broker, door, known = FakeBroker(), FakeDoor(), of_kind(DeviceKind.BUTTON, "button-2")
    async with running(broker, door, registry=known, triggers=[PLAIN]):
        broker.publish("halo/button-2", b'{"action": "press"}', qos=0)
        await asyncio.sleep(1)
    assert not [each.key for each in door.events if isinstance(each, TroubleRaised)], "the button's settings are blamed"


@in_virtual_time
async def test_a_button_whose_press_is_refused_is_alive_and_not_tested():
    _, door, _ = await desk_button(SHORT)
    (sign,) = [sign for sign, *_ in door.check_ins]
    assert sign.alive, "its battery is looked at, and it is well"
    assert sign.battery is not None
    assert not sign.pressed, "it counts as tested, and its press calls nobody"
    assert "refused" in [what for _, what in door.observed]


@in_virtual_time
async def test_what_a_sensor_says_there_is_heard_and_a_button_where_anybody_may_speak():
    broker, door = FakeBroker(), FakeDoor()
    anybodys = {"topic": "all/+", "decoder": "press_json", "kinds": ["button", "sensor"]}
    known = of_kind(DeviceKind.SENSOR, "vape-1")
    known = replace(known, devices={**known.devices, **of_kind(DeviceKind.BUTTON, "button-2").devices})
    async with running(broker, door, registry=known, triggers=[PLAIN, anybodys]):
        broker.publish("halo/vape-1", b'{"action": "vape"}')
        broker.publish("all/button-2", b'{"action": "press"}')
        await asyncio.sleep(1)
    assert [[each.device_id for each in arrival.signals] for arrival in door.arrivals] == [["vape-1"], ["button-2"]]


@pytest.mark.parametrize("kind", [None, DeviceKind.GATEWAY], ids=["unregistered", "a gateway"])
@in_virtual_time
async def test_whoever_is_not_registered_there_presses_nothing_and_is_told_of_once(kind: DeviceKind | None):
    """A HALO that has no row yet rang for each of its vapes: "A press that paged NOBODY"."""
    broker, door = FakeBroker(), FakeDoor()
    known = of_kind(kind, "H10") if kind else of_kind(DeviceKind.SENSOR, "H11")
    anybodys = {"topic": "all/+", "decoder": "press_json"}
    async with running(broker, door, registry=known, triggers=[PLAIN, anybodys]):
        for seq in (1, 2):
            broker.publish("halo/H10", json.dumps({"action": "press", "seq": seq, "boot": "b"}).encode())
        broker.publish("all/H10", b'{"action": "press", "seq": 2, "boot": "b"}')
        await asyncio.sleep(1)
    vape, again, press = [event for arrival in door.arrivals for event in route(known, arrival)]
    play = Play(site_id=vape.site_id)
    for each in (vape, again):
        play.do(each)
    (told,) = play.news()
    assert told.lane is not Lane.PANIC, "nobody presses there, and it rings"
    assert "Not a press: H10 speaks where sensors do" in told.text
    play.do(press)
    assert [each.lane for each in play.news()] == [Lane.PANIC], "promise 2: there anybody may press"


def halo_says(word: str) -> bytes:
    return json.dumps({"event": {"ID": word, "Status": "true"}}).encode()


async def heard(*said: tuple[str, str]) -> list[Event]:
    """What HALOs of which no row tells say, one after the other."""
    broker, door, known = FakeBroker(), FakeDoor(), of_kind(DeviceKind.SENSOR, "H0")
    async with running(broker, door, registry=known, triggers=[HALO]):
        for name, word in said:
            broker.publish(f"halo/{name}/event", halo_says(word))
        await asyncio.sleep(1)
    return [event for arrival in door.arrivals for event in route(known, arrival)]


def acknowledge_all(play: Play) -> None:
    for key in [*play.state.troubles]:
        play.do(TroubleAcknowledged(site_id=DISTRICT, cause=CauseId(key), key=key, by="Ruiz"))


@in_virtual_time
async def test_somebody_who_looked_after_one_unregistered_sensor_is_told_of_the_next():
    """More than three are one trouble: after one acknowledgement nobody heard of any other."""
    events = await heard(*((f"H{n}", "Vape") for n in (1, 2, 3, 4, 5, 5, 6, 6)))
    play = Play(site_id=DISTRICT)
    for event in events[:5]:
        play.do(event)
    assert ["One of more than 3" in each.text for each in play.news()] == [False] * 3 + [True]
    for event in events[4:]:
        acknowledge_all(play)
        play.do(event)
    told = play.news()
    assert [next(h for h in ("H4", "H5", "H6") if h in each.text) for each in told] == ["H5", "H6"], "once each"


@pytest.mark.parametrize("word", ["Gunshot", "Keyword", "Help"])
@in_virtual_time
async def test_a_shot_or_a_cry_that_an_unregistered_sensor_hears_is_told_each_time_after_somebody_looked(word: str):
    events = await heard(("H1", "Vape"), ("H1", word), ("H1", word), ("H1", word), ("H1", "Vape"))
    play = Play(site_id=DISTRICT)
    vape, shot, flood, later, vape_again = events
    play.do(vape)
    play.news()
    for event in (shot, flood):
        play.do(event)
    told = play.news()
    says = "and pages NOBODY (it is not in the registry). Register it."
    assert [says in each.text for each in told] == [True], "a shot, and nobody is told"
    assert told[0].lane is not Lane.PANIC
    acknowledge_all(play)
    play.wait(60)
    play.do(later)
    assert len(play.news()) == 1, "another shot, and nobody is told"
    play.do(vape_again)
    assert not play.news()


@pytest.mark.parametrize("word", ["Gunshot", "Vape"])
@in_virtual_time
async def test_of_what_an_unregistered_sensor_says_only_the_policys_own_people_are_told(word: str):
    (event,) = await heard(("H1", word))
    play = Play(registry(policy("trouble", Step(targets=(group("nobody"),)))), site_id=DISTRICT)
    play.do(event)
    assert play.state.troubles
    assert play.said() == [], "req 70: what comes of sensors was told to everybody"


@in_virtual_time
async def test_a_shot_that_a_broker_has_kept_is_told_once_and_not_with_each_connection():
    broker, door, known = FakeBroker(), FakeDoor(), of_kind(DeviceKind.SENSOR, "H0")
    async with running(broker, door, registry=known, triggers=[HALO]):
        for _ in range(2):
            broker.publish("halo/H1/event", halo_says("Gunshot"), retain=True)
        await asyncio.sleep(1)
    play = Play(site_id=DISTRICT)
    told = 0
    for event in [event for arrival in door.arrivals for event in route(known, arrival)]:
        play.do(event)
        told += len(play.news())
        acknowledge_all(play)
    assert told == 1, "it is told with each connection"


@in_virtual_time
async def test_a_buttons_row_in_a_message_costs_no_alarm_of_a_sensor_and_presses_nothing():
    """A panel whose rows are a sensor's, but one: the sensor is heard, wherever it stands in the message."""
    panel, broker, door = "24e1240000000201", FakeBroker(), FakeDoor()
    known = registry_of([f"{panel}:{n}" for n in (1, 2, 3)], "milesight-ws156")
    kinds = {f"{panel}:2": DeviceKind.BUTTON}
    rows = {id_: replace(each, kind=kinds.get(id_, DeviceKind.SENSOR)) for id_, each in known.devices.items()}
    known = replace(known, devices=rows)
    trigger = {"topic": "application/#", "decoder": "profiles", "options": {"source": "chirpstack-v4"}}
    said = json.dumps(
        {"deviceInfo": {"devEui": panel}, "fPort": 85, "object": {"button_1": 1, "button_2": 1, "button_3": 1}}
    ).encode()
    async with running(broker, door, registry=known, triggers=[trigger | {"kinds": ["sensor"]}]):
        broker.publish(f"application/7f3c/device/{panel}/event/up", said)
        await asyncio.sleep(1)
    events = [event for arrival in door.arrivals for event in route(known, arrival)]
    heard = [event.signal.device_id for event in events if isinstance(event, Pressed)]
    assert heard == [f"{panel}:1", f"{panel}:3"], "a sensor's password pressed a button, or an alarm is lost over it"
    play = Play(site_id=DISTRICT)
    for event in events:
        if not isinstance(event, Pressed):
            play.do(event)
    assert [each.lane for each in play.news()] == [Lane.PANIC], "promise 2: it may be a press, and rings nobody"


@in_virtual_time
async def test_that_a_button_no_longer_calls_rings_nobody_where_nobody_presses():
    broker, door, known = FakeBroker(), FakeDoor(), of_kind(DeviceKind.BUTTON, "button-2")
    over = json.dumps({"event": {"ID": "Help", "Status": "false"}}).encode()
    async with running(broker, door, registry=known, triggers=[HALO]):
        broker.publish("halo/button-2/event", over)
        await asyncio.sleep(1)
    assert "refused" not in [what for _, what in door.observed], "its end is taken for a press"
    events = [event for arrival in door.arrivals for event in route(known, arrival)]
    assert [event.signal.ends for event in events if isinstance(event, Pressed)] == [True], "it is lost, or a press"
    assert len(events) == 1
