"""The voice channel against the simulator's exchange, in virtual time; rows as an engine would keep them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from msgspec.structs import replace

from alertd.model import call_script
from alertd.model.call_script import CallScript
from alertd.model.events import Keyed, OutcomeReported
from alertd.model.notification import Claim, NotificationRow, NotificationState
from alertd.model.outcome import Accepted, Outcome
from alertd.model.reason import Reason
from alertd.ports import HttpRequest, HttpResponse, NotCommittedError
from alertd.testing.channel_contract import claim_for
from alertd_adapters.twilio import voice_plugin
from alertd_simulator.carrier import Carrier
from alertd_simulator.carrier_conduct import Conduct, Pickup
from alertd_simulator.carrier_json import CallRecord
from alertd_simulator.virtual_time import VirtualClock
from alertd_simulator.world_http import WorldHttp
from tests.adapters.doubles import OpenDoor, SomeActivity, surroundings
from tests.adapters.twilio.world import API, OURS, PUBLIC, RUIZ, STATE, TOKEN

SCRIPT = CallScript(
    main="Oak Elementary. Room two-oh-four, second floor east. Lockdown. Badge pressed at ten forty-two.",
    prompt="Press 4 if you are going, 6 if you cannot, star to hear it again.",
    by_text="Keys do not work in this call. To answer, text four one seven if you are going.",
    silence="No answer recorded. The next person is being called.",
    voicemail="Room two-oh-four. Lockdown. Monday, March second. This voicemail is not an answer.",
    presses=1,
)
GOING = CallScript(main="You are going to room two-oh-four. Text five one seven when you arrive.", presses=2)


class Engine(OpenDoor):
    """A door that answers keys as the engine does: by a row that is never sent."""

    def __init__(self, activity: SomeActivity) -> None:
        super().__init__()
        self.activity = activity
        self.refuses = False
        self.writes_nothing = False
        """Of what became of a key."""

    async def submit(self, event):
        if self.refuses:
            raise NotCommittedError("the disk is gone")
        await super().submit(event)
        if isinstance(event, Keyed) and not self.writes_nothing:
            self._answer(event)
        elif isinstance(event, OutcomeReported) and (row := self.activity.row(event.notification_id)):
            taken = row.state is NotificationState.DELIVERED  # and no later status takes that back
            after = row.state if taken else STATE[type(event.outcome)]
            self.activity.stored[row.notification.id] = replace(row, state=after)

    def _answer(self, event: Keyed) -> None:
        call = self.activity.row(event.notification_id)
        assert call is not None, "a key in a call that nobody placed"
        id_ = call_script.answer_id(event.cause)
        said = replace(call.notification, id=id_, text=GOING.main, body=call_script.encode(GOING))
        self.activity.stored[id_] = NotificationRow(
            notification=said, state=NotificationState.SUPPRESSED, reason=Reason.SPOKEN
        )


class Phones:
    """One exchange, one voice channel."""

    def __init__(self, **settings: object) -> None:
        self.clock = VirtualClock()
        self.carrier = Carrier(clock=self.clock, auth_token=TOKEN, numbers=(OURS,))
        self.exchange = self.carrier.phones
        self.http = WorldHttp({API: self.carrier.handle, PUBLIC: self._call})
        self.exchange.callback_http = self.http
        self.activity = SomeActivity()
        self.door = Engine(self.activity)
        self.settings: dict[str, Any] = {
            "account_sid_secret": "sid",
            "auth_token_secret": "token",
            "from_numbers": [OURS],
            "callbacks": "signed",
            **settings,
        }
        self.start()

    def start(self) -> None:
        """A daemon that remembers nothing of an earlier one."""
        around = surroundings(
            self.http,
            {"sid": self.carrier.account_sid, "token": TOKEN},
            clock=self.clock,
            public_base_url=PUBLIC if self.settings["callbacks"] == "signed" else None,
        )
        built = voice_plugin.build("voice", self.settings, around)
        assert built.channel is not None
        assert built.inbound is not None
        assert built.recalling is not None
        assert built.lines is not None
        self.channel, self.inbound, self.callbacks = built.channel, built.inbound, built.callbacks
        self.recalling, self.lines = built.recalling, built.lines

    def conduct(self, pickup: Pickup = Pickup.TAKES, *keys: tuple[str, float], **more: Any) -> None:
        self.exchange.conducts[RUIZ] = Conduct(pickup=pickup, keys=keys, **more)

    def claim(self, notification_id: str = "n-0001", script: CallScript | None = SCRIPT, number: str = RUIZ) -> Claim:
        claim = claim_for(self.channel, number, notification_id=notification_id, now_us=self.clock.now().wall_us)
        body = "" if script is None else call_script.encode(script)
        return replace(claim, notification=replace(claim.notification, text=SCRIPT.main, body=body))

    async def place(self, claim: Claim | None = None) -> Outcome:
        """Placed, and its row in the books."""
        claim = claim or self.claim()
        outcome = await self.channel.send(claim)
        ref = outcome.ref if isinstance(outcome, Accepted) else ""
        row = NotificationRow(
            notification=claim.notification,
            state=NotificationState.ACCEPTED,
            reason=Reason.FIRST_WAVE,
            attempt=1,
            epoch=1,
            ref=ref,
        )
        self.activity.stored[claim.notification.id] = row
        self.activity.rows.append(row)
        return outcome

    async def call(self, *, for_s: float = 120.0) -> CallRecord:
        """One call from its placing to its end."""
        async with self.polling():
            assert isinstance(await self.place(), Accepted)
            await asyncio.sleep(for_s)
        (call,) = self.exchange.calls.values()
        return call

    @asynccontextmanager
    async def polling(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.inbound.run(self.door, self.activity), name="poller")
        await asyncio.sleep(0)
        try:
            yield
        finally:
            assert not task.done(), task
            task.cancel()
            await asyncio.wait([task])

    async def _call(self, request: HttpRequest) -> HttpResponse:
        assert self.callbacks is not None
        return await self.callbacks.callback(request, self.door)

    @property
    def keys(self) -> list[int]:
        return [event.digit for event in self.door.of(Keyed)]

    @property
    def outcomes(self) -> list[Outcome]:
        return [event.outcome for event in self.door.of(OutcomeReported)]
