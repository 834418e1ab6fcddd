"""Steps, answers, lapses, and what comes after the last step."""

import pytest
from msgspec.structs import replace

from alertd.engine.routing import route
from alertd.model.decision import FeedbackState
from alertd.model.events import Arrival, ClockStepped, Signal
from alertd.model.ids import DeviceId, PersonId
from alertd.model.incident import AnswerKind, DispatchState, EscalationState, IncidentClass
from alertd.model.people import DutyShift, PersonKind
from alertd.model.policy import Step, Target, TargetKind
from alertd.model.reason import Reason
from alertd.model.registry import Registry
from tests.engine.play import Play
from tests.engine.school import ELM, OAK, PEOPLE, PSAP, group, person, policy, registry, schedule


def test_after_an_answer_a_second_room_is_what_nobody_has_answered() -> None:
    """Ruiz goes to Rm 204, and whoever reads "NOBODY HAS ANSWERED" must not think that nobody does."""
    play = Play()
    play.press()
    play.wait(10)
    play.reply("Ruiz", "417")
    play.wait(60)
    play.press("badge-118")
    play.wait(31)
    (reminder,) = [text for text in play.texts_to("Nurse") if "NOBODY HAS ANSWERED" in text]
    assert "Rm 118" in reminder, "somebody goes to Rm 204"
    assert "since 10:43" in reminder, "since Rm 204 pressed, somebody has"
    assert "Rm 204" not in reminder

    play.wait(120)
    exhausted = [text for text in play.texts_to("Nurse") if "NOBODY ANSWERED" in text]
    assert exhausted
    assert all("Rm 118" in text and "LOCKDOWN 10:43" in text for text in exhausted)


def test_who_said_going_and_then_cannot_leaves_the_first_room_unanswered() -> None:
    play = Play()
    play.press()
    play.reply("Ruiz", "417")
    play.press("badge-118")
    play.reply("Ruiz", "617")
    play.wait(31)
    texts = [text for text in play.texts_to("Nurse") if "NOBODY HAS ANSWERED" in text]
    assert texts
    assert all("Rm 204" in text for text in texts), "nobody goes there"


def test_no_answer_begins_the_next_step() -> None:
    play = Play()
    play.press()
    play.news()
    play.wait(29)
    assert play.said() == []
    play.wait(2)

    assert play.said() == [("Nurse", "reminder")]
    assert "NOBODY HAS ANSWERED" in play.texts_to("Nurse")[-1]


def test_an_answer_pauses_the_escalation_and_leaves_dispatch_alone() -> None:
    play = Play()
    play.press()
    play.center(DispatchState.ACCEPTED)
    play.wait(10)
    play.news()
    play.reply("Ruiz", "417")
    play.wait(120)

    assert play.incident.escalation is EscalationState.PAUSED
    assert play.said() == [("psap", "dispatch_update"), ("Ruiz", "answer")]
    assert play.texts_to("Ruiz")[-1] == (
        "OAK ELEM Rm 204: you are GOING, 10:42. Also going: nobody yet. Reply 517 when you arrive, 617 if you cannot."
    )


def test_the_presser_learns_that_somebody_comes() -> None:
    play = Play()
    play.press()
    play.reply("Ruiz", "417")

    assert [c.state for c in play.confirmations] == [FeedbackState.RECEIVED, FeedbackState.RESPONDER_ACCEPTED]


def test_cannot_go_calls_the_next_at_once() -> None:
    play = Play()
    play.press()
    play.news()
    play.reply("Ruiz", "617")

    assert ("Nurse", "reminder") in play.said()


def test_whoever_was_going_and_now_cannot_is_replaced_at_once() -> None:
    play = Play()
    play.press()
    play.reply("Ruiz", "417")
    play.news()
    play.wait(10)
    play.reply("Ruiz", "617")

    assert ("Nurse", "reminder") in play.said()
    assert play.incident.escalation is EscalationState.RUNNING


def test_an_answer_covers_only_the_presses_known_when_it_was_given() -> None:
    play = Play()
    play.press("badge-204")
    play.wait(5)
    play.reply("Ruiz", "417")
    assert play.incident.escalation is EscalationState.PAUSED
    play.wait(5)
    play.press("badge-118")

    assert play.incident.escalation is EscalationState.RUNNING
    play.wait(2)
    play.reply("Ruiz", "417")
    assert play.incident.escalation is EscalationState.PAUSED


