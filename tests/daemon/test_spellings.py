"""A device, and the gateway that heard it, are the same however their address is spelled, whatever decoder read it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from alertd.model.check_in import CheckIn
from alertd.model.events import Arrival, Heard
from alertd.model.ids import DeviceId
from alertd.model.registry import Registry
from alertd.model.site import Device, DeviceKind
from alertd.ports import Understood
from alertd_adapters.decoders.press_json import PressJson
from alertd_simulator.virtual_time import in_virtual_time
from tests.daemon.world import World
from tests.engine.school import BADGE, ELM, OAK, device, registry

LABEL = "0016C001F0ABCDEF"
BADGE_LABEL = "AC23:3F00:0002"
SPELLED = ("0016c001f0abcdef", "00:16:c0:01:f0:ab:cd:ef")


def school(*more: Device) -> Registry:
    """Elm's gateway, and the badge that roams there, are registered as on their labels."""
    known = registry()
    devices = {each.id: each for each in (*known.devices.values(), *more)}
    for name, label in (("gw-elm", LABEL), ("walker", BADGE_LABEL)):
        devices[DeviceId(label)] = replace(devices.pop(DeviceId(name)), id=DeviceId(label))
    return replace(known, devices=devices)


async def living(folder: Path, school_: Registry) -> World:
    world = World(folder, school=school_)
    await world.start()
    return world


def says(world: World, kind: str, device_id: str, payload: str) -> None:
    """A programmable device publishes; press_json reads it."""
    topic = f"alertd/{kind}/{device_id}"
    said: Understood = PressJson(heartbeats=kind == "telemetry").understand(topic, payload.encode())
    if said.signals:
        arrival = Arrival(
            source="broker",
            topic=topic,
            signals=said.signals,
            received_us=world.clock.now().wall_us,
            arrival_id=f"{topic} {payload} {world.clock.now().boot_us}",
        )
        world.source.publish(arrival)
    assert world.source.door is not None
    world.source.door.check_in("broker", said.check_ins)


@pytest.mark.parametrize("spelled", SPELLED)
@in_virtual_time
async def test_promise_6_a_badge_pages_the_school_whose_gateway_heard_it(tmp_path: Path, spelled: str):
    world = await living(tmp_path, school())
    says(world, "press", "0xac233f000002", f'{{"action": "hold", "gateway": "{spelled}"}}')
    await asyncio.sleep(1)

    assert [incident.site_id for incident in world.incidents()] == [ELM], "its home is paged, and nobody where it is"
    (press,) = world.incidents()[0].presses
    assert press.location.short == "Rm 1", "the gateway knows the room"
    await world.stop()


@pytest.mark.parametrize("spelled", SPELLED)
@in_virtual_time
async def test_promise_6_a_badge_is_placed_by_whoever_heard_it_before(tmp_path: Path, spelled: str):
    world = await living(tmp_path, school())
    says(world, "telemetry", "ac233f000002", f'{{"gateway": "{spelled}"}}')
    await asyncio.sleep(1)
    says(world, "press", "AC:23:3F:00:00:02", '{"action": "hold"}')
    await asyncio.sleep(1)

    assert [incident.site_id for incident in world.incidents()] == [ELM], "who heard its beacon is not known"
    await world.stop()


def watched() -> Registry:
    """Ten buttons in Elm; of them and of their gateway something is heard every minute."""
    ten = [device(f"wall-{n}", DeviceKind.BUTTON, BADGE, site=ELM, zone_id="elm-1", check_in_s=60) for n in range(10)]
    known = school(*ten)
    gateway = replace(known.devices[DeviceId(LABEL)], check_in_s=60, label="gateway West")
    return replace(known, devices={**known.devices, gateway.id: gateway})


def words(world: World) -> dict[str, str]:
    return {each.key: each.summary for each in world.store.read_troubles() if each.cleared_us is None}


@pytest.mark.slow
@in_virtual_time
async def test_a_gateway_takes_its_own_with_it(tmp_path: Path):
    """Its network server writes it in small letters, the registry in capitals."""
    world, spelled = await living(tmp_path, watched()), SPELLED[0]
    for number in range(10):
        says(world, "telemetry", f"wall-{number}", f'{{"gateway": "{spelled}"}}')
    says(world, "telemetry", spelled, '{"link": "offline"}')
    await asyncio.sleep(150)

    assert "10 devices below it" in words(world)[f"gateway:{LABEL}"]
    assert not any(key.startswith("silent") for key in words(world)), "each below it is told as silent, too"
    await world.stop()


@pytest.mark.slow
@in_virtual_time
async def test_a_gateway_that_carries_is_not_missed(tmp_path: Path):
    world, spelled = await living(tmp_path, watched()), SPELLED[0]
    says(world, "telemetry", spelled, "{}")
    for _ in range(8):
        says(world, "telemetry", "wall-1", f'{{"gateway": "{spelled}"}}')
        await asyncio.sleep(20)

    assert f"gateway:{LABEL}" not in words(world), "it carries every 20 s, and is told as silent"
    await world.stop()


HEARD_AS: dict[str, dict[str, Any]] = {
    "a number": {"heard_by": 17},
    "by a number": {"heard": (Heard(gateway_id=17),)},  # type: ignore[arg-type]
    "by nothing": {"heard": (None,)},
    "nothing": {"heard": None},
    "by words, as loud": {"heard": (Heard(gateway_id=DeviceId(LABEL), rssi="faint"),)},  # type: ignore[arg-type]
}


@pytest.mark.parametrize("said", HEARD_AS)
@in_virtual_time
async def test_promise_2_a_gateway_of_which_nothing_can_be_made_is_left_out(tmp_path: Path, said: str):
    """A decoder of somebody else's has read it, and says it as such."""
    heard = HEARD_AS[said]
    world = await living(tmp_path, school())
    arrival = world.arrival("badge-elm")
    (signal,) = arrival.signals
    world.source.publish(replace(arrival, signals=(replace(signal, **heard),)))
    await asyncio.sleep(1)
    assert [incident.site_id for incident in world.incidents()] == [ELM], "promise 2: it pages nobody"

    assert world.source.door is not None
    world.source.door.check_in("broker", (CheckIn(device_id=signal.device_id, **heard),))
    await world.stop()


@in_virtual_time
async def test_promise_6_how_well_it_was_heard_may_stand_in_quotes(tmp_path: Path):
    world = await living(tmp_path, school())
    arrival = world.arrival(BADGE_LABEL)
    heard = tuple(
        Heard(gateway_id=DeviceId(name), rssi=rssi)  # type: ignore[arg-type]
        for name, rssi in (("gw-oak", "-92"), (LABEL, "-55"))
    )
    world.source.publish(replace(arrival, signals=tuple(replace(each, heard=heard) for each in arrival.signals)))
    await asyncio.sleep(1)

    assert [incident.site_id for incident in world.incidents()] == [ELM], "promise 2: it pages nobody"
    await world.stop()


@in_virtual_time
async def test_promise_2_a_device_that_is_called_by_a_number_takes_no_press_of_another_along(tmp_path: Path):
    numbered = replace(registry().devices[DeviceId("badge-elm")], id=DeviceId("17"))
    world = await living(tmp_path, school(numbered))
    arrival = world.arrival("badge-204")
    (signal,) = arrival.signals
    other = replace(signal, device_id=17)
    world.source.publish(replace(arrival, signals=(other, signal)))
    await asyncio.sleep(1)

    assert {incident.site_id for incident in world.incidents()} == {ELM, OAK}, "promise 2: it pages nobody"
    await world.stop()
