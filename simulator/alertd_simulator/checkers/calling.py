"""Phones that ring: whose must, whose must not, how often, and what a machine that takes the call may change.

Owns the rules of messages.md, "Call", written down once more; who took a call and which key was pressed is what the
world knows. That a key counts only if a human pressed it is judged in `answering`.
"""

from msgspec import Struct
from msgspec.structs import replace

from alertd.model.events import OutcomeReported
from alertd.model.ids import IncidentId, NotificationId, SiteId
from alertd.model.incident import Answer, EscalationState, Incident
from alertd.model.mode import Mode
from alertd.model.notification import Kind, NotificationRow, NotificationState
from alertd.model.people import Endpoint, Person
from alertd.model.policy import Step, TargetKind
from alertd.model.reason import Reason
from alertd_simulator.checkers.audiences import people_meant
from alertd_simulator.checkers.checker import Checker, Consequence, Scene
from alertd_simulator.checkers.records import Row
from alertd_simulator.checkers.steps import steps_begun
from alertd_simulator.world.happenings import (
    CallHeard,
    CallPickedUp,
    CallStatus,
    CallTaken,
    Committed,
    Crashed,
    Happening,
)

CALLS_MAX = 4
"""Of one kind to one phone: the call, two more that follow when nobody takes it, and one that was under way when the
escalation began anew."""
COUNTED = frozenset({Kind.ALERT, Kind.REMINDER, Kind.EXHAUSTED})
ASKING = frozenset({Kind.ALERT, Kind.ALSO, Kind.REMINDER, Kind.NOT_ARRIVED, Kind.EXHAUSTED})
"""Asks somebody to come."""
ENDED = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})
SILENT_WITHIN_S = 5.0
"""Calm seconds: a commit, a word to the carrier, and its way to the phone."""
DRILL_IS_OVER = "the drill is over"
LEASE_US = 60_000_000
"""What was claimed before the end may leave within it."""


def is_voice(scene: Scene, channel: str) -> bool:
    rules = scene.registry.channels.get(channel)
    return rules is not None and rules.kind == "voice"


def wore_it(incident: Incident, person: Person) -> bool:
    """Is it the presser's own phone, as far as anybody can know?"""
    return any(press.assigned_to == person.id for press in incident.presses)


class RespondersAreCalled(Checker):
    name = "responders are called"
    docs = (
        "Req 60, req 61: when a step begins that asks for calls, every phone of those who are asked to come has a call "
        "in the same commit, beside the text; only the presser's own is left silent, and says so."
    )
    sees = (Consequence,)

    def see(self, happening: Happening) -> None:
        if isinstance(happening, Committed):
            for incident in happening.decision.incidents:
                for policy, index in steps_begun(self.scene, incident):
                    self._step(happening, incident, policy.steps[index], index)

    def _step(self, committed: Committed, incident: Incident, step: Step, index: int) -> None:
        voices = [channel for channel in step.channels if is_voice(self.scene, channel)]
        named = tuple(
            target
            for target in step.targets
            if target.words == "responder" and target.kind in (TargetKind.GROUP, TargetKind.PERSON)
        )
        if not voices or not named:
            return
        rows = {r.notification.endpoint.key: r for r in committed.decision.notifications if _of(r, incident, index)}
        for person in people_meant(self.scene.registry, incident.site_id, replace(step, targets=named), (0, 0)):
            for endpoint in person.endpoints:
                if endpoint.channel in voices:
                    self._phone(committed.at_us, incident, person, endpoint, rows.get(endpoint.key))

    def _phone(
        self, at_us: int, incident: Incident, person: Person, endpoint: Endpoint, row: NotificationRow | None
    ) -> None:
        what = f"{incident.headline} ({incident.id}) begins, and {person.name} is not called by {endpoint.channel}"
        if row is None:
            self.accuse(at_us, f"{what}: nothing says why")
        elif row.state is NotificationState.SUPPRESSED and not (
            row.reason is Reason.OPTED_OUT or (row.reason is Reason.PRESSER and wore_it(incident, person))
        ):
            self.accuse(at_us, f"{what}: {row.reason}")


def _of(row: NotificationRow, incident: Incident, step: int) -> bool:
    return row.notification.incident_id == incident.id and row.notification.step == step


