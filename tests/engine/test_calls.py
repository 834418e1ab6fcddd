"""Phones ring: who is called, what they hear, what a key does, and when a phone rings again."""

import pytest
from msgspec.structs import replace

from alertd.engine import spoken
from alertd.model.call_script import CallScript, decode
from alertd.model.events import TestOrdered
from alertd.model.ids import CauseId, PersonId
from alertd.model.incident import AnswerKind, EscalationState
from alertd.model.mode import Mode
from alertd.model.notification import NotificationRow, NotificationState
from alertd.model.outcome import Accepted, Failed, Sent
from alertd.model.people import Endpoint, Person
from alertd.model.policy import Step
from alertd.model.reason import Reason
from alertd.model.registry import ChannelRules, Registry
from tests.engine.play import START_US, Play
from tests.engine.school import OAK, PEOPLE, PSAP, STAFF, group, policy, registry

BUSY = Failed(permanent=False, unanswered=True, code="busy", retry_after_s=15, ref="CA1")
CALLED = policy(
    "lockdown",
    Step(targets=(group("first"), STAFF, PSAP), channels=("sms", "voice"), wait_s=30),
    Step(targets=(group("second"),), wait_s=60),
    Step(targets=(group("first"),), wait_s=60),
)


def with_phone(person: Person) -> Person:
    number = person.endpoints[0].address
    return replace(
        person, endpoints=(*person.endpoints, Endpoint(channel="voice", address=number, person_id=person.id))
    )


def school(lockdown=CALLED, people: dict[str, tuple[str, ...]] | None = None) -> Registry:
    """`people`: groups of some of them. Everybody's phone can be called."""
    groups = people or {}
    phones = tuple(with_phone(replace(p, groups=groups.get(p.name, p.groups))) for p in PEOPLE)
    plain = registry(lockdown, people=phones)
    fields = {name: getattr(plain, name) for name in plain.__struct_fields__}
    zones = {id_: replace(z, spoken=z.label.replace("Rm 204, 2nd fl East", SPOKEN)) for id_, z in plain.zones.items()}
    voice = ChannelRules(name="voice", kind="voice", text_limit=0)
    return Registry(**fields | {"channels": {**plain.channels, "voice": voice}, "zones": zones})


SPOKEN = "Room two-oh-four, second floor east"


def calls(p: Play, state: NotificationState | None = NotificationState.QUEUED) -> list[NotificationRow]:
    rows = [r for r in p.rows.values() if r.notification.endpoint.channel == "voice"]
    return [r for r in rows if state is None or r.state is state]


def called(p: Play) -> list[str]:
    return [r.notification.recipient for r in calls(p)]


def script(row: NotificationRow) -> CallScript:
    return decode(row.notification.body, row.notification.text)


@pytest.fixture
def p() -> Play:
    return Play(school())


def test_a_lockdown_rings_every_responders_phone_at_once_beside_the_text(p: Play) -> None:
    p.press("badge-118")

    assert {"Ruiz", "Chen"} <= set(called(p))
    assert {n.recipient for n in p.news() if n.endpoint.channel == "sms"} >= {"Ruiz", "Chen"}


def test_location_is_the_first_thing_heard_and_everything_is_in_words(p: Play) -> None:
    p.press()

    main = script(calls(p)[0]).main

    assert main == (
        f"Oak Elem. {SPOKEN}. Lockdown. Button pressed at ten forty-two. Call or radio nine one one if in doubt."
    )


def test_a_call_says_how_to_answer_by_key_and_by_text(p: Play) -> None:
    p.press()

    words = script(calls(p)[0])

    assert words.prompt == "Press 4 if you are going, 6 if you cannot, star to hear it again."
    assert "four one seven if you are going" in words.by_text
    assert words.silence == "No answer recorded. The next person is being called."


def test_a_voicemail_says_when_and_that_it_is_no_answer(p: Play) -> None:
    p.press()

    said = script(calls(p)[0]).voicemail

    assert SPOKEN in said
    assert "Monday, March second, ten forty-two in the morning" in said
    assert "This voicemail is not an answer; others are being called." in said
    assert "call five five five, zero one four two before you act" in said


