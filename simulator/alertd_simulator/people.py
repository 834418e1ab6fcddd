"""Responders with phones and habits.

Owns what a human does with a text: reads the code out of it, answers late, in words, or not at all. Must know nothing
of alertd but the words on the screen.
"""

import asyncio
import re
from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct

from alertd_simulator.carrier import Carrier
from alertd_simulator.carrier_json import Text

OFFER = re.compile(r"Reply (\d+) going")
CANNOT = re.compile(r"(\d+) cannot go")
ARRIVE = re.compile(r"Reply (\d+) when you arrive")


class Habit(StrEnum):
    """What somebody does with an alert."""

    GOES = "replies going"
    GOES_AND_ARRIVES = "replies going, later arrived"
    CANNOT_GO = "replies cannot go"
    SILENT = "never replies"
    WORDS = "answers in words"
    TAPBACK = "likes it"
    DRIVING = "has an auto-reply"
    WRONG_CODE = "mistypes the code"
    SPACED = "types a blank into the code"
    BARE_DIGIT = "sends only the first digit"
    STOPS = "tells the carrier to stop"


class Seen(Struct, frozen=True, kw_only=True):
    """One line on a phone's screen."""

    at_s: float
    mine: bool
    """Typed by its owner."""
    body: str


class Responder:
    """A person with a phone. Answers each code once, `after_s` after reading it."""

    def __init__(
        self, name: str, number: str, carrier: Carrier, *, habit: Habit = Habit.GOES, after_s: float = 8.0
    ) -> None:
        self.name = name
        self.number = number
        self.habit = habit
        self.after_s = after_s
        self.arrives_after_s = 90.0
        self.screen: list[Seen] = []
        self.on_screen: list[Callable[[Seen], None]] = []
        self._carrier = carrier
        self._answered: set[str] = set()
        carrier.on_phone.append(self._light_up)

    def texts(self) -> list[str]:
        """What the phone received."""
        return [line.body for line in self.screen if not line.mine]

    def say(self, body: str) -> None:
        """Type and send."""
        self._show(body, mine=True)
        self._carrier.receive(sender=self.number, body=body)

    def _show(self, body: str, *, mine: bool) -> None:
        line = Seen(at_s=asyncio.get_running_loop().time(), mine=mine, body=body)
        self.screen.append(line)
        for listener in self.on_screen:
            listener(line)

    def _light_up(self, text: Text) -> None:
        if text.to != self.number:
            return
        self._show(text.body, mine=False)
        offer, arrival = OFFER.search(text.body), ARRIVE.search(text.body)
        if offer and offer[1] not in self._answered:
            self._answered.add(offer[1])
            self._later(self.after_s, self._reply(offer[1], text.body))
        elif arrival and self.habit is Habit.GOES_AND_ARRIVES and arrival[1] not in self._answered:
            self._answered.add(arrival[1])
            self._later(self.arrives_after_s, arrival[1])

    def _later(self, delay_s: float, body: str | None) -> None:
        if body is not None:
            asyncio.get_running_loop().call_later(delay_s, self.say, body)

    def _reply(self, code: str, body: str) -> str | None:
        match self.habit:
            case Habit.GOES | Habit.GOES_AND_ARRIVES:
                return code
            case Habit.CANNOT_GO:
                cannot = CANNOT.search(body)
                return cannot[1] if cannot else None
            case Habit.SILENT:
                return None
            case _:
                return _clumsy(self.habit, code, body)


def _clumsy(habit: Habit, code: str, body: str) -> str:
    """Replies that are no clean code, each as seen from real phones."""
    return {
        Habit.WORDS: "on my way, he is in 210",
        Habit.TAPBACK: f"Liked “{body}”",
        Habit.DRIVING: "I'm driving with Do Not Disturb turned on. I'll see your message when I get there.",
        Habit.WRONG_CODE: code[0] + str((int(code[1:]) + 37) % 100).zfill(len(code) - 1),
        Habit.SPACED: f" {code[0]} {code[1:]}\n",
        Habit.BARE_DIGIT: code[0],
        Habit.STOPS: "Stop",
    }[habit]
