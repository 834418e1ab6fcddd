"""What became of an attempt to tell somebody: tried again, asked about, given up, each with its reason."""

from hashlib import blake2b
from typing import assert_never

from msgspec.structs import replace

from alertd.engine import announcing, calls, dispatch_answers, texts, troubles
from alertd.engine.audience import instead_of, notice_of
from alertd.engine.draft import Draft
from alertd.engine.drills import news as drill_news
from alertd.engine.lifecycle import NOTIFICATION
from alertd.engine.telling import Message, text, told_instead
from alertd.model.anchor import Now
from alertd.model.decision import Entry, EntryKind, Turn
from alertd.model.events import OutcomeReported
from alertd.model.incident import EscalationState, Incident
from alertd.model.notification import (
    Circumstances,
    Kind,
    Lane,
    Notification,
    NotificationChange,
    NotificationRow,
    NotificationState,
    age_us,
    is_outlived,
    left_us,
    unwanted,
)
from alertd.model.outcome import Accepted, Delivered, Failed, Sent, Unknown, Withdrawn
from alertd.model.reason import Reason

PERSISTENT = frozenset({Lane.PANIC, Lane.STAFF, Lane.DRILL})
"""Tried until they expire. A drill measures how the real thing would go, and whoever heard that it began must hear how
it ends."""
ATTEMPTS_AT_MOST = 200
"""Tries of one panic notification. Its expiry is what ends it, an hour at most; the number only bounds a defect."""
ATTEMPTS_ROUTINE = 4
OTHER_ENDPOINT_AFTER = 2
"""Tries of a panic after which the person's other endpoint is told as well: a carrier that is away is tried again for
minutes, and whoever can be reached another way must not wait for that."""
RETRY_FIRST_S = 1.0
RETRY_LONGEST_S = 30.0
RETRY_LONGEST_YOUNG_S = 10.0
"""The same for a young panic: when the uplink is back, nobody waits for a pause that has grown."""
QUICK_TRIES = 3
"""Tries of a message to a dispatch centre that wait for no other."""
TURN_S = 20.0
"""After those, a site's messages to a centre that takes none are tried one after the other, this far apart, beside the
one that is true for longest and the one of those that open an incident there: forty that knock by themselves would look
like an attack, and be shut out for good. Once it takes one, all are due."""
TURN_LONGEST_S = 240.0
"""Nothing is put off for longer, however many wait; those for whom there is no turn in it are spread over its half."""
YOUNG_US = 300 * 1_000_000
NOT_FOUND = "not_found"
"""A look-up's answer: the provider certainly never had it."""

_RANK = {NotificationState.ACCEPTED: 1, NotificationState.SENT: 2, NotificationState.DELIVERED: 3}


def on_outcome(d: Draft, event: OutcomeReported) -> None:
    """Take up a result, if it belongs to the latest claim of a row that is not at its end."""
    row = d.facts.notification
    if row is None or not NOTIFICATION[row.state] or _stale(event, row):
        d.entry(
            EntryKind.OUTCOME,
            Reason.STALE_OUTCOME,
            "an outcome that no longer matters",
            notification_id=event.notification_id,
        )
        return
    incident = d.incident(row.notification.incident_id)
    outcome = event.outcome
    d.begun_us = event.begun_us
    match outcome:
        case Accepted() | Sent() | Delivered():
            _progress(d, row, outcome, incident)
        case Failed():
            _failed(d, row, outcome, incident, own=event.epoch is not None)
        case Withdrawn():
            _withdrawn(d, row, outcome, incident)
        case Unknown():
            _unknown(d, row, outcome, incident, looked_up=event.looked_up)
        case _:
            assert_never(outcome)


