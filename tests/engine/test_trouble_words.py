"""A trouble's text is cut at one segment: what it means comes first, details may go."""

import pytest

from alertd.engine.troubles import FAMILY_MAX
from alertd.engine.wording import SEGMENT
from alertd.model.events import Malformed, TroubleAcknowledged, TroubleCleared, TroubleRaised, Unregistered
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


def test_a_long_topic_is_cut_in_its_middle_and_still_says_who_spoke() -> None:
    play = Play()
    _malformed(play, "application/7f3c6f0e-0000-4000-8000-5c0b1d2e3f40/device/24e124535b316056/event/up")

    (text,) = play.texts_to("Ruiz")
    assert "a message on application/7.../24e124535b316056/event/up is" in text, "nobody knows which device to look at"


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
            why="heard outside its sites",
            received_us=0,
        )
    )

    (text,) = play.texts_to("Ruiz")
    assert "A press that paged NOBODY, go and look: zzz" in text
    assert len(text) <= SEGMENT


def _night(play: Play, summary: str) -> list[str]:
    """Of a job that tells all that is wrong under one key; the texts that this night brought."""
    before = len(play.texts_to("Ruiz"))
    play.do(TroubleRaised(site_id=OAK, key="nightly:self-test", summary=summary, tells_change=True))
    return play.texts_to("Ruiz")[before:]


def test_when_another_thing_fails_under_the_same_key_it_is_told_and_it_is_what_stands() -> None:
    play = Play()
    assert len(_night(play, "the broker is away")) == 1
    acknowledged = TroubleAcknowledged(site_id=OAK, cause=CauseId("a"), key="nightly:self-test", by="J. Ruiz")
    play.do(acknowledged)

    (text,) = _night(play, "the provider is away")
    assert "the provider is away" in text
    standing = play.state.troubles["nightly:self-test"]
    assert (standing.summary, standing.count, standing.acknowledged_by) == ("the provider is away", 2, "")
    play.do(TroubleCleared(site_id=OAK, key="nightly:self-test"))
    assert "is over" in play.texts_to("Ruiz")[-1]
    assert "the provider is away" in play.texts_to("Ruiz")[-1]


def test_a_figure_that_moved_is_nothing_new_but_is_what_the_reminder_says() -> None:
    play = Play()
    _night(play, "a sync takes 401.2 ms, 3,100 MiB are free")

    assert _night(play, "a sync takes 97.0 ms, 900 MiB are free") == []
    assert "97.0 ms" in play.state.troubles["nightly:self-test"].summary


def test_any_trouble_that_stands_says_what_is_wrong_now_without_telling_it_again() -> None:
    """What alertd itself watches may change its words many times a minute."""
    play = Play()
    for words in ("refuses us", "is away"):
        play.do(TroubleRaised(site_id=OAK, key="carrier:sms", summary=words))

    assert len(play.texts_to("Ruiz")) == 1
    assert play.state.troubles["carrier:sms"].summary == "is away"
