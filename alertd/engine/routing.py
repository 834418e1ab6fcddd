"""Which site an arrival belongs to. The server decides; nothing in a payload can widen it (promise 6)."""

from collections.abc import Iterator

from msgspec.structs import replace

from alertd.engine import gestures
from alertd.engine.hearing import Spot, nearest, spots
from alertd.model.events import Arrival, Event, Malformed, Overheard, Pressed, Signal, Unregistered
from alertd.model.ids import DISTRICT, CauseId, SiteId, derive
from alertd.model.registry import Registry
from alertd.model.site import Device, DeviceKind

BELIEVABLE_FUTURE_US = 5 * 1_000_000
"""A device clock further ahead than this is wrong (req 99)."""
BELIEVABLE_PAST_US = 24 * 3600 * 1_000_000
"""A device time older than this is not when it was pressed: nobody reads it, and no gesture is put together by it."""
OLD_NEWS_US = 31 * 24 * 3600 * 1_000_000
"""But up to here it may be what a gateway kept over a weekend or the holidays: it is *late*, and dispatch waits for a
human. A clock that was never set, or has lost its battery, stands at its maker's time, which is years ago: it says
nothing, and the press is as old as the broker says."""
CRIES = frozenset({"gunshot", "keyword", "duress"})
"""What profiles make of a shot or a cry for help that a sensor hears: no word that somebody else said."""


def route(registry: Registry, arrival: Arrival) -> tuple[Event, ...]:
    """The events that an arrival means, each for exactly one site; of a wearable that two sites heard, one for each.
    First whom it calls, then where it is only counted. Its names are the registry's (`spelling.as_registered`).
    Never raises, never drops what may be a press."""
    events = [
        event
        for index, signal in enumerate(arrival.signals)
        for event in _route_signal(registry, arrival, index, signal)
    ]
    if arrival.refused:  # all of it, or a part beside the signals
        events.append(_malformed(arrival))
    return tuple(events)


def _malformed(arrival: Arrival) -> Malformed:
    return Malformed(
        site_id=DISTRICT,
        cause=CauseId(derive("malformed", arrival.source, arrival.arrival_id)),
        source=arrival.source,
        topic=arrival.topic,
        why=arrival.refused,
        size=arrival.size,
        received_us=arrival.received_us,
        kept=derive("said", arrival.topic, arrival.refused, arrival.size) if arrival.retained else "",
        never_press=arrival.never_press,
    )


def _route_signal(registry: Registry, arrival: Arrival, index: int, signal: Signal) -> Iterator[Event]:
    cause = _cause(arrival, index, signal)
    device = registry.devices.get(signal.device_id)
    signal = _as_heard(arrival, signal, device)
    if device is None or device.kind is DeviceKind.GATEWAY:
        why = "it is not in the registry" if device is None else "it is registered as a gateway"
        if not signal.ends:  # that it does not call is no press of nobody's
            yield _unregistered(registry, DISTRICT, arrival, signal, cause, why)
        return
    if arrival.never_press and device.kind is not DeviceKind.SENSOR and not signal.ends:
        yield _refused(registry, arrival, signal, cause, device)
        return
    found = _everywhere(device) if signal.ends else spots(registry, device, signal, arrival.received_us)
    if not found:
        why = "heard outside its sites"
        yield _unregistered(registry, device.site_id, arrival, signal, cause, why)
    for spot in found:
        yield _pressed(arrival, signal, _cause_at(spot.site_id, device, cause), spot)
    if found and _is_one_of_several(arrival, signal, device):
        told = {spot.site_id for spot in found}
        for spot in _everywhere(device):
            if spot.site_id not in told:
                mine = _cause_at(spot.site_id, device, cause)
                yield Overheard(site_id=spot.site_id, cause=mine, press=_pressed(arrival, signal, mine, spot))


