"""Names as the registry spells them: the label, the gateway and the network server each write an address their own way.

What a decoder, or somebody at a console, calls a device passes here once, at the door; whatever lies behind it compares
ids as they are written. Must never: drop a name that the registry does not know.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TypeVar

from msgspec import ValidationError, convert
from msgspec.structs import asdict, replace

from alertd.model.check_in import CheckIn
from alertd.model.events import Arrival, Heard, Signal
from alertd.model.ids import DeviceId
from alertd.model.registry import Registry

_Said = TypeVar("_Said", Signal, CheckIn)


def as_registered(registry: Registry, arrival: Arrival) -> Arrival:
    """The arrival, its devices and the gateways that heard them called as the registry calls them."""
    return replace(arrival, signals=tuple(named(registry, signal) for signal in arrival.signals))


def named(registry: Registry, said: _Said) -> _Said:
    """A signal and a sign of life name their device, and who heard it, by the same fields. What a decoder of somebody
    else's gives of another type than it should costs no press: a device is called by its number, and a gateway of which
    nothing can be made is left out."""
    return replace(
        said,
        device_id=registry.spelled(DeviceId(str(said.device_id))),
        heard_by=registry.spelled(said.heard_by) if isinstance(said.heard_by, str) else None,
        heard=tuple(replace(each, gateway_id=registry.spelled(each.gateway_id)) for each in _whole(said.heard)),
    )


def _whole(heard: object) -> Iterator[Heard]:
    """A number in quotes is a number."""
    for each in heard if isinstance(heard, Iterable) else ():
        with suppress(TypeError, ValidationError):
            yield convert(asdict(each), Heard, strict=False)
