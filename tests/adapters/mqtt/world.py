"""One mqtt source on a fake broker, running in virtual time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

from alertd.model.registry import Registry
from alertd.ports import Built, HttpRequest, HttpResponse, Resuming, Surroundings
from alertd_adapters.mqtt import plugin
from alertd_simulator.virtual_time import VirtualClock
from tests.adapters.mqtt.fake_broker import FakeBroker, FakeDoor

SETTINGS: Mapping[str, Any] = {
    "host": "broker.example",
    "client_id": "alertd-oak",
    "triggers": [{"topic": "alertd/press/+"}],
}
SECRETS = {"MQTT_PASSWORD": "correct horse"}


class NoHttp:
    async def send(self, request: HttpRequest, *, timeout_s: float) -> HttpResponse:
        raise AssertionError("an MQTT source speaks no HTTP")


def build(
    broker: FakeBroker | None,
    clock: VirtualClock | Any,
    *,
    state_dir: Path | None = None,
    registry: Registry | None = None,
    registry_now: Callable[[], Registry | None] | None = None,
    **settings: Any,
) -> Built:
    surroundings = Surroundings(
        clock=clock,
        http=NoHttp(),
        secret=SECRETS.__getitem__,
        registry=registry_now or (lambda: registry),
        extra={"mqtt_broker": broker, "random": Random(1), "state_dir": state_dir},
    )
    return plugin.build("oak", {**SETTINGS, **settings}, surroundings)


class World:
    def __init__(self, broker: FakeBroker, door: FakeDoor, clock: VirtualClock, built: Built) -> None:
        self.broker, self.door, self.clock = broker, door, clock
        assert built.source is not None
        self.source = built.source
        self.feedback = built.feedback

    def press(self, device: str = "badge-1", payload: bytes = b'{"action":"press"}', **how: Any) -> None:
        self.broker.publish(f"alertd/press/{device}", payload, **how)


@asynccontextmanager
async def running(
    broker: FakeBroker,
    door: FakeDoor,
    *,
    state_dir: Path | None = None,
    registry: Registry | None = None,
    **settings: Any,
) -> AsyncIterator[World]:
    """The source runs, is connected and has seen its own sign of life. Leaving stops it, as the daemon does."""
    clock = broker.clock = broker.clock or VirtualClock()  # the world's time goes on while the daemon is stopped
    world = World(broker, door, clock, build(broker, clock, state_dir=state_dir, registry=registry, **settings))
    assert isinstance(world.source, Resuming)
    world.source.resume(door.standing)
    task = asyncio.create_task(world.source.run(door))
    await asyncio.sleep(0.1)
    try:
        yield world
    finally:
        task.cancel()
        await asyncio.wait([task])
        broker.drop("the daemon stopped")
        assert task.cancelled(), task.exception()
