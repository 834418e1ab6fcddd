"""Sending one text, and finding out what became of one whose answer was lost.

Twilio has no idempotency key: a POST that may have arrived is *Unknown*, never repeated here. `look_up` then finds the
text by sender, recipient, words and time. No marker is added to the words: 160 characters are few, and messages that
this process or the store knows to be other notifications are left out; while one with the same words is being posted to
the same phone, nobody is told whose a message is. What remains: of two texts with the very same words to one phone
whose answers were both lost, one may be taken for the other. As many leave as there are.
"""

from math import ceil
from urllib.parse import quote, urlencode
from zlib import crc32

import msgspec

from alertd.model.anchor import Now
from alertd.model.blocked_numbers import blocked
from alertd.model.notification import Claim, Notification, NotificationRow, left_us, written_us
from alertd.model.outcome import Failed, Outcome, Unknown
from alertd.ports import Clock, HttpNoAnswerError, HttpNotSentError, HttpResponse
from alertd_adapters.twilio.error_codes import CODES, failure, without_numbers
from alertd_adapters.twilio.posting import Posting
from alertd_adapters.twilio.rest import Message, NoAnswerError, TwilioRest, read_created, read_error, retry_after_s
from alertd_adapters.twilio.settings import E164, TwilioSettings
from alertd_adapters.twilio.statuses import Sids, outcome_of

HTTP_SHARE_OF_DEADLINE = 0.9
"""The request gives up first, so that we name what happened before we are cancelled."""
VALIDITY_S_MIN = 6
"""Twilio recommends more than 5."""
LOOK_UP_PAGE = 50
LOOK_UP_PAGES_MAX = 4
CREATED_DOUBT_US = 120 * 1_000_000
"""Twilio's clock and ours, and the whole seconds of its stamps."""
DAY_US = 24 * 3600 * 1_000_000


class TwilioChannel:
    """`alertd.ports.Channel` for texts."""

    kind = "sms"

    def __init__(
        self,
        *,
        name: str,
        settings: TwilioSettings,
        rest: TwilioRest,
        clock: Clock,
        sids: Sids,
        callback_base_url: str | None,
    ) -> None:
        self.name = name
        self.limits = settings.limits
        self._settings = settings
        self._rest = rest
        self._clock = clock
        self._sids = sids
        self._callback_base_url = callback_base_url
        self._timeout_s = settings.deadline_s * HTTP_SHARE_OF_DEADLINE
        self._posting = Posting()

    async def send(self, claim: Claim) -> Outcome:
        if why := refusal(claim.notification):
            return why
        with self._posting.of(claim.notification):
            return await self._post(claim)

    async def _post(self, claim: Claim) -> Outcome:
        try:
            response = await self._rest.create(self._form(claim), timeout_s=self._timeout_s)
        except HttpNotSentError as error:
            return Failed(permanent=False, code="not_sent", detail=self._say("Twilio was not reached", error))
        except HttpNoAnswerError as error:
            return Unknown(detail=self._say("no answer from Twilio", error))
        outcome = _judge(response)
        if ref := getattr(outcome, "ref", ""):
            self._sids.learn(ref, claim.notification.id)
        return outcome

    async def look_up(self, row: NotificationRow) -> Outcome | None:
        sid = self._sids.sid_of(row.notification.id) or row.ref
        try:
            message = await self._rest.fetch(sid, timeout_s=self._timeout_s) if sid else None
            if message is None or _has_failed(message):  # that may be an earlier attempt; this one's answer was lost
                message = await self._find(row.notification) or message
        except NoAnswerError:
            return None
        if message is None:
            return Failed(permanent=False, code="not_found", detail="Twilio never had it")
        self._sids.learn(message.sid, row.notification.id)
        return outcome_of(message)

    async def _find(self, notification: Notification) -> Message | None:
        """The oldest message that is surely, or may be, this notification, and lives; else the last one that failed.
        Never by DateSent: null while queued.

        While pages are asked for, another look-up or the answer to a send may take a message that was seen: what is
        returned is nobody else's at that moment, and is learned before anybody else runs. A list too long to be walked
        to the notification's time proves nothing: `NoAnswerError`."""
        await self._posting.answered(notification)
        seen, is_whole = await self._walk(notification)
        if self._posting.has_twin(notification):
            raise NoAnswerError("another text with the same words is on its way to this phone")
        found = [message for message in reversed(seen) if self._is_it(message, notification)]
        alive = [message for message in found if not _has_failed(message)]
        if not alive and not is_whole:
            raise NoAnswerError(f"more than {LOOK_UP_PAGES_MAX} pages of texts to this phone")
        return next(iter(alive or found[-1:]), None)

    async def _walk(self, notification: Notification) -> tuple[list[Message], bool]:
        """Texts to its phone since it was written, newest first; and whether those are all."""
        seen: list[Message] = []
        query = {"To": notification.endpoint.address, "PageSize": str(LOOK_UP_PAGE)}
        page = await self._rest.page(query, timeout_s=self._timeout_s / 2)
        since_us = self._since_us(notification)
        for _ in range(LOOK_UP_PAGES_MAX):
            for message in page.messages:
                if message.created_us is not None and message.created_us < since_us:
                    return seen, True
                seen.append(message)
            following = await self._rest.next_page(page, timeout_s=self._timeout_s / 2)
            if following is None:
                return seen, True
            page = following
        return seen, False

    def _since_us(self, notification: Notification) -> int:
        """From when on a text may be it. A nuisance of a boot before may have been written by a clock that was hours
        ahead, and must not be sent twice: of it a day more is looked at."""
        now = self._clock.now()
        since_us = oldest_us(notification, now, self._rest.ahead_us)
        if notification.resend_unknown or written_us(notification, now) is not None:
            return since_us
        return min(since_us, self._rest.now_us) - DAY_US

    def _is_it(self, message: Message, notification: Notification) -> bool:
        same_words = (message.body or "").strip().endswith(notification.text.strip())  # a trial account's has a preface
        is_to_them = not message.is_inbound and message.to == notification.endpoint.address
        if not (is_to_them and same_words and self._is_ours(message)):
            return False
        return self._sids.owner(message.sid) in (None, notification.id)

    def _is_ours(self, message: Message) -> bool:
        """Another channel of the account may have sent the same words to the same phone."""
        if service := self._settings.messaging_service_sid:
            return message.messaging_service_sid == service
        return message.sender in self._settings.from_numbers

    def _form(self, claim: Claim) -> dict[str, str]:
        notification = claim.notification
        form = {
            "To": notification.endpoint.address,
            "Body": notification.text,
            "ValidityPeriod": str(self._validity_s(notification)),
        }
        if numbers := self._settings.from_numbers:
            form["From"] = numbers[(crc32(notification.endpoint.address.encode()) + claim.attempt) % len(numbers)]
        else:
            form["MessagingServiceSid"] = self._settings.messaging_service_sid
        if self._callback_base_url:
            form["StatusCallback"] = callback_url(self._callback_base_url, self.name, d=notification.id)
        return form

    def _validity_s(self, notification: Notification) -> int:
        """Never beyond the moment at which the words stop being true."""
        left_s = ceil(left_us(notification, self._clock.now()) / 1_000_000)
        return max(VALIDITY_S_MIN, min(left_s, self._settings.validity_period_s))

    def _say(self, what: str, error: Exception) -> str:
        return f"{what}: {self._rest.without_secrets(str(error) or type(error).__name__)}"


