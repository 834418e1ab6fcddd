"""What people read of devices that are silent, gateways that are gone, batteries that are low, cases that are open."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from alertd.daemon.device_records import Record
from alertd.engine.places import name
from alertd.model.registry import Registry
from alertd.model.site import Device, DeviceKind

NAMED_MAX = 3
"""Devices that a text names; the rest is a number, and `alertd devices list` has them."""
DAY_US = 20 * 3600 * 1_000_000
"""A time of day that lies further back needs its date."""


def silent(records: Sequence[Record], registry: Registry, now_us: int) -> str:
    """Of devices that are missed, in the order in which they were."""
    if len(records) == 1:
        record = records[0]
        called = name(record.device, registry)
        if not record.silent:
            heard = _when(record.seen_wall_us, record.device, registry, now_us)
            return f"{called} comes and goes, heard last at {heard}. Look at its power and network."
        cure = "Look at its power and network." if _is_sensor(record.device) else "Go and press it."
        return f"{called} {_since(record, registry, now_us)}. {cure}"
    named = "; ".join(_named(record, registry) for record in records[:NAMED_MAX])
    more = f" and {len(records) - NAMED_MAX} more" if len(records) > NAMED_MAX else ""
    return f"{len(records)} devices are silent: {named}{more}. One cause? Power, network, gateway."


def _named(record: Record, registry: Registry) -> str:
    return f"{name(record.device, registry)}{'' if record.silent else ' comes and goes'}"


def gateway(record: Record, below: int, registry: Registry, now_us: int) -> str:
    deaf = (
        f"{below} device{'' if below == 1 else 's'} below it cannot be heard"
        if below
        else "no device names it as its gateway"
    )
    since = f"{name(record.device, registry)} {_since(record, registry, now_us)}"
    return f"{since}: {deaf}. Look at its power and network."


def gateway_back(record: Record, registry: Registry, now_us: int) -> str:
    """Of one that was gone before, and is not trusted yet."""
    at = _when(now_us, record.device, registry, now_us)
    return f"{name(record.device, registry)} comes and goes, there again since {at}. Look at its power and network."


def battery(records: Sequence[Record], registry: Registry) -> str:
    """The emptiest first."""
    emptiest = sorted(records, key=lambda record: -1 if record.battery_pct is None else record.battery_pct)
    named = "; ".join(f"{name(record.device, registry)}{_pct(record)}" for record in emptiest[:NAMED_MAX])
    more = f" and {len(records) - NAMED_MAX} more" if len(records) > NAMED_MAX else ""
    return f"Low batter{'y' if len(records) == 1 else 'ies'}: {named}{more}. Change within days."


def tampered(device: Device, registry: Registry) -> str:
    cure = "Look at it." if _is_sensor(device) else "Look at it, then press it."
    return f"{name(device, registry)} is opened, moved or taken down, it says. {cure}"


def _is_sensor(device: Device) -> bool:
    """Nobody presses it."""
    return device.kind is DeviceKind.SENSOR


def _since(record: Record, registry: Registry, now_us: int) -> str:
    if record.offline_us is not None:
        return f"went offline at {_when(record.offline_wall_us, record.device, registry, now_us)}"
    if not record.seen_wall_us:
        return f"was never heard since {_when(record.known_wall_us, record.device, registry, now_us)}"
    return f"is silent since {_when(record.seen_wall_us, record.device, registry, now_us)}"


def _when(at_us: int, device: Device, registry: Registry, now_us: int) -> str:
    site = registry.sites.get(device.site_id)
    local = datetime.fromtimestamp(at_us / 1_000_000, ZoneInfo(site.time_zone if site else "UTC"))
    return local.strftime("%H:%M" if abs(now_us - at_us) < DAY_US else "%a %d %b %H:%M")


def _pct(record: Record) -> str:
    return "" if record.battery_pct is None else f" {record.battery_pct} %"
