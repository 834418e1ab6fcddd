"""What comes back from a memory that did not know all of the disk: the disk could not be read when memory took over.

The same press, delivered once more, then begins the same incident anew. Of the two, whichever goes further stands, with
the presses of both: nothing goes back to its beginning, and what is over without anybody having known all of it is not
over. Reads `main` and `spare`, the two databases; writes `main`, in the caller's transaction.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import TypeVar

from msgspec.structs import replace

from alertd.model.drill import Drill, DrillState
from alertd.model.incident import SEVERITY, Incident, is_panic
from alertd.model.reason import Reason
from alertd.store import rows, sql

T = TypeVar("T")
U = TypeVar("U")
Read = Callable[[int, bytes], T]

_INCIDENTS = """
    SELECT s.schema, s.blob, m.schema, m.blob FROM spare.incident s JOIN main.incident m ON m.id = s.id"""
_DRILLS = """
    SELECT s.schema, s.blob, m.schema, m.blob FROM spare.drill s JOIN main.drill m
    ON m.site_id = s.site_id AND m.id <> s.id AND m.state = 'running' AND s.state = 'running'"""

_REAL = """
    SELECT m.schema, m.blob, s.schema, s.blob FROM main.drill m JOIN spare.incident s ON s.site_id = m.site_id
    WHERE m.state = 'running' AND m.id NOT IN (SELECT id FROM spare.drill)
        AND s.mode = 'live' AND s.id NOT IN (SELECT id FROM main.incident) ORDER BY s.opened_us DESC"""
"""Drills that memory did not know, and what was pressed at their sites meanwhile; the first press last."""


class Union:
    """What stands in both. Read it before the rows of memory are copied over, write it afterwards."""

    def __init__(
        self,
        incidents: Sequence[tuple[Incident, Incident]] = (),
        drills: Sequence[tuple[Drill, Drill]] = (),
        real: Sequence[tuple[Drill, Incident]] = (),
    ) -> None:
        """Pairs of memory's and the disk's; and drills of the disk with what was no part of them."""
        self._incidents = [_further(of_memory, of_disk) for of_memory, of_disk in incidents]
        self._over = [_ended(drill, by) for drill, by in real if is_panic(by.incident_class)]
        self._drills = [_after(old, new) for new, old in drills]
        self.overtaken = [of_disk.id for of_memory, of_disk in incidents if _is_further(of_disk, of_memory)]
        """Those whose timers in memory belong to a beginning that is over."""

    @classmethod
    def of(cls, disk: sqlite3.Connection) -> "Union":
        def pairs(query: str, one: Read[T], other: Read[U]) -> list[tuple[T, U]]:
            return [(one(a, b), other(c, d)) for a, b, c, d in disk.execute(query).fetchall()]

        return cls(
            pairs(_INCIDENTS, rows.incident, rows.incident),
            pairs(_DRILLS, rows.drill, rows.drill),
            pairs(_REAL, rows.drill, rows.incident),
        )

    def make_room(self, disk: sqlite3.Connection) -> None:
        """At a site no two drills run, and none goes on over what is real (promise 3)."""
        before = [drill.before for drill in self._drills if drill.before is not None]
        disk.executemany(sql.UPSERT_DRILL, [rows.drill_row(drill) for drill in (*self._over, *before)])

    def write(self, disk: sqlite3.Connection) -> None:
        disk.executemany(sql.UPSERT_INCIDENT, map(rows.incident_row, self._incidents))
        disk.executemany(sql.UPSERT_DRILL, map(rows.drill_row, self._drills))


def _is_further(one: Incident, other: Incident) -> bool:
    return _progress(one, other) > _progress(other, one)


def _progress(one: Incident, other: Incident) -> tuple[int, ...]:
    """The graver, then what a human has ended knowing every press, then whoever has been looked for longer."""
    is_over = not one.is_open and not _missing(other, one)
    said = len(one.answers) + len(one.notes), len(one.told)
    return SEVERITY[one.incident_class], is_over, one.generation, one.round, one.step, *said


def _missing(one: Incident, other: Incident) -> bool:
    """Does one have presses that the other lacks?"""
    return not {press.id for press in one.presses} <= {press.id for press in other.presses}


def _further(of_memory: Incident, of_disk: Incident) -> Incident:
    """At the same point memory's: it is the newer. New presses come last: answers say how many they knew."""
    stands, gives_way = (of_disk, of_memory) if _is_further(of_disk, of_memory) else (of_memory, of_disk)
    known = {press.id for press in stands.presses}
    return replace(stands, presses=(*stands.presses, *(p for p in gives_way.presses if p.id not in known)))


def _after(old: Drill, new: Drill) -> Drill:
    """Whoever began the new one did not know of the old one; those who were told of that hear how this one ends."""
    over = replace(
        old,
        state=DrillState.ENDED,
        ended_us=new.started_us,
        ended_by=new.by,
        ended_because=Reason.DRILL_ENDED,
        before=new.before or old.before,
    )
    return replace(new, before=over)


def _ended(drill: Drill, by: Incident) -> Drill:
    """As the press would have ended it, had memory known of it."""
    return replace(
        drill,
        state=DrillState.ENDED,
        ended_us=by.opened_us,
        ended_because=Reason.DRILL_IS_REAL,
        real_incident_id=by.id,
    )
