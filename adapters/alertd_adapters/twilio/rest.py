"""Twilio's Messages API over the daemon's own `Http` port: request building and the shapes of answers.

Not the SDK's client: one HTTP path serves the real and the simulated world, its time-outs are real (the SDK's
asynchronous client ignores its own), nothing re-POSTs behind our back (its `max_retries` sends a text twice), and
headers such as Retry-After are not lost. The SDK judges signatures (`callbacks`).

Owns URLs, authentication, decoding. Must never retry, and never let a credential into an exception or a `repr`.
"""

from base64 import b64encode
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TypeVar
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from alertd.ports import Clock, Http, HttpNoAnswerError, HttpNotSentError, HttpRequest, HttpResponse

T = TypeVar("T")

API = "2010-04-01"
RETRY_AFTER_S_MAX = 60.0
"""A longer wish is not granted: what we carry is soon worthless."""


class Message(Struct, frozen=True, kw_only=True):
    """A Message resource, as far as we read it."""

    sid: str
    status: str = ""
    error_code: int | None = None
    direction: str = ""
    sender: str | None = msgspec.field(default=None, name="from")
    to: str | None = None
    body: str | None = None
    messaging_service_sid: str | None = None
    date_created: str | None = None
    date_sent: str | None = None

    @property
    def is_inbound(self) -> bool:
        return self.direction == "inbound"

    @property
    def created_us(self) -> int | None:
        return stamp_us(self.date_created)

    @property
    def sent_us(self) -> int | None:
        return stamp_us(self.date_sent)


class Page(Struct, frozen=True, kw_only=True):
    """One page of a list, newest first."""

    messages: tuple[Message, ...] = ()
    next_page_uri: str | None = None


class TwilioError(Struct, frozen=True, kw_only=True):
    """Twilio's error document. `code` 0: the answer was no such document."""

    code: int = 0
    message: str = ""


class NoAnswerError(Exception):
    """A question (GET) got no usable answer. Asking again is safe."""

    def __init__(self, why: str, *, status: int = 0, code: int = 0, retry_after_s: float | None = None) -> None:
        super().__init__(why)
        self.status = status
        self.code = code
        self.retry_after_s = retry_after_s

    @property
    def is_credentials(self) -> bool:
        return self.status in (401, 403) or self.code in (20003, 20005)


class TwilioRest:
    """One account. `send` returns what came back, whatever it is; questions are answered or raise `NoAnswerError`."""

    def __init__(self, *, http: Http, clock: Clock, base_url: str, account_sid: str, auth_token: str) -> None:
        self.ahead_us = 0
        """How far Twilio's clock is ahead of ours, by the Date of its last answer: its stamps are compared by that."""
        self._http = http
        self._clock = clock
        self._base_url = base_url.rstrip("/")
        self.account = f"/{API}/Accounts/{account_sid}"
        self._messages = f"{self.account}/Messages"
        self._secrets = (auth_token, b64encode(f"{account_sid}:{auth_token}".encode()).decode())
        self._headers = {
            "Authorization": f"Basic {self._secrets[1]}",
            "Accept": "application/json",
            "User-Agent": "alertd",
        }

    async def create(self, form: dict[str, str], *, timeout_s: float) -> HttpResponse:
        """POST a text. Raises the port's two errors."""
        return await self.post(f"{self._messages}.json", form, timeout_s=timeout_s)

    async def post(self, path: str, form: dict[str, str] | list[tuple[str, str]], *, timeout_s: float) -> HttpResponse:
        """POST to a resource of the account; fields may repeat. Raises the port's two errors."""
        headers = {**self._headers, "Content-Type": "application/x-www-form-urlencoded"}
        url = f"{self._base_url}{path}"
        request = HttpRequest(method="POST", url=url, headers=headers, body=urlencode(form).encode())
        return await self._http.send(request, timeout_s=timeout_s)

    async def fetch(self, sid: str, *, timeout_s: float) -> Message | None:
        """One message; `None` if Twilio certainly does not have it."""
        if not sid.isalnum():
            return None  # no SID looks so, and it would change the path
        try:
            body = await self.get(f"{self._messages}/{sid}.json", timeout_s)
        except NoAnswerError as error:
            if error.status == 404 and error.code == 20404:
                return None
            raise
        return decode(body, Message)

    @property
    def now_us(self) -> int:
        """Twilio's time."""
        return self._clock.now().wall_us + self.ahead_us

    async def page(self, query: dict[str, str], *, timeout_s: float) -> Page:
        """The first page of a list."""
        return decode(await self.get(f"{self._messages}.json?{urlencode(query)}", timeout_s), Page)

    async def next_page(self, page: Page, *, timeout_s: float) -> Page | None:
        """Never to another host: the token travels with it."""
        if not page.next_page_uri or not page.next_page_uri.startswith(f"{self._messages}.json?"):
            return None
        return decode(await self.get(page.next_page_uri, timeout_s), Page)

    def without_secrets(self, text: str) -> str:
        """For texts of other people's exceptions."""
        for secret in self._secrets:
            text = text.replace(secret, "[secret]")
        return text[:200]

    async def get(self, path: str, timeout_s: float, *, product: str = "api") -> bytes:
        """A document of the account. `product`: the first word of another of Twilio's hosts, in the same region
        ("messaging" .twilio.com); a fake carrier is all of them. Raises `NoAnswerError`."""
        host = self._base_url.replace("://api.", f"://{product}.", 1)
        request = HttpRequest(method="GET", url=host + path, headers=self._headers)
        try:
            response = await self._http.send(request, timeout_s=timeout_s)
        except (HttpNotSentError, HttpNoAnswerError) as error:
            raise NoAnswerError(self.without_secrets(str(error) or type(error).__name__)) from None
        if (their_us := stamp_us(response.headers.get("date"))) is not None:
            self.ahead_us = their_us - self._clock.now().wall_us
        if response.status != 200:
            error_body = read_error(response)
            raise NoAnswerError(
                f"HTTP {response.status}" + (f", code {error_body.code}" if error_body.code else ""),
                status=response.status,
                code=error_body.code,
                retry_after_s=retry_after_s(response),
            )
        return response.body


def read_error(response: HttpResponse) -> TwilioError:
    """Twilio's error document, or an empty one."""
    try:
        return msgspec.json.decode(response.body, type=TwilioError)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return TwilioError()


def read_created(response: HttpResponse) -> Message | None:
    """The message that a 2xx answer speaks of; `None` if it does not."""
    try:
        message = decode(response.body, Message)
    except NoAnswerError:
        return None
    return message if message.sid else None


def retry_after_s(response: HttpResponse) -> float | None:
    """Seconds, as Twilio sends them; a date or nonsense is as good as nothing."""
    try:
        seconds = float(response.headers.get("retry-after", ""))
    except ValueError:
        return None
    return min(seconds, RETRY_AFTER_S_MAX) if seconds >= 0 else None


def decode(body: bytes, kind: type[T]) -> T:
    """A document as a value. Raises `NoAnswerError`."""
    try:
        return msgspec.json.decode(body, type=kind, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise NoAnswerError("the answer is not what Twilio's API promises") from None


@lru_cache(maxsize=8_192)
def stamp_us(text: str | None) -> int | None:
    """RFC 2822, whole seconds. Every poll brings the same page of stamps again."""
    if not text:
        return None
    try:
        stamp: datetime = parsedate_to_datetime(text)
    except ValueError:
        return None
    return int(stamp.timestamp()) * 1_000_000
