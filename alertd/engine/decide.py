"""`decide`: the whole of what alertd does about an event, as a function of what it knows.

Reading order of the core: `lifecycle` (what can become of things), `presses`, `gestures`, `levels`, `device_tests`,
`incidents`, `dispatch_hold`, `escalation`, `telling`, `calls`, `answers`, `texts`, `keys`, `dispatch_centers`,
`dispatch_answers`, `announcing`, `outcomes`, `endings`, `troubles`, `drills`.
"""

from typing import assert_never

from alertd.engine import (
    announcing,
    answers,
    clocks,
    corroboration,
    device_tests,
    dispatch_answers,
    dispatch_centers,
    dispatch_hold,
    drills,
    endings,
    escalation,
    incidents,
    keys,
    outcomes,
    paging,
    places,
    presses,
    retention,
    selftests,
    sensor_storms,
    sensors,
    telling,
    texts,
    troubles,
)
from alertd.engine.draft import Draft
from alertd.model.anchor import Now
from alertd.model.decision import Decision, EntryKind, Facts, SiteState
from alertd.model.events import (
    AnswerGiven,
    ClockStepped,
    CorrectionOrdered,
    DeviceTestEndOrdered,
    DeviceTestOrdered,
    DeviceTestWatched,
    DispatchReported,
    DrillEndOrdered,
    DrillFound,
    DrillOrdered,
    Event,
    Keyed,
    Malformed,
    OutcomeReported,
    Overheard,
    Pressed,
    Replied,
    ResolveOrdered,
    RetentionDue,
    SayOrdered,
    SilenceOrdered,
    TestOrdered,
    TimerFired,
    TroubleAcknowledged,
    TroubleCleared,
    TroubleRaised,
    Unregistered,
)
from alertd.model.ids import derive
from alertd.model.notification import Kind
from alertd.model.reason import Reason
from alertd.model.registry import Registry
from alertd.model.site import Device, DeviceKind
from alertd.model.timer import Timer, TimerKind

LEVELS_MAX = 16
"""Levels of a topic, its last, among which a device's name is looked for."""
TOPIC_SHOWN = 42
"""Letters of a topic in a text: the end of ChirpStack's holds all of a DevEUI."""


def decide(state: SiteState, facts: Facts, event: Event, now: Now) -> Decision:  # noqa: C901, PLR0912, PLR0915 - one arm a kind
    """What follows from the event. Pure: the same arguments give the same decision, and nothing else is touched.

    Raises `AssertionError` or worse only for a bug; the caller then pages the site by `fallback.page`."""
    d = Draft(state, facts, now)
    clocks.align(d)
    match event:
        case Pressed() if sensors.is_sensors(d, event):
            sensors.on_report(d, event)
        case Pressed():
            presses.on_press(d, event)
            corroboration.after_press(d, event)
        case Overheard():
            presses.on_overheard(d, event.press)
        case Unregistered():
            _unregistered(d, event)
        case Malformed():
            _malformed(d, event)
        case OutcomeReported():
            outcomes.on_outcome(d, event)
        case Replied():
            texts.on_reply(d, event)
        case Keyed():
            keys.on_key(d, event)
        case AnswerGiven():
            answers.on_answer(d, event)
        case ResolveOrdered():
            endings.on_resolve(d, event)
        case CorrectionOrdered():
            endings.on_correct(d, event)
        case DispatchReported():
            _dispatch(d, event)
        case TimerFired():
            _timer(d, event.timer)
        case TroubleRaised():
            troubles.on_raised(d, event)
        case TroubleCleared():
            troubles.clear(d, event.key)
        case TroubleAcknowledged():
            d.cause = event.cause
            troubles.acknowledge(d, event.key, event.by)
        case TestOrdered():
            selftests.on_test(d, event)
        case SayOrdered():
            paging.on_say(d, event)
        case SilenceOrdered():
            paging.on_silence(d, event)
        case DrillOrdered():
            drills.on_order(d, event)
        case DrillEndOrdered():
            drills.on_end(d, event)
        case DrillFound():
            drills.on_found(d, event)
        case DeviceTestOrdered():
            device_tests.on_order(d, event)
        case DeviceTestWatched():
            device_tests.on_watched(d, event)
        case DeviceTestEndOrdered():
            device_tests.on_end(d, event)
        case RetentionDue():
            retention.on_due(d, event)
        case ClockStepped():
            _clock(d, event)
        case _:
            assert_never(event)
    drills.keep_told(d)
    is_over = isinstance(event, TroubleCleared) or (isinstance(event, Pressed) and event.signal.ends)
    if not d.entries and not is_over:
        # Promise 4: what changes nothing is written down, too. The end of what does not last is no event of note.
        d.entry(EntryKind.INTAKE, Reason.NOTHING_NEW, f"{type(event).__name__}: nothing new")
    return d.decision()


