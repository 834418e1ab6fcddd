"""Who presses what in a stated day. Owns clusters, gestures and the ways in which a badge is heard.

A day is made of clusters, because that is how it happens: one room presses, seconds later a second one, somebody
presses again because nothing seems to follow, and the same minutes at the other school are quiet or are not. Clusters
also leave long silences, in which escalations run and a simulated day costs little. Few and large ones, in each of
which most people have the same in mind: their presses meet in few incidents, and each of those meets more.

    after the first press of a cluster   weight
    another room of the same school         3    1-25 s later
    another button of the same room         4    1-25 s later
    the same device again                   7    15-120 s later (an echo, or a new cry)
    a badge of the same school              3    1-40 s later, mostly where the others press
    a device of the other school            1    0-30 s later

Gestures: of a wall button once 7, three 3, eight 7, hold 3; of a badge once 3, three 8, eight 7, hold 2: people who
carry one all day were taught three and eight. In a cluster that is a threat (2 of 5) who would press once or three
times mostly presses eight times or holds, in any other cluster it is the other way round.
"""

from collections.abc import Iterator
from random import Random

from msgspec import Struct

from alertd.model.incident import IncidentClass
from alertd.model.registry import Registry
from alertd.model.site import Device, DeviceKind
from alertd_simulator.world.plan import Gesture, Press, SensorReport

CLUSTERS_MIN, CLUSTERS_MAX = 3, 5
MORE_PRESSES = 3
"""A day has so many more than it must, at most."""
THREAT_SHARE, OF_ONE_MIND_SHARE = 0.4, 0.75
QUIET_S = 12.0
"""One device never begins a gesture earlier than this after the last: two would be counted as one."""
LAST_PRESS_S = 60.0
"""Before the faults heal."""
WALL_GESTURES = (7, 3, 7, 3)
BADGE_GESTURES = (3, 8, 7, 2)
GRAVE, LESSER = (
    {Gesture.ONCE: Gesture.HOLD, Gesture.THREE: Gesture.EIGHT},
    {Gesture.HOLD: Gesture.ONCE, Gesture.EIGHT: Gesture.THREE},
)
"""What becomes of a gesture where most have the same in mind."""
NOT_HEARD, HEARD_ELSEWHERE, HEARD_ELSEWHERE_ROVER, HEARD_TWICE = 0.06, 0.1, 0.5, 0.45
"""Shares of badge presses: by no gateway, at another school (home badges; rovers), by two gateways."""
HELD_BACK, RETAINED = 0.06, 0.04
SAME_PLACE_SHARE = 0.6
"""Of badge presses: heard by the gateway that hears most of the cluster."""


class Mood(Struct, frozen=True, kw_only=True):
    """What the presses of a cluster have in common."""

    threat: bool
    place: dict[str, str]
    """The gateway near which most of it happens, for each school."""


class Yard:
    """The devices of both schools, and when each is pressed."""

    def __init__(self, random: Random, registry: Registry) -> None:
        self.random = random
        devices = tuple(registry.devices.values())
        triggers = (DeviceKind.BUTTON, DeviceKind.WEARABLE)
        self._triggers: dict[str, list[Device]] = {}
        self._gateways: dict[str, list[str]] = {}
        for device in devices:
            if device.kind in triggers:
                self._triggers.setdefault(device.site_id, []).append(device)
            elif device.kind is DeviceKind.GATEWAY:
                self._gateways.setdefault(device.site_id, []).append(device.id)
        self.sites = tuple(sorted(self._triggers))
        self._taken: dict[str, list[float]] = {}
        self._away: set[str] = set()
        """Badges that were heard at another school. One that no gateway names afterwards is there as likely as at home,
        and whether alertd still knows of it depends on when it was killed: nobody could say what is right."""

    def any_of(self, site: str, *, badge: bool | None = None) -> Device | None:
        """`badge`: only wearables, or only what hangs on a wall."""
        found = self._triggers[site]
        wanted = [d for d in found if badge is None or (d.kind is DeviceKind.WEARABLE) is badge]
        return self.random.choice(wanted) if wanted else None

    def mood(self) -> Mood:
        threat = self.random.random() < THREAT_SHARE
        place = {site: self.random.choice(gateways) for site, gateways in sorted(self._gateways.items())}
        return Mood(threat=threat, place=place)

    def room_mate(self, device: Device) -> Device | None:
        """Another button of that room."""
        on_walls = [d for d in self._triggers[device.site_id] if d.kind is DeviceKind.BUTTON]
        mates = [d for d in on_walls if d.zone_id == device.zone_id and d is not device]
        return self.random.choice(mates) if mates else None

    def take(self, device: Device, at_s: float) -> bool:
        """May the device be pressed then? If so, it is."""
        taken = self._taken.setdefault(device.id, [])
        if any(abs(at_s - other) < QUIET_S for other in taken):
            return False
        taken.append(at_s)
        return True

    def press(self, device: Device, at_s: float, number: int, mood: Mood) -> Press:
        is_badge = device.kind is DeviceKind.WEARABLE
        gesture = self.random.choices(tuple(Gesture), BADGE_GESTURES if is_badge else WALL_GESTURES)[0]
        if self.random.random() < OF_ONE_MIND_SHARE:
            gesture = (GRAVE if mood.threat else LESSER).get(gesture, gesture)
        held_back = self.random.random() < HELD_BACK
        return Press(
            at_s=round(at_s, 3),
            name=f"p{number}",
            device=device.id,
            gesture=gesture,
            heard_by=self._heard_by(device, mood) if is_badge else (),
            retain=self.random.random() < RETAINED,
            held_back_s=round(self.random.uniform(5, 150), 1) if held_back else 0.0,
        )

    def _heard_by(self, device: Device, mood: Mood) -> tuple[str, ...]:
        if self.random.random() < NOT_HEARD and device.id not in self._away:
            return ()
        elsewhere = HEARD_ELSEWHERE_ROVER if device.roaming_sites else HEARD_ELSEWHERE
        site: str = device.site_id
        if self.random.random() < elsewhere:
            site = self.random.choice([other for other in self.sites if other != site])
            self._away.add(device.id)
        times = 2 if self.random.random() < HEARD_TWICE else 1
        gateways = self._gateways.get(site, [])
        heard = self.random.sample(gateways, min(times, len(gateways)))
        place = mood.place.get(site)
        if place is not None and place not in heard and self.random.random() < SAME_PLACE_SHARE:
            heard[0] = place
        return tuple(heard)


