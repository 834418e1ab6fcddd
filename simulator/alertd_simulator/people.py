"""Responders with phones and habits.

Owns what a human does with a text: reads the code out of it, answers late, in words, to the wrong incident, or not at
all. Must know nothing of alertd but the words on the screen, and must never draw at random: the same screen, the same
answer.
"""

import asyncio
from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct

from alertd_simulator.carrier import Carrier
from alertd_simulator.carrier_json import Text
from alertd_simulator.phone_words import (
    ARRIVE,
    ASKS_ANEW,
    AUTOMATIC,
    CANNOT,
    HOLD,
    LOCK,
    OFFER,
    REACTIONS,
    WORDS,
    meant_by,
)
from alertd_simulator.world.happenings import Meant

__all__ = ["OFFER", "Habit", "Responder", "Seen"]

CHANGES_AFTER_S = 25.0
STARTS_AFTER_S = 150.0
WORDS_MAX = 3
"""Nobody types words to a machine for ever."""
TOKENS = tuple(f"{number:02d}" for number in range(100))

Typing = Callable[[str, str, Meant, str, str], None]
"""Number, body, what was meant, the token that was typed, and the carrier's id of the text that was sent."""


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
    ASLEEP = "sleeps, and goes after minutes"
    REACTS = "reacts in the words of many phones"
    CHANGES_MIND = "says going, then that it cannot be"
    OLD_CODE = "answers with the code of an earlier incident"
    FOREIGN_CODE = "answers with a code that is nobody's"
    WORDS_THEN_CODE = "answers in words, then as asked"
    HOLDS = "asks for a hold"
    LOCKS_DOWN = "asks for a lockdown"
    STOPS_AND_STARTS = "tells the carrier to stop, and later to start"


ARRIVING = frozenset({Habit.GOES_AND_ARRIVES, Habit.ASLEEP, Habit.WORDS_THEN_CODE, Habit.SPACED})
"""Who says going in the end, goes and says so on arrival."""


WITHOUT_WORDS = {Habit.WORDS: Habit.SILENT, Habit.WORDS_THEN_CODE: Habit.GOES}


class Seen(Struct, frozen=True, kw_only=True):
    """One line on a phone's screen."""

    at_s: float
    mine: bool
    """Typed by its owner."""
    body: str
    sender: str = ""
    """Our number that a text came from: an answer to it goes there."""


