"""What waits at the door, in two lanes: what people did, and everything else.

Owns: the order in which events are taken up and the bound of what nobody vouches for. Must never: drop a press, or
let one wait behind machinery, or behind copies of what waits already: a broker delivers what is not acknowledged again
to each new connection, and while a disk is slow there may be many. Events of one lane keep their order: an answer is
never taken up before the press that it followed.
"""

import asyncio
from collections import deque
from contextlib import suppress

from alertd.engine.gestures import named_by
from alertd.model.events import (
    AnswerGiven,
    CorrectionOrdered,
    DeviceTestEndOrdered,
    DeviceTestOrdered,
    DeviceTestWatched,
    DispatchReported,
    DrillEndOrdered,
    DrillOrdered,
    Event,
    Keyed,
    Malformed,
    Overheard,
    Pressed,
    Replied,
    ResolveOrdered,
    Signal,
    TroubleAcknowledged,
    TroubleCleared,
    TroubleRaised,
    Unregistered,
)
from alertd.model.incident import SEVERITY, VERIFY_FIRST, Severity
from alertd.model.registry import Registry
from alertd.model.site import DeviceKind

STRANGERS_MAX = 1000
"""Events of unknown devices and unreadable payloads that wait at once. More are folded into one that waits: anybody
can send them, and their trouble is raised all the same."""
GATHER_S = 0.003
"""Outcomes, timers and troubles wait this long for more of their kind."""

PressKey = tuple[tuple[str, str, Signal], ...]
"""Site, cause and words of each press of a submission."""
NUISANCE = frozenset(str(name) for name, severity in SEVERITY.items() if severity is Severity.NUISANCE)


class Submission:
    """Events that are committed together, and who waits for it."""

    __slots__ = ("done", "events", "fold_key", "from_source", "press_key", "urgent")

    def __init__(self, events: tuple[Event, ...], *, urgent: bool, from_source: bool) -> None:
        self.events = events
        self.urgent = urgent
        self.from_source = from_source
        self.fold_key = _fold_key(events[0]) if len(events) == 1 and not urgent else None
        self.press_key = _press_key(events)
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def succeed(self) -> None:
        if not self.done.done():
            self.done.set_result(None)

    def fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)
            self.done.exception()  # who submits a trouble may not care: what nobody awaits is no error of the loop


