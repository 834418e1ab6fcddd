"""The daemon's side of the pacer, in bent time: quiet that overtakes words; a pacer that is stopped, that dies.

The child is played by its own code (`Mixer`, `Orders`), without a process, a pipe or a socket.
"""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from alertd.model.mode import Mode
from alertd.model.outcome import Failed, Outcome, Sent, Unknown, Withdrawn
from alertd.model.page import Page, PageAction
from alertd_adapters.rtp import pacer_process
from alertd_adapters.rtp.clips import Clip
from alertd_adapters.rtp.pacer import Group, Mixer, Orders
from alertd_adapters.rtp.pacer_process import NOTICED_S, REAL_TIME, Order, PacerProcess, Way
from alertd_simulator.virtual_time import in_virtual_time
from tests.adapters.rtp.world import STOP, build, claim, page, say

MINUTES = 300.0
"""More than any of these takes: what hangs fails soon."""
HALL, GYM = ("239.192.4.2", 5004), ("239.192.4.3", 5004)
DRILL, LIVE = 1, 3
"""The highest ranks of an exercise, and of all."""
WAY = Way(interface="192.0.2.10", ttl=16, dscp=46, loopback=False)
CLIP = Clip(key="clip", payload_type=0, payload=b"\x01" * 160 * 500)
"""Ten seconds."""


class Child:
    """One pacer: as `asyncio` shows a process. SIGSTOP is `stop`, SIGCONT is `go_on`."""

    def __init__(self, desk: "Desk", pid: int) -> None:
        self.pid, self.stdin, self.stdout = pid, self, asyncio.StreamReader()
        self.heard: list[tuple[float, Group]] = []
        self.payload_types: set[int] = set()
        self._desk, self._orders, self._unread = desk, Orders(), b""
        self._missed: list[dict[str, Any]] = []
        self._is_stopped = desk.starts_stopped
        self._is_deaf = desk.starts_deaf
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._mixer = Mixer(self._report, lambda order: self._send)
        self.clips = self._mixer._clips
        self._pacing = asyncio.get_running_loop().create_task(self._pace())
        self._report({"order": "", "is": "placed", "place": desk.place, "why": "" if desk.place == REAL_TIME else "no"})

    # --- as asyncio.subprocess.Process, and its stdin

    def write(self, data: bytes) -> None:
        self._unread += data
        if not self._is_stopped and not self._ended.done():
            self._read()

    def writelines(self, lines: Sequence[bytes]) -> None:
        self.write(b"".join(lines))

    def close(self) -> None:
        self.die(0)

    def kill(self) -> None:
        self.die(-9)

    async def wait(self) -> int:
        return await self._ended

    # --- what befalls it

    def die(self, code: int) -> None:
        if not self._ended.done():
            self._pacing.cancel()
            self.stdout.feed_eof()
            self._ended.set_result(code)

    def stop(self) -> None:
        self._is_stopped = True

    def go_on(self) -> None:
        self._is_stopped = False
        self._read()

    def hear_again(self) -> None:
        """What it was told meanwhile it does now, if it is still there."""
        self._is_deaf = False
        for order in self._missed if not self._ended.done() else ():
            self._mixer.obey(order, self._now_ns())

    # --- as the process that it stands for

    def _read(self) -> None:
        data, self._unread = self._unread, b""
        for order in self._orders.feed(data):
            if isinstance(order, tuple):
                self._mixer.load(*order)
            elif self._is_deaf and order["do"] != "ping":
                self._missed.append(order)
            elif order["do"] == "say" and order["order"] in self._desk.deadly:
                self.die(-11)
            else:
                self._mixer.obey(order, self._now_ns())

    async def _pace(self) -> None:
        while True:
            if not self._is_stopped:
                self._mixer.play(self._now_ns())
            await asyncio.sleep(0.01)

    def _now_ns(self) -> int:
        return round(asyncio.get_running_loop().time() * 1_000_000_000)

    def _send(self, data: bytes, group: Group) -> None:
        self.heard.append((asyncio.get_running_loop().time(), group))
        self.payload_types.add(data[1] & 0x7F)

    def _report(self, report: dict[str, Any]) -> None:
        self.stdout.feed_data(json.dumps(report).encode() + b"\n")


