"""The news that a drill is over: who has had it, who hears of those who have not, what if something real is quicker.

Owns what is known of that, in the drill's own row. "Knows" is a provider's word that it took the text, or a human who
took the call; nobody can see whether it was read. Must never hold up anything real for the sake of an end.
"""

from msgspec.structs import replace

from alertd.engine import troubles, wording
from alertd.engine.draft import Draft
from alertd.model.decision import EntryKind
from alertd.model.drill import Drill, DrillTold
from alertd.model.mode import Mode
from alertd.model.notification import Kind, Notification
from alertd.model.reason import Reason

UNTOLD_S = 120
"""Whoever is not known to have been told by then that a drill is over is named in a trouble; it is tried on."""
NAMED_MAX = 4
"""People of that trouble's text; the rest are counted."""


def overtake(d: Draft, why: str) -> None:
    """It is over already, and something real is quicker than the news of that. Whoever has not had it hears now that
    this is real, and nothing of the drill any more."""
    over = tuple(drill for drill in d.drills_over if not drill.overtaken and drill.real_incident_id is None)
    if not over:
        return
    d.withdraw_drill_over(Reason.DRILL_IS_REAL)
    say_no_more(d, over)
    for drill in over:
        if not all(told.knows for told in drill.told):
            d.stopped_drill = d.stopped_drill or drill
            names = _named(d, unaware(drill)) or "one of their phones"
            text = f"{what(drill)}: {why} before all had heard that it was over; not yet: {names}"
            d.entry(EntryKind.DRILL, Reason.DRILL_IS_REAL, text, drill=drill.id)


def say_no_more(d: Draft, over: tuple[Drill, ...]) -> None:
    """Something real is quicker than the news that these are over."""
    for drill in over:  # the latest first: each holds those before it as they were
        d.put_drill_over(replace(drill, overtaken=True))
        troubles.clear(d, trouble_key(drill))


def was_told(d: Draft, n: Notification) -> None:
    """Whoever got this knows that the drill is over; and, if it was of something real, that every other is."""
    for drill in d.drills_over:
        if drill.id != n.ends_drill and (n.kind is Kind.DRILL_OVER or n.ends_drill is None):
            continue
        there = d.told_there(drill, n.endpoint)
        told = tuple(replace(t, knows=True) if t in there else t for t in drill.told)
        known = replace(drill, told=told)
        if told != drill.told:
            d.put_drill_over(known)
        if not unaware(known):
            troubles.clear(d, trouble_key(drill))


def was_not_told(d: Draft, n: Notification) -> None:
    """What a provider took did not reach the phone after all."""
    drill = over_of(d, n.ends_drill)
    if drill is None:
        return
    there = d.told_there(drill, n.endpoint)  # as it was counted
    told = tuple(replace(t, knows=False) if t in there else t for t in drill.told)
    if told != drill.told:
        d.put_drill_over(replace(drill, told=told))


def is_overtaken(d: Draft, n: Notification) -> bool:
    """Is it the end of a drill, and something real was quicker?"""
    drill = over_of(d, n.ends_drill) if n.kind is Kind.DRILL_OVER else None
    return drill is not None and drill.overtaken


def over_of(d: Draft, drill_id: str | None) -> Drill | None:
    """The drill of that id, if it is over and somebody may still believe in it."""
    return next((drill for drill in d.drills_over if drill.id == drill_id), None)


def carried(d: Draft) -> Drill | None:
    """What a drill that begins now has to keep in mind of those before it: those in which somebody may still believe,
    also of those who seem to know: a text that a provider took may be lost yet."""
    last = d.state.drill_over
    before: Drill | None = None
    for drill in reversed(tuple(last.line()) if last is not None else ()):
        if d.is_believed(drill):
            before = replace(drill, before=before)
        else:
            troubles.clear(d, trouble_key(drill))
    return before


def believers(d: Draft) -> tuple[DrillTold, ...]:
    """Endpoints of those who may believe in a drill that is over, each once."""
    return tuple({told.endpoint_key: told for drill in d.drills_over for told in unaware(drill)}.values())


def look_after(d: Draft, drill_id: str) -> None:
    """Those who were told of it, and may not know that it is over: a phone that is off, a carrier that is away, a text
    that failed. It is tried on, but somebody had better go there."""
    drill = over_of(d, drill_id)
    if drill is None or drill.overtaken:
        d.entry(EntryKind.DRILL, Reason.STALE_TIMER, "something came after that drill")
        return
    untold = unaware(drill)
    if not untold:
        d.entry(EntryKind.DRILL, Reason.NOTHING_NEW, "everybody knows that it is over", drill=drill.id)
        return
    summary = (
        f"The {what(drill)} of {wording.local_time(d.site, drill.started_us)} is over, and these may not know it: "
        f"{_named(d, untold)}. Tell them."
    )
    troubles.raise_(d, trouble_key(drill), summary)


def unaware(drill: Drill) -> tuple[DrillTold, ...]:
    """By person: whoever has it on one phone knows it."""
    aware = {told.person_id for told in drill.told if told.knows}
    return tuple(told for told in drill.told if told.person_id not in aware)


def trouble_key(drill: Drill) -> str:
    return f"drill_over:{drill.id}"


def _named(d: Draft, told: tuple[DrillTold, ...]) -> str:
    people = d.facts.registry.people
    ids = tuple(dict.fromkeys(each.person_id for each in told))
    names = [people[id_].name if id_ in people else str(id_) for id_ in ids]
    more = len(names) - NAMED_MAX
    return ", ".join(names[:NAMED_MAX]) + (f" and {more} more" if more > 0 else "")


def what(drill: Drill) -> str:
    """Like "LOCKDOWN DRILL"."""
    return wording.what(drill.incident_class, Mode.DRILL)
