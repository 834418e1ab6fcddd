"""The carrier's telephone exchange: Twilio's Calls API, phones that ring, and what happens on the line.

Owns the truth about each call: who took it, what was heard, which key was pressed. Speaks what it was told word by word
in time, so that somebody who hangs up in mid-word has heard no more. Must judge by its own knowledge, and never pass
over a call to an emergency number (`violations`).
"""

import asyncio
from collections.abc import Callable, Coroutine
from itertools import islice

from msgspec.json import encode

from alertd.ports import Clock, Http, HttpNoAnswerError, HttpNotSentError, HttpRequest, HttpResponse
from alertd_simulator import carrier_callbacks, carrier_rules, carrier_twiml
from alertd_simulator.carrier_conduct import Conduct, Pickup
from alertd_simulator.carrier_json import CallRecord, call_json, calls_json, error
from alertd_simulator.carrier_rules import E164
from alertd_simulator.carrier_twiml import Gather, Hangup, Say, TwimlError
from alertd_simulator.world_http import SENDING

SETUP_S = 0.4
"""From the head of the queue to the first ring."""
HUNG_UP_S = 0.3
"""From the word that a call is to end until its phone is silent."""
GREETING_S = 5.0
"""A voicemail's own words, to its beep."""
DETECTED_S = 2.5
"""So long a detector listens to a human."""
CALLBACK_TIMEOUT_S = 15.0
CALLS_MAX = 50_000
"""Calls the exchange remembers; a run that places more is broken."""
ANSWERS_MAX = 20
"""TwiML documents of one call: more is a loop."""


