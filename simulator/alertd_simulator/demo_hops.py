"""The hops of the demo's story: what must happen, in order, and who is the witness of each.

Owns the list and the table. A hop is reached once; what only the simulation could see is labelled so, for in a school
nobody would know it (promise 5).
"""

import time
from collections.abc import Callable, Collection
from enum import StrEnum

from msgspec import Struct


class Witness(StrEnum):
    """Who can know."""

    ALERTD = "alertd's own record"
    CARRIER = "the carrier told alertd"
    DISPATCH = "the dispatch centre told alertd"
    PERSON = "a person's answer"
    OPERATOR = "an operator, at the console"
    SIMULATION = "only the simulation saw this"


class Hop(StrEnum):
    """In the order of the story. The value is what the table says."""

    PRESSED = "the button is pressed"
    BROKER = "the broker has the press and tells the button so"
    COMMITTED = "alertd takes the press in"
    ACKNOWLEDGED = "alertd acknowledges the press to the broker, now that it is on disk"
    FEEDBACK = "the button lights up: received"
    TEXT_ACCEPTED = "the carrier accepts the first text"
    SPOKEN = "the loudspeakers begin: the first packet is there"
    TEXT_SEEN = "the first responder's phone lights up"
    TEXT_DELIVERED = "alertd learns that the text was delivered"
    DISPATCH_RECEIVED = "the dispatch centre has the incident"
    DISPATCH_ACCEPTED = "the dispatch centre accepts it, with a call number"
    RANG = "the first responder's phone rings, too; taken, it speaks"
    ANNOUNCED = "a loudspeaker of our own has received the announcement, and knows the words again"
    KEY = "in the call, the responder presses a key"
    KEY_COUNTED = "alertd counts the key: going; the escalation pauses"
    KEY_ANSWERED = "the call says what was understood"
    SECOND_PRESSED = "a second room presses"
    SECOND_TOLD = "everyone told so far reads: ALSO pressed"
    SECOND_DISPATCH = "the dispatch centre has the second room"
    IGNORED = "of those who were asked, nobody answers the second room"
    ESCALATED = "nobody has answered in time: the next step begins"
    NEXT_SEEN = "the next responder's phone lights up"
    REPLIED = "the next responder texts the code back"
    ANSWERED = "alertd counts the reply: going; the escalation pauses"
    CONFIRMED = "the responder reads: you are GOING"
    CLOSED = "the incident is closed, every room released in person"

    DRILL_BEGUN = "a drill begins"
    DRILL_TOLD = "who takes part reads so"
    DRILL_PRESSED = "the button that was named is pressed"
    DRILL_SEEN = "a phone lights up: it is a drill, before and after everything else"
    DRILL_SPOKEN = "the loudspeakers begin with it as well"

    REAL_PRESSED = "in the middle of it a room presses that takes no part: this is real"
    DRILL_CUT = "the loudspeakers break off in the middle of the drill's sentence"
    REAL_SEEN = "a phone lights up: the drill is over, this is real"
    REAL_DISPATCH = "the dispatch centre has the incident; of the drill it never heard"
    REAL_ACCEPTED = "the dispatch centre accepts it, with a call number of its own"
    REAL_SPOKEN = "the loudspeakers say that the drill is over"
    REAL_ANNOUNCED = "and then what to do"


class Chapter(Struct, frozen=True):
    """`first` is its zero of time."""

    title: str
    first: Hop


CHAPTERS = (
    Chapter("A lockdown, in milliseconds from the press", Hop.PRESSED),
    Chapter("A drill, in milliseconds from its beginning", Hop.DRILL_BEGUN),
    Chapter("A real press in the middle of it, in milliseconds from that press", Hop.REAL_PRESSED),
)

