"""A shot that one sensor hears is a question; a second sensor, or a human, answers it (req 70).

Sensors can be fooled, and are (req 71): the first alarm is told to people who are near and asks them to look. Only what
the site's policy names follows when a second sensor of the school, or somebody's press for help, comes within its
seconds; a reply (9: lock down) is a human's word and needs neither. Must never make a panic of one sensor alone, and
never touch what a human pressed.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from alertd.engine import drills, escalation, incidents, presses, wording
from alertd.engine.draft import Draft
from alertd.engine.drills import news as drill_news
from alertd.engine.telling import RESPONDERS, Message, tell_told
from alertd.model.decision import EntryKind
from alertd.model.events import Pressed
from alertd.model.incident import VERIFY_FIRST, Incident, IncidentClass, IncidentState, Press, is_panic
from alertd.model.mode import Mode
from alertd.model.notification import Kind
from alertd.model.policy import Corroboration
from alertd.model.reason import Reason
from alertd.model.site import DeviceKind

SECOND_US = 1_000_000


def bear_out(d: Draft, event: Pressed, press: Press, open_: Incident | None) -> bool:
    """A sensor heard a shot. Is it borne out, or part of what everybody knows? If so it is taken care of here.

    Part of a lockdown it is within the seconds of what was pressed or heard there. After that it is a question of its
    own, also while rooms are being released: one sensor alone sounds nothing."""
    policy = d.policy_now(press.incident_class)[1] if open_ is None else d.policy(open_)
    within, lockdown = policy.corroborated, _lockdown(d)
    if lockdown is not None and _is_evidence(lockdown, press, within):
        lockdown = _merge(d, lockdown, press)  # where it was heard is news to those who go there; that it is again, not
        if open_ is not None:
            take_in(d, lockdown, d.incident(open_.id) or open_)
        return True
    if open_ is None:
        human = _pressed_lately(d, event, within)
        if human is None or not within.raises:
            return False
        why = f"{wording.press_words(human)} pressed before"
        if lockdown is None:
            _open_raised(d, event, (press, human), IncidentClass(within.raises), why)
        else:
            _sound_again(d, lockdown, press, why)
        return True
    incident = d.incident(open_.id) or open_
    others = [p for p in incident.presses if p.device_id != press.device_id]
    is_new = all(p.device_id != press.device_id for p in incident.presses)
    is_borne_out = _is_within(_said_us(press), map(_said_us, others), within)
    if is_borne_out and is_new and within.raises:  # where it was heard they read after what it is: it asks no more
        incident = d.put(replace(incident, presses=(*incident.presses, press)))
    else:
        incident = _merge(d, incident, press)
    if is_borne_out:
        raised = _raise(d, incident, press, f"{wording.press_words(press)} heard it, too")
        if raised is not None and is_new:
            also = Message(kind=Kind.ALSO, template="also", reason=Reason.NEWS, occasion=f"also/{press.id}")
            tell_told(d, raised, also, words=RESPONDERS)
        return True
    if is_new:
        text = "another sensor, and nobody knows that it heard it within the seconds"
        d.entry(EntryKind.INCIDENT, Reason.NEWS, text, incident=incident)
    _borne_out_by(d, event, incident)
    return True


def _is_evidence(lockdown: Incident, press: Press, within: Corroboration) -> bool:
    """Is it part of a lockdown that goes on? Where rooms are being released, a sensor that is in it would only be
    counted, and who opens doors has to know. What was a mistake, a human says, is evidence of nothing."""
    if lockdown.correction is not None:
        return False
    is_counted = any(p.device_id == press.device_id for p in lockdown.presses)
    if lockdown.state is IncidentState.RELEASING and is_counted:
        return False
    said = (*map(_said_us, lockdown.presses), (lockdown.asked_us, lockdown.asked_us))
    return _is_within(_said_us(press), said, within)


def _is_within(said_us: tuple[int, int], others: Iterable[tuple[int, int]], within: Corroboration) -> bool:
    """Was one of them said within the seconds of it, for certain? What waited somewhere comes together, and may be
    hours apart."""
    earliest_us, latest_us = said_us
    return any(max(latest_us - begin, end - earliest_us) <= within.within_s * SECOND_US for begin, end in others)


def _said_us(press: Press) -> tuple[int, int]:
    return press.said_us or (press.last_us, press.last_us)


def _sound_again(d: Draft, lockdown: Incident, press: Press, why: str) -> Incident:
    """It is borne out, and the school is in lockdown, or was: who releases rooms has to know, too."""
    d.entry(EntryKind.INCIDENT, Reason.CORROBORATED, f"borne out: {why}", incident=lockdown, device=press.device_id)
    return incidents.news(d, lockdown, press)


def take_in(d: Draft, lockdown: Incident, waiting: Incident) -> Incident:
    """What sensors asked is answered: it is part of the lockdown, and where it was heard is news there."""
    known = {p.id for p in lockdown.presses}
    for heard in waiting.presses:
        lockdown = lockdown if heard.id in known else _merge(d, lockdown, heard)
    d.entry(EntryKind.INCIDENT, Reason.CORROBORATED, f"it is part of {lockdown.headline}", incident=waiting)
    escalation.close_quietly(d, waiting, lockdown.headline)
    return lockdown


def take_in_all(d: Draft, lockdown: Incident) -> Incident:
    """A human asked for the lockdown: nobody is asked any more whether there was a shot."""
    for waiting in _questions(d):
        lockdown = take_in(d, lockdown, waiting)
    return lockdown


def _questions(d: Draft) -> tuple[Incident, ...]:
    """What sensors heard and nothing has borne out."""
    return tuple(i for i in d.open_incidents() if i.incident_class in VERIFY_FIRST)


def _merge(d: Draft, incident: Incident, press: Press) -> Incident:
    """A sensor that is in the incident already is counted, and nobody is told again; another one is news."""
    if any(p.device_id == press.device_id for p in incident.presses):
        return count_again(d, incident, press)
    return incidents.merge(d, incident, press)


def count_again(d: Draft, incident: Incident, press: Press) -> Incident:
    """One more report of what is open: it stays one incident, with a count, and nobody is told again (req 66)."""
    known = next((p for p in incident.presses if p.device_id == press.device_id), None)
    counted = press
    if known is not None:
        counted = replace(known.heard_again(press), count=known.count + press.count)
    kept = tuple(counted if p is known else p for p in incident.presses)
    incident = d.put(replace(incident, presses=kept if known is not None else (*kept, counted)))
    text = f"{wording.press_words(counted)} again"
    d.entry(EntryKind.PRESS, Reason.MERGED_REPEAT, text, incident=incident, device=press.device_id)
    return incident


def after_press(d: Draft, event: Pressed) -> None:
    """A human pressed for help. Does that bear out what a sensor heard a moment ago? Looks only where a sensor's alarm
    is open, and changes nothing about the press."""
    for waiting in _questions(d):
        _borne_out_by(d, event, waiting)


def _borne_out_by(d: Draft, event: Pressed, waiting: Incident) -> None:
    within = d.policy(waiting).corroborated
    press = _pressed_lately(d, event, within)
    if press is None or not waiting.is_open:
        return
    if not _is_within(_said_us(press), map(_said_us, waiting.presses), within):
        return
    lockdown = _lockdown(d)
    if not within.raises and lockdown is not None and lockdown.state is IncidentState.ACTIVE:
        take_in(d, lockdown, waiting)
        return
    raised = _raise(d, waiting, waiting.presses[-1], f"{wording.press_words(press)} pressed")
    if raised is not None and all(p.device_id != press.device_id for p in raised.presses):
        # where the human is who pressed, people have to know, too
        incidents.merge(d, raised, replace(press, incident_class=raised.incident_class))


def _pressed_lately(d: Draft, event: Pressed, within: Corroboration) -> Press | None:
    """A human's press for help within the seconds, of an incident that is open and real. A nurse's call and a fire say
    nothing of shots, nor does a mistake, nor a hold that somebody asked for in an answer."""
    if not within.by_press:
        return None
    for known in d.open_incidents():
        apart = known.incident_class in incidents.APART or not is_panic(known.incident_class)
        if known.mode is not Mode.LIVE or apart or known.correction is not None:
            continue
        for press in known.presses:
            device = d.facts.registry.devices.get(press.device_id)
            is_sensors = device is not None and device.kind is DeviceKind.SENSOR
            is_cry = is_panic(press.incident_class) and not (press.asked and press.incident_class is IncidentClass.HOLD)
            if is_cry and not is_sensors and _is_within(presses.said_us(event), (_said_us(press),), within):
                return press
    return None


def _lockdown(d: Draft) -> Incident | None:
    """The real lockdown that is open at the site."""
    known = (i for i in d.open_incidents() if i.incident_class is IncidentClass.LOCKDOWN and i.mode is Mode.LIVE)
    return next(known, None)


def _raise(d: Draft, incident: Incident, press: Press, why: str) -> Incident | None:
    """It is what the policy says that it is then; `None`: that is for a human to say."""
    wanted = d.policy(incident).corroborated.raises
    text = f"borne out: {why}" + ("" if wanted else "; the policy leaves it to a human to make more of it")
    d.entry(EntryKind.INCIDENT, Reason.CORROBORATED, text, incident=incident, device=press.device_id)
    if not wanted:
        return None
    lockdown = _lockdown(d)
    if lockdown is not None:
        return take_in(d, _sound_again(d, lockdown, press, why), incident)
    _end_drill(d, why)
    d.withdraw(incident, Reason.SUPERSEDED, kind=Kind.ALERT)  # who waits for "unconfirmed" reads what it is now
    raised = incidents.upgrade(d, incident, IncidentClass(wanted), replace(press, incident_class=IncidentClass(wanted)))
    drills.say_it_is_real(d, raised)
    return d.incident(raised.id) or raised


def _open_raised(d: Draft, event: Pressed, both: tuple[Press, Press], wanted: IncidentClass, why: str) -> None:
    """`both`: what the sensor heard, and the human's press."""
    _end_drill(d, why)
    press, human = (replace(each, incident_class=wanted) for each in both)
    raised = incidents.open_(d, wanted, press, Mode.LIVE, cause=event.cause)
    raised = incidents.merge(d, raised, human)
    d.entry(EntryKind.INCIDENT, Reason.CORROBORATED, f"borne out: {why}", incident=raised, device=press.device_id)
    drills.say_it_is_real(d, raised)


def _end_drill(d: Draft, why: str) -> None:
    """Nobody drills with sensors: what they bear out is real (promise 3)."""
    if d.drill is not None:
        drills.stop(d, d.drill, why)
    else:
        drill_news.overtake(d, why)
