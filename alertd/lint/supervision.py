"""Supervision: does every gateway that is named exist, and can anything be heard of what must be heard?"""

from collections.abc import Iterator, Mapping
from typing import Any

from alertd.config import Loaded, Section, Thing
from alertd.config.problems import did_you_mean
from alertd.lint.findings import Judge
from alertd.model.ids import DeviceId
from alertd.model.site import DeviceKind
from alertd.plugins import PluginError, find_profiles

DEEP = 4
"""Gateways behind gateways, as far as alertd looks."""


def check_supervision(judge: Judge) -> None:
    if judge.unread(Thing.DEVICE):
        return
    gateways = {d.id for d in judge.registry.devices.values() if d.kind is DeviceKind.GATEWAY}
    for device in judge.registry.devices.values():
        if device.gateway is None:
            continue
        if device.gateway not in gateways:
            message = f'"{device.gateway}" is no registered gateway'
            judge.error(Thing.DEVICE, device.id, "gateway", message, did_you_mean(device.gateway, gateways))
        elif _ends_nowhere(judge, device.id):
            message = f"gateways hang below each other in a ring, or more than {DEEP} deep"
            judge.error(Thing.DEVICE, device.id, "gateway", message, "write what each really hangs below")
    for section in judge.loaded.sections:
        for key, name in _named(section):
            if name not in gateways:
                message = f'"{name}" is no registered gateway: nobody would learn that it is gone'
                remedy = did_you_mean(name, gateways) if gateways else "write a row of kind gateway in devices.csv"
                where = f"{section.table}.{section.name}.{key}"
                judge.error_at(section.file, section.line_of(key.partition("[")[0]), where, message, remedy)


def unwatched(loaded: Loaded) -> dict[str, int]:
    """How many devices of each kind have no check-in window: as far as their row and their profile say, nobody would
    notice if one died (req 2). A profile that reads it without being named may know better (docs/supervision.md)."""
    try:
        windows = find_profiles().check_in_s(loaded.profile_tables)
    except PluginError:  # said by `check_profiles`
        windows = {}
    found = dict.fromkeys((kind.value for kind in DeviceKind), 0)
    for device in loaded.registry.devices.values():
        seconds = windows.get(device.profile, 0) if device.check_in_s is None else device.check_in_s
        found[device.kind.value] += not seconds
    return {kind: count for kind, count in found.items() if count}


def _ends_nowhere(judge: Judge, device_id: DeviceId) -> bool:
    devices = judge.registry.devices
    for _ in range(DEEP + 1):
        above = devices[device_id].gateway if device_id in devices else None
        if above is None:
            return False
        device_id = above
    return True


def _named(section: Section) -> Iterator[tuple[str, str]]:
    """Gateways that the options of triggers name."""
    for table in ("triggers", "telemetry"):
        entries = section.settings.get(table)
        for index, each in enumerate(entries if isinstance(entries, list) else ()):
            options: Any = each.get("options") if isinstance(each, Mapping) else None
            gateway = options.get("gateway") if isinstance(options, Mapping) else None
            if isinstance(gateway, str) and gateway:
                yield f"{table}[{index}].options.gateway", gateway
