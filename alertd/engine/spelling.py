"""Names as the registry spells them: the label, the gateway and the network server each write an address their own way.

What a decoder, or somebody at a console, calls a device passes here once, at the door; whatever lies behind it compares
ids as they are written. Must never: drop a name that the registry does not know.
"""

from typing import TypeVar

from msgspec.structs import replace

from alertd.model.check_in import CheckIn
from alertd.model.events import Arrival, Signal
from alertd.model.ids import DeviceId
from alertd.model.registry import Registry

_Said = TypeVar("_Said", Signal, CheckIn)


def as_registered(registry: Registry, arrival: Arrival) -> Arrival:
    """The arrival, its devices and the gateways that heard them called as the registry calls them."""
    return replace(arrival, signals=tuple(named(registry, signal) for signal in arrival.signals))


def named(registry: Registry, said: _Said) -> _Said:
    """A signal and a sign of life name their device, and who heard it, by the same fields. A gateway that a decoder of
    somebody else's gives as a number is left out, and the press still counts."""
    return replace(
        said,
        device_id=registry.spelled(said.device_id),
        heard_by=_spelled(registry, said.heard_by),
        heard=tuple(
            replace(each, gateway_id=gateway_id)
            for each in said.heard
            if (gateway_id := _spelled(registry, each.gateway_id)) is not None
        ),
    )


def _spelled(registry: Registry, name: object) -> DeviceId | None:
    return registry.spelled(DeviceId(name)) if isinstance(name, str) else None
