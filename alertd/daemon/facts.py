"""`Facts` for one event: what the engine must know of the world, read inside the event's own transaction.

Owns: which facts a kind of event needs. Must never: decide anything, or read more than the kind needs; this runs for
each event on the path of a press.
"""

from alertd.engine.replies import site_for
from alertd.model.decision import Facts, Now, PhoneIncident
from alertd.model.events import (
    AnswerGiven,
    CorrectionOrdered,
    DispatchReported,
    Event,
    OutcomeReported,
    Pressed,
    Replied,
    ResolveOrdered,
)
from alertd.model.ids import DISTRICT, CauseId, SiteId
from alertd.model.notification import NotificationRow
from alertd.model.registry import Registry
from alertd.ports import Store, Transaction

TOKENS_OFFERED = 3
"""Reply tokens shown to a press, or a reply, that may open an incident; it takes the first."""
PHONE_MEMORY_US = 24 * 3600 * 1_000_000
"""A reply may speak of an incident that was opened this long ago, even if it is closed."""


def gather(tx: Transaction, registry: Registry, event: Event, now: Now) -> Facts:
    """The facts of one event."""
    state = tx.site_state(event.site_id)
    hashes = tuple(h for h in state.policy_hashes if h not in registry.policies_by_hash)
    cause: CauseId | None = getattr(event, "cause", None)
    row: NotificationRow | None = None
    phone: tuple[PhoneIncident, ...] = ()
    tokens: tuple[str, ...] = ()
    match event:
        case Pressed():
            tokens = tx.free_tokens(TOKENS_OFFERED, now.wall_us)
        case OutcomeReported():
            row = tx.notification(event.notification_id)
        case Replied():
            phone = _phone(tx, event, now)
            tokens = tx.free_tokens(TOKENS_OFFERED, now.wall_us)  # 8 and 9 open an incident
        case _:
            pass  # every other kind carries what it needs
    return Facts(
        registry=registry,
        policies=tx.policies(hashes) if hashes else {},
        opted_out=tx.opted_out(),
        broken_channels=tx.broken_channels(),
        free_tokens=tokens,
        seen_us=tx.seen_us(cause) if cause is not None else None,
        notification=row,
        phone=phone,
    )


def is_unrouted(event: Event) -> bool:
    """Came in without a site: only the store knows to which it belongs."""
    speaks_of_incident = isinstance(
        event, Replied | AnswerGiven | ResolveOrdered | CorrectionOrdered | DispatchReported | OutcomeReported
    )
    return speaks_of_incident and event.site_id == DISTRICT


def site_of(store: Store, tx: Transaction, registry: Registry, event: Event, now: Now) -> SiteId:
    """Where an unrouted event belongs; `DISTRICT` if it belongs nowhere, and then the engine says so."""
    match event:
        case Replied():
            person = registry.by_address.get(f"{event.channel}:{event.address}")
            home = person.sites[0] if person is not None and person.sites else DISTRICT
            return site_for(event.body, _phone(tx, event, now), home)
        case OutcomeReported():
            row = tx.notification(event.notification_id)
            return row.notification.site_id if row else DISTRICT
        case AnswerGiven() | ResolveOrdered() | CorrectionOrdered() | DispatchReported():
            known = store.read_incident(event.incident_id)
            return known.site_id if known else DISTRICT
        case _:
            return event.site_id


def _phone(tx: Transaction, event: Replied, now: Now) -> tuple[PhoneIncident, ...]:
    return tx.phone_incidents(f"{event.channel}:{event.address}", now.wall_us - PHONE_MEMORY_US)
