"""A source profile, ready to run: which message a topic is, and what the payload holds before any device is known."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from alertd.ports import DecodeError
from alertd_adapters.decoders.json_payload import DEVICE_ID_MAX, read_json, word
from alertd_adapters.decoders.mapping import written
from alertd_adapters.decoders.mapping.codes import guarded, hidden, named
from alertd_adapters.decoders.mapping.patterns import TEXT_MAX, Pattern, PatternError
from alertd_adapters.decoders.mapping.power import Power
from alertd_adapters.decoders.mapping.quick import Evaluate, is_true
from alertd_adapters.decoders.mapping.rules import (
    KeyWrongError,
    Rules,
    as_word,
    elements_of,
    read,
    read_predicate,
)
from alertd_adapters.decoders.mapping.topics import Template, TemplateError

TOPICS_CACHED = 5_000
FPORT_MAX = 255


class Message:
    """One kind of message."""

    def __init__(self, message: written.Message, base: str, number: int) -> None:
        path = ("messages", number)
        self.number = number + 1
        self.template = _template(message.topic, base, path)
        self.pattern = _pattern(message, path)
        self.format = message.format
        self.empty = message.empty
        self.bytes_as = message.bytes_as
        self.profile = message.profile
        self.rules = Rules(message.rules, (*path, "rules")) if message.rules else None
        self.when = read_predicate(message.when, (*path, "when"))
        self.each = read(message.each, (*path, "each"))
        self.id = read(message.id, (*path, "id"))
        self.object = read(message.object, (*path, "object"))
        self.bytes = read(message.bytes, (*path, "bytes"))
        self.fport = read(message.fport, (*path, "fport"))
        self.time = read(message.time, (*path, "time"))
        self.identity = tuple(
            filter(None, (read(part, (*path, "identity", index)) for index, part in enumerate(message.identity)))
        )
        self.test = read_predicate(message.test, (*path, "test"))
        self.late = read_predicate(message.late, (*path, "late"))
        self.standing = read_predicate(message.standing, (*path, "standing"))
        self.gateway = read(message.gateway, (*path, "gateway"))
        self.hearings = read(message.hearings, (*path, "hearings"))
        self.code = read(message.code, (*path, "code"))
        self.hides = read_predicate(message.hides, (*path, "hides"))
        self.identity_s = message.identity_s
        self.seen = read(message.seen, (*path, "seen"))
        self.of_gateway = message.of_gateway
        self.power = Power(message, path)

    def payload(self, data: bytes) -> Any:
        """The payload in this message's format; `None` for an empty one that means nothing. Raises `DecodeError`."""
        if not data and self.empty:
            return None
        match self.format:
            case "json":
                return guarded(read_json(data), data)
            case "text":
                return self._text(data)
            case "hex":
                return read_bytes(_ascii(data), "hex").hex()
            case "base64":
                return _ascii(data).strip()

    def _text(self, data: bytes) -> Any:
        text = _ascii(data) if data.isascii() else _utf8(data)
        if self.pattern is None:
            return text.strip()
        groups = self.pattern.groups(text.strip())
        if groups is None:
            raise DecodeError("the text is not of the form that this message has")
        return groups

    def device_of(self, root: dict[str, Any]) -> str | None:
        found = self.id(root) if self.id is not None else None
        return word(as_word(found), DEVICE_ID_MAX)

    def says(self, question: Evaluate | None, root: dict[str, Any]) -> bool:
        return question is not None and is_true(question(root))


class Chosen(Struct, frozen=True):
    """Which message it is, and what it holds."""

    message: Message
    topic: Mapping[str, str]
    payload: Any

    def roots(self) -> list[dict[str, Any]]:
        """What expressions see: one root, or one for each element. Raises `DecodeError`."""
        root: dict[str, Any] = {"topic": self.topic, "payload": self.payload}
        if self.message.each is None:
            return [root]
        return [{**root, "item": each} for each in elements_of(self.message.each(root))]


