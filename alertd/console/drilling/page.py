"""The report as one HTML file: no script, no font, no picture from anywhere, so it can be mailed, printed and archived.

Owns the order in which things are said. The tree is built, never glued, so that no name can become markup.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from alertd.console.drilling import plot
from alertd.console.drilling.facts import facts, in_one_sentence, made

NO_NETWORK = "default-src 'none'; style-src 'unsafe-inline'"
STYLE = """
:root { color-scheme: light dark; --ink: CanvasText; --soft: color-mix(in srgb, CanvasText 60%, Canvas);
  --line: color-mix(in srgb, CanvasText 18%, Canvas); --tint: color-mix(in srgb, CanvasText 6%, Canvas); }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: Canvas; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.2; } h2 { font-size: 1.25rem; margin-top: 2.5rem; }
h3 { font-size: 1rem; margin: 1.8rem 0 .4rem; }
.soft { color: var(--soft); } .real { border: 3px solid; padding: .6rem 1rem; font-weight: 700; }
.box { background: var(--tint); padding: .6rem 1rem .6rem 2.2rem; border-radius: .4rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .9rem; min-width: 34rem; }
table.few { min-width: 0; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.figure, th.figure { text-align: right; font-variant-numeric: tabular-nums; }
.plot { width: 100%; min-width: 40rem; height: auto; } .plot text { font-size: 11px; fill: var(--ink); }
.plot .grid { stroke: var(--line); } .mark { stroke: var(--ink); stroke-width: 1.4; }
.hollow { fill: Canvas; } .full { fill: var(--ink); }
@media print { main { max-width: none; } h2 { break-before: auto; } table, svg { break-inside: avoid; } }
"""
PRIVACY = (
    "This file names people and says what they did. The times come from alertd's journal, whose personal part can be "
    "erased there; a file like this one cannot: keep it, and destroy it, as you do other records of your staff."
)
CANNOT_SAY = (
    "Taken: the provider has the message. Rang: the phone, or the server, has it; nobody need have read it. Only an "
    "answer is an answer. Each time is when alertd heard of it: where it has to ask the provider, some seconds after "
    "it happened. A multicast loudspeaker cannot say that anybody heard it. In a drill messages wait for the sender's "
    "rate here, at their turn; real ones leave at once and wait at the carrier."
)

Report = Mapping[str, Any]


def page(report: Report) -> str:
    drill = report["drill"]
    html = Element("html", {"lang": "en"})
    head = SubElement(html, "head")
    SubElement(head, "meta", {"charset": "utf-8"})
    SubElement(head, "meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"})
    SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": NO_NETWORK})
    SubElement(head, "title").text = f"{drill['class_words']} drill, {drill['site_name']}, {drill['started'][:10]}"
    SubElement(head, "style").text = STYLE
    main = SubElement(SubElement(html, "body"), "main")
    _opening(main, report)
    for incident in report["incidents"]:
        _incident(main, incident)
    _notices(main, report)
    _add(main, "p", PRIVACY, "soft")
    return "<!doctype html>\n" + tostring(html, encoding="unicode", method="html") + "\n"


def _opening(main: Element, report: Report) -> None:
    drill = report["drill"]
    _add(main, "h1", f"{drill['class_words']} drill at {drill['site_name']}")
    until = f"to {drill['ended'][11:19]}" if drill["ended"] else f"until {drill['ends_local']}, still running"
    _add(main, "p", f"{drill['started'][:10]}, {drill['started'][11:19]} {until}. Ordered by {drill['by']}.")
    if report["real_incident"]:
        _add(main, "p", f"It was stopped by something real: {report['real_incident']}.", "real")
    _add(main, "p", in_one_sentence(report))
    box = _add(main, "ul", class_="box")
    for fact in facts(report):
        _add(box, "li", fact)
    if not report["incidents"]:
        _add(main, "p", "Nobody pressed.")
    _add(main, "p", CANNOT_SAY, "soft")


def _incident(main: Element, incident: Report) -> None:
    _add(main, "h2", incident["headline"])
    _table(main, ("pressed", "where", "heard at", "after s", "made"), map(_press, incident["presses"]))
    _add(main, "p", "Seconds, here and below, are after the first press was heard.", "soft")
    hops = [(hop["what"], _seconds(hop["seconds"], "never")) for hop in incident["hops"]]
    _table(main, ("hop", "s"), hops)
    wide = _add(main, "div", class_="wide")
    wide.append(plot.picture(incident["people"], f"People in {incident['headline']}, by seconds after the press"))
    if incident["never_answered"]:
        _add(main, "h3", "Never answered")
        _add(main, "p", ", ".join(incident["never_answered"]))
    _wrong(main, incident, "")
    if incident["cut_short"]:
        _add(main, "h3", "May have broken off in mid-word: alertd went away meanwhile")
        began = [(m["address"], _seconds(m["taken_s"])) for m in incident["cut_short"]]
        _table(main, ("loudspeakers", "began s"), began)
    if incident["blocked"]:
        _add(main, "h3", "Blocked because it was a drill")
        _add(main, "p", f"{', '.join(incident['blocked'])}. Had it been real, these would have been told.")
    _add(main, "h3", "People")
    _table(
        main,
        ("person", "over", "taken s", "rang s", "answered s", "there s", "answer"),
        map(_person, incident["people"]),
    )
    _add(main, "h3", "Ways")
    _table(
        main,
        ("over", "messages", "taken", "rang", "taken s, median", "worst", "rang s, median", "worst"),
        map(_channel, incident["channels"]),
    )
    if incident["erased"]:
        _add(main, "p", f"{incident['erased']} lines of its journal were erased: their times are gone.", "soft")


def _press(press: Report) -> Sequence[str]:
    return (press["device"], press["where"], press["heard_local"], _seconds(press["heard_s"]), made(press))


def _wrong(main: Element, part: Report, prefix: str) -> None:
    """What did not get through, what took long, what was taken back."""
    if missed := part[f"{prefix}missed"]:
        _add(main, "h3", "Not known to have got through")
        _table(main, ("to", "over", "message", "what is known", "why"), map(_missed, missed))
    if late := part[f"{prefix}late"]:
        _add(main, "h3", "Late")
        rows = [
            (m["who"], m["channel"], m["kind"], *(_seconds(m[k]) for k in ("written_s", "taken_s", "delivered_s")))
            for m in late
        ]
        _table(main, ("to", "over", "message", "written s", "taken s", "rang s"), rows)
    if back := part[f"{prefix}taken_back"]:
        _add(main, "h3", "Taken back before it got through")
        rows = [(m["who"], m["channel"], m["kind"], m["why"], m["detail"]) for m in back]
        _table(main, ("to", "over", "message", "why", "until then"), rows)


def _missed(message: Report) -> Sequence[str]:
    unknown = f"not known {message['not_known']}" if message["not_known"] else message["why"]
    known = message["known"]
    return (message["who"], message["channel"], message["kind"], known, message["detail"] or unknown)


def _person(person: Report) -> Sequence[str]:
    times = [_seconds(person[mark]) for mark in plot.MARKS]
    answer = person["answer"] or ("NEVER ANSWERED" if person["asked"] else "not asked to come")
    return (person["name"], ", ".join(person["channels"]), *times, answer)


def _channel(way: Report) -> Sequence[str]:
    counts = (str(way[name]) for name in ("messages", "taken", "delivered"))
    times = (
        _seconds(way[name]) for name in ("median_taken_s", "worst_taken_s", "median_delivered_s", "worst_delivered_s")
    )
    return (way["channel"], *counts, *times)


def _notices(main: Element, report: Report) -> None:
    if report["real_missed"]:
        _add(main, "h2", "Not known to have heard that it was real")
        _table(main, ("to", "over", "message", "what is known", "why"), map(_missed, report["real_missed"]))
    if any(report[f"notices_{name}"] for name in ("missed", "late", "taken_back")):
        _add(main, "h2", "Notices of the drill itself")
        _add(main, "p", "Seconds are after it began.", "soft")
        _wrong(main, report, "notices_")


def _seconds(value: float | None, never: str = "-") -> str:
    return never if value is None else f"{value:,.2f}" if value < 1 else f"{value:,.1f}"


def _table(parent: Element, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    table = SubElement(SubElement(parent, "div", {"class": "wide"}), "table", {"class": "few"} if len(head) < 3 else {})
    top = SubElement(table, "tr")
    for words in head:
        _add(top, "th", words, "figure" if words.endswith(" s") or words == "s" else "")
    for row in rows:
        line = SubElement(table, "tr")
        for words, value in zip(head, row, strict=True):
            _add(line, "td", value, "figure" if words.endswith(" s") or words == "s" else "")


def _add(parent: Element, tag: str, text: str = "", class_: str = "") -> Element:
    element = SubElement(parent, tag, {"class": class_} if class_ else {})
    element.text = text
    return element
