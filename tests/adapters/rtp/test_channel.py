"""What a page becomes: the clip, the groups, the rank; and what the pacer's answers mean."""

import asyncio
import errno

import msgspec
import pytest

from alertd.model.mode import Mode
from alertd.model.notification import NotificationRow, NotificationState
from alertd.model.outcome import Failed, Sent, Unknown
from alertd.model.page import Page, PageAction
from alertd.model.reason import Reason
from alertd_adapters.rtp.pacer_process import PacerGoneError, Report
from alertd_adapters.rtp.speech import SpeechError
from tests.adapters.rtp.world import SECTION, STOP, Air, Voice, build, claim, page, say

HALL, GYM, EMERGENCY = ("239.192.4.2", 5004), ("239.192.4.3", 5004), ("239.192.4.10", 5010)


@pytest.fixture
def air() -> Air:
    return Air()


async def test_a_page_is_sent_when_its_first_packet_has_left(air):
    outcome = await say(build(air=air), page(emergency=True))

    assert isinstance(outcome, Sent)
    assert outcome.ref == "n-1/1"
    assert "239.192.4.10:5010, 239.192.4.2:5004" in outcome.detail


async def test_an_emergency_goes_to_both_kinds_of_groups_and_a_routine_page_to_the_ordinary(air):
    channel = build(air=air)
    await say(channel, page("lockdown", emergency=True))
    await say(channel, page("hold"), number=2)

    assert [order.groups for order in air.orders] == [(EMERGENCY, HALL, GYM), (HALL, GYM)]
    assert [order.cuts for order in air.orders] == [True, False]


async def test_what_is_real_outranks_what_is_rehearsed_and_urgent_outranks_plain(air):
    channel = build(air=air)
    for number, (mode, emergency) in enumerate(
        [(Mode.DRILL, False), (Mode.DRILL, True), (Mode.LIVE, False), (Mode.LIVE, True)]
    ):
        await say(channel, page(mode=mode, emergency=emergency), number=number)

    ranks = [order.rank for order in air.orders]
    assert ranks == sorted(set(ranks))


async def test_each_form_of_an_announcement_has_a_sound_of_its_own(air):
    channel = build(air=air)
    for of in (page(), page(mode=Mode.DRILL), page(mode=Mode.TEST), page(real_after_drill=True), page("hold")):
        assert isinstance(await say(channel, of), Sent)

    assert len({order.clip.payload for order in air.orders}) == 5
    longest = max(air.orders, key=lambda order: order.clip.seconds)
    assert longest.clip == air.orders[1].clip, "three marks"


async def test_words_that_nobody_knew_before_are_spoken_now_and_once(air):
    voice = Voice()
    channel = build(air=air, voice=voice)
    voice.said.clear()
    await say(channel, page("", words="Bus 7 leaves now."))
    await say(channel, page("", words="Bus 7 leaves now."), number=2)

    assert voice.said == ["Bus 7 leaves now."]
    assert air.orders[0].clip == air.orders[1].clip


async def test_live_words_are_said_twice_after_a_chime_or_of_an_emergency_after_the_alarm(air):
    channel = build(air=air)
    await say(channel, page("", words="Bus 7 leaves now."))
    await say(channel, page("", words="Bus 7 leaves now.", emergency=True), number=2)

    humming_s, lead_s, between_s, out_s, chime_s, hi_lo_s, after_s = 0.1, 0.3, 0.7, 0.2, 1.4, 2.0, 0.3
    around_s = lead_s + after_s + 2 * humming_s + between_s + out_s
    assert [order.clip.seconds for order in air.orders] == [
        pytest.approx(chime_s + around_s, abs=0.02),
        pytest.approx(hi_lo_s + around_s, abs=0.02),
    ]


async def test_live_words_are_kept_for_a_while_and_not_for_ever(air, monkeypatch):
    monkeypatch.setattr("alertd_adapters.rtp.announcements.LIVE_KEPT", 2)
    voice = Voice()
    channel = build(air=air, voice=voice)
    voice.said.clear()
    for number, words in enumerate(("One.", "Two.", "Three.", "Three.", "One.")):
        await say(channel, page("", words=words), number=number)

    assert voice.said == ["One.", "Two.", "Three.", "One."]


