"""What a transcript shows: each point of the checklist passed, failed or was not seen, and why it matters.

A point that nobody tried is *not seen*, never passed.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct

from alertd.model.events import Signal
from alertd.model.ids import spelled_alike
from alertd.ports import SettingsError
from alertd_simulator.conformance.evidence import Evidence, state_of
from alertd_simulator.conformance.transcript import Happened, Heard, Line, Transcript, nothing_at_all

CLOCK_OFF_S = 120.0
"""A device's time may be so far from ours; alertd calls a press late from then on (req 35)."""
AFTER_BACK_S = 120.0
"""Within so long a press that was made while the broker was away must come."""
SWALLOWED = "it has the identity of an earlier press, so alertd takes it for a copy of that"


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    NOT_SEEN = "not seen"


class Point(Struct, frozen=True, kw_only=True):
    name: str
    must: bool
    """Without it alertd cannot keep its promises for this device. False: better with it."""
    outcome: Outcome
    found: str
    matters: str


def judged(transcript: Transcript, own: Mapping[str, Mapping[str, Any]] | None = None) -> list[Point]:
    """In the order of the checklist. `own`: profiles beside those that ship with alertd, file -> its TOML. Raises
    `SettingsError`: there is no such source, or no such profile."""
    evidence = Evidence(transcript, own or {})
    return [check(evidence) for check in CHECKS]


def conforms(points: Iterable[Point]) -> bool:
    """Every point that must be passed was."""
    return all(point.outcome is Outcome.PASSED for point in points if point.must)


# --- the points -------------------------------------------------------------------------------------------------------


def _point(name: str, matters: str, *, must: bool = True) -> Callable[[Outcome, str], Point]:
    return lambda outcome, found: Point(name=name, must=must, outcome=outcome, found=found, matters=matters)


def _quiet(evidence: Evidence) -> Point:
    make = _point("says nothing while nothing happens", "A device that presses by itself calls people for nothing.")
    found = evidence.presses("idle")
    if found is None:
        return make(Outcome.NOT_SEEN, "the step was not done")
    if found:
        return make(Outcome.FAILED, f"{len(found)} presses though nobody touched it: {_words(found)}")
    for step, when in (("battery", "reported its battery"), ("will", "lost its power")):
        if found := evidence.presses(step):
            return make(Outcome.FAILED, f"{len(found)} presses when it only {when}: {_words(found)}")
    if not any(evidence.transcript.heard()):
        return make(Outcome.NOT_SEEN, "the kit heard nothing at all, so it would not have heard a press either")
    return make(Outcome.PASSED, "no press that nobody made")


def _once(evidence: Evidence) -> Point:
    make = _point("one press is one press", "What alertd cannot read is no alert; what comes twice is two.")
    found, step = evidence.presses("press_once"), evidence.step("press_once")
    if found is None or step is None:
        return make(Outcome.NOT_SEEN, "the step was not done")
    if len(found) == 1:
        return make(Outcome.PASSED, f"alertd reads {_words(found)} in {len(step)} messages")
    if not found:
        why = next((each.refused or each.uncovered for each in step if each.refused or each.uncovered), "nothing came")
        why = "it is retained" if any(each.signals for each in step) else why
        why = SWALLOWED if evidence.swallowed(step) else why
        return make(Outcome.FAILED, f"no press that alertd can read: {why}")
    return make(Outcome.FAILED, f"{len(found)} presses of one: {_words(found)}")


def _twice(evidence: Evidence) -> Point:
    make = _point("two presses are two", "An identity that does not change swallows the second cry for help.")
    found = evidence.presses("press_twice")
    if found is None:
        return make(Outcome.NOT_SEEN, "the step was not done")
    step = evidence.step("press_twice") or []
    doubles = {"double_press", "multi_press"}
    if len(found) == 2 or any(signal.action in doubles for signal in found):
        return make(Outcome.PASSED, _words(found))
    why = f"; {SWALLOWED}" if evidence.swallowed(step) else ""
    return make(Outcome.FAILED, f"{len(found)} instead of two: {_words(found) or 'nothing'}{why}")