class Source:
    def __init__(self, name: str, profile: written.SourceProfile, base: str | None = None) -> None:
        self.name = name
        self.profile = profile.profile
        self.envelope = profile.envelope
        self.base = base or profile.base
        self._messages = tuple(Message(each, self.base, index) for index, each in enumerate(profile.messages))
        self.down = profile.down
        self.clients = profile.clients
        self.speaks = tuple(_access(each, self.base, ("speaks", at)) for at, each in enumerate(profile.speaks))
        told = _told(profile.down)
        self.hears = tuple(_access(each, self.base, ("hears", at)) for at, each in enumerate(profile.hears)) or told
        self.asked = (*(_access(each, self.base, ("asked", at)) for at, each in enumerate(profile.asked)), *told)
        self._fitting = lru_cache(TOPICS_CACHED)(self._find)

    def fitting(self, topic: str) -> Sequence[tuple[Message, dict[str, str]]]:
        """Messages whose template the topic has, with what it captures."""
        return self._fitting(topic)

    def _find(self, topic: str) -> tuple[tuple[Message, dict[str, str]], ...]:
        levels = topic.split("/")
        found = ((each, each.template.match(levels)) for each in self._messages)
        return tuple((message, captured) for message, captured in found if captured is not None)

    def choose(self, topic: str, payload: bytes) -> Chosen | None:
        """The first message that has this topic, whose format the payload is, and whose condition holds; `None`: there
        is none. Raises `DecodeError` if the payload has none of the formats."""
        wrong: DecodeError | None = None
        read_as: dict[tuple[str, Pattern | None, bool], Any] = {}
        try:
            for message, captured in self.fitting(topic):
                kind = (message.format, message.pattern, message.empty)
                if kind not in read_as:
                    try:
                        read_as[kind] = named(topic, message.payload(payload))
                    except DecodeError as error:
                        wrong = wrong or error
                        continue
                chosen = Chosen(message, captured, read_as[kind])
                root = {"topic": captured, "payload": chosen.payload}
                if message.when is not None and not is_true(message.when(root)):
                    continue
                return replace(chosen, payload=hidden(chosen.payload)) if message.says(message.hides, root) else chosen
            if wrong is not None:
                raise wrong
            return None
        finally:
            wrong = None  # as in `MappedDecoder.read`

    def ports(self, topic: str, payload: bytes) -> set[int]:
        """LoRaWAN ports on which it was said; empty where there are none, and of what cannot be read."""
        try:
            chosen = self.choose(topic, payload)
            roots = chosen.roots() if chosen is not None else []
        except DecodeError:
            return set()
        read_port = chosen.message.fport if chosen is not None else None
        found = (fport_of(read_port(root)) for root in roots) if read_port is not None else ()
        return {port for port in found if port is not None}


def read_bytes(found: object, form: str) -> bytes:
    """Bytes that stand as text in a payload. Strict: a lenient reader takes "not_Qw==" for bytes. Raises
    `DecodeError`."""
    if not isinstance(found, str):
        raise DecodeError("the bytes are no text")
    text = found.strip()
    try:
        if form == "hex":
            return bytes.fromhex(text)
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise DecodeError(f"the bytes are no {form}") from None


def fport_of(found: object) -> int | None:
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found <= FPORT_MAX:
        return None
    return int(found)


def _ascii(data: bytes) -> str:
    if len(data) > TEXT_MAX:
        raise DecodeError(f"the text has {len(data)} bytes, more than {TEXT_MAX}")
    try:
        return data.decode("ascii")
    except UnicodeDecodeError:
        raise DecodeError("the payload is no text in ASCII") from None


def _utf8(data: bytes) -> str:
    if len(data) > TEXT_MAX:
        raise DecodeError(f"the text has {len(data)} bytes, more than {TEXT_MAX}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DecodeError(f"the payload is not UTF-8 (byte {error.start})") from None


def _template(text: str, base: str, path: tuple[str | int, ...]) -> Template:
    try:
        return Template(text, base)
    except TemplateError as error:
        raise KeyWrongError((*path, "topic"), str(error), "see topics in docs/devices.md") from None


def _access(text: str, base: str, path: tuple[str | int, ...]) -> str:
    """A topic of the broker's access list, with `{client}` in it or not."""
    try:
        template = Template(text, base)
    except TemplateError as error:
        raise KeyWrongError(path, str(error), "see speaks in docs/devices.md") from None
    if template.captures - {"client"}:
        raise KeyWrongError(path, "can hold {base} and {client} only", "write + for any other level")
    return template.text


def _told(down: written.Down | None) -> tuple[str, ...]:
    """Where alertd tells devices something, for the access list."""
    topics = filter(None, (down.topic, down.forget_topic)) if down is not None else ()
    return tuple(dict.fromkeys("/".join("+" if "{" in level else level for level in t.split("/")) for t in topics))


def _pattern(message: written.Message, path: tuple[str | int, ...]) -> Pattern | None:
    if message.pattern is None:
        return None
    if message.format != "text":
        raise KeyWrongError((*path, "pattern"), "is for texts only", 'write format = "text", or remove it')
    try:
        return Pattern(message.pattern)
    except PatternError as error:
        raise KeyWrongError((*path, "pattern"), str(error), "see patterns in docs/devices.md") from None
