"""What is done with each product on the stand, and the presses that never reached the webhook.

A press counts as lost when the broker took it (or, without MQTT, the product said 200) and no webhook with its number
came, long after the product was back and its receiver well. Judges nothing.
"""

import asyncio
import statistics
import time

from msgspec import Struct

from tests.bench.measures import percentile
from tests.bench.peers.stand import ASKS, Stand, StandError

EVERY_S = 0.01
"""Between two presses of a stream: 100 a second, which every product here can keep up with."""
SINGLES_EVERY_S = 0.035
SETTLES_S = 2.0
"""What is told twice comes by then."""


class Plan(Struct, frozen=True, kw_only=True):
    """How much is pressed."""

    singles: int = 100
    storm: int = 1_000
    stream: int = 300
    """Presses around one kill."""
    kills: int = 2
    """Of each kind."""
    silence_s: float = 8.0
    """Nothing more comes: what is missing then is lost."""

    @property
    def devices(self) -> int:
        """With those that are pressed only to see whether it is there: at first, and after each kill."""
        return self.singles + self.storm + 3 * self.kills * self.stream + (1 + 2 * self.kills) * ASKS


class Lost(Struct, frozen=True, kw_only=True):
    """Numbers of presses."""

    pressed: int = 0
    before: int = 0
    """Lost, and pressed before the trouble began: the product had them, or could have."""
    after: int = 0
    """Lost, and pressed later: most of them while it was away."""
    twice: int = 0
    """Told more than once."""

    def __add__(self, other: "Lost") -> "Lost":
        return Lost(
            pressed=self.pressed + other.pressed,
            before=self.before + other.before,
            after=self.after + other.after,
            twice=self.twice + other.twice,
        )

    @property
    def lost(self) -> int:
        return self.before + self.after


class Report(Struct, frozen=True, kw_only=True):
    """Of one product. Milliseconds, presses a second."""

    single_p50: float
    single_p95: float
    single_p99: float
    idle: Lost
    """Of single presses and the storm: nothing was killed."""
    storm_rate: float
    stream: Lost
    burst: Lost
    away: Lost
    back_s: float | None
    """After a kill: from its start until the first webhook. The median; `None` if nothing was killed."""


async def measure(stand: Stand, plan: Plan) -> Report:
    taken, single = await _singles(stand, plan)
    rate, storm = await _storm(stand, plan)
    stream = burst = away = Lost()
    for _ in range(plan.kills):
        stream += await killed_in_a_stream(stand, plan)
        burst += await killed_in_a_burst(stand, plan)
        away += await receiver_away(stand, plan)
    return Report(
        single_p50=percentile(taken, 50),
        single_p95=percentile(taken, 95),
        single_p99=percentile(taken, 99),
        idle=single + storm,
        storm_rate=rate,
        stream=stream,
        burst=burst,
        away=away,
        back_s=statistics.median(stand.back_s) if stand.back_s else None,
    )


async def killed_in_a_stream(stand: Stand, plan: Plan) -> Lost:
    """100 presses a second; after a third of them kill -9, after half of them it is started again."""
    numbers = stand.numbers(plan.stream)
    kill_at, start_at = numbers[plan.stream // 3], numbers[plan.stream // 2]
    for number in numbers:
        if number == kill_at:
            stand.process.kill()
        if number == start_at:
            stand.start_again()
        stand.pressing.press(number)
        await asyncio.sleep(EVERY_S)
    await stand.back()
    return await _count(stand, plan, numbers, trouble_at=kill_at)


async def killed_in_a_burst(stand: Stand, plan: Plan) -> Lost:
    """All at once; kill -9 when a third has reached the webhook; started again when the broker has the rest."""
    numbers = stand.numbers(plan.stream)
    for number in numbers:
        stand.pressing.press(number)
    await stand.sink.wait_until(plan.stream // 3, of=numbers, timeout_s=plan.silence_s)
    stand.process.kill()
    await asyncio.sleep(0.5)
    stand.start_again()
    await stand.back()
    return await _count(stand, plan, numbers, trouble_at=numbers.stop)


async def receiver_away(stand: Stand, plan: Plan) -> Lost:
    """No kill: 100 presses a second, and during the middle third the webhook's receiver answers 503."""
    numbers = stand.numbers(plan.stream)
    away = range(numbers[plan.stream // 3], numbers[2 * plan.stream // 3])
    for number in numbers:
        stand.sink.away = number in away
        stand.pressing.press(number)
        await asyncio.sleep(EVERY_S)
    return await _count(stand, plan, numbers, trouble_at=away.start)


async def _count(stand: Stand, plan: Plan, numbers: range, *, trouble_at: int) -> Lost:
    await stand.pressing.taken()
    if await stand.sink.wait_for(numbers, plan.silence_s) == 0:
        await asyncio.sleep(SETTLES_S)
    missing = [number for number in numbers if number not in stand.sink.arrived]
    before = sum(number < trouble_at for number in missing)
    twice = sum(stand.sink.again[number] > 0 for number in numbers)
    return Lost(pressed=len(numbers), before=before, after=len(missing) - before, twice=twice)


async def _singles(stand: Stand, plan: Plan) -> tuple[list[float], Lost]:
    """Milliseconds from the press to its webhook."""
    numbers = stand.numbers(plan.singles)
    pressed: dict[int, float] = {}
    for number in numbers:
        pressed[number] = time.monotonic()
        stand.pressing.press(number)
        await asyncio.sleep(SINGLES_EVERY_S)
    lost = await _count(stand, plan, numbers, trouble_at=numbers.stop)
    arrived = stand.sink.arrived
    if lost.lost > plan.singles // 2:
        raise StandError(f"{lost.lost} of {plan.singles} single presses never came: that is no time to measure")
    return [(arrived[number] - at) * 1_000 for number, at in pressed.items() if number in arrived], lost


async def _storm(stand: Stand, plan: Plan) -> tuple[float, Lost]:
    """Presses a second until the last webhook."""
    numbers = stand.numbers(plan.storm)
    begun = time.monotonic()
    for number in numbers:
        stand.pressing.press(number)
    lost = await _count(stand, plan, numbers, trouble_at=numbers.stop)
    arrived = [at for number in numbers if (at := stand.sink.arrived.get(number)) is not None]
    rate = len(arrived) / (max(arrived) - begun) if arrived else 0.0
    return rate, lost
