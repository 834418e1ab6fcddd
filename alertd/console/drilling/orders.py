"""What an operator can do with a drill: begin it, end it, see what runs. Every change is an event through the door.

Must never say that something is a drill: the engine alone does, from the row that it made.
"""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from alertd.console.backend import Backend
from alertd.console.drilling.evidence import Away, evidence_of
from alertd.console.drilling.lines import is_missed
from alertd.console.naming import INCIDENTS_MAX, find_device, find_site, read, who_orders
from alertd.console.operations import Signature, cause_of, committed
from alertd.console.refusals import refused, unknown
from alertd.console.views import NotificationView, clock_time, iso, notification_view
from alertd.console.words import INCIDENT_CLASS, say, why
from alertd.engine.drills import drill_id, notice_id, why_not
from alertd.model.drill import Drill
from alertd.model.events import DrillEndOrdered, DrillOrdered
from alertd.model.ids import DeviceId, DrillId, NotificationId, PersonId, SiteId
from alertd.model.incident import IncidentClass
from alertd.model.mode import Mode
from alertd.model.notification import Kind, NotificationRow
from alertd.model.registry import Registry

DRILLS_MAX = 500
"""Most drills of one listing."""
NOTICES = (Kind.DRILL_BEGINS, Kind.DRILL_GOES_ON, Kind.DRILL_OVER)


class Wanted(Struct, frozen=True, kw_only=True):
    """The drill that is ordered."""

    incident_class: IncidentClass
    devices: tuple[str, ...]
    told_before: str
    minutes: int
    people: tuple[str, ...] = ()


class DrillView(Struct, frozen=True, kw_only=True):
    id: str
    site: str
    site_name: str
    incident_class: str
    class_words: str
    state: str
    devices: tuple[str, ...]
    told_before: str
    by: str
    started: str
    started_local: str
    ends: str
    ends_local: str
    seconds_left: int | None
    """`None`: it is over."""
    people_told: int
    restarts: int
    incidents: tuple[str, ...]
    ended: str | None
    ended_local: str | None
    ended_by: str | None
    ended_because: str | None
    real_incident: str | None
    aways: tuple[Away, ...] = ()
    """When alertd was not there; of a drill that runs. The report has them of every drill."""
    missed: int | None = None
    """Messages not known to have got through so far; of a drill that runs."""


class DrillDone(Struct, frozen=True, kw_only=True):
    """What followed from an order, read back after its commit."""

    cause: str
    mode: str
    changed: bool
    words: str
    drill: DrillView
    notifications: tuple[NotificationView, ...]


async def start(backend: Backend, site: str, wanted: Wanted, signed: Signature, key: str | None) -> DrillDone:
    """Begin a drill, or say in a sentence why not."""
    site_id = find_site(backend, site)
    by = who_orders(backend, signed.by, signed.name)
    chosen, cause = cause_of(key, "drill")
    order = DrillOrdered(
        site_id=site_id,
        cause=cause,
        by=by,
        incident_class=wanted.incident_class,
        device_ids=tuple(find_device(backend, name).id for name in wanted.devices),
        told_before=wanted.told_before,
        minutes=wanted.minutes,
        person_ids=tuple(map(PersonId, wanted.people)),
        by_id=PersonId(signed.by) if signed.by else None,
    )
    before = await read(lambda: backend.store.read_drill(drill_id(order)))
    if before is None:
        await _refuse(backend, order)
        await committed(backend.door.submit(order))
    drill = await read(lambda: backend.store.read_drill(drill_id(order)))
    if drill is None:  # something began between the look and the commit
        await _refuse(backend, order)
        raise refused(409, "the drill was not begun", "site", "look at `alertd incidents`, then order it again")
    if not drill.is_running:  # ordered once more under the same key, or something real was quicker than this look
        ended = clock_time(backend.registry(), site_id, drill.ended_us or 0)
        remedy = "nothing was begun; order another one under another key"
        raise refused(409, f"this drill is over since {ended}: whatever is pressed now is REAL", "site", remedy)
    words = (
        f"DRILL at {drill.site_id}: the first gesture of {', '.join(drill.device_ids)} is an exercise until "
        f"{clock_time(backend.registry(), site_id, drill.ends_us)}. Everything else is real and ends it."
    )
    return await _done(backend, chosen, drill, words, changed=before is None)


async def end(backend: Backend, site: str, signed: Signature, key: str | None) -> DrillDone:
    """End the drill that runs at a site."""
    site_id = find_site(backend, site)
    by = who_orders(backend, signed.by, signed.name)
    chosen, cause = cause_of(key, "drill-end")
    running = await _newest(backend, site_id, running_only=True)
    if running is None:
        last = await _newest(backend, site_id, running_only=False)
        ended = f"; the last one ended {clock_time(backend.registry(), site_id, last.ended_us or 0)}" if last else ""
        raise refused(409, f"no drill runs at {site_id}{ended}", "site", "nothing was changed")
    await committed(backend.door.submit(DrillEndOrdered(site_id=site_id, cause=cause, by=by)))
    drill = await find(backend, running.id)
    words = "The drill is over. Whoever was told that it began is told so."
    return await _done(backend, chosen, drill, words, changed=drill != running)


