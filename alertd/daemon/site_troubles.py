"""One trouble a site for many devices: silent ones, low batteries. Texts about machines must not bury people's.

Owns: who belongs to it, and when a change is told: those who come together are told together, later ones not at once,
and whoever comes and goes stays in it until it has been well for a while, and is told again when it is gone for good.
"""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence

from alertd.daemon.device_records import Record
from alertd.daemon.flapping import Flapping
from alertd.model.events import TroubleCleared, TroubleRaised
from alertd.model.ids import DeviceId, SiteId
from alertd.model.trouble import Trouble

GATHER_S = 10.0
"""After the first one, for those that come with it."""
NEWS_S = 300.0
"""Between two texts about one site."""
MEMBERS_MAX = 500
"""Devices that a trouble holds by name; who comes after them is counted."""


class _Site:
    __slots__ = ("anew", "due_us", "leaving", "members", "raised", "returning", "told_us")

    def __init__(self) -> None:
        self.members: dict[DeviceId, Record] = {}
        self.leaving: dict[DeviceId, int] = {}
        """Members that are well again, and have been before: when they leave, if they stay so."""
        self.returning: dict[DeviceId, int] = {}
        """Members that have fallen again while they were leaving: when that is told, if they stay so."""
        self.anew = False
        """One of them has: its trouble is told again."""
        self.due_us: int | None = None
        """Boot time at which a change is told; `None`: nothing has changed."""
        self.told_us: int | None = None
        self.raised = False

    def change(self, earliest_us: int) -> None:
        """It is told then, or with what is told sooner."""
        if self.told_us is not None and self.members:
            earliest_us = max(earliest_us, self.told_us + round(NEWS_S * 1_000_000))
        self.due_us = earliest_us if self.due_us is None else min(self.due_us, earliest_us)

    def leave(self, device_id: DeviceId, now_us: int) -> None:
        self.forget(device_id)
        self.change(now_us)

    def forget(self, device_id: DeviceId) -> None:
        self.leaving.pop(device_id, None)
        self.returning.pop(device_id, None)
        del self.members[device_id]


class SiteTroubles:
    """Of one family."""

    def __init__(self, family: str) -> None:
        self._family = family
        self._sites: dict[SiteId, _Site] = {}
        self._flapping = Flapping(family)

    def put(self, record: Record, *, standing: bool, now_us: int) -> None:
        """It belongs to it, or does no more."""
        site = self._sites.setdefault(record.device.site_id, _Site())
        device_id = record.device.id
        if standing and device_id not in site.members:
            self._flapping.fell(record, now_us)
            site.members[device_id] = record
            site.change(now_us + round(GATHER_S * 1_000_000))
        elif standing and site.leaving.pop(device_id, None) is not None:
            self._flapping.fell(record, now_us, untold=True)
            self._returns(site, record)
            site.change(now_us + round(GATHER_S * 1_000_000))
        elif not standing and device_id in site.members and device_id not in site.leaving:
            site.returning.pop(device_id, None)
            over_us = self._flapping.over_us(record, now_us)
            if over_us > now_us:
                site.leaving[device_id] = over_us
                site.change(now_us)
            else:
                site.leave(device_id, now_us)

    def _returns(self, site: _Site, record: Record) -> None:
        told_us = self._flapping.for_good_us(record)
        if told_us is not None:
            site.returning[record.device.id] = told_us

    def is_other(self, record: Record, now_us: int) -> None:
        """What is said of it has changed: the trouble that stands says so, and nobody is told anew."""
        site = self._sites.get(record.device.site_id)
        if site is not None and record.device.id in site.members:
            site.change(now_us + round(GATHER_S * 1_000_000))

    def due(self, now_us: int, words: Callable[[Sequence[Record]], str]) -> Iterable[TroubleRaised | TroubleCleared]:
        """What is to be told now."""
        for site_id, site in self._sites.items():
            for device_id in [each for each, over_us in site.leaving.items() if over_us <= now_us]:
                site.leave(device_id, now_us)
            for device_id in [each for each, told_us in site.returning.items() if told_us <= now_us]:
                del site.returning[device_id]
                self._flapping.is_told(site.members[device_id])
                site.anew = True
                site.change(now_us)
            if site.due_us is None or site.due_us > now_us:
                continue
            site.due_us = None
            key = f"{self._family}:{site_id}"
            if not site.members:
                site.anew = False
                if site.raised:
                    site.raised, site.told_us = False, None
                    yield TroubleCleared(site_id=site_id, key=key)
                continue
            site.raised, site.told_us = True, now_us
            found = list(site.members.values())
            members = tuple(record.device.id for record in found[:MEMBERS_MAX])
            anew, site.anew = site.anew, False
            yield TroubleRaised(site_id=site_id, key=key, summary=words(found), members=members, anew=anew)

    def again(self, event: TroubleRaised | TroubleCleared) -> None:
        """What was to be told was not committed."""
        site = self._sites[event.site_id]
        site.raised, site.due_us = True, 0
        site.anew |= isinstance(event, TroubleRaised) and event.anew

    def was(self, record: Record, now_us: int) -> None:
        """It belonged to it in an earlier life, and still does: it has not fallen anew."""
        site = self._sites.setdefault(record.device.site_id, _Site())
        site.members[record.device.id] = record
        self._returns(site, record)
        site.change(now_us + round(GATHER_S * 1_000_000))

    def remember(self, trouble: Trouble, records: Iterable[Record], standing: Container[Record], now_us: int) -> None:
        """It stands since an earlier life: `records` belonged to it, and those in `standing` are not well again. Of the
        others those stay that were not well for long enough."""
        site = self._sites.setdefault(trouble.site_id, _Site())
        site.raised = True
        for record in records:
            device_id = record.device.id
            if record in standing:
                site.members[device_id] = record
                self._returns(site, record)
            elif self._flapping.was_well(record):
                site.members[device_id] = record
                site.leaving[device_id] = self._flapping.over_us(record, now_us)
        same = set(site.members) == set(trouble.members)
        site.due_us = None if same else 0

    def keep(self, known: Mapping[DeviceId, Record], now_us: int) -> None:
        """Devices that are registered no more are missed no more; those that hang in another school now, there."""
        for site_id, site in list(self._sites.items()):
            for record in list(site.members.values()):
                device_id = record.device.id
                if known.get(device_id) is record and record.device.site_id == site_id:
                    continue
                is_well = device_id in site.leaving
                site.forget(device_id)
                site.due_us = 0
                if known.get(device_id) is record and not is_well:
                    elsewhere = self._sites.setdefault(record.device.site_id, _Site())
                    elsewhere.members[device_id] = record
                    elsewhere.change(now_us)
