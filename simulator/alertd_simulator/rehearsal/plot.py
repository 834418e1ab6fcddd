"""The picture of one policy: by when, on what share of the days, was somebody told, and had somebody answered.

Owns an SVG of two step curves over a logarithmic axis of time, with one mark per day below. Lines differ by dash and
marks by shape, so no colour has to be told from another. Drawn 360 units wide: readable on a phone without zooming.
"""

from collections.abc import Iterator, Sequence
from math import inf, log10
from xml.etree.ElementTree import Element, SubElement

WIDTH, HEIGHT = 360, 214
LEFT, RIGHT, TOP, FLOOR = 38, 314, 26, 142
MISSED_X = 338
"""Where marks stand of days on which it did not happen."""
ROWS = {"told": 172, "answered": 188}
TICKS = ((1, "1 s"), (3, "3"), (10, "10 s"), (30, "30"), (60, "1 min"), (180, "3"), (600, "10 min"), (1800, "30"))
NAMES = {"told": "first human told", "answered": "sufficient answer"}

Values = Sequence[float | None]


def picture(told: Values, answered: Values, *, steps_s: Sequence[float], title: str) -> Element:
    """`steps_s`: when the next step begins; drawn as thin lines behind the curves."""
    latest = max((value for value in (*told, *answered, *steps_s) if value is not None), default=60.0)
    axis = _Axis(max(latest * 1.3, 30.0))
    svg = Element("svg", {"viewBox": f"0 0 {WIDTH} {HEIGHT}", "role": "img", "aria-label": title, "class": "plot"})
    _frame(svg, axis)
    for step_s in steps_s:
        _line(svg, axis.x(step_s), TOP, axis.x(step_s), FLOOR, "step")
    for number, (name, values) in enumerate((("told", told), ("answered", answered))):
        SubElement(svg, "path", {"d": _curve(values, axis), "class": f"curve {name}"})
        _marks(svg, values, axis, name)
        _legend(svg, LEFT + number * 150, name)
    return svg


class _Axis:
    def __init__(self, latest_s: float) -> None:
        self._latest = log10(latest_s)

    def x(self, seconds: float) -> float:
        share = log10(max(seconds, 1.0)) / self._latest
        return round(LEFT + (RIGHT - LEFT) * min(share, 1.0), 1)

    def ticks(self) -> Iterator[tuple[float, str]]:
        return ((self.x(seconds), text) for seconds, text in TICKS if log10(seconds) <= self._latest)


def _y(share: float) -> float:
    return round(FLOOR - (FLOOR - TOP) * share, 1)


def _frame(svg: Element, axis: _Axis) -> None:
    for share in (0.0, 0.5, 1.0):
        _line(svg, LEFT, _y(share), RIGHT, _y(share), "grid")
        _text(svg, LEFT - 5, _y(share) + 4, f"{share * 100:.0f}%", "end")
    for x, text in axis.ticks():
        _line(svg, x, FLOOR, x, FLOOR + 4, "tick")
        _text(svg, x, FLOOR + 16, text, "middle")
    _text(svg, MISSED_X, FLOOR + 16, "never", "middle")
    _text(svg, LEFT, HEIGHT - 6, "each mark: one rehearsed press", "start")


def _curve(values: Values, axis: _Axis) -> str:
    """Share of days on which it had happened by then."""
    if not values:
        return ""
    path = [f"M{LEFT},{_y(0)}"]
    ranked = sorted(value for value in values if value is not None)
    for number, value in enumerate(ranked, 1):
        path.append(f"H{axis.x(value)}V{_y(number / len(values))}")
    return "".join([*path, f"H{RIGHT}"])


def _marks(svg: Element, values: Values, axis: _Axis, name: str) -> None:
    for value in sorted(values, key=lambda each: inf if each is None else each):
        _mark(svg, MISSED_X if value is None else axis.x(value), ROWS[name], name)


def _mark(svg: Element, x: float, y: float, name: str) -> None:
    if name == "told":
        SubElement(svg, "circle", {"cx": str(x), "cy": str(y), "r": "3.6", "class": f"mark {name}"})
    else:
        SubElement(svg, "path", {"d": f"M{x},{y - 4.6}l4.6,4.6l-4.6,4.6l-4.6,-4.6z", "class": f"mark {name}"})


def _legend(svg: Element, x: float, name: str) -> None:
    SubElement(svg, "path", {"d": f"M{x},11h22", "class": f"curve {name}"})
    _mark(svg, x + 11, 11, name)
    _text(svg, x + 28, 15, NAMES[name], "start")


def _line(svg: Element, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
    SubElement(svg, "path", {"d": f"M{x1},{y1}L{x2},{y2}", "class": kind})


def _text(svg: Element, x: float, y: float, text: str, anchor: str) -> None:
    SubElement(svg, "text", {"x": str(x), "y": str(y), "text-anchor": anchor}).text = text
