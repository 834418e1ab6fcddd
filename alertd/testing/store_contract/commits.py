"""What was committed is there, all of it and once; what was not, is not.

Owns promise 1: decisions, their rows, and what an error leaves behind. Says nothing of who sends them: see `claims`.
"""
# ruff: noqa: S106 - a reply token is no password

import pytest

from alertd.model.decision import Decision
from alertd.model.ids import CauseId, IncidentId, NotificationId, SiteId
from alertd.model.mode import Mode
from alertd.model.notification import NotificationChange, NotificationState
from alertd.model.reason import Reason
from alertd.testing.store_contract.world import ELM, NONE, PLENTY, OneWorld, World, ids, outbox
from alertd.testing.store_values import (
    OAK,
    POLICY_HASH,
    START_WALL_US,
    first_wave,
    incident,
    phone,
    policy,
    press,
    text,
)


class Commits(OneWorld):
    """Promise 1, and one id, one content."""

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

    def test_a_poisonous_event_is_kept_and_its_fallback_told(self, world: World) -> None:
        claims = world.store.save_raw(press(), "ZeroDivisionError", outbox(text("ntf-1")), world.clock.now())

        assert ids(claims) == ["ntf-1"]
        again = world.store.save_raw(press(), "ZeroDivisionError", outbox(text("ntf-1")), world.clock.now())
        assert again == ()

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
