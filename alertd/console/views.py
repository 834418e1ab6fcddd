"""What the API shows: stored values with names and site-local times filled in, for a principal and for a program.

Pure. Never shows a whole phone number (req 100), never turns an unknown into a blank: what is not known is `null` and
said in words.
"""

from collections.abc import Iterable

from msgspec import Struct, field

from alertd.console.timeline import TimelineLine, open_questions
from alertd.console.words import (
    ANSWER,
    DISPATCH,
    ESCALATION,
    INCIDENT_CLASS,
    INCIDENT_STATE,
    KIND,
    MODE,
    known_of,
    not_known_of,
    say,
    why,
)
from alertd.engine.wording import did, local_iso, local_time, place_words, press_words, utc_iso
from alertd.model.ids import SiteId
from alertd.model.incident import Answer, DispatchStatus, Incident, IncidentClass, IncidentState, Press
from alertd.model.notification import NotificationRow
from alertd.model.people import Endpoint
from alertd.model.registry import Registry
from alertd.model.trouble import Trouble

US_PER_S = 1_000_000


class PressView(Struct, frozen=True, kw_only=True):
    at: str
    at_local: str
    device: str
    label: str
    count: int
    incident_class: str
    where: str
    did: str
    """"pressed"; by a sensor, or of a wearable that was carried there, "heard"; in an answer "asked"."""
    words: str
    """Which device, and how often: "Okafor badge, 8 presses"; or who asked: "Ruiz by text"."""
    late: bool
    device_time: str | None
    """The device's own clock, if it has a believable one."""


class AnswerView(Struct, frozen=True, kw_only=True):
    at: str
    at_local: str
    person: str
    name: str
    kind: str
    words: str
    via: str
    holds: bool
    """False: it lapsed, because nobody arrived; or something new happened after it, and it covers only what was
    known."""


class DispatchView(Struct, frozen=True, kw_only=True):
    destination: str
    state: str
    words: str
    call_number: str | None
    told_local: str
    detail: str


class NotificationView(Struct, frozen=True, kw_only=True):
    id: str
    kind: str
    mode: str
    who: str
    channel: str
    address: str
    """Masked: the last four digits of a phone, the name of a webhook."""
    state: str
    known: str
    not_known: str | None
    reason: str
    why: str
    attempts: int
    created: str
    created_local: str
    step: int | None
    text: str
    detail: str


class IncidentView(Struct, frozen=True, kw_only=True):
    id: str
    headline: str
    site: str
    site_name: str
    mode: str
    mode_words: str
    incident_class: str
    class_words: str
    state: str
    state_words: str
    escalation: str
    escalation_words: str
    token: str
    opened: str
    opened_local: str
    age_s: int
    presses: tuple[PressView, ...]
    answers: tuple[AnswerView, ...]
    pressed_since: str | None
    """Where and when somebody first pressed, or asked, after the last answer of who goes: of that nobody has answered.
    `None`: nobody goes, or they knew of all."""
    dispatch: tuple[DispatchView, ...]
    dispatch_hold: str | None
    notes: tuple[str, ...]
    correction: str | None
    released: tuple[str, ...]
    closed: str | None
    closed_by: str | None


class IncidentDetail(Struct, frozen=True, kw_only=True):
    incident: IncidentView
    notifications: tuple[NotificationView, ...]
    not_known: tuple[str, ...]


class TimelineView(Struct, frozen=True, kw_only=True):
    incident: IncidentView
    zero: str
    """What 0 ms means."""
    lines: tuple[TimelineLine, ...]
    not_known: tuple[str, ...]


class TroubleView(Struct, frozen=True, kw_only=True):
    key: str
    site: str
    trouble_class: str = field(name="class")
    """"supervisory" or "trouble"; alarms are incidents."""
    state: str
    """"standing", or "over": and nobody has acknowledged it."""
    summary: str
    members: tuple[str, ...]
    """Ids of the devices that it is about, where it is about devices; the first hundreds of them."""
    since: str
    since_local: str
    count: int
    rings: bool
    acknowledged_by: str | None


def incident_view(incident: Incident, registry: Registry, now_us: int) -> IncidentView:
    site_id = incident.site_id
    zone_names = {zone.id: zone.short for zone in registry.zones.values()}
    correction = incident.correction
    return IncidentView(
        id=incident.id,
        headline=incident.headline,
        site=site_id,
        site_name=registry.sites[site_id].name if site_id in registry.sites else site_id,
        mode=incident.mode.value,
        mode_words=say(MODE, incident.mode),
        incident_class=incident.incident_class.value,
        class_words=say(INCIDENT_CLASS, incident.incident_class),
        state=incident.state.value,
        state_words=say(INCIDENT_STATE, incident.state),
        escalation=incident.escalation.value,
        escalation_words=say(ESCALATION, incident.escalation) if incident.is_open else "closed",
        token=incident.token,
        opened=iso(registry, site_id, incident.opened_us),
        opened_local=clock_time(registry, site_id, incident.opened_us),
        age_s=max(0, (incident.closed_us or now_us) - incident.opened_us) // US_PER_S,
        presses=tuple(_press(press, registry, site_id, now_us) for press in incident.presses),
        answers=tuple(_answer(index, answer, incident, registry) for index, answer in enumerate(incident.answers)),
        pressed_since=_pressed_since(incident, registry, now_us),
        dispatch=tuple(_dispatch(status, registry, site_id) for status in incident.dispatch),
        dispatch_hold=why(incident.dispatch_hold) if incident.dispatch_hold else None,
        notes=tuple(f"{clock_time(registry, site_id, n.at_us)} {n.author}: {n.text}" for n in incident.notes),
        correction=(
            f"{clock_time(registry, site_id, correction.at_us)} {correction.by} says it was a mistake: "
            f"{correction.reason}"
            if correction
            else None
        ),
        released=tuple(zone_names.get(zone_id, zone_id) for zone_id in incident.released),
        closed=iso(registry, site_id, incident.closed_us) if incident.closed_us is not None else None,
        closed_by=incident.closed_by or None,
    )


