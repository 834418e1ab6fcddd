"""What a claim does not give out, though it is due: it is looked at once more where it would leave.

Owns promise 3 at that door: modes, drills, incidents that are over, texts that are out of date, calls that were
answered; and that the timeline says why (promise 4).
"""

from typing import NamedTuple

import pytest
from msgspec.structs import replace

from alertd.model.decision import Decision
from alertd.model.ids import PersonId
from alertd.model.incident import Answer, AnswerKind, EscalationState, IncidentState
from alertd.model.mode import Mode
from alertd.model.notification import Claim, Kind, NotificationState
from alertd.model.reason import Reason
from alertd.testing.store_contract.world import ELM, PLENTY, OneWorld, World, ids, outbox
from alertd.testing.store_values import OAK, START_WALL_US, dispatch_centre, drill, incident, press, queued, text

PROMISE_3 = "promise 3 broken: a drill or a test reached dispatch"


class ModeCase(NamedTuple):
    """May a row of this mode and kind, of an incident of that mode, go to a dispatch centre?"""

    mode: Mode
    incident_mode: Mode | None
    kind: Kind
    accepts_exercise: bool
    allowed: bool

    def __str__(self) -> str:
        of = self.incident_mode.value if self.incident_mode else "no"
        exercise = "-exercises" if self.accepts_exercise else ""
        return f"{self.mode.value}-of-{of}-incident-{self.kind.value}{exercise}"


