"""What a drill showed, measured on the real path: every hop from the press to the arrival, and everything that failed.

Owns the figures, from rows and journal alone. Must never claim a hop that nobody reported: what is not known is `None`.
Times are seconds after the first press of an incident reached alertd, by alertd's clock.
"""

from collections.abc import Iterable, Iterator, Sequence
from statistics import median

from msgspec import Struct

from alertd.console.backend import Backend
from alertd.console.drilling.orders import DrillView, drill_view, find, notices_of
from alertd.console.naming import read
from alertd.console.timeline import first_press_us
from alertd.console.views import TroubleView, clock_time, masked, trouble_view
from alertd.console.words import ANSWER, KIND, known_of, not_known_of, say, why
from alertd.model.decision import EntryKind
from alertd.model.drill import Drill
from alertd.model.ids import NotificationId
from alertd.model.incident import AnswerKind, Incident
from alertd.model.mode import Mode
from alertd.model.notification import Kind, NotificationRow, NotificationState
from alertd.model.reason import Reason
from alertd.ports import JournalLine

US_PER_S = 1_000_000
TAKEN = (NotificationState.ACCEPTED, NotificationState.SENT, NotificationState.DELIVERED)
"""What a provider, a carrier, a phone or a server said. Nobody has read anything yet."""
ASKS = frozenset({Kind.ALERT, Kind.REMINDER, Kind.EXHAUSTED, Kind.NOT_ARRIVED, Kind.ALSO})


class Hop(Struct, frozen=True, kw_only=True):
    """One step of the way. `seconds` is `None` where it was not reached."""

    what: str
    seconds: float | None


class MessageLine(Struct, frozen=True, kw_only=True):
    """One message and when it was known to get so far."""

    who: str
    channel: str
    address: str
    kind: str
    written_s: float | None
    taken_s: float | None
    """The provider, or the loudspeakers, took it."""
    delivered_s: float | None
    state: str
    known: str
    not_known: str | None
    why: str
    detail: str
    text: str


class PersonLine(Struct, frozen=True, kw_only=True):
    name: str
    channels: tuple[str, ...]
    asked: bool
    """To come, not only to do as trained."""
    taken_s: float | None
    delivered_s: float | None
    answered_s: float | None
    answer: str | None
    arrived_s: float | None


class ChannelLine(Struct, frozen=True, kw_only=True):
    channel: str
    messages: int
    taken: int
    delivered: int
    missed: int
    median_taken_s: float | None
    worst_taken_s: float | None
    median_delivered_s: float | None
    worst_delivered_s: float | None


class IncidentReport(Struct, frozen=True, kw_only=True):
    id: str
    headline: str
    pressed_local: str
    devices: tuple[str, ...]
    hops: tuple[Hop, ...]
    people: tuple[PersonLine, ...]
    channels: tuple[ChannelLine, ...]
    messages: tuple[MessageLine, ...]
    never_answered: tuple[str, ...]
    missed: tuple[MessageLine, ...]
    """Everything that was to be said and of which nobody knows that it got there."""
    blocked: tuple[str, ...]
    """Who would have been told, had it been real."""
    erased: int
    """Lines of the journal whose personal part was deleted: their times are gone."""


class DrillReport(Struct, frozen=True, kw_only=True):
    drill: DrillView
    made: str
    told_it_begins: int
    told_it_is_over: int
    notices_missed: tuple[MessageLine, ...]
    incidents: tuple[IncidentReport, ...]
    real_incident: str | None
    troubles: tuple[TroubleView, ...]
    """Those that stand now at the site, and in the district."""


