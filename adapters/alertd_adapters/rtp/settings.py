"""What a `[channels.NAME]` section of plugin `pa_rtp` may say. Owns the checks of single values; opens no socket.

Whether the interface is an address of this machine is not asked here but by the probe: `alertd check` must work on the
machine of whoever writes the configuration.
"""

from collections.abc import Mapping
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from alertd.model.blocked_numbers import blocked
from alertd.ports import SettingsError, read_settings
from alertd_adapters.rtp.pacer import Group
from alertd_adapters.rtp.speech import FLITE_VOICES
from alertd_adapters.rtp.tones import why_refused

Codec = Literal["g711u", "g722"]
Words = Annotated[str, Meta(min_length=1, max_length=500)]
FileName = Annotated[str, Meta(min_length=1, max_length=500)]
Groups = Annotated[tuple[str, ...], Meta(max_length=64)]

MULTICAST = IPv4Network("224.0.0.0/4")
UNFIT = (
    (IPv4Network("224.0.0.0/24"), "is kept for routing protocols, and no router passes it on"),
    (IPv4Network("224.0.1.0/24"), "is assigned to other protocols (224.0.1.1 is the time, 224.0.1.129 clocks)"),
    (IPv4Network("232.0.0.0/8"), "needs receivers that ask for one source (SSM), which loudspeakers cannot"),
)
PORTS = (1024, 65534)


class ZoneSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One loudspeaker zone."""

    groups: Annotated[Groups, Meta(min_length=1)]
    """Multicast groups, "239.192.4.2:5004"."""
    emergency_groups: Groups = ()
    """Groups to which its receivers give the highest priority. RTP has none: it is set on each receiver."""
    codec: Codec = "g711u"


class AnnouncementSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is said: a recording, or words to be spoken; and how often. Words beside a recording are what it says, for
    the timeline and for `alertd check`."""

    tone: str = "chime"
    words: Words | None = None
    recording: FileName | None = None
    drill_words: Words | None = None
    """Said in a drill instead, between the marks."""
    drill_recording: FileName | None = None
    times: Annotated[int, Meta(ge=1, le=5)] = 2


class MarkSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Recordings of the marks; each that is missing is spoken: "This is a drill.", "This is a test.", "This is not a
    drill. The drill is over."."""

    drill: FileName | None = None
    test: FileName | None = None
    over: FileName | None = None


class PaSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    interface: str
    """IPv4 address of the network card that the loudspeakers hang on."""
    zones: Annotated[dict[str, ZoneSettings], Meta(min_length=1, max_length=500)]
    announcements: Annotated[dict[str, AnnouncementSettings], Meta(max_length=100)] = {}
    marks: MarkSettings = MarkSettings()
    speech: str = "espeak-ng"
    """espeak-ng, flite, or the file of a piper voice."""
    voice: Annotated[str, Meta(max_length=40, pattern=r"^[A-Za-z0-9_+-]*$")] = ""
    """The speech program's own name of a voice; empty: American English."""
    words_per_minute: Annotated[int, Meta(ge=80, le=300)] = 150
    ttl: Annotated[int, Meta(ge=1, le=255)] = 16
    """Routers that a packet may pass. One more than needed harms nobody inside a district, one fewer is silence."""
    dscp: Annotated[int, Meta(ge=0, le=63)] = 46
    """Expedited forwarding (RFC 3246): the class in which voice travels."""
    loopback: bool = False
    """Programs on this very machine hear it too: for a rehearsal."""
    live_words_deadline_s: Annotated[float, Meta(gt=0, le=10)] = 3.0
    concurrent: Annotated[int, Meta(ge=1, le=200)] = 20
    deadline_s: Annotated[float, Meta(gt=0, le=30)] = 5.0


_BY_FOLDER = {"zones": ZoneSettings, "announcements": AnnouncementSettings, "marks": MarkSettings}


def parse_settings(table: Mapping[str, Any]) -> PaSettings:
    """Raises `SettingsError` that names the key."""
    settings = read_settings(table, PaSettings, _unknown)
    _check_interface(settings)
    _check_speech(settings)
    for name, announcement in settings.announcements.items():
        _check_announcement(f"announcements.{name}", announcement)
    _check_zones(settings.zones)
    return settings


