"""Profiles as people write them: the keys of `[source.NAME]` and `[profile.NAME]`, and what each may hold.

Only shapes and single values; `sources` and `devices` read the expressions. docs/devices.md explains every key.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from alertd_adapters.decoders.mapping.codec import Codec

About = Annotated[str, Meta(min_length=1, max_length=300)]
Expression = Annotated[str, Meta(min_length=1, max_length=1_000)]
Name = Annotated[str, Meta(max_length=64)]
Seconds = Annotated[int, Meta(ge=1, le=86_400)]
Topic = Annotated[str, Meta(min_length=1, max_length=300)]


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first rule that matches says what a message is."""

    event: Name | None = None
    """One of `events.ALL`. Beside `map`: what a value is that the map does not know."""
    when: Expression | None = None
    each: Expression | None = None
    """A list: the rule is tried on every element, which expressions call `item`."""
    value: Expression | None = None
    map: dict[str, Name] = {}
    """Value -> event. Numbers are written as text, and true and false as well."""
    button: Expression | None = None
    reads: dict[str, Expression] = {}
    """Of a sensor: what it measures ("vape") -> the number, which alertd compares with the thresholds of its gestures.
    Beside `event`, which says what the message is ("status")."""
    level: bool = False
    """The value says a state that lasts, and is said again while it does; a press is a moment. An event that is no
    press ends the state."""
    state: Expression | None = None
    """Of a level: what tells two states of one kind apart (a count that is said again and again)."""
    ignored: bool = False
    """It is what it says, and nobody is ever told: a button that this service does not answer."""
    continues: bool = False
    """The rules behind it are tried as well."""
    why: Annotated[str, Meta(max_length=200)] = ""
    """For people: what stands behind it."""