def _hold(evidence: Evidence) -> Point:
    make = _point("holding is told apart", "Where a hold means lockdown, it must not come as a press.", must=False)
    found = evidence.presses("hold")
    if not found:
        return make(Outcome.NOT_SEEN, "the step was not done" if found is None else "nothing came")
    actions = {signal.action for signal in found}
    if actions & {"long_press", "long", "hold", "duress"}:
        return make(Outcome.PASSED, ", ".join(sorted(actions)))
    return make(Outcome.FAILED, f"it comes as {', '.join(sorted(actions))}")


def _away(evidence: Evidence) -> Point:
    make = _point(
        "a press survives a broker that is away",
        "Promise 1 begins at the broker. Until then only the device or its gateway can keep the press.",
    )
    lines = evidence.transcript.of("broker_away")
    if lines is None:
        return make(Outcome.NOT_SEEN, "the step was not done")
    back_s = next((line.at_s for line in lines if isinstance(line, Happened) and line.event == "back"), None)
    if back_s is None:
        return make(Outcome.NOT_SEEN, "the kit never lost its broker: the press was not made while it was away")
    after = [line for line in lines if isinstance(line, Heard) and back_s <= line.at_s <= back_s + AFTER_BACK_S]
    heard = [evidence.of(line) for line in after]
    found = evidence.new(heard)
    if found:
        return make(Outcome.PASSED, f"{_words(found)}, {after[0].at_s - back_s:.0f} s after the broker was back")
    if evidence.swallowed(heard):
        return make(Outcome.FAILED, SWALLOWED)
    return make(Outcome.FAILED, f"nothing within {AFTER_BACK_S:.0f} s after the broker was back")


def _repeat(evidence: Evidence) -> Point:
    make = _point(
        "repeats until it hears “received”", "The last way in which a press can be saved on bad radio.", must=False
    )
    lines = evidence.transcript.of("repeat")
    if lines is None:
        return make(Outcome.NOT_SEEN, "the step was not done")
    told_s = next((line.at_s for line in lines if isinstance(line, Happened) and line.event == "received"), None)
    loud = [line for line in lines if isinstance(line, Heard) and evidence.of(line).signals]
    if told_s is None or not loud:
        return make(Outcome.NOT_SEEN, "no press came, or the kit never answered")
    before = sum(line.at_s < told_s for line in loud)
    late = [line for line in loud if line.at_s > told_s + 5.0]
    if before < 2:
        return make(Outcome.FAILED, "it said it once and never again")
    if late:
        return make(Outcome.FAILED, f"it went on {late[-1].at_s - told_s:.0f} s after “received”")
    return make(Outcome.PASSED, f"{before} times, then silence")


def _battery(evidence: Evidence) -> Point:
    make = _point("reports its battery", "A dead badge is found in a drill, or when it is needed.", must=False)
    levels = [each.battery for each in evidence.all() if each.battery is not None]
    if levels:
        return make(Outcome.PASSED, f"{levels[-1]} %")
    if evidence.transcript.of("battery") is None:
        return make(Outcome.NOT_SEEN, "no message had one, and the step was not done")
    return make(Outcome.FAILED, "no message that alertd reads has a battery level")


def _will(evidence: Evidence) -> Point:
    make = _point(
        "its end is told", "Silence is the failure: a last will is minutes quicker than a missed check-in.", must=False
    )
    found = evidence.step("will")
    if found is None:
        return make(Outcome.NOT_SEEN, "the step was not done")
    ends = [each.heard for each in found if each.offline]
    if ends:
        return make(Outcome.PASSED, f"{ends[0].topic}{', retained' if ends[0].retain else ''}")
    return make(Outcome.FAILED, "nothing said that it is gone; give it a check-in window that fits how often it speaks")


def _retained(evidence: Evidence) -> Point:
    make = _point(
        "presses are not retained", "A broker hands a retained press out again for years; alertd pages on none."
    )
    loud = [each for each in evidence.all() if each.signals]
    if not loud:
        return make(Outcome.NOT_SEEN, "no press was read")
    wrong = [each.heard.topic for each in loud if each.heard.retain]
    if wrong:
        return make(Outcome.FAILED, f"{len(wrong)} of {len(loud)} presses are retained, on {wrong[0]}")
    return make(Outcome.PASSED, f"none of {len(loud)}")


