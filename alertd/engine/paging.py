"""What a named human wants of the loudspeakers: words (`alertd say`), or quiet (`alertd pa stop`).

Must never touch who is being looked for: silence is silence, and nothing else.
"""

from msgspec.json import encode
from msgspec.structs import replace

from alertd.engine.announcing import EXPIRES_S
from alertd.engine.draft import Draft
from alertd.model.decision import EntryKind
from alertd.model.events import SayOrdered, SilenceOrdered
from alertd.model.ids import CauseId, DrillId, IncidentId, NotificationId, derive
from alertd.model.incident import SEVERITY, Incident, IncidentState, Severity
from alertd.model.mode import Mode
from alertd.model.notification import Kind, Lane, Notification
from alertd.model.page import Page, PageAction
from alertd.model.people import Endpoint
from alertd.model.reason import Reason
from alertd.model.site import Site

EVERYWHERE = "all"
"""Name of the loudspeakers that everybody hears, where a site has such."""
ANNOUNCEMENT_S = 30
"""Longer than this no announcement takes, with its tone and said twice."""


def on_say(d: Draft, event: SayOrdered) -> None:
    """One announcement, wherever it was meant to be heard; unless something grave is being said. It is tried once."""
    if _is_known(d):
        return
    d.cause = event.cause
    first = ordinary_words(event.words)
    gravest = in_the_way(d.open_incidents(), d.now.wall_us)
    if gravest is not None and not event.emergency:
        text = f"{event.by}: {first!r} is not said: {gravest.headline}"
        d.entry(EntryKind.LOUDSPEAKERS, Reason.OUTRANKED, text, incident=gravest)
        return
    named = meant(d.site, event.loudspeakers)
    said = f"{event.by}: {first!r} for {', '.join(named) or 'no loudspeakers'}"
    d.entry(EntryKind.LOUDSPEAKERS, Reason.SAID if named else Reason.NO_ENDPOINT, said)
    page = Page(action=PageAction.SAY, mode=Mode.LIVE, words=event.words, emergency=event.emergency)
    for name, endpoint in named.items():
        d.row(_row(d, event.cause, name, endpoint, page))


def on_silence(d: Draft, event: SilenceOrdered) -> None:
    """Quiet: what is being said is cut, what waits is withdrawn, what was to come does not. Looking for people goes on,
    and so does everything else. It holds until something graver, another incident, or a press after the end of this
    one: whoever wants quiet does not want it broken by the next room, which has nothing new to say."""
    if _is_known(d):
        return
    d.cause = event.cause
    d.entry(EntryKind.LOUDSPEAKERS, Reason.SILENCED, f"{event.by} wants quiet")
    d.withdraw_pages(Reason.SILENCED)
    for incident in d.open_incidents():
        if incident.announcing is not None and not incident.announcing.ended:
            silenced = d.put(replace(incident, announcing=replace(incident.announcing, ended=True)))
            text = f"{event.by} wants quiet: the loudspeakers say no more of it"
            d.entry(EntryKind.LOUDSPEAKERS, Reason.SILENCED, text, incident=silenced)
    page = Page(action=PageAction.STOP, mode=Mode.LIVE, emergency=True)
    for name, endpoint in _distinct(d.site).items():
        d.row(_row(d, event.cause, name, endpoint, page))


def hush(
    d: Draft, of: DrillId | IncidentId, reason: Reason, *, incident: Incident | None = None, but: frozenset[str]
) -> None:
    """Whatever the loudspeakers of the site say of exercises, they stop, because of `of`: a drill that is over, or an
    incident that is real. What is real is not touched: a zone that is a part of another must not cut its words.
    `but`: endpoint keys of those that speak of the incident."""
    silent = {name: endpoint for name, endpoint in _distinct(d.site).items() if endpoint.key not in but}
    if silent:
        text = f"the loudspeakers say no more of the drill: {', '.join(silent)}"
        d.entry(EntryKind.LOUDSPEAKERS, reason, text, incident=incident)
    page = Page(action=PageAction.STOP, mode=Mode.DRILL, emergency=True)
    for name, endpoint in silent.items():
        d.row(_row(d, CauseId(of), name, endpoint, page))


def may_be_said(d: Draft, incident: Incident) -> bool:
    """Was an announcement of it due so lately that it may still be heard?"""
    running = incident.announcing
    if running is None:
        return False
    after_s = (0, *d.policy(incident).announce_again_s)
    since_s = [(d.now.wall_us - running.begun_us) / 1_000_000 - due_s for due_s in after_s]
    return any(abs(each) < EXPIRES_S + ANNOUNCEMENT_S for each in since_s)


def _is_known(d: Draft) -> bool:
    if d.facts.seen_us is None:
        return False
    d.entry(EntryKind.LOUDSPEAKERS, Reason.DUPLICATE, "this was ordered before")
    return True


def in_the_way(incidents: tuple[Incident, ...], now_us: int) -> Incident | None:
    """The open incident over which nobody chats: a lockdown for as long as it is open, anything else while it is being
    announced."""
    grave = [i for i in incidents if _is_lockdown(i) or _is_spoken_of(i, now_us)]
    return max(grave, key=lambda i: SEVERITY[i.incident_class], default=None)


def _is_lockdown(incident: Incident) -> bool:
    return SEVERITY[incident.incident_class] >= Severity.LOCKDOWN and incident.state is not IncidentState.CLOSED


def _is_spoken_of(incident: Incident, now_us: int) -> bool:
    running = incident.announcing
    if running is None or running.ended:
        return False
    return abs(now_us - running.begun_us) < ANNOUNCEMENT_S * 1_000_000


def meant(site: Site, names: tuple[str, ...]) -> dict[str, Endpoint]:
    """The loudspeakers of these names; of none: those that everybody hears, else each of them."""
    if names:
        return {name: site.loudspeakers[name] for name in names if name in site.loudspeakers}
    if EVERYWHERE in site.loudspeakers:
        return {EVERYWHERE: site.loudspeakers[EVERYWHERE]}
    return _distinct(site)


def _distinct(site: Site) -> dict[str, Endpoint]:
    """Every zone once, under the first of its names."""
    found: dict[str, tuple[str, Endpoint]] = {}
    for name, endpoint in site.loudspeakers.items():
        found.setdefault(endpoint.key, (name, endpoint))
    return dict(found.values())


def ordinary_words(words: str) -> str:
    """As a line of the journal shows them."""
    return words if len(words) <= 80 else f"{words[:79]}…"


def page_id(cause: CauseId, endpoint: Endpoint) -> NotificationId:
    """Id of the message that an order leads to at one zone: the same order is the same message."""
    return NotificationId(derive("n", Kind.PAGE, cause, endpoint.key))


def _row(d: Draft, cause: CauseId, name: str, endpoint: Endpoint, page: Page) -> Notification:
    stop = page.action is PageAction.STOP
    return Notification(
        id=page_id(cause, endpoint),
        site_id=d.state.site_id,
        mode=Mode.LIVE,  # a human's word, or the end of a drill: no drill is left that could say it
        kind=Kind.PAGE,
        lane=Lane.PANIC if page.emergency else Lane.ROUTINE,
        endpoint=endpoint,
        reason=Reason.SILENCED if stop else Reason.SAID,
        created_us=d.now.wall_us,
        expires_us=d.now.wall_us + EXPIRES_S * 1_000_000,
        resend_unknown=stop,  # quiet twice is quiet; the same words twice are not the same
        recipient=f"loudspeakers {name}",
        text=page.words,
        body=encode(page).decode(),
    )
