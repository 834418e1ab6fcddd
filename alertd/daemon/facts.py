"""`Facts` for one event: what the engine must know of the world, read inside the event's own transaction.

Owns: which facts a kind of event needs. Must never: decide anything, or read more than the kind needs; this runs for
each event on the path of a press.
"""

from collections import OrderedDict
from collections.abc import Sequence

from msgspec.structs import replace

from alertd.engine.replies import site_for
from alertd.model.anchor import Now
from alertd.model.decision import Decision, Facts, PhoneIncident, Turn
from alertd.model.events import (
    AnswerGiven,
    CorrectionOrdered,
    DispatchReported,
    Event,
    Keyed,
    OutcomeReported,
    Pressed,
    Replied,
    ResolveOrdered,
    TimerFired,
    Unregistered,
)
from alertd.model.ids import DISTRICT, CauseId, IncidentId, NotificationId, SiteId
from alertd.model.notification import NotificationRow, Written, age_us
from alertd.model.registry import Registry
from alertd.model.timer import TimerKind
from alertd.ports import Store, Transaction

TOKENS_OFFERED = 3
"""Reply tokens shown to a press, or a reply, that may open an incident; it takes the first."""
SITES_MAX = 10_000
"""Notifications whose site is remembered."""
PHONE_MEMORY_US = 24 * 3600 * 1_000_000
"""A reply may speak of an incident that was opened this long ago, even if it is closed."""


def gather(tx: Transaction, registry: Registry, event: Event, now: Now) -> Facts:
    """The facts of one event."""
    state = tx.site_state(event.site_id)
    hashes = tuple(h for h in state.policy_hashes if h not in registry.policies_by_hash)
    cause: CauseId | None = getattr(event, "cause", None)
    seen_us = tx.seen_us(cause) if cause is not None else None
    row: NotificationRow | None = None
    turn: Turn | None = None
    phone: tuple[PhoneIncident, ...] = ()
    tokens: tuple[str, ...] = ()
    match event:
        case Unregistered(presses=presses):
            seen_us = max((us for us in (seen_us, *map(tx.seen_us, presses)) if us is not None), default=None)
        case Pressed():
            tokens = tx.free_tokens(TOKENS_OFFERED)
        case OutcomeReported():
            row = tx.notification(event.notification_id)
            if row is not None and row.notification.endpoint.dispatch:
                turn = tx.turn(event.site_id, row.notification.endpoint.key)
        case Replied():
            phone = _phone_of(tx, registry, event, now)
            tokens = tx.free_tokens(TOKENS_OFFERED)  # 8 and 9 open an incident
        case Keyed():
            row = tx.notification(event.notification_id)
            phone = _phone(tx, row.notification.endpoint.key, now) if row else ()
            tokens = tx.free_tokens(TOKENS_OFFERED)
        case TimerFired(timer=timer) if timer.kind is TimerKind.REDIAL:
            row = tx.notification(NotificationId(timer.detail))
        case _:
            pass  # every other kind carries what it needs
    return Facts(
        registry=registry,
        policies=tx.policies(hashes) if hashes else {},
        opted_out=tx.opted_out(),
        broken_channels=tx.broken_channels(),
        free_tokens=tokens,
        seen_us=seen_us,
        notification=row,
        turn=turn,
        phone=phone,
    )


class KnownSites:
    """Sites of the notifications that this process wrote last. A notification's site never changes, and what is said
    about it comes without it: it need not be looked up. Belongs to the writer."""

    def __init__(self) -> None:
        self._sites: OrderedDict[NotificationId, SiteId] = OrderedDict()

    def learn(self, decisions: Sequence[Decision]) -> None:
        """After their commit."""
        for decision in decisions:
            for row in decision.notifications:
                self._sites[row.notification.id] = row.notification.site_id
        while len(self._sites) > SITES_MAX:
            self._sites.popitem(last=False)

    def routed(self, event: Event) -> Event:
        """With its site, if it speaks of one of those."""
        if isinstance(event, OutcomeReported | Keyed) and event.site_id == DISTRICT:
            site_id = self._sites.get(event.notification_id, DISTRICT)
            return event if site_id == DISTRICT else replace(event, site_id=site_id)
        return event


def is_unrouted(event: Event) -> bool:
    """Came in without a site: only the store knows to which it belongs."""
    speaks_of_incident = isinstance(
        event, Replied | Keyed | AnswerGiven | ResolveOrdered | CorrectionOrdered | DispatchReported | OutcomeReported
    )
    return speaks_of_incident and event.site_id == DISTRICT


def site_of(store: Store, tx: Transaction, registry: Registry, event: Event, now: Now) -> SiteId:
    """Where an unrouted event belongs; `DISTRICT` if it belongs nowhere, and then the engine says so."""
    match event:
        case Replied():
            person = registry.by_address.get(f"{event.channel}:{event.address}")
            home = person.sites[0] if person is not None and person.sites else DISTRICT
            phone = _phone_of(tx, registry, event, now)
            return site_for(event.body, phone, home)
        case OutcomeReported() | Keyed():
            row = tx.notification(event.notification_id)
            return row.notification.site_id if row else DISTRICT
        case AnswerGiven() | ResolveOrdered() | CorrectionOrdered() | DispatchReported():
            known = store.read_incident(event.incident_id)
            return known.site_id if known else DISTRICT
        case _:
            return event.site_id


def _phone_of(tx: Transaction, registry: Registry, event: Replied, now: Now) -> tuple[PhoneIncident, ...]:
    """What the phone was told of, over whichever of our numbers: a code that is typed in the thread of another sender
    is the same code."""
    key = f"{event.channel}:{event.address}"
    person = registry.by_address.get(key)
    endpoints = person.endpoints if person is not None else ()
    told = {name: _phone(tx, name, now) for name in dict.fromkeys((key, *(e.key for e in endpoints)))}
    heard: dict[IncidentId, Written] = {}
    for each in (each for name in told for each in told[name]):
        if each.told is not None:
            known = heard.setdefault(each.incident_id, each.told)
            heard[each.incident_id] = max(known, each.told, key=lambda written: age_us(written, now))
    same_phone = (key, *(e.key for e in endpoints if e.address == event.address and e.key != key))
    of_phone = {each.incident_id: each for name in same_phone for each in told[name]}
    read = (replace(each, told=heard.get(each.incident_id)) for each in of_phone.values())
    return tuple(sorted(read, key=lambda each: (not each.is_open, -each.seq, -each.opened_us)))


def _phone(tx: Transaction, endpoint_key: str, now: Now) -> tuple[PhoneIncident, ...]:
    return tx.phone_incidents(endpoint_key, now.wall_us - PHONE_MEMORY_US)
