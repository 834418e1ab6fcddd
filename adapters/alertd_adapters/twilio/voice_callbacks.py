"""Twilio calls us about calls: keys, who took the call, how far it has come. Signed, or refused (`signatures`).

A key goes through the door first; only when it is committed is it answered with what was understood, read back from the
row that the engine wrote. A machine never undoes a key: whoever pressed one is human, whatever a detector says later.
"""

import asyncio
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, urlsplit

from msgspec import Struct
from msgspec.structs import replace

from alertd.model import call_script
from alertd.model.call_script import CallScript, CallScriptError
from alertd.model.events import Keyed, OutcomeReported
from alertd.model.ids import DISTRICT, CauseId, NotificationId
from alertd.model.notification import NotificationRow, NotificationState
from alertd.ports import Clock, Door, HttpRequest, HttpResponse, NotCommittedError
from alertd_adapters.twilio.signatures import Signatures, plain
from alertd_adapters.twilio.voice import Switchboard, key_url
from alertd_adapters.twilio.voice_calls import Call, Lines, is_machine, outcome_of
from alertd_adapters.twilio.voice_twiml import Speaker

COMMIT_WITHIN_S = 8.0
"""Twilio waits 15 s for an answer, and whoever pressed a key hears silence meanwhile."""
KEYS = frozenset("0123456789")
NOT_KNOWN = "It is not known whether your key was counted. Press it again, or answer by text."
"""If what became of it cannot be read back. Nobody may go away believing that they have answered (promise 5)."""


class Asked(Struct, frozen=True, kw_only=True):
    """What the URL says, which Twilio's signature covers."""

    notification_id: NotificationId
    sid: str
    turn: int
    heard: CallScript
    """As far as the URL tells: presses, and when it was written."""


class VoiceCallbacks:
    """`alertd.ports.Callbacks`."""

    def __init__(  # noqa: PLR0913 - its parts
        self,
        *,
        name: str,
        auth_token: str,
        public_base_url: str,
        clock: Clock,
        lines: Lines,
        switchboard: Switchboard,
        speaker: Speaker,
    ) -> None:
        self.name = name
        self.row: Callable[[NotificationId], NotificationRow | None] = lambda _id: None
        """Rows as the daemon has stored them; the poller is told how to read them."""
        self._signatures = Signatures(name, auth_token)
        self._base_url = public_base_url
        self._clock = clock
        self._lines = lines
        self._switchboard = switchboard
        self._speaker = speaker

    async def callback(self, request: HttpRequest, door: Door) -> HttpResponse:
        fields = self._signatures.read(request, door)
        if isinstance(fields, HttpResponse):
            return fields
        query = dict(parse_qsl(urlsplit(request.url).query))
        sid = fields.get("CallSid", "")
        if not sid or "d" not in query:
            door.observe(self.name, "callback_of_a_stranger")  # another program's call on the same account
            return HttpResponse(status=204)
        asked = Asked(
            notification_id=NotificationId(query["d"]),
            sid=sid,
            turn=_number(query.get("n", "")),
            heard=_heard(query),
        )
        self._lines.learn(sid, asked.notification_id)
        if query.get("about") == "key":
            return await self._take_key(asked, fields, door)
        try:
            return await self._take_status(asked, fields, door)
        except NotCommittedError:
            return plain(503, "not stored, try again")

    # --- keys

    async def _take_key(self, asked: Asked, fields: Mapping[str, str], door: Door) -> HttpResponse:
        key = fields.get("Digits", "")[:1]
        if key not in KEYS or not key:
            return _spoken(self._speaker.again(self._script(asked), self._action(asked)))
        cause = CauseId(f"twilio:{asked.sid}:{asked.turn}:{key}")
        event = Keyed(
            site_id=DISTRICT,
            cause=cause,
            notification_id=asked.notification_id,
            digit=int(key),
            presses=asked.heard.presses,
            written_us=asked.heard.written_us,
            upgrades=asked.heard.upgrades,
            at_us=self._clock.now().wall_us,
        )
        self._lines.keyed(asked.sid)
        try:
            async with asyncio.timeout(COMMIT_WITHIN_S):
                await door.submit(event)
        except (NotCommittedError, TimeoutError):
            door.observe(self.name, "key_not_committed")
            return _spoken(self._speaker.not_stored(self._action(asked)))  # the same question: one key, one cause
        said = self._read(call_script.answer_id(cause)) or replace(asked.heard, main=NOT_KNOWN)
        action = key_url(self._base_url, self.name, asked.notification_id, turn=asked.turn + 1, heard=said)
        return _spoken(self._speaker.answer(said, action))

    def _action(self, asked: Asked) -> str:
        """The same question again."""
        return key_url(self._base_url, self.name, asked.notification_id, turn=asked.turn, heard=asked.heard)

    def _script(self, asked: Asked) -> CallScript:
        return self._read(asked.notification_id) or CallScript(main="")

    def _read(self, notification_id: NotificationId) -> CallScript | None:
        row = self.row(notification_id)
        try:
            return None if row is None else call_script.decode(row.notification.body, row.notification.text)
        except CallScriptError:
            return None

    # --- how far it has come

    async def _take_status(self, asked: Asked, fields: Mapping[str, str], door: Door) -> HttpResponse:
        answered_by = fields.get("AnsweredBy") or None
        status = fields.get("CallStatus") or ("in-progress" if answered_by else "")
        call = Call(sid=asked.sid, status=status, answered_by=answered_by)
        outcome = self._lines.as_known(asked.sid, outcome_of(call, _number(fields.get("SipResponseCode", ""))))
        if call.is_over:
            self._lines.ended(asked.sid)
        if self._lines.is_news(asked.sid, outcome):
            await door.submit(
                OutcomeReported(site_id=DISTRICT, notification_id=asked.notification_id, epoch=None, outcome=outcome)
            )
            self._lines.reported(asked.sid, outcome)
        if call.is_over:
            self._lines.settle(asked.sid)
        if answered_by and is_machine(answered_by) and not call.is_over and not self._is_human(asked):
            await self._leave_words(asked, door)
        return HttpResponse(status=204)

    def _is_human(self, asked: Asked) -> bool:
        row = self.row(asked.notification_id)
        keyed = row is not None and row.state is NotificationState.DELIVERED
        return keyed or self._lines.was_keyed(asked.sid)

    async def _leave_words(self, asked: Asked, door: Door) -> None:
        """The machine records from its beep on: what it keeps must say when, and that it is no answer."""
        script = self._script(asked)  # the detector's URL does not say what a human has heard by now
        action = key_url(self._base_url, self.name, asked.notification_id, turn=asked.turn, heard=script)
        twiml = self._speaker.voicemail(script, action)
        if not await self._switchboard.say_instead(asked.sid, twiml):
            door.observe(self.name, "voicemail_not_left")


def _heard(query: Mapping[str, str]) -> CallScript:
    """What `key_url` wrote down of the words; alertd of a release before wrote less."""
    return CallScript(
        main="",
        presses=_number(query.get("p", "")),
        written_us=_number(query.get("w", "")),
        upgrades=_number(query["u"]) if "u" in query else None,
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else 0


def _spoken(twiml: str) -> HttpResponse:
    return HttpResponse(status=200, headers={"content-type": "text/xml; charset=utf-8"}, body=twiml.encode())
