"""What people are like on a stated day. Owns which habits go together, and how many people have them.

    group      weights within the group
    sleepy     asleep 3, silent 3
    clumsy     words 2, words then code 2, likes 2, reacts 3, driving 2, mistypes 2, blank in the code 1, bare digit 2,
               an earlier incident's code 2, a code that is nobody's 1
    unwilling  cannot go 3, changes mind 2, asks for a hold 1, asks for a lockdown 1
    away       phone off: whatever else they are, texts wait at the carrier or die
    opted out  stops 2, stops and starts 2

A group is on or off for the whole day, so that there are days on which everybody is merely slow, and days on which
half of the school is asleep and the others send thumbs. Of everybody else 1 of 12 says that they go and arrives, 1 only
says so, and 10 leave it to the others.

Words are passed on to everybody who was told, so two people a day type any; the next ones only think of it. On most
days one administrator of each school is reliable, whatever the others do: a school without one is bad luck, no rule.
"""

from collections.abc import Sequence
from random import Random

from msgspec.structs import replace

from alertd_simulator.people import Habit
from alertd_simulator.world.plan import Habits

GROUPS: dict[str, tuple[tuple[Habit, int], ...]] = {
    "sleepy": ((Habit.ASLEEP, 3), (Habit.SILENT, 3)),
    "clumsy": (
        (Habit.WORDS, 2),
        (Habit.WORDS_THEN_CODE, 2),
        (Habit.TAPBACK, 2),
        (Habit.REACTS, 3),
        (Habit.DRIVING, 2),
        (Habit.WRONG_CODE, 2),
        (Habit.SPACED, 1),
        (Habit.BARE_DIGIT, 2),
        (Habit.OLD_CODE, 2),
        (Habit.FOREIGN_CODE, 1),
    ),
    "unwilling": ((Habit.CANNOT_GO, 3), (Habit.CHANGES_MIND, 2), (Habit.HOLDS, 1), (Habit.LOCKS_DOWN, 1)),
    "opted out": ((Habit.STOPS, 2), (Habit.STOPS_AND_STARTS, 2)),
}
WORDY = frozenset({Habit.WORDS, Habit.WORDS_THEN_CODE})
WORDY_MAX = 2
AWAY = "away"
AWAY_SHARE = 0.25
"""Of people whose phone is off, on a day on which phones are."""
USUAL = ((Habit.GOES_AND_ARRIVES, 1), (Habit.GOES, 1), (Habit.SILENT, 10))
PROMPT_S, RELIABLE_S, SLEEP_S = (3.0, 40.0), (3.0, 15.0), (90.0, 400.0)
SLOW_SHARE, SLOW_S = 0.2, (45.0, 180.0)
OFF_S = (60.0, 700.0)


def habits_of(
    random: Random,
    people: Sequence[str],
    *,
    probability: float,
    oddity: float,
    reliable: Sequence[str] = (),
    since_s: float = 0.0,
) -> tuple[Habits, ...]:
    """One for each person. `oddity`: share of people who have a habit of a group that is on. `reliable`: have none.
    `since_s`: the day begins then, and phones are off for a part of the day, not of the night before."""
    on = [name for name in (*GROUPS, AWAY) if random.random() < probability]
    odd = [choice for name in on for choice in GROUPS.get(name, ())]
    habits, wordy = [], 0
    for person in people:
        habit = _of_one(random, person, odd if random.random() < oddity else [], AWAY in on)
        if person in reliable:
            after_s = round(random.uniform(*RELIABLE_S), 1)
            habit = Habits(person=person, habit=str(Habit.GOES_AND_ARRIVES), after_s=after_s)
        elif habit.habit in WORDY:
            wordy += 1
            habit = habit if wordy <= WORDY_MAX else replace(habit, habit=str(Habit.SILENT))
        if habit.phone_off_s:
            habit = replace(habit, phone_off_s=round(since_s + habit.phone_off_s, 1))
        habits.append(habit)
    return tuple(habits)


def _of_one(random: Random, person: str, odd: list[tuple[Habit, int]], is_away_day: bool) -> Habits:  # noqa: FBT001
    choices = odd or USUAL
    habit = random.choices([habit for habit, _ in choices], [weight for _, weight in choices])[0]
    span = SLEEP_S if habit is Habit.ASLEEP else SLOW_S if random.random() < SLOW_SHARE else PROMPT_S
    is_off = is_away_day and random.random() < AWAY_SHARE
    return Habits(
        person=person,
        habit=str(habit),
        after_s=round(random.uniform(*span), 1),
        phone_off_s=round(random.uniform(*OFF_S), 1) if is_off else 0.0,
    )
