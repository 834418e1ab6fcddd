"""A file that cannot be read is one problem: nobody is blamed for what it would have said."""

from pathlib import Path

import pytest

from alertd.config import Loaded

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).resolve().parents[2] / "config"
TOML = sorted(str(path.relative_to(EXAMPLE)) for path in EXAMPLE.rglob("*.toml") if path.parent.name != "variants")
CSV = ("people.csv", "devices.csv")


@pytest.mark.parametrize("file", [*TOML, *CSV])
def test_file_that_cannot_be_read_is_one_problem(school, file):
    school.write(file, b"\xff\xfe nothing that anybody wrote")

    assert _said(school) == [(file, "is not UTF-8 text")]


@pytest.mark.parametrize("file", TOML)
def test_file_that_cannot_be_parsed_is_one_problem(school, file):
    school.append(file, "\n[[[")

    ((name, message),) = _said(school)
    assert (name, message[:17]) == (file, "is not valid TOML")


@pytest.mark.parametrize("file", CSV)
def test_quotation_mark_in_the_middle_of_a_table_is_one_problem(school, file):
    lines = (school.directory / file).read_text().splitlines()
    lines[3] = lines[3].replace(",", ',"', 1)
    school.write(file, "\n".join(lines))

    ((name, message),) = _said(school)
    assert (name, message[:16]) == (file, "is not valid CSV")


@pytest.mark.parametrize(
    ("file", "column"), [("people.csv", "groups"), ("people.csv", "phone"), ("devices.csv", "zone")]
)
def test_misspelt_column_is_one_problem(school, file, column):
    text = (school.directory / file).read_text()
    school.write(file, text.replace(column, f"{column}x", 1))

    assert _said(school) == [(file, "unknown column")]


def test_table_without_people_is_one_problem(school):
    header = (school.directory / "people.csv").read_text().splitlines()[0]
    school.write("people.csv", header + "\n")

    assert _said(school) == [("people.csv", "has nobody in it")]


@pytest.mark.parametrize("file", CSV)
def test_tabs_between_cells_are_said_clearly(school, file):
    text = (school.directory / file).read_text()
    school.write(file, text.replace(",", "\t"))

    (problem,) = school.problems()
    assert (problem.file, problem.line) == (file, 1)
    assert "tabs" in problem.message
    assert "commas" in problem.remedy


def test_hint_for_a_spreadsheet_is_said_clearly(school):
    text = (school.directory / "people.csv").read_text()
    school.write("people.csv", "sep=,\n" + text)

    (problem,) = school.problems()
    assert (problem.file, problem.line) == ("people.csv", 1)
    assert "sep=," in problem.message
    assert "remove" in problem.remedy


def test_what_does_not_depend_on_the_unread_file_is_still_judged(school):
    school.write("people.csv", b"\xff")
    school.replace("devices.csv", "button-204,button,oak,rm-204", "button-204,button,oak,")
    school.replace("policies/vape.toml", "Look", "Look. STOP")

    assert {name for name, _ in _said(school)} == {"people.csv", "devices.csv", "policies/vape.toml"}


def test_reload_that_cannot_read_a_file_is_refused(school):
    from alertd import lint

    current = school.load()
    school.write("policies/vape.toml", b"\xff")

    assert not isinstance(lint.reload(current), Loaded)


def _said(school):
    return [(problem.file, problem.message) for problem in school.problems()]
