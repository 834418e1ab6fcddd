"""Everybody outside the school: the carrier with its phones and their owners, and the dispatch centres.

Owns who they are by the configuration, and what is told of them as happenings. Must never know what alertd decides.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from random import Random
from typing import Any

from alertd.config import Loaded
from alertd.model.ids import NotificationId, PersonId
from alertd.ports import HttpNoAnswerError, HttpRequest, HttpResponse
from alertd_simulator.carrier import Behaviour, Carrier
from alertd_simulator.carrier_json import CallRecord, Text
from alertd_simulator.carrier_twiml import first_words
from alertd_simulator.dispatch_center import DispatchCenter, Message
from alertd_simulator.on_the_phone import conduct_of
from alertd_simulator.people import Habit, Responder
from alertd_simulator.virtual_time import VirtualClock, true_us
from alertd_simulator.weather import Handler
from alertd_simulator.world.happenings import (
    CallHeard,
    CallPickedUp,
    CallStatus,
    CallTaken,
    DispatchSaid,
    DispatchTook,
    Happening,
    KeyPressed,
    Meant,
    TextSeen,
    TextStatus,
    TextTaken,
    Typed,
)
from alertd_simulator.world.machine import ACCOUNT_SID, AUTH_TOKEN, SIGNING_SECRET, Machine
from alertd_simulator.world.plan import Habits, Key, Plan, Reply
from alertd_simulator.world_http import WorldHttp

TWILIO_URL = "https://api.twilio.com"
CALLBACKS = "/v1/callbacks/"
TWILIO = ("sms_twilio", "voice_twilio")
POOL_NUMBER = "+12025550100"
"""Stands for the pool of a Messaging Service, whose numbers no configuration knows."""


class Outside:
    """`reach` tells it where callbacks go; `reply` makes somebody type."""

    def __init__(self, plan: Plan, school: Loaded, *, clock: VirtualClock, emit: Callable[[Happening], None]) -> None:
        self._plan = plan
        self._school = school
        self._emit = emit
        self._machine: Machine | None = None
        seed = str(plan.seed)
        self._people = {
            endpoint.address: person.id for person in school.registry.people.values() for endpoint in person.endpoints
        }
        self.carrier = Carrier(
            clock=clock,
            account_sid=ACCOUNT_SID,
            auth_token=AUTH_TOKEN,
            numbers=tuple(chain.from_iterable(senders_of(school).values())),
            per_s=plan.texts_per_s,
        )
        self.carrier.random = Random(f"{seed}:carrier")
        self.carrier.rings_strangers = self.carrier.phones.rings_strangers = plan.rehearsal
        self._site_ids = {site.name: site.id for site in school.registry.sites.values()}
        self.centers = {
            name: DispatchCenter(clock=clock, secret=SIGNING_SECRET) for name, _ in sorted(_destinations(school))
        }
        self.http = WorldHttp(self._actors(), latency_s=latency(Random(f"{seed}:http"), 0.01, 0.15))
        self.phones = {phone.number: phone for phone in self._phones()}
        self._listen()

    def reach(self, machine: Machine) -> None:
        """Callbacks of carrier and dispatch centres lead there, if the school can be reached at all."""
        self._machine = machine
        url = self._school.settings.public_base_url
        if url is not None:
            self.http.actors[url.rstrip("/")] = self._callback
            self.carrier.callback_http = self.carrier.phones.callback_http = self.http
            for center in self.centers.values():
                center.reply_http = self.http

    def reply(self, reply: Reply) -> None:
        """Somebody types what the plan says, whatever their habit is."""
        for endpoint in self._school.registry.people[PersonId(reply.person)].endpoints[:1]:
            self.phones[endpoint.address].say_about(reply.body, reply.about)

    def press_key(self, deed: Key) -> bool:
        """Somebody presses a key. False: their phone is in no call."""
        for endpoint in self._school.registry.people[PersonId(deed.person)].endpoints:
            for call in self.carrier.phones.to(endpoint.address):
                if call.status == "in-progress":
                    self.carrier.phones.press(call, deed.key)
                    return True
        return False

    # --- who there is

    def _phones(self) -> Iterator[Responder]:
        habits = {habit.person: habit for habit in self._plan.habits}
        for number, person_id in self._people.items():
            habit = habits.get(person_id) or Habits(person=person_id, habit=Habit.SILENT)
            person = self._school.registry.people[person_id]
            yield self._phone(person.name, number, habit)

    def _phone(self, name: str, number: str, habit: Habits) -> Responder:
        phone = Responder(name, number, self.carrier, habit=Habit(habit.habit), after_s=habit.after_s)
        self.carrier.phones.conducts[number] = habit.on_the_phone or conduct_of(phone.habit, habit.after_s)
        if habit.delivery_s is not None:
            self.carrier.behave(number, Behaviour(delivery_s=habit.delivery_s))
        if habit.phone_off_s > 0:
            self.carrier.switch_off(number)
            asyncio.get_running_loop().call_later(habit.phone_off_s, self.carrier.switch_on, number)
        return phone

    def _actors(self) -> Mapping[str, Handler]:
        actors: dict[str, Handler] = {}
        for section in self._school.sections:
            if section.plugin in TWILIO:
                actors[str(section.settings.get("base_url", TWILIO_URL)).rstrip("/")] = self.carrier.handle
        for name, url in _destinations(self._school):
            actors[url] = self.centers[name].handle
        return actors

    async def _callback(self, request: HttpRequest) -> HttpResponse:
        """As the console serves it: by the channel's name, while the daemon runs."""
        machine = self._machine
        assert machine is not None
        if machine.daemon is None:
            raise HttpNoAnswerError("connection refused: alertd is down")
        name = request.url.partition(CALLBACKS)[2].partition("?")[0]
        taker = machine.daemon.callbacks.get(name)
        if taker is None:
            return HttpResponse(status=404)
        return await taker.callback(request, machine.daemon.intake)

    # --- what is told

    def _listen(self) -> None:
        self.carrier.on_taken.append(self._taken)
        self.carrier.on_phone.append(self._seen)
        self.carrier.on_status.append(self._status)
        exchange = self.carrier.phones
        exchange.on_taken.append(self._call_taken)
        exchange.on_pickup.append(self._picked_up)
        exchange.on_heard.append(self._heard)
        exchange.on_status.append(self._call_status)
        exchange.on_key.append(self._key)
        for phone in self.phones.values():
            phone.on_typed.append(self._typed)
        for center in self.centers.values():
            center.on_message.append(self._dispatch_took)
            center.on_again.append(self._dispatch_took)
            center.on_said.append(self._dispatch_said)

    def _taken(self, text: Text) -> None:
        mark = NotificationId(text.sending) if text.sending else None
        self._emit(TextTaken(at_us=true_us(), sid=text.sid, to=text.to, body=text.body, notification_id=mark))

    def _seen(self, text: Text) -> None:
        self._emit(
            TextSeen(
                at_us=true_us(),
                sid=text.sid,
                to=text.to,
                body=text.body,
                person_id=self._people.get(text.to),
                notification_id=NotificationId(text.sending) if text.sending else None,
            )
        )

    def _status(self, text: Text) -> None:
        self._emit(TextStatus(at_us=true_us(), sid=text.sid, status=text.status))

    def _call_taken(self, call: CallRecord) -> None:
        self._emit(
            CallTaken(at_us=true_us(), sid=call.sid, to=call.to, words=first_words(call), notification_id=_mark(call))
        )

    def _picked_up(self, call: CallRecord, by: str) -> None:
        person_id = self._people.get(call.to)
        self._emit(CallPickedUp(at_us=true_us(), sid=call.sid, to=call.to, person_id=person_id, human=by == "human"))

    def _heard(self, call: CallRecord, words: str) -> None:
        human = call.taken_by == "human"
        self._emit(CallHeard(at_us=true_us(), sid=call.sid, to=call.to, words=words, human=human))

    def _call_status(self, call: CallRecord) -> None:
        self._emit(CallStatus(at_us=true_us(), sid=call.sid, status=call.status))

    def _key(self, call: CallRecord, key: str) -> None:
        self._emit(
            KeyPressed(
                at_us=true_us(),
                sid=call.sid,
                number=call.to,
                person_id=self._people.get(call.to),
                key=key,
                notification_id=_mark(call),
            )
        )

    def _typed(self, number: str, body: str, meant: Meant, token: str, sid: str) -> None:
        person_id = self._people.get(number)
        self._emit(
            Typed(at_us=true_us(), person_id=person_id, number=number, body=body, meant=meant, token=token, sid=sid)
        )

    def _dispatch_took(self, message: Message) -> None:
        site = message.body.get("site")
        self._emit(
            DispatchTook(
                at_us=true_us(),
                message_id=message.id,
                type=message.type,
                mode=str(message.body.get("mode")),
                incident_id=message.incident_id,
                site_id=self._site_ids.get(str(site.get("name")), "") if isinstance(site, dict) else "",
                body=message.latest,
                arrivals=message.arrivals,
            )
        )

    def _dispatch_said(self, incident_id: str, state: str) -> None:
        self._emit(DispatchSaid(at_us=true_us(), incident_id=incident_id, state=state))


def latency(random: Random, least_s: float, most_s: float) -> Callable[[], float]:
    """One crossing, drawn anew each time."""
    return lambda: least_s + random.random() * (most_s - least_s)


def _mark(call: CallRecord) -> NotificationId | None:
    return NotificationId(call.sending) if call.sending else None


def senders_of(school: Loaded) -> dict[str, tuple[str, ...]]:
    """The carrier's numbers of each channel of texts or calls."""
    return {
        section.name: tuple(section.settings.get("from_numbers", ())) or (POOL_NUMBER,)
        for section in school.sections
        if section.plugin in TWILIO
    }


def _destinations(school: Loaded) -> Iterator[tuple[str, str]]:
    """Name and URL of every webhook destination."""
    for section in school.sections:
        destinations: Mapping[str, Any] = section.settings.get("destinations", {})
        for name, destination in destinations.items():
            yield name, destination["url"]
