"""What was expected against what happened: a list of complaints, each in words that name a line and a person.

Owns the rule that a scenario fails on anything sent that nobody expected. Reads happenings only; must share nothing
with the engine, and must never look at the plan.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from msgspec import Struct

from alertd.model.incident import Incident
from alertd_simulator.scenario.cast import Cast
from alertd_simulator.scenario.story import (
    FOREVER_S,
    Count,
    DispatchExpected,
    Expectation,
    FeedbackExpected,
    Force,
    IncidentExpected,
    PubackExpected,
    Scenario,
    SpeechExpected,
    TextExpected,
    TroubleExpected,
    Window,
)
from alertd_simulator.world.happenings import (
    Acked,
    CallHeard,
    CallTaken,
    Committed,
    DispatchTook,
    FeedbackShown,
    FellSilent,
    Happening,
    Published,
    Spoken,
    TextTaken,
)

BEATS_SLACK_S = 10.0
"""`every`: so much sooner or later is still on time. Commits, sending and the carrier take some of it."""
SEEN_LISTED = 6
ALLOWED_MODE = "test"
"""Dispatch heartbeats and test messages are background: allowed without a word."""


class Message(Struct, frozen=True, kw_only=True):
    """One text or dispatch message as it left us."""

    at_s: float
    to: str
    """Person id, or the kind of a dispatch message."""
    words: str
    id: str


class Record(Struct, kw_only=True):
    """What a scenario's expectations are held against."""

    texts: list[Message] = []
    calls: list[Message] = []
    heard: list[Message] = []
    """By humans."""
    taped: list[Message] = []
    dispatch: list[Message] = []
    speech: list[Message] = []
    """`to`: channel and zone of the loudspeakers, "pa:oak-all"."""
    silence: list[Message] = []
    standings: list[tuple[float, Incident]] = []
    feedback: list[tuple[float, str, str]] = []
    troubles: list[tuple[float, bool, str]] = []
    pubacks: list[tuple[float, str]] = []


def judge(scenario: Scenario, cast: Cast, happenings: Sequence[Happening], *, began_s: float = 0.0) -> list[str]:
    """Every complaint, in the order of the scenario's lines; surprises come last. `began_s`: true time at which the
    scenario's own clock showed nought."""
    record = recorded(cast, happenings, began_s)
    found: list[str] = []
    for expectation in scenario.expectations:
        if expectation.force is not Force.MAY:
            found += [f"{scenario.file}:{expectation.line}: {c}" for c in _complaints(expectation, record, cast)]
    return found + list(_surprises(scenario, record, cast))


def recorded(  # noqa: C901, PLR0912 - one arm a kind
    cast: Cast, happenings: Sequence[Happening], began_s: float = 0.0
) -> Record:
    """Sort what happened by what can be expected of it."""
    record = Record()
    device_of: dict[int, str] = {}
    for happening in happenings:
        at_s = happening.at_us / 1e6 - began_s
        match happening:
            case TextTaken():
                id_ = happening.notification_id or happening.sid
                text = Message(at_s=at_s, to=cast.owner(happening.to), words=happening.body, id=id_)
                record.texts.append(text)
            case CallTaken():
                id_ = happening.notification_id or happening.sid
                call = Message(at_s=at_s, to=cast.owner(happening.to), words=happening.words, id=id_)
                record.calls.append(call)
            case CallHeard():
                words = Message(at_s=at_s, to=cast.owner(happening.to), words=happening.words, id=happening.sid)
                (record.heard if happening.human else record.taped).append(words)
            case DispatchTook() if happening.mode != ALLOWED_MODE:
                body = happening.body.decode()
                record.dispatch.append(Message(at_s=at_s, to=happening.type, words=body, id=happening.message_id))
            case Spoken():
                id_, zone = happening.notification_id, f"{happening.channel}:{happening.zone}"
                record.speech.append(Message(at_s=at_s, to=zone, words=happening.words, id=id_))
            case FellSilent():
                id_, zone = happening.notification_id, f"{happening.channel}:{happening.zone}"
                record.silence.append(Message(at_s=at_s, to=zone, words="cut" if happening.cut else "said", id=id_))
            case FeedbackShown():
                record.feedback.append((at_s, happening.device_id, happening.state))
            case Published(truth=truth) if truth is not None:
                device_of[happening.number] = truth.device_id
            case Acked() if happening.number in device_of:
                record.pubacks.append((at_s, device_of[happening.number]))
            case Committed():
                record.standings += [(at_s, incident) for incident in happening.decision.incidents]
                for trouble in happening.decision.troubles:
                    record.troubles.append((at_s, not trouble.stands, f"{trouble.key}: {trouble.summary}"))
            case _:
                pass
    return record


