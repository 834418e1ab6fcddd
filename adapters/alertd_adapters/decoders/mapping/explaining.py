"""What a message means, step by step, for a person who wonders why it paged, or did not."""

from datetime import UTC, datetime

from alertd.ports import DecodeError, Explained, Step, UncoveredError
from alertd_adapters.decoders.mapping.decoder import MappedDecoder
from alertd_adapters.decoders.mapping.events import QUIET, TRIGGERS
from alertd_adapters.decoders.mapping.reading import Reading

SHOWN_MAX = 200
"""Characters of a step."""


def explain(decoder: MappedDecoder, topic: str, payload: bytes) -> Explained:
    """Never raises. Values that a rule did not look at are not shown: a payload may hold a PIN."""
    steps: list[Step] = []

    def trace(what: str, found: str) -> None:
        shown = "".join(sign if sign.isprintable() else "?" for sign in found[:SHOWN_MAX])
        steps.append(Step(what=what, found=shown))

    try:
        readings = decoder.read(topic, payload, trace)
        for reading in readings:
            for what, found in _told(reading):
                trace(what, found)
        signals = tuple(reading.signal() for reading in readings if reading.is_signal)
    except UncoveredError as error:
        return Explained(steps=tuple(steps), uncovered=str(error))
    except DecodeError as error:
        return Explained(steps=tuple(steps), refused=str(error))
    return Explained(steps=tuple(steps), signals=signals)


def _told(reading: Reading) -> list[tuple[str, str]]:
    known = {**TRIGGERS, **QUIET}
    told = [("rule", f"{reading.by}: {reading.event} ({known.get(reading.event, '')})")]
    if reading.value is not None:
        told.append(("value", str(reading.value)))
    if reading.button is not None:
        told.append(("button", reading.button))
    if reading.battery_pct is not None:
        told.append(("battery", f"{reading.battery_pct} %"))
    if reading.pressed_us is not None:
        told.append(("time", datetime.fromtimestamp(reading.pressed_us / 1_000_000, UTC).isoformat()))
    if reading.late:
        told.append(("late", "the source says that it was held up on its way"))
    if reading.heard_by is not None:
        told.append(("gateway", reading.heard_by))
    if reading.is_signal:
        same = ", ".join(reading.identity) or "nothing: every copy that arrives is a press of its own"
        told.append(("identity", same))
        told.append(("signal", f"{reading.device_id} says {reading.action}"))
    elif reading.ignored:
        told.append(("signal", "none: the profile says that nobody is told of this"))
    else:
        told.append(("signal", "none: this event is never a press"))
    return told
