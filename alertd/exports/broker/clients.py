"""Who is a client of a broker, and what each may say and hear there. From triggers and registry; reads no file.

A device that speaks for itself has a user called like its id, and topics that are its own. A server, bridge or gateway
speaks for many: one user, on their topics. Nobody is given more than the triggers read, with one exception: whoever
has a topic tree of its own (`speaks` of its source profile) has all of it, because devices say more than presses.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from alertd.config import Loaded, Problem, ProblemSeverity, Section, Thing
from alertd.model.canary import CANARY, canary_topic
from alertd.model.ids import DISTRICT, DeviceId, spelled_alike
from alertd.model.registry import Registry
from alertd.model.site import Device, DeviceKind, Gestures
from alertd.plugins import find_decoder
from alertd.ports import SpeakingDecoderPlugin, Surroundings, Voices

CLIENT = "{client}"
DEVICE_FIELD = "{device_id}"
FEEDBACK = f"alertd/feedback/{DEVICE_FIELD}"
ALIVE = "alertd/alive"
DROPPED = "$SYS/broker/publish/messages/dropped"
"""Defaults of an mqtt source's settings."""
NEVER_IN_A_USER = ":"
"""The password file ends a name there."""


class Trigger(Struct, frozen=True, kw_only=True):
    topic: str
    kinds: frozenset[DeviceKind]
    """What speaks there; empty: whatever is registered."""
    voices: Voices

    def takes(self, device: Device) -> bool:
        if self.kinds:
            return device.kind in self.kinds
        return True


class Client(Struct, frozen=True, kw_only=True):
    name: str
    what: str
    """For whoever hands out its password: "button wall button, oak rm-204"."""
    says: tuple[str, ...]
    hears: tuple[str, ...]
    secret: str = ""
    """Alertd and its doctor read their password as this secret; "": somebody has to type it into the device."""


class Clients(Struct, frozen=True, kw_only=True):
    clients: tuple[Client, ...]
    """By name."""
    problems: tuple[Problem, ...]


class _Draft:
    """A client while its rights are gathered."""

    def __init__(self, what: str, secret: str = "") -> None:
        self.what = what
        self.secret = secret
        self.says: set[str] = set()
        self.hears: set[str] = set()


def triggers_of(section: Section, surroundings: Surroundings) -> tuple[Trigger, ...]:
    """Raises `SettingsError` or `PluginError`."""
    return tuple(_trigger(each, surroundings) for each in section.settings.get("triggers", ()))


def lives_of(section: Section, surroundings: Surroundings) -> tuple[Trigger, ...]:
    """Signs of life that a decoder reads; those that are a topic alone, `_telemetry` knows. Raises as `triggers_of`."""
    tables = (each for each in section.settings.get("telemetry", ()) if not isinstance(each, str))
    return tuple(_trigger(each, surroundings) for each in tables)


def _trigger(table: Mapping[str, Any], surroundings: Surroundings) -> Trigger:
    topic, name = _filter(str(table["topic"])), str(table.get("decoder", "press_json"))
    plugin = find_decoder(name)
    if isinstance(plugin, SpeakingDecoderPlugin):
        voices = plugin.voices(topic, table.get("options", {}), surroundings)
    else:
        voices = Voices(name=name, says=(topic,))
    return Trigger(topic=topic, kinds=frozenset(map(DeviceKind, table.get("kinds", ()))), voices=voices)


def _filter(topic: str) -> str:
    return topic.split("/", 2)[-1] if topic.startswith("$share/") else topic


def clients_of(sections: Sequence[Section], loaded: Loaded, surroundings: Surroundings) -> Clients:
    """Of one broker, whose sources these are."""
    sources = [section for section in loaded.sections if section.table == "sources" and section.plugin == "mqtt"]
    every = [trigger for section in sources for trigger in triggers_of(section, surroundings)]
    gathering = _Gathering(loaded, [trigger for trigger in every if DeviceKind.SENSOR in trigger.kinds])
    for section in sections:
        gathering.take(section, triggers_of(section, surroundings), lives_of(section, surroundings))
    return gathering.done()


