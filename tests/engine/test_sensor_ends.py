"""What sensors asked and nobody ended: when it is over by itself, and that a human's word about it counts even then."""

import pytest
from msgspec.structs import replace

from alertd.engine.routing import route
from alertd.model.events import Arrival, Signal
from alertd.model.ids import DeviceId
from alertd.model.incident import EscalationState, Incident, IncidentState
from alertd.model.notification import Kind
from alertd.model.policy import Corroboration, Step
from alertd.model.reason import Reason
from alertd.model.registry import ChannelRules
from tests.engine.play import Play
from tests.engine.school import PEOPLE, group, policy
from tests.engine.test_calls import with_phone
from tests.engine.test_sensors import COOLED_S, SHOT, locked, play, school

HOUR_US = 3600 * 1_000_000
TO_HUMANS = replace(SHOT, corroborated=Corroboration())
"""Two sensors are news only."""


def arrive_late(p: Play, sensor: str, word: str, received_us: int) -> None:
    """A repeat that was gathered in front of the door passes it after its time."""
    p.arrivals += 1
    signal = Signal(device_id=DeviceId(sensor), action=word)
    arrival = Arrival(
        source="mqtt", topic="t", signals=(signal,), received_us=received_us, arrival_id=f"late:{p.arrivals}"
    )
    for event in route(p.registry, arrival):
        p.do(event)


def ended(p: Play) -> Incident:
    """The only one that is over."""
    (incident,) = p.closed.values()
    return incident


# --- is it the same alarm? --------------------------------------------------------------------------------------------


def test_what_was_gathered_in_front_of_the_door_ends_nothing_that_is_answered():
    p = play(TO_HUMANS)
    p.arrive("ears-204", "gunshot")
    p.wait(2)
    p.arrive("ears-gym", "gunshot")
    p.wait(20)
    p.reply("Ruiz", f"5{p.incident.token}")
    first = p.incident.id
    p.wait(40)
    p.arrive("ears-204", "gunshot")
    repeat_us = p.now_us + 1_000_000
    p.wait(2)
    p.arrive("ears-gym", "gunshot")
    p.wait(3)
    p.news()
    arrive_late(p, "ears-204", "gunshot", repeat_us)

    assert p.incident.id == first, "it was not quiet, and the code that people have is dead"
    assert p.news() == [], "people are told anew of what somebody looks into"
    assert p.incident.presses[0].count == 3


def test_one_of_two_sensors_that_is_quiet_ends_nothing():
    p = play(TO_HUMANS)
    p.arrive("ears-204", "gunshot")
    p.arrive("ears-gym", "gunshot")
    p.wait(20)
    p.reply("Ruiz", f"5{p.incident.token}")
    first = p.incident.id
    p.news()
    for _ in range(4):
        p.wait(400)
        p.arrive("ears-gym", "gunshot")

    assert p.incident.id == first, "it was not quiet: only one of its sensors was"
    assert p.news() == [], "the same alarm was told twice"


def test_a_clock_that_was_set_back_keeps_nothing_open_for_longer_than_a_cool_down():
    p = play()
    p.arrive("ears-gym", "gunshot")
    p.reply("Ruiz", f"5{p.incident.token}")
    p.wait(60)
    p.stepped_us -= HOUR_US
    p.wait(300 + COOLED_S)

    assert not p.state.incidents, "it stays open until the clock has caught up"


def test_what_waits_in_front_of_the_door_while_the_clock_is_set_back_ends_nothing():
    """Both were heard by the clock of before: the silence between them is known."""
    p = play()
    p.arrive("ears-gym", "gunshot")
    repeat_us = p.now_us + 1_000_000
    p.reply("Ruiz", f"5{p.incident.token}")
    first = p.incident.id
    p.wait(20)
    p.stepped_us -= HOUR_US
    p.news()
    arrive_late(p, "ears-gym", "gunshot", repeat_us)

    assert p.incident.id == first, "it was not quiet, and the code that people have is dead"
    assert p.news() == [], "people are told anew of what somebody looks into"
    assert p.incident.presses[0].count == 2


# --- going is not arriving --------------------------------------------------------------------------------------------


def test_who_goes_to_a_shot_and_never_arrives_is_not_waited_for():
    p = play()
    p.arrive("ears-gym", "gunshot")
    p.wait(20)
    p.reply("Ruiz", f"4{p.incident.token}")
    p.news()
    p.wait(299)
    assert p.news() == []
    p.wait(1)

    assert p.incident.escalation is EscalationState.RUNNING
    assert {(n.recipient, n.kind) for n in p.news()} == {("Ruiz", Kind.NOT_ARRIVED), ("Chen", Kind.NOT_ARRIVED)}
    p.wait(31)
    assert {n.recipient for n in p.news() if n.kind is not Kind.TROUBLE} == {"Ruiz", "Chen"}, "nobody is asked again"


@pytest.mark.parametrize("lapses", ["5 min", "cannot go", "another sensor"])
def test_who_goes_late_to_a_shot_and_never_arrives_leaves_time_to_answer(lapses):
    """Nobody answered for nine minutes: the last of five rounds was the one that somebody did answer."""
    p = play(TO_HUMANS)
    p.arrive("ears-gym", "gunshot")
    token = p.incident.token
    p.wait(30 + 4 * 120 + 5)
    p.reply("Ruiz", f"4{token}")
    if lapses == "cannot go":
        p.reply("Ruiz", f"6{token}")
    elif lapses == "another sensor":
        p.arrive("ears-204", "gunshot")
    else:
        p.wait(300)
    p.news()
    p.wait(40)
    assert p.state.incidents, "it ended in silence, and what was said of it last is that somebody goes"
    p.wait(460)
    asked = [n for n in p.news() if n.kind is not Kind.TROUBLE and n.recipient == "Chen"]
    assert len(asked) >= 4, "nobody is asked again as often as the first time"
    p.reply("Chen", f"4{token}")

    assert "you are GOING" in p.texts_to("Chen")[-1]


