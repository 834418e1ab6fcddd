"""Req 14, 15: the six variants of [rules] are what they are called, pass `alertd check`, and stand in the table."""

from itertools import product
from pathlib import Path

import pytest

from alertd import lint
from alertd.config import load
from alertd.model.site import StateRules
from tests.config.conftest import EXAMPLE
from tests.state_variants import NAMES, write_variant

DOCS = Path(__file__).resolve().parents[2] / "docs" / "configuration.md"
CONFIRM = {"direct": "off", "timed": "timed", "required": "required"}


@pytest.mark.parametrize("name", NAMES)
def test_a_variant_is_what_it_is_called_and_passes(name: str, tmp_path: Path, school: object) -> None:
    loaded = load(write_variant(EXAMPLE, name, tmp_path / name))
    heard, _, confirm = name.partition("-")

    assert (*loaded.problems, *lint.check(loaded)) == ()
    for site in ("oak", "elm"):
        rules: StateRules = {str(id_): each.rules for id_, each in loaded.registry.sites.items()}[site]
        assert rules.audible is (heard == "audible")
        assert rules.confirm_before_dispatch == CONFIRM[confirm]
        assert 0 < rules.confirm_timeout_s <= 60, "req 15: dispatch is told within the minute, whoever keeps silent"


def test_all_six_are_there_and_documented_with_what_each_serves() -> None:
    assert set(NAMES) == {f"{heard}-{confirm}" for heard, confirm in product(("audible", "silent"), CONFIRM)}
    section = DOCS.read_text().partition("## Where state laws differ")[2].partition("\n## ")[0]
    rows = {name: row for row in section.splitlines() for name in NAMES if row.startswith(f"| `{name}`")}
    assert set(rows) == set(NAMES)
    for name, row in rows.items():
        story = f"tests/scenarios/variants/{name.replace('-', '_')}.txt"
        assert (DOCS.parents[1] / story).is_file()
        assert row.count("|") == 5, row
