"""A shot beside what is open already: evidence within the policy's seconds, else a question of its own (req 70)."""

import pytest
from msgspec.structs import replace

from alertd.model.incident import IncidentClass, IncidentState
from alertd.model.notification import Kind
from alertd.model.policy import Corroboration, Step
from alertd.model.reason import Reason
from tests.engine.play import Play
from tests.engine.school import group, policy
from tests.engine.test_sensors import SHOT, play

ASKED = {("Ruiz", Kind.ALERT), ("Chen", Kind.ALERT)}
"""Those on duty, and nobody else."""


def lockdown(p: Play) -> None:
    p.press("badge-204", 8)
    p.wait(5)
    p.reply("Ruiz", f"4{p.incident.token}")
    p.news()


def to_people(p: Play) -> set[tuple[str, Kind]]:
    return {(n.recipient, n.kind) for n in p.news()}


def classes(p: Play) -> list[tuple[IncidentClass, IncidentState]]:
    return sorted((i.incident_class, i.state) for i in p.state.incidents.values())


RELEASED = (IncidentClass.LOCKDOWN, IncidentState.RELEASING)
LOCKED = (IncidentClass.LOCKDOWN, IncidentState.ACTIVE)
ASKING = (IncidentClass.GUNSHOT_SENSOR, IncidentState.ACTIVE)


@pytest.mark.parametrize("is_released", [False, True])
def test_one_sensor_alone_sounds_nothing_beside_a_lockdown_that_is_old(is_released):
    p = play()
    lockdown(p)
    if is_released:
        p.resolve()
    p.wait(3600)
    p.news()
    p.arrive("ears-118", "gunshot")

    assert to_people(p) == ASKED, "req 70: one sensor alone sounded a lockdown again"
    assert classes(p) == [ASKING, RELEASED if is_released else LOCKED]


def test_within_the_seconds_of_the_press_a_shot_is_evidence():
    p = play()
    lockdown(p)
    p.wait(50)
    p.arrive("ears-118", "gunshot")

    assert ("Okafor", Kind.ALSO) in to_people(p)
    assert classes(p) == [LOCKED]


def test_the_sensor_that_raised_a_lockdown_is_heard_again_while_it_is_released():
    p = play()
    p.arrive("ears-118", "gunshot")
    p.reply("Ruiz", f"9{p.incident.token}")
    p.resolve()
    p.wait(600)
    p.news()
    p.arrive("ears-118", "gunshot")

    assert to_people(p) == ASKED, "a shot while rooms are released was told to nobody"


def test_a_sensor_that_goes_on_hearing_shots_is_heard_when_rooms_are_released():
    p = play()
    lockdown(p)
    p.arrive("ears-118", "gunshot")
    for _ in range(3):
        p.wait(50)
        p.arrive("ears-118", "gunshot")
    p.resolve()
    p.news()
    p.wait(50)
    p.arrive("ears-118", "gunshot")

    assert to_people(p) == ASKED, "who opens doors does not know of the shot"


def test_two_sensors_while_a_lockdown_is_released_lock_down_again():
    p = play()
    lockdown(p)
    p.resolve()
    p.wait(3600)
    p.arrive("ears-118", "gunshot")
    p.news()
    p.wait(20)
    p.arrive("ears-204", "gunshot")

    assert ("Okafor", Kind.ALSO) in to_people(p)
    assert classes(p) == [LOCKED], "one school has one lockdown"
    assert Reason.CORROBORATED in p.reasons()


def test_a_press_while_a_lockdown_is_released_bears_out_what_a_sensor_heard():
    p = play()
    lockdown(p)
    p.resolve()
    p.wait(3600)
    p.arrive("ears-118", "gunshot")
    p.news()
    p.wait(20)
    p.press("badge-118", 3)

    assert LOCKED in classes(p)
    assert ASKING not in classes(p)


def test_a_shot_after_a_press_while_a_lockdown_is_released_is_borne_out_at_once():
    p = play()
    lockdown(p)
    p.resolve()
    p.wait(3600)
    p.press("badge-118", 3)
    p.wait(20)
    p.arrive("ears-118", "gunshot")

    assert classes(p).count(LOCKED) == 1
    assert ASKING not in classes(p)


def test_a_policy_that_leaves_it_to_humans_opens_no_released_lockdown_again():
    p = play(replace(SHOT, corroborated=Corroboration(within_s=60)))
    lockdown(p)
    p.resolve()
    p.wait(3600)
    p.arrive("ears-118", "gunshot")
    p.wait(20)
    p.arrive("ears-204", "gunshot")

    assert classes(p) == [ASKING, RELEASED]


def test_a_human_who_answers_9_beside_a_lockdown_takes_the_shot_into_it():
    p = play()
    lockdown(p)
    p.resolve()
    p.wait(3600)
    p.news()
    p.arrive("ears-118", "gunshot")
    (shot,) = [i for i in p.state.incidents.values() if i.incident_class is IncidentClass.GUNSHOT_SENSOR]
    p.news()
    p.reply("Ruiz", f"9{shot.token}")

    assert classes(p) == [LOCKED], "who answered 9 is asked again to look"
    assert ("Okafor", Kind.ALSO) in to_people(p)


def test_what_sensors_made_of_it_is_no_humans_press_for_the_next():
    hold = policy("hold", Step(targets=(group("first"),), wait_s=30))
    p = play(replace(SHOT, corroborated=Corroboration(within_s=60, raises="hold")), hold)
    p.arrive("ears-118", "gunshot")
    p.wait(5)
    p.arrive("ears-204", "gunshot")
    assert p.incident.incident_class is IncidentClass.HOLD
    p.wait(5)
    p.arrive("ears-gym", "gunshot")

    assert sorted(i.incident_class for i in p.state.incidents.values()) == ["gunshot_sensor", "hold"], (
        "two sensors were taken for a human who pressed"
    )
