"""Sources: can a press arrive at all? Who carries which device, and who would throw whom out of the broker."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from msgspec import Struct

from alertd.config import Section, Thing
from alertd.lint.findings import Judge, classes_of
from alertd.model.site import Device
from alertd.model.this_machine import is_this_machine

EVERY_DEVICE = 'triggers = [{ topic = "alertd/press/+" }]'
EXAMPLE = f'write [sources.broker] with plugin = "mqtt", its host, a client_id and {EVERY_DEVICE}'

SIDE = "-side"
"""A source has a second connection, for telemetry and feedback, under its client_id and this."""
PORT, TLS_PORT = 1883, 8883


FORMS = ("/{}", "/{}/action")
"""In which Zigbee2MQTT publishes each press of a device, one after the other."""


class Trigger(Struct, frozen=True):
    """A trigger of a source over MQTT, as far as it can be read."""

    topic: str
    decoder: str
    base_topic: str
    kinds: tuple[str, ...]
    source: str
    """The source profile, of one that reads by profiles."""
    base: str
    """With what its topics begin, as its options say; empty: as the source profile says."""

    @property
    def never_press(self) -> bool:
        """Only such speak here as never press."""
        return bool(self.kinds) and {"sensor", "gateway"}.issuperset(self.kinds)

    def carries(self, device_id: str, kind: str) -> bool:
        """Could a press of this device come in here?"""
        return (not self.kinds or kind in self.kinds) and self.finds(device_id)

    def finds(self, device_id: str) -> bool:
        """Whatever its kind: does it come in here? A third party's decoder may find the device anywhere."""
        match self.decoder:
            case "press_json":
                return self.topic.rpartition("/")[2] in ("+", "#", device_id)
            case "zigbee2mqtt":
                return any(self.hears(form, device_id) for form in FORMS)
            case _:
                return True

    def hears(self, form: str, device_id: str) -> bool:
        """This form of what Zigbee2MQTT says of a device."""
        return covers(self.topic, self.base_topic.rstrip("/") + form.format(device_id))


def check_sources(judge: Judge) -> None:
    if judge.unread(Thing.SOURCE):
        return
    sources = [section for section in judge.loaded.sections if section.table == "sources"]
    if not sources:
        judge.error(Thing.SOURCE, "", "sources", "there is no source, so no press can arrive", EXAMPLE)
        return
    _check_carried(judge, sources)
    _check_twins(judge, sources)
    for section in sources:
        _check_order(judge, section)
        _check_clear(judge, section)


def _check_carried(judge: Judge, sources: list[Section]) -> None:
    """Every device that can raise something is under a trigger."""
    if judge.unread(Thing.DEVICE, Thing.GESTURES):
        return
    devices = [device for device in judge.registry.devices.values() if classes_of(device)]
    if not all(section.plugin == "mqtt" for section in sources):
        return
    triggers = [trigger for section in sources for trigger in triggers_of(section.settings)]
    unheard = [device for device in devices if not any(trigger.carries(device.id, device.kind) for trigger in triggers)]
    if devices and len(unheard) == len(devices):
        message = "no trigger of any source carries a registered device, so no press can arrive"
        remedy = _opening(triggers, devices) or f"write {EVERY_DEVICE}"
        judge.error(Thing.SOURCE, sources[0].name, "sources", message, remedy)
        return
    for device in unheard:
        message = f"{device.id} can never be heard: no trigger of any source carries it"
        remedy = _opening(triggers, [device]) or f"widen one in channels.toml: {EVERY_DEVICE}"
        judge.error(Thing.DEVICE, device.id, "id", message, remedy)


def _opening(triggers: Iterable[Trigger], devices: Sequence[Device]) -> str:
    """The remedy where nothing but the kinds of triggers shuts these out; else empty."""
    has_profile = any(
        device.profile for device in devices
    )  # then it comes over one that reads by profiles, first of all
    likely = sorted(triggers, key=lambda each: (each.decoder == "profiles") is not has_profile)
    finding = [trigger.topic for trigger in likely if any(trigger.finds(device.id) for device in devices)]
    kinds = ", ".join(f'"{kind}"' for kind in sorted({device.kind for device in devices}))
    where = f"the kinds of its trigger in channels.toml ({', '.join(finding[:3])})"
    return f"add {kinds} to {where}, or give it one of its own" if finding else ""


