"""`MappedDecoder`: one source, the profiles, and the registry that says which device has which.

    choose the message → which device → its profile → what the rules say → signals

Must never guess a profile from a payload, or raise anything but `DecodeError`. What is known and no press is empty;
what nobody knows is `UncoveredError`, counted; what may have been a press and cannot be read is another `DecodeError`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from alertd.model.events import Signal
from alertd.ports import DecodeError, UncoveredError
from alertd_adapters.decoders.json_payload import DEVICE_ID_MAX, device_time, word
from alertd_adapters.decoders.mapping.bindings import Bindings, Bound
from alertd_adapters.decoders.mapping.devices import Profile
from alertd_adapters.decoders.mapping.events import TRIGGERS, UNREADABLE
from alertd_adapters.decoders.mapping.quick import Evaluate
from alertd_adapters.decoders.mapping.reading import Reading
from alertd_adapters.decoders.mapping.rules import Match, as_word
from alertd_adapters.decoders.mapping.sources import Chosen, Source

Trace = Callable[[str, str], None]
"""Told each step as (what, found), for whoever asks why."""

UNKNOWN = "unknown"
UNREGISTERED = "unregistered"


def _silent(what: str, found: str) -> None:
    """Nobody asks."""


class MappedDecoder:
    """`ports.Decoder`."""

    def __init__(self, source: Source, profiles: Mapping[str, Profile], bindings: Bindings) -> None:
        self.name = f"profiles ({source.name})"
        self._source = source
        self._profiles = profiles
        self._bindings = bindings

    def decode(self, topic: str, payload: bytes) -> Sequence[Signal]:
        return tuple(reading.signal() for reading in self.read(topic, payload) if reading.is_signal)

    def read(self, topic: str, payload: bytes, trace: Trace = _silent) -> list[Reading]:
        """What the message says, quiet things included. Raises `DecodeError`."""
        chosen = self._choose(topic, payload, trace)
        if chosen.payload is None and not payload:
            trace("payload", "empty: it deletes what was retained")
            return []
        readings: list[Reading] = []
        wrong: DecodeError | None = None
        for root in chosen.roots():
            try:
                readings += self._read_one(chosen, root, trace)
            except UncoveredError as error:
                wrong = wrong or error
            except DecodeError as error:
                wrong = error if wrong is None or isinstance(wrong, UncoveredError) else wrong
        is_enough = any(reading.is_signal for reading in readings) or (readings and isinstance(wrong, UncoveredError))
        if wrong is not None and not is_enough:
            raise wrong
        return readings

    def _choose(self, topic: str, payload: bytes, trace: Trace) -> Chosen:
        source = self._source.name
        try:
            chosen = self._source.choose(topic, payload)
        except DecodeError:
            self._refuse_unless_foreign(topic)
            raise
        if chosen is None:
            raise UncoveredError(f"source {source} knows no such message", count=UNKNOWN)
        trace("source", f"{source}, message {chosen.message.number}: {chosen.message.template.text}")
        if chosen.topic:
            trace("captured", ", ".join(f"{name} = {level}" for name, level in chosen.topic.items()))
        return chosen

    def _refuse_unless_foreign(self, topic: str) -> None:
        """Nonsense from a device that its topic names, and that nobody has registered, is not ours to worry about: a
        network server carries a town's water meters, too."""
        if self._source.profile:
            return
        for message, captured in self._source.fitting(topic):
            heard = message.device_of({"topic": captured, "payload": None})
            if heard is not None and self._bindings.of(heard) is None:
                raise UncoveredError(f"{heard} is not in the registry", count=UNREGISTERED)

    # --- one device's part of a message -----------------------------------------------------------------------------

    def _read_one(self, chosen: Chosen, root: dict[str, Any], trace: Trace) -> list[Reading]:
        message = chosen.message
        heard = message.device_of(root)
        if heard is None:
            raise DecodeError("the message does not say which device it is about")
        bound = self._bindings.of(heard)
        trace("device", f"{heard}{_as_registered(heard, bound)}")
        if message.rules is not None:
            root["object"] = root["payload"]
            matches, profile, by = message.rules.matches(root), None, f"source {self._source.name}"
        else:
            profile = self._profile(heard, bound, message.profile or self._source.profile)
            trace("profile", profile.name)
            matches, root = profile.understand(message, root)
            by = f"profile {profile.name}"
        if not matches:
            raise UncoveredError(f"no rule of {by} matches", count=UNKNOWN)
        if message.says(message.test, root):
            trace("test", "the source marks it as a test")
            matches = [_as_test(match) for match in matches]
        make = _Maker(heard, bound, root, chosen, profile)
        return [make.reading(match, by, whole=trace is not _silent) for match in matches]

    def _profile(self, heard: str, bound: Bound | None, otherwise: str) -> Profile:
        name = (bound.profile if bound is not None else "") or otherwise
        if not name:
            if bound is None:
                raise UncoveredError(f"{heard} is not in the registry", count=UNREGISTERED)
            raise DecodeError(f"{heard} has no profile: name one in the column profile of devices.csv")
        profile = self._profiles.get(name)
        if profile is None:
            raise DecodeError(f"{heard} has the profile {name}, which there is not")
        return profile


class _Maker:
    """Makes readings of one device's part of a message. Time, identity and gateway are looked for only where a signal
    needs them, or somebody asks."""

    def __init__(
        self, heard: str, bound: Bound | None, root: dict[str, Any], chosen: Chosen, profile: Profile | None
    ) -> None:
        self._heard = heard
        self._bound = bound
        self._root = root
        self._message = chosen.message
        self._profile = profile

    def reading(self, match: Match, by: str, *, whole: bool) -> Reading:
        if match.event == UNREADABLE:
            raise DecodeError(match.why or "a press may be inside, and cannot be read")
        bound = self._bound
        device_id = bound.id_of(self._heard, match.button) if bound is not None else self._heard
        by = f"{by}, rule {match.rule}"
        if not whole and match.event not in TRIGGERS:
            return Reading(device_id=device_id, event=match.event, value=match.value, button=match.button, by=by)
        message, root, profile = self._message, self._root, self._profile
        return Reading(
            device_id=device_id,
            event=match.event,
            value=match.value,
            button=match.button,
            ignored=match.ignored,
            identity=self._identity(),
            pressed_us=self._time(),
            heard_by=word(as_word(message.gateway(root)), DEVICE_ID_MAX) if message.gateway is not None else None,
            battery_pct=profile.battery_pct(root) if profile is not None else None,
            late=message.says(message.late, root),
            by=by,
        )

    def _time(self) -> int | None:
        for when in (self._profile.time if self._profile is not None else None, self._message.time):
            at_us, _ = device_time(when(self._root)) if when is not None else (None, False)
            if at_us is not None:
                return at_us
        return None

    def _identity(self) -> tuple[str, ...]:
        for parts in (self._profile.identity if self._profile is not None else (), self._message.identity):
            found = [_part(part, self._root) for part in parts]
            whole = tuple(each for each in found if each is not None)
            if whole and len(whole) == len(found):
                return whole
        return ()


def _part(part: Evaluate, root: dict[str, Any]) -> str | None:
    return as_word(part(root))


def _as_test(match: Match) -> Match:
    return Match(event="test", value=match.value, button=match.button, ignored=False, rule=match.rule, why=match.why)


def _as_registered(heard: str, bound: Bound | None) -> str:
    if bound is None:
        return ", not in the registry"
    if not bound.device_id:
        return f", registered by its buttons {', '.join(bound.buttons.values())}"
    return "" if bound.device_id == heard else f", registered as {bound.device_id}"