class Desk:
    """Every pacer that was ever started."""

    def __init__(self) -> None:
        self.children: list[Child] = []
        self.start_s = 0.02
        self.place = REAL_TIME
        self.starts_stopped = False
        self.starts_deaf = False
        """They answer whoever asks whether they are there, and do nothing that they are told."""
        self.deadly: set[str] = set()
        """Orders at which a pacer dies."""

    async def start(self, *command: str, **_: object) -> Child:
        await asyncio.sleep(self.start_s)
        self.children.append(Child(self, pid=len(self.children) + 1))
        return self.children[-1]

    def heard(self, group: Group = HALL, *, after_s: float = 0.0) -> int:
        return sum(at_s >= after_s and to == group for child in self.children for at_s, to in child.heard)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk()
    monkeypatch.setattr(asyncio, "create_subprocess_exec", desk.start)
    return desk


def order(air: PacerProcess, id_: str = "n-1/1", *groups: Group, clip: Clip = CLIP) -> Order:
    return Order(id=id_, clip=clip, groups=groups or (HALL,), rank=2, cuts=True, turn=air.turn(), way=WAY)


def now_s() -> float:
    return asyncio.get_running_loop().time()


# --- what it is told


@in_virtual_time(limit_s=MINUTES)
async def test_packets_are_marked_with_the_codec_of_the_sound(desk: Desk) -> None:
    """G.722 taken for G.711 is noise at full volume."""
    air = PacerProcess()
    await air.say(order(air, clip=Clip(key="clip", payload_type=9, payload=bytes(1600))))
    await asyncio.sleep(1)

    assert desk.children[0].payload_types == {9}
    await air.close()


# --- quiet


@in_virtual_time(limit_s=MINUTES, executor_delay=lambda random: (2.0, 0.0))
async def test_quiet_is_not_followed_by_words_that_were_still_being_spoken(desk: Desk) -> None:
    """`alertd say`, a second later `alertd pa stop`; the speech program takes two seconds."""
    air = PacerProcess()
    channel = build(air=air)
    await say(channel, page("hold"))
    saying = asyncio.ensure_future(say(channel, page("", words="All clear."), number=2))
    await asyncio.sleep(1)
    assert isinstance(await channel.send(claim(STOP, number=3)), Sent)
    quiet_s = now_s()
    outcome: Outcome = await saying
    await asyncio.sleep(20)

    assert desk.heard(after_s=quiet_s) == 0, "said after quiet was ordered"
    assert outcome == Withdrawn(ref="n-2/1", detail="quiet was ordered before it was said")
    assert isinstance(await say(channel, page("", words="All clear."), number=4), Sent), (
        "what is asked for later is said"
    )
    await air.close()


@in_virtual_time(limit_s=MINUTES)
async def test_quiet_holds_also_while_the_pacer_is_still_starting(desk: Desk) -> None:
    air = PacerProcess()
    saying = asyncio.ensure_future(air.say(order(air)))
    await asyncio.sleep(desk.start_s / 2)
    await air.stop("quiet/1", (HALL,), LIVE)

    assert (await saying).state == "silenced"
    await asyncio.sleep(5)
    assert desk.heard() == 0
    await air.close()


@in_virtual_time(limit_s=MINUTES)
async def test_quiet_in_one_zone_is_none_in_another(desk: Desk) -> None:
    air = PacerProcess()
    both = order(air, "n-1/1", HALL, GYM)
    await air.stop("quiet/1", (HALL,), LIVE)
    report = await air.say(both)
    await asyncio.sleep(1)

    assert report.state == "started"
    assert (desk.heard(HALL), desk.heard(GYM) > 40) == (0, True)
    await air.close()


@in_virtual_time(limit_s=MINUTES)
async def test_a_pacer_that_dies_after_quiet_was_ordered_begins_nothing_anew(desk: Desk) -> None:
    """Its report that the words were cut may die with it."""
    air = PacerProcess()
    await air.say(order(air, "hall/1", HALL))
    await air.say(order(air, "gym/1", GYM))
    desk.children[0].stop()
    stopping = asyncio.ensure_future(air.stop("quiet/1", (HALL,), LIVE))
    await asyncio.sleep(0.1)
    desk.children[0].kill()
    assert (await stopping).state == "stopped", "asked again, it would cut what is announced in between"
    died_s = now_s()
    await asyncio.sleep(5)

    assert desk.heard(HALL, after_s=died_s) == 0, "begun anew after quiet was ordered"
    assert desk.heard(GYM, after_s=died_s) > 200, "the other zone goes on"
    await air.close()