def test_a_phone_does_not_ring_in_a_room_that_hides(p: Play) -> None:
    """Staff are told by the same step, and are not asked to come."""
    p.press("badge-118")

    assert set(called(p)) == {"Ruiz", "Chen"}


@pytest.mark.parametrize("by", ["the sender of notices", "a text that stands behind the phone"])
def test_a_phone_does_not_ring_in_a_room_that_hides_while_another_text_reaches_it(by: str) -> None:
    plain = school()
    okafor = next(person for person in plain.people.values() if person.name == "Okafor")
    sms, voice = okafor.endpoints
    other = replace(sms, channel="notices") if by == "the sender of notices" else replace(sms, address="+12025550177")
    people = plain.people | {okafor.id: replace(okafor, endpoints=(sms, voice, other))}
    channels = plain.channels | {"notices": ChannelRules(name="notices", kind="sms", notices=True)}
    p = Play(replace(plain, people=people, channels=channels))
    p.opted_out = {sms.key}
    p.press("badge-118")

    told = [n.endpoint for n in p.news() if n.recipient == "Okafor" and p.rows[n.id].state is NotificationState.QUEUED]

    assert told == [other], "their phone rings where people hide"


def test_the_pressers_own_phone_never_rings() -> None:
    """messages.md: it may lie in the hand that hides. Here it is a responder's."""
    p = Play(school(people={"Okafor": ("first",)}))
    p.press("badge-204")

    (silent,) = [r for r in calls(p, None) if r.notification.recipient == "Okafor"]
    assert (silent.state, silent.reason) == (NotificationState.SUPPRESSED, Reason.PRESSER)
    assert "Okafor" in {n.recipient for n in p.news() if n.endpoint.channel == "sms"}


def test_a_call_that_waits_for_a_line_is_withdrawn_when_its_owners_badge_is_pressed_too() -> None:
    """A second ago they were asked to come; now they may be hiding, and the phone would be heard."""
    p = Play(school(people={"Okafor": ("first",)}))
    p.press("badge-118")
    (call,) = [r for r in calls(p) if r.notification.recipient == "Okafor"]
    p.press("badge-204")

    after = p.rows[call.notification.id]
    assert (after.state, after.reason) == (NotificationState.WITHDRAWN, Reason.PRESSER)
    assert "Ruiz" in called(p), "nobody else's call is touched"


def test_key_4_acknowledges_and_pauses(p: Play) -> None:
    p.press("badge-118")
    call = calls(p)[0]

    said = p.key(call, 4)

    assert p.incident.escalation is EscalationState.PAUSED
    assert [(a.name, a.kind, a.via) for a in p.incident.answers] == [("Ruiz", AnswerKind.GOING, "voice")]
    assert said.text.startswith("You are going to ")
    assert "Text five one seven when you arrive." in said.text
    assert p.rows[said.id].reason is Reason.SPOKEN, "it is said in the call, and not sent beside it"


def test_key_6_tells_the_next_people_at_once(p: Play) -> None:
    p.press("badge-118")
    p.news()

    p.key(calls(p)[0], 6)

    assert "Nurse" in {name for name, _ in p.said()}


def test_key_9_in_a_staff_assist_locks_the_school_down() -> None:
    assist = policy("staff_assist", Step(targets=(group("first"),), channels=("voice",), wait_s=30))
    p = Play(school(assist))
    p.press("badge-118", count=3)

    said = p.key(calls(p)[0], 9)

    assert p.incident.incident_class == "lockdown"
    assert said.text == "Lockdown is on, as you asked."
    assert p.incident.presses[-1].device_label != ""


def test_a_key_that_means_nothing_says_which_do(p: Play) -> None:
    p.press("badge-118")

    said = p.key(calls(p)[0], 2)

    assert not p.incident.answers
    assert said.text.startswith("two means nothing here. Press 4")


