"""An import changes what the list says, keeps everything else, and writes all of it or nothing."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alertd import lint
from alertd.exports.columns import DEVICES, PEOPLE
from alertd.exports.importing import NotWrittenError, Order, Prepared, prepare, write
from alertd.exports.merging import merge, read_sheet
from alertd.exports.reading import ExportRow
from alertd.model.ids import DeviceId, PersonId
from tests.config.conftest import School, school

__all__ = ["school"]

HEADER = "Employee ID,Last Name,School,Title,Cell\n"
LIST = HEADER + (
    "bell,Bell,Oak Elementary,teacher 1st grade,(202) 555-0146\n"
    "chen,Chen,Oak Elementary,assistant principal,202.555.0191\n"
    "lane,Lane,Elm Middle School,science,202 555 0192\n"
)
STAFF = {"kind": "staff"}


def prepared(school: School, text: str = LIST, table=PEOPLE, **order: object) -> Prepared:
    path = school.directory.parent / "staff.csv"
    path.write_text(text)
    return prepare(school.directory, table, path, Order(**order), lint.check)  # type: ignore[arg-type]


def changes(plan: Prepared) -> dict[str, tuple[str, dict[str, tuple[str, str]]]]:
    assert plan.merged is not None, plan.problems
    return {change.id: (change.kind.value, change.cells) for change in plan.merged.changes}


def test_the_difference_is_by_id_and_column(school) -> None:
    plan = prepared(school, defaults=STAFF)

    assert plan.problems == ()
    assert changes(plan)["chen"] == ("changed", {"phone": ("+12025550111", "+12025550191")})
    assert changes(plan)["lane"][0] == "added"
    assert set(changes(plan)) == {"chen", "lane"}
    assert plan.merged is not None
    assert (plan.merged.same, len(plan.merged.missing)) == (1, 38)


@pytest.mark.slow
def test_preparing_writes_nothing(school) -> None:
    before = {path: path.read_bytes() for path in school.directory.rglob("*") if path.is_file()}
    prepared(school, defaults=STAFF)

    assert {path: path.read_bytes() for path in school.directory.rglob("*") if path.is_file()} == before


def test_what_is_written_is_taken_by_the_daemon_and_touches_no_other_row(school) -> None:
    path = school.directory / "people.csv"
    before = path.read_text().splitlines()
    write(prepared(school, defaults=STAFF))
    after = path.read_text().splitlines()

    registry = school.load().registry
    assert school.problems() == ()
    assert registry.people[PersonId("lane")].sites == ("elm",)
    assert registry.people[PersonId("chen")].groups == ("responders", "admins"), "what the list does not say stays"
    assert [line for line in before if line not in after] == [line for line in before if line.startswith("chen,")]


def test_nobody_is_removed_unless_asked(school) -> None:
    everyone = {str(id_) for id_ in school.load().registry.people}
    write(prepared(school, defaults=STAFF))
    assert {str(id_) for id_ in school.load().registry.people} == everyone | {"lane"}

    people = (school.directory / "people.csv").read_text().splitlines()
    text = "\n".join(line for line in people if not line.startswith("fox,"))
    plan = prepared(school, text, remove_missing=True)
    assert [name for name, (kind, _) in changes(plan).items() if kind == "removed"] == ["fox"]
    assert not plan.is_allowed, "Fox's badge would belong to nobody"
    assert [(p.file, p.key) for p in plan.problems] == [("devices.csv", "assigned_to")]


def test_mistakes_are_placed_in_the_list_and_nothing_is_written(school) -> None:
    before = (school.directory / "people.csv").read_bytes()
    text = LIST.replace("Elm Middle School", "Birch School").replace("lane,Lane", "lane,Lane-Featherstonehaugh")
    plan = prepared(school, text, defaults=STAFF)

    assert not plan.is_allowed
    mistakes = {(p.line, p.key) for p in plan.problems if p.file == "staff.csv"}
    assert mistakes == {(4, "sites"), (4, "name")}
    with pytest.raises(AssertionError):
        write(plan)
    assert (school.directory / "people.csv").read_bytes() == before


@pytest.mark.slow
def test_an_import_that_breaks_something_elsewhere_is_refused(school) -> None:
    """The whole is judged: two people with one phone, a lockdown that takes too long."""
    plan = prepared(school, LIST.replace("202 555 0192", "(202) 555-0110"), defaults=STAFF)
    assert [p.message for p in plan.problems if "share a phone" in p.message]
    assert not plan.is_allowed

    many = "".join(f"n{a}x{n},New,oak,teacher,+1{a}55501{n:02d}\n" for a in (212, 213) for n in range(100))
    plan = prepared(school, HEADER + many, defaults=STAFF)
    assert {p.key for p in plan.problems if p.is_error} == {"rules.everyone_told_within_s"}


def test_the_old_file_is_kept_with_its_mode_and_the_new_one_has_the_same(school) -> None:
    path = school.directory / "people.csv"
    path.chmod(0o640)
    before = path.read_bytes()
    kept = write(prepared(school, defaults=STAFF))

    assert kept is not None
    assert kept.read_bytes() == before
    assert [stat.S_IMODE(each.stat().st_mode) for each in (path, kept)] == [0o640, 0o640]
    assert school.problems() == (), "the kept file must not look like a misspelt one"


def test_a_crash_at_the_rename_leaves_the_old_file_whole(school, monkeypatch) -> None:
    path = school.directory / "people.csv"
    before = path.read_bytes()
    plan = prepared(school, defaults=STAFF)

    def refuses(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuses)
    with pytest.raises(NotWrittenError, match="No space left"):
        write(plan)
    assert path.read_bytes() == before
    assert [each.name for each in school.directory.iterdir() if each.name.startswith(".")] == []


@pytest.mark.slow
def test_a_file_that_somebody_else_changed_meanwhile_is_left_alone(school) -> None:
    plan = prepared(school, defaults=STAFF)
    school.append("people.csv", "# a note\n")

    with pytest.raises(NotWrittenError, match="changed meanwhile"):
        write(plan)
    assert (school.directory / "people.csv").read_text().endswith("# a note\n")


@pytest.mark.slow
def test_a_link_stays_a_link(school) -> None:
    real = school.directory.parent / "elsewhere.csv"
    (school.directory / "people.csv").rename(real)
    (school.directory / "people.csv").symlink_to(real)
    write(prepared(school, defaults=STAFF))

    assert (school.directory / "people.csv").is_symlink()
    assert "lane," in real.read_text()


@pytest.mark.slow
def test_the_same_list_twice_changes_nothing_the_second_time(school) -> None:
    write(prepared(school, defaults=STAFF))
    plan = prepared(school, defaults=STAFF)

    assert changes(plan) == {}
    assert write(plan) is None


@pytest.mark.slow
def test_an_empty_cell_takes_nothing_away(school) -> None:
    plan = prepared(school, LIST.replace("(202) 555-0146", ""), defaults=STAFF)

    assert "bell" not in changes(plan)


@pytest.mark.parametrize("identity", ["2.4E+15", "2.4e+15", "2,41E+15", "2E+15"])
def test_an_id_that_a_spreadsheet_has_rounded_is_said_to_be_and_how_to_mend_it(school, identity: str) -> None:
    """Excel shows 2412453533160561 so, and writes what it shows."""
    text = f'id,kind,site,zone,gestures\n"{identity}",button,oak,rm-103,wall-button\n'
    (problem,) = prepared(school, text, DEVICES).problems
    assert "was rounded by a spreadsheet" in problem.message, "its digits are gone, and nobody says so"
    assert identity in problem.message
    assert "format the column as text" in problem.remedy
    assert "label" in problem.remedy, "the digits are gone: only the device has them"


@pytest.mark.parametrize("identity", ['="0012345"', "'0012345"])
def test_an_id_with_a_spreadsheet_s_mark_of_text_is_a_warning_for_no_device_calls_itself_so(school, identity: str):
    text = f"id,kind,site,zone,gestures\n{identity},button,oak,rm-103,wall-button\n"
    (problem,) = prepared(school, text, DEVICES).problems
    assert "spreadsheets mark text" in problem.message, "it is taken, and never heard"


def test_devices_find_their_school_and_room_by_name(school) -> None:
    text = "Serial Number,Type,School,Room\nWB-9,Button,Oak Elementary,Rm 103\n"
    plan = prepared(school, text, DEVICES, defaults={"gestures": "wall-button"})

    assert plan.problems == ()
    write(plan)
    device = school.load().registry.devices[DeviceId("WB-9")]
    assert (device.site_id, device.zone_id, device.kind) == ("oak", "oak:rm-103", "button")
    assert school.problems() == ()


@pytest.mark.slow
def test_a_default_of_nothing_is_refused(school) -> None:
    plan = prepared(school, defaults={"kin": "staff"})

    assert [(p.file, p.key, p.message) for p in plan.problems] == [("--default", "kin", "can have no default")]


def test_no_directory_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "staff.csv").write_text(LIST)
    plan = prepare(tmp_path / "nowhere", PEOPLE, tmp_path / "staff.csv", Order(), lint.check)

    assert not plan.is_allowed
    assert [p.message for p in plan.problems if "is not a directory" in p.message]


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_the_owner_stays(school) -> None:
    path = school.directory / "people.csv"
    os.chown(path, 12345, 23456)
    write(prepared(school, defaults=STAFF))

    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 23456)


cells = st.text("abé,;\"'# ", max_size=8).map(lambda text: " ".join(text.split()))
rows = st.dictionaries(st.text("xyz", min_size=1, max_size=3), st.tuples(cells, cells), max_size=6)


@settings(max_examples=25)
@given(old=rows, new=rows, separator=st.sampled_from(",;"), newline=st.sampled_from(("\n", "\r\n")))
def test_whatever_is_merged_is_old_plus_new_and_can_be_read_again(old, new, separator, newline) -> None:
    import csv
    import io

    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator, lineterminator=newline)
    writer.writerow(("id", "name", "role"))
    writer.writerows((id_, *values) for id_, values in old.items())
    export = [ExportRow(line=n, cells={"id": i, "name": v[0], "role": v[1]}) for n, (i, v) in enumerate(new.items())]
    merged = merge(read_sheet(out.getvalue(), PEOPLE.columns), export, {}, remove_missing=False)
    again = read_sheet(merged.text, PEOPLE.columns)

    expected = dict(old) | {
        i: tuple(b or a for a, b in zip(old.get(i, ("", "")), v, strict=True)) for i, v in new.items()
    }
    found = {r.cells["id"]: (r.cells["name"], r.cells["role"]) for r in again.records[1:] if r.cells}
    assert found == expected
    assert again.separator == separator or not (old or new)


def test_a_file_with_comments_and_crlf_keeps_both() -> None:
    text = "# ours\r\nid;name;kind;sites\r\n\r\nbell;Bell;staff;oak\r\n# the end"
    merged = merge(
        read_sheet(text, PEOPLE.columns),
        [ExportRow(line=2, cells={"id": "bell", "name": "Böll"})],
        {},
        remove_missing=False,
    )

    assert merged.text == "# ours\r\nid;name;kind;sites\r\n\r\nbell;Böll;staff;oak\r\n# the end\r\n"
    assert merged.lines == {4: 2}
