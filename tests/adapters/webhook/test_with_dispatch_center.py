"""Our channel against the simulator's dispatch centre, which verifies by its own reading of the specification."""

import msgspec

from alertd.model.events import DispatchReported
from alertd.model.incident import DispatchState
from alertd.model.outcome import Delivered, DispatchAnswer, Failed, Unknown
from alertd.ports import HttpRequest, HttpResponse, Surroundings
from alertd.testing.channel_contract import claim_for
from alertd_adapters.webhook import plugin
from alertd_simulator.dispatch_center import DispatchCenter, Mood
from alertd_simulator.virtual_time import VirtualClock, in_virtual_time
from alertd_simulator.weather import Weather
from alertd_simulator.world_http import WorldHttp
from tests.adapters.doubles import OpenDoor, surroundings

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SECTION = {"destinations": {"county": {"url": "https://dispatch.example/alerts", "signing_secret": "county"}}}
PUBLIC = "https://alerts.example"


class World:
    def __init__(self, mood: Mood = Mood.ACCEPTS) -> None:
        clock = VirtualClock()
        self.center = DispatchCenter(clock=clock, secret=SECRET, mood=mood)
        self.http = WorldHttp({"https://dispatch.example": self.center.handle})
        around: Surroundings = surroundings(self.http, {"county": SECRET}, clock=clock, public_base_url=PUBLIC)
        built = plugin.build("dispatch", SECTION, around)
        assert built.channel is not None
        assert built.callbacks is not None
        self.channel, self.callbacks, self.door = built.channel, built.callbacks, OpenDoor()
        self.http.actors[PUBLIC] = self._call

    async def _call(self, request: HttpRequest) -> HttpResponse:
        return await self.callbacks.callback(request, self.door)

    async def send(self):
        claim = claim_for(self.channel, "county")
        body = '{"message_id":"n-0001","type":"new","mode":"live","incident":{"id":"inc-1"}}'
        notification = msgspec.structs.replace(claim.notification, body=body)
        return await self.channel.send(msgspec.structs.replace(claim, notification=notification))


@in_virtual_time
async def test_an_acceptance_comes_with_its_call_number():
    world = World()
    outcome = await world.send()

    assert isinstance(outcome, Delivered)
    assert outcome.answer is not None
    assert outcome.answer.state == "accepted"
    assert outcome.answer.call_number == world.center.calls["inc-1"]
    assert not world.center.refused
    assert not world.center.violations


@in_virtual_time
async def test_a_rejection_comes_with_its_reason():
    outcome = await World(Mood.REJECTS).send()

    assert isinstance(outcome, Delivered)
    assert outcome.answer == DispatchAnswer(state="rejected", detail="outside our area")


@in_virtual_time
async def test_a_bare_204_is_received_only():
    outcome = await World(Mood.RECEIVES).send()

    assert isinstance(outcome, Delivered)
    assert outcome.answer is None


@in_virtual_time
async def test_sending_again_after_an_unknown_outcome_is_one_message_there():
    world = World()
    world.center.forecast.next.append(Weather.CUT_ACCEPTED)
    first, second = await world.send(), await world.send()

    assert isinstance(first, Unknown)
    assert isinstance(second, Delivered)
    assert len(world.center.messages) == 1
    assert world.center.messages["n-0001"].arrivals == 2
    assert len(world.center.calls) == 1


@in_virtual_time
async def test_each_bad_day_is_an_outcome():
    world = World()
    bad = {
        Weather.LIMITED: (Failed, False),
        Weather.BROKEN: (Failed, False),
        Weather.UNAVAILABLE: (Failed, False),
        Weather.REDIRECTING: (Failed, True),
        Weather.SILENT: (Unknown, None),
        Weather.CUT: (Unknown, None),
    }
    for weather, (kind, permanent) in bad.items():
        world.center.forecast.next.append(weather)
        outcome = await world.send()

        assert isinstance(outcome, kind), weather
        assert getattr(outcome, "permanent", None) == permanent, weather
    assert not world.center.messages


@in_virtual_time
async def test_what_the_centre_says_later_is_reported():
    world = World(Mood.RECEIVES)
    await world.send()
    (message,) = world.center.new_incidents()
    message.body["reply_url"] = f"{PUBLIC}/v1/callbacks/dispatch?d=county"
    world.center.reply_http = world.http
    answer = await world.center.reply(message, "dispatched", incident_id="inc-1", call_number="26-1187")

    assert answer is not None
    assert answer.status == 200
    (event,) = world.door.of(DispatchReported)
    assert (event.incident_id, event.state, event.call_number) == ("inc-1", DispatchState.DISPATCHED, "26-1187")
