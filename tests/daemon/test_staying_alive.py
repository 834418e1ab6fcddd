"""What breaks is started again and said; what is proven alive is told outside; what cannot go on says so and ends."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from alertd.daemon.intake import StoreGoneError
from alertd.daemon.supervision import CannotRunError
from alertd.model.anchor import Now
from alertd.model.events import TroubleCleared, TroubleRaised
from alertd.model.ids import DISTRICT, SiteId
from alertd.model.notification import Claim, Kind
from alertd.ports import (
    Activity,
    Built,
    Door,
    HttpNotSentError,
    HttpRequest,
    HttpResponse,
    NotCommittedError,
    StoreError,
    StoreLockedError,
)
from alertd.store.sqlite import SqliteStore
from alertd.store.transaction import SqlTransaction
from alertd_simulator.virtual_time import COMMIT_DELAY, in_virtual_time
from tests.daemon.world import FakeChannel, FakeSource, World
from tests.engine.school import ELM, OAK, PEOPLE, registry


class FragileSource(FakeSource):
    """Crashes as often as it is told."""

    crashes = 0

    async def run(self, door: Door) -> None:
        if self.crashes:
            self.crashes -= 1
            raise ConnectionResetError("the broker went away in a way nobody thought of")
        await super().run(door)


class MindfulSource(FakeSource):
    """Ends what stands, as a broker's source does once its broker answers."""

    resumed: tuple[str, ...] = ()

    def resume(self, troubles: Iterable[str]) -> None:
        self.resumed = tuple(troubles)

    async def run(self, door: Door) -> None:
        for key in self.resumed:
            await door.submit(TroubleCleared(site_id=DISTRICT, key=key))
        await super().run(door)


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_source_hears_before_it_runs_what_an_earlier_process_left_standing(tmp_path: Path):
    world = World(tmp_path)
    await world.start()
    down = TroubleRaised(site_id=DISTRICT, key="broker:broker", summary="Presses do NOT arrive: broker is down.")
    await world.daemon.intake.submit(down)
    assert "broker:broker" in world.troubles()
    await world.crash()
    world.source = MindfulSource()
    await world.start()
    await asyncio.sleep(2)
    assert "broker:broker" not in world.troubles(), "it is up, and is said to be down until somebody looks"
    assert [each for each in world.source.resumed if each.startswith("broker:")] == ["broker:broker"]


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_task_that_crashes_is_started_again_and_said(tmp_path: Path):
    world = World(tmp_path)
    world.source = FragileSource()
    world.source.crashes = 3
    await world.start()
    await asyncio.sleep(2)
    assert "task:sources.broker:source" in world.troubles()
    await asyncio.sleep(8)
    arrival = world.press()
    await asyncio.sleep(2)
    assert world.source.acked == [arrival]
    await asyncio.sleep(70)

    assert "task:sources.broker:source" not in world.troubles(), "it has been well for a minute"
    await world.stop()


@pytest.mark.slow
@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_poller_that_crashes_for_ever_takes_nobody_down(tmp_path: Path):
    class BrokenPoller:
        name = "sms"
        starts = 0

        async def run(self, door: Door, activity: Activity) -> None:
            self.starts += 1
            raise RuntimeError("a defect")

    world = World(tmp_path)
    poller = BrokenPoller()
    await world.start()
    fittings = {**world.daemon.fittings, "channels.poller": Built(inbound=poller)}
    await world.daemon.reload(world.school, fittings)
    await asyncio.sleep(600)
    assert 8 <= poller.starts <= 20, "a crash loop, or never started again"
    world.press()
    await asyncio.sleep(1)

    assert "Ruiz" in world.sms.told()
    await world.stop()


