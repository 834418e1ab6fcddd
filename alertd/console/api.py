"""The operators' HTTP routes, `/v1/…`: JSON in, JSON out. For the local socket only; `public` is what the world sees.

Thin on purpose: what an order means is in `operations`, what it looks like in `views`. Whoever can open the socket may
do everything here, so nothing of this module may ever be mounted on a TCP port.
"""

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, FastAPI, Header, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from alertd.console import operations, reporting, speaking
from alertd.console.backend import Backend
from alertd.console.devices.listing import Wanted, device_list
from alertd.console.drilling import orders as drill_orders
from alertd.console.drilling.report import report_of
from alertd.console.failures import catch_failures
from alertd.console.http_limits import BodyLimit
from alertd.console.naming import INCIDENTS_MAX, find_device, find_incident, find_site, read
from alertd.console.operations import Signature
from alertd.console.refusals import Refusal, RefusedError, unknown
from alertd.console.site_test import test_site
from alertd.console.timeline import open_questions
from alertd.console.trying import orders as trying
from alertd.console.trying.standing import every_test, in_test
from alertd.console.views import TimelineView, incident_detail, incident_view, notification_view, trouble_view
from alertd.engine.device_tests import MINUTES_MAX as TEST_MINUTES_MAX
from alertd.engine.device_tests import MINUTES_MIN as TEST_MINUTES_MIN
from alertd.engine.drills import MINUTES_MAX, MINUTES_MIN
from alertd.model.events import Signal
from alertd.model.ids import DeviceId, NotificationId, SiteId
from alertd.model.incident import AnswerKind, IncidentClass
from alertd.model.mode import Mode
from alertd.model.trouble import TroubleClass

BODY_BYTES_MAX = 64 * 1024
NAME_CHARACTERS_MAX = 40
"""A name goes into a text of 160 characters."""
REASON_CHARACTERS_MAX = 200

LINE = r"^[^\p{C}]*[^\p{C}\s][^\p{C}]*$"
"""One line that says something: no control characters, which could forge what a terminal or a phone shows."""

PERSONS_NAME = r"^\p{L}[\p{L}\p{M} .'-]*$"
"""Of somebody who is not in people.csv. It is texted to staff and dispatch: letters, so that no number is in it."""

Name = Annotated[str, Field(min_length=1, max_length=NAME_CHARACTERS_MAX, pattern=PERSONS_NAME)]
Words = Annotated[str, Field(min_length=1, max_length=REASON_CHARACTERS_MAX, pattern=LINE)]
Identity = Annotated[str, Field(min_length=1, max_length=128)]
DeviceList = Literal["never_heard", "never_tested", "silent", "low_battery", "tampered", "qos0", "no_window"]
Key = Annotated[str | None, Header(alias="Idempotency-Key", pattern=r"^[A-Za-z0-9._:-]{1,64}$")]


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PressOrder(Order):
    device_id: Identity
    action: Identity = "press"
    count: int | None = Field(default=None, ge=1, le=50)
    heard_by: Identity | None = None
    """Gateway near which a wearable is said to be."""

    def signal(self) -> Signal:
        heard_by = DeviceId(self.heard_by) if self.heard_by else None
        return Signal(device_id=DeviceId(self.device_id), action=self.action, count=self.count, heard_by=heard_by)


class AnswerOrder(Order):
    person: Identity
    kind: AnswerKind | None = None
    """Absent: what the digit of the code says by which the incident is named, else going."""


class SignedOrder(Order):
    """`by`, a person's id; or `name`, of somebody who is not in people.csv."""

    by: Identity | None = None
    name: Name | None = None

    @property
    def signature(self) -> Signature:
        return Signature(by=self.by, name=self.name)


class ResolveOrder(SignedOrder):
    rooms_released: bool = False
    zone: Identity | None = None


class CorrectOrder(SignedOrder):
    reason: Words


class AcknowledgeOrder(SignedOrder):
    site: Identity | None = None


class SayOrder(SignedOrder):
    words: Words
    zones: Annotated[list[Identity], Field(max_length=20)] = []
    """Names of the site's loudspeakers; none: wherever everybody hears it."""
    emergency: bool = False


class SilenceOrder(SignedOrder):
    pass


