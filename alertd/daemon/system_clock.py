"""The machine's clocks. Nothing else in alertd reads them."""

import time
from pathlib import Path

from alertd.model.anchor import Now

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class SystemClock:
    """`ports.Clock` on Linux. CLOCK_BOOTTIME goes on while the machine sleeps, and nobody can set it."""

    def __init__(self) -> None:
        self._boot_id = BOOT_ID.read_text().strip()

    @property
    def boot_id(self) -> str:
        return self._boot_id

    def now(self) -> Now:
        return Now(
            wall_us=time.time_ns() // 1_000,
            boot_us=time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000,
            boot_id=self._boot_id,
        )