@in_virtual_time
async def test_a_task_that_cancels_itself_is_started_again_too(tmp_path: Path):
    class SelfCancelling(FakeSource):
        leaks = 1

        async def run(self, door: Door) -> None:
            if self.leaks:
                self.leaks -= 1
                raise asyncio.CancelledError
            await super().run(door)

    world = World(tmp_path)
    world.source = SelfCancelling()
    await world.start()
    await asyncio.sleep(5)
    arrival = world.press()
    await asyncio.sleep(1)

    assert world.source.acked == [arrival], "the source ended silently"
    await world.stop()


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_what_runs_also_begins_only_when_the_store_is_open(tmp_path: Path):
    """A console of a daemon that may not start would answer for it, or take its socket away."""
    world = World(tmp_path)
    seen: list[set[str]] = []

    async def console() -> None:
        seen.append(world.troubles())
        await asyncio.Event().wait()

    first = SqliteStore(tmp_path / "alertd.db", ballast_bytes=0)
    first.open("the first", world.clock)
    refused = world.make()
    refused.run_also("console", console)
    with pytest.raises(StoreLockedError):
        await refused.run()
    first.close()
    assert seen == []

    world.make().run_also("console", console)
    world.running = asyncio.get_running_loop().create_task(world.daemon.run())
    await asyncio.sleep(1)
    assert seen == [set()]
    await world.stop()


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_task_that_says_why_it_cannot_run_is_a_sentence_and_no_traceback(tmp_path: Path, logs):
    async def console() -> None:
        raise CannotRunError("/run/alertd.sock: permission denied; may this user write to /run?")

    world = World(tmp_path)
    await world.start()
    world.daemon.run_also("console", console)
    await asyncio.sleep(1)

    (line,) = [line for line in logs if line.get("task") == "console"]
    assert "may this user write to /run?" in line["error"]
    assert "exc_info" not in line
    assert "task:console" in world.troubles()
    await world.stop()


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_damaged_database_is_a_ringing_trouble_and_presses_are_taken(tmp_path: Path):
    (tmp_path / "alertd.db").write_bytes(b"\xa5" * 50_000)
    world = World(tmp_path)
    await world.start()
    arrival = world.press()
    await asyncio.sleep(2)
    assert world.source.acked == [arrival]
    assert "Ruiz" in world.sms.told()

    aside = tmp_path / world.store.damaged()
    (trouble,) = [t for t in world.store.read_troubles() if t.key == "store:damaged"]
    assert (trouble.site_id, trouble.rings) == (DISTRICT, True)
    assert aside.name in trouble.summary
    texts = [c.notification.text for c in world.sms.sent if c.notification.kind is Kind.TROUBLE]
    assert any("database was damaged" in text for text in texts)
    assert any(aside.name in text for text in texts), "the text is cut before it says which file"

    await world.crash()
    await world.start()
    await asyncio.sleep(20)
    (again,) = [t for t in world.store.read_troubles() if t.key == "store:damaged"]
    assert again.number == trouble.number, "told anew at every start"
    aside.rename(tmp_path / "inspected")
    await asyncio.sleep(20)
    assert "store:damaged" not in world.troubles()
    await world.stop()


class DeadStore(SqliteStore):
    """A disk that takes nothing any more, once it is dead."""

    dead = False

    @contextmanager
    def begin(self, site_ids: Sequence[SiteId], now: Now) -> Iterator[SqlTransaction]:
        if self.dead:
            raise StoreError("input/output error")
        with super().begin(site_ids, now) as transaction:
            yield transaction


@in_virtual_time
async def test_a_store_that_fails_for_good_ends_the_process(tmp_path: Path):
    world = World(tmp_path, store=lambda path: DeadStore(path, ballast_bytes=0))
    await world.start()
    await asyncio.sleep(1)
    assert isinstance(world.store, DeadStore)
    world.store.dead = True
    world.press()
    await asyncio.sleep(30)
    assert not world.running.done(), "a disk may be slow for half a minute"
    with pytest.raises(StoreGoneError):
        await asyncio.wait_for(world.running, 60)

    assert world.source.acked == [], "promise 1: PUBACK left for what is not on disk"


@in_virtual_time
async def test_after_the_end_nothing_is_accepted(tmp_path: Path):
    world = World(tmp_path)
    daemon = await world.start()
    await world.stop()

    with pytest.raises(NotCommittedError):
        await daemon.intake.submit(TroubleRaised(site_id=DISTRICT, key="k", summary="s"))


@in_virtual_time
async def test_a_second_daemon_on_the_same_files_refuses_to_start(tmp_path: Path):
    first, second = World(tmp_path), World(tmp_path)
    await first.start()
    with pytest.raises(StoreLockedError):
        await second.start()

    await first.stop()


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_graceful_stop_finishes_what_is_under_way(tmp_path: Path):
    world = World(tmp_path)

    async def slow(claim: Claim):
        await asyncio.sleep(3)
        return await FakeChannel("x", "x").behave(claim)

    world.sms.behave = slow
    await world.start()
    world.press()
    await asyncio.sleep(0.5)
    await world.stop()
    await world.start()

    assert {str(r.state) for r in world.rows()} == {"delivered"}
    await world.stop()


class Watcher:
    """Whoever watches the heartbeat URL."""

    def __init__(self) -> None:
        self.pings: list[HttpRequest] = []
        self.away = False

    async def send(self, request: HttpRequest, *, timeout_s: float) -> HttpResponse:
        if self.away:
            raise HttpNotSentError("no route")
        self.pings.append(request)
        return HttpResponse(status=200)


