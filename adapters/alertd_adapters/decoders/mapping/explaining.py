"""What a message means, step by step, for a person who wonders why it paged, or did not."""

from datetime import UTC, datetime

from alertd.model.events import Heard
from alertd.ports import DecodeError, Explained, Step, UncoveredError
from alertd_adapters.decoders.mapping.codes import HIDDEN, is_code
from alertd_adapters.decoders.mapping.decoder import MappedDecoder
from alertd_adapters.decoders.mapping.events import QUIET, TRIGGERS, UNREADABLE
from alertd_adapters.decoders.mapping.reading import Reading, said

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
        signals, refused = said(readings)
    except UncoveredError as error:
        return Explained(steps=tuple(steps), uncovered=str(error))
    except DecodeError as error:
        return Explained(steps=tuple(steps), refused=str(error), never_press=error.never_press)
    return Explained(steps=tuple(steps), signals=signals, refused=refused)


def _heard(heard: Heard) -> str:
    return heard.gateway_id if heard.rssi is None else f"{heard.gateway_id} ({heard.rssi:g} dBm)"


def _identity(reading: Reading) -> str:
    if (lasting := reading.lasting) is not None:
        which = f" {lasting.state}" if lasting.state else ""
        return f"a state{which} that lasts: said again within {lasting.repeats_s} s it is no press of its own"
    same = ", ".join(reading.identity) or "nothing: every copy that arrives is a press of its own"
    return f"{same}, for {reading.same_s} s" if reading.identity and reading.same_s else same


HELD_UP = {
    "late": "the source says that it was held up on its way",
    "standing": "since nobody knows when: no press, but a trouble asks for a look",
}


def _told(reading: Reading) -> list[tuple[str, str]]:
    known = {**TRIGGERS, **QUIET}
    told = [("rule", f"{reading.by}: {reading.event} ({known.get(reading.event, '')})")]
    if reading.value is not None:
        told.append(("value", HIDDEN if is_code(reading.value) else str(reading.value)))
    if reading.button is not None:
        told.append(("button", reading.button))
    if reading.battery_pct is not None:
        told.append(("battery", f"{reading.battery_pct} %"))
    if reading.pressed_us is not None:
        told.append(("time", datetime.fromtimestamp(reading.pressed_us / 1_000_000, UTC).isoformat()))
    told += [(what, words) for what, words in HELD_UP.items() if getattr(reading, what)]
    if reading.heard_by is not None:
        told.append(("gateway", ", ".join(map(_heard, reading.heard)) or reading.heard_by))
    if reading.is_signal:
        told.append(("identity", _identity(reading)))
    if becomes := _becomes(reading):
        told.append(("signal", becomes))
    for action, number in reading.reads:
        told.append(("reading", f"{action} {number:g}: an alarm if its gestures' thresholds say so"))
    return told


def _becomes(reading: Reading) -> str:
    """What the core is told of it; "": only what it measured."""
    if reading.is_signal:
        return f"{reading.device_id} says {reading.action}"
    if reading.is_ending:
        return f"{reading.device_id} no longer calls: nobody is told, and its next call is a new one"
    if reading.resets:
        return f"{reading.device_id} says that {reading.resets} is over: counted, and nobody is told"
    if reading.reads:
        return ""
    if reading.event == UNREADABLE:
        return "none: this part may be a press, and cannot be read"
    return "none: " + (
        "the profile says that nobody is told of this" if reading.ignored else "this event is never a press"
    )
