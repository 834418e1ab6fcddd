"""Twice: would each press come twice? It would be counted twice, and two presses be the four that lock a school down.

A broker sends a message to each session that subscribes to it, and to each group of a shared subscription. Two brokers
on purpose are none of this: what presses at both counts its presses.
"""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from alertd.config import Section, Thing
from alertd.lint.findings import Judge, classes_of
from alertd.lint.sources import FORMS, Trigger, broker_of, covers, meets, triggers_of
from alertd.model.site import Device
from alertd.plugins import PluginError, find_profiles

ZIGBEE = "zigbee2mqtt"
"""A decoder, and a source profile."""


class _Subscribed(Struct, frozen=True):
    section: Section
    index: int
    trigger: Trigger
    by: str
    """The filter that is subscribed to for it: of those of its session and group that cover it, the widest."""


def check_twice(judge: Judge) -> None:
    if judge.unread(Thing.SOURCE, Thing.DEVICE):
        return
    devices = [device for device in judge.registry.devices.values() if classes_of(device)]
    brokers: dict[tuple[str, int], list[_Subscribed]] = {}
    for section in judge.loaded.sections:
        broker = broker_of(section.settings)
        if section.table == "sources" and section.plugin == "mqtt" and broker is not None:
            # Whatever is meant to speak there: who speaks is read.
            triggers = [replace(trigger, kinds=()) for trigger in triggers_of(section.settings)]
            topics = [trigger.topic for trigger in triggers]
            subscribed = (_Subscribed(section, n, each, _widest(each.topic, topics)) for n, each in enumerate(triggers))
            brokers.setdefault(broker, []).extend(subscribed)
    for read in brokers.values():
        said = set()
        for index, one in enumerate(read):
            other = next((each for each in read[:index] if _overlap(each, one, devices)), None)
            if other is None or (pair := frozenset((each.section.name, each.by) for each in (one, other))) in said:
                continue
            said.add(pair)
            first, second = other.trigger.topic, one.trigger.topic
            some = "" if covers(first, second) or covers(second, first) else "some of "
            message = f'covers {some}what "{first}" of sources.{other.section.name} covers: '
            message += "each press there may come twice, and be counted twice"
            _warn(judge, one, message, "narrow one of the two, or remove it, so that no message is covered by both")
        bridges: dict[str, list[_Subscribed]] = {}
        for each in read:
            if ZIGBEE in (each.trigger.decoder, each.trigger.source):
                bridges.setdefault(each.trigger.base_topic.rstrip("/"), []).append(each)
        for bridge in bridges.values():
            _check_forms(judge, bridge, devices)


def _overlap(one: _Subscribed, other: _Subscribed, devices: Sequence[Device]) -> bool:
    first, second = one.trigger, other.trigger
    if one.by == other.by and (one.section is other.section or _group(one.by)):
        return False  # they are one subscription, or each message goes to one of the two
    if not (covers(first.topic, second.topic) or covers(second.topic, first.topic)) and (
        not meets(first.topic, second.topic) or _reader(first) != _reader(second)
    ):
        return False  # where two readers' filters only cross, at most one of them has a device
    return any(first.carries(each.id, each.kind) and second.carries(each.id, each.kind) for each in devices)


def _reader(trigger: Trigger) -> tuple[str, str]:
    return trigger.source or trigger.decoder, trigger.base_topic


def _widest(topic: str, others: Sequence[str]) -> str:
    for each in others:
        if _group(each) == _group(topic) and covers(each, topic):
            topic = each
    return topic


def _group(topic: str) -> str:
    return topic.split("/", 2)[1] if topic.startswith("$share/") else ""


def _check_forms(judge: Judge, read: Sequence[_Subscribed], devices: Sequence[Device]) -> None:
    """Of one bridge: what a device says comes as JSON, and its action once more under the topic below it. One with a
    profile of another source is not there; the district knows where it wrote its own for."""
    try:
        of_others = {*find_profiles().names({})} - {ZIGBEE}
    except PluginError:  # said by `check_profiles`
        of_others = set()
    for device in devices:
        if device.profile in of_others:
            continue
        plain, action = ([each for each in read if each.trigger.hears(form, device.id)] for form in FORMS)
        if plain and action:
            base = action[0].trigger.base_topic.rstrip("/")
            message = f"reads each press of {device.id} a second time: Zigbee2MQTT says it on {base}/{device.id} "
            message += f"and on {base}/{device.id}/action, and it is counted twice"
            remedy = f'keep "{base}/+" alone (for names such as hall/door "{base}/hall/+"), or "{base}/+/action" alone'
            _warn(judge, action[0], message, remedy)
            return


def _warn(judge: Judge, subscribed: _Subscribed, message: str, remedy: str) -> None:
    section, key = subscribed.section, f"triggers[{subscribed.index}].topic"
    message = f'"{subscribed.trigger.topic}" {message}'
    judge.warn_at(section.file, section.line_of(key), f"sources.{section.name}.{key}", message, remedy)
