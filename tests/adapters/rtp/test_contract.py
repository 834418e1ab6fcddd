"""The loudspeaker channel keeps the contract of every channel. Its counterpart is the pacer."""

import msgspec
import pytest

from alertd.model.notification import Claim, NotificationRow
from alertd.model.outcome import Outcome
from alertd.ports import Channel
from alertd.testing.channel_contract import ChannelContract, Demeanour
from alertd_adapters.rtp.pacer_process import PacerGoneError, Report
from tests.adapters.rtp.world import SECTION, Air, build, page

ANSWERS: dict[Demeanour, Report | PacerGoneError | None] = {
    Demeanour.REFUSES_FOR_GOOD: Report(order="", state="failed", code="not_sent", why="no such group", errno=22),
    Demeanour.REFUSES_FOR_NOW: Report(order="", state="refused", by="n-0/1", left_s=3.0),
    Demeanour.ANSWERS_GARBAGE: Report(order="", state="sang"),
    Demeanour.FAILS: Report(order="", state="failed", code="no_clip", why="the pacer was not given the sound"),
    Demeanour.NEVER_ANSWERS: None,
    Demeanour.ACCEPTS_WITHOUT_ANSWER: None,
    Demeanour.IS_AWAY: PacerGoneError("the pacer could not be started"),
}


class PagingChannel:
    """The contract's claims are texts; this one makes pages of them. A loudspeaker says nothing else."""

    def __init__(self, channel: Channel) -> None:
        self.name, self.kind, self.limits = channel.name, channel.kind, channel.limits
        self._channel = channel

    async def send(self, claim: Claim) -> Outcome:
        body = msgspec.json.encode(page()).decode()
        notification = msgspec.structs.replace(claim.notification, body=body)
        return await self._channel.send(msgspec.structs.replace(claim, notification=notification))

    async def look_up(self, row: NotificationRow) -> Outcome | None:
        return await self._channel.look_up(row)


class Pacer:
    address = "oak-all"
    secrets = ("a channel without secrets",)
    success_is_receipt = False

    def __init__(self) -> None:
        self.air = Air()
        self.channel: Channel = PagingChannel(build(SECTION | {"deadline_s": 0.05}, air=self.air))
        self._demeanour = Demeanour.ACCEPTS

    def behave(self, demeanour: Demeanour) -> None:
        self.air.answer = ANSWERS.get(demeanour, Report(order="", state="started"))
        if self._demeanour is Demeanour.ACCEPTS_WITHOUT_ANSWER:  # its packet left all the same
            self.air.memory = {order: Report(order=order, state="started") for order in self.air.memory}
        self._demeanour = demeanour

    @property
    def arrived(self) -> int:
        return len(self.air.orders)


class TestLoudspeakers(ChannelContract):
    @pytest.fixture
    def counterpart(self) -> Pacer:
        return Pacer()