def test_an_answer_typed_before_an_upgrade_is_no_answer_to_the_graver_incident() -> None:
    """An ack covers only what was known when it was given: "going" to an assist is not "going" to a lockdown."""
    play = Play()
    play.press("badge-204", 3)
    assert play.incident.incident_class is IncidentClass.STAFF_ASSIST
    play.wait(8)
    typed_us = play.now_us
    play.wait(1)
    play.press("badge-204", 8)
    assert play.incident.incident_class is IncidentClass.LOCKDOWN
    play.reply("Ruiz", "417", at_us=typed_us)

    assert play.incident.escalation is EscalationState.RUNNING, "an answer to an assist silenced a lockdown"
    play.wait(5)
    play.reply("Ruiz", "417")
    assert play.incident.escalation is EscalationState.PAUSED


def test_an_answer_typed_long_before_an_upgrade_is_none_either() -> None:
    """Half an hour without alertd: it learns at once of the answer, and of what was pressed since."""
    play = Play()
    play.press("badge-204", 3)
    play.wait(8)
    typed_us = play.now_us
    play.wait(1800)
    play.press("badge-204", 8)
    play.reply("Ruiz", "417", at_us=typed_us)

    assert play.incident.incident_class is IncidentClass.LOCKDOWN
    assert play.incident.escalation is EscalationState.RUNNING, "an answer to an assist silenced a lockdown"


def test_a_code_typed_before_its_incident_began_was_meant_for_another_one() -> None:
    """Only memory held the other one, and the power went; its code was given away again before the answer was read."""
    play = Play()
    typed_us = play.now_us
    play.wait(30)
    play.press()
    play.news()
    play.reply("Ruiz", "417", at_us=typed_us)

    assert play.incident.answers == (), "an answer to another incident silenced this one"
    assert play.incident.escalation is EscalationState.RUNNING
    assert "417" in play.texts_to("Ruiz")[-1], "who means this one is told how to say so"
    play.wait(5)
    play.reply("Ruiz", "417")
    assert play.incident.escalation is EscalationState.PAUSED


def test_in_doubt_whose_clock_is_wrong_an_answer_counts() -> None:
    play = Play()
    play.press()
    play.wait(5)
    play.reply("Ruiz", "417", at_us=play.now_us - 3_600_000_000)

    assert play.incident.escalation is EscalationState.PAUSED


def test_an_answer_to_an_upgrade_counts_although_the_clock_was_set_back() -> None:
    play = Play()
    play.press("badge-204", 3)
    play.press("badge-204", 8)
    play.wait(5)
    play.stepped_us -= 3_600_000_000
    play.do(ClockStepped(site_id=OAK, step_us=-3_600_000_000))
    play.reply("Ruiz", "417")

    assert play.incident.escalation is EscalationState.PAUSED


def test_going_lapses_if_nobody_arrives() -> None:
    play = Play()
    play.press()
    play.reply("Ruiz", "417")
    play.news()
    play.wait(301)

    assert play.incident.escalation is EscalationState.RUNNING
    assert ("Chen", "not_arrived") in play.said()
    assert "Ruiz said going, no arrival by 10:47" in play.texts_to("Chen")[-1]
    play.wait(31)
    assert ("Nurse", "reminder") in play.said()


def test_an_answer_that_lapsed_counts_for_nobody_who_cannot_go_afterwards() -> None:
    """Promise 5."""
    play = Play()
    play.press()
    play.reply("Ruiz", "417")
    play.wait(301)
    play.news()
    play.reply("Chen", "617")

    assert play.incident.escalation is EscalationState.RUNNING, "promise 5: nobody goes, and nobody is looked for"
    assert ("Nurse", "reminder") in play.said()


def test_whoever_lapsed_and_says_going_again_counts() -> None:
    play = Play()
    play.press()
    play.reply("Ruiz", "417")
    play.wait(301)
    play.reply("Ruiz", "417")

    assert play.incident.escalation is EscalationState.PAUSED


def test_arrived_does_not_lapse() -> None:
    play = Play()
    play.press()
    play.reply("Ruiz", "417")
    play.center(DispatchState.ACCEPTED)
    play.wait(50)
    play.reply("Ruiz", "517")
    play.news()
    play.wait(3600)

    assert play.said() == []
    assert play.incident.escalation is EscalationState.PAUSED


def test_after_the_last_step_everyone_is_told_every_two_minutes_for_ever() -> None:
    """Exhausted is not an end."""
    play = Play()
    play.press()
    play.wait(91)
    assert play.incident.escalation is EscalationState.EXHAUSTED
    play.news()
    for _ in range(20):
        play.wait(120)
        told = {r for r, kind in play.said() if kind == "exhausted"}
        assert {"Ruiz", "Chen", "Nurse", "Okafor", "Diaz"} <= told, "an exhausted escalation went quiet"


