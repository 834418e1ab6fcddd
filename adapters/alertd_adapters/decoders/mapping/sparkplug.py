"""`SparkplugDecoder`: a mapped decoder in front of which payloads are opened: bytes and numbers in, names and JSON out.

What a profile sees of one message (`docs/devices.md`, Sparkplug B):

    {"kind": "DDATA", "device": "panel-pc:inputs", "timestamp": 1772456707000, "stale": false,
     "metrics": [{"name": "Inputs/Button", "row": "Inputs:Button", "value": true, "timestamp": …, "late": false,
                  "standing": false}]}

Must never drop what may have been a press: metrics whose name nobody knows yet are refused, which is a trouble, and
read as soon as the birth that names them comes.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

import msgspec
from msgspec.structs import replace

from alertd.model.registry import Registry
from alertd.ports import Clock, DecodeError, Question, SettingsError, UncoveredError
from alertd_adapters.decoders.mapping.bindings import Bindings
from alertd_adapters.decoders.mapping.decoder import UNKNOWN, UNREGISTERED, MappedDecoder, Trace, silent
from alertd_adapters.decoders.mapping.devices import Profile
from alertd_adapters.decoders.mapping.events import UNREADABLE
from alertd_adapters.decoders.mapping.reading import Reading
from alertd_adapters.decoders.mapping.sources import Source
from alertd_adapters.decoders.sparkplug import wire
from alertd_adapters.decoders.sparkplug.nodes import OF_NODE, Kind, Nodes, Opened

NAMESPACE = "spBv1.0"
KINDS = get_args(Kind)
SPARKPLUG_OPTIONS = ("rebirth", "group")


class SparkplugOptions(msgspec.Struct, frozen=True, kw_only=True):
    """`rebirth`: ask a node for its births when we do not know what it says. `group`: ids begin with the group."""

    rebirth: bool = False
    group: bool = False

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "SparkplugOptions":
        """Raises `SettingsError`."""
        for key in SPARKPLUG_OPTIONS:
            if not isinstance(settings.get(key, False), bool):
                raise SettingsError(key, "is true or false")
        return cls(rebirth=settings.get("rebirth", False), group=settings.get("group", False))


class SparkplugDecoder(MappedDecoder):
    """`ports.Decoder`, `ports.Asking` and `ports.Learning`: decode messages in the order in which they came."""

    def __init__(
        self,
        source: Source,
        profiles: Mapping[str, Profile],
        registry: Callable[[], Registry | None],
        options: SparkplugOptions,
        clock: Clock | None = None,
    ) -> None:
        """Without a clock nobody knows how old what a birth tells of can be."""
        super().__init__(source, profiles, Bindings(registry))
        self._nodes = Nodes(registry, with_group=options.group)
        self._clock = clock
        self._asks = options.rebirth
        self._heard_ms: int | None = None

    def read(self, topic: str, payload: bytes, trace: Trace = silent) -> list[Reading]:
        """Raises `DecodeError`."""
        self._nodes.begin()
        levels = topic.split("/")
        if levels[0] == NAMESPACE and levels[2:3] in (["NCMD"], ["DCMD"]):
            trace("command", "said to a node or a device, not by one")
            return []
        if levels[0] != NAMESPACE or len(levels) not in (4, 5) or levels[2] not in KINDS:
            return super().read(topic, payload, trace)  # STATE: nothing to open
        opened = self._open(levels, payload)
        if not self._is_known(levels):
            heard = self._nodes.id_of(levels[1], levels[3], _device_of(levels))
            raise UncoveredError(f"{heard} is not in the registry", count=UNREGISTERED, strangers=(heard,))
        _tell(opened, trace)
        try:
            readings = super().read(topic, self._as_json(levels, opened, opened.metrics), trace)
        except UncoveredError:
            if not opened.unnamed:
                raise
            readings = []
        readings = [replace(each, at_most_us=opened.at_most_us) if each.late else each for each in readings]
        readings += self._standing(topic, levels, opened, trace)
        if opened.unnamed:
            why = f"{opened.unnamed} values have numbers that no birth has named yet: a press may be inside"
            if not any(reading.is_signal for reading in readings):
                raise DecodeError(why)
            readings.append(Reading(device_id="", event=UNREADABLE, value=why))
        return readings

    def _standing(self, topic: str, levels: Sequence[str], opened: Opened, trace: Trace) -> list[Reading]:
        """Buttons that are pressed since nobody knows when. Lamps and pumps that are on are no news."""
        if not opened.standing:
            return []
        try:
            found = super().read(topic, self._as_json(levels, opened, opened.standing, standing=True), trace)
        except UncoveredError:
            return []
        return [replace(reading, signs=()) for reading in found if reading.is_signal]

    def unlearn(self) -> Callable[[], None]:
        """`ports.Learning`."""
        return self._nodes.unlearn()

    def questions(self) -> Sequence[Question]:
        """To whom births are to be said again, since it was asked last."""
        asked, self._nodes.asked = self._nodes.asked, []
        if not asked or not self._asks:
            return ()
        payload = wire.rebirth(self._heard_ms)
        return [
            Question(topic=f"{NAMESPACE}/{group}/NCMD/{node_id}", payload=payload)
            for group, node_id in dict.fromkeys(asked)
        ]

    def _open(self, levels: Sequence[str], data: bytes) -> Opened:
        kind, group, node_id = levels[2], levels[1], levels[3]
        if (kind[0] == "N") is (len(levels) == 5):
            raise UncoveredError(f"{kind} has another topic in Sparkplug B", count=UNKNOWN)
        try:
            payload = wire.read(data)
        except DecodeError:
            if self._is_known(levels):
                raise
            raise UncoveredError("a stranger's payload is no Sparkplug B", count=UNREGISTERED) from None
        self._heard_ms = payload.timestamp
        if kind.endswith("DATA") and not payload.metrics:
            raise DecodeError("the payload holds no metric that alertd can read")
        heard_us = None if self._clock is None else self._clock.now().boot_us
        return self._nodes.open(kind, group, node_id, _device_of(levels), payload, heard_us)  # type: ignore[arg-type] # of KINDS

    def _is_known(self, levels: Sequence[str]) -> bool:
        return self._nodes.is_known(levels[1], levels[3], _device_of(levels))

    def _as_json(
        self, levels: Sequence[str], opened: Opened, metrics: Sequence[wire.Metric], *, standing: bool = False
    ) -> bytes:
        return msgspec.json.encode(
            {
                "kind": levels[2],
                "device": self._nodes.id_of(levels[1], levels[3], _device_of(levels)),
                "timestamp": self._heard_ms,
                "stale": opened.stale,
                "metrics": [
                    {
                        "name": each.name,
                        "row": each.name.replace("/", ":"),
                        "value": each.value,
                        "timestamp": each.timestamp,
                        "late": each.historical,
                        "standing": standing,
                    }
                    for each in metrics
                ],
            }
        )


def _device_of(levels: Sequence[str]) -> str:
    return levels[4] if len(levels) == 5 else OF_NODE


def _tell(opened: Opened, trace: Trace) -> None:
    for each in opened.metrics:
        trace("metric", f"{each.name} = {each.value}")
    for each in opened.standing:
        trace("standing", f"{each.name} = {each.value}, and nobody knows since when")
    if opened.unnamed:
        trace("births", f"{opened.unnamed} metrics have numbers that no birth has named yet")
    if opened.lost:
        trace("sequence", "a message before this one never came")
