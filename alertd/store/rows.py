"""Model values to rows and back. Owns the blobs; knows no connection and decides nothing.

A blob is the JSON of one model struct beside `SCHEMA`, the version of the shapes it was written in. A newer alertd
reads older blobs: unknown fields are ignored, new ones have defaults, and anything harder gets a case in `_decode`.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from alertd.model.anchor import Now
from alertd.model.check_in import LastSeen
from alertd.model.decision import PhoneIncident, Turn
from alertd.model.device_memory import GestureCount
from alertd.model.drill import Drill
from alertd.model.events import Event
from alertd.model.ids import CauseId, SiteId
from alertd.model.incident import NOBODY, SEVERITY, Incident, IncidentClass
from alertd.model.mode import Mode
from alertd.model.notification import (
    Claim,
    Notification,
    NotificationChange,
    NotificationRow,
    NotificationState,
    Written,
    age_us,
)
from alertd.model.policy import Policy
from alertd.model.reason import Reason
from alertd.model.timer import Timer
from alertd.model.trouble import Trouble
from alertd.ports import StoreError
from alertd.store import sql
from alertd.store.sql import Row

SCHEMA = 1
"""Version of the shapes of all blobs."""
CONTENTS_REMEMBERED = 1024
"""Notifications kept as read: their content never changes, and is read at the claim and at each status."""

T = TypeVar("T", bound=Struct)


class _Class(Struct, frozen=True):
    """The one field of an incident's blob that a reply asks for."""

    incident_class: IncidentClass


class _Born(Struct, frozen=True):
    """What notifications said of their boot time before they said when they end in it."""

    created_boot_us: int | None = None


_encode = msgspec.json.Encoder().encode
_DECODERS: dict[type[Struct], msgspec.json.Decoder[Any]] = {
    kind: msgspec.json.Decoder(kind)
    for kind in (Incident, _Class, _Born, Trouble, GestureCount, Drill, Policy, Notification, Timer, LastSeen, Written)
}


class Moment(Struct, frozen=True, kw_only=True):
    """When and by whom is written. `wall_us` is the clock that outlives this boot, and that all nodes share: ours on
    SQLite, the database's on PostgreSQL. Leases run on `lease_us`: boot time on SQLite, the database's clock on
    PostgreSQL."""

    owner: str
    boot_id: str
    boot_us: int
    wall_us: int
    lease_us: int
    lease_until_us: int
    ahead_us: int = 0
    """Of the store's clock, before ours: what stands in a row is so much later than we would say."""


def _decode(kind: type[T], schema: int, blob: bytes) -> T:
    if schema > SCHEMA:
        raise StoreError(
            f"a stored {kind.__name__} has the shape of version {schema}; this alertd reads up to {SCHEMA}."
            " Install the alertd that wrote it, or a newer one."
        )
    try:
        value: T = _DECODERS[kind].decode(blob)
    except msgspec.DecodeError as error:
        raise StoreError(f"a stored {kind.__name__} cannot be read: {error}. Restore the last backup.") from error
    return value


def incident_row(incident: Incident) -> Row:
    return (
        incident.id,
        incident.site_id,
        "open" if incident.is_open else "closed",
        incident.mode.value,
        incident.token,
        incident.headline,
        incident.opened_us,
        incident.closed_us,
        incident.closed_by,
        SCHEMA,
        _encode(incident),
    )


def incident(schema: int, blob: bytes) -> Incident:
    return _decode(Incident, schema, blob)


def cause_row(cause: CauseId, site_id: SiteId, moment: Moment) -> Row:
    return cause, site_id, moment.wall_us, moment.boot_us, moment.boot_id


def seen_us(row: Row, moment: Moment, now: Now) -> int:
    """From the columns of `sql.READ_CAUSE`: what our clock of now would have shown then."""
    at_us, boot_us, boot_id = row
    ago_us: int = moment.boot_us - boot_us if boot_id == moment.boot_id else moment.wall_us - at_us
    return now.wall_us - ago_us


def trouble_row(trouble: Trouble) -> Row:
    return trouble.site_id, trouble.key, trouble.raised_us, trouble.cleared_us, SCHEMA, _encode(trouble)


