"""What people type at keypads, in payloads: readable for rules, and for nobody else.

A code is compared by a rule, or with the registry's hashes, like any other value; as a word it is nothing. So it never
becomes an action, an id, a button, an identity, or a line of an explanation, and thereby no entry, log or error.

Owns which keys hold codes; where only a topic says so, the source profile does (`hides`). Must never keep one.
"""

import re
from typing import Any

ALWAYS = frozenset(
    {
        "actioncode",
        "pin",
        "pincode",
        "usercode",
        "passcode",
        "password",
        "alarmcode",
        "keycode",
        "entrycode",
    }
)
"""Keys whose value is a code, without regard to case, dash and underscore."""
PERHAPS = frozenset({"code", "eventdata"})
"""Keys whose value is one if it is nothing but digits: panels also have event codes and data, in words or letters."""
LENGTHS = range(3, 13)
"""Digits of a code."""
NAMED = re.compile(r"(?:code|pin|password)(?:/|$)", re.IGNORECASE)
"""Levels of topics whose whole payload is one if it is nothing but digits ("homie/5/pad/keypad/code")."""
TIMES = ("time", "lastUpdate")
"""Keys that stay readable where only the topic says that a payload is, or holds, a code."""
HINTS = (b'code"', b'pin"', b"pass", b"_pin", b'eventdata"', b'event_data"', b'event-data"')
"""A payload without any of these has no such key."""
HIDDEN = "(hidden: it may be a code)"


class CodeText(str):
    """A code. Compares like the text that it is; in what is shown of a list or an object it is hidden."""

    __slots__ = ()

    def __repr__(self) -> str:
        return HIDDEN


class CodeNumber(int):
    """The same, sent as a number."""

    __slots__ = ()
    __repr__ = CodeText.__repr__
    __str__ = int.__repr__


def is_code(value: object) -> bool:
    return isinstance(value, CodeText | CodeNumber)


def guarded(payload: Any, data: bytes) -> Any:
    """The payload with its codes marked. `data`: what it was read from."""
    lowered = data.lower()
    return _guarded(payload) if any(hint in lowered for hint in HINTS) else payload


def named(topic: str, payload: Any) -> Any:
    """The payload, marked if it is nothing but digits and its topic names a code."""
    bare = payload.strip('"') if isinstance(payload, str) else payload
    return _as_code(payload) if NAMED.search(topic) is not None and _is_digits(bare) else payload


def hidden(payload: Any) -> Any:
    """The payload with all that it says marked, but for its time."""
    if isinstance(payload, dict):
        return {key: each if key in TIMES else _hidden(each) for key, each in payload.items()}
    return _hidden(payload)


def _hidden(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _hidden(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_hidden(each) for each in value]
    return _as_code(value)


def _guarded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _marked(key, each) for key, each in value.items()}
    if isinstance(value, list):
        return [_guarded(each) for each in value]
    return value


def _marked(key: str, value: Any) -> Any:
    name = key.replace("_", "").replace("-", "").casefold()
    if name not in ALWAYS and not (name in PERHAPS and _is_digits(value)):
        return _guarded(value)
    return _guarded(_as_code(value))


def _as_code(value: Any) -> Any:
    if isinstance(value, str) and value:
        return CodeText(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return CodeNumber(value)
    return value


def _is_digits(value: Any) -> bool:
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text.isascii() and text.isdigit() and len(text) in LENGTHS
