"""A stream of happenings made by hand, line by line, and the checkers that watch it.

The school is that of the engine's tests; nothing of the engine itself is used: what is committed is written here.
"""

from typing import Any

from msgspec.structs import replace

from alertd.model.decision import Decision, Entry, EntryKind
from alertd.model.events import AnswerGiven, Event, OutcomeReported, Pressed, Replied, Signal, TimerFired
from alertd.model.ids import CauseId, DeviceId, IncidentId, NotificationId, PersonId, SiteId, TimerId
from alertd.model.incident import (
    Answer,
    AnswerKind,
    EscalationState,
    Incident,
    IncidentClass,
    IncidentState,
    Location,
    Press,
    Told,
)
from alertd.model.mode import Mode
from alertd.model.notification import Claim, Kind, Lane, Notification, NotificationRow, NotificationState
from alertd.model.outcome import Accepted, Outcome
from alertd.model.people import Endpoint
from alertd.model.reason import Reason
from alertd.model.timer import Timer, TimerKind
from alertd_simulator.checkers.checker import Checker
from alertd_simulator.checkers.final import Final
from alertd_simulator.checkers.judge import Judge
from alertd_simulator.world.happenings import (
    Acked,
    Arrived,
    Attempted,
    Committed,
    Ended,
    Happening,
    Healed,
    Meant,
    Moved,
    Over,
    Published,
    Started,
    TextTaken,
    Truth,
    Typed,
)
from alertd_simulator.world.plan import Plan
from tests.engine.school import LOCKDOWN, OAK, registry

SCHOOL = registry()
PLAN = Plan(seed=1, begins="2026-10-14T10:42:00-04:00", deeds=())
WALL_US = 1_791_988_920_000_000
"""What the clock on the wall shows when the plan begins."""
RUIZ = "+12025550101"
S = 1_000_000


