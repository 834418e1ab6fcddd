"""Puts an actor behind a real HTTP port on loopback.

Owns the translation between ASGI and the actors' `handle`. Must never listen on anything but 127.0.0.1.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI, Request, Response

from alertd.ports import HttpNoAnswerError, HttpRequest
from alertd_simulator.weather import Handler

LOOPBACK = "127.0.0.1"
STOP_S = 1


def free_port() -> int:
    """A port that was free a moment ago, for a server that cannot pick its own."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def served(handler: Handler) -> AsyncIterator[str]:
    """Serve the actor until the block ends; yields its base URL."""
    server: uvicorn.Server
    app = FastAPI(openapi_url=None)

    @app.api_route("/{path:path}", methods=["GET", "POST", "PUT", "DELETE"])
    async def answer(request: Request) -> Response:
        try:
            given = await handler(await _translated(request))
        except HttpNoAnswerError:
            _cut(server, request)
            return Response()  # goes nowhere
        return Response(given.body, given.status, dict(given.headers))

    config = uvicorn.Config(
        app, log_config=None, lifespan="off", access_log=False, timeout_graceful_shutdown=STOP_S, ws="none"
    )
    server = uvicorn.Server(config)
    with socket.create_server((LOOPBACK, 0)) as listening:
        # `serve()` would take over the signals of the whole process.
        serving = asyncio.create_task(server._serve(sockets=[listening]), name="loopback server")  # noqa: SLF001
        try:
            while not server.started and not serving.done():  # noqa: ASYNC110  # uvicorn offers no event
                await asyncio.sleep(0.01)
            yield f"http://{LOOPBACK}:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


async def _translated(request: Request) -> HttpRequest:
    return HttpRequest(
        method=request.method,
        url=str(request.url),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=await request.body(),
    )


def _cut(server: uvicorn.Server, request: Request) -> None:
    """Reset the client's connection without a word."""
    assert request.client is not None
    for connection in list(server.server_state.connections):
        transport = connection.transport
        if transport.get_extra_info("peername")[:2] == tuple(request.client):
            transport.abort()
