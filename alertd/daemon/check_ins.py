"""Supervision of devices: who was heard when, who is missed, which gateway took how many with it, whose battery is low.

    message → stamp (O(1), in memory) → window ends → verdict → a trouble a site, or a gateway, through the door

Owns: what a message changes, the round, and what is kept over a restart. `Windows` says who is looked at when,
`SiteTroubles` and `Gateways` what is told. Must never: touch the path of a press, or write a journal line for each
message.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

import structlog

from alertd.daemon import check_in_words
from alertd.daemon.device_records import Record
from alertd.daemon.device_tree import DeviceTree
from alertd.daemon.ears import EAR, Ears
from alertd.daemon.gateways import GATEWAY, Gateways, Told
from alertd.daemon.site_troubles import SiteTroubles
from alertd.daemon.strangers import Strangers
from alertd.daemon.tampers import Tampers
from alertd.daemon.timers import STEP_S
from alertd.daemon.windows import ROUND_S, Windows, fell_with
from alertd.model.anchor import Now
from alertd.model.check_in import CheckIn, DeviceStanding, LastSeen, Link
from alertd.model.decision import Decision
from alertd.model.ids import DeviceId
from alertd.model.registry import Registry
from alertd.model.trouble import Trouble
from alertd.ports import Clock, Door, NotCommittedError, Source, StoreError

BREATH = 500
"""Devices looked at before whoever else waits has a turn."""
SILENT, BATTERY = "silent", "battery"
CARRIED_S = 5.0
"""A gateway is taken for heard at most so often because of what it carries: a busy one carries hundreds a second."""

log = structlog.get_logger(__name__)

Latest = Callable[[Sequence[DeviceId]], Awaitable[Sequence[LastSeen]]]
"""What any node has heard of these devices, as far as it is stored."""


class CheckIns:
    """Belongs to the event loop; `heard` is called by adapters, `run` is a task, `committed` makes it a follower."""

    def __init__(self, *, clock: Clock, sources: Callable[[], Mapping[str, Source]], latest: Latest) -> None:
        self._clock = clock
        self._offset_us = clock.now().wall_us - clock.now().boot_us
        """Of the clock on the wall, as stamps of this life have it."""
        self._latest = latest
        self._ears = Ears(sources)
        self._registry: Registry | None = None
        self._windows: Mapping[str, int] = {}
        self._records: dict[DeviceId, Record] = {}
        self._tree = DeviceTree(self._records)
        self._ends = Windows(self._ears, self._tree)
        self._offline: dict[DeviceId, Record] = {}
        """Those of whom somebody says that they are gone."""
        self._dirty: deque[Record] = deque()
        self._strangers = Strangers()
        self._tampers = Tampers()
        self._gateways = Gateways(self._tree)
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
        self._offline = {each: record for each, record in self._offline.items() if each in self._records}
        self._keep_troubles()

    def _keep_troubles(self) -> None:
        """Whoever is registered no more has none; who hangs in another school now has them there."""
        for family in (self._silent, self._low):
            family.keep(self._records, self._clock.now().boot_us)
        self._tampers.keep(self._records)

    def _set_window(self, record: Record, now: Now) -> None:
        device = record.device
        said = self._windows.get(device.profile or record.profile, 0)
        record.window_us = (said if device.check_in_s is None else device.check_in_s) * 1_000_000
        if record.silent and not record.window_us and record.offline_us is None:
            self._is_back(record)
        self._ends.queue(record, now)

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
            is_back = False
            if check_in.alive and not retained:
                is_back = self._stamp(record, check_in, source, now)
                if qos is not None and record.was_pressed(check_in):
                    record.qos = max(record.qos or 0, qos)
            if check_in.link is not None:
                is_back |= self._link(record, check_in.link, now, retained=retained)
            if is_back and record.silent:
                self._is_back(record)
            self._note_state(record, record.not_outdated(check_in, now) if retained else check_in, now)
            self._is_to_be_kept(record)
            if not record.queued and record.window_us:
                self._ends.queue(record, now)

    def _stamp(self, record: Record, check_in: CheckIn, source: str, now: Now) -> bool:
        """Did it speak? A bridge that says again what it said before makes nobody heard."""
        is_first = not record.seen_wall_us
        if not record.stamp(check_in, source, self._ears.listened_us(source, now), now):
            return False
        if is_first:  # until now it had a day
            self._ends.queue(record, now)
        if check_in.profile != record.profile:
            record.profile = check_in.profile
            self._set_window(record, now)
        if record.behind != record.hangs_below:
            self._tree.hang(record)
        if check_in.heard_by is not None and check_in.seen_us is None:
            self._carried(check_in.heard_by, source, now)
        self._offline.pop(record.device.id, None)
        return True

    def _carried(self, gateway_id: DeviceId, source: str, now: Now) -> None:
        """What came through it proves that a gateway is there, but for one whose last will says that it is gone: a
        message that waited at the broker may be older than that."""
        gateway = self._records.get(gateway_id)
        if gateway is None or not gateway.is_gateway or gateway.offline_us is not None:
            return
        if gateway.seen_wall_us and now.boot_us - gateway.last_us < CARRIED_S * 1_000_000:
            return
        is_first = not gateway.seen_wall_us
        gateway.carried(source, self._ears.listened_us(source, now), now)
        if gateway.silent:
            self._is_back(gateway)
        if is_first or not gateway.queued:
            self._ends.queue(gateway, now)
        self._is_to_be_kept(gateway)

    def _is_to_be_kept(self, record: Record) -> None:
        if not record.is_dirty:
            record.is_dirty = True
            self._dirty.append(record)

    def _link(self, record: Record, link: Link, now: Now, *, retained: bool) -> bool:
        """Is it there, for whoever says so? What a broker remembers says so of a device without a window only."""
        record.link(link, now)
        if link is Link.OFFLINE:
            self._offline[record.device.id] = record
            return False
        self._offline.pop(record.device.id, None)
        if not retained:
            record.resumed_us = now.boot_us
        return not (retained and record.window_us)

    def _note_state(self, record: Record, check_in: CheckIn, now: Now) -> None:
        before = record.battery_pct
        if record.power(check_in):
            self._low.put(record, standing=record.battery_low, now_us=now.boot_us)
        elif record.battery_pct != before:
            self._low.is_other(record, now.boot_us)
        if check_in.whole_again or check_in.opened:
            self._tampers.says(record.device, opened=check_in.opened)

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
        self._follow_clock(now)
        self._ears.listen(now)
        self._judge_offline(now)
        sites = self._registry.sites if self._registry is not None else {}
        missed: list[Record] = []
        for number, record in enumerate(self._ends.ended(now), start=1):
            if self._records.get(record.device.id) is record and self._ends.is_missed(record, sites, now):
                missed.append(record)
            if number % BREATH == 0:
                await asyncio.sleep(0)
        await self._miss(missed, now)
        await self._tell(door, now)

    def _follow_clock(self, now: Now) -> None:
        """What is kept, and shown, moves with the clock on the wall. Windows run on boot time, and do not."""
        step_us = now.wall_us - now.boot_us - self._offset_us
        if abs(step_us) > STEP_S * 1_000_000:
            self._offset_us += step_us
            for record in self._records.values():
                record.clock_was_set(now)
                self._is_to_be_kept(record)

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
                self._ends.queue(record, now)
                continue
            record.silent = True
            if not record.is_gateway:
                self._is_missed(record, now)

    def _is_missed(self, record: Record, now: Now) -> None:
        self._silent.put(record, standing=True, now_us=now.boot_us)
        self._is_to_be_kept(record)

    async def _heard_elsewhere(self, records: Sequence[Record]) -> Sequence[LastSeen]:
        try:
            return await self._latest([record.device.id for record in records])
        except StoreError as error:  # what this node knows has to do
            log.warning("last_seen_not_read", error=str(error))
            return ()

    def _judge_offline(self, now: Now) -> None:
        for record in self._offline.values():
            if record.silent or not self._ends.is_gone(record, now):
                continue
            record.silent = True
            if not record.is_gateway:
                self._is_missed(record, now)

    # --- gateways ---------------------------------------------------------------------------------------------------

    def _judge_gateways(self, registry: Registry, now: Now) -> Iterator[Told]:
        for gateway in self._tree.back():
            self._has_its_own_back(gateway, now)
            self._is_to_be_kept(gateway)
            yield from self._gateways.back(gateway, registry, now)
        for gateway in self._tree.newly_gone(now.boot_us):
            self._is_to_be_kept(gateway)
            yield self._gateways.gone(gateway, self._taken_by(gateway), registry, now)
        yield from self._gateways.gone_for_good(self._records, registry, now)
        yield from self._gateways.over(self._records, now)

    def _taken_by(self, gateway: Record) -> Sequence[Record]:
        """What hangs below it; whoever fell silent with it is not missed for a fault of its own."""
        below = self._tree.below(gateway)
        for record in below:
            if record.silent and not record.is_gateway and fell_with(record, gateway):
                self._is_back(record)  # its window begins anew with the gateway's return
        return below

    def _has_its_own_back(self, gateway: Record, now: Now) -> None:
        self._ends.queue(gateway, now)
        for record in self._tree.below(gateway):
            record.is_heard_again(gateway.away_us, self._ears.listened_us(record.source, now), now)
            self._is_to_be_kept(record)
            self._ends.queue(record, now)

    # --- what is told -----------------------------------------------------------------------------------------------

    async def _tell(self, door: Door, now: Now) -> None:
        registry = self._registry
        assert registry is not None, "`use` comes first"
        told = [*self._judge_gateways(registry, now)]
        told += [Told(event, partial(self._tampers.again, event)) for event in self._tampers.due(registry)]
        told += [Told(event, partial(self._strangers.again, event)) for event in self._strangers.over(registry)]
        for family, words in (
            (self._silent, lambda found: check_in_words.silent(found, registry, now.wall_us)),
            (self._low, lambda found: check_in_words.battery(found, registry)),
        ):
            told += [Told(event, partial(family.again, event)) for event in family.due(now.boot_us, words)]
        for each in told:
            try:
                await door.submit(each.event)
            except NotCommittedError:
                each.undo()

    # --- over restarts ----------------------------------------------------------------------------------------------

    def committed(self, decision: Decision) -> None:
        for trouble in decision.troubles:
            self._strangers.note(trouble)
            self._tampers.note(trouble)

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
                    self._low.was(record, now.boot_us)

    def remember_troubles(self, standing: Sequence[Trouble]) -> None:
        """Who was missed, as an earlier life knew it."""
        now = self._clock.now()
        for trouble in standing:
            self._strangers.note(trouble)
            self._tampers.note(trouble)
            found = [r for each in trouble.members if (r := self._records.get(DeviceId(each))) is not None]
            if trouble.family == SILENT:
                for record in found:
                    record.silent = not record.is_there and (record.window_us > 0 or record.offline_us is not None)
                self._silent.remember(trouble, found, [record for record in found if record.silent], now.boot_us)
            elif trouble.family == BATTERY:
                self._low.remember(trouble, found, [record for record in found if record.battery_low], now.boot_us)
            elif trouble.family == GATEWAY:
                self._gateways.remember(trouble, self._records, now)
        self._keep_troubles()

    def take_changed(self, limit: int) -> list[LastSeen]:
        """What has to be kept: some of those that changed since they were taken last; empty: none."""
        taken = [self._dirty.popleft() for _ in range(min(limit, len(self._dirty)))]
        for record in taken:
            record.is_dirty = False
        now = self._clock.now()
        return [record.kept(now) for record in taken if self._records.get(record.device.id) is record]

    def take_back(self, taken: Sequence[LastSeen]) -> None:
        """It could not be kept, and still has to be."""
        for each in taken:
            if (record := self._records.get(each.device_id)) is not None:
                self._is_to_be_kept(record)

    def listened(self) -> list[LastSeen]:
        """How long each source has listened, to be kept, too."""
        return self._ears.kept(self._clock.now())

    def standings(self, ids: Iterable[DeviceId]) -> Iterator[DeviceStanding]:
        """Those of them that are registered, as they are now."""
        now = self._clock.now()
        for record in (found for each in ids if (found := self._records.get(each)) is not None):
            gateway = self._tree.gone_above(record)
            behind = gateway.device.id if gateway is not None else None
            yield record.standing(behind, now, tampered=self._tampers.stands(record.device))