class Story:
    """Told in seconds of true time; `violations` is what the checkers say."""

    def __init__(self, *checkers: type[Checker], plan: Plan = PLAN) -> None:
        self.judge = Judge(SCHOOL, plan, checkers)
        self.us = 0
        self.incident = incident()

    def at(self, seconds: float) -> "Story":
        self.us = round(seconds * S)
        return self

    def see(self, kind: type[Any], **fields: Any) -> "Story":
        self.judge.see(kind(at_us=self.us, **fields))
        return self

    def see_all(self, *happenings: Happening) -> "Story":
        for happening in happenings:
            self.us = happening.at_us
            self.judge.see(happening)
        return self

    @property
    def violations(self) -> list[str]:
        return [violation.message for violation in self.judge.violations]

    def end(self, **fields: Any) -> list[str]:
        """The day is over, and the disk holds what was committed, unless it is said what it holds."""
        self.see(Over)
        records = self.judge._records
        held: dict[str, Any] = {
            "incidents": tuple(records.incidents.values()),
            "rows": tuple(
                NotificationRow(notification=row.notification, state=row.state, reason=row.reason)
                for row in records.rows.values()
            ),
            "troubles": (),
            "timers": (),
            "boot_us": self.us,
            "wall_us": self.us + WALL_US,
        }
        return [violation.message for violation in self.judge.finish(Final(**(held | fields)))]

    # --- what happens

    def start(self) -> "Story":
        return self.see(Started, incarnation=1)

    def heal(self) -> "Story":
        return self.see(Healed)

    def published(self, number: int = 1, *, qos: int = 1, payload: bytes = b'{"count":8}', **truth: Any) -> "Story":
        fields = {
            "press": f"press-{number}", "device_id": DeviceId("badge-204"), "site_id": OAK, "zone_id": None,
            "incident_class": IncidentClass.LOCKDOWN, "count": 8, "pressed_us": self.us, "has_identity": True,
        }  # fmt: skip
        topic = "alertd/press/badge-204"
        return self.see(
            Published, number=number, topic=topic, payload=payload, qos=qos, retain=False,
            truth=Truth(**(fields | truth)),
        )  # fmt: skip

    def nonsense(self, number: int = 1) -> "Story":
        """On a press topic, and nobody's press."""
        return self.see(
            Published, number=number, topic="alertd/press/badge-204", payload=b"\xff", qos=1, retain=False, truth=None
        )

    def arrived(self, number: int = 1) -> "Story":
        return self.see(Arrived, number=number, connection=1, mid=number, dup=False, retain=False)

    def acked(self, number: int = 1) -> "Story":
        return self.see(Acked, number=number, connection=1)

    def committed(self, event: Event, *, durable: bool = True, **decision: Any) -> "Story":
        entries = (Entry(kind=EntryKind.PRESS, reason=Reason.FIRST_WAVE, text="hand-made"),)
        return self.see(Committed, event=event, decision=Decision(**({"entries": entries} | decision)), durable=durable)

    def opened(self, *rows: NotificationRow, durable: bool = True, **changes: Any) -> "Story":
        """The press of badge-204 opens a lockdown."""
        self.incident = replace(self.incident, **changes)
        return self.committed(pressed(), incidents=(self.incident,), notifications=rows, durable=durable)

    def changed(self, event: Event, *rows: NotificationRow, **changes: Any) -> "Story":
        self.incident = replace(self.incident, **changes)
        return self.committed(event, incidents=(self.incident,), notifications=rows)

    def moved(self, *states: NotificationState, id_: str = "n-1") -> "Story":
        before = None
        for after in states:
            self.see(Moved, notification_id=NotificationId(id_), before=before, after=after)
            before = after
        return self

    def attempted(self, row: NotificationRow | None = None, *, epoch: int = 1, attempt: int = 1) -> "Story":
        claim = Claim(notification=(row or text()).notification, attempt=attempt, epoch=epoch)
        return self.see(Attempted, claim=claim, channel=claim.notification.endpoint.channel)

    def ended(self, outcome: Outcome | None = Accepted(ref="SM1"), *, id_: str = "n-1", epoch: int = 1) -> "Story":  # noqa: B008
        return self.see(Ended, notification_id=NotificationId(id_), epoch=epoch, outcome=outcome)

    def taken(self, row: NotificationRow | None = None, *, sid: str = "SM1") -> "Story":
        content = (row or text()).notification
        return self.see(TextTaken, sid=sid, to=content.endpoint.address, body=content.text, notification_id=content.id)

    def typed(self, body: str = "417", *, number: str = RUIZ, meant: Meant = Meant.GOING) -> "Story":
        return self.see(Typed, person_id=PersonId("ruiz"), number=number, body=body, meant=meant, sid="SM9")

    def answered(self, event: Event, *, covers: int = 1, kind: AnswerKind = AnswerKind.GOING) -> "Story":
        """Ruiz's word counts, and the escalation pauses."""
        answer = Answer(person_id=PersonId("ruiz"), name="Ruiz", kind=kind, at_us=self.us, via="sms", covers=covers)
        escalation = EscalationState.PAUSED if kind is not AnswerKind.CANNOT_GO else EscalationState.RUNNING
        return self.changed(event, answers=(answer,), escalation=escalation)


# --- values ---------------------------------------------------------------------------------------------------------


def pressed(device: str = "badge-204", *, site: SiteId = OAK, heard_by: str | None = None, **fields: Any) -> Pressed:
    values: dict[str, Any] = {
        "site_id": site, "cause": CauseId(f"press-{device}"), "received_us": WALL_US, "oldest_us": WALL_US,
        "backlog": False, "retained": False, "source": "broker",
        "signal": Signal(
            device_id=DeviceId(device), action="press", count=8,
            heard_by=None if heard_by is None else DeviceId(heard_by),
        ),
    }  # fmt: skip
    return Pressed(**(values | fields))


