"""Promise 3: whoever was told of a drill hears, before anything else, that it has become real."""

from typing import Any

import pytest
from msgspec.structs import replace

from alertd.model.drill import Drill, DrillState
from alertd.model.events import DrillOrdered
from alertd.model.ids import CauseId, DrillId, PersonId
from alertd.model.incident import IncidentClass
from alertd.model.mode import Mode
from alertd.model.notification import Kind
from alertd.model.people import Endpoint
from alertd.model.reason import Reason
from alertd.model.registry import ChannelRules, Registry
from alertd_simulator.checkers.drills import RealAfterDrill
from tests.engine.school import OAK, registry
from tests.simulator.checkers.story import RUIZ, Story, pressed, text

NOTICES = Endpoint(channel="notices", address=RUIZ, person_id=PersonId("ruiz"))
REAL = "DRILL STOPPED, THIS IS REAL. OAK ELEM Rm 204: LOCKDOWN."


def with_notices() -> Registry:
    """Ruiz hears of vapes over a number of its own."""
    school = registry()
    ruiz = school.people[PersonId("ruiz")]
    notices = ChannelRules(name="notices", kind="sms", notices=True)
    return replace(
        school,
        people=school.people | {ruiz.id: replace(ruiz, endpoints=(*ruiz.endpoints, NOTICES))},
        channels=school.channels | {notices.name: notices},
    )


def drill(**fields: object) -> Drill:
    begun = Drill(
        id=DrillId("d"), site_id=OAK, incident_class=IncidentClass.LOCKDOWN, device_ids=(), told_before="J. Doe",
        by="J. Ruiz", started_us=0, ends_us=0,
    )  # fmt: skip
    return replace(begun, **fields)


def answered_over(endpoint: Endpoint | None) -> Story:
    """A drill in which Ruiz typed that they go, and was answered; where they typed it, or over the usual number."""
    story = Story(RealAfterDrill).start()
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
