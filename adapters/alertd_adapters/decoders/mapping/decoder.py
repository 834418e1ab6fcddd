"""`MappedDecoder`: one source, the profiles, and the registry that says which device has which.

    choose the message → which device → its profile → what the rules say → signals

Must never guess a profile from a payload, or raise anything but `DecodeError`. What is known and no press is empty;
what nobody knows is `UncoveredError`, counted; what may have been a press and cannot be read is another `DecodeError`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from msgspec.structs import replace

from alertd.model.decision import Confirmation
from alertd.model.duress_code import LENGTHS as CODE_LENGTHS
from alertd.model.duress_code import is_code_of
from alertd.model.events import Heard, Lasting, Signal
from alertd.model.ids import DeviceId
from alertd.ports import DecodeError, Downlink, UncoveredError, Understood
from alertd_adapters.decoders.json_payload import DEVICE_ID_MAX, device_time, word
from alertd_adapters.decoders.mapping.bindings import Bindings, Bound
from alertd_adapters.decoders.mapping.devices import Profile
from alertd_adapters.decoders.mapping.downlinks import Downlinks
from alertd_adapters.decoders.mapping.events import RESETS, TRIGGERS, UNREADABLE
from alertd_adapters.decoders.mapping.quick import Evaluate
from alertd_adapters.decoders.mapping.reading import Reading, said
from alertd_adapters.decoders.mapping.rules import Match, as_word
from alertd_adapters.decoders.mapping.signs import signs
from alertd_adapters.decoders.mapping.sources import Chosen, Message, Source

Trace = Callable[[str, str], None]
"""Told each step as (what, found), for whoever asks why."""

LEVEL_REPEATS_S = 4_000
"""Of a level that the source itself understands."""
HEARINGS_MAX = 30
"""Gateways of one message that are looked at."""

UNKNOWN = "unknown"
UNREGISTERED = "unregistered"


def silent(what: str, found: str) -> None:
    """Nobody asks."""


class MappedDecoder:
    """`ports.Decoder`."""

    def __init__(self, source: Source, profiles: Mapping[str, Profile], bindings: Bindings, gateway: str = "") -> None:
        """`gateway`: the registered gateway or bridge that stands behind the whole source."""
        self._gateway = gateway
        self.name = f"profiles ({source.name})"
        self._source = source
        self._profiles = profiles
        self._bindings = bindings
        self._downlinks = Downlinks(source.down)

    def answers(self, confirmation: Confirmation, expires_us: int) -> Sequence[Downlink]:
        """`ports.Answering`."""
        return self._downlinks.of(confirmation, expires_us)

    def ports(self, topic: str, payload: bytes) -> set[int]:
        """As `Source.ports`."""
        return self._source.ports(topic, payload)

    def decode(self, topic: str, payload: bytes) -> Sequence[Signal]:
        return self.understand(topic, payload).signals

    def understand(self, topic: str, payload: bytes) -> Understood:
        """`ports.CheckInDecoder`."""
        readings = self.read(topic, payload)
        signals, unread = said(readings)
        return Understood(
            signals=signals,
            check_ins=tuple(sign for reading in readings for sign in reading.signs),
            unread=unread,
            strangers=tuple(self._strangers(readings)),
        )

    def _strangers(self, readings: Sequence[Reading]) -> Iterator[str]:
        for reading in readings:
            if reading.device_id and self._bindings.of(reading.device_id) is None:
                yield reading.device_id
            yield from reading.strangers

    def read(self, topic: str, payload: bytes, trace: Trace = silent) -> list[Reading]:
        """What the message says, quiet things included; beside a press, what may be another and cannot be read, as
        `UNREADABLE`. Raises `DecodeError`."""
        chosen = self._choose(topic, payload, trace)
        if chosen.payload is None and not payload:
            trace("payload", "empty: it deletes what was retained")
            return []
        readings: list[Reading] = []
        strangers: list[str] = []
        wrong: DecodeError | None = None
        try:
            for root in chosen.roots():
                try:
                    readings += self._read_one(chosen, root, trace)
                except UncoveredError as error:
                    strangers += error.strangers
                    wrong = wrong or error
                except DecodeError as error:
                    wrong = error if wrong is None or _says_more(error, wrong) else wrong
            is_pressed = any(reading.is_signal for reading in readings)
            is_enough = is_pressed or (readings and isinstance(wrong, UncoveredError))
            if wrong is not None and not is_enough:
                if isinstance(wrong, UncoveredError):
                    wrong.strangers = tuple(strangers)
                raise wrong
            if strangers and readings:
                readings[0] = replace(readings[0], strangers=tuple(strangers))
            if wrong is not None and not isinstance(wrong, UncoveredError):
                readings.append(Reading(device_id="", event=UNREADABLE, value=str(wrong)))
            return readings
        finally:
            wrong = None  # else the error holds this frame and the frame holds the error, until the cycle collector

    def _choose(self, topic: str, payload: bytes, trace: Trace) -> Chosen:
        source = self._source.name
        try:
            chosen = self._source.choose(topic, payload)
        except DecodeError as error:
            error.never_press = self._of_a_sensor(topic)
            raise
        if chosen is None:
            raise UncoveredError(f"source {source} knows no such message", count=UNKNOWN)
        trace("source", f"{source}, message {chosen.message.number}: {chosen.message.template.text}")
        if chosen.topic:
            trace("captured", ", ".join(f"{name} = {level}" for name, level in chosen.topic.items()))
        return chosen

    def _of_a_sensor(self, topic: str) -> bool | None:
        """Whose nonsense it is, as `DecodeError.never_press`; `None`: the topic names no device. That of a device that
        nobody has registered is not ours to worry about: a network server carries a town's water meters, too. Raises
        `UncoveredError`."""
        for message, captured in self._source.fitting(topic):
            heard = message.device_of({"topic": captured, "payload": None})
            bound = self._bindings.of(heard) if heard is not None else None
            if bound is not None:
                return bound.never_presses
            if heard is not None and not self._source.profile:
                raise UncoveredError(f"{heard} is not in the registry", count=UNREGISTERED, strangers=(heard,))
        return None

    # --- one device's part of a message -----------------------------------------------------------------------------

    def _read_one(self, chosen: Chosen, root: dict[str, Any], trace: Trace) -> list[Reading]:
        message = chosen.message
        heard = self._gateway if message.of_gateway and self._gateway else message.device_of(root)
        if heard is None:
            raise DecodeError("the message does not say which device it is about")
        bound = self._bindings.of(heard)
        trace("device", f"{heard}{_as_registered(heard, bound)}")
        try:
            return self._read_of(heard, bound, chosen, root, trace)
        except DecodeError as error:
            if bound is not None:
                error.never_press = bound.never_presses
            raise

    def _read_of(
        self, heard: str, bound: Bound | None, chosen: Chosen, root: dict[str, Any], trace: Trace
    ) -> list[Reading]:
        message = chosen.message
        if message.rules is not None:
            root["object"] = root["payload"]
            matches, profile, by = message.rules.matches(root), None, f"source {self._source.name}"
        else:
            profile = self._profile(heard, bound, message.profile or self._source.profile)
            trace("profile", profile.name)
            matches, root = profile.understand(message, root)
            by = f"profile {profile.name}"
        if bound is not None and bound.codes and _is_duress(message, root, bound):
            trace("code", "one of its duress codes")
            matches = [_POLICE, *(match for match in matches if match.event in TRIGGERS)]
        if not matches:
            strangers = () if bound is not None else (heard,)
            raise UncoveredError(f"no rule of {by} matches", count=UNKNOWN, strangers=strangers)
        if message.says(message.test, root):
            trace("test", "the source marks it as a test")
            matches = [_as_test(match) for match in matches]
        make = _Maker(heard, self._bindings, root, chosen, profile)
        readings = make.all(matches, by, whole=trace is not silent)
        if bound is None:
            return readings
        for reading in readings:
            if reading.is_signal and profile is not None:
                self._downlinks.heard(reading.device_id, chosen.topic, profile.shows)
        means = profile or self._profiles.get(bound.profile or self._source.profile)
        via = self._gateway if heard != self._gateway else ""
        found = signs(message, means, bound, root, matches, via)
        is_late = message.says(message.late, root)
        if bound.wanders and not is_late and (hearings := make.hearings()):
            found = tuple(replace(sign, heard=hearings) for sign in found)
        return [replace(readings[0], signs=found), *readings[1:]]

    def _profile(self, heard: str, bound: Bound | None, otherwise: str) -> Profile:
        name = (bound.profile if bound is not None else "") or otherwise
        if not name:
            if bound is None:
                raise UncoveredError(f"{heard} is not in the registry", count=UNREGISTERED, strangers=(heard,))
            raise DecodeError(f"{heard} has no profile: name one in the column profile of devices.csv")
        profile = self._profiles.get(name)
        if profile is None:
            raise DecodeError(f"{heard} has the profile {name}, which there is not")
        return profile


def _says_more(error: DecodeError, than: DecodeError) -> bool:
    return isinstance(than, UncoveredError) or bool(than.never_press and not error.never_press)


class _Maker:
    """Makes readings of one device's part of a message. Time, identity and gateway are looked for only where a signal
    needs them, or somebody asks; and once, however many readings there are (a payload may hold a thousand)."""

    def __init__(
        self, heard: str, bindings: Bindings, root: dict[str, Any], chosen: Chosen, profile: Profile | None
    ) -> None:
        self._heard = heard
        self._bindings = bindings
        self._bound = bindings.of(heard)
        self._root = root
        self._message = chosen.message
        self._profile = profile

    def all(self, matches: Iterable[Match], by: str, *, whole: bool) -> list[Reading]:
        """Of every match. What cannot be read takes no press beside it with it: it is one `UNREADABLE` then. Raises
        `DecodeError` where nothing else would page."""
        readings: list[Reading] = []
        wrong: DecodeError | None = None
        try:
            for match in matches:
                try:
                    readings.append(self.reading(match, by, whole=whole))
                except DecodeError as error:
                    wrong = wrong or error
            if wrong is not None:
                if not any(reading.is_signal for reading in readings):
                    raise wrong
                readings.append(Reading(device_id="", event=UNREADABLE, value=str(wrong)))
            return readings
        finally:
            wrong = None  # as in `read`

    def reading(self, match: Match, by: str, *, whole: bool) -> Reading:
        if match.event == UNREADABLE:
            raise DecodeError(match.why or "a press may be inside, and cannot be read")
        bound = self._bound
        device_id = bound.id_of(self._heard, match.button) if bound is not None else self._heard
        by = f"{by}, rule {match.rule}"
        lasting = self._lasting(match)
        senses = bound is not None and bound.senses
        if not whole and match.event not in TRIGGERS and not senses:
            return Reading(
                device_id=device_id,
                event=match.event,
                value=match.value,
                button=match.button,
                ignored=match.ignored,
                lasting=lasting,
                by=by,
            )
        message, root, profile = self._message, self._root, self._profile
        heard = self.hearings()
        own_s = profile.identity_s if profile is not None else None
        return Reading(
            device_id=device_id,
            event=match.event,
            value=match.value,
            button=match.button,
            ignored=match.ignored,
            identity=self._identity,
            pressed_us=self._time,
            heard_by=heard[0].gateway_id if heard else None,
            heard=heard,
            same_s=own_s or message.identity_s or 0,
            lasting=lasting,
            battery_pct=self._battery_pct,
            late=message.says(message.late, root),
            standing=message.says(message.standing, root),
            reads=match.reads if senses else (),
            resets=RESETS.get(match.event, "") if senses and not match.ignored else "",
            by=by,
        )

    @cached_property
    def _battery_pct(self) -> int | None:
        for power in (self._profile.power if self._profile is not None else None, self._message.power):
            if power is not None and (found := power.of(self._root)) is not None:
                return found.pct
        return None

    def _lasting(self, match: Match) -> Lasting | None:
        if not match.level:
            return None
        repeats_s = self._profile.level_repeats_s if self._profile is not None else LEVEL_REPEATS_S
        return Lasting(repeats_s=repeats_s, what=match.button or "", state=match.state)

    def hearings(self) -> tuple[Heard, ...]:
        """The gateways that heard it, as the registry spells them, the strongest first."""
        message, root = self._message, self._root
        if message.hearings is not None:
            found = message.hearings(root)
            listed = [self._heard_by(each) for each in found[:HEARINGS_MAX]] if isinstance(found, list) else []
            heard = [each for each in listed if each is not None]
            if heard:
                return tuple(sorted(heard, key=lambda each: -(each.rssi if each.rssi is not None else float("-inf"))))
        one = self._heard_by({"gateway": message.gateway(root)}) if message.gateway is not None else None
        return (one,) if one is not None else ()

    def _heard_by(self, hearing: object) -> Heard | None:
        if not isinstance(hearing, dict):
            return None
        gateway = word(as_word(hearing.get("gateway")), DEVICE_ID_MAX)
        if gateway is None:
            return None
        bound = self._bindings.of(gateway)
        known = bound.device_id if bound is not None and bound.device_id else gateway
        return Heard(gateway_id=DeviceId(known), rssi=_decibels(hearing.get("rssi")), snr=_decibels(hearing.get("snr")))

    @cached_property
    def _time(self) -> int | None:
        for when in (self._profile.time if self._profile is not None else None, self._message.time):
            at_us, _ = device_time(when(self._root)) if when is not None else (None, False)
            if at_us is not None:
                return at_us
        return None

    def _is_no_time(self, parts: tuple[str, ...]) -> bool:
        """A clock that was never set shows the same time after each start: two presses would be one."""
        whens = (self._profile.time if self._profile is not None else None, self._message.time)
        shown = (when(self._root) for when in whens if when is not None)
        return any(as_word(each) in parts for each in shown if each is not None and device_time(each)[0] is None)

    @cached_property
    def _identity(self) -> tuple[str, ...]:
        for parts in (self._profile.identity if self._profile is not None else (), self._message.identity):
            found = [_part(part, self._root) for part in parts]
            whole = tuple(each for each in found if each is not None)
            if whole and len(whole) == len(found) and not self._is_no_time(whole):
                return whole
        return ()


def _is_duress(message: Message, root: dict[str, Any], bound: Bound) -> bool:
    """Was one of the device's duress codes typed?"""
    typed = message.code(root) if message.code is not None else None
    if isinstance(typed, bool) or not isinstance(typed, str | int):
        return False
    code = str(typed).strip()
    return len(code) in CODE_LENGTHS and any(is_code_of(code, each) for each in bound.codes)


def _decibels(value: object) -> float | None:
    """Radio levels lie between these; whatever is no such number says nothing."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not -200 <= value <= 50:
        return None
    return float(value)


def _part(part: Evaluate, root: dict[str, Any]) -> str | None:
    return as_word(part(root))


def _as_test(match: Match) -> Match:
    return Match(event="test", value=match.value, button=match.button, ignored=False, rule=match.rule, why=match.why)


_POLICE = Match(event="police", value=None, button=None, ignored=False, rule=0, why="a duress code")


def _as_registered(heard: str, bound: Bound | None) -> str:
    if bound is None:
        return ", not in the registry"
    if not bound.device_id:
        return f", registered by its buttons {', '.join(bound.buttons.values())}"
    return "" if bound.device_id == heard else f", registered as {bound.device_id}"