def replied(body: str = "417", *, sid: str = "SM9") -> Replied:
    return Replied(site_id=OAK, cause=CauseId(f"twilio:{sid}"), channel="sms", address=RUIZ, body=body, at_us=0)


def clicked(incident_id: str = "i-1") -> AnswerGiven:
    return AnswerGiven(
        site_id=OAK, cause=CauseId("click"), incident_id=IncidentId(incident_id), person_id=PersonId("ruiz"),
        kind=AnswerKind.GOING, via="console",
    )  # fmt: skip


def fired(waiting: Timer) -> TimerFired:
    return TimerFired(site_id=OAK, timer=waiting)


def timer(kind: TimerKind = TimerKind.STEP, delay_s: float = 30.0, **fields: Any) -> Timer:
    values: dict[str, Any] = {"id": TimerId("t-1"), "site_id": OAK, "incident_id": IncidentId("i-1")}
    return Timer(kind=kind, delay_s=delay_s, **(values | fields))


def outcome(id_: str = "n-1", what: Outcome = Accepted(ref="SM1")) -> OutcomeReported:  # noqa: B008
    return OutcomeReported(site_id=OAK, notification_id=NotificationId(id_), epoch=1, outcome=what)


def press(device: str = "badge-204", zone: str = "204", **fields: Any) -> Press:
    values: dict[str, Any] = {
        "id": CauseId(f"press-{device}"), "device_id": DeviceId(device), "device_label": device,
        "location": Location(zone_id=zone, label=zone, short=zone, source="fixed"),  # type: ignore[arg-type]
        "incident_class": IncidentClass.LOCKDOWN, "count": 8, "received_us": WALL_US, "pressed_us": None,
    }  # fmt: skip
    return Press(**(values | fields))


def incident(**fields: Any) -> Incident:
    values: dict[str, Any] = {
        "id": IncidentId("i-1"), "site_id": OAK, "incident_class": IncidentClass.LOCKDOWN, "mode": Mode.LIVE,
        "merge_key": "lockdown", "headline": "OAK ELEM Rm 204 LOCKDOWN 10:42", "token": "17",
        "policy_hash": SCHOOL.policy_hashes[LOCKDOWN.id], "state": IncidentState.ACTIVE,
        "escalation": EscalationState.RUNNING, "opened_us": WALL_US, "presses": (press(),),
    }  # fmt: skip
    return Incident(**(values | fields))


def told(name: str = "ruiz", number: str = RUIZ) -> Told:
    return Told(endpoint_key=f"sms:{number}", person_id=PersonId(name), words="responder")


def text(id_: str = "n-1", *, state: NotificationState = NotificationState.QUEUED, **fields: Any) -> NotificationRow:
    """A text to Ruiz about the incident."""
    values: dict[str, Any] = {
        "id": NotificationId(id_), "site_id": OAK, "mode": Mode.LIVE, "kind": Kind.ALERT, "lane": Lane.PANIC,
        "endpoint": Endpoint(channel="sms", address=RUIZ, person_id=PersonId("ruiz")), "reason": Reason.FIRST_WAVE,
        "created_us": WALL_US, "expires_us": WALL_US + 300 * S, "resend_unknown": True,
        "incident_id": IncidentId("i-1"), "step": 0, "recipient": "Ruiz",
        "text": "OAK ELEM Rm 204: LOCKDOWN. Reply 417 going.",
    }  # fmt: skip
    reason = fields.pop("why", None)
    content = Notification(**(values | fields))
    return NotificationRow(notification=content, state=state, reason=reason or content.reason)


def to_dispatch(id_: str = "d-1", *, address: str = "psap", **fields: Any) -> NotificationRow:
    endpoint = Endpoint(channel="dispatch", address=address, dispatch=True)
    values: dict[str, Any] = {"kind": Kind.DISPATCH_NEW, "endpoint": endpoint, "recipient": address, "body": "{}"}
    return text(id_, text="", **(values | fields))
