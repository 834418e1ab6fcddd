"""How figures are said to people: seconds, shares, masked numbers, and what hangs on what.

Owns the wording that the page and the terminal share. A number is never shown whole.
"""

from collections.abc import Sequence

from alertd.model.incident import IncidentClass
from alertd_simulator.rehearsal.findings import Hang, Spread, Weight, is_later

HEADS = ("policy", "first human told", "sufficient answer", "no answer", "all steps passed", "texts", "hangs on")
"""Of the table of all policies."""
NEVER = "never"
SHOWN_DIGITS = 4
CLASSES = {
    IncidentClass.POLICE_DURESS: "police duress",
    IncidentClass.STAFF_ASSIST: "staff assist",
    IncidentClass.GUNSHOT_SENSOR: "gunshot sensor",
    IncidentClass.KEYWORD_SENSOR: "help word heard by a sensor",
}


def duration(seconds: float | None, never: str = NEVER) -> str:
    """As people say it: "3.1 s", "42 s", "2 min 05 s", "1 h 10 min"."""
    if seconds is None:
        return never
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def masked(number: str) -> str:
    """As "+1202•••0142". What is no number of a phone is not shown at all."""
    if not number.startswith("+") or len(number) < SHOWN_DIGITS + 6:
        return "•••"
    return f"{number[:5]}•••{number[-SHOWN_DIGITS:]}"


def class_name(incident_class: str) -> str:
    return CLASSES.get(IncidentClass(incident_class), incident_class) if incident_class in CLASSES else incident_class


PLURALS = {"policy": "policies", "press": "presses"}


def counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {PLURALS.get(thing, f'{thing}s')}"


def spread(figures: Spread) -> str:
    """Median, 95 of 100 days, worst; a unit that all share is said once: "3.0 · 9.1 · 10 s"."""
    said = [duration(value) for value in (figures.p50_s, figures.p95_s, figures.worst_s)]
    if all(each.endswith(" s") and "min" not in each for each in said):
        said = [*(each.removesuffix(" s") for each in said[:-1]), said[-1]]
    return " · ".join(said)


def exhausted(figures: Spread) -> str:
    """When every step had passed, and on how many days it came to that."""
    if not figures.happened:
        return "on no day"
    return f"{spread(figures)}, {days(figures.happened, figures.days)}"


def hangs_on(carried_by: Sequence[str], names: Sequence[str]) -> str:
    """The worst first, as "J. Ruiz alone carries it; channel sms, county-dispatch and 2 more"."""
    rest = listed([name for name in names if name not in carried_by], 3)
    if not carried_by:
        return rest
    carries = "alone carries it" if len(carried_by) == 1 else "each carry it alone"
    who = f"{' and '.join(carried_by)} {carries}"
    return f"{who}; {rest}" if rest else who


def days(count: int, of: int) -> str:
    """As "on every day", "on 3 of 20 days"."""
    return "on every day" if count == of else f"on {count} of {counted(of, 'day')}"


def listed(names: Sequence[str], most: int = 12) -> str:
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def without(found: Hang) -> str:
    """What happens then, as the rest of "If …: "."""
    often = "" if found.days == found.of_days else f" {days(found.days, found.of_days)}"
    match found.weight:
        case Weight.NOBODY_TOLD:
            return "nobody is told" if not found.told_after.happened else f"nobody is told{often}"
        case Weight.DISPATCH_NOT_TOLD:
            if not found.still_told:
                return f"no dispatch centre is told{often}"
            return f"{listed(found.not_told)} is not told{often}"
        case Weight.NOT_ANSWERED:
            return f"nobody answers{often} that would have been answered" if often else "nobody answers"
        case Weight.TOLD_LATER:
            return f"first human told {_later(found, found.told_before, found.told_after)}"
        case Weight.ANSWERED_LATER:
            return f"sufficient answer {_later(found, found.answered_before, found.answered_after)}"


def _later(found: Hang, before: Spread, after: Spread) -> str:
    """The first of median, 95 of 100 and worst day that moves; else only how often it is later."""
    few = before.p95_s == before.worst_s and after.p95_s == after.worst_s
    figures = (
        ("median", before.p50_s, after.p50_s),
        ("worst day" if few else "95 of 100 days", before.p95_s, after.p95_s),
        ("worst day", before.worst_s, after.worst_s),
    )
    for which, was, becomes in figures:
        if is_later(was, becomes):
            return f"{duration(was)} → {duration(becomes)} ({which})"
    return f"later {days(found.days, found.of_days)}"
