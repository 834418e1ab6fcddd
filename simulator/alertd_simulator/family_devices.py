"""How devices of a district, or of a named family, are played: which family each speaks, and what is said when.

Owns the ways of `alertd-sim devices play`. Publishes nothing; `family_player` does. Never makes up a family for a
device: where its triggers leave it open, somebody has to say which.
"""

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from alertd.config import Section
from alertd.engine.gestures import IGNORED, PRESS
from alertd.model.registry import Registry
from alertd.model.site import Device
from alertd_simulator.devices import Payload
from alertd_simulator.families.bridges import ZIGBEE
from alertd_simulator.families.catalogue import NOT_PLAYED, PRESSES, Family, families, profile_of
from alertd_simulator.families.said import Heard, Said, json
from alertd_simulator.family_speaker import NotPlayableError, Speaker, placed
from alertd_simulator.family_ways import How

HOUR_S = 3_600.0
COPIES = (Heard(gateway="gw-sim-1", rssi=-48), Heard(gateway="gw-sim-2", rssi=-71), Heard(gateway="gw-sim-3", rssi=-96))
PLAIN = "press_json"
QUIET = ("heartbeat", "status", "position", "online", "other")
"""What a device says while nothing happens: the first that it can."""


Step = tuple[float, list[Payload]]
"""Seconds from the beginning, and what is published then."""


# --- who speaks how ---------------------------------------------------------------------------------------------------


def _plain(said: Said) -> list[Payload]:
    body: dict[str, object] = {
        "action": said.act, "seq": said.number, "boot": said.session, "at": said.at_us / 1e6, "battery": said.battery,
    }  # fmt: skip
    return [
        each for heard in said.heard for each in json(f"alertd/press/{said.device}", body | {"gateway": heard.gateway})
    ]


PLAIN_FAMILY = Family(
    source=PLAIN,
    profile="",
    acts=(
        "press", "hold", "duress", "medical", "fire", "police", "alarm", "vape", "thc", "smoking", "masking", "tamper",
        "aggression", "gunshot", "keyword", "heartbeat",
    ),
    maker=_plain,
)  # fmt: skip


def named(name: str, device: str) -> Speaker:
    """A device that nobody has registered, of this family. Raises `NotPlayableError`."""
    family = PLAIN_FAMILY if name == PLAIN else families().get(name)
    if family is None:
        source = name.partition("/")[0]
        why = NOT_PLAYED.get(source) or f"{_near(name)}see alertd-sim devices families"
        raise NotPlayableError(f"there is no family {name} to play: {why}")
    return Speaker(device=device, button="", family=family, topic_filter="")


def _near(name: str) -> str:
    """Families of the same device over another server; else what is written much the same."""
    same = [each for each in families() if name in each.split("/")]
    near = same or difflib.get_close_matches(name, families(), n=3)
    return f"did you mean {', '.join(near)}? " if near else ""


def registered(device: Device, sections: Sequence[Section], over: str) -> Speaker:
    """As the district's triggers hear it. `over`: the source, where several would do. Raises `NotPlayableError`."""
    found = [each for each in _speakers(device, sections) if over in ("", each.family.source)]
    if len({each.family.name for each in found}) > 1:
        names = ", ".join(dict.fromkeys(each.family.source for each in found))
        raise NotPlayableError(f"{device.id} could speak over {names}: say which with --over")
    if not found:
        raise NotPlayableError(_why_not(device, sections, over))
    rules = device.gestures
    named_words = tuple(word for word, meaning in rules.actions.items() if meaning != IGNORED)
    words = (*((PRESS,) if rules.presses else ()), *named_words)
    if found[0].own_words:
        words = tuple(act for act, word in ZIGBEE.items() if word in words)
    return replace(found[0], means=words)


def speakers_of(registry: Registry, sections: Sequence[Section]) -> dict[str, Speaker]:
    """Every device with a profile that one of the triggers hears and that can be played, over the first that can."""
    found: dict[str, Speaker] = {}
    for device in registry.devices.values():
        speaker = next(_speakers(device, sections), None) if device.profile else None
        if speaker is not None and speaker.family.press:
            found[device.id] = speaker
    return found


def _speakers(device: Device, sections: Sequence[Section]) -> Iterator[Speaker]:
    for trigger in _triggers(sections):
        if device.kind.value not in trigger.get("kinds", [device.kind.value]):
            continue
        decoder, options = str(trigger.get("decoder", PLAIN)), dict(trigger.get("options", {}))
        topic_filter = str(trigger["topic"])
        heard, button = str(device.id), ""
        if decoder == PLAIN and not device.profile:
            yield Speaker(device=heard, button="", family=PLAIN_FAMILY, topic_filter=topic_filter)
            continue
        source = "zigbee2mqtt" if decoder == "zigbee2mqtt" else str(options.get("source", ""))
        if decoder not in ("zigbee2mqtt", "profiles"):
            continue
        base = str(options.get("base", options.get("base_topic", "")))
        family = _family(source, device.profile)
        if family is None and ":" in device.id:
            heard, _, button = device.id.rpartition(":")
            family = _family(source, device.profile)
        if family is not None:
            if _has_buttons(family) and ":" in device.id:
                heard, _, button = device.id.rpartition(":")
            also = tuple(_heard_besides(trigger, sections))
            yield Speaker(
                device=heard, button=button, family=family, topic_filter=topic_filter, base=base, also=also,
                own_words=decoder == "zigbee2mqtt",
            )  # fmt: skip


