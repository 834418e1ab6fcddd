"""Days on which two things go wrong at once: corrections before new presses, moving badges, dead phones, storms."""

import pytest
from msgspec.structs import replace

from alertd.engine import fallback
from alertd.model.anchor import Now
from alertd.model.decision import Facts
from alertd.model.events import Malformed, Pressed, TimerFired, Unregistered
from alertd.model.ids import DISTRICT, CauseId, DeviceId, PersonId, ZoneId
from alertd.model.incident import DispatchState, EscalationState, IncidentClass, IncidentState
from alertd.model.notification import Lane
from alertd.model.outcome import Failed
from alertd.model.people import Endpoint, Person, PersonKind
from alertd.model.policy import Step
from alertd.model.registry import Registry
from alertd.model.site import Gestures, StateRules
from alertd.model.timer import TimerKind
from tests.engine.play import START_US, Play
from tests.engine.school import ASSIST, OAK, PEOPLE, PSAP, STAFF, group, person, policy, registry

MINUTE_US = 60_000_000
LATE_SINCE_US = START_US - 180 * MINUTE_US


def with_push() -> Registry:
    """Ruiz has a second way to be told."""
    ruiz = PEOPLE[0]
    both = (*ruiz.endpoints, Endpoint(channel="push", address="ruiz-phone", person_id=ruiz.id))
    return registry(people=(replace(ruiz, endpoints=both), *PEOPLE[1:]))


def with_gestures(device_id: str, gestures: Gestures) -> Registry:
    school = registry()
    device = school.devices[DeviceId(device_id)]
    return replace(school, devices=school.devices | {device.id: replace(device, gestures=gestures)})


# --- dispatch is told, and only what is so ----------------------------------------------------------------------------


def test_an_upgrade_in_the_cancel_window_reaches_dispatch_by_the_timeout() -> None:
    """Req 15: silence is not a veto."""
    school = registry(
        policy("staff_assist", *ASSIST.steps, cancel_window_s=8),
        rules=StateRules(confirm_before_dispatch="timed", confirm_timeout_s=45),
    )
    play = Play(school)
    play.press(count=3)
    play.wait(2)
    play.press(count=8)
    play.news()
    play.wait(46)

    assert ("psap", "dispatch_new") in play.said(), "req 15: nobody confirmed, and dispatch was never told"


def test_dispatch_is_told_of_other_news_under_another_id_once_memory_was_lost() -> None:
    """A centre ignores a message that it has, by its id. The first one keeps its id: no second call is opened."""
    first_life, second_life = Play(), Play()
    for play, again_after_s, device_id in ((first_life, 5, "badge-118"), (second_life, 40, "badge-204")):
        play.press("badge-204")
        play.wait(again_after_s)
        play.press(device_id)

    told = [[row.notification for row in play.rows.values()] for play in (first_life, second_life)]
    ids = [[n.id for n in each if n.recipient == "psap"] for each in told]
    assert [len(each) for each in ids] == [2, 2]
    assert ids[0][0] == ids[1][0]
    assert ids[0][1] != ids[1][1], "the centre takes what is new for what it has been told"


def test_a_press_of_now_does_not_wait_for_the_late_one_before_it() -> None:
    """Promise 2: the hold is for presses of an unknown age; this one is fresh."""
    play = Play()
    play.press(backlog_since_us=LATE_SINCE_US)
    play.news()
    play.wait(30)
    play.press()

    assert ("psap", "dispatch_new") in play.said(), "promise 2: a fresh press was held like the late one"


def test_an_upgrade_of_now_does_not_wait_for_the_late_assist_before_it() -> None:
    play = Play()
    play.press(count=3, backlog_since_us=LATE_SINCE_US)
    play.news()
    play.wait(30)
    play.press(count=8)

    to_dispatch = [kind for r, kind in play.said() if r == "psap"]
    assert to_dispatch == ["dispatch_new"], "promise 2: a fresh lockdown was held like the late assist"


