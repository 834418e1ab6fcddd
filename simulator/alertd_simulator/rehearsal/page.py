"""The report as one HTML file: no script, no font, no picture from anywhere, so it can be mailed, printed and archived.

Owns the order in which things are said. The tree is built, never glued, so that no name out of a configuration can
become markup. What is coloured is also said in words.
"""

from collections.abc import Iterable, Sequence
from importlib.resources import files
from xml.etree.ElementTree import Element, SubElement, tostring

import msgspec

from alertd_simulator.rehearsal import plot, words
from alertd_simulator.rehearsal.findings import Spread
from alertd_simulator.rehearsal.report import PolicyReport, Report

NO_NETWORK = "default-src 'none'; style-src 'unsafe-inline'"
PEOPLE_MAX = 40
"""Rows of one policy's table. The JSON has everybody."""
Cell = str | Element
Row = Sequence[Cell]

LEGEND = (
    "Time after the first press: median · 95 of 100 days · worst day. Told: a phone rang. Answered: as many of the "
    "right people as the policy asks for said that they go. Never: not before the rehearsed day ended, five "
    "minutes after the last step. All steps passed: of the days on which nobody had answered sufficiently by then; "
    "the search widens and goes on. A 95th or a worst day says little when few days were rehearsed. Red: a lockdown "
    "hangs on one person's phone, on half of its days or more."
)
CANNOT_SAY = (
    "It runs the real alertd with this configuration; phones, carrier, dispatch centre and people are simulated. It "
    "shows what the policies do when things go as assumed below. It does not show that a phone number is right, that a "
    "text arrives, that a button's battery is full, or that anybody comes. Only a drill shows that."
)


def page(report: Report) -> str:
    html = Element("html", {"lang": "en"})
    _head(html, f"Rehearsal of {report.district}")
    main = SubElement(SubElement(html, "body"), "main")
    _opening(main, report)
    _attention(main, report)
    _overview(main, report)
    for number, policy in enumerate(report.policies):
        _policy(main, policy, number)
    _not_rehearsed(main, report)
    _assumptions(main, report)
    return "<!doctype html>\n" + tostring(html, encoding="unicode", method="html") + "\n"


def _head(html: Element, title: str) -> None:
    head = SubElement(html, "head")
    SubElement(head, "meta", {"charset": "utf-8"})
    SubElement(head, "meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"})
    SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": NO_NETWORK})
    SubElement(head, "title").text = title
    SubElement(head, "style").text = "\n" + (files(__package__) / "page.css").read_text(encoding="utf-8")


def _opening(main: Element, report: Report) -> None:
    _add(main, "h1", f"Rehearsal of {report.district}")
    presses, policies = report.days * len(report.policies), len(report.policies)
    what = f"{words.counted(report.days, 'day')} for each of {words.counted(policies, 'policy')}"
    _add(main, "p", f"{words.counted(presses, 'press')} in the simulated world: {what}.")
    _add(main, "p", CANNOT_SAY)
    told = f"alertd {report.alertd_version}, configuration {report.config_version}, seed {report.seed}"
    _add(main, "p", f"{told}. The same three give the same report.", "soft")


def _attention(main: Element, report: Report) -> None:
    box = _add(main, "section", class_="attention")
    _add(box, "h2", "Look at this first")
    if not report.attention:
        _add(box, "p", "Nothing stood out: somebody was told every time, and nobody is the only one.")
        return
    items = _add(box, "ul")
    for sentence in report.attention:
        _add(items, "li", sentence)


# --- every policy in one table --------------------------------------------------------------------------------------


def _overview(main: Element, report: Report) -> None:
    _add(main, "h2", "All policies")
    _add(main, "p", LEGEND, "soft")
    rows = [
        (
            _link(policy.title, f"#policy-{number}"),
            _spread(policy.told),
            _spread(policy.answered),
            _unanswered(policy),
            words.exhausted(policy.exhausted),
            f"{policy.texts_median}, at most {policy.texts_worst}",
            _hangs_on(policy),
        )
        for number, policy in enumerate(report.policies)
    ]
    _table(main, words.HEADS, rows)


def _spread(figures: Spread) -> Element:
    """Keeps together what belongs together; a day on which it never happened stands out, and says so in words."""
    cell = Element("span", {"class": "time"} if figures.worst_s is not None else {"class": "time never"})
    cell.text = words.spread(figures)
    return cell


def _unanswered(policy: PolicyReport) -> str:
    missed = policy.answered.days - policy.answered.happened
    return words.days(missed, policy.answered.days) if missed else "on no day"


def _hangs_on(policy: PolicyReport) -> Cell:
    """In red, and in so many words, if one person carries a lockdown."""
    said = words.hangs_on(policy.carried_by, policy.hangs_on) or "nothing but broker and internet"
    if not policy.carried_by:
        return said
    cell = Element("span", {"class": "never"})
    cell.text = said
    return cell


# --- one policy -----------------------------------------------------------------------------------------------------


def _policy(main: Element, policy: PolicyReport, number: int) -> None:
    section = _add(main, "section", class_="policy")
    section.set("id", f"policy-{number}")
    _add(section, "h2", policy.title)
    figure = _add(section, "figure")
    told, answered = [s.told_s for s in policy.samples], [s.answered_s for s in policy.samples]
    title = f"By when somebody was told and had answered: {policy.title}"
    figure.append(plot.picture(told, answered, steps_s=policy.steps_s, title=title))
    _add(figure, "figcaption", "Share of the days on which it had happened by then. Dotted: the next step begins.")
    facts = _add(section, "div")
    _facts(facts, policy)
    wide = _add(section, "div", class_="wide")
    _losses(wide, policy)
    _people(wide, policy)
    _worst_days(wide, policy)