@pytest.mark.parametrize(
    ("settings", "given_s"),
    [({}, 3.0), ({"live_words_deadline_s": 1.5}, 1.5), ({"deadline_s": 2.0}, 1.8)],
    ids=["default", "live words", "page"],
)
async def test_live_words_have_their_own_time_and_never_more_than_the_page(air, settings, given_s):
    class Punctual(Voice):
        given: float | None = None

        def speak(self, words, deadline_s):
            self.given = deadline_s
            return super().speak(words, deadline_s)

    voice = Punctual()
    channel = build(SECTION | settings, air=air, voice=voice)
    await say(channel, page("", words="Bus 7 leaves now."))

    assert voice.given == pytest.approx(given_s, abs=0.1)


async def test_live_words_of_a_drill_are_marked(air):
    voice = Voice()
    channel = build(air=air, voice=voice)
    voice.said.clear()
    await say(channel, page("", words="Go.", mode=Mode.DRILL))

    assert voice.said == ["Go.", "This is a drill."]


async def test_an_announcement_that_a_reload_removed_is_said_by_its_words(air):
    """The policy is frozen into the incident; the sound is not."""
    voice = Voice()
    outcome = await say(build(air=air, voice=voice), page("gone", words="Lockdown!", emergency=True))

    assert isinstance(outcome, Sent)
    assert voice.said[-1] == "Lockdown!"


async def test_speech_that_fails_is_tried_again(air):
    class Hoarse(Voice):
        is_hoarse = False

        def speak(self, words, deadline_s):
            if self.is_hoarse:
                raise SpeechError("espeak-ng failed: exit code 1")
            return super().speak(words, deadline_s)

    voice = Hoarse()
    channel = build(air=air, voice=voice)
    voice.is_hoarse = True
    outcome = await say(channel, page("", words="Bus 7."))

    assert outcome == Failed(permanent=False, code="not_spoken", detail="espeak-ng failed: exit code 1")
    assert air.orders == []


async def test_stop_silences_all_groups_of_the_zone_and_nothing_else(air):
    outcome = await build(air=air).send(claim(STOP))

    assert outcome == Sent(ref="n-1/1", detail="the zone is silent")
    assert [set(groups) for groups in air.silenced] == [{HALL, GYM, EMERGENCY}]
    assert air.silenced_up_to == [3], "also an emergency"
    assert air.orders == []


async def test_stop_of_a_drill_silences_drills_and_tests_only(air):
    await build(air=air).send(claim(Page(action=PageAction.STOP, mode=Mode.DRILL), mode=Mode.LIVE))

    assert air.silenced_up_to == [1]


async def test_silence_is_never_refused_for_a_mode(air):
    outcome = await build(air=air).send(claim(STOP, mode=Mode.DRILL))

    assert isinstance(outcome, Sent)
    assert len(air.silenced) == 1


async def test_a_busy_zone_is_tried_again_when_it_is_free(air):
    air.answer = Report(order="", state="refused", by="n-0/1", left_s=4.2)
    outcome = await say(build(air=air), page("hold"))

    assert isinstance(outcome, Failed)
    assert (outcome.permanent, outcome.code, outcome.retry_after_s) == (False, "zone_busy", pytest.approx(4.7))
    assert "as urgent, or more," in outcome.detail, "it may be an equal"


@pytest.mark.parametrize(
    ("number", "says", "permanent"),
    [
        (errno.EADDRNOTAVAIL, "192.0.2.10 is no address of this machine", False),
        (errno.ENETUNREACH, "network card", False),
        (errno.EPERM, "firewall", False),
        (errno.EINVAL, "no such group", True),
        (None, "the pacer was not given", False),
    ],
)
async def test_a_failure_says_what_to_look_at(air, number, says, permanent):
    air.answer = Report(
        order="", state="failed", code="not_sent", why="the pacer was not given the sound", errno=number
    )
    outcome = await say(build(air=air), page())

    assert isinstance(outcome, Failed)
    assert says in outcome.detail
    assert outcome.permanent is permanent


