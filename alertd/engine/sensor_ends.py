"""When it is over what sensors reported and somebody answered: once the alarm has been quiet for its cool-down.

An answer covers what was known when it was given. What a sensor says after that silence is another alarm, and is told
as one; and nobody has to remember to close what somebody has looked into. Must never: end what nobody has answered
(`escalation` does, after its last step), nor touch a panic, and never tell anybody that it is over: no human said so.
"""

from alertd.engine import escalation
from alertd.engine.draft import Draft
from alertd.model.anchor import SET_US
from alertd.model.decision import EntryKind
from alertd.model.ids import DeviceId
from alertd.model.incident import NOBODY, VERIFY_FIRST, AnswerKind, EscalationState, Incident
from alertd.model.reason import Reason
from alertd.model.site import SensorRules
from alertd.model.timer import TimerKind

AGAIN_US = 3600 * 1_000_000
"""An alarm that never ends is told again after so long."""
SECOND_US = 1_000_000


def is_over(d: Draft, incident: Incident, at_us: int) -> bool:
    """Is what a sensor said then another alarm than the one that somebody has answered? Also after an hour."""
    is_same = _left_us(d, incident, at_us) > 0 and at_us - incident.opened_us < AGAIN_US
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
    """Until each of its sensors has been silent for its cool-down. Nothing, where the clock was set back: nobody knows
    how long the silence was. That shows by what was heard after the moment of deciding, which cannot be. `at_us` may
    well lie before what was heard last: repeats wait in front of the door. After it, one clock stamped both."""
    last_us = max(p.last_us for p in incident.presses)
    if at_us < last_us and d.now.wall_us + SET_US < last_us:
        return 0
    silences = ((at_us - p.last_us, _cool_down_us(d, incident, p.device_id)) for p in incident.presses)
    return max(cooling_us - silent_us for silent_us, cooling_us in silences)


def _cool_down_us(d: Draft, incident: Incident, device_id: DeviceId) -> int:
    """Never shorter than what may still bear it out."""
    waits = incident.incident_class in VERIFY_FIRST
    within_s = d.policy(incident).corroborated.within_s if waits else 0
    device = d.facts.registry.devices.get(device_id)
    rules = SensorRules() if device is None else device.gestures.sensor
    return round(max(rules.cool_down_s, within_s) * SECOND_US)