def _heard_besides(trigger: Mapping[str, Any], sections: Sequence[Section]) -> Iterator[str]:
    """Topic filters of triggers and telemetry whose decoder reads the same."""
    for each in (*_triggers(sections), *_triggers(sections, "telemetry")):
        same = all(each.get(key) == trigger.get(key) for key in ("decoder", "options"))
        if same and each["topic"] != trigger["topic"]:
            yield str(each["topic"])


def _family(source: str, profile: str) -> Family | None:
    own = profile_of(source)
    if profile and profile != own:
        return families().get(f"{source}/{profile}")
    return families().get(source) if own else None


def _has_buttons(family: Family) -> bool:
    """Ids with a colon that is no part of the id: EUI:3, SERIAL:1."""
    return family.profile == "milesight-ws156" or family.source in ("axis", "shelly", "shelly-gen1", "tasmota")


def _triggers(sections: Sequence[Section], key: str = "triggers") -> Iterator[Mapping[str, Any]]:
    for section in sections:
        if section.table == "sources":
            triggers = section.settings.get(key)
            yield from (each for each in (triggers if isinstance(triggers, list) else ()) if isinstance(each, dict))


def _why_not(device: Device, sections: Sequence[Section], over: str) -> str:
    sources = [str(dict(each.get("options", {})).get("source", "")) for each in _triggers(sections)]
    unplayed = [f"{source}: {NOT_PLAYED[source]}" for source in sources if source in NOT_PLAYED]
    what = f'a device of the profile "{device.profile}"' if device.profile else "a device without a profile"
    wanted = f" over {over}" if over else ""
    more = f" ({'; '.join(unplayed)})" if unplayed else ""
    return f"no trigger hears {device.id}{wanted}, {what}, in a way that can be played{more}"


# --- what is said -----------------------------------------------------------------------------------------------------


def steps_of(speaker: Speaker, how: How, *, act: str, times: int, now_us: int) -> list[Step]:
    """What is published, and when. Raises `NotPlayableError` and `CannotSayError`."""
    act = act or usual_act(speaker, how)
    if act not in speaker.family.acts:
        raise NotPlayableError(f"{speaker.family.name} cannot say {act}; it can say {', '.join(speaker.family.acts)}")
    said = Said(
        device=speaker.device,
        act=act,
        at_us=now_us,
        number=now_us // 1_000_000 % 50_000 + 1,
        session=f"sim{now_us // 1_000_000}",
        button=speaker.button,
        heard=COPIES[:1],
    )

    def at(after_s: float, **more: Any) -> Step:
        ordinal = round(after_s * 10)
        mine = replace(said, at_us=now_us + round(after_s * 1e6), number=said.number + ordinal)
        return after_s, [placed(each, speaker) for each in speaker.family.maker(replace(mine, **more))]

    made = _WAYS[how](at, speaker.family, act, times)
    return sorted(made, key=lambda step: step[0])


At = Callable[..., Step]


def _single(at: At, family: Family, act: str, times: int) -> list[Step]:  # noqa: ARG001
    return [at(0.0)]


def _burst(at: At, family: Family, act: str, times: int) -> list[Step]:  # noqa: ARG001
    return [at(round(0.3 * number, 1)) for number in range(times or 8)]


def _copies(at: At, family: Family, act: str, times: int) -> list[Step]:  # noqa: ARG001
    _, found = at(0.0, heard=COPIES)
    return [(0.0, found), (0.4, found[-1:])]


def _retained(at: At, family: Family, act: str, times: int) -> list[Step]:  # noqa: ARG001
    _, found = at(0.0)
    return [(0.0, [replace(each, retain=True) for each in found])]


def _replayed(at: At, family: Family, act: str, times: int) -> list[Step]:  # noqa: ARG001
    _, found = at(0.0)
    return [(0.0, found), (3.0, found), (60.0, found)]


def _late(at: At, family: Family, act: str, times: int) -> list[Step]:  # noqa: ARG001
    _, found = at(-HOUR_S, late=True)
    return [(0.0, found)]


def _dying(at: At, family: Family, act: str, times: int) -> list[Step]:  # noqa: ARG001
    quiet = _quiet(family)
    falling = [at(5.0 * number, act=quiet, battery=level) for number, level in enumerate((12, 6, 3, 1))]
    return [*falling, at(25.0, battery=0)]


def _silent(at: At, family: Family, act: str, times: int) -> list[Step]:  # noqa: ARG001
    return [at(10.0 * number, act=_quiet(family)) for number in range(3)]


def _flood(at: At, family: Family, act: str, times: int) -> list[Step]:  # noqa: ARG001
    return [at(float(number)) for number in range(times or 30)]


_WAYS = {
    How.SINGLE: _single,
    How.BURST: _burst,
    How.COPIES: _copies,
    How.RETAINED: _retained,
    How.REPLAYED: _replayed,
    How.LATE: _late,
    How.DYING: _dying,
    How.SILENT: _silent,
    How.FLOOD: _flood,
}


def usual_act(speaker: Speaker, how: How) -> str:
    """Its press, or its alarm: of a registered device, what its gestures know. Raises `NotPlayableError`."""
    family = speaker.family
    if how is How.FLOOD:
        found = next((act for act in ("vape", "alarm", "tamper") if act in family.acts), "")
    else:
        known = next((act for act in (*PRESSES, *speaker.means) if act in family.acts and act in speaker.means), "")
        found = known or family.press or (_quiet(family) if how is How.SILENT else "")
    if not found:
        raise NotPlayableError(f"{family.name} has nothing to press: {family.doubt or 'it only measures'}")
    return found


def _quiet(family: Family) -> str:
    """Raises `NotPlayableError`."""
    found = next((act for act in QUIET if act in family.acts), None)
    if found is None:
        raise NotPlayableError(
            f"{family.name} says nothing while nothing happens, so it can neither fade nor fall silent"
        )
    return found
