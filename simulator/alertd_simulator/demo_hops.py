"""The hops of the demo's story: what must happen, in order, and who is the witness of each.

Owns the list and the table. A hop is reached once; what only the simulation could see is labelled so, for in a school
nobody would know it (promise 5).
"""

import time
from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct


class Witness(StrEnum):
    """Who can know."""

    ALERTD = "alertd's own record"
    CARRIER = "the carrier told alertd"
    DISPATCH = "the dispatch centre told alertd"
    PERSON = "a person's reply"
    SIMULATION = "only the simulation saw this"


class Hop(StrEnum):
    """In the order of the story. The value is what the table says."""

    PRESSED = "the button is pressed"
    BROKER = "the broker has the press and tells the button so"
    COMMITTED = "alertd takes the press in"
    ACKNOWLEDGED = "alertd acknowledges the press to the broker, now that it is on disk"
    FEEDBACK = "the button lights up: received"
    TEXT_ACCEPTED = "the carrier accepts the first text"
    TEXT_SEEN = "the first responder's phone lights up"
    TEXT_DELIVERED = "alertd learns that the text was delivered"
    DISPATCH_RECEIVED = "the dispatch centre has the incident"
    DISPATCH_ACCEPTED = "the dispatch centre accepts it, with a call number"
    SECOND_PRESSED = "a second room presses"
    SECOND_TOLD = "everyone told so far reads: ALSO pressed"
    SECOND_DISPATCH = "the dispatch centre has the second room"
    IGNORED = "the first responder's phone stays unanswered"
    ESCALATED = "nobody has answered in time: the next step begins"
    NEXT_SEEN = "the next responder's phone lights up"
    REPLIED = "the next responder texts the code back"
    ANSWERED = "alertd counts the reply: going; the escalation pauses"
    CONFIRMED = "the responder reads: you are GOING"


WITNESSES: dict[Hop, Witness] = dict.fromkeys(Hop, Witness.SIMULATION) | {
    Hop.COMMITTED: Witness.ALERTD,
    Hop.TEXT_ACCEPTED: Witness.CARRIER,
    Hop.TEXT_DELIVERED: Witness.CARRIER,
    Hop.DISPATCH_ACCEPTED: Witness.DISPATCH,
    Hop.ESCALATED: Witness.ALERTD,
    Hop.ANSWERED: Witness.PERSON,
}


class Reached(Struct, frozen=True, kw_only=True):
    hop: Hop
    at_us: int
    detail: str = ""
    text: str = ""
    """What somebody reads or writes, word for word."""


class Hops:
    """What was reached. The first time counts."""

    def __init__(self) -> None:
        self.reached: dict[Hop, Reached] = {}
        self.on_hop: list[Callable[[Reached], None]] = []

    def reach(self, hop: Hop, detail: str = "", *, text: str = "", at_us: int | None = None) -> None:
        if hop in self.reached:
            return
        at_us = time.time_ns() // 1000 if at_us is None else at_us
        self.reached[hop] = reached = Reached(hop=hop, at_us=at_us, detail=detail, text=text)
        for listener in self.on_hop:
            listener(reached)

    def missing(self) -> list[Hop]:
        return [hop for hop in Hop if hop not in self.reached]

    def ms(self, reached: Reached) -> float:
        """Since the press."""
        return (reached.at_us - self.reached[Hop.PRESSED].at_us) / 1000

    def line(self, reached: Reached) -> str:
        detail = f": {reached.detail}" if reached.detail else ""
        return f"{self.ms(reached):>10,.1f} ms  {reached.hop}{detail}  [{WITNESSES[reached.hop]}]"

    def story(self) -> list[str]:
        """Every hop that happened in the order of time, with the words that people read, then what is missing."""
        lines = []
        for reached in sorted(self.reached.values(), key=lambda each: each.at_us):
            lines.append(self.line(reached))
            if reached.text:
                lines.append(f"{'':>15}“{reached.text}”")
        return lines + [f"{'MISSING':>13}  {hop}" for hop in self.missing()]
