"""A trouble's text is cut at one segment: what it means comes first, details may go."""

import pytest

from alertd.engine.troubles import FAMILY_MAX
from alertd.engine.wording import SEGMENT
from alertd.model.events import Malformed, Unregistered
from alertd.model.ids import CauseId, DeviceId
from tests.engine.play import Play
from tests.engine.school import OAK

LONGEST_TOPIC = "alertd/press/" + "z" * 65_000
LONGEST_WHY = "the decoder press_json failed with " + "E" * 265


@pytest.mark.parametrize("already", [0, FAMILY_MAX], ids=["told by itself", "one of too many"])
def test_a_message_nobody_understands_is_first_of_all_perhaps_a_press(already: int) -> None:
    play = Play()
    for number in range(already + 1):
        topic = LONGEST_TOPIC if number == already else f"alertd/press/{number}"
        _malformed(play, topic)

    texts = play.texts_to("Ruiz")
    assert "May have been a press: a message on alertd/press/" in texts[-1], texts[-1]
    assert all(len(text) <= SEGMENT for text in texts)


def _malformed(play: Play, topic: str) -> None:
    play.do(
        Malformed(
            site_id=OAK, cause=CauseId(topic), source="mqtt", topic=topic, why=LONGEST_WHY, size=1 << 20, received_us=0
        )
    )


def test_a_button_that_pages_nobody_sends_somebody_to_look() -> None:
    play = Play()
    play.do(
        Unregistered(
            site_id=OAK,
            cause=CauseId("c"),
            source="mqtt",
            device_id=DeviceId("z" * 65_000),
            why="a roaming device was heard outside the sites it may press for",
            received_us=0,
        )
    )

    (text,) = play.texts_to("Ruiz")
    assert "A press that paged NOBODY, go and look: zzz" in text
    assert len(text) <= SEGMENT