def _check_order(judge: Judge, section: Section) -> None:
    """Of filters that cover one message the first speaks: nobody presses behind one where nobody presses."""
    triggers = tuple(triggers_of(section.settings))
    for index, trigger in enumerate(triggers):
        first = next((each for each in triggers[:index] if covers(each.topic, trigger.topic)), trigger)
        if first.never_press and not trigger.never_press:
            key = f"triggers[{index}].topic"
            message = f'"{trigger.topic}" never speaks: "{first.topic}", whose kinds never press, stands before it and '
            message += "covers all of it. Whoever presses there calls NOBODY, only those on duty are rung"
            remedy = "write it before that one: of triggers that cover one message the first speaks"
            judge.warn_at(section.file, section.line_of(key), f"sources.{section.name}.{key}", message, remedy)


def triggers_of(settings: Mapping[str, Any]) -> Iterator[Trigger]:
    """What is wrong with them, the plugin says."""
    triggers = settings.get("triggers")
    for each in triggers if isinstance(triggers, list) else ():
        if isinstance(each, dict):
            written = each.get("options")
            options = written if isinstance(written, dict) else {}
            yield Trigger(
                topic=str(each.get("topic", "")),
                decoder=str(each.get("decoder", "press_json")),
                base_topic=str(options.get("base_topic") or options.get("base") or "zigbee2mqtt"),
                kinds=tuple(map(str, kinds)) if isinstance(kinds := each.get("kinds"), list) else (),
                source=str(options.get("source", "")),
                base=str(options.get("base") or options.get("base_topic") or "").strip("/"),
            )


def covers(topic_filter: str, topic: str) -> bool:
    """MQTT's wildcards, shared subscriptions included. `topic` may be a filter: all that it covers."""
    levels, theirs = _levels(topic_filter), _levels(topic)
    if levels[-1:] == ["#"]:
        return _covers_levels(levels[:-1], theirs[: len(levels) - 1])
    return _covers_levels(levels, theirs)


def _covers_levels(levels: list[str], theirs: list[str]) -> bool:
    return len(levels) == len(theirs) and all(
        level == each or (level == "+" and each != "#") for level, each in zip(levels, theirs, strict=True)
    )


def meets(topic_filter: str, other: str) -> bool:
    """Is there any topic that both cover?"""
    for level, theirs in zip_longest(_levels(topic_filter), _levels(other)):
        if "#" in (level, theirs):
            return True
        if None in (level, theirs) or (level != theirs and "+" not in (level, theirs)):
            return False
    return True


def _levels(topic_filter: str) -> list[str]:
    levels = topic_filter.split("/")
    return levels[2:] if levels[0] == "$share" else levels


def _check_twins(judge: Judge, sources: list[Section]) -> None:
    """A broker throws the first out when a second comes under the same name; then the first comes back."""
    seen: dict[tuple[str, int, str], str] = {}
    for section in sources:
        for broker, client_id in _sessions(section.settings):
            other = seen.setdefault((*broker, client_id), section.name)
            if other != section.name:
                message = f"throws [sources.{other}] out of the broker, and is thrown out by it, for ever"
                key = f"sources.{section.name}.client_id"
                line = section.line_of("client_id")
                remedy = "give each source its own client_id"
                judge.error_at(section.file, line, key, message, remedy)
                break


def _sessions(settings: Mapping[str, Any]) -> Iterator[tuple[tuple[str, int], str]]:
    broker, client_id = broker_of(settings), settings.get("client_id")
    if broker is not None and isinstance(client_id, str):
        yield broker, client_id
        yield broker, client_id + SIDE


def broker_of(settings: Mapping[str, Any]) -> tuple[str, int] | None:
    host, port = settings.get("host"), settings.get("port", TLS_PORT if "tls" in settings else PORT)
    if not isinstance(host, str) or not isinstance(port, int):
        return None
    return "localhost" if is_this_machine(host) else host.casefold(), port


def _check_clear(judge: Judge, section: Section) -> None:
    host = section.settings.get("host")
    if (
        section.plugin == "mqtt"
        and isinstance(host, str)
        and not is_this_machine(host)
        and "tls" not in section.settings
    ):
        message = f"presses and the password travel to {host} in clear"
        remedy = "add tls = {}, and let the broker listen with a certificate"
        judge.warn(Thing.SOURCE, section.name, f"sources.{section.name}.tls", message, remedy)
