"""What people type at keypads, in payloads: readable for rules, and for nobody else.

A code is compared by a rule, or with the registry's hashes, like any other value; as a word it is nothing. So it never
becomes an action, an id, a button, an identity, or a line of an explanation, and thereby no entry, log or error.

Owns which keys hold codes. Must never keep one.
"""

from typing import Any

ALWAYS = frozenset(
    {"actioncode", "pin", "pincode", "usercode", "passcode", "password", "alarmcode", "keycode", "entrycode"}
)
"""Keys whose value is a code, without regard to case, dash and underscore."""
PERHAPS = "code"
"""Key whose value is one if it is nothing but digits: panels also have event codes, in words or letters."""
LENGTHS = range(3, 13)
"""Digits of a code."""
HINTS = (b'code"', b'pin"', b"pass", b"_pin")
"""A payload without any of these has no such key."""
HIDDEN = "(hidden: it may be a code)"


class CodeText(str):
    """A code. Compares like the text that it is."""

    __slots__ = ()


class CodeNumber(int):
    """The same, sent as a number."""

    __slots__ = ()


def is_code(value: object) -> bool:
    return isinstance(value, CodeText | CodeNumber)


def guarded(payload: Any, data: bytes) -> Any:
    """The payload with its codes marked. `data`: what it was read from."""
    lowered = data.lower()
    return _guarded(payload) if any(hint in lowered for hint in HINTS) else payload


def _guarded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _marked(key, each) for key, each in value.items()}
    if isinstance(value, list):
        return [_guarded(each) for each in value]
    return value


def _marked(key: str, value: Any) -> Any:
    name = key.replace("_", "").replace("-", "").casefold()
    if name not in ALWAYS and not (name == PERHAPS and _is_digits(value)):
        return _guarded(value)
    if isinstance(value, str) and value:
        return CodeText(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return CodeNumber(value)
    return _guarded(value)


def _is_digits(value: Any) -> bool:
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text.isascii() and text.isdigit() and len(text) in LENGTHS
