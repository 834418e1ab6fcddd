"""Twilio calls us: replies and statuses, signed (req 58). Optional: polling alone is enough.

Owns the check of the signature, over the *public* URL, by Twilio's own validator. Must refuse before it reads a word:
what is not signed is counted and answered 403. Idempotent: the cause of a reply is its SID, and a status that says
nothing new is dropped. What could not be committed is answered 503 and is polled later.
"""

from collections.abc import Mapping
from urllib.parse import parse_qs, parse_qsl, urlsplit

from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from alertd.model.events import OutcomeReported
from alertd.model.ids import DISTRICT, NotificationId
from alertd.ports import Clock, Door, HttpRequest, HttpResponse, NotCommittedError
from alertd_adapters.twilio.poller import replied
from alertd_adapters.twilio.rest import Message
from alertd_adapters.twilio.statuses import Sids, outcome_of

BODY_BYTES_MAX = 64 * 1024
FIELDS_MAX = 200
NO_TWIML = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'
"""Twilio shall say nothing of its own: the engine answers with a text."""


class _Form(dict[str, list[str]]):
    """What the validator wants to see of repeated fields."""

    def getall(self, name: str) -> list[str]:
        return self[name]


class TwilioCallbacks:
    """`alertd.ports.Callbacks`."""

    def __init__(self, *, name: str, auth_token: str, clock: Clock, sids: Sids) -> None:
        self.name = name
        self._validator = RequestValidator(auth_token)
        self._clock = clock
        self._sids = sids

    async def callback(self, request: HttpRequest, door: Door) -> HttpResponse:
        if request.method != "POST":
            return _plain(405, "only POST")
        if len(request.body) > BODY_BYTES_MAX:
            door.observe(self.name, "callback_too_large")
            return _plain(413, f"more than {BODY_BYTES_MAX} bytes")
        form = _read_form(request.body)
        if form is None or not self._is_signed(request, form):
            door.observe(self.name, "callback_refused")
            return _plain(403, "not signed by Twilio for this URL")
        try:
            return await self._take(request, {name: values[0] for name, values in form.items()}, door)
        except NotCommittedError:
            return _plain(503, "not stored, try again")

    def _is_signed(self, request: HttpRequest, form: _Form) -> bool:
        headers = {name.lower(): value for name, value in request.headers.items()}
        signature = headers.get("x-twilio-signature", "")
        try:
            return bool(signature) and bool(self._validator.validate(request.url, form, signature))
        except ValueError:  # a URL that is none
            return False

    async def _take(self, request: HttpRequest, fields: Mapping[str, str], door: Door) -> HttpResponse:
        sid = fields.get("MessageSid") or fields.get("SmsSid") or ""
        if not sid:
            door.observe(self.name, "callback_without_sid")
            return _plain(400, "no MessageSid")
        if "MessageStatus" in fields:
            return await self._take_status(request, sid, fields, door)
        message = Message(sid=sid, sender=fields.get("From"), to=fields.get("To"), body=fields.get("Body"))
        await door.submit(replied(self.name, message, at_us=self._clock.now().wall_us))
        return HttpResponse(status=200, headers={"content-type": "text/xml"}, body=NO_TWIML)

    async def _take_status(self, request: HttpRequest, sid: str, fields: Mapping[str, str], door: Door) -> HttpResponse:
        ids = parse_qs(urlsplit(request.url).query).get("d", [])
        notification_id = NotificationId(ids[0]) if ids else self._sids.owner(sid)
        if notification_id is None:
            door.observe(self.name, "callback_of_a_stranger")  # another program's text on the same account
            return HttpResponse(status=204)
        self._sids.learn(sid, notification_id)
        code = fields.get("ErrorCode", "")
        message = Message(sid=sid, status=fields["MessageStatus"], error_code=int(code) if code.isdecimal() else None)
        outcome = outcome_of(message)
        if self._sids.is_news(sid, outcome):
            await door.submit(
                OutcomeReported(site_id=DISTRICT, notification_id=notification_id, epoch=None, outcome=outcome)
            )
            self._sids.reported(sid, outcome)
        return HttpResponse(status=204)


def _read_form(body: bytes) -> _Form | None:
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError:  # not UTF-8, or too many fields
        return None
    form = _Form()
    for name, value in pairs:
        form.setdefault(name, []).append(value)
    return form


def _plain(status: int, text: str) -> HttpResponse:
    return HttpResponse(status=status, headers={"content-type": "text/plain; charset=utf-8"}, body=text.encode())
