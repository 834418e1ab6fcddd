"""How long it is kept who went when a sensor reported (req 73): then only figures are left.

What a sensor reports is about children, and mostly about nothing. Must never touch what was a panic for a moment, what
is open, or the chain of the journal: only erasable rows go, and that they went is an entry of its own.
"""

from msgspec.structs import replace

from alertd.engine.draft import Draft
from alertd.model.decision import EntryKind
from alertd.model.events import RetentionDue
from alertd.model.ids import PersonId
from alertd.model.incident import NOBODY, Incident, is_panic
from alertd.model.reason import Reason


def on_due(d: Draft, event: RetentionDue) -> None:
    """Strip those of the incidents that are sensors' alone, closed for long enough, and not stripped yet."""
    stripped = [stripped_of(incident, d.now.wall_us) for incident in event.incidents if _is_due(d, event, incident)]
    if not stripped:
        return
    for incident in stripped:
        d.put(incident)
        d.erasures.append(incident.id)
    days = (d.now.wall_us - event.before_us) // (24 * 3600 * 1_000_000)
    text = f"personal detail of {len(stripped)} sensor incidents is erased: they were closed more than {days} days ago"
    d.entry(EntryKind.INCIDENT, Reason.ERASED, text, incidents=str(len(stripped)))


def _is_due(d: Draft, event: RetentionDue, incident: Incident) -> bool:
    is_sensors = not is_panic(incident.incident_class) and not any(is_panic(p.incident_class) for p in incident.presses)
    is_over = not incident.is_open and incident.id not in d.state.incidents and incident.site_id == d.state.site_id
    long_ago = incident.closed_us is not None and incident.closed_us < event.before_us
    return is_sensors and is_over and long_ago and not _is_young(d, event, incident) and incident.erased_us is None


def _is_young(d: Draft, event: RetentionDue, incident: Incident) -> bool:
    """Was it closed so lately by boot time, whatever the clock on the wall says? Known of this boot only."""
    known = incident.anchor
    if known is None or known.boot_id != d.now.boot_id or incident.closed_us is None or event.before_boot_us is None:
        return False
    return incident.closed_us - known.ahead_us >= event.before_boot_us


def stripped_of(incident: Incident, now_us: int) -> Incident:
    """What may be kept: what, where, when, how often, and how soon somebody said what. Not who, nor in which words."""
    return replace(
        incident,
        presses=tuple(replace(press, assigned_to=None) for press in incident.presses),
        answers=tuple(replace(a, person_id=PersonId(""), name="", via="") for a in incident.answers),
        told=(),
        notes=(),
        correction=None if incident.correction is None else replace(incident.correction, by="", reason=""),
        closed_by=NOBODY if incident.closed_by == NOBODY else "",
        erased_us=now_us,
    )