def _complaints(
    expectation: Expectation,
    record: Record,
    cast: Cast,
) -> Iterator[str]:
    match expectation:
        case TextExpected():
            for person in expectation.people:
                sent = [message for message in _by(record, expectation.medium) if message.to == person]
                yield from _messages(expectation, sent, f"{MEDIA[expectation.medium]} {cast.called(person)}")
        case DispatchExpected():
            sent = [m for m in record.dispatch if not expectation.type or m.to == expectation.type]
            yield from _messages(expectation, sent, f"dispatch message {expectation.type}".rstrip())
        case SpeechExpected():
            zones = _zones(cast, expectation.site)
            heard = record.silence if expectation.silent else record.speech
            what = "end of what is said" if expectation.silent else "announcement"
            sent = [m for m in heard if m.to in zones]
            yield from _messages(expectation, sent, f"{what} by the loudspeakers of {expectation.site}")
        case IncidentExpected():
            yield from _incident(expectation, record)
        case FeedbackExpected():
            seen = [(at, state) for at, device, state in record.feedback if device == expectation.device]
            hits = [at for at, state in seen if state == expectation.state and expectation.window.holds(at)]
            what = f"feedback {expectation.state!r} on {expectation.device}"
            yield from _at_all(expectation.force, expectation.window, hits, what, [f"{_clock(a)} {s}" for a, s in seen])
        case TroubleExpected():
            kind = [(at, words) for at, cleared, words in record.troubles if cleared == expectation.cleared]
            hits = [at for at, w in kind if _holds(w, expectation.words) and expectation.window.holds(at)]
            what = f"trouble {'cleared' if expectation.cleared else 'raised'} {_quote(expectation.words)}"
            yield from _at_all(expectation.force, expectation.window, hits, what, [f"{_clock(a)} {w}" for a, w in kind])
        case PubackExpected():
            seen_at = [at for at, device in record.pubacks if device == expectation.device]
            hits = [at for at in seen_at if expectation.window.holds(at)]
            what = f"PUBACK for {expectation.device}"
            yield from _at_all(expectation.force, expectation.window, hits, what, [_clock(at) for at in seen_at])


# --- messages -------------------------------------------------------------------------------------------------------


MEDIA = {"text": "text to", "call": "call to", "hears": "words in a call to", "tape": "words on the voicemail of"}


def _by(record: Record, medium: str) -> list[Message]:
    return {"text": record.texts, "call": record.calls, "hears": record.heard, "tape": record.taped}[medium]


def _zones(cast: Cast, site: str) -> set[str]:
    return {f"{channel}:{zone}" for channel, zone in cast.loudspeakers_of(site)}


def _messages(
    expected: TextExpected | DispatchExpected | SpeechExpected, sent: list[Message], what: str
) -> Iterator[str]:
    hits = [m for m in sent if _holds(m.words, expected.words) and expected.window.holds(m.at_s)]
    what = f"{what} with {_quote(expected.words)}" if expected.words else what
    if expected.force is Force.MUST_NOT:
        if hits:
            yield f"there must be no {what}{_when(expected.window)}, but there was: {_list(hits)}"
    elif isinstance(expected, TextExpected) and expected.every_s:
        yield from _beats(expected, hits, what)
    elif not _counts(expected.count, hits):
        seen = _seen(expected, sent)
        yield f"expected {_number(expected.count)} {what}{_when(expected.window)}; there were {len(hits)}. {seen}"


