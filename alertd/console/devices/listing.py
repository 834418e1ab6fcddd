"""How the registered devices are: when each was last heard and pressed, its battery, and which of them need a human.

Owns what each list means. Reads memory only, but for which are in test; what is not known yet (alertd was just started)
is said as such.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from alertd.console.backend import Backend
from alertd.console.naming import find_site
from alertd.console.trying.standing import every_test
from alertd.console.views import iso
from alertd.model.check_in import DeviceStanding
from alertd.model.ids import DeviceId
from alertd.model.registry import Registry
from alertd.model.site import Device, DeviceKind

DAY_US = 24 * 3600 * 1_000_000
AT_ONCE = 500
"""Devices; about two milliseconds."""
NEVER_HEARD, NEVER_TESTED, SILENT, LOW_BATTERY, TAMPERED, QOS0, NO_WINDOW = (
    "never_heard", "never_tested", "silent", "low_battery", "tampered", "qos0", "no_window",
)  # fmt: skip

LISTS: Mapping[str, Callable[[Device, DeviceStanding], bool]] = MappingProxyType(
    {
        NEVER_HEARD: lambda _device, standing: not standing.last.seen_us,
        NEVER_TESTED: lambda device, standing: device.kind is not DeviceKind.GATEWAY and not standing.last.pressed_us,
        SILENT: lambda _device, standing: standing.silent or standing.behind is not None,
        LOW_BATTERY: lambda _device, standing: standing.last.battery_low,
        TAMPERED: lambda _device, standing: standing.tampered,
        QOS0: lambda _device, standing: standing.last.qos == 0,
        NO_WINDOW: lambda _device, standing: not standing.window_s,
    }
)
"""What can be asked for; a device is shown that is in all of them."""


class Wanted(Struct, frozen=True, kw_only=True):
    lists: tuple[str, ...] = ()
    site: str | None = None
    untested_days: int | None = None
    """Not pressed for so long, or never (req 13)."""


class DeviceLine(Struct, frozen=True, kw_only=True):
    id: str
    label: str
    kind: str
    site: str
    where: str
    heard: str | None
    """ISO 8601 at the site; `None`: never, as far as alertd knows."""
    pressed: str | None
    window_s: int
    silent: bool
    behind: str | None
    """The gateway that is gone, and behind which it cannot be heard."""
    heard_by: str | None
    battery_pct: int | None
    battery_low: bool
    mains: bool
    tampered: bool
    """It says that it is opened, moved or taken down."""
    qos: int | None
    in_test: str | None
    """By whom and until when, in words: its presses page nobody. `None`: it is live."""


async def device_list(backend: Backend, wanted: Wanted) -> bytes:
    """JSON, in the order of the registry. Of 100,000 devices it takes half a second, in which presses come: whatever
    waits has its turn after each `AT_ONCE`."""
    registry, now_us = backend.registry(), backend.clock.now().wall_us
    site_id = find_site(backend, wanted.site) if wanted.site is not None else None
    ids = [each.id for each in registry.devices.values() if site_id in (None, each.site_id)]
    tests = {each.device: each.words for each in await every_test(backend)}
    found: list[bytes] = []
    for first in range(0, len(ids), AT_ONCE):
        some = ids[first : first + AT_ONCE]
        if lines := list(_lines(backend, registry, some, wanted, now_us)):
            lines = [replace(line, in_test=tests[line.id]) if line.id in tests else line for line in lines]
            found.append(msgspec.json.encode(lines)[1:-1])
        await asyncio.sleep(0)
    return b'{"devices":[%b]}' % b",".join(found)


def _lines(
    backend: Backend, registry: Registry, ids: Sequence[DeviceId], wanted: Wanted, now_us: int
) -> Iterator[DeviceLine]:
    for standing in backend.device_standings(ids):
        device = registry.devices[standing.last.device_id]
        untested = wanted.untested_days is None or _untested(device, standing, now_us - wanted.untested_days * DAY_US)
        if untested and all(LISTS[name](device, standing) for name in wanted.lists):
            yield _line(registry, device, standing)


def _untested(device: Device, standing: DeviceStanding, before_us: int) -> bool:
    return device.kind is not DeviceKind.GATEWAY and standing.last.pressed_us < before_us


def _line(registry: Registry, device: Device, standing: DeviceStanding) -> DeviceLine:
    last, zone = standing.last, registry.zones.get(device.zone_id) if device.zone_id is not None else None
    return DeviceLine(
        id=device.id,
        label=device.label,
        kind=device.kind.value,
        site=device.site_id,
        where=zone.short if zone is not None else "",
        heard=iso(registry, device.site_id, last.seen_us) if last.seen_us else None,
        pressed=iso(registry, device.site_id, last.pressed_us) if last.pressed_us else None,
        window_s=standing.window_s,
        silent=standing.silent,
        behind=standing.behind,
        heard_by=last.heard_by,
        battery_pct=last.battery_pct,
        battery_low=last.battery_low,
        mains=last.mains,
        tampered=standing.tampered,
        qos=last.qos,
        in_test=None,
    )