def trouble(schema: int, blob: bytes) -> Trouble:
    return _decode(Trouble, schema, blob)


def gesture_row(site_id: SiteId, gesture: GestureCount) -> Row:
    return site_id, gesture.device_id, SCHEMA, _encode(gesture)


def gesture(schema: int, blob: bytes) -> GestureCount:
    return _decode(GestureCount, schema, blob)


def drill_row(drill: Drill) -> Row:
    return drill.id, drill.site_id, drill.state.value, drill.started_us, SCHEMA, _encode(drill)


def drill(schema: int, blob: bytes) -> Drill:
    return _decode(Drill, schema, blob)


def last_seen_row(seen: LastSeen) -> Row:
    return seen.device_id, seen.seen_us, SCHEMA, _encode(seen)


def last_seen(schema: int, blob: bytes) -> LastSeen:
    return _decode(LastSeen, schema, blob)


def policy_row(site_id: SiteId, content_hash: str, policy: Policy) -> Row:
    return content_hash, site_id, SCHEMA, _encode(policy)


def policy(schema: int, blob: bytes) -> Policy:
    return _decode(Policy, schema, blob)


def timer_row(timer: Timer, moment: Moment) -> Row:
    delay_us = max(0, int(timer.delay_s * 1_000_000))
    return (
        timer.id,
        timer.site_id,
        moment.boot_us + delay_us,
        moment.boot_id,
        moment.wall_us + delay_us,
        delay_us,
        0,
        SCHEMA,
        _encode(timer),
    )


def timer(schema: int, blob: bytes) -> Timer:
    return _decode(Timer, schema, blob)


def restamps(moment: Moment) -> list[tuple[str, list[Row]]]:
    """Statements with their rows: everything of this boot in the time that the store's clock shows now."""
    return [(statement, [(moment.wall_us - moment.boot_us, moment.boot_id)]) for statement in sql.RESTAMP]


def is_due(not_before_us: int, moment: Moment) -> bool:
    return not_before_us <= moment.boot_us


def notification_row(row: NotificationRow, moment: Moment, *, claimed: bool) -> Row:
    """A new row; `claimed` makes it born leased: its first attempt has begun."""
    content = row.notification
    delay_us = max(0, row.not_before_us - moment.boot_us) if row.not_before_us else 0
    return (
        content.id,
        content.site_id,
        content.incident_id,
        content.endpoint.channel,
        content.endpoint.key,
        content.mode.value,
        content.kind.value,
        int(content.lane),
        content.created_us,
        content.expires_us + moment.ahead_us,
        content.expires_boot_us,
        content.boot_id,
        NotificationState.CLAIMED.value if claimed else row.state.value,
        row.reason.value,
        1 if claimed else row.attempt,
        1 if claimed else row.epoch,
        row.not_before_us,
        moment.boot_id,
        moment.wall_us + delay_us,
        delay_us,
        moment.owner if claimed else "",
        moment.lease_until_us if claimed else 0,
        row.ref,
        row.detail,
        SCHEMA,
        _encode(content),
    )


def change_row(change: NotificationChange, moment: Moment) -> Row:
    """Parameters of `sql.CHANGE_NOTIFICATION`. A row of unknown outcome stays leased while its provider is asked."""
    asked = change.state is NotificationState.UNKNOWN
    held: Row = (None, None, None, None)
    if change.not_before_us is not None:
        delay_us = max(0, change.not_before_us - moment.boot_us)
        held = (change.not_before_us, moment.boot_id, moment.wall_us + delay_us, delay_us)
    return (
        change.state.value,
        change.reason.value,
        change.ref,
        change.detail,
        *held,
        change.attempt,
        moment.owner if asked else "",
        moment.lease_until_us if asked else 0,
        change.id,
    )


def _with_end(content: Notification, created_boot_us: int | None) -> Notification:
    """One that was written before ends were noted in boot time: it ends as it would have."""
    if created_boot_us is None:
        return content
    return replace(content, expires_boot_us=created_boot_us + content.expires_us - content.created_us)


@lru_cache(CONTENTS_REMEMBERED)
def _content(schema: int, blob: bytes, expires_us: int) -> Notification:
    content = _decode(Notification, schema, blob)
    if content.expires_boot_us is None and content.boot_id:
        content = _with_end(content, _decode(_Born, schema, blob).created_boot_us)
    return content if content.expires_us == expires_us else replace(content, expires_us=expires_us)


