"""Twilio's Call resource, what its words mean to us, and which of our calls are under way.

A call is *delivered* only if a human took it. A machine, or nobody knows who, is *sent*, and says so: a completed call
is no answer (promise 5). Owns no truth: all of it may be forgotten.
"""

from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from alertd.model.ids import NotificationId
from alertd.model.mode import Mode
from alertd.model.notification import Notification, NotificationRow
from alertd.model.outcome import Accepted, Delivered, Failed, Outcome, Sent, Withdrawn
from alertd.ports import Clock
from alertd_adapters.twilio.owners import Owners
from alertd_adapters.twilio.rest import stamp_us

CALL_US_MAX = 240 * 1_000_000
"""No call of ours lasts longer: ringing, everything twice, eight seconds of nothing, and once more."""
DOUBTED_US = 30 * 1_000_000
"""So long a phone is taken for a call of which nobody can say more: Twilio has ten seconds to answer, and ten more when
it is asked again."""
FINAL = 6
"""Rank of an outcome after which nothing comes."""
BUSY_AGAIN_S = 15.0
UNTAKEN_AGAIN_S = 20.0
NO_SUCH_PHONE = frozenset({404, 410, 484, 604})
"""SIP: not found, gone, address incomplete, does not exist anywhere. Never another try."""
VOICEMAIL = "voicemail took the call"
SOMEBODY = "somebody or something took the call"
HUMAN = "a human took the call"
RINGS_NO_MORE = "canceled at Twilio before anybody took the call"
CUT_OFF = "somebody had taken the call, it was cut off"


class Call(Struct, frozen=True, kw_only=True):
    """A Call resource, as far as we read it. `start_time` is null until the phone is taken, so it finds nothing."""

    sid: str
    status: str = ""
    answered_by: str | None = None
    direction: str = ""
    sender: str | None = msgspec.field(default=None, name="from")
    to: str | None = None
    date_created: str | None = None

    @property
    def created_us(self) -> int | None:
        return stamp_us(self.date_created)

    @property
    def is_over(self) -> bool:
        return self.status in ("completed", "busy", "no-answer", "failed", "canceled")


class CallPage(Struct, frozen=True, kw_only=True):
    """A list of calls, newest first."""

    calls: tuple[Call, ...] = ()


def outcome_of(call: Call, sip_code: int = 0) -> Outcome:  # noqa: PLR0911 - one a status
    """A status as an outcome. `sip_code` comes with callbacks only."""
    match call.status:
        case "ringing":
            return Sent(ref=call.sid)
        case "in-progress" | "completed":
            return _taken(call)
        case "busy":
            return _untaken(call, "busy", "the phone was busy", BUSY_AGAIN_S)
        case "no-answer":
            return _untaken(call, "no_answer", "the phone rang and nobody took it", UNTAKEN_AGAIN_S)
        case "failed" if sip_code in NO_SUCH_PHONE:
            detail = f"the phone network knows no such number (SIP {sip_code}): correct it in people.csv"
            return Failed(permanent=True, code=f"sip_{sip_code}", detail=detail, ref=call.sid)
        case "failed":  # 480: switched off, as far as the network can tell
            why = f" (SIP {sip_code})" if sip_code else ""
            return _untaken(call, "failed", f"the phone could not be rung{why}", UNTAKEN_AGAIN_S)
        case "canceled":
            return Withdrawn(ref=call.sid, detail=RINGS_NO_MORE)
        case _:
            return Accepted(ref=call.sid)


def _untaken(call: Call, code: str, detail: str, again_s: float) -> Failed:
    return Failed(permanent=False, unanswered=True, code=code, detail=detail, ref=call.sid, retry_after_s=again_s)


def _taken(call: Call) -> Outcome:
    by = call.answered_by or ""
    if by == "human":
        return Delivered(ref=call.sid, detail=HUMAN)
    return Sent(ref=call.sid, detail=VOICEMAIL if is_machine(by) else SOMEBODY)


def is_machine(answered_by: str) -> bool:
    return answered_by.startswith("machine") or answered_by == "fax"


def _rank(outcome: Outcome) -> int:
    """How much an outcome says: statuses come late, twice and out of order."""
    match outcome:
        case Sent(detail=detail):
            return {SOMEBODY: 3, VOICEMAIL: 4}.get(detail, 2)
        case Delivered():
            return 5
        case Failed() | Withdrawn():
            return FINAL
        case _:
            return 1


class Held(Struct, frozen=True, kw_only=True):
    """A phone that a call of ours has, or may have."""

    notification_id: NotificationId
    number: str
    sid: str
    """Empty until Twilio has said which call it is."""
    began_us: int
    """Boot time."""
    until_us: int
    """Boot time at which it is surely over, or nobody believes in it any more."""
    drill: bool
    """It is of a drill, or a test: it makes way for what is real."""
    doubtful: bool = False
    """Nobody has asked yet whether it is over: an earlier process placed it, or a callback was the first to name it."""


