"""The machine's clock, for `alertd doctor`: set back, kept by NTP, and what others say the time is.

Owns the judgement. Must never set a clock, and never ask a time server: what answers us anyway says the time, too.
"""

import ctypes
import struct
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from alertd.console.doctor import FAIL, OK, WARN, Finding

SET_BACK_S = 2.0
OFF_WARN_S = 1.0
OFF_FAIL_S = 30.0
"""Texts carry the minute, and a device's clock is judged by ours: a press older than 120 s is a late one."""


def clock(state_dir: Path, now_s: float | None = None) -> Iterator[Finding]:
    """Texts carry times, and device times are judged by ours."""
    now_s = time.time() if now_s is None else now_s
    newest_s = _newest_file_s(state_dir)
    if newest_s is not None and newest_s - now_s > SET_BACK_S:
        words = f"is {newest_s - now_s:,.0f} s behind the newest file in {state_dir}: it was set back"
        yield Finding(level=FAIL, what="clock", words=words, remedy="set it right (timedatectl), and let NTP keep it")
    error_us = _kernels_error_us()
    if error_us is None:
        words = "not known whether it is synchronized"
        yield Finding(level=WARN, what="clock", words=words, remedy="see timedatectl")
    elif error_us >= 0:
        words = f"synchronized, says the kernel, to within {error_us / 1000:,.0f} ms"
        yield Finding(level=OK, what="clock", words=words)
    else:
        remedy = "install chrony or systemd-timesyncd; in a container the host's clock is what counts"
        yield Finding(level=WARN, what="clock", words="the kernel does not know it to be synchronized", remedy=remedy)


def _newest_file_s(directory: Path) -> float | None:
    try:
        return max((f.stat().st_mtime for f in directory.iterdir() if f.is_file()), default=None)
    except OSError:
        return None


_TIMEX_BYTES = 512
"""More than `struct timex` needs on any machine; zeroed, it asks and changes nothing."""
_TIME_ERROR = 5
_MAX_ERROR = struct.Struct("@I3l")
"""modes, offset, freq, maxerror: the beginning of `struct timex` (adjtimex(2))."""


def _kernels_error_us() -> int | None:
    """How far the clock may be off at most; -1: nobody keeps it; `None`: the kernel does not say."""
    timex = ctypes.create_string_buffer(_TIMEX_BYTES)
    try:
        state = int(ctypes.CDLL(None).adjtimex(timex))
    except (OSError, AttributeError):
        return None
    if state < 0:
        return None
    error_us: int = _MAX_ERROR.unpack_from(timex)[3]
    return -1 if state == _TIME_ERROR else error_us


class Reading(Struct, frozen=True, kw_only=True):
    """What the Date of one answer says about our clock: it was cut to whole seconds, and the answer was under way."""

    asked_s: float
    answered_s: float
    date_s: float

    @property
    def ahead_s(self) -> float:
        """At least so far is our clock ahead of theirs; negative: behind; 0: nothing is known to be wrong."""
        least, most = self.asked_s - (self.date_s + 1), self.answered_s - self.date_s
        return max(least, 0.0) + min(most, 0.0)


def compared(readings: Mapping[str, Reading]) -> Iterator[Finding]:
    """By host. One that is alone in its opinion may itself be wrong."""
    for host, reading in readings.items():
        off_s = reading.ahead_s
        if abs(off_s) <= OFF_WARN_S:
            yield Finding(level=OK, what="clock", words=f"agrees with {host} to the second")
            continue
        words = f"is {abs(off_s):,.0f} s {'ahead of' if off_s > 0 else 'behind'} {host}"
        remedy = "set it right (timedatectl), and let NTP keep it; if the others agree with us, theirs is wrong"
        level = FAIL if abs(off_s) > OFF_FAIL_S else WARN
        yield Finding(level=level, what="clock", words=words, remedy=remedy)