def _counts(count: Count, hits: list[Message]) -> bool:
    if count.one_id and len({m.id for m in hits}) > 1:
        return False
    return count.least <= len(hits) and (count.most is None or len(hits) <= count.most)


def _beats(expected: TextExpected, hits: list[Message], what: str) -> Iterator[str]:
    window, every_s = expected.window, expected.every_s
    moments = [window.after_s, *(m.at_s for m in hits)]
    if window.by_s != FOREVER_S:
        moments.append(window.by_s)
    if not hits:
        yield f"expected {what} every {every_s:g} s{_when(window)}; there was none"
    gaps = list(pairwise(moments))
    for before, after in gaps:
        if after - before > every_s + BEATS_SLACK_S:
            yield f"expected {what} every {every_s:g} s; nothing between {_clock(before)} and {_clock(after)}"
    for before, after in gaps[1 : len(hits)]:
        if after - before < every_s - BEATS_SLACK_S:
            yield f"expected {what} every {every_s:g} s; it came at {_clock(before)} and again at {_clock(after)}"


def _seen(expected: TextExpected | DispatchExpected | SpeechExpected, sent: list[Message]) -> str:
    """What was seen instead, each with why it does not count."""
    if not sent:
        return "Nothing of the kind was seen at all."
    lines = []
    for message in sent[:SEEN_LISTED]:
        missing = [w for w in expected.words if w.lower() not in message.words.lower()]
        if missing:
            why = f"without {_quote(missing)}"
        elif message.at_s > expected.window.by_s:
            why = "too late"
        elif message.at_s < expected.window.after_s:
            why = "too early"
        else:
            why = f"counts, id {message.id[:8]}"
        lines.append(f"{_clock(message.at_s)} {_short(message)} ({why})")
    more = f" and {len(sent) - SEEN_LISTED} more" if len(sent) > SEEN_LISTED else ""
    return "Seen: " + "; ".join(lines) + more


# --- incidents and the like -----------------------------------------------------------------------------------------


def _incident(expected: IncidentExpected, record: Record) -> Iterator[str]:
    mine = [
        (at, incident)
        for at, incident in record.standings
        if incident.site_id == expected.site
        and (not expected.incident_class or incident.incident_class == expected.incident_class)
    ]
    what = f"{expected.incident_class or 'incident'} of {expected.site}"
    if expected.how_many is not None:
        ids = {incident.id for _, incident in mine}
        if len(ids) != expected.how_many:
            yield f"expected {expected.how_many} of {what} in all; there were {len(ids)}: {_story(mine)}"
        return
    if expected.at_s is not None:
        latest = {incident.id: incident for at, incident in mine if at <= expected.at_s}
        hits = [expected.at_s for incident in latest.values() if expected.standing in _standing(incident)]
        window = Window(after_s=expected.at_s, by_s=expected.at_s)
    else:
        hits = [at for at, i in mine if expected.standing in _standing(i) and expected.window.holds(at)]
        window = expected.window
    yield from _at_all(expected.force, window, hits, f"{what} that is {expected.standing}", [_story(mine)])


def _standing(incident: Incident) -> set[str]:
    states = {str(incident.state.value), str(incident.escalation.value)}
    return states | ({"open"} if incident.is_open else set())


def _story(mine: list[tuple[float, Incident]]) -> str:
    """How each stood, change by change."""
    found: list[str] = []
    last: dict[str, str] = {}
    for at, incident in mine:
        words = f"{incident.headline} {incident.state.value}, {incident.escalation.value}"
        if last.get(incident.id) != words:
            found.append(f"{_clock(at)} {words}")
        last[incident.id] = words
    return "; ".join(found[: 2 * SEEN_LISTED]) or "nothing"