def _qos(evidence: Evidence) -> Point:
    make = _point("presses come at QoS 1", "At QoS 0 a press can be lost on its way, and nobody ever knows.")
    loud = [each.heard for each in evidence.all() if each.signals]
    if not loud:
        return make(Outcome.NOT_SEEN, "no press was read")
    weak = [line for line in loud if line.qos == 0]
    if weak:
        return make(Outcome.FAILED, f"{len(weak)} of {len(loud)} came at QoS 0")
    return make(Outcome.PASSED, f"all of {len(loud)}")


def _identity(evidence: Evidence) -> Point:
    make = _point(
        "a press has an identity",
        "With one, a copy is known again. Without one, alertd pages rather twice than never.",
        must=False,
    )
    signals = [signal for each in evidence.all() for signal in each.signals]
    if not signals:
        return make(Outcome.NOT_SEEN, "no press was read")
    bare = [signal for signal in signals if signal.cause is None and state_of(signal) is None]
    if bare:
        return make(Outcome.FAILED, f"{len(bare)} of {len(signals)} have no counter and no fine time")
    return make(Outcome.PASSED, "a counter, or a time finer than a second")


def _clock(evidence: Evidence) -> Point:
    make = _point("its clock is right", "By the device's time alertd knows a late press from a fresh one.", must=False)
    began_us = evidence.transcript.subject.began_us
    step = evidence.step("press_once") or []
    times = [(signal.pressed_us, each.heard.at_s) for each in step for signal in each.signals]
    known = [(us, at_s) for us, at_s in times if us is not None]
    if not known or not began_us:
        return make(Outcome.NOT_SEEN, "presses carry no time that can be believed")
    off_s = max(abs((us - began_us) / 1e6 - at_s) for us, at_s in known)
    if off_s > CLOCK_OFF_S:
        return make(Outcome.FAILED, f"{off_s:.0f} s off: alertd would take every press for a late one")
    return make(Outcome.PASSED, f"within {max(off_s, 0.1):.1f} s")


def _understood(evidence: Evidence) -> Point:
    make = _point(
        "alertd understands all of it",
        "What nobody can read may have been a press: each one is a trouble for an admin.",
    )
    everything = evidence.all()
    if not everything:
        return make(Outcome.NOT_SEEN, nothing_at_all(evidence.transcript.subject.topics))
    refused = [each for each in everything if each.refused]
    if refused:
        first = refused[0]
        return make(Outcome.FAILED, f"{len(refused)} refused; first on {first.heard.topic}: {first.refused}")
    strange = sum(bool(each.uncovered) for each in everything)
    return make(
        Outcome.PASSED, f"{len(everything) - strange} of {len(everything)}; {strange} are not about this device"
    )


def _own_name(evidence: Evidence) -> Point:
    make = _point("it calls itself as devices.csv does", "A press under another id is an unknown device's.")
    device = evidence.transcript.subject.device
    heard = {str(signal.device_id) for each in evidence.all() for signal in each.signals}
    if not heard:
        return make(Outcome.NOT_SEEN, "no press was read")
    own = {device, spelled_alike(device)}
    others = sorted(name for name in heard if name not in own and spelled_alike(name) not in own)
    others = [name for name in others if not name.startswith(f"{device}:")]
    if others:
        return make(Outcome.FAILED, f"it also presses as {', '.join(others[:3])}")
    return make(Outcome.PASSED, ", ".join(sorted(heard)))


def _words(signals: Iterable[Signal]) -> str:
    return ", ".join(signal.action for signal in signals)


CHECKS: tuple[Callable[[Evidence], Point], ...] = (
    _understood, _own_name, _quiet, _once, _twice, _hold, _away, _repeat, _qos, _retained, _identity, _clock, _battery,
    _will,
)  # fmt: skip

__all__ = ["Line", "Outcome", "Point", "SettingsError", "conforms", "judged"]
