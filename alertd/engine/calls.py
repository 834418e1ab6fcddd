"""Phones that ring: which messages are worth a call, what the call says, and when nobody took it, when to ring again.

A call is loud where a text is not, and a phone can take one call at a time. So: who is asked to come is called (alert,
reminder, exhausted); what adds to it is texted, and is called only if no text reaches that person; answers are spoken
in the call that asked. The presser's own phone never rings: it may lie in the hand that hides.
"""

from msgspec.structs import replace

from alertd.engine import spoken, wording
from alertd.engine.draft import Draft, template_of
from alertd.model import call_script
from alertd.model.call_script import CallScript
from alertd.model.decision import EntryKind
from alertd.model.incident import EscalationState, Incident, IncidentState, Press, Told
from alertd.model.mode import Mode
from alertd.model.notification import Circumstances, Kind, Lane, Notification, NotificationRow
from alertd.model.outcome import Failed
from alertd.model.people import Endpoint, Person
from alertd.model.policy import Policy
from alertd.model.reason import Reason
from alertd.model.timer import TimerKind

VOICE = "voice"
"""Kind of channels that ring a phone."""
REDIALS_MAX = 2
"""A phone that nobody takes is called so often again, for one step of the policy."""
REDIAL_S = 20.0
"""Before a phone rings again, where its channel does not say otherwise: time to find it, or to end another call."""

RINGS = frozenset({Kind.ALERT, Kind.REMINDER, Kind.EXHAUSTED})
"""Asks somebody to come, who may not look at a screen."""
RINGS_UNTEXTED = frozenset({Kind.ALSO, Kind.NOT_ARRIVED, Kind.CORRECTION})
"""Adds to what is known: a text brings it. Where none does, the phone rings."""
NO_KEYS = frozenset({Kind.CORRECTION})
"""Tells, and asks nothing."""
BY_NATURE = frozenset({Reason.TEXTED, Reason.NOT_BY_CALL})
"""Why a phone stays silent that has to do with the message, not with the person: said once a message."""
MARK = {Mode.LIVE: "", Mode.DRILL: wording.SPOKEN[wording.DRILL], Mode.TEST: "This is a test."}
"""Spoken before and after (promise 3)."""
Marks = tuple[str, str]
"""Spoken before and after instead."""


def is_call(d: Draft, endpoint: Endpoint) -> bool:
    rules = d.facts.registry.channels.get(endpoint.channel)
    return rules is not None and rules.kind == VOICE


def quiet(d: Draft, channels: tuple[str, ...]) -> tuple[str, ...]:
    """A step's channels for those who are told to hide: a phone that rings gives a room away."""
    kinds = d.facts.registry.channels
    return tuple(name for name in channels if name not in kinds or kinds[name].kind != VOICE)


def left_silent(d: Draft, incident: Incident, kind: Kind, person: Person, endpoint: Endpoint) -> Reason | None:
    """Why this phone does not ring for this message; `None`: it does, or the endpoint is no phone to be called."""
    if not is_call(d, endpoint):
        return None
    if any(press.assigned_to == person.id for press in incident.presses):
        return Reason.PRESSER
    if kind in RINGS:
        return None
    if kind not in RINGS_UNTEXTED:
        return Reason.NOT_BY_CALL
    texted = {told.endpoint_key for told in incident.told if told.person_id == person.id}
    reached = any(e.key in texted and not is_call(d, e) and e.key not in d.facts.opted_out for e in person.endpoints)
    return Reason.TEXTED if reached else None


def hush_presser(d: Draft, incident: Incident, press: Press) -> None:
    """A call to the wearer may have waited for a line when the badge was pressed, too."""
    wearer = d.facts.registry.people.get(press.assigned_to) if press.assigned_to is not None else None
    for endpoint in wearer.endpoints if wearer is not None else ():
        if is_call(d, endpoint) and any(told.person_id == press.assigned_to for told in incident.told):
            d.withdraw_from(incident, endpoint, Reason.PRESSER)


