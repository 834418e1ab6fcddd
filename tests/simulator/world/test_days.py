"""Small days in the world: what the machine does when the plan says so, seen in the happenings."""

import pytest

from alertd.model.notification import NotificationState
from alertd_simulator.carrier import Carrier
from alertd_simulator.world.happenings import (
    Acked,
    Arrived,
    ClockMoved,
    Committed,
    Crashed,
    DispatchTook,
    FaultBegan,
    FaultEnded,
    Healed,
    Moved,
    Ordered,
    Over,
    Published,
    Refused,
    Reloaded,
    Started,
    TextSeen,
    TextTaken,
    Typed,
)
from alertd_simulator.world.plan import (
    BrokerDown,
    BrokerDrops,
    ClockStep,
    Crash,
    DiskFull,
    Gesture,
    Habits,
    Order,
    Plan,
    Poison,
    Press,
    Reply,
    UplinkCut,
    WrongClockAtBoot,
)
from alertd_simulator.world.run import simulate

pytestmark = pytest.mark.slow

HOLD = Press(at_s=10, name="p1", device="button-oak-1", gesture=Gesture.HOLD)


def day(*deeds, heal_at_s=60.0, over_at_s=120.0, seed=5, **more):
    plan = Plan(seed=seed, begins="2026-10-14T14:00:00Z", deeds=deeds, heal_at_s=heal_at_s, over_at_s=over_at_s, **more)
    verdict = simulate(plan, keep_happenings=True)
    assert verdict.crash == ""
    assert verdict.violations == ()
    return verdict


def seen(verdict, kind):
    return [happening for happening in verdict.happenings if isinstance(happening, kind)]


def test_a_press_reaches_phones_and_dispatch():
    verdict = day(HOLD)

    (published,) = [p for p in seen(verdict, Published) if p.truth is not None]
    assert published.truth.incident_class == "lockdown"
    assert published.truth.site_id == "oak"
    assert {a.number for a in seen(verdict, Acked)} >= {published.number}
    told = seen(verdict, TextSeen)
    assert len({text.to for text in told}) >= 10
    assert {taken.notification_id for taken in seen(verdict, TextTaken)} >= {text.notification_id for text in told}
    assert "new" in {message.type for message in seen(verdict, DispatchTook)}
    assert (verdict.counts["presses"], verdict.counts["texts on phones"]) == (1, len(told))
    assert seen(verdict, Healed)[0].at_us == 60_000_000
    assert seen(verdict, Over)[0].at_us == 120_000_000


def test_a_power_cut_in_a_commit_takes_that_commit_and_none_before_it():
    """The press is in the first commit of its second; the power goes in the next one, of which nothing is kept."""
    press = Press(at_s=5, name="p1", device="button-oak-1", gesture=Gesture.HOLD)

    verdict = day(press, Crash(at_s=4.5, port="store.commit", nth=2, moment="during", power=True, cut=0.0))

    (crashed,) = seen(verdict, Crashed)
    assert crashed.power
    assert crashed.lost_bytes > 0


def test_a_crash_in_the_commit_of_a_press_delivers_it_again():
    verdict = day(HOLD, Crash(at_s=9.9, port="store.commit", nth=1, moment="before", down_s=3))

    (crashed,) = seen(verdict, Crashed)
    assert crashed.where.startswith("store.commit")
    assert [started.incarnation for started in seen(verdict, Started)] == [1, 2]
    number = seen(verdict, Published)[0].number
    arrived = [a for a in seen(verdict, Arrived) if a.number == number]
    assert len({a.connection for a in arrived}) == 2, "told again over the next connection"
    acked = [a for a in seen(verdict, Acked) if a.number == number]
    assert [a.connection for a in acked] == [arrived[-1].connection]


def test_a_power_cut_in_the_commit_loses_that_commit_and_the_press_comes_again():
    verdict = day(HOLD, Crash(at_s=10.0, port="store.commit", nth=1, moment="during", power=True, cut=0.4, down_s=20))

    (crashed,) = seen(verdict, Crashed)
    assert crashed.power
    assert crashed.lost_bytes > 0
    opened = {i.id for c in seen(verdict, Committed) for i in c.decision.incidents if i.presses}
    assert len(opened) == 1


def test_a_broker_that_is_down_makes_the_device_try_again():
    verdict = day(HOLD, BrokerDown(at_s=5, lasts_s=12))

    assert seen(verdict, Refused)
    (published,) = [p for p in seen(verdict, Published) if p.truth is not None]
    assert published.at_us > 17_000_000


