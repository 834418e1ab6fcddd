"""One trouble a site for many devices: silent ones, low batteries. Texts about machines must not bury people's.

Owns: who belongs to it, and when a change is told: those who come together are told together, later ones not at once.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from alertd.daemon.device_records import Record
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
    __slots__ = ("due_us", "members", "raised", "told_us")

    def __init__(self) -> None:
        self.members: dict[DeviceId, Record] = {}
        self.due_us: int | None = None
        """Boot time at which a change is told; `None`: nothing has changed."""
        self.told_us: int | None = None
        self.raised = False


class SiteTroubles:
    """Of one family."""

    def __init__(self, family: str) -> None:
        self._family = family
        self._sites: dict[SiteId, _Site] = {}

    def put(self, record: Record, *, standing: bool, now_us: int) -> None:
        """It belongs to it, or does no more."""
        site = self._sites.setdefault(record.device.site_id, _Site())
        if standing == (record.device.id in site.members):
            return
        if standing:
            site.members[record.device.id] = record
        else:
            del site.members[record.device.id]
        earliest_us = now_us + round(GATHER_S * 1_000_000) if standing else now_us
        if site.told_us is not None and site.members:
            earliest_us = max(earliest_us, site.told_us + round(NEWS_S * 1_000_000))
        site.due_us = earliest_us if site.due_us is None else min(site.due_us, earliest_us)

    def due(self, now_us: int, words: Callable[[Sequence[Record]], str]) -> Iterable[TroubleRaised | TroubleCleared]:
        """What is to be told now."""
        for site_id, site in self._sites.items():
            if site.due_us is None or site.due_us > now_us:
                continue
            site.due_us = None
            key = f"{self._family}:{site_id}"
            if not site.members:
                if site.raised:
                    site.raised, site.told_us = False, None
                    yield TroubleCleared(site_id=site_id, key=key)
                continue
            site.raised, site.told_us = True, now_us
            found = list(site.members.values())
            members = tuple(record.device.id for record in found[:MEMBERS_MAX])
            yield TroubleRaised(site_id=site_id, key=key, summary=words(found), members=members)

    def again(self, site_id: SiteId) -> None:
        """What was to be told was not committed."""
        site = self._sites[site_id]
        site.raised, site.due_us = True, 0

    def remember(self, trouble: Trouble, records: Iterable[Record]) -> None:
        """It stands since an earlier life."""
        site = self._sites.setdefault(trouble.site_id, _Site())
        site.raised = True
        for record in records:
            site.members[record.device.id] = record
        same = set(site.members) == set(trouble.members)
        site.due_us = None if same else 0

    def keep(self, known: Mapping[DeviceId, Record]) -> None:
        """Devices that are registered no more are missed no more."""
        for site in self._sites.values():
            for device_id in [each for each in site.members if each not in known]:
                del site.members[device_id]
                site.due_us = 0
