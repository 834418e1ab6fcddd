"""The picture of one drill: a row a person, and when they were told, their phone rang, they answered, were there.

Owns an SVG over time after the press, logarithmic, because the first seconds matter most. Marks differ by shape, so no
colour has to be told from another, and what did not happen stands in a column of its own: "never".
"""

from collections.abc import Mapping, Sequence
from math import log10
from typing import Any
from xml.etree.ElementTree import Element, SubElement

WIDTH, LEFT, RIGHT, NEVER_X, TOP, ROW = 720, 170, 620, 672, 44, 22
TICKS = ((0.1, "0.1 s"), (1, "1 s"), (3, "3"), (10, "10 s"), (30, "30"), (60, "1 min"), (300, "5"), (1800, "30 min"))
MARKS = ("taken_s", "delivered_s", "answered_s", "arrived_s")
NAMES = {
    "taken_s": "taken by the provider",
    "delivered_s": "phone rang",
    "answered_s": "answered",
    "arrived_s": "is there",
}
LEAST_S = 0.05
PEOPLE_MAX = 120
"""Rows of one picture; the table has everybody."""

Person = Mapping[str, Any]


def picture(people: Sequence[Person], title: str) -> Element:
    shown = people[:PEOPLE_MAX]
    height = TOP + ROW * len(shown) + 44
    svg = Element("svg", {"viewBox": f"0 0 {WIDTH} {height}", "role": "img", "aria-label": title, "class": "plot"})
    times = [person[mark] for person in shown for mark in MARKS if person[mark] is not None]
    latest = max([*times, 10.0]) * 1.2
    _axis(svg, latest, height - 30)
    for number, person in enumerate(shown):
        _row(svg, person, TOP + ROW * number, latest)
    for number, mark in enumerate(MARKS):
        x = LEFT + number * 150 - 110
        _mark(svg, mark, x, 14)
        _text(svg, x + 10, 18, NAMES[mark], "start")
    return svg


def _row(svg: Element, person: Person, y: float, latest: float) -> None:
    _text(svg, LEFT - 12, y + 4, person["name"][:24], "end")
    _line(svg, LEFT, y, RIGHT, y, "grid")
    for mark in MARKS:
        seconds = person[mark]
        if seconds is not None:
            _mark(svg, mark, _x(seconds, latest), y)
    if person["asked"] and person["answered_s"] is None:
        _mark(svg, "never", NEVER_X, y)


def _axis(svg: Element, latest: float, floor: float) -> None:
    for seconds, words in TICKS:
        if seconds <= latest:
            x = _x(seconds, latest)
            _line(svg, x, TOP - 14, x, floor, "grid")
            _text(svg, x, floor + 16, words, "middle")
    _text(svg, NEVER_X, floor + 16, "never", "middle")


def _x(seconds: float, latest: float) -> float:
    share = log10(max(seconds, LEAST_S) / LEAST_S) / log10(latest / LEAST_S)
    return round(LEFT + (RIGHT - LEFT) * min(share, 1.0), 1)


def _mark(svg: Element, mark: str, x: float, y: float) -> None:
    match mark:
        case "taken_s":
            SubElement(svg, "circle", {"cx": str(x), "cy": str(y), "r": "3", "class": "mark hollow"})
        case "delivered_s":
            SubElement(svg, "circle", {"cx": str(x), "cy": str(y), "r": "4", "class": "mark full"})
        case "answered_s":
            SubElement(svg, "path", {"d": f"M{x},{y - 6}l6,6l-6,6l-6,-6z", "class": "mark full"})
        case "never":
            SubElement(svg, "path", {"d": f"M{x},{y - 6}l6,6l-6,6l-6,-6z", "class": "mark hollow"})
        case _:
            SubElement(svg, "path", {"d": f"M{x - 5},{y + 5}l5,-10l5,10z", "class": "mark full"})


def _line(svg: Element, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
    SubElement(svg, "path", {"d": f"M{x1},{y1}L{x2},{y2}", "class": kind})


def _text(svg: Element, x: float, y: float, text: str, anchor: str) -> None:
    SubElement(svg, "text", {"x": str(x), "y": str(y), "text-anchor": anchor}).text = text
