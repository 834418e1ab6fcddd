"""The timeline: every hop with its time, its reason, who says so, and what was not known then (promises 4 and 5)."""

from enum import Enum

import pytest

from alertd.console import words
from alertd.console.timeline import hops, open_questions, timeline
from alertd.model.incident import AnswerKind, DispatchState, EscalationState, IncidentClass, IncidentState
from alertd.model.mode import Mode
from alertd.model.notification import Kind, NotificationState
from alertd.model.outcome import Accepted, Delivered, Failed, Outcome, Unknown
from alertd.model.reason import Reason
from alertd.ports import JournalLine
from tests.console.fake_daemon import FakeDaemon
from tests.engine.play import START_US


@pytest.mark.parametrize(
    ("table", "members"),
    [
        (words.WHY, Reason),
        (words.KNOWN, NotificationState),
        (words.KIND, Kind),
        (words.MODE, Mode),
        (words.INCIDENT_CLASS, IncidentClass),
        (words.INCIDENT_STATE, IncidentState),
        (words.ESCALATION, EscalationState),
        (words.ANSWER, AnswerKind),
        (words.DISPATCH, DispatchState),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_every_name_has_words(table: dict[Enum, str], members: type[Enum]) -> None:
    assert [member for member in members if member not in table] == []


def test_only_final_states_leave_nothing_open():
    final = {"failed", "expired", "suppressed", "withdrawn"}

    assert {state.value for state in NotificationState if state not in words.NOT_KNOWN} == final


def test_no_words_claim_that_a_message_was_read():
    for state, sentence in words.KNOWN.items():
        assert "read" not in sentence.split(), state
    assert "read" in words.NOT_KNOWN[NotificationState.DELIVERED]


class Story:
    """One lockdown, told event by event; a line of the journal for each entry, as the store would keep it."""

    def __init__(self) -> None:
        self.daemon = FakeDaemon()
        self.play = self.daemon.oak
        self._kept = 0
        self.play.opted_out.add("sms:+12025550110")
        self.play.press()
        self.keep()

    def keep(self) -> None:
        for entry in self.play.entries[self._kept :]:
            self.daemon.keep(entry)
        self._kept = len(self.play.entries)

    def outcome(self, name: str, outcome: Outcome, after_ms: float) -> None:
        self.play.now_us += int(after_ms * 1000)
        self.play.outcome(self.play.row_to(name), outcome)
        self.keep()

    @property
    def incident(self):
        return self.play.incident

    def lines(self):
        return timeline(self.incident, self.daemon.journal, self.play.rows.values())

    def lines_of(self, name: str):
        return [line for line in self.lines() if line.who == name]


@pytest.fixture
def story() -> Story:
    return Story()


def test_every_line_counts_from_the_first_press(story):
    story.play.claim(story.play.row_to("Ruiz"))
    story.outcome("Ruiz", Accepted(ref="SM1"), after_ms=12.5)

    assert {line.ms_since_press for line in story.lines()} == {0.0, 12.5}
    assert story.lines()[0].at_us == START_US


def test_each_hop_of_a_message_says_who_says_so_and_what_is_not_known(story):
    story.play.claim(story.play.row_to("Ruiz"))
    story.outcome("Ruiz", Accepted(ref="SM1"), after_ms=40)
    story.outcome("Ruiz", Delivered(ref="SM1"), after_ms=900)

    written, accepted, delivered = story.lines_of("Ruiz")
    assert (written.state, written.known_by, written.reason) == ("queued", "alertd", "first_wave")
    assert (accepted.state, accepted.known_by, accepted.reason) == ("accepted", "sms", "first_wave")
    assert accepted.what == "sms, alert: the provider took it"
    assert accepted.not_known == "whether it has reached anything"
    assert (delivered.state, delivered.not_known) == ("delivered", "whether a human has read it")


def test_a_lost_answer_of_the_provider_is_told_as_not_known(story):
    story.play.claim(story.play.row_to("Ruiz"))
    story.outcome("Ruiz", Unknown(detail="timed out"), after_ms=10_000)

    line = story.lines_of("Ruiz")[-1]
    assert (line.state, line.reason, line.known_by) == ("unknown", "asked_provider", "alertd")
    assert line.not_known == "whether it was sent at all"


def test_a_failure_says_why_and_leaves_no_doubt(story):
    story.play.claim(story.play.row_to("Ruiz"))
    story.outcome("Ruiz", Failed(permanent=True, code="21211", detail="no such number"), after_ms=30)

    line = next(line for line in story.lines_of("Ruiz") if line.state == "failed")
    assert line.known_by == "sms"
    assert "21211 no such number" in line.what
    assert (line.reason, line.not_known) == ("failed_permanently", "")


def test_a_passing_failure_says_that_it_will_be_tried_again(story):
    story.play.claim(story.play.row_to("Ruiz"))
    story.outcome("Ruiz", Failed(permanent=False, code="20429", detail="too many"), after_ms=30)

    line = story.lines_of("Ruiz")[-1]
    assert (line.state, line.reason) == ("queued", "retrying")
    assert "waiting to be tried again" in line.what
    assert "20429 too many" in line.what


def test_a_message_that_is_not_sent_says_so_with_its_reason(story):
    line = story.lines_of("Okafor")[0]

    assert (line.state, line.reason) == ("suppressed", "opted_out")
    assert "never sent, on purpose" in line.what


def test_an_answer_is_known_by_the_person_and_dispatch_by_itself(story):
    story.play.reply("Ruiz", f"4{story.incident.token}")
    story.play.center(DispatchState.ACCEPTED, call="26-1187")
    story.keep()

    assert [line.known_by for line in story.lines_of("ruiz")] == ["the person"]
    dispatch = next(line for line in story.lines() if "26-1187" in line.what)
    assert (dispatch.known_by, dispatch.reason) == ("psap", "dispatch_changed")


def test_what_an_operator_typed_is_not_said_to_be_known_by_the_person(story):
    story.play.answer("Ruiz")
    story.play.correct("Ruiz")
    story.keep()

    typed = [line for line in story.lines() if line.what.startswith(("answer: ", "correction: "))]
    assert [line.known_by for line in typed] == ["an operator, at the console"] * 2


def test_an_erased_line_stays_as_a_line(story):
    first = story.daemon.journal[0]
    story.daemon.journal[0] = JournalLine(
        site_id=first.site_id, sequence=first.sequence, at_us=first.at_us, entry=None, hash=first.hash
    )

    assert story.lines()[0].what.startswith("erased")
    assert len(story.lines()) == len(story.daemon.journal)


def test_no_line_shows_a_phone_number(story):
    assert "+1202" not in hops(story.lines())


def test_open_questions_name_every_message_and_centre_without_a_last_word(story):
    story.play.claim(story.play.row_to("Ruiz"))
    story.outcome("Ruiz", Delivered(ref="SM1"), after_ms=40)
    story.play.claim(story.play.row_to("Chen"))
    story.outcome("Chen", Failed(permanent=True, code="21211"), after_ms=40)
    questions = open_questions(story.play.rows.values(), story.incident)

    assert any(
        q.startswith("Ruiz: it reached the phone") and q.endswith("whether a human has read it") for q in questions
    )
    assert not any(q.startswith("Chen: it did not get there") for q in questions)
    assert "dispatch psap: a message is on its way, no sign from it yet" in questions


def test_plain_text_has_a_line_a_hop(story):
    text = hops(story.lines())

    assert len(text.splitlines()) == len(story.lines())
    assert "[first_wave: told at once, with the first wave]" in text
