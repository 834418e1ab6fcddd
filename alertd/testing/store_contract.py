"""What every store must keep, as one test class. Ours and a third party's run the same.

Subclass `StoreContract` in a test module and give it a fixture `make_store`: a function without arguments that returns
a new store, not opened, on this test's database (always the same one), with leases of `LEASE_S`. Set `shared` if
several nodes may hold the database open at once. Assertions name the promise that breaks.
"""
# ruff: noqa: S106 - a reply token is no password

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from alertd.model.check_in import LastSeen
from alertd.model.decision import Activation, Decision, DeviceTest, EntryKind, GestureCount, Withdrawal
from alertd.model.events import ClockStepped, Event, TimerFired
from alertd.model.ids import DISTRICT, CauseId, DeviceId, IncidentId, NotificationId, PersonId, SiteId, TimerId
from alertd.model.incident import Answer, AnswerKind, EscalationState, IncidentClass, IncidentState, Severity
from alertd.model.mode import Mode
from alertd.model.notification import (
    Claim,
    Kind,
    Lane,
    Notification,
    NotificationChange,
    NotificationRow,
    NotificationState,
)
from alertd.model.people import Endpoint
from alertd.model.reason import Reason
from alertd.model.trouble import Trouble
from alertd.ports import Store, StoreError
from alertd.testing.store_values import (
    DAY_US,
    OAK,
    POLICY_HASH,
    SECOND_US,
    START_WALL_US,
    TestClock,
    dispatch_centre,
    drill,
    entry,
    first_wave,
    incident,
    phone,
    policy,
    press,
    queued,
    text,
    timer,
)

LEASE_S = 1.0
PROMISE_2 = "promise 2 broken: a press was taken for a copy of one that is long ago"
PROMISE_3 = "promise 3 broken: a drill or a test reached dispatch"
LEASE = "the lease: a row that its owner may still be sending was given out again"
PLENTY: Mapping[str, int] = {"sms": 100, "dispatch": 100}
NONE: Mapping[str, int] = {}
ELM = SiteId("elm")
MakeStore = Callable[[], Store]


class World:
    """One database, one clock, and the store that is open on it."""

    def __init__(self, make_store: MakeStore) -> None:
        self.make_store = make_store
        self.clock = TestClock()
        self._incarnation = 0
        self._open: list[Store] = []
        self.store = self.another()

    def another(self) -> Store:
        """One more node, or the next incarnation."""
        self._incarnation += 1
        store = self.make_store()
        store.open(f"daemon-{self._incarnation}", self.clock)
        self._open.append(store)
        return store

    def restart(self) -> None:
        self.close()
        self.store = self.another()

    def close(self) -> None:
        for store in self._open:
            store.close()
        self._open.clear()

    def commit(
        self, decision: Decision, *, event: Event | None = None, born: Mapping[str, int] = NONE
    ) -> tuple[Claim, ...]:
        cause = event or press()
        now = self.clock.now()
        with self.store.begin([cause.site_id], now) as transaction:
            transaction.write(cause, decision, now)
            return transaction.commit(born_leased=born)

    def row(self, notification_id: str) -> NotificationRow:
        found = self.store.read_notification(NotificationId(notification_id))
        assert found is not None, f"{notification_id} is not in the outbox"
        return found

    def claim(self, limits: Mapping[str, int] = PLENTY) -> tuple[Claim, ...]:
        return self.store.claim(limits, self.clock.now())

    def let_lease_end(self) -> None:
        self.clock.advance(LEASE_S + 1)


def of_boot(world: World, notification_id: str, life_s: int) -> Notification:
    """A text that is true so long from now, in both clocks."""
    now = world.clock.now()
    return replace(
        text(notification_id, created_us=now.wall_us, expires_us=now.wall_us + life_s * SECOND_US),
        expires_boot_us=now.boot_us + life_s * SECOND_US,
        boot_id=now.boot_id,
    )


def write_seen(world: World, *seen: LastSeen) -> None:
    """What is not kept is not taken for kept: whoever asked writes it again."""
    try:
        world.store.write_last_seen(seen)
    except StoreError:
        assert not world.store.durable, "a healthy store does not keep when devices were heard"
    else:
        assert world.store.durable, "when devices were heard is lost: it passes for kept, and memory throws it away"


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


def ids(claims: tuple[Claim, ...]) -> list[str]:
    return [claim.notification.id for claim in claims]


def page(notification_id: str, *, at_s: float, quiet: bool = False, site_id: SiteId = OAK) -> Notification:
    """For loudspeakers: words, or quiet."""
    content = text(
        notification_id,
        kind=Kind.PAGE,
        incident_id=None,
        site_id=site_id,
        created_us=START_WALL_US + round(at_s * SECOND_US),
    )
    return replace(content, reason=Reason.SILENCED) if quiet else content


def outbox(*notifications: Notification) -> Decision:
    return Decision(incidents=(incident(1),), notifications=tuple(map(queued, notifications)))


