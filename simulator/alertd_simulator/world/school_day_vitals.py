"""Who lives on a day, and who falls silent: heartbeats of the watched devices, and the last wills of their gateway.

Owns the odds. Draws from a stream of its own, so that nothing else of the day depends on it.
"""

from collections.abc import Iterator
from random import Random

from alertd.model.registry import Registry
from alertd.model.site import DeviceKind
from alertd_simulator.world.plan import Link, SignsOfLife

DIES_SHARE, DIES_EARLY = 0.3, 0.6
"""Of the watched devices so many fall silent; within so much of the day, so that there is time to miss them."""
GATEWAY_SHARE, RETURNS_SHARE = 0.3, 0.6
LOW_SHARE = 0.2


def vitals_of(random: Random, registry: Registry, *, until_s: float) -> list[SignsOfLife | Link]:
    return [*_lives(random, registry, until_s), *_links(random, registry, until_s)]


def _lives(random: Random, registry: Registry, until_s: float) -> Iterator[SignsOfLife]:
    for device in registry.devices.values():
        if not device.check_in_s:
            continue
        begins_s = round(random.uniform(0.0, 30.0), 3)
        dies = random.random() < DIES_SHARE
        lasts_s = random.uniform(0.0, until_s * DIES_EARLY) if dies else until_s
        battery = random.randrange(3, 20) if random.random() < LOW_SHARE else random.randrange(40, 100)
        is_gateway = device.kind is DeviceKind.GATEWAY
        yield SignsOfLife(
            at_s=begins_s,
            device=device.id,
            lasts_s=round(lasts_s, 3),
            every_s=60.0,
            battery=None if is_gateway else battery,
        )


def _links(random: Random, registry: Registry, until_s: float) -> Iterator[Link]:
    gateways = {device.gateway: None for device in registry.devices.values() if device.gateway is not None}
    for gateway in gateways:
        if random.random() >= GATEWAY_SHARE:
            continue
        gone_s = random.uniform(60.0, until_s * DIES_EARLY)
        yield Link(at_s=round(gone_s, 3), device=gateway, online=False)
        back_s = gone_s + random.uniform(5.0, 600.0) if random.random() < RETURNS_SHARE else until_s
        if back_s < until_s:
            yield Link(at_s=round(back_s, 3), device=gateway, online=True)
