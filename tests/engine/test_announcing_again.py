"""One announcement after another: what belongs to which, what a drill says, what was claimed when it became graver."""

from alertd.engine.announcing import EXPIRES_S, MISSED_S
from alertd.model.mode import Mode
from alertd.model.notification import Lane, NotificationRow, NotificationState
from alertd.model.outcome import Failed, Sent, Unknown, Withdrawn
from alertd.model.page import PageAction
from alertd.model.reason import Reason
from alertd.model.site import StateRules
from tests.engine.play import Play
from tests.engine.test_announcing import QUIET, WORDS, page_of, pages, said, school, spoken, take_all

LOUD = StateRules(announce=("lockdown", "staff_assist"))


def an_assist_that_became_a_lockdown() -> tuple[Play, NotificationRow]:
    """Both are announced. What was said of the first was on its way when the second began."""
    play = Play(school(LOUD, assist=True))
    play.press("badge-204", 3)
    claimed = play.claim(pages(play)[0])
    play.press("badge-204", 8)
    return play, claimed


def test_what_was_not_said_of_the_lesser_is_taken_back_when_it_becomes_graver() -> None:
    play = Play(school(LOUD, assist=True))
    play.press("badge-204", 3)
    assert said(play) == [WORDS["hold"]]
    play.press("badge-204", 8)

    assert said(play) == [WORDS["lockdown"]]
    (taken_back,) = [row for row in pages(play) if row.state is NotificationState.WITHDRAWN]
    assert (taken_back.notification.text, taken_back.reason) == (WORDS["hold"], Reason.SUPERSEDED)


def test_words_of_the_lesser_that_left_do_not_count_as_words_of_the_graver() -> None:
    """R47: the loudspeakers said "Hold", and never "Lockdown"."""
    play, claimed = an_assist_that_became_a_lockdown()
    play.outcome(claimed, Sent(ref="pa"))
    play.wait(MISSED_S + 1)

    (trouble,) = play.state.troubles.values()
    assert "did not speak in time" in trouble.summary


def test_words_of_the_lesser_that_fail_are_not_tried_again() -> None:
    play, claimed = an_assist_that_became_a_lockdown()

    assert play.outcome(claimed, Failed(permanent=False, code="network_down")).state is NotificationState.WITHDRAWN


def test_repeats_of_an_announcement_that_is_over_say_nothing_of_the_next() -> None:
    """Repeats are 20 and 60 s after their own beginning."""
    play = Play(school())
    play.press()
    take_all(play)
    play.wait(5)
    play.correct()
    play.wait(5)
    play.press("badge-118")
    begun = len(said(play))
    play.wait(15)
    assert len(said(play)) == begun, "the first announcement's repeat was due: 20 s after it"
    play.wait(6)

    assert len(said(play)) == begun + 1


def test_loudspeakers_that_are_still_tried_are_no_trouble() -> None:
    """An attempt may begin within half a minute, and takes its time."""
    play = Play(school())
    play.press()
    play.wait(EXPIRES_S - 1)
    claimed = play.claim(pages(play)[0])
    play.wait(5)
    assert not play.state.troubles
    play.outcome(claimed, Sent(ref="pa"))
    play.wait(MISSED_S)

    assert not play.state.troubles


def test_an_announcement_whose_fate_nobody_knows_is_said_again() -> None:
    """Twice "Lockdown" is heard; none is a school in its halls."""
    play = Play(school())
    play.press()

    row = play.outcome(play.claim(pages(play)[0]), Unknown(detail="the pacer did not answer"), looked_up=True)

    assert (row.state, row.reason) == (NotificationState.QUEUED, Reason.RESENT_UNKNOWN)


def test_an_announcement_that_quiet_overtook_is_taken_back_and_no_trouble() -> None:
    """It was on its way when quiet was ordered: a human wanted it unsaid."""
    play = Play(school())
    play.press()
    claimed = play.claim(pages(play)[0])
    play.do(QUIET)
    row = play.outcome(claimed, Withdrawn(ref="n/1", detail="quiet was ordered before it was said"))
    play.wait(120)

    assert (row.state, row.reason) == (NotificationState.WITHDRAWN, Reason.SILENCED)
    assert not play.state.troubles


def test_a_trouble_says_which_of_the_two_failed_also_of_a_recording_whose_words_nobody_wrote_down() -> None:
    gone = Failed(permanent=True, code="no_pacer")
    mute = Play(school(None, spoken("recorded")))
    mute.press()
    mute.outcome(mute.claim(pages(mute)[0]), gone)
    loud = Play(school())
    loud.do(QUIET)
    loud.outcome(loud.claim(pages(loud)[0]), gone)

    assert [t.summary for t in mute.state.troubles.values()] == [
        "The loudspeakers of OAK ELEM did not speak (no_pacer)."
    ]
    assert [t.summary for t in loud.state.troubles.values()] == [
        "The loudspeakers of OAK ELEM did not fall silent (no_pacer)."
    ]


# --- drills ---------------------------------------------------------------------------------------------------------


def drilled() -> Play:
    play = Play(school())
    play.drill("badge-204")
    play.press("badge-204", 8)
    return play


def test_a_drill_is_no_emergency_and_waits_for_whatever_is_real() -> None:
    """Promise 3: it cuts nobody, and goes to no emergency group."""
    play = drilled()
    (row,) = pages(play)
    page = page_of(row.notification)

    assert (page.mode, page.emergency, row.notification.lane) == (Mode.DRILL, False, Lane.DRILL)
    assert not page.real_after_drill


def test_the_first_words_after_a_drill_say_that_it_is_over() -> None:
    """Promise 3: whoever has just heard "This is a drill" must not take the next announcement for one."""
    play = drilled()
    play.press("badge-118", 8)
    real = [page_of(row.notification) for row in pages(play) if row.notification.mode is Mode.LIVE]
    (page,) = [page for page in real if page.action is PageAction.SAY]

    assert (page.announcement, page.emergency, page.real_after_drill) == ("lockdown", True, True)


def test_what_is_real_without_a_drill_speaks_of_none() -> None:
    play = Play(school())
    play.press()

    assert not page_of(pages(play)[0].notification).real_after_drill