def notification(row: Row, ahead_us: int) -> NotificationRow:
    """From the columns of `sql.STANDING`; `ahead_us`: see `Moment`."""
    schema, blob, expires_us, state, reason, attempt, epoch, not_before_us, ref, detail = row
    return NotificationRow(
        notification=_content(schema, blob, expires_us - ahead_us),
        state=NotificationState(state),
        reason=Reason(reason),
        attempt=attempt,
        epoch=epoch,
        not_before_us=not_before_us,
        ref=ref,
        detail=detail,
    )


def turn(
    last_us: int, ends_us: int, opening_ends_us: int, ends_boot_us: int, opening_ends_boot_us: int, *, ahead_us: int
) -> Turn:
    """From the columns of `sql.READ_TURN`; `ahead_us`: see `Moment`."""
    return Turn(
        last_us=last_us,
        ends_us=max(0, ends_us - ahead_us),
        opening_ends_us=max(0, opening_ends_us - ahead_us),
        ends_boot_us=ends_boot_us,
        opening_ends_boot_us=opening_ends_boot_us,
    )


def next_claim(row: NotificationRow) -> Claim:
    """The attempt that begins when the row is claimed."""
    return Claim(notification=row.notification, attempt=row.attempt + 1, epoch=row.epoch + 1)


def told_row(content: Notification) -> Row:
    return content.endpoint.key, content.incident_id, content.site_id


def seems_over(row: Row, since_us: int) -> bool:
    """From the columns of `sql.READ_PHONE`: was it over before then, as clocks have it?"""
    _, _, _, _, _, state, opened_us, closed_us, *_ = row
    last_us: int = max(opened_us, closed_us or 0)
    return state != "open" and last_us < since_us


def left_since(found: Sequence[Row], since_us: int, now: Now) -> set[str]:
    """From the columns of `sql.READ_LEFT`: incidents of which anything was written since then, whoever has set a
    clock."""
    left = ((incident_id, _decode(Written, schema, blob)) for incident_id, schema, blob in found)
    return {incident_id for incident_id, written in left if age_us(written, now) <= now.wall_us - since_us}


def first_left(found: Sequence[Row], now: Now) -> dict[str, Written]:
    """From the columns of `sql.READ_LEFT`: of each incident what was written longest ago, whoever has set a clock."""
    first: dict[str, Written] = {}
    for incident_id, schema, blob in found:
        written = _decode(Written, schema, blob)
        first[incident_id] = max(first.get(incident_id, written), written, key=lambda each: age_us(each, now))
    return first


def gravest_of_phone(found: Sequence[Row], most: int) -> list[Row]:
    """Of what a phone was told of (columns and order of `sql.READ_PHONE`), open ones, then the gravest, then the
    newest; in their order. A day of notices must not push a shot out of what a reply can speak about."""
    if len(found) <= most:
        return list(found)

    def key(place: int) -> tuple[bool, int]:
        *_, state, _, _, _, _, schema, blob = found[place]
        return state != "open", -SEVERITY[_decode(_Class, schema, blob).incident_class]

    kept = sorted(range(len(found)), key=key)[:most]
    return [found[place] for place in sorted(kept)]


def phone_incident(row: Row, told: Written | None) -> PhoneIncident:
    """From the columns of `sql.READ_PHONE`."""
    incident_id, site_id, mode, token, headline, state, opened_us, closed_us, closed_by, seq, schema, blob = row
    return PhoneIncident(
        incident_id=incident_id,
        site_id=site_id,
        mode=Mode(mode),
        token=token,
        headline=headline,
        is_open=state == "open",
        opened_us=opened_us,
        closed_us=closed_us,
        closed_by=closed_by,
        seq=seq,
        severity=SEVERITY[_decode(_Class, schema, blob).incident_class],
        told=told,
        ended=incident(schema, blob) if closed_by == NOBODY else None,
    )


def quarantine_row(raw_id: str, event: Event, error: str, now: Now) -> Row:
    return raw_id, event.site_id, now.wall_us, error, SCHEMA, _encode(event)
