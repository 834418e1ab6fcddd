"""What one message would do: who reads it, what it means, and whether it would page, and why.

Reads the configuration as the daemon does and asks the same decoders and the same routing. Tells nobody anything.
"""

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import entry_points
from typing import Any

from msgspec import Struct
from paho.mqtt.client import topic_matches_sub

from alertd.config import Loaded, Section, secret
from alertd.console.devices import living
from alertd.console.plugin_check import NoNetwork
from alertd.daemon.system_clock import SystemClock
from alertd.engine.gestures import COUNTED, HELD, IGNORED, is_counted, named_by
from alertd.engine.presses import TAMPER
from alertd.engine.routing import route
from alertd.engine.spelling import as_registered
from alertd.exports.broker.layout import is_quiet
from alertd.model.check_in import CheckIn
from alertd.model.events import Arrival, Malformed, Pressed, Signal, Unregistered
from alertd.model.ids import DISTRICT
from alertd.model.incident import IncidentClass, is_panic
from alertd.model.registry import Registry
from alertd.model.site import Device, DeviceKind
from alertd.plugins import PluginError, find_profiles
from alertd.ports import (
    PAYLOAD_MAX_BYTES,
    CheckInDecoder,
    DecodeError,
    Explained,
    SettingsError,
    Step,
    Surroundings,
    UncoveredError,
)

MAPPED = "profiles"
"""The decoder that explains itself."""
TRIGGER = "trigger"


class NotHeardError(Exception):
    """The message would never reach a decoder; the words say what to do."""


class Verdict(Struct, frozen=True, kw_only=True):
    """What the core would do with one signal, or with what nobody can read."""

    pages: bool
    why: str


class Told(Struct, frozen=True, kw_only=True):
    source: str
    """Section of channels.toml, and which of its triggers."""
    steps: tuple[Step, ...]
    signals: tuple[Signal, ...]
    verdicts: tuple[Verdict, ...]


def decode(loaded: Loaded, topic: str, payload: bytes, *, retained: bool) -> Told:
    """Raises `NotHeardError`."""
    section, where, trigger = _trigger(loaded, topic)
    try:
        found, check_ins = _explained(loaded, trigger, topic, payload)
    except (SettingsError, PluginError) as error:
        raise NotHeardError(f"{section.file}: {where} of sources.{section.name}: {error}") from None
    now = SystemClock().now()
    arrival = Arrival(
        source=section.name,
        topic=topic,
        signals=found.signals,
        received_us=now.wall_us,
        arrival_id="decode",
        refused=found.refused if payload else "",
        never_press=is_quiet([trigger]) if found.never_press is None else found.never_press,
        size=len(payload),
        retained=retained,
    )
    return Told(
        source=f"sources.{section.name}, {where}: {trigger['topic']}",
        steps=(*found.steps, *living.steps(check_ins, retained=retained)),
        signals=found.signals,
        verdicts=tuple(
            _verdicts(loaded.registry, arrival, found)
            if where.startswith(TRIGGER)
            else (Verdict(pages=False, why=why) for why in living.why_no_page(loaded.registry, found, check_ins))
        ),
    )


def _trigger(loaded: Loaded, topic: str) -> tuple[Section, str, Mapping[str, Any]]:
    """The first that covers the topic, and what it is called; those of presses before those of signs of life, as the
    source itself chooses."""
    if "+" in topic or "#" in topic:
        raise NotHeardError(f"{topic} stands for many topics: name the one on which the message comes")
    for key, called in (("triggers", TRIGGER), ("telemetry", "telemetry")):
        for section, where, entry in _entries(loaded, key, called):
            if topic_matches_sub(_filter(str(entry.get("topic", ""))), topic):
                return section, where, entry
    raise NotHeardError(
        f"no trigger in channels.toml covers the topic {topic}, and no telemetry: alertd would never hear it. "
        f"{_advice(loaded, topic)} (see docs/devices.md)"
    )


def _entries(loaded: Loaded, key: str, called: str) -> Iterator[tuple[Section, str, Mapping[str, Any]]]:
    for section in loaded.sections:
        listed = section.settings.get(key)
        for index, each in enumerate(listed if isinstance(listed, list) else ()):
            entry = {"topic": each, "options": {"heartbeats": True}} if isinstance(each, str) else each
            if isinstance(entry, dict):
                yield section, f"{called} {index + 1}", entry


