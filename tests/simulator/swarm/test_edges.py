"""An edge is counted by its name, with every fault that is about, and with no other."""

import pytest
from msgspec.structs import replace

from alertd.model.decision import Decision
from alertd.model.events import ResolveOrdered
from alertd.model.ids import CauseId, IncidentId, NotificationId, SiteId
from alertd.model.incident import (
    DispatchState,
    DispatchStatus,
    EscalationState,
    Incident,
    IncidentClass,
    IncidentState,
)
from alertd.model.mode import Mode
from alertd.model.notification import NotificationState
from alertd_simulator.world.edges import EdgeCounter, company_of
from alertd_simulator.world.happenings import Committed, Crashed, FaultBegan, FaultEnded, Healed, Moved, Reloaded
from alertd_simulator.world.plan import Plan, SensorReport

QUEUED = "notification new->queued"
INCIDENT = Incident(
    id=IncidentId("inc-1"),
    site_id=SiteId("oak"),
    incident_class=IncidentClass.LOCKDOWN,
    mode=Mode.LIVE,
    merge_key="oak",
    headline="OAK ELEM Rm 204 LOCKDOWN 10:42",
    token="17",
    policy_hash="",
    state=IncidentState.ACTIVE,
    escalation=EscalationState.RUNNING,
    opened_us=0,
    presses=(),
)


def seconds(at_s):
    return round(at_s * 1_000_000)


def queued(at_s):
    return Moved(
        at_us=seconds(at_s), notification_id=NotificationId("n-1"), before=None, after=NotificationState.QUEUED
    )


def committed(at_s, incident, durable=True):
    return Committed(at_us=seconds(at_s), event=EVENT, decision=Decision(incidents=(incident,)), durable=durable)


EVENT = ResolveOrdered(site_id=SiteId("oak"), cause=CauseId("c-1"), incident_id=IncidentId("inc-1"), by="ruiz")
"""The counter looks at decisions only."""


def began(at_s, fault):
    return FaultBegan(at_us=seconds(at_s), fault=fault)


def ended(at_s, fault):
    return FaultEnded(at_us=seconds(at_s), fault=fault)


def crashed(at_s, power=False):
    return Crashed(at_us=seconds(at_s), incarnation=1, where="", power=power)


def pairs(*happenings, company=()):
    counter = EdgeCounter(company)
    for happening in happenings:
        counter.see(happening)
    return counter.pairs()


def edges(*happenings):
    """Without their faults."""
    return {key.removeprefix("calm × "): times for key, times in pairs(*happenings).items()}


# --- company


def test_without_a_fault_it_is_a_calm_edge():
    assert pairs(queued(1), queued(2)) == {f"calm × {QUEUED}": 2}


def test_a_lasting_fault_counts_from_its_beginning_to_a_minute_after_its_end():
    fault = [began(10, "disk_full"), queued(500), ended(600, "disk_full"), queued(660)]

    assert pairs(queued(9), *fault, queued(660.1)) == {f"calm × {QUEUED}": 2, f"disk_full × {QUEUED}": 2}


def test_two_of_a_kind_end_one_by_one():
    twice = [began(0, "slow_disk"), began(5, "slow_disk"), ended(10, "slow_disk"), queued(200), ended(210, "slow_disk")]

    assert pairs(*twice, queued(271)) == {f"slow_disk × {QUEUED}": 1, f"calm × {QUEUED}": 1}


@pytest.mark.parametrize("fault", ["replay", "clock_step", "poison"])
def test_an_instant_fault_counts_for_a_minute(fault):
    assert pairs(began(10, fault), queued(70), queued(71)) == {f"{fault} × {QUEUED}": 1, f"calm × {QUEUED}": 1}


def test_a_crash_counts_when_it_comes_not_when_it_is_armed():
    assert pairs(began(0, "crash"), queued(1), crashed(100), queued(160), queued(161)) == {
        f"calm × {QUEUED}": 2,
        f"crash × {QUEUED}": 1,
    }


def test_a_crash_also_counts_for_a_minute_after_the_start_that_ends_it():
    assert pairs(crashed(100), ended(190, "crash"), queued(250)) == {f"crash × {QUEUED}": 1}


def test_a_reload_counts_for_a_minute_although_it_is_no_fault():
    reloaded = Reloaded(at_us=seconds(10), version="2")

    assert pairs(reloaded, queued(70), queued(71)) == {f"reload × {QUEUED}": 1, f"calm × {QUEUED}": 1}


