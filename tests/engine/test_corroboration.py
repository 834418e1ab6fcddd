"""A shot beside what is open already: evidence within the policy's seconds, else a question of its own (req 70)."""

import pytest
from msgspec.structs import replace

from alertd.model.events import Lasting
from alertd.model.ids import DeviceId, PolicyId
from alertd.model.incident import IncidentClass, IncidentState
from alertd.model.notification import Kind
from alertd.model.policy import Corroboration, Step
from alertd.model.reason import Reason
from alertd.model.site import DeviceKind, Gestures
from tests.engine.play import Play
from tests.engine.school import OAK, device, group, policy
from tests.engine.test_sensors import SHOT, play, school

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


def test_where_a_second_sensor_heard_it_people_read_after_what_it_is_in_the_words_of_that():
    p = play()
    p.arrive("ears-118", "gunshot")
    p.wait(5)
    p.news()
    p.arrive("ears-204", "gunshot")
    mine = [(n.kind, n.text) for n in p.news() if n.recipient == "Ruiz"]

    assert [kind for kind, _ in mine] == [Kind.ALERT, Kind.ALSO], "who is locked down is asked whether to lock down"
    assert "Rm 118, 1st fl West: LOCKDOWN" in mine[0][1]
    assert "Rm 204" in mine[1][1], "where it was heard, too, is news to those who go there"


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


@pytest.mark.parametrize("answered", ["the shot before", "a vape"])
def test_a_9_takes_every_shot_that_is_asked_about_into_the_lockdown(answered):
    p = play()
    if answered == "a vape":
        p.arrive("vape-wc", "vape")
    else:
        p.arrive("ears-gym", "gunshot")
    token = p.incident.token
    if answered == "the shot before":
        p.reply("Ruiz", f"5{token}")
        p.wait(1200)
    p.arrive("ears-204", "gunshot")
    p.news()
    p.reply("Ruiz", f"9{token}")

    assert classes(p) == [LOCKED], "who answered 9 is asked again to look"
    assert "204" in {x.location.zone_id for x in p.incident.presses}, "nobody hears where the shot was"
    p.news()
    p.wait(700)
    assert not [n.text for n in p.news() if "unconfirmed" in n.text], "people in a lockdown are asked to look"


def test_a_cry_and_a_shot_are_two_questions_and_a_9_answers_both():
    keyword = replace(SHOT, id=PolicyId("keyword_sensor"), incident_class="keyword_sensor")
    p = play(keyword)
    oak = p.registry.sites[OAK]
    ears = p.registry.devices[DeviceId("ears-gym")]
    listens = replace(ears, gestures=replace(ears.gestures, actions=ears.gestures.actions | {"help": "keyword_sensor"}))
    p.registry = replace(
        p.registry,
        sites=p.registry.sites | {OAK: replace(oak, policies=oak.policies | {"keyword_sensor": keyword.id})},
        devices=p.registry.devices | {ears.id: listens},
    )
    p.arrive("ears-gym", "help")
    p.wait(5)
    p.arrive("ears-118", "gunshot")

    assert to_people(p) == ASKED, "a lockdown for a bang, and a word that another sensor took for a cry"
    assert [state for _, state in classes(p)] == [IncidentState.ACTIVE] * 2
    p.reply("Ruiz", f"9{max(p.state.incidents.values(), key=lambda i: i.opened_us).token}")

    assert classes(p) == [LOCKED], "who answered 9 is asked again to look"


@pytest.mark.parametrize("witness", ["a second sensor", "a press"])
def test_a_hold_leaves_a_shot_a_question(witness):
    p = play()
    p.arrive("ears-118", "gunshot")
    p.wait(20)
    p.reply("Ruiz", f"8{p.incident.token}")

    assert ASKING in classes(p), "who asked for a hold said nothing of the shot, and nobody is asked any more"
    assert (IncidentClass.HOLD, IncidentState.ACTIVE) in classes(p)
    p.wait(20)
    if witness == "a press":
        p.press("badge-204", 3)
    else:
        p.arrive("ears-gym", "gunshot")

    assert is_locked(p), "req 70: after a hold, a shot that is borne out was less than if nobody had said anything"
    assert ASKING not in classes(p)