def _stale(event: OutcomeReported, row: NotificationRow) -> bool:
    """An attempt's own result must carry the row's epoch (fencing); a carrier's status must name its last ref; and
    not to know is no news of a row of which more is known. Once it is queued again, its last attempt is over: the ref
    is that one's until the next attempt has its own."""
    under_way = row.state in (NotificationState.CLAIMED, NotificationState.UNKNOWN)
    if row.state is NotificationState.QUEUED or (isinstance(event.outcome, Unknown) and not under_way):
        return True
    if event.epoch is not None:
        return event.epoch != row.epoch
    ref = getattr(event.outcome, "ref", "")
    return bool(row.ref and (under_way or (ref and ref != row.ref)))


def _note(d: Draft, row: NotificationRow, state: NotificationState, reason: Reason, words: str) -> None:
    """The incident's evidence, also once it is closed and no longer at hand: a phone may ring after that."""
    n = row.notification
    begun = {} if d.begun_us is None else {"begun_us": str(d.begun_us)}
    d.entries.append(
        Entry(
            kind=EntryKind.OUTCOME,
            reason=reason,
            text=f"{n.kind} to {n.recipient} by {n.endpoint.channel}: {words}",
            incident_id=n.incident_id,
            notification_id=n.id,
            data={"attempt": str(row.attempt), "state": state, "channel": n.endpoint.channel, **begun},
        )
    )


def _progress(d: Draft, row: NotificationRow, outcome: Accepted | Sent | Delivered, incident: Incident | None) -> None:
    n = row.notification
    state = {
        Accepted: NotificationState.ACCEPTED,
        Sent: NotificationState.SENT,
        Delivered: NotificationState.DELIVERED,
    }[type(outcome)]
    if _RANK[state] > _RANK.get(row.state, 0):
        d.change(
            NotificationChange(id=n.id, state=state, reason=n.reason, ref=outcome.ref or None, detail=outcome.detail)
        )
        _note(d, row, state, n.reason, state)
    elif _RANK[state] == _RANK.get(row.state) and outcome.detail not in ("", row.detail):
        d.change(NotificationChange(id=n.id, state=row.state, reason=row.reason, detail=outcome.detail))
        _note(d, row, row.state, n.reason, outcome.detail)  # a machine took the call: no more is known
    if n.endpoint.channel in d.facts.broken_channels:
        d.mended_channels.append(n.endpoint.channel)
        troubles.clear(d, f"channel:{n.endpoint.channel}")
    if n.kind is Kind.PAGE:
        announcing.was_taken(d, n, incident)
    if n.ends_drill is not None and (isinstance(outcome, Delivered) or not calls.is_call(d, n.endpoint)):
        drill_news.was_told(d, n)  # of a call less is known before somebody has taken it
    if state is not NotificationState.DELIVERED and _unwanted(d, row, incident) is not None:
        d.recall = True  # it was on its way when that was decided
    if not isinstance(outcome, Delivered):
        return
    if n.endpoint.dispatch:
        _centre_took(d, n, outcome, incident)


def _centre_took(d: Draft, n: Notification, outcome: Delivered, incident: Incident | None) -> None:
    troubles.clear(d, f"dispatch:{n.recipient}")
    if d.facts.turn is not None:
        d.try_now.append(n.endpoint.key)
    if incident is not None:
        dispatch_answers.on_answer(d, incident, n.recipient, outcome.answer)


def _withdrawn(d: Draft, row: NotificationRow, outcome: Withdrawn, incident: Incident | None) -> None:
    """It rings no more. Nobody has heard it, unless it was cut off; and then what is known of that stands."""
    why = _unwanted(d, row, incident)
    if row.notification.kind is Kind.PAGE:
        why = why or Reason.SILENCED  # nothing else takes back what a loudspeaker was given
    if outcome.taken or row.state is NotificationState.DELIVERED:
        _note(d, row, row.state, why or Reason.STALE_OUTCOME, outcome.detail or "cut off")
    elif why is None and outcome.gave_way:
        _end(d, row, NotificationState.WITHDRAWN, Reason.GAVE_WAY, outcome.detail or "taken back")
    elif why is None:  # not at our word
        words = f"canceled {outcome.detail or 'somebody canceled it at the provider'}"
        _give_up(d, row, incident, Reason.FAILED_PERMANENTLY, words)
    else:
        _end(d, row, NotificationState.WITHDRAWN, why, outcome.detail or "taken back")


