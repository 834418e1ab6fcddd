"""Duress codes: what somebody types at a keypad who is forced to. Only a salted hash is configured, compared, kept.

The hash keeps a code out of sight, not from somebody who tries all ten thousand of them: whoever may read devices.csv
may find it in minutes.
"""

import hashlib
import hmac
import re

COST = 2**10
"""Of scrypt: about 2 ms and 1 MiB a comparison. It runs where presses are decoded, for each code that is typed."""
SALT_BYTES = 12
SHAPE = re.compile(r"scrypt:[0-9a-f]{24}:[0-9a-f]{32}")
LENGTHS = range(3, 13)
"""Characters of a code."""
CODES_MAX = 4
"""Of one device."""


def is_hash(text: str) -> bool:
    return SHAPE.fullmatch(text) is not None


def hashed(code: str, salt: bytes) -> str:
    """As devices.csv holds it. `salt`: `SALT_BYTES` that nobody else has."""
    return f"scrypt:{salt.hex()}:{_digest(code, salt)}"


def is_code_of(code: str, text: str) -> bool:
    """Is this the code of that hash?"""
    _, salt, digest = text.split(":")
    return hmac.compare_digest(_digest(code, bytes.fromhex(salt)), digest)


def _digest(code: str, salt: bytes) -> str:
    return hashlib.scrypt(code.encode(), salt=salt, n=COST, r=8, p=1, dklen=16).hex()
