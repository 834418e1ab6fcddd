"""A fake SMS carrier that behaves like Twilio's Messages API: the part of it that alertd speaks, and its bad days.

Owns the carrier's truth: each text, each status it went through, who opted out. Sans-IO: `handle` is called by a
loopback server or by `WorldHttp`, delays are timers of the running loop, so it runs in real and in virtual time.
Must judge what it is sent by its own knowledge, never by alertd's code, and must never pass over a call to an
emergency number: that is written into `violations`, which every checker asserts to be empty.
"""

import asyncio
from base64 import b64decode
from binascii import Error as Base64Error
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import dropwhile, islice
from random import Random
from urllib.parse import parse_qsl, urlsplit

from msgspec import Struct
from msgspec.json import encode
from msgspec.structs import replace

from alertd.ports import Clock, Http, HttpRequest, HttpResponse
from alertd_simulator import carrier_callbacks, carrier_rules
from alertd_simulator.carrier_calls import Exchange
from alertd_simulator.carrier_json import DATE_FIELDS, Page, Text, error, http_date, list_json, text_json
from alertd_simulator.carrier_office import Office
from alertd_simulator.carrier_rules import (
    BODY_CHARS_MAX,
    CALL_FIELDS,
    E164,
    KNOWN_FIELDS,
    REFUSALS,
    START_WORDS,
    STOP_WORDS,
)
from alertd_simulator.weather import Forecast, Weather, through
from alertd_simulator.world.plan import CarrierTricks
from alertd_simulator.world_http import SENDING

