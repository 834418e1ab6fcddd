"""Troubles: told once to their own audience, repeated until over or acknowledged, latched until acknowledged."""

import re

from msgspec.structs import replace

from alertd.engine import calls, wording
from alertd.engine.audience import Notice, people_of, reach
from alertd.engine.draft import Draft, template_of
from alertd.model.decision import EntryKind
from alertd.model.events import TroubleRaised
from alertd.model.ids import DISTRICT, NotificationId, derive
from alertd.model.mode import Mode
from alertd.model.notification import Kind, Lane, Notification
from alertd.model.policy import Policy, Target, TargetKind
from alertd.model.reason import Reason
from alertd.model.timer import TimerKind
from alertd.model.trouble import Trouble, TroubleClass

TROUBLE = "trouble"
"""Name of the trouble policy among a site's policies."""


ANYBODYS = ("unregistered", "malformed", "unmapped")
"""Families of troubles that a stranger can raise, each under as many keys as they like."""
FAMILY_MAX = 20
"""Standing troubles of such a family that are told one by one. The rest is one more: texts about strangers share the
first lane with panics, and must not bury one (promise 2)."""
RESOUNDS_S = {"battery": 14_400}
"""Families that are repeated at least so often until they are over, acknowledged or not: a battery that somebody meant
to change is the one that is empty when the badge is pressed (req 29, NFPA 72: trouble resounds within four hours)."""
FIGURES = re.compile(r"[\d.,]+")
"""How many ms, MiB or days move from night to night: they make no other trouble."""


def on_raised(d: Draft, event: TroubleRaised) -> None:
    """The daemon, or an adapter, found something."""
    raise_(d, event.key, event.summary, rings=event.rings, tells_change=event.tells_change, members=event.members)


def raise_(
    d: Draft,
    key: str,
    summary: str,
    *,
    rings: bool = False,
    tells_change: bool = False,
    members: tuple[str, ...] = (),
) -> None:
    """Raise a trouble. One that stands already is counted and says what is wrong now; it is told again only if it
    begins to ring, if it has a new member, or, with `tells_change`, if it is another thing that is wrong."""
    family = key.partition(":")[0]
    if family in ANYBODYS and d.trouble(key) is None and d.troubles_of(family) >= FAMILY_MAX:
        key, summary = f"{family}:*", f"More than {FAMILY_MAX} of a kind; the journal has them. One is: {summary}"
    standing = d.trouble(key)
    joined = standing is not None and not set(members) <= set(standing.members)
    is_news = standing is None or joined or (tells_change and _is_other(summary, standing.summary))
    if standing is not None and not is_news and (standing.rings or not rings):
        d.put_trouble(replace(standing, summary=summary, count=standing.count + 1, members=members))
        d.entry(EntryKind.TROUBLE, Reason.MERGED_REPEAT, f"{summary} (no. {standing.count + 1})", key=key)
        return
    before = standing or d.latched(key)
    trouble = Trouble(
        key=key,
        site_id=d.state.site_id,
        summary=summary,
        raised_us=standing.raised_us if joined and standing is not None else d.now.wall_us,
        count=before.count + 1 if before else 1,
        number=before.number if before else 0,
        rings=rings or (standing is not None and standing.rings),
        members=members,
    )
    _tell(d, trouble, Reason.TROUBLE)


def _is_other(summary: str, standing: str) -> bool:
    return FIGURES.sub("", summary) != FIGURES.sub("", standing)


def clear(d: Draft, key: str) -> None:
    """It is over: those who were told are told so. Latched until a human has acknowledged it (req 30)."""
    trouble = d.trouble(key)
    if trouble is None:
        return
    now_us = d.now.wall_us
    over = replace(trouble, cleared_us=now_us) if trouble.acknowledged_by else replace(trouble, over_us=now_us)
    _tell(d, over, Reason.TROUBLE_CLEARED)


def acknowledge(d: Draft, key: str, by: str) -> None:
    """Somebody looks after it: no more reminders, but of what resounds. What was over already is forgotten."""
    trouble = d.trouble(key)
    if trouble is not None:
        d.put_trouble(replace(trouble, acknowledged_by=by))
        d.entry(EntryKind.TROUBLE, Reason.ACKNOWLEDGED, f"{trouble.summary}: acknowledged by {by}", key=key)
        return
    latched = d.latched(key)
    if latched is None:
        d.entry(EntryKind.TROUBLE, Reason.STALE_CODE, f"{by} acknowledged {key}, which does not stand", key=key)
        return
    d.put_trouble(replace(latched, acknowledged_by=by, cleared_us=d.now.wall_us))
    text = f"{latched.summary}: it is over, acknowledged by {by}"
    d.entry(EntryKind.TROUBLE, Reason.ACKNOWLEDGED, text, key=key)