class NoNeedlessCalls(Checker):
    name = "no needless calls"
    docs = (
        "A phone never rings for a press of its own badge, never for its owner to hide who was texted so, never more "
        "than a lease after the incident's end, and no more than three times for the same thing."
    )
    sees = (CallTaken,)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._rang: dict[tuple[object, ...], set[str]] = {}

    def see(self, happening: Happening) -> None:
        if not isinstance(happening, CallTaken) or happening.notification_id is None:
            return
        row = self.scene.records.rows.get(happening.notification_id)
        incident = self._incident(row)
        person = self._owner(row)
        if row is None or incident is None or person is None:
            return
        what = f"{person.name}'s phone rings for {incident.headline} ({row.notification.id})"
        if wore_it(incident, person) and self._wore_it_then(row, incident, person):
            self.accuse(happening.at_us, f"{what}, which that person's own badge pressed")
        if row.notification.template.endswith(".staff") and self._is_texted(row):
            self.accuse(happening.at_us, f"{what} in a room that was told by text to hide")
        closed_us = self.scene.records.seen[incident.id].closed_us
        if closed_us is not None and happening.at_us > closed_us + LEASE_US:
            self.accuse(happening.at_us, f"{what} after its end")
        self._count(happening, row, incident, what)

    def _incident(self, row: Row | None) -> Incident | None:
        incident_id = row.notification.incident_id if row is not None else None
        return self.scene.records.incidents.get(IncidentId(incident_id)) if incident_id is not None else None

    def _owner(self, row: Row | None) -> Person | None:
        person_id = row.notification.endpoint.person_id if row is not None else None
        return self.scene.registry.people.get(person_id) if person_id is not None else None

    def _wore_it_then(self, row: Row, incident: Incident, person: Person) -> bool:
        """A badge may press while a call about another one is on its way."""
        presses_us = self.scene.records.seen[incident.id].presses_us
        mine = [at for at, p in zip(presses_us, incident.presses, strict=False) if p.assigned_to == person.id]
        return bool(mine) and min(mine) <= row.born_us

    def _is_texted(self, row: Row) -> bool:
        n = row.notification
        others = self.scene.records.rows_of.get(n.incident_id, ()) if n.incident_id is not None else ()
        return any(
            other.notification.endpoint.person_id == n.endpoint.person_id
            and not is_voice(self.scene, other.notification.endpoint.channel)
            and other.state in (NotificationState.SENT, NotificationState.DELIVERED)
            and n.reason is not Reason.OTHER_CHANNEL
            for other in others
        )

    def _count(self, call: CallTaken, row: Row, incident: Incident, what: str) -> None:
        n = row.notification
        if n.kind not in COUNTED or n.reason is Reason.OTHER_CHANNEL:
            return
        rang = self._rang.setdefault((incident.id, call.to, n.kind, incident.generation, incident.round), set())
        rang.add(n.id)
        if len(rang) > CALLS_MAX:
            self.accuse(call.at_us, f"{what} for the {len(rang)}th time", once=f"{incident.id}/{call.to}")


class Live(Struct, kw_only=True, eq=False):
    """A call that has not come to its end."""

    notification_id: NotificationId
    taken: bool = False
    why: str = ""
    """Why nobody should take it any more; empty: it is as good as it was."""
    since_calm_us: int = 0
    drill_over_calm_us: int = 0
    """Since when it is about a drill that is over: its owner may have answered long before, and it speaks on."""