def as_call(d: Draft, incident: Incident, n: Notification, extra: dict[str, str]) -> Notification:
    """The same message for the ear; `extra`: parameters of its own. What repeats a call is worthless once somebody
    goes, and goes behind every phone that has not rung yet, of whatever school (promise 2)."""
    policy = d.policy(incident)
    of = wording.told_of(incident, n.kind)
    params = n.params | spoken.params(d.facts.registry, d.site, of, d.now.wall_us) | extra
    script = script_of(
        policy,
        n,
        params,
        presses=len(incident.presses),
        keys=n.kind not in NO_KEYS,
        marks=_marks(d, incident, n),
    )
    redial = int(extra.get("redial", "0"))
    repeats = redial > 0 or n.kind in (Kind.REMINDER, Kind.EXHAUSTED)
    told = _told(incident, n.endpoint)
    rang = repeats and n.lane is Lane.PANIC and n.ends_drill is None and told is not None and told.last_call != ""
    return replace(
        n,
        lane=Lane.NEXT if rang else n.lane,
        params=params,
        text=script.main,
        body=call_script.encode(script),
        redial=redial,
        while_looking=repeats,
        rings=n.kind not in NO_KEYS,
    )


def _marks(d: Draft, incident: Incident, n: Notification) -> Marks | None:
    """Around it, for somebody who may believe in a drill; `None`: those of its mode."""
    if n.ends_drill is not None:
        return wording.SPOKEN[wording.REAL], ""
    return (wording.SPOKEN[wording.NOT_A_DRILL], "") if d.goes_on_beside_drill(incident, n.endpoint) else None


def script_of(
    policy: Policy, n: Notification, params: dict[str, str], *, presses: int, keys: bool, marks: Marks | None = None
) -> CallScript:
    """Everything the call may say, with the marks of its mode around what it says first and what a machine records."""

    def words(name: str) -> str:
        return wording.render(template_of(policy, name, n.mode), params, 0)

    before, after = marks or (MARK[n.mode], MARK[n.mode])

    def marked(text: str) -> str:
        return f"{before} {text} {after}".strip()

    main = marked(words(f"call.{n.template}"))
    if not keys:
        return CallScript(main=main, voicemail=main, presses=presses)
    return CallScript(
        main=main,
        prompt=words("call.prompt"),
        by_text=words("call.by_text"),
        silence=words("call.silence"),
        voicemail=marked(words("call.voicemail")),
        presses=presses,
        written_us=n.created_us,
        upgrades=n.upgrades,
    )


def told_only(policy: Policy, n: Notification, params: dict[str, str], marks: Marks | None = None) -> Notification:
    """A call that asks nothing (a trouble, a test, a notice of a drill): heard, and no key."""
    script = script_of(policy, n, params, presses=0, keys=False, marks=marks)
    return replace(n, text=script.main, body=call_script.encode(script))


# --- nobody took it -------------------------------------------------------------------------------------------------


def ring_again_later(d: Draft, row: NotificationRow, incident: Incident | None, failed: Failed) -> bool:
    """Nobody took a call that a step asked for: ring again after a pause, unless it rang often enough."""
    n = row.notification
    told = _told(incident, n.endpoint)
    if incident is None or told is None or told.last_call != n.id or n.redial >= REDIALS_MAX:
        return False
    if n.kind is Kind.EXHAUSTED or not _is_looking(incident):
        return False  # every two minutes it rings anyway
    d.timer(TimerKind.REDIAL, failed.retry_after_s or REDIAL_S, incident, number=n.redial + 1, detail=n.id)
    return True


def redial(d: Draft, incident: Incident) -> tuple[Person, Endpoint, NotificationRow] | None:
    """Whom to call again now; `None`, said why, if nobody: somebody goes, it is over, or a newer call rang there."""
    row = d.facts.notification
    person = None if row is None else d.facts.registry.by_address.get(row.notification.endpoint.key)
    told = None if row is None else _told(incident, row.notification.endpoint)
    if row is None or person is None or told is None or told.last_call != row.notification.id:
        d.entry(EntryKind.NOTIFICATION, Reason.STALE_TIMER, "a newer call rang there", incident=incident)
        return None
    if Circumstances.of(row.notification, incident, drill_running=True).recipient_answered:
        text = f"{row.notification.recipient} is not called again"
        d.entry(EntryKind.NOTIFICATION, Reason.ANSWERED_OTHERWISE, text, incident=incident)
        return None
    if not _is_looking(incident):
        text = f"{row.notification.recipient} is not called again"
        d.entry(EntryKind.NOTIFICATION, Reason.SOMEBODY_GOES, text, incident=incident)
        return None
    return person, row.notification.endpoint, row


def _is_looking(incident: Incident) -> bool:
    looking = incident.escalation in (EscalationState.RUNNING, EscalationState.EXHAUSTED)
    return looking and incident.state is IncidentState.ACTIVE


def _told(incident: Incident | None, endpoint: Endpoint) -> Told | None:
    if incident is None:
        return None
    return next((told for told in incident.told if told.endpoint_key == endpoint.key), None)
