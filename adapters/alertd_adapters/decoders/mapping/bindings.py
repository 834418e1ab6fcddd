"""Which device a message is about, and which profile it has: the registry says, never the payload.

An id is compared as it is written; a hardware address (MAC, EUI) also without regard to case and separators, because
the label, the gateway and the network server spell it differently. A device with several buttons may have a row for
each, as `id:button`; then each is a device of its own.
"""

from collections.abc import Callable, Iterator

from msgspec import Struct

from alertd.model.ids import spelled_alike
from alertd.model.registry import Registry
from alertd.model.site import DeviceKind


class Bound(Struct, frozen=True, kw_only=True):
    """A row of the registry. `device_id`: as it is written there; "" if only single buttons of the device have rows."""

    device_id: str
    profile: str
    buttons: dict[str, str] = {}
    """Button -> the id of its row."""
    wanders: bool = False
    """It is worn: it is where it was heard."""
    codes: tuple[str, ...] = ()
    """Hashes of its duress codes."""
    senses: bool = False
    """It is a sensor: its numbers, and the ends of its alarms, mean something."""

    @property
    def never_presses(self) -> bool:
        return self.senses and not self.buttons

    def id_of(self, heard: str, button: str | None) -> str:
        """Whose signal it is."""
        if button is not None and button in self.buttons:
            return self.buttons[button]
        if self.device_id:
            return self.device_id
        return f"{heard}:{button}" if button is not None else heard


class Bindings:
    """The registry as decoders ask it. Follows a reload: `registry` is asked each time, and indexed once."""

    def __init__(self, registry: Callable[[], Registry | None]) -> None:
        self._registry = registry
        self._indexed: Registry | None = None
        self._rows: dict[str, Bound] = {}

    def of(self, heard: str) -> Bound | None:
        registry = self._registry()
        if registry is not self._indexed:
            self._rows = _index(registry)
            self._indexed = registry
        return self._rows.get(heard) or self._rows.get(spelled_alike(heard))


def _index(registry: Registry | None) -> dict[str, Bound]:
    rows: dict[str, Bound] = {}
    devices = tuple(registry.devices.values()) if registry is not None else ()
    for device in devices:
        for key, button in _as_buttons(device.id):
            known = rows.get(key)
            rows[key] = Bound(
                device_id="",
                profile=known.profile if known else device.profile,
                buttons={**(known.buttons if known else {}), button: device.id},
            )
    for device in devices:
        for key in {spelled_alike(device.id), device.id}:
            known = rows.get(key)
            rows[key] = Bound(
                device_id=device.id,
                profile=device.profile,
                buttons=known.buttons if known else {},
                wanders=device.zone_id is None,
                codes=device.duress_codes,
                senses=device.kind is DeviceKind.SENSOR,
            )
    return rows


def _as_buttons(device_id: str) -> Iterator[tuple[str, str]]:
    """Every way to read an id as a button of another device: "hall:scene:2" is 2 of "hall:scene", or "scene:2" of
    "hall". An address that is written with colons is none."""
    if spelled_alike(device_id) != device_id:
        return
    for at, sign in enumerate(device_id):
        if sign == ":" and 0 < at < len(device_id) - 1:
            yield spelled_alike(device_id[:at]), device_id[at + 1 :]
