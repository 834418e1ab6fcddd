"""Troubles: told once to their own audience, repeated until over or acknowledged, latched until acknowledged."""

import re
from collections.abc import Iterator

from msgspec.structs import replace

from alertd.engine import calls, places, trouble_audience, wording
from alertd.engine.audience import Notice, people_of, reach
from alertd.engine.draft import Draft, template_of
from alertd.model.anchor import Now
from alertd.model.decision import EntryKind
from alertd.model.events import TroubleRaised
from alertd.model.ids import DISTRICT, NotificationId, derive
from alertd.model.mode import Mode
from alertd.model.notification import Kind, Lane, Notification
from alertd.model.reason import Reason
from alertd.model.registry import Registry
from alertd.model.timer import TimerKind
from alertd.model.trouble import Trouble, TroubleClass

SENSORS_STRANGERS = ("sensor_unregistered", "sensor_unheard")
"""Of devices that nobody has registered where sensors speak: what they say, and a shot or a cry for help among it."""
OF_PRESSES = ("unregistered", "refused", "malformed", "unmapped")
"""Of what may be a press."""
ANYBODYS = (*OF_PRESSES, *SENSORS_STRANGERS, "sensor_unmapped", "sensor_malformed")
"""Families of troubles that a stranger can raise, each under as many keys as they like."""
FAMILY_MAX = 3
"""Standing troubles of such a family that are told one by one. The rest is one more: texts about strangers share the
first lane, and a carrier's one text a second, with panics, and must not bury one (promise 2)."""
RESOUNDS_S = {"battery": 14_400}
"""Families that are repeated so often until they are over although somebody has acknowledged them: a battery that they
meant to change is the one that is empty when the badge is pressed (req 29, NFPA 72: trouble resounds within four
hours)."""
QUIET_US = 60 * 1_000_000
"""What may be a press rings under a key that stands if the one before it is as long ago: a gesture is told as one, and
so is a flood. Once somebody has acknowledged it, the last one before that counts: what goes on rings once more."""
LOOKED_AFTER_US = 3600 * 1_000_000
"""What is like the one that somebody looks after already rings as seldom as that: who knows of a device that nobody
understands cannot mend it with each of its messages."""
SAID_MAX = 32
"""Presses that a broker remembers, and what others are like, under one key; the oldest is forgotten, and rings once
more."""
FIGURES = re.compile(r"[\d.,]+")
"""How many ms, MiB or days move from night to night: they make no other trouble."""
_ID = re.compile(r" \((\S+)\)")
"""Of a device whose name stands before it (`places.name`)."""
_HEARD_AT = re.compile(r"(NEAR .*?) at \d\d:\d\d(?=: )")
"""When a wearable was heard there (`places.name_heard`)."""
_TO_DO = re.compile(r'Was it (a press|pressed)\?|(?<=[.?] )Look|reset it|set its clock|If real, add "\w+" to its kinds')
"""What to do about what may have been a press (`presses`, `decide`)."""


def on_raised(d: Draft, event: TroubleRaised) -> None:
    """The daemon, or an adapter, found something; `anew`: of what stands, people are told once more."""
    standing, summary = d.trouble(event.key), _said_of(d, event)
    if event.anew and standing is not None:
        again = replace(standing, summary=summary, members=event.members, count=standing.count + 1)
        _tell(d, replace(again, acknowledged_by=""), Reason.TROUBLE)
        return
    raise_(d, event.key, summary, rings=event.rings, tells_change=event.tells_change, members=event.members)


def _said_of(d: Draft, event: TroubleRaised) -> str:
    if event.about is None:
        return event.summary
    device = d.facts.registry.device_of(event.about)
    return f"{event.about[:40] if device is None else places.name_in(d, device)} {event.summary}"