def test_a_fresh_press_after_a_late_one_still_waits_where_the_site_confirms_first() -> None:
    """Req 14, 15."""
    play = Play(registry(rules=StateRules(confirm_before_dispatch="timed", confirm_timeout_s=45)))
    play.press(backlog_since_us=LATE_SINCE_US)
    play.wait(30)
    play.press()
    assert ("psap", "dispatch_new") not in play.said()
    play.wait(46)

    assert ("psap", "dispatch_new") in play.said()


def test_dispatch_that_waited_is_not_sent_what_was_corrected_meanwhile() -> None:
    """Req 14: somebody looked, and said that it was a mistake."""
    play = Play(registry(rules=StateRules(confirm_before_dispatch="timed", confirm_timeout_s=45)))
    play.press()
    play.wait(20)
    play.correct()
    play.reply("Ruiz", "417")
    play.wait(60)

    assert not [r for r, _ in play.said() if r == "psap"], "dispatch was sent to a lockdown that was corrected before"


def test_a_press_after_such_a_correction_reaches_dispatch_by_the_timeout() -> None:
    """Req 15."""
    play = Play(registry(rules=StateRules(confirm_before_dispatch="timed", confirm_timeout_s=45)))
    play.press()
    play.wait(20)
    play.correct()
    play.wait(600)
    play.press("badge-118")
    play.news()
    play.wait(46)

    assert ("psap", "dispatch_new") in play.said()


def test_after_a_correction_no_other_center_is_alarmed() -> None:
    play = Play()
    play.press()
    play.wait(20)
    play.correct()
    play.news()
    play.wait(120)

    assert ("monitoring", "dispatch_new") not in play.said(), "a second center was alarmed by what was corrected"


def test_a_press_after_a_correction_is_new_to_dispatch_and_must_be_accepted_anew() -> None:
    """The center was asked to cancel: an update of a call that it has closed might be read by nobody."""
    play = Play()
    play.press()
    play.center(DispatchState.ACCEPTED)
    play.correct()
    play.wait(600)
    play.news()
    play.press("badge-118")

    (told,) = [n for n in play.news() if n.recipient == "psap"]
    assert '"type":"new"' in told.body
    assert '"correction":null' in told.body
    play.wait(61)
    assert ("Ruiz", "update") in play.said(), "nobody learned that the center has not accepted the new press"
    assert "911 center has NOT confirmed" in play.texts_to("Ruiz")[-1]


def test_a_press_after_the_center_closed_its_call_must_be_accepted_anew() -> None:
    play = Play()
    play.press()
    play.center(DispatchState.ACCEPTED)
    play.center(DispatchState.CLOSED)
    play.wait(300)
    play.reply("Ruiz", "517")
    play.wait(600)
    play.news()
    play.press("badge-118")
    play.wait(61)

    assert [t for t in play.texts_to("Ruiz") if "NOT confirmed" in t]


def test_a_center_that_closes_without_accepting_was_not_told() -> None:
    """Promise 5: "do not call again" only after *accepted*."""
    play = Play()
    play.press()
    play.news()
    play.center(DispatchState.CLOSED)

    assert not [t for t in play.texts_to("Ruiz") if "ACCEPTED" in t], "promise 5: closed was taken for accepted"
    assert ("monitoring", "dispatch_new") in play.said()


# --- nobody is forgotten ----------------------------------------------------------------------------------------------


def test_an_arrival_in_the_first_room_is_none_in_the_second() -> None:
    """An answer covers only what was known when it was given: whoever goes to the second room must arrive there."""
    play = Play()
    play.press("badge-204")
    play.wait(5)
    play.reply("Ruiz", "517")
    play.wait(60)
    play.press("badge-118")
    play.wait(5)
    play.reply("Chen", "417")
    assert play.incident.escalation is EscalationState.PAUSED
    play.wait(301)

    assert ("Ruiz", "not_arrived") in play.said(), "the escalation went quiet: nobody is in the second room"


def test_who_was_told_by_another_endpoint_hears_of_the_second_room() -> None:
    play = Play(with_push())
    play.press("badge-204")
    play.outcome(play.claim(play.row_to("Ruiz")), Failed(permanent=True, code="21610", opted_out=True))
    play.news()
    play.press("badge-118")

    also = [n.endpoint.channel for n in play.news() if n.recipient == "Ruiz"]
    assert also == ["push"], "Ruiz runs to the first room and does not hear of the second"


