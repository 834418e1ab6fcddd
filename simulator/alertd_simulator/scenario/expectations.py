"""Lines that say what must follow (`expect`), what must not (`expect no`), and what may (`allow`).

Owns the grammar of expectations. Whatever is sent and neither expected nor allowed fails a scenario; that is judged in
`judging`, not here.
"""

from collections.abc import Callable
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from alertd.model.incident import IncidentClass
from alertd_simulator.scenario.cast import Cast
from alertd_simulator.scenario.story import (
    Count,
    DispatchExpected,
    Expectation,
    FeedbackExpected,
    Force,
    IncidentExpected,
    PubackExpected,
    SpeechExpected,
    TextExpected,
    TroubleExpected,
    Window,
)
from alertd_simulator.scenario.words import MOMENT, Line

ANY = Count(least=0, most=None)
COUNTS = {
    "once": Count(),
    "twice": Count(least=2, most=2),
    "once or twice, one id": Count(least=1, most=2, one_id=True),
    "at least once": Count(least=1, most=None),
}
STANDINGS = ("open", "active", "releasing", "closed", "running", "paused", "exhausted", "stopped")
FEEDBACK = {"received": "received", "responder accepted": "responder_accepted"}
DISPATCH = ("new", "update", "cancel_request", "closed")
OFFERS = "Reply 4"
"""Whoever is asked to answer is offered this; it is how an escalation shows on a phone."""


class _Tail(Struct, kw_only=True):
    """What may stand around any expectation: when, how often."""

    window: Window = Window()
    count: Count | None = None
    every_s: float = 0.0
    at_s: float | None = None


class _Reader(Struct, kw_only=True):
    line: Line
    cast: Cast
    force: Force
    site: str
    tail: _Tail


def read_expectation(line: Line, cast: Cast, force: Force, site: str) -> Expectation:
    """Read the rest of a line that began with `expect`, `expect no` or `allow`."""
    reader = _Reader(line=line, cast=cast, force=force, site=site, tail=_Tail())
    _tail(reader)
    subject = line.pick(SUBJECTS)
    if subject is None:
        line.fail()
    return subject(reader)


# --- when and how often ---------------------------------------------------------------------------------------------


def _tail(r: _Reader) -> None:
    """Every word of time and number that stands here."""
    line, tail = r.line, r.tail
    while True:
        line.comma()
        word = line.take("by", "until", "after", "at", "every", *COUNTS)
        if word in COUNTS:
            tail.count = COUNTS[word]
        elif word in ("by", "until"):
            tail.window = replace(tail.window, by_s=_moment(line))
        elif word == "after":
            tail.window = replace(tail.window, after_s=_moment(line))
        elif word == "at":
            tail.at_s = _moment(line)
        elif word == "every":
            tail.every_s = line.duration()
        elif not _times(line, tail):
            return


def _times(line: Line, tail: _Tail) -> bool:
    times = line.amount("how many times")
    if times is None:
        return False
    line.need("times")
    tail.count = Count(least=int(times), most=int(times))
    return True


def _moment(line: Line) -> float:
    moment = line.moment()
    return line.fail(f"what may stand here: {MOMENT}") if moment is None else moment


def _words(r: _Reader) -> tuple[str, ...]:
    """Texts in quotes, and the time and number around them, in any order."""
    found: list[str] = []
    while True:
        _tail(r)
        words = r.line.quoted()
        if words is None:
            return tuple(found)
        found.append(words)


def _count(r: _Reader) -> Count:
    if r.force is not Force.MUST:
        return ANY
    return r.tail.count or Count()


# --- what -----------------------------------------------------------------------------------------------------------


def _text(r: _Reader, medium: str = "text") -> Expectation:
    people = _who(r)
    words = _words(r)
    return TextExpected(
        medium=medium,
        line=r.line.number, force=r.force, people=people, words=words, window=r.tail.window, count=_count(r),
        every_s=r.tail.every_s,
    )  # fmt: skip


def _who(r: _Reader) -> tuple[str, ...]:
    """Names of people and groups, or everyone of a school; `but` leaves out."""
    people = _names(r)
    if r.line.take("but"):
        out = set(_names(r))
        people = tuple(p for p in people if p not in out)
    return people


