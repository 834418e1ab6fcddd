"""Believable values for tests of a store: one school, its presses, texts and timers. No behaviour."""
# ruff: noqa: S107, PLR0913 - a reply token is no password; each value has every knob that a test may turn

from dataclasses import dataclass

from alertd.model.anchor import Now
from alertd.model.decision import Decision, Entry, EntryKind
from alertd.model.drill import Drill, DrillState, DrillTold
from alertd.model.events import Pressed, Signal
from alertd.model.ids import CauseId, DeviceId, DrillId, IncidentId, NotificationId, PersonId, PolicyId, SiteId, TimerId
from alertd.model.incident import EscalationState, Incident, IncidentClass, IncidentState, Location, Press
from alertd.model.mode import Mode
from alertd.model.notification import Kind, Lane, Notification, NotificationRow, NotificationState
from alertd.model.people import Endpoint
from alertd.model.policy import Policy, Step, Target, TargetKind
from alertd.model.reason import Reason
from alertd.model.timer import Timer, TimerKind

OAK = SiteId("oak")
SECOND_US = 1_000_000
DAY_US = 24 * 3600 * SECOND_US
START_WALL_US = 1_793_500_000 * SECOND_US
START_BOOT_US = 5_000 * SECOND_US
POLICY_HASH = "sha-oak-lockdown"


@dataclass
class TestClock:
    """A clock that moves when it is told to, and a machine that can reboot."""

    __test__ = False  # pytest: not a test class

    boot_id: str = "boot-1"
    wall_us: int = START_WALL_US
    boot_us: int = START_BOOT_US
    passed_us: int = 0
    """What really passed, whatever clocks show."""

    def now(self) -> Now:
        return Now(wall_us=self.wall_us, boot_us=self.boot_us, boot_id=self.boot_id)

    def advance(self, seconds: float) -> Now:
        self.wall_us += int(seconds * SECOND_US)
        self.boot_us += int(seconds * SECOND_US)
        self.passed_us += int(seconds * SECOND_US)
        return self.now()

    def reboot(self, *, away_s: float, wall_step_s: float = 0.0) -> None:
        """Off for `away_s`; the wall clock comes back wrong by `wall_step_s`."""
        self.boot_id += "+"
        self.boot_us = 20 * SECOND_US
        self.wall_us += int((away_s + wall_step_s) * SECOND_US)
        self.passed_us += int(away_s * SECOND_US)


def incident(
    number: int,
    *,
    site_id: SiteId = OAK,
    mode: Mode = Mode.LIVE,
    token: str = "17",
    opened_us: int = START_WALL_US,
    closed_us: int | None = None,
) -> Incident:
    place = Location(zone_id=None, label="Rm 204, 2nd fl East", short="Rm 204", source="fixed")
    device = DeviceId(f"badge-{number}")
    return Incident(
        id=IncidentId(f"inc-{number}"),
        site_id=site_id,
        incident_class=IncidentClass.LOCKDOWN,
        mode=mode,
        merge_key=f"{site_id}:{number}",
        headline="OAK ELEM Rm 204 LOCKDOWN 10:42",
        token=token,
        policy_hash=POLICY_HASH,
        state=IncidentState.ACTIVE if closed_us is None else IncidentState.CLOSED,
        escalation=EscalationState.RUNNING if closed_us is None else EscalationState.STOPPED,
        opened_us=opened_us,
        closed_us=closed_us,
        closed_by="" if closed_us is None else "Ruiz",
        presses=(
            Press(
                id=CauseId(f"press-{number}"),
                device_id=device,
                device_label="Okafor badge",
                location=place,
                incident_class=IncidentClass.LOCKDOWN,
                count=1,
                received_us=opened_us,
                pressed_us=None,
            ),
        ),
    )


def drill(number: int = 1, *, site_id: SiteId = OAK, ended: bool = False) -> Drill:
    return Drill(
        id=DrillId(f"drill-{number}"),
        site_id=site_id,
        incident_class=IncidentClass.LOCKDOWN,
        device_ids=(DeviceId("badge-1"),),
        told_before="J. Doe, dispatch",
        by="J. Ruiz",
        started_us=START_WALL_US + number,
        ends_us=START_WALL_US + 1_800 * SECOND_US,
        state=DrillState.ENDED if ended else DrillState.RUNNING,
        told=(DrillTold(endpoint_key="sms:+12025550101", person_id=PersonId("person-1")),),
    )


