"""The tables. Owns names, types and indexes; migrations must lead to exactly this (tests compare the two).

Every row carries `site_id`; every blob is the JSON of a model value beside the schema version it was written in.
Columns beside a blob are what SQL must see of it. `notification` is the exception to "the blob is the truth": its
blob is the content, which never changes, and its columns are the standing, which does.
"""

from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text, text

HEAD = "0007"
"""Newest migration: what this code reads and writes."""

metadata = MetaData()


def _text(name: str, **options: Any) -> Column[str]:
    return Column(name, Text, nullable=options.pop("nullable", False), **options)


def _int(name: str, **options: Any) -> Column[int]:
    return Column(name, BigInteger, nullable=options.pop("nullable", False), **options)


def _table(name: str, *columns: Any, rowid: bool = True) -> Table:
    return Table(name, metadata, *columns, sqlite_with_rowid=rowid)


def _blob() -> tuple[Column[int], Column[bytes]]:
    return Column("schema", Integer, nullable=False), Column("blob", LargeBinary, nullable=False)


# One row a site: PostgreSQL locks it for a transaction; `version` says whether what a node remembers is still so, and
# the head of the journal makes a cut-off tail visible.
site_row = _table(
    "site_row",
    _text("site_id", primary_key=True),
    _int("version"),
    _int("head_seq"),
    _text("head_hash"),
    rowid=False,
)

incident = _table(
    "incident",
    _text("id", primary_key=True),
    _text("site_id"),
    _text("state"),  # open | closed
    _text("mode"),
    _text("token"),
    _text("headline"),
    _int("opened_us"),
    _int("closed_us", nullable=True),
    _text("closed_by"),
    *_blob(),
    _int("seq", server_default=text("0")),  # rises as they begin and end, whatever clocks show; 0: long ago
)
Index("incident_open", incident.c.site_id, sqlite_where=text("state = 'open'"), postgresql_where=text("state = 'open'"))
Index("incident_opened", incident.c.opened_us)
Index("incident_seq", incident.c.seq)

trouble = _table(
    "trouble",
    _text("site_id", primary_key=True),
    _text("key", primary_key=True),
    _int("raised_us"),
    _int("cleared_us", nullable=True),
    *_blob(),
)

gesture = _table(
    "gesture",
    _text("site_id", primary_key=True),
    _text("device_id", primary_key=True),
    *_blob(),
    rowid=False,
)

# At most one of a site runs: what is pressed meanwhile is an exercise, or ends it.
drill = _table(
    "drill",
    _text("id", primary_key=True),
    _text("site_id"),
    _text("state"),  # running | ended
    _int("started_us"),
    *_blob(),
)
Index(
    "drill_running",
    drill.c.site_id,
    unique=True,
    sqlite_where=text("state = 'running'"),
    postgresql_where=text("state = 'running'"),
)
Index("drill_started", drill.c.started_us)

policy = _table("policy", _text("hash", primary_key=True), _text("site_id"), *_blob())

# Stamps that are compared after a step of the clock, or a reboot, stand here twice: by the wall, and by boot time.
cause = _table(
    "cause",
    _text("id", primary_key=True),
    _text("site_id"),
    _int("at_us"),
    _int("boot_us", nullable=True),
    _text("boot_id", nullable=True),
    rowid=False,
)
Index("cause_at", cause.c.at_us)

# The outbox. `not_before_us` is boot time of `boot_id`; `delay_us` and the wall clock re-anchor it after a reboot.
notification = _table(
    "notification",
    _text("id", primary_key=True),
    _text("site_id"),
    _text("incident_id", nullable=True),
    _text("channel"),
    _text("endpoint_key"),
    _text("mode"),
    _text("kind"),
    _int("lane"),
    _int("created_us"),
    _int("expires_us"),
    _int("expires_boot_us", nullable=True),
    _text("expires_boot_id", nullable=True),
    _text("state"),
    _text("reason"),
    _int("attempt"),
    _int("epoch"),
    _int("not_before_us"),
    _text("boot_id"),
    _int("not_before_wall_us"),
    _int("delay_us"),
    _text("leased_by"),
    _int("lease_until_us"),
    _text("ref"),
    _text("detail"),
    *_blob(),
)


def _partial(name: str, where: str, *columns: Any) -> None:
    Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


_n = notification.c
_partial("notification_queued", "state = 'queued'", _n.channel, _n.lane, _n.created_us)
_partial("notification_held", "state = 'queued'", _n.boot_id, _n.not_before_us)
_partial("notification_in_hand", "state IN ('claimed', 'unknown')", _n.lease_until_us)
_partial("notification_unsettled", "state IN ('accepted', 'sent')", _n.channel, _n.created_us)
_partial(
    "notification_unsettled_boot", "state IN ('accepted', 'sent')", _n.channel, _n.expires_boot_id, _n.expires_boot_us
)
_partial("notification_tests", "kind IN ('test', 'dispatch_heartbeat')", _n.created_us)
_partial("notification_ref", "ref <> ''", _n.channel, _n.ref)
Index("notification_incident", _n.incident_id)

timer = _table(
    "timer",
    _text("id", primary_key=True),
    _text("site_id"),
    _int("due_boot_us"),
    _text("boot_id"),
    _int("due_wall_us"),
    _int("delay_us"),
    _int("lease_until_us"),
    *_blob(),
    rowid=False,
)
Index("timer_due", timer.c.boot_id, timer.c.due_boot_us)

# Evidence. The chain runs over payload *hashes*, so that names, numbers and health data can be erased.
journal = _table(
    "journal",
    _text("site_id", primary_key=True),
    _int("seq", primary_key=True),
    _int("at_us"),
    _text("kind"),
    _text("incident_id", nullable=True),
    _text("notification_id", nullable=True),
    _text("reason", nullable=True),
    _text("payload_hash"),
    _text("prev_hash"),
    _text("hash"),
    rowid=False,
)
_partial("journal_incident", "incident_id IS NOT NULL", journal.c.incident_id)

journal_payload = _table(
    "journal_payload",
    _text("site_id", primary_key=True),
    _int("seq", primary_key=True),
    *_blob(),
    rowid=False,
)

opt_out = _table("opt_out", _text("endpoint_key", primary_key=True), _text("site_id"), _int("at_us"))

broken_channel = _table("broken_channel", _text("channel", primary_key=True), _text("site_id"), _int("since_us"))

# Events that `decide` could not handle, as they came.
quarantine = _table(
    "quarantine",
    _text("id", primary_key=True),
    _text("site_id"),
    _int("at_us"),
    _text("error"),
    *_blob(),
)

# Which endpoints were told of which incidents: what a reply from a phone may speak about.
told = _table(
    "told",
    _text("endpoint_key", primary_key=True),
    _text("incident_id", primary_key=True),
    _text("site_id"),
    rowid=False,
)

# Telemetry: when each device was last heard, and how it was. Written in batches, by whoever heard it last; no evidence.
last_seen = _table("last_seen", _text("device_id", primary_key=True), _int("seen_us"), *_blob(), rowid=False)
