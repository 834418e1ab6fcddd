"""Identities. An id comes from its cause where there is one, so that retry, replay and crash produce the same id."""

import re
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

_SEPARATORS = str.maketrans("", "", ":-. ")
_ADDRESS = re.compile(r"(?:0x)?([0-9a-f]{12}|[0-9a-f]{16})")


def derive(prefix: str, *parts: object) -> str:
    """`prefix-` and 16 hex digits of a hash of the parts: the same cause gives the same id on every node and run."""
    digest = blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).hexdigest()
    return f"{prefix}-{digest}"


def spelled_alike(device_id: str) -> str:
    """One spelling of a hardware address (MAC, EUI-64): the label, the gateway and the network server each have their
    own (Zigbee2MQTT: 0x…). Anything else as it is."""
    found = _ADDRESS.fullmatch(device_id.translate(_SEPARATORS).lower())
    return found[1] if found is not None else device_id
