"""What ffmpeg and GStreamer received on the other side of the cable: the very samples, the tone, the words.

All announcements are said at once, in groups of their own, by one pacer; each is received by both programs.
"""

import asyncio
import contextlib
from array import array
from pathlib import Path

import msgspec
import pytest

from alertd.model.mode import Mode
from alertd.model.outcome import Sent
from alertd.model.page import Page
from alertd_adapters.rtp import g711, wav
from alertd_adapters.rtp.assembly import Variant, variant_of
from alertd_adapters.rtp.pacer_process import COMMAND, PacerProcess
from alertd_adapters.rtp.resampling import resample
from alertd_adapters.rtp.speech import Voice
from tests.adapters.rtp.listener import understood
from tests.adapters.rtp.receivers import RATES, RECEIVERS
from tests.adapters.rtp.test_codecs import power, wav_file
from tests.adapters.rtp.test_tones import pitch
from tests.adapters.rtp.two_networks import OURS, cable, needed
from tests.adapters.rtp.world import build, hum, page, say

pytestmark = pytest.mark.slow

LOCKDOWN = "Lockdown! Locks, lights, out of sight."
LOCKDOWN_DRILL = "Lockdown drill. Locks, lights, out of sight."
HOLD = "Hold in your room or area. Clear the halls."
DRILL, OVER = "This is a drill.", "This is not a drill. The drill is over."
STRANGE = "Please move the blue car from the parking lot."
SENTENCES = [LOCKDOWN, LOCKDOWN_DRILL, HOLD, OVER]


class Case(msgspec.Struct, frozen=True, kw_only=True):
    page: Page
    group: str
    codec: str = "g711u"


CASES = {
    "lockdown": Case(page=page("lockdown", emergency=True), group="239.192.4.2:5004"),
    "drill": Case(page=page("plain-lockdown", mode=Mode.DRILL), group="239.192.4.4:5004"),
    "after-drill": Case(page=page("plain-lockdown", real_after_drill=True), group="239.192.4.6:5004"),
    "strange": Case(page=page("strange"), group="239.192.4.8:5004"),
    "hold-g722": Case(page=page("hold"), group="239.192.4.10:5004", codec="g722"),
    "whistle-g722": Case(page=page("whistle"), group="239.192.4.12:5004", codec="g722"),
}


def section(folder: Path) -> dict[str, object]:
    whistle = hum(5_500, 1.0, 16_000).samples.tobytes()
    (folder / "whistle.wav").write_bytes(wav_file(1, 1, 16_000, 16, whistle))
    plain = {"tone": "none", "times": 1}
    return {
        "interface": OURS,
        "zones": {name: {"groups": [case.group], "codec": case.codec} for name, case in CASES.items()},
        "announcements": {
            "lockdown": {"tone": "hi_lo", "words": LOCKDOWN, "times": 1},
            "plain-lockdown": {"words": LOCKDOWN, "drill_words": LOCKDOWN_DRILL, **plain},
            "strange": {"words": STRANGE, **plain},
            "hold": {"words": HOLD, **plain},
            "whistle": {"recording": "whistle.wav", **plain},
        },
    }


class Evening:
    """What was said, and the files of who heard it."""

    def __init__(self, channel, files: dict[tuple[str, str], Path]) -> None:
        self.channel = channel
        self.files = files

    def heard(self, receiver: str, case: str) -> wav.Recording:
        return wav.read(self.files[receiver, case].read_bytes())

    def said(self, case: str) -> bytes:
        of = CASES[case]
        variant: Variant = variant_of(of.page.mode, real_after_drill=of.page.real_after_drill)
        return self.channel._announcements.get(of.page.announcement, variant, of.codec).payload


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Evening:
    needed("ffmpeg", "gst-launch-1.0", "espeak-ng", "sox")
    folder = tmp_path_factory.mktemp("evening")
    files: dict[tuple[str, str], Path] = {}
    with contextlib.ExitStack() as stack:
        try:
            wire = stack.enter_context(cable())
        except OSError as error:
            pytest.skip(f"no private networks: {error}")
        for case, of in CASES.items():
            for receiver, listening in RECEIVERS.items():
                own = folder / f"{receiver}-{case}"
                own.mkdir()
                files[receiver, case] = stack.enter_context(listening(wire.theirs, own, of.group, of.codec))
            wire.theirs.wait_for_listeners(of.group.partition(":")[0], len(RECEIVERS))
        voice = Voice(program="espeak-ng")
        asyncio.run(_say_all(made := build(section(folder), voice=voice, config_dir=folder), wire.ours.prefix))
    return Evening(made, files)


async def _say_all(channel, prefix) -> None:
    pacer = PacerProcess((*prefix, *COMMAND))
    channel._air = lambda: pacer
    for number, (zone, case) in enumerate(CASES.items()):
        assert isinstance(await say(channel, case.page, zone, number), Sent)
    async with asyncio.timeout(60):
        for number in range(len(CASES)):
            while not _is_said(pacer, number):  # noqa: ASYNC110 - it is in another process
                await asyncio.sleep(0.05)
    await pacer.close()