def _facts(parent: Element, policy: PolicyReport) -> None:
    rows: list[Row] = [
        ("first human told", _spread(policy.told)),
        ("sufficient answer", _spread(policy.answered)),
        ("all steps passed", words.exhausted(policy.exhausted)),
        ("if nobody answers", (f"told after {words.duration(policy.silent_told_s)}; all steps passed after "
                              f"{words.duration(policy.silent_exhausted_s)}")),
        *((f"{name} has it", _spread(figures)) for name, figures in policy.dispatch.items()),
        ("texts a press", f"{policy.texts_median} (median), {policy.texts_worst} (most)"),
        ("segments billed", (f"{policy.segments_median} (median), {policy.segments_worst} (most), "
                            f"{policy.segments_silent} if nobody answers")),
        ("triggered by", f"{words.counted(policy.triggers, 'device')}; policy {policy.policy}"),
    ]  # fmt: skip
    _table(parent, ("", "median · 95 of 100 · worst"), rows)


def _losses(parent: Element, policy: PolicyReport) -> None:
    _add(parent, "h3", "What it hangs on")
    if not policy.losses:
        _add(parent, "p", "No single person, channel or destination makes a difference worth naming.")
        return
    rows = [(f"If {loss.failure}", loss.consequence) for loss in policy.losses]
    _table(parent, ("one thing fails", "what happens"), rows)


def _people(parent: Element, policy: PolicyReport) -> None:
    _add(parent, "h3", "Who is told")
    rows: list[Row] = [
        (
            told.name,
            told.phone,
            words.days(told.days, policy.told.days) if told.days else "on no day",
            words.duration(told.silent_s, "not then"),
        )
        for told in policy.people[:PEOPLE_MAX]
    ]
    if len(policy.people) > PEOPLE_MAX:
        rows.append((f"and {len(policy.people) - PEOPLE_MAX} more", "", "", ""))
    _table(parent, ("person", "phone", "told", "if nobody answers, after"), rows)
    if policy.never_told:
        _add(parent, "p", f"Adults of the school whom this policy never told: {', '.join(policy.never_told)}.")


def _worst_days(parent: Element, policy: PolicyReport) -> None:
    """The slowest three, and what was going on: a figure that nobody can explain is not believed."""
    _add(parent, "h3", "The slowest days")
    never = float("inf")
    slowest = sorted(
        policy.samples,
        key=lambda s: (never if s.answered_s is None else s.answered_s, never if s.told_s is None else s.told_s),
        reverse=True,
    )[:3]
    rows = [
        (
            f"{sample.moment}, {sample.time_of_day}",
            words.duration(sample.told_s),
            words.duration(sample.answered_s),
            "; ".join(sample.faults) or "nothing failed",
        )
        for sample in slowest
    ]
    _table(parent, ("pressed", "told after", "answered after", "what failed"), rows)


# --- the rest -------------------------------------------------------------------------------------------------------


def _not_rehearsed(main: Element, report: Report) -> None:
    if not report.not_rehearsed:
        return
    _add(main, "h2", "What cannot be rehearsed")
    rows = [(name, words.listed(sites, 6), why) for (name, why), sites in report.impossible.items()]
    _table(main, ("policy", "sites", "why"), rows)


def _assumptions(main: Element, report: Report) -> None:
    _add(main, "h2", "What was assumed")
    sources = _add(main, "ul")
    for source in report.sources:
        _add(sources, "li", source)
    built = msgspec.to_builtins(report.assumptions)
    hours = {name: built.pop(name) for name in ("duty", "evening", "night")}
    _table(main, ("of phones and carriers", "value"), [(_plain(name), f"{value:g}") for name, value in built.items()])
    rows = [(_plain(name), *(f"{hours[when][name]:g}" for when in hours)) for name in hours["duty"]]
    _table(main, ("of people", "school hours", "evening, weekend", "night"), rows)


def _plain(name: str) -> str:
    words_of_name = name.removesuffix("_s").replace("_", " ")
    return f"{words_of_name}, seconds" if name.endswith("_s") and not name.endswith("per_s") else words_of_name


# --- building -------------------------------------------------------------------------------------------------------


def _add(parent: Element, tag: str, text: str = "", class_: str = "") -> Element:
    element = SubElement(parent, tag, {"class": class_} if class_ else {})
    element.text = text or None
    return element


def _link(text: str, target: str) -> Element:
    link = Element("a", {"href": target})
    link.text = text
    return link


def _table(parent: Element, heads: Sequence[str], rows: Iterable[Row]) -> None:
    """The first cell of a row is its head. Where there are more than two, the others carry their column's name, for
    screens that are too narrow for columns."""
    table = SubElement(parent, "table")
    line = SubElement(SubElement(table, "thead"), "tr")
    for head in heads:
        SubElement(line, "th", {"scope": "col"}).text = head
    body = SubElement(table, "tbody")
    for row in rows:
        line = SubElement(body, "tr")
        for number, (head, cell) in enumerate(zip(heads, row, strict=True)):
            label = {"data-label": head} if len(heads) > 2 else {}
            place = SubElement(line, "td", label) if number else SubElement(line, "th", {"scope": "row"})
            if isinstance(cell, str):
                place.text = cell
            else:
                place.append(cell)
