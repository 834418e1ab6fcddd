"""The disk under the daemon, for `alertd doctor`: room, the ballast, and how long a commit waits.

Owns the measuring. Must never leave a file behind, and never touch the store.
"""

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from alertd.console.doctor import FAIL, OK, WARN, Finding

SYNCS = 40
SYNC_BYTES = 4096
SYNC_WARN_MS = 20.0
SYNC_FAIL_MS = 250.0
SYNCS_TAKE_MAX_S = 10.0
"""Fewer tries on a disk that is so slow."""
FREE_WARN_BYTES = 1 << 30
FREE_FAIL_BYTES = 64 << 20


def state_directory(path: Path) -> Iterator[Finding]:
    """Is there room, and how long does one commit have to wait for the disk?"""
    what = f"disk {path}"
    try:
        free = shutil.disk_usage(path).free
        waits_ms = _sync_waits_ms(path)
    except OSError as error:
        remedy = "run this as the daemon's user, or set daemon.state_dir to a directory that it can write"
        yield Finding(level=FAIL, what=what, words=f"cannot be written: {error.strerror}", remedy=remedy)
        return
    level = FAIL if free < FREE_FAIL_BYTES else WARN if free < FREE_WARN_BYTES else OK
    remedy = "" if level == OK else "free some space: a full disk makes alertd run on memory"
    yield Finding(level=level, what=what, words=f"{free / (1 << 30):,.1f} GiB free", remedy=remedy)
    yield _syncs(what, waits_ms)


def _syncs(what: str, waits_ms: Sequence[float]) -> Finding:
    ordered = sorted(waits_ms)
    middle, most = statistics.median(ordered), ordered[max(0, -(-len(ordered) * 95 // 100) - 1)]
    level = FAIL if middle > SYNC_FAIL_MS else WARN if middle > SYNC_WARN_MS or most > SYNC_FAIL_MS else OK
    remedy = "" if level == OK else "every press waits for this once: use a disk (not an SD card) that syncs faster"
    words = (
        f"fdatasync of {SYNC_BYTES} bytes takes {middle:.2f} ms, 95 of 100 at most {most:.2f} ms, at worst "
        f"{ordered[-1]:.2f} ms, in {len(ordered)} tries"
    )
    return Finding(level=level, what=what, words=words, remedy=remedy)


def _sync_waits_ms(path: Path) -> Sequence[float]:
    waits: list[float] = []
    ends_s = time.monotonic() + SYNCS_TAKE_MAX_S
    with tempfile.NamedTemporaryFile(dir=path, prefix="doctor-", buffering=0) as file:
        while len(waits) < SYNCS and (not waits or time.monotonic() < ends_s):
            file.write(b"\0" * SYNC_BYTES)
            begun = time.perf_counter()
            os.fdatasync(file.fileno())
            waits.append((time.perf_counter() - begun) * 1000)
    return waits


def ballast(store_url: str, size_mib: int) -> Iterator[Finding]:
    """Is the room there that is freed first on a full disk? Only SQLite has one, once the daemon has run."""
    scheme, _, rest = store_url.partition("://")
    path = Path(rest.removeprefix("/"))
    if not scheme.startswith("sqlite") or not size_mib or not path.exists():
        return
    file = path.with_name(f"{path.name}.ballast")
    what = f"ballast {file}"
    try:
        size = file.stat().st_size
    except OSError:
        size = 0
    if size >= size_mib << 20:
        yield Finding(level=OK, what=what, words=f"{size_mib} MiB are kept for a full disk")
        return
    remedy = f"free {2 * size_mib} MiB: the daemon makes it again by itself, within seconds"
    words = "is not there: the disk is or was full, and nothing is left to be freed"
    yield Finding(level=WARN, what=what, words=words, remedy=remedy)
