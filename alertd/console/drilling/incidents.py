"""One incident of a drill, measured on the real path: hops from the press to the arrival, people, ways, and failures.

Owns the figures, from rows and journal alone. Must never claim a hop that nobody reported: what is not known is `None`.
Times are seconds after the first press of the incident reached alertd, by alertd's clock.
"""

from collections.abc import Callable, Iterator, Sequence
from statistics import median

from msgspec import Struct

from alertd.console.drilling.evidence import Away
from alertd.console.drilling.lines import (
    US_PER_S,
    MessageLine,
    Times,
    first,
    is_late,
    is_missed,
    is_taken_back,
    message,
    since,
    times_of,
)
from alertd.console.timeline import first_press_us
from alertd.console.words import ANSWER, say
from alertd.model.incident import AnswerKind, Incident, Press
from alertd.model.mode import Mode
from alertd.model.notification import Kind, NotificationRow, NotificationState
from alertd.model.reason import Reason
from alertd.ports import JournalLine

ASKS = frozenset({Kind.ALERT, Kind.REMINDER, Kind.EXHAUSTED, Kind.NOT_ARRIVED, Kind.ALSO})
ANNOUNCED_US = 60 * US_PER_S
"""No announcement is longer."""
LocalTime = Callable[[int], str]
"""Of a wall clock's microseconds, to the second, as the site's clocks show it."""


class Hop(Struct, frozen=True, kw_only=True):
    """One step of the way. `seconds` is `None` where it was not reached."""

    what: str
    seconds: float | None


class PressLine(Struct, frozen=True, kw_only=True):
    """One device's gesture, as alertd heard it."""

    device: str
    where: str
    heard_s: float
    heard_local: str
    waited_since_local: str | None
    """It waited at the broker: it was made at some time between this and `heard_local`, and nobody knows when."""
    made_local: str | None
    """By the device's own clock, if it has one."""


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
    presses: tuple[PressLine, ...]
    hops: tuple[Hop, ...]
    people: tuple[PersonLine, ...]
    channels: tuple[ChannelLine, ...]
    messages: tuple[MessageLine, ...]
    never_answered: tuple[str, ...]
    missed: tuple[MessageLine, ...]
    """Everything that was to be said and of which nobody knows that it got there."""
    late: tuple[MessageLine, ...]
    """What got there, or to the provider, and took long."""
    taken_back: tuple[MessageLine, ...]
    """What was to be said and was cancelled before it got through."""
    cut_short: tuple[MessageLine, ...]
    """Announcements that may have broken off in mid-word, for alertd went away meanwhile."""
    blocked: tuple[str, ...]
    """Who would have been told, had it been real."""
    erased: int
    """Lines of the journal whose personal part was deleted: their times are gone."""


def incident_report(
    incident: Incident,
    rows: Sequence[NotificationRow],
    journal: Sequence[JournalLine],
    *,
    local: LocalTime,
    aways: Sequence[Away] = (),
) -> IncidentReport:
    zero_us = first_press_us(incident)
    times = times_of(journal, incident.closed_us)
    mine = [row for row in rows if row.notification.mode is Mode.DRILL]
    sent = [row for row in mine if not _is_blocked(row) and row.reason is not Reason.SPOKEN]
    sent.sort(key=lambda row: row.notification.created_us)
    every = [(row, message(row, zero_us, times)) for row in sent]
    lines = [(row, line) for row, line in every if row.notification.kind is not Kind.ANSWER]  # of its own accord
    said = [row for row, _ in lines]
    people = tuple(_people(incident, said, zero_us, times))
    return IncidentReport(
        id=incident.id,
        headline=incident.headline,
        pressed_local=local(zero_us),
        devices=tuple(dict.fromkeys(_device(p) for p in incident.presses)),
        presses=tuple(_press(p, zero_us, local) for p in incident.presses),
        hops=tuple(_hops(incident, min((line.at_us for line in journal), default=None), times, lines)),
        people=people,
        channels=tuple(_channels([line for _, line in lines])),
        messages=tuple(line for _, line in every),
        never_answered=tuple(p.name for p in people if p.asked and p.answered_s is None),
        missed=tuple(line for row, line in every if is_missed(row, line.waited_s)),
        late=tuple(line for _, line in every if is_late(line)),
        taken_back=tuple(line for row, line in every if is_taken_back(row, line.waited_s)),
        cut_short=tuple(line for row, line in lines if _is_cut_short(row, times, aways)),
        blocked=tuple(dict.fromkeys(row.notification.recipient for row in mine if _is_blocked(row))),
        erased=sum(line.entry is None for line in journal),
    )