def test_a_correction_reaches_the_endpoint_that_was_told_instead() -> None:
    """Req 87: to exactly those who were told."""
    play = Play(with_push())
    play.press("badge-204", 3)
    play.outcome(play.claim(play.row_to("Ruiz")), Failed(permanent=True, code="21610", opted_out=True))
    play.news()
    play.correct()

    channels = {n.endpoint.channel for n in play.news() if n.recipient == "Ruiz"}
    assert channels == {"push"}, "Ruiz runs to a room where it was a mistake, and nobody said so"


def test_whoever_is_on_duty_now_hears_of_a_press_that_joins_an_incident_of_days_ago() -> None:
    """Nobody closed it. People left and came meanwhile."""
    play = Play()
    play.press("badge-204", 3)
    play.reply("Ruiz", "517")
    play.wait(2 * 86_400)
    newcomer = person("Newman", 40, "first")
    play.registry = registry(people=(newcomer, *PEOPLE))
    play.news()
    play.press("badge-204", 3)

    assert ("Newman", "also") in play.said()
    assert "Rm 204, 2nd fl East ALSO pressed 10:42" in play.texts_to("Newman")[-1]


def test_after_the_clock_was_set_back_a_button_still_cries_again() -> None:
    """Promise 2: no press is merged away because of a clock."""
    play = Play()
    play.press("badge-204", 3)
    play.reply("Ruiz", "417")
    play.news()
    play.now_us -= 3600 * 1_000_000
    play.press("badge-204", 3)

    assert ("Chen", "also") in play.said()


def test_where_nobody_of_the_site_can_be_told_the_district_is_told_at_once() -> None:
    """An empty round advances at once, as an empty step does."""
    play = Play()
    play.opted_out |= {e.key for p in PEOPLE if OAK in p.sites for e in p.endpoints}
    play.press()

    assert "Super" in {r for r, _ in play.said()}, "promise 2: a first panic waited two minutes for nobody"


def test_a_step_of_a_center_that_waits_reaches_nobody_and_advances_at_once() -> None:
    only_dispatch = policy("lockdown", Step(targets=(PSAP,)), Step(targets=(group("first"),)))
    play = Play(registry(only_dispatch))
    play.press(backlog_since_us=LATE_SINCE_US)

    assert ("Ruiz", "alert") in play.said(), "a late press tells responders at once"


def test_an_audience_of_nobody_is_a_loud_error() -> None:
    """Promise 6."""
    play = Play(registry(policy("lockdown", Step(targets=(group("nobody"), PSAP)))))
    play.press()
    assert ("Ruiz", "trouble") in play.said()
    play = Play(registry(policy("vape", Step(targets=(group("nobody"),)))))
    play.arrive("vape-wc", "vape")

    assert ("Ruiz", "trouble") in play.said(), "a notice reached nobody, and nobody was told"


def test_a_medical_press_is_not_swallowed_by_the_lockdown_of_the_same_badge() -> None:
    """All but lockdown merges per class and place; help for the wounded is not more of the same."""
    both = Gestures(id="both", presses={8: "lockdown"}, actions={"double": "medical"})
    play = Play(with_gestures("badge-204", both))
    play.press("badge-204", 8)
    play.news()
    play.arrive("badge-204", "double")

    assert {i.incident_class for i in play.state.incidents.values()} == {IncidentClass.LOCKDOWN, IncidentClass.MEDICAL}
    assert ("Nurse", "alert") in play.said()


def test_a_lockdown_does_not_swallow_the_medical_incident_of_the_same_badge() -> None:
    both = Gestures(id="both", presses={8: "lockdown"}, actions={"double": "medical"})
    play = Play(with_gestures("badge-204", both))
    play.arrive("badge-204", "double")
    play.press("badge-204", 8)

    assert {i.incident_class for i in play.state.incidents.values()} == {IncidentClass.LOCKDOWN, IncidentClass.MEDICAL}


