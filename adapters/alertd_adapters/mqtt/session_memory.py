"""What a source must know after a restart: since when it was away, what it had subscribed to.

A small JSON file, replaced atomically and not synced: losing its last seconds makes a late press look a little less
late, losing all of it makes waiting presses look old. Presses themselves are never in it.
"""

import contextlib
import os
from pathlib import Path

import msgspec
import structlog
from msgspec import Struct

from alertd.model.anchor import Now

log = structlog.get_logger("alertd.mqtt")


class Memory(Struct, kw_only=True):
    connected_us: int | None = None
    """Wall clock when something last came through that had not waited, or our own message, behind what had. That the
    broker answers what we send says nothing of presses; only where it lets us send nothing, it must do."""
    connected_boot_us: int = 0
    """The same in the boot time of `boot_id`, which nobody can set."""
    boot_id: str = ""
    filters: list[str] = []
    dropped: int | None = None
    """The broker's count of thrown-away messages when we last read it."""

    def connected(self, now: Now) -> None:
        """What is published now comes now. A wall clock that is wrong then is corrected by the next message."""
        self.connected_us, self.connected_boot_us, self.boot_id = now.wall_us, now.boot_us, now.boot_id

    def connected_at(self, now: Now) -> int | None:
        """When it last did, by the clock as it is now: somebody may have set it meanwhile. `None`: nobody knows; so it
        is where the clock, after a boot, shows a time before."""
        if self.connected_us is not None and self.boot_id and self.boot_id == now.boot_id:
            return now.wall_us - (now.boot_us - self.connected_boot_us)
        return None if self.connected_us is None or self.connected_us > now.wall_us else self.connected_us


class SessionMemory:
    """Loaded once, written when something changed. Without a directory it lasts as long as the process."""

    def __init__(self, directory: str | os.PathLike[str] | None, name: str) -> None:
        self._path = Path(directory) / f"mqtt-{name}.json" if directory is not None else None
        self._written = b""
        self.values = self._load()

    def _load(self) -> Memory:
        if self._path is None:
            return Memory()
        try:
            self._written = self._path.read_bytes()
            return msgspec.json.decode(self._written, type=Memory)
        except FileNotFoundError:
            return Memory()
        except (OSError, msgspec.DecodeError) as error:
            log.warning(
                "mqtt_memory_unreadable", path=str(self._path), why=str(error), effect="waiting presses are late"
            )
            return Memory()

    def save(self) -> None:
        """Never fails: a full disk must not stop a press. What it costs stands in the module's first lines."""
        if self._path is None:
            return
        data = msgspec.json.encode(self.values)
        if data == self._written:
            return
        draft = self._path.with_suffix(".tmp")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(data)
            draft.replace(self._path)
        except OSError as error:
            log.warning("mqtt_memory_unwritable", path=str(self._path), why=str(error))
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
            return
        self._written = data
