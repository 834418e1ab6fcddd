"""Which phone rings first where calls wait for one another, which words are overtaken, and a key that cannot count."""

import pytest
from msgspec.structs import replace

from alertd.model.anchor import Now
from alertd.model.decision import EntryKind
from alertd.model.incident import EscalationState
from alertd.model.mode import Mode
from alertd.model.notification import Circumstances, Kind, Lane, NotificationRow, NotificationState, claim_refused
from alertd.model.outcome import Failed
from alertd.model.people import Person
from alertd.model.policy import Step
from alertd.model.reason import Reason
from alertd.model.registry import ChannelRules, Registry
from tests.engine.play import Play
from tests.engine.school import PEOPLE, group, policy, registry
from tests.engine.test_calls import CALLED, busy, calls, school, script, with_phone

HELD = Failed(permanent=False, code="line_held", retry_after_s=10, not_tried=True)


@pytest.fixture
def p() -> Play:
    return Play(school())


def to(p: Play, name: str, kind: Kind | None = None) -> list[NotificationRow]:
    mine = [r for r in calls(p, None) if r.notification.recipient == name]
    return [r for r in mine if kind is None or r.notification.kind is kind]


def refused(p: Play, row: NotificationRow) -> tuple[NotificationState, Reason] | None:
    """What the store says when somebody wants to send it now."""
    incident = p.state.incidents.get(row.notification.incident_id) if row.notification.incident_id else None
    now = Circumstances.of(row.notification, incident, drill_running=False)
    return claim_refused(row.notification, now, Now(wall_us=p.now_us, boot_us=0))


OVERTAKEN = (NotificationState.WITHDRAWN, Reason.SUPERSEDED)


# --- the first call goes before the second ---------------------------------------------------------------------------


def test_promise_2_a_call_that_repeats_waits_for_every_first_call(p: Play) -> None:
    """Two hundred phones ring again for one school while another locks down: nobody there was called yet."""
    p.press("badge-118")
    busy(p, to(p, "Ruiz")[0])
    p.wait(15)
    (redial,) = [r for r in to(p, "Ruiz") if r.notification.redial]
    p.wait(200)

    repeats = [redial, *to(p, "Ruiz", Kind.REMINDER), *to(p, "Chen", Kind.EXHAUSTED)]
    assert {r.notification.lane for r in repeats} == {Lane.NEXT}, "promise 2: a first call waits behind a repeat"
    assert {r.notification.lane for r in calls(p, None) if r.notification.kind is Kind.ALERT and r is not redial} == {
        Lane.PANIC
    }


def test_who_is_called_for_the_first_time_after_the_last_step_is_called_at_once() -> None:
    """Whoever cannot be texted hears of it now, and of nothing before."""
    p = Play(school(policy("lockdown", Step(targets=(group("second"),), channels=("sms",), wait_s=30))))
    nurse = p.registry.people
    p.opted_out |= {e.key for person in nurse.values() for e in person.endpoints if e.channel == "sms"}
    p.press("badge-118")
    p.wait(40)

    first = [r.notification for r in calls(p, None) if r.notification.kind is Kind.EXHAUSTED]
    assert first
    assert {n.lane for n in first if n.recipient != "Nurse"} == {Lane.PANIC}


def test_repeats_of_what_is_no_panic_and_of_drills_stay_where_they_were() -> None:
    p = Play(school())
    p.drill()
    p.press("badge-118")
    p.wait(90)

    lanes = {r.notification.lane for r in calls(p, None) if r.notification.mode is Mode.DRILL}
    assert lanes == {Lane.DRILL}


def test_a_repeat_whose_line_is_held_is_tried_until_it_expires(p: Play) -> None:
    p.press("badge-118")
    p.wait(31)
    p.wait(60)
    (reminder,) = to(p, "Ruiz", Kind.REMINDER)

    for _ in range(8):
        reminder = p.outcome(p.claim(reminder), HELD)

    assert (reminder.state, reminder.reason) == (NotificationState.QUEUED, Reason.NOT_TRIED)


def test_whoever_waits_for_a_phone_of_ours_was_not_tried_and_has_tries_left() -> None:
    """A vape notice gave up on a phone that had never rung, half a minute before it was free."""
    p = Play(school(policy("vape", Step(targets=(group("first"),), channels=("sms", "voice"), wait_s=300))))
    p.arrive("vape-wc", "vape")
    (call,) = to(p, "Ruiz")
    told = len(p.rows)
    for _ in range(9):
        call = p.outcome(p.claim(call), HELD)

    assert (call.state, call.reason, call.attempt) == (NotificationState.QUEUED, Reason.NOT_TRIED, 0)
    assert len(p.rows) == told, "nobody is told otherwise instead: the phone is there"
    failed = Failed(permanent=False, code="http_500")
    for _ in range(4):
        assert call.state is NotificationState.QUEUED
        call = p.outcome(p.claim(call), failed)
    assert (call.state, call.reason) == (NotificationState.FAILED, Reason.ATTEMPTS_EXHAUSTED)


