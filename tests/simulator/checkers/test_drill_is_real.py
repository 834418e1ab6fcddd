"""Promise 3: whoever was told of a drill hears, before anything else, that it has become real."""

from typing import Any

import pytest
from msgspec.structs import replace

from alertd.model.drill import Drill, DrillState
from alertd.model.events import DrillOrdered
from alertd.model.ids import CauseId, DrillId, PersonId
from alertd.model.incident import IncidentClass
from alertd.model.mode import Mode
from alertd.model.notification import Kind, NotificationRow
from alertd.model.notification import NotificationState as N
from alertd.model.people import Endpoint
from alertd.model.reason import Reason
from alertd.model.registry import ChannelRules, Registry
from alertd_simulator.checkers.believing import Believing
from alertd_simulator.checkers.checker import Checker
from alertd_simulator.checkers.drills import DrillEnds, RealAfterDrill
from alertd_simulator.world.happenings import Crashed
from tests.engine.school import OAK, registry
from tests.simulator.checkers.story import RUIZ, Story, incident, pressed, text

NOTICES = Endpoint(channel="notices", address=RUIZ, person_id=PersonId("ruiz"))
PRIVATE = Endpoint(channel="sms", address="+12025550177", person_id=PersonId("ruiz"))
VOICE = Endpoint(channel="voice", address=RUIZ, person_id=PersonId("ruiz"))
REAL = "DRILL STOPPED, THIS IS REAL. OAK ELEM Rm 204: LOCKDOWN."


def with_notices() -> Registry:
    """Ruiz hears of vapes over a number of its own, is called, and has a second phone."""
    school = registry()
    ruiz = school.people[PersonId("ruiz")]
    notices = ChannelRules(name="notices", kind="sms", notices=True)
    voice = ChannelRules(name="voice", kind="voice")
    return replace(
        school,
        people=school.people | {ruiz.id: replace(ruiz, endpoints=(*ruiz.endpoints, NOTICES, PRIVATE, VOICE))},
        channels=school.channels | {notices.name: notices, voice.name: voice},
    )


def drill(**fields: object) -> Drill:
    begun = Drill(
        id=DrillId("d"), site_id=OAK, incident_class=IncidentClass.LOCKDOWN, device_ids=(), told_before="J. Doe",
        by="J. Ruiz", started_us=0, ends_us=0,
    )  # fmt: skip
    return replace(begun, **fields)


def answered_over(endpoint: Endpoint | None, checker: type[Checker] = RealAfterDrill) -> Story:
    """A drill in which Ruiz typed that they go, and was answered; where they typed it, or over the usual number."""
    story = Story(checker).start()
    story.judge.use(with_notices())
    order = DrillOrdered(
        site_id=OAK, cause=CauseId("order"), by="J. Ruiz", incident_class=IncidentClass.LOCKDOWN, device_ids=(),
        told_before="J. Doe", minutes=10,
    )  # fmt: skip
    where: dict[str, Any] = {} if endpoint is None else {"endpoint": endpoint}
    answer = text("n-1", mode=Mode.DRILL, kind=Kind.ANSWER, **where)
    return story.committed(order, drill=drill(), notifications=(answer,)).at(60)


def ended(story: Story, *says: str) -> list[str]:
    over = drill(state=DrillState.ENDED, ended_because=Reason.DRILL_IS_REAL)
    rows = tuple(text(f"n-{n}", mode=Mode.LIVE, text=words) for n, words in enumerate(says, start=2))
    return story.committed(pressed(), drill=over, notifications=rows).violations


@pytest.mark.parametrize("endpoint", [None, NOTICES])
def test_a_text_over_the_sender_of_presses_tells_a_phone_that_was_answered_over_that_of_notices(endpoint) -> None:
    """What is real never leaves from the sender of notices beside that of presses (req 55, 56)."""
    assert ended(answered_over(endpoint), REAL) == []


@pytest.mark.parametrize("endpoint", [None, NOTICES])
@pytest.mark.parametrize(
    ("says", "wrong"), [((), "hears nothing of what is real"), (("LOCKDOWN.",), "is not that it is real")]
)
def test_who_was_told_of_a_drill_and_does_not_hear_that_it_is_real_is_found(endpoint, says, wrong) -> None:
    assert [wrong in words for words in ended(answered_over(endpoint), *says)] == [True]


