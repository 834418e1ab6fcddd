"""`kill -9` between each two steps of a press, ten times each, with nothing but real processes."""

from pathlib import Path

import pytest

from tests.e2e.crash_points import KILLS, kill_again_and_again, table
from tests.e2e.crashing_daemon import BEFORE_COMMIT, BEFORE_OUTCOME, BEFORE_PUBACK, BEFORE_SEND

pytestmark = pytest.mark.slow

DELIVERED_TWICE = {BEFORE_COMMIT: True, BEFORE_PUBACK: True, BEFORE_SEND: False}
"""Does the broker deliver the press again? So it is seen that the kills fell where they were meant to fall. Between
send and outcome the acknowledgement may have left or not."""


@pytest.mark.parametrize("point", [BEFORE_COMMIT, BEFORE_PUBACK, BEFORE_SEND, BEFORE_OUTCOME])
async def test_promise_1_kill_nine_loses_no_press_and_tells_nobody_twice(tmp_path: Path, point: str):
    tally = await kill_again_and_again(tmp_path, point)
    print(f"\n{table([tally])}")

    assert tally.kills == KILLS
    assert tally.lost == [], "promise 1: no press is lost — these schools' presses have no incident"
    assert tally.untold == [], "promise 1: no press is lost — these were never told of it"
    assert tally.open_outcomes == [], "a notification has no outcome"
    assert tally.told_twice == [], "told twice, although the carrier could say what it took"
    assert tally.violations == []
    if point != BEFORE_OUTCOME:
        again = {device: times for device, times in tally.deliveries.items() if times > 1}
        assert len(tally.deliveries) == KILLS
        assert len(again) == (KILLS if DELIVERED_TWICE[point] else 0), "the kill did not fall where it should"


async def test_what_nobody_can_know_is_told_again_rather_than_never(tmp_path: Path):
    """Killed between send and outcome, and the carrier does not say what it took."""
    kills = 3
    tally = await kill_again_and_again(tmp_path, BEFORE_OUTCOME, kills, can_tell=False)

    assert tally.kills == kills
    assert tally.lost == tally.untold == tally.open_outcomes == []
    assert tally.told_twice, "the kills did not fall between a send and its outcome"
    assert tally.most_often == 2, "once more is enough"
