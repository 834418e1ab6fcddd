"""`Conditions`: is the daemon up, which faults are on, and what does the machine's clock show?

Owns *calm* time: true time during which nothing is wrong that could keep alertd from telling somebody. Bounds are
measured in it, so that no checker needs to know how one fault disturbs another.
"""

from collections import Counter
from datetime import datetime

from alertd_simulator.world.happenings import (
    ClockMoved,
    Crashed,
    FaultBegan,
    FaultEnded,
    Happening,
    Healed,
    Started,
)
from alertd_simulator.world.plan import Plan

SECOND_US = 1_000_000
HAMPERING = frozenset({"carrier_weather", "uplink_cut", "disk_full", "disk_fails", "slow_disk"})
"""Faults that may rightly delay a commit or the beginning of an attempt. All others must not."""
AFTERMATH_US = 20 * SECOND_US
"""So long after such a fault, or a start, attempts may still hold the lines that they took: a channel's deadline of
10 s, and a round of recovery."""
NOTICED_US = 20 * SECOND_US
"""A step of the clock is noticed within a second and committed soon after, while alertd is up and its disk is well."""
DISK = ("disk_full", "disk_fails", "slow_disk")
NEVER_US = 1 << 62


class Conditions:
    sees = (Started, Crashed, FaultBegan, FaultEnded, Healed, ClockMoved)

    def __init__(self, plan: Plan) -> None:
        self.up = False
        self.incarnation = 0
        self.faults: Counter[str] = Counter()
        self.last_fault_us: dict[str, int] = {}
        """When a fault was last known to be on."""
        self.last_crash_us = -NEVER_US
        self.last_power_us = -NEVER_US
        self.last_step_us = -NEVER_US
        self.healed_us: int | None = None
        begins_us = round(datetime.fromisoformat(plan.begins).timestamp() * 1e6)
        self._anchors: list[tuple[int, int]] = [(0, begins_us)]
        """(true time, wall clock minus true time) from then on."""
        self._powers: list[tuple[int, int, int]] = []
        """(when the power went, least and most by which stamps on the disk were off true time then)."""
        self._well_since_us = NEVER_US
        """Since when alertd is up on a disk that is well, so that it notices steps."""
        self._calms: list[tuple[int, int, int]] = []
        """(from, until, calm time before it) of each calm that is over."""
        self._calm_since: int | None = None

    def see(self, happening: Happening) -> None:
        if isinstance(happening, Crashed) and happening.power:
            self._powers.append((happening.at_us, *self._stamped_off(happening.at_us)))
        match happening:
            case Started():
                self.up, self.incarnation = True, happening.incarnation
            case Crashed():
                self.up, self.last_crash_us = False, happening.at_us
                if happening.power:
                    self.last_power_us = happening.at_us
            case FaultBegan():
                self.faults[happening.fault] += 1
                self.last_fault_us[happening.fault] = happening.at_us
            case FaultEnded():
                self.faults[happening.fault] -= 1
                self.last_fault_us[happening.fault] = happening.at_us
            case Healed():
                self.faults.clear()
                self.healed_us = happening.at_us
            case ClockMoved():
                self.last_step_us = happening.at_us
                self._anchors.append((happening.at_us, happening.wall_us - happening.at_us))
            case _:
                return
        self._settle(happening.at_us)
        well = self.up and not any(self.faults[name] > 0 for name in DISK)
        self._well_since_us = min(self._well_since_us, happening.at_us) if well else NEVER_US

    def is_on(self, fault: str) -> bool:
        return self.faults[fault] > 0

    def lately(self, fault: str, at_us: int, within_us: int) -> bool:
        """Was the fault on within that time?"""
        return self.is_on(fault) or at_us - self.last_fault_us.get(fault, -NEVER_US) <= within_us

    # --- calm time

    def _settle(self, at_us: int) -> None:
        calm = self.up and not any(self.faults[name] > 0 for name in HAMPERING)
        if calm and self._calm_since is None:
            self._calm_since = at_us + AFTERMATH_US
        elif not calm and self._calm_since is not None:
            if at_us > self._calm_since:
                self._calms.append((self._calm_since, at_us, self.calm_us(self._calm_since)))
            self._calm_since = None

    def calm_us(self, at_us: int) -> int:
        """Calm time until then, in microseconds: now or at any time before."""
        if self._calm_since is not None and at_us > self._calm_since:
            return at_us - self._calm_since + self.calm_us(self._calm_since)
        for since_us, until_us, before_us in reversed(self._calms):
            if at_us > since_us:
                return before_us + min(at_us, until_us) - since_us
        return 0

    # --- the machine's wall clock

    def wall_us(self, at_us: int) -> int:
        return at_us + self._anchors[-1][1]

    @property
    def clock_off_us(self) -> int:
        """How wrong the machine's clock is now."""
        return abs(self._anchors[-1][1] - self._anchors[0][1])

    def _stamped_off(self, at_us: int) -> tuple[int, int]:
        """Least and most by which stamps that alertd has stored are off true time: a step moves them once it is
        noticed."""
        known = [self._anchors[-1][1]]
        for (begins_us, _), (_, before_us) in zip(reversed(self._anchors), reversed(self._anchors[:-1]), strict=False):
            if at_us - max(begins_us, self._well_since_us) >= NOTICED_US:
                break
            known.append(before_us)
        return min(known), max(known)

    def outlived_power(self, born_us: int) -> tuple[int, int] | None:
        """Of what was written then: by how much, at least and at most, its stamps are off true time since the power
        went; `None`: it has not gone since."""
        return next(((least, most) for at_us, least, most in self._powers if at_us > born_us), None)

    def latest_wall_us(self, since_us: int, until_us: int) -> int:
        """The most that the wall clock showed in that time."""
        highest, until = -NEVER_US, until_us
        for begins_us, offset_us in reversed(self._anchors):
            highest = max(highest, until + offset_us)
            until = begins_us
            if until <= since_us:
                break
        return highest

    def earliest_wall_us(self, since_us: int, until_us: int) -> int:
        """The least that the wall clock showed in that time: a clock that was set in it may have shown either."""
        lowest = NEVER_US
        until = until_us
        for begins_us, offset_us in reversed(self._anchors):
            lowest = min(lowest, max(since_us, begins_us) + offset_us)
            until = begins_us
            if until <= since_us:
                break
        return lowest
