"""Deadlines, and how long ago a thing is, whoever sets the clock and whatever reboots.

Owns timers, ends of texts, ages of presses and how long they are known. Time passes when the world's clock says so.
"""

import pytest

from alertd.model.decision import Decision
from alertd.model.events import ClockStepped, TimerFired
from alertd.model.ids import DISTRICT, CauseId, NotificationId, TimerId
from alertd.model.notification import NotificationChange, NotificationState
from alertd.model.reason import Reason
from alertd.testing.store_contract.world import NONE, PLENTY, OneWorld, World, ids, of_boot, outbox
from alertd.testing.store_values import DAY_US, OAK, SECOND_US, START_WALL_US, press, text, timer

DAY_S = DAY_US // SECOND_US
PROMISE_2 = "promise 2 broken: a press was taken for a copy of one that is long ago"
ONE_PRESS = "each copy of one press was a press of its own: one press becomes a lockdown"
SOON_S = 900


def _taken(notification_id: str) -> NotificationChange:
    return NotificationChange(
        id=NotificationId(notification_id), state=NotificationState.SENT, reason=Reason.FIRST_WAVE, ref="CA1"
    )


def _found(world: World) -> tuple[list[NotificationId], list[NotificationId]]:
    """Under way, and unsettled."""
    now, within_us = world.clock.now(), SOON_S * SECOND_US
    both = (world.store.read_under_way("sms", now, within_us), world.store.read_unsettled("sms", now, within_us))
    under_way, unsettled = ([row.notification.id for row in rows] for rows in both)
    return under_way, unsettled


class Clocks(OneWorld):
    """A step of the wall clock neither hurries, loses nor ages anything."""

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

    @pytest.mark.parametrize("step_s", [0, 30 * DAY_S, -30 * DAY_S])
    def test_what_a_provider_has_is_found_while_it_is_young_whoever_sets_the_clock(
        self, world: World, step_s: int
    ) -> None:
        """A phone that rings is to be silenced, and a text's end to be asked for."""
        world.commit(outbox(of_boot(world, "ntf-1", 3600)), born=PLENTY)
        world.commit(Decision(changes=(_taken("ntf-1"),)))
        world.clock.advance(100)
        world.clock.wall_us += step_s * SECOND_US

        assert _found(world) == (["ntf-1"], ["ntf-1"]), "a phone that rings is forgotten"
        world.clock.advance(SOON_S)
        assert _found(world) == ([], []), "what is long over is asked for, again and again"

    @pytest.mark.parametrize("step_s", [0, 23 * 3600, -30 * DAY_S])
    def test_what_was_under_way_is_found_after_a_reboot_whatever_the_clock_says_then(
        self, world: World, step_s: int
    ) -> None:
        """What a drill of the week before left is over."""
        world.commit(outbox(of_boot(world, "long-over", 60)), born=PLENTY)
        world.clock.advance(7 * DAY_S)
        world.commit(outbox(of_boot(world, "rings", 3600)), born=PLENTY)
        world.commit(Decision(changes=(_taken("long-over"), _taken("rings"))))
        world.close()
        world.clock.reboot(away_s=20, wall_step_s=step_s)
        world.store = world.another()

        found = _found(world)[0]
        assert "rings" in found, "our own call is found busy"
        assert "long-over" not in found or step_s < 0
        world.clock.advance(SOON_S)
        assert "rings" not in _found(world)[0] or step_s < 0, "this boot is older than that, and it was before"

    def test_after_a_reboot_weeks_later_nothing_is_under_way(self, world: World) -> None:
        """It was the last that was sent, and no clock is so far ahead: nobody's phone waits for it."""
        world.commit(outbox(of_boot(world, "rang", 3600)), born=PLENTY)
        world.commit(Decision(changes=(_taken("rang"),)))
        world.close()
        world.clock.reboot(away_s=21 * DAY_S)
        world.store = world.another()

        assert _found(world)[0] == [], "three weeks old calls hold phones"

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

    @pytest.mark.parametrize("step_s", [DAY_S, -DAY_S])
    def test_what_is_held_when_the_clock_is_set_is_sent_when_it_would_have_been_over_a_reboot(
        self, world: World, step_s: int
    ) -> None:
        """A phone that is to ring again in a minute does not ring at once, and does not wait for a day."""
        world.commit(outbox(of_boot(world, "ntf-1", 600)))
        world.claim()
        later = NotificationChange(
            id=NotificationId("ntf-1"),
            state=NotificationState.QUEUED,
            reason=Reason.RETRYING,
            not_before_us=world.clock.boot_us + 120 * SECOND_US,
        )
        world.commit(Decision(changes=(later,)))
        world.clock.advance(20)
        world.clock.wall_us += step_s * SECOND_US
        world.commit(Decision(), event=ClockStepped(site_id=DISTRICT, step_us=step_s * SECOND_US))
        world.close()
        world.clock.reboot(away_s=10)
        world.store = world.another()

        assert world.claim() == (), "it was to wait for ninety seconds more"
        world.clock.advance(89)
        assert world.claim() == ()
        world.clock.advance(2)
        assert ids(world.claim()) == ["ntf-1"], "it waits longer than it was to"

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

    def test_a_cause_that_is_another_press_begins_anew(self, world: World) -> None:
        """A badge has used all numbers of its small counter, and begins again: each copy of this press is a copy."""
        world.commit(Decision(cause=CauseId("press-1")))
        world.clock.advance(36_000)
        now = world.clock.now()
        with world.store.begin([OAK], now) as transaction:
            for _ in range(2):
                transaction.write(press(), Decision(cause=CauseId("press-1")), now)
            assert transaction.seen_us(CauseId("press-1")) == now.wall_us, ONE_PRESS
            transaction.commit(born_leased=NONE)
        world.clock.advance(10)
        assert self._ago_s(world, "press-1") == 10, ONE_PRESS
        world.restart()
        assert self._ago_s(world, "press-1") == 10, ONE_PRESS

    def _ago_s(self, world: World, cause: str) -> float:
        now = world.clock.now()
        with world.store.begin([OAK], now) as transaction:
            seen_us = transaction.seen_us(CauseId(cause))
        assert seen_us is not None, "promise 1: delivered again, it opens twice"
        return (now.wall_us - seen_us) / SECOND_US

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
