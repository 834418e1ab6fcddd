"""The command's own function, from a directory to a report: refusals, and a small district rehearsed for real."""

import shutil
from pathlib import Path

import msgspec
import pytest

from alertd.config import load
from alertd.console.terminal import Exit
from alertd_simulator.generated_district import write_district
from alertd_simulator.rehearsal.cli import rehearse, unplayable
from alertd_simulator.rehearsal.world_limits import is_readable
from tests.simulator.rehearsal.made_up import EXAMPLE


@pytest.fixture
def district(tmp_path: Path) -> Path:
    return write_district(EXAMPLE, tmp_path / "district", sites=1, buttons=1).directory


def copy_of_example(folder: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, folder / "copy"))


def change(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))


def test_what_alertd_check_refuses_is_refused_with_the_same_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = copy_of_example(tmp_path)
    change(config / "policies" / "medical.toml", "nurses", "nurse-squad")

    code = rehearse(config, days=1, seed=1, out=tmp_path / "report.html", as_json=False)

    said = capsys.readouterr().err
    assert code == Exit.INVALID
    assert "policies/medical.toml:4" in said
    assert "nurse-squad" in said
    assert "alertd check" in said
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize("folder", [".", str(EXAMPLE)])
def test_what_alertd_check_takes_can_be_simulated(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shipped district names its recordings by relative paths, as README does."""
    monkeypatch.chdir(EXAMPLE)
    assert unplayable(load(Path(folder))) == ""


def test_a_directory_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = rehearse(tmp_path / "nowhere", days=1, seed=1, out=tmp_path / "report.html", as_json=False)

    assert code == Exit.INVALID
    said = capsys.readouterr().err
    assert "is not a directory" in said
    assert said.count("\n") == 1, "one mistake, one line"


def test_assumptions_that_make_no_sense_are_named(district: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = district.parent / "assumptions.toml"
    file.write_text("[night]\nsnoring = 0.5\n")

    out = district.parent / "report.html"
    code = rehearse(district, days=1, seed=1, out=out, as_json=False, assumptions_file=file)

    assert code == Exit.USAGE
    assert "snoring" in capsys.readouterr().err


def test_words_that_simulated_people_cannot_read_are_found(tmp_path: Path) -> None:
    config = copy_of_example(tmp_path)
    change(config / "policies" / "vape.toml", "Reply 4{token} going.", "4{token} = voy.")

    policies = load(config).registry.policies

    assert {policy.id for policy in policies.values() if not is_readable(policy)} == {"vape", "trouble"}


@pytest.mark.slow
def test_a_district_is_rehearsed_without_a_secret_and_the_same_seed_says_the_same(
    district: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ALERTD_SECRET_TWILIO_AUTH_TOKEN", raising=False)
    before = {file: file.read_bytes() for file in district.rglob("*") if file.is_file()}
    first, second = district.parent / "first.html", district.parent / "second.html"

    codes = [rehearse(district, days=1, seed=3, out=out, as_json=True) for out in (first, second)]

    assert codes == [Exit.OK, Exit.OK]
    assert first.read_text() == second.read_text()
    report = msgspec.json.decode(capsys.readouterr().out.partition("\n}\n")[0] + "}")
    lockdown = next(policy for policy in report["policies"] if policy["incident_class"] == "lockdown")
    assert lockdown["told"]["happened"] == 1
    assert 0 < lockdown["told"]["p50_s"] < 30
    assert lockdown["dispatch"]["county-dispatch"]["happened"] == 1
    assert lockdown["silent_exhausted_s"] == pytest.approx(120, abs=10)
    consequences = {loss["failure"]: loss["consequence"] for loss in lockdown["losses"]}
    assert consequences["channel sms is down"] == "nobody is told"
    assert consequences["destination county-dispatch does not answer"] == "no dispatch centre is told"
    assert consequences["the MQTT broker is down"] == "nobody is told"
    assert not [text for policy in report["policies"] for text in policy["broken"]]
    assert {file: file.read_bytes() for file in district.rglob("*") if file.is_file()} == before


@pytest.mark.slow
def test_a_real_number_is_dialled_in_the_simulated_world_only_and_is_no_violation(
    district: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Numbers of a real district are not fictional ones; nobody is reached from here."""
    people = district / "people.csv"
    lines = people.read_text().splitlines()
    real = ["".join((line.partition("+1")[0], "+1", "312867530", str(n), ",en")) for n, line in enumerate(lines[1:])]
    people.write_text("\n".join([lines[0], *real]) + "\n")

    code = rehearse(district, days=1, seed=1, out=district.parent / "report.html", as_json=True)

    said = capsys.readouterr()
    assert code == Exit.OK, said.err
    assert "312867530" not in said.out
    assert "stranger" not in said.out
