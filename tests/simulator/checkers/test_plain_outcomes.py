"""Of a commit that only notes how an attempt went, many checkers are not shown anything: which, and that they miss
nothing."""

import pickle
from typing import ClassVar

import pytest
from msgspec import Struct

from alertd.model.notification import NotificationChange, NotificationState
from alertd.model.reason import Reason
from alertd_simulator.checkers.checker import Checker, Consequence, is_plain
from alertd_simulator.checkers.judge import ALL, Judge
from alertd_simulator.world.happenings import Committed, Happening
from alertd_simulator.world.run import simulate
from alertd_simulator.world.school_day import plan_of
from tests.simulator.checkers.story import Story, outcome, pressed, text

NOTED = (NotificationChange(id=text().notification.id, state=NotificationState.SENT, reason=Reason.ASKED_PROVIDER),)
EVERY = 23
"""Of the plain commits of a day, one in so many is looked at closely."""


class Everything(Checker):
    name, docs = "everything", ""
    sees: ClassVar[tuple[type[Struct | Consequence], ...]] = (Committed,)

    def see(self, happening: Happening) -> None:
        self.accuse(happening.at_us, type(happening).__name__, once=str(happening.at_us))


class Consequences(Everything):
    name = "consequences"
    sees = (Consequence,)


@pytest.mark.parametrize(
    ("event", "decision", "shown"),
    [
        (outcome(), {"changes": NOTED}, 1),
        (outcome(), {"changes": NOTED, "notifications": (text("n-2"),)}, 2),
        (outcome(), {"changes": NOTED, "recall": True}, 2),
        (pressed(), {}, 2),
    ],
    ids=["only its own change", "another text", "something is taken back", "a press"],
)
def test_who_looks_at_consequences_is_not_shown_what_has_none(event, decision, shown):
    story = Story(Everything, Consequences).at(1).committed(event, **decision)

    assert len(story.violations) == shown


@pytest.mark.slow
@pytest.mark.parametrize("seed", [4, 9, 155])
def test_whoever_is_not_shown_a_plain_outcome_would_have_made_nothing_of_it(seed, monkeypatch):
    blind = {checker.name for checker in ALL if Consequence in checker.sees}
    looked_at = 0
    changed: set[str] = set()

    def see(judge: Judge, happening: Happening) -> None:
        nonlocal looked_at
        if is_plain(happening):
            looked_at += 1
            for checker in judge.checkers if looked_at % EVERY == 0 else ():
                if checker.name in blind:
                    before = state_of(checker)
                    checker.see(happening)
                    changed.update({checker.name} if state_of(checker) != before else ())
        seen(judge, happening)

    seen = Judge.see
    monkeypatch.setattr(Judge, "see", see)
    assert not simulate(plan_of(seed)).crash

    assert changed == set()
    assert looked_at > 10 * EVERY
    assert blind


def state_of(checker: Checker) -> bytes:
    return pickle.dumps({name: value for name, value in vars(checker).items() if name != "scene"})
