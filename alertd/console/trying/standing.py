"""Which devices are tried out now: in every list in which somebody looks whether the buttons work.

Owns how that is said. Must never call one live that may be in test.
"""

from collections.abc import Iterable

from msgspec import Struct

from alertd.console.backend import Backend
from alertd.console.naming import read
from alertd.console.views import clock_time
from alertd.engine.device_tests import over_us
from alertd.model.device_memory import DeviceTest
from alertd.model.ids import DeviceId
from alertd.model.registry import Registry


class InTest(Struct, frozen=True, kw_only=True):
    """One device whose presses page nobody now."""

    device: str
    label: str
    by: str
    incident_class: str
    until_local: str
    """At the latest: it is over as soon as nobody watches it any more."""
    words: str


def in_test(tests: Iterable[tuple[DeviceId, DeviceTest]], registry: Registry, now_us: int) -> tuple[InTest, ...]:
    """Each device once, though it may be tried out at several sites."""
    running = {device_id: test for device_id, test in tests if now_us < over_us(test)}
    return tuple(_view(device_id, test, registry) for device_id, test in sorted(running.items()))


async def every_test(backend: Backend) -> tuple[InTest, ...]:
    """Also of other nodes: from the store."""
    found = await read(backend.store.read_device_tests)
    tests = ((memory.device_id, memory.test) for _, memory in found if memory.test is not None)
    return in_test(tests, backend.registry(), backend.clock.now().wall_us)


def _view(device_id: DeviceId, test: DeviceTest, registry: Registry) -> InTest:
    device = registry.devices.get(device_id)
    until = clock_time(registry, device.site_id, test.ends_us) if device is not None else ""
    return InTest(
        device=device_id,
        label=device.label if device is not None else "",
        by=test.by,
        incident_class=test.incident_class.value,
        until_local=until,
        words=f"in TEST by {test.by}, until {until} at the latest: up to {test.incident_class} it pages nobody",
    )