def _unwanted(d: Draft, row: NotificationRow, incident: Incident | None) -> Reason | None:
    over = tuple(drill.id for drill in d.drills_over if drill.overtaken)
    now = Circumstances.of(row.notification, incident, drill_running=d.drill is not None, drills_overtaken=over)
    refused = unwanted(row.notification, now)
    return None if refused is None else refused[1]


def _failed(d: Draft, row: NotificationRow, failed: Failed, incident: Incident | None, *, own: bool) -> None:
    """`own`: the attempt's own result, no later word of the carrier."""
    n = row.notification
    if failed.not_tried:
        row = replace(row, attempt=max(0, row.attempt - 1))  # nobody was asked: it was no attempt
    # What an earlier attempt sent has become known since this one began, which takes nothing back of it.
    stands = own and row.state in _RANK and row.ref not in ("", failed.ref)
    if n.ends_drill is not None and not stands:
        drill_news.was_not_told(d, n)
    if failed.opted_out:
        d.opt_out(n.endpoint)
        person = d.facts.registry.by_address.get(n.endpoint.key)
        if person is not None:
            texts.raise_opted_out(d, person, n.endpoint)
    if failed.breaks_channel:
        d.broken_channels.append(n.endpoint.channel)
        troubles.raise_(
            d, f"channel:{n.endpoint.channel}", f"{n.endpoint.channel} reaches nobody: {failed.detail}", rings=True
        )
    if stands:
        _note(d, row, row.state, Reason.STALE_OUTCOME, f"{row.state} all the same ({_words(failed)})")
    elif failed.unanswered:
        _nobody_took_it(d, row, failed, incident)
    elif not failed.permanent and _may_try_again(d, row, incident, _words(failed)):
        never_left = failed.code == NOT_FOUND
        delay_s = 0.0 if never_left else _pause_s(d, row, failed.retry_after_s)
        why = Reason.NOT_TRIED if failed.not_tried else Reason.RETRYING
        _queue(d, row, incident, why, delay_s, failed)
    elif failed.permanent:
        _give_up(d, row, incident, Reason.FAILED_PERMANENTLY, _words(failed))


def _nobody_took_it(d: Draft, row: NotificationRow, failed: Failed, incident: Incident | None) -> None:
    """The call is over, and so is its row: what rings next is a call of its own, with what is known then."""
    words = _words(failed)
    again = calls.ring_again_later(d, row, incident, failed)
    _end(d, row, NotificationState.FAILED, Reason.UNANSWERED, f"{words}; rings again" if again else words)
    if row.notification.redial == 0:
        _other_endpoint(d, row, incident)


def _unknown(d: Draft, row: NotificationRow, unknown: Unknown, incident: Incident | None, *, looked_up: bool) -> None:
    """Nobody knows whether it went out. Ask the provider; if that does not help, a panic is sent again (a duplicate
    beats a loss), a nuisance is not."""
    n = row.notification
    if not looked_up:
        d.change(
            NotificationChange(
                id=n.id, state=NotificationState.UNKNOWN, reason=Reason.ASKED_PROVIDER, detail=unknown.detail
            )
        )
        d.look_ups.append(n.id)
        words = f"outcome unknown ({unknown.detail}), asking"
        _note(d, row, NotificationState.UNKNOWN, Reason.ASKED_PROVIDER, words)
    elif not n.resend_unknown:
        _give_up(d, row, incident, Reason.UNKNOWN_NOT_RESENT, unknown.detail)
    elif _may_try_again(d, row, incident, unknown.detail):
        # Once at once: the look-up took its time. After that the carrier is in trouble, and tries must last.
        delay_s = 0.0 if row.attempt <= 1 else _pause_s(d, row)
        _queue(d, row, incident, Reason.RESENT_UNKNOWN, delay_s, unknown)


