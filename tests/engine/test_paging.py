"""What humans want of the loudspeakers: words are tried once, quiet waits for nothing and always comes."""

import pytest

from alertd.model.notification import Lane, NotificationState
from alertd.model.outcome import Unknown, Withdrawn
from alertd.model.page import PageAction
from alertd.model.reason import Reason
from tests.engine.play import Play
from tests.engine.test_announcing import QUIET, WORDS, page_of, pages, said, say, school


def test_the_same_order_is_one_announcement_whatever_began_between() -> None:
    """A console that lost the answer asks again, with the same key."""
    play = Play(school())
    play.do(say())
    play.press()
    play.do(say())

    assert said(play).count("The bus is late.") == 1
    reasons = play.reasons()
    assert reasons.count(Reason.DUPLICATE) == 1
    assert Reason.OUTRANKED not in reasons, "it was said: nothing was in its way"


def test_words_whose_fate_nobody_knows_are_not_said_twice() -> None:
    play = Play(school())
    play.do(say())

    row = play.outcome(play.claim(pages(play)[0]), Unknown(detail="the daemon was killed"), looked_up=True)

    assert (row.state, row.reason) == (NotificationState.FAILED, Reason.UNKNOWN_NOT_RESENT)


def test_words_that_quiet_overtook_are_taken_back_and_nobody_is_rung() -> None:
    """`alertd say`, then `alertd pa stop`, before the words were spoken: that is what was wanted."""
    play = Play(school())
    play.do(say(emergency=True))
    claimed = play.claim(pages(play)[0])
    play.do(QUIET)
    row = play.outcome(claimed, Withdrawn(ref="n/1", detail="quiet was ordered before it was said"))

    assert (row.state, row.reason) == (NotificationState.WITHDRAWN, Reason.SILENCED)
    assert not play.state.troubles


@pytest.mark.parametrize("after_s", [1, 25])
def test_nobody_chats_into_an_announcement_while_it_lasts(after_s: int) -> None:
    """With its tone, and said twice, one takes half a minute."""
    play = Play(school())
    play.press("wall-gym", 1)
    play.reply("Nurse", "817")
    play.wait(after_s)
    play.do(say())

    assert said(play) == [WORDS["hold"]]


def test_quiet_waits_behind_nothing_and_is_ordered_again_if_nobody_knows_whether_it_came() -> None:
    play = Play(school())
    play.do(QUIET)
    stops = pages(play)

    assert {(row.notification.lane, page_of(row.notification).action) for row in stops} == {
        (Lane.PANIC, PageAction.STOP)
    }
    assert all(page_of(row.notification).emergency for row in stops)
    row = play.outcome(play.claim(stops[0]), Unknown(detail="the pacer did not answer"), looked_up=True)
    assert row.state is NotificationState.QUEUED
