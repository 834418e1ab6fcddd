"""What people and spreadsheets save, read or plainly refused with file, line, column and what to do."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alertd.config.problems import Findings
from alertd.exports import reading
from alertd.exports.columns import PEOPLE
from alertd.exports.reading import Export, Manner, read_export

GOOD = "Employee ID,Last Name,School,Cell\nbell,Bell,oak,(202) 555-0146\n"
PHONE = "+12025550146"


def read(folder: Path, raw: bytes, **manner: object) -> tuple[Export | None, list[tuple[int, str, str, str]]]:
    """The rows, and (line, column, what, what to do) of each problem."""
    path = folder / "staff.csv"
    path.write_bytes(raw)
    findings = Findings()
    export = read_export(path, PEOPLE, Manner(**manner), findings)  # type: ignore[arg-type]
    assert all(problem.file == "staff.csv" for problem in findings.all())
    return export, [(p.line, p.key, p.message, p.remedy) for p in findings.all()]


@pytest.mark.parametrize(
    "raw",
    [
        GOOD.encode(),
        GOOD.encode("utf-8-sig"),
        GOOD.encode("utf-16"),
        GOOD.replace(",", ";").encode(),
        GOOD.replace(",", "\t").encode("utf-16"),
        GOOD.replace("\n", "\r\n").encode(),
        ("sep=,\n" + GOOD).encode(),
        b"\n\n" + GOOD.encode(),
        GOOD.replace("Employee ID", "EMPLOYEE_ID ").encode(),
    ],
    ids=["utf-8", "BOM", "utf-16", "semicolons", "Excel's Unicode text", "CRLF", "sep=", "blank lines", "odd header"],
)
def test_what_a_spreadsheet_saves_is_read(tmp_path: Path, raw: bytes) -> None:
    export, problems = read(tmp_path, raw)

    assert problems == []
    assert export is not None
    assert [row.cells for row in export.rows] == [{"id": "bell", "name": "Bell", "sites": "oak", "phone": PHONE}]


@pytest.mark.parametrize(
    ("raw", "line", "column", "says", "remedy"),
    [
        (GOOD.replace("Bell", "Böll").encode("cp1252"), 2, "", "is not UTF-8 text", "--encoding cp1252"),
        (b"PK\x03\x04rest", 0, "", "is a workbook", "CSV UTF-8"),
        (b"", 1, "", "is empty", "export it again"),
        (GOOD.replace("Employee ID", "Nickname").encode(), 1, "id", "no column says which person", "--column id="),
        (GOOD.replace("Last Name", "Mobile").encode(), 1, "phone", 'could be "mobile" and "cell"', "--column phone="),
        (GOOD.replace("bell,", ",").encode(), 2, "id", "is empty", "never changes"),
        ((GOOD + "BELL,Bell,elm,\n").encode(), 3, "id", "already used in line 2", "remove one"),
        (GOOD.replace("(202) 555-0146", "2.02556E+09").encode(), 2, "phone", "rounded by a spreadsheet", "as text"),
        (GOOD.replace("(202) 555-0146", "555-0146").encode(), 2, "phone", "not a phone number (7 digits)", "--country"),
        (GOOD.replace("(202) 555-0146", "+15555550100").encode(), 2, "phone", "look at the area code", "--country"),
        (GOOD.replace("(202) 555-0146", "9-911").encode(), 2, "phone", "must never be dialled", "their own number"),
        (GOOD.replace("Bell,oak", '"Bell,oak').encode(), 2, "", "is not valid CSV", "quotation mark"),
        (GOOD.replace("Bell", "Be\x07ll").encode(), 2, "name", "invisible character", "retype"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)
def test_what_cannot_be_meant_is_refused_at_its_place(
    tmp_path: Path, raw: bytes, line: int, column: str, says: str, remedy: str
) -> None:
    _, problems = read(tmp_path, raw)

    assert [(at, key) for at, key, _, _ in problems] == [(line, column)], problems
    assert says in problems[0][2]
    assert remedy in problems[0][3]


def test_the_user_says_what_a_column_is_called_and_how_the_file_is_written(tmp_path: Path) -> None:
    raw = GOOD.replace("Employee ID", "Nickname").replace("Bell", "Böll").encode("cp1252")
    export, problems = read(tmp_path, raw, encoding="cp1252", columns={"id": "nickname"})

    assert problems == []
    assert export is not None
    assert export.rows[0].cells["name"] == "Böll"
    _, problems = read(tmp_path, GOOD.encode(), columns={"phone": "Handy"})
    assert [(key, what) for _, key, what, _ in problems] == [("phone", 'no column of the export is called "Handy"')]


def test_numbers_without_a_country_code_are_the_district_s(tmp_path: Path) -> None:
    raw = GOOD.replace("(202) 555-0146", "020 7946 0958").encode()
    export, problems = read(tmp_path, raw, country="GB")

    assert problems == []
    assert export is not None
    assert export.rows[0].cells["phone"] == "+442079460958"


def test_no_problem_shows_a_number(tmp_path: Path) -> None:
    """It lands in a ticket or a chat."""
    wrong = ("3035550146123456", "+1 303 555 0146 ext. 911", "13035550146999999")
    for number in wrong:
        _, problems = read(tmp_path, GOOD.replace("(202) 555-0146", number).encode())
        assert problems
        digits = "".join(c for c in number if c.isdigit())
        assert not [p for p in problems for words in p[2:] if number in words or digits[:8] in words]


@settings(max_examples=25)
@given(
    raw=st.binary(max_size=300)
    | st.text("ab,;\t\"\n\r'#=é\0", max_size=200).map(lambda text: ("id,name\n" + text).encode())
)
def test_no_bytes_make_it_fail(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    export, problems = read(tmp_path_factory.getbasetemp(), raw)

    assert export is not None or problems


def test_a_fraction_that_a_spreadsheet_appended_is_no_part_of_a_number(tmp_path: Path) -> None:
    export, problems = read(tmp_path, GOOD.replace("(202) 555-0146", "2025550146.0").encode())

    assert problems == []
    assert export is not None
    assert export.rows[0].cells["phone"] == PHONE


def test_an_extension_is_refused_for_no_text_reaches_it(tmp_path: Path) -> None:
    _, problems = read(tmp_path, GOOD.replace("(202) 555-0146", "(202) 555-0146 ext. 12").encode())

    assert [(line, key) for line, key, _, _ in problems] == [(2, "phone")]
    assert "is not a phone number: it has an extension" in problems[0][2]


def test_a_list_that_is_too_long_is_refused_at_the_row_that_is_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "ROWS_MAX", 3)
    rows = [f"p{number},Bell,oak,\n" for number in range(4)]
    header = GOOD.splitlines(keepends=True)[0]

    export, problems = read(tmp_path, (header + "".join(rows[:3])).encode())
    assert (problems, export is not None) == ([], True)
    _, problems = read(tmp_path, (header + "".join(rows)).encode())
    assert [(line, what) for line, _, what, _ in problems] == [(5, "has more than 3 rows")]


def test_a_quotation_mark_that_is_not_closed_is_said_where_it_is_opened(tmp_path: Path) -> None:
    for before in ("", "sep=,\n"):
        raw = before + GOOD + 'chen,"Chen, Li",oak,\nshaw,"Shaw,oak,\nhall,Hall,oak,\n'
        _, problems = read(tmp_path, raw.encode())

        assert [line for line, _, _, _ in problems] == [4 + len(before.splitlines())]


def test_ids_that_only_look_different_are_one(tmp_path: Path) -> None:
    _, problems = read(tmp_path, (GOOD + "ｂｅｌｌ,Bell,oak,\n").encode())

    assert [(line, key) for line, key, _, _ in problems] == [(3, "id")]