class Lines(Owners):
    """Our calls, as far as this process knows: whose each is, how far it has come, which phones are taken. What an
    earlier process placed is taken up from its rows (`alertd.ports.OneAtATime`)."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._rank: dict[str, int] = {}
        self._over: set[str] = set()
        self._settled: set[str] = set()
        self._gave_way: set[str] = set()
        self._keyed: set[str] = set()
        self._taped: set[str] = set()
        self._held: dict[NotificationId, Held] = {}
        """A notification has one call at a time."""
        self._tell_free: Callable[[], None] = lambda: None

    def learn(self, sid: str, notification_id: NotificationId) -> None:
        """Whatever names a call first names what has its phone: from then on Twilio can be asked whether it goes on."""
        super().learn(sid, notification_id)
        held = self._held.get(notification_id)
        if held is not None and not held.sid and sid not in self._over:  # a try before this one may be named late
            self._held[notification_id] = replace(held, sid=sid, doubtful=True)

    def forget(self, sid: str) -> None:
        self._rank.pop(sid, None)
        for known in (self._over, self._settled, self._gave_way, self._keyed, self._taped):
            known.discard(sid)

    # --- phones that are taken

    def on_free(self, tell: Callable[[], None]) -> None:
        self._tell_free = tell

    def held(self) -> frozenset[str]:
        return frozenset(held.number for held in self.holding())

    def resume(self, rows: Sequence[NotificationRow]) -> None:
        """Believed until Twilio has been asked, which is the first that happens; if it cannot be, not for long: better
        a phone that is busy than one that never rings."""
        for row in rows:
            self._hold(row.notification, row.ref, DOUBTED_US, doubtful=True)

    def dialling(self, n: Notification) -> None:
        """It is being placed, or nobody knows yet whether it was."""
        self._hold(n, "", DOUBTED_US)

    def began(self, sid: str, n: Notification) -> None:
        if sid in self._over:  # its end was quicker than the answer that names it
            self.let_go(n.id)
        else:
            self._hold(n, sid, CALL_US_MAX)

    def goes_on(self, sid: str) -> None:
        """Twilio says so of a call that an earlier process placed."""
        for held in tuple(self._held.values()):
            if held.sid == sid and held.doubtful:
                until_us = self._clock.now().boot_us + CALL_US_MAX
                self._held[held.notification_id] = replace(held, until_us=until_us, doubtful=False)

    def let_go(self, notification_id: NotificationId) -> None:
        """No call of it has its phone, or nobody can say."""
        if self._held.pop(notification_id, None) is not None:
            self._tell_free()

    def ended(self, sid: str) -> None:
        self._over.add(sid)
        for held in tuple(self._held.values()):
            if held.sid == sid:
                self.let_go(held.notification_id)

    def _hold(self, n: Notification, sid: str, for_us: int, *, doubtful: bool = False) -> None:
        now_us = self._clock.now().boot_us
        self._held[n.id] = Held(
            notification_id=n.id,
            number=n.endpoint.address,
            sid=sid,
            began_us=now_us,
            until_us=now_us + for_us,
            drill=n.mode is not Mode.LIVE,
            doubtful=doubtful,
        )

    def held_against(self, n: Notification) -> Held | None:
        """Another call of ours that rings this phone, or speaks there; rather a real one than a drill's."""
        number = n.endpoint.address
        others = [held for held in self.holding() if held.number == number and held.notification_id != n.id]
        return min(others, key=lambda held: held.drill, default=None)

    def holding(self) -> tuple[Held, ...]:
        """Calls of ours of which nobody has said that they are over."""
        now_us = self._clock.now().boot_us
        return tuple(held for held in self._held.values() if now_us < held.until_us)

    # --- what is known of a call

    def gives_way(self, sid: str) -> None:
        """Its phone is needed for something real: it is ended at our word."""
        self._gave_way.add(sid)

    def as_known(self, sid: str, outcome: Outcome) -> Outcome:
        """With what Twilio cannot know."""
        if isinstance(outcome, Withdrawn) and sid in self._gave_way:
            return replace(outcome, gave_way=True)
        return outcome

    def is_over(self, sid: str) -> bool:
        return sid in self._over

    def settle(self, sid: str) -> None:
        """It is over, and all that Twilio says of it is committed."""
        self._settled.add(sid)

    def is_settled(self, sid: str) -> bool:
        return sid in self._settled

    def tape(self, sid: str) -> bool:
        """The machine that has this call is to be told what to keep: once."""
        is_new = sid not in self._taped
        self._taped.add(sid)
        return is_new

    def keyed(self, sid: str) -> None:
        self._keyed.add(sid)

    def was_keyed(self, sid: str) -> bool:
        """A key was pressed in it: a human listens, whatever a detector says."""
        return sid in self._keyed

    def is_news(self, sid: str, outcome: Outcome) -> bool:
        return _rank(outcome) > self._rank.get(sid, 0)

    def reported(self, sid: str, outcome: Outcome) -> None:
        """It is committed."""
        self._rank[sid] = max(self._rank.get(sid, 0), _rank(outcome))
        if _rank(outcome) == FINAL:
            self.settle(sid)
