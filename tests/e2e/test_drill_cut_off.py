"""The internet is cut in a drill, then the power: what alertd says it missed is complete.

The truth is what the carrier took, what lit up on phones, what the loudspeakers heard, and when this test pressed, cut
and killed. alertd's own words are only ever compared with it.
"""

import asyncio
import csv
import io
import os
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from json import loads
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from alertd_simulator.carrier import Behaviour
from alertd_simulator.carrier_json import Text
from alertd_simulator.demo_school import STATE
from alertd_simulator.loopback_server import LOOPBACK
from alertd_simulator.loudspeaker import Loudspeaker, listen
from tests.e2e.machine import Machine, copy_example, running_machine

pytestmark = pytest.mark.slow

PHONES = {
    "J. Ruiz": "+12025550110",
    "Chen": "+12025550111",
    "Okafor": "+12025550142",
    "Diaz": "+12025550143",
    "Kim": "+12025550144",
}
NAMED = ["ruiz", "chen", "okafor", "diaz", "kim"]
DEVICES = ["button-204", "button-118", "button-office", "badge-hall"]
EXPIRES_S = 30
"""The shortest that a policy may have: what the cut holds back longer is never sent."""
NEWS = {
    "begins": "a drill begins",
    "restarted": "alertd restarted, the drill goes on",
    "IS OVER": "the drill is over",
    "continues": "another press (ALSO)",
    "ALSO": "another press (ALSO)",
}
"""What its texts contain -> what the report calls it. All other texts of the drill are alerts and reminders."""
LATE_S = 10
SLACK_US = 1_500_000
"""Between what the test does and what anybody can have noticed."""
SETTLED_S = 8
"""Polled statuses are in, calls have rung out."""


def now_us() -> int:
    return time.time_ns() // 1_000


def family(pid: int) -> list[int]:
    """A process and everything that it has started."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += family(int(child))
    return found


def is_of_drill(body: str) -> bool:
    return "THIS IS A DRILL." in body or body.startswith("THE DRILL IS OVER.")


def kind_of(body: str) -> str:
    return next((kind for word, kind in NEWS.items() if word in body), "alert or reminder")


class Cut(Struct, kw_only=True):
    """What this test did, and when; microseconds of the wall clock."""

    machine: Machine
    speaker: Loudspeaker
    pressed_us: dict[str, int] = {}
    killed_us: int = 0
    alive_us: int = 0

    async def press(self, device: str) -> None:
        self.pressed_us[device] = now_us()
        await self.machine.press(device)

    async def begin(self) -> None:
        """Diaz's phone is off, Kim's told the carrier to stop, of Chen's nobody ever reports that it rang."""
        machine, carrier = self.machine, self.machine.carrier
        carrier.behave(PHONES["Diaz"], Behaviour(fails=30003))
        carrier.behave(PHONES["Chen"], Behaviour(stays_sent=True))
        await machine.start()
        for number in machine.school.numbers:
            carrier.receive(sender=PHONES["Kim"], body="STOP", to=number)
        opted_out = f"opted_out:sms:{PHONES['Kim']}"

        async def is_known() -> bool:
            return opted_out in await machine.troubles()

        await machine.until(is_known, 20, "nobody noticed that a phone told us to stop")
        order = {"by": "ruiz", "class": "lockdown", "devices": DEVICES, "told": "J. Doe, dispatch", "minutes": 30}
        await machine.post("/v1/sites/oak/drill", order | {"people": NAMED})
        begun_us = now_us()
        await self.until_seen("begins", "J. Ruiz", "Chen", "Okafor")
        memory = machine.folder / STATE / "mqtt-broker.json"
        await machine.until(
            lambda: loads(memory.read_bytes())["connected_us"] > begun_us,
            20,
            "a press in the dark would be real: it may have been made before the drill",
        )
        await self.press("button-204")
        await self.until_seen(r"LOCKDOWN DRILL \d", "J. Ruiz", "Chen", "Okafor")  # its hour, whatever it is

    async def until_seen(self, words: str, *names: str) -> None:
        for name in names:
            await self.machine.until(
                lambda name=name: self.seen(name, words),  # type: ignore[misc]
                60,
                f"{name} never read {words!r}",
            )

    async def everything_goes(self) -> None:
        """The uplink, a press that nobody can be told of, then the power: daemon, pacing child and broker at once."""
        machine = self.machine
        await machine.to_carrier.cut()
        await machine.to_center.cut()
        await self.press("button-118")
        await asyncio.sleep(2)
        pids = family(machine.pid)
        assert len(pids) > 1, "the pacing process is not there to be killed"
        self.killed_us = now_us()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)  # so that none of them sees another die
        for pid in pids[1:]:
            os.kill(pid, signal.SIGKILL)
        await machine.kill()
        machine.broker.kill()

    async def power_is_back(self, pressing: str) -> None:
        """A device is pressed in the dark: it tries until the broker has its press."""
        trying = asyncio.create_task(self.press(pressing))
        await asyncio.sleep(4)
        self.machine.broker.start()
        await trying
        await self.machine.start()
        self.alive_us = now_us()

    async def uplink_is_back(self) -> None:
        await self.machine.to_carrier.plug_in()
        await self.machine.to_center.plug_in()

    # --- what is true

    def texts(self, name: str) -> list[Text]:
        return self.machine.carrier.to(PHONES[name])

    def seen(self, name: str, containing: str = "") -> list[Text]:
        return [text for text in self.texts(name) if text.seen_us is not None and re.search(containing, text.body)]

    def heard(self, name: str) -> Counter[str]:
        """Kinds of news that this phone showed: the same words twice are one."""
        return Counter(kind_of(body) for body in {text.body for text in self.seen(name)})


