"""How long a list may be: 100,000 devices are a large district, and no mistake."""

from pathlib import Path

import pytest

from alertd.config.csv_files import ROWS_MAX, read_csv
from alertd.config.problems import Findings

ROW = "24e124{:010x},button,oak,rm-204,wall-button,desk button,,,milesight-ws101,3 min\n"
COLUMNS = ("id", "kind", "site", "zone", "gestures", "label", "assigned_to", "roaming_sites", "profile", "check_in")


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "refusals"), [(100_000, 0), (ROWS_MAX + 1, 1)])
def test_a_hundred_thousand_devices_are_read_and_more_than_twice_as_many_are_not(
    tmp_path: Path, rows: int, refusals: int
):
    path, findings = tmp_path / "devices.csv", Findings()
    path.write_text(",".join(COLUMNS) + "\n" + "".join(map(ROW.format, range(rows))))
    read = sum(1 for _ in read_csv(path, path.name, findings, required=COLUMNS, optional=()))
    assert read == min(rows, ROWS_MAX)
    assert len(findings.all()) == refusals, findings.all()[:1]