def test_a_key_covers_the_presses_that_the_call_spoke_of_and_says_what_came_since(p: Play) -> None:
    p.press("badge-118")
    call = calls(p)[0]
    p.wait(5)
    p.press("badge-204")

    said = p.key(call, 4, presses=script(call).presses)

    assert p.incident.escalation is EscalationState.RUNNING, "the second room is covered by nobody"
    assert f"But {SPOKEN} has also pressed" in said.text
    p.key(call, 4, presses=decode(said.body, said.text).presses)
    assert p.incident.escalation is EscalationState.PAUSED


def test_a_key_for_something_less_is_no_answer_to_what_it_became() -> None:
    assist = policy("staff_assist", Step(targets=(group("first"),), channels=("voice",), wait_s=60))
    p = Play(school(assist))
    p.press("badge-118", count=3)
    call = calls(p)[0]
    p.wait(5)
    p.press("badge-118", count=8)

    said = p.key(call, 4)

    assert p.incident.escalation is EscalationState.RUNNING
    assert "But it has become more: Lockdown." in said.text
    p.key(call, 4, heard=said)
    assert p.incident.escalation is EscalationState.PAUSED


def test_the_same_key_event_twice_counts_once_and_is_answered_the_same(p: Play) -> None:
    p.press("badge-118")
    call = calls(p)[0]

    first, second = p.key(call, 4, cause="twilio:CA1:0:4"), p.key(call, 4, cause="twilio:CA1:0:4")

    assert first == second
    assert len(p.incident.answers) == 1


def test_a_key_after_the_end_hears_that_it_was_closed_and_by_whom(p: Play) -> None:
    p.press("badge-118")
    call = calls(p)[0]
    p.resolve("Chen", rooms_released=True)

    said = p.key(call, 4)

    assert "was closed at ten forty-two by Chen. Your key changed nothing." in said.text
    assert not p.state.incidents


def test_a_voicemail_is_no_answer_and_undoes_none(p: Play) -> None:
    """Promise 5."""
    p.press("badge-118")
    call = p.claim(calls(p)[0])
    p.outcome(call, Accepted(ref="CA1"))

    p.outcome(call, Sent(ref="CA1", detail="voicemail"), epoch=None)

    assert p.incident.escalation is EscalationState.RUNNING
    p.key(p.rows[call.notification.id], 4)
    assert p.incident.escalation is EscalationState.PAUSED
    p.outcome(p.rows[call.notification.id], Sent(ref="CA1", detail="voicemail"))
    assert p.incident.escalation is EscalationState.PAUSED
    assert p.rows[call.notification.id].state is NotificationState.DELIVERED


def busy(p: Play, row: NotificationRow) -> None:
    p.outcome(p.claim(row), replace(BUSY, ref=""))


def test_a_phone_that_nobody_takes_rings_again_twice_and_no_more(p: Play) -> None:
    p.press("badge-118")
    (ruiz,) = [r for r in calls(p) if r.notification.recipient == "Ruiz"]

    for n in (1, 2):
        busy(p, ruiz)
        p.wait(14)
        assert "Ruiz" not in called(p), "only after a pause"
        p.wait(1)
        (ruiz,) = [r for r in calls(p) if r.notification.recipient == "Ruiz"]
        assert (ruiz.notification.redial, ruiz.reason) == (n, Reason.REDIALLED)
    busy(p, ruiz)
    p.wait(29)

    assert "Ruiz" not in called(p), "a phone rings at most three times for one thing"


def test_nobody_is_called_again_once_somebody_goes(p: Play) -> None:
    p.press("badge-118")
    ruiz, chen = (next(r for r in calls(p) if r.notification.recipient == name) for name in ("Ruiz", "Chen"))
    busy(p, ruiz)

    p.key(chen, 4)
    p.wait(60)

    redials = [r.notification.redial for r in calls(p, None) if r.notification.recipient == "Ruiz"]
    assert redials == [0], "somebody goes already"
    assert Reason.SOMEBODY_GOES in p.reasons()


def test_a_redial_that_waits_is_withdrawn_when_somebody_goes(p: Play) -> None:
    p.press("badge-118")
    busy(p, calls(p)[0])
    p.wait(15)

    (again,) = [r for r in calls(p) if r.notification.redial]

    assert again.notification.while_looking