async def test_a_group_that_missed_the_first_packet_is_named(air):
    air.answer = Report(order="", state="started", silent=("239.192.4.3:5004",))
    outcome = await say(build(air=air), page())

    assert isinstance(outcome, Sent)
    assert "NOT to 239.192.4.3:5004" in outcome.detail


async def test_a_pacer_that_died_before_the_first_packet_is_tried_again_at_once(air):
    air.answer = PacerGoneError("the pacer died (code -9) before the first packet left")
    outcome = await say(build(air=air), page())

    assert isinstance(outcome, Failed)
    assert not outcome.permanent
    assert outcome.retry_after_s is not None
    assert outcome.retry_after_s < 1


async def test_an_order_for_quiet_is_not_given_twice_it_would_cut_what_is_said_since(air):
    """A pacer that hangs is ended, and that is quiet."""
    air.answer = None
    channel = build(SECTION | {"deadline_s": 0.05}, air=air)
    outcome = await channel.send(claim(STOP))

    assert isinstance(outcome, Sent), "it would be tried again, some seconds into the next announcement"
    assert air.given_up == ["n-1/1"]


async def test_a_pacer_that_hangs_is_given_up_and_asked_no_more(air):
    air.answer = None
    channel = build(SECTION | {"deadline_s": 0.05}, air=air)
    outcome = await say(channel, page())

    assert isinstance(outcome, Unknown)
    assert air.given_up == ["n-1/1"]


@pytest.mark.parametrize(
    ("of", "zone", "code"),
    [
        (page(), "elm-all", "unknown_zone"),
        (page("nowhere"), "oak-all", "unknown_announcement"),
        (page("", words="  "), "oak-all", "unknown_announcement"),
        ("", "oak-all", "no_page"),
        ('{"type":"new","mode":"live"}', "oak-all", "no_page"),
        (page(), "911", "emergency_number"),
    ],
    ids=["zone", "announcement", "no words", "no body", "another body", "911"],
)
async def test_what_nobody_could_say_is_refused_for_good_and_nothing_leaves(air, of, zone, code):
    outcome = await build(air=air).send(claim(of, zone))

    assert isinstance(outcome, Failed)
    assert (outcome.permanent, outcome.code) == (True, code)
    assert air.orders == []


async def test_a_drill_can_never_be_said_as_live(air):
    """Promise 3, once more: notification and page must agree."""
    for of, mode in ((page(mode=Mode.LIVE), Mode.DRILL), (page(mode=Mode.DRILL), Mode.LIVE)):
        outcome = await build(air=air).send(claim(of, mode=mode))
        assert isinstance(outcome, Failed)
        assert (outcome.permanent, outcome.code) == (True, "mode_mismatch")
    assert air.orders == []


async def test_looking_up_is_the_pacers_memory(air):
    channel = build(air=air)
    of = claim(page())
    row = NotificationRow(
        notification=of.notification, state=NotificationState.UNKNOWN, reason=Reason.FIRST_WAVE, attempt=1, epoch=1
    )
    assert await channel.look_up(row) is None, "a daemon that was started again cannot tell"

    await channel.send(of)
    for state in ("started", "ended", "cut"):
        air.memory["n-1/1"] = Report(order="n-1/1", state=state)
        assert isinstance(await channel.look_up(row), Sent)
    for state in ("asked", "failed", "refused"):
        air.memory["n-1/1"] = Report(order="n-1/1", state=state)
        outcome = await channel.look_up(row)
        assert isinstance(outcome, Failed)
        assert (outcome.permanent, outcome.code) == (False, "not_found")


async def test_a_page_survives_the_journey_as_json(air):
    of = page("lockdown", mode=Mode.DRILL, words="Lockdown drill.", emergency=True)

    assert msgspec.json.decode(msgspec.json.encode(of), type=type(of)) == of
    assert of.action is PageAction.SAY


async def test_a_cancelled_page_does_not_hold_its_line(air):
    air.answer = None
    sending = asyncio.ensure_future(say(build(air=air), page()))
    while not air.orders:  # noqa: ASYNC110 - the fake has no event
        await asyncio.sleep(0)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