def _at_all(force: Force, window: Window, hits: list[float], what: str, seen: list[str]) -> Iterator[str]:
    if force is Force.MUST_NOT and hits:
        yield f"there must be no {what}{_when(window)}, but there was, at {_clock(hits[0])}"
    if force is Force.MUST and not hits:
        yield f"expected {what}{_when(window)}; seen instead: {'; '.join(seen[:SEEN_LISTED]) or 'nothing'}"


# --- surprises ------------------------------------------------------------------------------------------------------


def _surprises(scenario: Scenario, record: Record, cast: Cast) -> Iterator[str]:
    """What was sent, and is neither expected nor allowed."""
    texts = [e for e in scenario.expectations if isinstance(e, TextExpected) and e.force is not Force.MUST_NOT]
    posts = [e for e in scenario.expectations if isinstance(e, DispatchExpected) and e.force is not Force.MUST_NOT]
    for medium, text in [*(("text", t) for t in record.texts), *(("call", c) for c in record.calls)]:
        mine = (e for e in texts if text.to in e.people and e.medium == medium)
        if not any(_holds(text.words, e.words) and e.window.holds(text.at_s) for e in mine):
            yield _surprise(scenario, text, f"a {medium} to {cast.called(text.to)}")
    for post in record.dispatch:
        kind = (e for e in posts if e.type in ("", post.to))
        if not any(_holds(post.words, e.words) and e.window.holds(post.at_s) for e in kind):
            yield _surprise(scenario, post, f"a message {post.to!r} to dispatch")
    spoken = [e for e in scenario.expectations if isinstance(e, SpeechExpected) and e.force is not Force.MUST_NOT]
    for speech in record.speech:
        here = (e for e in spoken if not e.silent and speech.to in _zones(cast, e.site))
        if not any(_holds(speech.words, e.words) and e.window.holds(speech.at_s) for e in here):
            yield _surprise(scenario, speech, f"an announcement by {speech.to}")


def _surprise(scenario: Scenario, message: Message, what: str) -> str:
    before = [told for told in scenario.told if told.at_s <= message.at_s]
    line = before[-1] if before else scenario.told[0]
    return (
        f"{scenario.file}:{line.line}: nobody expected {what} at {_clock(message.at_s)}: {_short(message)}. "
        f"It came after {line.source!r}"
    )


# --- words ----------------------------------------------------------------------------------------------------------


def _holds(text: str, words: Sequence[str]) -> bool:
    return all(word.lower() in text.lower() for word in words)


def _quote(words: Sequence[str]) -> str:
    return " ".join(f'"{word}"' for word in words)


def _clock(at_s: float) -> str:
    if at_s < 0:
        return f"{-at_s:.1f} s before 0:00"
    minutes, seconds = divmod(at_s, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{seconds:04.1f}" if hours else f"{minutes}:{seconds:04.1f}"


def _when(window: Window) -> str:
    after = f" after {_clock(window.after_s)}" if window.after_s else ""
    return after + (f" by {_clock(window.by_s)}" if window.by_s != FOREVER_S else "")


def _number(count: Count) -> str:
    if count.most is None:
        return f"at least {count.least}"
    if count.least == count.most:
        return "one" if count.least == 1 else str(count.least)
    return f"{count.least} to {count.most}" + (" of one id" if count.one_id else "")


def _short(message: Message) -> str:
    """A text as it stands; of a dispatch message its headline."""
    words = message.words
    if words.startswith("{"):
        words = words.partition('"headline":"')[2].partition('"')[0]
        return f'{message.to} "{words}"'
    return f'"{words}"'


def _list(messages: list[Message]) -> str:
    return "; ".join(f"{_clock(m.at_s)} {_short(m)}" for m in messages[:SEEN_LISTED])