class DrillOrder(SignedOrder):
    incident_class: IncidentClass = Field(default=IncidentClass.LOCKDOWN, alias="class")
    devices: Annotated[list[Identity], Field(min_length=1, max_length=200)]
    told: Words
    """Who outside was told beforehand."""
    minutes: Annotated[int, Field(ge=MINUTES_MIN, le=MINUTES_MAX)] = 30
    people: Annotated[list[Identity], Field(max_length=1000)] = []


class DrillEndOrder(SignedOrder):
    pass


class DeviceTestOrder(SignedOrder):
    device: Identity
    minutes: Annotated[int, Field(ge=TEST_MINUTES_MIN, le=TEST_MINUTES_MAX)] = 10
    incident_class: IncidentClass | None = Field(default=None, alias="class")
    """The gravest that is tried; absent: the least grave that the device has."""


class DeviceTestEndOrder(SignedOrder):
    device: Identity


class ReportOrder(Order):
    failure: Annotated[str, Field(max_length=reporting.WORDS_CHARACTERS_MAX)] = ""
    """What failed, in a sentence; empty: a good run."""


class TestOrder(SignedOrder):
    __test__ = False  # pytest: not a test class


def backend_of(request: Request) -> Backend:
    backend: Backend = request.app.state.backend
    return backend


Daemon = Annotated[Backend, Depends(backend_of)]
router = APIRouter(prefix="/v1")


def shown(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status_code=status, media_type="application/json")


def operator_app(backend: Backend) -> FastAPI:
    """Everything. For a socket that only operators can open."""
    app = FastAPI(title="alertd", version="1", docs_url=None, redoc_url=None, openapi_url="/v1/openapi.json")
    app.state.backend = backend
    app.include_router(router)
    catch_failures(app)
    app.add_middleware(BodyLimit, bytes_max=BODY_BYTES_MAX)
    return app


@router.get("/health")
async def health(backend: Daemon) -> Response:
    """Proof of life; 503 unless everything between a press and a phone is proven alive. Degraded is alive."""
    now = backend.health()
    body = {
        "state": now.state,
        "alive": now.alive,
        "proofs": now.proofs,
        "ways": now.ways,
        "version": now.version,
        "config_version": now.config_version,
        "started_us": now.started_us,
        "in_test": in_test(now.in_test, backend.registry(), backend.clock.now().wall_us),
    }
    return shown(body, 200 if now.alive else 503)


