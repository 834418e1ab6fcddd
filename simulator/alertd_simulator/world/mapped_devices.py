"""Devices of the stated district that can speak as real families do: which, and how they behave.

Owns the choice: by the seed, a share of them does on a day; the others speak plain JSON. Owns the quirks that such
devices have: a server that hands on a frame twice, a counter that begins anew after a flat battery, states that are
said again, a random number in each copy. What they mean is `fleet`'s business.

    devices               family                          what is odd about it
    badge-…  (12)         WS101 behind ChirpStack         one message for all gateways; copies
    timeless-…  (5)       Shelly, first generation        a small counter, said again; it begins anew, and says so
    button-…-N  (7)       Shelly, second generation       three messages a push; the time is the identity
    zb-…, zbs-…  (8)      Zigbee2MQTT through a profile   the bridge's time is the identity
    zbs-elm-…  (1)        an alarm panel (ring-mqtt)      a state: said again, and somebody resets it before the next
    aed-…  (3)            Meraki MT30                     each access point; whole seconds
    vape-oak-…  (3)       GS601 behind ChirpStack         bytes
    vape-elm-…  (2)       HALO through a bridge           no identity
"""

from collections.abc import Iterator, Mapping
from random import Random

from msgspec import Struct
from msgspec.structs import replace

from alertd.model.ids import DeviceId
from alertd_simulator.devices import Payload
from alertd_simulator.families.catalogue import families
from alertd_simulator.families.said import Heard, Said
from alertd_simulator.family_speaker import Speaker, placed

SHARE = 0.5
"""Of these devices, on a day of the swarm."""
COPIED, SAID_AGAIN, BEGINS_ANEW = 0.12, 0.2, 0.06
"""Shares of messages: handed on once more by a server; a state that is said again; before which the counter begins
anew."""
COPY_S, AGAIN_S = (0.05, 3.0), (2.0, 8.0)
RSSI = (-110, -40)
ALL_TELL = ("meraki", "loriot", "theengs", "bthome-raw")
"""Sources of which each message of a press tells of it."""


class Kind(Struct, frozen=True, kw_only=True):
    """How one kind of device speaks."""

    family: str
    press: str = "press"
    hold: str = "long_press"
    copies: bool = False
    again: bool = False
    counts_anew: bool = False
    is_whole_seconds: bool = False
    resets: str = ""
    """It stays in its alarm; before the next press somebody takes it out of it, and it says this."""
    speaker: Speaker | None = None
    """In a district of its own: on which topic."""


BADGE = Kind(family="chirpstack-v4/milesight-ws101", copies=True)
SHELLY_1 = Kind(family="shelly-gen1", again=True, counts_anew=True)
SHELLY_2 = Kind(family="shelly")
ZIGBEE = Kind(family="zigbee2mqtt", hold="duress", copies=True)
PANEL = Kind(family="ring", press="duress", hold="duress", again=True, resets="alarm_clear")
MERAKI = Kind(family="meraki", copies=True, is_whole_seconds=True)
GS601 = Kind(family="chirpstack-v4/milesight-gs601", copies=True)
HALO = Kind(family="halo")

KINDS = {
    "badge": BADGE, "timeless": SHELLY_1, "button": SHELLY_2, "zb": ZIGBEE, "zbs": ZIGBEE, "aed": MERAKI,
    "zbs-elm": PANEL, "vape-oak": GS601, "vape-elm": HALO,
}  # fmt: skip
"""By the beginning of the id; the device needs a school and a third part, as those have that the district adds."""
PROFILES = {"badge": "milesight-ws101", "vape-oak": "milesight-gs601"}
"""What the district's devices.csv says; the other families' sources have a profile of their own."""
TRIGGERS = (
    ("application/+/device/+/event/up", "chirpstack-v4"),
    ("shellies/+/input_event/+", "shelly-gen1"),
    ("+/events/rpc", "shelly"),
    ("hall/+", "zigbee2mqtt"),
    ("meraki/v1/mt/+/ble/+/buttonReleased", "meraki"),
    ("halo/+/event", "halo"),
    ("ring/+/alarm/+/info/state", "ring"),
)
"""Topic filters of the district's broker, and their sources."""
ZIGBEE_BASE = "hall"
"""A second Zigbee2MQTT: the first is read by the decoder of that name."""