def read_group(key: str, text: str) -> Group:
    """Address and port of a group. Raises `SettingsError`."""
    host, colon, port_text = text.rpartition(":")
    try:
        address = IPv4Address(host)
    except AddressValueError:
        what = "is no IPv4 address and port" if colon else "lacks its port"
        raise SettingsError(key, f"{text!r} {what}: write it like 239.192.4.2:5004") from None
    if address not in MULTICAST:
        raise SettingsError(key, f"{host} is no multicast address: use one of your own, 239.192.0.0 to 239.195.255.255")
    for network, why in UNFIT:
        if address in network:
            raise SettingsError(key, f"{host} {why}: use one of your own, 239.192.0.0 to 239.195.255.255")
    if not (port_text.isascii() and port_text.isdecimal() and PORTS[0] <= int(port_text) <= PORTS[1]):
        raise SettingsError(key, f"{text!r}: the port must be an even number from {PORTS[0]} to {PORTS[1]}")
    if int(port_text) % 2:
        raise SettingsError(
            key,
            f"{text!r}: the port must be even; the odd one above it belongs to RTCP, and some receivers use it:"
            f" write {host}:{int(port_text) - 1}, and leave two between groups",
        )
    return str(address), int(port_text)


def _unknown(where: str) -> str:
    struct = _BY_FOLDER.get(where.partition("[")[0].partition(".")[0], PaSettings)
    return f"is not a setting here; known: {', '.join(struct.__struct_fields__)}"


def _check_interface(settings: PaSettings) -> None:
    try:
        address = IPv4Address(settings.interface)
    except AddressValueError:
        message = "must be the IPv4 address of the network card that the loudspeakers hang on, like 192.0.2.10"
        raise SettingsError("interface", f"{settings.interface!r} is none: it {message}") from None
    if address.is_unspecified or address.is_multicast:
        raise SettingsError("interface", f"{address} is no address of a network card: pin the one of the loudspeakers")
    if address.is_loopback and not settings.loopback:
        why = "is this machine alone, which no loudspeaker hears; for a rehearsal say loopback = true as well"
        raise SettingsError("interface", f"{address} {why}")


def _check_speech(settings: PaSettings) -> None:
    speech, voice = settings.speech, settings.voice
    if speech == "flite" and voice and voice not in FLITE_VOICES:
        raise SettingsError("voice", f"{voice!r} is no voice of flite; use one of {', '.join(FLITE_VOICES)}")
    if speech not in {"espeak-ng", "flite"} and not (speech.startswith("/") and speech.endswith(".onnx")):
        known = 'use "espeak-ng", "flite", or the absolute path of a piper voice (….onnx)'
        raise SettingsError("speech", f"{speech!r} is no speech program that is known here: {known}")


def _check_announcement(key: str, announcement: AnnouncementSettings) -> None:
    if why := why_refused(announcement.tone):
        raise SettingsError(f"{key}.tone", why)
    if announcement.words is None and announcement.recording is None:
        raise SettingsError(key, "say what is heard: words, or a recording (a WAV file)")
    if announcement.recording is None or announcement.drill_recording is not None:
        return
    if announcement.drill_words is not None:
        raise SettingsError(
            f"{key}.drill_words", "stands beside a recording: give a drill_recording, by the same voice"
        )


def _check_zones(zones: Mapping[str, ZoneSettings]) -> None:
    """A group has one codec and one rank: a receiver is told once what it means."""
    ranks: dict[Group, tuple[str, str, Codec]] = {}
    for name, zone in zones.items():
        if why := blocked(name):
            raise SettingsError(f"zones.{name}", f"reads like a number to dial: {why}; choose another name")
        if not name or not name.isprintable():
            raise SettingsError(f"zones.{name}", "has no name that could be read")
        seen: set[Group] = set()
        for field, texts in (("groups", zone.groups), ("emergency_groups", zone.emergency_groups)):
            key = f"zones.{name}.{field}"
            for text in texts:
                group = read_group(key, text)
                if group in seen:
                    raise SettingsError(key, f"{text} stands twice in this zone: it would be sent twice, in pieces")
                seen.add(group)
                other, rank, codec = ranks.setdefault(group, (name, field, zone.codec))
                if rank != field:
                    raise SettingsError(key, f"{text} is in the {rank} of zone {other}: emergencies need their own")
                if codec != zone.codec:
                    raise SettingsError(key, f"{text} speaks {codec} in zone {other}, {zone.codec} here: use one codec")
