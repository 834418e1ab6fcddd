"""Can every field of a codec ever be read? One that lies beyond its bytes, or is multiplied by nothing, never says so.

Must never judge what a field means.
"""

import math
from collections.abc import Sequence

from alertd_adapters.decoders.mapping.codec import BYTES_MAX, NUMBERS, Codec, Field
from alertd_adapters.decoders.mapping.rules import KeyWrongError

Path = tuple[str | int, ...]


def check(codec: Codec) -> None:
    """Raises `KeyWrongError` with the path of the key within its profile."""
    if bool(codec.tags) == bool(codec.frames):
        raise KeyWrongError(("codec",), "needs either tags or frames", "write [[profile.NAME.codec.frames]]")
    _check_fields(codec.header, codec.header_size, "header_size", ("codec", "header"))
    for number, tag in enumerate(codec.tags):
        _check_fields(tag.fields, tag.size, "size", ("codec", "tags", number, "fields"))
    for number, frame in enumerate(codec.frames):
        _check_fields(frame.fields, frame.length or BYTES_MAX, "length", ("codec", "frames", number, "fields"))


def _check_fields(fields: Sequence[Field], length: int, key: str, path: Path) -> None:
    for number, field in enumerate(fields):
        where = (*path, number)
        _check_place(field, length, key, where)
        _check_bits(field, where)
        _check_number(field, where)


def _check_place(field: Field, length: int, key: str, path: Path) -> None:
    size = NUMBERS[field.type][0] if field.type in NUMBERS else (field.size or 1)
    begins = field.at if field.at >= 0 else length + field.at
    ends = begins + size
    if begins < 0 or ends > length:
        what = f"a {field.type} at {field.at} needs byte {ends if begins >= 0 else field.at}, and {key} = {length}"
        remedy = f"bytes are counted from 0, or from the end by -1, -2 …: mend at, type or {key}"
        raise KeyWrongError((*path, "at"), f'"{field.name}" can never be read: {what}', remedy)


def _check_bits(field: Field, path: Path) -> None:
    has = 8 * NUMBERS[field.type][0] if field.type in NUMBERS else 0
    lowest, count = field.bits or (0, 1)
    if field.bit is not None and field.bit >= has:
        raise KeyWrongError((*path, "bit"), f'"{field.name}" has {has} bits', f"write 0 to {has - 1}, or another type")
    if field.bits is not None and (count < 1 or lowest + count > has):
        remedy = "write the lowest bit, and how many: bits = [0, 4]"
        raise KeyWrongError((*path, "bits"), f'"{field.name}" has {has} bits', remedy)


def _check_number(field: Field, path: Path) -> None:
    if field.scale is not None and (not math.isfinite(field.scale) or field.scale == 0):
        remedy = "write what one step of the number is worth: scale = 0.1"
        raise KeyWrongError((*path, "scale"), f'{field.scale:g} makes "{field.name}" the same always', remedy)
    if not math.isfinite(field.add):
        raise KeyWrongError(
            (*path, "add"), f'{field.add:g} makes "{field.name}" no number', "write a number: add = 2.0"
        )
