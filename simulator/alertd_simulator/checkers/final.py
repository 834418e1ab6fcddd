"""`Final`: what the machine holds when the day is over, read past the daemon. Owns no judgement."""

from msgspec import Struct

from alertd.model.incident import Incident
from alertd.model.notification import NotificationRow
from alertd.model.timer import Timer
from alertd.model.trouble import Trouble


class OpenTimer(Struct, frozen=True, kw_only=True):
    """A timer row that waits. `due_boot_us` is boot time, of the boot that runs now."""

    timer: Timer
    due_boot_us: int


class Final(Struct, frozen=True, kw_only=True):
    """The state of the database and of the daemon at the end."""

    incidents: tuple[Incident, ...]
    """Open and closed ones."""
    rows: tuple[NotificationRow, ...]
    troubles: tuple[Trouble, ...]
    """Standing ones."""
    timers: tuple[OpenTimer, ...]
    boot_us: int
    wall_us: int
    journal_broken: str = ""
    """Why a site's chain does not verify; empty: all do."""
    up: bool = True
    """Presses are being taken."""
