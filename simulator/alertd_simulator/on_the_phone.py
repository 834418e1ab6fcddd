"""What people of each habit do with a call.

Owns the match of habits with conduct. Must never draw at random: the same person, the same way of answering.
"""

from alertd_simulator.carrier_conduct import Conduct, Pickup
from alertd_simulator.people import Habit

LISTENS_S = 9.0
"""To the end of the first sentence, and a breath."""
HASTY_S = 3.0
"""Before a detector has made up its mind."""
MIND_S = 8.0
"""Between a key and thinking better of it."""
RINGS_S = 12.0
"""Nobody lets a phone ring longer who means to take it."""

KEYS: dict[Habit, tuple[tuple[str, float], ...]] = {
    Habit.GOES: (("4", LISTENS_S),),
    Habit.GOES_AND_ARRIVES: (("4", LISTENS_S),),
    Habit.CANNOT_GO: (("6", LISTENS_S),),
    Habit.CHANGES_MIND: (("4", LISTENS_S), ("6", LISTENS_S + MIND_S)),
    Habit.WRONG_CODE: (("1", LISTENS_S), ("4", LISTENS_S + MIND_S)),
    Habit.SPACED: (("*", LISTENS_S), ("4", LISTENS_S * 2)),
    Habit.LOCKS_DOWN: (("9", LISTENS_S),),
}
"""Who takes the call and presses something."""
LISTENS: frozenset[Habit] = frozenset({Habit.WORDS, Habit.WORDS_THEN_CODE, Habit.BARE_DIGIT, Habit.HOLDS})
"""Takes the call, hears it, presses nothing."""
PICKUPS: dict[Habit, Pickup] = {
    Habit.DRIVING: Pickup.VOICEMAIL,
    Habit.SILENT: Pickup.RINGS_OUT,
    Habit.ASLEEP: Pickup.RINGS_OUT,
    Habit.STOPS: Pickup.BUSY,
    Habit.STOPS_AND_STARTS: Pickup.BUSY,
}
"""Who does not take it."""


def conduct_of(habit: Habit, after_s: float) -> Conduct:
    """`after_s`: how long they take for everything. Whoever likes texts hangs up on calls in mid-word, and whoever
    answers with an earlier incident's code is taken for a machine."""
    rings_s = min(after_s, RINGS_S)
    if habit in PICKUPS:
        return Conduct(pickup=PICKUPS[habit], rings_s=rings_s)
    if habit in KEYS or habit in LISTENS:
        return Conduct(pickup=Pickup.TAKES, rings_s=rings_s, keys=KEYS.get(habit, ()))
    if habit in (Habit.TAPBACK, Habit.REACTS):
        return Conduct(pickup=Pickup.TAKES, rings_s=rings_s, hangs_up_s=2.0)
    keys = (("4", HASTY_S),)
    return Conduct(pickup=Pickup.TAKES, rings_s=rings_s, keys=keys, detected="machine_end_beep")
