"""What alertd's database says at the end of an endurance run, read over a read-only connection.

Owns the queries. Reads the stored JSON by name and not through alertd's own classes: an error in how alertd reads its
rows must not hide one in how it wrote them. The identity of a press is alertd's (`derive`); the judge counts besides.
Must never write.
"""

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from alertd.model.ids import derive
from alertd_simulator.endurance_devices import Pressing

SOURCE = "broker"
"""The source's name in the example's wiring; a press's identity holds it."""
QUEUED = "SELECT count(*) FROM notification WHERE state IN ('queued', 'claimed', 'unknown')"


class IncidentFact(Struct, frozen=True, kw_only=True):
    id: str
    site: str
    token: str
    minute: str
    """When it was opened, as its texts say it."""
    is_open: bool


class RowFact(Struct, frozen=True, kw_only=True):
    """One notification to a phone."""

    id: str
    phone: str
    text: str
    state: str
    attempts: int
    resend_unknown: bool


class Database(Struct, frozen=True, kw_only=True):
    causes: frozenset[str]
    """Identities of all presses that were ever committed."""
    counted: Mapping[str, int]
    """Device → presses that the incidents hold."""
    incidents: tuple[IncidentFact, ...]
    rows: tuple[RowFact, ...]
    press_reasons: Mapping[str, int]
    """What became of presses, by the journal."""
    journal_problems: tuple[str, ...] = ()

    def knows(self, pressing: Pressing) -> bool:
        return cause_of(pressing) in self.causes


def cause_of(pressing: Pressing) -> str:
    """docs/devices.md: `boot`, `seq`, action and count make the identity of a press, within device and source."""
    body = msgspec.json.decode(pressing.payload.payload)
    own = derive("seq", body["boot"], body["seq"], body["action"], body["count"])
    return derive("press", SOURCE, pressing.device, own)


def read_database(path: Path, time_zone: str, journal_problems: Sequence[str] = ()) -> Database:
    with closing(_open(path)) as connection:
        incidents = [(i, msgspec.json.decode(b)) for i, b in connection.execute("SELECT state, blob FROM incident")]
        counted = Counter[str]()
        for _, blob in incidents:
            for press in blob["presses"]:
                counted[press["device_id"]] += press["count"]
        rows = connection.execute("SELECT id, state, attempt, blob FROM notification").fetchall()
        reasons = connection.execute("SELECT reason, count(*) FROM journal WHERE kind = 'press' GROUP BY 1").fetchall()
        return Database(
            causes=frozenset(cause for (cause,) in connection.execute("SELECT id FROM cause")),
            counted=dict(counted),
            incidents=tuple(_incident(state, blob, ZoneInfo(time_zone)) for state, blob in incidents),
            rows=tuple(_text(*row) for row in rows if _is_text(row[3])),
            press_reasons=dict(reasons),
            journal_problems=tuple(journal_problems),
        )


def waiting(path: Path) -> int:
    """Notifications of which alertd itself still expects something."""
    with closing(_open(path)) as connection:
        count: int = connection.execute(QUEUED).fetchone()[0]
        return count


def unknown_presses(path: Path, made: Sequence[Pressing]) -> int:
    """Promised presses that the database does not know yet."""
    with closing(_open(path)) as connection:
        causes = {cause for (cause,) in connection.execute("SELECT id FROM cause")}
    return sum(cause_of(p) not in causes for p in made if p.puback_s is not None)


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=10)


def _incident(state: str, blob: dict[str, Any], zone: ZoneInfo) -> IncidentFact:
    opened = datetime.fromtimestamp(blob["opened_us"] / 1e6, zone)
    return IncidentFact(
        id=blob["id"],
        site=blob["site_id"],
        token=blob["token"],
        minute=opened.strftime("%H:%M"),
        is_open=state == "open",
    )


def _is_text(blob: bytes) -> bool:
    return str(msgspec.json.decode(blob)["endpoint"]["address"]).startswith("+")


def _text(id_: str, state: str, attempts: int, blob: bytes) -> RowFact:
    body = msgspec.json.decode(blob)
    return RowFact(
        id=id_,
        phone=body["endpoint"]["address"],
        text=body["text"],
        state=state,
        attempts=attempts,
        resend_unknown=body["resend_unknown"],
    )