def raise_(  # noqa: PLR0913 - one keyword a rule
    d: Draft,
    key: str,
    summary: str,
    *,
    rings: bool = False,
    tells_change: bool = False,
    members: tuple[str, ...] = (),
    said: str = "",
) -> None:
    """Raise a trouble. One that stands already is counted and says what is wrong now; it is told again only if it
    begins to ring, if it has a new member, or, with `tells_change`, if it is another thing that is wrong. `said`: what
    tells it from others under its key; said after somebody has acknowledged another, it is a new member."""
    key, summary = _one_of_many(d, key, summary)
    standing = d.trouble(key)
    if said:
        known = standing.members if standing is not None else ()
        is_told = said in known or (standing is not None and not standing.acknowledged_by)
        members = known if is_told else (*known, said)[-SAID_MAX:]
    joined = standing is not None and not set(members) <= set(standing.members)
    is_news = standing is None or joined or (tells_change and _is_other(summary, standing.summary))
    if standing is not None and not is_news and (standing.rings or not rings):
        _count(d, replace(standing, summary=summary, members=members))
        return
    begun = replace(
        _begun(d, key, summary),
        rings=rings or (standing is not None and standing.rings),
        members=members,
        pressed=standing.pressed if standing is not None else None,
    )
    if joined and standing is not None:
        begun = replace(begun, raised_us=standing.raised_us)
    _tell(d, begun, Reason.TROUBLE)


def ring(d: Draft, key: str, summary: str, *, said: str = "", alike: str = "") -> None:
    """Something may be a press, is no copy, and pages nobody: whoever is on duty is rung, each time anew, also if the
    trouble stands and somebody looks after it already. `said`: what tells it from others where no cause is remembered;
    said again, it is the same. `alike`: all that is known of it; another of that kind rings once an hour at most after
    somebody has looked at one."""
    key, summary = _one_of_many(d, key, summary)
    standing = d.trouble(key)
    if standing is not None and said and said in standing.members:
        _count(d, replace(standing, summary=summary))
        return
    known = standing.members if standing is not None else ()
    new = tuple(each for each in (said, alike) if each and each not in known)
    pressed = {"members": (*known, *new)[-SAID_MAX:], "pressed": d.now, "rings": True}
    is_looked_after = standing is not None and standing.acknowledged_by and alike in known
    if standing is not None and is_looked_after and not _was_quiet(standing, d.now, LOOKED_AFTER_US):
        _count(d, replace(standing, summary=summary))
        return
    if standing is not None and standing.rings and not _was_quiet(standing, d.now, QUIET_US):
        # Whoever has looked did not see this one: the minute does not begin anew, and said again after it, it rings.
        _count(d, replace(standing, summary=summary, **({} if standing.acknowledged_by else pressed)))
        return
    _tell(d, replace(_begun(d, key, summary), **pressed), Reason.TROUBLE)


def forget_said(d: Draft, key: str) -> None:
    """What was said under this key has ended: said again, it is another."""
    standing = d.trouble(key)
    if standing is not None and standing.members:
        d.put_trouble(replace(standing, members=()))


def _one_of_many(d: Draft, key: str, summary: str) -> tuple[str, str]:
    """Under a key of its own, or, where there are too many of a kind, under that of all the others."""
    family = key.partition(":")[0]
    if family in ANYBODYS and d.trouble(key) is None and d.troubles_of(family) >= FAMILY_MAX:
        return f"{family}:*", f"One of more than {FAMILY_MAX}: {summary}"
    return key, summary


def _was_quiet(standing: Trouble, now: Now, for_us: int) -> bool:
    """By boot time, which nobody can set; after a reboot, or on another node, by the wall clock."""
    before = standing.pressed
    if before is None:
        return True
    quiet_us = now.boot_us - before.boot_us if before.boot_id == now.boot_id else now.wall_us - before.wall_us
    return abs(quiet_us) >= for_us


def _count(d: Draft, standing: Trouble) -> None:
    """It stands, and nobody is told anew."""
    standing = replace(standing, count=standing.count + 1)
    d.put_trouble(standing)
    text = f"{standing.summary} (no. {standing.count})"
    d.entry(EntryKind.TROUBLE, Reason.MERGED_REPEAT, text, key=standing.key)