def test_a_panics_call_that_waits_for_a_phone_brings_no_second_endpoint(p: Play) -> None:
    p.press("badge-118")
    (call,) = to(p, "Ruiz")
    told = len(p.rows)
    for _ in range(3):
        call = p.outcome(p.claim(call), HELD)

    assert len(p.rows) == told


# --- words that are overtaken -----------------------------------------------------------------------------------------


def upgraded() -> tuple[Play, NotificationRow]:
    assist = policy("staff_assist", Step(targets=(group("first"),), channels=("sms", "voice"), wait_s=60))
    p = Play(school(assist))
    p.press("badge-118", count=3)
    (lesser,) = to(p, "Ruiz")
    p.wait(5)
    p.press("badge-118", count=8)
    return p, lesser


def test_a_call_that_waits_is_not_placed_once_it_has_become_graver() -> None:
    """They would hear "Staff assist" after "Lockdown", and the lockdown's call would wait for the line."""
    p, lesser = upgraded()

    assert refused(p, lesser) == OVERTAKEN
    graver = to(p, "Ruiz")[-1]
    assert "Lockdown" in script(graver).main
    assert refused(p, graver) is None


def test_the_text_of_the_lesser_is_still_sent() -> None:
    p, _ = upgraded()
    text = next(r for r in p.rows.values() if r.notification.recipient == "Ruiz" and not r.notification.rings)

    assert refused(p, text) is None


def test_a_reminder_or_redial_that_waits_is_not_placed_once_a_newer_call_says_more(p: Play) -> None:
    p.press("badge-118")
    busy(p, to(p, "Ruiz")[0])
    p.wait(15)
    (redial,) = [r for r in to(p, "Ruiz") if r.notification.redial]
    assert refused(p, redial) is None
    p.wait(80)
    (reminder,) = to(p, "Ruiz", Kind.REMINDER)
    assert refused(p, redial) == OVERTAKEN
    assert refused(p, reminder) is None
    p.wait(60)

    assert refused(p, reminder) == OVERTAKEN
    assert refused(p, to(p, "Ruiz", Kind.EXHAUSTED)[0]) is None


def test_the_first_call_is_never_overtaken_by_what_repeats_it(p: Play) -> None:
    """Where two hundred phones wait, the last ones would never ring."""
    p.press("badge-118")
    p.wait(280)

    (first,) = to(p, "Ruiz", Kind.ALERT)
    assert refused(p, first) is None
    assert len(to(p, "Ruiz", Kind.EXHAUSTED)) > 1
    assert all(refused(p, row) is None for row in to(p, "Ruiz", Kind.EXHAUSTED))


# --- a key of somebody who is on no list any more --------------------------------------------------------------------


def without_ruiz(number: str | None) -> Registry:
    """The people after a reload: Ruiz has left, or has another number."""

    def changed(person: Person) -> Person:
        if person.name != "Ruiz" or number is None:
            return person
        return replace(person, endpoints=tuple(replace(e, address=number) for e in person.endpoints))

    people = tuple(with_phone(changed(x)) for x in PEOPLE if x.name != "Ruiz" or number is not None)
    plain = registry(CALLED, people=people)
    fields = {name: getattr(plain, name) for name in plain.__struct_fields__}
    voice = ChannelRules(name="voice", kind="voice", text_limit=0)
    return Registry(**fields | {"channels": {**plain.channels, "voice": voice}})


@pytest.mark.parametrize("number", [None, "+12025550199"], ids=["removed", "a new number"])
def test_promise_5_whose_key_is_not_counted_hears_so(p: Play, number: str | None) -> None:
    p.press("badge-118")
    (call,) = to(p, "Ruiz")
    p.registry = without_ruiz(number)

    said = p.key(call, 4)

    assert said.text.startswith("Your key was not counted.")
    assert script(p.rows[said.id]).presses == 1
    assert p.incident.escalation is EscalationState.RUNNING
    assert not p.incident.answers


def test_a_key_that_is_not_counted_is_a_trouble_that_names_the_phone_and_what_to_do(p: Play) -> None:
    p.press("badge-118")
    (call,) = to(p, "Ruiz")
    p.registry = without_ruiz(None)

    p.key(call, 4)

    (trouble,) = [t for t in p.state.troubles.values() if t.key.startswith("key_not_counted:")]
    assert "Ruiz" in trouble.summary
    assert call.notification.endpoint.address in trouble.summary
    assert "people.csv" in trouble.summary
    answers = [e for e in p.entries if e.kind is EntryKind.ANSWER]
    assert [e.reason for e in answers] == [Reason.FOREIGN_PERSON]
    assert answers[0].incident_id == p.incident.id, "the timeline says that somebody pressed"


def test_a_key_that_is_not_counted_is_answered_the_same_when_it_comes_twice(p: Play) -> None:
    p.press("badge-118")
    (call,) = to(p, "Ruiz")
    p.registry = without_ruiz(None)

    first, second = p.key(call, 4, cause="twilio:CA1:0:4"), p.key(call, 4, cause="twilio:CA1:0:4")

    assert first == second
