"""`Play`: the core on a stage. Time, timers, tokens and the outbox are simple and visible; the decisions are real."""

from collections.abc import Sequence

from msgspec.structs import replace

from alertd.engine.decide import decide
from alertd.engine.routing import route
from alertd.engine.spelling import as_registered
from alertd.model.anchor import Now
from alertd.model.call_script import answer_id, decode
from alertd.model.decision import Confirmation, Decision, Entry, Facts, PhoneIncident, SiteState, Turn, Withdrawal
from alertd.model.drill import Drill
from alertd.model.events import (
    AnswerGiven,
    Arrival,
    CorrectionOrdered,
    DispatchReported,
    DrillEndOrdered,
    DrillFound,
    DrillOrdered,
    Event,
    Keyed,
    OutcomeReported,
    Pressed,
    Replied,
    ResolveOrdered,
    Signal,
    TimerFired,
)
from alertd.model.ids import CauseId, DeviceId, PersonId, SiteId, TimerId
from alertd.model.incident import NOBODY, SEVERITY, AnswerKind, DispatchState, Incident, IncidentClass
from alertd.model.notification import AFTER_CLOSE, Kind, Notification, NotificationRow, NotificationState, Written
from alertd.model.outcome import Outcome
from alertd.model.reason import Reason
from alertd.model.registry import Registry
from alertd.model.timer import Timer, TimerKind
from tests.engine.school import OAK, registry

START_US = 1_772_466_120_000_000
"""2026-03-02 10:42 in New York."""


