"""`alertd simulate --scenario`: which stories are played, in which district, and what is said of them."""

from pathlib import Path

import pytest

from alertd_simulator.scenario.cli import play_stories

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
DISTRICT = HERE / "district"
GOES_AS_TOLD = """\
# A medical press is taken up.
proves R12
site oak
0:00 press button-gym
allow text everyone of oak
allow dispatch
expect by 0:05 text nurse "MEDICAL"
expect puback button-gym
ends 0:06
"""
LIES = GOES_AS_TOLD.replace('text nurse "MEDICAL"', 'text nurse "FIRE"')
TYPO = GOES_AS_TOLD.replace("press button-gym", "press button-gim")


def write(folder: Path, **stories: str) -> list[Path]:
    for name, text in stories.items():
        (folder / f"{name}.txt").write_text(text)
    return [folder / f"{name}.txt" for name in stories]


def test_each_story_is_said_to_have_passed_or_failed_and_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = play_stories(write(tmp_path, good=GOES_AS_TOLD, bad=LIES), DISTRICT)

    said = capsys.readouterr().out
    assert code == 1
    assert "good.txt: passed (R12)\n" in said
    assert "bad.txt: FAILED, so it does not prove R12\n  A medical press is taken up.\n  - bad.txt:7: " in said
    assert said.endswith("2 stories: 1 went as told, 1 FAILED\n")


def test_a_folder_is_all_its_stories_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, b=GOES_AS_TOLD, a=GOES_AS_TOLD)
    (tmp_path / "notes.md").write_text("no story")

    assert play_stories([tmp_path], DISTRICT) == 0
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == ["a.txt", "b.txt", "2 stories"]


def test_nothing_is_played_while_a_story_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = write(tmp_path, good=GOES_AS_TOLD, typo=TYPO)
    (tmp_path / "photo.txt").write_bytes(b"# x\nproves \xff\xd8")
    code = play_stories([*files, tmp_path / "photo.txt"], DISTRICT)

    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert f"{tmp_path / 'typo.txt'}:4:12: 'button-gim' cannot stand here" in said.err
    assert f"{tmp_path / 'photo.txt'}:2:8: this is no text in UTF-8" in said.err
    assert said.err.endswith("Nothing was played.\n")


def test_the_district_lies_beside_the_story_or_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (story,) = write(tmp_path, good=GOES_AS_TOLD)
    assert play_stories([story], None) == 2
    assert "--config DIR" in capsys.readouterr().err
    (tmp_path / "district").symlink_to(DISTRICT)
    assert play_stories([story], None) == 0


@pytest.mark.parametrize("missing", ["nowhere.txt", ""])
def test_a_story_or_a_folder_without_any_is_named(
    tmp_path: Path, missing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert play_stories([tmp_path / missing], DISTRICT) == 2
    assert str(tmp_path / missing) in capsys.readouterr().err


def test_a_configuration_that_a_daemon_would_refuse_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert play_stories(write(tmp_path, good=GOES_AS_TOLD), tmp_path / "nothing") == 2
    assert "is not a directory" in capsys.readouterr().err
