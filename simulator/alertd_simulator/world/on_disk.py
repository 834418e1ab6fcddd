"""What the machine's files hold, read past the daemon.

Owns one reading of the database, and of what memory holds while the disk is full. Must never write.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from typing import Any

from alertd.model.incident import Incident
from alertd.model.notification import NotificationRow
from alertd.model.trouble import Trouble
from alertd.ports import StoreError
from alertd.store import rows as shapes
from alertd.store.sql import STANDING
from alertd_simulator.checkers.final import Final, OpenTimer
from alertd_simulator.world.machine import Machine


class OnDisk:
    """One reading. What is in memory, while that is where commits go, stands above what the disk has."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def incidents(self) -> tuple[Incident, ...]:
        found = (
            shapes.incident(*row) for row in self._rows("SELECT schema, blob FROM incident ORDER BY opened_us, id")
        )
        return tuple({incident.id: incident for incident in found}.values())

    def notifications(self) -> tuple[NotificationRow, ...]:
        query = f"SELECT {STANDING} FROM notification ORDER BY created_us, id"  # noqa: S608 - no input in it
        found = (shapes.notification(row, 0) for row in self._rows(query))
        return tuple({row.notification.id: row for row in found}.values())

    def final(self) -> Final:
        now = self._machine.clock.now()
        store = self._machine.store
        return Final(
            incidents=self.incidents(),
            rows=self.notifications(),
            troubles=self._troubles(),
            timers=self._timers(),
            boot_us=now.boot_us,
            wall_us=now.wall_us,
            journal_broken="" if store is None else self._broken_journals(),
            up=self._machine.is_up,
        )

    def _troubles(self) -> tuple[Trouble, ...]:
        query = "SELECT schema, blob FROM trouble WHERE cleared_us IS NULL ORDER BY site_id, key"
        found = (shapes.trouble(*row) for row in self._rows(query, newest_only=True))
        return tuple(trouble for trouble in found if trouble.stands)

    def _timers(self) -> tuple[OpenTimer, ...]:
        query = "SELECT due_boot_us, schema, blob FROM timer ORDER BY due_boot_us, id"
        return tuple(
            OpenTimer(timer=shapes.timer(schema, blob), due_boot_us=due_us)
            for due_us, schema, blob in self._rows(query, newest_only=True)
        )

    def _broken_journals(self) -> str:
        store = self._machine.store
        assert store is not None
        for site_id in sorted(self._machine.school.registry.sites):
            try:
                store.verify_journal(site_id)
            except StoreError as error:
                return f"{site_id}: {error}"
        return ""

    def _rows(self, query: str, *, newest_only: bool = False) -> Iterable[tuple[Any, ...]]:
        """Of the disk, then of memory; `newest_only`: of where commits go now."""
        paths = self._machine.databases()
        for path in paths[-1:] if newest_only else paths:
            with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
                yield from connection.execute(query).fetchall()
