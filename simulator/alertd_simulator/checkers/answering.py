"""Promise 5: only a human's answer acknowledges: no tapback, no auto-reply, no words, no code of another incident.

Owns the judgement whether an answer that was counted had been given: by whom, when, and about what it could know.
"""

import re
from collections.abc import Sequence

from alertd.model.events import AnswerGiven, Event, Keyed, Replied, TimerFired
from alertd.model.ids import IncidentId, PersonId
from alertd.model.incident import Answer, AnswerKind, EscalationState, Incident
from alertd.model.notification import Kind, NotificationRow
from alertd.model.policy import Policy
from alertd.model.timer import TimerKind
from alertd_simulator.checkers.checker import Checker, Consequence, Scene
from alertd_simulator.checkers.final import Final
from alertd_simulator.checkers.steps import LOOKING
from alertd_simulator.world.happenings import (
    Attempted,
    CallTaken,
    Committed,
    Happening,
    KeyPressed,
    Meant,
    Ordered,
    TextTaken,
    Typed,
)

CODE = re.compile(r"\s*([1-9])(?:\s?([0-9]{2,6}))?\s*")
"""A code, or its first digit alone."""
DIGIT = {"4": AnswerKind.GOING, "5": AnswerKind.ARRIVED, "6": AnswerKind.CANNOT_GO}
MEANT = {
    Meant.GOING: AnswerKind.GOING,
    Meant.ARRIVED: AnswerKind.ARRIVED,
    Meant.CANNOT_GO: AnswerKind.CANNOT_GO,
}
NOTICE_US = 0
"""A press that was committed so shortly after somebody typed may count as known to them."""
SLOW_NOTICE_US = 10_000_000
"""The same while the disk is slow or fails: it was taken up before, and its commit took so long."""
STEP_US = 120_000_000
"""Stamps from before and after a step of the clock cannot be compared; texts are on their way for about so long."""
DISK = ("slow_disk", "disk_full", "disk_fails")


