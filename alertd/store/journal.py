"""The journal: evidence that cannot be changed unseen. A hash chain per site.

An entry's hash covers its place, its time, its reason and the *hash* of its payload. The payload (words, names,
numbers, health data) is a row of its own, salted: once it is erased nobody can guess it back from the hash, and the
chain still verifies. Entries are only ever appended.
"""

from collections.abc import Iterable
from hashlib import sha256

import msgspec
from msgspec import Struct

from alertd.model.decision import Entry, EntryKind
from alertd.model.ids import SiteId
from alertd.model.reason import Reason
from alertd.ports import JournalLine, StoreError
from alertd.store.rows import SCHEMA
from alertd.store.sql import Row


class Payload(Struct, frozen=True):
    """The erasable part of an entry."""

    salt: str
    text: str
    data: dict[str, str]


class Head(Struct, frozen=True):
    """Where a site's rows stand: the version PostgreSQL nodes compare, and the last entry of the chain."""

    version: int = 0
    sequence: int = 0
    hash: str = ""


_encode = msgspec.json.Encoder().encode
_payload = msgspec.json.Decoder(Payload)


def chain_hash(previous: str, link: Row) -> str:
    """`link`: site, sequence, time, kind, incident, notification, reason, payload hash. JSON keeps them apart."""
    return sha256(_encode((previous, *link))).hexdigest()


def append(head: Head, site_id: SiteId, entry: Entry, at_us: int, salt: str) -> tuple[Head, Row, Row]:
    """The new head, the journal row and the payload row."""
    blob = _encode(Payload(salt, entry.text, entry.data))
    reason = None if entry.reason is None else entry.reason.value
    sequence = head.sequence + 1
    payload_hash = sha256(blob).hexdigest()
    link = (site_id, sequence, at_us, entry.kind.value, entry.incident_id, entry.notification_id, reason, payload_hash)
    digest = chain_hash(head.hash, link)
    return (
        Head(head.version, sequence, digest),
        (*link, head.hash, digest),
        (site_id, sequence, SCHEMA, blob),
    )


def relink(head: Head, row: Row) -> tuple[Head, Row]:
    """The same entry as the next one of another chain: what memory held back follows what the disk has."""
    site_id, _, *middle, _, _ = row
    link = (site_id, head.sequence + 1, *middle)
    digest = chain_hash(head.hash, link)
    return Head(head.version, head.sequence + 1, digest), (*link, head.hash, digest)


def line(row: Row, blob: bytes | None) -> JournalLine:
    """`row` has the columns of the table `journal`."""
    site_id, sequence, at_us, kind, incident_id, notification_id, reason, _, _, digest = row
    entry = None
    if blob is not None:
        payload = _payload.decode(blob)
        entry = Entry(
            kind=EntryKind(kind),
            reason=None if reason is None else Reason(reason),
            text=payload.text,
            incident_id=incident_id,
            notification_id=notification_id,
            data=payload.data,
        )
    return JournalLine(site_id=site_id, sequence=sequence, at_us=at_us, entry=entry, hash=digest)


def verify(site_id: SiteId, start: Head, head: Head, entries: Iterable[tuple[Row, bytes | None]]) -> int:
    """Number of entries up to the head. `start` is what they follow. Raises `StoreError` naming the first one that is
    not as it was written."""
    previous, count = start.hash, start.sequence
    for row, blob in entries:
        *link, prev_hash, digest = row
        count += 1
        if row[1] != count:
            raise StoreError(f"journal of {site_id}: entry {count} is missing (the next one found is {row[1]})")
        if prev_hash != previous or digest != chain_hash(previous, tuple(link)):
            raise StoreError(f"journal of {site_id}: entry {count} is not as it was written: its hash does not fit")
        if blob is not None and sha256(blob).hexdigest() != link[-1]:
            raise StoreError(f"journal of {site_id}: the text of entry {count} is not as it was written")
        previous = digest
    if (count, previous) != (head.sequence, head.hash):
        raise StoreError(
            f"journal of {site_id}: entry {count + 1} is missing: the chain ends at {count}, the site's row"
            f" says {head.sequence}"
        )
    return count
