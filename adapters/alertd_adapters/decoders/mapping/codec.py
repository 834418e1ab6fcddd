"""Byte codecs by configuration: which bytes of a payload are which field. Tables, no code.

Two shapes, as devices have them. *Tags*: the payload is a row of (tag, value), as Milesight, Tektelic and others send;
of several tags that fit, the longest counts. *Frames*: the payload has one of several fixed layouts, told apart by
port, length and first bytes; the first that fits counts.

Must never: read beyond the payload, or call a payload understood of which bytes are left that no tag covers (`UNREAD`).
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

UNREAD = "unread_bytes"
"""Name under which the decoded object says how many bytes no tag covers."""
BYTES_MAX = 512
"""LoRaWAN carries 242; a longer payload is none of a button."""

NUMBERS: Mapping[str, tuple[int, Literal["big", "little"], bool]] = {
    "u8": (1, "big", False),
    "i8": (1, "big", True),
    "u16": (2, "big", False),
    "u16le": (2, "little", False),
    "i16": (2, "big", True),
    "i16le": (2, "little", True),
    "u24": (3, "big", False),
    "u24le": (3, "little", False),
    "u32": (4, "big", False),
    "u32le": (4, "little", False),
    "i32": (4, "big", True),
    "i32le": (4, "little", True),
}
"""Type -> bytes, order, signed. Without `le` the first byte is the greatest."""

Hex = Annotated[str, Meta(pattern=r"^([0-9a-f]{2})+$", max_length=16)]
"""Bytes in hex, lower case."""
HexBeginning = Annotated[str, Meta(pattern=r"^([0-9a-f?]{2})+$", max_length=64)]
"""The same, where `?` stands for any digit."""
Offset = Annotated[int, Meta(ge=-BYTES_MAX, le=BYTES_MAX)]
FieldName = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=40)]


class Field(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One field. `at`: its first byte, counted from the beginning of the value, or from its end if negative."""

    name: FieldName
    type: Literal[
        "u8", "i8", "u16", "u16le", "i16", "i16le", "u24", "u24le", "u32", "u32le", "i32", "i32le", "hex", "ascii"
    ] = "u8"
    at: Offset = 0
    size: Annotated[int, Meta(ge=1, le=BYTES_MAX)] | None = None
    """Bytes of a hex or ascii field; absent: all that are left."""
    bit: Annotated[int, Meta(ge=0, le=31)] | None = None
    """Only this bit, 0 the lowest: true or false."""
    bits: Annotated[list[Annotated[int, Meta(ge=0, le=32)]], Meta(min_length=2, max_length=2)] | None = None
    """Only these bits: the lowest, and how many."""
    scale: float | None = None
    add: float = 0.0
    map: dict[str, str | int | bool] = {}
    """What a number stands for; one that is not here stays a number."""


class Tag(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    tag: Hex
    size: Annotated[int, Meta(ge=0, le=BYTES_MAX)]
    """Bytes of the value behind the tag."""
    fields: list[Field] = []
    set: dict[FieldName, str | int | bool] = {}
    """Fields whose value the tag itself is."""
    into: FieldName | None = None
    """Collect the fields in a list of this name, once for every time that the tag comes."""


class Frame(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    fields: list[Field]
    fport: Annotated[int, Meta(ge=0, le=255)] | None = None
    starts: HexBeginning | None = None
    length: Annotated[int, Meta(ge=1, le=BYTES_MAX)] | None = None
    least: Annotated[int, Meta(ge=1, le=BYTES_MAX)] = 1
    """Bytes that it has at least."""

    def fits(self, data: bytes, fport: int | None) -> bool:
        if self.fport is not None and fport is not None and fport != self.fport:
            return False
        if len(data) < self.least or (self.length is not None and len(data) != self.length):
            return False
        return self.starts is None or _begins(data.hex(), self.starts)


class Codec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Either tags, perhaps behind a header, or frames."""

    header: list[Field] = []
    header_size: Annotated[int, Meta(ge=0, le=BYTES_MAX)] = 0
    tags: list[Tag] = []
    frames: list[Frame] = []


class ByteReader:
    """A codec, ready to read."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._tags = {bytes.fromhex(tag.tag): tag for tag in codec.tags}
        self._lengths = sorted({len(tag) for tag in self._tags}, reverse=True)

    def decode(self, data: bytes, fport: int | None) -> dict[str, Any] | None:
        """The fields; `None` if no frame fits."""
        if not data or len(data) > BYTES_MAX:
            return None
        if self._tags:
            return self._by_tags(data)
        frame = next((each for each in self._codec.frames if each.fits(data, fport)), None)
        return _fields(frame.fields, data) if frame is not None else None

    def _by_tags(self, data: bytes) -> dict[str, Any]:
        found: dict[str, Any] = _fields(self._codec.header, data)
        at = self._codec.header_size
        while at < len(data):
            length = next((n for n in self._lengths if at + n <= len(data) and data[at : at + n] in self._tags), None)
            if length is None:
                found[UNREAD] = len(data) - at
                break
            tag = self._tags[data[at : at + length]]
            end = at + length + tag.size
            if end > len(data):
                found[UNREAD] = len(data) - at
                break
            values = {**tag.set, **_fields(tag.fields, data[at + length : end])}
            if tag.into is None:
                found.update(values)
            else:
                found.setdefault(tag.into, []).append(values)
            at = end
        return found


def _begins(text: str, start: str) -> bool:
    return len(text) >= len(start) and all(want in ("?", got) for want, got in zip(start, text, strict=False))


def _fields(fields: Sequence[Field], data: bytes) -> dict[str, Any]:
    """The fields that the bytes reach to; the others are absent."""
    found = {}
    for field in fields:
        at = field.at if field.at >= 0 else len(data) + field.at
        size = NUMBERS[field.type][0] if field.type in NUMBERS else (field.size or len(data) - at)
        if at >= 0 and at + size <= len(data) and size > 0:
            found[field.name] = _value(field, data[at : at + size])
    return found


def _value(field: Field, data: bytes) -> object:
    if field.type == "hex":
        return _mapped(field, data.hex())
    if field.type == "ascii":
        return _mapped(field, "".join(chr(byte) if 32 <= byte < 127 else "?" for byte in data))
    _, order, signed = NUMBERS[field.type]
    number = int.from_bytes(data, order, signed=signed)
    if field.bit is not None:
        return bool(number >> field.bit & 1)
    if field.bits is not None:
        number = number >> field.bits[0] & ((1 << field.bits[1]) - 1)
    if str(number) in field.map:
        return field.map[str(number)]
    if field.scale is not None or field.add:
        return round(number * (field.scale if field.scale is not None else 1.0) + field.add, 6)
    return number


def _mapped(field: Field, text: str) -> object:
    return field.map.get(text, text)
