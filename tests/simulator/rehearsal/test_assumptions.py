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
        ("night = 3", "night: write a table, not a number$"),
        ("[night]\nasleep = 1.5", r"night\.asleep: must be at most 1$"),
        ("texts_per_s = -1", "texts_per_s: must be at least 0$"),
        ('texts_per_s = "fast"', "texts_per_s: write a number, not a text$"),
        ("texts_per_s = true", "texts_per_s: write a number, not true or false$"),
        ("delivery_median_s = nan", "delivery_median_s: write a number, not nan$"),
        ("[night]\nanswer_median_s = inf", r"night\.answer_median_s: write a number, not inf$"),
        ("[night]\nasleap = 0.5", r"night\.asleap: there is no such assumption; did you mean asleep\?"),
        ("txts_per_s = 1", r"txts_per_s: there is no such assumption; did you mean texts_per_s\?"),
        ("[nigth]\nasleep = 0.5", r"nigth: there is no such assumption; did you mean night\?"),
        ("[duty]\nsilent = 0.9\ncannot_go = 0.9", "duty: the shares of people add up to more than 1"),
        ("texts_per_s = ", "assumptions.toml: this is no TOML"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_name(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(AssumptionsError, match=said):
        read_assumptions(written(tmp_path, text))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(AssumptionsError, match=r"nowhere\.toml"):
        read_assumptions(tmp_path / "nowhere.toml")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "photo.toml").write_bytes(b"\xff\xd8")

    with pytest.raises(AssumptionsError, match=r"photo\.toml: this is no text in UTF-8"):
        read_assumptions(tmp_path / "photo.toml")
