"""A district's own assumptions, from a file."""

from pathlib import Path

import pytest

from alertd_simulator.rehearsal.assumptions import Assumptions, AssumptionsError, read_assumptions


def written(folder: Path, text: str) -> Path:
    file = folder / "assumptions.toml"
    file.write_text(text)
    return file


def test_what_the_file_leaves_out_stays_as_it_is(tmp_path: Path) -> None:
    read = read_assumptions(written(tmp_path, "texts_per_s = 50\n[night]\nasleep = 0.5\n"))

    assert read.texts_per_s == 50
    assert read.night.asleep == 0.5
    assert read.night.answer_median_s == Assumptions().night.answer_median_s
    assert read.duty == Assumptions().duty


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("night = 3", "night"),
        ("[night]\nasleep = 1.5", "1"),
        ("[night]\nsleeping = 0.5", "sleeping"),
        ("[duty]\nsilent = 0.9\ncannot_go = 0.9", "duty: the shares of people add up to more than 1"),
        ("texts_per_s = ", "assumptions.toml"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_name(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(AssumptionsError, match=said):
        read_assumptions(written(tmp_path, text))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(AssumptionsError, match=r"nowhere\.toml"):
        read_assumptions(tmp_path / "nowhere.toml")
