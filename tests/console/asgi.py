"""A tiny ASGI client: one request, one answer, no server and no HTTP library."""

import json
from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from starlette.types import ASGIApp, Message


class Answer(Struct):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


async def ask(
    app: ASGIApp,
    method: str,
    target: str,
    body: object = None,
    headers: Mapping[str, str] | None = None,
    chunks: list[bytes] | None = None,
) -> Answer:
    """`body` is sent as JSON; `chunks` as they are. The client leaves after the last chunk."""
    path, _, query = target.partition("?")
    raw = chunks if chunks is not None else [b"" if body is None else json.dumps(body).encode()]
    sent = {"content-type": "application/json", "host": "evil.example", **(headers or {})}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(k.lower().encode(), v.encode()) for k, v in sent.items()],
        "client": ("192.0.2.1", 1),
        "server": ("192.0.2.2", 80),
        "root_path": "",
    }
    messages: list[Message] = [
        {"type": "http.request", "body": part, "more_body": index < len(raw) - 1} for index, part in enumerate(raw)
    ]
    answer = Answer(status=0, headers={}, body=b"")

    async def receive() -> Message:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {k.decode().lower(): v.decode() for k, v in message["headers"]}
        else:
            answer.body += message.get("body", b"")

    await app(scope, receive, send)
    return answer
