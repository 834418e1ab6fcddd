"""Asks Twilio what became of calls: the only way for a school behind NAT, and for callbacks that were lost.

Asks about calls that are under way and no others. Forgetting is harmless: a status only ever adds knowledge. Keys are
never polled: Twilio does not keep them.
"""

import asyncio
from collections.abc import Sequence
from functools import partial

from alertd.model.events import OutcomeReported
from alertd.model.notification import NotificationRow
from alertd.ports import Activity, Clock, Door, NotCommittedError
from alertd_adapters.twilio.rest import NoAnswerError
from alertd_adapters.twilio.voice import Switchboard
from alertd_adapters.twilio.voice_callbacks import VoiceCallbacks
from alertd_adapters.twilio.voice_calls import Lines, outcome_of
from alertd_adapters.twilio.voice_settings import VoiceSettings

HORIZON_US = 900 * 1_000_000
"""A call that Twilio has not settled by then never will be: ringing and speaking take minutes."""
SIGNED_AFTER_US = 60 * 1_000_000
"""With callbacks, only a call so old is asked about: its callbacks were lost."""
FETCHES_MAX = 10
PAUSE_MAX_S = 30.0


class VoicePoller:
    """`alertd.ports.Inbound`."""

    def __init__(
        self,
        *,
        name: str,
        settings: VoiceSettings,
        switchboard: Switchboard,
        clock: Clock,
        lines: Lines,
        callbacks: VoiceCallbacks | None,
    ) -> None:
        self.name = name
        self._settings = settings
        self._switchboard = switchboard
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
                for row in self._turn(self._under_way(activity)):
                    await self._ask(row, door)
                self._failures = 0
            except NoAnswerError:
                self._failures += 1
                door.observe(self.name, "poll_failed")
            except NotCommittedError:
                door.observe(self.name, "poll_not_committed")  # the store's trouble, told elsewhere; asked for again
            await asyncio.sleep(min(self._settings.poll_s * 2 ** min(self._failures, 8), PAUSE_MAX_S))

    def _under_way(self, activity: Activity) -> list[NotificationRow]:
        now_us = self._clock.now().wall_us
        youngest_us = now_us - (SIGNED_AFTER_US if self._callbacks is not None else 0)
        rows = [row for row in activity.unsettled(self.name) if row.ref and not self._lines.is_over(row.ref)]
        return [row for row in rows if now_us - HORIZON_US < row.notification.created_us <= youngest_us]

    def _turn(self, rows: list[NotificationRow]) -> Sequence[NotificationRow]:
        """A bounded number of them, each poll the next ones."""
        if len(rows) <= FETCHES_MAX:
            return rows
        start = self._next % len(rows)
        self._next = start + FETCHES_MAX
        return (rows[start:] + rows[:start])[:FETCHES_MAX]

    async def _ask(self, row: NotificationRow, door: Door) -> None:
        n = row.notification
        call = await self._switchboard.fetch(row.ref)
        if call is None:
            return
        self._lines.learn(call.sid, n.id)
        outcome = outcome_of(call)
        if self._lines.is_news(call.sid, outcome):
            await door.submit(OutcomeReported(site_id=n.site_id, notification_id=n.id, epoch=None, outcome=outcome))
            self._lines.reported(call.sid, outcome)
        if call.is_over:
            self._lines.ended(call.sid)
