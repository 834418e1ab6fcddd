"""The door of the receivers: a player lets people type, press keys and have habits, and asks what they got.

Owns its requests, JSON over HTTP on loopback. Must never let anything out but to the actors beside it.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
from msgspec import Struct

from alertd.ports import HttpRequest, HttpResponse
from alertd_simulator.carrier import Carrier
from alertd_simulator.dispatch_center import DispatchCenter, Mood
from alertd_simulator.feed import Feed
from alertd_simulator.on_the_phone import conduct_of
from alertd_simulator.people import Habit, Responder
from alertd_simulator.weather import Weather


class Typing(Struct, frozen=True, kw_only=True):
    """As `plan.Reply`."""

    person: str
    body: str
    about: str = ""


class KeyPress(Struct, frozen=True, kw_only=True):
    person: str
    key: str


class Habits(Struct, frozen=True, kw_only=True):
    """What each person does from now on: habit, and seconds until they do it."""

    people: dict[str, tuple[str, float]]


class Turn(Struct, frozen=True, kw_only=True):
    """What is with the carrier or the dispatch centre from now on; empty: as ever."""

    weather: str = ""
    share: float = 1.0
    mood: str = ""


class Door:
    def __init__(
        self, *, feed: Feed, carrier: Carrier, center: DispatchCenter, people: Mapping[str, Responder]
    ) -> None:
        self._feed = feed
        self._carrier = carrier
        self._center = center
        self._people = people

    async def handle(self, request: HttpRequest) -> HttpResponse:
        parts = urlsplit(request.url)
        try:
            answer = self._answer(request.method, parts.path, parse_qs(parts.query), request.body)
        except (msgspec.DecodeError, KeyError, ValueError) as error:
            return HttpResponse(status=422, body=f"{type(error).__name__}: {error}".encode())
        return HttpResponse(status=200, headers={"content-type": "application/json"}, body=msgspec.json.encode(answer))

    def _answer(self, method: str, path: str, query: dict[str, list[str]], body: bytes) -> Any:
        match method, path:
            case "GET", "/feed":
                return self._feed.after(int(query.get("after", ["0"])[0]))
            case "POST", "/type":
                typing = msgspec.json.decode(body, type=Typing)
                self._people[typing.person].say_about(typing.body, typing.about)
                return True
            case "POST", "/key":
                return self._key(msgspec.json.decode(body, type=KeyPress))
            case "POST", "/habits":
                return self._habits(msgspec.json.decode(body, type=Habits))
            case "POST", "/carrier":
                turn = msgspec.json.decode(body, type=Turn)
                self._carrier.forecast.standing = Weather(turn.weather or Weather.FINE.value)
                self._carrier.forecast.share = turn.share
                return True
            case "POST", "/dispatch":
                turn = msgspec.json.decode(body, type=Turn)
                self._center.forecast.standing = Weather(turn.weather or Weather.FINE.value)
                self._center.forecast.share = turn.share
                self._center.mood = Mood(turn.mood or Mood.ACCEPTS.value)
                return True
            case _:
                raise ValueError(f"there is no {method} {path}")

    def _key(self, press: KeyPress) -> bool:
        """False: their phone is in no call."""
        for call in self._carrier.phones.to(self._people[press.person].number):
            if call.status == "in-progress":
                self._carrier.phones.press(call, press.key)
                return True
        return False

    def _habits(self, habits: Habits) -> int:
        for person, (habit, after_s) in habits.people.items():
            responder = self._people[person]
            responder.habit, responder.after_s = Habit(habit), after_s
            self._carrier.phones.conducts[responder.number] = conduct_of(responder.habit, after_s)
        return len(habits.people)
