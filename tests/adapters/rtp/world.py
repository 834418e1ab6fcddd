"""What the tests of the loudspeakers share: settings, a voice that is only a tone, pages, an air that remembers."""

import asyncio
import atexit
import math
from array import array
from collections.abc import Sequence
from functools import cache
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from alertd.model.ids import NotificationId, SiteId
from alertd.model.mode import Mode
from alertd.model.notification import Claim, Kind, Lane, Notification
from alertd.model.page import Page, PageAction
from alertd.model.people import Endpoint
from alertd.model.reason import Reason
from alertd.ports import Channel, HttpResponse
from alertd.testing.scripted_http import ScriptedHttp
from alertd_adapters.rtp import AIR, SPEAK, STATE_DIR, plugin
from alertd_adapters.rtp.pacer import Group
from alertd_adapters.rtp.pacer_process import Order, PacerGoneError, Report
from alertd_adapters.rtp.wav import Recording
from tests.adapters.doubles import START_US, surroundings

SECTION: dict[str, Any] = {
    "interface": "192.0.2.10",
    "zones": {
        "oak-all": {"groups": ["239.192.4.2:5004", "239.192.4.3:5004"], "emergency_groups": ["239.192.4.10:5010"]},
        "oak-gym": {"groups": ["239.192.4.3:5004"]},
    },
    "announcements": {
        "lockdown": {
            "tone": "hi_lo",
            "words": "Lockdown! Locks, lights, out of sight.",
            "drill_words": "Lockdown drill. Locks, lights, out of sight.",
        },
        "hold": {"words": "Hold in your room or area. Clear the halls."},
    },
}


def hum(hz: float, seconds: float, rate_hz: int = 8000, peak: int = 16_000) -> Recording:
    step = 2 * math.pi * hz / rate_hz
    return Recording(array("h", (round(peak * math.sin(step * n)) for n in range(round(seconds * rate_hz)))), rate_hz)


class Voice:
    """Speaks each sentence as a hum of its own, a tenth of a second long, and remembers the sentences."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def speak(self, words: str, deadline_s: float) -> Recording:
        self.said.append(words)
        return hum(300 + 7 * len(words), 0.1)


class Air:
    """`pacer_process.Air` without a network: does what `answer` says, and remembers the orders."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.silenced: list[tuple[Group, ...]] = []
        self.silenced_up_to: list[int] = []
        self.turns = 0
        self.given_up: list[str] = []
        self.answer: Report | PacerGoneError | None = Report(order="", state="started")
        """`None`: never."""
        self.memory: dict[str, Report] = {}

    def turn(self) -> int:
        self.turns += 1
        return self.turns

    async def say(self, order: Order) -> Report:
        self.orders.append(order)
        return await self._answer(order.id, "started")

    async def stop(self, order_id: str, groups: Sequence[Group], up_to: int) -> Report:
        self.silenced.append(tuple(groups))
        self.silenced_up_to.append(up_to)
        return await self._answer(order_id, "stopped")

    def remembers(self, order_id: str) -> Report | None:
        return self.memory.get(order_id)

    def give_up(self, order_id: str) -> None:
        self.given_up.append(order_id)

    async def _answer(self, order_id: str, good: str) -> Report:
        self.memory[order_id] = Report(order=order_id, state="asked")
        if self.answer is None:
            await asyncio.Event().wait()
        if isinstance(self.answer, PacerGoneError):
            raise self.answer
        assert self.answer is not None
        state = good if self.answer.state == "started" else self.answer.state
        report = msgspec.structs.replace(self.answer, order=order_id, state=state)
        self.memory[order_id] = report
        return report


@cache
def kept_clips() -> str:
    """Where clips are kept that many tests have alike: what the plain voice says sounds the same each time."""
    folder = TemporaryDirectory(prefix="alertd-clips-")
    atexit.register(folder.cleanup)
    return folder.name


def build(section: dict[str, Any] | None = None, *, air: Any = None, voice: Any = None, **extra: Any):
    http = ScriptedHttp(lambda request: HttpResponse(status=500))
    if voice is None:
        extra = {STATE_DIR: kept_clips(), **extra}
    around = surroundings(http, {}, extra={AIR: air or Air(), SPEAK: (voice or Voice()).speak, **extra})
    channel = plugin.build("pa", SECTION if section is None else section, around).channel
    assert channel is not None
    return channel


def page(announcement: str = "lockdown", *, mode: Mode = Mode.LIVE, **more: Any) -> Page:
    return Page(action=PageAction.SAY, mode=mode, announcement=announcement, **more)


STOP = Page(action=PageAction.STOP, mode=Mode.LIVE)


def claim(of: Page | str, zone: str = "oak-all", *, mode: Mode | None = None, number: int = 1) -> Claim:
    """A claim of a page; `mode` is the notification's, by default the page's."""
    body = of if isinstance(of, str) else msgspec.json.encode(of).decode()
    notification = Notification(
        id=NotificationId(f"n-{number}"),
        site_id=SiteId("oak"),
        mode=mode or (Mode.LIVE if isinstance(of, str) else of.mode),
        kind=Kind.PAGE,
        lane=Lane.PANIC,
        endpoint=Endpoint(channel="pa", address=zone),
        reason=Reason.FIRST_WAVE,
        created_us=START_US,
        expires_us=START_US + 60_000_000,
        resend_unknown=True,
        text="Lockdown! Locks, lights, out of sight.",
        body=body,
    )
    return Claim(notification=notification, attempt=1, epoch=1)


async def say(channel: Channel, of: Page, zone: str = "oak-all", number: int = 1):
    return await channel.send(claim(of, zone, number=number))
