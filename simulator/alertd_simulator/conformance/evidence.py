"""A transcript, understood: what alertd makes of each message, and which presses it would take for new.

Reads messages with alertd's own decoders, because the question is whether alertd understands this device. Must never
judge.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import takewhile
from typing import Any

from msgspec import Struct

from alertd.console.plugin_check import NoNetwork
from alertd.daemon.system_clock import SystemClock
from alertd.model.check_in import Link
from alertd.model.events import Signal
from alertd.plugins import find_profiles
from alertd.ports import DecodeError, SettingsError, Surroundings, UncoveredError
from alertd_adapters.decoders.mapping.checking import registry_of
from alertd_adapters.decoders.mapping.decoder import MappedDecoder
from alertd_adapters.decoders.mapping.plugin import plugin
from alertd_adapters.decoders.mapping.reading import Reading
from alertd_adapters.decoders.press_json import PressJson
from alertd_simulator.conformance.transcript import Heard, Transcript

PRESS_JSON = "press_json"
TELEMETRY = "alertd/telemetry/"
DUPLICATE_S = 3600.0
"""Copies of a press come within so long, if its family does not say otherwise (docs/devices.md, Copies)."""


class Understood(Struct, frozen=True, kw_only=True):
    """One message, and what alertd makes of it."""

    heard: Heard
    signals: tuple[Signal, ...] = ()
    battery: int | None = None
    offline: bool = False
    refused: str = ""
    uncovered: str = ""


class Evidence:
    """The transcript, understood. `own`: profiles beside those that ship with alertd, file -> its TOML."""

    def __init__(self, transcript: Transcript, own: Mapping[str, Mapping[str, Any]]) -> None:
        self.transcript = transcript
        self._read = _reader(transcript, own)
        self._cache: dict[int, Understood] = {}

    def all(self) -> list[Understood]:
        return [self.of(each) for each in self.transcript.heard()]

    def of(self, line: Heard) -> Understood:
        if id(line) not in self._cache:
            self._cache[id(line)] = self._read(line)
        return self._cache[id(line)]

    def step(self, name: str) -> list[Understood] | None:
        lines = self.transcript.of(name)
        return None if lines is None else [self.of(each) for each in lines if isinstance(each, Heard)]

    def presses(self, name: str) -> list[Signal] | None:
        """Of a step, copies taken together, and without those of earlier presses. Retained ones are none."""
        found = self.step(name)
        return None if found is None else self.new(found)

    def new(self, found: list[Understood]) -> list[Signal]:
        """What of it alertd would not take for a copy of what was said before it."""
        before = self._before(found[0].heard) if found else []
        return _distinct([each for each in found if not _all_known(each, before)])

    def swallowed(self, found: list[Understood]) -> bool:
        """Would alertd take a press of it for one that was said before it?"""
        before = self._before(found[0].heard) if found else []
        return any(each.signals and not each.heard.retain and _all_known(each, before) for each in found)

    def _before(self, first: Heard) -> list[Understood]:
        """What was heard before it, last first."""
        heard = self.transcript.heard()
        earlier = list(takewhile(lambda line: line is not first, heard))
        return [self.of(line) for line in reversed(earlier) if not line.retain]


# --- reading ----------------------------------------------------------------------------------------------------------


def _reader(transcript: Transcript, own: Mapping[str, Mapping[str, Any]]) -> Callable[[Heard], Understood]:
    """Raises `SettingsError`."""
    subject = transcript.subject
    if subject.profile and subject.profile not in (names := find_profiles().names(own)):
        message = f'there is no profile "{subject.profile}"; there are: {", ".join(names)}'
        remedy = "yours is read from profiles/*.toml of the directory that --config or ALERTD_CONFIG names"
        raise SettingsError("profile", f"{message}; {remedy}")
    if subject.source == PRESS_JSON:
        return lambda line: _safely(line, lambda: _plain(line))
    registry = registry_of([subject.device], subject.profile)
    settings = {"source": subject.source} | ({"base": subject.base} if subject.base else {})
    surroundings = Surroundings(
        clock=SystemClock(), http=NoNetwork(), secret=str, registry=lambda: registry, profiles=own
    )
    mapped = plugin.build_within(settings, surroundings)
    return lambda line: _safely(line, lambda: _mapped(line, mapped))


def _ignore(what: str, found: str) -> None:
    """Being told makes a decoder look at quiet messages whole."""


def _safely(line: Heard, understand: Callable[[], Understood]) -> Understood:
    try:
        return understand()
    except UncoveredError as error:
        return Understood(heard=line, uncovered=str(error))
    except DecodeError as error:
        return Understood(heard=line, refused=str(error))


def _plain(line: Heard) -> Understood:
    """As docs/devices.md has the topics: presses on one, signs of life on the other, where a press pages nobody."""
    is_telemetry = line.topic.startswith(TELEMETRY)
    found = PressJson(heartbeats=is_telemetry).understand(line.topic, line.payload)
    if is_telemetry and found.signals:
        raise DecodeError("a press on a topic for signs of life pages nobody")
    if found.unread:
        raise DecodeError(found.unread)
    levels = [each.battery.pct for each in found.check_ins if each.battery and each.battery.pct is not None]
    return Understood(
        heard=line,
        signals=tuple(signal for signal in found.signals if not signal.ends),
        battery=levels[0] if levels else None,
        offline=any(each.link is Link.OFFLINE for each in found.check_ins),
    )


def _mapped(line: Heard, decoder: MappedDecoder) -> Understood:
    readings: list[Reading] = decoder.read(line.topic, line.payload, _ignore)
    signals = tuple(reading.signal() for reading in readings if reading.is_signal)
    levels = [reading.battery_pct for reading in readings if reading.battery_pct is not None]
    return Understood(
        heard=line,
        signals=tuple(signal for signal in signals if not signal.ends),
        battery=levels[0] if levels else None,
        offline=any(reading.event == "offline" for reading in readings),
    )


def _distinct(found: Iterable[Understood]) -> list[Signal]:
    seen: set[str] = set()
    presses = []
    for each in found:
        for signal in () if each.heard.retain else each.signals:
            mark = f"{signal.action} {signal.cause}" if signal.cause is not None else state_of(signal)
            if mark is None or mark not in seen:
                presses.append(signal)
            if mark is not None:
                seen.add(mark)
    return presses


def _all_known(each: Understood, before: list[Understood]) -> bool:
    return bool(each.signals) and all(_is_known(signal, each.heard.at_s, before) for signal in each.signals)


def _is_known(signal: Signal, at_s: float, before: list[Understood]) -> bool:
    """Has alertd heard it? By its identity as long as copies may come, or by the state that was said last."""
    said = [(earlier, each.heard.at_s) for each in before for earlier in each.signals]
    if signal.cause is not None:
        same_s = signal.same_s or DUPLICATE_S
        return any(earlier.cause == signal.cause and at_s - then_s <= same_s for earlier, then_s in said)
    last = next((earlier for earlier, _ in reversed(said) if earlier.lasting is not None), None)
    return signal.lasting is not None and last is not None and last.lasting == signal.lasting


def state_of(signal: Signal) -> str | None:
    """A state that is said again with the same count."""
    lasting = signal.lasting
    return f"{signal.action} {lasting.what} {lasting.state}" if lasting is not None and lasting.state else None
