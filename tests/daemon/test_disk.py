"""What people are told of a disk that takes nothing."""

import asyncio
from pathlib import Path

import pytest

from alertd.model.anchor import Now
from alertd.model.notification import Kind
from alertd.store.sqlite import SqliteStore
from alertd_simulator.virtual_time import COMMIT_DELAY, in_virtual_time
from tests.daemon.world import World


class Unread(SqliteStore):
    """Memory stands in for a disk that could not be read."""

    why = "/var/lib/alertd.db cannot be read: disk I/O error"

    @property
    def durable(self) -> bool:
        return False

    def heal(self, now: Now) -> bool:
        return super().heal(now) and self.durable

    def unread(self) -> str:
        return self.why


class Read(Unread):
    why = ""


@pytest.mark.parametrize(("kind", "rings"), [(Unread, True), (Read, False)])
@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_memory_that_may_have_forgotten_what_goes_on_rings_a_phone(
    tmp_path: Path, kind: type[Unread], rings: bool
) -> None:
    world = World(tmp_path, store=lambda path: kind(path, ballast_bytes=0))
    await world.start()
    await asyncio.sleep(10)

    (trouble,) = [t for t in world.store.read_troubles() if t.key == "disk:not-durable"]
    assert trouble.rings is rings
    assert kind.why in trouble.summary
    texts = [c.notification.text for c in world.sms.sent if c.notification.kind is Kind.TROUBLE]
    assert any("may not be known" in text for text in texts) is rings, "nobody is told that calls may be forgotten"
    await world.stop()