def kind_of(device_id: str) -> Kind | None:
    parts = device_id.split("-")
    if len(parts) < 3 or parts[1] not in ("oak", "elm"):
        return None
    return KINDS.get(f"{parts[0]}-{parts[1]}") or KINDS.get(parts[0])


def profile_of(device_id: str) -> str:
    """For devices.csv."""
    parts = device_id.split("-")
    if kind_of(device_id) is None:
        return ""
    return PROFILES.get(f"{parts[0]}-{parts[1]}") or PROFILES.get(parts[0], "")


class MappedDevices:
    """`messages` of one press or report, with how long after it each is published."""

    def __init__(self, seed: float, share: float, own: Mapping[str, Kind] | None = None) -> None:
        """`own`: devices that speak so on every day, whatever the share is."""
        self._seed = seed
        self._share = share
        self._own = own or {}
        self._numbers: dict[str, int] = {}
        self._last: dict[str, int] = {}

    def kind(self, device_id: DeviceId) -> Kind | None:
        """How the device speaks on this day; `None`: plainly."""
        if device_id in self._own:
            return self._own[device_id]
        kind = kind_of(device_id) if self._share else None
        if kind is None or Random(f"{self._seed}:family of {device_id}").random() >= self._share:
            return None
        return kind

    def topic(self, kind: Kind, device_id: str) -> str:
        family = families()[kind.family]
        return _on_its_topic(kind, family.maker(Said(device=device_id, act=family.press, at_us=0))[-1]).topic

    def say(
        self, kind: Kind, said: Said, random: Random, heard_by: tuple[str, ...], *, is_last: bool = True
    ) -> Iterator[tuple[float, Payload, bool]]:
        """Seconds after it was said, the message, and whether it is the one that tells of it (a press is more than one
        message in some families). `is_last`: of its gesture; only the newest state is said again."""
        if kind.counts_anew and self._numbers.get(said.device, 0) > 1 and random.random() < BEGINS_ANEW:
            yield from self._begin_anew(kind, said)
        if kind.resets and said.device in self._numbers:
            yield 0.0, _on_its_topic(kind, families()[kind.family].maker(replace(said, act=kind.resets))[-1]), False
        number = self._numbers[said.device] = self._numbers.get(said.device, 0) + 1
        heard = tuple(Heard(gateway=each, rssi=random.randrange(*RSSI)) for each in heard_by)
        said = replace(said, number=number, heard=heard, quirk=random.randrange(256))
        if kind.is_whole_seconds:
            said = replace(said, at_us=self._second_of_its_own(said))
        *before, last = families()[kind.family].maker(said)
        for each in before:
            yield 0.0, _on_its_topic(kind, each), families()[kind.family].source in ALL_TELL
        last = _on_its_topic(kind, last)
        yield 0.0, last, True
        if kind.copies and random.random() < COPIED:
            yield random.uniform(*COPY_S), last, True
        if kind.again and is_last and random.random() < SAID_AGAIN:
            yield random.uniform(*AGAIN_S), last, True

    def _begin_anew(self, kind: Kind, said: Said) -> Iterator[tuple[float, Payload, bool]]:
        """After a flat battery the counter stands at nothing, and the device says so. (One that stood at one before
        could begin anew without anybody knowing, if that message were lost: so it is in the family.)"""
        self._numbers[said.device] = 0
        for each in families()[kind.family].maker(replace(said, act="none", number=0)):
            yield 0.0, _on_its_topic(kind, each), False

    def _second_of_its_own(self, said: Said) -> int:
        """Nobody presses such a button twice in a second; a gesture that was drawn so is taken apart."""
        second = max(said.at_us // 1_000_000, self._last.get(said.device, 0) + 1)
        self._last[said.device] = second
        return second * 1_000_000


def kind_as(speaker: Speaker) -> Kind:
    """How a device of any district speaks: without quirks, which stories tell of themselves."""
    acts = speaker.family.acts
    press = "press" if "press" in acts else speaker.family.press
    hold = next((act for act in ("long_press", "hold", "duress") if act in acts), press)
    return Kind(family=speaker.family.name, press=press, hold=hold, speaker=speaker)


def _on_its_topic(kind: Kind, payload: Payload) -> Payload:
    if kind.speaker is not None:
        return placed(payload, kind.speaker)
    if payload.topic.startswith("zigbee2mqtt/"):
        return replace(payload, topic=f"{ZIGBEE_BASE}/{payload.topic.partition('/')[2]}")
    return payload
