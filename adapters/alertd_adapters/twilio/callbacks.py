"""Twilio calls us: replies and statuses, signed (req 58). Optional: polling alone is enough.

`signatures` refuses what is not Twilio's before a word of it is read. Idempotent: the cause of a reply is its SID, and
a status that says nothing new is dropped. What could not be committed is answered 503 and is polled later.
"""

from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from alertd.model.events import OutcomeReported
from alertd.model.ids import DISTRICT, NotificationId
from alertd.ports import Clock, Door, HttpRequest, HttpResponse, NotCommittedError
from alertd_adapters.twilio.poller import replied
from alertd_adapters.twilio.rest import Message
from alertd_adapters.twilio.signatures import Signatures, plain
from alertd_adapters.twilio.statuses import Sids, outcome_of

NO_TWIML = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'
"""Twilio shall say nothing of its own: the engine answers with a text."""


OF_ONE_NUMBER = frozenset(
    {
        "stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "start", "yes", "unstop",
    }
)  # fmt: skip
"""What carriers take for themselves: it speaks of the number that it is sent to, and of no other (req 55)."""


class TwilioCallbacks:
    """`alertd.ports.Callbacks`."""

    def __init__(self, *, name: str, auth_token: str, clock: Clock, sids: Sids, numbers: tuple[str, ...] = ()) -> None:
        """`numbers`: ours; none: Twilio chooses, and whatever it brings was sent to us."""
        self.name = name
        self._numbers = numbers
        self._signatures = Signatures(name, auth_token)
        self._clock = clock
        self._sids = sids

    async def callback(self, request: HttpRequest, door: Door) -> HttpResponse:
        fields = self._signatures.read(request, door)
        if isinstance(fields, HttpResponse):
            return fields
        try:
            return await self._take(request, fields, door)
        except NotCommittedError:
            return plain(503, "not stored, try again")

    async def _take(self, request: HttpRequest, fields: Mapping[str, str], door: Door) -> HttpResponse:
        sid = fields.get("MessageSid") or fields.get("SmsSid") or ""
        if not sid:
            door.observe(self.name, "callback_without_sid")
            return plain(400, "no MessageSid")
        if "MessageStatus" in fields:
            return await self._take_status(request, sid, fields, door)
        message = Message(sid=sid, sender=fields.get("From"), to=fields.get("To"), body=fields.get("Body"))
        if self._is_to_another_sender(message):
            door.observe(self.name, "stop_to_another_number")  # the channel of that number asks Twilio for it
            return HttpResponse(status=200, headers={"content-type": "text/xml"}, body=NO_TWIML)
        await door.submit(replied(self.name, message, at_us=self._clock.now().wall_us))
        return HttpResponse(status=200, headers={"content-type": "text/xml"}, body=NO_TWIML)

    def _is_to_another_sender(self, message: Message) -> bool:
        """A number's webhook may lead here that is another channel's: an answer is the same answer over whichever, but
        STOP to a number that sends vape notices must not stop lockdown texts."""
        if not self._numbers or message.to is None or message.to in self._numbers:
            return False
        return (message.body or "").strip().casefold() in OF_ONE_NUMBER

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
