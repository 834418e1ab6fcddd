"""What checkers find when a dispatch centre is beaten at, or is left to wait once it takes messages again."""

from alertd.model.ids import NotificationId
from alertd.model.notification import Kind, NotificationChange, NotificationRow
from alertd.model.notification import NotificationState as N
from alertd.model.outcome import Delivered, Failed
from alertd.model.people import Endpoint
from alertd.model.reason import Reason
from alertd_simulator.checkers.knocking import OneKnocks
from tests.simulator.checkers.story import Story, outcome, text

PSAP = Endpoint(channel="dispatch", address="psap", dispatch=True)
REFUSED = Failed(permanent=False, code="http_401")


def update(number: int) -> NotificationRow:
    return text(id_=f"d-{number}", kind=Kind.DISPATCH_UPDATE, endpoint=PSAP)


def refused(story: Story, number: int, attempt: int) -> Story:
    story.attempted(update(number), attempt=attempt).ended(REFUSED, id_=f"d-{number}")
    again = NotificationChange(id=NotificationId(f"d-{number}"), state=N.QUEUED, reason=Reason.RETRYING)
    return story.committed(outcome(f"d-{number}", REFUSED), changes=(again,))


def told(messages: int = 8) -> Story:
    return Story(OneKnocks).start().at(1).opened(*map(update, range(messages)))


def test_turns_of_ten_seconds_and_three_quick_tries_of_each_are_in_order() -> None:
    story = told()
    for number in range(8):
        for attempt in (1, 2, 3):
            refused(story.at(100 + attempt), number, attempt)
    for turn in range(30):
        refused(story.at(120 + 10 * turn), turn % 8, 4 + turn // 8)
    assert story.end() == []


def test_messages_that_knock_each_by_itself_are_found() -> None:
    story = told()
    for turn in range(29):
        refused(story.at(120 + 2 * turn), turn % 8, 4 + turn // 8)
    found = story.end()

    assert found
    assert "takes nothing, and was knocked at 29 times in a minute by oak" in found[0]


def test_what_waits_goes_within_seconds_once_another_was_taken() -> None:
    story = told(3)
    for number in range(3):
        refused(story.at(100 + number), number, 4)
    story.at(120).attempted(update(0), attempt=5).ended(Delivered(ref="204"), id_="d-0")
    story.at(124).attempted(update(1), attempt=5)
    assert story.violations == []

    story.at(130).attempted(update(2), attempt=5)
    assert "took another message" in story.violations[0]
    assert "(d-2) waited 10 s more" in story.violations[0]