@in_virtual_time
async def test_the_heartbeat_url_is_pinged_only_while_everything_is_proven_alive(tmp_path: Path):
    world, watcher = World(tmp_path, store=lambda path: DeadStore(path, ballast_bytes=0)), Watcher()
    await world.start()
    world.daemon.ping(watcher, "https://watch.example/abc", 10)
    await asyncio.sleep(35)
    assert len(watcher.pings) == 3

    world.source.is_connected = False
    await asyncio.sleep(60)
    assert len(watcher.pings) == 3, "pinged without a broker session"
    assert "broker is not connected" in world.daemon.proof.last_ping

    world.source.is_connected = True
    watcher.away = True
    await asyncio.sleep(20)
    assert world.daemon.proof.last_ping == "no answer"
    watcher.away = False
    assert isinstance(world.store, DeadStore)
    world.store.dead = True
    await asyncio.sleep(35)
    pings = len(watcher.pings)
    await asyncio.sleep(20)
    assert len(watcher.pings) == pings, "pinged although nothing was committed for half a minute"


@in_virtual_time
async def test_a_claim_loop_that_stands_still_is_noticed(tmp_path: Path):
    world = World(tmp_path)
    await world.start()
    await asyncio.sleep(5)
    assert world.daemon.life().alive
    await world.daemon._supervisor.stop("dispatch")
    await asyncio.sleep(40)

    assert world.daemon.life().why_not == "the claim loop does not pass"
    await world.stop()


@pytest.mark.slow
@in_virtual_time
async def test_every_dispatch_centre_gets_a_heartbeat_every_five_minutes(tmp_path: Path):
    world = World(tmp_path)
    await world.start()
    await asyncio.sleep(3605)

    beats = [c for c in world.dispatch.sent if c.notification.kind is Kind.DISPATCH_HEARTBEAT]
    assert sorted({c.notification.endpoint.address for c in beats}) == ["monitoring", "psap"]
    assert len(beats) == 24
    assert world.troubles() == set()
    await world.stop()


@pytest.mark.slow
@in_virtual_time
async def test_a_heartbeat_that_gets_through_ends_the_centres_trouble_at_whichever_school_it_stands(tmp_path: Path):
    world = World(tmp_path)
    await world.start()
    summary = "psap cannot be told"
    await world.daemon.intake.submit(TroubleRaised(site_id=ELM, key="dispatch:psap", summary=summary))
    assert world.troubles() == {"dispatch:psap"}
    await asyncio.sleep(305)

    beats = [c for c in world.dispatch.sent if c.notification.endpoint.address == "psap"]
    assert [c.notification.site_id for c in beats] == [ELM], "one is enough, from the school whose line is in doubt"
    assert world.troubles() == set()
    await asyncio.sleep(300)
    beats = [c for c in world.dispatch.sent if c.notification.endpoint.address == "psap"]
    assert [c.notification.site_id for c in beats] == [ELM, OAK]
    await world.stop()


@in_virtual_time
async def test_a_reload_takes_new_people_at_once_and_leaves_an_unchanged_source_alone(tmp_path: Path):
    world = World(tmp_path)
    await world.start()
    moved = replace(PEOPLE[0], name="Novak")
    world.school = registry(people=(moved, *PEOPLE[1:]))
    sms = FakeChannel("sms", "sms")
    fittings = {**world.daemon.fittings, "channels.sms": Built(channel=sms)}
    await world.daemon.reload(world.school, fittings)
    door = world.source.door
    world.press()
    await asyncio.sleep(1)

    assert world.source.door is door is not None, "the broker's session was dropped for nothing"
    assert "Novak" in sms.told()
    assert world.sms.sent == []
    await world.stop()


@in_virtual_time
async def test_a_reload_swaps_a_source(tmp_path: Path):
    world = World(tmp_path)
    await world.start()
    former, world.source = world.source, FakeSource()
    fittings = {**world.daemon.fittings, "sources.broker": Built(source=world.source)}
    await world.daemon.reload(world.school, fittings)
    await asyncio.sleep(1)
    arrival = world.press()
    await asyncio.sleep(1)

    assert former.door is None
    assert world.source.acked == [arrival]
    await world.stop()


@in_virtual_time
async def test_the_journal_verifies_after_a_while_and_a_broken_one_is_said(tmp_path: Path):
    class Forged(SqliteStore):
        def verify_journal(self, site_id: SiteId) -> int:
            if site_id == "oak":
                raise StoreError("entry 3 does not fit")
            return super().verify_journal(site_id)

    world = World(tmp_path, store=lambda path: Forged(path, ballast_bytes=0))
    await world.start()
    world.press()
    await asyncio.sleep(70)

    assert {key for key in world.troubles() if key.startswith("journal")} == {"journal:oak"}
    await world.stop()
