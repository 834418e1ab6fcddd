"""Whatever a person writes wrongly is named with file, line, key and remedy; everything at once; never a traceback."""

import pytest

from alertd.config.problems import PROBLEMS_MAX, Findings, Problem, ProblemSeverity

pytestmark = pytest.mark.slow


def test_wrong_value_is_named_with_its_place_and_remedy(school, unreadable):
    """And nobody is blamed for naming what another line failed to define: one mistake is one problem."""
    line = school.spoil(unreadable)

    found = school.read_problems()
    assert len(found) == 1 + unreadable.get("companions", 0), found
    here = [
        p for p in found if (p.file, p.key) == (unreadable["in"], unreadable["key"]) and unreadable["says"] in p.message
    ]
    assert here, f"not found among: {found}"
    assert unreadable["remedy"] in here[0].remedy
    if unreadable.get("at_its_table"):  # a missing key has no line of its own
        assert 0 < here[0].line < line
    else:
        assert here[0].line == line + unreadable.get("lines_below", 0)


def test_all_problems_are_found_at_once(school):
    school.replace("people.csv", "+12025550111", "nobody")
    school.replace("devices.csv", "badge,Okafor badge", "badges,Okafor badge")
    school.replace("sites/oak.toml", "America/Chicago", "Chicago")
    school.replace("policies/vape.toml", "wait_s = 300", "wait_s = -1")
    school.replace("channels.toml", 'plugin = "webhook"', 'plugin = "webhook"\ntoken = "x"')

    files = {p.file for p in school.read_problems()}
    assert files == {"people.csv", "devices.csv", "sites/oak.toml", "policies/vape.toml", "channels.toml"}


@pytest.mark.parametrize("file", ["alertd.toml", "channels.toml", "gestures.toml", "people.csv", "devices.csv"])
def test_missing_file_is_one_problem_and_nobody_is_blamed_for_naming_its_content(school, file):
    (school.directory / file).unlink()

    problems = school.read_problems()
    assert [(p.file, p.message) for p in problems] == [(file, "is missing")]


def test_missing_directory_is_a_problem(school, tmp_path):
    from alertd.config import load

    loaded = load(tmp_path / "nowhere")
    assert not loaded.is_usable
    assert "is not a directory" in loaded.problems[0].message


def test_file_that_nobody_reads_is_named(school):
    school.write("device.csv", "id\n")

    (problem,) = school.read_problems()
    assert (problem.file, problem.message, problem.is_error) == ("device.csv", "is not read", False)
    assert '"devices.csv"' in problem.remedy


def test_what_spreadsheets_do_is_forgiven(school):
    """A BOM, semicolons between cells, CRLF, blank lines, spaces, trailing empty columns."""
    text = (school.directory / "devices.csv").read_text()
    before = school.load().registry.devices
    lines = [line.replace(",", " ;") + ";;" for line in text.splitlines()]
    school.write("devices.csv", b"\xef\xbb\xbf" + "\r\n".join(["", lines[0], "", *lines[1:], ";;;", ""]).encode())

    loaded = school.load()
    assert loaded.problems == ()
    assert loaded.registry.devices == before


def test_latin_1_file_names_the_line(school):
    line = school.replace("people.csv", "Nguyen", "Nguyén")
    path = school.directory / "people.csv"
    path.write_bytes(path.read_text().encode("latin-1"))

    (problem,) = school.read_problems()
    assert (problem.file, problem.line, problem.message) == ("people.csv", line, "is not UTF-8 text")


@pytest.mark.parametrize(
    ("written", "kept"),
    [("(202) 555-0111", "+12025550111"), ("202.555.0111", "+12025550111"), ("+1 202 555 0111", "+12025550111")],
)
def test_phone_numbers_become_e164(school, written, kept):
    school.replace("people.csv", "+12025550111", written)

    assert school.load().registry.people["chen"].endpoints[0].address == kept


def test_thousands_of_problems_are_bounded_and_counted(school):
    rows = "\n".join(f"p{n},P{n},person,,oak,,,en" for n in range(PROBLEMS_MAX * 2))
    school.append("people.csv", rows + "\n")

    problems = school.read_problems()
    assert len(problems) == PROBLEMS_MAX + 1
    assert problems[-1].message == f"{PROBLEMS_MAX} more errors are not shown"


def test_no_flood_of_warnings_hides_an_error():
    findings = Findings()
    for severity in (ProblemSeverity.WARNING, ProblemSeverity.ERROR):
        for n in range(PROBLEMS_MAX + 1):
            findings.add(Problem(file="f", line=n, key="k", message="m", remedy="r", severity=severity))

    assert sum(p.is_error for p in findings.all()) == PROBLEMS_MAX + 1


def test_deep_nesting_and_huge_numbers_are_problems(school):
    school.write("gestures.toml", "a = " + "[" * 50_000)
    school.write("schedules.toml", "a = " + "9" * 10_000)

    assert {p.file for p in school.read_problems() if p.is_error} >= {"gestures.toml", "schedules.toml"}


def test_overrides_replace_single_keys(school):
    loaded = school.load(sources__broker__port=18830, daemon__log_format="console")

    assert loaded.problems == ()
    assert loaded.sections[0].settings["port"] == 18830
    assert loaded.settings.log_format == "console"
    assert not school.load(policies__x=1).is_usable