def _advice(loaded: Loaded, topic: str) -> str:
    """Never a trigger beside one that reads the same source: each press would come twice, and be counted twice."""
    found = find_profiles().triggers(loaded.profile_tables, topic)
    narrow = ""
    for covers, source in found:
        for section, where, entry in _entries(loaded, "triggers", TRIGGER):
            if not _reads(entry, source, topic):
                continue
            covered = str(entry.get("topic", ""))
            which = f"sources.{section.name}, {where} ({covered})"
            if _hears_device(_filter(covered), covers, topic):
                return (
                    f"But {which} reads this device, and this topic is not heard on purpose: not both, or each press "
                    "comes twice. If it presses on this topic alone, change the topic of that trigger, and add none"
                )
            narrow = (
                f"Change the topic of {which}, which reads others of the same source, so that it covers this one, too; "
                "add none beside it, or a press may come twice"
            )
    if narrow:
        return narrow
    for section, where, entry in _entries(loaded, "triggers", TRIGGER):
        if not found and (base := _base(entry)) and topic.startswith(f"{base}/"):
            return (
                f"But sources.{section.name}, {where} ({entry.get('topic', '')}) reads what comes under {base}: add "
                "none beside it, or a press may come twice. If it presses here alone, change the topic of that trigger"
            )
    if not found:
        return "Add one to a source's triggers; no source profile has such a topic, unless with another base"
    covers, source = found[0]
    options = f'decoder = "profiles", options = {{ source = "{source}" }}'
    return f'Add one to a source\'s triggers, for example {{ topic = "{covers}", {options} }}'


def _reads(entry: Mapping[str, Any], source: str, topic: str) -> bool:
    """Does this trigger read that source, under the base at which the topic stands?"""
    decoder = entry.get("decoder", "press_json")
    name = _options(entry).get("source") if decoder == MAPPED else decoder  # Zigbee2MQTT has a decoder of that name
    base = _base(entry)
    return name == source and (not base or topic.startswith(f"{base}/"))


def _base(entry: Mapping[str, Any]) -> str:
    """Empty: that of the source."""
    options = _options(entry)
    return str(options.get("base") or options.get("base_topic") or "").rstrip("/")


