"""The ends of check-in windows: who is looked at when, and is it missed?

Owns: a heap with one entry a device, looked at only when an end may have come. Must never: take a silence for a
device's own while nobody listened, to its source or through its gateway; decide what people are told.
"""

import heapq
from collections.abc import Mapping

from alertd.daemon.device_records import Record
from alertd.daemon.device_tree import DeviceTree
from alertd.daemon.ears import Ears, Hearing
from alertd.model.anchor import Now
from alertd.model.ids import SiteId
from alertd.model.site import Site

ROUND_S = 5.0
"""Seconds between two looks at what is due."""
OFFLINE_S = 60.0
"""Whoever says that a device or a gateway is gone is believed after this: a bridge that restarts says so, too."""
AGAIN_S = 60.0
"""A device whose source or gateway is away is looked at again after so long."""
SLACK_US = round(2 * ROUND_S * 1_000_000)
"""For the round in which a gateway's end is found, and the one in which it is told."""
LATE_US = 450 * 1_000_000
"""So late a broker says that somebody is gone: one and a half keep-alives, which may be five minutes each."""


class Windows:
    def __init__(self, ears: Ears, tree: DeviceTree) -> None:
        self._ears = ears
        self._tree = tree
        self._ends: list[tuple[int, int, Record]] = []
        self._number = 0

    def queue(self, record: Record, now: Now) -> None:
        """Look at it when its window may have ended; an entry that it has counts no more."""
        if record.window_us and not record.silent:
            self._push(record, max(now.boot_us, record.last_us + record.window_us))

    def _push(self, record: Record, at_us: int) -> None:
        self._number += 1
        record.queued = self._number
        heapq.heappush(self._ends, (at_us, self._number, record))

    def ended(self, now: Now) -> list[Record]:
        """Those whose window may have ended, gateways first: they take others with them."""
        found: list[Record] = []
        while self._ends and self._ends[0][0] <= now.boot_us:
            _, number, record = heapq.heappop(self._ends)
            if number != record.queued:
                continue
            record.queued = 0
            if record.window_us and not record.silent:
                found.append(record)
        return sorted(found, key=lambda record: not record.is_gateway)

    def is_missed(self, record: Record, sites: Mapping[SiteId, Site], now: Now) -> bool:
        """Has its window ended? If not, it is put back."""
        heard = self._ears.hearing(record.source, now)
        if heard is None:
            self._push(record, now.boot_us + round(AGAIN_S * 1_000_000))
            return False
        due_us = record.due_us(heard.since_us, heard.listened_us, now)
        assert due_us is not None, "it has a window"
        due_us = record.not_before_us(sites.get(record.device.site_id), due_us, now)
        if due_us <= now.boot_us and not record.is_gateway:
            due_us = self._not_before_gateway(record, due_us, due_us + record.window_us, heard, now)
        if due_us > now.boot_us:
            self._push(record, due_us)
        return due_us <= now.boot_us

    def is_gone(self, record: Record, now: Now) -> bool:
        """Has its last will stood for long enough? It reconnects a while after its gateway does."""
        if record.offline_us is None:
            return False
        patience_us = round(OFFLINE_S * 1_000_000)
        due_us = max(record.offline_us, record.resumed_us) + patience_us
        if due_us > now.boot_us or record.is_gateway:
            return due_us <= now.boot_us
        heard = self._ears.hearing(record.source, now)
        if heard is None:
            return False
        until_us = due_us + patience_us
        return self._not_before_gateway(record, record.offline_us, until_us, heard, now) <= now.boot_us

    def _not_before_gateway(self, record: Record, since_us: int, until_us: int, heard: Hearing, now: Now) -> int:
        """A gateway that has not been heard since may be what is silent: its own end comes first, if it comes soon
        enough (`until_us`)."""
        if self._tree.gone_above(record) is not None:
            return now.boot_us + round(AGAIN_S * 1_000_000)
        for gateway in self._tree.above(record):
            if gateway.offline_us is not None:
                return gateway.offline_us + round(OFFLINE_S * 1_000_000) + SLACK_US
            if gateway.last_us >= since_us:
                continue
            end_us = gateway.due_us(heard.since_us, heard.listened_us, now)
            if end_us is not None and now.boot_us < min(end_us, until_us) + SLACK_US:
                return now.boot_us + SLACK_US
        return now.boot_us


def fell_with(record: Record, gateway: Record) -> bool:
    """Was it lost with its gateway, which is gone, and not long before?"""
    gone_us = gateway.last_us if gateway.offline_us is None else max(gateway.last_us, gateway.offline_us - LATE_US)
    return record.lost_us >= gone_us
