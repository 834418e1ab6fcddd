"""The list of pairs: read strictly, held against long runs, written from what can be depended on."""

import io

import pytest
from rich.console import Console

from alertd_simulator.swarm import words
from alertd_simulator.swarm.coverage import (
    Coverage,
    CoverageFileError,
    Expected,
    read_expected,
    shipped,
    write_expected,
)

PAIR = ("crash", "incident new->active")
OTHER = ("disk_full", "escalation running->paused")
CLOSED = ("crash", "incident active->closed")


def after(days):
    coverage = Coverage()
    for edges in days:
        coverage.add(edges)
    return coverage


def key(pair):
    return " × ".join(pair)


def test_the_shipped_list_is_for_two_hundred_days():
    assert read_expected(shipped()).seeds == 200


def test_a_listed_pair_that_was_never_taken_is_missing():
    coverage = after([{key(PAIR): 3}, {key(PAIR): 1, key(CLOSED): 0}])
    expected = Expected(seeds=200, pairs=frozenset({PAIR, OTHER, CLOSED}))

    assert coverage.missing(expected) == [CLOSED, OTHER]
    assert "2 listed pairs were never taken" in words.missing_words(coverage.missing(expected), expected).plain


def test_days_are_counted_not_times():
    assert after([{key(PAIR): 3}, {key(PAIR): 9}, {}]).taken[PAIR] == 2


def test_only_what_happens_often_is_listed():
    often = after([{key(PAIR): 1, **({key(OTHER): 500} if n < 70 else {})} for n in range(1_000)])

    assert often.dependable() == {PAIR}


def test_what_is_written_is_read_again_and_sorted(tmp_path):
    path = tmp_path / "coverage.txt"
    write_expected(path, {OTHER, PAIR})

    assert read_expected(path) == Expected(seeds=200, pairs=frozenset({PAIR, OTHER}))
    assert path.read_text().splitlines()[-2:] == [
        "crash  incident new->active",
        "disk_full  escalation running->paused",
    ]


@pytest.mark.parametrize(
    "text", ["crash  incident new->active\n", "seeds: 200\ncrash incident new->active\n", "seeds: x\n"]
)
def test_a_list_that_says_nothing_certain_is_refused(tmp_path, text):
    (tmp_path / "coverage.txt").write_text(text)

    with pytest.raises(CoverageFileError, match=r"coverage\.txt"):
        read_expected(tmp_path / "coverage.txt")


def test_the_table_shows_days_gaps_and_misses_in_every_width():
    coverage = after([{key(PAIR): 3, key(CLOSED): 1}, {key(PAIR): 1}])
    expected = Expected(seeds=200, pairs=frozenset({PAIR, OTHER}))
    for width in (30, 80, 200):
        written = io.StringIO()
        out = Console(width=width, file=written)
        for table in words.matrix(coverage, expected, width):
            out.print(table)
        text = written.getvalue()
        assert all(len(line.rstrip()) <= width for line in text.splitlines())
        assert sorted(text.split().count(cell) for cell in ("2", "1", "MISS")) == [1, 1, 1]
        assert "…" not in text, "nothing was cut off"
