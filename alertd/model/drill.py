"""Drills: a stretch of time in which presses of named devices at one site are an exercise. Everything else is real.

Owns the row of one drill. It is no incident: what is pressed in it opens incidents in `Mode.DRILL`, and only the engine
gives them that mode, from this row (promise 3).
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum

from msgspec import Struct

from alertd.model.anchor import Anchor
from alertd.model.ids import DeviceId, DrillId, IncidentId, PersonId, SiteId
from alertd.model.incident import Incident, IncidentClass
from alertd.model.reason import Reason


class DrillState(StrEnum):
    """A drill that is over never begins again."""

    RUNNING = "running"
    ENDED = "ended"


class DrillTold(Struct, frozen=True, kw_only=True):
    """An endpoint that was told of the drill, by its announcement or by an alert in it: it is told how it ends."""

    endpoint_key: str
    person_id: PersonId
    knows: bool = False
    """That it is over: a provider has taken the text that says so; of a call, somebody has taken it."""


class DrillPress(Struct, frozen=True, kw_only=True):
    """A participant's one gesture: the device, when it called and how many presses it had, for telling a repeat."""

    device_id: DeviceId
    at_us: int
    """When it was pressed for first, by the device's clock; without one, when that was heard."""
    count: int
    boot_us: int | None = None
    """When that arrived, in the boot time of `boot_id`, which nobody can set; `None`: it had waited."""
    boot_id: str = ""


class Drill(Struct, frozen=True, kw_only=True):
    """One drill at one site."""

    id: DrillId
    site_id: SiteId
    incident_class: IncidentClass
    """What is drilled. A graver gesture is real."""
    device_ids: tuple[DeviceId, ...]
    """The only devices whose first gesture is part of the drill."""
    told_before: str
    """Who outside was told beforehand, in the words of whoever began it: "J. Doe, dispatch"."""
    by: str
    started_us: int
    """Moves with a clock that is set, as `ends_us` does: presses are compared with both."""
    ends_us: int
    """It ends by itself then; a timer on boot time sees to it."""
    person_ids: tuple[PersonId, ...] = ()
    """People who take part; empty: whomever the policy of the class names."""
    by_id: PersonId | None = None
    state: DrillState = DrillState.RUNNING
    told: tuple[DrillTold, ...] = ()
    """In the order in which they were first addressed."""
    presses: tuple[DrillPress, ...] = ()
    incident_ids: tuple[IncidentId, ...] = ()
    """What was pressed for in it."""
    restarts: int = 0
    """How often alertd was started while it ran; those told heard of each."""
    ended_us: int | None = None
    ended_by: str = ""
    ended_because: Reason | None = None
    real_incident_id: IncidentId | None = None
    """The live press that ended it, or that came before everybody knew that it had ended."""
    overtaken: bool = False
    """Something real was pressed for since its end: of that no more is said."""
    before: "Drill | None" = None
    """The one before it at the site, if somebody who was told of that may not know that it is over."""
    anchor: Anchor | None = None
    """The clock of the stamps that move with it, also of those before it; `None`: nobody noted it."""
    schema: int = 1

    @property
    def is_running(self) -> bool:
        return self.state is DrillState.RUNNING

    def told_with(self, incidents: Iterable[Incident]) -> tuple[DrillTold, ...]:
        """Everybody who has heard of it: by its announcement, or in one of these, which were pressed for in it."""
        told = {t.endpoint_key: t for t in self.told}
        for incident in incidents:
            for each in incident.told:
                told.setdefault(each.endpoint_key, DrillTold(endpoint_key=each.endpoint_key, person_id=each.person_id))
        return tuple(told.values())

    def line(self) -> "Iterator[Drill]":
        """It, and those before it of which somebody may not know that they are over; the latest first."""
        drill: Drill | None = self
        while drill is not None:
            yield drill
            drill = drill.before
