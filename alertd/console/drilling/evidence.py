"""What the journal knows of a drill beside its messages: when alertd was away, what was wrong, whom nothing reaches.

Must never make a time narrower than it is known: alertd was away at some time between the last line that it wrote and
its next start, and nobody can say more.
"""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from alertd.console.backend import Backend
from alertd.console.drilling.lines import US_PER_S, Times, times_of
from alertd.console.naming import read
from alertd.console.views import iso
from alertd.model.decision import EntryKind
from alertd.model.drill import Drill
from alertd.model.ids import DISTRICT, NotificationId, SiteId
from alertd.model.reason import Reason
from alertd.model.registry import Registry
from alertd.ports import JournalLine

SETTLES_US = 900 * US_PER_S
"""So long after a drill's end there may still be news of its messages."""
LAST_US = 2**62
"""Later than any clock."""


class Away(Struct, frozen=True, kw_only=True):
    """alertd was not there for some time between the two: what was pressed then waited, nothing was sent or read."""

    since: str
    """The last sign of life that it wrote down."""
    until: str
    """Its next start."""
    since_us: int
    until_us: int
    since_local: str
    until_local: str

    @property
    def seconds(self) -> float:
        """From the one to the other: it was away no longer."""
        return round((self.until_us - self.since_us) / US_PER_S, 1)


class Mishap(Struct, frozen=True, kw_only=True):
    """A trouble that stood at some time of the drill."""

    summary: str
    since_local: str | None
    """`None`: since before the drill."""
    until_local: str | None
    """`None`: it stood when the drill ended."""


class Evidence(Struct, frozen=True, kw_only=True):
    times: Times
    aways: tuple[Away, ...]
    mishaps: tuple[Mishap, ...]
    no_way: tuple[str, ...]
    """People whom the configuration gives no way to reach, or who left it during the drill."""
    notices: tuple[NotificationId, ...]
    """Messages of the site that belong to no incident, written while it ran: its notices are among them."""
    erased: int


async def evidence_of(backend: Backend, drill: Drill) -> Evidence:
    """Read the journal of the drill's site, and of the district, which broker and carrier belong to."""
    every = await _journal(backend, drill.site_id, 0, LAST_US, EntryKind.DRILL)
    own = [line for line in every if line.entry is not None and line.entry.data.get("drill") == drill.id]
    now_us = backend.clock.now().wall_us
    begun_us = min([drill.started_us, *(line.at_us for line in own)])  # a clock that was set moves the row, not a line
    over_us = now_us if drill.ended_us is None else max([drill.ended_us, *(line.at_us for line in own)])
    here = await _journal(backend, drill.site_id, begun_us, over_us + SETTLES_US)
    there = await _journal(backend, DISTRICT, begun_us, over_us + SETTLES_US)
    registry = backend.registry()
    return Evidence(
        times=times_of(here, drill.ended_us),
        aways=tuple(_aways(registry, own, [*here, *there])),
        mishaps=tuple(_mishaps(registry, drill.site_id, [line for line in [*here, *there] if line.at_us <= over_us])),
        no_way=tuple(dict.fromkeys(_no_way(drill, [*own, *here]))),
        notices=tuple(dict.fromkeys(_notices([line for line in here if line.at_us <= over_us]))),
        erased=sum(line.entry is None for line in here),
    )


async def _journal(
    backend: Backend, site_id: SiteId, since_us: int, until_us: int, kind: EntryKind | None = None
) -> list[JournalLine]:
    found: list[JournalLine] = []
    while True:
        after = found[-1].sequence if found else 0
        page = await read(
            lambda after=after: backend.store.read_journal(  # type: ignore[misc]
                site_id, since_us=since_us, until_us=until_us, after=after, kind=kind
            )
        )
        if not page:
            return found
        found += page


def _aways(registry: Registry, own: Sequence[JournalLine], every: Sequence[JournalLine]) -> Iterator[Away]:
    for line in own:
        started = line.entry.data.get("started_us") if line.entry is not None else None
        if started is None:
            continue
        back_us = int(started)
        written = [each.at_us for each in every if each.at_us < back_us]
        gone_us = max(written, default=back_us)
        since, until = (iso(registry, line.site_id, at_us) for at_us in (gone_us, back_us))
        yield Away(
            since=since,
            until=until,
            since_us=gone_us,
            until_us=back_us,
            since_local=since[11:19],
            until_local=until[11:19],
        )


def _mishaps(registry: Registry, site_id: SiteId, lines: Sequence[JournalLine]) -> Iterator[Mishap]:
    """Each trouble that began or ended in these lines; those that stood all the time are told by the trouble itself."""
    begun: dict[str, tuple[int, str]] = {}
    for line in sorted(lines, key=lambda each: each.at_us):
        entry = line.entry
        if entry is None or entry.kind is not EntryKind.TROUBLE:
            continue
        key = entry.data.get("key", "")
        if entry.reason is Reason.TROUBLE:
            begun.setdefault(key, (line.at_us, entry.text))
        elif entry.reason is Reason.TROUBLE_CLEARED:
            at_us, summary = begun.pop(key, (None, entry.text))
            yield Mishap(
                summary=summary,
                since_local=None if at_us is None else iso(registry, site_id, at_us)[11:19],
                until_local=iso(registry, site_id, line.at_us)[11:19],
            )
    for at_us, summary in begun.values():
        yield Mishap(summary=summary, since_local=iso(registry, site_id, at_us)[11:19], until_local=None)


def _no_way(drill: Drill, lines: Sequence[JournalLine]) -> Iterator[str]:
    for line in lines:
        entry = line.entry
        if entry is None or entry.reason is not Reason.NO_ENDPOINT:
            continue
        if entry.data.get("drill") == drill.id or entry.incident_id in drill.incident_ids:
            yield entry.text


def _notices(lines: Sequence[JournalLine]) -> Iterator[NotificationId]:
    for line in lines:
        entry = line.entry
        if entry is None or entry.kind is not EntryKind.NOTIFICATION or entry.incident_id is not None:
            continue
        if entry.notification_id is not None:
            yield entry.notification_id