async def report_of(backend: Backend, name: str) -> DrillReport:
    """The report of a drill, by its id or its site."""
    drill = await find(backend, name)
    notices = await notices_of(backend, drill)
    incidents = [await _incident(backend, incident_id) for incident_id in drill.incident_ids]
    registry = backend.registry()
    troubles = await read(backend.store.read_troubles)
    real = drill.real_incident_id
    stopped_by = await read(lambda: backend.store.read_incident(real)) if real is not None else None
    now_us = backend.clock.now().wall_us
    return DrillReport(
        drill=drill_view(drill, registry, now_us),
        made=clock_time(registry, drill.site_id, now_us),
        told_it_begins=_reached(notices, Kind.DRILL_BEGINS),
        told_it_is_over=_reached(notices, Kind.DRILL_OVER),
        notices_missed=tuple(_message(row, drill.started_us, {}) for row in notices if _is_missed(row)),
        incidents=tuple(i for i in incidents if i is not None),
        real_incident=stopped_by.headline if stopped_by else None,
        troubles=tuple(trouble_view(t, registry) for t in troubles if t.site_id in _places(drill)),
    )


def _places(drill: Drill) -> tuple[str, ...]:
    return (drill.site_id, "district")


def _reached(rows: Iterable[NotificationRow], kind: Kind) -> int:
    people = {r.notification.recipient for r in rows if r.notification.kind is kind and r.state in TAKEN}
    return len(people)


async def _incident(backend: Backend, incident_id: str) -> IncidentReport | None:
    incident = await read(lambda: backend.store.read_incident(incident_id))  # type: ignore[arg-type]
    if incident is None:
        return None
    rows = await read(lambda: backend.store.read_notifications(incident.id))
    journal = await read(lambda: backend.store.read_timeline(incident.id))
    local = clock_time(backend.registry(), incident.site_id, incident.opened_us)
    return incident_report(incident, rows, journal, local)


# --- one incident ---------------------------------------------------------------------------------------------------


Times = dict[tuple[NotificationId, NotificationState], int]
"""When a message was first known to have got so far."""


def incident_report(
    incident: Incident, rows: Sequence[NotificationRow], journal: Sequence[JournalLine], pressed_local: str
) -> IncidentReport:
    zero_us = first_press_us(incident)
    times = _times(journal)
    mine = [row for row in rows if row.notification.mode is Mode.DRILL]
    said = [row for row in mine if not _is_blocked(row) and row.notification.kind is not Kind.ANSWER]
    messages = tuple(_message(row, zero_us, times) for row in sorted(said, key=lambda r: r.notification.created_us))
    people = tuple(_people(incident, said, zero_us, times))
    return IncidentReport(
        id=incident.id,
        headline=incident.headline,
        pressed_local=pressed_local,
        devices=tuple(dict.fromkeys(p.device_label or p.device_id for p in incident.presses)),
        hops=tuple(_hops(incident, journal, messages, zero_us)),
        people=people,
        channels=tuple(_channels(messages)),
        messages=messages,
        never_answered=tuple(p.name for p in people if p.asked and p.answered_s is None),
        missed=tuple(_message(row, zero_us, times) for row in said if _is_missed(row)),
        blocked=tuple(dict.fromkeys(row.notification.recipient for row in mine if _is_blocked(row))),
        erased=sum(line.entry is None for line in journal),
    )


def _is_blocked(row: NotificationRow) -> bool:
    return row.state is NotificationState.SUPPRESSED and row.reason is Reason.MODE_FORBIDS


def _is_missed(row: NotificationRow) -> bool:
    """Nobody knows that it got to a phone, a server or a loudspeaker. What a drill's end took back was not missed."""
    over = row.state is NotificationState.WITHDRAWN
    taken = row.state in TAKEN if row.notification.kind is Kind.PAGE else row.state is NotificationState.DELIVERED
    return (not taken and not over and row.state is not NotificationState.SUPPRESSED) or _is_unreachable(row)


def _is_unreachable(row: NotificationRow) -> bool:
    return row.state is NotificationState.SUPPRESSED and row.reason in (Reason.OPTED_OUT, Reason.CHANNEL_BROKEN)


def _times(journal: Iterable[JournalLine]) -> Times:
    found: Times = {}
    for line in journal:
        entry = line.entry
        state = entry.data.get("state") if entry is not None and entry.kind is EntryKind.OUTCOME else None
        if entry is not None and entry.notification_id is not None and state in tuple(TAKEN):
            found.setdefault((entry.notification_id, NotificationState(state)), line.at_us)
    return found