class Exchange:
    """The carrier's. `conduct` says what each phone does; ask `calls` and `to(number)` afterwards."""

    def __init__(
        self,
        *,
        clock: Clock,
        account_sid: str,
        auth_token: str,
        numbers: Callable[[], tuple[str, ...]],
        violations: list[str],
    ) -> None:
        self.calls: dict[str, CallRecord] = {}
        self.usual = Conduct()
        self.conducts: dict[str, Conduct] = {}
        self.per_s = 1.0
        """Calls that are started per second; the rest queues."""
        self.rings_strangers = False
        self.callback_http: Http | None = None
        self.on_taken: list[Callable[[CallRecord], None]] = []
        """A call was accepted; its answer may still be lost."""
        self.on_status: list[Callable[[CallRecord], None]] = []
        self.on_pickup: list[Callable[[CallRecord, str], None]] = []
        """Somebody ("human"), or a machine ("machine"), took the call."""
        self.on_heard: list[Callable[[CallRecord, str], None]] = []
        """These words were spoken to their end."""
        self.on_key: list[Callable[[CallRecord, str], None]] = []
        self._clock = clock
        self._account_sid = account_sid
        self._token = auth_token
        self._numbers = numbers
        self._violations = violations
        self._free_s = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self._lives: dict[str, asyncio.Task[None]] = {}
        self._instead: dict[str, asyncio.Queue[str]] = {}
        self._keys: dict[str, asyncio.Queue[str]] = {}

    def to(self, number: str) -> list[CallRecord]:
        """Calls placed to this number, oldest first."""
        return [call for call in self.calls.values() if call.to == number]

    def conduct(self, number: str) -> Conduct:
        return self.conducts.get(number, self.usual)

    # --- what comes over HTTP

    def route(self, method: str, path: list[str], form: dict[str, str], query: dict[str, str]) -> HttpResponse | None:
        """`path` below the account's. `None`: there is no such thing."""
        match method, path:
            case "POST", ["", "Calls"]:
                return self.create(form)
            case "GET", ["", "Calls"]:
                return self.list(query)
            case "GET", ["", "Calls", sid] if sid in self.calls:
                return _json(200, call_json(self.calls[sid], self._account_sid))
            case "POST", ["", "Calls", sid] if sid in self.calls:
                return self.update(sid, form)
            case _:
                return None

    def create(self, form: dict[str, str]) -> HttpResponse:
        to, sender, twiml = form.get("To", ""), form.get("From", ""), form.get("Twiml", "")
        if complaint := carrier_rules.complaint(to, strangers=self.rings_strangers):
            self._violations.append(complaint)
        checks = (
            (not to, 21201),
            (not sender, 21213),
            (not E164.fullmatch(to), 21211),
            (sender not in self._numbers(), 21210),
            (not twiml or len(twiml) > carrier_twiml.CHARS_MAX, 21205),
        )
        if refusal := next((code for failed, code in checks if failed), 0):
            return error(400, refusal, f"refused: {refusal}")
        self._judge_twiml(twiml)
        assert len(self.calls) < CALLS_MAX, f"more than {CALLS_MAX} calls in one run"
        now_us = self._clock.now().wall_us
        call = CallRecord(
            sid=f"CA{len(self.calls) + 1:032x}", to=to, sender=sender, twiml=twiml, created_us=now_us,
            updated_us=now_us, callback_url=form.get("StatusCallback"), machine_url=form.get("AsyncAmdStatusCallback"),
            detects="MachineDetection" in form, holds="MachineDetection" in form and form.get("AsyncAmd") != "true",
            ring_s=float(form.get("Timeout", 60)), sending=SENDING.get(),
        )  # fmt: skip
        self.calls[call.sid] = call
        answer = _json(201, call_json(call, self._account_sid))  # before any timer may move it on
        for listener in self.on_taken:
            listener(call)
        self._lives[call.sid] = self._spawn(self._live(call))
        return answer

    def update(self, sid: str, form: dict[str, str]) -> HttpResponse:
        """`Twiml`: what the call says from now on. `Status`: it is to end; the answer shows it as it was."""
        call = self.calls[sid]
        if "Status" in form:
            return self._end(call, form["Status"])
        if call.status != "in-progress" or "Twiml" not in form:
            return error(400, 21220, "Invalid call state. Call is not in-progress. Cannot redirect.")
        self._judge_twiml(form["Twiml"])
        self._instead[sid].put_nowait(form["Twiml"])
        return _json(200, call_json(call, self._account_sid))

    def _end(self, call: CallRecord, status: str) -> HttpResponse:
        """*canceled* does nothing to a call that somebody has taken, *completed* hangs up. A phone needs a moment to
        fall silent: whoever takes it meanwhile has taken it."""
        if status not in ("canceled", "completed"):
            self._violations.append(f"{call.sid} is to become {status!r}, which is no end of a call")
        if not call.is_live:
            return error(400, 21220, "Invalid call state. Call is not in-progress. Cannot redirect.")
        asyncio.get_running_loop().call_later(HUNG_UP_S, self._hang_up, call, status)
        return _json(200, call_json(call, self._account_sid))

    def _hang_up(self, call: CallRecord, status: str) -> None:
        taken = call.status == "in-progress"
        if not call.is_live or (taken and status == "canceled"):
            return
        self._lives.pop(call.sid).cancel()
        self._move(call, "completed" if taken else "canceled")

    def list(self, query: dict[str, str]) -> HttpResponse:
        """Newest first. A filter by StartTime does not see what nobody has taken yet."""
        wanted = [("to", query.get("To")), ("sender", query.get("From")), ("status", query.get("Status"))]
        found = (
            call
            for call in reversed(self.calls.values())
            if all(value is None or getattr(call, name) == value for name, value in wanted)
            and not (call.start_us is None and any(name.startswith("StartTime") for name in query))
        )
        page = tuple(islice(found, int(query.get("PageSize", 50))))
        return _json(200, calls_json(page, self._account_sid))

    def _judge_twiml(self, twiml: str) -> None:
        try:
            carrier_twiml.read(twiml)
        except TwimlError as problem:
            self._violations.append(f"TwiML that no carrier speaks: {problem}")

    # --- the life of a call

    async def _live(self, call: CallRecord) -> None:
        loop = asyncio.get_running_loop()
        head_s = max(loop.time(), self._free_s)
        self._free_s = head_s + 1 / self.per_s
        is_engaged = any(o.to == call.to and o.is_live and o is not call for o in self.calls.values())
        await asyncio.sleep(head_s - loop.time() + SETUP_S)
        self._move(call, "initiated")
        conduct = self.conduct(call.to)
        if conduct.pickup is Pickup.OFF:
            call.sip_code = 480
            self._move(call, "failed")
        elif conduct.pickup is Pickup.BUSY or is_engaged:
            self._move(call, "busy")
        else:
            self._move(call, "ringing")
            taken = conduct.pickup in (Pickup.TAKES, Pickup.VOICEMAIL) and conduct.rings_s <= call.ring_s
            await asyncio.sleep(conduct.rings_s if taken else call.ring_s)
            if taken:
                await self._talk(call, conduct)
            else:
                self._move(call, "no-answer")

    async def _talk(self, call: CallRecord, conduct: Conduct) -> None:
        self._instead[call.sid] = asyncio.Queue()
        self._keys[call.sid] = asyncio.Queue()
        call.taken_by = "machine" if conduct.pickup is Pickup.VOICEMAIL else "human"
        call.start_us = self._clock.now().wall_us
        self._move(call, "in-progress")
        for listener in self.on_pickup:
            listener(call, call.taken_by)
        helpers = [
            asyncio.ensure_future(self._detect(call, conduct)),
            asyncio.ensure_future(self._press(call, conduct)),
        ]
        try:
            async with asyncio.timeout(conduct.hangs_up_s or None):
                if call.holds:
                    await helpers[0]  # held in silence until the detector is done
                await self._speak_in_turn(call)
        except TimeoutError:
            pass  # they hung up
        finally:
            for helper in helpers:
                helper.cancel()
        self._move(call, "completed")

    async def _speak_in_turn(self, call: CallRecord) -> None:
        """What it was told, until it is told something else, or has nothing more to say."""
        instead = self._instead[call.sid]
        twiml = call.twiml
        while True:
            speaking = asyncio.ensure_future(self._speak(call, twiml))
            told = asyncio.ensure_future(instead.get())
            try:
                await asyncio.wait({speaking, told}, return_when=asyncio.FIRST_COMPLETED)
                if not told.done():
                    return
                twiml = told.result()
            finally:
                speaking.cancel()
                told.cancel()

    async def _speak(self, call: CallRecord, twiml: str) -> None:
        for _ in range(ANSWERS_MAX):
            following = await self._perform(call, twiml)
            if following is None:
                return
            twiml = following
        self._violations.append(f"{call.sid} goes round in circles")

    async def _perform(self, call: CallRecord, twiml: str) -> str | None:
        """One document; the next one, if a key led to it."""
        try:
            verbs = carrier_twiml.read(twiml)
        except TwimlError as problem:
            self._violations.append(f"TwiML that no carrier speaks: {problem}")
            return None
        for verb in verbs:
            match verb:
                case Say():
                    await self._say(call, verb)
                case Gather():
                    key = await self._listen(call, verb)
                    if key is not None:
                        return await self._send_key(call, verb.action, key)
                case Hangup():
                    return None
        return None

    async def _say(self, call: CallRecord, say: Say) -> None:
        await asyncio.sleep(say.lasts_s)
        call.heard.append(say.text)
        if call.taken_by == "machine" and call.answered_by:  # it has beeped
            call.taped.append(say.text)
        for listener in self.on_heard:
            listener(call, say.text)

    async def _listen(self, call: CallRecord, gather: Gather) -> str | None:
        keys = self._keys[call.sid]
        while not keys.empty():
            keys.get_nowait()  # pressed while nothing listened

        async def speak() -> None:
            for say in gather.says:
                await self._say(call, say)
            await asyncio.sleep(gather.timeout_s)

        speaking, pressed = asyncio.ensure_future(speak()), asyncio.ensure_future(keys.get())
        try:
            await asyncio.wait({speaking, pressed}, return_when=asyncio.FIRST_COMPLETED)
            return pressed.result() if pressed.done() else None
        finally:
            speaking.cancel()
            pressed.cancel()

    async def _press(self, call: CallRecord, conduct: Conduct) -> None:
        at_s = 0.0
        for key, after_s in sorted(conduct.keys, key=lambda key: key[1]):
            await asyncio.sleep(max(0.0, after_s - at_s))
            at_s = after_s
            self.press(call, key)

    def press(self, call: CallRecord, key: str) -> None:
        """Whoever holds the phone presses a key."""
        if not call.is_live or call.taken_by != "human":
            return
        call.keys.append(key)
        for listener in self.on_key:
            listener(call, key)
        self._keys[call.sid].put_nowait(key)

    async def _detect(self, call: CallRecord, conduct: Conduct) -> None:
        """Meanwhile: is it a machine? A human is known after two seconds, a machine at its beep."""
        if not call.detects:
            return
        truth = "machine_end_beep" if call.taken_by == "machine" else "human"
        said = conduct.detected or truth
        await asyncio.sleep(GREETING_S if said.startswith("machine") else DETECTED_S)
        call.answered_by = said
        if call.machine_url:
            form = carrier_callbacks.machine_form(call, self._account_sid)
            await self._call_back(call.machine_url, form)

    # --- calls to us

    async def _send_key(self, call: CallRecord, action: str, key: str) -> str | None:
        """TwiML, or nothing: then the line is dead, with words of the carrier's own."""
        form = carrier_callbacks.key_form(call, self._account_sid, key)
        answer = await self._call_back(action, form)
        if answer is None or answer.status != 200:
            call.heard.append("An application error has occurred. Goodbye.")
            return None
        return answer.body.decode()

    def _move(self, call: CallRecord, status: str) -> None:
        call.status, call.updated_us = status, self._clock.now().wall_us
        for listener in self.on_status:
            listener(call)
        if call.callback_url:
            self._spawn(self._tell(call.callback_url, carrier_callbacks.call_form(call, self._account_sid)))

    async def _tell(self, url: str, form: dict[str, str]) -> None:
        await self._call_back(url, form)

    async def _call_back(self, url: str, form: dict[str, str]) -> HttpResponse | None:
        if self.callback_http is None:
            return None
        request: HttpRequest = carrier_callbacks.signed(url, form, self._token)
        try:
            return await self.callback_http.send(request, timeout_s=CALLBACK_TIMEOUT_S)
        except (HttpNotSentError, HttpNoAnswerError):
            return None

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _json(status: int, body: object) -> HttpResponse:
    return HttpResponse(status=status, headers={"content-type": "application/json"}, body=encode(body))
