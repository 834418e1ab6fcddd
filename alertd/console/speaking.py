"""What an operator can do with a site's loudspeakers: have words said, and make them fall silent.

As every order: looked up, refused in words, submitted as an event, read back after its commit. Must never say that
anybody heard it: a multicast PA cannot know.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from alertd.config.problems import did_you_mean, quoted
from alertd.console.backend import Backend
from alertd.console.naming import INCIDENTS_MAX, find_site, read, who_orders
from alertd.console.operations import Committed, Signature, cause_of, committed
from alertd.console.refusals import refused, unknown
from alertd.console.views import notification_view
from alertd.engine.paging import in_the_way, meant, page_id
from alertd.model.events import SayOrdered, SilenceOrdered
from alertd.model.ids import CauseId, SiteId
from alertd.model.mode import Mode
from alertd.model.notification import NotificationRow
from alertd.model.people import Endpoint
from alertd.model.site import Site


class Wanted(Struct, frozen=True, kw_only=True):
    """What is to be said. `zones`: names of the site's loudspeakers; none: wherever everybody hears it."""

    words: str
    zones: tuple[str, ...] = ()
    emergency: bool = False


async def say(backend: Backend, site: str, wanted: Wanted, signed: Signature, key: str | None) -> Committed:
    """One announcement, which says the words twice, and is tried once. Not while something grave is going on, unless
    they belong to it."""
    by = who_orders(backend, signed.by, signed.name)
    here = _with_loudspeakers(backend, site)
    for zone in wanted.zones:
        if zone not in here.loudspeakers:
            raise unknown(f"loudspeakers at {here.id}", zone, "zone", here.loudspeakers)
    chosen, cause = cause_of(key, "say")
    endpoints = meant(here, wanted.zones).values()
    if before := await _rows(backend, cause, endpoints):  # ordered before: whatever is open by now
        return _done(backend, chosen, before, "Committed before; nothing is said twice.", changed=False)
    await _refuse_chat(backend, here.id, emergency=wanted.emergency)
    event = SayOrdered(
        site_id=here.id, cause=cause, by=by, words=wanted.words, loudspeakers=wanted.zones, emergency=wanted.emergency
    )
    await committed(backend.door.submit(event))
    rows = await _rows(backend, cause, endpoints)
    if not rows:  # something began between the look and the commit
        await _refuse_chat(backend, here.id, emergency=wanted.emergency)
    return _done(backend, chosen, rows, f"Written for the loudspeakers of {here.name}: {wanted.words}")


async def silence(backend: Backend, site: str, signed: Signature, key: str | None) -> Committed:
    """Quiet at a site. Nobody is looked for less, and nothing is said to be over."""
    by = who_orders(backend, signed.by, signed.name)
    here = _with_loudspeakers(backend, site)
    chosen, cause = cause_of(key, "silence")
    await committed(backend.door.submit(SilenceOrdered(site_id=here.id, cause=cause, by=by)))
    rows = await _rows(backend, cause, here.loudspeakers.values())
    words = f"The loudspeakers of {here.name} are told to be quiet. Nothing else has changed: people are still called."
    return _done(backend, chosen, rows, words)


def _with_loudspeakers(backend: Backend, site: str) -> Site:
    sites = backend.registry().sites
    here = sites.get(find_site(backend, site))
    if here is not None and here.loudspeakers:
        return here
    loud = [s.id for s in sites.values() if s.loudspeakers]
    remedy = did_you_mean(site, loud) if loud else f"write [loudspeakers] in sites/{site}.toml"
    raise refused(409, f"site {quoted(site)} has no loudspeakers", "site", remedy)


async def _refuse_chat(backend: Backend, site_id: SiteId, *, emergency: bool) -> None:
    still_open = await read(lambda: backend.store.read_incidents(open_only=True, site_id=site_id, limit=INCIDENTS_MAX))
    grave = in_the_way(still_open, backend.clock.now().wall_us)
    if grave is not None and not emergency:
        remedy = "nothing was said; if these words belong to it, give --emergency: they cut what is being said"
        raise refused(409, f"{grave.headline} is open, and its announcement comes first", "site", remedy)


async def _rows(backend: Backend, cause: CauseId, endpoints: Iterable[Endpoint]) -> tuple[NotificationRow, ...]:
    """The messages that an order has led to."""
    ids = [page_id(cause, endpoint) for endpoint in dict.fromkeys(endpoints)]
    found = await read(lambda: [backend.store.read_notification(id_) for id_ in ids])
    return tuple(row for row in found if row is not None)


def _done(
    backend: Backend, chosen: str, rows: Sequence[NotificationRow], words: str, *, changed: bool = True
) -> Committed:
    registry = backend.registry()
    return Committed(
        cause=chosen,
        mode=Mode.LIVE.value,
        changed=changed and bool(rows),
        words=words,
        notifications=tuple(notification_view(row, registry) for row in rows),
    )