class Responder:
    """A person with a phone. Answers each code once, `after_s` after reading it, and again when asked anew."""

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
        self.on_typed: list[Typing] = []
        self._carrier = carrier
        self._codes: list[str] = []
        """Seen on this screen, oldest first."""
        self._answered: set[str] = set()
        self._answering: set[str] = set()
        """Codes whose answer is about to be typed."""
        self._asked_anew: dict[str, int] = {}
        self._count = 0
        """Answers so far: what has many wordings takes the next."""
        self._writes_to: str | None = None
        """Our number, from which the last text came."""
        carrier.on_phone_of.setdefault(number, []).append(self._light_up)

    def texts(self) -> list[str]:
        """What the phone received."""
        return [line.body for line in self.screen if not line.mine]

    def say(self, body: str, to: str = "") -> None:
        """Type and send, to our number `to`; without it, to whichever texted last."""
        self._show(body, mine=True)
        sent = self._carrier.receive(sender=self.number, body=body, to=to or self._writes_to)
        meant, token = meant_by(body, frozenset(code[1:] for code in self._codes))
        for listener in self.on_typed:
            listener(self.number, body, meant, token, sent.sid)

    def say_about(self, body: str, about: str = "") -> None:
        """Type `body`, in which `{token}` stands for the token of the newest text that offers a code and holds the
        words `about`, and `{text}` for that text. Nothing of the kind on the screen: the braces are typed as they are,
        as somebody does who has nothing to read from."""
        texts = [line for line in reversed(self.screen) if not line.mine]
        offering = [line for line in texts if about in line.body and (OFFER.search(line.body) or not about)]
        line = next((line for line in offering if OFFER.search(line.body)), next(iter(offering), None))
        if line is not None:
            offer = OFFER.search(line.body)
            body = body.replace("{text}", line.body)
            body = body.replace("{token}", offer[1][1:]) if offer else body
        self.say(body, line.sender if line is not None and about else "")

    def _show(self, body: str, *, mine: bool, sender: str = "") -> None:
        line = Seen(at_s=asyncio.get_running_loop().time(), mine=mine, body=body, sender=sender)
        self.screen.append(line)
        for listener in self.on_screen:
            listener(line)

    # --- what follows from a text

    def _light_up(self, text: Text) -> None:
        self._writes_to = text.sender
        self._show(text.body, mine=False, sender=text.sender)
        offer, arrival = OFFER.search(text.body), ARRIVE.search(text.body)
        if offer:
            self._read(offer[1], text.body)
        elif arrival and self.habit in ARRIVING and arrival[1] not in self._answered:
            self._answered.add(arrival[1])
            self._later(self.arrives_after_s, arrival[1])

    def _read(self, code: str, body: str) -> None:
        """Answer a code: once, and every third time when asked anew; but never twice at a time."""
        if code not in self._codes:
            self._codes.append(code)
        if code in self._answering or (code in self._answered and not self._heeds(code, body)):
            return
        self._answered.add(code)
        self._answering.add(code)
        asyncio.get_running_loop().call_later(self.after_s, self._answering.discard, code)
        self._count += 1
        for delay_s, reply in self._replies(code, body):
            self._later(delay_s, reply)

    def _heeds(self, code: str, body: str) -> bool:
        """Nobody answers each time that a room presses after they have said that they go."""
        if not ASKS_ANEW.search(body):
            return False
        self._asked_anew[code] = self._asked_anew.get(code, 0) + 1
        return self._asked_anew[code] % 3 == 1

    def _later(self, delay_s: float, body: str) -> None:
        asyncio.get_running_loop().call_later(delay_s, self.say, body)

    def _replies(self, code: str, body: str) -> list[tuple[float, str]]:
        """What is typed, and when."""
        soon_s = self.after_s
        match self._habit_now():
            case Habit.SILENT:
                return []
            case Habit.CANNOT_GO:
                cannot = CANNOT.search(body)
                return [(soon_s, cannot[1])] if cannot else []
            case Habit.CHANGES_MIND:
                return [(soon_s, code), (soon_s + CHANGES_AFTER_S, f"6{code[1:]}")]
            case Habit.WORDS_THEN_CODE:
                return [(soon_s, self._next_of(WORDS)), (soon_s * 2, code)]
            case Habit.STOPS_AND_STARTS if self._count == 1:
                return [(soon_s, "STOP"), (soon_s + STARTS_AFTER_S, "START")]
            case _:
                return [(soon_s, self._reply(code, body))]

    def _habit_now(self) -> Habit:
        worn_out = self._count > WORDS_MAX
        return WITHOUT_WORDS.get(self.habit, self.habit) if worn_out else self.habit

    def _reply(self, code: str, body: str) -> str:
        match self.habit:
            case Habit.HOLDS | Habit.LOCKS_DOWN:
                asked = (HOLD if self.habit is Habit.HOLDS else LOCK).search(body)
                return asked[1] if asked else code
            case Habit.OLD_CODE:
                earlier = [known for known in self._codes if known != code]
                return earlier[-1] if earlier else code
            case Habit.FOREIGN_CODE:
                known = {each[1:] for each in self._codes}
                start = int(code[1:])
                return "4" + next(t for t in (*TOKENS[start % 100 :], *TOKENS) if t not in known)
            case Habit.REACTS:
                return self._next_of(REACTIONS).replace("{text}", body)
            case Habit.DRIVING:
                return self._next_of(AUTOMATIC)
            case _:
                return _clumsy(self.habit, code, body)

    def _next_of(self, wordings: tuple[str, ...]) -> str:
        return wordings[(self._count - 1) % len(wordings)]


def _clumsy(habit: Habit, code: str, body: str) -> str:
    """The code as it is, or no clean one, each as seen from real phones."""
    return {
        Habit.WORDS: WORDS[0],
        Habit.TAPBACK: REACTIONS[0].replace("{text}", body),
        Habit.WRONG_CODE: code[0] + str((int(code[1:]) + 37) % 100).zfill(len(code) - 1),
        Habit.SPACED: f" {code[0]} {code[1:]}\n",
        Habit.BARE_DIGIT: code[0],
        Habit.STOPS: "Stop",
    }.get(habit, code)
