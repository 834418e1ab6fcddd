"""Identities. An id comes from its cause where there is one, so that retry, replay and crash produce the same id."""

from hashlib import blake2b
from typing import NewType

SiteId = NewType("SiteId", str)
ZoneId = NewType("ZoneId", str)
DeviceId = NewType("DeviceId", str)
PersonId = NewType("PersonId", str)
PolicyId = NewType("PolicyId", str)
IncidentId = NewType("IncidentId", str)
DrillId = NewType("DrillId", str)
NotificationId = NewType("NotificationId", str)
TimerId = NewType("TimerId", str)
CauseId = NewType("CauseId", str)
"""Identity of a thing that happened outside: one press, one reply, one answer to one attempt."""

DISTRICT = SiteId("district")
"""The pseudo-site that owns what belongs to no school: the broker, the carrier, the disk."""


def derive(prefix: str, *parts: object) -> str:
    """`prefix-` and 16 hex digits of a hash of the parts: the same cause gives the same id on every node and run."""
    digest = blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).hexdigest()
    return f"{prefix}-{digest}"
