"""A bound on what anybody may send: size of a body, and time to send it. Pure ASGI, in front of every route."""

import asyncio

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alertd.console.refusals import Refusal

BODY_WAIT_S = 10.0
"""A body must have arrived by then."""


class BodyLimit:
    """Reads the body before the route runs, and answers 413 or 408 itself."""

    def __init__(self, app: ASGIApp, *, bytes_max: int) -> None:
        self._app = app
        self._bytes_max = bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(BODY_WAIT_S):
                body = await self._read(receive)
        except TimeoutError:
            refusal = Refusal(
                error=f"the body did not arrive within {BODY_WAIT_S:.0f} s", where="body", remedy="send it again"
            )
            await _answer(send, 408, refusal)
            return
        if body is None:
            limit = f"the body is larger than {self._bytes_max} bytes"
            await _answer(send, 413, Refusal(error=limit, where="body", remedy="send less"))
            return
        await self._app(scope, _replay(body, receive), send)

    async def _read(self, receive: Receive) -> bytes | None:
        """The whole body; `None` if it is too large; empty if the client left (nobody reads the answer then)."""
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return b""
            body += message.get("body", b"")
            if len(body) > self._bytes_max:
                return None
            if not message.get("more_body", False):
                return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return pending.pop() if pending else await receive()

    return again


async def _answer(send: Send, status: int, refusal: Refusal) -> None:
    body = msgspec.json.encode(refusal)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, (b"connection", b"close")]})
    await send({"type": "http.response.body", "body": body})