def _is_cut_short(row: NotificationRow, times: Times, aways: Sequence[Away]) -> bool:
    """The packets of an announcement end with the daemon that sends them."""
    began_us = times.reached.get((row.notification.id, NotificationState.SENT))
    if row.notification.kind is not Kind.PAGE or began_us is None:
        return False
    return any(away.since_us - ANNOUNCED_US <= began_us < away.until_us for away in aways)


def _device(press: Press) -> str:
    """Two rooms may have a "wall button" each."""
    label = press.device_label
    if press.asked:
        return label
    return f"{label} ({press.device_id})" if label and label != press.device_id else str(press.device_id)


def _press(press: Press, zero_us: int, local: LocalTime) -> PressLine:
    waited_us, made_us = press.waited_since_us, press.pressed_us
    return PressLine(
        device=_device(press),
        where=press.location.label,
        heard_s=since(zero_us, press.received_us) or 0.0,
        heard_local=local(press.received_us),
        waited_since_local=None if waited_us is None else local(waited_us),
        made_local=None if made_us is None else local(made_us),
    )


def _is_blocked(row: NotificationRow) -> bool:
    return row.state is NotificationState.SUPPRESSED and row.reason is Reason.MODE_FORBIDS


def _people(incident: Incident, rows: Sequence[NotificationRow], zero_us: int, times: Times) -> Iterator[PersonLine]:
    by_name: dict[str, list[NotificationRow]] = {}
    for row in rows:
        if row.notification.endpoint.person_id is not None:
            by_name.setdefault(row.notification.recipient, []).append(row)
    for name, mine in by_name.items():
        lines = [message(row, zero_us, times) for row in mine]
        answers = [a for a in incident.answers if a.name == name]
        arrived = [a.at_us for a in answers if a.kind is AnswerKind.ARRIVED]
        asked = any(r.notification.template.endswith(".responder") and r.notification.kind in ASKS for r in mine)
        yield PersonLine(
            name=name,
            channels=tuple(dict.fromkeys(line.channel for line in lines)),
            asked=asked,
            taken_s=first(line.taken_s for line in lines),
            delivered_s=first(line.delivered_s for line in lines),
            answered_s=since(zero_us, min((a.at_us for a in answers), default=None)),
            answer=say(ANSWER, answers[-1].kind) if answers else None,
            arrived_s=since(zero_us, min(arrived, default=None)),
        )


def _hops(
    incident: Incident, decided_us: int | None, times: Times, said: Sequence[tuple[NotificationRow, MessageLine]]
) -> Iterator[Hop]:
    zero_us = first_press_us(incident)
    yield Hop(what="taken up, and decided what follows", seconds=since(zero_us, decided_us))
    if times.first_begun_us is not None:
        # Nothing leaves before its commit has returned; a decision's own time is before it.
        yield Hop(what="on disk, first message leaves", seconds=since(zero_us, times.first_begun_us))
    pages = [line for row, line in said if row.notification.kind is Kind.PAGE]
    others = [line for row, line in said if row.notification.kind is not Kind.PAGE]
    phones = [line for row, line in said if row.notification.endpoint.person_id is not None]
    yield Hop(what="first message taken by a provider", seconds=first(line.taken_s for line in others))
    if pages:
        yield Hop(what="loudspeakers speak", seconds=first(line.taken_s for line in pages))
    yield Hop(what="first phone rang", seconds=first(line.delivered_s for line in phones))
    going = [a.at_us for a in incident.answers if a.kind is not AnswerKind.CANNOT_GO]
    yield Hop(what="first human goes", seconds=since(zero_us, min(going, default=None)))
    arrived = [a.at_us for a in incident.answers if a.kind is AnswerKind.ARRIVED]
    yield Hop(what="first human is there", seconds=since(zero_us, min(arrived, default=None)))
    if not incident.is_open:
        yield Hop(what="it was over", seconds=since(zero_us, incident.closed_us))


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