RECANT_S = 8.0
"""A status is taken back so long after *delivered*, where tricks do it."""
TRICKED_SHARE = 0.5
"""Of texts that die on the way, or whose status is taken back, while tricks do it: a carrier is never wholly bad."""
SHUFFLED_S = 3.0
"""Callbacks overtake each other within so long; the second of two comes so much later at most."""
NOT_CALLED_BACK = frozenset({"queued", "sending"})
"""Statuses that the carrier shows to who asks, and calls nobody for."""
TOO_MANY = error(429, 20429)
TEXTS_MAX = 200_000
"""Texts the carrier remembers; a run that sends more is broken."""


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
        self.random = Random("carrier")
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
        self.sender_forecasts: dict[str, Forecast] = {}
        """The same, of sends from one of our numbers; it goes before the general one unless it is fine."""
        self.reading_forecast = Forecast()
        """Of GETs: lists and look-ups."""
        self.tricks: CarrierTricks | None = None
        self.rings_strangers = False
        """A rehearsal with a district's real numbers: nobody is reached from here, so those are no violation."""
        self.callback_http: Http | None = None
        """The way to status callbacks; `None`: nobody is called, as behind a school's NAT."""
        self.inbound_url: str | None = None
        self.phones = Exchange(
            clock=clock,
            account_sid=account_sid,
            auth_token=auth_token,
            numbers=lambda: self.numbers,
            violations=self.violations,
        )
        """Calls, and the phones they ring."""
        self.office = Office(account_sid=account_sid, numbers=lambda: self.numbers)
        """The account itself: paid, registered, allowed to send."""
        self.on_taken: list[Callable[[Text], None]] = []
        """A text was accepted; its answer may still be lost."""
        self.on_status: list[Callable[[Text], None]] = []
        self.on_phone: list[Callable[[Text], None]] = []
        """A text reached the phone itself."""
        self.on_phone_of: dict[str, list[Callable[[Text], None]]] = {}
        """The same, of one number; these hear of it first."""
        self._clock = clock
        self._token = auth_token
        self._to: dict[str, list[Text]] = {}
        self._from: dict[str, list[Text]] = {}
        """Texts of each number, oldest first: lists are asked for all day long."""
        self._queue_free_s: dict[str, float] = {}
        self._off: dict[str, deque[Text]] = {}
        """Phones that are switched off, and the texts that wait for them."""
        self._callers: set[asyncio.Task[None]] = set()

    # --- what tests ask

    def to(self, number: str) -> list[Text]:
        """Texts the account sent to this number, oldest first."""
        return [text for text in self.texts.values() if text.to == number and text.direction != "inbound"]

    def behave(self, number: str, behaviour: Behaviour) -> None:
        self.behaviours[number] = behaviour

    # --- what comes over HTTP

    async def handle(self, request: HttpRequest) -> HttpResponse:
        """Every answer carries the carrier's own time: callers whose clock is wrong know it by that."""
        answer = await self._treated(request)
        date = http_date(self._clock.now().wall_us // 1_000_000)
        return replace(answer, headers={**answer.headers, "date": date})

    async def _treated(self, request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            return await through(self.reading_forecast.now(), lambda: self._route(request, {}), TOO_MANY)
        form = self._form(request)
        own = self.behaviours.get(form.get("To", ""), self.usual).weather
        weather = self._weather(form.get("From", "")) if own is None else own
        return await through(weather, lambda: self._route(request, form), TOO_MANY)

    def _weather(self, sender: str) -> Weather:
        own = self.sender_forecasts.get(sender)
        weather = own.now() if own is not None else Weather.FINE
        return weather if weather is not Weather.FINE else self.forecast.now()

    def _route(self, request: HttpRequest, form: dict[str, str]) -> HttpResponse:
        if not self._is_authentic(request):
            return error(401, 20003, "Authenticate")
        parts = urlsplit(request.url)
        home = f"/2010-04-01/Accounts/{self.account_sid}"
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        path = parts.path.removesuffix(".json").removeprefix(home).split("/")
        match request.method, path:
            case "POST", ["", "Messages"]:
                return self._create(form)
            case "GET", ["", "Messages"]:
                return self._list(query)
            case "GET", ["", "Messages", sid] if sid in self.texts:
                return _json(200, text_json(self.texts[sid], self.account_sid))
            case _:
                missing = error(404, 20404, f"The requested resource {parts.path} was not found")
                called = self.phones.route(request.method, path, form, query)
                return called or self.office.route(request.method, parts.path, query) or missing

    def _is_authentic(self, request: HttpRequest) -> bool:
        headers = {name.lower(): value for name, value in request.headers.items()}
        return _credentials(headers.get("authorization", "")) == (self.account_sid, self._token)

    def _form(self, request: HttpRequest) -> dict[str, str]:
        headers = {name.lower(): value for name, value in request.headers.items()}
        if not headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            self.violations.append(f"a POST that is no form: {headers.get('content-type')!r}")
            return {}
        form = dict(map(_field, filter(None, request.body.decode().split("&"))))
        calls = urlsplit(request.url).path.partition("/Calls")[1]
        if unknown := form.keys() - (CALL_FIELDS if calls else KNOWN_FIELDS):  # the real one drops them in silence
            self.violations.append(f"unknown form fields {sorted(unknown)}")
        return form

    def _create(self, form: dict[str, str]) -> HttpResponse:
        to, body = form.get("To", ""), form.get("Body", "")
        sender = form.get("From") or (self.numbers[0] if form.get("MessagingServiceSid") else "")
        if complaint := carrier_rules.complaint(to, strangers=self.rings_strangers):
            self.violations.append(complaint)
        if refusal := self._refusal(to, sender, body):
            return error(400, refusal, REFUSALS.get(refusal, "refused").format(to=to, sender=sender))
        text = self._remember(to=to, sender=sender, body=body, direction="outbound-api", status="queued")
        text.callback_url = form.get("StatusCallback")
        text.service_sid = form.get("MessagingServiceSid")
        text.sending = SENDING.get()
        answer = _json(201, text_json(text, self.account_sid))  # before any timer may move it on
        for listener in self.on_taken:
            listener(text)
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

    def _list(self, query: dict[str, str]) -> HttpResponse:
        size = int(query.get("PageSize", 50))
        if not 1 <= size <= 1_000:
            return error(400, 20001, "Page size must be between 1 and 1000")
        newest_first: Iterator[Text] = filter(_matching(query), reversed(self._candidates(query)))
        if token := query.get("PageToken"):  # stable though new texts arrive meanwhile
            sid = token.removeprefix("PA")
            newest_first = islice(dropwhile(lambda text: text.sid != sid, newest_first), 1, None)
        found = tuple(islice(newest_first, size + 1))
        page = Page(texts=found[:size], more=len(found) > size, number=int(query.get("Page", 0)), size=size)
        filters = {name: value for name, value in query.items() if name not in {"Page", "PageToken", "PageSize"}}
        return _json(200, list_json(page, self.account_sid, filters))

    def _candidates(self, query: dict[str, str]) -> Sequence[Text]:
        if "To" in query:
            return self._to.get(query["To"], ())
        if "From" in query:
            return self._from.get(query["From"], ())
        return tuple(self.texts.values())

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
        self._to.setdefault(to, []).append(text)
        self._from.setdefault(sender, []).append(text)
        return text

    def _enqueue(self, text: Text, *, validity_s: float) -> None:
        loop = asyncio.get_running_loop()
        text.valid_until_us = text.created_us + round(validity_s * 1e6)
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
        fails = behaviour.fails or self._tricked_failure()
        if fails in {30001, 30007}:  # our carrier's own refusals: it never left
            self._move(text, "failed", fails)
            return
        text.sent_us = self._clock.now().wall_us
        self._move(text, "sent")
        asyncio.get_running_loop().call_later(behaviour.delivery_s, self._arrive, text, fails)

    def _tricked_failure(self) -> int:
        tricks = self.tricks
        return tricks.fails if tricks and tricks.fails and self.random.random() < TRICKED_SHARE else 0

    def _arrive(self, text: Text, fails: int) -> None:
        if fails:
            self._move_late(text, "undelivered", fails)
        elif text.to in self._off:
            self._off[text.to].append(text)
            left_s = ((text.valid_until_us or 0) - self._clock.now().wall_us) / 1e6
            asyncio.get_running_loop().call_later(max(0.0, left_s), self._give_up, text)
        else:
            self._reach(text)

    def _reach(self, text: Text) -> None:
        behaviour = self._behaviour(text.to)
        if not behaviour.lies:
            text.seen_us = self._clock.now().wall_us
            for listener in (*self.on_phone_of.get(text.to, ()), *self.on_phone):
                listener(text)
        if not behaviour.stays_sent:
            self._move_late(text, "delivered")
        recants = self.tricks is not None and self.tricks.recants and self.random.random() < TRICKED_SHARE
        if behaviour.recants_s or recants:
            after_s = (behaviour.recants_s or RECANT_S) + self._late_s()
            asyncio.get_running_loop().call_later(after_s, self._move, text, "undelivered", 30008)

    # --- phones that are off

    def switch_off(self, number: str) -> None:
        """Texts to it wait until it is on again, and die when their validity ends."""
        self._off.setdefault(number, deque())

    def switch_on(self, number: str) -> None:
        """What waits arrives, oldest first."""
        for text in self._off.pop(number, ()):
            self._reach(text)

    def _give_up(self, text: Text) -> None:
        waiting = self._off.get(text.to)
        if waiting is not None and text in waiting:
            waiting.remove(text)
            self._move(text, "undelivered", 30003)

    # --- statuses

    def _late_s(self) -> float:
        return self.tricks.late_s if self.tricks else 0.0

    def _move_late(self, text: Text, status: str, error_code: int | None = None) -> None:
        """The phone's carrier reports it when it pleases; until then ours does not know."""
        if late_s := self._late_s():
            asyncio.get_running_loop().call_later(late_s, self._move, text, status, error_code)
        else:
            self._move(text, status, error_code)

    def _move(self, text: Text, status: str, error_code: int | None = None) -> None:
        now_us = self._clock.now().wall_us
        text.status, text.error_code, text.updated_us, text.rendered = status, error_code, now_us, None
        text.history.append((now_us, status))
        for listener in self.on_status:
            listener(text)
        if text.callback_url and self.callback_http and status not in NOT_CALLED_BACK:
            form = carrier_callbacks.status_form(text, self.account_sid)
            for delay_s in self._callback_delays():
                self._call_later(delay_s, text.callback_url, form)

    def _callback_delays(self) -> tuple[float, ...]:
        """Of one status: when each of its callbacks leaves. Shuffled ones overtake each other."""
        tricks = self.tricks
        if tricks is None:
            return (0.0,)
        first_s = self.random.uniform(0, SHUFFLED_S) if tricks.shuffled else 0.0
        return (first_s, first_s + self.random.uniform(0, SHUFFLED_S)) if tricks.twice else (first_s,)

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

    def _call_later(self, delay_s: float, url: str, form: dict[str, str]) -> None:
        if delay_s > 0:
            asyncio.get_running_loop().call_later(delay_s, self._call, url, form)
        else:
            self._call(url, form)

    def _call(self, url: str, form: dict[str, str]) -> None:
        assert self.callback_http is not None
        request = carrier_callbacks.signed(url, form, self._token)
        task = asyncio.get_running_loop().create_task(carrier_callbacks.deliver(self.callback_http, request))
        self._callers.add(task)
        task.add_done_callback(self._callers.discard)


@lru_cache(maxsize=4_096)
def _field(pair: str) -> tuple[str, str]:
    """Of a form. Senders, phones and callbacks come again and again."""
    ((name, value),) = parse_qsl(pair, keep_blank_values=True)
    return name, value


@lru_cache(maxsize=64)
def _credentials(header: str) -> tuple[str, str] | None:
    """User and password of an `Authorization` header; `None` if it holds none."""
    scheme, _, encoded = header.partition(" ")
    try:
        user, _, password = b64decode(encoded, validate=True).decode().partition(":")
    except (Base64Error, UnicodeDecodeError):
        return None
    return (user, password) if scheme.lower() == "basic" else None


def _matching(query: dict[str, str]) -> Callable[[Text], bool]:
    """A filter by DateSent does not see what is still queued."""
    to, sender = query.get("To"), query.get("From")
    is_dated = any(field in query for field in DATE_FIELDS)

    def matches(text: Text) -> bool:
        if is_dated and text.sent_us is None:
            return False
        return to in (None, text.to) and sender in (None, text.sender)

    return matches


def _json(status: int, body: object) -> HttpResponse:
    return HttpResponse(status=status, headers={"content-type": "application/json"}, body=encode(body))