class PhonesFallSilent(Checker):
    name = "phones fall silent"
    docs = (
        "Promise 3, req 61: five calm seconds after a human ended or corrected it, after the end of a drill, or after "
        "its owner answered by another way, no phone rings for it any more, and nobody who takes a call hears of a "
        "drill that is over. What was texted before stays texted."
    )
    sees = (Committed, CallTaken, CallPickedUp, CallHeard, CallStatus, Crashed)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._live: dict[str, Live] = {}
        self._answered_us: dict[tuple[IncidentId, Answer], int] = {}
        self._drilling: set[SiteId] = set()
        self._changed: dict[IncidentId, Incident] = {}
        """By the commit that is looked at: the records take it up later."""

    def see(self, happening: Happening) -> None:
        match happening:
            case Committed():
                self._commit(happening)
            case CallTaken(notification_id=id_) if id_ is not None:
                self._live[happening.sid] = Live(notification_id=id_)
                self._weigh(happening.at_us)
            case CallPickedUp(sid=sid) if sid in self._live:
                self._judge(happening.at_us, sid, "is taken")
                self._live[sid].taken = True
            case CallHeard(sid=sid, human=True) if sid in self._live and self._live[sid].why == DRILL_IS_OVER:
                since_calm_us = self._live[sid].drill_over_calm_us
                self._judge(happening.at_us, sid, f"says {happening.words[:40]!r}", since_calm_us=since_calm_us)
            case CallStatus(sid=sid, status=status) if sid in self._live and status in ENDED:
                if not self._live[sid].taken:
                    self._judge(happening.at_us, sid, "rang until now")
                del self._live[sid]
            case Crashed(power=True):  # the last commit may have gone with it
                self._answered_us.clear()
                for call in self._live.values():
                    call.why = ""
            case _:
                pass

    def _commit(self, committed: Committed) -> None:
        drill = committed.decision.drill
        if drill is not None:
            (self._drilling.add if drill.is_running else self._drilling.discard)(drill.site_id)
        self._changed = {incident.id: incident for incident in committed.decision.incidents}
        for incident in self._changed.values():
            before = self.scene.records.incidents.get(incident.id)
            for answer in set(incident.answers) - set(before.answers if before is not None else ()):
                self._answered_us[incident.id, answer] = committed.at_us
        self._weigh(committed.at_us)
        self._changed = {}

    def _weigh(self, at_us: int) -> None:
        """Since when is each call needless?"""
        for call in self._live.values():
            row = self.scene.records.rows.get(call.notification_id)
            why = "" if row is None else self._needless(row)
            if why and not call.why:
                call.since_calm_us = self.scene.conditions.calm_us(at_us)
            if why == DRILL_IS_OVER != call.why:
                call.drill_over_calm_us = self.scene.conditions.calm_us(at_us)
            call.why = why

    def _needless(self, row: Row) -> str:
        n = row.notification
        if n.mode is Mode.DRILL and n.kind is not Kind.DRILL_OVER and n.site_id not in self._drilling:
            return DRILL_IS_OVER
        if n.incident_id is None or n.kind not in ASKING | {Kind.DRILL_STOPPED}:
            return ""
        incident = self._changed.get(n.incident_id) or self.scene.records.incidents.get(n.incident_id)
        if incident is None:
            return ""
        if not incident.is_open or incident.escalation is EscalationState.STOPPED:
            return "it is over"
        if n.kind is Kind.DRILL_STOPPED:
            return ""  # it tells, and asks nothing
        return "its owner has answered" if self._has_answered(row, incident) else ""

    def _has_answered(self, row: Row, incident: Incident) -> bool:
        """Since it was written, by an answer that knows of everything. What they had said by then is why they are asked
        once more, and what they say of less answers less."""
        person_id = row.notification.endpoint.person_id
        if self.scene.conditions.last_step_us > row.born_us:  # stamps of before and after cannot be compared
            return False
        answers = (a for a in incident.answers[incident.counted_from :] if a.person_id == person_id)
        known = (a for a in answers if a.covers >= len(incident.presses))
        return any(self._answered_us.get((incident.id, a), -1) > row.born_us for a in known)

    def _judge(self, at_us: int, sid: str, what: str, *, since_calm_us: int | None = None) -> None:
        call = self._live[sid]
        since_us = call.since_calm_us if since_calm_us is None else since_calm_us
        calm_s = (self.scene.conditions.calm_us(at_us) - since_us) / 1_000_000
        if call.why and calm_s > SILENT_WITHIN_S:
            row = self.scene.records.rows.get(call.notification_id)
            name = row.notification.recipient if row is not None else call.notification_id
            message = f"the call to {name} ({call.notification_id}) {what}, {calm_s:.0f} s after {call.why}"
            self.accuse(at_us, message, once=sid)


class CarrierUndoesNothing(Checker):
    name = "carrier undoes nothing"
    docs = (
        'Promise 5: what carriers report ("machine", "completed", "busy") adds no answer and takes none back: a key '
        "that a human pressed stands."
    )
    sees = (Consequence,)

    def see(self, happening: Happening) -> None:
        if not isinstance(happening, Committed) or not isinstance(happening.event, OutcomeReported):
            return
        for after in happening.decision.incidents:
            before = self.scene.records.incidents.get(after.id)
            if before is not None and (before.answers, before.counted_from) != (after.answers, after.counted_from):
                outcome = type(happening.event.outcome).__name__
                self.accuse(happening.at_us, f"{after.headline} ({after.id}): {outcome} changes what people answered")
