"""A scenario as a value: what is done, to whom, and what must follow.

Owns the kinds of expectations. Every moment is in seconds of true time since the scenario began.
"""

from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from alertd_simulator.world.plan import Deed, Habits

FOREVER_S = float("inf")


class Window(Struct, frozen=True, kw_only=True):
    """From when until when something counts."""

    after_s: float = 0.0
    by_s: float = FOREVER_S

    def holds(self, at_s: float) -> bool:
        return self.after_s <= at_s <= self.by_s


class Count(Struct, frozen=True, kw_only=True):
    """How often. `one_id`: copies of one and the same notification, however many arrive."""

    least: int = 1
    most: int | None = 1
    one_id: bool = False


class Force(StrEnum):
    """What an expectation demands."""

    MUST = "expect"
    MUST_NOT = "expect no"
    MAY = "allow"


class TextExpected(Struct, frozen=True, kw_only=True):
    """Texts that the carrier takes for each of these people, holding all the words."""

    line: int
    force: Force
    people: tuple[str, ...]
    words: tuple[str, ...]
    window: Window
    count: Count
    every_s: float = 0.0
    """Not 0: one so often, from the window's beginning to its end."""
    medium: str = "text"
    """"call": calls that begin with these words; "hears": words that a human heard in a call, to their end; "tape":
    those that a machine kept."""


class DispatchExpected(Struct, frozen=True, kw_only=True):
    """Messages that a dispatch centre takes. `type`: "new", "update", … or empty for any."""

    line: int
    force: Force
    type: str
    words: tuple[str, ...]
    window: Window
    count: Count


class SpeechExpected(Struct, frozen=True, kw_only=True):
    """What a school's loudspeakers say, holding all the words; or, `silent`, that they fall silent."""

    line: int
    force: Force
    site: str
    words: tuple[str, ...]
    window: Window
    count: Count
    silent: bool = False


class IncidentExpected(Struct, frozen=True, kw_only=True):
    """How an incident stands, as the daemon has committed it. `at_s`: then; otherwise at some time in the window."""

    line: int
    force: Force
    incident_class: str
    """Empty: of any class."""
    site: str
    standing: str
    """"open", "closed", "releasing", "running", "paused", "exhausted", "stopped"."""
    window: Window
    at_s: float | None = None
    how_many: int | None = None
    """So many in all, over the whole scenario."""


class FeedbackExpected(Struct, frozen=True, kw_only=True):
    """What the presser's own device is shown."""

    line: int
    force: Force
    device: str
    state: str
    window: Window


class TroubleExpected(Struct, frozen=True, kw_only=True):
    """A trouble raised, or cleared."""

    line: int
    force: Force
    cleared: bool
    words: tuple[str, ...]
    window: Window


class PubackExpected(Struct, frozen=True, kw_only=True):
    """The broker is told that a press of this device is safe (promise 1)."""

    line: int
    force: Force
    device: str
    window: Window


Expectation = (
    TextExpected
    | DispatchExpected
    | SpeechExpected
    | IncidentExpected
    | FeedbackExpected
    | TroubleExpected
    | PubackExpected
)


class Told(Struct, frozen=True, kw_only=True):
    """A line that makes something happen, for saying what a surprise came after."""

    line: int
    at_s: float
    source: str


class Scenario(Struct, frozen=True, kw_only=True):
    """One story, read."""

    file: str
    title: str
    proves: tuple[str, ...]
    """Requirement numbers and promises: "R12", "promise 4"."""
    district: Path
    begins: str
    """RFC 3339."""
    ends_s: float
    deeds: tuple[Deed, ...]
    told: tuple[Told, ...]
    habits: tuple[Habits, ...]
    expectations: tuple[Expectation, ...]
    seed: int = 1
