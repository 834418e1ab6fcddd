"""`Checker`: one thing that must hold, watched through the stream of happenings.

Owns how a checker is shown what happens and how it accuses. Must never change anything, and must never raise for what
the daemon did: that is a violation.
"""

from collections.abc import Sequence
from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from alertd.model.decision import Decision
from alertd.model.events import OutcomeReported
from alertd.model.ids import PersonId
from alertd.model.incident import Incident
from alertd.model.notification import NotificationRow
from alertd.model.registry import Registry
from alertd_simulator.checkers.conditions import Conditions
from alertd_simulator.checkers.final import Final
from alertd_simulator.checkers.records import Records
from alertd_simulator.world.happenings import Committed, Happening
from alertd_simulator.world.plan import Plan
from alertd_simulator.world.verdict import Violation

_NOTHING = Decision()
ACCUSATIONS_MAX = 20
"""Of one checker and day: the first ones tell, and a broken daemon must not drown the report."""


class Consequence:
    """Stands in `sees` for `Committed`, where only a commit matters that decides something: seven of eight merely note
    what became of one attempt, and whoever neither counts commits nor looks at clocks by them is not shown those."""


def is_plain(happening: Happening) -> bool:
    """A commit of how an attempt went, from which nothing follows but the attempt's own change and its lines."""
    if type(happening) is not Committed or type(happening.event) is not OutcomeReported:
        return False
    return replace(happening.decision, changes=(), entries=(), look_ups=()) == _NOTHING


class Scene(Struct, kw_only=True, eq=False):
    """What every checker may look at. A happening is shown to the checkers before `records` takes it up, and after
    `conditions` has."""

    registry: Registry
    plan: Plan
    records: Records
    conditions: Conditions
    newcomers: frozenset[PersonId] = frozenset()
    """People that a reload has brought. Who is meant by a step is found when it begins: earlier ones missed them."""


class Checker:
    """Subclasses say what they watch. `sees`: the kinds of happenings that concern them, and no others are shown."""

    name: ClassVar[str]
    docs: ClassVar[str]
    """What it proves, and which promise or requirement that is."""
    sees: ClassVar[tuple[type[Struct | Consequence], ...]] = ()

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.violations: list[Violation] = []
        self._accused: set[str] = set()

    def see(self, happening: Happening) -> None:
        """One happening, as it happens."""

    def reread(self, incidents: Sequence[Incident], rows: Sequence[NotificationRow], at_us: int) -> None:
        """What the disk really holds after a start."""

    def finish(self, final: Final, at_us: int) -> None:
        """The day is over."""

    def accuse(self, at_us: int, message: str, *, once: str = "") -> None:
        """A promise is broken. `once`: the same matter is told only once."""
        key = once or message
        if key in self._accused or len(self.violations) >= ACCUSATIONS_MAX:
            return
        self._accused.add(key)
        self.violations.append(Violation(at_us=at_us, checker=self.name, message=message))
