"""A simulated dispatch centre: receives signed Standard Webhooks, and has a dispatcher's moods.

Owns the centre's truth: what arrived, what was accepted under which call number. It verifies signatures by its own
reading of the specification. A drill that arrives is written into `violations`, which every checker asserts to be
empty (promise 3).
"""

import asyncio
import hmac
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable
from enum import StrEnum
from hashlib import sha256

import msgspec
from msgspec import Struct
from msgspec.json import encode

from alertd.ports import Clock, Http, HttpNoAnswerError, HttpNotSentError, HttpRequest, HttpResponse
from alertd_simulator.weather import Forecast, through
from alertd_simulator.world_http import SENDING

TOLERANCE_S = 300
REPLY_TIMEOUT_S = 10.0
MESSAGES_MAX = 100_000


class Mood(StrEnum):
    """What the dispatcher does with a new incident."""

    ACCEPTS = "accepts in the answer"
    ACCEPTS_LATER = "accepts later, by reply_url"
    REJECTS = "rejects with a reason"
    RECEIVES = "answers 204 and nothing else"


class Message(Struct, kw_only=True, eq=False):
    """One message, however often it arrived."""

    id: str
    at_us: int
    body: dict[str, object]
    raw: bytes
    latest: bytes = b""
    """The same as it came last: its sender may have changed it; the centre goes by what came first."""
    arrivals: int = 1
    sending: str = ""
    """Id of the notification that the first arrival was sent for; only the world knows."""

    @property
    def type(self) -> str:
        return str(self.body.get("type"))

    @property
    def headline(self) -> str:
        return str(self.body.get("headline"))

    @property
    def incident_id(self) -> str:
        incident = self.body.get("incident")
        return str(incident.get("id")) if isinstance(incident, dict) else ""


