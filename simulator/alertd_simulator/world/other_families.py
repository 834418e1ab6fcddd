"""Devices of the stated district that speak as any other family does: one of each at both schools.

Owns which there are, what is odd about them, and who is one of them on a day: some of its pressing devices are, by the
seed, another one in the same hand. What they say is `families`' business, what it means `fleet`'s. LoRaWAN devices
stand behind whatever network server the seed draws for each.

Left out are families that nobody can press (GS301, LDS02, LT-501 …), those that `mapped_devices` has, and Sparkplug B,
whose presses mean nothing without the births before them: a simulated node would have to answer what alertd asks it.
"""

from collections.abc import Collection, Iterator, Sequence
from random import Random

from msgspec import Struct
from msgspec.structs import replace

from alertd.model.ids import DeviceId
from alertd.model.registry import Registry
from alertd.model.site import DeviceKind
from alertd_simulator.families.catalogue import profile_of
from alertd_simulator.families.servers import SERVERS
from alertd_simulator.world.mapped_devices import Kind
from alertd_simulator.world.plan import Press

INSTEAD_SHARE = 0.2
"""Of the devices that are pressed on a day."""
SITES = ("oak", "elm")


class Other(Struct, frozen=True, kw_only=True):
    """A family, and how a device of it is registered."""

    ids: tuple[str, str]
    """At the schools, as the family calls them."""
    source: str = ""
    """"": any network server."""
    profile: str = ""
    """"": the source's own."""
    gestures: str = "wall-button"
    press: str = "press"
    hold: str = ""
    """"": pressed long, it says what it says when it is pressed."""
    copies: bool = False
    resets: str = ""

    @property
    def is_worn(self) -> bool:
        return self.gestures == "badge"

    def kind(self, server: str) -> Kind:
        family = f"{self.source or server}/{self.profile}" if self.profile else self.source
        hold = self.hold or self.press
        return Kind(family=family, press=self.press, hold=hold, copies=self.copies, resets=self.resets)


def _lora(profile: str, *, press: str = "press", hold: str = "", resets: str = "", worn: bool = False) -> Other:
    return Other(
        ids=(f"{profile}-oak", f"{profile}-elm"), profile=profile, gestures="badge" if worn else "wall-button",
        press=press, hold=hold, copies=True, resets=resets,
    )  # fmt: skip


def _own(source: str, *, hold: str = "", press: str = "press", copies: bool = False, resets: str = "") -> Other:
    return Other(
        ids=(f"{source}-oak", f"{source}-elm"), source=source, press=press, hold=hold, copies=copies, resets=resets
    )


