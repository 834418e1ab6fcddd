"""Asks Twilio for replies and statuses: the way in for a school behind NAT (req 59).

While an incident is open, or a text is still on its way, every `poll_s`; else slowly, so that a STOP is known before
the next incident. With signed callbacks always slowly, for what Twilio could not deliver to us.
Forgetting is harmless: a reply's cause is its SID, which the store knows; a status only ever adds knowledge. What was
not committed is asked for again. Must never lose a reply because our clock is wrong: times are Twilio's.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial

import structlog

from alertd.model.events import OutcomeReported, Replied, TroubleCleared, TroubleRaised
from alertd.model.ids import DISTRICT, CauseId
from alertd.model.notification import NotificationRow, age_us
from alertd.ports import Activity, Clock, Door, NotCommittedError
from alertd_adapters.twilio.rest import Message, NoAnswerError, Page, TwilioRest
from alertd_adapters.twilio.settings import TwilioSettings
from alertd_adapters.twilio.statuses import Sids, outcome_of

log = structlog.get_logger(__name__)

SECOND_US = 1_000_000
TIMEOUT_S = 8.0
FIRST_LOOK_BACK_US = 3_600 * SECOND_US
"""Replies of the hour before we started: somebody may have answered while we were down."""
OVERLAP_US = 300 * SECOND_US
"""Replies may be listed late."""
REPLY_PAGE = 20
REPLY_PAGES_MAX = 50
STATUS_PAGE = 100
STATUS_PAGES_MAX = 5
STATUS_BUDGET_S = 5.0
STATUS_FETCHES_MAX = 10
"""Single look-ups of one poll, for texts that the lists did not show."""
STATUS_FRESH_US = 120 * SECOND_US
"""A text so young is watched closely although no incident is open (`alertd test`)."""
STATUS_HORIZON_US = 4 * 3_600 * SECOND_US
"""Some carriers never say *delivered*: then nobody asks any more."""
SEEN_MAX = 10_000
FAILURES_UNTIL_TROUBLE = 3
PAUSE_MAX_S = 15.0
"""Longest pause after failures while somebody waits for an answer; a Retry-After beyond it is cut."""
PAUSE_IDLE_MAX_S = 60.0


class TwilioPoller:
    """`alertd.ports.Inbound`."""

    def __init__(self, *, name: str, settings: TwilioSettings, rest: TwilioRest, clock: Clock, sids: Sids) -> None:
        self.name = name
        self._settings = settings
        self._rest = rest
        self._clock = clock
        self._sids = sids
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._polled_us: int | None = None
        """Boot time of the last poll, good or bad."""
        self._covered_us = clock.now().boot_us - FIRST_LOOK_BACK_US
        """Boot time up to which we know all replies."""
        self._pause_until_us = 0
        self._failures = 0
        self._is_troubled: bool | None = None
        """`None`: an earlier incarnation may have raised it."""
        self._next_fetch = 0

    async def run(self, door: Door, activity: Activity) -> None:
        self._sids.stored = partial(activity.owner_of, self.name)
        while True:
            if self._may_be_due():
                rows = self._rows(activity)
                is_busy = activity.open_incidents() or self._any_fresh(rows)
                if is_busy or self._is_idle_over():
                    await self._poll(door, rows, is_busy=is_busy)
            await asyncio.sleep(self._settings.poll_s)

    def _may_be_due(self) -> bool:
        """With signed callbacks only the time decides, and nobody need look for what is unsettled."""
        if self._clock.now().boot_us < self._pause_until_us:
            return False
        return self._settings.callbacks == "poll" or self._is_idle_over()

    def _is_idle_over(self) -> bool:
        if self._polled_us is None:
            return True
        return self._clock.now().boot_us - self._polled_us >= self._settings.idle_poll_s * SECOND_US

    def _rows(self, activity: Activity) -> Sequence[NotificationRow]:
        now = self._clock.now()
        rows = [r for r in activity.unsettled(self.name) if r.ref and age_us(r.notification, now) < STATUS_HORIZON_US]
        for row in rows:
            self._sids.learn(row.ref, row.notification.id)
        return rows

    def _any_fresh(self, rows: Sequence[NotificationRow]) -> bool:
        now = self._clock.now()
        return any(age_us(row.notification, now) < STATUS_FRESH_US for row in rows)

    async def _poll(self, door: Door, rows: Sequence[NotificationRow], *, is_busy: bool) -> None:
        started_us = self._polled_us = self._clock.now().boot_us
        try:
            await self._take_replies(door)
            await self._take_statuses(door, rows)
            await self._worked(door)
        except NoAnswerError as error:
            self._pause(error, is_busy=is_busy)
            await self._failed(door, error)
        except NotCommittedError:
            door.observe(self.name, "poll_not_committed")  # the store's trouble, told elsewhere; asked for again
        else:
            self._covered_us = started_us

    # --- replies

    async def _take_replies(self, door: Door) -> None:
        found: list[Message] = []
        for query in self._queries("To", REPLY_PAGE):
            found += await self._newest(query, REPLY_PAGES_MAX, self._is_old_reply, door)
        replies = [message for message in reversed(found) if message.is_inbound and message.sid not in self._seen]
        for message in sorted(replies, key=lambda m: m.sent_us or 0):  # stable: stamps are whole seconds
            await door.submit(self._replied(message))
            self._remember(message.sid)

    def _is_old_reply(self, message: Message) -> bool:
        """Not filtered by Twilio: a DateSent from a clock that is a day wrong would show nothing at all."""
        look_back_us = self._clock.now().boot_us - self._covered_us + OVERLAP_US
        return message.sent_us is not None and message.sent_us < self._rest.now_us - look_back_us

    def _queries(self, field: str, page_size: int) -> list[dict[str, str]]:
        """One list a number; all of the account's texts where Twilio chooses the numbers."""
        paging = {"PageSize": str(page_size)}
        return [{field: number, **paging} for number in self._settings.from_numbers] or [paging]

    def _remember(self, sid: str) -> None:
        self._seen[sid] = None
        while len(self._seen) > SEEN_MAX:
            self._seen.popitem(last=False)

    def _replied(self, message: Message) -> Replied:
        now_us = self._clock.now().wall_us
        sent_us = now_us if message.sent_us is None else message.sent_us - self._rest.ahead_us
        return replied(self.name, message, at_us=min(sent_us, now_us))

    # --- statuses

    async def _take_statuses(self, door: Door, rows: Sequence[NotificationRow]) -> None:
        """In bounded time: the next poll for replies must not wait for it."""
        known: dict[str, Message] = {}
        try:
            async with asyncio.timeout(STATUS_BUDGET_S):
                await self._ask_statuses(door, rows, known)
        except TimeoutError:
            door.observe(self.name, "statuses_cut_short")
        for row in rows:
            if message := known.get(row.ref):
                await self._report(door, row, message)

    async def _ask_statuses(self, door: Door, rows: Sequence[NotificationRow], known: dict[str, Message]) -> None:
        queries = self._queries("From", STATUS_PAGE)
        if len(rows) > len(queries):
            now = self._clock.now()
            oldest_us = self._rest.now_us - max(age_us(row.notification, now) for row in rows) - OVERLAP_US

            def is_old(message: Message) -> bool:
                return message.created_us is not None and message.created_us < oldest_us

            for query in queries:
                found = await self._newest(query, STATUS_PAGES_MAX, is_old, door)
                known.update({message.sid: message for message in found})
        for row in self._turn([row for row in rows if row.ref not in known]):
            if message := await self._rest.fetch(row.ref, timeout_s=TIMEOUT_S):
                known[message.sid] = message

    def _turn(self, rows: list[NotificationRow]) -> list[NotificationRow]:
        """A bounded number of them, each poll the next ones."""
        if len(rows) <= STATUS_FETCHES_MAX:
            return rows
        start = self._next_fetch % len(rows)
        self._next_fetch = start + STATUS_FETCHES_MAX
        return (rows[start:] + rows[:start])[:STATUS_FETCHES_MAX]

    async def _report(self, door: Door, row: NotificationRow, message: Message) -> None:
        outcome = outcome_of(message)
        if not self._sids.is_news(message.sid, outcome, row.state):
            return
        notification = row.notification
        await door.submit(
            OutcomeReported(site_id=notification.site_id, notification_id=notification.id, epoch=None, outcome=outcome)
        )
        self._sids.reported(message.sid, outcome)

    async def _newest(
        self, query: dict[str, str], pages_max: int, is_too_old: Callable[[Message], bool], door: Door
    ) -> list[Message]:
        """A list, newest first, up to the first message that is too old."""
        messages: list[Message] = []
        page: Page | None = await self._rest.page(query, timeout_s=TIMEOUT_S)
        for _ in range(pages_max):
            if page is None:
                return messages
            for message in page.messages:
                if is_too_old(message):
                    return messages
                messages.append(message)
            page = await self._rest.next_page(page, timeout_s=TIMEOUT_S)
        door.observe(self.name, "list_cut_short")
        return messages

    # --- when Twilio is away

    def _pause(self, error: NoAnswerError, *, is_busy: bool) -> None:
        self._failures += 1
        most_s = PAUSE_MAX_S if is_busy else PAUSE_IDLE_MAX_S
        wait_s = error.retry_after_s or self._settings.poll_s * 2 ** min(self._failures - 1, 10)
        self._pause_until_us = self._clock.now().boot_us + int(min(wait_s, most_s) * SECOND_US)

    async def _failed(self, door: Door, error: NoAnswerError) -> None:
        door.observe(self.name, "poll_failed")
        if self._is_troubled or (self._failures < FAILURES_UNTIL_TROUBLE and not error.is_credentials):
            return
        log.warning("twilio_polls_fail", channel=self.name, failures=self._failures, why=str(error))
        what = "refuses our credentials" if error.is_credentials else "does not answer"
        summary = (
            f"{self.name} replies are not seen and texts may not go out: use radio or console. Twilio {what} ({error})."
        )
        try:
            await door.submit(TroubleRaised(site_id=DISTRICT, key=self._trouble_key, summary=summary))
        except NotCommittedError:
            return  # said again at the next failure
        self._is_troubled = True

    async def _worked(self, door: Door) -> None:
        self._failures = 0
        self._pause_until_us = 0
        if self._is_troubled is False:
            return
        await door.submit(TroubleCleared(site_id=DISTRICT, key=self._trouble_key))
        self._is_troubled = False

    @property
    def _trouble_key(self) -> str:
        return f"carrier:{self.name}"


def replied(channel: str, message: Message, *, at_us: int) -> Replied:
    """The same event whether the reply was polled or pushed: intake finds its site."""
    return Replied(
        site_id=DISTRICT,
        cause=CauseId(f"twilio:{message.sid}"),
        channel=channel,
        address=message.sender or "",
        body=message.body or "",
        at_us=at_us,
    )
