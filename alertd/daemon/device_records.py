"""What the daemon remembers of each registered device, and when its check-in window ends.

Pure bookkeeping, O(1) a message: a message only stamps a record. The end of a window is worked out when it may have
come (`daemon.check_ins`). Must never: read a clock, wait, or decide what people are told.
"""

from msgspec.structs import replace

from alertd.daemon.hours import opening_us
from alertd.engine.gestures import meant
from alertd.model.anchor import Now
from alertd.model.check_in import CheckIn, DeviceStanding, Falls, LastSeen, Link
from alertd.model.ids import DeviceId
from alertd.model.site import Device, DeviceKind, Site

TAMPER = "tamper"
"""What a device says that is opened, moved or taken down; nobody presses it."""
FIRST_HOUR_S = 3600.0
"""Of a school's hours: in it wearables are taken out of their drawers."""
NEVER_HEARD_S = 24 * 3600.0
"""A device that was never heard is missed so long after it was registered, at the earliest: it has to be hung first."""


class Record:
    """One device. Times without another word are boot time in microseconds."""

    __slots__ = (
        "away_us", "battery_low", "battery_pct", "device", "falls", "hangs_below", "heard_by", "is_dirty",
        "known_wall_us", "last_us", "linked", "listened_us", "mains", "offline_us", "offline_wall_us",
        "pressed_wall_us", "profile", "qos", "queued", "resumed_us", "seen_wall_us", "silent", "source", "spoke",
        "window_us",
    )  # fmt: skip

    def __init__(self, device: Device, now: Now) -> None:
        self.device = device
        self.window_us = 0
        """0: it need not report."""
        self.known_wall_us = now.wall_us
        self.last_us = now.boot_us
        """When it was last heard; before it ever was: when it became known."""
        self.seen_wall_us = 0
        self.pressed_wall_us = 0
        self.resumed_us = 0
        """When the way to it was mended: its window begins anew."""
        self.away_us = 0
        """Of a gateway that is gone: since when nothing came through it."""
        self.listened_us = 0
        """See `LastSeen`."""
        self.source = ""
        self.heard_by: DeviceId | None = None
        self.hangs_below: DeviceId | None = None
        """Where the index of gateways has it."""
        self.battery_pct: int | None = None
        self.battery_low = False
        self.mains = False
        self.offline_us: int | None = None
        self.offline_wall_us = 0
        self.qos: int | None = None
        self.silent = False
        self.is_dirty = True
        self.queued = 0
        """Number of its entry among the ends of windows; 0: it has none."""
        self.profile = ""
        """See `CheckIn`."""
        self.spoke = False
        """In this life of alertd."""
        self.linked: Link | None = None
        """What was said last of the way to it in this life of alertd: it is newer than what an earlier one knew, also
        if the broker hands it out before that has been read."""
        self.falls: dict[str, Falls] = {}

    @property
    def is_gateway(self) -> bool:
        return self.device.kind is DeviceKind.GATEWAY

    @property
    def behind(self) -> DeviceId | None:
        """The gateway or bridge through which it is heard."""
        return self.device.gateway or self.heard_by

    @property
    def is_there(self) -> bool:
        """By what came in this life. What a broker remembers says so of a device without a window only."""
        return self.offline_us is None and (self.spoke or (self.linked is Link.ONLINE and not self.window_us))

    def was_pressed(self, check_in: CheckIn) -> bool:
        """A word that its gestures do not know, or ignore ("booting", "release"), is no proof that a press of it would
        be heard; neither is that somebody took it down."""
        return check_in.pressed and (not check_in.actions or any(map(self._calls, check_in.actions)))

    def _calls(self, action: str) -> bool:
        gestures = self.device.gestures
        return bool(meant(action, gestures)) and action != TAMPER

    def stamp(self, check_in: CheckIn, source: str, listened_us: int, now: Now) -> bool:
        """The device itself spoke. False: a bridge says again what it said before. A time that lies ahead of us was
        read from a clock that has been set back since, and makes nothing old."""
        ago_us = 0 if check_in.seen_us is None else max(0, now.wall_us - check_in.seen_us)
        if ago_us and now.wall_us - ago_us <= self.seen_wall_us <= now.wall_us:
            return False
        self.spoke = True
        self.last_us = now.boot_us - ago_us
        self.seen_wall_us = now.wall_us - ago_us
        self.source = source
        self.listened_us = listened_us
        self.offline_us = None
        self.offline_wall_us = 0
        if check_in.heard_by is not None:
            self.heard_by = check_in.heard_by
        if self.was_pressed(check_in):
            self.pressed_wall_us = now.wall_us
        return True

    def carried(self, source: str, listened_us: int, now: Now) -> None:
        """A gateway that brought a word of a device is there, however seldom it speaks of itself."""
        self.spoke = True
        self.last_us, self.seen_wall_us = now.boot_us, now.wall_us
        self.source, self.listened_us = source, listened_us

    def link(self, link: Link, now: Now) -> None:
        """Somebody speaks of the way to it."""
        self.linked = link
        if link is Link.ONLINE:
            self.offline_us, self.offline_wall_us = None, 0
        elif self.offline_us is None:
            self.offline_us, self.offline_wall_us = now.boot_us, now.wall_us

    @property
    def lost_us(self) -> int:
        """When it was lost, if it is: its last will, or the end of its window."""
        return self.last_us + self.window_us if self.offline_us is None else self.offline_us

    def is_heard_again(self, deaf_since_us: int, listened_us: int, now: Now) -> None:
        """The way to it is mended: its window begins anew. How long it could not be heard counts against nobody; how
        long it could be heard before adds up (`due_us`), or a gateway that is off each night would hide it for ever."""
        deaf_us = now.boot_us - max(deaf_since_us, self.last_us)
        self.listened_us = min(listened_us, self.listened_us + max(0, deaf_us))
        self.resumed_us = now.boot_us

    def clock_was_set(self, now: Now) -> None:
        """What was heard in this life was heard so long ago, whatever the clock on the wall showed then."""
        if self.spoke:
            self.seen_wall_us = now.wall_us - (now.boot_us - self.last_us)
        self.pressed_wall_us = min(self.pressed_wall_us, now.wall_us)

    def not_outdated(self, check_in: CheckIn, now: Now) -> CheckIn:
        """What a broker remembers of its state may be of last year: it ends no trouble, unless its own time says that
        it is newer than what is known; and it begins none that this time says is older."""
        seen_us, battery = check_in.seen_us, check_in.battery
        if seen_us is not None and seen_us <= now.wall_us:
            is_newer = seen_us > self.seen_wall_us
            return check_in if is_newer else replace(check_in, battery=None, whole_again=False, opened=False)
        ends = battery is not None and self.battery_low and not battery.is_low
        return replace(check_in, battery=None if ends else battery, whole_again=False)

    def power(self, check_in: CheckIn) -> bool:
        """Take its battery's word; is it another one than before?"""
        battery = check_in.battery
        if battery is None:
            return False
        self.mains = battery.mains
        if battery.pct is not None or battery.mains or battery.low is not None:
            self.battery_pct = battery.pct
        if battery.is_low is None or battery.is_low == self.battery_low:
            return False
        self.battery_low = battery.is_low
        return True

    def due_us(self, resumed_us: int, listened_us: int, now: Now) -> int | None:
        """When its window ends, if nothing is heard and somebody goes on listening; `None`: never.

        A way that was interrupted gives it its window anew: what it said meanwhile was heard by nobody. Unless that
        happens again and again: what was not heard for two windows of listening is missed all the same."""
        window_us = self.window_us
        if not window_us:
            return None
        if not self.seen_wall_us:
            window_us = max(window_us, round(NEVER_HEARD_S * 1_000_000))
        anew_us = max(self.last_us, self.resumed_us, resumed_us) + window_us
        left_us = max(0, 2 * window_us - max(0, listened_us - self.listened_us))
        return min(anew_us, max(self.last_us + window_us, now.boot_us + left_us))

    def not_before_us(self, site: Site | None, due_us: int, now: Now) -> int:
        """Boot time before which a wearable may not be missed: in the school's hours, but for the first of them, and
        after one more window since the hours began in which its own ended: it may spend nights and weekends in a
        drawer, or at home. That is counted from when it was heard: whatever is restarted each night puts it off no
        more."""
        if self.device.kind is not DeviceKind.WEARABLE or site is None:
            return due_us
        began_us = self._opening_us(site, self.last_us + self.window_us, now)
        at_us = max(due_us, began_us + self.window_us)
        return max(at_us, self._opening_us(site, at_us, now) + min(self.window_us, round(FIRST_HOUR_S * 1_000_000)))

    def _opening_us(self, site: Site, at_us: int, now: Now) -> int:
        ahead_us = now.wall_us - now.boot_us
        opens_us = opening_us(site, at_us + ahead_us)
        return now.boot_us + round(NEVER_HEARD_S * 1_000_000) if opens_us is None else opens_us - ahead_us

    # --- what is kept -----------------------------------------------------------------------------------------------

    def kept(self, now: Now) -> LastSeen:
        return LastSeen(
            device_id=self.device.id,
            known_us=self.known_wall_us,
            seen_us=self.seen_wall_us,
            pressed_us=self.pressed_wall_us,
            heard_by=self.heard_by,
            battery_pct=self.battery_pct,
            battery_low=self.battery_low,
            mains=self.mains,
            offline_us=self.offline_wall_us,
            qos=self.qos,
            profile=self.profile,
            source=self.source,
            listened_us=self.listened_us,
            falls={family: _moved(each, now.wall_us - now.boot_us) for family, each in self.falls.items()},
        )

    def remember(self, kept: LastSeen, now: Now) -> None:
        """What an earlier life, or another node, knew; what is known here of the same is newer."""
        self.known_wall_us = min(self.known_wall_us, kept.known_us or self.known_wall_us)
        self.pressed_wall_us = max(self.pressed_wall_us, min(kept.pressed_us, now.wall_us))
        earlier = {family: _moved(each, now.boot_us - now.wall_us) for family, each in kept.falls.items()}
        self.falls = {**earlier, **self.falls}
        if kept.qos is not None:
            self.qos = max(self.qos or 0, kept.qos)
        if self.seen_wall_us >= max(kept.seen_us, 1) or (self.seen_wall_us and kept.seen_us > now.wall_us):
            return
        self.seen_wall_us = min(kept.seen_us, now.wall_us)  # ahead of us: of a clock that was wrong; not heard since
        ago_us = max(0, now.wall_us - (kept.seen_us or self.known_wall_us))
        self.last_us = now.boot_us - ago_us
        self.profile = self.profile or kept.profile
        self.heard_by, self.source, self.listened_us = kept.heard_by, kept.source, kept.listened_us
        if not self.battery_low:  # else a broker has said so before this was read, and it stands
            self.battery_pct, self.battery_low, self.mains = kept.battery_pct, kept.battery_low, kept.mains
        if kept.offline_us and self.offline_us is None and self.linked is None:
            self.offline_wall_us = kept.offline_us
            self.offline_us = now.boot_us

    def standing(self, behind: DeviceId | None, now: Now, *, tampered: bool) -> DeviceStanding:
        window_s = self.window_us // 1_000_000
        return DeviceStanding(
            last=self.kept(now), window_s=window_s, silent=self.silent, behind=behind, tampered=tampered
        )


def _moved(falls: Falls, by_us: int) -> Falls:
    """From one clock to the other."""
    back_us = None if falls.back_us is None else falls.back_us + by_us
    return replace(falls, fell_us=falls.fell_us + by_us, back_us=back_us)
