"""The endurance run in words: one line while it goes on, a table and the particulars at its end.

Owns the wording. Must leave out nothing that the judge found, and must call nothing passed that is not.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from alertd_simulator.endurance_devices import Pressing
from alertd_simulator.endurance_evidence import Database
from alertd_simulator.endurance_judge import Findings, World

SHOWN_MAX = 10
"""Lines of one kind of finding; the rest is only counted."""


class Course(Struct, frozen=True, kw_only=True):
    """What the run did."""

    made: Sequence[Pressing]
    kills: Mapping[str, Sequence[float]]
    """"alertd" and "mosquitto" → when, by the wall clock."""
    while_starting: int
    """Kills of alertd that fell before it had proven itself alive."""


def progress_line(course: Course, wanted: Mapping[str, int], elapsed_s: float) -> str:
    promised = sum(p.puback_s is not None for p in course.made)
    minutes, seconds = divmod(int(elapsed_s), 60)
    kills = "  ".join(f"{who} {len(times)}/{wanted[who]}" for who, times in course.kills.items())
    return f"{minutes:3}:{seconds:02}  kill -9: {kills}  presses {len(course.made):,} (PUBACK {promised:,})"


def table(course: Course, database: Database, world: World, findings: Findings) -> str:
    made = course.made
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(database.press_reasons.items()))
    again = sum(p.sends - 1 - p.sends_after_puback for p in made if p.sends)
    rows: list[tuple[str, object]] = [
        ("kill -9 of alertd", f"{len(course.kills['alertd'])}, {course.while_starting} of them while it started"),
        ("kill -9 of mosquitto", len(course.kills["mosquitto"])),
        ("presses made / promised (PUBACK)", f"{len(made):,} / {sum(p.puback_s is not None for p in made):,}"),
        ("… sent again: no PUBACK came", f"{again:,}"),
        ("… sent again: PUBACK, no feedback", f"{sum(p.sends_after_puback for p in made):,}"),
        ("what the journal says of them", reasons),
        ("incidents", f"{len(database.incidents):,}, {sum(i.is_open for i in database.incidents)} still open"),
        ("texts the carrier took", f"{sum(world.texts.values()):,}"),
        ("LOST: promised, in no incident", len(findings.lost)),
        ("miscounted devices", len(findings.miscounted)),
        ("untold of a first wave", len(findings.untold)),
        ("said to be sent, never taken", len(findings.claimed)),
        ("told twice, unexplained", len(findings.told_twice)),
        ("told twice, outcome unknown (allowed)", len(findings.allowed_twice)),
        ("dispatch: same message id again", findings.repeats),
        ("without an outcome at the end", len(findings.under_way)),
        ("journals that do not verify", len(findings.journal)),
        ("violations at carrier and dispatch", len(findings.violations)),
    ]
    return "\n".join(f"{what:<40} {count}" for what, count in rows)


def particulars(course: Course, findings: Findings) -> str:
    kinds: dict[str, Sequence[str]] = {
        "lost": [lost_words(pressing, course.kills) for pressing in findings.lost],
        "miscounted": findings.miscounted,
        "untold": findings.untold,
        "said to be sent": findings.claimed,
        "told twice": findings.told_twice,
        "told twice, allowed": findings.allowed_twice,
        "without outcome": findings.under_way,
        "journal": findings.journal,
        "violation": findings.violations,
    }
    lines = []
    for kind, found in kinds.items():
        lines += [f"{kind}: {line}" for line in found[:SHOWN_MAX]]
        lines += [f"{kind}: … and {len(found) - SHOWN_MAX} more"] if len(found) > SHOWN_MAX else []
    return "\n".join(lines)


def lost_words(pressing: Pressing, kills: Mapping[str, Sequence[float]]) -> str:
    """With the kills around its PUBACK: whose doing it was."""
    puback_s = pressing.puback_s
    assert puback_s is not None, "what was not promised is not lost"
    times = sorted((at_s, who) for who, all_s in kills.items() for at_s in all_s)
    before = [f"{(puback_s - at_s) * 1000:,.1f} ms after kill -9 of {who}" for at_s, who in times if at_s < puback_s]
    after = [f"{(at_s - puback_s) * 1000:,.1f} ms before that of {who}" for at_s, who in times if at_s >= puback_s]
    when = f"{before[-1] if before else 'before any kill'}, {after[0] if after else 'and none came after'}"
    return f"{pressing.device} press {pressing.number}: PUBACK at {puback_s:.3f}, {when}"


def write_down(course: Course, folder: Path) -> None:
    """Every press and every kill, beside database and logs: whoever doubts the judge can judge."""
    with (folder / "presses.jsonl").open("w") as file:
        for p in course.made:
            words = {"device": p.device, "number": p.number, "phase": p.phase, "sends": p.sends, "puback": p.puback_s}
            file.write(json.dumps(words) + "\n")
    (folder / "kills.json").write_text(json.dumps(course.kills))