def test_nine_to_a_medical_opens_a_lockdown_beside_it() -> None:
    play = Play()
    play.arrive("wall-gym")
    play.reply("Nurse", "917")

    assert {i.incident_class for i in play.state.incidents.values()} == {IncidentClass.LOCKDOWN, IncidentClass.MEDICAL}


def test_a_badge_that_moved_locks_down_from_where_it_is_now() -> None:
    """Req 5: the room of the eighth press must not be lost behind that of the third."""
    play = Play()
    play.press("walker", 3, heard_by="gw-oak")
    play.wait(60)
    play.registry.devices[DeviceId("gw-2")] = replace(
        play.registry.devices[DeviceId("gw-oak")],
        id=DeviceId("gw-2"),
        zone_id=ZoneId("204"),
    )
    play.news()
    play.press("walker", 8, heard_by="gw-2")

    assert "NEAR Rm 204" in play.texts_to("Ruiz")[-1]
    assert [p.location.short for p in play.incident.presses] == ["Rm 204", "Rm 118"]


def test_a_repeat_renews_how_long_ago_a_badge_was_heard() -> None:
    play = Play()
    play.press("walker", 8, heard_by="gw-oak")
    play.wait(600)
    play.press("walker", 8, heard_by="gw-oak")

    assert play.incident.presses[0].location.heard_us == play.now_us


def test_a_stored_copy_does_not_hide_the_press_that_comes_after_it() -> None:
    """Promise 1: the broker may deliver its memory before the message that it kept for us."""
    play = Play()
    play.press(retained=True, cause="boot1/17")
    play.press(cause="boot1/17")

    assert play.state.incidents, "promise 1: a retained copy consumed the press"


# --- nobody hears an all-clear ----------------------------------------------------------------------------------------


def test_closing_a_lockdown_that_was_widened_tells_no_locked_room() -> None:
    """Req 44: everyone was asked to go, in the end; it is still no all-clear to those who stayed locked."""
    play = Play()
    play.press()
    play.wait(300)
    play.reply("Okafor", "417")
    play.resolve()
    play.news()
    play.resolve(rooms_released=True)
    closed = {r for r, kind in play.said() if kind == "closing"}

    assert "Diaz" not in closed, "req 44: a locked room was told that it is over"
    assert {"Ruiz", "Okafor"} <= closed, "who goes must know that it is over"


def test_a_policy_that_words_only_half_of_the_correction_keeps_rooms_locked() -> None:
    """Req 44."""
    texts = {"correction.responder": "{site}: mistake, says {by} {minute}. Rooms STAY LOCKED."}
    lockdown = replace(policy("lockdown", Step(targets=(group("first"), STAFF))), templates=texts)
    play = Play(registry(lockdown))
    play.press()
    play.news()
    play.correct()

    assert all("LOCKED" in n.text for n in play.news() if n.text)


# --- replies ----------------------------------------------------------------------------------------------------------


def test_a_late_code_is_not_told_that_nothing_is_open_while_something_is() -> None:
    play = Play()
    play.press("badge-204", 3)
    play.resolve("Chen")
    play.press("badge-118", 3)
    play.reply("Ruiz", "417")

    text = play.texts_to("Ruiz")[-1]
    assert "Nothing else is open" not in text
    assert text.endswith("OAK ELEM Rm 118 STAFF ASSIST 10:42: reply 418.")


def test_a_code_with_a_longer_token_counts() -> None:
    """In a storm the short tokens are used up."""
    play = Play()
    play.tokens = ["1234"]
    play.press()
    play.reply("Ruiz", "41234")

    assert play.incident.escalation is EscalationState.PAUSED


def test_a_number_in_a_text_that_is_no_token_is_a_note() -> None:
    play = Play()
    play.press()
    play.reply("Ruiz", "5550142")

    assert play.incident.notes[0].text == "5550142"


def test_yes_is_no_answer_and_whoever_says_it_learns_so() -> None:
    play = Play()
    play.press()
    play.news()
    play.reply("Ruiz", "Yes")

    assert play.incident.escalation is EscalationState.RUNNING
    assert play.texts_to("Ruiz")[-1].startswith("NOT counted as an answer.")