def on_timer(d: Draft, key: str, number: int) -> None:
    """Still standing, and nobody looks after it, or it resounds all the same (req 29: at most four hours)."""
    trouble = d.trouble(key)
    if trouble is None or trouble.number != number or (trouble.acknowledged_by and trouble.family not in RESOUNDS_S):
        d.entry(EntryKind.TROUBLE, Reason.STALE_TIMER, f"{key} needs no reminder", key=key)
        return
    _tell(d, trouble, Reason.TROUBLE_REPEATED)


def _tell(d: Draft, trouble: Trouble, reason: Reason) -> None:
    family = "supervisory" if trouble.trouble_class is TroubleClass.SUPERVISORY else "trouble"
    template = f"{family}.responder" if trouble.stands else f"{family}_cleared.responder"
    trouble = replace(trouble, number=trouble.number + 1)
    d.put_trouble(trouble)
    d.entry(EntryKind.TROUBLE, reason, trouble.summary, key=trouble.key)
    policy, targets = _audience(d)
    notice = Notice.LAST if trouble.rings else Notice.FIRST
    told = 0
    for addressee in people_of(d.facts.registry, d.state.site_id, targets, d.now.wall_us):
        for option in reach(d.facts, addressee.person, (), panic=trouble.rings, notice=notice):
            name = d.facts.registry.district if d.state.site_id == DISTRICT else d.site.short
            params = {
                "site": name,
                "site_name": d.facts.registry.district if d.state.site_id == DISTRICT else d.site.name,
                "district": d.facts.registry.district,
                "summary": trouble.summary,
                "time": wording.local_time(d.site, trouble.raised_us),
                "minute": wording.local_time(d.site, d.now.wall_us),
            }
            limit = d.text_limit(option.endpoint.channel)
            n = Notification(
                id=NotificationId(
                    derive("n", d.state.site_id, trouble.key, trouble.raised_us, trouble.number, option.endpoint.key)
                ),
                site_id=d.state.site_id,
                mode=Mode.LIVE,
                kind=Kind.TROUBLE,
                lane=_lane(trouble),
                endpoint=option.endpoint,
                reason=reason,
                created_us=d.now.wall_us,
                expires_us=d.now.wall_us + 3600 * 1_000_000,
                resend_unknown=trouble.rings,
                trouble_key=trouble.key,
                recipient=addressee.person.name,
                language=addressee.person.language,
                template=template,
                params=params,
                text=wording.render(template_of(policy, template), params, limit),
            )
            d.row(
                calls.told_only(policy, n, params) if calls.is_call(d, option.endpoint) else n,
                suppressed=option.suppressed,
            )
            told += option.suppressed is None
    if not told:
        d.entry(EntryKind.TROUBLE, Reason.EMPTY_AUDIENCE, f"{trouble.summary}: reaches nobody", key=trouble.key)
    if trouble.stands:
        again_s = min(policy.renotify_s, RESOUNDS_S.get(trouble.family, policy.renotify_s))
        d.timer(TimerKind.TROUBLE, again_s, number=trouble.number, detail=trouble.key)


def _lane(trouble: Trouble) -> Lane:
    if trouble.rings:
        return Lane.PANIC
    return Lane.SUPERVISORY if trouble.trouble_class is TroubleClass.SUPERVISORY else Lane.TROUBLE


def _audience(d: Draft) -> tuple[Policy, tuple[Target, ...]]:
    """The site's trouble policy with all its targets; if that is nobody now, everyone of the site, then the district:
    a trouble that nobody hears is how systems die."""
    _, policy = d.policy_now(TROUBLE)
    registry, site_id, now_us = d.facts.registry, d.state.site_id, d.now.wall_us
    targets = tuple(t for step in policy.steps for t in step.targets)
    if people_of(registry, site_id, targets, now_us):
        return policy, targets
    if registry.site_staff.get(site_id):
        return policy, (Target(kind=TargetKind.SITE_STAFF),)
    return policy, (Target(kind=TargetKind.DISTRICT),)
