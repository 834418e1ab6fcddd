"""What a drill showed: its incidents, who was told of it, and everything that failed.

Owns what a report holds, from rows and journal alone. Times of notices are seconds after the drill began.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from alertd.console.backend import Backend
from alertd.console.drilling.evidence import Away, Mishap, evidence_of
from alertd.console.drilling.incidents import IncidentReport, incident_report
from alertd.console.drilling.lines import MessageLine, is_late, is_missed, is_taken_back, message, times_of
from alertd.console.drilling.orders import DrillView, device_name, drill_view, find, notices_of
from alertd.console.naming import read
from alertd.console.timeline import first_press_us
from alertd.console.views import TroubleView, clock_time, iso, trouble_view
from alertd.model.drill import Drill
from alertd.model.incident import Incident
from alertd.model.notification import Kind, NotificationRow, NotificationState


class DrillReport(Struct, frozen=True, kw_only=True):
    drill: DrillView
    made: str
    told_it_begins: int
    """People whose phone is known to have it; so is the next."""
    told_it_is_over: int
    aways: tuple[Away, ...]
    """When alertd was not there."""
    not_pressed: tuple[str, ...]
    """Devices that take part, of which no press was heard in it."""
    no_way: tuple[str, ...]
    notices: tuple[MessageLine, ...]
    """That it begins, goes on, is over: each, whether it got there or not."""
    notices_missed: tuple[MessageLine, ...]
    notices_late: tuple[MessageLine, ...]
    notices_taken_back: tuple[MessageLine, ...]
    incidents: tuple[IncidentReport, ...]
    real_incident: str | None
    real_missed: tuple[MessageLine, ...]
    """Of those who were told of the drill: the first word that it was real, if it is not known to have got through."""
    mishaps: tuple[Mishap, ...]
    """Troubles that began or ended in it."""
    troubles: tuple[TroubleView, ...]
    """Those that stand now at the site, and in the district."""
    erased: int
    """Lines of the site's journal of that time whose personal part was deleted: what they said is gone."""


async def report_of(backend: Backend, name: str) -> DrillReport:
    """The report of a drill, by its id or its site."""
    drill = await find(backend, name)
    evidence = await evidence_of(backend, drill)
    rows = await notices_of(backend, drill, evidence.notices)
    notices = [(row, message(row, drill.started_us, evidence.times)) for row in rows]
    incidents = [await _incident(backend, incident_id, evidence.aways) for incident_id in drill.incident_ids]
    registry = backend.registry()
    troubles = await read(backend.store.read_troubles)
    real = drill.real_incident_id
    stopped_by = await read(lambda: backend.store.read_incident(real)) if real is not None else None
    now_us = backend.clock.now().wall_us
    pressed = {press.device_id for press in drill.presses}
    return DrillReport(
        drill=drill_view(drill, registry, now_us),
        made=clock_time(registry, drill.site_id, now_us),
        told_it_begins=_reached(rows, Kind.DRILL_BEGINS),
        told_it_is_over=_reached(rows, Kind.DRILL_OVER),
        aways=evidence.aways,
        not_pressed=tuple(device_name(registry, id_) for id_ in drill.device_ids if id_ not in pressed),
        no_way=evidence.no_way,
        notices=tuple(line for _, line in notices),
        notices_missed=tuple(line for row, line in notices if is_missed(row, line.waited_s)),
        notices_late=tuple(line for _, line in notices if is_late(line)),
        notices_taken_back=tuple(line for row, line in notices if is_taken_back(row, line.waited_s)),
        incidents=tuple(i for i in incidents if i is not None),
        real_incident=stopped_by.headline if stopped_by else None,
        real_missed=await _real_missed(backend, drill, stopped_by) if stopped_by else (),
        mishaps=evidence.mishaps,
        troubles=tuple(trouble_view(t, registry) for t in troubles if t.site_id in _places(drill)),
        erased=evidence.erased,
    )


async def _real_missed(backend: Backend, drill: Drill, real: Incident) -> tuple[MessageLine, ...]:
    """Each endpoint that was told of the drill: the first that it was to read of what is real."""
    rows = await read(lambda: backend.store.read_notifications(real.id))
    times = times_of(await read(lambda: backend.store.read_timeline(real.id)), real.closed_us)
    told = {told.endpoint_key for told in drill.told}
    said: dict[str, NotificationRow] = {}
    for row in sorted(rows, key=lambda each: each.notification.created_us):
        if row.notification.endpoint.key in told:
            said.setdefault(row.notification.endpoint.key, row)
    zero_us = first_press_us(real)
    withdrawn = NotificationState.WITHDRAWN
    return tuple(message(row, zero_us, times) for row in said.values() if is_missed(row) or row.state is withdrawn)


def _places(drill: Drill) -> tuple[str, ...]:
    return (drill.site_id, "district")


def _reached(rows: Iterable[NotificationRow], kind: Kind) -> int:
    """People of whom a phone is known to have it."""
    there = (row.notification for row in rows if row.state is NotificationState.DELIVERED)
    return len({n.recipient for n in there if n.kind is kind})


async def _incident(backend: Backend, incident_id: str, aways: Sequence[Away]) -> IncidentReport | None:
    incident = await read(lambda: backend.store.read_incident(incident_id))  # type: ignore[arg-type]
    if incident is None:
        return None
    rows = await read(lambda: backend.store.read_notifications(incident.id))
    journal = await read(lambda: backend.store.read_timeline(incident.id))
    registry = backend.registry()
    return incident_report(
        incident, rows, journal, local=lambda at_us: iso(registry, incident.site_id, at_us)[11:19], aways=aways
    )
