"""What the daemon is given of the world: time, and one way out over HTTP. A simulated world brings its own."""

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from alertd.model.anchor import Now


class Clock(Protocol):
    """Time. Deadlines run on boot time, which no one can set; the wall clock is for people."""

    @property
    def boot_id(self) -> str:
        """Changes when the machine restarts: boot times of different boots cannot be compared."""
        ...

    def now(self) -> Now: ...


class HttpRequest(Struct, frozen=True, kw_only=True):
    """One request. The body is already encoded; headers say how."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes = b""


class HttpResponse(Struct, frozen=True, kw_only=True):
    """One response, whole. Header names in lower case."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""


class HttpNotSentError(Exception):
    """The request certainly never reached a server (no name, no route, refused, TLS failed). Safe to try again."""


class HttpNoAnswerError(Exception):
    """The request may have been acted on: time-out, reset or garbage after it began to leave."""


class Http(Protocol):
    """The one way out over HTTP. Never retries, never follows a redirect; the adapter decides about both."""

    async def send(self, request: HttpRequest, *, timeout_s: float) -> HttpResponse:
        """Raises `HttpNotSentError` or `HttpNoAnswerError`."""
        ...