class Refusals(OneWorld):
    """Whether a row is born claimed, claimed later, or born after it was read."""

    @pytest.mark.parametrize("way", ["born", "claimed later", "born after a read"])
    @pytest.mark.parametrize(
        "case",
        [
            ModeCase(Mode.LIVE, Mode.LIVE, Kind.DISPATCH_NEW, accepts_exercise=False, allowed=True),
            ModeCase(Mode.DRILL, Mode.DRILL, Kind.DISPATCH_NEW, accepts_exercise=False, allowed=False),
            ModeCase(Mode.DRILL, Mode.DRILL, Kind.DISPATCH_NEW, accepts_exercise=True, allowed=True),
            ModeCase(Mode.TEST, Mode.TEST, Kind.DISPATCH_NEW, accepts_exercise=True, allowed=False),
            ModeCase(Mode.TEST, None, Kind.DISPATCH_HEARTBEAT, accepts_exercise=False, allowed=True),
            ModeCase(Mode.TEST, None, Kind.TEST, accepts_exercise=False, allowed=True),
            ModeCase(Mode.LIVE, Mode.DRILL, Kind.DISPATCH_NEW, accepts_exercise=False, allowed=False),
            ModeCase(Mode.DRILL, Mode.LIVE, Kind.DISPATCH_NEW, accepts_exercise=True, allowed=False),
        ],
        ids=str,
    )
    def test_the_mode_is_read_again_where_a_send_is_claimed(
        self,
        world: World,
        way: str,
        case: ModeCase,
    ) -> None:
        endpoint = dispatch_centre(accepts_exercise=case.accepts_exercise)
        of = None if case.incident_mode is None else "inc-1"
        row = text("ntf-1", endpoint=endpoint, mode=case.mode, kind=case.kind, incident_id=of)
        incidents = () if case.incident_mode is None else (incident(1, mode=case.incident_mode),)
        decision = Decision(drill=drill(), incidents=incidents, notifications=(queued(row),))
        claims = self._claim_in(way, world, decision)

        assert ids(claims) == (["ntf-1"] if case.allowed else []), PROMISE_3
        if not case.allowed:
            assert world.row("ntf-1").state is NotificationState.SUPPRESSED, PROMISE_3
            self._assert_says_why(world, Reason.MODE_FORBIDS)

    @pytest.mark.parametrize("way", ["born", "claimed later", "born after a read"])
    def test_a_text_of_a_drill_is_not_sent_for_a_real_incident(self, world: World, way: str) -> None:
        decision = replace(outbox(text("ntf-1", mode=Mode.DRILL)), drill=drill())

        assert self._claim_in(way, world, decision) == (), PROMISE_3
        self._assert_says_why(world, Reason.MODE_FORBIDS)

    @pytest.mark.parametrize("way", ["born", "claimed later", "born after a read"])
    def test_a_drill_says_nothing_before_it_began_or_after_it_is_over_but_that_it_is(
        self, world: World, way: str
    ) -> None:
        announced = text("ntf-1", mode=Mode.DRILL, kind=Kind.DRILL_BEGINS, incident_id=None)
        over = text("over", mode=Mode.DRILL, kind=Kind.DRILL_OVER, incident_id=None)
        rows = (queued(announced), queued(over))
        world.commit(Decision(drill=drill(site_id=ELM)), event=press(site_id=ELM))
        claims = self._claim_in(way, world, Decision(drill=drill(2, ended=True), notifications=rows))

        assert ids(claims) == ["over"], "a drill that is over is announced"
        assert world.row("ntf-1").state is NotificationState.WITHDRAWN
        assert world.row("ntf-1").reason is Reason.DRILL_OVER
        assert world.claim() == ()

    @pytest.mark.parametrize("way", ["born", "claimed later", "born after a read"])
    def test_a_closed_incident_sends_only_what_outlives_it(self, world: World, way: str) -> None:
        closed = incident(1, closed_us=START_WALL_US)
        rows = (queued(text("ntf-1")), queued(text("correction", kind=Kind.CORRECTION)))
        claims = self._claim_in(way, world, Decision(incidents=(closed,), notifications=rows))

        assert ids(claims) == ["correction"]
        assert world.row("ntf-1").state is NotificationState.WITHDRAWN
        self._assert_says_why(world, Reason.INCIDENT_CLOSED)

    @pytest.mark.parametrize("way", ["born", "claimed later", "born after a read"])
    def test_nobody_is_called_to_an_open_incident_that_a_human_said_is_over(self, world: World, way: str) -> None:
        over = replace(incident(1), state=IncidentState.RELEASING, escalation=EscalationState.STOPPED)
        rows = (queued(text("ntf-1")), queued(text("note", kind=Kind.UPDATE)))
        claims = self._claim_in(way, world, Decision(incidents=(over,), notifications=rows))

        assert ids(claims) == ["note"]
        assert world.row("ntf-1").state is NotificationState.WITHDRAWN
        self._assert_says_why(world, Reason.INCIDENT_CLOSED)

    @pytest.mark.parametrize("way", ["born", "claimed later", "born after a read"])
    def test_an_expired_text_is_not_sent(self, world: World, way: str) -> None:
        claims = self._claim_in(way, world, outbox(text("ntf-1", expires_us=START_WALL_US)))

        assert claims == ()
        assert world.row("ntf-1").state is NotificationState.EXPIRED
        self._assert_says_why(world, Reason.EXPIRED)

    @pytest.mark.parametrize(
        ("said_us", "state", "reason"),
        [
            (-1, NotificationState.CLAIMED, Reason.FIRST_WAVE),
            (1, NotificationState.WITHDRAWN, Reason.ANSWERED_OTHERWISE),
        ],
        ids=["before it was written", "since"],
    )
    def test_a_call_to_whoever_has_answered_since_it_was_written_is_withdrawn(
        self, world: World, said_us: int, state: NotificationState, reason: Reason
    ) -> None:
        call = replace(text("call"), rings=True)
        given = Answer(
            person_id=PersonId("person-1"),
            name="Ruiz",
            kind=AnswerKind.CANNOT_GO,
            at_us=call.created_us + said_us,
            via="sms",
            covers=1,
        )
        world.commit(Decision(incidents=(replace(incident(1), answers=(given,)),), notifications=(queued(call),)))
        world.claim()

        assert (world.row("call").state, world.row("call").reason) == (state, reason)

    def _claim_in(self, way: str, world: World, decision: Decision) -> tuple[Claim, ...]:
        if way == "born":
            return world.commit(decision, born=PLENTY)
        if way == "claimed later":
            assert world.commit(decision) == ()
            return world.claim()
        now = world.clock.now()
        with world.store.begin([OAK], now) as transaction:
            transaction.write(press(), decision, now)
            transaction.notification(decision.notifications[0].notification.id)
            return transaction.commit(born_leased=PLENTY)

    def _assert_says_why(self, world: World, reason: Reason) -> None:
        assert world.row("ntf-1").reason is reason
        assert world.claim() == ()
        incident_id = world.row("ntf-1").notification.incident_id
        assert incident_id is not None
        said = [line.entry.reason for line in world.store.read_timeline(incident_id) if line.entry]
        assert said == [reason], "promise 4: the timeline does not say why it was not sent"
        assert world.store.verify_journal(OAK) == 1
