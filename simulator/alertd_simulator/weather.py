"""How a server treats a request, whatever the request says: the weather between us and it.

Owns the faults of transport that the carrier and the dispatch centre share. Must not know what either of them does.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from enum import StrEnum
from random import Random

from alertd.ports import HttpNoAnswerError, HttpRequest, HttpResponse

Handler = Callable[[HttpRequest], Awaitable[HttpResponse]]
"""An actor behind a URL. `HttpNoAnswerError` out of it means: the connection is cut."""


class Weather(StrEnum):
    """One kind of trouble. `*_ACCEPTED`: the request was acted on, and only the answer is lost."""

    FINE = "fine"
    LIMITED = "429"
    BROKEN = "500"
    UNAVAILABLE = "503"
    REDIRECTING = "302"
    GARBAGE_ACCEPTED = "garbage after accepting"
    SILENT = "never answers"
    SILENT_ACCEPTED = "accepts and never answers"
    CUT = "cuts the connection"
    CUT_ACCEPTED = "accepts and cuts the connection"


ACTS = frozenset({Weather.FINE, Weather.GARBAGE_ACCEPTED, Weather.SILENT_ACCEPTED, Weather.CUT_ACCEPTED})
"""The server does what it was asked to."""


class Forecast:
    """The weather of one server: a standing one, and a plan for its next requests."""

    def __init__(self) -> None:
        self.standing = Weather.FINE
        self.share = 1.0
        """Of requests that see the standing weather; the others see a fine day."""
        self.random = Random("weather")
        self.next: deque[Weather] = deque()
        """One is used up by each request that asks `now`."""

    def now(self) -> Weather:
        if self.next:
            return self.next.popleft()
        is_seen = self.share >= 1 or self.random.random() < self.share
        return self.standing if is_seen else Weather.FINE


async def through(weather: Weather, act: Callable[[], HttpResponse], limited: HttpResponse) -> HttpResponse:
    """Answer in this weather. `limited` is the server's own wording of 429."""
    answer = act() if weather in ACTS else None
    match weather:
        case Weather.FINE:
            assert answer is not None
            return answer
        case Weather.LIMITED:
            return limited
        case Weather.BROKEN | Weather.UNAVAILABLE:
            return HttpResponse(status=int(weather), headers={"content-type": "text/html"}, body=b"<h1>Oops</h1>")
        case Weather.REDIRECTING:
            return HttpResponse(status=302, headers={"location": "http://127.0.0.1:9/elsewhere"})
        case Weather.GARBAGE_ACCEPTED if answer is not None and answer.status >= 400:
            return answer  # what is refused is not accepted
        case Weather.GARBAGE_ACCEPTED:
            return HttpResponse(status=200, headers={"content-type": "text/html"}, body=b"<html>gateway</html>\xff")
        case Weather.SILENT | Weather.SILENT_ACCEPTED:
            await asyncio.Event().wait()
            raise AssertionError("unreachable")
        case Weather.CUT | Weather.CUT_ACCEPTED:
            raise HttpNoAnswerError("connection reset by peer")
