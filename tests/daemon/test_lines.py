"""A phone takes one call at a time: what waits for it goes when it is free, the most urgent first. So after a start."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from alertd.daemon.lines import Lines
from alertd.model.anchor import Now
from alertd.model.events import Replied
from alertd.model.ids import DISTRICT, CauseId
from alertd.model.notification import Claim, Kind, Lane, NotificationRow, NotificationState
from alertd.model.outcome import Accepted, Delivered, Failed, Outcome
from alertd.model.people import Endpoint
from alertd.ports import Built, StoreError
from alertd.store.sqlite import SqliteStore
from alertd.testing.store_values import text
from alertd_simulator.virtual_time import in_virtual_time
from tests.daemon.world import FakeChannel, World
from tests.engine.school import PEOPLE
from tests.engine.test_calls import school

(RUIZ,) = (person.endpoints[0].address for person in PEOPLE if person.name == "Ruiz")


class Telephones(FakeChannel):
    """`alertd.ports.OneAtATime`. Each call that is placed has its phone until `hang_up`."""

    def __init__(self) -> None:
        super().__init__("voice", "voice")
        self.busy: set[str] = set()
        self.tell: Callable[[], None] = lambda: None
        self.resumed: list[NotificationRow] = []
        self.placed: list[tuple[float, Claim]] = []
        self.lasts_s = 0.0
        self.behave = self._place

    async def _place(self, claim: Claim) -> Outcome:
        n = claim.notification
        if n.endpoint.address in self.busy:
            await asyncio.sleep(self.lasts_s)
            return Failed(permanent=False, code="line_held", retry_after_s=30, not_tried=True)
        self.busy.add(n.endpoint.address)
        self.placed.append((asyncio.get_running_loop().time(), claim))
        return Accepted(ref=f"CA-{n.id}")

    def hang_up(self, number: str = RUIZ) -> None:
        self.busy.discard(number)
        self.tell()

    def to(self, number: str = RUIZ) -> list[Kind]:
        return [claim.notification.kind for _, claim in self.placed if claim.notification.endpoint.address == number]

    def held(self) -> frozenset[str]:
        return frozenset(self.busy)

    def resume(self, rows: Sequence[NotificationRow]) -> None:
        self.resumed += rows
        self.busy |= {row.notification.endpoint.address for row in rows}

    def on_free(self, tell: Callable[[], None]) -> None:
        self.tell = tell


PHONE = Endpoint(channel="voice", address=RUIZ)
ALERT = text("n-1", endpoint=PHONE)
REMINDER = text("n-2", endpoint=PHONE, kind=Kind.REMINDER, lane=Lane.NEXT)


class FreedMeanwhile(SqliteStore):
    """The phone is free as soon as what repeats is claimed: nobody could know before."""

    free: Callable[[], None] | None = None

    def claim(self, limits: Mapping[str, int], now: Now, *, panic_only: bool = False) -> tuple[Claim, ...]:
        claims = super().claim(limits, now, panic_only=panic_only)
        calls = {c.notification.kind for c in claims if c.notification.endpoint.key == f"voice:{RUIZ}"}
        if calls == {Kind.REMINDER} and self.free is not None:
            self.free()
            self.free = None
        return claims


class FailsOnce(SqliteStore):
    """When it is to let go of what waits."""

    failed = False

    def let_go(self, channel: str, endpoint_keys: Sequence[str]) -> None:
        if not self.failed:
            self.failed = True
            raise StoreError("not now")
        super().let_go(channel, endpoint_keys)


async def a_lockdown(
    folder: Path, *busy: str, lasts_s: float = 0.0, store: Callable[[Path], SqliteStore] | None = None
) -> tuple[World, Telephones]:
    phones = Telephones()
    phones.busy, phones.lasts_s = set(busy), lasts_s
    world = World(folder, school=school(), voice=Built(channel=phones, lines=phones), store=store)
    await world.start()
    world.press("badge-118")
    await asyncio.sleep(1)
    return world, phones


def to_ruiz(world: World) -> list[NotificationRow]:
    rows = [row for row in world.rows() if row.notification.endpoint.key == f"voice:{RUIZ}"]
    return sorted(rows, key=lambda row: row.notification.created_us)


@pytest.mark.slow
@in_virtual_time
async def test_promise_2_the_first_call_rings_as_soon_as_the_phone_is_free_and_before_what_repeats_it(
    tmp_path: Path,
) -> None:
    """Whoever tried next by chance got the line: "Nobody has answered" came first, and the place minutes later."""
    world, phones = await a_lockdown(tmp_path, RUIZ)
    await asyncio.sleep(95)
    assert len(to_ruiz(world)) > 1, "a reminder waits, too"
    assert phones.to() == []

    free_s = asyncio.get_running_loop().time()
    phones.hang_up()
    await asyncio.sleep(5)

    assert phones.to() == [Kind.ALERT], "promise 2: it waits for a call that repeats it"
    assert phones.placed[-1][0] - free_s < 0.5, "promise 2: a free phone is left silent"
    await world.stop()


def lines_to(phones: Telephones) -> Lines:
    lines = Lines(lambda: None)
    lines.use({"voice": phones})
    return lines


def test_promise_2_what_repeats_stands_back_until_the_first_call_is_claimed() -> None:
    phones = Telephones()
    lines = lines_to(phones)
    assert not lines.stands_back(REMINDER), "nobody waits"

    phones.busy = {RUIZ}
    lines.found_held(ALERT)
    assert not lines.stands_back(REMINDER), "whoever has the phone may have to make way: the channel knows"
    phones.busy = set()
    assert lines.stands_back(REMINDER), "promise 2: it waits for a call that repeats it"
    assert not lines.stands_back(ALERT)
    lines.wait_for(ALERT)
    lines.written_down(ALERT)
    lines.hold_up(lines.let_go())
    assert lines.stands_back(REMINDER), "promise 2: it waits for a call that repeats it"
    lines.let_go()
    assert lines.stands_back(REMINDER), "promise 2: it waits for a call that repeats it, and the disk is slow"
    lines.claimed()
    assert not lines.stands_back(REMINDER)


def test_promise_2_what_repeats_stands_back_while_it_is_written_down_that_a_first_call_found_the_phone_held() -> None:
    """Seed 2947: the call that had the phone was over meanwhile, and what had waited there since before was let go."""
    phones = Telephones()
    phones.busy = {RUIZ}
    lines = lines_to(phones)  # something waits there since before
    lines.found_held(ALERT)
    phones.busy = set()
    lines.let_go()
    lines.claimed()  # the first call was not among them: its row is still claimed
    assert lines.stands_back(REMINDER), "promise 2: it waits for a call that repeats it"

    lines.wait_for(ALERT)
    lines.written_down(ALERT)
    assert lines.stands_back(REMINDER), "promise 2: it waits for a call that repeats it"
    assert lines.let_go() == {"voice": {f"voice:{RUIZ}"}}
    lines.claimed()
    assert not lines.stands_back(REMINDER), "the phone is left silent"


def test_two_that_repeat_do_not_wait_for_one_another() -> None:
    phones = Telephones()
    lines = lines_to(phones)
    lines.wait_for(ALERT)
    lines.let_go()
    lines.wait_for(REMINDER)  # it stood back meanwhile, and it is written down
    lines.claimed()

    assert not lines.stands_back(REMINDER), "the phone is left silent"


def test_nobody_knows_after_a_start_who_waits_since_before() -> None:
    phones = Telephones()
    phones.busy = {RUIZ}
    lines = lines_to(phones)
    phones.busy = set()

    assert lines.stands_back(REMINDER), "promise 2: a first call of before may wait"
    lines.let_go()
    lines.claimed()
    assert not lines.stands_back(REMINDER)


@pytest.mark.slow
@in_virtual_time
async def test_promise_2_what_repeats_and_was_claimed_before_the_phone_was_free_stands_back(tmp_path: Path) -> None:
    """A claim takes as long as the disk does. Who was claimed while our own call had the phone got the line when it was
    over in that moment, and the first call waited for another one."""
    world, phones = await a_lockdown(tmp_path, RUIZ, store=lambda path: FreedMeanwhile(path, ballast_bytes=0))
    assert isinstance(world.store, FreedMeanwhile)
    world.store.free = phones.hang_up
    await asyncio.sleep(125)

    assert world.store.free is None, "nothing that repeats was claimed alone"
    assert phones.to() == [Kind.ALERT], "promise 2: it waits for a call that repeats it"
    phones.hang_up()
    await asyncio.sleep(5)
    assert phones.to() == [Kind.ALERT, Kind.REMINDER], "promise 2: who stood back is forgotten"
    await world.stop()


@in_virtual_time
async def test_a_phone_that_is_free_before_its_waiting_is_written_down_is_rung_at_once(tmp_path: Path) -> None:
    world, phones = await a_lockdown(tmp_path, RUIZ, lasts_s=2.0)
    phones.hang_up()
    await asyncio.sleep(2)

    assert phones.to() == [Kind.ALERT], "promise 2: a free phone is left silent"
    await world.stop()


@pytest.mark.slow
@in_virtual_time
async def test_a_disk_that_fails_in_that_moment_costs_a_second(tmp_path: Path) -> None:
    world, phones = await a_lockdown(tmp_path, RUIZ, store=lambda path: FailsOnce(path, ballast_bytes=0))
    await asyncio.sleep(5)
    phones.hang_up()
    await asyncio.sleep(3)

    assert phones.to() == [Kind.ALERT]
    await world.stop()


@pytest.mark.slow
@in_virtual_time
async def test_what_was_not_tried_for_minutes_has_used_up_nothing(tmp_path: Path) -> None:
    world, phones = await a_lockdown(tmp_path, RUIZ)
    await asyncio.sleep(200)

    first = to_ruiz(world)[0]
    assert (first.state, first.attempt) == (NotificationState.QUEUED, 0)
    assert first.epoch > 3, "it was claimed, and fenced each time"
    assert phones.to() == []
    await world.stop()


@pytest.mark.slow
@pytest.mark.parametrize("way", ["crash", "reload"])
@in_virtual_time
async def test_whoever_comes_after_knows_which_phones_our_calls_have_before_it_places_one(
    tmp_path: Path, way: str
) -> None:
    world, phones = await a_lockdown(tmp_path)
    assert phones.to() == [Kind.ALERT]
    again = Telephones()
    built = Built(channel=again, lines=again)
    if way == "crash":
        await world.crash()
        world._more["channels.voice"] = built
        await world.start()
    else:
        fittings = {**world.daemon.fittings, "channels.voice": built}
        await world.daemon.reload(world.school, fittings)
    assert RUIZ in {row.notification.endpoint.address for row in again.resumed}
    await asyncio.sleep(95)
    assert again.to() == [], "our own call is found busy"

    again.hang_up()
    await asyncio.sleep(1)

    assert len(again.to()) == 1
    await world.stop()


@pytest.mark.parametrize("wrong_by_s", [3600, -3600])
@in_virtual_time
async def test_a_power_cut_and_a_wrong_clock_leave_it_known_which_phones_our_calls_have(
    tmp_path: Path, wrong_by_s: int
) -> None:
    world, phones = await a_lockdown(tmp_path)
    assert phones.to() == [Kind.ALERT]
    await world.crash()
    world.clock.reboot()
    world.clock.step_wall(wrong_by_s)
    again = Telephones()
    world._more["channels.voice"] = Built(channel=again, lines=again)
    await world.start()

    assert RUIZ in {row.notification.endpoint.address for row in again.resumed}, "our own call is found busy"
    await world.stop()


@pytest.mark.parametrize(
    "call",
    [
        Delivered(ref="CA"),
        Failed(permanent=False, unanswered=True, code="busy", retry_after_s=20, ref="CA1"),
        Failed(permanent=True, code="21211", detail="invalid number"),
        Failed(permanent=False, code="line_held", retry_after_s=30, not_tried=True),
    ],
    ids=("is taken", "is not taken", "is refused", "waits"),
)
@in_virtual_time
async def test_a_bare_digit_answers_what_a_text_said_whatever_became_of_the_call(tmp_path: Path, call: Outcome) -> None:
    phones = FakeChannel("voice", "voice")

    async def behave(_: Claim) -> Outcome:
        return call

    phones.behave = behave
    world = World(tmp_path, school=school(), voice=Built(channel=phones))
    await world.start()
    world.press("badge-118")
    await asyncio.sleep(15)
    replied = Replied(
        site_id=DISTRICT, cause=CauseId("sms:1"), channel="sms", address=RUIZ, body="4", at_us=world.clock.now().wall_us
    )
    await world.daemon.intake.submit(replied)
    await asyncio.sleep(1)

    (incident,) = world.incidents()
    assert [answer.name for answer in incident.answers] == ["Ruiz"], "promise 5: a human answered"
    await world.stop()