def test_nothing_is_acknowledged_while_the_disk_is_full_and_people_are_told_all_the_same():
    verdict = day(HOLD, DiskFull(at_s=5, lasts_s=40), heal_at_s=60, over_at_s=120)

    number = next(p.number for p in seen(verdict, Published) if p.truth is not None)
    (acked,) = [a for a in seen(verdict, Acked) if a.number == number]
    assert acked.at_us > 45_000_000, "promise 1: PUBACK only when it is on the disk"
    assert seen(verdict, TextSeen)[0].at_us < 20_000_000, "promise 2: nothing delays a panic"


def test_without_an_uplink_texts_leave_when_it_is_back():
    verdict = day(HOLD, UplinkCut(at_s=5, lasts_s=20))

    assert min(text.at_us for text in seen(verdict, TextTaken)) > 25_000_000


def test_the_clock_can_be_set_and_a_machine_can_wake_up_wrong():
    verdict = day(ClockStep(at_s=10, by_s=-3600), WrongClockAtBoot(at_s=20, off_s=86_400, lasts_s=10, down_s=5), HOLD)

    assert [moved.by_s for moved in seen(verdict, ClockMoved)] == [-3600, 86_400, -86_400]
    assert seen(verdict, Crashed)[0].power


def test_a_person_types_what_the_plan_says_and_the_incident_pauses():
    verdict = day(HOLD, Reply(at_s=30, person="ruiz", body="4{token}"))

    (typed,) = seen(verdict, Typed)
    assert (typed.meant, typed.person_id) == ("going", "ruiz")
    states = [i.escalation for c in seen(verdict, Committed) for i in c.decision.incidents]
    assert "paused" in states


def test_an_admin_resolves_releases_and_reloads():
    verdict = day(
        HOLD,
        Order(at_s=20, what="resolve"),
        Order(at_s=25, what="reload"),
        Order(at_s=30, what="resolve_rooms_released"),
    )

    assert [(o.what, o.committed) for o in seen(verdict, Ordered)] == [
        ("resolve", False), ("resolve", True), ("resolve_rooms_released", False), ("resolve_rooms_released", True),
    ]  # fmt: skip
    assert seen(verdict, Reloaded)
    last = [i for c in seen(verdict, Committed) for i in c.decision.incidents][-1]
    assert last.state == "closed"


def test_a_press_that_the_engine_cannot_handle_pages_by_the_fallback():
    verdict = day(Poison(at_s=10, name="x", device="button-oak-1", kind="decide"))

    texts = [text.body for text in seen(verdict, TextSeen)]
    assert any("button-oak-1" in text or "Rm" in text for text in texts), texts
    assert seen(verdict, Acked)


def test_faults_that_overlap_end_in_any_order():
    verdict = day(UplinkCut(at_s=5, lasts_s=30), UplinkCut(at_s=10, lasts_s=5), HOLD)

    began, ended = seen(verdict, FaultBegan), seen(verdict, FaultEnded)
    assert len(began) == len(ended) == 2
    assert min(text.at_us for text in seen(verdict, TextTaken)) > 35_000_000, "the longer one was still on"


def test_a_fault_that_lasts_is_on_until_its_last_moment():
    verdict = day(BrokerDrops(at_s=5, times=3, every_s=4), WrongClockAtBoot(at_s=20, off_s=60, lasts_s=10, down_s=5))

    began = [(fault.at_us / 1e6, fault.fault) for fault in seen(verdict, FaultBegan) if fault.fault != "crash"]
    ended = [(fault.at_us / 1e6, fault.fault) for fault in seen(verdict, FaultEnded) if fault.fault != "crash"]
    assert began == [(5, "broker_drops"), (20, "wrong_clock_at_boot")]
    assert ended == [(17, "broker_drops"), (35, "wrong_clock_at_boot")]


def test_every_move_of_a_row_is_seen_from_birth_on():
    verdict = day(HOLD, habits=(Habits(person="ruiz", habit="replies going", after_s=5.0),))

    standing: dict[str, NotificationState] = {}
    for moved in seen(verdict, Moved):
        assert standing.get(moved.notification_id) is moved.before
        standing[moved.notification_id] = moved.after
    assert NotificationState.DELIVERED in standing.values()


def test_what_an_actor_does_not_forgive_is_a_violation_of_the_day(monkeypatch):
    create = Carrier._create

    def grumble(carrier, form):
        carrier.violations.append("a field that nobody knows")
        return create(carrier, form)

    monkeypatch.setattr(Carrier, "_create", grumble)
    verdict = simulate(Plan(seed=5, begins="2026-10-14T14:00:00Z", deeds=(HOLD,), heal_at_s=20, over_at_s=30))

    assert "actor carrier" in {violation.checker for violation in verdict.violations}