def _names(r: _Reader) -> tuple[str, ...]:
    found: list[str] = []
    while True:
        found += _one_name(r)
        r.line.comma()
        if not r.line.take("and") and r.line.peek() not in (*r.cast.persons, *r.cast.groups, "everyone"):
            return tuple(dict.fromkeys(found))


def _one_name(r: _Reader) -> tuple[str, ...]:
    line = r.line
    if line.take("everyone of"):
        return r.cast.everyone_of(line.name(r.cast.sites, "a school") or line.fail())
    group = line.name(r.cast.groups, "a group")
    if group is None:
        return (line.name(r.cast.persons, "a person") or line.fail(),)
    site = r.site
    if line.take("of"):
        site = line.name(r.cast.sites, "a school") or line.fail()
    return r.cast.group_of(group, site) or line.fail(f"nobody of {site} is in the group {group!r}")


def _escalation(r: _Reader) -> Expectation:
    people = _who(r)
    _tail(r)
    return TextExpected(
        line=r.line.number, force=r.force, people=people, words=(OFFERS,), window=r.tail.window,
        count=Count(least=1, most=None) if r.force is Force.MUST else ANY,
    )  # fmt: skip


def _dispatch(r: _Reader) -> Expectation:
    kind = r.line.take(*DISPATCH)
    words = _words(r)
    return DispatchExpected(
        line=r.line.number, force=r.force, type=kind, words=words, window=r.tail.window, count=_count(r)
    )


def _loudspeakers(r: _Reader) -> Expectation:
    site = r.site
    if r.line.take("of"):
        site = r.line.name(r.cast.sites, "a school") or r.line.fail()
    silent = r.line.need("say", "fall silent") == "fall silent"
    words = _words(r)
    return SpeechExpected(
        line=r.line.number, force=r.force, site=site, words=words, window=r.tail.window,
        count=Count(least=1, most=None) if silent and r.force is Force.MUST else _count(r), silent=silent,
    )  # fmt: skip


def _incident(r: _Reader) -> Expectation:
    line = r.line
    how_many = line.amount("how many in all")
    if how_many is not None:
        line.need("in all")
    _class = line.take(*(c.value for c in IncidentClass))
    site = r.site
    if line.take("of"):
        site = line.name(r.cast.sites, "a school") or line.fail()
    standing = "open" if r.force is Force.MUST_NOT or how_many is not None else ""
    standing = line.take(*STANDINGS) or standing or line.fail()
    _tail(r)
    return IncidentExpected(
        line=line.number, force=r.force, incident_class=_class, site=site, standing=standing, window=r.tail.window,
        at_s=r.tail.at_s, how_many=None if how_many is None else int(how_many),
    )  # fmt: skip


def _feedback(r: _Reader) -> Expectation:
    device = r.line.name(r.cast.devices, "a device") or r.line.fail()
    state = r.line.pick(FEEDBACK) or r.line.fail()
    _tail(r)
    return FeedbackExpected(line=r.line.number, force=r.force, device=device, state=state, window=r.tail.window)


def _trouble(r: _Reader) -> Expectation:
    cleared = r.line.need("raised", "cleared") == "cleared"
    words = _words(r)
    return TroubleExpected(line=r.line.number, force=r.force, cleared=cleared, words=words, window=r.tail.window)


def _puback(r: _Reader) -> Expectation:
    device = r.line.name(r.cast.devices, "a device") or r.line.fail()
    _tail(r)
    return PubackExpected(line=r.line.number, force=r.force, device=device, window=r.tail.window)


SUBJECTS: dict[str, Callable[[_Reader], Expectation]] = {
    "text": _text,
    "call": partial(_text, medium="call"),
    "voice to": partial(_text, medium="hears"),
    "voicemail of": partial(_text, medium="tape"),
    "escalation reaches": _escalation,
    "dispatch": _dispatch,
    "loudspeakers": _loudspeakers,
    "incident": _incident,
    "feedback": _feedback,
    "trouble": _trouble,
    "puback": _puback,
}