def _unregistered(d: Draft, event: Unregistered) -> None:
    seen_us, same_s = d.facts.seen_us, event.same_s or presses.DUPLICATE_S
    if seen_us is not None and abs(d.now.wall_us - seen_us) <= same_s * 1_000_000:
        known = f"{event.device_id[:60]}: known already ({event.why})"
        d.entry(EntryKind.INTAKE, Reason.DUPLICATE, known, source=event.source)
        return
    d.cause = event.cause
    device = d.facts.registry.devices.get(event.device_id)
    who = event.device_id[:40] if device is None else places.name_in(d, device, places.near(d, event))
    if event.refused:
        _refused(d, event, who, DeviceKind.BUTTON if device is None else device.kind)
        return
    d.entry(EntryKind.INTAKE, Reason.UNREGISTERED, f"{event.device_id[:60]}: {event.why}", source=event.source)
    remedy = "register it" if device is None else "correct its row in devices.csv"
    if event.never_press:
        _among_sensors(d, event, who, remedy)
        return
    troubles.ring(
        d,
        f"unregistered:{event.device_id[:60]}",
        f"A press that paged NOBODY, go and look{places.near(d, event)}: {who} ({event.why}). Then {remedy}.",
        said=event.kept,
    )


def _refused(d: Draft, event: Unregistered, who: str, kind: DeviceKind) -> None:
    """The kinds of its trigger may be what is wrong: what to do stands in one text. Or somebody speaks in its
    name: whoever did that must not be let in. Another trigger may bring the same press in a moment, and pages."""
    word = event.refused[: presses.SHOWN_LETTERS]
    d.entry(
        EntryKind.PRESS,
        Reason.SHUT_TRIGGER,
        f"{event.device_id[:60]} said {word!r}: {event.why}",
        device=event.device_id,
        source=event.source,
        action=word,
        received_us=str(event.received_us),
    )
    summary = (
        f"{who} pressed{places.near(d, event)}; its sources.{event.source} trigger pages NOBODY: go look. "
        f'If real, add "{kind}" to its kinds; else somebody used its name'
    )
    troubles.ring(d, f"refused:{event.device_id[:60]}", summary, said=event.kept, alike=event.alike)


def _among_sensors(d: Draft, event: Unregistered, who: str, remedy: str) -> None:
    """Told once; a shot or a cry for help is another, and told anew each time once somebody has looked at one."""
    name = event.device_id[:60]
    family, said, does = "sensor_unregistered", name, "speaks where sensors do"
    if event.heard:
        family, said = "sensor_unheard", f"{name} {event.kept or event.cause}"
        does = f"says '{event.heard}', and pages NOBODY"
    summary = f"Not a press{places.near(d, event)}: {who} {does} ({event.why}). {remedy.capitalize()}."
    troubles.raise_(d, f"{family}:{name}", summary, said=said)


def _malformed(d: Draft, event: Malformed) -> None:
    d.cause = event.cause
    text = f"{event.topic[:80]}: {event.why[:120]} ({event.size} bytes)"
    d.entry(EntryKind.INTAKE, Reason.POISON, text, source=event.source)
    device = _device_on(d.facts.registry, event.topic)
    of = f": a message on {_cut(event.topic)}" if device is None else f" of {places.name_in(d, device)}: its message"
    what = f"{of} is not understood ({event.why[:60]})."
    if event.never_press:
        troubles.raise_(d, f"sensor_malformed:{event.topic[:80]}", f"Not a press{what}")
        return
    troubles.ring(
        d,
        f"malformed:{event.topic[:80]}",
        f"May have been a press{what}",
        said=event.kept,
        alike="" if event.kept else derive("alike", event.topic, event.why, event.size),
    )