def phone(number: int) -> Endpoint:
    return Endpoint(channel="sms", address=f"+1202555{100 + number % 100:04d}", person_id=PersonId(f"person-{number}"))


def dispatch_centre(*, accepts_exercise: bool = False) -> Endpoint:
    return Endpoint(channel="dispatch", address="county-911", dispatch=True, accepts_exercise=accepts_exercise)


def text(
    notification_id: str,
    *,
    site_id: SiteId = OAK,
    incident_id: str | None = "inc-1",
    endpoint: Endpoint | None = None,
    mode: Mode = Mode.LIVE,
    kind: Kind = Kind.ALERT,
    lane: Lane = Lane.PANIC,
    created_us: int = START_WALL_US,
    expires_us: int = START_WALL_US + DAY_US,
    words: str = "OAK ELEM: LOCKDOWN at Rm 204, 2nd fl East.",
) -> Notification:
    return Notification(
        id=NotificationId(notification_id),
        site_id=site_id,
        mode=mode,
        kind=kind,
        lane=lane,
        endpoint=phone(1) if endpoint is None else endpoint,
        reason=Reason.FIRST_WAVE,
        created_us=created_us,
        expires_us=expires_us,
        resend_unknown=True,
        incident_id=None if incident_id is None else IncidentId(incident_id),
        recipient="Ruiz",
        text=words,
    )


def queued(notification: Notification, *, not_before_us: int = 0) -> NotificationRow:
    return NotificationRow(
        notification=notification,
        state=NotificationState.QUEUED,
        reason=notification.reason,
        not_before_us=not_before_us,
    )


def timer(
    timer_id: str, *, delay_s: float = 30.0, site_id: SiteId = OAK, incident_id: str | None = None, number: int = 0
) -> Timer:
    return Timer(
        id=TimerId(timer_id),
        site_id=site_id,
        kind=TimerKind.STEP,
        delay_s=delay_s,
        incident_id=None if incident_id is None else IncidentId(incident_id),
        number=number,
    )


def entry(words: str, *, incident_id: str | None = "inc-1", reason: Reason = Reason.FIRST_WAVE) -> Entry:
    return Entry(
        kind=EntryKind.NOTIFICATION,
        reason=reason,
        text=words,
        incident_id=None if incident_id is None else IncidentId(incident_id),
        data={"phone": "+12025550142"},
    )


def policy() -> Policy:
    step = Step(targets=(Target(kind=TargetKind.GROUP, id="responders"),))
    return Policy(id=PolicyId("lockdown"), incident_class="lockdown", steps=(step,), templates={"alert.responder": "x"})


def press(number: int = 1, *, site_id: SiteId = OAK) -> Pressed:
    return Pressed(
        site_id=site_id,
        cause=CauseId(f"press-{number}"),
        signal=Signal(device_id=DeviceId(f"badge-{number}"), action="hold"),
        received_us=START_WALL_US,
        oldest_us=START_WALL_US,
        backlog=False,
        retained=False,
        source="mqtt",
    )


def first_wave(number: int = 1, *, site_id: SiteId = OAK, token: str = "17", at_us: int = START_WALL_US) -> Decision:
    """What one press decides: an incident, a text, a webhook, two timers and three lines of evidence."""
    incident_id = f"inc-{number}"
    return Decision(
        cause=CauseId(f"press-{number}"),
        incidents=(incident(number, site_id=site_id, token=token, opened_us=at_us),),
        policies=((POLICY_HASH, policy()),) if number == 1 else (),
        notifications=(
            queued(text(f"ntf-{number}-sms", site_id=site_id, incident_id=incident_id, created_us=at_us)),
            queued(
                text(
                    f"ntf-{number}-dispatch",
                    site_id=site_id,
                    incident_id=incident_id,
                    endpoint=dispatch_centre(),
                    kind=Kind.DISPATCH_NEW,
                    created_us=at_us,
                )
            ),
        ),
        timers=(
            timer(f"tmr-{number}-step", site_id=site_id, incident_id=incident_id),
            timer(f"tmr-{number}-accept", delay_s=60.0, site_id=site_id, incident_id=incident_id),
        ),
        entries=tuple(
            entry(words, incident_id=incident_id) for words in ("pressed at Rm 204", "Ruiz is texted", "dispatch told")
        ),
    )