@in_virtual_time(limit_s=MINUTES)
async def test_no_pacer_is_started_for_what_was_silenced(desk: Desk) -> None:
    air = PacerProcess()
    await air.say(order(air))
    desk.children[0].stop()
    stopping = asyncio.ensure_future(air.stop("quiet/1", (HALL,), LIVE))
    await asyncio.sleep(0.1)
    desk.children[0].kill()
    await stopping
    await asyncio.sleep(5)

    assert len(desk.children) == 1
    await air.close()


@in_virtual_time(limit_s=MINUTES, executor_delay=lambda random: (2.0, 0.0))
async def test_words_that_took_long_to_speak_cut_nothing_that_was_asked_for_meanwhile(desk: Desk) -> None:
    """`alertd say --emergency`, and before the speech program is done with it a lockdown is pressed."""
    air = PacerProcess()
    channel = build(air=air)
    saying = asyncio.ensure_future(say(channel, page("", words="Buses are late.", emergency=True)))
    await asyncio.sleep(1.9)
    assert isinstance(await say(channel, page(emergency=True), number=2), Sent)
    outcome: Outcome = await saying

    assert isinstance(outcome, Failed), "older words cut the lockdown"
    assert outcome.code == "zone_busy"
    assert isinstance(await say(channel, page(emergency=True), number=3), Sent), "what is newer cuts its equal"
    await air.close()


@in_virtual_time(limit_s=MINUTES, executor_delay=lambda random: (2.0, 0.0))
async def test_the_end_of_a_drill_withholds_no_words_that_are_real(desk: Desk) -> None:
    """`alertd say`, and while the words are being spoken somebody ends the drill."""
    air = PacerProcess()
    channel = build(air=air)
    await say(channel, page("hold", mode=Mode.DRILL))
    saying = asyncio.ensure_future(say(channel, page("", words="Please stay where you are."), number=2))
    rehearsed = asyncio.ensure_future(say(channel, page("", words="Practice.", mode=Mode.DRILL), number=3))
    await asyncio.sleep(1)
    end_of_drill = Page(action=PageAction.STOP, mode=Mode.DRILL, emergency=True)
    assert isinstance(await channel.send(claim(end_of_drill, number=4, mode=Mode.LIVE)), Sent)

    cut = air.remembers("n-1/1")
    assert cut is not None
    assert cut.state == "cut"
    assert isinstance(await saying, Sent)
    assert isinstance(await rehearsed, Withdrawn)
    await air.close()


# --- a pacer that waits behind other programs


@in_virtual_time(limit_s=MINUTES)
async def test_how_the_pacer_is_scheduled_is_said_once_with_what_to_do(desk: Desk) -> None:
    air = PacerProcess()
    desk.place = "nice"
    with capture_logs() as logs:
        for number in range(3):
            await air.say(order(air, f"n-{number}/1"))
            desk.children[-1].kill()
            await asyncio.sleep(0.1)
    said = [line for line in logs if line["event"] == "pacer_scheduled"]

    assert [(line["log_level"], line["place"]) for line in said] == [("warning", "nice")], (
        "said once, not at each start"
    )
    assert "LimitRTPRIO=1" in said[0]["remedy"]
    assert air.place == "nice"
    await air.close()


@in_virtual_time(limit_s=MINUTES)
async def test_a_pacer_that_comes_first_is_nothing_to_warn_of(desk: Desk) -> None:
    air = PacerProcess()
    with capture_logs() as logs:
        await air.say(order(air))
    (said,) = [line for line in logs if line["event"] == "pacer_scheduled"]

    assert (said["log_level"], said["remedy"]) == ("info", None)
    await air.close()


# --- a pacer that is stopped


@in_virtual_time(limit_s=MINUTES)
async def test_a_pacer_that_is_stopped_in_mid_word_is_replaced_and_begins_anew(desk: Desk) -> None:
    """SIGSTOP: it lives, and is silent. Nobody orders anything more."""
    air = PacerProcess()
    await air.say(order(air))
    await asyncio.sleep(3)
    desk.children[0].stop()
    stopped_s = now_s()
    await asyncio.sleep(20)

    assert len(desk.children) == 2, "nobody noticed that the pacer had stopped"
    (began_s, _), *_ = desk.children[1].heard
    assert began_s - stopped_s <= NOTICED_S + 0.1
    assert len(desk.children[1].heard) == 500, "from its beginning to its end"
    await air.close()


