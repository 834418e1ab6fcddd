"""What a stated day does to loudspeakers: they fail, somebody wants quiet, somebody wants to be heard.

Owns a stream of its own, so that a day's other luck is what it would be without them. Few and telling: on one day of
six they fail, two of three times within seconds of a press; once or twice a day somebody at a console speaks or wants
quiet, mostly just when something is being announced.
"""

from collections.abc import Sequence
from random import Random

from alertd_simulator.loudspeakers import Mood
from alertd_simulator.world.plan import Deed, LoudspeakersDown, Order, Press

FAILS_SHARE, NEAR_SHARE, ORDERS_MAX = 1 / 6, 2 / 3, 2
LASTS_S = (5.0, 90.0)
END_S = 5.0
"""The fault ends at least so long before the world heals."""
SITES = ("oak", "elm")
WORDS = ("Buses are ten minutes late today.", "Practice is over. Please leave by door five.")


def deeds_of(random: Random, presses: Sequence[Press], *, heal_at_s: float) -> tuple[Deed, ...]:
    """Not in time."""
    deeds: list[Deed] = []
    if random.random() < FAILS_SHARE:
        lasts_s = round(random.uniform(*LASTS_S), 1)
        near_s = random.choice(presses).at_s + random.uniform(-20, 15)
        at_s = near_s if random.random() < NEAR_SHARE else random.uniform(1, heal_at_s)
        mood = random.choice([mood for mood in Mood if mood is not Mood.FINE])
        if 1 <= at_s <= heal_at_s - END_S - lasts_s:
            deeds.append(LoudspeakersDown(at_s=round(at_s, 2), lasts_s=lasts_s, mood=str(mood)))
    for _ in range(random.randrange(ORDERS_MAX + 1)):
        at_s = random.choice(presses).at_s + random.uniform(0.5, 70)
        what = random.choice(("pa_stop", "say", "say_emergency"))
        words = random.choice(WORDS)
        deeds.append(
            Order(at_s=round(at_s, 1), what=what, site=random.choice(SITES), words="" if what == "pa_stop" else words)
        )
    return tuple(deeds)