OTHERS = (
    _lora("abeeway-at2", press="duress", resets="duress_clear", worn=True),
    _lora("abeeway-at3", press="duress", resets="duress_clear", worn=True),
    _lora("rak2171", press="duress", resets="duress_clear", worn=True),
    _lora("sensecap-t1000", hold="duress", worn=True),
    _lora("moko-lw004", press="duress", worn=True),
    _lora("milesight-ws101", hold="long_press", worn=True),
    _lora("milesight-ws156"),
    _lora("netvox-button", press="duress"),
    _lora("dragino-pb01"),
    _lora("browan-tbpb100"),
    _lora("tektelic-finch", press="duress", resets="heartbeat"),
    _own("tasmota", hold="hold"),
    Other(ids=("zbkey-oak", "zbkey-elm"), source="tasmota", profile="tasmota-zigbee"),
    _own("esphome", resets="release"),
    Other(ids=("oak:desk", "elm:desk"), source="home-assistant", hold="long_press"),
    _own("homie", hold="long_press"),
    _own("axis", resets="release"),
    _own("aws-button", hold="long_press", copies=True),
    _own("smart-click"),
    _own("nrf-tracker", copies=True),
    _own("safesignal", press="duress", copies=True),
    Other(ids=("oak:strip", "elm:strip"), source="zwave-js-ui", gestures="panel", hold="duress", copies=True),
    Other(ids=("bthome-oak", "bthome-elm"), source="theengs", profile="bthome-theengs", hold="hold", copies=True),
    Other(ids=("bluetooth-oak", "bluetooth-elm"), source="bthome-raw", hold="hold", copies=True),
    Other(ids=("5550101", "5550102"), source="theengs", profile="fixed-code-433"),
    Other(ids=("paradox", ""), source="paradox-pai", gestures="panel", press="duress"),
    Other(ids=("", "alarmo"), source="alarmo", gestures="panel", press="alarm", resets="disarm"),
)
PANEL = {
    "presses": {1: "staff_assist"},
    "actions": {
        "duress": "duress", "alarm": "duress", "police": "duress", "medical": "medical", "fire": "fire",
        "release": "ignore",
    },
    "window_s": 10,
}  # fmt: skip
"""Gestures of what has keys of several kinds."""
TRIGGERS = (
    ("v3/+/devices/+/up", "tts-v3"),
    ("loriot/uplink/+", "loriot"),
    ("mqtt/things/+/uplink", "thingpark"),
    ("uplink/+", "milesight-gateway"),
    ("stat/+/RESULT", "tasmota"),
    ("tele/+/SENSOR", "tasmota"),
    ("+/binary_sensor/+/state", "esphome"),
    ("oak/+/state", "home-assistant"),
    ("elm/+/state", "home-assistant"),
    ("homie/5/+/+/action", "homie"),
    ("axis/+/event/#", "axis"),
    ("1click/+", "aws-button"),
    ("smartclick/+/events", "smart-click"),
    ("+/messages", "nrf-tracker"),
    ("safesignal/+/+/alerts/trigger", "safesignal"),
    ("zwave/+/+/+/+/+/+", "zwave-js-ui"),
    ("home/+/BTtoMQTT/+", "theengs"),
    ("home/+/433toMQTT", "theengs"),
    ("ble/+/+/fcd2", "bthome-raw"),
    ("paradox/events/raw", "paradox-pai"),
    ("alarmo/state", "alarmo"),
)
"""Topic filters of the district's broker, and their sources; ChirpStack's is among `mapped_devices`'."""
BY_ID = {device: other for other in OTHERS for device in other.ids if device}


def rows(rooms: dict[str, Sequence[str]]) -> Iterator[str]:
    """Of devices.csv, with what its profile is. `rooms`: zones of each school."""
    for site, index in zip(SITES, (0, 1), strict=True):
        for number, other in enumerate(OTHERS):
            if device := other.ids[index]:
                kind, label, zone = ("wearable", "badge", "")
                if not other.is_worn:
                    kind, label, zone = ("button", "button", rooms[site][number % len(rooms[site])])
                profile = other.profile or profile_of(other.source)
                yield f"{device},{kind},{site},{zone},{other.gestures},{label},,,{profile}"


def others_of(seed: int) -> dict[str, Kind]:
    """How each of them speaks on this day."""
    servers = tuple(SERVERS)
    return {id_: each.kind(Random(f"{seed}:server of {id_}").choice(servers)) for id_, each in BY_ID.items()}


def without(registry: Registry) -> Registry:
    """The district whose days are drawn, before some of its devices are of another family."""
    fields = {name: getattr(registry, name) for name in registry.__struct_fields__}
    return Registry(**fields | {"devices": {id_: each for id_, each in registry.devices.items() if id_ not in BY_ID}})


def in_other_hands(
    random: Random, registry: Registry, presses: Sequence[Press], drilled: Collection[str]
) -> tuple[Press, ...]:
    """The same presses; some devices are one of another family, at the same school and of the same kind. `drilled`:
    those that keep their place. Who presses for several schools does, too."""
    free = {
        (site, worn): [each.ids[at] for each in OTHERS if each.ids[at] and each.is_worn is worn]
        for at, site in enumerate(SITES)
        for worn in (False, True)
    }
    instead: dict[str, str] = {}
    for device in dict.fromkeys(press.device for press in presses):
        known = registry.devices[DeviceId(device)]
        others = free[known.site_id, known.kind is DeviceKind.WEARABLE]
        if random.random() < INSTEAD_SHARE and others and not known.roaming_sites and device not in drilled:
            instead[device] = random.choice(others)
            others.remove(instead[device])
    return tuple(replace(press, device=instead.get(press.device, press.device)) for press in presses)
