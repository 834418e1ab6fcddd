"""Supervision of devices: who was heard when, who is missed, which gateway took how many with it, whose battery is low.

    message → stamp (O(1), in memory) → window ends → verdict → a trouble a site, or a gateway, through the door

Owns: the ends of windows (a heap with one entry a device, looked at only when an end may have come), the fan-out of a
gateway that is gone, and when a change is told. Must never: touch the path of a press, write a journal line for a
message, or take a silence for a device's own while nobody listened: to its source, or through its gateway.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

import structlog
from msgspec import Struct

from alertd.daemon import check_in_words
from alertd.daemon.device_records import Record
from alertd.daemon.device_tree import DeviceTree
from alertd.daemon.ears import EAR, Ears
from alertd.daemon.site_troubles import SiteTroubles
from alertd.model.check_in import CheckIn, DeviceStanding, LastSeen, Link
from alertd.model.decision import Decision, Now
from alertd.model.events import TroubleCleared, TroubleRaised
from alertd.model.ids import DeviceId, SiteId
from alertd.model.registry import Registry
from alertd.model.trouble import Trouble
from alertd.ports import Clock, Door, NotCommittedError, Source, StoreError

ROUND_S = 5.0
"""Seconds between two looks at what is due."""
OFFLINE_S = 60.0
"""Whoever says that a device or a gateway is gone is believed after this: a bridge that restarts says so, too."""
AGAIN_S = 60.0
"""A device whose source or gateway is away is looked at again after so long."""
BREATH = 500
"""Devices looked at before whoever else waits has a turn."""
SILENT, BATTERY, GATEWAY, TAMPER = "silent", "battery", "gateway", "tamper"

log = structlog.get_logger(__name__)

Latest = Callable[[Sequence[DeviceId]], Awaitable[Sequence[LastSeen]]]
"""What any node has heard of these devices, as far as it is stored."""


class Told(Struct, frozen=True):
    """What is to go through the door, and what is to be done if it does not get there: it is found again."""

    event: TroubleRaised | TroubleCleared
    undo: Callable[[], None]


class CheckIns:
    """Belongs to the event loop; `heard` is called by adapters, `run` is a task, `committed` makes it a follower."""

    def __init__(self, *, clock: Clock, sources: Callable[[], Mapping[str, Source]], latest: Latest) -> None:
        self._clock = clock
        self._latest = latest
        self._ears = Ears(sources)
        self._registry: Registry | None = None
        self._windows: Mapping[str, int] = {}
        self._records: dict[DeviceId, Record] = {}
        self._tree = DeviceTree(self._records)
        self._ends: list[tuple[int, int, Record]] = []
        self._number = 0
        self._offline: dict[DeviceId, Record] = {}
        """Those of whom somebody says that they are gone."""
        self._dirty: deque[Record] = deque()
        self._tampered: set[tuple[SiteId, str]] = set()
        self._cleared: list[TroubleCleared] = []
        """Ends that are told with the next round."""
        self._silent = SiteTroubles(SILENT)
        self._low = SiteTroubles(BATTERY)

    # --- what is registered -----------------------------------------------------------------------------------------

    def use(self, registry: Registry, windows: Mapping[str, int]) -> None:
        """The configuration from now on; `windows`: of profiles. What is known of a device stays while it is
        registered."""
        now = self._clock.now()
        same = windows == self._windows
        self._registry, self._windows = registry, windows
        for device_id in [each for each in self._records if each not in registry.devices]:
            self._tree.fell(self._records.pop(device_id))
        for device in registry.devices.values():
            record = self._records.get(device.id)
            if record is None:
                record = self._records[device.id] = Record(device, now)
                self._dirty.append(record)
            elif same and record.device == device:
                continue
            record.device = device
            self._tree.hang(record)
            self._set_window(record, now)
        for gateway in self._tree.forget_strangers():
            self._cleared.append(TroubleCleared(site_id=gateway.device.site_id, key=f"{GATEWAY}:{gateway.device.id}"))
        self._offline = {each: record for each, record in self._offline.items() if each in self._records}
        self._silent.keep(self._records)
        self._low.keep(self._records)

    def _set_window(self, record: Record, now: Now) -> None:
        device = record.device
        said = self._windows.get(device.profile or record.profile, 0)
        record.window_us = (said if device.check_in_s is None else device.check_in_s) * 1_000_000
        if record.silent and not record.window_us and record.offline_us is None:
            self._is_back(record)
        self._queue(record, now)

    # --- what comes in ----------------------------------------------------------------------------------------------

    def heard(
        self, source: str, check_ins: Sequence[CheckIn], *, retained: bool = False, qos: int | None = None
    ) -> None:
        """See `ports.Door.check_in`."""
        now = self._clock.now()
        for check_in in check_ins:
            record = self._records.get(check_in.device_id)
            if record is None:
                continue
            if check_in.alive and not retained:
                self._stamp(record, check_in, source, now)
                if qos is not None and check_in.pressed:
                    record.qos = max(record.qos or 0, qos)
            if check_in.link is not None:
                self._link(record, check_in.link, now)
            if record.silent and record.offline_us is None and not (retained and record.window_us):
                self._is_back(record)
            self._note_state(record, check_in, now)
            if not record.is_dirty:
                record.is_dirty = True
                self._dirty.append(record)
            if not record.queued and record.window_us:
                self._queue(record, now)

    def _stamp(self, record: Record, check_in: CheckIn, source: str, now: Now) -> None:
        is_first = not record.seen_wall_us
        record.stamp(check_in, source, self._ears.listened_us(source, now), now)
        if is_first:  # until now it had a day
            self._queue(record, now)
        if check_in.profile != record.profile:
            record.profile = check_in.profile
            self._set_window(record, now)
        if record.behind != record.hangs_below:
            self._tree.hang(record)
        self._offline.pop(record.device.id, None)

    def _link(self, record: Record, link: Link, now: Now) -> None:
        record.link(link, now)
        if link is Link.OFFLINE:
            self._offline[record.device.id] = record
        else:
            self._offline.pop(record.device.id, None)

    def _note_state(self, record: Record, check_in: CheckIn, now: Now) -> None:
        if record.power(check_in):
            self._low.put(record, standing=record.battery_low, now_us=now.boot_us)
        tamper = (record.device.site_id, f"{TAMPER}:{record.device.id}")
        if check_in.whole_again and tamper in self._tampered:
            self._cleared.append(TroubleCleared(site_id=tamper[0], key=tamper[1]))

    def _is_back(self, record: Record) -> None:
        record.silent = False
        self._silent.put(record, standing=False, now_us=self._clock.now().boot_us)

    # --- who is missed ----------------------------------------------------------------------------------------------

    async def run(self, door: Door) -> None:
        while True:
            await asyncio.sleep(ROUND_S)
            await self.look(door)

    async def look(self, door: Door) -> None:
        """One round: who listens, whose window has ended, what is told."""
        now = self._clock.now()
        self._ears.listen(now)
        self._judge_offline(now)
        missed: list[Record] = []
        for number, record in enumerate(self._ended(now), start=1):
            if self._is_missed(record, now):
                missed.append(record)
            if number % BREATH == 0:
                await asyncio.sleep(0)
        await self._miss(missed, now)
        await self._tell(door, now)

    def _queue(self, record: Record, now: Now) -> None:
        """Look at it when its window may have ended; an entry that it has counts no more."""
        if record.window_us and not record.silent:
            self._push(record, max(now.boot_us, record.last_us + record.window_us))

    def _push(self, record: Record, at_us: int) -> None:
        self._number += 1
        record.queued = self._number
        heapq.heappush(self._ends, (at_us, self._number, record))

    def _ended(self, now: Now) -> list[Record]:
        """Those whose window may have ended, gateways first: they take others with them."""
        found: list[Record] = []
        while self._ends and self._ends[0][0] <= now.boot_us:
            _, number, record = heapq.heappop(self._ends)
            if number != record.queued:
                continue
            record.queued = 0
            if self._records.get(record.device.id) is record and record.window_us and not record.silent:
                found.append(record)
        return sorted(found, key=lambda record: not record.is_gateway)

    def _is_missed(self, record: Record, now: Now) -> bool:
        """Has its window ended? If not, it is put back."""
        heard = self._ears.hearing(record.source, now)
        if heard is None:
            self._push(record, now.boot_us + round(AGAIN_S * 1_000_000))
            return False
        due_us = record.due_us(heard.since_us, heard.listened_us, now)
        assert due_us is not None, "it has a window"
        site = self._registry.sites.get(record.device.site_id) if self._registry is not None else None
        due_us = record.not_before_us(site, due_us, now)
        if due_us <= now.boot_us and not record.is_gateway:
            due_us = self._not_before_gateway(record, now)
        if due_us > now.boot_us:
            self._push(record, due_us)
        return due_us <= now.boot_us

    def _not_before_gateway(self, record: Record, now: Now) -> int:
        """A gateway that has not been heard since may be what is silent: its own end comes first."""
        if self._tree.gone_above(record) is not None:
            return now.boot_us + round(AGAIN_S * 1_000_000)
        for gateway in self._tree.above(record):
            if gateway.offline_us is not None:
                return gateway.offline_us + round((OFFLINE_S + 2 * ROUND_S) * 1_000_000)
            if gateway.window_us and gateway.last_us < record.last_us:
                return gateway.last_us + gateway.window_us + round(2 * ROUND_S * 1_000_000)
        return now.boot_us

    async def _miss(self, records: Sequence[Record], now: Now) -> None:
        """Their windows have ended, as far as this node knows."""
        if not records:
            return
        for kept in await self._heard_elsewhere(records):
            record = self._records.get(kept.device_id)
            if record is not None:
                record.remember(kept, now)
        for record in records:
            if record.last_us + record.window_us > now.boot_us:  # another node has heard it, or it spoke just now
                self._queue(record, now)
                continue
            record.silent = True
            if not record.is_gateway:
                self._silent.put(record, standing=True, now_us=now.boot_us)

    async def _heard_elsewhere(self, records: Sequence[Record]) -> Sequence[LastSeen]:
        try:
            return await self._latest([record.device.id for record in records])
        except StoreError as error:  # what this node knows has to do
            log.warning("last_seen_not_read", error=str(error))
            return ()

    def _judge_offline(self, now: Now) -> None:
        for record in self._offline.values():
            since_us = record.offline_us
            if since_us is None or record.silent or now.boot_us - since_us < OFFLINE_S * 1_000_000:
                continue
            if record.is_gateway:
                record.silent = True
            elif self._tree.gone_above(record) is None:
                record.silent = True
                self._silent.put(record, standing=True, now_us=now.boot_us)

    # --- gateways ---------------------------------------------------------------------------------------------------

    def _judge_gateways(self, now: Now) -> Iterator[Told]:
        for gateway in self._tree.back():
            yield self._gateway_is_back(gateway, now)
        for gateway in self._tree.newly_gone():
            yield self._gateway_is_gone(gateway, now)

    def _gateway_is_gone(self, gateway: Record, now: Now) -> Told:
        assert self._registry is not None, "it is registered"
        below = self._tree.below(gateway)
        for record in below:
            if record.silent and not record.is_gateway and record.last_us + record.window_us >= gateway.last_us:
                self._is_back(record)  # it fell silent with its gateway: not its own fault
                self._queue(record, now)
        summary = check_in_words.gateway(gateway, len(below), self._registry, now.wall_us)
        event = TroubleRaised(site_id=gateway.device.site_id, key=f"{GATEWAY}:{gateway.device.id}", summary=summary)
        return Told(event, lambda: self._tree.unsay(gateway))

    def _gateway_is_back(self, gateway: Record, now: Now) -> Told:
        self._queue(gateway, now)
        for record in self._tree.below(gateway):
            record.resumed_us = now.boot_us
            record.listened_us = self._ears.listened_us(record.source, now)
            self._queue(record, now)
        event = TroubleCleared(site_id=gateway.device.site_id, key=f"{GATEWAY}:{gateway.device.id}")
        return Told(event, lambda: self._tree.unsay(gateway))

    # --- what is told -----------------------------------------------------------------------------------------------

    async def _tell(self, door: Door, now: Now) -> None:
        registry = self._registry
        assert registry is not None, "`use` comes first"
        told = [*self._judge_gateways(now), *self._ends_told()]
        for family, words in (
            (self._silent, lambda found: check_in_words.silent(found, registry, now.wall_us)),
            (self._low, lambda found: check_in_words.battery(found, registry)),
        ):
            told += [Told(event, _again(family, event.site_id)) for event in family.due(now.boot_us, words)]
        for each in told:
            try:
                await door.submit(each.event)
            except NotCommittedError:
                each.undo()

    def _ends_told(self) -> list[Told]:
        ends, self._cleared = self._cleared, []
        return [Told(end, lambda end=end: self._cleared.append(end)) for end in ends]  # type: ignore[misc]

    # --- over restarts ----------------------------------------------------------------------------------------------

    def committed(self, decision: Decision) -> None:
        for trouble in decision.troubles:
            self._note_tamper(trouble)

    def _note_tamper(self, trouble: Trouble) -> None:
        if trouble.family != TAMPER:
            return
        place = (trouble.site_id, trouble.key)
        if trouble.stands:
            self._tampered.add(place)
        else:
            self._tampered.discard(place)

    def remember(self, kept: Sequence[LastSeen]) -> None:
        """When devices were heard, as an earlier life knew it."""
        now = self._clock.now()
        for each in kept:
            if each.device_id.startswith(EAR):
                self._ears.remember(each, self._records.values())
            elif (record := self._records.get(each.device_id)) is not None:
                record.remember(each, now)
                self._tree.hang(record)
                self._set_window(record, now)
                if record.offline_us is not None:
                    self._offline[each.device_id] = record
                if record.battery_low:
                    self._low.put(record, standing=True, now_us=now.boot_us)

    def remember_troubles(self, standing: Sequence[Trouble]) -> None:
        """Who was missed, as an earlier life knew it."""
        for trouble in standing:
            self._note_tamper(trouble)
            found = [r for each in trouble.members if (r := self._records.get(DeviceId(each))) is not None]
            if trouble.family == SILENT:
                for record in found:
                    record.silent = not record.spoke and (record.window_us > 0 or record.offline_us is not None)
                self._silent.remember(trouble, [record for record in found if record.silent])
            elif trouble.family == BATTERY:
                self._low.remember(trouble, [record for record in found if record.battery_low])
            elif trouble.family == GATEWAY and not self._tree.remember(trouble):
                self._cleared.append(TroubleCleared(site_id=trouble.site_id, key=trouble.key))

    def take_changed(self, limit: int) -> list[LastSeen]:
        """What has to be kept: some of those that changed since they were taken last; empty: none."""
        taken = [self._dirty.popleft() for _ in range(min(limit, len(self._dirty)))]
        for record in taken:
            record.is_dirty = False
        return [record.kept() for record in taken if self._records.get(record.device.id) is record]

    def listened(self) -> list[LastSeen]:
        """How long each source has listened, to be kept, too."""
        return self._ears.kept(self._clock.now())

    def standings(self) -> Iterator[DeviceStanding]:
        """Every registered device, as it is now."""
        for record in self._records.values():
            gateway = self._tree.gone_above(record)
            yield record.standing(gateway.device.id if gateway is not None else None)


def _again(family: SiteTroubles, site_id: SiteId) -> Callable[[], None]:
    return lambda: family.again(site_id)