def over(story: Story, *rows: NotificationRow) -> list[str]:
    """Its minutes are over."""
    drill_over = drill(state=DrillState.ENDED, ended_because=Reason.DRILL_EXPIRED)
    return story.committed(pressed(), drill=drill_over, notifications=rows).violations


def the_end(endpoint: Endpoint | None = None, **fields: Any) -> NotificationRow:
    where: dict[str, Any] = {} if endpoint is None else {"endpoint": endpoint}
    id_ = f"over-{endpoint.channel}" if endpoint else "over"
    return text(id_, mode=Mode.DRILL, kind=Kind.DRILL_OVER, **where, **fields)


@pytest.mark.parametrize("where", [None, NOTICES])
def test_the_end_over_the_sender_of_presses_tells_a_phone_that_was_answered_over_that_of_notices(where) -> None:
    """Seed 2803: it is one phone, whichever sender texts it."""
    assert over(answered_over(where, DrillEnds), the_end()) == []


@pytest.mark.parametrize("where", [None, NOTICES])
@pytest.mark.parametrize("elsewhere", [(), (PRIVATE,), (VOICE,)])
def test_who_was_told_of_a_drill_and_not_on_that_phone_that_it_is_over_is_found(where, elsewhere) -> None:
    found = over(answered_over(where, DrillEnds), *(the_end(endpoint) for endpoint in elsewhere))
    assert ["and not that the drill is over" in words for words in found] == [True]


def test_an_end_that_is_not_sent_because_that_sender_was_told_to_stop_tells_no_phone_that_another_reaches() -> None:
    """Seed 2404."""
    stopped = replace(the_end(), state=N.SUPPRESSED, reason=Reason.OPTED_OUT)

    found = over(answered_over(NOTICES, DrillEnds), stopped)
    assert ["and not that the drill is over" in words for words in found] == [True]
    assert over(answered_over(NOTICES, DrillEnds), stopped, the_end(NOTICES)) == []
    assert over(answered_over(NOTICES, DrillEnds), stopped, the_end(PRIVATE)) == [], "as any press is told"
    assert len(over(answered_over(NOTICES, DrillEnds), stopped, the_end(VOICE))) == 1


def test_what_is_real_and_not_sent_because_that_sender_was_told_to_stop_tells_no_phone_that_another_reaches() -> None:
    story = answered_over(NOTICES)
    stopped = replace(text("n-2", mode=Mode.LIVE, text=REAL), state=N.SUPPRESSED, reason=Reason.OPTED_OUT)
    real = drill(state=DrillState.ENDED, ended_because=Reason.DRILL_IS_REAL)
    found = story.committed(pressed(), drill=real, notifications=(stopped,)).violations
    assert ["hears nothing of what is real" in words for words in found] == [True]


def ended_when_the_power_went(*, lost_bytes: int = 0) -> list[str]:
    """It was made real, and a moment later or in that very commit the power went; then its row is written once more."""
    story = answered_over(None)
    assert ended(story, REAL) == []
    story.see(Crashed, incarnation=1, where="store.commit during", power=True, lost_bytes=lost_bytes).at(65).start()
    return ended(story)


def test_an_end_that_the_disk_has_outlives_the_power() -> None:
    """Seed 842: a message said to be delivered, and the drill that ended before the power went, in one more commit."""
    assert ended_when_the_power_went() == []


def test_an_end_that_was_cut_off_the_log_has_to_be_told_when_it_comes_again() -> None:
    assert ["hears nothing of what is real" in words for words in ended_when_the_power_went(lost_bytes=4096)] == [True]


def over_after_a_call(*, durable: bool, power: bool) -> list[str]:
    """Ruiz was texted of the drill, and called in it; then alertd died, and the end is texted."""
    story = answered_over(None, DrillEnds)
    called = text("call", mode=Mode.DRILL, endpoint=VOICE)
    story.committed(pressed(), durable=durable, notifications=(called,))
    story.see(Crashed, incarnation=1, where="anywhere", power=power, lost_bytes=0).at(65).start()
    return over(story, the_end())


