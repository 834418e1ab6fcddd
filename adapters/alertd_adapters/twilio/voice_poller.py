"""Asks Twilio what became of calls: the only way for a school behind NAT, and for callbacks that were lost.

Asks about calls that are under way and no others: those that nobody has settled, and those that still have a phone's
line, whoever took them. Forgetting is harmless: a status only ever adds knowledge. Keys are never polled: Twilio does
not keep them. Where nothing reaches us it is also the only one that learns of a machine, and tells it what to keep.
"""

import asyncio
from collections.abc import Sequence
from functools import partial

from msgspec import Struct

from alertd.model import call_script
from alertd.model.call_script import CallScript, CallScriptError
from alertd.model.events import OutcomeReported
from alertd.model.notification import NotificationRow, age_us
from alertd.ports import Activity, Clock, Door, NotCommittedError
from alertd_adapters.twilio.rest import NoAnswerError
from alertd_adapters.twilio.voice import Switchboard
from alertd_adapters.twilio.voice_callbacks import VoiceCallbacks
from alertd_adapters.twilio.voice_calls import Call, Lines, is_machine, outcome_of
from alertd_adapters.twilio.voice_settings import VoiceSettings
from alertd_adapters.twilio.voice_twiml import Speaker

HORIZON_US = 900 * 1_000_000
"""A call that Twilio has not settled by then never will be: ringing and speaking take minutes."""
SIGNED_AFTER_US = 60 * 1_000_000
"""With callbacks, only a call so old is asked about: its callbacks were lost."""
FETCHES_MAX = 10
PAUSE_MAX_S = 30.0


class Question(Struct, frozen=True, kw_only=True):
    """A call to ask about."""

    sid: str
    row: NotificationRow | None
    """`None`: all is known of its message, and only the line is waited for."""


class VoicePoller:
    """`alertd.ports.Inbound`."""

    def __init__(  # noqa: PLR0913 - its parts
        self,
        *,
        name: str,
        settings: VoiceSettings,
        switchboard: Switchboard,
        speaker: Speaker,
        clock: Clock,
        lines: Lines,
        callbacks: VoiceCallbacks | None,
    ) -> None:
        self.name = name
        self._settings = settings
        self._switchboard = switchboard
        self._speaker = speaker
        self._clock = clock
        self._lines = lines
        self._callbacks = callbacks
        self._failures = 0
        self._next = 0

    async def run(self, door: Door, activity: Activity) -> None:
        if self._callbacks is not None:
            self._callbacks.row = activity.row
        self._lines.stored = partial(activity.owner_of, self.name)
        while True:
            try:
                await self._clear_up(door, activity)
                for question in self._turn(self._under_way(activity)):
                    await self._ask(question, door)
                self._failures = 0
            except NoAnswerError:
                self._failures += 1
                door.observe(self.name, "poll_failed")
            except NotCommittedError:
                door.observe(self.name, "poll_not_committed")  # the store's trouble, told elsewhere; asked for again
            await asyncio.sleep(min(self._settings.poll_s * 2 ** min(self._failures, 8), PAUSE_MAX_S))

    async def _clear_up(self, door: Door, activity: Activity) -> None:
        """First, and many at once: until it is known whether those calls are over, their phones ring for nobody."""
        doubtful = {held.sid for held in self._lines.holding() if held.doubtful}
        questions = [question for question in self._under_way(activity) if question.sid in doubtful]
        for start in range(0, len(questions), FETCHES_MAX):
            await asyncio.gather(*(self._ask(question, door) for question in questions[start : start + FETCHES_MAX]))

    def _under_way(self, activity: Activity) -> list[Question]:
        now = self._clock.now()
        ask_after_us = SIGNED_AFTER_US if self._callbacks is not None else 0
        holding = [held for held in self._lines.holding() if held.sid]
        doubtful = {held.sid for held in holding if held.doubtful}
        rows = [row for row in activity.unsettled(self.name) if row.ref and not self._lines.is_settled(row.ref)]
        asked = {
            row.ref: Question(sid=row.ref, row=row)
            for row in rows
            if age_us(row.notification, now) < HORIZON_US
            and (age_us(row.notification, now) >= ask_after_us or row.ref in doubtful)
        }
        for held in holding:
            if held.doubtful or held.began_us <= now.boot_us - ask_after_us:
                asked.setdefault(held.sid, Question(sid=held.sid, row=None))
        return list(asked.values())

    def _turn(self, questions: list[Question]) -> Sequence[Question]:
        """A bounded number of them, each poll the next ones."""
        if len(questions) <= FETCHES_MAX:
            return questions
        start = self._next % len(questions)
        self._next = start + FETCHES_MAX
        return (questions[start:] + questions[:start])[:FETCHES_MAX]

    async def _ask(self, question: Question, door: Door) -> None:
        call = await self._switchboard.fetch(question.sid)
        if call is not None and not call.is_over:
            self._lines.goes_on(question.sid)
        elif call is not None or question.row is None:
            self._lines.ended(question.sid)
        if call is None or question.row is None:
            return  # Twilio does not know it yet: it was placed just now
        await self._report(call, question.row, door)
        if call.is_over:
            self._lines.settle(question.sid)

    async def _report(self, call: Call, row: NotificationRow, door: Door) -> None:
        n = row.notification
        self._lines.learn(call.sid, n.id)
        outcome = self._lines.as_known(call.sid, outcome_of(call))
        if self._lines.is_news(call.sid, outcome):
            await door.submit(OutcomeReported(site_id=n.site_id, notification_id=n.id, epoch=None, outcome=outcome))
            self._lines.reported(call.sid, outcome)
        listens = call.status == "in-progress" and is_machine(call.answered_by or "")
        if self._callbacks is None and listens and self._lines.tape(call.sid):
            await self._leave_words(call.sid, row, door)

    async def _leave_words(self, sid: str, row: NotificationRow, door: Door) -> None:
        """What a machine keeps must say when, and that it is no answer; with callbacks, they see to it."""
        n = row.notification
        try:
            script = call_script.decode(n.body, n.text)
        except CallScriptError:
            script = CallScript(main=n.text)
        if not await self._switchboard.say_instead(sid, self._speaker.voicemail(script, None)):
            door.observe(self.name, "voicemail_not_left")