def _begun(d: Draft, key: str, summary: str) -> Trouble:
    """It begins, or begins anew: whoever has acknowledged it did not know of this."""
    before = d.trouble(key) or d.latched(key)
    return Trouble(
        key=key,
        site_id=d.state.site_id,
        summary=summary,
        raised_us=d.now.wall_us,
        count=before.count + 1 if before else 1,
        number=before.number if before else 0,
    )


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
    left_s = _resounds_in_s(d, trouble)
    if left_s > 0:  # somebody has acknowledged it since: its reminders were set for those that nobody looks after
        told_us = d.now.wall_us - round((RESOUNDS_S[trouble.family] - left_s) * 1_000_000)  # as the clock is set now
        trouble = replace(trouble, number=number + 1, told_us=told_us)
        d.put_trouble(trouble)
        d.timer(TimerKind.TROUBLE, left_s, number=trouble.number, detail=key)
        d.entry(EntryKind.TROUBLE, Reason.STALE_TIMER, f"{key} is acknowledged: it resounds later", key=key)
        return
    _tell(d, trouble, Reason.TROUBLE_REPEATED)


def _resounds_in_s(d: Draft, trouble: Trouble) -> float:
    """Seconds until what somebody has acknowledged is told again; 0: now, or nobody has."""
    if not trouble.acknowledged_by:
        return 0.0
    resounds_s = RESOUNDS_S[trouble.family]
    return min(resounds_s, max(0.0, resounds_s - (d.now.wall_us - trouble.told_us) / 1_000_000))


def _tell(d: Draft, trouble: Trouble, reason: Reason) -> None:
    family = "supervisory" if trouble.trouble_class is TroubleClass.SUPERVISORY else "trouble"
    template = f"{family}.responder" if trouble.stands else f"{family}_cleared.responder"
    trouble = replace(trouble, number=trouble.number + 1, told_us=d.now.wall_us)
    d.put_trouble(trouble)
    d.entry(EntryKind.TROUBLE, reason, trouble.summary, key=trouble.key)
    policy, targets = trouble_audience.of(d, trouble)
    notice = Notice.LAST if trouble.rings else Notice.FIRST
    ways = tuple(_ways(trouble.summary, d.facts.registry))
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
                text=_text(template_of(policy, template), params, ways, limit),
            )
            d.row(
                calls.told_only(policy, n, params) if calls.is_call(d, option.endpoint) else n,
                suppressed=option.suppressed,
            )
            told += option.suppressed is None
    if not told:
        d.entry(EntryKind.TROUBLE, Reason.EMPTY_AUDIENCE, f"{trouble.summary}: reaches nobody", key=trouble.key)
    if trouble.stands:
        resounds_s = RESOUNDS_S.get(trouble.family, policy.renotify_s)
        again_s = resounds_s if trouble.acknowledged_by else min(policy.renotify_s, resounds_s)
        d.timer(TimerKind.TROUBLE, again_s, number=trouble.number, detail=trouble.key)


def _ways(summary: str, registry: Registry) -> Iterator[str]:
    """To say what is wrong, each way with less of what can be looked up."""
    yield summary
    yield (less := _ID.sub(lambda each: "" if each[1] in registry.devices else each[0], summary))
    yield _HEARD_AT.sub(r"\1", less)


def _text(template: str, params: dict[str, str], ways: tuple[str, ...], limit: int) -> str:
    """In the first way in which what to do has room: what is too long loses its end."""
    for way in ways:
        to_do = _TO_DO.search(way)
        params = params | {"summary": way[: to_do.end()] if to_do else ""}
        if wording.fits(template, params, limit):
            break
    return wording.render(template, params | {"summary": way}, limit)


def _lane(trouble: Trouble) -> Lane:
    if trouble.rings:
        return Lane.PANIC
    return Lane.SUPERVISORY if trouble.trouble_class is TroubleClass.SUPERVISORY else Lane.TROUBLE