def test_a_storm_of_reports_counts_from_its_first_to_a_minute_after_its_last():
    storm = SensorReport(at_s=100, name="s1", device="vape-1", action="vape", times=40, every_s=0.5)
    few = SensorReport(at_s=500, name="s2", device="vape-1", action="vape", times=19)
    company = company_of(Plan(seed=1, begins="2026-05-04T10:42:00-04:00", deeds=(storm, few)), ["America/New_York"])

    assert pairs(queued(99), queued(180), queued(181), queued(510), company=company) == {
        f"calm × {QUEUED}": 3,
        f"storm × {QUEUED}": 1,
    }


@pytest.mark.parametrize("begins", ["2026-03-08T01:50:00-05:00", "2026-11-01T01:50:00-04:00"])
def test_the_minutes_in_which_clocks_change_count(begins):
    company = company_of(Plan(seed=1, begins=begins, deeds=()), ["America/New_York", "UTC"])

    assert pairs(queued(8 * 60), queued(10 * 60 + 1), queued(15 * 60), company=company) == {
        f"calm × {QUEUED}": 2,
        f"clocks_change × {QUEUED}": 1,
    }


def test_every_fault_that_is_about_counts():
    assert pairs(began(0, "disk_full"), crashed(10), queued(20)) == {f"crash × {QUEUED}": 1, f"disk_full × {QUEUED}": 1}


def test_when_all_is_healed_no_fault_is_on():
    assert pairs(began(0, "disk_full"), Healed(at_us=seconds(100)), queued(160), queued(161)) == {
        f"disk_full × {QUEUED}": 1,
        f"calm × {QUEUED}": 1,
    }


# --- edges


def test_a_new_incident_is_two_edges_and_saying_it_again_is_none():
    assert edges(committed(1, INCIDENT), committed(2, INCIDENT)) == {
        "incident new->active": 1,
        "escalation new->running": 1,
    }


@pytest.mark.parametrize(
    ("change", "edge"),
    [
        ({"state": IncidentState.CLOSED}, "incident active->closed"),
        ({"state": IncidentState.RELEASING}, "incident active->releasing"),
        ({"escalation": EscalationState.PAUSED}, "escalation running->paused"),
        ({"escalation": EscalationState.EXHAUSTED}, "escalation running->exhausted"),
        ({"generation": 1}, "escalation running anew"),
        ({"step": 1}, "escalation next step"),
    ],
)
def test_what_changed_names_the_edge(change, edge):
    taken = edges(committed(1, INCIDENT), committed(2, replace(INCIDENT, **change)))

    assert taken.keys() - edges(committed(1, INCIDENT)).keys() == {edge}


def test_each_round_of_widening_is_an_edge():
    exhausted = replace(INCIDENT, escalation=EscalationState.EXHAUSTED)
    rounds = [committed(n, replace(exhausted, round=n)) for n in range(1, 4)]

    assert edges(committed(0, INCIDENT), *rounds)["escalation wider"] == 2


def test_each_dispatch_centre_has_edges_of_its_own():
    def told(**states):
        known = tuple(
            DispatchStatus(
                destination_id=name, state=state, sequence=1, last_message_id=NotificationId("n-1"), told_us=0
            )
            for name, state in states.items()
        )
        return replace(INCIDENT, dispatch=known)

    waiting, received = DispatchState.WAITING, DispatchState.RECEIVED
    taken = edges(committed(1, told(county=waiting)), committed(2, told(county=received, city=waiting)))

    assert taken["dispatch new->waiting"] == 2
    assert taken["dispatch waiting->received"] == 1


def test_what_only_memory_held_is_not_taken_for_known_after_a_power_cut():
    closed = replace(INCIDENT, state=IncidentState.CLOSED, escalation=EscalationState.STOPPED)
    lost = [committed(1, INCIDENT), committed(2, closed, durable=False), crashed(3, power=True)]

    taken = pairs(*lost, committed(100, INCIDENT), committed(101, closed))

    assert "calm × incident closed->active" not in taken
    assert taken["calm × incident active->closed"] == 2, "once before the power went, once after"


def test_a_plain_crash_takes_nothing_back():
    closed = replace(INCIDENT, state=IncidentState.CLOSED)
    taken = pairs(committed(1, INCIDENT), crashed(2), committed(100, closed))

    assert taken["calm × incident active->closed"] == 1
