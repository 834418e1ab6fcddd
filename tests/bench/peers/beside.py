"""alertd beside the peers, as people read it: who was there, with which settings, the figures, what was lost."""

from collections.abc import Callable, Mapping, Sequence

from tests.bench.peers.losses import Lost, Plan, Report
from tests.bench.peers.product import Absent, Found

ROWS: tuple[tuple[str, Callable[[Report], str]], ...] = (
    ("single press → webhook, p50, ms", lambda r: f"{r.single_p50:.2f}"),
    ("single press → webhook, p95, ms", lambda r: f"{r.single_p95:.2f}"),
    ("single press → webhook, p99, ms", lambda r: f"{r.single_p99:.2f}"),
    ("storm, presses/s", lambda r: f"{r.storm_rate:,.0f}"),
    ("lost in these, nothing killed", lambda r: _lost(r.idle)),
    ("kill -9 in a stream: lost", lambda r: _lost(r.stream)),
    ("  of those pressed before the kill", lambda r: f"{r.stream.before:,}"),
    ("  of those pressed after the kill", lambda r: f"{r.stream.after:,}"),
    ("  told more than once", lambda r: f"{r.stream.twice:,}"),
    ("kill -9 in a burst: lost", lambda r: _lost(r.burst)),
    ("  told more than once", lambda r: f"{r.burst.twice:,}"),
    ("started again until the first webhook, s", lambda r: "–" if r.back_s is None else f"{r.back_s:.1f}"),
    ("receiver answers 503 for a while: lost", lambda r: _lost(r.away)),
)
WIDTH = 42


def _lost(lost: Lost) -> str:
    return f"{lost.lost:,} of {lost.pressed:,}"


def who(candidates: Sequence[Found | Absent]) -> str:
    """Each product with its version and settings, or why it was not measured."""
    lines = []
    for each in candidates:
        if isinstance(each, Absent):
            lines.append(f"{each.name}: SKIPPED, {each.why}")
        else:
            lines += [f"{each.product.name} {each.version}", *(f"    {line}" for line in each.product.settings)]
    return "\n".join(lines)


def what(plan: Plan) -> str:
    return (
        f"Each on a fresh mosquitto and a fresh folder: {plan.singles} single presses, 35 ms apart; a storm of"
        f" {plan.storm:,};\nthen {plan.kills} times: a stream of {plan.stream} presses (100 a second, kill -9 after a"
        f" third, started again after half),\na burst of {plan.stream} (kill -9 when a third has reached the webhook,"
        f" started again 0.5 s later),\na stream of {plan.stream} in whose middle third the receiver answers 503."
        f" Lost: never came within {plan.silence_s:g} s of silence."
    )


def render(reports: Mapping[str, Report]) -> str:
    column = max(14, *(len(name) + 2 for name in reports))
    lines = [f"{'':<{WIDTH}}" + "".join(f"{name:>{column}}" for name in reports)]
    lines += [
        f"{label:<{WIDTH}}" + "".join(f"{value(report):>{column}}" for report in reports.values())
        for label, value in ROWS
    ]
    return "\n".join(lines)