class WaitingRoom:
    """Submissions in order. Belongs to the event loop."""

    def __init__(self) -> None:
        self._urgent: deque[Submission] = deque()
        self._rest: deque[Submission] = deque()
        self._foldable: dict[tuple[str, ...], Submission] = {}
        self._presses: dict[PressKey, Submission] = {}
        """Those that wait or are being committed."""
        self._strangers = 0
        self._somebody = asyncio.Event()
        self._hurry = asyncio.Event()
        """Somebody waits who is kept waiting by nobody."""

    def __len__(self) -> int:
        return len(self._urgent) + len(self._rest)

    def add(self, submission: Submission) -> asyncio.Future[None] | None:
        """Wait in line. If the same thing already waits, the future that answers for both; else `None`."""
        if submission.press_key is not None and (press := self._same_press(submission.press_key, submission)):
            return asyncio.shield(press.done)
        if submission.urgent:
            self._urgent.append(submission)
            self._hurry.set()
        else:
            if (twin := self._fold(submission)) is not None:
                return asyncio.shield(twin.done)
            self._rest.append(submission)
        self._somebody.set()
        return None

    async def somebody(self) -> None:
        """Returns when at least one waits. Machinery is given a moment to gather: outcomes come one by one and share
        a commit; people are taken up at once."""
        await self._somebody.wait()
        if not self._hurry.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(GATHER_S):
                    await self._hurry.wait()

    def take(self, events_max: int) -> list[Submission]:
        """The next batch. People first; a quarter is kept for the rest, so that outcomes and timers never starve."""
        batch: list[Submission] = []
        kept = min(len(self._rest), events_max // 4)
        room = self._move(self._urgent, batch, events_max - kept)
        self._move(self._rest, batch, room + kept)
        if not self._urgent:
            self._hurry.clear()
        if not self:
            self._somebody.clear()
        return batch

    def clear(self) -> list[Submission]:
        """Everyone who waits, sent away."""
        left = [*self._urgent, *self._rest]
        self._urgent.clear()
        self._rest.clear()
        return left

    def _move(self, lane: deque[Submission], batch: list[Submission], room: int) -> int:
        while lane and room > 0:
            submission = lane.popleft()
            self._forget(submission)
            batch.append(submission)
            room -= len(submission.events)
        return max(room, 0)

    def _same_press(self, key: PressKey, submission: Submission) -> Submission | None:
        """The one that brought this very press before and has no answer yet; else this one stands for those to come."""
        twin = self._presses.setdefault(key, submission)
        if twin is not submission:
            return twin
        submission.done.add_done_callback(lambda _: self.let_go(submission))
        return None

    def let_go(self, submission: Submission) -> None:
        """It is committed: from here on the engine judges whether a press is the same one, by how long ago it was."""
        if submission.press_key is not None and self._presses.get(submission.press_key) is submission:
            del self._presses[submission.press_key]

    def _fold(self, submission: Submission) -> Submission | None:
        key = submission.fold_key
        if key is None:
            return None
        is_stranger, shared = isinstance(submission.events[0], Malformed | Unregistered), ("stranger", key[0])
        if is_stranger and self._strangers >= STRANGERS_MAX:
            key = shared
        twin = self._foldable.get(key)
        # A raise does not fold into a raise that a clear has followed: the last word must stay the last.
        if twin is not None and (is_stranger or type(twin.events[0]) is type(submission.events[0])):
            return twin
        self._foldable[key] = submission
        if is_stranger:
            self._strangers += 1
            self._foldable.setdefault(shared, submission)
        return None

    def _forget(self, submission: Submission) -> None:
        if submission.fold_key is None:
            return
        if isinstance(submission.events[0], Malformed | Unregistered):
            self._strangers -= 1
            shared = ("stranger", submission.fold_key[0])
            if self._foldable.get(shared) is submission:
                del self._foldable[shared]
        if self._foldable.get(submission.fold_key) is submission:
            del self._foldable[submission.fold_key]


def is_urgent(event: Event, registry: Registry) -> bool:
    """A human did it, or may have. Sensors speak the same language as buttons and wait behind them, whatever they say,
    but for a shot: a storm of vape never delays a panic (promise 2)."""
    if isinstance(event, Pressed):
        device = registry.devices.get(event.signal.device_id)
        if device is not None and device.kind is DeviceKind.SENSOR:
            return device.gestures.actions.get(event.signal.action) in VERIFY_FIRST
        return device is None or named_by(event.signal.action, device.gestures) not in NUISANCE
    return isinstance(
        event,
        Replied
        | Keyed
        | AnswerGiven
        | ResolveOrdered
        | CorrectionOrdered
        | DispatchReported
        | TroubleAcknowledged
        | DeviceTestOrdered
        | DeviceTestWatched
        | DeviceTestEndOrdered
        | DrillOrdered
        | DrillEndOrdered,
    )


def _press_key(events: tuple[Event, ...]) -> PressKey | None:
    """What makes a press the same press: it comes from the same cause, and says the same. What a broker remembers
    (retained) is none, and is never taken for one. Where else it is counted follows from that."""
    here = [event for event in events if not isinstance(event, Overheard)]
    key = tuple((e.site_id, e.cause, e.signal) for e in here if isinstance(e, Pressed) and not e.retained)
    return key if len(key) == len(here) else None


def _fold_key(event: Event) -> tuple[str, ...] | None:
    match event:
        case Malformed():
            return ("sensor" if event.never_press else "malformed", event.source, event.topic, event.kept)
        case Unregistered():
            # Of a known device each press by itself: folded into a copy of one that pages, another would be none.
            who = (event.site_id, event.device_id, event.heard, *event.presses)
            return ("sensor" if event.never_press else "unregistered", *who)
        case TroubleRaised() | TroubleCleared():
            return ("trouble", event.site_id, event.key)
        case _:
            return None
