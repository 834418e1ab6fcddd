"""What the core makes of supervision: classes told apart, latched until a human acknowledges, repeated (req 29, 30)."""

import pytest

from alertd.model.events import TroubleAcknowledged, TroubleCleared, TroubleRaised
from alertd.model.ids import CauseId
from alertd.model.notification import Kind, Lane
from alertd.model.policy import Step
from alertd.model.trouble import TroubleClass
from tests.engine.play import Play
from tests.engine.school import OAK, group, policy, registry

FOUR_HOURS_S = 4 * 3600


def raised(play: Play, key: str = "silent:oak", members: tuple[str, ...] = ("badge-204",), words: str = "gone") -> None:
    play.do(TroubleRaised(site_id=OAK, key=key, summary=words, members=members))


def acknowledged(play: Play, key: str = "silent:oak") -> None:
    play.do(TroubleAcknowledged(site_id=OAK, cause=CauseId("c"), key=key, by="Ruiz"))


def cleared(play: Play, key: str = "silent:oak") -> None:
    play.do(TroubleCleared(site_id=OAK, key=key))


def test_a_supervisory_signal_differs_from_a_trouble_in_words_lane_and_class() -> None:
    play = Play()
    raised(play)
    raised(play, "battery:oak", words="low")
    silent, battery = play.texts_to("Ruiz")
    assert silent.startswith("alertd SUPERVISORY at OAK ELEM since ")
    assert battery.startswith("alertd trouble at OAK ELEM: low")
    lanes = [row.notification.lane for row in play.rows.values() if row.notification.kind is Kind.TROUBLE]
    assert lanes == [Lane.SUPERVISORY, Lane.TROUBLE]
    assert Lane.NEXT < Lane.SUPERVISORY < Lane.TROUBLE
    classes = {key: trouble.trouble_class for key, trouble in play.state.troubles.items()}
    assert classes == {"silent:oak": TroubleClass.SUPERVISORY, "battery:oak": TroubleClass.TROUBLE}


def test_one_device_more_is_news_and_one_less_is_not() -> None:
    play = Play()
    raised(play)
    acknowledged(play)
    raised(play, members=("badge-204", "badge-118"), words="two gone")
    assert len(play.texts_to("Ruiz")) == 2
    assert not play.state.troubles["silent:oak"].acknowledged_by, "an acknowledgement covers what was known"
    raised(play, members=("badge-118",), words="one gone")
    assert len(play.texts_to("Ruiz")) == 2
    assert play.state.troubles["silent:oak"].members == ("badge-118",)
    raised(play, members=("badge-118", "badge-204"), words="two gone")
    assert len(play.texts_to("Ruiz")) == 3, "it is gone again"


def test_what_is_over_is_latched_until_a_human_acknowledges() -> None:
    play = Play()
    raised(play)
    cleared(play)
    assert "is over" in play.texts_to("Ruiz")[-1]
    assert "silent:oak" not in play.state.troubles
    assert "silent:oak" in play.state.latched, "it is latched until a human acknowledges it"
    play.wait(5 * 3600)
    assert len(play.texts_to("Ruiz")) == 2, "what is over is not repeated"
    acknowledged(play)
    assert not play.state.latched
    assert len(play.texts_to("Ruiz")) == 2


def test_what_was_acknowledged_before_it_was_over_is_forgotten() -> None:
    play = Play()
    raised(play)
    acknowledged(play)
    cleared(play)
    assert not play.state.troubles
    assert not play.state.latched


def test_what_comes_back_while_it_is_latched_is_told_again() -> None:
    play = Play()
    raised(play)
    cleared(play)
    raised(play)
    assert len(play.texts_to("Ruiz")) == 3
    assert not play.state.latched
    assert play.state.troubles["silent:oak"].count == 2


@pytest.mark.parametrize(("key", "texts"), [("silent:oak", 1), ("battery:oak", 3)])
def test_a_low_battery_resounds_every_four_hours_although_somebody_acknowledged(key: str, texts: int) -> None:
    play = Play()
    raised(play, key)
    acknowledged(play, key)
    play.wait(2 * FOUR_HOURS_S + 60)
    assert len(play.texts_to("Ruiz")) == texts
    cleared(play, key)
    play.wait(2 * FOUR_HOURS_S)
    assert len(play.texts_to("Ruiz")) == texts + 1