def _cut(topic: str) -> str:
    """What a text has room for: at its end most topics name who spoke."""
    return topic if len(topic) <= TOPIC_SHOWN else f"{topic[:13]}...{topic[16 - TOPIC_SHOWN :]}"


def _device_on(registry: Registry, topic: str) -> Device | None:
    """Whoever may have pressed there: most topics name their device, few a gateway before it."""
    named = (registry.device_of(level) for level in reversed(topic.split("/")[-LEVELS_MAX:]))
    return next((device for device in named if device is not None and device.kind is not DeviceKind.GATEWAY), None)


def _dispatch(d: Draft, event: DispatchReported) -> None:
    if d.facts.seen_us is not None:
        return
    d.cause = event.cause
    incident = d.incident(event.incident_id)
    statuses = incident.dispatch if incident else ()
    said_by = _destination(d, event.destination_id)
    status = next((s for s in statuses if s.destination_id == said_by), None)
    if incident is None or status is None:
        d.entry(EntryKind.DISPATCH, Reason.STALE_OUTCOME, f"{event.destination_id} spoke of what is not open")
        return
    dispatch_answers.report(d, incident, status, event.state, event.call_number, event.detail)


def _destination(d: Draft, name: str) -> str:
    """Destination id for a name that may be the channel's own (the address of the endpoint)."""
    destinations = d.facts.registry.destinations
    if name in destinations:
        return name
    return next((x.id for x in destinations.values() if x.endpoint.address == name), name)


def _timer(d: Draft, timer: Timer) -> None:  # noqa: C901, PLR0912 - one arm a kind
    if timer.kind is TimerKind.TROUBLE:
        troubles.on_timer(d, timer.detail, timer.number)
        return
    if timer.kind is TimerKind.DRILL_END:
        drills.on_timer(d, timer)
        return
    if timer.kind is TimerKind.DEVICE_TEST_END:
        device_tests.on_timer(d, timer)
        return
    if timer.kind is TimerKind.SENSOR_CALM:
        sensor_storms.on_calm(d, timer)
        return
    incident = d.incident(timer.incident_id)
    if incident is None:
        d.entry(EntryKind.ESCALATION, Reason.STALE_TIMER, f"{timer.kind} of an incident that is closed")
        return
    if drills.close_left_over(d, incident):
        return
    match timer.kind:
        case TimerKind.STEP:
            escalation.on_step(d, incident, timer.number, timer.detail)
        case TimerKind.WIDEN:
            escalation.on_widen(d, incident, timer.number, timer.detail)
        case TimerKind.ARRIVE:
            answers.on_arrive(d, incident, timer.number, timer.detail)
        case TimerKind.CANCEL_WINDOW:
            incidents.on_cancel_window(d, incident)
        case TimerKind.LATE_CONFIRM:
            dispatch_hold.on_late_confirm(d, incident)
        case TimerKind.DISPATCH_ACCEPT:
            dispatch_answers.on_accept_timeout(d, incident, timer.detail)
        case TimerKind.DISPATCH_BATCH:
            if incident.dispatch_due:
                dispatch_centers.tell_all(d, incident, Kind.DISPATCH_UPDATE, Reason.BATCHED)
        case TimerKind.REDIAL:
            telling.ring_again(d, incident, timer.number)
        case TimerKind.ANNOUNCE:
            announcing.on_again(d, incident, timer.number, timer.detail)
        case _:
            assert_never(timer.kind)


def _clock(d: Draft, event: ClockStepped) -> None:
    """Deadlines run on boot time, so nothing is early or late; and what is compared has moved already (`clocks`). The
    clock watch tells people: once, not once a site."""
    step_s = event.step_us / 1_000_000
    d.entry(EntryKind.CLOCK, Reason.CLOCK_STEPPED, f"the wall clock stepped by {step_s:+.1f} s")
