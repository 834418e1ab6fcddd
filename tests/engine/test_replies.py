"""What counts as an answer, and what never does (promise 5)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.engine.replies import Meaning, read
from alertd.model.decision import PhoneIncident
from alertd.model.events import Replied
from alertd.model.ids import CauseId, IncidentId, PersonId
from alertd.model.incident import EscalationState, IncidentClass
from alertd.model.mode import Mode
from alertd.model.notification import Kind, Lane
from alertd.model.reason import Reason
from tests.engine.play import Play
from tests.engine.school import OAK
from tests.engine.test_sensors import play as sensed


def told_of(token: str, *, is_open: bool = True, severity: int = 0, mode: Mode = Mode.LIVE) -> PhoneIncident:
    return PhoneIncident(
        incident_id=IncidentId(f"i-{token}"),
        site_id=OAK,
        token=token,
        headline=f"OAK ELEM {token}",
        is_open=is_open,
        opened_us=0,
        severity=severity,
        mode=mode,
    )


ONE = (told_of("17"),)
TWO = (told_of("18"), told_of("17"))


@pytest.mark.parametrize(
    ("body", "known", "meaning", "digit"),
    [
        ("417", ONE, Meaning.CODE, 4),
        ("4 17", ONE, Meaning.CODE, 4),
        ("  517\n", ONE, Meaning.CODE, 5),
        ("617", TWO, Meaning.CODE, 6),
        ("4", ONE, Meaning.CODE, 4),
        ("4", TWO, Meaning.AMBIGUOUS, 4),
        ("4", (), Meaning.FOREIGN, 4),
        ("4", (told_of("17", is_open=False),), Meaning.FOREIGN, 4),
        ("417", (told_of("17", is_open=False),), Meaning.CLOSED, 4),
        ("499", ONE, Meaning.FOREIGN, 4),
        ("4  17", ONE, Meaning.WORDS, 0),
        ("417 on my way", ONE, Meaning.WORDS, 0),
        ("Re: 417", ONE, Meaning.WORDS, 0),
        ("I am in 210", ONE, Meaning.WORDS, 0),
        ("", ONE, Meaning.WORDS, 0),
        ("٤١٧", ONE, Meaning.WORDS, 0),
        ('Liked "OAK ELEM … Reply 417 going"', ONE, Meaning.REACTION, 0),
        ("Loved “417”", ONE, Meaning.REACTION, 0),
        ("He said “I will shoot” and went to 204", ONE, Meaning.WORDS, 0),
        ("Le ha gustado “OAK ELEM Rm 204 Reply 417 going, 617 cannot go.”", ONE, Meaning.REACTION, 0),
        ("Gefällt „NOT counted. OAK ELEM Rm 204: reply 417 going, 617 cannot go.“", ONE, Meaning.REACTION, 0),
        ("A aimé « OAK ELEM Rm 204 Reply 417 going, 617 cannot go. »", ONE, Meaning.REACTION, 0),
        ("I see “OAK Rm 204 Reply 417 going.” He left by the north door, two hurt", ONE, Meaning.WORDS, 0),
        ("417 from Rm 12 “OAK Rm 204 Reply 417 going.”", ONE, Meaning.WORDS, 0),
        ("Man with gun\nin the gym\n“OAK Rm 204 Reply 417 going.”", ONE, Meaning.WORDS, 0),
        ('Emphasized "417"', ONE, Meaning.REACTION, 0),
        ("👍 to “417 going”", ONE, Meaning.REACTION, 0),
        ("I'm driving with Do Not Disturb While Driving turned on.", ONE, Meaning.AUTOMATIC, 0),
        ("Auto-reply: I am away", ONE, Meaning.AUTOMATIC, 0),
        ("I am out of the office until Monday", ONE, Meaning.AUTOMATIC, 0),
        ("he is out of the office, in the yard", ONE, Meaning.WORDS, 0),
        ("STOP", ONE, Meaning.OPT_OUT, 0),
        ("stop.", ONE, Meaning.OPT_OUT, 0),
        ("Cancel", ONE, Meaning.OPT_OUT, 0),
        ("START", ONE, Meaning.OPT_IN, 0),
    ],
)
def test_reading(body: str, known: tuple[PhoneIncident, ...], meaning: Meaning, digit: int) -> None:
    reply = read(body, known)

    assert (reply.meaning, reply.digit) == (meaning, digit)


VAPE, LOCKDOWN, MEDICAL = told_of("30", severity=10), told_of("10", severity=100), told_of("45", severity=60)
NEWEST_FIRST = (VAPE, LOCKDOWN, MEDICAL, told_of("55"), told_of("77", is_open=False))


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("410 610", "10"),
        ("445 going, he is hurt", "45"),
        ("about 45: nurse is here", "45"),
        ("Re: 430", "30"),
        ("on my way", "10"),
        ("410 445", "10"),  # both are named: the gravest
        ("477 on my way", "10"),  # closed: nobody looks at its words any more
        ("he is in Rm 30", "10"),  # a room
        ("left at 10:45", "10"),  # a time
        ("call +12025550145 or 202-555-0110", "10"),  # a phone number
        ('Liked "OAK ELEM … Reply 445 going, 645 cannot go"', "45"),
        ("499", "10"),
        ("START", "10"),
    ],
)
def test_what_counts_as_no_answer_belongs_to_the_incident_it_names_else_the_gravest(body: str, named: str) -> None:
    reply = read(body, NEWEST_FIRST)

    assert reply.meaning is not Meaning.CODE, f"promise 5: {body!r} was taken for an answer"
    assert reply.incident is not None
    assert reply.incident.token == named


DRILL, SHOT = told_of("10", severity=100, mode=Mode.DRILL), told_of("13", severity=30)


@pytest.mark.parametrize("known", [(DRILL, SHOT), (SHOT, DRILL)])
@pytest.mark.parametrize("body", ["man with a gun in the gym", "lock down", "499", "START", 'Liked "SHOT heard"'])
def test_promise_3_what_may_be_about_something_real_is_no_part_of_a_drill(
    known: tuple[PhoneIncident, ...], body: str
) -> None:
    assert read(body, known).incident == SHOT, "an eyewitness's words are read as a part of the exercise"
    assert read("410 all in 204 hide", known).incident == DRILL, "who names the drill means it"
    assert read(body, (DRILL,)).incident == DRILL


def test_of_two_equally_grave_ones_words_belong_to_the_newest() -> None:
    assert read("on my way", TWO).incident == TWO[0]


def test_words_from_a_phone_in_two_incidents_reach_the_graver_team() -> None:
    play = Play()
    play.arrive("wall-gym")
    play.wait(5)
    play.press("badge-118", 3)
    play.wait(31)
    play.reply("Nurse", "blood on the floor")

    noted = [i.incident_class for i in play.state.incidents.values() if i.notes]
    assert noted == [IncidentClass.MEDICAL], "the newest incident is the assist, the gravest is the medical one"


@given(st.text(max_size=200))
def test_only_a_bare_code_is_an_answer(body: str) -> None:
    """Promise 5."""
    stripped = "".join(body.split())
    if read(body, ONE).meaning is Meaning.CODE:
        assert stripped in {"4", *(str(n) for n in range(1, 10)), *(f"{n}17" for n in range(1, 10))}


@pytest.mark.parametrize(
    "body",
    [
        'Liked "OAK ELEM Rm 204: LOCKDOWN. Reply 417 going"',
        "I'm driving with Do Not Disturb turned on",
        "ok on my way",
        "418",
        "STOP",
        "117",
    ],
)
def test_what_is_not_an_answer_never_pauses_the_escalation(body: str) -> None:
    play = Play()
    play.press()
    play.reply("Ruiz", body)

    assert play.incident.escalation is EscalationState.RUNNING, f"promise 5: {body!r} was taken for an answer"
    assert not play.incident.answers


def test_words_reach_the_other_responders_as_an_unverified_note() -> None:
    play = Play()
    play.press()
    play.news()
    play.reply("Ruiz", "he is in 210, grey hoodie")

    assert ("Chen", "update") in play.said()
    assert play.texts_to("Chen")[-1] == "OAK ELEM Rm 204: Ruiz texts, unverified: he is in 210, grey hoodie"
    assert play.texts_to("Ruiz")[-1].startswith("NOT counted as an answer. Your words went to the team.")


def test_a_driving_phone_gets_no_answer_back() -> None:
    play = Play()
    play.press()
    play.news()
    play.reply("Ruiz", "Auto-reply: driving")

    assert play.said() == []


def test_a_liked_message_is_told_what_would_count() -> None:
    play = Play()
    play.press()
    play.reply("Ruiz", 'Liked "OAK ELEM Rm 204"')

    assert play.texts_to("Ruiz")[-1] == (
        "NOT counted as an answer. OAK ELEM Rm 204 LOCKDOWN 10:42: reply 417 going, 617 cannot go."
    )


def test_two_open_incidents_make_a_bare_digit_ambiguous() -> None:
    play = Play()
    play.arrive("wall-gym")
    play.press("badge-118", 3)
    play.wait(31)
    play.reply("Nurse", "4")

    assert play.texts_to("Nurse")[-1].startswith("NOTHING counted yet, TWO are open.")
    assert Reason.AMBIGUOUS in play.reasons()


@pytest.mark.parametrize(("body", "named"), [("4", r"SHOT, .*DRILL"), ("499", "SHOT"), ('Liked "SHOT heard"', "SHOT")])
def test_who_is_told_what_would_count_reads_of_what_is_real_first(body: str, named: str) -> None:
    p = sensed()
    p.drill("badge-204")
    p.arrive("ears-118", "gunshot")
    p.wait(5)
    p.press("badge-204")
    p.reply("Ruiz", body)

    answered = p.texts_to("Ruiz")[-1]
    assert answered.startswith("NO"), "promise 3: marked as a part of the drill"
    assert re.search(named, answered), f"the exercise is offered before the shot: {answered}"


def test_a_code_of_a_closed_incident_changes_nothing_and_says_so() -> None:
    play = Play()
    play.press("badge-204", 3)
    play.resolve("Chen")
    play.reply("Ruiz", "417")

    assert play.texts_to("Ruiz")[-1].startswith("OAK ELEM Rm 204 STAFF ASSIST 10:42 was closed 10:42 by Chen. Your 417")


def test_the_same_text_is_read_once() -> None:
    play = Play()
    play.press()
    play.reply("Ruiz", "417", cause="SM1")
    play.reply("Ruiz", "417", cause="SM1")

    assert len(play.incident.answers) == 1


def test_a_text_that_a_channel_of_others_shows_first_still_counts() -> None:
    """A messaging service reads its whole account, and so the answers to the numbers of another channel."""
    play = Play()
    play.press()
    ruiz = play.registry.people[PersonId("ruiz")].endpoints[0].address
    token = play.incident.token
    for channel in ("sms2", "sms"):
        play.do(
            Replied(
                site_id=OAK,
                cause=CauseId("twilio:SM1"),
                channel=channel,
                address=ruiz,
                body=f"4{token}",
                at_us=play.now_us,
            )
        )

    assert [a.name for a in play.incident.answers] == ["Ruiz"], "promise 5: an answer was thrown away"


def test_nine_makes_a_staff_assist_a_lockdown() -> None:
    play = Play()
    play.press("badge-204", 3)
    play.news()
    play.reply("Ruiz", "917")

    assert play.incident.incident_class is IncidentClass.LOCKDOWN
    assert ("Diaz", "alert") in play.said()


def test_eight_opens_a_hold_beside_what_is_going_on() -> None:
    play = Play()
    play.arrive("wall-gym")
    play.reply("Nurse", "817")

    assert {i.incident_class for i in play.state.incidents.values()} == {IncidentClass.MEDICAL, IncidentClass.HOLD}


def test_who_asks_for_the_hold_of_somebody_else_reads_that_it_is_on() -> None:
    play = Play()
    play.arrive("wall-gym")
    play.reply("Nurse", "817")
    play.reply("Ruiz", "818")

    assert play.texts_to("Ruiz")[-1] == "OAK ELEM Gym: HOLD is on, as you asked, 10:42. Reply 418 going."


def test_stop_opts_the_phone_out_and_an_admin_hears_of_it() -> None:
    """Req 56."""
    play = Play()
    play.press()
    play.news()
    play.reply("Chen", "STOP")

    assert "sms:+12025550102" in play.opted_out
    assert [(n.recipient, n.kind.value) for n in play.news()] == [("Ruiz", "trouble")]
    play.reply("Chen", "START")
    assert not play.opted_out


# --- when the answer is sent ----------------------------------------------------------------------------------------


def lanes(p: Play) -> list[Lane]:
    """Of the answers, in the order in which they were given."""
    return [n.lane for n in p.news() if n.kind is Kind.ANSWER]


def test_a_panic_tells_those_who_act_then_whoever_answers_then_those_who_hide() -> None:
    p = Play()
    p.press()
    first = {n.recipient: n.lane for n in p.news() if n.text}
    p.reply("Ruiz", "417")

    (answer,) = lanes(p)
    assert first["Ruiz"] is first["Chen"] is Lane.PANIC
    assert first["Diaz"] is Lane.STAFF
    assert first["Ruiz"] < answer < first["Diaz"], "an answer waits for thirty rooms, or a responder for an answer"


def test_each_word_that_is_new_goes_first_and_one_that_is_repeated_waits() -> None:
    """Promise 2: nobody may hold up a school by texting a code a thousand times."""
    p = Play()
    p.press()
    p.news()
    for body in ("417", "617", "417", "617", *["417"] * 20):
        p.reply("Ruiz", body)

    first = [lane is Lane.ANSWER for lane in lanes(p)]
    assert first == [True, True, *[False] * 22], "promise 2: somebody holds up a school by repeating a code"


def test_words_are_answered_at_once_three_times_and_what_counts_for_nothing_waits() -> None:
    p = Play()
    p.press()
    p.news()
    for n in range(3):
        p.reply("Ruiz", f"he is in {n + 1}1 now")
    p.reply("Ruiz", "499")

    assert lanes(p) == [Lane.ANSWER, Lane.ANSWER, Lane.ANSWER, Lane.NEXT]


def test_an_answer_about_a_nuisance_or_in_a_drill_goes_before_nobody() -> None:
    p = Play()
    p.drill("badge-204")
    p.press("badge-204")
    p.news()
    p.reply("Ruiz", "417")
    assert lanes(p) == [Lane.DRILL]


def test_a_reaction_of_a_phone_in_another_language_is_nobodys_words() -> None:
    """An iPhone set to Spanish; it quotes the text that it was sent."""
    play = Play()
    play.press("badge-204", 8)
    (asked,) = [n.text for n in play.news() if n.recipient == "Ruiz"]
    play.reply("Ruiz", f"Le ha gustado “{asked}”")

    others = [n for n in play.news() if n.recipient != "Ruiz"]
    assert others == [], "everybody reads it as what an eyewitness says"
    play.reply("Ruiz", f"He says “{asked}” and has left by the north door")

    assert ("Chen", "update") in play.said(), "what an eyewitness says reaches nobody"
