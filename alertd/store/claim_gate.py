"""The gate of every claim: may this row be sent, as things stand now? And which goes first, and what is written of one
that may not. The rules are `model.notification.claim_refused`'s; read here is what they ask for.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from alertd.model.anchor import Now
from alertd.model.decision import Entry, EntryKind
from alertd.model.mode import Mode
from alertd.model.notification import (
    TOGETHER_US,
    Circumstances,
    Kind,
    Notification,
    NotificationState,
    claim_refused,
    is_quiet,
)
from alertd.model.reason import Reason
from alertd.store import rows, sql
from alertd.store.sql import Session

SET_BACK_US = 5_000_000
"""Clocks of two nodes differ by less."""
Refusal = tuple[NotificationState, Reason]


class IncidentLife:
    """Mode and life of incidents, and where a drill runs, as the transaction that claims reads them."""

    def __init__(self, session: Session, ids: Sequence[str], *, with_drills: bool) -> None:
        self._session = session
        found = session.rows(sql.READ_INCIDENT_LIVES, (session.listed(ids),)) if ids else []
        self._incidents = {incident.id: incident for incident in (rows.incident(*row) for row in found)}
        self._drilling = {row[0] for row in session.rows(sql.READ_DRILLING_SITES)} if with_drills else set()

    @classmethod
    def of(cls, session: Session, notifications: Sequence[Notification]) -> "IncidentLife":
        with_drills = any(n.mode is Mode.DRILL for n in notifications)
        ids = sorted({n.incident_id for n in notifications if n.incident_id is not None})
        return cls(session, ids, with_drills=with_drills)

    def refuses(self, notification: Notification, now: Now, *, waited: bool) -> Refusal | None:
        """`waited`: it was written by another transaction than the one that asks."""
        incident = self._incidents.get(notification.incident_id) if notification.incident_id is not None else None
        life = Circumstances.of(notification, incident, drill_running=notification.site_id in self._drilling)
        if waited and notification.kind is Kind.PAGE and self._spoken_since(notification, now.wall_us):
            life = replace(life, spoken_since=True)
        return claim_refused(notification, life, now)

    def _spoken_since(self, page: Notification, wall_us: int) -> bool:
        """Were words written in a later decision that this page must not cut? For quiet: whatever is said at the site,
        and a clock that was set back since leaves that open; then they count as written. For words: the same again."""
        if wall_us < page.created_us - SET_BACK_US:
            return is_quiet(page)
        later = (page.endpoint.channel, page.created_us + TOGETHER_US, wall_us, page.site_id)
        said = self._session.rows(sql.READ_PAGES_BETWEEN, later * 3)
        found = (rows.notification(row, 0).notification for row in said)  # when they end does not matter here
        if is_quiet(page):
            return any(not is_quiet(n) for n in found)
        of, key = page.incident_id, page.endpoint.key
        return of is not None and any(n.incident_id == of and n.endpoint.key == key for n in found)


def urgency(notification: Notification) -> tuple[int, int, str]:
    """Order of claims: the lane, then whoever waits longest."""
    return notification.lane, notification.created_us, notification.id


def refusal_entry(notification: Notification, refusal: Refusal) -> Entry:
    """The line of the journal that says why it was not sent."""
    state, reason = refusal
    whom = notification.recipient or notification.endpoint.key
    return Entry(
        kind=EntryKind.NOTIFICATION,
        reason=reason,
        text=f"{notification.kind.value} to {whom} was not sent: {state.value}",
        incident_id=notification.incident_id,
        notification_id=notification.id,
    )