class StoreContract:
    """See the module."""

    shared = False

    @pytest.fixture
    def world(self, make_store: MakeStore) -> Iterator[World]:
        world = World(make_store)
        yield world
        world.close()

    def let_lease_end(self, world: World) -> None:
        world.let_lease_end()
        if self.shared:
            time.sleep(LEASE_S + 0.1)  # its leases run on the database's own clock

    # --- promise 1: what was committed is there -----------------------------------------------------------------------

    def test_all_of_a_decision_is_there_after_a_restart(self, world: World) -> None:
        world.commit(first_wave())
        world.restart()

        now = world.clock.now()
        with world.store.begin([OAK], now) as transaction:
            assert transaction.site_state(OAK).incidents == {"inc-1": incident(1)}, "promise 1: the press is lost"
            assert transaction.seen_us(CauseId("press-1")) == START_WALL_US
            assert transaction.policies([POLICY_HASH, "unknown"]) == {POLICY_HASH: policy()}
        assert {row.notification.id for row in world.store.read_notifications(IncidentId("inc-1"))} == {
            "ntf-1-sms",
            "ntf-1-dispatch",
        }
        assert [line.entry and line.entry.text for line in world.store.read_timeline(IncidentId("inc-1"))] == [
            "pressed at Rm 204",
            "Ruiz is texted",
            "dispatch told",
        ]
        assert len(world.store.due_timers(world.clock.advance(61), 10)) == 2

    def test_a_sites_journal_is_read_by_time_kind_and_number(self, world: World) -> None:
        world.commit(first_wave())
        world.commit(Decision(entries=(replace(entry("a drill begins"), kind=EntryKind.DRILL),)))
        world.restart()
        at_us = START_WALL_US

        def texts(site_id: SiteId, since_us: int, until_us: int, **only: Any) -> list[str]:
            lines = world.store.read_journal(site_id, since_us=since_us, until_us=until_us, **only)
            return [line.entry.text for line in lines if line.entry]

        every = ["pressed at Rm 204", "Ruiz is texted", "dispatch told", "a drill begins"]
        assert texts(OAK, at_us, at_us) == every
        assert texts(OAK, 0, at_us - 1) == texts(OAK, at_us + 1, at_us + 9) == texts(ELM, at_us, at_us) == []
        assert texts(OAK, 0, at_us, after=1) == every[1:]
        assert texts(OAK, 0, at_us, kind=EntryKind.DRILL) == every[3:]

    def test_leaving_without_commit_changes_nothing(self, world: World) -> None:
        now = world.clock.now()
        with world.store.begin([OAK], now) as transaction:
            transaction.write(press(), first_wave(), now)
            assert transaction.site_state(OAK).incidents

        with world.store.begin([OAK], now) as transaction:
            assert not transaction.site_state(OAK).incidents
            assert transaction.seen_us(CauseId("press-1")) is None
        assert world.claim() == ()
        assert world.store.verify_journal(OAK) == 0

    def test_an_error_inside_changes_nothing(self, world: World) -> None:
        now = world.clock.now()

        def fail() -> None:
            with world.store.begin([OAK], now) as transaction:
                transaction.write(press(), first_wave(), now)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        assert world.store.read_incidents(open_only=True, site_id=None, limit=10) == ()
        world.commit(first_wave())
        assert world.store.verify_journal(OAK) == 3

    def test_a_transaction_reads_its_own_writes(self, world: World) -> None:
        now = world.clock.now()
        with world.store.begin([OAK], now) as transaction:
            transaction.write(press(), first_wave(), now)
            assert transaction.seen_us(CauseId("press-1")) == START_WALL_US
            row = transaction.notification(NotificationId("ntf-1-sms"))
            assert row is not None
            assert row.state is NotificationState.QUEUED
            accepted = NotificationChange(
                id=NotificationId("ntf-1-sms"), state=NotificationState.ACCEPTED, reason=Reason.FIRST_WAVE, ref="SM1"
            )
            transaction.write(press(), Decision(changes=(accepted,)), now)
            assert [i.token for i in transaction.phone_incidents(phone(1).key, 0)] == ["17"]
            claims = transaction.commit(born_leased=PLENTY)

        assert ids(claims) == ["ntf-1-dispatch"], "a row that is already accepted was sent again"
        found = world.store.read_by_ref("sms", "SM1")
        assert found is not None
        assert (found.notification.id, found.state) == ("ntf-1-sms", NotificationState.ACCEPTED)
        assert world.store.read_by_ref("dispatch", "SM1") is None, "a name that another provider gave"
        assert world.store.read_by_ref("sms", "SM2") is None
        assert world.row("ntf-1-sms").state is NotificationState.ACCEPTED

    def test_several_sites_in_one_commit(self, world: World) -> None:
        now = world.clock.now()
        with world.store.begin([OAK, ELM], now) as transaction:
            transaction.write(press(1), first_wave(1), now)
            transaction.write(press(2, site_id=ELM), first_wave(2, site_id=ELM, token="18"), now)
            transaction.commit(born_leased=NONE)

        assert len(world.store.read_incidents(open_only=True, site_id=None, limit=10)) == 2
        assert [i.id for i in world.store.read_incidents(open_only=True, site_id=ELM, limit=10)] == ["inc-2"]
        assert (world.store.verify_journal(OAK), world.store.verify_journal(ELM)) == (3, 3)

    def test_an_incident_that_opens_and_ends_in_one_commit_has_ended(self, world: World) -> None:
        """Beside others of the same commit, in any order: what was decided last of each is what stands."""
        world.commit(Decision(incidents=(incident(1), incident(3))))
        now = world.clock.now()
        with world.store.begin([OAK], now) as transaction:
            transaction.write(press(), Decision(incidents=(incident(1, closed_us=now.wall_us),)), now)
            transaction.write(press(), Decision(incidents=(incident(2, token="18"),)), now)
            transaction.write(press(), Decision(incidents=(incident(2, token="18", closed_us=now.wall_us),)), now)
            transaction.write(press(), Decision(incidents=(incident(3, mode=Mode.DRILL),)), now)
            transaction.commit(born_leased=NONE)

        world.restart()
        still_open = world.store.read_incidents(open_only=True, site_id=OAK, limit=10)
        assert [(i.id, i.mode) for i in still_open] == [("inc-3", Mode.DRILL)]
        for number in (1, 2):
            ended = world.store.read_incident(IncidentId(f"inc-{number}"))
            assert ended is not None
            assert not ended.is_open

    # --- one id, one content ------------------------------------------------------------------------------------------

    def test_one_id_one_content(self, world: World) -> None:
        world.commit(outbox(text("ntf-1")), born={"sms": 1})
        again = world.commit(outbox(text("ntf-1", words="something else")), born=PLENTY)

        assert again == (), "a row that exists was sent a second time"
        row = world.row("ntf-1")
        assert row.notification.text == text("ntf-1").text, "one id, one content: a row was overwritten"
        assert (row.state, row.epoch) == (NotificationState.CLAIMED, 1)

    def test_one_id_twice_in_one_commit_is_sent_once(self, world: World) -> None:
        now = world.clock.now()
        with world.store.begin([OAK], now) as transaction:
            transaction.write(press(), outbox(text("ntf-1")), now)
            transaction.notification(NotificationId("ntf-1"))
            transaction.write(press(), outbox(text("ntf-1", words="something else")), now)
            claims = transaction.commit(born_leased=PLENTY)

        assert len(claims) <= 1
        assert len(claims + world.claim()) == 1
        assert world.row("ntf-1").notification.text == text("ntf-1").text

    # --- claims -------------------------------------------------------------------------------------------------------

    def test_due_rows_are_born_leased_most_urgent_first(self, world: World) -> None:
        rows = [
            text("late", created_us=START_WALL_US + 2),
            text("early", created_us=START_WALL_US + 1),
            text("trouble", lane=Lane.TROUBLE, kind=Kind.TROUBLE, created_us=START_WALL_US),
            text("dispatch", endpoint=dispatch_centre(), kind=Kind.DISPATCH_NEW),
        ]
        claims = world.commit(outbox(*rows), born={"sms": 2, "dispatch": 0})

        assert ids(claims) == ["early", "late"]
        assert all((claim.attempt, claim.epoch) == (1, 1) for claim in claims)
        assert world.row("early").state is NotificationState.CLAIMED
        assert world.row("trouble").state is NotificationState.QUEUED
        assert ids(world.claim()) == ["dispatch", "trouble"], f"the rest is claimed later. If more: {LEASE}"

    def test_claims_are_most_urgent_first_and_at_most_so_many_a_channel(self, world: World) -> None:
        rows = [text(f"routine-{i}", lane=Lane.ROUTINE) for i in range(3)]
        world.commit(outbox(*rows, text("panic", created_us=START_WALL_US + 9)))

        assert ids(world.claim({"sms": 2})) == ["panic", "routine-0"], "promise 2: a panic waited behind others"
        assert ids(world.claim({"sms": 0, "dispatch": 5})) == []
        assert len(world.claim()) == 2
        assert world.claim() == ()

    def test_panic_only_takes_nothing_else(self, world: World) -> None:
        world.commit(outbox(text("routine", lane=Lane.ROUTINE), text("panic")))

        assert ids(world.store.claim(PLENTY, world.clock.now(), panic_only=True)) == ["panic"]
        assert ids(world.claim()) == ["routine"]

    @pytest.mark.parametrize("way", ["born", "claimed later"])
    def test_an_answer_goes_before_the_staffs_texts_and_behind_every_responders(self, world: World, way: str) -> None:
        """Whoever answered waits for one text, phone in hand; the thirtieth room need not have had its own by then."""
        staff = [text(f"staff-{n}", lane=Lane.STAFF, created_us=START_WALL_US + n) for n in range(3)]
        answer = text("answer", lane=Lane.ANSWER, kind=Kind.ANSWER, created_us=START_WALL_US + 8)
        second = text("responder", created_us=START_WALL_US + 9)
        others = [text("known", lane=Lane.NEXT, kind=Kind.ALSO), text("trouble", lane=Lane.TROUBLE, kind=Kind.TROUBLE)]
        expected = ["responder", "answer", "staff-0", "staff-1", "staff-2", "known", "trouble"]

        decision = outbox(*others, *staff, answer, second)
        if way == "born":
            assert ids(world.commit(decision, born={"sms": 3})) == expected[:3]
            assert ids(world.claim()) == expected[3:]
            return
        world.commit(decision)
        assert ids(world.store.claim({"sms": 2}, world.clock.now(), panic_only=True)) == expected[:2]
        assert ids(world.store.claim(PLENTY, world.clock.now(), panic_only=True)) == expected[2:5]
        assert ids(world.claim()) == expected[5:]

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

    def test_each_claim_is_one_attempt_and_one_epoch(self, world: World) -> None:
        world.commit(outbox(text("ntf-1")))
        retry = NotificationChange(
            id=NotificationId("ntf-1"), state=NotificationState.QUEUED, reason=Reason.RETRYING, not_before_us=0
        )
        for number in (1, 2, 3):
            (claim,) = world.claim()
            assert (claim.attempt, claim.epoch) == (number, number)
            assert world.row("ntf-1").epoch == number, "fencing: the row does not carry its last claim's epoch"
            world.commit(Decision(changes=(retry,)))

    def test_a_claim_with_which_nothing_was_tried_is_no_attempt_and_still_an_epoch(self, world: World) -> None:
        world.commit(outbox(text("ntf-1")))
        held = NotificationChange(
            id=NotificationId("ntf-1"), state=NotificationState.QUEUED, reason=Reason.NOT_TRIED, attempt=0
        )
        for number in (1, 2):
            (claim,) = world.claim()
            assert (claim.attempt, claim.epoch) == (1, number)
            world.commit(Decision(changes=(held,)))
            assert world.row("ntf-1").attempt == 0

    def test_what_was_not_tried_is_due_as_soon_as_its_endpoint_is_let_go(self, world: World) -> None:
        later = world.clock.boot_us + 30 * SECOND_US
        phones = [Endpoint(channel="voice", address=f"+1202555019{n}") for n in (1, 2)]
        mine, other, retried = (
            text(name, endpoint=phone) for name, phone in zip(("a", "b", "c"), (*phones, phones[0]), strict=True)
        )
        world.commit(outbox(mine, other, retried))
        reasons = {"a": Reason.NOT_TRIED, "b": Reason.NOT_TRIED, "c": Reason.RETRYING}
        changes = tuple(
            NotificationChange(
                id=NotificationId(name), state=NotificationState.QUEUED, reason=reason, not_before_us=later
            )
            for name, reason in reasons.items()
        )
        world.commit(Decision(changes=changes))
        assert world.claim({"voice": 9}) == ()
        world.store.let_go("voice", [phones[0].key])

        due_us = world.store.next_due_us()[1]
        assert due_us is not None
        assert due_us <= world.clock.boot_us
        assert ids(world.claim({"voice": 9})) == ["a"], "who waits for another phone, or for a carrier, waits on"

    def test_what_may_be_under_way_is_found_again(self, world: World) -> None:
        names = ("waits", "claimed", "taken", "heard", "failed")
        world.commit(outbox(*(text(name) for name in names[1:])), born=PLENTY)
        world.commit(outbox(text("waits")))
        states = {
            "taken": NotificationState.SENT,
            "heard": NotificationState.DELIVERED,
            "failed": NotificationState.FAILED,
        }
        changes = tuple(
            NotificationChange(id=NotificationId(name), state=state, reason=Reason.FIRST_WAVE, ref=f"CA-{name}")
            for name, state in states.items()
        )
        world.commit(Decision(changes=changes))

        found = {row.notification.id for row in world.store.read_under_way("sms", START_WALL_US)}
        assert found == {"claimed", "taken", "heard"}
        assert world.store.read_under_way("sms", START_WALL_US + SECOND_US) == ()
        assert world.store.read_under_way("voice", START_WALL_US) == ()

    def test_a_row_that_must_wait_is_not_claimed_before(self, world: World) -> None:
        later = world.clock.boot_us + 10 * SECOND_US
        decision = Decision(incidents=(incident(1),), notifications=(queued(text("ntf-1"), not_before_us=later),))
        assert world.commit(decision, born=PLENTY) == ()
        assert world.store.next_due_us()[1] == later
        assert world.claim() == ()
        world.clock.advance(10)

        assert ids(world.claim()) == ["ntf-1"]
        assert world.store.next_due_us()[1] is None

    # --- what a claim refuses -----------------------------------------------------------------------------------------

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

    # --- devices ------------------------------------------------------------------------------------------------------

    def test_what_is_remembered_of_a_device_outlives_a_restart_and_its_test_is_found(self, world: World) -> None:
        test = DeviceTest(id="t-1", by="J. Ruiz", incident_class=IncidentClass.STAFF_ASSIST, began_us=1, ends_us=2)
        panic = Activation(what="", state="duress:", since_us=1, last_us=2)
        tried = GestureCount(device_id=DeviceId("b-1"), lasting=(panic,), test=test)
        world.commit(Decision(gestures=(tried, GestureCount(device_id=DeviceId("b-2"), count=2, last_us=5))))
        world.restart()

        with world.store.begin([OAK], world.clock.now()) as transaction:
            assert transaction.site_state(OAK).gestures[DeviceId("b-1")] == tried, "promise 2: a call is not known"
        assert world.store.read_device_tests() == ((OAK, tried),)
        assert world.store.read_device_tests(DeviceId("b-1")) == ((OAK, tried),)
        assert world.store.read_device_tests(DeviceId("b-2")) == ()
        world.commit(Decision(gestures=(GestureCount(device_id=DeviceId("b-1")),)))
        assert world.store.read_device_tests() == ()

    # --- drills -------------------------------------------------------------------------------------------------------

    def test_a_drill_is_there_after_a_restart_until_it_has_ended(self, world: World) -> None:
        world.commit(Decision(drill=drill()))
        world.restart()
        with world.store.begin([OAK], world.clock.now()) as transaction:
            assert transaction.site_state(OAK).drill == drill(), "the drill is forgotten: its presses would be real"
        assert world.store.read_drills(running_only=True, site_id=OAK, limit=10) == (drill(),)
        assert world.store.read_drills(running_only=True, site_id=ELM, limit=10) == ()

        world.commit(Decision(drill=drill(ended=True)))
        with world.store.begin([OAK], world.clock.now()) as transaction:
            assert transaction.site_state(OAK).drill is None, "promise 3: a press after it is drill"
            assert transaction.site_state(OAK).drill_over == drill(ended=True)
        world.restart()
        with world.store.begin([OAK], world.clock.now()) as transaction:
            assert transaction.site_state(OAK).drill is None
            over = transaction.site_state(OAK).drill_over
            assert over == drill(ended=True), "promise 3: who was told of it, and not of its end, hears no word of it"
        assert world.store.read_drills(running_only=True, site_id=None, limit=10) == ()
        assert world.store.read_drill(drill().id) == drill(ended=True)

    def test_a_drill_that_was_not_committed_did_not_begin_and_did_not_end(self, world: World) -> None:
        now = world.clock.now()
        with world.store.begin([OAK], now) as transaction:
            transaction.write(press(), Decision(drill=drill()), now)
        with world.store.begin([OAK], now) as transaction:
            assert transaction.site_state(OAK).drill is None
        world.commit(Decision(drill=drill()))
        with world.store.begin([OAK], now) as transaction:
            transaction.write(press(), Decision(drill=drill(ended=True)), now)
        with world.store.begin([OAK], now) as transaction:
            assert transaction.site_state(OAK).drill == drill()
            assert transaction.site_state(OAK).drill_over is None

    @pytest.mark.parametrize("way", ["earlier", "in the same commit"])
    def test_whatever_a_drill_has_not_sent_is_withdrawn_of_every_kind_and_nothing_else(
        self, world: World, way: str
    ) -> None:
        said = (
            text("alert", mode=Mode.DRILL),
            text("answer", mode=Mode.DRILL, kind=Kind.ANSWER),
            text("begins", mode=Mode.DRILL, kind=Kind.DRILL_BEGINS, incident_id=None),
            text("live", kind=Kind.TROUBLE, incident_id=None),
        )
        begun = Decision(
            drill=drill(), incidents=(incident(1, mode=Mode.DRILL),), notifications=tuple(map(queued, said))
        )
        stop = Withdrawal(incident_id=None, reason=Reason.DRILL_IS_REAL, mode=Mode.DRILL)
        real = text("real", kind=Kind.DRILL_STOPPED, incident_id=None)
        stopped = Decision(drill=drill(ended=True), withdrawals=(stop,), notifications=(queued(real),))
        now = world.clock.now()
        if way == "earlier":
            world.commit(begun)
        with world.store.begin([OAK], now) as transaction:
            if way != "earlier":
                transaction.write(press(), begun, now)
            transaction.write(press(2), stopped, now)
            claims = transaction.commit(born_leased=PLENTY)
        sent = set(ids(claims)) | set(ids(world.claim()))

        assert sent == {"live", "real"}, "promise 3: a text of the drill is sent after it was real"
        for name in ("alert", "answer", "begins"):
            assert world.row(name).state is NotificationState.WITHDRAWN

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

    def test_a_row_that_nobody_claims_expires_in_the_end(self, world: World) -> None:
        world.commit(outbox(text("ntf-1", expires_us=START_WALL_US + 60_000_000)))
        world.clock.advance(86_400)
        world.store.prune(world.clock.now())

        assert world.row("ntf-1").state is NotificationState.EXPIRED, "it would be shown as queued for ever"

    def test_a_clock_that_is_set_ahead_throws_nothing_away(self, world: World) -> None:
        """A timer's length is a matter of boot time, and so is that of a text which waits for its carrier."""
        world.commit(outbox(of_boot(world, "ntf-1", 60), of_boot(world, "ntf-2", 60)))
        world.clock.wall_us += DAY_US

        world.store.prune(world.clock.now())
        assert ids(world.claim({"sms": 1})) == ["ntf-1"]
        world.clock.advance(61)
        assert world.claim() == ()
        assert world.row("ntf-2").state is NotificationState.EXPIRED

    @pytest.mark.parametrize("step_s", [7_200, -7_200])
    @pytest.mark.parametrize("seen", ["seen", "not seen"])
    def test_what_waits_over_a_reboot_after_the_clock_was_set_is_as_young_as_it_is(
        self, world: World, step_s: int, seen: str
    ) -> None:
        """Also if it was set while no alertd was there to see it."""
        world.commit(outbox(of_boot(world, "ntf-1", 300), of_boot(world, "ntf-2", 300)))
        world.clock.advance(100)
        world.clock.wall_us += step_s * SECOND_US
        if seen == "seen":
            world.commit(Decision(), event=ClockStepped(site_id=DISTRICT, step_us=step_s * SECOND_US))
        else:
            world.restart()
        world.close()
        world.clock.reboot(away_s=100)
        world.store = world.another()

        assert ids(world.claim({"sms": 1})) == ["ntf-1"], "a text that waits was thrown away unsent"
        world.clock.advance(101)
        assert world.claim() == (), "what is not true any more was sent"
        assert world.row("ntf-2").state is NotificationState.EXPIRED

    @pytest.mark.parametrize("state", [NotificationState.UNKNOWN, NotificationState.ACCEPTED])
    def test_what_is_in_hand_when_the_clock_is_set_ends_when_it_would_have(
        self, world: World, state: NotificationState
    ) -> None:
        """It may have to be sent again after a reboot."""
        world.commit(outbox(of_boot(world, "ntf-1", 300)))
        world.claim()
        world.commit(
            Decision(
                changes=(NotificationChange(id=NotificationId("ntf-1"), state=state, reason=Reason.RESENT_UNKNOWN),)
            )
        )
        world.clock.wall_us += DAY_US
        world.commit(Decision(), event=ClockStepped(site_id=DISTRICT, step_us=DAY_US))

        assert world.row("ntf-1").notification.expires_us == world.clock.wall_us + 300 * SECOND_US

    @pytest.mark.parametrize("step_s", [36_000, -36_000])
    def test_a_press_is_as_long_ago_as_it_is_whoever_sets_the_clock(self, world: World, step_s: int) -> None:
        """A badge with a small counter uses its numbers again: what was pressed ten hours ago is another press."""
        world.commit(Decision(cause=CauseId("press-1")))
        world.clock.advance(36_000)
        world.clock.wall_us += step_s * SECOND_US

        assert self._ago_s(world, "press-1") == 36_000, PROMISE_2
        world.commit(Decision(), event=ClockStepped(site_id=DISTRICT, step_us=step_s * SECOND_US))
        assert self._ago_s(world, "press-1") == 36_000, PROMISE_2
        world.close()
        world.clock.reboot(away_s=60)
        world.store = world.another()
        assert self._ago_s(world, "press-1") == 36_060, PROMISE_2

    def _ago_s(self, world: World, cause: str) -> float:
        now = world.clock.now()
        with world.store.begin([OAK], now) as transaction:
            seen_us = transaction.seen_us(CauseId(cause))
        assert seen_us is not None, "promise 1: delivered again, it opens twice"
        return (now.wall_us - seen_us) / SECOND_US

    def test_refused_rows_do_not_keep_others_from_being_claimed(self, world: World) -> None:
        old = [text(f"old-{i:03}", expires_us=START_WALL_US) for i in range(120)]
        world.commit(outbox(*old, text("good", created_us=START_WALL_US + 1)))

        assert ids(world.claim({"sms": 1})) == ["good"]

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

    # --- leases -------------------------------------------------------------------------------------------------------

    def test_a_row_of_a_living_owner_is_not_abandoned(self, world: World) -> None:
        world.commit(outbox(text("ntf-1")), born=PLENTY)

        assert world.store.abandoned(world.clock.now()) == (), LEASE
        assert world.claim() == (), LEASE

    def test_a_lease_that_ended_is_reported_once_with_its_epoch(self, world: World) -> None:
        world.commit(outbox(text("ntf-1")), born=PLENTY)
        self.let_lease_end(world)

        (row,) = world.store.abandoned(world.clock.now())
        assert (row.notification.id, row.epoch) == ("ntf-1", 1)
        assert world.store.abandoned(world.clock.now()) == (), "one abandoned row was reported twice"
        assert world.claim() == (), "an abandoned row was claimed before anybody asked what became of it"

    def test_a_dead_owners_rows_are_found_by_the_next_one(self, world: World) -> None:
        world.commit(outbox(text("ntf-1")), born=PLENTY)
        world.restart()
        if self.shared:
            self.let_lease_end(world)

        assert [row.notification.id for row in world.store.abandoned(world.clock.now())] == ["ntf-1"]

    def test_a_look_up_that_died_is_found_again(self, world: World) -> None:
        world.commit(outbox(text("asked"), text("settled")), born=PLENTY)
        changes = (
            NotificationChange(
                id=NotificationId("asked"), state=NotificationState.UNKNOWN, reason=Reason.ASKED_PROVIDER
            ),
            NotificationChange(
                id=NotificationId("settled"), state=NotificationState.UNKNOWN, reason=Reason.UNKNOWN_NOT_RESENT
            ),
        )
        world.commit(Decision(changes=changes))
        assert world.store.abandoned(world.clock.now()) == ()
        world.restart()
        self.let_lease_end(world)

        assert [row.notification.id for row in world.store.abandoned(world.clock.now())] == ["asked"]

    # --- changes ------------------------------------------------------------------------------------------------------

    def test_a_change_leaves_what_it_does_not_name(self, world: World) -> None:
        world.commit(outbox(text("ntf-1")), born=PLENTY)
        accepted = NotificationChange(
            id=NotificationId("ntf-1"),
            state=NotificationState.ACCEPTED,
            reason=Reason.FIRST_WAVE,
            ref="SM1",
            detail="queued",
        )
        delivered = NotificationChange(
            id=NotificationId("ntf-1"), state=NotificationState.DELIVERED, reason=Reason.FIRST_WAVE
        )
        world.commit(Decision(changes=(accepted,)))
        assert [row.notification.id for row in world.store.read_unsettled("sms", 0)] == ["ntf-1"]
        world.commit(Decision(changes=(delivered,)))

        row = world.row("ntf-1")
        assert (row.state, row.ref, row.detail, row.attempt) == (NotificationState.DELIVERED, "SM1", "queued", 1)
        assert world.store.read_unsettled("sms", 0) == ()

    def test_withdrawal_takes_back_what_is_unsent_and_not_what_comes_with_it(self, world: World) -> None:
        world.commit(outbox(text("a-sent")), born=PLENTY)
        world.commit(outbox(text("unsent"), text("correction", kind=Kind.CORRECTION), text("other", incident_id=None)))
        withdrawal = Withdrawal(incident_id=IncidentId("inc-1"), reason=Reason.SUPERSEDED)
        world.commit(Decision(withdrawals=(withdrawal,), notifications=(queued(text("new")),)))

        names = ("a-sent", "unsent", "correction", "other", "new")
        withdrawn = [name for name in names if world.row(name).state is NotificationState.WITHDRAWN]
        assert withdrawn == ["unsent"]
        assert world.row("unsent").reason is Reason.SUPERSEDED
        assert world.row("a-sent").state is NotificationState.CLAIMED

    def test_what_waits_for_one_endpoint_of_an_incident_is_withdrawn_alone(self, world: World) -> None:
        phone = Endpoint(channel="voice", address="+12025550191")
        mine, other = text("mine", endpoint=phone), text("other", endpoint=phone, incident_id=None)
        world.commit(outbox(mine, other, text("sms"), text("correction", endpoint=phone, kind=Kind.CORRECTION)))
        stop = Withdrawal(incident_id=mine.incident_id, reason=Reason.PRESSER, endpoint_key=phone.key)
        world.commit(Decision(withdrawals=(stop,)))

        names = ("mine", "other", "sms", "correction")
        assert [n for n in names if world.row(n).state is NotificationState.WITHDRAWN] == ["mine"]
        assert world.row("mine").reason is Reason.PRESSER

    def test_pages_alone_are_withdrawn_of_an_incident_or_of_a_site(self, world: World) -> None:
        own, free = text("own", kind=Kind.PAGE), text("free", kind=Kind.PAGE, incident_id=None)
        elsewhere = text("elm", kind=Kind.PAGE, incident_id=None, site_id=ELM)
        world.commit(outbox(own, free, elsewhere, text("text")))

        world.commit(
            Decision(withdrawals=(Withdrawal(incident_id=own.incident_id, reason=Reason.SUPERSEDED, kind=Kind.PAGE),))
        )
        assert [world.row(name).state is NotificationState.WITHDRAWN for name in ("own", "free", "text")] == [
            True, False, False,
        ]  # fmt: skip
        site = Withdrawal(incident_id=None, reason=Reason.SILENCED, kind=Kind.PAGE)
        world.commit(Decision(withdrawals=(site,), notifications=(queued(text("new", kind=Kind.PAGE)),)))
        assert world.row("free").reason is Reason.SILENCED
        for name in ("elm", "text", "new"):
            assert world.row(name).state is NotificationState.QUEUED, f"{name} is of another site, kind or commit"

    def test_quiet_is_not_ordered_any_more_when_words_were_written_since(self, world: World) -> None:
        """Whoever wanted quiet did not know of them. An order that was lost with a crash comes again, or waits."""
        world.commit(outbox(page("stop", at_s=0, quiet=True), page("stop elm", at_s=0, quiet=True, site_id=ELM)))
        world.clock.advance(3)
        world.commit(outbox(page("lockdown", at_s=3)))

        assert [claim.notification.id for claim in world.claim()] == ["stop elm", "lockdown"]
        assert world.row("stop").state is NotificationState.WITHDRAWN
        assert world.row("stop").reason is Reason.SUPERSEDED

    def test_quiet_is_ordered_again_where_nothing_new_was_said(self, world: World) -> None:
        world.commit(
            outbox(page("before", at_s=-2), page("stop", at_s=0, quiet=True), page("stop 2", at_s=1, quiet=True))
        )
        world.clock.advance(3)

        assert [claim.notification.id for claim in world.claim()] == ["before", "stop", "stop 2"]

    def test_words_that_are_said_again_meanwhile_do_not_cut_themselves(self, world: World) -> None:
        """The first saying, lost with a crash, and its repeat. Of another incident they are other words."""
        first, again, other = (
            replace(page(name, at_s=at_s), incident_id=IncidentId(of))
            for name, at_s, of in (("first", 0, "inc-1"), ("again", 20, "inc-1"), ("other", 1, "inc-2"))
        )
        world.commit(Decision(incidents=(incident(1), incident(2))))
        world.commit(Decision(notifications=tuple(map(queued, (first, again, other)))))
        world.clock.advance(22)

        assert [claim.notification.id for claim in world.claim()] == ["other", "again"]
        assert world.row("first").reason is Reason.SUPERSEDED

    def test_quiet_gives_way_to_words_that_are_being_said_were_said_or_may_have_been(self, world: World) -> None:
        for state in (NotificationState.CLAIMED, NotificationState.UNKNOWN, NotificationState.SENT):
            name, site_id = state.value, SiteId(f"site-{state.value}")
            stop = page(f"stop {name}", at_s=0, quiet=True, site_id=site_id)
            said = page(name, at_s=3, site_id=site_id)
            at_site = replace(press(), site_id=site_id)
            world.commit(Decision(notifications=(queued(stop), queued(said))), event=at_site)
            change = NotificationChange(id=said.id, state=state, reason=Reason.FIRST_WAVE)
            world.commit(Decision(changes=(change,)), event=at_site)
        world.clock.advance(4)

        assert world.claim() == ()

    def test_quiet_gives_way_when_the_clock_was_set_back_and_nobody_knows_what_is_newer(self, world: World) -> None:
        world.commit(outbox(page("stop", at_s=60, quiet=True)))

        assert world.claim() == ()
        assert world.row("stop").reason is Reason.SUPERSEDED

    def test_pages_withdrawn_in_the_commit_that_made_them_are_not_sent(self, world: World) -> None:
        now = world.clock.now()
        with world.store.begin([OAK], now) as transaction:
            transaction.write(
                press(), outbox(text("page", kind=Kind.PAGE, incident_id=None), text("text", incident_id=None)), now
            )
            site = Withdrawal(incident_id=None, reason=Reason.SILENCED, kind=Kind.PAGE)
            transaction.write(press(), Decision(withdrawals=(site,)), now)
            claims = transaction.commit(born_leased=PLENTY)

        assert [claim.notification.id for claim in claims] == ["text"]

    def test_a_row_withdrawn_in_the_commit_that_made_it_is_not_sent(self, world: World) -> None:
        now = world.clock.now()
        with world.store.begin([OAK], now) as transaction:
            transaction.write(press(), outbox(text("ntf-1")), now)
            withdrawal = Withdrawal(incident_id=IncidentId("inc-1"), reason=Reason.SUPERSEDED)
            transaction.write(press(), Decision(withdrawals=(withdrawal,)), now)
            assert transaction.commit(born_leased=PLENTY) == ()

        assert (world.row("ntf-1").state, world.row("ntf-1").reason) == (
            NotificationState.WITHDRAWN,
            Reason.SUPERSEDED,
        )

    def test_opt_outs_and_broken_channels(self, world: World) -> None:
        key = phone(1).key
        world.commit(Decision(opt_outs=(key, "sms:other"), broken_channels=("sms",)))
        world.restart()
        with world.store.begin([OAK], world.clock.now()) as transaction:
            assert transaction.opted_out() == {key, "sms:other"}
            assert transaction.broken_channels() == {"sms"}
        world.commit(Decision(opt_ins=(key,), mended_channels=("sms",)))

        for _ in range(2):
            with world.store.begin([OAK], world.clock.now()) as transaction:
                assert transaction.opted_out() == {"sms:other"}
                assert transaction.broken_channels() == frozenset()
            world.restart()

    def test_a_cleared_trouble_no_longer_stands(self, world: World) -> None:
        trouble = Trouble(key="broker", site_id=OAK, summary="broker away", raised_us=START_WALL_US)
        world.commit(Decision(troubles=(trouble,)))
        assert world.store.read_troubles() == (trouble,)
        cleared = Trouble(
            key="broker", site_id=OAK, summary="broker away", raised_us=START_WALL_US, cleared_us=START_WALL_US + 1
        )
        world.commit(Decision(troubles=(cleared,)))
        world.restart()

        assert world.store.read_troubles() == ()
        with world.store.begin([OAK], world.clock.now()) as transaction:
            assert transaction.site_state(OAK).troubles == {}

    def test_a_trouble_that_is_over_is_latched_until_it_is_acknowledged(self, world: World) -> None:
        over = Trouble(
            key="silent:oak", site_id=OAK, summary="silent", raised_us=START_WALL_US, over_us=1, members=("b-1", "b-2")
        )
        world.commit(Decision(troubles=(over,)))
        world.restart()

        assert world.store.read_troubles() == ()
        assert world.store.read_troubles(latched=True) == (over,)
        with world.store.begin([OAK], world.clock.now()) as transaction:
            state = transaction.site_state(OAK)
            assert (state.troubles, state.latched) == ({}, {"silent:oak": over})
        world.commit(Decision(troubles=(replace(over, cleared_us=2),)))
        assert world.store.read_troubles(latched=True) == ()

    def test_when_devices_were_heard_last_is_kept_and_the_newer_wins(self, world: World) -> None:
        badge = LastSeen(device_id=DeviceId("b-1"), seen_us=START_WALL_US, battery_pct=80, heard_by=DeviceId("gw"))
        button = LastSeen(device_id=DeviceId("b-2"), known_us=START_WALL_US)
        write_seen(world, badge, button)
        write_seen(world, replace(badge, seen_us=START_WALL_US - 1, battery_pct=3))
        write_seen(world, replace(button, seen_us=START_WALL_US))
        if not world.store.durable:
            assert world.store.read_last_seen() == ()
            return
        world.restart()

        found = {each.device_id: each for each in world.store.read_last_seen()}
        assert found == {"b-1": badge, "b-2": replace(button, seen_us=START_WALL_US)}
        assert world.store.read_last_seen([DeviceId("b-1"), DeviceId("b-9")]) == (badge,)
        assert world.store.read_last_seen([]) == ()

    def test_what_a_clock_that_stood_a_year_ahead_has_written_of_devices_is_not_the_newest(self, world: World) -> None:
        """Until that date a device that died would look alive after each restart."""
        ahead = [LastSeen(device_id=DeviceId(f"b-{n}"), seen_us=START_WALL_US + 365 * DAY_US) for n in (1, 2)]
        write_seen(world, *ahead)
        world.clock.advance(60)
        heard = LastSeen(device_id=DeviceId("b-1"), seen_us=START_WALL_US)
        write_seen(world, heard)
        write_seen(world, replace(heard, seen_us=START_WALL_US - SECOND_US))
        if world.store.durable:
            found = {each.device_id: each for each in world.store.read_last_seen()}
            assert found == {"b-1": heard, "b-2": ahead[1]}, "a device that died looks alive until that date"

    def test_a_poisonous_event_is_kept_and_its_fallback_told(self, world: World) -> None:
        claims = world.store.save_raw(press(), "ZeroDivisionError", outbox(text("ntf-1")), world.clock.now())

        assert ids(claims) == ["ntf-1"]
        again = world.store.save_raw(press(), "ZeroDivisionError", outbox(text("ntf-1")), world.clock.now())
        assert again == ()

    # --- timers -------------------------------------------------------------------------------------------------------

    def test_a_timer_is_due_after_its_delay_and_gone_once_it_fired(self, world: World) -> None:
        world.commit(Decision(timers=(timer("t", delay_s=30),)))
        assert world.store.next_due_us()[0] == world.clock.boot_us + 30 * SECOND_US
        assert world.store.due_timers(world.clock.advance(29), 10) == ()
        (due,) = world.store.due_timers(world.clock.advance(1), 10)
        assert due.timer == timer("t", delay_s=30)
        world.commit(Decision(), event=TimerFired(site_id=OAK, timer=due.timer))

        assert world.store.next_due_us()[0] is None

    def test_a_timer_that_was_set_anew_outlives_its_firing(self, world: World) -> None:
        world.commit(Decision(timers=(timer("t", delay_s=30),)))
        (due,) = world.store.due_timers(world.clock.advance(30), 10)
        world.commit(Decision(timers=(timer("t", delay_s=30, number=1),)))
        world.commit(Decision(), event=TimerFired(site_id=OAK, timer=due.timer))

        assert world.store.next_due_us()[0] == world.clock.boot_us + 30 * SECOND_US, "an escalation step was lost"

    def test_a_timer_may_set_itself_anew(self, world: World) -> None:
        world.commit(Decision(timers=(timer("t", delay_s=30),)))
        (due,) = world.store.due_timers(world.clock.advance(30), 10)
        world.commit(Decision(timers=(timer("t", delay_s=5),)), event=TimerFired(site_id=OAK, timer=due.timer))

        assert world.store.next_due_us()[0] == world.clock.boot_us + 5 * SECOND_US

    def test_a_dropped_timer_never_fires(self, world: World) -> None:
        world.commit(Decision(timers=(timer("t"), timer("u"))))
        world.commit(Decision(dropped_timers=(TimerId("t"),)))

        assert [due.timer.id for due in world.store.due_timers(world.clock.advance(31), 10)] == ["u"]

    def test_a_step_of_the_wall_clock_neither_hurries_nor_loses_a_timer(self, world: World) -> None:
        world.commit(Decision(timers=(timer("t", delay_s=30),)))
        world.clock.wall_us += 365 * DAY_US
        world.commit(Decision(), event=ClockStepped(site_id=DISTRICT, step_us=365 * DAY_US))

        assert world.store.due_timers(world.clock.advance(29), 10) == ()
        assert len(world.store.due_timers(world.clock.advance(1), 10)) == 1

    # --- replies ------------------------------------------------------------------------------------------------------

    def test_a_phone_knows_the_incidents_it_was_told_of(self, world: World) -> None:
        me, other = phone(1), phone(2)
        suppressed = NotificationRow(
            notification=text("no", incident_id="inc-3"),
            state=NotificationState.SUPPRESSED,
            reason=Reason.OPTED_OUT,
        )
        world.commit(
            Decision(
                incidents=(
                    incident(1, token="21"),
                    incident(2, token="22", opened_us=START_WALL_US + 5),
                    incident(3, token="23"),
                    incident(4, token="24", opened_us=START_WALL_US - 3 * DAY_US, closed_us=START_WALL_US - 2 * DAY_US),
                ),
                notifications=(
                    queued(text("a", endpoint=me)),
                    queued(text("b", endpoint=me, incident_id="inc-2")),
                    queued(text("c", endpoint=other, incident_id="inc-3")),
                    queued(text("d", endpoint=me, incident_id="inc-4", kind=Kind.CLOSING)),
                    suppressed,
                ),
            )
        )
        with world.store.begin([OAK], world.clock.now()) as transaction:
            mine = transaction.phone_incidents(me.key, START_WALL_US - DAY_US)

        assert [(i.incident_id, i.token, i.is_open) for i in mine] == [("inc-2", "22", True), ("inc-1", "21", True)]
        assert mine[0].headline == "OAK ELEM Rm 204 LOCKDOWN 10:42"
        assert mine[0].severity == Severity.LOCKDOWN

    def test_an_open_incident_is_known_to_its_phone_however_many_were_closed_since(self, world: World) -> None:
        me = phone(1)
        numbers = range(2, 62)
        closed = [
            incident(n, token=str(100 + n), opened_us=START_WALL_US + n, closed_us=START_WALL_US + n) for n in numbers
        ]
        notices = [queued(text(f"n{n}", endpoint=me, incident_id=f"inc-{n}")) for n in numbers]
        world.commit(
            Decision(
                incidents=(incident(1, token="21"), *closed),
                notifications=(queued(text("first", endpoint=me)), *notices),
            )
        )
        with world.store.begin([OAK], world.clock.now()) as transaction:
            mine = transaction.phone_incidents(me.key, START_WALL_US - DAY_US)

        assert mine[0].incident_id == "inc-1", "notices that are over pushed an open incident out of a reply's reach"

    def test_tokens_in_use_are_not_handed_out_in_the_whole_district(self, world: World) -> None:
        with world.store.begin([OAK], world.clock.now()) as transaction:
            first, second, *_ = transaction.free_tokens(4, world.clock.wall_us)
        world.commit(Decision(incidents=(incident(1, site_id=ELM, token=first),)), event=press(site_id=ELM))
        closed = incident(2, token=second, closed_us=START_WALL_US + 1)
        world.commit(Decision(incidents=(closed,)))
        for _ in range(2):
            with world.store.begin([OAK], world.clock.now()) as transaction:
                free = transaction.free_tokens(500, world.clock.wall_us)
            assert first not in free
            assert second not in free, "a token was reused within 24 h"
            world.restart()
        world.clock.advance(86_402)
        with world.store.begin([OAK], world.clock.now()) as transaction:
            free = transaction.free_tokens(500, world.clock.wall_us)

        assert second in free
        assert first not in free, "a token of an open incident was handed out"

    # --- evidence -----------------------------------------------------------------------------------------------------

    def test_the_chain_goes_on_over_restarts(self, world: World) -> None:
        for number in range(1, 6):
            world.commit(Decision(entries=(entry(f"line {number}"),)))
            world.restart()

        assert world.store.verify_journal(OAK) == 5
        assert [line.sequence for line in world.store.read_timeline(IncidentId("inc-1"))] == [1, 2, 3, 4, 5]

    def test_a_press_is_known_for_as_long_as_a_broker_may_keep_it(self, world: World) -> None:
        world.commit(Decision(cause=CauseId("friday")))
        world.clock.advance(16 * 86_400)
        world.store.prune(world.clock.now())

        with world.store.begin([OAK], world.clock.now()) as transaction:
            assert transaction.seen_us(CauseId("friday")) is not None, "delivered again after a holiday, it opens twice"

    def test_causes_are_forgotten_when_they_are_old(self, world: World) -> None:
        world.commit(Decision(cause=CauseId("old")))
        world.clock.advance(40 * 86_400)
        world.commit(Decision(cause=CauseId("young")))
        assert world.store.prune(world.clock.now()) == 1

        with world.store.begin([OAK], world.clock.now()) as transaction:
            assert transaction.seen_us(CauseId("old")) is None
            assert transaction.seen_us(CauseId("young")) is not None

    def test_tests_are_found_again(self, world: World) -> None:
        world.commit(outbox(text("t", kind=Kind.TEST, incident_id=None, mode=Mode.TEST), text("ntf-1")))

        assert [row.notification.id for row in world.store.read_tests(0)] == ["t"]
        assert world.store.read_tests(START_WALL_US + 1) == ()

    def test_the_outbox_is_counted_by_channel_and_state(self, world: World) -> None:
        assert world.store.read_outbox(START_WALL_US) == ()
        world.commit(outbox(text("ntf-1"), text("ntf-2"), text("ntf-3")))
        (claim,) = world.claim({"sms": 1})
        counted = {(each.channel, each.state): each for each in world.store.read_outbox(START_WALL_US)}

        assert {key: each.rows for key, each in counted.items()} == {
            ("sms", NotificationState.QUEUED): 2,
            ("sms", NotificationState.CLAIMED): 1,
        }
        assert counted["sms", NotificationState.CLAIMED].oldest_us == claim.notification.created_us
        taken = NotificationChange(
            id=claim.notification.id, state=NotificationState.ACCEPTED, reason=claim.notification.reason, ref="SM1"
        )
        world.commit(Decision(changes=(taken,)))
        states = {each.state: each.rows for each in world.store.read_outbox(START_WALL_US)}
        assert states == {NotificationState.QUEUED: 2, NotificationState.ACCEPTED: 1}
        later = world.store.read_outbox(START_WALL_US + 2 * DAY_US)
        assert {each.state for each in later} == {NotificationState.QUEUED}, "what nobody will ever settle is counted"

    def test_what_is_erased_of_an_incident_is_gone_and_its_neighbours_stay(self, world: World) -> None:
        me, old = phone(1), START_WALL_US - 40 * DAY_US
        both = tuple(incident(n, token=str(20 + n), opened_us=old, closed_us=old + n) for n in (1, 2))
        notices = tuple(queued(text(f"n-{n}", endpoint=me, incident_id=f"inc-{n}")) for n in (1, 2))
        lines = tuple(entry(f"Ruiz goes to {n}", incident_id=f"inc-{n}") for n in (1, 2))
        world.commit(Decision(incidents=both, notifications=notices, entries=lines))
        erased = replace(both[0], closed_by="", erased_us=START_WALL_US)
        said = entry("personal detail of 1 sensor incidents is erased", incident_id=None)
        world.commit(Decision(incidents=(erased,), erasures=(both[0].id,), entries=(said,)))

        store = world.store
        assert store.read_notifications(both[0].id) == ()
        assert [line.entry for line in store.read_timeline(both[0].id)] == [None]
        assert store.read_incident(both[0].id) == erased
        assert len(store.read_notifications(both[1].id)) == 1
        assert [line.entry is None for line in store.read_timeline(both[1].id)] == [False]
        assert store.verify_journal(OAK) == 3
        with store.begin([OAK], world.clock.now()) as transaction:
            known = transaction.phone_incidents(me.key, old - DAY_US)
        assert [each.incident_id for each in known] == ["inc-2"]

    def test_what_was_closed_long_ago_is_read_page_by_page(self, world: World) -> None:
        old = START_WALL_US - 40 * DAY_US
        closed = [incident(n, token=str(20 + n), opened_us=old, closed_us=old) for n in range(1, 6)]
        young = incident(7, token="37", closed_us=START_WALL_US)
        world.commit(Decision(incidents=(*closed, young, incident(8, token="38"))))
        read, found, after = world.store.read_closed, list[str](), IncidentId("")
        while page := read(before_us=START_WALL_US - 30 * DAY_US, after=after, limit=2):
            after = page[-1].id
            found += [each.id for each in page]

        assert found == [f"inc-{n}" for n in range(1, 6)]

    def test_reading_what_is_not_there(self, world: World) -> None:
        assert world.store.read_incident(IncidentId("none")) is None
        assert world.store.read_notification(NotificationId("none")) is None
        assert world.store.read_timeline(IncidentId("none")) == ()
        assert world.store.verify_journal(SiteId("none")) == 0

    def test_a_site_that_was_not_named_cannot_be_written(self, world: World) -> None:
        now = world.clock.now()
        with (
            pytest.raises(AssertionError, match="not named to begin"),
            world.store.begin([OAK], now) as transaction,
        ):
            transaction.write(press(site_id=ELM), first_wave(2, site_id=ELM), now)

    def test_heal_of_a_healthy_store_says_so(self, world: World) -> None:
        assert world.store.heal(world.clock.now())
        assert world.store.durable


__all__ = ["LEASE_S", "MakeStore", "StoreContract", "StoreError", "World"]