class _Gathering:
    def __init__(self, loaded: Loaded, for_sensors: Sequence[Trigger]) -> None:
        self._loaded = loaded
        self._for_sensors = for_sensors
        """By name, of any broker."""
        self._registry: Registry = loaded.registry
        self._drafts: dict[str, _Draft] = {}
        self._ours: set[str] = set()
        """Names that no device may have."""
        self._problems: dict[tuple[str, str], Problem] = {}

    def done(self) -> Clients:
        clients = (
            Client(
                name=name,
                what=draft.what,
                says=tuple(sorted(draft.says)),
                hears=tuple(sorted(draft.hears)),
                secret=draft.secret,
            )
            for name, draft in sorted(self._drafts.items())
        )
        return Clients(clients=tuple(clients), problems=tuple(self._problems.values()))

    def take(self, section: Section, presses: Sequence[Trigger], lives: Sequence[Trigger]) -> None:
        settings, triggers = section.settings, (*presses, *lives)
        self._alertd(section, presses, triggers)
        for trigger in triggers:
            if trigger.voices.is_one:
                self._one(trigger.voices, trigger.voices.says)
        for device, secret, what in _probes(settings):
            self._ours.add(device.id)
            self._drafts.setdefault(device.id, _Draft(what, secret))
            self._grant(device.id, device, self._of(device, triggers), settings)
        first_levels = {topic.partition("/")[0] for topic in _own_topics(settings, triggers)} - {"+", "#"}
        for device in self._registry.devices.values():
            mine = self._of(device, triggers)
            self._device(device, mine, settings, first_levels)
            if device.kind is DeviceKind.SENSOR:
                self._warn_of_shared(section, [t for t in mine if t in presses and t.voices.relayed and not t.kinds])
        for trigger in triggers:
            if trigger.voices.relayed:
                self._relaying(trigger, settings)

    def _of(self, device: Device, triggers: Iterable[Trigger]) -> list[Trigger]:
        """Where it speaks for itself. A sensor with a trigger of its own, at whichever broker, speaks there alone."""
        mine = [trigger for trigger in triggers if _speaks_for_itself(device, trigger)]
        if device.kind is DeviceKind.SENSOR and any(_speaks_for_itself(device, each) for each in self._for_sensors):
            return [trigger for trigger in mine if trigger.kinds]
        return mine

    def _warn_of_shared(self, section: Section, shared: Iterable[Trigger]) -> None:
        for trigger in shared:
            where = f"{section.table}.{section.name}.triggers"
            self._problems[where, trigger.topic] = Problem(
                file=section.file,
                line=section.line_of("triggers"),
                key=where,
                message=f"sensors may publish on {trigger.topic}, where people press",
                remedy='give them one of their own: { topic = "alertd/sensor/+", kinds = ["sensor"] }',
                severity=ProblemSeverity.WARNING,
            )

    # --- who ----------------------------------------------------------------------------------------------------------

    def _alertd(self, section: Section, presses: Sequence[Trigger], triggers: Sequence[Trigger]) -> None:
        settings = section.settings
        name = str(settings.get("username", ""))
        self._ours |= {name, CANARY}
        draft = self._drafts.setdefault(name, _Draft("alertd itself", str(settings.get("password_secret", ""))))
        alive = _alive(settings)
        draft.hears.update(trigger.topic for trigger in triggers)
        draft.hears.update(_plain_telemetry(settings))
        draft.hears.update(filter(None, (alive, settings.get("dropped_topic", DROPPED))))
        draft.says.update(
            filter(None, (alive, str(settings.get("feedback_topic", FEEDBACK)).replace(DEVICE_FIELD, "+")))
        )
        draft.says.update(topic for trigger in triggers for topic in trigger.voices.asks)
        if alive:  # the canary: would a press be heard?
            draft.says.update(filter(None, (canary_topic(trigger.topic) for trigger in presses)))

    def _one(self, voices: Voices, says: Iterable[str]) -> None:
        self._ours.add(voices.name)
        draft = self._drafts.setdefault(voices.name, _Draft("speaks for all devices behind it"))
        draft.says.update(says)
        draft.hears.update(topic.replace(CLIENT, "+") for topic in voices.hears)

    def _device(
        self, device: Device, mine: Sequence[Trigger], settings: Mapping[str, Any], first_levels: set[str]
    ) -> None:
        """A device that speaks for itself. One that somebody speaks for is no client."""
        if not mine:
            return
        is_ours = all(trigger.voices.relayed for trigger in mine)
        name = device.id if is_ours else _as_client(device.id)
        wrong = why_no_user(name)
        if not wrong and name in self._ours:
            wrong = f'the name "{name}" is the broker\'s user for something else'
        if not wrong and any(t.startswith(f"{CLIENT}/") for each in mine for t in each.voices.says):
            wrong = f'topics below "{name}" are not its own' if name in first_levels else ""
        if wrong:
            self._refuse(device, wrong)
            return
        self._drafts.setdefault(name, _Draft(_words(device)))
        self._grant(name, device, mine, settings)

    def _grant(self, name: str, device: Device, triggers: Sequence[Trigger], settings: Mapping[str, Any]) -> None:
        draft = self._drafts[name]
        for trigger in triggers:
            if _speaks_for_itself(device, trigger):
                called = device.id if trigger.voices.relayed else name
                draft.says.update(topic.replace(CLIENT, called) for topic in trigger.voices.says)
                draft.hears.update(topic.replace(CLIENT, called) for topic in trigger.voices.hears)
                if trigger.voices.relayed:
                    draft.says.update(_telemetry(settings, device.id))
        draft.hears.update(_feedback(settings, device.id))

    def _relaying(self, trigger: Trigger, settings: Mapping[str, Any]) -> None:
        """Gateways say that they live, and what wearables near them say: those of their site, and who roams there."""
        wearables = [d for d in self._registry.devices.values() if _is_relayed(d) and trigger.takes(d)]
        for gateway in self._registry.devices.values():
            if gateway.kind is not DeviceKind.GATEWAY or gateway.profile or why_no_user(gateway.id):
                continue
            if gateway.id in self._ours:
                self._refuse(gateway, f'the name "{gateway.id}" is the broker\'s user for something else')
                continue
            draft = self._drafts.setdefault(gateway.id, _Draft(_words(gateway)))
            draft.says.update(_telemetry(settings, gateway.id))
            for wearable in wearables:
                if gateway.site_id in (wearable.site_id, *wearable.roaming_sites) and not trigger.voices.is_one:
                    draft.says.update(topic.replace(CLIENT, wearable.id) for topic in trigger.voices.says)
                    draft.says.update(_telemetry(settings, wearable.id))
                    draft.hears.update(_feedback(settings, wearable.id))

    def _refuse(self, device: Device, why: str) -> None:
        place = self._loaded.place(Thing.DEVICE, device.id)
        self._problems[device.id, why] = Problem(
            file=place.file,
            line=place.line,
            key="id",
            message=f"{device.id} gets no user of the broker: {why}",
            remedy="if it connects to the broker by itself, rename it, here and in the device; else leave it as it is",
            severity=ProblemSeverity.WARNING,
        )