def test_two_machines_do_not_talk_all_night() -> None:
    play = Play()
    play.press()
    for n in range(40):
        play.wait(1)
        play.reply("Chen", f"Thank you for your message, we value it ({n})")

    assert len([t for t in play.texts_to("Chen") if t.startswith("NOT counted")]) <= 5


# --- storms -----------------------------------------------------------------------------------------------------------


def test_a_storm_of_strangers_rings_a_few_times_and_not_for_each() -> None:
    """Promise 2: texts about strangers share the first lane with panics; thousands of them would bury one."""
    play = Play(site_id=DISTRICT)
    for n in range(500):
        play.do(
            Unregistered(
                site_id=DISTRICT,
                cause=CauseId(f"u{n}"),
                device_id=DeviceId(f"stranger-{n}"),
                source="mqtt",
                why="it is not in the registry",
                received_us=START_US,
            )
        )
        play.do(
            Malformed(
                site_id=DISTRICT,
                cause=CauseId(f"m{n}"),
                source="mqtt",
                topic=f"alertd/press/{n}",
                why="not JSON",
                size=3,
                received_us=START_US,
            )
        )

    assert len(play.news()) <= 10
    assert len(play.state.troubles) <= 8
    assert any("One of more than 3: " in t.summary for t in play.state.troubles.values())
    counted = sum(t.count for t in play.state.troubles.values())
    assert counted == 1000, "a stranger was not counted"


def test_the_fallback_pages_no_parent() -> None:
    """Req 49; promise 6: never everyone."""
    parent = Person(
        id=PersonId("parent"),
        name="Parent",
        kind=PersonKind.PARENT,
        sites=(OAK,),
        endpoints=(Endpoint(channel="sms", address="+12025550170", person_id=PersonId("parent")),),
    )
    play = Play(registry(people=(person("Super", 20, sites=()), parent)))
    (event,) = play.arrive("badge-204", count=1)
    assert isinstance(event, Pressed)
    facts = Facts(registry=play.registry)
    decision = fallback.page(play.state, facts, event, Now(wall_us=START_US, boot_us=0), "ZeroDivisionError")

    assert {r.notification.recipient for r in decision.notifications} == {"Super"}


# --- and a few more ---------------------------------------------------------------------------------------------------


def test_every_room_of_a_school_pressing_does_not_bury_the_alert_of_another() -> None:
    """Promise 2: "it continues" to staff who have locked their doors waits behind those who know of nothing yet."""
    play = Play()
    play.press("badge-204")
    play.news()
    play.press("badge-118")

    lanes = {n.recipient: n.lane for n in play.news() if n.text}
    assert lanes["Ruiz"] is Lane.PANIC
    assert lanes["Diaz"] > Lane.PANIC


def test_a_timer_that_cannot_be_handled_pages_the_site_until_somebody_goes() -> None:
    """Promise 2: a defect in a later step is no silence either."""
    play = Play()
    play.press()
    timer = next(t for _, t in play.timers.values() if t.kind is TimerKind.STEP)
    event = TimerFired(site_id=OAK, timer=timer)
    facts = Facts(registry=play.registry)
    first = fallback.page(play.state, facts, event, Now(wall_us=START_US, boot_us=0), "KeyError")
    again = fallback.page(play.state, facts, event, Now(wall_us=START_US + 1, boot_us=1), "KeyError")

    assert {r.notification.recipient for r in first.notifications} == {"Ruiz", "Chen", "Nurse", "Okafor", "Diaz"}
    assert first.notifications[0].notification.text.startswith("OAK ELEM Rm 204 LOCKDOWN 10:42: ")
    assert [t.id for t in first.timers] == [timer.id]
    assert not {r.notification.id for r in first.notifications} & {r.notification.id for r in again.notifications}
    play.reply("Ruiz", "417")
    after = fallback.page(play.state, facts, event, Now(wall_us=START_US, boot_us=0), "KeyError")
    assert not after.notifications
    assert not after.timers


def test_a_late_assist_has_no_cancel_window() -> None:
    """Whoever pressed hours ago does not stand there to cancel; responders hear it at once."""
    play = Play(registry(policy("staff_assist", *ASSIST.steps, cancel_window_s=8)))
    play.press(count=3, backlog_since_us=LATE_SINCE_US)

    assert "PRESSED BETWEEN 07:42 AND 10:42" in play.texts_to("Ruiz")[0]


