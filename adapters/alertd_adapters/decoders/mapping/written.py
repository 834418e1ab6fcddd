"""Profiles as people write them: the keys of `[source.NAME]` and `[profile.NAME]`, and what each may hold.

Only shapes and single values; `sources` and `devices` read the expressions. docs/devices.md explains every key.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from alertd_adapters.decoders.mapping.codec import Codec

About = Annotated[str, Meta(min_length=1, max_length=300)]
Expression = Annotated[str, Meta(min_length=1, max_length=1_000)]
Name = Annotated[str, Meta(max_length=64)]


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


class Message(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
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
    test: Expression | None = None
    """True: the source itself marks it as a test."""
    late: Expression | None = None
    """True: the source itself says that it was held up or stored on its way."""
    gateway: Expression | None = None
    profile: Name = ""
    """As `profile` of the source, for this message."""
    rules: list[Rule] = []
    """What the message is, whatever the device; without them, the device's profile says."""
    empty: bool = False
    """An empty payload is nothing: it deletes what was retained."""


class SourceProfile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    about: About
    messages: Annotated[list[Message], Meta(min_length=1, max_length=40)]
    base: str = ""
    """First levels of its topics, unless the trigger's options say otherwise."""
    profile: Name = ""
    """Profile of a device of which the registry names none: only where the source itself fixes what payloads mean."""
    examples: Annotated[list[Example], Meta(max_length=60)] = []


class DeviceProfile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    about: About
    rules: Annotated[list[Rule], Meta(min_length=1, max_length=60)]
    codec: Codec | None = None
    battery: Expression | None = None
    battery_unit: Literal["percent", "lorawan", "volts", "millivolts"] = "percent"
    battery_full: float | None = None
    battery_empty: float | None = None
    """In volts: what counts as 100 and as 0 percent. Without both, volts are not turned into percent."""
    time: Expression | None = None
    """The device's own time, in place of the source's."""
    identity: list[Expression] = []
    """In place of the source's."""
    examples: Annotated[list[Example], Meta(max_length=60)] = []