def _options(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    written = entry.get("options")
    return written if isinstance(written, dict) else {}


def _hears_device(topic_filter: str, covers: str, topic: str) -> bool:
    """On another topic: where the profile has any name, the filter has any, too, or that of this topic."""
    levels = zip(topic_filter.split("/"), covers.split("/"), topic.split("/"), strict=False)
    for level, any_name, named in levels:
        if level == "#":
            return True
        if any_name == "+" and level not in ("+", named):
            return False
    return True


def _filter(topic_filter: str) -> str:
    return topic_filter.split("/", 2)[-1] if topic_filter.startswith("$share/") else topic_filter


def _explained(
    loaded: Loaded, trigger: Mapping[str, Any], topic: str, payload: bytes
) -> tuple[Explained, Sequence[CheckIn]]:
    """Raises `SettingsError` or `PluginError`. Profiles tell their signs of life among the steps."""
    name, options = str(trigger.get("decoder", "press_json")), trigger.get("options", {})
    if len(payload) > PAYLOAD_MAX_BYTES:
        refused = f"the payload has {len(payload)} bytes, more than {PAYLOAD_MAX_BYTES}"
        return Explained(steps=(Step(what="decoder", found=name),), refused=refused), ()
    surroundings = Surroundings(
        clock=SystemClock(),
        http=NoNetwork(),
        secret=secret,
        registry=lambda: loaded.registry,
        profiles=loaded.profile_tables,
    )
    if name == MAPPED:
        return find_profiles().explain(options, surroundings, topic, payload), ()
    decoder = next((point.load() for point in entry_points(group="alertd.decoders") if point.name == name), None)
    if decoder is None:
        raise SettingsError("decoder", f'there is no decoder "{name}"')
    steps = (Step(what="decoder", found=name),)
    try:
        built = decoder.build(options)
        if isinstance(built, CheckInDecoder):
            understood = built.understand(topic, payload)
            said = Explained(steps=steps, signals=understood.signals, refused=understood.unread)
            return said, understood.check_ins
        return Explained(steps=steps, signals=tuple(built.decode(topic, payload))), ()
    except UncoveredError as error:
        return Explained(steps=steps, uncovered=str(error)), ()
    except DecodeError as error:
        return Explained(steps=steps, refused=str(error), never_press=error.never_press), ()


# --- what the core would do -----------------------------------------------------------------------------------------


def _verdicts(registry: Registry, arrival: Arrival, found: Explained) -> Iterator[Verdict]:
    if found.uncovered:
        yield Verdict(pages=False, why=f"{found.uncovered}: it is counted, and nothing else happens")
    elif not arrival.refused and not arrival.signals:
        yield Verdict(pages=False, why="it is certainly no press")
    for event in route(registry, as_registered(registry, arrival)):
        if isinstance(event, Malformed):
            may = "it is no press" if event.never_press else "it may be a press"
            why = f"{may}, and cannot be read ({event.why}): a trouble says so"
            yield Verdict(pages=False, why=why)
        elif isinstance(event, Unregistered) and event.refused:
            yield Verdict(pages=False, why=_of_a_refusal(registry, event))
        elif isinstance(event, Unregistered):
            yield Verdict(pages=False, why=f"{event.device_id}: {event.why}: a trouble says so")
        elif isinstance(event, Pressed):
            yield _of_a_press(registry, event)


def _of_a_refusal(registry: Registry, event: Unregistered) -> str:
    """Of a trigger whose kinds never press."""
    remedy = f'Add "{registry.devices[event.device_id].kind}" to its kinds, or give it a trigger of its own'
    return f"{event.device_id} pressed, and its trigger is for others: a trouble rings whoever is on duty. {remedy}"


def _of_a_press(registry: Registry, event: Pressed) -> Verdict:
    device = registry.devices[event.signal.device_id]
    if event.retained:
        memory = "it is retained, a broker's memory and no press"
        why = "it is so since nobody knows when" if event.signal.standing else memory
        return Verdict(pages=False, why=f"{why}: a trouble asks for a look")
    if event.signal.ends:
        return Verdict(
            pages=False, why=f'it says that "{event.signal.action}" is over: that calls nobody, and closes nothing'
        )
    by_kind = _of_a_report if device.kind is DeviceKind.SENSOR else _of_a_human
    return by_kind(registry, device, event.signal)


def _of_a_human(registry: Registry, device: Device, signal: Signal) -> Verdict:
    action, gestures = signal.action, device.gestures
    named = named_by(action, gestures)
    if named == IGNORED:
        return Verdict(pages=False, why=f'its gestures "{gestures.id}" ignore "{action}"')
    if named is not None:
        return _of_a_class(registry, device, named, f'"{action}" is {named} in its gestures "{gestures.id}"')
    if not is_counted(action, gestures):
        why = f'its gestures "{gestures.id}" do not know "{action}": a trouble asks whether it was a press'
        return Verdict(pages=False, why=why)
    count = max(signal.count or 1, COUNTED[action])
    reached = [threshold for threshold in gestures.presses if threshold <= count]
    if not reached:
        least = min(gestures.presses)
        why = f'{count} of {least} presses within {gestures.window_s} s that its gestures "{gestures.id}" need'
        if action in HELD:
            why = f'its gestures "{gestures.id}" do not know "{action}": {why}, and a trouble asks whether it was meant'
        return Verdict(pages=False, why=why)
    incident_class = gestures.presses[max(reached)]
    said = f'"{action}", {count} presses,' if COUNTED[action] > 1 else f'{count} × "{action}"'
    most = ", and no number of them is graver: it may be a release" if signal.doubtful else ""
    return _of_a_class(registry, device, incident_class, f'{said} is {incident_class} in "{gestures.id}"{most}')


def _of_a_report(registry: Registry, device: Device, signal: Signal) -> Verdict:
    """Of a sensor, which never presses: as `engine.sensors` and, of numbers, `daemon.readings` take it."""
    action, gestures = signal.action, device.gestures
    named, limits = gestures.actions.get(action), gestures.sensor.thresholds.get(action)
    said = f'"{action}"'
    if signal.reading is not None:
        said = f"{said} {signal.reading:g}"
        if limits is None or signal.reading < limits.trigger:
            least = "have no trigger for it" if limits is None else f"begin at {limits.trigger:g}"
            why = f'{said} is a number, and the alarms of its gestures "{gestures.id}" {least}: nothing happens'
            return Verdict(pages=False, why=why)
        said = f"{said}, if it lasts for {limits.for_s:g} s,"
    if named is None:
        what = "that somebody opened it" if action == TAMPER else "of a new word"
        why = f'its gestures "{gestures.id}" do not know {said}: a trouble tells those who look after it {what}'
        return Verdict(pages=False, why=why)
    if named == IGNORED:
        return Verdict(pages=False, why=f'its gestures "{gestures.id}" ignore {said}')
    if is_panic(IncidentClass(named)):
        return Verdict(pages=False, why=f"{said} would be {named}: a sensor never sounds a panic, a trouble says so")
    return _of_a_class(registry, device, named, f'{said} is {named} in its gestures "{gestures.id}"')


def _of_a_class(registry: Registry, device: Device, incident_class: str, why: str) -> Verdict:
    site = registry.sites.get(device.site_id) or registry.sites[DISTRICT]
    policy = site.policies.get(incident_class)
    if policy is None:
        return Verdict(pages=True, why=f"{why}; {site.id} has no policy for it: the fallback tells its staff")
    return Verdict(pages=True, why=f'{why}; {site.id} answers with the policy "{policy}"')