def incident_detail(
    incident: Incident, rows: Iterable[NotificationRow], registry: Registry, now_us: int
) -> IncidentDetail:
    ordered = sorted(rows, key=lambda row: row.notification.created_us)
    return IncidentDetail(
        incident=incident_view(incident, registry, now_us),
        notifications=tuple(notification_view(row, registry) for row in ordered),
        not_known=open_questions(ordered, incident),
    )


def notification_view(row: NotificationRow, registry: Registry) -> NotificationView:
    notification = row.notification
    return NotificationView(
        id=notification.id,
        kind=say(KIND, notification.kind),
        mode=notification.mode.value,
        who=notification.recipient or notification.endpoint.person_id or notification.endpoint.channel,
        channel=notification.endpoint.channel,
        address=masked(notification.endpoint),
        state=row.state.value,
        known=known_of(notification, row.state),
        not_known=not_known_of(notification, row.state),
        reason=row.reason.value,
        why=why(row.reason),
        attempts=row.attempt,
        created=iso(registry, notification.site_id, notification.created_us),
        created_local=clock_time(registry, notification.site_id, notification.created_us),
        step=notification.step,
        text=notification.text,
        detail=row.detail,
    )


def trouble_view(trouble: Trouble, registry: Registry) -> TroubleView:
    return TroubleView(
        key=trouble.key,
        site=trouble.site_id,
        trouble_class=trouble.trouble_class.value,
        state="standing" if trouble.stands else "over",
        members=trouble.members,
        summary=trouble.summary,
        since=iso(registry, trouble.site_id, trouble.raised_us),
        since_local=clock_time(registry, trouble.site_id, trouble.raised_us),
        count=trouble.count,
        rings=trouble.rings,
        acknowledged_by=trouble.acknowledged_by or None,
    )


def masked(endpoint: Endpoint) -> str:
    """For a phone "…0142"; a webhook's address is its configured name, which is no secret."""
    digits = sum(character.isdigit() for character in endpoint.address)
    return f"…{endpoint.address[-4:]}" if digits >= 7 else endpoint.address


def clock_time(registry: Registry, site_id: SiteId, at_us: int) -> str:
    """At the site, "10:42"; what belongs to no site (or to one that is configured no more) says that it is UTC."""
    site = registry.sites.get(site_id)
    return local_time(site, at_us) if site else f"{utc_iso(at_us)[11:16]} UTC"


def iso(registry: Registry, site_id: SiteId, at_us: int) -> str:
    site = registry.sites.get(site_id)
    return local_iso(site, at_us) if site else utc_iso(at_us)


def release_hint(incident: Incident) -> str | None:
    """What has to be done next with a lockdown that is being released: it is never cleared by a broadcast."""
    if incident.incident_class is not IncidentClass.LOCKDOWN or incident.state is not IncidentState.RELEASING:
        return None
    return (
        "Rooms stay locked until each is released in person; no message does that. "
        f"As each is: alertd release {incident.id} ROOM --by PERSON. "
        f"After the last one: alertd resolve {incident.id} --by PERSON --rooms-released"
    )


def _press(press: Press, registry: Registry, site_id: SiteId, now_us: int) -> PressView:
    return PressView(
        at=iso(registry, site_id, press.received_us),
        at_local=clock_time(registry, site_id, press.received_us),
        device=press.device_id,
        label=press.device_label or press.device_id,
        count=press.count,
        incident_class=press.incident_class.value,
        where=place_words(press.location, now_us)[0],
        did=did(press),
        words=press_words(press),
        late=press.late,
        device_time=iso(registry, site_id, press.pressed_us) if press.pressed_us is not None else None,
    )


def _pressed_since(incident: Incident, registry: Registry, now_us: int) -> str | None:
    first = incident.unanswered
    if not 0 < first < len(incident.presses):
        return None
    press = incident.presses[first]
    where = place_words(press.location, now_us)[1]
    return f"{where} {did(press)} {clock_time(registry, incident.site_id, press.received_us)}"


def _answer(index: int, answer: Answer, incident: Incident, registry: Registry) -> AnswerView:
    return AnswerView(
        at=iso(registry, incident.site_id, answer.at_us),
        at_local=clock_time(registry, incident.site_id, answer.at_us),
        person=answer.person_id,
        name=answer.name,
        kind=answer.kind.value,
        words=f"{answer.name} {say(ANSWER, answer.kind)}",
        via=answer.via,
        holds=index >= incident.counted_from and answer.covers >= len(incident.presses),
    )


def _dispatch(status: DispatchStatus, registry: Registry, site_id: SiteId) -> DispatchView:
    return DispatchView(
        destination=status.destination_id,
        state=status.state.value,
        words=say(DISPATCH, status.state),
        call_number=status.call_number,
        told_local=clock_time(registry, site_id, status.told_us),
        detail=status.detail,
    )
