"""docs/simulation.md says of every checker what it proves, in the checker's own words."""

from pathlib import Path

from alertd_simulator.checkers.judge import ALL

PAGE = Path(__file__).resolve().parents[3] / "docs" / "simulation.md"


def test_the_page_has_every_checker_in_its_own_words() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]

    missing = [c.name for c in ALL if f"| {c.name} | {' '.join(c.docs.split())} |" not in rows]
    assert missing == []
