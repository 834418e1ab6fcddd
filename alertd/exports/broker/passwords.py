"""Passwords of the broker's users, in mosquitto's own format. Who has one keeps it; in clear they are in the hand-out.

The format (mosquitto 2, `mosquitto_passwd -H sha512-pbkdf2`): `user:$7$ITERATIONS$SALT$HASH`, PBKDF2-HMAC-SHA512, salt
and hash in base64. Passwords are made up here, 118 bits each: nobody guesses them. So the iterations are mosquitto's
own 101, and ten thousand devices that come back at once do not keep the broker busy. Must never log or show a password.
"""

import base64
import csv
import hashlib
import hmac
import io
import secrets
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from alertd.exports.broker.clients import Client

ITERATIONS = 101
SALT_BYTES = 12
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Nothing that is read as something else: many are typed into a device by hand."""
LENGTH = 24
PREFIX = "$7$"
HAND_OUT = ("user", "password", "what")


class Settled(Struct, frozen=True, kw_only=True):
    """Who has which password now."""

    hashes: dict[str, str]
    clear: dict[str, str]
    """Of those whose password is known in clear: new ones, and who stood in the hand-out before."""
    new: tuple[str, ...]
    kept: tuple[str, ...]
    gone: tuple[str, ...]


def settle(
    names: Iterable[str], hashes: Mapping[str, str], clear: Mapping[str, str], renewed: Mapping[str, str]
) -> Settled:
    """Keeps what there is, in the password file or, after a write that was cut off, in the hand-out alone. `renewed`:
    who gets which new one, the same at every broker."""
    new, kept = [], []
    now: dict[str, str] = {}
    known: dict[str, str] = {}
    for name in names:
        old, said = hashes.get(name), clear.get(name)
        if name in renewed or (old is None and said is None):
            said = renewed.get(name) or made_up()
            new.append(name)
            old = None
        else:
            kept.append(name)
        if said is not None and old is not None and not fits(said, old):
            said = None  # somebody has changed it with mosquitto_passwd
        if said is not None:
            known[name] = said
        now[name] = old if old is not None else hashed(said or "")
    gone = tuple(sorted(set(hashes) - set(now)))
    return Settled(hashes=now, clear=known, new=tuple(new), kept=tuple(kept), gone=gone)


def made_up() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def hashed(password: str) -> str:
    assert password, "nobody has an empty password"
    salt = secrets.token_bytes(SALT_BYTES)
    return f"{PREFIX}{ITERATIONS}${_text(salt)}${_text(_digest(password, salt, ITERATIONS))}"


def fits(password: str, known: str) -> bool:
    """Is it the password behind the hash? What another program has hashed in another way fits nothing."""
    try:
        _, _, iterations, salt, digest = known.split("$")
        expected = base64.b64decode(digest, validate=True)
        return known.startswith(PREFIX) and hmac.compare_digest(
            expected, _digest(password, base64.b64decode(salt, validate=True), int(iterations))
        )
    except ValueError:
        return False


def _digest(password: str, salt: bytes, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha512", password.encode(), salt, iterations)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


# --- files ----------------------------------------------------------------------------------------------------------


def read_hashes(text: str) -> dict[str, str]:
    """A password file: `user:hash` lines."""
    pairs = (line.partition(":") for line in text.splitlines())
    return {name: known for name, sign, known in pairs if sign and known.startswith("$")}


def hashes_text(hashes: Mapping[str, str]) -> str:
    return "".join(f"{name}:{known}\n" for name, known in hashes.items())


def read_hand_out(text: str) -> dict[str, str]:
    """User → password."""
    rows = csv.DictReader(io.StringIO(text))
    return dict(_pairs(rows))


def _pairs(rows: Iterable[Mapping[str, str | None]]) -> Iterator[tuple[str, str]]:
    for row in rows:
        name, password = row.get("user"), row.get("password")
        if name and password:
            yield name, password


def hand_out_text(clients: Iterable[Client], clear: Mapping[str, str]) -> str:
    """For whoever types passwords into devices: not those that alertd reads as secrets."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HAND_OUT)
    for client in clients:
        if client.name in clear and not client.secret:
            writer.writerow((client.name, clear[client.name], client.what))
    return out.getvalue()
