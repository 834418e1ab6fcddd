"""Messages that a dispatch centre does not take: how often it is knocked at, and who goes once it opens.

Owns what is polite and what is prompt, from attempts and their own outcomes. Knows nothing of how alertd spreads them.
"""

from collections import deque

from alertd.model.ids import NotificationId, SiteId
from alertd.model.notification import Notification, NotificationState
from alertd.model.outcome import Delivered
from alertd.model.reason import Reason
from alertd_simulator.checkers.checker import Checker, Scene
from alertd_simulator.checkers.records import Row
from alertd_simulator.world.happenings import Attempted, ClockMoved, Crashed, Ended, Happening, Started

QUICK = 3
"""Tries of each message that wait for no other."""
MOST = 24
"""Further tries of one site at one centre in a minute: turns make three, and the two messages that take none six each,
on average; a slow disk bunches them. And half of those that wait, for none is put off for more than four minutes."""
MINUTE_US = 60_000_000
UNSETTLED_US = 60_000_000
"""So long after a start, a step of the clock, or something that the centre did take, many may be due at once."""
PROMPT_S = 5.0
AGAIN = (Reason.RETRYING, Reason.RESENT_UNKNOWN)
HAMPERING = ("dispatch_weather", "dispatch_mood")
Door = tuple[SiteId, str]


def _door(notification: Notification) -> Door:
    return notification.site_id, notification.endpoint.key


class OneKnocks(Checker):
    name = "one knocks"
    docs = (
        "R25: a dispatch centre that takes nothing is knocked at by few of a site's messages at a time, not by all "
        "at once: forty that are refused for a wrong clock or a new secret look like an attack. And once it takes one, "
        "whatever waits there is tried within five calm seconds."
    )
    sees = (Attempted, Ended, Started, Crashed, ClockMoved)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._knocks: dict[Door, deque[int]] = {}
        self._settles_us = 0
        self._opened_us: dict[Door, int] = {}
        self._under_way: dict[NotificationId, Door] = {}
        self._let_go: dict[NotificationId, int] = {}
        """What waited when its centre took another, and when (true time) that was."""

    def see(self, happening: Happening) -> None:
        match happening:
            case Attempted(claim=claim) if claim.notification.endpoint.dispatch:
                self._attempted(claim.notification, claim.attempt, happening.at_us)
            case Ended(notification_id=id_, outcome=outcome) if (door := self._under_way.pop(id_, None)) is not None:
                if isinstance(outcome, Delivered):
                    self._took(door, happening.at_us)
            case Started() | Crashed() | ClockMoved():
                self._settles_us = happening.at_us + UNSETTLED_US
                self._let_go.clear()
                self._knocks.clear()
            case _:
                pass

    def _attempted(self, n: Notification, attempt: int, at_us: int) -> None:
        door = _door(n)
        self._under_way[n.id] = door
        let_go_us = self._let_go.pop(n.id, None)
        if let_go_us is not None and self._was_open(let_go_us):
            calm_us = self.scene.conditions.calm_us
            waited_s = (calm_us(at_us) - calm_us(let_go_us)) / 1e6
            if waited_s > PROMPT_S:
                what = f"{n.recipient} took another message, and {n.kind.value} ({n.id}) waited {waited_s:.0f} s more"
                self.accuse(at_us, what, once=f"late {door}")
        if attempt <= QUICK or at_us < max(self._settles_us, self._opened_us.get(door, 0) + UNSETTLED_US):
            return
        knocks = self._knocks.setdefault(door, deque())
        knocks.append(at_us)
        while knocks[0] <= at_us - MINUTE_US:
            knocks.popleft()
        if len(knocks) > MOST and len(knocks) > MOST + len(self._waiting(door)) // 2:
            what = f"{n.recipient} takes nothing, and was knocked at {len(knocks)} times in a minute by {n.site_id}"
            self.accuse(at_us, what, once=f"often {door}")

    def _took(self, door: Door, at_us: int) -> None:
        self._opened_us[door] = at_us
        self._knocks.pop(door, None)
        for row in self._waiting(door):
            self._let_go.setdefault(row.notification.id, at_us)

    def _waiting(self, door: Door) -> list[Row]:
        rows = self.scene.records.rows.values()
        waiting = (row for row in rows if row.state is NotificationState.QUEUED and row.reason in AGAIN)
        return [row for row in waiting if _door(row.notification) == door]

    def _was_open(self, since_us: int) -> bool:
        conditions = self.scene.conditions
        return not any(
            conditions.is_on(name) or conditions.last_fault_us.get(name, -1) >= since_us for name in HAMPERING
        )
