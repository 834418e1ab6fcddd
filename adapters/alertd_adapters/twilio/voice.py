"""Placing one call, and finding out what became of one whose answer was lost: plugin `voice_twilio`.

Everything the call says travels with the request, so the place is heard within a second of taking it, also when nothing
can reach us. A call that may have been placed is *Unknown*, never placed again here. A second call to a phone that our
first one still has would find it busy: it is held.
"""

import asyncio
from urllib.parse import urlencode
from zlib import crc32

from alertd.model import call_script
from alertd.model.call_script import CallScript, CallScriptError
from alertd.model.ids import NotificationId
from alertd.model.mode import Mode
from alertd.model.notification import Claim, Notification, NotificationRow
from alertd.model.outcome import Failed, Outcome, Unknown, Withdrawn
from alertd.ports import Clock, HttpNoAnswerError, HttpNotSentError, HttpResponse
from alertd_adapters.twilio.channel import HTTP_SHARE_OF_DEADLINE, callback_url, oldest_us, refusal, refused
from alertd_adapters.twilio.rest import NoAnswerError, TwilioRest, decode
from alertd_adapters.twilio.voice_calls import CUT_OFF, Call, CallPage, Held, Lines, outcome_of
from alertd_adapters.twilio.voice_settings import VoiceSettings
from alertd_adapters.twilio.voice_twiml import Speaker

HELD_S = 30.0
"""Before a phone that our own call has is tried again, if nobody hears meanwhile that it is free."""
HELD_BY_DRILL_S = 2.0
"""The same, of a drill's call that did not make way for a real one at once."""
MAKES_WAY_S = 4.0
"""So much of a real call's time goes at most into ending a drill's on the same phone."""
TAKES_EFFECT_S = 0.5
"""Twilio hears of the end of a call at once, the phone a moment later: then it is asked how the call stands."""
TAKES_EFFECT_CHECKS = 4
LOOK_UP_PAGE = 50
EVENTS = ("initiated", "ringing", "answered", "completed")


class Switchboard:
    """Twilio's Calls API: places calls, changes what they say, asks what became of them."""

    def __init__(self, rest: TwilioRest, settings: VoiceSettings) -> None:
        self._rest = rest
        self._calls = f"{rest.account}/Calls"
        self._timeout_s = settings.deadline_s * HTTP_SHARE_OF_DEADLINE

    @property
    def ahead_us(self) -> int:
        """How far Twilio's clock is ahead of ours."""
        return self._rest.ahead_us

    async def place(self, form: list[tuple[str, str]]) -> HttpResponse:
        """Raises the port's two errors."""
        return await self._rest.post(f"{self._calls}.json", form, timeout_s=self._timeout_s)

    async def say_instead(self, sid: str, twiml: str) -> bool:
        """From now on the call says this. False: it is over, or Twilio did not hear us."""
        try:
            answer = await self._rest.post(f"{self._calls}/{sid}.json", [("Twiml", twiml)], timeout_s=self._timeout_s)
        except (HttpNotSentError, HttpNoAnswerError):
            return False
        return 200 <= answer.status < 300

    async def end(self, sid: str, status: str) -> Call | None:
        """End a call, and see how it stands then; `None`: Twilio does not say. Twilio, "Update a Call": *canceled*
        hangs up calls that are queued or ringing and does not affect one in progress; *completed* hangs it up, too.

        The answer to the POST is not believed: what it shows may not have taken effect, and a refusal (the call is
        over, or somebody took it in this moment) does not say which."""
        call = None
        try:
            await self._rest.post(f"{self._calls}/{sid}.json", [("Status", status)], timeout_s=self._timeout_s)
            for _ in range(TAKES_EFFECT_CHECKS):
                await asyncio.sleep(TAKES_EFFECT_S)
                call = await self.fetch(sid)
                if call is None or call.is_over or (call.status == "in-progress" and status == "canceled"):
                    break
        except (HttpNotSentError, HttpNoAnswerError, NoAnswerError):
            return None
        return call

    async def fetch(self, sid: str) -> Call | None:
        """`None`: Twilio certainly does not have it. Raises `NoAnswerError`."""
        if not sid.isalnum():
            return None  # no SID looks so, and it would change the path
        try:
            return decode(await self._rest.get(f"{self._calls}/{sid}.json", self._timeout_s), Call)
        except NoAnswerError as error:
            if error.status == 404 and error.code == 20404:
                return None
            raise

    async def to(self, number: str) -> tuple[Call, ...]:
        """The last calls to a phone, newest first. Never by StartTime: null until somebody takes the call."""
        query = urlencode({"To": number, "PageSize": str(LOOK_UP_PAGE)})
        return decode(await self._rest.get(f"{self._calls}.json?{query}", self._timeout_s), CallPage).calls

    def without_secrets(self, error: Exception) -> str:
        return self._rest.without_secrets(str(error) or type(error).__name__)