@router.get("/metrics")
async def metrics(backend: Daemon) -> Response:
    """What /metrics of the provider port says, for a daemon that has none."""
    return Response(await backend.metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/incidents")
async def incidents(
    backend: Daemon,
    open: bool = True,  # noqa: A002, FBT001, FBT002 - the name of the query parameter
    site: str | None = None,
    limit: Annotated[int, Query(ge=1, le=INCIDENTS_MAX)] = 50,
) -> Response:
    site_id = find_site(backend, site) if site is not None else None
    found = await read(lambda: backend.store.read_incidents(open_only=open, site_id=site_id, limit=limit))
    registry, now_us = backend.registry(), backend.clock.now().wall_us
    return shown({"incidents": [incident_view(i, registry, now_us) for i in found]})


@router.get("/incidents/{incident_id}")
async def incident(backend: Daemon, incident_id: str) -> Response:
    found = await find_incident(backend, incident_id)
    rows = await read(lambda: backend.store.read_notifications(found.id))
    return shown(incident_detail(found, rows, backend.registry(), backend.clock.now().wall_us))


@router.get("/incidents/{incident_id}/timeline")
async def incident_timeline(backend: Daemon, incident_id: str) -> Response:
    now = await operations.standing(backend, await find_incident(backend, incident_id))
    view = TimelineView(
        incident=incident_view(now.incident, backend.registry(), backend.clock.now().wall_us),
        zero="the first press reached alertd (its own clock)",
        lines=now.lines,
        not_known=open_questions(now.rows, now.incident),
    )
    return shown(view)


@router.get("/devices")
async def devices(
    backend: Daemon,
    site: str | None = None,
    lists: Annotated[list[DeviceList], Query(alias="list")] = [],  # noqa: B006 - never changed
    untested_days: Annotated[int | None, Query(ge=1, le=3650)] = None,
) -> Response:
    """How the registered devices are; `list`, perhaps several times, chooses those that need a human."""
    wanted = Wanted(lists=tuple(lists), site=site, untested_days=untested_days)
    return Response(await device_list(backend, wanted), media_type="application/json")


@router.get("/strangers")
async def strangers(backend: Daemon) -> Response:
    """Devices that were heard and are not registered, by source. Payloads are in base64: whoever asks reads them by the
    profiles, so that the daemon need not."""
    return shown({"sources": backend.strangers(), "started_us": backend.health().started_us})


@router.get("/devices/{device_id:path}")
async def device(backend: Daemon, device_id: str) -> Response:
    """Whom a press of it would reach: what `alertd press` shows before it asks."""
    registry = backend.registry()
    found = find_device(backend, device_id)
    site = registry.sites.get(found.site_id)
    return shown(
        {
            "id": found.id,
            "label": found.label,
            "kind": found.kind,
            "site": found.site_id,
            "site_name": site.name if site else found.site_id,
            "presses": {str(count): name for count, name in found.gestures.presses.items()},
            "actions": found.gestures.actions,
            "staff": len(registry.site_staff.get(found.site_id, ())),
            "mode": Mode.LIVE,
        }
    )


@router.post("/press")
async def press(backend: Daemon, order: PressOrder, key: Key = None) -> Response:
    """A press by hand. It is live: the same door, the same routing, the same phones ring."""
    return shown(await operations.press(backend, order.signal(), key))


@router.post("/incidents/{incident_id}/answers")
async def answer(backend: Daemon, incident_id: str, order: AnswerOrder, key: Key = None) -> Response:
    return shown(await operations.answer(backend, incident_id, order.person, order.kind, key))


@router.post("/incidents/{incident_id}/resolve")
async def resolve(backend: Daemon, incident_id: str, order: ResolveOrder, key: Key = None) -> Response:
    done = await operations.resolve(
        backend, incident_id, order.signature, key, rooms_released=order.rooms_released, zone=order.zone
    )
    return shown(done)


@router.post("/incidents/{incident_id}/correct")
async def correct(backend: Daemon, incident_id: str, order: CorrectOrder, key: Key = None) -> Response:
    return shown(await operations.correct(backend, incident_id, order.signature, order.reason, key))


@router.post("/sites/{site}/say")
async def say(backend: Daemon, site: str, order: SayOrder, key: Key = None) -> Response:
    """Words for a site's loudspeakers, said twice. Refused over a lockdown, unless they are an emergency."""
    wanted = speaking.Wanted(words=order.words, zones=tuple(order.zones), emergency=order.emergency)
    return shown(await speaking.say(backend, site, wanted, order.signature, key))


@router.post("/sites/{site}/silence")
async def silence(backend: Daemon, site: str, order: SilenceOrder, key: Key = None) -> Response:
    """Silences a site's loudspeakers, and nothing else."""
    return shown(await speaking.silence(backend, site, order.signature, key))


@router.post("/sites/{site}/drill")
async def begin_drill(backend: Daemon, site: str, order: DrillOrder, key: Key = None) -> Response:
    """Begins a drill. From then on only the first gesture of the named devices is one; all else is real and ends it."""
    wanted = drill_orders.Wanted(
        incident_class=order.incident_class,
        devices=tuple(order.devices),
        told_before=order.told,
        minutes=order.minutes,
        people=tuple(order.people),
    )
    return shown(await drill_orders.start(backend, site, wanted, order.signature, key))


@router.post("/sites/{site}/drill/end")
async def end_drill(backend: Daemon, site: str, order: DrillEndOrder, key: Key = None) -> Response:
    return shown(await drill_orders.end(backend, site, order.signature, key))


@router.get("/drills")
async def drills(
    backend: Daemon,
    site: str | None = None,
    running: bool = True,  # noqa: FBT001, FBT002 - the name of the query parameter
) -> Response:
    return shown({"drills": await drill_orders.standing(backend, site, running_only=running)})


@router.get("/drills/{drill_id}/report")
async def drill_report(backend: Daemon, drill_id: str) -> Response:
    """What a drill showed; by a site's id that of the last one there."""
    return shown(await report_of(backend, drill_id))


@router.post("/device-tests")
async def begin_device_test(backend: Daemon, order: DeviceTestOrder, key: Key = None) -> Response:
    """Tries one device out: its presses page nobody, up to a class, while somebody asks what was heard (at least every
    30 s), at most so many minutes. Everything else stays real."""
    view = await trying.start(backend, order.device, order.minutes, order.incident_class, order.signature, key)
    return shown(view)


@router.post("/device-tests/end")
async def end_device_test(backend: Daemon, order: DeviceTestEndOrder) -> Response:
    """The device is live again."""
    return shown(await trying.end(backend, order.device, order.signature))


@router.get("/device-tests")
async def device_test(backend: Daemon, device: str | None = None, after: str = "") -> Response:
    """What was heard of a device in its last test, after the last line of each site that is known: "oak:17,elm:3".
    Whoever asks watches: a test for which nobody asks is over. Without a device, which are in test; watches none."""
    if device is None:
        return shown({"in_test": await every_test(backend)})
    pairs = (each.rpartition(":") for each in after.split(","))
    known = {site: int(number) for site, _, number in pairs if number.isascii() and number.isdigit()}
    return shown(await trying.watch(backend, device, known))


@router.get("/troubles")
async def troubles(backend: Daemon) -> Response:
    """Those that stand, the gravest class first, and those that are over and were not acknowledged yet; and devices
    that are in test, which is none."""
    found = await read(lambda: backend.store.read_troubles(latched=True))
    registry = backend.registry()
    found = tuple(sorted(found, key=lambda t: (not t.stands, t.trouble_class is not TroubleClass.SUPERVISORY)))
    return shown({"troubles": [trouble_view(t, registry) for t in found], "in_test": await every_test(backend)})


@router.post("/troubles/{trouble_key:path}/acknowledge")
async def acknowledge(backend: Daemon, trouble_key: str, order: AcknowledgeOrder, key: Key = None) -> Response:
    """Stops its repeating; it stands until what is wrong is mended. One that is over already is shown no more."""
    trouble = await operations.acknowledge_trouble(backend, trouble_key, order.signature, order.site, key)
    return shown({"trouble": trouble_view(trouble, backend.registry())})


@router.post("/test/person/{person_id}")
async def order_person_test(
    backend: Daemon, person_id: str, order: TestOrder | None = None, key: Key = None
) -> Response:
    return shown(await operations.order_person_test(backend, person_id, (order or TestOrder()).signature, key))


@router.post("/test/site/{site}")
async def order_site_test(backend: Daemon, site: str, order: TestOrder | None = None, key: Key = None) -> Response:
    """As much of the way from press to phone as can be walked without waking anybody."""
    return shown(await test_site(backend, site, (order or TestOrder()).signature, key))


@router.post("/test/destination/{name}")
async def order_destination_test(
    backend: Daemon, name: str, order: TestOrder | None = None, key: Key = None
) -> Response:
    return shown(await operations.order_destination_test(backend, name, (order or TestOrder()).signature, key))


@router.post("/reports/{name}")
async def report(
    backend: Daemon, name: Annotated[str, Path(pattern=r"^[a-z][a-z-]{1,30}$")], order: ReportOrder
) -> Response:
    """How something went that runs by night: a failure is a standing trouble until the next good run."""
    return shown({"trouble": await reporting.take(backend, name, order.failure), "stands": bool(order.failure)})


@router.get("/notifications/{notification_id}")
async def notification(backend: Daemon, notification_id: str) -> Response:
    """What became of one message: to be asked again until it has its final word."""
    row = await read(lambda: backend.store.read_notification(NotificationId(notification_id)))
    if row is None:
        raise unknown("notification", notification_id, "notification id", ())
    return shown(notification_view(row, backend.registry()))


@router.post("/reload")
async def reload(backend: Daemon) -> Response:
    """Takes the configuration as it now is on disk, or refuses it as a whole and keeps the last good one."""
    done = await backend.reload()
    if not done.accepted:
        raise RefusedError(
            409,
            Refusal(
                error=f"the new configuration was refused; version {done.config_version} stays in force",
                where="configuration directory",
                remedy="mend the problems below, then reload again",
                problems=done.problems,
            ),
        )
    return shown({"config_version": done.config_version, "problems": []})


@router.get("/journal/{site}/verify")
async def verify(backend: Daemon, site: str) -> Response:
    """Counts the entries of the site's hash chain, if it is unbroken."""
    site_id: SiteId = find_site(backend, site)
    entries = await backend.verify_journal(site_id)
    answer_: dict[str, Any] = {"site": site_id, "entries": entries, "unbroken": True}
    return shown(answer_)
