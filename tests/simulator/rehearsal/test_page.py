"""The report as people get it: one HTML file, a terminal, JSON."""

import re
from html.parser import HTMLParser
from importlib import import_module
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from shutil import which

import msgspec
import pytest
from msgspec.structs import replace
from rich.console import Console

from alertd_simulator.rehearsal import screen
from alertd_simulator.rehearsal.page import page
from alertd_simulator.rehearsal.report import Report
from tests.simulator.rehearsal.made_up import DAYS, example, made_up_report

pytestmark = pytest.mark.slow

VOID = frozenset({"meta", "br"})
POLICIES = 14
"""Of the example's two schools, those that a device can set off."""
CHROMIUM = which("chromium") or which("chromium-browser") or which("google-chrome")


class Tags(HTMLParser):
    """Every element, and whether each was closed where it had to be."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.seen if name == tag]


@pytest.fixture(scope="module")
def report() -> Report:
    return made_up_report()


@pytest.fixture(scope="module")
def html(report: Report) -> str:
    return page(report)


def test_the_page_is_well_formed_and_needs_nothing_from_anywhere(html: str) -> None:
    tags = Tags(html)

    assert tags.open == []
    assert not {tag for tag, _ in tags.seen} & {"script", "link", "img", "iframe", "object", "base"}
    assert "url(" not in html
    assert "@import" not in html
    assert not [a for _, a in tags.seen if (a.get("href") or "#")[0] != "#" or "src" in a]


def test_every_policy_has_a_picture_with_a_mark_for_each_day_and_figure(html: str) -> None:
    tags = Tags(html)
    marks = [a["class"] for _, a in tags.seen if (a.get("class") or "").startswith("mark ")]

    assert len(tags.all("svg")) == POLICIES
    assert all(svg["aria-label"] for svg in tags.all("svg"))
    assert marks.count("mark told") == marks.count("mark answered") == POLICIES * (DAYS + 1)  # one in the legend


def test_links_lead_to_sections_that_are_there(html: str) -> None:
    tags = Tags(html)
    ids = {a["id"] for _, a in tags.seen if "id" in a}

    assert {str(a["href"])[1:] for a in tags.all("a")} <= ids
    assert len(tags.all("a")) == POLICIES


def test_no_phone_number_is_whole_on_any_way_out(report: Report, html: str) -> None:
    numbers = [e.address for person in example().registry.people.values() for e in person.endpoints]
    ways_out = [html, terminal(report), msgspec.json.encode(report).decode()]

    assert numbers
    assert not [number for number in numbers for text in ways_out if number in text or number[2:] in text]
    assert "+1202•••0110" in html


def test_a_name_out_of_the_configuration_never_becomes_markup(report: Report) -> None:
    nasty = "<script>alert(1)</script>[red]&amp;"
    evil = replace(report, district=nasty, attention=(nasty,))

    assert "<script" not in page(evil)
    assert not Tags(page(evil)).all("script")
    assert terminal(evil).count(nasty) == 2


def test_what_cannot_be_rehearsed_is_said_with_the_reason(report: Report, html: str) -> None:
    for text in (html, terminal(report)):
        assert "hold" in text
        assert "no device triggers it" in text


def test_what_was_assumed_is_on_the_page_with_where_it_comes_from(html: str) -> None:
    assert "https://www.twilio.com/docs/api/errors/30001" in html
    assert "assumed, not measured" in html
    assert "answer median, seconds" in html


def test_the_json_holds_what_the_page_shows(report: Report) -> None:
    read = msgspec.json.decode(msgspec.json.encode(report))
    policy = next(p for p in read["policies"] if p["site"] == "oak" and p["incident_class"] == "lockdown")

    assert policy["told"]["days"] == DAYS
    assert len(policy["samples"]) == DAYS
    assert {loss["failure"] for loss in policy["losses"]} >= {"channel sms is down"}


def terminal(report: Report) -> str:
    console = Console(width=200, record=True, file=StringIO())
    screen.show(console, report)
    return console.export_text()


def test_the_terminal_has_a_line_for_each_policy_and_the_findings(report: Report) -> None:
    text = terminal(report)

    assert len(re.findall(r"^│ \w+ (Elementary|Middle School): ", text, re.MULTILINE)) == POLICIES
    assert "If channel sms is down, nobody is told (every policy)." in text


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: the page is not rendered")
@pytest.mark.skipif(find_spec("playwright") is None, reason="playwright is not installed: the page is not rendered")
@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (390, "dark"), (1200, "light"), (1200, "dark")])
def test_a_browser_shows_it_without_asking_the_network_or_scrolling_sideways(
    html: str, tmp_path: Path, width: int, scheme: str
) -> None:
    sync_playwright = import_module("playwright.sync_api").sync_playwright
    file = tmp_path / "report.html"
    file.write_text(html, encoding="utf-8")
    said: list[str] = []
    asked: list[str] = []
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        shown.on("console", lambda message: said.append(message.text))
        shown.on("request", lambda request: asked.append(request.url))
        shown.goto(file.as_uri())
        wide = shown.evaluate("document.documentElement.scrollWidth")
        curve = shown.evaluate("getComputedStyle(document.querySelector('.curve.told')).stroke")
        paper = shown.evaluate("getComputedStyle(document.body).backgroundColor")
        browser.close()

    assert said == []
    assert asked == [file.as_uri()]
    assert wide <= width
    assert (curve == "rgb(0, 114, 178)") is (scheme == "light")
    assert (paper == "rgb(255, 255, 255)") is (scheme == "light")