def _probes(settings: Mapping[str, Any]) -> Iterator[tuple[Device, str, str]]:
    """Devices that exist for `alertd doctor` alone."""
    for kind, prefix in ((DeviceKind.BUTTON, "doctor"), (DeviceKind.SENSOR, "doctor_sensor")):
        name = settings.get(f"{prefix}_username")
        if isinstance(name, str) and name:
            device = Device(id=DeviceId(name), kind=kind, site_id=DISTRICT, gestures=Gestures(id="none"))
            yield device, str(settings.get(f"{prefix}_password_secret", "")), f"alertd doctor, as a {kind}"


def _speaks_for_itself(device: Device, trigger: Trigger) -> bool:
    voices = trigger.voices
    if voices.is_one or not trigger.takes(device):
        return False
    if voices.clients == "gateways":
        return device.kind is DeviceKind.GATEWAY and not device.profile
    return device.kind is not DeviceKind.GATEWAY and device.profile in voices.profiles


def _is_relayed(device: Device) -> bool:
    return device.kind is DeviceKind.WEARABLE and not device.profile and not why_no_user(device.id)


def _as_client(device_id: str) -> str:
    """The name that a device has in its topics: "hall:2" is button 2 of "hall"."""
    bare = spelled_alike(device_id)
    return bare if NEVER_IN_A_USER in device_id and bare != device_id else device_id.partition(NEVER_IN_A_USER)[0]


def why_no_user(name: str) -> str:
    """The broker's files hold one name a line."""
    if NEVER_IN_A_USER in name:
        return f'its id has "{NEVER_IN_A_USER}" in it, where the broker\'s password file ends a name'
    if not name.isprintable() or name != name.strip() or name[:1] in ("", "#", "$"):
        return "its id cannot stand in the broker's files"
    return ""


def _words(device: Device) -> str:
    place = " ".join((device.site_id, *((device.zone_id or "").removeprefix(f"{device.site_id}:").split())))
    return f"{device.kind} {device.label}, {place}" if device.label else f"{device.kind}, {place}"


# --- topics ---------------------------------------------------------------------------------------------------------


def _alive(settings: Mapping[str, Any]) -> str:
    """By default any name below it: `alertd doctor` sends itself messages there, too."""
    return str(settings.get("alive_topic", f"{ALIVE}/+"))


def _own_topics(settings: Mapping[str, Any], triggers: Sequence[Trigger]) -> Iterator[str]:
    yield _alive(settings)
    yield str(settings.get("feedback_topic", FEEDBACK))
    yield from _plain_telemetry(settings)
    yield from (trigger.topic for trigger in triggers)
    yield from (topic for trigger in triggers if trigger.voices.is_one for topic in trigger.voices.says)


def _telemetry(settings: Mapping[str, Any], name: str) -> Iterator[str]:
    """A filter with one + names the device there."""
    for topic in _plain_telemetry(settings):
        levels = topic.split("/")
        if levels.count("+") == 1 and levels[-1] != "#":
            yield topic.replace("+", name)


def _plain_telemetry(settings: Mapping[str, Any]) -> Iterator[str]:
    return (_filter(each) for each in settings.get("telemetry", ()) if isinstance(each, str))


def _feedback(settings: Mapping[str, Any], device_id: str) -> Iterator[str]:
    topic = str(settings.get("feedback_topic", FEEDBACK))
    if topic:
        yield topic.replace(DEVICE_FIELD, device_id)
