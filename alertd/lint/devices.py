"""Devices: does every press say where, and does each thing it can say have a policy?"""

from alertd.config import Thing
from alertd.engine.gestures import IGNORED, PRESS
from alertd.lint.findings import Judge, classes_of, reaches
from alertd.model.ids import PersonId, SiteId
from alertd.model.incident import SEVERITY, IncidentClass, Severity, is_panic
from alertd.model.site import Device, DeviceKind, Gestures

PRESSED = (DeviceKind.BUTTON, DeviceKind.WEARABLE)
DOUBTFUL_LOCKDOWN_PRESSES = 3
"""Fewer presses than this lock a school down by accident."""


def check_devices(judge: Judge) -> None:
    heard_at = {device.site_id for device in judge.registry.devices.values() if _hears(device)}
    if not judge.registry.devices and not judge.unread(Thing.DEVICE, Thing.SITE, Thing.ZONE):
        remedy = "write a row for each button and badge"
        judge.warn(Thing.DEVICE, "", "", "there is no device, so no press can arrive", remedy)
    for device in judge.registry.devices.values():
        _check_place(judge, device, heard_at)
        _check_wearer(judge, device)
        _check_policies(judge, device)
        if device.kind is DeviceKind.SENSOR:
            _check_sensor(judge, device)
    kinds: dict[str, Gestures] = {d.gestures.id: d.gestures for d in judge.registry.devices.values()}
    for gestures in kinds.values():
        _check_gestures(judge, gestures)
    if not judge.unread(Thing.GESTURES):
        pressed = {d.gestures.id: d for d in judge.registry.devices.values() if d.kind in PRESSED}
        for name, device in pressed.items():
            if (Thing.GESTURES, name) in judge.loaded.places:  # a row that names none there is refused already
                _check_calls(judge, device)


def _hears(device: Device) -> bool:
    return device.kind is DeviceKind.GATEWAY and device.zone_id is not None


def _check_place(judge: Judge, device: Device, heard_at: set[SiteId]) -> None:
    """Never blank (req 5), never a wearable's home room as if it were there."""
    if judge.unread(Thing.DEVICE, Thing.SITE, Thing.ZONE):
        return
    if device.kind is not DeviceKind.WEARABLE:
        if device.zone_id is None:
            message = f"{device.kind} {device.id} has no zone: nobody would know where to go"
            judge.error(Thing.DEVICE, device.id, "zone", message, "write the zone where it hangs")
        return
    if device.zone_id is not None:
        message = f"wearable {device.id} has a fixed zone, but its wearer walks about"
        judge.error(
            Thing.DEVICE, device.id, "zone", message, "leave zone empty; a gateway's zone says where it was heard"
        )
    for site_id in reaches(device):
        if site_id not in heard_at:
            message = f"wearable {device.id} has no place at {site_id}: no gateway with a zone could hear it there"
            remedy = f"register a gateway with a zone at {site_id} in devices.csv"
            judge.error(Thing.DEVICE, device.id, "zone", message, remedy)


def _check_wearer(judge: Judge, device: Device) -> None:
    wearer = judge.registry.people.get(PersonId(device.assigned_to or ""))
    if wearer is not None and device.site_id not in wearer.sites:
        message = f"{wearer.name} does not work at {device.site_id}"
        judge.warn(Thing.DEVICE, device.id, "assigned_to", message, "correct the sites of the person, or of the device")


def _check_policies(judge: Judge, device: Device) -> None:
    if judge.unread(Thing.POLICY):
        return
    for site_id in reaches(device):
        site = judge.registry.sites.get(site_id)
        for incident_class in classes_of(device):
            if site is not None and incident_class not in site.policies:
                message = f"{device.id} can raise {incident_class}, for which {site_id} has no policy"
                remedy = f'add {incident_class} = "…" under [policies] of sites/{site_id}.toml'
                judge.error(Thing.DEVICE, device.id, "gestures", message, remedy)


def _check_sensor(judge: Judge, device: Device) -> None:
    """A sensor alone never sounds a panic: sensors can be fooled (req 70, 71)."""
    for incident_class in classes_of(device):
        if is_panic(IncidentClass(incident_class)):
            message = f"sensor {device.id} alone would raise {incident_class}"
            judge.error(Thing.DEVICE, device.id, "gestures", message, "use a sensor class, and let a human decide")


def _check_calls(judge: Judge, device: Device) -> None:
    """Who presses calls. Not an error: a device that is all ignored may be one that presses by itself."""
    gestures = device.gestures
    if not classes_of(device):
        message = f"whoever presses {device.id} calls nobody: no word of it means anything"
    elif gestures.presses and gestures.actions.get(PRESS) == IGNORED:
        message = f"presses of {device.id} are not counted: {PRESS} is ignored"
    else:
        return
    remedy = f'write presses = {{ 1 = "staff_assist" }}, and nothing about "{PRESS}" in actions'
    judge.warn(Thing.GESTURES, gestures.id, f"{gestures.id}.actions", message, remedy)


def _check_gestures(judge: Judge, gestures: Gestures) -> None:
    """Presses count upward: more of them never mean less."""
    severity = Severity.NUISANCE
    for count, incident_class in sorted(gestures.presses.items()):
        its = SEVERITY[IncidentClass(incident_class)]
        if its < severity:
            message = f"{count} presses mean {incident_class}, which is less than fewer presses mean"
            judge.error(
                Thing.GESTURES, gestures.id, f"{gestures.id}.presses", message, "let severity rise with the count"
            )
        if incident_class == IncidentClass.LOCKDOWN and count < DOUBTFUL_LOCKDOWN_PRESSES:
            message = f"{count} press{'es' if count > 1 else ''} would lock a school down: accidents will"
            remedy = f"ask for {DOUBTFUL_LOCKDOWN_PRESSES} or more, or for a hold"
            judge.warn(Thing.GESTURES, gestures.id, f"{gestures.id}.presses", message, remedy)
        severity = max(severity, its)
