"""Standard Webhooks signatures (standardwebhooks.com, v1): made for what we send, checked for what comes back.

Ten lines of HMAC rather than a library; the tests judge them by the official one. Must compare in constant time, and
never show a secret.
"""

import hmac
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping, Sequence

PREFIX = "whsec_"
SECRET_BYTES_MIN = 24
SECRET_BYTES_MAX = 512
TOLERANCE_S = 300
"""A signature older or younger than this is refused: it may be a replay."""
SIGNATURES_MAX = 16


def read_secret(value: str) -> bytes:
    """The key in "whsec_…". Raises `ValueError` that does not quote it."""
    try:
        key = b64decode(value.removeprefix(PREFIX), validate=True)
    except (Base64Error, ValueError):
        raise ValueError("is not whsec_ and base64, as Standard Webhooks wants it") from None
    if not SECRET_BYTES_MIN <= len(key) <= SECRET_BYTES_MAX:
        raise ValueError(f"has {len(key)} bytes: Standard Webhooks wants at least {SECRET_BYTES_MIN}")
    return key


def sign(keys: Sequence[bytes], message_id: str, at_s: int, body: bytes) -> dict[str, str]:
    """The three headers. One signature a key, so that the other side may change its secret without a gap."""
    signatures = " ".join(_signature(key, message_id, str(at_s), body) for key in keys)
    return {"webhook-id": message_id, "webhook-timestamp": str(at_s), "webhook-signature": signatures}


def verify(keys: Sequence[bytes], headers: Mapping[str, str], body: bytes, now_s: int) -> str | None:
    """The message's id, if one of the keys signed it within the tolerance. Header names in lower case."""
    message_id, at, given = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not message_id or not (at.isascii() and at.isdecimal() and len(at) < 15) or abs(now_s - int(at)) > TOLERANCE_S:
        return None
    expected = [_signature(key, message_id, at, body).encode() for key in keys]
    offered = [signature.encode() for signature in given.split(" ")[:SIGNATURES_MAX]]
    matches = [hmac.compare_digest(one, other) for one in expected for other in offered]
    return message_id if any(matches) else None


def _signature(key: bytes, message_id: str, at: str, body: bytes) -> str:
    mac = hmac.digest(key, f"{message_id}.{at}.".encode() + body, "sha256")
    return "v1," + b64encode(mac).decode()
