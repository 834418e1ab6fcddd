"""What stands above everything else in a drill's report, in sentences: for the page and for the terminal.

Must never make anything sound better known than it is.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Report = Mapping[str, Any]


def in_one_sentence(report: Report) -> str:
    """How much of it went wrong."""
    missed, late, back = (
        len(report[f"notices_{name}"]) + sum(len(incident[name]) for incident in report["incidents"])
        for name in ("missed", "late", "taken_back")
    )
    missed += len(report["real_missed"])
    if not (missed or late or back):
        return "Everything that was to be said is known to have got through in time."
    were = "was" if back == 1 else "were"
    counts = f"{messages(missed)} not known to have got through, {late} came late, {back} {were} taken back before that"
    return f"Of what was to be said, {counts}. All are named below."


def messages(number: int) -> str:
    return "1 message is" if number == 1 else f"{number} messages are"


def made(press: Report) -> str:
    """When a press was made, as far as anybody knows."""
    if press["made_local"]:
        return f"{press['made_local']}, by its own clock"
    if press["waited_since_local"]:
        return f"nobody knows when, after {press['waited_since_local']}: it waited at the broker"
    return "when it was heard"


def facts(report: Report) -> Iterator[str]:
    """What stands above everything else, a sentence each; the terminal shows the same."""
    drill = report["drill"]
    yield f"Told before, outside: {drill['told_before']}"
    yield f"Take part: {', '.join(drill['devices'])}"
    over = "" if report["real_incident"] else f", of {report['told_it_is_over']} that it is over"
    yield (
        f"Of {drill['people_told']} people who were to hear of it, phones of {report['told_it_begins']} are known to "
        f"have got that it begins{over}."
    )
    if drill["ended_because"]:
        yield f"How it ended: {drill['ended_because']}."
    for away in report["aways"]:
        yield (
            f"alertd was away for some time between {away['since_local']}, when it last wrote something down, and "
            f"{away['until_local']}, when it was started again. What was pressed meanwhile waited; nothing was sent."
        )
    if report["not_pressed"]:
        yield f"No press was heard of: {', '.join(report['not_pressed'])}"
    if report["no_way"]:
        yield f"No way to reach them is configured: {'; '.join(report['no_way'])}"
    for mishap in report["mishaps"]:
        yield (
            f"Trouble, {mishap['since_local'] or 'from before the drill'} to {mishap['until_local'] or 'its end'}: "
            f"{mishap['summary']}"
        )
    for trouble in report["troubles"]:
        yield f"Trouble that stood when this was made, since {trouble['since_local']}: {trouble['summary']}"
    if report["erased"]:
        yield f"{report['erased']} lines of the journal were erased: what they said is missing here."