def _message(row: NotificationRow, zero_us: int, times: Times) -> MessageLine:
    n = row.notification
    taken = [at for state in TAKEN if (at := times.get((n.id, state))) is not None]
    return MessageLine(
        who=n.recipient or n.endpoint.channel,
        channel=n.endpoint.channel,
        address=masked(n.endpoint),
        kind=say(KIND, n.kind),
        written_s=_since(zero_us, n.created_us),
        taken_s=_since(zero_us, min(taken, default=None)),
        delivered_s=_since(zero_us, times.get((n.id, NotificationState.DELIVERED))),
        state=row.state.value,
        known=known_of(n.kind, row.state),
        not_known=not_known_of(n.kind, row.state),
        why=why(row.reason),
        detail=row.detail,
        text=n.text,
    )


def _people(incident: Incident, rows: Sequence[NotificationRow], zero_us: int, times: Times) -> Iterator[PersonLine]:
    by_name: dict[str, list[NotificationRow]] = {}
    for row in rows:
        if row.notification.endpoint.person_id is not None:
            by_name.setdefault(row.notification.recipient, []).append(row)
    for name, mine in by_name.items():
        lines = [_message(row, zero_us, times) for row in mine]
        answers = [a for a in incident.answers if a.name == name]
        arrived = [a.at_us for a in answers if a.kind is AnswerKind.ARRIVED]
        asked = any(r.notification.template.endswith(".responder") and r.notification.kind in ASKS for r in mine)
        yield PersonLine(
            name=name,
            channels=tuple(dict.fromkeys(line.channel for line in lines)),
            asked=asked,
            taken_s=_first(line.taken_s for line in lines),
            delivered_s=_first(line.delivered_s for line in lines),
            answered_s=_since(zero_us, min((a.at_us for a in answers), default=None)),
            answer=say(ANSWER, answers[-1].kind) if answers else None,
            arrived_s=_since(zero_us, min(arrived, default=None)),
        )


def _hops(
    incident: Incident, journal: Sequence[JournalLine], messages: Sequence[MessageLine], zero_us: int
) -> Iterator[Hop]:
    written = [line.at_us for line in journal]
    yield Hop(what="taken up and written down", seconds=_since(zero_us, min(written, default=None)))
    yield Hop(what="first message taken by a provider", seconds=_first(m.taken_s for m in messages))
    pages = [m.taken_s for m in messages if m.kind == say(KIND, Kind.PAGE)]
    if pages:
        yield Hop(what="loudspeakers speak", seconds=_first(pages))
    yield Hop(what="first phone rang", seconds=_first(m.delivered_s for m in messages))
    going = [a.at_us for a in incident.answers if a.kind is not AnswerKind.CANNOT_GO]
    yield Hop(what="first human goes", seconds=_since(zero_us, min(going, default=None)))
    arrived = [a.at_us for a in incident.answers if a.kind is AnswerKind.ARRIVED]
    yield Hop(what="first human is there", seconds=_since(zero_us, min(arrived, default=None)))


def _channels(messages: Sequence[MessageLine]) -> Iterator[ChannelLine]:
    for channel in dict.fromkeys(m.channel for m in messages):
        mine = [m for m in messages if m.channel == channel]
        taken = [m.taken_s for m in mine if m.taken_s is not None]
        delivered = [m.delivered_s for m in mine if m.delivered_s is not None]
        yield ChannelLine(
            channel=channel,
            messages=len(mine),
            taken=len(taken),
            delivered=len(delivered),
            missed=len(mine) - len(taken),
            median_taken_s=round(median(taken), 3) if taken else None,
            worst_taken_s=max(taken, default=None),
            median_delivered_s=round(median(delivered), 3) if delivered else None,
            worst_delivered_s=max(delivered, default=None),
        )


def _since(zero_us: int, at_us: int | None) -> float | None:
    return None if at_us is None else round((at_us - zero_us) / US_PER_S, 3)


def _first(values: Iterable[float | None]) -> float | None:
    return min((value for value in values if value is not None), default=None)
