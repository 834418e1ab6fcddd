"""How the command line shows the API's answers: tables and sentences for a principal. Decoded JSON in, text out.

Never prints what it was given as it is: a text message can carry terminal codes, so all of it is made plain first.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from alertd.console.drilling.facts import facts, in_one_sentence, made, messages

LATE = "Late"
PIPE_WIDTH = 160
"""Columns when nobody looks: a program or a file."""

Answer = Mapping[str, Any]


def plain(value: object) -> str:
    """One line of printable characters."""
    return "".join(c if c.isprintable() else "�" for c in str(value))


def console(stream: TextIO | None = None) -> Console:
    stream = stream or sys.stdout
    width = None if stream.isatty() else PIPE_WIDTH
    return Console(file=stream, markup=False, highlight=False, emoji=False, width=width)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, show_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def incidents(answer: Answer, *, only_open: bool) -> None:
    found = answer["incidents"]
    if not found:
        console().print("No incident is open." if only_open else "There are no incidents.")
        return
    table = _table("opened", "incident", "where it stands")
    table.columns[0].no_wrap = table.columns[1].no_wrap = True
    for each in found:
        going = _answered(each)
        reply = f", reply 4{each['token']}" if not each["closed"] else ""
        table.add_row(
            f"{plain(each['opened'])[:10]} {plain(each['opened_local'])}",
            Text.assemble(
                (f"{_mark(each)}{plain(each['headline'])}\n", _style(each)), f"{plain(each['id'])}{plain(reply)}\n"
            ),
            f"{plain(going)}\n{plain(_standing(each))}\n{plain(_dispatch(each))}\n",
        )
    console().print(table)


def _answered(each: Mapping[str, Any]) -> str:
    """An answer covers what was known when it was given. What came after it, nobody has answered; that is not to say
    that nobody goes."""
    if holding := ", ".join(a["words"] for a in each["answers"] if a["holds"]):
        return holding
    before = ", ".join(dict.fromkeys(a["words"] for a in each["answers"]))
    if not before:
        return "NOBODY has answered"
    why = f"before {each['pressed_since']}" if each["pressed_since"] else "which holds no longer"
    return f"{before}, {why}: NOBODY has answered since"


def incident(answer: Answer) -> None:
    out = console()
    each = answer["incident"]
    _heading(out, each)
    for press in each["presses"]:
        late = ", LATE" if press["late"] else ""
        # A daemon of the release before does not say it so, until it is started anew.
        did, words = press.get("did", "pressed"), press.get("words", press["label"])
        out.print(f"  {plain(did):<7} {plain(press['at_local'])} {plain(press['where'])}: {plain(words)}{late}")
    for given in each["answers"]:
        lapsed = "" if given["holds"] else " (holds no longer)"
        out.print(f"  answer  {plain(given['at_local'])} {plain(given['words'])}, by {plain(given['via'])}{lapsed}")
    for status in each["dispatch"]:
        number = f", call {plain(status['call_number'])}" if status["call_number"] else ""
        out.print(f"  dispatch {plain(status['destination'])}: {plain(status['words'])}{number}")
    for note in each["notes"]:
        out.print(f"  note (unverified) {plain(note)}")
    if answer["notifications"]:
        out.print()
        out.print(_notifications(answer["notifications"]))
    _not_known(out, answer["not_known"])


def timeline(answer: Answer) -> None:
    out = console()
    _heading(out, answer["incident"])
    out.print(f"  0 ms: {plain(answer['zero'])}")
    out.print(_lines(answer["lines"]))
    _not_known(out, answer["not_known"])


def committed(answer: Answer) -> None:
    """What an order led to."""
    out = console()
    out.print(plain(answer["words"]))
    if answer.get("incident"):
        _heading(out, answer["incident"])
    if answer["lines"]:
        out.print(_lines(answer["lines"]))
    if answer["notifications"]:
        out.print()
        out.print(_notifications(answer["notifications"]))
    if answer.get("next"):
        out.print(Text(plain(answer["next"]), style="bold"))


def went_to(answer: Answer) -> None:
    """To whom a correction went: named, because "everyone" is what nobody can check."""
    out = console()
    written = answer["notifications"]
    out.print(f"The correction goes to {len(written)} recipients, exactly those who were told:")
    for each in written:
        out.print(f"  {plain(each['who'])} over {plain(each['channel'])}: {plain(each['known'])}"
                  f" [{plain(each['kind'])}]")  # fmt: skip


def troubles(answer: Answer) -> None:
    found = answer["troubles"]
    _in_test(answer["in_test"])
    if not found:
        console().print("No trouble stands.")
        return
    table = _table("since", "site", "class", "what is wrong", "times", "acknowledged by", "key")
    for each in found:
        over = each["state"] == "over"
        style = "dim" if over else "bold red" if each["rings"] else ""
        since = f"{plain(each['since'])[:10]} {plain(each['since_local'])}"
        by = plain(each["acknowledged_by"] or "nobody")
        words = f"over: {plain(each['summary'])}" if over else plain(each["summary"])
        table.add_row(since, plain(each["site"]), plain(each["class"]).upper(), Text(words, style=style),
                      str(each["count"]), by, plain(each["key"]))  # fmt: skip
    console().print(table)
    if any(each["state"] == "over" for each in found):
        console().print("What is over stays here until somebody acknowledges it: alertd troubles ack KEY --by PERSON")


def _in_test(found: Sequence[Answer]) -> None:
    """Where somebody looks whether all is well, what pages nobody stands first."""
    for each in found:
        console().print(Text(f"{plain(each['device'])} is {plain(each['words'])}", style="bold yellow"))


def devices(answer: Answer) -> None:
    found = answer["devices"]
    if not found:
        console().print("No device is like that.")
        return
    table = _table("site", "device", "where", "last heard", "last pressed", "window", "battery", "what is wrong")
    for each in found:
        name = f"{plain(each['label'])}\n{plain(each['id'])}" if each["label"] else plain(each["id"])
        wrong = ", ".join(filter(None, [plain(each["in_test"] or ""), _what_is_wrong(each)]))
        table.add_row(plain(each["site"]), name, plain(each["where"]), _moment(each["heard"]),
                      _moment(each["pressed"]), _window(each["window_s"]), _battery(each),
                      Text(wrong, style="bold red" if wrong else ""))  # fmt: skip
    console().print(table)
    console().print(f"{len(found)} device{'' if len(found) == 1 else 's'}")


def _moment(written: str | None) -> str:
    return f"{plain(written)[:10]} {plain(written)[11:16]}" if written else "never"


def _window(seconds: int) -> str:
    if not seconds:
        return "none"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds % size == 0 and seconds > size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _battery(each: Mapping[str, Any]) -> str:
    if each["mains"]:
        return "mains"
    words = "low" if each["battery_low"] else ""
    return f"{each['battery_pct']} % {words}".strip() if each["battery_pct"] is not None else words


def _what_is_wrong(each: Mapping[str, Any]) -> str:
    wrong = [
        f"behind {plain(each['behind'])}, which is gone" if each["behind"] else "silent" if each["silent"] else "",
        "low battery" if each["battery_low"] else "",
        "tampered with" if each["tampered"] else "",
        "presses at QoS 0 only" if each["qos"] == 0 else "",
    ]
    return ", ".join(filter(None, wrong))


def drills(answer: Answer, *, only_running: bool) -> None:
    found = answer["drills"]
    if not found:
        console().print("No drill runs." if only_running else "There have been no drills.")
        return
    table = _table("begun", "site", "drill", "takes part", "where it stands")
    for each in found:
        style = "bold yellow" if each["seconds_left"] is not None else "dim"
        begun = f"{plain(each['started'])[:10]} {plain(each['started_local'])}"
        words = f"{plain(each['class_words'])} drill, by {plain(each['by'])}"
        table.add_row(begun, plain(each["site"]), Text(f"{words}\n{plain(each['id'])}\n", style=style),
                      plain(", ".join(each["devices"])), _drill_standing(each))  # fmt: skip
    console().print(table)


def _drill_standing(each: Answer) -> str:
    told = f"told before: {plain(each['told_before'])}; {each['people_told']} people to be told"
    if each["seconds_left"] is None:
        return f"over {plain(each['ended_local'])}: {plain(each['ended_because'] or '')}\n{told}"
    left = f"{each['seconds_left'] // 60}:{each['seconds_left'] % 60:02} min left, until {plain(each['ends_local'])}"
    return "\n".join([f"RUNNING, {left}", told, *_drill_doubts(each)])


def _drill_doubts(each: Answer) -> Iterator[str]:
    """What of a drill that runs was missed so far."""
    for away in each["aways"]:
        yield f"alertd was away for some time between {plain(away['since_local'])} and {plain(away['until_local'])}"
    if each["missed"]:
        report = f"alertd drill report {plain(each['site'])}"
        yield f"{messages(each['missed'])} not known to have got through so far: {report}"


def drill_done(answer: Answer) -> None:
    """What an order about a drill led to."""
    out = console()
    out.print(Text(plain(answer["words"]), style="bold yellow"))
    out.print(f"  {_drill_standing(answer['drill'])}")
    if answer["notifications"]:
        out.print()
        out.print(_notifications(answer["notifications"]))


def drill_report(answer: Answer) -> None:
    out = console()
    each = answer["drill"]
    out.print(Text(f"{plain(each['class_words'])} drill at {plain(each['site_name'])}, {plain(each['started'])[:10]} "
                   f"{plain(each['started_local'])} ({plain(each['id'])})", style="bold"))  # fmt: skip
    out.print(f"  {_drill_standing(each)}")
    if answer["real_incident"]:
        out.print(Text(f"  STOPPED by something real: {plain(answer['real_incident'])}", style="bold red"))
    out.print(f"  {in_one_sentence(answer)}")
    for fact in facts(answer):
        out.print(f"  - {plain(fact)}")
    for incident_ in answer["incidents"]:
        _drill_incident(out, incident_)
    if not answer["incidents"]:
        out.print("  Nobody pressed.")
    _named(out, "Not known to have heard that it was real", answer["real_missed"])
    if any(answer[f"notices_{name}"] for name in ("missed", "late", "taken_back")):
        out.print()
        out.print("Notices of the drill itself:")
    _wrong(out, answer, "notices_")


def _drill_incident(out: Console, each: Answer) -> None:
    out.print()
    out.print(Text(plain(each["headline"]), style="bold yellow"))
    for press in each["presses"]:
        out.print(f"  pressed: {plain(press['device'])}, {plain(press['where'])}, heard {plain(press['heard_local'])}; "
                  f"made {plain(made(press))}")  # fmt: skip
    hops = _table("s", "hop")
    hops.columns[0].justify = "right"
    for hop in each["hops"]:
        hops.add_row("never" if hop["seconds"] is None else f"{hop['seconds']:,.2f}", plain(hop["what"]))
    out.print(hops)
    people = _table("person", "over", "taken s", "rang s", "answered s", "there s", "answer")
    for person in each["people"]:
        answer = person["answer"] or ("NEVER ANSWERED" if person["asked"] else "was not asked to come")
        times = [_seconds(person[k]) for k in ("taken_s", "delivered_s", "answered_s", "arrived_s")]
        people.add_row(plain(person["name"]), plain(", ".join(person["channels"])), *times, plain(answer))
    out.print(people)
    if each["blocked"]:
        out.print(f"  Blocked because it was a drill: {plain(', '.join(each['blocked']))}")
    _named(out, "May have broken off in mid-word, for alertd went away meanwhile", each["cut_short"])
    _wrong(out, each, "")
    if each["erased"]:
        out.print(f"  {each['erased']} lines of its journal were erased: their times are gone.")


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"


def _wrong(out: Console, part: Answer, prefix: str) -> None:
    _named(out, "Not known to have got through", part[f"{prefix}missed"])
    _named(out, LATE, part[f"{prefix}late"])
    _named(out, "Taken back before it got through", part[f"{prefix}taken_back"])


def _named(out: Console, heading: str, lines: Sequence[Answer]) -> None:
    if lines:
        out.print(f"  {heading}:")
    for each in lines:
        took = f", after {each['took_s']:,.0f} s" if each["took_s"] is not None and heading == LATE else ""
        detail = f" ({plain(each['detail'])})" if each["detail"] else ""
        out.print(f"    {plain(each['who'])} over {plain(each['channel'])}: {plain(each['kind'])}, "
                  f"{plain(each['known'])}{took}{detail}")  # fmt: skip


def notifications(found: Sequence[Answer]) -> None:
    console().print(_notifications(found))


def health(answer: Answer) -> None:
    out = console()
    words, style = _HEALTH.get(answer["state"], _HEALTH["not_alive"])
    out.print(Text(f"alertd {plain(answer['version'])} is {words}", style=style))
    findings(_proven(answer))
    _in_test(answer["in_test"])
    out.print(f"  configuration {plain(answer['config_version'])}")


def site_test(answer: Answer) -> None:
    """What could be proven of a site without waking anybody, and what not."""
    findings(_proven(answer))
    findings(map(_dry_press, answer["presses"]))
    out = console()
    if answer["notifications"]:
        out.print()
        out.print(_notifications(answer["notifications"]))
    out.print(plain(answer["cannot_say"]))


def _proven(answer: Answer) -> Iterator[Answer]:
    """What a press needs fails it; a way to people that does not work is a warning."""
    for ill, proofs in (("fail", answer["proofs"]), ("warn", answer["ways"])):
        for p in proofs:
            level = "ok" if p["alive"] else ill
            yield {"level": level, "what": p["name"], "words": p["words"], "remedy": ""}


def _dry_press(each: Answer) -> Answer:
    told = f"{each['people']} people, {each['machines']} dispatch centres or webhooks"
    spoken = f", {each['loudspeakers']} loudspeaker zones" if each["loudspeakers"] else ""
    words = each["problem"] or f"{each['incident_class']} would tell {told}{spoken}"
    level = "fail" if each["problem"] else "ok"
    return {"level": level, "what": f"press {each['device']}, in memory", "words": words, "remedy": ""}


_HEALTH = {
    "alive": ("alive: broker, commit and dispatch are proven", "bold green"),
    "degraded": ("DEGRADED: presses are taken, but not every way to people works; see the lines below", "bold yellow"),
    "not_alive": ("NOT PROVEN ALIVE: a press may reach nobody", "bold red"),
}


def findings(found: Iterable[Answer]) -> None:
    """Lines of `doctor` and `health`: ok, warn or fail, and what to do."""
    out = console()
    styles = {"ok": "green", "warn": "yellow", "fail": "bold red"}
    for each in found:
        line = Text(f"{each['level']:<5}", style=styles[each["level"]])
        line.append(f"{plain(each['what'])}: {plain(each['words'])}", style="default")
        out.print(line)
        if each["remedy"]:
            out.print(f"       → {plain(each['remedy'])}")


def refusal(answer: Answer) -> None:
    """Why the daemon did not do it. To the error stream."""
    out = console(sys.stderr)
    out.print(Text(f"refused: {plain(answer.get('error', '?'))}", style="bold red"))
    for problem in answer.get("problems", ()):
        out.print(f"  {plain(problem)}")
    if answer.get("where"):
        out.print(f"  where: {plain(answer['where'])}")
    if answer.get("remedy"):
        out.print(f"  → {plain(answer['remedy'])}")


def error(words: str) -> None:
    out = console(sys.stderr)
    for line in words.splitlines():
        out.print(plain(line), soft_wrap=True)


def _heading(out: Console, each: Answer) -> None:
    out.print(Text(f"{_mark(each)}{plain(each['headline'])}  ({plain(each['id'])})", style=_style(each)))
    out.print(f"  {plain(_standing(each))}; {plain(_dispatch(each))}")
    if each["correction"]:
        out.print(f"  {plain(each['correction'])}")


def _mark(each: Answer) -> str:
    return "" if each["mode"] == "live" else f"{plain(each['mode']).upper()} "


def _style(each: Answer) -> str:
    return "dim" if each["closed"] else ("bold red" if each["mode"] == "live" else "bold yellow")


def _standing(each: Answer) -> str:
    if each["closed"]:
        return f"closed by {each['closed_by'] or 'somebody'}"
    return f"{each['state_words']}; {each['escalation_words']}"


def _dispatch(each: Answer) -> str:
    if each["dispatch_hold"]:
        return f"dispatch waits: {each['dispatch_hold']}"
    told = "; ".join(f"dispatch {d['destination']}: {d['words']}" for d in each["dispatch"])
    return told or "no dispatch centre was told"


def _lines(found: Sequence[Answer]) -> Table:
    table = _table("ms", "who", "what", "known by", "why")
    table.columns[0].justify = "right"
    for each in found:
        in_doubt = each["not_known"] and each["state"] != "queued"  # of a fresh message nobody expects more
        unknown = f"; not known {plain(each['not_known'])}" if in_doubt else ""
        why = f"{plain(each['reason'])}: {plain(each['why'])}" if each["reason"] else ""
        table.add_row(f"{each['ms_since_press']:,.1f}", plain(each["who"]), plain(each["what"]) + unknown,
                      plain(each["known_by"]), why)  # fmt: skip
    return table


def _notifications(found: Sequence[Answer]) -> Table:
    table = _table("written", "to", "over", "message", "what is known", "why")
    for each in found:
        unknown = f"; not known {plain(each['not_known'])}" if each["not_known"] else ""
        detail = f" ({plain(each['detail'])})" if each["detail"] else ""
        table.add_row(
            plain(each["created_local"]),
            plain(each["who"]),
            f"{plain(each['channel'])} {plain(each['address'])}",
            plain(each["kind"]),
            plain(each["known"]) + detail + unknown,
            f"{plain(each['reason'])}: {plain(each['why'])}",
        )
    return table


def _not_known(out: Console, sentences: Sequence[str]) -> None:
    if sentences:
        out.print()
        out.print("Not known now:")
        for sentence in sentences:
            out.print(f"  {plain(sentence)}")
