"""A generated district is one that the daemon would take."""

from pathlib import Path

from alertd import lint
from alertd.config import load
from alertd_simulator.demo_school import IN_TREE
from alertd_simulator.generated_district import write_district


def test_a_generated_district_is_accepted_as_it_stands(tmp_path: Path):
    district = write_district(IN_TREE, tmp_path / "district", sites=3, buttons=4)
    loaded = load(district.directory)

    assert [str(problem) for problem in (*loaded.problems, *lint.check(loaded))] == []
    assert sorted(map(str, loaded.registry.devices)) == sorted(district.devices)
    assert len(district.devices) == 12
    told = [phone for site in district.sites for phone in site.phones]
    assert len(set(told)) == len(told), "a phone is one person's"