@pytest.mark.parametrize(
    "order", ["a hold, a shot", "a shot, a hold, the same sensor", "a shot, a hold, the AED again"]
)
def test_a_hold_that_is_asked_for_is_no_press_for_help(order):
    """Somebody's heart stops, and "8" clears the halls: nobody has pressed for help against anybody."""
    p = play()
    p.arrive("wall-gym")
    medical = p.incident
    if order != "a hold, a shot":
        p.arrive("ears-118", "gunshot")
        p.wait(5)
    p.reply("Nurse", f"8{medical.token}")
    p.wait(20)
    if order.endswith("again"):
        p.arrive("wall-gym")
    else:
        p.arrive("ears-118", "gunshot")

    assert not is_locked(p), "req 70: a medical alert and one sensor locked the school down"
    assert ASKING in classes(p)


def test_a_hold_that_is_asked_for_where_a_button_was_covered_is_no_press_for_help():
    buttons = Gestures(id="wall", actions={"covered": "masking"})
    known = school()
    p = Play(replace(known, devices=known.devices | {(b := device("wall-gym", DeviceKind.BUTTON, buttons)).id: b}))
    p.arrive("wall-gym", "covered")
    p.reply("Ruiz", f"8{p.incident.token}")
    assert p.incident.incident_class is IncidentClass.HOLD
    p.wait(20)
    p.arrive("ears-118", "gunshot")

    assert not is_locked(p), "req 70: an answer and one sensor locked the school down"


@pytest.mark.parametrize("waited_s", [20, 70])
@pytest.mark.parametrize("asked_first", [False, True])
def test_a_hold_that_was_pressed_bears_out_a_shot_by_when_it_was_pressed(waited_s, asked_first):
    buttons = Gestures(id="wall", actions={"press": "medical", "halls": "hold"})
    known = school()
    p = Play(
        replace(
            known, devices=known.devices | {(b := device("wall-gym", DeviceKind.BUTTON, buttons, zone_id="gym")).id: b}
        )
    )
    if asked_first:
        p.arrive("wall-gym")
        p.reply("Nurse", f"8{p.incident.token}")
        p.wait(120)
    p.arrive("wall-gym", "halls")
    p.wait(waited_s)
    p.reply("Ruiz", f"8{next(i for i in p.state.incidents.values() if i.incident_class is IncidentClass.HOLD).token}")
    p.wait(5)
    p.arrive("ears-118", "gunshot")

    assert is_locked(p) == (waited_s == 20), "req 70: an answer was taken for a press, or a press for an answer"


@pytest.mark.parametrize("pressed_again", [False, True])
def test_a_lockdown_that_was_a_mistake_bears_out_no_shot(pressed_again):
    p = play()
    lockdown(p)
    p.correct()
    p.wait(15)
    if pressed_again:
        p.press("badge-204", 8)
        p.wait(5)
    p.news()
    p.arrive("ears-118", "gunshot")

    assert (("Okafor", Kind.ALSO) in to_people(p)) is pressed_again, "a mistake and one sensor sounded a lockdown again"
    assert (classes(p) == [LOCKED]) is pressed_again


def test_a_question_does_not_end_while_the_sensor_goes_on_hearing_shots():
    p = play()
    for _ in range(240):
        p.arrive("ears-118", "gunshot")
        p.wait(5)
    assert len({i.id for i in p.closed.values()} | set(p.state.incidents)) == 1, "it ended in the middle of a shooting"
    p.press("badge-204", 3)

    assert is_locked(p), "a shot within seconds of a press bore nothing out"


def test_a_question_that_nobody_answers_ends_once_it_is_quiet():
    p = play()
    p.arrive("ears-118", "gunshot")
    p.wait(900)

    assert not p.state.incidents
    asked = [n for n in p.news() if n.recipient == "Ruiz" and n.template.startswith(("alert", "exhausted"))]
    assert len(asked) == 6, "asked once, and five times more"


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


# --- what waited somewhere: when was it said? -----------------------------------------------------------------------

HOUR_US = 3600 * 1_000_000
MINUTE_US = 60 * 1_000_000


def away(p: Play, us: int, ago_us: int | None = None) -> dict[str, int]:
    """The line was gone for so long; `ago_us`: so long ago it was said, by a clock of the device's own."""
    return {"backlog_since_us": p.now_us - us} | ({} if ago_us is None else {"pressed_us": p.now_us - ago_us})


def is_locked(p: Play) -> bool:
    return any(i.incident_class is IncidentClass.LOCKDOWN for i in p.state.incidents.values())


