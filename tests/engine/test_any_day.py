"""Whatever happens, in whatever order: what must hold after every event."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from alertd.engine.gsm7 import septets
from alertd.engine.replies import OPT_IN_WORDS, OPT_OUT_WORDS
from alertd.model.decision import Decision
from alertd.model.events import Event, TroubleCleared
from alertd.model.incident import AnswerKind, DispatchState, EscalationState, Incident, IncidentState, is_panic
from alertd.model.mode import Mode
from alertd.model.notification import Kind, NotificationState
from alertd.model.outcome import Accepted, Delivered, Failed, Unknown
from alertd.model.site import StateRules
from alertd.model.timer import TimerKind
from tests.engine.play import Play
from tests.engine.school import ASSIST, policy, registry

DEVICES = ["badge-204", "badge-118", "walker", "wall-gym", "vape-wc"]
NAMES = ["Ruiz", "Chen", "Nurse", "Okafor", "Diaz"]


class AnyDay(RuleBasedStateMachine):
    """A school day without mercy."""

    state_rules = StateRules()

    def __init__(self) -> None:
        super().__init__()
        self.play = Play(registry(policy("staff_assist", *ASSIST.steps, cancel_window_s=8), rules=self.state_rules))
        self.decisions: list[tuple[Event, Decision]] = []
        deciding = self.play.do

        def watched(event: Event) -> Decision:
            before = dict(self.play.rows)
            decision = deciding(event)
            for row in decision.notifications:
                known = before.get(row.notification.id)
                assert known is None or known.notification.text == row.notification.text, (
                    f"one notification id, two contents: {known.notification} and {row.notification}"
                )
            self.decisions.append((event, decision))
            return decision

        self.play.do = watched  # type: ignore[method-assign]

    @rule(device=st.sampled_from(DEVICES), count=st.sampled_from([None, 1, 3, 8]), late=st.booleans())
    def press(self, device: str, count: int | None, late: bool) -> None:
        since = self.play.now_us - 600_000_000 if late else None
        action = "vape" if device == "vape-wc" else "press"
        self.play.arrive(device, action, count=count, backlog_since_us=since)

    @rule(seconds=st.sampled_from([0.1, 2, 9, 31, 61, 125, 301]))
    def wait(self, seconds: float) -> None:
        self.play.wait(seconds)

    @rule(name=st.sampled_from(NAMES), digit=st.sampled_from([4, 5, 6, 8, 9, 1]), old=st.booleans())
    def reply(self, name: str, digit: int, old: bool) -> None:
        every = [*self.play.closed.values()] if old else [*self.play.state.incidents.values()]
        self.play.reply(name, f"{digit}{every[-1].token}" if every else str(digit))

    @rule(name=st.sampled_from(NAMES), body=st.sampled_from(["4", "ok", "STOP", "START", 'Liked "417"', "he runs"]))
    def text(self, name: str, body: str) -> None:
        self.play.reply(name, body)

    @precondition(lambda self: len(self.play.state.incidents) == 1)
    @rule(what=st.sampled_from(["resolve", "release", "correct", "answer", "accepted", "rejected"]))
    def act(self, what: str) -> None:
        actions: dict[str, Callable[[], Any]] = {
            "resolve": self.play.resolve,
            "release": lambda: self.play.resolve(rooms_released=True),
            "correct": self.play.correct,
            "answer": lambda: self.play.answer("Chen", AnswerKind.ARRIVED),
            "accepted": lambda: self.play.center(DispatchState.ACCEPTED),
            "rejected": lambda: self.play.center(DispatchState.REJECTED),
        }
        actions[what]()

    @rule(what=st.sampled_from(["lockdown", "staff_assist", "medical", "end", "restart"]))
    def drill(self, what: str) -> None:
        if what == "end":
            self.play.end_drill()
        elif what == "restart":
            self.play.restart()
        else:
            devices = ["wall-gym"] if what == "medical" else ["badge-204", "walker"]
            self.play.drill(*devices, drilled=what, minutes=2)

    @rule(pick=st.integers(0, 10), what=st.sampled_from(["ok", "later", "never", "unknown"]), asked=st.booleans())
    def outcome(self, pick: int, what: str, asked: bool) -> None:
        queued = [
            r for r in self.play.rows.values() if r.state in (NotificationState.QUEUED, NotificationState.UNKNOWN)
        ]
        if not queued:
            return
        row = queued[pick % len(queued)]
        if row.state is NotificationState.QUEUED:
            row = self.play.claim(row)
        outcomes = {
            "ok": Delivered(ref="SM1") if row.notification.body else Accepted(ref="SM1"),
            "later": Failed(permanent=False, code="503"),
            "never": Failed(permanent=True, code="30005"),
            "unknown": Unknown(detail="?"),
        }
        self.play.outcome(row, outcomes[what], looked_up=asked)

    @invariant()
    def an_open_panic_always_has_a_next_moment(self) -> None:
        """Promise 2: no open panic is forgotten: something will call the engine back, or a human has it in hand."""
        for incident in self.play.state.incidents.values():
            if is_panic(incident.incident_class):
                assert self._has_next(incident), f"nothing will ever happen to {incident}"

    def _has_next(self, incident: Incident) -> bool:
        kinds = {
            t.kind
            for _, t in self.play.timers.values()
            if t.incident_id == incident.id and t.detail == str(incident.generation)
        }
        if incident.state is IncidentState.CANCEL_WINDOW:
            return TimerKind.CANCEL_WINDOW in kinds
        match incident.escalation:
            case EscalationState.RUNNING:
                return TimerKind.STEP in kinds
            case EscalationState.EXHAUSTED:
                return TimerKind.WIDEN in kinds
            case EscalationState.PAUSED:
                since = incident.answers[incident.counted_from :]
                return TimerKind.ARRIVE in kinds or any(a.kind is AnswerKind.ARRIVED for a in since)
            case EscalationState.STOPPED:
                return incident.state is IncidentState.RELEASING
        return False

    @invariant()
    def dispatch_never_waits_for_ever(self) -> None:
        """Req 15: silence is not a veto."""
        for incident in self.play.state.incidents.values():
            if incident.dispatch_hold is not None and incident.state is IncidentState.ACTIVE:
                kinds = {t.kind for _, t in self.play.timers.values() if t.incident_id == incident.id}
                assert TimerKind.LATE_CONFIRM in kinds, f"req 15: dispatch waits, and nothing will end it: {incident}"

    @invariant()
    def every_decision_has_a_reason(self) -> None:
        """Promise 4."""
        for event, decision in self.decisions[-3:]:
            assert decision.entries or isinstance(event, TroubleCleared), (
                f"promise 4: nothing was written down about {event}"
            )
            assert all(row.reason for row in decision.notifications)

    @invariant()
    def every_text_fits_and_asks_for_nothing_a_carrier_would_take(self) -> None:
        for row in [*self.play.rows.values()][-12:]:
            text = row.notification.text
            assert (septets(text) or 999) <= 160 or not text
            reserved = (OPT_OUT_WORDS | OPT_IN_WORDS) - {"START"}
            replies = [text[i + 6 :].split()[0].strip(".,") for i in range(len(text)) if text.startswith("Reply ", i)]
            assert not set(replies) & reserved

    @invariant()
    def a_drill_is_marked_ends_and_never_touches_what_is_real(self) -> None:
        """Promise 3."""
        state = self.play.state
        modes = {i.mode for i in state.incidents.values() if is_panic(i.incident_class)}
        assert len(modes) < 2, "promise 3: a drill and something real are open at once"
        if state.drill is None:
            assert Mode.DRILL not in modes, "promise 3: a drill is over, and its incident looks for people"
        else:
            ends = {t.detail for _, t in self.play.timers.values() if t.kind is TimerKind.DRILL_END}
            assert state.drill.id in ends, "req 77: nothing will end the drill"
            assert Mode.LIVE not in modes, "promise 3: something is real, and a drill runs"
        for row in [*self.play.rows.values()][-12:]:
            n = row.notification
            waits = row.state is NotificationState.QUEUED
            assert not (n.mode is Mode.DRILL and n.endpoint.dispatch and waits), f"promise 3: {n}"
            if n.mode is Mode.DRILL and n.text and n.kind is not Kind.DRILL_OVER:
                assert n.text.startswith("THIS IS A DRILL. "), n.text
                assert n.text.endswith(" THIS IS A DRILL."), n.text

    @invariant()
    def the_site_is_never_left(self) -> None:
        """Promise 6."""
        district = {"Super", "Elmer"}
        for row in self.play.rows.values():
            if row.notification.recipient in district:
                assert row.notification.reason.value.startswith("exhausted_district") or row.notification.kind in (
                    "also",
                    "update",
                    "correction",
                    "closing",
                    "not_arrived",
                    "answer",
                    "alert",
                ), f"promise 6: {row.notification}"


class AnyCautiousDay(AnyDay):
    """The same at a site that confirms before it tells dispatch (req 14)."""

    state_rules = StateRules(confirm_before_dispatch="timed", confirm_timeout_s=45)


TestAnyDay = AnyDay.TestCase
TestAnyDay.settings = settings(max_examples=25, stateful_step_count=25, derandomize=True, deadline=None)
TestAnyCautiousDay = pytest.mark.slow(AnyCautiousDay.TestCase)
TestAnyCautiousDay.settings = TestAnyDay.settings


@pytest.mark.slow
def test_any_day_for_long() -> None:
    from hypothesis.stateful import run_state_machine_as_test

    for day in (AnyDay, AnyCautiousDay):
        run_state_machine_as_test(
            day, settings=settings(max_examples=400, stateful_step_count=40, derandomize=True, deadline=None)
        )