async def standing(backend: Backend, site: str | None, *, running_only: bool) -> tuple[DrillView, ...]:
    """Drills, the newest first."""
    site_id = find_site(backend, site) if site is not None else None
    found = await read(lambda: backend.store.read_drills(running_only=running_only, site_id=site_id, limit=DRILLS_MAX))
    now_us = backend.clock.now().wall_us
    return tuple([await _view_now(backend, drill, now_us) for drill in found])


async def _view_now(backend: Backend, drill: Drill, now_us: int) -> DrillView:
    view = drill_view(drill, backend.registry(), now_us)
    if not drill.is_running:
        return view
    evidence = await evidence_of(backend, drill)
    rows = list(await notices_of(backend, drill, evidence.notices))
    for incident_id in drill.incident_ids:
        rows += await read(lambda id_=incident_id: backend.store.read_notifications(id_))  # type: ignore[misc]
    return replace(view, aways=evidence.aways, missed=sum(map(is_missed, rows)))


async def find(backend: Backend, name: str) -> Drill:
    """By its id or the beginning of it, or by a site: the last drill there."""
    drill = await read(lambda: backend.store.read_drill(DrillId(name)))
    if drill is not None:
        return drill
    if name in backend.registry().sites and (last := await _newest(backend, SiteId(name), running_only=False)):
        return last
    every = await read(lambda: backend.store.read_drills(running_only=False, site_id=None, limit=DRILLS_MAX))
    meant = [each for each in every if each.id.startswith(name)]
    if len(meant) != 1:
        raise unknown("drill", name, "drill id, or site", [each.id for each in every])
    return meant[0]


async def notices_of(
    backend: Backend, drill: Drill, others: Sequence[NotificationId] = ()
) -> tuple[NotificationRow, ...]:
    """Everything that was written about the drill itself: it begins, it goes on, it is over. `others`: what else may
    be one; a phone that could not be told that it begins is not among those that were."""
    counts = range(drill.restarts + 1)
    ids = [notice_id(drill, kind, told.endpoint_key, n) for told in drill.told for kind in NOTICES for n in counts]
    rows = await read(lambda: [backend.store.read_notification(id_) for id_ in dict.fromkeys((*ids, *others))])
    mine = [row for row in rows if row is not None and _is_notice(row, drill)]
    return tuple(sorted(mine, key=lambda row: row.notification.created_us))


def _is_notice(row: NotificationRow, drill: Drill) -> bool:
    n = row.notification
    return n.kind in NOTICES and n.mode is Mode.DRILL and n.site_id == drill.site_id


def drill_view(drill: Drill, registry: Registry, now_us: int) -> DrillView:
    site_id = drill.site_id
    site = registry.sites.get(site_id)
    return DrillView(
        id=drill.id,
        site=site_id,
        site_name=site.name if site else site_id,
        incident_class=drill.incident_class.value,
        class_words=say(INCIDENT_CLASS, drill.incident_class),
        state=drill.state.value,
        devices=tuple(device_name(registry, device_id) for device_id in drill.device_ids),
        told_before=drill.told_before,
        by=drill.by,
        started=iso(registry, site_id, drill.started_us),
        started_local=clock_time(registry, site_id, drill.started_us),
        ends=iso(registry, site_id, drill.ends_us),
        ends_local=clock_time(registry, site_id, drill.ends_us),
        seconds_left=max(0, drill.ends_us - now_us) // 1_000_000 if drill.is_running else None,
        people_told=len({told.person_id for told in drill.told}),
        restarts=drill.restarts,
        incidents=drill.incident_ids,
        ended=None if drill.ended_us is None else iso(registry, site_id, drill.ended_us),
        ended_local=None if drill.ended_us is None else clock_time(registry, site_id, drill.ended_us),
        ended_by=drill.ended_by or None,
        ended_because=why(drill.ended_because) if drill.ended_because else None,
        real_incident=drill.real_incident_id,
    )


def device_name(registry: Registry, device_id: DeviceId) -> str:
    device = registry.devices.get(device_id)
    return f"{device.label} ({device_id})" if device is not None and device.label else device_id


async def _refuse(backend: Backend, order: DrillOrdered) -> None:
    site_id = order.site_id
    still_open = await read(lambda: backend.store.read_incidents(open_only=True, site_id=site_id, limit=INCIDENTS_MAX))
    running = await _newest(backend, site_id, running_only=True)
    if reason := why_not(backend.registry(), order, still_open, running):
        raise refused(409, reason, "drill", "nothing has begun, and nobody was told; mend that, then order it again")


async def _newest(backend: Backend, site_id: SiteId, *, running_only: bool) -> Drill | None:
    found = await read(lambda: backend.store.read_drills(running_only=running_only, site_id=site_id, limit=1))
    return found[0] if found else None


async def _done(backend: Backend, chosen: str, drill: Drill, words: str, *, changed: bool) -> DrillDone:
    registry = backend.registry()
    rows = await notices_of(backend, drill)
    kind = Kind.DRILL_BEGINS if drill.is_running else Kind.DRILL_OVER
    return DrillDone(
        cause=chosen,
        mode=Mode.DRILL.value,
        changed=changed,
        words=words,
        drill=drill_view(drill, registry, backend.clock.now().wall_us),
        notifications=tuple(notification_view(row, registry) for row in rows if row.notification.kind is kind),
    )
