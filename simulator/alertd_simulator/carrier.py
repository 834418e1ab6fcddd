"""A fake SMS carrier that behaves like Twilio's Messages API: the part of it that alertd speaks, and its bad days.

Owns the carrier's truth: each text, each status it went through, who opted out. Sans-IO: `handle` is called by a
loopback server or by `WorldHttp`, delays are timers of the running loop, so it runs in real and in virtual time.
Must judge what it is sent by its own knowledge, never by alertd's code, and must never pass over a call to an
emergency number: that is written into `violations`, which every checker asserts to be empty.
"""

import asyncio
import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable
from urllib.parse import parse_qsl, unquote, urlsplit

from msgspec import Struct
from msgspec.json import encode

from alertd.model.blocked_numbers import blocked
from alertd.ports import Clock, Http, HttpRequest, HttpResponse
from alertd_simulator import carrier_callbacks
from alertd_simulator.carrier_json import DATE_FIELDS, Page, Text, account_json, error, list_json, text_json
from alertd_simulator.weather import Forecast, Weather, through

E164 = re.compile(r"\+[1-9]\d{6,14}")
FICTIONAL = re.compile(r"\+1[2-9]\d{2}55501\d{2}")
"""Numbers reserved for fiction. Any other one may ring a stranger's phone, and is a violation."""
EMERGENCY = frozenset({"911", "112", "933", "988", "999", "000"})
DIAL_PREFIXES = ("", "0", "00", "001", "011", "0111", "1", "8", "9", "91")
STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
START_WORDS = frozenset({"START", "YES", "UNSTOP"})
BODY_CHARS_MAX = 1_600
TEXTS_MAX = 200_000
"""Texts the carrier remembers; a run that sends more is broken."""

# fmt: off
KNOWN_FIELDS = frozenset(
    {
        "To", "From", "MessagingServiceSid", "Body", "StatusCallback", "ValidityPeriod", "ProvideFeedback",
        "Attempt", "SmartEncoded", "MediaUrl", "ApplicationSid", "MaxPrice", "ForceDelivery",
        "ContentRetention", "AddressRetention", "PersistentAction", "TrafficType", "ShortenUrls",
        "ScheduleType", "SendAt", "SendAsMms", "ContentVariables", "RiskCheck", "FallbackFrom", "ContentSid",
    }
)
# fmt: on

REFUSALS = {
    21211: "Invalid 'To' Phone Number: {to}",
    21212: "Invalid 'From' Phone Number: {sender}",
    21408: "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: {to}.",
    21602: "Message body is required.",
    21603: "A 'From' phone number is required.",
    21604: "A 'To' phone number is required.",
    21606: "The 'From' phone number {sender} is not a valid, SMS-capable inbound phone number for your account.",
    21610: "Attempt to send to unsubscribed recipient",
    21611: "This 'From' number has exceeded the maximum number of queued messages",
    21614: "'To' number is not a valid mobile number: {to}",
    21617: "The concatenated message body exceeds the 1600 character limit",
}


class Behaviour(Struct, frozen=True, kw_only=True):
    """What happens to a text to one number."""

    sending_s: float = 0.05
    """From the head of the sender's queue to *sending* and *sent*."""
    delivery_s: float = 0.4
    """From *sent* to the phone."""
    refused: int = 0
    """Error code in the answer to the POST (21211, 21610 …)."""
    fails: int = 0
    """Error code of a text that was accepted and does not arrive (30003, 30006 …)."""
    stays_sent: bool = False
    """It arrives, and the carrier never learns it."""
    recants_s: float = 0.0
    """*Undelivered*, so long after *delivered*: rare, and allowed."""
    lies: bool = False
    """The carrier says *delivered*; the phone never saw it."""
    weather: Weather | None = None


