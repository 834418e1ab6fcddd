"""Signs of life: what a message says of its device beside presses: that it lives, how its battery is, who heard it."""

from collections.abc import Sequence
from typing import Any

from alertd.model.check_in import Battery, CheckIn, Link
from alertd.model.ids import DeviceId
from alertd_adapters.decoders.json_payload import DEVICE_ID_MAX, device_time, word
from alertd_adapters.decoders.mapping.bindings import Bound
from alertd_adapters.decoders.mapping.devices import Profile
from alertd_adapters.decoders.mapping.events import OWN_WORD, TRIGGERS
from alertd_adapters.decoders.mapping.rules import Match, as_word
from alertd_adapters.decoders.mapping.sources import Message

NOT_ITS_OWN = frozenset({"offline", "downlink", "discovery"})
"""Said by somebody else: a broker for whom its will was left, a server that speaks to it, whoever describes it."""
NO_PRESS = frozenset({"tamper"})
TEST = "test"
LOW = Battery(low=True)


def signs(
    message: Message, profile: Profile | None, bound: Bound, root: dict[str, Any], matches: Sequence[Match], via: str
) -> tuple[CheckIn, ...]:
    """One for each row that the registry has of this device; pressed, and so tested, is the one whose button it was.
    `profile`: what its messages mean, if that is known. `via`: the gateway that stands behind the whole source."""
    events = {match.event for match in matches}
    pressed = [m for m in matches if (m.event in TRIGGERS and m.event not in NO_PRESS) or m.event == TEST]
    ids = (bound.device_id, *bound.buttons.values()) if bound.device_id else tuple(bound.buttons.values())
    battery = _battery(message, profile, root)
    if "low_battery" in events and (battery is None or battery.low is None):
        battery = Battery(pct=battery.pct if battery is not None else None, low=True)
    alive, link = bool(events - NOT_ITS_OWN), _link(events, sleeps=profile is not None and profile.sleeps)
    heard_by = _gateway(message, root, via)
    seen_us = device_time(message.seen(root))[0] if message.seen is not None else None
    found = []
    for row in ids:
        mine = [match for match in pressed if bound.id_of("", match.button) == row]
        own = [as_word(match.value) or "" for match in mine if match.event == OWN_WORD]
        sign = CheckIn(
            device_id=DeviceId(row),
            alive=alive,
            link=link,
            battery=battery,
            whole_again=row == ids[0] and "tamper_clear" in events,
            heard_by=heard_by,
            seen_us=seen_us,
            pressed=bool(mine),
            actions=tuple(own) if len(own) == len(mine) else (),
            profile=profile.name if profile is not None else "",
        )
        found.append(sign)
    return tuple(found)


def _battery(message: Message, profile: Profile | None, root: dict[str, Any]) -> Battery | None:
    for power in (profile.power if profile is not None else None, message.power):
        if power is not None and (found := power.of(root)) is not None:
            return found
    return None


def _link(events: set[str], *, sleeps: bool) -> Link | None:
    if "online" in events:
        return Link.ONLINE
    return Link.OFFLINE if "offline" in events and not sleeps else None


def _gateway(message: Message, root: dict[str, Any], via: str) -> DeviceId | None:
    heard_by = word(as_word(message.gateway(root)), DEVICE_ID_MAX) if message.gateway is not None else None
    return DeviceId(heard_by or via) if heard_by or via else None