def oldest_us(notification: Notification, now: Now, ahead_us: int) -> int:
    """Nothing of it is older, by Twilio's clock, which is so far ahead of ours now: ours may have been set since it was
    written. Of a boot before nobody knows: Twilio only seems to be ahead if it was set back, and we look back further.
    """
    known_us = written_us(notification, now)
    if known_us is None:
        return notification.created_us + min(ahead_us, 0) - CREATED_DOUBT_US
    return known_us + ahead_us - CREATED_DOUBT_US


def _has_failed(message: Message) -> bool:
    return isinstance(outcome_of(message), Failed)


def callback_url(public_base_url: str, name: str, **query: str) -> str:
    """Where Twilio calls us: the delivery's id is in the URL, which its signature covers."""
    return f"{public_base_url.rstrip('/')}/v1/callbacks/{quote(name, safe='')}?{urlencode(query)}"


def refusal(notification: Notification) -> Failed | None:
    """What must not leave at all. The emergency block was asked before; it is asked again (req 62)."""
    address = notification.endpoint.address
    if why := blocked(address):
        return Failed(permanent=True, code="emergency_number", detail=f"not sent: {why}")
    if not E164.fullmatch(address):
        return Failed(permanent=True, code="not_a_number", detail='not sent: no full number like "+12025550142"')
    if not notification.text.strip():
        return Failed(permanent=True, code="no_text", detail="not sent: this notification has no text")
    return None


def _judge(response: HttpResponse) -> Outcome:
    """What an answer to a POST means. Only a refusal proves that no text went out."""
    status = response.status
    if 200 <= status < 300:
        message = read_created(response)
        if message is None:
            return Unknown(detail=f"Twilio said HTTP {status}, but not which message")
        return outcome_of(message)
    if 400 <= status < 500:
        return refused(response)
    if 300 <= status < 400:
        return Failed(
            permanent=False,
            code=f"http_{status}",
            detail="something between us and Twilio redirects; redirects are never followed: check base_url, proxy",
        )
    return Unknown(detail=f"Twilio said HTTP {status}: it may have been taken all the same")


def refused(response: HttpResponse) -> Failed:
    """What a 4xx answer means: nothing went out."""
    status, error = response.status, read_error(response)
    if status in (408, 425, 429):  # never processed, always safe to send again
        code = error.code if error.code in CODES else 20429
        return msgspec.structs.replace(failure(code, retry_after_s=retry_after_s(response)), permanent=False)
    if error.code in CODES:
        return failure(error.code)
    if status in (401, 403):
        return failure(20003)
    return Failed(
        permanent=True,
        code=str(error.code or f"http_{status}"),
        detail=f"Twilio refused it, HTTP {status}: {without_numbers(error.message) or 'no reason given'}",
    )
