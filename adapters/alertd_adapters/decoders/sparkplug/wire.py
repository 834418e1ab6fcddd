"""Sparkplug B payloads as bytes: the fields that alertd reads, and no others.

Source: Eclipse Sparkplug 3.0.0, chapter 6.4 (payload B; field numbers and types). Data sets, templates, properties and
metadata are skipped unread, as protobuf skips what it does not know. Must never raise anything but `DecodeError`.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError as WireError
from google.protobuf.message_factory import GetMessageClass
from msgspec import Struct

from alertd.ports import DecodeError

METRICS_MAX = 1_000
"""Metrics of one payload; a longer one is refused as a whole, as the mapping refuses longer lists."""
BOOLEAN = 11
"""Data type of a Boolean; 1 to 4 are signed integers."""
SIGNED = {1: 8, 2: 16, 3: 32, 4: 64}
"""Data type -> bits. They travel as unsigned ones (6.4.16)."""
_PACKAGE = "alertd.sparkplug"
_METRIC = (
    ("name", 1, "STRING"), ("alias", 2, "UINT64"), ("timestamp", 3, "UINT64"), ("datatype", 4, "UINT32"),
    ("is_historical", 5, "BOOL"), ("is_null", 7, "BOOL"),
)  # fmt: skip
_VALUES = (
    ("int_value", 10, "UINT32"), ("long_value", 11, "UINT64"), ("float_value", 12, "FLOAT"),
    ("double_value", 13, "DOUBLE"), ("boolean_value", 14, "BOOL"), ("string_value", 15, "STRING"),
)  # fmt: skip
"""One of them: the metric's value."""


class Metric(Struct, frozen=True, kw_only=True):
    """`name` or `alias` may be missing, and outside births mostly `name` is."""

    name: str = ""
    alias: int | None = None
    timestamp: int | None = None
    """Milliseconds since the epoch."""
    datatype: int | None = None
    historical: bool = False
    value: object = None
    """A text, a number, true or false; `None`: null, or of a kind that no button has."""


class Payload(Struct, frozen=True, kw_only=True):
    timestamp: int | None = None
    seq: int | None = None
    metrics: tuple[Metric, ...] = ()

    def metric(self, name: str) -> object:
        """The value of a metric that is named so; `None`: there is none."""
        return next((each.value for each in self.metrics if each.name == name), None)


def _field(name: str, number: int, kind: str) -> FieldDescriptorProto:
    field = FieldDescriptorProto(name=name, number=number, label=FieldDescriptorProto.LABEL_OPTIONAL)
    field.type = FieldDescriptorProto.Type.Value(f"TYPE_{kind}")
    return field


def _message() -> Any:
    """The class of a payload, made from the tables above: no generated module, whose version a runtime may refuse."""
    metric = DescriptorProto(name="Metric", field=[_field(*each) for each in _METRIC])
    metric.oneof_decl.add(name="value")
    for each in _VALUES:
        field = _field(*each)
        field.oneof_index = 0
        metric.field.append(field)
    payload = DescriptorProto(name="Payload", nested_type=[metric])
    payload.field.append(_field("timestamp", 1, "UINT64"))
    metrics = _field("metrics", 2, "MESSAGE")
    metrics.label = FieldDescriptorProto.LABEL_REPEATED
    metrics.type_name = f".{_PACKAGE}.Payload.Metric"
    payload.field.append(metrics)
    payload.field.append(_field("seq", 3, "UINT64"))
    file = FileDescriptorProto(name="sparkplug_b.proto", package=_PACKAGE, syntax="proto2", message_type=[payload])
    pool = DescriptorPool()  # of our own: another library may have put its Sparkplug into the common one
    pool.AddSerializedFile(file.SerializeToString())
    return GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Payload"))


_PAYLOAD = _message()


def read(data: bytes) -> Payload:
    """Raises `DecodeError`; its message quotes nothing."""
    try:
        found = _PAYLOAD.FromString(data)
        if len(found.metrics) > METRICS_MAX:
            raise DecodeError(f"the payload has {len(found.metrics)} metrics, more than {METRICS_MAX}")
        return Payload(
            timestamp=found.timestamp or None,  # 0: of a clock that was never set, and no identity
            seq=found.seq if found.HasField("seq") else None,
            metrics=tuple(_metric(each) for each in found.metrics),
        )
    except (WireError, UnicodeDecodeError):
        raise DecodeError("the payload is no Sparkplug B") from None


def _metric(found: Any) -> Metric:
    """Raises `DecodeError`: protobuf hands out a text that is none as bytes."""
    value = _value(found)
    if not isinstance(found.name, str) or isinstance(value, bytes):
        raise DecodeError("a text of the payload is not UTF-8")
    return Metric(
        name=found.name,
        alias=found.alias if found.HasField("alias") else None,
        timestamp=found.timestamp or None,
        datatype=found.datatype if found.HasField("datatype") else None,
        historical=found.is_historical,
        value=value,
    )


def _value(found: Any) -> object:
    which = found.WhichOneof("value")
    return None if which is None or found.is_null else getattr(found, which)


def as_signed(value: object, datatype: int | None) -> object:
    """A whole number as its data type means it."""
    bits = SIGNED.get(datatype or 0)
    if bits is None or isinstance(value, bool) or not isinstance(value, int):
        return value
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def write(payload: Payload) -> bytes:
    """For commands to edge nodes, and for simulated ones. Whole numbers are written as `Int32` unless they are long."""
    message = _PAYLOAD()
    if payload.timestamp is not None:
        message.timestamp = payload.timestamp
    if payload.seq is not None:
        message.seq = payload.seq
    _write_metrics(message, payload.metrics)
    return bytes(message.SerializeToString())


def _write_metrics(message: Any, metrics: Iterable[Metric]) -> None:
    for each in metrics:
        metric = message.metrics.add(is_historical=True) if each.historical else message.metrics.add()
        if each.name:
            metric.name = each.name
        for key in ("alias", "timestamp", "datatype"):
            if getattr(each, key) is not None:
                setattr(metric, key, getattr(each, key))
        match each.value:
            case None:
                metric.is_null = True
            case bool():
                metric.boolean_value = each.value
            case int() if each.datatype in (4, 8):
                metric.long_value = each.value & (1 << 64) - 1
            case int():
                metric.int_value = each.value & (1 << 32) - 1
            case float():
                metric.double_value = each.value
            case _:
                metric.string_value = str(each.value)


def rebirth(timestamp: int | None) -> bytes:
    """The command by which an edge node says its births again (6.4.21)."""
    metrics: Sequence[Metric] = (Metric(name="Node Control/Rebirth", datatype=BOOLEAN, value=True),)
    return write(Payload(timestamp=timestamp, metrics=tuple(metrics)))