def _may_try_again(d: Draft, row: NotificationRow, incident: Incident | None, detail: str) -> bool:
    n = row.notification
    most = ATTEMPTS_AT_MOST if _persists(n) else ATTEMPTS_ROUTINE
    if n.reason is Reason.SAID:
        most = 1  # whoever said it sees that it failed, and may have thought better of it
    if n.incident_id is not None and _is_outlived(n, incident):
        _end(d, row, NotificationState.WITHDRAWN, Reason.INCIDENT_CLOSED, detail)
    elif drill_news.is_overtaken(d, n):
        _end(d, row, NotificationState.WITHDRAWN, Reason.DRILL_IS_REAL, detail)
    elif left_us(n, d.now) <= 0:
        _end(d, row, NotificationState.EXPIRED, Reason.EXPIRED, detail)
        _other_endpoint(d, row, incident)
    elif row.attempt >= most:
        _give_up(d, row, incident, Reason.ATTEMPTS_EXHAUSTED, detail)
    else:
        return True
    return False


def _persists(n: Notification) -> bool:
    """A call that rings a phone once more only waits behind the others; it is tried as long as they are."""
    return n.lane in PERSISTENT or (n.while_looking and n.lane is Lane.NEXT)


def _is_outlived(n: Notification, incident: Incident | None) -> bool:
    if n.kind is Kind.PAGE and incident is not None and announcing.is_stale(n, incident):
        return True
    stopped = incident is not None and incident.escalation is EscalationState.STOPPED
    return is_outlived(n.kind, incident_open=incident is not None, incident_stopped=stopped)


def _words(outcome: Failed | Unknown) -> str:
    return f"{outcome.code} {outcome.detail}".strip() if isinstance(outcome, Failed) else outcome.detail


def _pause_s(d: Draft, row: NotificationRow, asked_s: float | None = None) -> float:
    """`asked_s`: what the provider asks for."""
    turn = d.facts.turn
    if turn is not None and row.attempt >= QUICK_TRIES and not _knocks(row.notification, turn, d.now):
        turn_s = max(0.0, (turn.last_us - d.now.boot_us) / 1_000_000) + TURN_S
        if turn_s > TURN_LONGEST_S:
            turn_s = TURN_LONGEST_S * (1 + _spread(row.notification.id, row.attempt)) / 2
        return max(turn_s, asked_s or 0.0)
    if asked_s:
        return asked_s
    young = _persists(row.notification) and age_us(row.notification, d.now) < YOUNG_US
    return backoff_s(row.notification.id, row.attempt, RETRY_LONGEST_YOUNG_S if young else RETRY_LONGEST_S)


def _knocks(n: Notification, turn: Turn, now: Now) -> bool:
    """By itself, whatever waits: the message that is true for longest, for those whose turn it is may have expired; and
    of those that open an incident there, for a centre may refuse what it was told nothing of. What this boot wrote is
    compared in its time, which nobody sets: an earlier one's clock may have been wrong, and favor what is old."""
    ends_us, longest_us, opening_us = n.expires_us, turn.ends_us, turn.opening_ends_us
    if n.expires_boot_us is not None and n.boot_id == now.boot_id:
        ends_us, longest_us, opening_us = n.expires_boot_us, turn.ends_boot_us, turn.opening_ends_boot_us
    if n.kind is Kind.DISPATCH_NEW and ends_us >= opening_us:
        return True
    return n.kind is not Kind.DISPATCH_HEARTBEAT and ends_us >= longest_us


def backoff_s(notification_id: str, attempt: int, longest_s: float) -> float:
    """Doubling, with a jitter that comes from the id: spread over a carrier, the same on every run."""
    jitter = 0.5 + _spread(notification_id, attempt)
    return float(min(longest_s, RETRY_FIRST_S * 2 ** max(0, attempt - 1)) * jitter)


def _spread(notification_id: str, attempt: int) -> float:
    """From 0 to 1."""
    return int.from_bytes(blake2b(f"{notification_id}/{attempt}".encode(), digest_size=2).digest(), "big") / 0x1_0000