def test_a_call_that_only_memory_held_when_the_power_went_is_known_to_nobody() -> None:
    """Seed 771432: who was called has a text of its end, where the disk knows that they were told."""
    assert over_after_a_call(durable=False, power=True) == []


@pytest.mark.parametrize(("durable", "power"), [(True, True), (True, False), (False, False)])
def test_a_call_that_outlives_the_crash_needs_a_word_of_the_end(durable, power) -> None:
    found = over_after_a_call(durable=durable, power=power)
    assert ["and not that the drill is over" in words for words in found] == [True]


def test_a_call_that_memory_gave_back_to_the_disk_outlives_the_power() -> None:
    story = answered_over(None, DrillEnds)
    story.committed(pressed(), durable=False, notifications=(text("call", mode=Mode.DRILL, endpoint=VOICE),))
    story.committed(pressed("badge-9"))
    story.see(Crashed, incarnation=1, where="anywhere", power=True, lost_bytes=0).at(65).start()

    assert ["and not that the drill is over" in words for words in over(story, the_end())] == [True]


# --- and whoever believes in it, until then ---------------------------------------------------------------------------


def told_over(*endpoints: Endpoint) -> Story:
    """A drill of which Ruiz has heard there, and over the usual number; what they typed was answered by notices."""
    story = answered_over(NOTICES, Believing)
    heard = (text(f"d-{n}", mode=Mode.DRILL, kind=Kind.DRILL_BEGINS, endpoint=e) for n, e in enumerate(endpoints))
    return story.committed(pressed(), notifications=(text("d", mode=Mode.DRILL, kind=Kind.DRILL_BEGINS), *heard))


def typed_after_its_end(story: Story, *first: NotificationRow) -> list[str]:
    """It was ended by a real press, and these left because of that; Ruiz typed the drill's code once more."""
    over = drill(state=DrillState.ENDED, ended_because=Reason.DRILL_IS_REAL, real_incident_id="i-1")
    story.committed(pressed(), drill=over, incidents=(incident(),), notifications=first)
    for row in first:
        story.attempted(row).taken(row)
    words = f"Rm 103 STAFF ASSIST DRILL was closed. Your 513 changed nothing. {incident().headline}: reply 417."
    answer = text("n-9", kind=Kind.ANSWER, endpoint=NOTICES, reason=Reason.STALE_CODE, incident_id=None, text=words)
    return story.at(70).committed(pressed("badge-9"), notifications=(answer,)).attempted(answer).violations


def sent(story: Story, endpoint: Endpoint) -> list[str]:
    plain = text("n-8", endpoint=endpoint)
    return story.committed(pressed("badge-9"), notifications=(plain,)).attempted(plain).violations


def test_a_phone_that_was_told_over_one_sender_believes_nothing_over_another() -> None:
    """Seed 1315: it is one phone, whichever sender texts it."""
    assert typed_after_its_end(told_over(), text("n-2", text=REAL)) == []


def test_a_phone_that_was_told_over_the_sender_of_notices_believes_nothing_over_that_of_presses() -> None:
    story = told_over()

    assert typed_after_its_end(story, text("n-2", text=REAL, endpoint=NOTICES)) == []
    assert sent(story, text().notification.endpoint) == []


def test_a_phone_that_was_told_over_no_sender_believes() -> None:
    assert ["is sent answer by notices" in words for words in typed_after_its_end(told_over())] == [True]


def test_what_another_phone_of_theirs_was_told_ends_no_belief_of_this_one() -> None:
    found = typed_after_its_end(told_over(PRIVATE), text("n-2", text=REAL, endpoint=PRIVATE))
    assert ["is sent answer by notices" in words for words in found] == [True]


@pytest.mark.parametrize("elsewhere", [PRIVATE, VOICE])
def test_a_text_ends_no_belief_of_another_phone_nor_of_who_only_listens(elsewhere) -> None:
    story = told_over(elsewhere)

    assert typed_after_its_end(story, text("n-2", text=REAL)) == []
    assert [f"is sent alert by {elsewhere.channel}" in words for words in sent(story, elsewhere)] == [True]