class Acknowledgements(Checker):
    name = "acknowledgement"
    docs = (
        "Promise 5 (req 55, req 60): an answer counts, and an escalation pauses, only after a human typed this "
        "incident's code on a phone that was told of it, pressed a key in a call about it, or answered at the "
        "console. Never by reaction, auto-reply, words, a machine that took a call, a stale or foreign token, a status "
        "of carrier or dispatch; and it covers only what was known then: "
        "neither a room that pressed later, nor what the incident has become since. An answer that lapsed because "
        "nobody arrived, or that was given before an upgrade, counts for nothing afterwards."
    )
    sees = (Consequence, Typed, KeyPressed, CallTaken, Ordered, TextTaken, Attempted)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._by_sid: dict[str, Typed] = {}
        self._by_words: dict[tuple[str, str], list[Typed]] = {}
        self._told_us: dict[tuple[str, IncidentId], int] = {}
        """Since when a phone may know of an incident."""
        self._keys: dict[tuple[str, str], KeyPressed] = {}
        """By call and key."""
        self._spoken_us: dict[str, int] = {}
        """Of each call, when it last said what was known."""
        self._over: dict[IncidentId, dict[int, frozenset[Answer]]] = {}
        """Answers that count no more, by the incident's generation since which that is so."""
        self._clicked: dict[IncidentId, int] = {}
        self._ordered: set[IncidentId] = set()

    def see(self, happening: Happening) -> None:
        match happening:
            case Committed():
                for incident in happening.decision.incidents:
                    self._judge(happening, incident)
                if isinstance(happening.event, Keyed):
                    self._spoken_us[_call_of(happening.event)] = happening.at_us
            case KeyPressed():
                self._keys[happening.sid, happening.key] = happening
            case CallTaken():
                self._spoken_us[happening.sid] = happening.at_us
            case Typed():
                self._by_words.setdefault((happening.number, happening.body), []).append(happening)
                if happening.sid:
                    self._by_sid[happening.sid] = happening
            case Ordered(incident_id=incident_id) if incident_id is not None and "answer" in happening.what:
                self._ordered.add(incident_id)
            case Attempted(claim=claim) if claim.notification.incident_id is not None:
                key = (claim.notification.endpoint.address, claim.notification.incident_id)
                self._told_us.setdefault(key, happening.at_us)
            case _:
                pass

    def finish(self, final: Final, at_us: int) -> None:  # noqa: ARG002 - a checker's signature
        for incident_id, clicked_us in self._clicked.items():
            if incident_id not in self._ordered:
                self.accuse(clicked_us, f"{incident_id} was answered at the console by nobody")

    # --- one commit

    def _judge(self, committed: Committed, after: Incident) -> None:
        before = self.scene.records.incidents.get(after.id)
        known = set(before.answers) if before is not None else set()
        for answer in after.answers:
            if answer not in known:
                wrong = self._wrong(committed, after, answer)
                if wrong:
                    self.accuse(
                        committed.at_us,
                        f"{answer.name}'s {answer.kind} counts for {after.headline} ({after.id}): {wrong}",
                    )
        if before is None:
            return
        if _lapses(committed.event, before, after) or before.incident_class is not after.incident_class:
            self._over.setdefault(after.id, {})[after.generation] = frozenset(before.answers)
        if after.escalation is EscalationState.PAUSED and before.escalation in LOOKING:
            self._judge_pause(committed, after)

    def reread(self, incidents: Sequence[Incident], rows: Sequence[NotificationRow], at_us: int) -> None:  # noqa: ARG002
        """What a power cut took has not happened: what lapsed with it counts again."""
        for incident in incidents:
            over = self._over.get(incident.id, {})
            self._over[incident.id] = {n: those for n, those in over.items() if n <= incident.generation}

    def _wrong(self, committed: Committed, incident: Incident, answer: Answer) -> str:
        event = committed.event
        match event:
            case AnswerGiven():
                self._clicked.setdefault(incident.id, committed.at_us)
                same = (event.incident_id, event.person_id, event.kind) == (incident.id, answer.person_id, answer.kind)
                return "" if same else "the console said something else"
            case Replied():
                typed = self._typed(event)
                return "nobody typed it" if typed is None else self._misread(typed, incident, answer)
            case Keyed():
                return self._miskeyed(event, incident, answer)
            case _:
                return f"it came from {type(event).__name__}"

    def _miskeyed(self, event: Keyed, incident: Incident, answer: Answer) -> str:
        """Only a human's key counts, in a call about this very incident, for what the call had said by then."""
        sid = _call_of(event)
        pressed = self._keys.get((sid, str(event.digit)))
        if pressed is None:
            return f"nobody pressed {event.digit} in {sid}"
        if DIGIT.get(pressed.key) is not answer.kind:
            return f"pressed was {pressed.key}"
        row = self.scene.records.rows.get(event.notification_id)
        if row is not None and row.notification.incident_id != incident.id:
            return "the call was about another incident"
        if pressed.person_id is not None and pressed.person_id != answer.person_id:
            return f"{pressed.person_id} pressed the key"
        return self._covers_more(answer, incident, self._spoken_us.get(sid, pressed.at_us), "said")

    def _typed(self, event: Replied) -> Typed | None:
        sid = str(event.cause).rpartition(":")[2]
        if sid in self._by_sid:
            return self._by_sid[sid]
        written = self._by_words.get((event.address, event.body), [])
        return written[-1] if written else None

    def _misread(self, typed: Typed, incident: Incident, answer: Answer) -> str:  # noqa: PLR0911 - one a rule
        code = CODE.fullmatch(typed.body)
        if code is None or code[1] not in DIGIT:
            return f"typed was {typed.body!r} ({typed.meant}), which is no such code"
        if DIGIT[code[1]] is not answer.kind:
            return f"typed was {typed.body!r}"
        if code[2] is not None and code[2] != incident.token:
            return f"typed was {typed.body!r}, and the token is {incident.token}"
        told_us = self._told_us.get((typed.number, incident.id))
        if typed.meant is Meant.FOREIGN and any(told.endpoint_key.endswith(typed.number) for told in incident.told):
            told_us = typed.at_us  # a guess has come true: it is the code of what is on its way to this phone
        if told_us is None or told_us > typed.at_us:
            return "that phone had not been told of it"
        if typed.person_id is not None and typed.person_id != answer.person_id:
            return f"{typed.person_id} typed it"
        if typed.meant not in MEANT and typed.meant is not Meant.FOREIGN:
            return f"it was meant as {typed.meant}"
        return self._covers_too_much(typed, incident, answer)

    def _covers_too_much(self, typed: Typed, incident: Incident, answer: Answer) -> str:
        return self._covers_more(answer, incident, typed.at_us, "typed")

    def _covers_more(self, answer: Answer, incident: Incident, at_us: int, how: str) -> str:
        """More presses than were known at that moment?"""
        seen, conditions = self.scene.records.seen.get(incident.id), self.scene.conditions
        presses_us = seen.presses_us if seen is not None else []
        slow = any(conditions.lately(fault, at_us, SLOW_NOTICE_US) for fault in DISK)
        by_us = at_us + (SLOW_NOTICE_US if slow else NOTICE_US)
        known = sum(press_us <= by_us for press_us in presses_us)
        if at_us - STEP_US <= conditions.last_step_us:
            return ""
        if answer.covers and seen is not None and seen.upgraded_us is not None and seen.upgraded_us > by_us:
            return f"it was {how} before the incident became {incident.incident_class}"
        if answer.covers > max(1, known):
            return f"it covers {answer.covers} presses, of which {known} were known when it was {how}"
        return ""

    # --- is it enough?

    def _judge_pause(self, committed: Committed, after: Incident) -> None:
        if not _is_answer(committed.event):
            event = type(committed.event).__name__
            self.accuse(committed.at_us, f"{after.headline} ({after.id}) stopped looking for people on {event}")
        elif (going := self.going(after)) < (wanted := self._wanted(after)):
            self.accuse(
                committed.at_us,
                f"{after.headline} ({after.id}) stopped looking for people: {going} going, {wanted} must",
            )

    def going(self, incident: Incident) -> int:
        """People whose last word is that they go, knowing all presses, and whose answer counts at this step. Not what
        the incident says of itself (`counted_from`): what lapsed before our eyes."""
        over = frozenset[Answer]().union(*self._over.get(incident.id, {}).values())
        latest: dict[PersonId, Answer] = {a.person_id: a for a in incident.answers if a not in over}
        groups = self._counted_groups(incident)
        people = self.scene.registry.people
        return sum(
            answer.kind is not AnswerKind.CANNOT_GO
            and answer.covers >= len(incident.presses)
            and (not groups or (person_id in people and bool(groups & set(people[person_id].groups))))
            for person_id, answer in latest.items()
        )

    def _policy(self, incident: Incident) -> Policy | None:
        return self.scene.registry.policies_by_hash.get(incident.policy_hash)

    def _counted_groups(self, incident: Incident) -> set[str]:
        policy = self._policy(incident)
        if policy is None or incident.step >= len(policy.steps):
            return set()
        return set(policy.steps[incident.step].answer_from)

    def _wanted(self, incident: Incident) -> int:
        policy = self._policy(incident)
        return 1 if policy is None else policy.steps[min(incident.step, len(policy.steps) - 1)].answers