class VoiceChannel:
    """`alertd.ports.Channel` for calls."""

    kind = "voice"

    def __init__(  # noqa: PLR0913 - its parts
        self,
        *,
        name: str,
        settings: VoiceSettings,
        switchboard: Switchboard,
        speaker: Speaker,
        clock: Clock,
        lines: Lines,
        callback_base_url: str | None,
    ) -> None:
        self.name = name
        self.limits = settings.limits
        self._settings = settings
        self._switchboard = switchboard
        self._speaker = speaker
        self._clock = clock
        self._lines = lines
        self._callback_base_url = callback_base_url

    async def send(self, claim: Claim) -> Outcome:
        n = claim.notification
        if why := refusal(n):
            return why
        held = self._lines.held_against(n)
        if held is not None and not await self._makes_way(held, n):
            detail = "our own call to this phone is not over; a second one would find it busy"
            wait_s = HELD_BY_DRILL_S if held.drill and n.mode is Mode.LIVE else HELD_S
            return Failed(permanent=False, code="line_held", detail=detail, retry_after_s=wait_s, not_tried=True)
        try:
            script = call_script.decode(n.body, n.text)
        except CallScriptError:
            script = CallScript(main=n.text)  # a call without keys beats no call
        self._lines.dialling(n)  # else the next call to this phone would find it busy, as soon as this one rings
        outcome = await self._place(n, script)
        if isinstance(outcome, Failed):
            self._lines.let_go(n.id)
        return outcome

    async def _place(self, n: Notification, script: CallScript) -> Outcome:
        try:
            response = await self._switchboard.place(self._form(n, script))
        except HttpNotSentError as error:
            why_not = self._switchboard.without_secrets(error)
            return Failed(permanent=False, code="not_sent", detail=f"Twilio was not reached: {why_not}")
        except HttpNoAnswerError as error:
            return Unknown(detail=f"no answer from Twilio: {self._switchboard.without_secrets(error)}")
        return self._judge(response, n)

    async def look_up(self, row: NotificationRow) -> Outcome | None:
        n = row.notification
        sid = self._lines.sid_of(n.id) or row.ref
        try:
            call = await self._switchboard.fetch(sid) if sid else None
            call = call or await self._find(n)
        except NoAnswerError:
            self._lines.let_go(n.id)
            return None
        if call is None or call.is_over:
            self._lines.let_go(n.id)
        if call is None:
            return Failed(permanent=False, code="not_found", detail="Twilio never had it")
        self._lines.learn(call.sid, n.id)
        if call.is_over:
            self._lines.ended(call.sid)
        else:
            self._lines.began(call.sid, n)
        return outcome_of(call)

    async def withdraw(self, row: NotificationRow) -> Outcome | None:
        """`alertd.ports.Recalling`. A call that somebody listens to is left to them; a drill's is not: whoever hears
        "this is a drill" after its end, while something real may be on its way to the same phone, is misled."""
        drill = row.notification.mode is Mode.DRILL
        call, cut_off = await self._end(self._lines.sid_of(row.notification.id) or row.ref, hang_up=drill)
        if call is None:
            return None
        if cut_off:
            return Withdrawn(ref=call.sid, detail=CUT_OFF, taken=True)
        outcome = outcome_of(call)
        if isinstance(outcome, Withdrawn):
            self._lines.reported(call.sid, outcome)
            return outcome
        too_late = call.is_over or (call.status == "in-progress" and not drill)
        return outcome if too_late else None

    async def _end(self, sid: str, *, hang_up: bool) -> tuple[Call | None, bool]:
        """How the call stands then, and whether somebody was cut off."""
        call, cut_off = await self._switchboard.end(sid, "canceled"), False
        if call is not None and call.status == "in-progress" and hang_up:
            call = await self._switchboard.end(sid, "completed")
            cut_off = call is not None and call.is_over
        if call is not None and call.is_over:
            self._lines.ended(sid)
        return call, cut_off

    async def _makes_way(self, held: Held, n: Notification) -> bool:
        """A drill's call gives the line to a real one."""
        if not held.drill or n.mode is not Mode.LIVE:
            return False
        self._lines.gives_way(held.sid)
        try:
            async with asyncio.timeout(MAKES_WAY_S):
                call, _ = await self._end(held.sid, hang_up=True)
        except TimeoutError:
            return False
        return call is not None and call.is_over

    async def _find(self, n: Notification) -> Call | None:
        """The oldest call to its phone since it was written that is nobody else's. A call has no words to know it by;
        but two of ours are never under way to one phone, so there is rarely more than one."""
        calls = await self._switchboard.to(n.endpoint.address)
        since_us = oldest_us(n, self._clock.now(), self._switchboard.ahead_us)
        young = [call for call in reversed(calls) if call.created_us is None or call.created_us >= since_us]
        ours = [c for c in young if c.sender in self._settings.from_numbers and c.direction != "inbound"]
        return next((call for call in ours if self._lines.owner(call.sid) in (None, n.id)), None)

    def _judge(self, response: HttpResponse, n: Notification) -> Outcome:
        """What an answer to a POST means. Only a refusal proves that no phone rings."""
        if 400 <= response.status < 500:
            return refused(response)
        if 300 <= response.status < 400:
            detail = "something between us and Twilio redirects; redirects are never followed: check base_url, proxy"
            return Failed(permanent=False, code=f"http_{response.status}", detail=detail)
        try:
            call = decode(response.body, Call) if 200 <= response.status < 300 else None
        except NoAnswerError:
            call = None
        if call is None or not call.sid:
            return Unknown(detail=f"Twilio said HTTP {response.status}, but not which call")
        self._lines.learn(call.sid, n.id)
        self._lines.began(call.sid, n)
        return outcome_of(call)

    def _form(self, n: Notification, script: CallScript) -> list[tuple[str, str]]:
        numbers, base = self._settings.from_numbers, self._callback_base_url
        key = None if base is None else key_url(base, self.name, n.id, turn=0, heard=script)
        form = {
            "To": n.endpoint.address,
            "From": numbers[crc32(n.endpoint.address.encode()) % len(numbers)],
            "Twiml": self._speaker.opening(script, key),
            "Timeout": str(self._settings.ring_s),
            "MachineDetection": "DetectMessageEnd",
            "AsyncAmd": "true",  # the call speaks at once; who took it is found out meanwhile
        }
        if base is None:
            return list(form.items())
        form["AsyncAmdStatusCallback"] = callback_url(base, self.name, about="machine", d=n.id)
        form["StatusCallback"] = callback_url(base, self.name, about="status", d=n.id)
        return [*form.items(), *(("StatusCallbackEvent", event) for event in EVENTS)]


def key_url(base: str, name: str, notification_id: NotificationId, *, turn: int, heard: CallScript) -> str:
    """Where a key goes. Twilio signs the URL, so what it says is what we wrote: which call, which of its questions,
    how many presses of the incident had been spoken of, how grave it was then, and when those words were written."""
    known = {"p": str(heard.presses), "w": str(heard.written_us)}
    if heard.upgrades is not None:
        known["u"] = str(heard.upgrades)
    return callback_url(base, name, about="key", d=notification_id, n=str(turn), **known)