def _is_said(pacer: PacerProcess, number: int) -> bool:
    report = pacer.remembers(f"n-{number}/1")
    return report is not None and report.state == "ended"


@pytest.mark.parametrize("case", [name for name, case in CASES.items() if case.codec == "g711u"])
@pytest.mark.parametrize("receiver", RECEIVERS)
def test_every_sample_arrives(evening, receiver, case):
    """Their µ-law decoders make of our bytes what G.711 says, and not a packet is missing."""
    expected = array("h", (wav._EXPANDED[code] for code in evening.said(case)))
    heard = evening.heard(receiver, case)

    assert heard.rate_hz == 8_000
    assert len(expected) - len(heard.samples) <= 2 * 160, "a receiver that is stopped may keep its last packets"
    assert heard.samples == expected[: len(heard.samples)]


@pytest.mark.parametrize("receiver", RECEIVERS)
def test_the_tone_is_hi_lo_in_frequency_and_cadence(evening, receiver):
    samples = evening.heard(receiver, "lockdown").samples
    first = next(n for n, sample in enumerate(samples) if abs(sample) > 1_000)

    assert first / 8_000 == pytest.approx(0.3, abs=0.01), "the lead-in"
    quarters = [samples[first + n * 2_000 : first + (n + 1) * 2_000] for n in range(8)]
    assert [pitch(quarter[200:-200]) for quarter in quarters] == pytest.approx([1000, 800] * 4, abs=1)
    assert max(map(abs, samples[first + 16_050 : first + 18_000])) < 200, "2 s, then a pause"


def seconds(words: str) -> float:
    return Voice(program="espeak-ng").speak(words, 10).seconds


def sentences_of(case: str) -> list[tuple[str, float]]:
    """What must be heard in it, and from when."""
    words_at: dict[str, list[tuple[str, float]]] = {
        "lockdown": [("", 2.3), (LOCKDOWN, 0)],
        "drill": [("", seconds(DRILL) + 0.3), (LOCKDOWN_DRILL, 0)],
        "after-drill": [(OVER, 0.3), (LOCKDOWN, 0)],
        "hold-g722": [(HOLD, 0)],
    }
    at_s, found = 0.3, []
    for words, pause_s in words_at[case]:
        if words:
            found.append((words, at_s))
        at_s += (seconds(words) if words else 0) + pause_s
    return found


@pytest.mark.parametrize("receiver", RECEIVERS)
@pytest.mark.parametrize("case", ["lockdown", "drill", "after-drill", "hold-g722"])
def test_the_words_are_understood_at_the_other_end(evening, receiver, case):
    for words, at_s in sentences_of(case):
        heard = understood(evening.files[receiver, case], SENTENCES, from_s=at_s, for_s=seconds(words))
        assert heard == words, f"at {at_s:.1f} s"


@pytest.mark.parametrize("receiver", RECEIVERS)
def test_a_drill_is_marked_before_and_after_by_the_same_sentence(evening, receiver):
    """One second of speech is too little for the ear, so this compares: the mark is what the voice makes of it."""
    heard = evening.heard(receiver, "drill").samples
    mark = resample((spoken := Voice(program="espeak-ng").speak(DRILL, 10)).samples, spoken.rate_hz, 8_000)
    expected = array("h", (wav._EXPANDED[code] for code in g711.encode(mark)))
    before = round(0.3 * 8_000)
    after = before + 2 * round(0.3 * 8_000) + round(0.7 * 8_000) + len(mark) + round(seconds(LOCKDOWN_DRILL) * 8_000)

    assert heard[before : before + len(mark)] == expected
    found = [n for n in range(after - 2_500, after + 3) if heard[n : n + 400] == expected[:400]]
    assert any(heard[n : n + len(mark)] == expected for n in found), "and once more at the end"


@pytest.mark.parametrize("receiver", RECEIVERS)
def test_what_was_not_said_is_not_understood(evening, receiver):
    """The negatives, without which the test above would prove nothing."""
    assert understood(evening.files[receiver, "strange"], SENTENCES) is None
    for case in ("lockdown", "drill", "after-drill", "hold-g722"):
        for words, at_s in sentences_of(case):
            heard, for_s = evening.files[receiver, case], seconds(words)
            alike = {words, LOCKDOWN, LOCKDOWN_DRILL} if words in {LOCKDOWN, LOCKDOWN_DRILL} else {words}
            others = [sentence for sentence in SENTENCES if sentence not in alike]
            assert understood(heard, others, from_s=at_s, for_s=for_s) is None, words
            backwards = understood(heard, SENTENCES, from_s=at_s, for_s=for_s, effects=("reverse",))
            assert backwards is None, words


@pytest.mark.parametrize("receiver", RECEIVERS)
def test_g722_carries_what_g711_cannot(evening, receiver):
    heard = evening.heard(receiver, "whistle-g722")

    assert heard.rate_hz == RATES["g722"]
    middle = heard.samples[round(0.6 * 16_000) : round(1.0 * 16_000)]
    assert power(middle, 5_500, 16_000) > 0.98
