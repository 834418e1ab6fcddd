"""An edge node that a test plays: births, data and deaths as bytes, with sequence numbers that go round."""

from alertd_adapters.decoders.sparkplug.wire import BOOLEAN, Metric, Payload, write

NODE_ID, DEVICE_ID = "panel-pc", "inputs"
ROW = f"{NODE_ID}:{DEVICE_ID}"
STRIP = 5
"""Alias of the strip."""
NOW_MS = 1_788_187_327_000


class Edge:
    """`topic` and payload of what it says next; times go on by a second."""

    def __init__(self, *, bd_seq: int = 7, group: str = "oak") -> None:
        self.group = group
        self.bd_seq = bd_seq
        self.seq = -1
        self.now_ms = NOW_MS

    def node_birth(self, **more: Metric) -> tuple[str, bytes]:
        self.seq = -1
        return self._said("NBIRTH", [Metric(name="bdSeq", datatype=4, value=self.bd_seq), *more.values()])

    def birth(self, *, pressed: bool = False, alias: int = STRIP) -> tuple[str, bytes]:
        named = [("Inputs/A", 1, False), ("Inputs/Strip", alias, pressed), ("Outputs/Lamp", 9, True)]
        metrics = [self._metric(name=name, alias=number, datatype=BOOLEAN, value=on) for name, number, on in named]
        return self._said("DBIRTH", metrics, DEVICE_ID)

    def data(self, *, pressed: bool = True, alias: int = STRIP, historical: bool = False) -> tuple[str, bytes]:
        return self._said("DDATA", [self._metric(alias=alias, value=pressed, historical=historical)], DEVICE_ID)

    def named(self, name: str, value: object, datatype: int | None = None) -> tuple[str, bytes]:
        return self._said("DDATA", [self._metric(name=name, value=value, datatype=datatype)], DEVICE_ID)

    def death(self) -> tuple[str, bytes]:
        return self._said("DDEATH", [], DEVICE_ID)

    def node_death(self, bd_seq: int | None = None) -> tuple[str, bytes]:
        will = Metric(name="bdSeq", datatype=4, value=self.bd_seq if bd_seq is None else bd_seq)
        return f"spBv1.0/{self.group}/NDEATH/{NODE_ID}", write(Payload(timestamp=NOW_MS, metrics=(will,)))

    def _metric(self, **fields: object) -> Metric:
        return Metric(timestamp=self.now_ms + 1_000, **fields)  # type: ignore[arg-type]

    def _said(self, kind: str, metrics: list[Metric], device: str = "") -> tuple[str, bytes]:
        self.seq = (self.seq + 1) % 256
        self.now_ms += 1_000
        payload = Payload(timestamp=self.now_ms, seq=self.seq, metrics=tuple(metrics))
        below = f"/{device}" if device else ""
        return f"spBv1.0/{self.group}/{kind}/{NODE_ID}{below}", write(payload)
