"""Stamps that are compared move with the clock on the wall, whoever set it and whether or not alertd ran then.

Owns which stamps of incidents and drills move. Must never: move what happened for people (when it was pressed, said,
answered), nor a deadline: these run on boot time.
"""

from copy import copy

from msgspec.structs import replace

from alertd.engine import drills
from alertd.engine.draft import Draft
from alertd.model.anchor import anchor, is_of, step_us
from alertd.model.incident import Incident, newest_stamp_us


def align(d: Draft) -> None:
    """Before anything is decided: since when presses are known, and announcements are said, in the time of now."""
    moved = {
        id_: d.put(_moved(incident, d, step_us(incident.anchor, newest_stamp_us(incident), d.now)))
        for id_, incident in d.state.incidents.items()
        if not is_of(incident.anchor, d.now)
    }
    if moved:  # whoever looks an incident up by its device or place finds it moved, too
        d.state = copy(d.state)
        d.state.incidents = {**d.state.incidents, **moved}
    drills.align(d)


def _moved(incident: Incident, d: Draft, by_us: int) -> Incident:
    presses = tuple(replace(p, known_us=p.known_us + by_us if p.known_us else 0) for p in incident.presses)
    said = incident.announcing
    return replace(
        incident,
        anchor=anchor(d.now),
        presses=presses,
        upgraded_us=incident.upgraded_us + by_us if incident.upgraded_us else 0,
        announcing=None if said is None else replace(said, begun_us=said.begun_us + by_us),
    )
