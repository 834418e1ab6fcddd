"""Mutations of payloads: of bytes, of JSON, and of bytes that stand as base64 or hex in JSON. Seeded, so repeatable."""

import base64
import json
from collections.abc import Sequence
from random import Random
from typing import Any

INTERESTING: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 255, 2**31, 2**63, 10**18, 1e308, -0.0, float("nan"), "", " ", "0", "1", "true",
    "ON", "press", "FALSE", "\ud800", "é\u202e", "x" * 500, [], {}, [[]], {"id": 7}, [None], "2026-0327T12:00Z",
)  # fmt: skip
BESIDE: tuple[Any, ...] = (None, True, 0, 1, 7.5, "", "press", "ON", "single", [], [1], {}, {"value": 1}, "x" * 200)
LENGTH_MAX = 70_000


def mutated(payload: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """One to four changes."""
    for _ in range(random.randrange(1, 5)):
        payload = random.choice(_WAYS)(payload, others, random)[:LENGTH_MAX]
    return payload


def dressed(payload: bytes, random: Random) -> bytes:
    """Says the same: its keys in another order, more space between them, something beside them that nobody reads."""
    try:
        body = json.loads(payload)
    except (ValueError, RecursionError):
        return payload
    if isinstance(body, dict):
        keys = random.sample(list(body), len(body))
        body = {key: body[key] for key in keys}
        if random.random() < 0.5:
            body["zz_note"] = random.choice(BESIDE)
    return json.dumps(body, indent=random.choice((None, 2)), ensure_ascii=random.random() < 0.5).encode()


def _flip(payload: bytes, others: Sequence[bytes], random: Random) -> bytes:
    if not payload:
        return bytes([random.randrange(256)])
    changed = bytearray(payload)
    changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _set(payload: bytes, others: Sequence[bytes], random: Random) -> bytes:
    changed = bytearray(payload or b"\0")
    changed[random.randrange(len(changed))] = random.choice((0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)))
    return bytes(changed)


def _cut(payload: bytes, others: Sequence[bytes], random: Random) -> bytes:
    start, end = sorted(random.randrange(len(payload) + 1) for _ in range(2))
    return payload[:start] + payload[end:]


def _repeat(payload: bytes, others: Sequence[bytes], random: Random) -> bytes:
    start, end = sorted(random.randrange(len(payload) + 1) for _ in range(2))
    times = random.choice((2, 2, 3, 50))
    return payload[:start] + payload[start:end] * times + payload[end:]


def _splice(payload: bytes, others: Sequence[bytes], random: Random) -> bytes:
    other = random.choice(others)
    return payload[: random.randrange(len(payload) + 1)] + other[random.randrange(len(other) + 1) :]


def _json(payload: bytes, others: Sequence[bytes], random: Random) -> bytes:
    try:
        body = json.loads(payload)
    except (ValueError, RecursionError):
        return _flip(payload, others, random)
    places = list(_places(body))
    if not places:
        return json.dumps(random.choice(INTERESTING)).encode(errors="surrogatepass")
    holder, key = random.choice(places)
    match random.randrange(5):
        case 0:
            del holder[key]
        case 1:
            holder[key] = random.choice(INTERESTING)
        case 2:
            holder[key] = [holder[key]] * random.choice((1, 2, 60))
        case 3 if isinstance(holder, dict):
            holder[random.choice(("action", "data", "object", "id", "\u00e9"))] = holder.pop(key)
        case _:
            other_holder, other_key = random.choice(places)
            holder[key] = other_holder.get(other_key) if isinstance(other_holder, dict) else random.choice(INTERESTING)
    try:
        return json.dumps(body).encode(errors="surrogatepass")
    except (ValueError, RecursionError):
        return payload


def _places(body: Any, depth: int = 0) -> list[tuple[Any, Any]]:
    if depth > 20:
        return []
    found: list[tuple[Any, Any]] = []
    pairs = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, below in pairs:
        found.append((body, key))
        found += _places(below, depth + 1)
    return found


def _bytes_within(payload: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """The bytes that a radio carried, changed and packed again."""
    try:
        body = json.loads(payload)
    except (ValueError, RecursionError):
        return _flip(payload, others, random)
    packed = [(holder, key) for holder, key in _places(body) if isinstance(holder[key], str) and len(holder[key]) > 3]
    if not packed:
        return _set(payload, others, random)
    holder, key = random.choice(packed)
    text = holder[key]
    try:
        holder[key] = _within(bytes.fromhex(text), random).hex()
    except ValueError:
        try:
            holder[key] = base64.b64encode(_within(base64.b64decode(text, validate=True), random)).decode()
        except ValueError:
            holder[key] = text[::-1]
    return json.dumps(body).encode(errors="surrogatepass")


def _within(data: bytes, random: Random) -> bytes:
    return random.choice((_flip, _set, _cut, _repeat))(data, (), random)


_WAYS = (_flip, _set, _cut, _repeat, _splice, _json, _json, _json, _bytes_within, _bytes_within)