def test_a_late_upgrade_says_when_it_was_pressed() -> None:
    play = Play()
    play.press(count=3, backlog_since_us=LATE_SINCE_US)
    play.press(count=8, backlog_since_us=LATE_SINCE_US)

    assert "LOCKDOWN PRESSED BETWEEN 07:42 AND 10:42" in play.texts_to("Ruiz")[-1]


def test_a_device_that_counts_each_press_as_one_is_counted_here() -> None:
    """Promise 2: gestures count upward on arrival, whatever a programmed button believes."""
    play = Play()
    for _ in range(3):
        play.press(count=1)
        play.wait(1)

    assert play.incident.incident_class is IncidentClass.STAFF_ASSIST


def test_a_press_soon_after_a_correction_is_not_taken_for_its_echo() -> None:
    """Promise 2."""
    play = Play()
    play.press()
    play.wait(20)
    play.correct()
    play.wait(15)
    play.news()
    play.press()

    assert ("Ruiz", "also") in play.said(), "promise 2: somebody said mistake, the room pressed again, nobody was told"
    assert play.incident.escalation is EscalationState.RUNNING


@pytest.mark.parametrize("ended_by", ["a correction", "the release of rooms"])
def test_a_finger_that_was_still_on_the_badge_when_a_human_ended_it_locks_nobody_in_again(ended_by: str) -> None:
    """What they spoke of is the gesture, and its last presses are it, too."""
    play = Play()
    for _ in range(8):
        play.press(count=None)
        play.wait(1)
    play.correct() if ended_by == "a correction" else play.resolve()
    ended = play.incident
    play.news()
    for _ in range(3):
        play.wait(1)
        play.press(count=None)

    assert not [n for n in play.news() if n.recipient != "psap"], "the end of a gesture is told as one more"
    assert play.incident.state is IncidentState.RELEASING, "the same gesture locked the school down again"
    assert (play.incident.escalation, play.incident.correction) == (EscalationState.STOPPED, ended.correction)


def test_rooms_that_were_released_before_a_new_press_are_not_released_after_it() -> None:
    play = Play()
    play.press()
    play.resolve(zone_id="118")
    play.press("badge-118")

    assert play.incident.released == ()


def test_a_person_with_three_endpoints_is_tried_on_each() -> None:
    ruiz = PEOPLE[0]
    more = tuple(Endpoint(channel=c, address="ruiz", person_id=ruiz.id) for c in ("push", "voice"))
    play = Play(registry(people=(replace(ruiz, endpoints=(*ruiz.endpoints, *more)), *PEOPLE[1:])))
    play.press()
    for _ in range(3):
        row = [r for r in play.rows.values() if r.notification.recipient == "Ruiz"][-1]
        play.outcome(play.claim(row), Failed(permanent=True, code="30005"))

    channels = [r.notification.endpoint.channel for r in play.rows.values() if r.notification.recipient == "Ruiz"]
    assert channels == ["sms", "push", "voice"]


def test_a_code_sent_a_thousand_times_is_one_answer() -> None:
    """Bounds everywhere: the incident must not grow with it, nor what dispatch reads."""
    play = Play()
    play.press()
    for _ in range(1000):
        play.reply("Ruiz", "417")
    play.reply("Ruiz", "617")
    play.reply("Ruiz", "417")

    assert [(a.name, a.kind) for a in play.incident.answers] == [("Ruiz", "cannot_go"), ("Ruiz", "going")]
    assert play.incident.escalation is EscalationState.PAUSED


def test_who_is_called_later_reads_when_a_late_press_was_made_too() -> None:
    lockdown = policy("lockdown", Step(targets=(group("first"),)), Step(targets=(group("first"), group("second"))))
    play = Play(registry(lockdown))
    play.press(backlog_since_us=LATE_SINCE_US)
    play.wait(31)

    assert "PRESSED BETWEEN 07:42 AND 10:42" in play.texts_to("Nurse")[-1]
    assert "NOBODY HAS ANSWERED" in play.texts_to("Ruiz")[-1]
