"""What a decision replaces in memory, so that a rollback needs no read: the disk may be what has just failed."""

from msgspec import Struct

from alertd.model.decision import Decision, SiteState
from alertd.model.device_memory import GestureCount
from alertd.model.drill import Drill
from alertd.model.ids import DeviceId, IncidentId, SiteId
from alertd.model.incident import Incident
from alertd.model.trouble import Trouble
from alertd.store.memory import Memory


class Before(Struct, frozen=True):
    """What a decision replaces in a site's state."""

    site_id: SiteId
    incidents: tuple[tuple[IncidentId, Incident | None], ...]
    troubles: tuple[tuple[str, Trouble | None], ...]
    gestures: tuple[tuple[DeviceId, GestureCount | None], ...]
    drill: Drill | None
    drill_over: Drill | None

    @classmethod
    def of(cls, state: SiteState, decision: Decision) -> "Before":
        return cls(
            state.site_id,
            tuple((incident.id, state.incidents.get(incident.id)) for incident in decision.incidents),
            tuple(
                (trouble.key, state.troubles.get(trouble.key) or state.latched.get(trouble.key))
                for trouble in decision.troubles
            ),
            tuple((count.device_id, state.gestures.get(count.device_id)) for count in decision.gestures),
            state.drill,
            state.drill_over,
        )

    def restore(self, memory: Memory) -> None:
        state = memory.states.pop(self.site_id, None)
        if state is None:
            return
        incidents = {**state.incidents, **dict(self.incidents)}
        troubles = {**state.troubles, **state.latched, **dict(self.troubles)}
        gestures = {**state.gestures, **dict(self.gestures)}
        memory.states[self.site_id] = SiteState(
            site_id=self.site_id,
            incidents={key: value for key, value in incidents.items() if value is not None},
            troubles={key: value for key, value in troubles.items() if value is not None and value.stands},
            latched={key: value for key, value in troubles.items() if value is not None and not value.stands},
            gestures={key: value for key, value in gestures.items() if value is not None},
            drill=self.drill,
            drill_over=self.drill_over,
        )