def _lapses(event: Event, before: Incident, after: Incident) -> bool:
    """Nobody has arrived in the policy's time, and others are looked for again."""
    waited = isinstance(event, TimerFired) and event.timer.kind is TimerKind.ARRIVE
    return waited and before.escalation is EscalationState.PAUSED and after.escalation in LOOKING


def _call_of(event: Keyed) -> str:
    """The carrier's name of the call, from what makes the key's identity."""
    return str(event.cause).split(":")[1]


def _is_answer(event: Event) -> bool:
    return isinstance(event, Replied | Keyed | AnswerGiven)


class OneReplyOneAnswer(Checker):
    name = "one reply, one answer"
    docs = (
        "Whoever texts is answered at most once, and automatic replies never are: two machines must not talk all night."
    )
    sees = (Consequence,)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._answered: dict[str, str] = {}

    def see(self, happening: Happening) -> None:
        if not isinstance(happening, Committed) or not isinstance(happening.event, Replied | Keyed):
            return
        for row in happening.decision.notifications:
            content = row.notification
            if content.kind is not Kind.ANSWER:
                continue
            before = self._answered.setdefault(happening.event.cause, content.id)
            if before != content.id:
                self.accuse(happening.at_us, f"{content.recipient}'s text was answered twice ({before}, {content.id})")