def test_who_goes_to_a_cloud_need_not_say_that_they_arrived():
    p = play()
    p.arrive("vape-wc", "vape")
    p.reply("Ruiz", f"4{p.incident.token}")
    p.news()
    p.wait(3600)

    assert p.news() == []
    assert not p.state.incidents


# --- a human's word to what no human ended ----------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["5", ""])
def test_a_9_to_a_shot_that_ended_by_itself_locks_down(answer):
    p = play()
    p.arrive("ears-gym", "gunshot")
    token = p.incident.token
    if answer:
        p.reply("Ruiz", f"{answer}{token}")
    p.wait(1200)
    assert not p.state.incidents
    p.news()
    p.reply("Ruiz", f"9{token}")

    assert locked(p), "a human's 9 was refused, and no human had ended what it was about"
    assert p.incident.id != ended(p).id, "what was over is open again"
    assert p.incident.presses[0].location.zone_id == "gym"
    told = {n.recipient for n in p.news()}
    assert {"Okafor", "Diaz"} <= told, "staff hear of a lockdown"
    assert "is on, as you asked" in p.texts_to("Ruiz")[-1]
    assert ended(p).state is IncidentState.CLOSED


def test_a_9_beside_an_open_lockdown_goes_into_it():
    p = play()
    p.arrive("ears-gym", "gunshot")
    token = p.incident.token
    p.wait(1200)
    p.press("badge-204", 8)
    lockdown = p.incident.id
    p.reply("Chen", f"9{token}")

    assert p.incident.id == lockdown
    assert "gym" in {x.location.zone_id for x in p.incident.presses}, "nobody hears where the shot was"


def test_a_9_to_what_a_human_ended_changes_nothing():
    p = play()
    p.arrive("ears-gym", "gunshot")
    token = p.incident.token
    p.resolve()
    p.reply("Chen", f"9{token}")

    assert not p.state.incidents
    assert Reason.STALE_CODE in p.reasons()
    assert "changed nothing" in p.texts_to("Chen")[-1]


def ended_and_locked_down() -> tuple[Play, str, int]:
    """Somebody asks for a lockdown after a shot that had ended by itself. Its code, and when that was typed."""
    p = play()
    p.arrive("ears-gym", "gunshot")
    token = p.incident.token
    p.reply("Ruiz", f"5{token}")
    p.wait(1200)
    p.reply("Ruiz", f"9{token}")
    assert locked(p)
    return p, token, p.now_us


def test_a_9_that_was_typed_before_a_human_ended_the_lockdown_begins_no_other():
    p, token, typed_us = ended_and_locked_down()
    p.wait(60)
    p.resolve(rooms_released=True)
    p.wait(240)
    p.news()
    p.reply("Chen", f"9{token}", at_us=typed_us + 5_000_000)  # beside the first, and the carrier held it back

    assert not p.state.incidents, "a lockdown that a human has closed begins anew"
    assert "LOCKDOWN" in p.texts_to("Chen")[-1]
    assert "changed nothing" in p.texts_to("Chen")[-1]


def test_a_9_that_is_typed_after_a_human_ended_the_lockdown_locks_down():
    p, token, _ = ended_and_locked_down()
    p.wait(60)
    p.resolve(rooms_released=True)
    p.wait(240)
    p.reply("Chen", f"9{token}")

    assert locked(p), "a human's word was refused"


def test_a_9_that_was_typed_before_a_drill_ended_locks_down():
    p = play()
    p.arrive("ears-gym", "gunshot")
    token = p.incident.token
    p.wait(1200)
    p.drill()
    p.press("badge-204", 8)
    typed_us = p.now_us
    p.wait(60)
    p.end_drill()
    p.wait(60)
    p.reply("Chen", f"9{token}", at_us=typed_us)

    assert locked(p), "the end of a drill is no human's word about a shot"


def test_going_to_what_ended_by_itself_opens_nothing():
    p = play()
    p.arrive("ears-gym", "gunshot")
    token = p.incident.token
    p.wait(1200)
    p.reply("Chen", f"4{token}")

    assert not p.state.incidents
    assert "changed nothing" in p.texts_to("Chen")[-1]


def test_a_9_to_what_ended_by_itself_ends_a_drill():
    p = play()
    p.arrive("ears-gym", "gunshot")
    token = p.incident.token
    p.wait(1200)
    p.drill()
    p.reply("Chen", f"9{token}")

    assert locked(p)
    assert p.state.drill is None


def test_key_9_in_a_call_about_a_shot_that_ended_by_itself_locks_down():
    called = policy("gunshot_sensor", Step(targets=(group("first"),), channels=("voice",), wait_s=30))
    known = school(called, people=tuple(map(with_phone, PEOPLE)))
    voice = ChannelRules(name="voice", kind="voice", text_limit=0)
    p = Play(replace(known, channels=known.channels | {"voice": voice}))
    p.arrive("ears-gym", "gunshot")
    call = p.row_to("Ruiz")
    assert call.notification.endpoint.channel == "voice"
    p.wait(1200)
    assert not p.state.incidents
    spoken = p.key(call, 9)

    assert locked(p), "a human's key was refused"
    assert "is on, as you asked" in spoken.text
