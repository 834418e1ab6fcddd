"""Byte codecs backwards: from fields to the bytes of which alertd's own reader makes these fields.

The tables are those of the profiles, because a device has no other ones; that they are true, real payloads prove
(tests). Must never give bytes that read otherwise: what cannot be written raises.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from alertd_adapters.decoders.mapping.codec import NUMBERS, UNREAD, ByteReader, Codec, Field, Frame, Tag
from alertd_adapters.decoders.mapping.library import PROFILE, built_in
from alertd_adapters.decoders.mapping.written import DeviceProfile

LONGEST_PAD = 32
"""A frame that only says how long it is at least is written so long at most."""


class CannotSayError(ValueError):
    """The profile has no bytes for it."""


@cache
def codec_of(profile: str) -> Codec:
    """Raises `CannotSayError`."""
    entry = built_in().entries.get((PROFILE, profile))
    written = entry.written if entry is not None else None
    if not isinstance(written, DeviceProfile) or written.codec is None:
        raise CannotSayError(f"the profile {profile} has no byte codec")
    return written.codec


def to_bytes(profile: str, fields: Mapping[str, Any], *, fport: int | None) -> bytes:
    """Raises `CannotSayError`."""
    codec = codec_of(profile)
    data = _tagged(codec, fields) if codec.tags else _framed(codec, fields, fport)
    read = ByteReader(codec).decode(data, fport)
    wrong = {name: value for name, value in fields.items() if read is None or read.get(name) != value}
    if wrong or (read is not None and UNREAD in read):
        raise CannotSayError(f"the profile {profile} has no bytes that say {wrong or fields}")
    return data


# --- tags ------------------------------------------------------------------------------------------------------------


def _tagged(codec: Codec, fields: Mapping[str, Any]) -> bytes:
    data = bytearray(_written(codec.header, fields, codec.header_size))
    left = {name for name in fields if not any(field.name == name for field in codec.header)}
    for tag in codec.tags:
        if tag.into is not None and tag.into in left:
            for each in fields[tag.into]:
                data += bytes.fromhex(tag.tag) + _written(tag.fields, each, tag.size)
            left.discard(tag.into)
        elif mine := _said_by(tag, fields, left):
            data += bytes.fromhex(tag.tag) + _written(tag.fields, fields, tag.size)
            left -= mine
    return bytes(data)


def _said_by(tag: Tag, fields: Mapping[str, Any], left: set[str]) -> set[str]:
    """Fields that the tag says and nobody has said yet; none if it says something else of one of them."""
    if any(fields.get(name) != value for name, value in tag.set.items()):
        return set()
    names = {*tag.set, *(field.name for field in tag.fields)}
    if any(field.name not in fields for field in tag.fields) and not tag.set:
        return set()
    return names & left


# --- frames ----------------------------------------------------------------------------------------------------------


def _framed(codec: Codec, fields: Mapping[str, Any], fport: int | None) -> bytes:
    reader = ByteReader(codec)
    for frame in codec.frames:
        if not set(fields) <= {field.name for field in frame.fields} or not _is_of(frame, fport):
            continue
        try:
            data = _frame(frame, fields)
        except CannotSayError:
            continue
        read = reader.decode(data, fport)
        if read is not None and all(read.get(name) == value for name, value in fields.items()):
            return data
    raise CannotSayError(f"no frame holds {', '.join(fields)}")


def _is_of(frame: Frame, fport: int | None) -> bool:
    return frame.fport is None or fport is None or frame.fport == fport


def _frame(frame: Frame, fields: Mapping[str, Any]) -> bytes:
    start = bytes.fromhex((frame.starts or "").replace("?", "0"))
    reach = max((field.at + _size(field, fields) for field in frame.fields if field.at >= 0), default=0)
    length = frame.length or min(max(frame.least, len(start), reach), LONGEST_PAD)
    data = bytearray(start.ljust(length, b"\0"))
    written = _written(frame.fields, fields, length)
    for at, byte in enumerate(written):
        data[at] |= byte if at >= len(start) or not start[at] else byte & ~start[at]
    return bytes(data)


# --- fields ----------------------------------------------------------------------------------------------------------


def _size(field: Field, fields: Mapping[str, Any]) -> int:
    if field.type in NUMBERS:
        return NUMBERS[field.type][0]
    found = str(fields.get(field.name, ""))
    return field.size or (len(found) // 2 if field.type == "hex" else len(found))


def _written(row: list[Field], fields: Mapping[str, Any], length: int) -> bytes:
    """Bits of several fields may share a byte."""
    data = bytearray(length)
    for field in row:
        if field.name not in fields:
            continue
        size = _size(field, fields)
        at = field.at if field.at >= 0 else length + field.at
        for index, byte in enumerate(_bytes_of(field, fields[field.name], size)):
            data[at + index] |= byte
    return bytes(data)


def _bytes_of(field: Field, value: Any, size: int) -> bytes:
    raw = next((number for number, word in field.map.items() if word == value), value)
    if field.type == "hex":
        return bytes.fromhex(str(raw))
    if field.type == "ascii":
        return str(raw).encode("ascii")
    _, order, signed = NUMBERS[field.type]
    try:
        number = float(raw)
    except ValueError:
        raise CannotSayError(f"{field.name} cannot be {value}") from None
    if field.scale is not None or field.add:
        number = (number - field.add) / (field.scale if field.scale is not None else 1.0)
    whole = round(number)
    if field.bit is not None:
        whole = int(bool(raw)) << field.bit
    elif field.bits is not None:
        whole <<= field.bits[0]
    return whole.to_bytes(size, order, signed=signed)