@pytest.mark.parametrize("ago_us", [(None, None), (5 * HOUR_US, HOUR_US)], ids=["nobody_knows", "hours_apart"])
def test_two_shots_of_the_night_that_come_together_are_two_questions(ago_us):
    p = play()
    p.arrive("ears-204", "gunshot", **away(p, 6 * HOUR_US, ago_us[0]))
    p.wait(1)
    p.arrive("ears-118", "gunshot", **away(p, 6 * HOUR_US, ago_us[1]))

    assert not is_locked(p), "req 70: two shots that came together were taken for two of one moment"
    assert ("Ruiz", Kind.ALSO) in to_people(p), "of the second shot nobody was told"


@pytest.mark.parametrize("waited", [True, False])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_press_bears_out_no_shot_of_which_nobody_knows_when_it_was(is_first, waited):
    p = play()
    heard = away(p, HOUR_US) if waited else {"pressed_us": p.now_us - HOUR_US}  # kept by a gateway, or a slow clock
    if is_first:
        p.arrive("ears-118", "gunshot", **heard)
    p.press("badge-204", 3, **(away(p, HOUR_US) if waited else {}))
    if not is_first:
        p.arrive("ears-118", "gunshot", **heard)

    assert not is_locked(p), "req 70: a shot of the night and a press made a lockdown"
    assert not any(n.endpoint.dispatch for n in p.news()), "dispatch was sent for a shot of the night"


@pytest.mark.parametrize("late_again", [True, False])
def test_a_report_of_the_night_makes_no_older_one_new(late_again):
    p = play()
    p.arrive("ears-118", "gunshot")
    p.wait(7200)
    p.arrive("ears-118", "gunshot", **(away(p, HOUR_US) if late_again else {}))
    p.wait(10)
    p.press("badge-204", 3)

    assert is_locked(p) is not late_again, "req 70: a shot of the night and a press made a lockdown"


@pytest.mark.parametrize("late_again", [True, False])
def test_a_repeat_that_waited_makes_no_older_press_new(late_again):
    p = play()
    p.press("badge-204", 3)
    p.wait(7200)
    p.press("badge-204", 3, **(away(p, HOUR_US) if late_again else {}))
    p.wait(10)
    p.arrive("ears-118", "gunshot")

    assert is_locked(p) is not late_again, "req 70: a press of hours ago and a shot made a lockdown"


@pytest.mark.parametrize("is_shot", [True, False])
def test_a_late_repeat_does_not_take_away_what_was_heard_just_now(is_shot):
    p = play()
    for late in ({}, away(p, HOUR_US)):
        if is_shot:
            p.arrive("ears-118", "gunshot", **late)
        else:
            p.press("badge-204", 3, **late)
        p.wait(2)
    if is_shot:
        p.press("badge-204", 3)
    else:
        p.arrive("ears-118", "gunshot")

    assert is_locked(p), "promise 2: a shot and a press within seconds, and no lockdown"


def test_what_waited_shorter_than_the_seconds_is_borne_out():
    p = play()
    p.arrive("ears-118", "gunshot", **away(p, 40_000_000))
    p.arrive("ears-204", "gunshot", **away(p, 40_000_000))

    assert is_locked(p), "both came within 40 seconds, whenever they came"


def test_what_waited_is_borne_out_by_the_clocks_of_its_own_devices():
    p = play()
    p.arrive("ears-118", "gunshot", **away(p, HOUR_US, 30 * MINUTE_US))
    p.wait(1)
    p.arrive("ears-204", "gunshot", **away(p, HOUR_US, 30 * MINUTE_US - 5_000_000))

    assert is_locked(p), "two sensors heard it within seconds, by their own clocks"
    assert not any(n.endpoint.dispatch for n in p.news()), "what is late waits for a human"


def test_a_sensor_whose_clock_is_a_minute_slow_bears_out_what_another_hears():
    p = play()
    p.arrive("ears-118", "gunshot")
    p.wait(5)
    p.arrive("ears-204", "gunshot", pressed_us=p.now_us - 100_000_000)

    assert is_locked(p), "a clock that is a minute slow parted two shots of one moment"


def test_a_slow_clock_is_no_proof_that_it_was_heard_with_an_older_press():
    p = play()
    p.press("badge-204", 3)
    p.wait(3600)
    p.arrive("ears-118", "gunshot", pressed_us=p.now_us - HOUR_US)

    assert not is_locked(p), "req 70: a sensor whose clock is an hour slow was taken for a witness of an older press"


