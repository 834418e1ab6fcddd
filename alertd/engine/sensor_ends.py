"""When it is over what sensors reported and somebody answered: once the alarm has been quiet for its cool-down.

An answer covers what was known when it was given. What a sensor says after that silence is another alarm, and is told
as one; and nobody has to remember to close what somebody has looked into. Must never: end what nobody has answered
(`escalation` does, after its last step), nor touch a panic, and never tell anybody that it is over: no human said so.
"""

from alertd.engine import escalation
from alertd.engine.draft import Draft
from alertd.model.decision import EntryKind
from alertd.model.ids import DeviceId
from alertd.model.incident import AnswerKind, EscalationState, Incident
from alertd.model.reason import Reason
from alertd.model.site import SensorRules
from alertd.model.timer import TimerKind

NOBODY = "nobody"
"""Closes an incident that ends by itself: no person."""
AGAIN_US = 3600 * 1_000_000
"""An alarm that never ends is told again after so long."""
SECOND_US = 1_000_000


def is_over(d: Draft, incident: Incident, at_us: int) -> bool:
    """Is what a sensor says now another alarm than the one that somebody has answered? Also after an hour, and where
    the clock was set back: nobody knows how long the silence was."""
    last_us = max(press.last_us for press in incident.presses)
    is_same = at_us >= last_us and _left_us(d, incident, at_us) > 0 and 0 <= at_us - incident.opened_us < AGAIN_US
    return incident.escalation is EscalationState.PAUSED and not is_same


def end(d: Draft, incident: Incident) -> None:
    """It ends by itself."""
    since = incident.answers[incident.counted_from :]
    going = [answer.name for answer in since if answer.kind is not AnswerKind.CANNOT_GO]
    text = f"quiet since {going[-1] if going else 'somebody'} answered: it ends by itself"
    d.entry(EntryKind.INCIDENT, Reason.CLOSED, text, incident=incident)
    escalation.close_quietly(d, incident, NOBODY)


def on_arrive(d: Draft, incident: Incident, number: int) -> None:
    """Somebody has answered, and has had the policy's time to arrive. Is it quiet?"""
    left_us = _left_us(d, incident, d.now.wall_us)
    if left_us <= 0:
        end(d, incident)
        return
    d.entry(EntryKind.ESCALATION, Reason.COOLING_DOWN, "it is answered, and not quiet yet", incident=incident)
    d.timer(TimerKind.ARRIVE, left_us / SECOND_US, incident, number=number + 1)


def _left_us(d: Draft, incident: Incident, at_us: int) -> int:
    """Until each of its sensors has been silent for its cool-down; never longer than one."""
    silences = ((at_us - p.last_us, _cool_down_us(d, p.device_id)) for p in incident.presses)
    return max(cooling_us - max(0, silent_us) for silent_us, cooling_us in silences)


def _cool_down_us(d: Draft, device_id: DeviceId) -> int:
    device = d.facts.registry.devices.get(device_id)
    rules = SensorRules() if device is None else device.gestures.sensor
    return round(rules.cool_down_s * SECOND_US)