def _queue(
    d: Draft,
    row: NotificationRow,
    incident: Incident | None,
    reason: Reason,
    delay_s: float,
    outcome: Failed | Unknown,
) -> None:
    n = row.notification
    detail, ref = _words(outcome), outcome.ref if isinstance(outcome, Failed) else ""
    d.change(
        NotificationChange(
            id=n.id,
            state=NotificationState.QUEUED,
            reason=reason,
            not_before_us=d.now.boot_us + int(delay_s * 1_000_000),
            ref=ref or None,
            detail=detail,
            attempt=row.attempt if reason is Reason.NOT_TRIED else None,
        )
    )
    _note(d, row, NotificationState.QUEUED, reason, f"again in {delay_s:.1f} s ({detail})")
    tried = reason is not Reason.NOT_TRIED
    if tried and _persists(n) and row.attempt == OTHER_ENDPOINT_AFTER and not n.endpoint.dispatch:
        _other_endpoint(d, row, incident, still_tried=True)


def _end(d: Draft, row: NotificationRow, state: NotificationState, reason: Reason, detail: str) -> None:
    d.change(NotificationChange(id=row.notification.id, state=state, reason=reason, detail=detail))
    _note(d, row, state, reason, f"{state} ({detail})")
    if row.notification.kind is Kind.PAGE and state is not NotificationState.WITHDRAWN:
        announcing.was_not_taken(d, row.notification, detail)


def _give_up(d: Draft, row: NotificationRow, incident: Incident | None, reason: Reason, detail: str) -> None:
    """This endpoint cannot be reached: say so, and try another of the same person, or the next dispatch centre."""
    _end(d, row, NotificationState.FAILED, reason, detail)
    n = row.notification
    if n.endpoint.dispatch:
        troubles.raise_(d, f"dispatch:{n.recipient}", f"{n.recipient} cannot be told: {detail}", rings=True)
        if incident is not None and n.kind is Kind.DISPATCH_NEW:
            dispatch_answers.on_accept_timeout(d, incident, n.recipient)
    else:
        _other_endpoint(d, row, incident)


def _other_endpoint(d: Draft, row: NotificationRow, incident: Incident | None, *, still_tried: bool = False) -> None:
    """Once: for a panic perhaps before its last try, and then not again. The best of those left comes first; what is
    sent instead of another goes on to the endpoints that nobody has tried."""
    n = row.notification
    person = d.facts.registry.by_address.get(n.endpoint.key)
    if incident is None or person is None or _is_outlived(n, incident) or _unwanted(d, row, incident):
        return
    hides = n.template.endswith(".staff")
    if _persists(n) and row.attempt > OTHER_ENDPOINT_AFTER and not hides:
        return
    told = {t.endpoint_key for t in incident.told}
    tried = told if n.reason is Reason.OTHER_CHANNEL or calls.is_call(d, n.endpoint) else set()
    notice = notice_of(incident.incident_class, incident.mode)
    stopped = d.facts.opted_out
    others = [e for e in instead_of(d.facts.registry, person, n.endpoint, notice, stopped) if e.key not in tried]
    others = [e for e in others if e.key not in told or not calls.is_call(d, e)]  # that phone rings for it already
    if still_tried and hides:  # who hides had better not be rung while a text may come
        others = [e for e in others if not calls.is_call(d, e)]
    # A text before a call, for the same reason.
    others.sort(key=lambda e: (e.key in d.facts.opted_out, e.channel in d.facts.broken_channels, calls.is_call(d, e)))
    for endpoint in others[:1]:
        message = Message(
            kind=n.kind,
            template=n.template,
            reason=Reason.OTHER_CHANNEL,
            occasion=f"instead of/{n.id}",
            extra=n.params,
        )
        suppressed = Reason.OPTED_OUT if endpoint.key in d.facts.opted_out else None
        sent = text(d, incident, message, person, endpoint, suppressed)
        if sent is not None:
            told_instead(d, incident, n.endpoint.key, endpoint, sent if calls.is_call(d, endpoint) else "")