def presses_of(random: Random, registry: Registry, *, until_s: float, at_least: int) -> tuple[Press, ...]:
    """The presses of a day, in time."""
    yard = Yard(random, registry)
    clusters = random.randrange(CLUSTERS_MIN, CLUSTERS_MAX + 1)
    presses = at_least + random.randrange(MORE_PRESSES + 1)
    width_s = (until_s - LAST_PRESS_S) / clusters
    sites = random.sample(yard.sites, len(yard.sites))  # each has a cluster of its own
    pressed: list[tuple[float, Device, Mood]] = []
    for cluster in range(clusters):
        begins_s = width_s * cluster + random.uniform(10, width_s * 0.4)
        size = presses // clusters + (cluster < presses % clusters)
        mood = yard.mood()
        site = sites[cluster] if cluster < len(sites) else random.choice(sites)
        pressed += [(at_s, device, mood) for at_s, device in _cluster(yard, site, begins_s, size)]
    pressed.sort(key=lambda each: each[0])
    return tuple(yard.press(device, at_s, number, mood) for number, (at_s, device, mood) in enumerate(pressed, start=1))


def _cluster(yard: Yard, site: str, begins_s: float, presses: int) -> Iterator[tuple[float, Device]]:
    first: Device | None = None
    made = 0
    while made < presses:
        at_s, device = _next(yard, site, begins_s, first)
        if device is None or not yard.take(device, at_s):
            continue
        first = first or device
        made += 1
        yield at_s, device


def _next(yard: Yard, site: str, begins_s: float, first: Device | None) -> tuple[float, Device | None]:
    random = yard.random
    if first is None:
        return begins_s, yard.any_of(site)
    match random.choices(("room", "mate", "again", "badge", "elsewhere"), (3, 4, 7, 3, 1))[0]:
        case "room":
            return begins_s + random.uniform(1, 25), yard.any_of(site, badge=False)
        case "mate":
            return begins_s + random.uniform(1, 25), yard.room_mate(first)
        case "again":
            return begins_s + random.uniform(15, 120), first
        case "badge":
            return begins_s + random.uniform(1, 40), yard.any_of(site, badge=True)
        case _:
            other = random.choice([each for each in yard.sites if each != site] or [site])
            return begins_s + random.uniform(0, 30), yard.any_of(other)


def reports_of(random: Random, registry: Registry, *, until_s: float) -> tuple[SensorReport, ...]:
    """What sensors say: a few words, and on every other day a storm of one of them."""
    sensors = [device for device in registry.devices.values() if device.kind is DeviceKind.SENSOR]
    reports = []
    for number in range(1, random.randrange(2, 7)):
        sensor = random.choice(sensors)
        action = random.choices((IncidentClass.VAPE, IncidentClass.MASKING, IncidentClass.TAMPER), (4, 1, 1))[0]
        storm = number == 1 and random.random() < 0.5
        reports.append(
            SensorReport(
                at_s=round(random.uniform(5, until_s - 120), 2),
                name=f"s{number}",
                device=sensor.id,
                action=str(action),
                times=random.randrange(20, 80) if storm else 1,
                every_s=round(random.uniform(0.05, 1.0), 2),
            )
        )
    return tuple(reports)
