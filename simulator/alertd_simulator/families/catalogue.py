"""Which families can be played, what each can say, and which cannot be played and why.

A family is a source and a device profile over it. LoRaWAN devices are one family over every network server.
"""

from collections.abc import Iterator
from functools import cache, partial

from msgspec import Struct

from alertd_adapters.decoders.mapping.library import built_in
from alertd_simulator.devices import Payload
from alertd_simulator.families import bridges, wifi
from alertd_simulator.families.lorawan import DEVICES, uplink
from alertd_simulator.families.said import Maker, Said
from alertd_simulator.families.servers import SERVERS

NOT_PLAYED = {
    "brave": "its server posts over HTTP; there is no MQTT message of it",
    "verkada": "it posts a webhook; there is no MQTT message of it",
    "meshtech": "only its heartbeat is documented, no button",
    "minew": "only the gateway's own message is documented; what a pressed beacon sends is not",
}
"""Sources of which no press could be played truly."""
NOT_SAID = {
    "globalsat-lt501": "its maker has published no bytes of its help report: it can only say where it is",
    "moko-lw004": "from the tables of its manual; nobody here has heard a real one",
    "meraki-mt30": "assembled from its documentation",
    "ring-panel": "the panic button itself says nothing: what is played is its panel",
    "halo": "HALO speaks HTTP or TCP to a bridge: what is played is its template, as a bridge would publish it",
    "alarmo": "its state does not tell a panic from a burglary",
}
"""Profiles of which something is missing, or not sure."""
PRESSES = ("press", "duress", "long_press", "hold", "medical", "fire", "police", "alarm", "vape", "tamper")
"""What a family is played with if nobody says what: the first that it can say."""


class Family(Struct, frozen=True, kw_only=True):
    source: str
    profile: str
    """"": the source's own."""
    acts: tuple[str, ...]
    maker: Maker

    @property
    def name(self) -> str:
        return f"{self.source}/{self.profile}" if self.profile else self.source

    @property
    def press(self) -> str:
        """What it is played with; "": it has no press."""
        return next((act for act in PRESSES if act in self.acts), "")

    @property
    def doubt(self) -> str:
        return NOT_SAID.get(self.profile or profile_of(self.source), "")


def profile_of(source: str) -> str:
    """The source's own profile."""
    found = built_in().sources.get(source)
    return found.profile if found is not None else ""


@cache
def families() -> dict[str, Family]:
    """By name: "chirpstack-v4/milesight-ws101", "shelly"."""
    return {family.name: family for family in sorted(_all(), key=lambda each: each.name)}


def _all() -> Iterator[Family]:
    for source in SERVERS:
        for profile, forms in DEVICES.items():
            maker = partial(_over_a_server, source, profile)
            yield Family(source=source, profile=profile, acts=tuple(forms), maker=maker)
    for (source, profile), (own, acts) in (*wifi.MAKERS.items(), *bridges.MAKERS.items()):
        yield Family(source=source, profile=profile, acts=acts, maker=own)


def _over_a_server(source: str, profile: str, said: Said) -> list[Payload]:
    return SERVERS[source](said, uplink(profile, said))


def family_of(sources: tuple[str, ...], profile: str) -> Family | None:
    """How a device with this profile can speak over one of these sources; the first that fits."""
    for source in sources:
        found = families().get(f"{source}/{profile}" if profile else source)
        if found is None and profile and profile == profile_of(source):
            found = families().get(source)
        if found is not None:
            return found
    return None