def test_an_acknowledged_battery_resounds_every_four_hours_however_often_others_are_repeated() -> None:
    """And from when it was told last, not from when somebody acknowledged it."""
    play = Play(registry(policy("trouble", Step(targets=(group("admins"),)), renotify_s=300)))
    raised(play, "battery:oak")
    play.wait(320)
    assert len(play.texts_to("Ruiz")) == 2, "nobody looks after it"
    acknowledged(play, "battery:oak")
    play.wait(FOUR_HOURS_S - 60)
    assert len(play.texts_to("Ruiz")) == 2, "technicians are texted every five minutes of what they look after"
    play.wait(60)
    assert len(play.texts_to("Ruiz")) == 3, "four hours after it was told last"
    play.wait(FOUR_HOURS_S - 40)
    assert len(play.texts_to("Ruiz")) == 3
    play.wait(40)
    assert len(play.texts_to("Ruiz")) == 4
    raised(play, "battery:oak", members=("badge-204", "badge-118"))
    play.wait(310)
    assert len(play.texts_to("Ruiz")) == 6, "another battery is low, and nobody looks after that"


@pytest.mark.parametrize("step_s", [-30 * 3600, 30 * 3600])
def test_a_clock_that_is_set_keeps_no_battery_quiet_for_longer_than_four_hours(step_s: int) -> None:
    play = Play(registry(policy("trouble", Step(targets=(group("admins"),)), renotify_s=300)))
    raised(play, "battery:oak")
    acknowledged(play, "battery:oak")
    play.stepped_us = step_s * 1_000_000
    play.wait(FOUR_HOURS_S + 400)
    assert 2 <= len(play.texts_to("Ruiz")) <= 3


def test_what_came_and_went_and_is_gone_for_good_is_told_though_somebody_acknowledged() -> None:
    play = Play()
    raised(play)
    play.wait(3600)
    acknowledged(play)
    raised(play, words="comes and goes")
    assert len(play.texts_to("Ruiz")) == 1
    play.do(TroubleRaised(site_id=OAK, key="silent:oak", summary="gone", members=("badge-204",), anew=True))
    assert len(play.texts_to("Ruiz")) == 2
    trouble = play.state.troubles["silent:oak"]
    assert not trouble.acknowledged_by, "an acknowledgement covers what was known"
    assert (trouble.summary, trouble.count) == ("gone", 3)


@pytest.mark.parametrize(("members", "anew"), [(("badge-204", "badge-118"), False), (("badge-204",), True)])
def test_a_trouble_that_is_told_again_says_since_when_it_stands(members: tuple[str, ...], anew: bool) -> None:
    play = Play()
    raised(play)
    begun_us = play.state.troubles["silent:oak"].raised_us
    play.wait(3600)
    play.do(TroubleRaised(site_id=OAK, key="silent:oak", summary="gone", members=members, anew=anew))
    first, second = play.texts_to("Ruiz")
    since = first.split(":")[0] + ":" + first.split(":")[1]
    assert second.startswith(since), "it stands since an hour, and is said to be new"
    assert play.state.troubles["silent:oak"].raised_us == begun_us


def test_a_trouble_that_nobody_acknowledges_is_repeated() -> None:
    play = Play()
    raised(play)
    play.wait(2 * FOUR_HOURS_S + 60)
    assert len(play.texts_to("Ruiz")) == 3


def test_a_device_that_is_opened_is_a_supervisory_trouble_where_its_gestures_do_not_know_tamper() -> None:
    play = Play()
    play.arrive("badge-204", "tamper")
    (trouble,) = play.state.troubles.values()
    assert trouble.key == "tamper:badge-204"
    assert trouble.trouble_class is TroubleClass.SUPERVISORY
    assert "Rm 204 Okafor badge (badge-204) is opened, moved or taken down" in play.texts_to("Ruiz")[-1]
