"""Drills of a stated day: who lets whom press what, for how long.

Owns their share and their kinds. A drill is begun before the first press at its school, and pressed for; what comes
then is real: by a device that nobody named, or by one that is pressed again. A few run out, or are ended by hand. No
badge of several schools takes part: alertd would refuse it, and nothing would be drilled.

    of all days    share
    a drill          1/4   at one school, before its first press
    another          1/2   of these days: at any moment, mostly refused because something real is open
    ended by hand    1/3   of these days, at any moment
"""

from collections.abc import Sequence
from random import Random

from msgspec.structs import replace

from alertd.model.ids import DeviceId
from alertd.model.registry import Registry
from alertd.model.site import DeviceKind
from alertd_simulator.world.plan import Gesture, Order, Press
from alertd_simulator.world.school_day_presses import QUIET_S

DRILL_SHARE, ANOTHER_SHARE, ENDED_SHARE = 1 / 4, 1 / 2, 1 / 3
FIRST_TAKES_PART_SHARE = 0.5
"""Of the first real presses, those by a device that takes part."""
MINUTES = (1, 2, 4, 8)
DRILLED = (("lockdown", 6), ("staff_assist", 2), ("medical", 1))
GESTURES = {
    "lockdown": (Gesture.EIGHT, Gesture.HOLD),
    "staff_assist": (Gesture.THREE,),
    "medical": (Gesture.ONCE,),
}
LEAD_S = (15.0, 90.0)
"""A drill is begun so long before the first real press, if the day is old enough."""
PRESSED_AFTER_S = (2.0, 40.0)


def drills_of(random: Random, registry: Registry, presses: Sequence[Press], *, until_s: float) -> list[Order | Press]:
    """Orders at the console, and what is pressed for them; nothing on most days."""
    if random.random() >= DRILL_SHARE:
        return []
    drill = _drill(random, registry, presses)
    deeds: list[Order | Press] = [drill]
    for number, device in enumerate(drill.devices, start=1):
        press = _press(random, registry, drill, device, number)
        alone = all(abs(press.at_s - p.at_s) >= QUIET_S for p in presses if p.device == device)
        if random.random() < 2 / 3 and alone:
            deeds.append(press)
    if random.random() < ANOTHER_SHARE:
        later = _drill(random, registry, presses, site=drill.site)
        deeds.append(replace(later, at_s=round(random.uniform(30, until_s - 60), 1)))
    if random.random() < ENDED_SHARE:
        deeds.append(Order(at_s=round(random.uniform(30, until_s - 60), 1), what="drill_end", site=drill.site))
    return deeds


def _press(random: Random, registry: Registry, drill: Order, device: str, number: int) -> Press:
    gateways = [d.id for d in registry.devices.values() if d.kind is DeviceKind.GATEWAY and d.site_id == drill.site]
    worn = registry.devices[DeviceId(device)].kind is DeviceKind.WEARABLE
    return Press(
        at_s=round(drill.at_s + random.uniform(*PRESSED_AFTER_S), 3),
        name=f"d{number}",
        device=device,
        gesture=random.choice(GESTURES[drill.drilled]),
        heard_by=(random.choice(gateways),) if worn and gateways else (),
    )


def _drill(random: Random, registry: Registry, presses: Sequence[Press], *, site: str = "") -> Order:
    drilled = random.choices([name for name, _ in DRILLED], [weight for _, weight in DRILLED])[0]
    chosen = site or random.choice(sorted({_site(registry, press.device) for press in presses}))
    able = [
        str(device.id)
        for device in registry.devices.values()
        if device.kind in (DeviceKind.BUTTON, DeviceKind.WEARABLE)
        and {chosen} == {device.site_id, *device.roaming_sites}
        and drilled in (*device.gestures.presses.values(), *device.gestures.actions.values())
    ]
    first = next((press for press in presses if _site(registry, press.device) == chosen), presses[0])
    devices = random.sample(able, min(len(able), random.randrange(1, 4)))
    if first.device in able and random.random() < FIRST_TAKES_PART_SHARE and first.device not in devices:
        devices.append(first.device)
    return Order(
        at_s=round(max(1.0, first.at_s - random.uniform(*LEAD_S)), 1),
        what="drill_start",
        site=chosen,
        devices=tuple(devices),
        drilled=drilled,
        minutes=random.choice(MINUTES),
    )


def _site(registry: Registry, device: str) -> str:
    return registry.devices[DeviceId(device)].site_id