@in_virtual_time(limit_s=MINUTES)
async def test_a_pacer_that_stops_while_nobody_speaks_is_replaced_before_it_is_needed(desk: Desk) -> None:
    air = PacerProcess()
    await air.say(order(air))
    await asyncio.sleep(60)
    desk.children[0].stop()
    await asyncio.sleep(NOTICED_S)
    asked_s = now_s()

    async with asyncio.timeout(10):
        assert (await air.say(order(air, "n-2/1"))).state == "started"
    assert now_s() - asked_s < 0.1
    assert air.remembers("") is None, "a sign of life is of no order"
    await air.close()


@in_virtual_time(limit_s=MINUTES)
async def test_a_short_stop_is_forgiven(desk: Desk) -> None:
    air = PacerProcess()
    await air.say(order(air))
    for _ in range(3):
        desk.children[0].stop()
        await asyncio.sleep(1.4)
        desk.children[0].go_on()
        await asyncio.sleep(0.6)
    await asyncio.sleep(20)

    assert len(desk.children) == 1
    assert desk.heard() == 500
    await air.close()


@in_virtual_time(limit_s=MINUTES)
async def test_a_pacer_that_needs_long_to_start_is_waited_for(desk: Desk) -> None:
    """A machine under load: killing it would only make it start again."""
    air = PacerProcess()
    desk.starts_stopped = True
    saying = asyncio.ensure_future(air.say(order(air)))
    await asyncio.sleep(3.5)
    desk.children[0].go_on()

    assert (await saying).state == "started"
    assert len(desk.children) == 1
    await air.close()


@in_virtual_time(limit_s=MINUTES)
async def test_a_pacer_that_only_says_that_it_is_there_is_replaced_and_says_nothing_later(desk: Desk) -> None:
    """Its pings are answered: only the order that it does not carry out tells that something is wrong with it."""
    air = PacerProcess()
    channel = build(air=air)
    desk.starts_deaf = True
    assert isinstance(await say(channel, page()), Unknown)
    desk.starts_deaf = False
    await asyncio.sleep(0.5)
    assert isinstance(await say(channel, page(), number=2), Sent), "the pacer that does nothing was kept"
    said = desk.heard()
    desk.children[0].hear_again()
    await asyncio.sleep(60)

    assert said >= 1
    assert not desk.children[0].heard, "a page that was given up is said later"
    await air.close()


# --- a pacer that dies


@in_virtual_time(limit_s=MINUTES)
async def test_what_kills_the_pacer_is_not_begun_for_ever(desk: Desk) -> None:
    """It is begun again once: the sound itself may be what kills it. The next order finds a pacer."""
    air = PacerProcess()
    await air.say(order(air))
    desk.deadly = {"n-1/1"}
    desk.children[0].kill()
    await asyncio.sleep(5)

    assert len(desk.children) == 2
    assert (await air.say(order(air, "n-2/1"))).state == "started"
    assert len(desk.children) == 3
    watching = [task for task in asyncio.all_tasks() if task.get_name() == "pacer watch"]
    assert len(watching) == 1, "one pacer, one watch"
    await air.close()


@in_virtual_time(limit_s=MINUTES)
async def test_an_announcement_that_outlives_two_pacers_is_begun_anew_once(desk: Desk) -> None:
    air = PacerProcess()
    await air.say(order(air))
    for number in range(3):
        await asyncio.sleep(1)
        if len(desk.children) > number:
            desk.children[number].kill()
    await asyncio.sleep(20)

    assert len(desk.children) == 2
    report = air.remembers("n-1/1")
    assert report is not None
    assert (report.state, report.packets) == ("started", 1), "nobody ever heard its end"
    await air.close()


@in_virtual_time(limit_s=MINUTES)
async def test_a_pacer_holds_so_many_sounds_and_is_given_again_what_it_forgot(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacer_process, "CLIPS_LOADED_MAX", 2)
    air = PacerProcess()
    sounds = [Clip(key=f"clip{n}", payload_type=0, payload=bytes([n]) * 160) for n in range(3)]
    held = []
    for number, sound in enumerate((sounds[0], sounds[1], sounds[0], sounds[2], sounds[1])):
        report = await air.say(order(air, f"n-{number}/1", clip=sound))
        assert report.state == "started"
        held.append("".join(sorted(desk.children[0].clips)).replace("clip", ""))

    assert held == ["0", "01", "01", "02", "12"], "the least recently said is dropped"
    await air.close()