def _as_heard(arrival: Arrival, signal: Signal, device: Device | None) -> Signal:
    if signal.same_s and arrival.again_after_us:  # what its source delivers again is a copy however long that took
        signal = replace(signal, same_s=signal.same_s + arrival.again_after_us // 1_000_000)
    if signal.reading is not None and (device is None or device.kind is not DeviceKind.SENSOR):
        signal = replace(signal, reading=None)  # only a sensor measures: of anything else it is a press with a number
    return signal


def _everywhere(device: Device) -> tuple[Spot, ...]:
    """What a device ended, it ended wherever it had begun."""
    return tuple(Spot(site_id=site_id, gateway_id=None) for site_id in (device.site_id, *device.roaming_sites))


def _is_one_of_several(arrival: Arrival, signal: Signal, device: Device) -> bool:
    """Does it mean something only with others, which may be heard at another site? What stands for itself, is said
    again or was counted by the device does not need them."""
    if arrival.retained or signal.standing or signal.lasting is not None:
        return False
    return gestures.is_counted(signal.action, device.gestures) and not gestures.is_own_count(signal)


def _refused(registry: Registry, arrival: Arrival, signal: Signal, press: CauseId, device: Device) -> Unregistered:
    """By the `kinds` of its trigger only such speak there as never press, and may name any device: a sensor's password
    would press every button. Or the kinds are wrong, and somebody has pressed: nobody knows, so people look."""
    why, word = f"no press is taken from {arrival.topic[:80]}", str(signal.action) or "press"
    nobodys, lasting = _unregistered(registry, DISTRICT, arrival, signal, press, why), signal.lasting
    alike = ""  # a moment is another press each time
    if lasting is not None and not nobodys.kept:
        alike = derive("alike", signal.device_id, signal.action, lasting.what, lasting.state)
    presses = tuple(_cause_at(spot.site_id, device, press) for spot in _everywhere(device))
    mine = CauseId(derive("refused", press))
    return replace(nobodys, cause=mine, never_press=False, refused=word, alike=alike, presses=presses)


def _cause_at(site_id: SiteId, device: Device, cause: CauseId) -> CauseId:
    """A copy that another site hears is that site's first: each is told once."""
    return cause if site_id == device.site_id else CauseId(derive("press", cause, site_id))


def _pressed(arrival: Arrival, signal: Signal, cause: CauseId, spot: Spot) -> Pressed:
    pressed_us = _believable(signal.pressed_us, arrival.received_us)
    waited_since = arrival.backlog_since_us if arrival.backlog_since_us is not None else arrival.received_us
    if signal.late:
        at_most_us = BELIEVABLE_PAST_US if signal.at_most_us is None else min(signal.at_most_us, BELIEVABLE_PAST_US)
        waited_since = min(waited_since, arrival.received_us - at_most_us)
    if signal.pressed_us is not None and signal.pressed_us >= arrival.received_us - OLD_NEWS_US:
        waited_since = min(waited_since, signal.pressed_us)
    return Pressed(
        site_id=spot.site_id,
        cause=cause,
        signal=replace(signal, pressed_us=pressed_us, heard_by=spot.gateway_id, heard=()),
        received_us=arrival.received_us,
        oldest_us=pressed_us if pressed_us is not None else min(waited_since, arrival.received_us),
        backlog=arrival.backlog_since_us is not None,
        retained=arrival.retained or signal.standing,
        source=arrival.source,
        heard_us=spot.heard_us,
        unsure=spot.unsure,
        boot_us=arrival.boot_us,
        backlog_since_us=arrival.backlog_since_us,
    )


def _cause(arrival: Arrival, index: int, signal: Signal) -> CauseId:
    what = "end" if signal.ends else "press"  # a device may give both the same number
    if signal.cause is not None and not (signal.needs_clock and _was_never_set(arrival, signal)):
        return CauseId(derive(what, arrival.source, signal.device_id, signal.cause))
    return CauseId(derive(what, arrival.source, signal.device_id, arrival.arrival_id, index))


def _was_never_set(arrival: Arrival, signal: Signal) -> bool:
    """Its clock stands years off: it may show the same second after each start."""
    return signal.pressed_us is not None and abs(arrival.received_us - signal.pressed_us) > OLD_NEWS_US


def _believable(pressed_us: int | None, received_us: int) -> int | None:
    if pressed_us is None:
        return None
    in_range = received_us - BELIEVABLE_PAST_US <= pressed_us <= received_us + BELIEVABLE_FUTURE_US
    return min(pressed_us, received_us) if in_range else None


def told_apart(signal: Signal) -> str:
    """What tells it from others if it is handed out anew with each connection (a broker's memory), or each birth says
    how it stands."""
    said = signal.action if signal.standing else f"{signal.cause or signal.action} {signal.pressed_us or ''}"
    return derive("said", signal.device_id, said)


def _unregistered(
    registry: Registry, site_id: SiteId, arrival: Arrival, signal: Signal, press: CauseId, why: str
) -> Unregistered:
    """A cause of its own: it is nobody's press yet. Once a gateway of its school hears it, or it is registered and says
    it again, it is one."""
    never_press = arrival.never_press and site_id == DISTRICT  # a wearable of a school presses wherever it is heard
    return Unregistered(
        site_id=site_id,
        cause=CauseId(derive("unregistered_sensor" if never_press else "unregistered", press)),
        device_id=signal.device_id,
        source=arrival.source,
        why=why,
        received_us=arrival.received_us,
        same_s=signal.same_s,
        kept=told_apart(signal) if arrival.retained or signal.standing else "",
        heard_by=nearest(registry, signal, arrival.received_us),
        never_press=never_press,
        heard=signal.action if never_press and signal.action in CRIES else "",
    )