WITNESSES: dict[Hop, Witness] = dict.fromkeys(Hop, Witness.SIMULATION) | {
    Hop.COMMITTED: Witness.ALERTD,
    Hop.TEXT_ACCEPTED: Witness.CARRIER,
    Hop.TEXT_DELIVERED: Witness.CARRIER,
    Hop.DISPATCH_ACCEPTED: Witness.DISPATCH,
    Hop.KEY_COUNTED: Witness.PERSON,
    Hop.ESCALATED: Witness.ALERTD,
    Hop.ANSWERED: Witness.PERSON,
    Hop.CLOSED: Witness.OPERATOR,
    Hop.DRILL_BEGUN: Witness.OPERATOR,
    Hop.REAL_ACCEPTED: Witness.DISPATCH,
}


OF_CALLS = frozenset({Hop.RANG})
OF_KEYS = frozenset({Hop.KEY, Hop.KEY_COUNTED, Hop.KEY_ANSWERED})
OF_DISPATCH = frozenset({Hop.DISPATCH_RECEIVED, Hop.DISPATCH_ACCEPTED, Hop.SECOND_DISPATCH})
OF_DISPATCH_LATER = frozenset({Hop.REAL_DISPATCH, Hop.REAL_ACCEPTED})
OF_PA = frozenset({Hop.SPOKEN, Hop.ANNOUNCED})
OF_PA_LATER = frozenset({Hop.DRILL_SPOKEN, Hop.DRILL_CUT, Hop.REAL_SPOKEN, Hop.REAL_ANNOUNCED})
OF_KNOWN_WORDS = frozenset({Hop.ANNOUNCED, *OF_PA_LATER})
"""Only a recording can be known again."""


def chapter_of(hop: Hop) -> Chapter:
    order = list(Hop)
    return next(c for c in reversed(CHAPTERS) if order.index(c.first) <= order.index(hop))


class Reached(Struct, frozen=True, kw_only=True):
    hop: Hop
    at_us: int
    detail: str = ""
    text: str = ""
    """What somebody reads, hears or writes, word for word."""


class Hops:
    """What was reached. The first time counts."""

    def __init__(self, wanted: Collection[Hop] = tuple(Hop)) -> None:
        self.wanted = tuple(hop for hop in Hop if hop in wanted)
        """What must happen; a district without dispatch has a shorter story."""
        self.reached: dict[Hop, Reached] = {}
        self.on_hop: list[Callable[[Reached], None]] = []

    def reach(self, hop: Hop, detail: str = "", *, text: str = "", at_us: int | None = None) -> None:
        if hop in self.reached:
            return
        at_us = time.time_ns() // 1000 if at_us is None else at_us
        self.reached[hop] = reached = Reached(hop=hop, at_us=at_us, detail=detail, text=text)
        for listener in self.on_hop:
            listener(reached)

    def missing(self, until: Hop | None = None) -> list[Hop]:
        """What has not happened; `until`: of what comes before it."""
        order = list(Hop)
        end = len(order) if until is None else order.index(until)
        return [hop for hop in self.wanted if hop not in self.reached and order.index(hop) < end]

    def ms(self, reached: Reached) -> float:
        """Since its chapter began."""
        return (reached.at_us - self.reached[chapter_of(reached.hop).first].at_us) / 1000

    def line(self, reached: Reached) -> str:
        detail = f": {reached.detail}" if reached.detail else ""
        return f"{self.ms(reached):>10,.1f} ms  {reached.hop}{detail}  [{WITNESSES[reached.hop]}]"

    def story(self) -> list[str]:
        """Every hop that happened in the order of time, with the words that people read, then what is missing."""
        lines = []
        for chapter in CHAPTERS:
            if chapter.first not in self.reached:
                continue
            lines += ["", f"{chapter.title}:", ""]
            found = [each for each in self.reached.values() if chapter_of(each.hop) is chapter]
            for reached in sorted(found, key=lambda each: each.at_us):
                lines.append(self.line(reached))
                if reached.text:
                    lines.append(f"{'':>15}“{reached.text}”")
        return lines + [f"{'MISSING':>13}  {hop}" for hop in self.missing()]
