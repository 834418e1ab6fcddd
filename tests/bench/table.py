"""The figures as people read them: medians, the least and the most, and how alertd stands to the floor."""

import statistics
from collections.abc import Callable, Sequence

from tests.bench.measures import Figures

Get = Callable[[Figures], float | None]
ROWS: tuple[tuple[str, str, Get], ...] = (
    ("single press → webhook, p50", "ms", lambda f: f.single_p50),
    ("single press → webhook, p99", "ms", lambda f: f.single_p99),
    ("single press → webhook, max", "ms", lambda f: f.single_max),
    ("storm", "presses/s", lambda f: f.storm_rate),
    ("CPU in the storm", "µs/press", lambda f: f.storm_cpu_us),
    ("p50 beside 1,000 telemetry messages/s", "ms", lambda f: f.loaded_p50),
    ("p99 beside 1,000 telemetry messages/s", "ms", lambda f: f.loaded_p99),
)


def render(floor: Sequence[Figures], alertd: Sequence[Figures]) -> str:
    lines = [f"{'':<40}{'':<11}{'floor':^24}{'alertd':^24}  alertd / floor"]
    for name, unit, get in ROWS:
        ours, theirs = _values(alertd, get), _values(floor, get)
        ratio = f"{statistics.median(ours) / statistics.median(theirs):.2f}" if ours and theirs else ""
        lines.append(f"{name:<40}{unit:<11}{spread(theirs):^24}{spread(ours):^24}  {ratio}")
    lines += ["", *map(_aim, aims(floor, alertd))]
    return "\n".join(lines)


def aims(floor: Sequence[Figures], alertd: Sequence[Figures]) -> tuple[tuple[str, float, str, float, bool], ...]:
    """What we aim for: name, ratio, relation, aim, reached. The ratio is that of the medians."""
    single = _ratio(alertd, lambda f: f.single_p50, floor, lambda f: f.single_p50)
    storm = _ratio(alertd, lambda f: f.storm_rate, floor, lambda f: f.storm_rate)
    loaded = _ratio(alertd, lambda f: f.loaded_p99, alertd, lambda f: f.single_p99)
    return (
        ("single p50 to the floor's", single, "≤", 2.0, single <= 2.0),
        ("storm to the floor's", storm, "≥", 0.4, storm >= 0.4),
        ("p99 beside telemetry to p99 idle", loaded, "≤", 3.0, loaded <= 3.0),
    )


def _aim(aim: tuple[str, float, str, float, bool]) -> str:
    name, ratio, relation, wanted, reached = aim
    return f"{name}: {ratio:.2f} (aim {relation} {wanted:g}) {'reached' if reached else 'NOT reached'}"


def _ratio(of: Sequence[Figures], get: Get, to: Sequence[Figures], get_other: Get) -> float:
    return statistics.median(_values(of, get)) / statistics.median(_values(to, get_other))


def _values(figures: Sequence[Figures], get: Get) -> list[float]:
    return [value for each in figures if (value := get(each)) is not None]


def spread(values: Sequence[float]) -> str:
    if not values:
        return "–"
    digits = 0 if statistics.median(values) >= 100 else 2
    return f"{statistics.median(values):,.{digits}f} ({min(values):,.{digits}f}–{max(values):,.{digits}f})"
