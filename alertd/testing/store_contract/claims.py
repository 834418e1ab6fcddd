"""Who may send a row, in which order, and for how long.

Owns claims, attempts, epochs and leases. What a claim refuses to give out is `refusals`.
"""

import pytest
from msgspec.structs import replace

from alertd.model.decision import Decision
from alertd.model.events import ClockStepped
from alertd.model.ids import DISTRICT, NotificationId
from alertd.model.notification import Kind, Lane, NotificationChange, NotificationState
from alertd.model.people import Endpoint
from alertd.model.reason import Reason
from alertd.testing.store_contract.world import ELM, PLENTY, OneWorld, World, ids, of_boot, outbox
from alertd.testing.store_values import (
    DAY_US,
    OAK,
    SECOND_US,
    START_WALL_US,
    dispatch_centre,
    incident,
    press,
    queued,
    text,
)

LEASE = "the lease: a row that its owner may still be sending was given out again"


class Claims(OneWorld):
    """Most urgent first; one row to one owner."""

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

    def test_who_waits_for_another_try_at_an_address_is_known_and_is_due_once_it_takes_what_is_sent(
        self, world: World
    ) -> None:
        second = SECOND_US
        psap, backup = (Endpoint(channel="dispatch", address=name, dispatch=True) for name in ("psap", "backup"))
        rows = {"a": psap, "b": psap, "other": backup, "held": psap}
        world.commit(outbox(*(text(name, endpoint=endpoint) for name, endpoint in rows.items())))
        with world.store.begin([OAK], world.clock.now()) as tx:
            assert tx.turn(OAK, psap.key) is None, "what was never tried waits for no turn"
        reasons = {"a": Reason.RETRYING, "b": Reason.RESENT_UNKNOWN, "other": Reason.RETRYING, "held": Reason.NOT_TRIED}
        start_us = world.clock.boot_us
        for number, (name, reason) in enumerate(reasons.items(), start=3):
            change = NotificationChange(
                id=NotificationId(name),
                state=NotificationState.QUEUED,
                reason=reason,
                not_before_us=start_us + number * 10 * second,
            )
            event = press()
            with world.store.begin([OAK], world.clock.now()) as tx:
                tx.write(event, Decision(changes=(change,)), world.clock.now())
                if name == "b":
                    turn = tx.turn(OAK, psap.key)
                    assert turn is not None
                    assert turn.last_us == start_us + 40 * second, "two of one batch get one turn"
                tx.commit(born_leased={})
        with world.store.begin([OAK], world.clock.now()) as tx:
            turn = tx.turn(OAK, psap.key)
            assert turn is not None
            assert (turn.last_us, turn.ends_us) == (start_us + 40 * second, START_WALL_US + DAY_US)
            assert (turn.opening_ends_us, turn.ends_boot_us, turn.opening_ends_boot_us) == (0, 0, 0)
            assert tx.turn(ELM, psap.key) is None

        world.commit(Decision(try_now=(psap.key,)), event=press(site_id=ELM))
        assert world.claim({"dispatch": 9}) == (), "another school's centre took something"
        world.commit(Decision(try_now=(psap.key,)))
        due_us = world.store.next_due_us()[1]
        assert due_us is not None
        assert due_us <= world.clock.boot_us
        assert ids(world.claim({"dispatch": 9})) == ["a", "b"]

    @pytest.mark.parametrize("step_s", [-240, 0, 240])
    def test_what_is_true_for_longest_of_what_waits_at_an_address_is_known_whoever_sets_the_clock(
        self, world: World, step_s: int
    ) -> None:
        """It knocks by itself: of what was written, and of what opens an incident there."""
        psap = Endpoint(channel="dispatch", address="psap", dispatch=True)

        def waits(name: str, kind: Kind, life_s: int = 300) -> None:
            world.clock.advance(10)
            world.commit(outbox(replace(of_boot(world, name, life_s), endpoint=psap, kind=kind)))
            again = NotificationChange(
                id=NotificationId(name), state=NotificationState.QUEUED, reason=Reason.RETRYING, not_before_us=1
            )
            world.commit(Decision(changes=(again,)))

        waits("first-room", Kind.DISPATCH_NEW)
        waits("second-incident", Kind.DISPATCH_NEW)
        waits("second-room", Kind.DISPATCH_UPDATE)
        world.clock.wall_us += step_s * SECOND_US
        world.commit(Decision(), event=ClockStepped(site_id=DISTRICT, step_us=step_s * SECOND_US))
        waits("third-room", Kind.DISPATCH_UPDATE)
        waits("sign-of-life", Kind.DISPATCH_HEARTBEAT, 600)

        with world.store.begin([OAK], world.clock.now()) as tx:
            turn = tx.turn(OAK, psap.key)
            third, second = (tx.notification(NotificationId(name)) for name in ("third-room", "second-incident"))
        assert turn is not None
        assert third is not None
        assert second is not None
        longest = (third.notification.expires_us, third.notification.expires_boot_us)
        opening = (second.notification.expires_us, second.notification.expires_boot_us)
        assert (turn.ends_us, turn.ends_boot_us) == longest, "R25: a centre that is back waits for news"
        assert (turn.opening_ends_us, turn.opening_ends_boot_us) == opening, "what opens an incident waits for a turn"

    def test_what_waits_at_an_address_since_an_earlier_boot_is_told_from_what_this_one_wrote(
        self, world: World
    ) -> None:
        """That boot's clock may have been wrong."""
        psap = Endpoint(channel="dispatch", address="psap", dispatch=True)
        world.commit(outbox(replace(of_boot(world, "old", 300), endpoint=psap, kind=Kind.DISPATCH_NEW)))
        again = NotificationChange(
            id=NotificationId("old"), state=NotificationState.QUEUED, reason=Reason.RETRYING, not_before_us=1
        )
        world.commit(Decision(changes=(again,)))
        world.close()
        world.clock.reboot(away_s=10, wall_step_s=-240)
        world.store = world.another()

        with world.store.begin([OAK], world.clock.now()) as tx:
            turn = tx.turn(OAK, psap.key)
        assert turn is not None
        assert turn.ends_us == turn.opening_ends_us > 0
        assert (turn.ends_boot_us, turn.opening_ends_boot_us) == (0, 0), "the newest room waits for what is old"

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

        world.clock.advance(1)
        now = world.clock.now()

        found = {row.notification.id for row in world.store.read_under_way("sms", now, SECOND_US)}
        assert found == {"claimed", "taken", "heard"}
        assert world.store.read_under_way("sms", now, SECOND_US - 1) == ()
        assert world.store.read_under_way("voice", now, SECOND_US) == ()

    def test_a_row_that_must_wait_is_not_claimed_before(self, world: World) -> None:
        later = world.clock.boot_us + 10 * SECOND_US
        decision = Decision(incidents=(incident(1),), notifications=(queued(text("ntf-1"), not_before_us=later),))
        assert world.commit(decision, born=PLENTY) == ()
        assert world.store.next_due_us()[1] == later
        assert world.claim() == ()
        world.clock.advance(10)

        assert ids(world.claim()) == ["ntf-1"]
        assert world.store.next_due_us()[1] is None

    def test_refused_rows_do_not_keep_others_from_being_claimed(self, world: World) -> None:
        old = [text(f"old-{i:03}", expires_us=START_WALL_US) for i in range(120)]
        world.commit(outbox(*old, text("good", created_us=START_WALL_US + 1)))

        assert ids(world.claim({"sms": 1})) == ["good"]

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