class Example(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message, and what must come of it. Run by `alertd check`."""

    topic: str
    payload: str
    """As it is sent; of a binary format in hex or base64, as the source has it."""
    expect: list[dict[str, Any]] | Literal["refused", "unknown"]
    """What is read, each with some of event, device, action, button, battery, time and value."""
    source: Name = ""
    """Of a device profile: over which source it comes."""
    device: Name = ""
    """The device that is in the registry, where `expect` names none. What `expect` names is in it."""


class Power(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is said of a battery, and in which unit."""

    battery: Expression | None = None
    battery_unit: Literal["percent", "lorawan", "volts", "millivolts", "flag", "words"] = "percent"
    battery_full: float | None = None
    battery_empty: float | None = None
    """In volts: what counts as 100 and as 0 percent. Without both, or a curve, volts are not turned into percent."""
    battery_curve: Annotated[list[Annotated[list[float], Meta(min_length=2, max_length=2)]], Meta(max_length=20)] = []
    """Pairs of volts and percent, for batteries that do not fall in a straight line."""
    battery_low: float | None = None
    """At or below this it is low, in its own unit; absent: as alertd judges percent."""
    battery_words: dict[str, str | int] = {}
    """Of the unit "words": word -> "low", "ok", "mains" or percent."""
    battery_mains: Expression | None = None
    """True: it is plugged in."""


class Message(Power, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of message of a source: where it comes, and where in it things are."""

    topic: str
    id: Expression
    """Of the device."""
    format: Literal["json", "text", "hex", "base64"] = "json"
    pattern: str | None = None
    """Of a text: its named groups become the payload."""
    when: Expression | None = None
    each: Expression | None = None
    """A list: each element is a message of its own, which expressions call `item`."""
    object: Expression | None = None
    """What a decoder on the way has made of the bytes. Absent: the payload itself."""
    bytes: Expression | None = None
    bytes_as: Literal["base64", "hex"] = "base64"
    fport: Expression | None = None
    time: Expression | None = None
    identity: list[Expression] = []
    """What tells two presses apart and two copies of one press not; only if every part is there."""
    identity_s: Seconds | None = None
    """Copies come within so long; later the same identity is another press. For small counters: 3600 otherwise."""
    test: Expression | None = None
    """True: the source itself marks it as a test."""
    late: Expression | None = None
    """True: the source itself says that it was held up or stored on its way."""
    standing: Expression | None = None
    """True: it says how something stands since nobody knows when, and may have been heard before: no press, as if the
    broker had retained it."""
    gateway: Expression | None = None
    hearings: Expression | None = None
    """Every gateway that heard it, and how well: a list of {gateway, rssi, snr}, beside `gateway`, the best of them."""
    code: Expression | None = None
    """What was typed at a keypad: compared with the device's duress codes, and shown to nobody."""
    hides: Expression | None = None
    """True: what it says, but for its time, may have been typed at a keypad, as only the topic tells."""
    seen: Expression | None = None
    """When the device was last heard, where a bridge repeats what it said before."""
    of_gateway: bool = False
    """It speaks of the bridge itself, which the trigger's option `gateway` names; without that, of `id`."""
    profile: Name = ""
    """As `profile` of the source, for this message."""
    rules: list[Rule] = []
    """What the message is, whatever the device; without them, the device's profile says."""
    empty: bool = False
    """An empty payload is nothing: it deletes what was retained."""


class Down(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a device of this source is told something. `{name}` stands for what the topic of its press captured,
    `{fport}` and `{bytes}` (in base64) for what its profile says, `{expires}` for when it is worthless (RFC 3339)."""

    topic: Topic
    payload: Annotated[str, Meta(max_length=1_000)]
    forget_topic: Annotated[str, Meta(max_length=300)] = ""
    """Where, and how, the server is told after half a minute that what waits for the device is worthless."""
    forget_payload: Annotated[str, Meta(max_length=1_000)] = ""


class Shown(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bytes that make a device show something."""

    fport: Annotated[int, Meta(ge=1, le=223)]
    bytes: Annotated[str, Meta(max_length=100, pattern="^([0-9A-Fa-f]{2})*$")]


class SourceProfile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    about: About
    messages: Annotated[list[Message], Meta(min_length=1, max_length=40)]
    base: str = ""
    """First levels of its topics, unless the trigger's options say otherwise."""
    profile: Name = ""
    """Profile of a device of which the registry names none: only where the source itself fixes what payloads mean."""
    envelope: Literal["sparkplug"] | None = None
    """What payloads are packed in. They are opened first; messages and examples show them as they look then."""
    speaks: Annotated[list[Topic], Meta(max_length=20)] = []
    """Where its clients of the broker publish, for the access list. `{client}` stands for the name of one, which is the
    id of a registered device. Without it one client speaks for all; empty: on the whole of the trigger's topic."""
    hears: Annotated[list[Topic], Meta(max_length=20)] = []
    """What its clients may read; empty: what they are told by `down`."""
    asked: Annotated[list[Topic], Meta(max_length=20)] = []
    """Where alertd itself speaks to them beside `down`."""
    down: Down | None = None
    """How its devices are told something; absent: they are not."""
    clients: Literal["devices", "gateways"] = "devices"
    """Which registered devices `{client}` stands for."""
    examples: Annotated[list[Example], Meta(max_length=60)] = []


class DeviceProfile(Power, frozen=True, kw_only=True, forbid_unknown_fields=True):
    about: About
    rules: Annotated[list[Rule], Meta(min_length=1, max_length=60)]
    codec: Codec | None = None
    check_in: Annotated[str, Meta(max_length=20)] | None = None
    """Its devices report by themselves: silent for so long, one is missed ("26 h"). Absent: they need not."""
    sleeps: bool = False
    """Its devices go offline whenever they sleep: that means nothing."""
    time: Expression | None = None
    """The device's own time, in place of the source's."""
    identity: list[Expression] = []
    """In place of the source's."""
    feedback: dict[Literal["received", "responder_accepted"], Shown] = {}
    """What its devices show of it (req 7), where their source can tell them."""
    identity_s: Seconds | None = None
    level_repeats_s: Seconds = 4_000
    """A state that lasts is said again at least so often; after a longer silence it is another call for help."""
    examples: Annotated[list[Example], Meta(max_length=60)] = []