@asynccontextmanager
async def drill_to_be_cut(folder: Path) -> AsyncIterator[Cut]:
    example = copy_example(folder)
    policy = example / "policies" / "lockdown.toml"
    policy.write_text(policy.read_text().replace("expires_s = 300 ", f"expires_s = {EXPIRES_S} "))
    async with running_machine(folder / "m", example=example) as machine:
        speaker = Loudspeaker("oak", time.time)
        zone = next(zone for zone in machine.school.pa_zones if zone.name == "oak-all")
        ears = await listen(speaker, zone.groups, LOOPBACK, zone.emergency_groups)
        try:
            yield Cut(machine=machine, speaker=speaker)
        finally:
            for ear in ears:
                ear.close()


async def run(machine: Machine, *arguments: str) -> str:
    """The command line, as an admin uses it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "alertd.cli", *arguments, env=os.environ | machine.school.environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


Row = dict[str, Any]


def named(report: Row, *lists: str) -> list[Row]:
    """Messages that the report names in these lists, of the drill itself and of its incidents."""
    notices = [message for name in lists for message in report[f"notices_{name}"]]
    return notices + [m for incident in report["incidents"] for name in lists for m in incident[name]]


def untold(cut: Cut, made: Counter[str]) -> list[tuple[str, str, int]]:
    """From the phones alone: who missed how many of which news."""
    return [
        (name, kind, number - cut.heard(name)[kind])
        for name in PHONES
        for kind, number in made.items()
        if cut.heard(name)[kind] < number
    ]


def assert_all_is_named(cut: Cut, report: Row, made: Counter[str]) -> None:
    missed = Counter((m["who"], m["kind"]) for m in named(report, "missed", "taken_back"))
    silent = [(who, kind, number) for who, kind, number in untold(cut, made) if missed[who, kind] < number]
    assert not silent, f"these phones never showed it, and the report does not say so: {silent}"
    said = Counter((m["who"], m["text"]) for incident in report["incidents"] for m in incident["messages"])
    for message in named(report, "missed"):
        shown = sum(text.body == message["text"] for text in cut.seen(message["who"]))
        # Two presses in one minute are told in the same words.
        shown -= max(0, said[message["who"], message["text"]] - 1)
        assert shown < 1 or message["not_known"], f"a phone showed it, and the report says it did not: {message}"
    never_reported = {m["text"] for m in named(report, "missed") if m["who"] == "Chen" and m["channel"] == "sms"}
    assert {text.body for text in cut.seen("Chen") if is_of_drill(text.body)} <= never_reported, (
        "the carrier never said that Chen's phone rang, and the report takes it for granted"
    )


def assert_the_dark_is_named(cut: Cut, report: Row) -> None:
    (away,) = report["aways"]
    assert away["since_us"] <= cut.killed_us <= away["until_us"] <= cut.alive_us, "that is not when alertd was away"
    assert away["since_us"] > cut.killed_us - 5 * SLACK_US, "it is known better than that"


def assert_presses_are_named(cut: Cut, report: Row) -> None:
    (incident,) = report["incidents"]
    presses = {press["device"].partition("(")[2].strip(")"): press for press in incident["presses"]}
    assert presses.keys() == cut.pressed_us.keys() & set(DEVICES), "a press is missing in the report"
    first_us = cut.pressed_us["button-204"]
    for device, press in presses.items():
        made_s = (cut.pressed_us[device] - first_us) / 1e6
        if press["waited_since_local"] is None:
            assert abs(press["heard_s"] - made_s) < 1, f"{device} counts as measured, and was not"
        else:
            assert device == "button-office", f"{device} did not wait"
            assert press["heard_s"] > made_s
            made = time.strftime("%M:%S", time.localtime(cut.pressed_us[device] / 1e6))
            assert press["waited_since_local"][3:] <= made <= press["heard_local"][3:]


async def test_internet_cut_then_power_cut_in_a_drill_what_it_says_it_missed_is_complete(tmp_path: Path):
    async with drill_to_be_cut(tmp_path) as cut:
        machine = cut.machine
        await cut.begin()
        await asyncio.sleep(2)  # the first announcement is under way
        await cut.everything_goes()
        await cut.power_is_back(pressing="button-office")
        await asyncio.sleep(max(0.0, EXPIRES_S - (now_us() - cut.pressed_us["button-118"]) / 1e6) + 2)
        await cut.uplink_is_back()
        await cut.until_seen("restarted", "J. Ruiz", "Chen", "Okafor")

        (status,) = (await machine.get("/v1/drills", running="true"))["drills"]
        said = await run(machine, "drill", "status")
        assert status["restarts"] == len(status["aways"]) == 1
        assert status["missed"] >= sum(number for _, _, number in untold(cut, Counter({"a drill begins": 1})))
        assert "alertd was away" in said
        assert "not known to have got through so far" in said

        over_us = now_us()
        await machine.post("/v1/sites/oak/drill/end", {"by": "ruiz"})
        await cut.until_seen("IS OVER", "J. Ruiz", "Chen", "Okafor")
        await asyncio.sleep(SETTLED_S)
        report = await machine.get("/v1/drills/oak/report")

        made = Counter({"a drill begins": 1, "alertd restarted, the drill goes on": 1, "the drill is over": 1})
        assert_all_is_named(cut, report, made + Counter({"another press (ALSO)": 2}))
        assert_the_dark_is_named(cut, report)
        assert_presses_are_named(cut, report)
        assert report["not_pressed"] == ["Hall badge (badge-hall)"]
        assert report["told_it_begins"] == len({n for n in PHONES if cut.heard(n)["a drill begins"]} - {"Chen"})
        assert any(m["summary"].startswith("sms") for m in report["mishaps"]), "the uplink's trouble is not named"
        late = {(m["who"], m["kind"]) for m in named(report, "late")}
        began_us = {"restarted": cut.alive_us, "IS OVER": over_us}
        for word, us in began_us.items():
            slow = {n for n in PHONES for t in cut.seen(n, word) if (t.seen_us or 0) - us > LATE_S * 1e6 + SLACK_US}
            assert {(name, NEWS[word]) for name in slow} <= late, "a phone rang late, and the report does not say so"
        assert late, "nothing was late, and the cut was long"

        first, *others = cut.speaker.spoken
        assert first.until_s - first.since_s < max(s.until_s - s.since_s for s in others) - 1, "it was not cut"
        assert len(report["incidents"][0]["cut_short"]) == 1
        assert machine.center.new_incidents() == [], "promise 3: a drill never reaches dispatch"
        assert machine.violations() == []
        await assert_the_files_say_the_same(cut, report)


async def assert_the_files_say_the_same(cut: Cut, report: Row) -> None:
    html, table = cut.machine.folder / "drill.html", cut.machine.folder / "drill.csv"
    await run(cut.machine, "drill", "report", "oak", "--html", str(html), "--csv", str(table))
    said = await run(cut.machine, "drill", "report", "oak")
    page, rows = html.read_text(), list(csv.DictReader(io.StringIO(table.read_text())))
    for away in report["aways"]:
        assert away["since_local"] in page
        assert away["since_local"] in said
        assert any(away["since"] in row["known"] for row in rows)
    cells = Counter((row["who"], row["channel"], row["kind"]) for row in rows)
    for message in named(report, "missed", "late", "taken_back"):
        assert cells[message["who"], message["channel"], message["kind"]]
        row = f"<td>{message['who']}</td><td>{message['channel']}</td><td>{message['kind']}</td>"
        assert row in page, f"the page does not name {message}"
        assert f"{message['who']} over {message['channel']}: {message['kind']}, " in said
    for words in ("Hall badge (badge-hall)", "it waited at the broker"):
        assert words in page
        assert words in said
    assert "made at some time between" in table.read_text()


async def test_a_real_press_in_the_dark_is_live_and_the_report_names_what_the_drill_never_said(tmp_path: Path):
    async with drill_to_be_cut(tmp_path) as cut:
        machine = cut.machine
        await cut.begin()
        await cut.everything_goes()
        await cut.power_is_back(pressing="badge-okafor")
        await cut.uplink_is_back()
        await cut.until_seen("DRILL STOPPED, THIS IS REAL.", "J. Ruiz", "Chen", "Okafor")
        await machine.until(lambda: len(machine.center.new_incidents()) == 1, 20, "promise 1: dispatch was not told")
        await asyncio.sleep(SETTLED_S)

        every = {name: [text for text in cut.texts(name) if text.created_us > cut.killed_us] for name in PHONES}
        real_us = min(t.created_us for texts in every.values() for t in texts if t.body.startswith("DRILL STOPPED,"))
        for name, texts in every.items():
            drill = [text.body for text in texts if is_of_drill(text.body)]
            late = [text.body for text in texts if text.body in drill and text.created_us > real_us + SLACK_US]
            assert not late, "promise 3: it was real, and the drill goes on talking"
            live = [text.body for text in texts if text.body not in drill]
            assert not live or live[0].startswith("DRILL STOPPED, THIS IS REAL."), f"{name} first read {live[0]}"
        assert [i["mode"] for i in await machine.incidents(open=True)] == ["live"]
        assert (await machine.get("/v1/drills", running="true"))["drills"] == []
        report = await machine.get("/v1/drills/oak/report")

        assert report["real_incident"]
        assert {m["who"] for m in report["real_missed"]} >= {"Diaz", "Chen"}, "of them nobody knows that they read it"
        assert "Okafor" not in {m["who"] for m in report["real_missed"]}
        assert_all_is_named(cut, report, Counter({"a drill begins": 1, "another press (ALSO)": 1}))
        assert_the_dark_is_named(cut, report)
        assert_presses_are_named(cut, report)
        said = await run(machine, "drill", "report", "oak")
        assert "STOPPED by something real" in said
        assert "Not known to have heard that it was real" in said
