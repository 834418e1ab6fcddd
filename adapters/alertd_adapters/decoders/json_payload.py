"""Reads JSON that a stranger wrote. Whatever the bytes are, the answer is an object or a `DecodeError`.

Strict where a doubt could change what was pressed (encoding, syntax, a key given twice), lenient where it could not:
a number nobody can hold (NaN, a thousand digits) reads as null, so that a broken battery never costs a press.
"""

import json
from datetime import UTC, datetime
from typing import Any

from alertd.ports import DecodeError

OLDEST_US = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
"""Device clocks before this were never set."""
NEWEST_US = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
DIGITS_MAX = 18
MILLISECONDS_FROM = 100_000_000_000
"""An epoch number this large counts milliseconds: as seconds it would be the year 5138."""
WORD_MAX = 64
"""Characters of an action, a boot id, a gateway."""
DEVICE_ID_MAX = 120


KINDS = {list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"} | {
    type(None): "null or NaN"
}
"""What JSON calls a value that is no object; a number that nobody can hold reads as null."""


class _DuplicateKeyError(ValueError):
    pass


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _DuplicateKeyError
    return found


def _integer(digits: str) -> int | None:
    return int(digits) if len(digits) <= DIGITS_MAX else None


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_constant=lambda _: None)


def read_object(payload: bytes) -> dict[str, Any]:
    """The payload's JSON object. Raises `DecodeError`; its message never quotes the payload, which may hold a PIN."""
    found = read_json(payload)
    if not isinstance(found, dict):
        raise DecodeError(f"the payload is JSON, but {KINDS[type(found)]}, and not an object")
    return found


def read_json(payload: bytes) -> Any:
    """The payload's JSON value. Raises `DecodeError`, as `read_object` does."""
    if not payload.strip():
        raise DecodeError("the payload is empty")
    try:
        return _DECODER.decode(payload.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise DecodeError(f"the payload is not UTF-8 (byte {error.start})") from None
    except _DuplicateKeyError:
        raise DecodeError("the payload gives the same key twice: which one is meant?") from None
    except RecursionError:
        raise DecodeError("the payload is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise DecodeError(f"the payload is not JSON (line {error.lineno}, column {error.colno})") from None


def word(value: object, max_length: int = WORD_MAX) -> str | None:
    """A short printable text, or `None`."""
    if not isinstance(value, str):
        return None
    text = value.strip()
    return text if 0 < len(text) <= max_length and text.isprintable() else None


def whole(value: object, lowest: int, highest: int) -> int | None:
    """A whole number within bounds, also as a float or as text ("3"): gateways do all three."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= DIGITS_MAX:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if lowest <= value <= highest else None


def battery_pct(value: object) -> int | None:
    if isinstance(value, float) and 0 <= value <= 100:  # false for NaN
        return round(value)
    return whole(value, 0, 100)


def device_time(value: object) -> tuple[int | None, bool]:
    """Microseconds since the epoch, and whether the clock shows fractions of a second.

    Understands ISO 8601 with an offset, epoch seconds and epoch milliseconds. A time without an offset, or of a clock
    that was never set, is none at all. Only one with fractions can tell two presses of the same second apart."""
    at_us, is_fine = _parsed_time(value)
    if at_us is None or not OLDEST_US <= at_us <= NEWEST_US:
        return None, False
    return at_us, is_fine


def _parsed_time(value: object) -> tuple[int | None, bool]:
    match value:
        case str():
            return _parsed_text(value[:40])
        case int() if not isinstance(value, bool):
            is_fine = abs(value) >= MILLISECONDS_FROM
            return (value * 1000, value % 1000 != 0) if is_fine else (value * 1_000_000, False)
        case float() if abs(value) < NEWEST_US:  # false for NaN and infinities
            seconds = value / 1000 if abs(value) >= MILLISECONDS_FROM else value
            return round(seconds * 1_000_000), not seconds.is_integer()
        case _:
            return None, False


def _parsed_text(text: str) -> tuple[int | None, bool]:
    try:
        parsed = datetime.fromisoformat(text)
        if parsed.tzinfo is None:
            return None, False
        return round(parsed.timestamp() * 1_000_000), parsed.microsecond != 0
    except (ValueError, OverflowError):
        return None, False
