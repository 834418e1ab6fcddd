"""Troubles: raised once, told to their own audience, repeated until cleared or acknowledged."""

import re

from msgspec.structs import replace

from alertd.engine import calls, wording
from alertd.engine.audience import people_of, reach
from alertd.engine.draft import Draft, template_of
from alertd.model.decision import EntryKind
from alertd.model.ids import DISTRICT, NotificationId, derive
from alertd.model.mode import Mode
from alertd.model.notification import Kind, Lane, Notification
from alertd.model.policy import Policy, Target, TargetKind
from alertd.model.reason import Reason
from alertd.model.timer import TimerKind
from alertd.model.trouble import Trouble

TROUBLE = "trouble"
"""Name of the trouble policy among a site's policies."""


ANYBODYS = ("unregistered", "malformed", "unmapped")
"""Families of troubles that a stranger can raise, each under as many keys as they like."""
FAMILY_MAX = 20
"""Standing troubles of such a family that are told one by one. The rest is one more: texts about strangers share the
first lane with panics, and must not bury one (promise 2)."""
FIGURES = re.compile(r"[\d.,]+")
"""How many ms, MiB or days move from night to night: they make no other trouble."""


def raise_(d: Draft, key: str, summary: str, *, rings: bool = False, tells_change: bool = False) -> None:
    """Raise a trouble. One that stands already is counted and says what is wrong now; it is told again only if it
    begins to ring, or, with `tells_change`, if it is another thing that is wrong."""
    family = key.partition(":")[0]
    if family in ANYBODYS and d.trouble(key) is None and d.troubles_of(family) >= FAMILY_MAX:
        key, summary = f"{family}:*", f"More than {FAMILY_MAX} of a kind; the journal has them. One is: {summary}"
    standing = d.trouble(key)
    is_news = standing is None or (tells_change and FIGURES.sub("", summary) != FIGURES.sub("", standing.summary))
    if standing is not None and not is_news and (standing.rings or not rings):
        d.put_trouble(replace(standing, summary=summary, count=standing.count + 1))
        d.entry(EntryKind.TROUBLE, Reason.MERGED_REPEAT, f"{summary} (no. {standing.count + 1})", key=key)
        return
    trouble = Trouble(
        key=key,
        site_id=d.state.site_id,
        summary=summary,
        raised_us=d.now.wall_us,
        count=standing.count + 1 if standing else 1,
        number=standing.number if standing else 0,
        rings=rings or (standing is not None and standing.rings),
    )
    _tell(d, trouble, Reason.TROUBLE, "trouble.responder")


def clear(d: Draft, key: str) -> None:
    """It is over: those who were told are told so."""
    trouble = d.trouble(key)
    if trouble is None:
        return
    _tell(d, replace(trouble, cleared_us=d.now.wall_us), Reason.TROUBLE_CLEARED, "trouble_cleared.responder")


def acknowledge(d: Draft, key: str, by: str) -> None:
    """Somebody looks after it: no more reminders."""
    trouble = d.trouble(key)
    if trouble is None:
        d.entry(EntryKind.TROUBLE, Reason.STALE_CODE, f"{by} acknowledged {key}, which does not stand", key=key)
        return
    d.put_trouble(replace(trouble, acknowledged_by=by))
    d.entry(EntryKind.TROUBLE, Reason.ACKNOWLEDGED, f"{trouble.summary}: acknowledged by {by}", key=key)


def on_timer(d: Draft, key: str, number: int) -> None:
    """Still standing, and nobody looks after it (req 29: at most four hours)."""
    trouble = d.trouble(key)
    if trouble is None or trouble.acknowledged_by or trouble.number != number:
        d.entry(EntryKind.TROUBLE, Reason.STALE_TIMER, f"{key} needs no reminder", key=key)
        return
    _tell(d, trouble, Reason.TROUBLE_REPEATED, "trouble.responder")


def _tell(d: Draft, trouble: Trouble, reason: Reason, template: str) -> None:
    trouble = replace(trouble, number=trouble.number + 1)
    d.put_trouble(trouble)
    d.entry(EntryKind.TROUBLE, reason, trouble.summary, key=trouble.key)
    policy, targets = _audience(d)
    told = 0
    for addressee in people_of(d.facts.registry, d.state.site_id, targets, d.now.wall_us):
        for option in reach(d.facts, addressee.person, (), panic=trouble.rings):
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
                lane=Lane.PANIC if trouble.rings else Lane.TROUBLE,
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
    if trouble.cleared_us is None:
        d.timer(TimerKind.TROUBLE, policy.renotify_s, number=trouble.number, detail=trouble.key)


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