def test_a_shot_of_the_night_is_heard_again_now_beside_a_press():
    p = play()
    p.arrive("ears-118", "gunshot", **away(p, HOUR_US))
    p.wait(5)
    p.press("badge-204", 3)
    assert not is_locked(p)
    p.wait(5)
    p.arrive("ears-118", "gunshot")

    assert is_locked(p), "a shot within seconds of a press was only counted"
    (locked,) = (i for i in p.state.incidents.values() if i.incident_class is IncidentClass.LOCKDOWN)
    assert {s.device_id for s in locked.presses} == {"ears-118", "badge-204"}, "where the human is, people have to know"


# --- beside what is released ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_new", [True, False])
def test_another_sensor_within_the_seconds_is_evidence_while_rooms_are_released(is_new):
    p = play(replace(SHOT, corroborated=Corroboration(within_s=60)))
    lockdown(p)
    p.arrive("ears-118", "gunshot")
    p.resolve()
    p.news()
    p.wait(20)
    p.arrive("ears-gym" if is_new else "ears-118", "gunshot")

    assert (ASKING in classes(p)) is not is_new, "a sensor that nobody had heard yet was no part of the lockdown"
    assert (("Okafor", Kind.ALSO) in to_people(p)) is is_new


def test_a_press_does_not_end_the_question_beside_a_lockdown_that_is_released():
    p = play(replace(SHOT, corroborated=Corroboration(within_s=60)))
    lockdown(p)
    p.resolve()
    p.wait(3600)
    p.arrive("ears-118", "gunshot")
    p.wait(20)
    p.press("badge-118", 3)

    assert ASKING in classes(p), "rooms are released, and nobody is asked to look at the shot any more"


def test_a_sensor_that_cools_down_sooner_is_still_borne_out_within_the_policys_seconds():
    p = play(replace(SHOT, corroborated=Corroboration(within_s=300, raises="lockdown"), arrive_within_s=30))
    brief = {
        d.id: replace(d, gestures=replace(d.gestures, sensor=replace(d.gestures.sensor, cool_down_s=60)))
        for d in p.registry.devices.values()
    }
    p.registry = replace(p.registry, devices=brief)
    p.arrive("ears-118", "gunshot")
    p.wait(20)
    p.reply("Chen", f"5{p.incident.token}")
    p.wait(120)
    p.arrive("ears-204", "gunshot")

    assert is_locked(p), "req 70: the second sensor came within the policy's seconds, and the first was forgotten"


PANIC = Lasting(repeats_s=600)


def still_on(p: Play, for_s: int, every_s: int = 20) -> None:
    """The badge of Rm 204 stays in its panic state."""
    for _ in range(for_s // every_s):
        p.wait(every_s)
        p.arrive("badge-204", "press", count=3, lasting=PANIC)


def test_a_badge_that_still_says_what_it_said_an_hour_ago_bears_out_nothing():
    p = play()
    p.arrive("badge-204", "press", count=3, lasting=PANIC)
    p.wait(5)
    p.reply("Ruiz", f"4{p.incident.token}")
    still_on(p, 3000)
    p.arrive("ears-118", "gunshot")
    still_on(p, 40)
    assert ASKING in classes(p), "req 70: one sensor alone locked the school down: nobody pressed"


def test_a_badge_that_is_carried_bears_out_nothing():
    p = play()
    p.arrive("walker", "press", count=3, lasting=PANIC)
    p.reply("Ruiz", f"4{p.incident.token}")
    p.wait(500)
    p.arrive("ears-118", "gunshot")
    p.wait(20)
    p.arrive("walker", "press", count=3, lasting=PANIC, heard_by="gw-oak")
    assert Reason.NEWS in p.reasons(), "where it is now is told"
    assert ASKING in classes(p), "req 70: one sensor alone locked the school down: nobody pressed"


def test_a_shot_an_hour_into_a_lockdown_whose_badge_is_still_on_is_a_question_of_its_own():
    p = play()
    p.arrive("badge-204", "hold", lasting=PANIC)
    p.wait(5)
    p.arrive("ears-118", "gunshot")
    p.reply("Ruiz", f"4{p.incident.token}")
    for _ in range(100):
        p.wait(30)
        p.arrive("badge-204", "hold", lasting=PANIC)
    p.news()
    p.arrive("ears-118", "gunshot")
    assert to_people(p) == ASKED, "a second shooting was counted, and told to nobody"
