"""Our channel against the simulator's carrier, in virtual time. The carrier judges; it knows nothing of our code."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from alertd.model.events import OutcomeReported, Replied
from alertd.model.notification import Claim, NotificationRow, NotificationState
from alertd.model.outcome import Accepted, Delivered, Failed, Sent, Withdrawn
from alertd.model.reason import Reason
from alertd.ports import Built, Channel, Clock, HttpRequest, HttpResponse
from alertd.testing.channel_contract import claim_for
from alertd_adapters.twilio import plugin
from alertd_simulator.carrier import Carrier
from alertd_simulator.virtual_time import VirtualClock
from alertd_simulator.world_http import WorldHttp
from tests.adapters.doubles import OpenDoor, SomeActivity, surroundings

API = "https://api.twilio.com"
PUBLIC = "https://alerts.example"
TOKEN = "an-auth-token-of-the-tests"
OURS = "+12025550100"
OTHERS = "+12025550101"
SERVICE = "MG" + "0" * 32
RUIZ = "+12025550142"
CHEN = "+12025550143"

STATE = {
    Accepted: NotificationState.ACCEPTED,
    Sent: NotificationState.SENT,
    Delivered: NotificationState.DELIVERED,
    Failed: NotificationState.FAILED,
    Withdrawn: NotificationState.WITHDRAWN,
}


class Books(OpenDoor):
    """A door that keeps the rows as the engine would: `activity.rows` are those still on their way."""

    def __init__(self, activity: SomeActivity) -> None:
        super().__init__()
        self.activity = activity

    async def submit(self, event):
        await super().submit(event)
        if isinstance(event, OutcomeReported):
            self.activity.rows = [
                msgspec.structs.replace(row, state=STATE[type(event.outcome)])
                if row.notification.id == event.notification_id
                else row
                for row in self.activity.rows
                if row.notification.id != event.notification_id or isinstance(event.outcome, Accepted | Sent)
            ]


class World:
    """One carrier, one channel, one poller."""

    def __init__(self, **settings: object) -> None:
        self.clock: Clock = VirtualClock()
        senders: Any = settings.get("from_numbers") or (OURS,)
        self.carrier = Carrier(clock=self.clock, auth_token=TOKEN, numbers=tuple(senders))
        self.http = WorldHttp({API: self.carrier.handle})
        self.activity = SomeActivity()
        self.door = Books(self.activity)
        self.settings = {
            "account_sid_secret": "sid",
            "auth_token_secret": "token",
            "from_numbers": [OURS],
            **settings,
        }
        self.start()

    def start(self) -> None:
        """A daemon that remembers nothing of an earlier one."""
        built = self._build("sms", self.settings)
        assert built.channel is not None
        assert built.inbound is not None
        self.channel, self.inbound, self.callbacks = built.channel, built.inbound, built.callbacks
        if built.callbacks is not None:
            self.http.actors[PUBLIC] = self._call
            self.carrier.callback_http = self.http
            self.carrier.inbound_url = f"{PUBLIC}/v1/callbacks/sms"

    def another_channel(self, **senders: object) -> Channel:
        """A second channel on the same account. A service of it texts from the first number of the list."""
        self.carrier.numbers = (OTHERS, OURS)
        built = self._build("sms2", {**self.settings, "from_numbers": [], "messaging_service_sid": "", **senders})
        assert built.channel is not None
        return built.channel

    def _build(self, name: str, settings: dict[str, Any]) -> Built:
        around = surroundings(
            self.http,
            {"sid": self.carrier.account_sid, "token": TOKEN},
            clock=self.clock,
            public_base_url=PUBLIC if settings.get("callbacks") == "signed" else None,
        )
        return plugin.build(name, settings, around)

    async def _call(self, request: HttpRequest) -> HttpResponse:
        assert self.callbacks is not None
        return await self.callbacks.callback(request, self.door)

    def claim(self, number: str = RUIZ, *, notification_id: str = "n-0001", text: str = "") -> Claim:
        claim = claim_for(self.channel, number, notification_id=notification_id, now_us=self.clock.now().wall_us)
        if not text:
            return claim
        notification = msgspec.structs.replace(claim.notification, text=text)
        return msgspec.structs.replace(claim, notification=notification)

    async def text(self, claim: Claim) -> NotificationRow:
        """Sent, and its row in the books."""
        outcome = await self.channel.send(claim)
        assert isinstance(outcome, Accepted), outcome
        row = NotificationRow(
            notification=claim.notification,
            state=NotificationState.ACCEPTED,
            reason=Reason.FIRST_WAVE,
            attempt=1,
            epoch=1,
            ref=outcome.ref,
        )
        self.activity.rows.append(row)
        self.activity.refs[outcome.ref] = claim.notification.id
        return row

    @asynccontextmanager
    async def polling(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.inbound.run(self.door, self.activity), name="poller")
        try:
            yield
        finally:
            assert not task.done(), task
            task.cancel()
            await asyncio.wait([task])

    @property
    def bodies(self) -> list[str]:
        return [event.body for event in self.door.of(Replied)]

    @property
    def outcomes(self) -> list[Any]:
        return [event.outcome for event in self.door.of(OutcomeReported)]

    def polls(self) -> int:
        return sum(exchange.method == "GET" for exchange in self.http.exchanges)