class Play:
    """One site's rows, with everything that was ever decided."""

    def __init__(self, school: Registry | None = None, site_id: SiteId = OAK) -> None:
        self.registry = school or registry()
        self.state = SiteState(site_id=site_id)
        self.now_us = START_US
        self.boot_id = "first"
        self.stepped_us = 0
        """By so much somebody has set the wall clock; boot time goes on."""
        self.closed: dict[str, Incident] = {}
        self.drills: dict[str, Drill] = {}
        self.rows: dict[str, NotificationRow] = {}
        self.timers: dict[TimerId, tuple[int, Timer]] = {}
        self.causes: dict[CauseId, int] = {}
        self.entries: list[Entry] = []
        self.confirmations: list[Confirmation] = []
        self.opted_out: set[str] = set()
        self.broken: set[str] = set()
        self.tokens = [str(n) for n in range(17, 99) if n not in (33, 88)]
        self.arrivals = 0
        self._news = 0

    # --- acting ------------------------------------------------------------------------------------------------------

    def do(self, event: Event) -> Decision:
        known = self.causes.get(getattr(event, "cause", CauseId("")))  # the store moves it with the clock
        facts = Facts(
            registry=self.registry,
            free_tokens=tuple(self.tokens),
            opted_out=frozenset(self.opted_out),
            broken_channels=frozenset(self.broken),
            seen_us=None if known is None else known + self.stepped_us,
            notification=self._row(event),
            turn=self._turn(event),
            phone=self._phone(event),
        )
        now = Now(wall_us=self.now_us + self.stepped_us, boot_us=self.now_us - START_US, boot_id=self.boot_id)
        decision = decide(self.state, facts, event, now)
        self._apply(decision)
        return decision

    def _apply(self, decision: Decision) -> None:  # noqa: C901 - the whole outside world in one place
        if decision.cause:
            self.causes[decision.cause] = self.now_us  # also if it is there, as in the stores: it begins anew
        for incident in decision.incidents:
            if incident.token in self.tokens:
                self.tokens.remove(incident.token)
            if not incident.is_open:
                self.closed[incident.id] = incident
        self.state.apply(decision)
        if decision.drill is not None:
            self.drills[decision.drill.id] = decision.drill
        for withdrawal in decision.withdrawals:
            for id_, row in self.rows.items():
                if row.state is NotificationState.QUEUED and _takes_back(withdrawal, row.notification):
                    self.rows[id_] = NotificationRow(
                        notification=row.notification, state=NotificationState.WITHDRAWN, reason=withdrawal.reason
                    )
        for row in decision.notifications:
            self.rows.setdefault(row.notification.id, row)
        for change in decision.changes:
            row = self.rows[change.id]
            self.rows[change.id] = NotificationRow(
                notification=row.notification,
                state=change.state,
                reason=change.reason,
                attempt=row.attempt if change.attempt is None else change.attempt,
                epoch=row.epoch,
                ref=change.ref or row.ref,
                not_before_us=change.not_before_us or 0,
            )
        for row in self._waiting(decision.try_now):
            self.rows[row.notification.id] = replace(row, not_before_us=0)
        for timer in decision.timers:
            self.timers[timer.id] = (self.now_us + int(timer.delay_s * 1e6), timer)
        self.opted_out |= set(decision.opt_outs)
        self.opted_out -= set(decision.opt_ins)
        self.broken = (self.broken | set(decision.broken_channels)) - set(decision.mended_channels)
        self.entries += decision.entries
        self.confirmations += decision.confirmations

    def arrive(self, device_id: str, action: str = "press", **more: object) -> tuple[Event, ...]:
        """A message comes in from a device; `more` is of `Signal` or `Arrival`."""
        self.arrivals += 1
        mine = {k: v for k, v in more.items() if k in Signal.__struct_fields__}
        rest = {k: v for k, v in more.items() if k not in mine}
        signal = Signal(device_id=DeviceId(device_id), action=action, **mine)  # type: ignore[arg-type]
        arrival = Arrival(
            source="mqtt",
            topic=f"alertd/press/{device_id}",
            signals=(signal,),
            received_us=self.now_us + self.stepped_us,
            arrival_id=str(self.arrivals),
            **rest,  # type: ignore[arg-type]
        )
        events = route(self.registry, as_registered(self.registry, arrival))
        for event in events:
            if event.site_id == self.state.site_id:
                self.do(event)
        return events

    def press(self, device_id: str = "badge-204", count: int | None = 8, **more: object) -> None:
        self.arrive(device_id, "press", count=count, **more)

    def wait(self, seconds: float) -> None:
        """Time passes; timers that come due fire in order, at their moment."""
        end_us = self.now_us + int(seconds * 1e6)
        while due := sorted((at, id_) for id_, (at, _) in self.timers.items() if at <= end_us):
            at_us, timer_id = due[0]
            self.now_us = max(self.now_us, at_us)
            _, timer = self.timers.pop(timer_id)
            self.do(TimerFired(site_id=self.state.site_id, timer=timer))
        self.now_us = end_us

    def reply(self, name: str, body: str, cause: str | None = None, at_us: int | None = None) -> None:
        person = self.registry.people[PersonId(name.lower())]
        self.arrivals += 1
        self.do(
            Replied(
                site_id=self.state.site_id,
                cause=CauseId(cause or f"sms:{self.arrivals}"),
                channel="sms",
                address=person.endpoints[0].address,
                body=body,
                at_us=self.now_us + self.stepped_us if at_us is None else at_us,
            )
        )

    def key(
        self,
        call: NotificationRow,
        digit: int,
        *,
        presses: int = 1,
        cause: str | None = None,
        heard: Notification | None = None,
    ) -> Notification:
        """A key in a call; the row that is spoken back. `heard`: what was spoken last, if not the call itself."""
        self.arrivals += 1
        said = heard or call.notification
        words = decode(said.body, said.text)
        event = Keyed(
            site_id=self.state.site_id,
            cause=CauseId(cause or f"call:{self.arrivals}"),
            notification_id=call.notification.id,
            digit=digit,
            presses=presses,
            written_us=words.written_us,
            upgrades=words.upgrades,
            at_us=self.now_us + self.stepped_us,
        )
        self.do(event)
        return self.rows[answer_id(event.cause)].notification

    def answer(self, name: str, kind: AnswerKind = AnswerKind.GOING) -> None:
        self.arrivals += 1
        self.do(
            AnswerGiven(
                site_id=self.state.site_id,
                cause=CauseId(f"cli:{self.arrivals}"),
                incident_id=self.incident.id,
                person_id=PersonId(name.lower()),
                kind=kind,
                via="cli",
            )
        )

    def resolve(self, by: str = "J. Ruiz", **more: object) -> None:
        self.arrivals += 1
        self.do(
            ResolveOrdered(
                site_id=self.state.site_id,
                cause=CauseId(f"cli:{self.arrivals}"),
                incident_id=self.incident.id,
                by=by,
                **more,  # type: ignore[arg-type]
            )
        )

    def correct(self, by: str = "J. Ruiz") -> None:
        self.arrivals += 1
        self.do(
            CorrectionOrdered(
                site_id=self.state.site_id,
                cause=CauseId(f"cli:{self.arrivals}"),
                incident_id=self.incident.id,
                by=by,
                reason="pressed by mistake",
            )
        )

    def drill(self, *devices: str, drilled: str = "lockdown", minutes: int = 30, **more: object) -> None:
        """An admin begins one; without devices, of the two badges."""
        self.arrivals += 1
        self.do(
            DrillOrdered(
                site_id=self.state.site_id,
                cause=CauseId(f"cli:{self.arrivals}"),
                by="J. Ruiz",
                incident_class=IncidentClass(drilled),
                device_ids=tuple(map(DeviceId, devices or ("badge-204", "badge-118"))),
                minutes=minutes,
                **({"told_before": "J. Doe, dispatch"} | more),  # type: ignore[arg-type]
            )
        )

    def end_drill(self) -> None:
        self.arrivals += 1
        self.do(DrillEndOrdered(site_id=self.state.site_id, cause=CauseId(f"cli:{self.arrivals}"), by="J. Ruiz"))

    def restart(self) -> None:
        """The daemon is started again, and finds what runs."""
        self.arrivals += 1
        if self.state.drill is not None:
            found = CauseId(f"start:{self.arrivals}")
            self.do(
                DrillFound(
                    site_id=self.state.site_id, cause=found, drill_id=self.state.drill.id, started_us=self.now_us
                )
            )

    def center(self, state: DispatchState, destination: str = "psap", call: str | None = None) -> None:
        self.arrivals += 1
        self.do(
            DispatchReported(
                site_id=self.state.site_id,
                cause=CauseId(f"psap:{self.arrivals}"),
                incident_id=self.incident.id,
                destination_id=destination,
                state=state,
                call_number=call,
            )
        )

    def claim(self, row: NotificationRow) -> NotificationRow:
        """What the store does when somebody takes the row to send it."""
        claimed = NotificationRow(
            notification=row.notification,
            state=NotificationState.CLAIMED,
            reason=row.reason,
            attempt=row.attempt + 1,
            epoch=row.epoch + 1,
            ref=row.ref,
        )
        self.rows[row.notification.id] = claimed
        return claimed

    def outcome(
        self, row: NotificationRow, outcome: Outcome, *, looked_up: bool = False, epoch: int | None = None
    ) -> NotificationRow:
        self.do(
            OutcomeReported(
                site_id=self.state.site_id,
                notification_id=row.notification.id,
                epoch=row.epoch if epoch is None else epoch,
                outcome=outcome,
                looked_up=looked_up,
            )
        )
        return self.rows[row.notification.id]

    # --- looking -----------------------------------------------------------------------------------------------------

    @property
    def incident(self) -> Incident:
        """The only open incident."""
        (incident,) = self.state.incidents.values()
        return incident

    def news(self) -> list[Notification]:
        """Notifications to send that were decided since the last look."""
        found = [r.notification for r in self.rows.values()][self._news :]
        self._news = len(self.rows)
        return [n for n in found if self.rows[n.id].state is not NotificationState.SUPPRESSED]

    def said(self) -> list[tuple[str, str]]:
        """(recipient, kind) of the news, in order."""
        return [(n.recipient, n.kind.value) for n in self.news()]

    def reasons(self) -> list[Reason | None]:
        return [e.reason for e in self.entries]

    def texts_to(self, name: str) -> list[str]:
        return [r.notification.text for r in self.rows.values() if r.notification.recipient == name]

    def row_to(self, name: str) -> NotificationRow:
        return next(r for r in self.rows.values() if r.notification.recipient == name)

    def _waiting(self, endpoint_keys: Sequence[str]) -> list[NotificationRow]:
        """What waits there for another try."""
        again = (Reason.RETRYING, Reason.RESENT_UNKNOWN)
        queued = [row for row in self.rows.values() if row.state is NotificationState.QUEUED and row.reason in again]
        return [row for row in queued if row.notification.endpoint.key in endpoint_keys]

    def _turn(self, event: Event) -> Turn | None:
        row = self._row(event) if isinstance(event, OutcomeReported) else None
        if row is None or not row.notification.endpoint.dispatch:
            return None
        waiting = self._waiting([row.notification.endpoint.key])
        if not waiting:
            return None
        written = [r.notification for r in waiting if r.notification.kind is not Kind.DISPATCH_HEARTBEAT]
        opening = [n for n in written if n.kind is Kind.DISPATCH_NEW]
        return Turn(
            last_us=max(r.not_before_us for r in waiting),
            ends_us=max((n.expires_us for n in written), default=0),
            opening_ends_us=max((n.expires_us for n in opening), default=0),
            ends_boot_us=max((n.expires_boot_us or 0 for n in written if n.boot_id == self.boot_id), default=0),
            opening_ends_boot_us=max((n.expires_boot_us or 0 for n in opening if n.boot_id == self.boot_id), default=0),
        )

    def _row(self, event: Event) -> NotificationRow | None:
        match event:
            case OutcomeReported(notification_id=id_) | Keyed(notification_id=id_):
                return self.rows.get(id_)
            case TimerFired(timer=timer) if timer.kind is TimerKind.REDIAL:
                return self.rows.get(timer.detail)
            case _:
                return None

    def _phone(self, event: Event) -> tuple[PhoneIncident, ...]:
        row = self._row(event)
        if isinstance(event, Replied):
            key = f"{event.channel}:{event.address}"
            person = self.registry.by_address.get(key)
            endpoints = person.endpoints if person is not None else ()
            keys = {key, *(e.key for e in endpoints if e.address == event.address)}  # in the thread of any sender
        elif isinstance(event, Keyed) and row is not None:
            keys = {row.notification.endpoint.key}
        else:
            return ()
        every: Sequence[Incident] = (*self.state.incidents.values(), *self.closed.values())
        told = [i for i in every if any(t.endpoint_key in keys for t in i.told)]
        return tuple(
            PhoneIncident(
                incident_id=i.id,
                site_id=i.site_id,
                mode=i.mode,
                token=i.token,
                headline=i.headline,
                is_open=i.is_open,
                opened_us=i.opened_us,
                closed_us=i.closed_us,
                closed_by=i.closed_by,
                severity=SEVERITY[i.incident_class],
                ended=i if i.closed_by == NOBODY else None,
                told=next(  # in the order of writing
                    (
                        Written(
                            created_us=row.notification.created_us,
                            created_boot_us=row.notification.created_boot_us,
                            boot_id=row.notification.boot_id,
                        )
                        for row in self.rows.values()
                        if row.notification.incident_id == i.id
                        and row.notification.endpoint.key in keys
                        and row.state not in NOT_LEFT
                    ),
                    None,
                ),
            )
            for i in sorted(told, key=lambda i: -i.opened_us)
        )


NOT_LEFT = frozenset(
    {
        NotificationState.QUEUED,
        NotificationState.SUPPRESSED,
        NotificationState.WITHDRAWN,
        NotificationState.FAILED,
        NotificationState.EXPIRED,
    }
)


def _takes_back(withdrawal: Withdrawal, content: Notification) -> bool:
    if withdrawal.mode is not None:
        return content.mode is withdrawal.mode and content.kind is not withdrawal.but
    if withdrawal.endpoint_key is not None and content.endpoint.key != withdrawal.endpoint_key:
        return False
    if withdrawal.kind is None:
        return content.incident_id == withdrawal.incident_id and content.kind not in AFTER_CLOSE
    return content.kind is withdrawal.kind and withdrawal.incident_id in (None, content.incident_id)


def is_press(event: Event) -> bool:
    return isinstance(event, Pressed)
