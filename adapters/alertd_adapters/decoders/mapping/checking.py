"""Runs the examples that profiles carry: does each message still mean what its author wrote beside it?"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

import msgspec

from alertd.model.ids import DeviceId, SiteId
from alertd.model.registry import Registry
from alertd.model.site import Device, DeviceKind, Gestures
from alertd.ports import DecodeError, ProfileProblem, UncoveredError
from alertd_adapters.decoders.json_payload import device_time
from alertd_adapters.decoders.mapping import written
from alertd_adapters.decoders.mapping.bindings import Bindings
from alertd_adapters.decoders.mapping.decoder import MappedDecoder
from alertd_adapters.decoders.mapping.events import SENSED, TRIGGERS
from alertd_adapters.decoders.mapping.library import PROFILE, SOURCE, Library
from alertd_adapters.decoders.mapping.reading import Reading

PRESSES = TRIGGERS.keys() - SENSED
SILENT = (
    "no example shows what comes of a frame that it does not know: unless a rule refuses it, it is counted and nothing "
    "else, so after an update of its firmware a press may tell nobody"
)
SHOW_ONE = (
    'add an example of one (a byte more, another fport) with expect = "refused", and the rule that refuses it; or with '
    'expect = "unknown", if that is meant'
)
KEYS = ("event", "device", "action", "button", "battery", "time", "value")


def problems(library: Library, files: AbstractSet[str]) -> list[ProfileProblem]:
    """What is wrong in these files: what could not be read, and every example that does not come out."""
    found = [problem for problem in library.problems if problem.file in files]
    for (kind, name), entry in library.entries.items():
        if entry.file not in files:
            continue
        if not entry.written.examples:
            message = "has no example, so nobody can see that it works"
            remedy = f"copy a message of the real device into [[{kind}.{name}.examples]], with what it means"
            found.append(ProfileProblem(file=entry.file, path=(kind, name), message=message, remedy=remedy))
        for index, example in enumerate(entry.written.examples):
            wrong = run(library, kind, name, example)
            if wrong:
                path = (kind, name, "examples", index)
                remedy = "mend the rules, or what the example expects"
                found.append(ProfileProblem(file=entry.file, path=path, message=wrong, remedy=remedy))
    return found


def doubts(library: Library, files: AbstractSet[str]) -> list[ProfileProblem]:
    """Of a button in these files whose examples are all of frames that it knows."""
    return [
        ProfileProblem(file=entry.file, path=(kind, name, "examples"), message=SILENT, remedy=SHOW_ONE, is_error=False)
        for (kind, name), entry in library.entries.items()
        if entry.file in files and isinstance(entry.written, written.DeviceProfile) and _is_silent(entry.written)
    ]


def _is_silent(profile: written.DeviceProfile) -> bool:
    """Does it read presses, and shows nowhere what becomes of one that it cannot read?"""
    events = {event for rule in profile.rules for event in (rule.event, *rule.map.values())}
    return bool(profile.examples and events & PRESSES) and all(
        isinstance(example.expect, list) for example in profile.examples
    )


def run(library: Library, kind: str, name: str, example: written.Example) -> str:
    """What is wrong with the outcome of an example; "" if it is as expected."""
    source = name if kind == SOURCE else example.source
    if source not in library.sources:
        return f'its source "{source}" is none that there is' if source else "does not say over which source it comes"
    unknown = [key for each in _expected(example) for key in each if key not in KEYS]
    if unknown:
        return f'"{unknown[0]}" cannot be expected; there are {", ".join(KEYS)}'
    return _compared(example, _outcome(library, source, name if kind == PROFILE else "", example))


def _compared(example: written.Example, outcome: list[Reading] | str) -> str:
    expected = example.expect
    if isinstance(outcome, str):
        as_expected = outcome.partition(":")[0] == expected
        return "" if as_expected else f"expected {_shown(expected)}, but it is {outcome}"
    got = [_read(each) for each in outcome]
    if isinstance(expected, str) or len(got) != len(expected):
        return f"expected {_shown(expected)}, but it is {_shown(got)}"
    return next(filter(None, map(_difference, expected, got)), "")


def _outcome(library: Library, source: str, profile: str, example: written.Example) -> list[Reading] | str:
    registry = registry_of(_names(example), profile)
    decoder = MappedDecoder(library.sources[source], library.profiles, Bindings(lambda: registry))
    try:
        readings = decoder.read(example.topic, example.payload.encode(), _whole)
        for reading in readings:
            if reading.is_signal:
                reading.signal()
    except UncoveredError as error:
        return f"unknown: {error}"
    except DecodeError as error:
        return f"refused: {error}"
    return readings


def _whole(what: str, found: str) -> None:
    """Makes the decoder look for time and battery of quiet messages, too."""


def _names(example: written.Example) -> set[str]:
    """Devices that the example speaks of."""
    names = {str(each["device"]) for each in _expected(example) if "device" in each}
    return names | {example.device} if example.device else names


def registry_of(names: Iterable[str], profile: str) -> Registry:
    """A registry of nothing but these devices, which have the profile."""
    devices = {
        DeviceId(name): Device(
            id=DeviceId(name),
            kind=DeviceKind.BUTTON,
            site_id=SiteId("example"),
            gestures=Gestures(id="example"),
            profile=profile,
        )
        for name in names
    }
    return Registry(
        version="",
        district="",
        sites={},
        zones={},
        devices=devices,
        people={},
        schedules={},
        policies={},
        destinations={},
        channels={},
    )


def _expected(example: written.Example) -> list[dict[str, Any]]:
    return example.expect if isinstance(example.expect, list) else []


def _read(reading: Reading) -> dict[str, Any]:
    return {
        "event": reading.event,
        "device": reading.device_id,
        "action": reading.action if reading.is_signal else "",
        "button": reading.button,
        "battery": reading.battery_pct,
        "time": reading.pressed_us,
        "value": reading.value,
    }


def _difference(expected: Mapping[str, Any], got: Mapping[str, Any]) -> str:
    for key, want in expected.items():
        have = got[key]
        same = have == device_time(want)[0] if key == "time" else have == want
        if not same:
            return f"expected {key} {want}, but it is {have}"
    return ""


def _shown(found: object) -> str:
    text = msgspec.json.encode(found).decode() if not isinstance(found, str) else found
    return text[:200]
