"""An `Http` port for tests: answers come from a function, and the network can misbehave. No sockets, no mocks."""

import asyncio
from collections.abc import Callable
from enum import StrEnum

from alertd.ports import HttpNoAnswerError, HttpNotSentError, HttpRequest, HttpResponse


class Network(StrEnum):
    """What lies between the channel and its server."""

    FINE = "fine"
    AWAY = "away"
    """No route: nothing arrives."""
    SILENT = "silent"
    """The server gets the request and never answers."""
    CUT = "cut"
    """The server acts on the request; its answer is lost."""


class ScriptedHttp:
    """Give it the server. `requests` are those that arrived, `timeouts_s` what each was given."""

    def __init__(self, server: Callable[[HttpRequest], HttpResponse]) -> None:
        self.server = server
        self.network = Network.FINE
        self.requests: list[HttpRequest] = []
        self.timeouts_s: list[float] = []

    async def send(self, request: HttpRequest, *, timeout_s: float) -> HttpResponse:
        self.timeouts_s.append(timeout_s)
        if self.network is Network.AWAY:
            raise HttpNotSentError("no route to host")
        self.requests.append(request)
        if self.network is Network.SILENT:
            await asyncio.sleep(timeout_s)
            raise HttpNoAnswerError(f"no answer within {timeout_s} s")
        answer = self.server(request)
        await asyncio.sleep(0)
        if self.network is Network.CUT:
            raise HttpNoAnswerError("connection reset by peer")
        return answer