def test_a_school_without_a_main_number_says_so_where_the_number_would_stand() -> None:
    plain = registry()
    oak = replace(plain.sites[OAK], main_phone=None)
    fields = {name: getattr(plain, name) for name in plain.__struct_fields__}
    play = Play(Registry(**fields | {"sites": plain.sites | {OAK: oak}}))
    play.press()
    play.wait(91)
    assert "School number unknown. Trying" in play.texts_to("Ruiz")[-1]


def test_the_widening_reaches_the_district_in_its_second_round() -> None:
    play = Play()
    play.press()
    play.wait(91)
    assert "Super" not in {r for r, _ in play.said()}
    play.wait(120)
    told = {r for r, _ in play.said()}

    assert "Super" in told
    assert "Elmer" not in told, "promise 6: an unanswered press of Oak texted the staff of Elm"


def test_an_answer_ends_the_widening() -> None:
    play = Play()
    play.press()
    play.wait(95)
    play.reply("Diaz", "417")
    play.news()
    play.wait(240)

    assert play.incident.escalation is EscalationState.PAUSED
    assert "exhausted" not in {kind for _, kind in play.said()}


def test_an_empty_step_advances_at_once_and_says_so() -> None:
    lockdown = policy(
        "lockdown", Step(targets=(group("first"),)), Step(targets=(group("nobody"),)), Step(targets=(group("second"),))
    )
    play = Play(registry(lockdown))
    play.press()
    play.news()
    play.wait(31)

    assert ("Nurse", "alert") in play.said()
    assert Reason.EMPTY_STEP in play.reasons()


def test_a_panic_whose_first_step_is_empty_falls_back_to_the_site_staff() -> None:
    """Promise 6: never nobody, never everyone of every site."""
    play = Play(registry(policy("lockdown", Step(targets=(group("nobody"), PSAP)))))
    play.press()
    said = play.said()

    assert {r for r, _ in said} == {"psap", "Ruiz", "Chen", "Nurse", "Okafor", "Diaz"}
    assert Reason.EMPTY_AUDIENCE in play.reasons()


def test_two_answers_are_needed_where_the_policy_says_so() -> None:
    play = Play(registry(policy("lockdown", Step(targets=(group("first"),), answers=2))))
    play.press()
    play.reply("Ruiz", "417")
    play.reply("Ruiz", "417")
    assert play.incident.escalation is EscalationState.RUNNING, "one person answered twice"
    play.reply("Chen", "417")

    assert play.incident.escalation is EscalationState.PAUSED


def test_only_the_named_group_can_answer_where_the_policy_says_so() -> None:
    step = Step(targets=(group("first"), group("second")), answer_from=("second",))
    play = Play(registry(policy("lockdown", step)))
    play.press()
    play.reply("Ruiz", "417")
    assert play.incident.escalation is EscalationState.RUNNING
    play.reply("Nurse", "417")

    assert play.incident.escalation is EscalationState.PAUSED


def test_an_opted_out_phone_is_left_alone_and_listed_with_the_reason() -> None:
    play = Play()
    play.opted_out.add("sms:+12025550101")
    play.press()

    assert "Ruiz" not in {r for r, _ in play.said()}
    assert play.row_to("Ruiz").reason is Reason.OPTED_OUT


def test_a_broken_channel_is_tried_all_the_same_for_a_panic() -> None:
    """Promise 2: a breaker is a guess."""
    play = Play()
    play.broken.add("sms")
    play.press()

    assert "Ruiz" in {r for r, _ in play.said()}, "promise 2: a circuit breaker silenced a first panic"


def test_a_broken_channel_is_left_alone_for_a_nuisance() -> None:
    play = Play()
    play.broken.add("sms")
    play.arrive("vape-wc", "vape")

    assert play.said() == []
    assert play.row_to("Ruiz").reason is Reason.CHANNEL_BROKEN


def test_a_person_without_endpoint_is_said() -> None:
    mute = person("Mute", 30, "first")
    mute = type(mute)(id=mute.id, name="Mute", kind=PersonKind.RESPONDER, sites=mute.sites, groups=("first",))
    play = Play(registry(people=(mute, *PEOPLE)))
    play.press()

    assert Reason.NO_ENDPOINT in play.reasons()


@pytest.mark.parametrize("kind", [AnswerKind.GOING, AnswerKind.ARRIVED])
def test_an_answer_at_the_command_line_counts(kind: AnswerKind) -> None:
    play = Play()
    play.press()
    play.answer("Chen", kind)

    assert play.incident.escalation is EscalationState.PAUSED


def test_a_timer_of_an_older_generation_means_nothing() -> None:
    play = Play()
    play.press("badge-204", 3)
    play.wait(29)
    play.press("badge-204", 8)
    play.news()
    play.wait(2)

    assert play.said() == [], "the staff assist's timer moved the lockdown's escalation"
    assert Reason.STALE_TIMER in play.reasons()


