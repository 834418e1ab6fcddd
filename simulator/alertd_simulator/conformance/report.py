"""The outcome as text, and as one HTML file that can be mailed: no script, font or picture from anywhere."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from alertd_simulator.conformance.judge import Outcome, Point, conforms
from alertd_simulator.conformance.transcript import Transcript

NO_NETWORK = "default-src 'none'; style-src 'unsafe-inline'"
STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}table{border-collapse:collapse}"
    "td,th{border:1px solid #999;padding:.4em .6em;text-align:left;vertical-align:top}"
    ".failed{background:#fdd}.passed{background:#dfd}.not-seen{background:#eee}"
)
SIGNS = {Outcome.PASSED: "passed  ", Outcome.FAILED: "FAILED  ", Outcome.NOT_SEEN: "not seen"}


def as_text(transcript: Transcript, points: Sequence[Point]) -> str:
    lines = [_title(transcript), ""]
    for point in points:
        lines.append(f"{SIGNS[point.outcome]}  {'must  ' if point.must else 'better'}  {point.name}: {point.found}")
        if point.outcome is not Outcome.PASSED:
            lines.append(f"{'':18}{point.matters}")
    return "\n".join([*lines, "", verdict(points)])


def verdict(points: Sequence[Point]) -> str:
    musts = [point for point in points if point.must]
    if conforms(points):
        better = sum(point.outcome is not Outcome.PASSED for point in points if not point.must)
        more = f"; {better} of the others could be better" if better else ""
        return f"It works with alertd: all {len(musts)} points that must be are passed{more}."
    failed = sum(point.outcome is Outcome.FAILED for point in musts)
    unseen = sum(point.outcome is Outcome.NOT_SEEN for point in musts)
    return f"Not shown to work with alertd: of {len(musts)} musts, {failed} failed and {unseen} were not seen."


def as_html(transcript: Transcript, points: Sequence[Point]) -> str:
    """The tree is built, never glued: no topic or payload can become markup."""
    html = Element("html", {"lang": "en"})
    head = SubElement(html, "head")
    SubElement(head, "meta", {"charset": "utf-8"})
    SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": NO_NETWORK})
    SubElement(head, "title").text = _title(transcript)
    SubElement(head, "style").text = STYLE
    body = SubElement(html, "body")
    SubElement(body, "h1").text = _title(transcript)
    SubElement(body, "p").text = verdict(points)
    table = SubElement(body, "table")
    _row(table, "th", ("Outcome", "", "Point", "What was found", "Why it matters"))
    for point in points:
        need = "must" if point.must else "better"
        row = _row(table, "td", (str(point.outcome), need, point.name, point.found, point.matters))
        row.set("class", point.outcome.replace(" ", "-"))
    return "<!doctype html>\n" + tostring(html, encoding="unicode", method="html") + "\n"


def _title(transcript: Transcript) -> str:
    subject = transcript.subject
    profile = f", profile {subject.profile}" if subject.profile else ""
    return f"Conformance of {subject.device} over {subject.source}{profile}"


def _row(table: Element, tag: str, cells: Sequence[str]) -> Element:
    row = SubElement(table, "tr")
    for cell in cells:
        SubElement(row, tag).text = "".join(sign if sign.isprintable() else "?" for sign in cell)
    return row
