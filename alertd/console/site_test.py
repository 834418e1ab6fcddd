"""The technical self-test of a site: as much of the way from press to phone as can be walked without waking anybody.

Three parts, and it says which is which. *Proofs*: what the running daemon has just done (session, commit, sending).
*Dry presses*: each device of the site is pressed in memory, by the very engine and configuration that are in force;
what would follow is counted, nothing is committed and nobody is told. *Signs of life*: every destination of the site
gets one in mode test, on the real path through commit and outbox. Must never send anything to a person or to a
loudspeaker: whether a phone rings, only `alertd test person` or a drill can show.
"""

from collections.abc import Iterator

from msgspec import Struct

from alertd.console.backend import Backend, Proof
from alertd.console.naming import find_site, read, who_orders
from alertd.console.operations import SOURCE, Signature, cause_of, committed
from alertd.console.views import NotificationView, notification_view
from alertd.console.words import unknown_word
from alertd.engine.decide import decide
from alertd.engine.gestures import IGNORED, PRESS, is_counted, is_known, named_by
from alertd.engine.routing import route
from alertd.model.anchor import Now
from alertd.model.decision import Decision, Facts, SiteState
from alertd.model.events import Arrival, Signal, TestOrdered
from alertd.model.ids import CauseId, DeviceId, SiteId, derive
from alertd.model.incident import SEVERITY, IncidentClass, is_panic
from alertd.model.mode import Mode
from alertd.model.notification import Kind, NotificationState
from alertd.model.reason import Reason
from alertd.model.registry import Registry
from alertd.model.site import Device, DeviceKind

DRY_TOKEN = "17"
CANNOT_SAY = (
    "No phone rang and no loudspeaker spoke. That texts and calls arrive, that buttons have batteries, and that people "
    "come, only `alertd test person`, pressing them, and a drill can show."
)


class DryPress(Struct, frozen=True, kw_only=True):
    """What a press of a device would lead to now. `problem` is empty if everything is in order."""

    device: str
    incident_class: str
    people: int
    machines: int
    loudspeakers: int
    problem: str


class SiteTest(Struct, frozen=True, kw_only=True):
    cause: str
    mode: str
    site: str
    proofs: tuple[Proof, ...]
    ways: tuple[Proof, ...]
    presses: tuple[DryPress, ...]
    notifications: tuple[NotificationView, ...]
    """The signs of life; each says what became of it."""
    cannot_say: str = CANNOT_SAY


async def test_site(backend: Backend, site: str, signed: Signature, key: str | None) -> SiteTest:
    site_id = find_site(backend, site)
    by = who_orders(backend, signed.by, signed.name, otherwise=SOURCE)
    registry, health = backend.registry(), backend.health()
    chosen, cause = cause_of(key, "site-test")
    ordered_us = backend.clock.now().wall_us
    named = [d for d in registry.destinations.values() if site_id in d.site_ids]
    for destination in named:
        await committed(
            backend.door.submit(
                TestOrdered(
                    site_id=site_id,
                    cause=CauseId(derive(cause, destination.id)),
                    by=by,
                    destination_id=destination.id,
                    heartbeat=True,
                )
            )
        )
    rows = await read(lambda: backend.store.read_tests(ordered_us))
    keys = {destination.endpoint.key for destination in named}
    return SiteTest(
        cause=chosen,
        mode=Mode.TEST.value,
        site=site_id,
        proofs=health.proofs,
        ways=health.ways,
        presses=tuple(dry_presses(backend, site_id)),
        notifications=tuple(notification_view(r, registry) for r in rows if r.notification.endpoint.key in keys),
    )


def dry_presses(backend: Backend, site_id: SiteId) -> Iterator[DryPress]:
    """Every trigger at home at the site, by the gravest gesture that it has, and that it can make."""
    for device in backend.registry().devices.values():
        if device.site_id == site_id and device.kind in (DeviceKind.BUTTON, DeviceKind.WEARABLE):
            yield _dry_press(backend.registry(), device, backend.words(device.id), backend.clock.now())


def _dry_press(registry: Registry, device: Device, words: frozenset[str] | None, now: Now) -> DryPress:
    signal = _gravest(device, words)
    arrival = Arrival(source=SOURCE, topic="dry", signals=(signal,), received_us=now.wall_us, arrival_id="dry")
    try:
        event = route(registry, arrival)[0]  # whom it calls; who else counts it comes after
        state = SiteState(site_id=event.site_id)
        decision = decide(state, Facts(registry=registry, free_tokens=(DRY_TOKEN,)), event, now)
    except Exception as error:  # noqa: BLE001 - what breaks the engine here would break it at the press
        return _counted(device, Decision(), f"alertd cannot handle it: {type(error).__name__}: {error}")
    return _counted(device, decision, _problem(decision, device, signal))


def _gravest(device: Device, words: frozenset[str] | None) -> Signal:
    """`words`: what it can say; `None`: whatever its gestures know."""
    rules = device.gestures
    can = {PRESS, *rules.actions} if words is None else words
    counted = sorted((word for word in can if is_counted(word, rules)), key=lambda word: (word != PRESS, word))
    if counted:
        return Signal(device_id=DeviceId(device.id), action=counted[0], count=max(rules.presses))
    named = {a: IncidentClass(name) for a in sorted(can) if (name := named_by(a, rules)) not in (None, IGNORED)}
    grave = max((a for a, name in named.items() if is_panic(name)), key=lambda a: SEVERITY[named[a]], default=None)
    unknown = min(can, key=lambda word: (word not in ("duress", PRESS), word), default=PRESS)
    return Signal(device_id=DeviceId(device.id), action=grave or unknown)


def _problem(decision: Decision, device: Device, signal: Signal) -> str:
    if not decision.incidents and not is_known(signal.action, device.gestures):
        return f"it would page nobody: {unknown_word(signal.action, device.gestures)}"
    if not decision.incidents:
        return "it would page nobody: its gestures mean nothing grave"
    if any(entry.reason is Reason.EMPTY_AUDIENCE for entry in decision.entries):
        return "its policy names nobody who can be told now; the site's staff would be told instead"
    return ""


def _counted(device: Device, decision: Decision, problem: str) -> DryPress:
    told = [row.notification for row in decision.notifications if row.state is NotificationState.QUEUED]
    people = {n.endpoint.person_id for n in told if n.endpoint.person_id is not None and n.kind is not Kind.TROUBLE}
    incident = decision.incidents[-1] if decision.incidents else None
    return DryPress(
        device=f"{device.label} ({device.id})" if device.label else device.id,
        incident_class=incident.incident_class.value if incident else "",
        people=len(people),
        machines=sum(n.kind is Kind.DISPATCH_NEW for n in told),
        loudspeakers=sum(n.kind is Kind.PAGE for n in told),
        problem=problem or ("" if people else "no person would be told"),
    )