def test_nobody_is_called_again_after_the_end(p: Play) -> None:
    p.press("badge-118")
    busy(p, calls(p)[0])

    p.resolve("Chen", rooms_released=True)
    p.wait(60)

    assert not [r for r in calls(p, None) if r.notification.redial]


def test_an_unanswered_call_sends_no_second_text_to_whoever_has_one(p: Play) -> None:
    p.press("badge-118")
    p.news()

    busy(p, calls(p)[0])

    assert p.news() == []


def test_a_phone_in_a_room_that_hides_does_not_ring_while_its_text_is_tried_again(p: Play) -> None:
    p.press("badge-118")
    away = Failed(permanent=False, code="20429")
    row = next(r for r in p.rows.values() if r.notification.recipient == "Okafor")

    for _ in range(3):
        row = p.outcome(p.claim(row), away)
    assert "Okafor" not in called(p)
    p.outcome(p.claim(row), Failed(permanent=True, code="30006"))

    assert "Okafor" in called(p), "a landline gets no text at all"


def test_news_and_corrections_are_texted_to_whoever_has_a_text(p: Play) -> None:
    p.press("badge-118")
    p.news()

    p.press("badge-204")
    p.correct()

    assert {n.endpoint.channel for n in p.news()} <= {"sms", "dispatch"}
    assert Reason.TEXTED in p.reasons()


def test_whoever_opted_out_of_texts_is_called_instead_also_with_news() -> None:
    p = Play(school(policy("lockdown", Step(targets=(group("first"),), wait_s=600))))
    p.opted_out.add(p.registry.people[PersonId("ruiz")].endpoints[0].key)

    p.press("badge-118")
    p.press("wall-gym", count=None)
    p.press("badge-204")

    kinds = [r.notification.kind.value for r in calls(p) if r.notification.recipient == "Ruiz"]
    assert kinds == ["alert", "also"]


def test_reminders_and_the_last_resort_ring_again_the_phones_that_rang(p: Play) -> None:
    p.press("badge-118")
    p.wait(90)
    assert [r.notification.kind.value for r in calls(p) if r.notification.recipient == "Ruiz"] == ["alert", "reminder"]

    p.wait(60)

    kinds = [r.notification.kind.value for r in calls(p) if r.notification.recipient == "Ruiz"]
    assert kinds == ["alert", "reminder", "exhausted"]
    assert "nobody has answered. Call nine one one now." in calls(p)[-1].notification.text


def test_a_drill_and_a_test_are_marked_before_and_after(p: Play) -> None:
    """Promise 3."""
    p.do(TestOrdered(site_id=OAK, cause=CauseId("t"), by="admin", person_id=PersonId("ruiz")))

    (test,) = calls(p)

    assert test.notification.mode is Mode.TEST
    assert script(test) == CallScript(
        main="This is a test. Oak Elem. This call is for Ruiz. Nothing happened. No key is needed. This is a test.",
        voicemail="This is a test. Oak Elem. This call is for Ruiz. Nothing happened. No key is needed. "
        "This is a test.",
        presses=0,
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "ten forty-two"), (18 * 60, "eleven o'clock"), (23 * 60, "eleven oh five"), (3 * 3600, "one forty-two")],
)
def test_times_are_spoken_as_people_say_them(seconds: int, words: str) -> None:
    oak = registry().sites[OAK]

    assert spoken.clock(oak, START_US + seconds * 1_000_000) == words


@pytest.mark.parametrize(
    ("day", "words"),
    [(1, "first"), (12, "twelfth"), (14, "fourteenth"), (20, "twentieth"), (22, "twenty-second"), (31, "thirty-first")],
)
def test_days_are_spoken_as_people_say_them(day: int, words: str) -> None:
    oak = registry().sites[OAK]
    march_1 = START_US - 86_400_000_000

    assert spoken.date(oak, march_1 + (day - 1) * 86_400_000_000).endswith(f"March {words}")
