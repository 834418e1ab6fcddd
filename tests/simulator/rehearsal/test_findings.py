"""What many days say together, and what they hang on."""

import pytest

from alertd_simulator.rehearsal import words
from alertd_simulator.rehearsal.findings import Weight, counts_on, hang, spread
from alertd_simulator.rehearsal.measures import Measured, Ring
from alertd_simulator.rehearsal.parts import Part, PartKind

RUIZ = Part(kind=PartKind.PERSON, id="ruiz", name="Ruiz", failure="Ruiz's phone is off")


def day(
    told_s: float | None = 3.0,
    answered_s: float | None = 40.0,
    dispatch_s: dict[str, float] | None = None,
    rings: tuple[str, ...] = (),
    answered_by: frozenset[str] = frozenset(),
) -> Measured:
    return Measured(
        told_s=told_s, answered_s=answered_s, exhausted_s=None, dispatch_s=dispatch_s or {}, accepted_s=None,
        rings=tuple(Ring(person_id=p, after_s=1.0 + n, step=0) for n, p in enumerate(rings)),
        answered_by=answered_by, texts=4, segments=4, opened=True,
    )  # fmt: skip


def test_every_figure_of_a_spread_is_one_that_occurred() -> None:
    figures = spread([float(n) for n in range(1, 101)])

    assert (figures.p50_s, figures.p95_s, figures.worst_s) == (50.0, 95.0, 100.0)


def test_what_never_happened_is_later_than_anything() -> None:
    figures = spread([None, 5.0, None, 1.0])

    assert (figures.p50_s, figures.p95_s, figures.worst_s) == (5.0, None, None)
    assert (figures.happened, figures.days) == (2, 4)


@pytest.mark.parametrize(("days", "median"), [([], None), ([7.0], 7.0), ([None], None), ([None, None, 2.0], None)])
def test_few_days_have_a_spread_too(days: list[float | None], median: float | None) -> None:
    assert spread(days).p50_s == median


def test_without_a_part_that_everybody_hangs_on_nobody_is_told() -> None:
    found = hang(RUIZ, [day(), day()], [day(told_s=None, answered_s=None)] * 2)

    assert found is not None
    assert found.weight is Weight.NOBODY_TOLD
    assert words.without(found) == "nobody is told"


def test_one_dark_day_of_many_is_never_passed_over() -> None:
    before = [day()] * 30
    found = hang(RUIZ, before, [day(told_s=None, answered_s=None), *before[1:]])

    assert found is not None
    assert words.without(found) == "nobody is told on 1 of 30 days"


def test_nobody_is_nobody_although_some_days_were_dark_before() -> None:
    found = hang(RUIZ, [day(), day(told_s=None)], [day(told_s=None), day(told_s=None)])

    assert found is not None
    assert words.without(found) == "nobody is told"


def test_later_is_said_with_both_figures() -> None:
    found = hang(RUIZ, [day()] * 3, [day(told_s=95.0, answered_s=120.0)] * 3)

    assert found is not None
    assert found.weight is Weight.TOLD_LATER
    assert words.without(found) == "first human told 3.0 s → 95 s (median)"


def test_when_the_median_stays_the_bad_days_are_said() -> None:
    before = [day(), day(), day()]
    found = hang(RUIZ, before, [day(), day(), day(told_s=95.0)])

    assert found is not None
    assert words.without(found) == "first human told 3.0 s → 95 s (worst day)"


@pytest.mark.parametrize("after_s", [2.0, 3.0, 12.0])
def test_a_few_seconds_are_no_finding(after_s: float) -> None:
    assert hang(RUIZ, [day()] * 3, [day(told_s=after_s)] * 3) is None


def test_a_quarter_more_of_a_long_time_is_needed() -> None:
    assert hang(RUIZ, [day(answered_s=100.0)], [day(answered_s=120.0)]) is None
    found = hang(RUIZ, [day(answered_s=100.0)], [day(answered_s=130.0)])

    assert found is not None
    assert found.weight is Weight.ANSWERED_LATER


def test_a_dispatch_centre_that_is_not_told_weighs_more_than_a_late_answer() -> None:
    part = Part(kind=PartKind.DESTINATION, id="county", name="county", failure="destination county does not answer")
    found = hang(part, [day(dispatch_s={"county": 0.6})], [day(answered_s=90.0)])

    assert found is not None
    assert words.without(found) == "no dispatch centre is told"


def test_with_days_enough_the_95th_of_a_hundred_is_said() -> None:
    before, after = [day()] * 40, [*[day()] * 34, *[day(told_s=60.0)] * 5, day(told_s=95.0)]
    found = hang(RUIZ, before, after)

    assert found is not None
    assert words.without(found) == "first human told 3.0 s → 60 s (95 of 100 days)"


def test_where_another_dispatch_centre_is_told_only_the_one_is_named() -> None:
    both, one = {"county": 0.6, "city": 0.6}, {"city": 0.6}
    found = hang(RUIZ, [day(dispatch_s=both)], [day(dispatch_s=one)])

    assert found is not None
    assert words.without(found) == "county is not told"


def test_when_no_figure_moves_it_is_said_how_often_it_is_later() -> None:
    found = hang(RUIZ, [day(told_s=3.0), day(told_s=60.0)], [day(told_s=60.0), day(told_s=3.0)])

    assert found is not None
    assert words.without(found) == "first human told later on 1 of 2 days"


def test_luck_of_the_draw_is_not_a_finding() -> None:
    before = [day()] * 30
    after = [day(answered_s=None), *before[1:]]

    assert hang(RUIZ, before, after) is None


def test_a_day_counts_on_who_was_first_and_on_who_answered() -> None:
    figures = day(rings=("ruiz", "chen"), answered_by=frozenset({"brooks"}))

    assert [p for p in ("ruiz", "chen", "brooks", "hall") if counts_on(figures, p)] == ["ruiz", "brooks"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, "never"), (0.04, "0.0 s"), (3.14, "3.1 s"), (9.97, "10 s"), (119.4, "119 s"), (125, "2 min 05 s"),
     (4200, "1 h 10 min")],
)  # fmt: skip
def test_durations_are_said_as_people_say_them(seconds: float | None, said: str) -> None:
    assert words.duration(seconds) == said


@pytest.mark.parametrize(
    ("number", "shown"), [("+12025550142", "+1202•••0142"), ("+4930123", "•••"), ("county-dispatch", "•••")]
)
def test_no_number_is_shown_whole(number: str, shown: str) -> None:
    assert words.masked(number) == shown
