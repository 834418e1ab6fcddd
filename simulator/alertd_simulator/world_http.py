"""`WorldHttp`: the `Http` port of a simulated world. URLs lead to actors, and the network between may fail.

Owns what happens between our request and an actor's answer. Must never reach a real network: an address that no actor
has is an unknown host.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextvars import ContextVar

from msgspec import Struct

from alertd.ports import HttpNoAnswerError, HttpNotSentError, HttpRequest, HttpResponse
from alertd_simulator.weather import Handler

SENDING: ContextVar[str] = ContextVar("sending", default="")
"""Id of the notification whose attempt the request belongs to. No real request says so: it is how the world knows what
an actor was sent *for*, although the actor answers nobody. Actors copy it; alertd never sees it."""


class Exchange(Struct, frozen=True, kw_only=True):
    """One request as it went: `status` 0 with the `error` that the sender saw."""

    at_s: float
    method: str
    url: str
    status: int
    error: str = ""


class WorldHttp:
    """Give it `{"https://api.twilio.com": carrier.handle, "https://dispatch.example": center.handle}`."""

    def __init__(self, actors: Mapping[str, Handler], *, latency_s: Callable[[], float] = lambda: 0.02) -> None:
        self.actors = dict(actors)
        self.latency_s = latency_s
        """Of one direction, asked for each."""
        self.is_plugged_in = True
        """False: the school's uplink is gone. New requests fail at once; answers under way never arrive."""
        self.exchanges: list[Exchange] = []
        self._serving: set[asyncio.Task[None]] = set()

    async def send(self, request: HttpRequest, *, timeout_s: float) -> HttpResponse:
        at_s = asyncio.get_running_loop().time()
        try:
            answer = await self._exchange(request, timeout_s)
        except (HttpNotSentError, HttpNoAnswerError) as failure:
            self._note(at_s, request, 0, f"{type(failure).__name__}: {failure}")
            raise
        except asyncio.CancelledError:
            self._note(at_s, request, 0, "cancelled by the sender")
            raise
        self._note(at_s, request, answer.status, "")
        return answer

    def _note(self, at_s: float, request: HttpRequest, status: int, error: str) -> None:
        self.exchanges.append(Exchange(at_s=at_s, method=request.method, url=request.url, status=status, error=error))

    async def _exchange(self, request: HttpRequest, timeout_s: float) -> HttpResponse:
        handler = self._find(request.url)
        if not self.is_plugged_in:
            raise HttpNotSentError("network is unreachable")
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[HttpResponse] = loop.create_future()
        deadline = loop.call_later(timeout_s, _give_up, answered, timeout_s)
        loop.call_later(self.latency_s(), self._arrive, handler, request, answered)
        try:
            return await answered
        finally:
            deadline.cancel()

    def _arrive(self, handler: Handler, request: HttpRequest, answered: asyncio.Future[HttpResponse]) -> None:
        """A server goes on although its client has hung up, so the actor has a task of its own."""
        if self.is_plugged_in and not answered.done():  # else it left, and never arrived
            act = self._act(handler, request, answered)
            task = asyncio.get_running_loop().create_task(act, name=f"actor of {request.url}")
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)

    async def _act(self, handler: Handler, request: HttpRequest, answered: asyncio.Future[HttpResponse]) -> None:
        """The client learns the end of it, if it still waits."""
        loop = asyncio.get_running_loop()
        try:
            answer = await handler(request)
        except Exception as error:  # noqa: BLE001 - an actor that hangs up is an answer, any other error is a defect
            if not isinstance(error, HttpNoAnswerError):
                loop.call_exception_handler({"message": "an actor failed", "exception": error})
            if not answered.done():
                answered.set_exception(error)
        else:
            if not answered.done():
                loop.call_later(self.latency_s(), self._deliver, answer, answered)

    def _deliver(self, answer: HttpResponse, answered: asyncio.Future[HttpResponse]) -> None:
        if self.is_plugged_in and not answered.done():
            answered.set_result(answer)

    def _find(self, url: str) -> Handler:
        for base, handler in self.actors.items():
            if url == base or url.startswith((base + "/", base + "?")):
                return handler
        raise HttpNotSentError(f"unknown host: {url.partition('?')[0]}")


def _give_up(answered: asyncio.Future[HttpResponse], timeout_s: float) -> None:
    if not answered.done():
        answered.set_exception(HttpNoAnswerError(f"no answer within {timeout_s} s"))
