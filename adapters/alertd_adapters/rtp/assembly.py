"""An announcement, put together: silence, marks, tone, words, words again (messages.md, "PA").

Owns what is heard and in which order, for live, drill and test. Must never: begin a drill's page with anything but its
mark, or end it without. What the parts sound like comes in.

    live    lead-in · tone · words · pause · words
    drill   lead-in · "This is a drill." · tone · drill words · pause · "This is a drill." · drill words · pause · mark
    a live page that ends a drill
            lead-in · tone · "This is not a drill. The drill is over." · words · pause · the same once more
"""

from enum import StrEnum

from msgspec import Struct

from alertd.model.mode import Mode
from alertd_adapters.rtp.samples import Samples, silence
from alertd_adapters.rtp.tones import ToneName, tone

LEAD_IN_S = 0.3
"""Silence first: a receiver needs so long to open its amplifier, and would swallow the first word."""
LEAD_OUT_S = 0.2
"""Silence last: a receiver that stops on the last packet would clip the last word."""
AFTER_TONE_S = 0.3
BETWEEN_S = 0.7
"""Between two sayings: the ear takes them for two."""
AFTER_MARK_S = 0.3


class Mark(StrEnum):
    """What is said around the words, so that nobody takes one thing for another."""

    DRILL = "drill"
    TEST = "test"
    OVER = "over"


MARK_WORDS = {
    Mark.DRILL: "This is a drill.",
    Mark.TEST: "This is a test.",
    Mark.OVER: "This is not a drill. The drill is over.",
}


class Variant(StrEnum):
    """The forms that one announcement is rendered in."""

    LIVE = "live"
    DRILL = "drill"
    TEST = "test"
    AFTER_DRILL = "after_drill"

    @property
    def mark(self) -> Mark | None:
        return {Variant.DRILL: Mark.DRILL, Variant.TEST: Mark.TEST, Variant.AFTER_DRILL: Mark.OVER}.get(self)


def variant_of(mode: Mode, *, real_after_drill: bool) -> Variant:
    """A drill or test is marked whatever else the page says."""
    if mode is Mode.LIVE:
        return Variant.AFTER_DRILL if real_after_drill else Variant.LIVE
    return Variant.DRILL if mode is Mode.DRILL else Variant.TEST


class Parts(Struct, frozen=True, kw_only=True):
    """What an announcement is made of, at the codec's rate. `mark` is what `variant.mark` sounds like."""

    tone: ToneName
    words: Samples
    times: int
    variant: Variant
    mark: Samples | None = None


def assemble(parts: Parts, rate_hz: int) -> Samples:
    """The whole announcement."""
    mark = silence(0, rate_hz)
    if parts.variant.mark is not None:
        assert parts.mark is not None, f"{parts.variant} without its mark"
        mark = parts.mark + silence(AFTER_MARK_S, rate_hz)
    is_exercise = parts.variant in {Variant.DRILL, Variant.TEST}
    heard = silence(LEAD_IN_S, rate_hz)
    if is_exercise:
        heard += mark
    notes = tone(parts.tone, rate_hz)
    if notes:
        heard += notes + silence(AFTER_TONE_S, rate_hz)
    for number in range(parts.times):
        if number:
            heard += silence(BETWEEN_S, rate_hz)
        if number or not is_exercise:
            heard += mark
        heard += parts.words
    if is_exercise:
        heard += silence(BETWEEN_S, rate_hz) + mark
    return heard + silence(LEAD_OUT_S, rate_hz)
