"""What an import writes, the daemon reads: no row becomes a comment, a header or another row."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alertd.config.csv_files import read_csv
from alertd.config.problems import Findings
from alertd.exports.columns import PEOPLE
from alertd.exports.merging import merge, read_sheet, rows_read_as_comments
from alertd.exports.reading import ExportRow, Manner, read_export

ids = st.text("#ab1 \"',;\t\n=é\u00a0\u2028\x85\x0c", max_size=5) | st.text(max_size=5)
HEADERS = st.sampled_from((("id", "name", "role"), ("name", "id", "role"), ("role", "name", "id")))


@settings(max_examples=50)
@given(
    rows=st.lists(st.tuples(ids, ids), max_size=4),
    header=HEADERS,
    separator=st.sampled_from(",;"),
    newline=st.sampled_from(("\n", "\r\n")),
    note=st.sampled_from(("", "# ours", "# a\x0cb,c", "#\u2028x;y", '"# quoted, too"')),
)
def test_what_is_written_is_read_back(tmp_path_factory, rows, header, separator, newline, note) -> None:
    folder: Path = tmp_path_factory.getbasetemp()
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(("id", "name"))
    writer.writerows(rows)
    (folder / "list.csv").write_text(out.getvalue(), newline="")
    findings = Findings()
    export = read_export(folder / "list.csv", PEOPLE, Manner(), findings)
    if export is None or findings.all():  # refused, with its reason
        return
    sheet = read_sheet(separator.join(header) + newline + (note + newline if note else ""), PEOPLE.columns)
    hidden = {row.line for row, _ in rows_read_as_comments(sheet, export.rows, {})}
    kept = [row for row in export.rows if row.line not in hidden]
    text = merge(sheet, kept, {}, remove_missing=False).text
    (folder / "people.csv").write_text(text, newline="")
    read = list(read_csv(folder / "people.csv", "people.csv", findings, required=("id", "name", "role"), optional=()))

    assert findings.all() == ()
    assert {row.get("id"): row.get("name") for row in read} == {r.cells["id"]: r.cells["name"] for r in kept}
    first = header[0]
    assert all(next(r for r in export.rows if r.line == n).cells[first].startswith("#") for n in hidden)


@pytest.mark.parametrize("column", ["id", "name"])
def test_a_row_whose_first_cell_begins_like_a_comment_is_found(column: str) -> None:
    columns = ("id", "name") if column == "id" else ("name", "id")
    row = ExportRow(line=7, cells={"id": "1042", "name": "Chen"} | {column: "#1042"})

    assert [(r.line, where) for r, where in rows_read_as_comments(read_sheet("", columns), [row], {})] == [(7, column)]
    assert not list(rows_read_as_comments(read_sheet("", ("role", *columns)), [row], {}))