class Carrier:
    """The carrier. Give it its account's own numbers; ask `texts`, `to(number)` and `violations` afterwards."""

    def __init__(
        self,
        *,
        clock: Clock,
        account_sid: str = "AC" + "0" * 31 + "1",
        auth_token: str,
        numbers: tuple[str, ...] = ("+12025550100",),
        per_s: float = 0.0,
    ) -> None:
        self.account_sid = account_sid
        self.numbers = numbers
        self.per_s = per_s
        """Texts a sender's queue gives out per second (a US long code: 1); 0 = as many as come."""
        self.service_sid: str | None = None
        self.texts: dict[str, Text] = {}
        self.violations: list[str] = []
        self.opted_out: set[tuple[str, str]] = set()
        """(our number, their number)"""
        self.usual = Behaviour()
        self.behaviours: dict[str, Behaviour] = {}
        self.forecast = Forecast()
        """Of POSTs: the next sends."""
        self.reading_forecast = Forecast()
        """Of GETs: lists and look-ups."""
        self.callback_http: Http | None = None
        """The way to status callbacks; `None`: nobody is called, as behind a school's NAT."""
        self.inbound_url: str | None = None
        self.on_status: list[Callable[[Text], None]] = []
        self.on_phone: list[Callable[[Text], None]] = []
        """A text reached the phone itself."""
        self._clock = clock
        self._token = auth_token
        self._queue_free_s: dict[str, float] = {}
        self._callers: set[asyncio.Task[None]] = set()

    # --- what tests ask

    def to(self, number: str) -> list[Text]:
        """Texts the account sent to this number, oldest first."""
        return [text for text in self.texts.values() if text.to == number and text.direction != "inbound"]

    def behave(self, number: str, behaviour: Behaviour) -> None:
        self.behaviours[number] = behaviour

    # --- what comes over HTTP

    async def handle(self, request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            return await through(self.reading_forecast.now(), lambda: self._route(request, {}), error(429, 20429))
        form = self._form(request)
        own = self.behaviours.get(form.get("To", ""), self.usual).weather
        weather = self.forecast.now() if own is None else own
        return await through(weather, lambda: self._route(request, form), error(429, 20429))

    def _route(self, request: HttpRequest, form: dict[str, str]) -> HttpResponse:
        if not self._is_authentic(request):
            return error(401, 20003, "Authenticate")
        parts = urlsplit(request.url)
        home = f"/2010-04-01/Accounts/{self.account_sid}"
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        match request.method, parts.path.removesuffix(".json").removeprefix(home).split("/"):
            case "POST", ["", "Messages"]:
                return self._create(form)
            case "GET", ["", "Messages"]:
                return self._list(query)
            case "GET", ["", "Messages", sid] if sid in self.texts:
                return _json(200, text_json(self.texts[sid], self.account_sid))
            case "GET", [""]:
                return _json(200, account_json(self.account_sid))
            case _:
                pass
        return error(404, 20404, f"The requested resource {parts.path} was not found")

    def _is_authentic(self, request: HttpRequest) -> bool:
        headers = {name.lower(): value for name, value in request.headers.items()}
        scheme, _, credentials = headers.get("authorization", "").partition(" ")
        try:
            user, _, password = b64decode(credentials, validate=True).decode().partition(":")
        except (Base64Error, UnicodeDecodeError):
            return False
        return scheme.lower() == "basic" and user == self.account_sid and password == self._token

    def _form(self, request: HttpRequest) -> dict[str, str]:
        headers = {name.lower(): value for name, value in request.headers.items()}
        if not headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            self.violations.append(f"a POST that is no form: {headers.get('content-type')!r}")
            return {}
        form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        if unknown := form.keys() - KNOWN_FIELDS:  # the real one drops them in silence
            self.violations.append(f"unknown form fields {sorted(unknown)}")
        return form

    def _create(self, form: dict[str, str]) -> HttpResponse:
        to, body = form.get("To", ""), form.get("Body", "")
        sender = form.get("From") or (self.numbers[0] if form.get("MessagingServiceSid") else "")
        self._judge_number(to)
        if refusal := self._refusal(to, sender, body):
            return error(400, refusal, REFUSALS.get(refusal, "refused").format(to=to, sender=sender))
        text = self._remember(to=to, sender=sender, body=body, direction="outbound-api", status="queued")
        text.callback_url = form.get("StatusCallback")
        text.service_sid = form.get("MessagingServiceSid")
        answer = _json(201, text_json(text, self.account_sid))  # before any timer may move it on
        self._enqueue(text, validity_s=float(form.get("ValidityPeriod", 36_000)))
        return answer

    def _refusal(self, to: str, sender: str, body: str) -> int:
        """Error code, or 0. The order is the carrier's."""
        checks: tuple[tuple[bool, int], ...] = (
            (not to, 21604),
            (not sender, 21603),
            (not body, 21602),
            (not E164.fullmatch(to), 21211),
            (not E164.fullmatch(sender), 21212),
            (sender not in self.numbers, 21606),
            (len(body) > BODY_CHARS_MAX, 21617),
            ((sender, to) in self.opted_out, 21610),
        )
        return next((code for failed, code in checks if failed), self._behaviour(to).refused)

    def _judge_number(self, to: str) -> None:
        if is_emergency(to) or blocked(to):
            self.violations.append(f"an emergency number was dialled: {to!r}")
        elif not FICTIONAL.fullmatch(to):
            self.violations.append(f"a number that may be a stranger's was dialled: {to!r}")

    def _list(self, query: dict[str, str]) -> HttpResponse:
        size = int(query.get("PageSize", 50))
        if not 1 <= size <= 1_000:
            return error(400, 20001, "Page size must be between 1 and 1000")
        newest_first = [text for text in reversed(self.texts.values()) if _matches(text, query)]
        if token := query.get("PageToken"):  # stable though new texts arrive meanwhile
            sids = [text.sid for text in newest_first]
            newest_first = newest_first[sids.index(token.removeprefix("PA")) + 1 :]
        page = Page(
            texts=tuple(newest_first[:size]), more=len(newest_first) > size, number=int(query.get("Page", 0)), size=size
        )
        filters = {name: value for name, value in query.items() if name not in {"Page", "PageToken", "PageSize"}}
        return _json(200, list_json(page, self.account_sid, filters))

    # --- the life of a text

    def _behaviour(self, number: str) -> Behaviour:
        return self.behaviours.get(number, self.usual)

    def _remember(self, *, to: str, sender: str, body: str, direction: str, status: str) -> Text:
        assert len(self.texts) < TEXTS_MAX, f"more than {TEXTS_MAX} texts in one run"
        now_us = self._clock.now().wall_us
        text = Text(
            sid=f"SM{len(self.texts) + 1:032x}", to=to, sender=sender, body=body, direction=direction, status=status,
            created_us=now_us, updated_us=now_us, history=[(now_us, status)],
        )  # fmt: skip
        self.texts[text.sid] = text
        return text

    def _enqueue(self, text: Text, *, validity_s: float) -> None:
        loop = asyncio.get_running_loop()
        head_s = max(loop.time(), self._queue_free_s.get(text.sender, 0.0))
        if self.per_s:
            self._queue_free_s[text.sender] = head_s + 1 / self.per_s
        wait_s = head_s - loop.time()
        if wait_s > validity_s:
            loop.call_later(validity_s, self._move, text, "failed", 30036)
        else:
            loop.call_later(wait_s + self._behaviour(text.to).sending_s / 2, self._send, text)

    def _send(self, text: Text) -> None:
        behaviour = self._behaviour(text.to)
        self._move(text, "sending")
        asyncio.get_running_loop().call_later(behaviour.sending_s / 2, self._hand_over, text, behaviour)

    def _hand_over(self, text: Text, behaviour: Behaviour) -> None:
        if behaviour.fails in {30001, 30007}:  # our carrier's own refusals: it never left
            self._move(text, "failed", behaviour.fails)
            return
        text.sent_us = self._clock.now().wall_us
        self._move(text, "sent")
        asyncio.get_running_loop().call_later(behaviour.delivery_s, self._arrive, text, behaviour)

    def _arrive(self, text: Text, behaviour: Behaviour) -> None:
        if behaviour.fails:
            self._move(text, "undelivered", behaviour.fails)
            return
        if not behaviour.lies:
            text.seen_us = self._clock.now().wall_us
            for listener in self.on_phone:
                listener(text)
        if not behaviour.stays_sent:
            self._move(text, "delivered")
        if behaviour.recants_s:
            asyncio.get_running_loop().call_later(behaviour.recants_s, self._move, text, "undelivered", 30008)

    def _move(self, text: Text, status: str, error_code: int | None = None) -> None:
        now_us = self._clock.now().wall_us
        text.status, text.error_code, text.updated_us = status, error_code, now_us
        text.history.append((now_us, status))
        for listener in self.on_status:
            listener(text)
        if text.callback_url and self.callback_http:
            form = carrier_callbacks.status_form(text, self.account_sid)
            self._call(text.callback_url, form)

    # --- what people text back

    def receive(self, *, sender: str, body: str, to: str | None = None) -> Text:
        """A person's phone sent us this."""
        to = to or self.numbers[0]
        text = self._remember(to=to, sender=sender, body=body, direction="inbound", status="received")
        text.sent_us = text.created_us
        word = body.strip().upper()
        if word in STOP_WORDS:
            self.opted_out.add((to, sender))
        elif word in START_WORDS:
            self.opted_out.discard((to, sender))
        if self.inbound_url and self.callback_http:
            self._call(self.inbound_url, carrier_callbacks.inbound_form(text, self.account_sid, STOP_WORDS))
        return text

    def _call(self, url: str, form: dict[str, str]) -> None:
        assert self.callback_http is not None
        request = carrier_callbacks.signed(url, form, self._token)
        task = asyncio.get_running_loop().create_task(carrier_callbacks.deliver(self.callback_http, request))
        self._callers.add(task)
        task.add_done_callback(self._callers.discard)


def is_emergency(dialled: str) -> bool:
    """Any spelling: with an outside line or country code, as a SIP address, as tones after another number.

    Written apart from alertd's own block on purpose, and asked beside it: two authors, two chances to be right."""
    user = unquote(dialled).partition("@")[0].rpartition(":")[2]
    parts = [re.sub(r"\D", "", part) for part in re.split(r"[,;pwPW]", user)]
    spellings = {prefix + number for prefix in DIAL_PREFIXES for number in EMERGENCY}
    return any(part in spellings for part in [*parts, "".join(parts)])


def _matches(text: Text, query: dict[str, str]) -> bool:
    if any(field in query for field in DATE_FIELDS) and text.sent_us is None:
        return False  # a filter by DateSent does not see what is still queued
    return query.get("To", text.to) == text.to and query.get("From", text.sender) == text.sender


def _json(status: int, body: object) -> HttpResponse:
    return HttpResponse(status=status, headers={"content-type": "application/json"}, body=encode(body))