def test_a_reply_written_before_the_second_room_does_not_cover_it() -> None:
    """An answer covers only what was known when it was given, however late it is read."""
    play = Play()
    play.press("badge-204")
    play.wait(20)
    written_us = play.now_us
    play.wait(5)
    play.press("badge-118")
    play.reply("Ruiz", "417", at_us=written_us)

    assert play.incident.escalation is EscalationState.RUNNING, "it paused for a room that its author never read of"


def test_a_reply_written_while_the_second_room_waited_for_the_disk_does_not_cover_it() -> None:
    """It had arrived, and nobody could have been told of it."""
    play = Play()
    play.press("badge-204")
    play.wait(20)
    hold = Signal(device_id=DeviceId("badge-118"), action="hold")
    arrival = Arrival(source="mqtt", topic="t", signals=(hold,), received_us=play.now_us, arrival_id="a")
    (press,) = route(play.registry, arrival)
    play.wait(5)
    written_us = play.now_us
    play.wait(5)
    play.do(press)
    play.reply("Ruiz", "417", at_us=written_us)

    assert play.incident.escalation is EscalationState.RUNNING


def test_a_reply_in_the_very_second_of_the_second_room_does_not_cover_it() -> None:
    """Nobody reads and types that fast: it answers the first."""
    play = Play()
    play.press("badge-204")
    play.wait(20)
    play.press("badge-118")
    play.wait(1)
    play.reply("Ruiz", "417")

    assert play.incident.escalation is EscalationState.RUNNING


@pytest.mark.parametrize("step_s", [3600, -3600])
def test_a_clock_that_is_set_changes_nothing_of_what_an_answer_covers(step_s: int) -> None:
    play = Play()
    play.press("badge-204")
    play.wait(20)
    written_us = play.now_us
    play.press("badge-118")
    play.wait(5)
    play.stepped_us += step_s * 1_000_000
    play.do(ClockStepped(site_id=OAK, step_us=step_s * 1_000_000))
    play.reply("Ruiz", "417", at_us=written_us + step_s * 1_000_000)
    assert play.incident.escalation is EscalationState.RUNNING, "its author had not read of the second room"
    play.reply("Ruiz", "417")

    assert play.incident.escalation is EscalationState.PAUSED, "whoever goes was not heard"


def test_a_dispatch_centre_of_another_site_is_not_told() -> None:
    """Promise 6."""
    school = registry()
    psap = school.destinations["psap"]
    school.destinations["psap"] = type(psap)(id="psap", site_ids=(ELM,), endpoint=psap.endpoint)
    play = Play(school)
    play.press()

    assert "psap" not in {r for r, _ in play.said()}, "promise 6: a centre that does not serve this site was told"


def test_a_group_of_another_site_is_not_told() -> None:
    """Promise 6: a group may span sites, a press does not."""
    play = Play()
    play.press()

    assert "Elmer" not in {r for r, _ in play.said()}, "promise 6: a press reached a person of another site"


@pytest.mark.parametrize("named", ["by a schedule", "by name"])
def test_a_person_of_another_site_is_not_told_however_the_policy_names_them(named: str) -> None:
    """Promise 6: somebody typed the other school's schedule, or another school's id."""
    always = DutyShift(person_id=PersonId("elmer"), days=(1, 2, 3, 4, 5, 6, 7), start="00:00", end="00:00")
    duty = Target(kind=TargetKind.SCHEDULE, id="duty")
    elmer = Target(kind=TargetKind.PERSON, id="elmer")
    school = registry(policy("lockdown", Step(targets=(duty if named == "by a schedule" else elmer, group("first")))))
    school.schedules["duty"] = schedule("America/New_York", always)
    play = Play(school)
    play.press()

    told = {name for name, _ in play.said()}
    assert "Elmer" not in told, "promise 6: a press reached a person of another site"
    assert "Ruiz" in told
    play = Play(school, ELM)
    play.press("badge-elm")
    assert "Elmer" in {name for name, _ in play.said()}, "the schedule names somebody, and at their own school"


def test_after_the_last_step_whoever_says_going_counts() -> None:
    """Everyone was asked; the one who answers must not be told two minutes later that nobody did."""
    step = Step(targets=(group("first"),), answer_from=("first",))
    play = Play(registry(policy("lockdown", step)))
    play.press()
    play.wait(31)
    assert play.incident.escalation is EscalationState.EXHAUSTED
    play.reply("Diaz", "417")

    assert play.incident.escalation is EscalationState.PAUSED