class DispatchCenter:
    """The centre. Ask `messages`, `new_incidents()`, `calls` and `violations` afterwards."""

    def __init__(self, *, clock: Clock, secret: str, mood: Mood = Mood.ACCEPTS, first_call: int = 1187) -> None:
        self.mood = mood
        self.reason = "outside our area"
        """Why it rejects."""
        self.later_s = 5.0
        self.forecast = Forecast()
        self.messages: dict[str, Message] = {}
        self.calls: dict[str, str] = {}
        """Incident -> our call number."""
        self.refused: list[str] = []
        """Requests whose signature or shape was wrong."""
        self.violations: list[str] = []
        self.reply_http: Http | None = None
        """The way to reply_url."""
        self.on_message: list[Callable[[Message], None]] = []
        """A new message arrived."""
        self.on_again: list[Callable[[Message], None]] = []
        """A message arrived once more; `arrivals` counts."""
        self.on_accept: list[Callable[[str, str], None]] = []
        """Called with incident id and call number."""
        self.on_said: list[Callable[[str, str], None]] = []
        """Incident id and state: what the dispatcher says of an incident, whether or not it reaches us."""
        self._clock = clock
        self._key = b64decode(secret.removeprefix("whsec_"))
        self._next_call = first_call
        self._repliers: set[asyncio.Task[None]] = set()

    def new_incidents(self) -> list[Message]:
        return [message for message in self.messages.values() if message.type == "new"]

    async def handle(self, request: HttpRequest) -> HttpResponse:
        limited = HttpResponse(status=429, headers={"retry-after": "2"}, body=b"slow down")
        return await through(self.forecast.now(), lambda: self._receive(request), limited)

    def _receive(self, request: HttpRequest) -> HttpResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        if problem := self._problem(request, headers):
            self.refused.append(problem)
            return HttpResponse(status=401, body=problem.encode())
        try:
            body = msgspec.json.decode(request.body, type=dict[str, object])
        except msgspec.DecodeError as error:
            self.refused.append(f"not a JSON object: {error}")
            return HttpResponse(status=400, body=b"not a JSON object")
        if body.get("mode") not in {"live", "test"}:
            self.violations.append(f"mode {body.get('mode')!r} reached dispatch: {body.get('headline')!r}")
        return self._take(headers["webhook-id"], body, request.body)

    def _problem(self, request: HttpRequest, headers: dict[str, str]) -> str:
        """Why the request is not authentic, or nothing."""
        if request.method != "POST":
            return f"{request.method} is not POST"
        id_, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not id_ or not stamp.isdigit():
            return "webhook-id or webhook-timestamp is missing"
        age_s = self._clock.now().wall_us / 1e6 - int(stamp)
        if abs(age_s) > TOLERANCE_S:
            return f"webhook-timestamp is {age_s:.0f} s off"
        expected = hmac.digest(self._key, f"{id_}.{stamp}.".encode() + request.body, sha256)
        given = [part.partition(",") for part in headers.get("webhook-signature", "").split()]
        if not any(version == "v1" and _same(expected, text) for version, _, text in given):
            return "the signature is wrong"
        return ""

    def _take(self, id_: str, body: dict[str, object], raw: bytes) -> HttpResponse:
        known = self.messages.get(id_)
        if known is not None:
            known.arrivals += 1
            known.latest = raw
            if known.raw != raw:
                self.violations.append(f"{id_} came twice with different content")
            for listener in self.on_again:
                listener(known)
            return self._answer(known)
        assert len(self.messages) < MESSAGES_MAX, f"more than {MESSAGES_MAX} messages in one run"
        message = Message(
            id=id_, at_us=self._clock.now().wall_us, body=body, raw=raw, latest=raw, sending=SENDING.get()
        )
        self.messages[id_] = message
        for listener in self.on_message:
            listener(message)
        if message.type == "new" and self.mood is Mood.ACCEPTS_LATER:
            self._reply_later(message)
        return self._answer(message)

    def _answer(self, message: Message) -> HttpResponse:
        if message.type != "new" or self.mood in {Mood.RECEIVES, Mood.ACCEPTS_LATER}:
            return HttpResponse(status=204)
        if self.mood is Mood.REJECTS:
            self._say(message, "rejected")
            return _json({"state": "rejected", "reason": self.reason})
        call_number = self._accept(message)
        self._say(message, "accepted")
        return _json({"state": "accepted", "call_number": call_number})

    def _say(self, message: Message, state: str) -> None:
        for listener in self.on_said:
            listener(message.incident_id, state)

    def _accept(self, message: Message) -> str:
        incident_id = message.incident_id
        if incident_id not in self.calls:
            year = message.at_us // 1_000_000 // 31_556_952 - 30  # two digits of the year, as call numbers have
            self.calls[incident_id] = f"{year}-{self._next_call}"
            self._next_call += 1
            for listener in self.on_accept:
                listener(incident_id, self.calls[incident_id])
        return self.calls[incident_id]

    # --- what the dispatcher says later

    def _reply_later(self, message: Message) -> None:
        async def accept() -> None:
            await asyncio.sleep(self.later_s)
            await self.reply(message, "accepted", call_number=self._accept(message))

        task = asyncio.get_running_loop().create_task(accept())
        self._repliers.add(task)
        task.add_done_callback(self._repliers.discard)

    async def reply(self, message: Message, state: str, **details: str) -> HttpResponse | None:
        """Post to the message's reply_url (accepted, rejected, dispatched, on_scene, closed); `None`: no answer."""
        url = message.body.get("reply_url")
        if not isinstance(url, str) or self.reply_http is None:
            return None
        self._say(message, state)
        body = encode({"incident_id": message.incident_id, "state": state, **details})
        stamp = str(self._clock.now().wall_us // 1_000_000)
        id_ = f"reply-{message.id}-{state}"
        signature = b64encode(hmac.digest(self._key, f"{id_}.{stamp}.".encode() + body, sha256)).decode()
        headers = {
            "content-type": "application/json",
            "webhook-id": id_,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{signature}",
        }
        request = HttpRequest(method="POST", url=url, headers=headers, body=body)
        try:
            return await self.reply_http.send(request, timeout_s=REPLY_TIMEOUT_S)
        except (HttpNotSentError, HttpNoAnswerError):
            return None


def _same(expected: bytes, text: str) -> bool:
    try:
        return hmac.compare_digest(expected, b64decode(text, validate=True))
    except Base64Error:
        return False


def _json(body: dict[str, str]) -> HttpResponse:
    return HttpResponse(status=200, headers={"content-type": "application/json"}, body=encode(body))
