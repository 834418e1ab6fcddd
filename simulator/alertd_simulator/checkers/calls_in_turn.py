"""Calls that wait for one another: whose phone goes first, which words are worth nothing any more, and who gives up.

Owns the order of calls as promise 2 wants it, from what was committed and what the carrier took. Judges true time only.
"""

from alertd.model.ids import NotificationId
from alertd.model.incident import Incident, is_panic
from alertd.model.mode import Mode
from alertd.model.notification import Kind, NotificationState
from alertd.model.reason import Reason
from alertd_simulator.checkers.calling import ENDED, is_voice
from alertd_simulator.checkers.checker import Checker, Scene
from alertd_simulator.checkers.records import Row
from alertd_simulator.world.happenings import CallStatus, CallTaken, Committed, Crashed, Happening

WAITS_S = 2.0
"""Calm seconds that a first call has waited when another is claimed: a commit, and the claims that know of it."""
MOMENT_US = 1_000_000
"""Between a decision and the claims that know of it."""
LEARNS_US = 75_000_000
"""After the end of a call: whose callback was lost is asked about when it is a minute old."""
UNHEARD_US = 60_000_000
"""So long after bad weather nobody is blamed for not knowing what the carrier did."""
UNASKED = ("carrier_weather", "uplink_cut")
"""Faults under which a carrier cannot be asked."""
TRIES_LEAST = 4
SAYS_IT_AGAIN = frozenset({Kind.REMINDER, Kind.EXHAUSTED})


def repeats(row: Row) -> bool:
    """Does it ring a phone that rang for this before? Whoever still believes in a drill has heard nothing of it."""
    if row.notification.ends_drill is not None:
        return False
    return row.notification.kind in SAYS_IT_AGAIN or row.notification.reason is Reason.REDIALLED


class Telephones:
    """Which phones our calls have, as only the world knows it."""

    def __init__(self) -> None:
        self.live: dict[str, str] = {}
        """Number by call."""
        self.free_us: dict[str, int] = {}
        """Since when a phone has no call of ours; of those that had one."""

    def see(self, happening: Happening) -> None:
        if isinstance(happening, CallTaken):
            self.live[happening.sid] = happening.to
        elif isinstance(happening, CallStatus) and happening.status in ENDED:
            number = self.live.pop(happening.sid, None)
            if number is not None:
                self.free_us[number] = happening.at_us


class FirstCallsFirst(Checker):
    name = "first calls first"
    docs = (
        "Promise 2: no call that repeats another is placed while a first call about a live panic, of whatever school, "
        "has waited two calm seconds when it is claimed, and no carrier was asked for it. To have found the phone held "
        "is no try; only while another phone is held by a call of ours, its first call waits for that."
    )
    sees = (CallTaken, CallStatus)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._phones = Telephones()

    def see(self, happening: Happening) -> None:
        if isinstance(happening, CallTaken) and happening.notification_id is not None:
            self._placed(happening, happening.notification_id)
        self._phones.see(happening)

    def _placed(self, happening: CallTaken, notification_id: NotificationId) -> None:
        rows = self.scene.records.rows
        placed = rows.get(notification_id)
        if placed is None or not repeats(placed) or not self._rang_before(placed):
            return
        channel = placed.notification.endpoint.channel
        claimed_us = placed.born_us if placed.claimed_us is None else placed.claimed_us
        for row in rows.values():
            if row.notification.endpoint.channel == channel and self._waits(row, claimed_us, happening.to):
                n = row.notification
                message = f"{placed.notification.recipient} is called again while {n.recipient} ({n.id}) waits"
                self.accuse(happening.at_us, f"{message} for a first call", once=n.id)

    def _rang_before(self, row: Row) -> bool:
        """Of "nobody has answered" somebody may hear first of all: the search has come to everybody, or the phone was
        only texted until now, and the text has failed. A call that was not to be placed (their own badge pressed) rang
        nobody: what is called after it is a first call, as old as it is."""
        n = row.notification
        if n.incident_id is None or n.reason is Reason.REDIALLED:
            return True
        return any(
            o.notification.endpoint.key == n.endpoint.key
            and o.born_us < row.born_us
            and o.state is not NotificationState.SUPPRESSED
            for o in self.scene.records.rows_of.get(n.incident_id, ())
        )

    def _waits(self, row: Row, at_us: int, called: str) -> bool:
        n = row.notification
        if row.state is not NotificationState.QUEUED or row.tried or n.kind is not Kind.ALERT or repeats(row):
            return False
        number, since_us = n.endpoint.address, row.born_us
        if number != called:
            if number in self._phones.live.values():
                return False
            if number in self._phones.free_us:
                if self._unheard_of(self._phones.free_us[number], at_us):
                    return False
                since_us = max(since_us, self._phones.free_us[number] + LEARNS_US)
        incident = self.scene.records.incidents.get(n.incident_id) if n.incident_id is not None else None
        if incident is None or not incident.is_open or n.mode is not Mode.LIVE or not is_panic(incident.incident_class):
            return False
        calm_us = self.scene.conditions.calm_us
        return calm_us(at_us) - calm_us(since_us) > WAITS_S * 1_000_000

    def _unheard_of(self, free_us: int, at_us: int) -> bool:
        """The carrier could not be asked what became of that call, and whoever asked in vain asks again later."""
        conditions = self.scene.conditions
        lately = any(conditions.lately(fault, at_us, UNHEARD_US) for fault in UNASKED)
        return lately and conditions.calm_us(at_us) - conditions.calm_us(free_us) < LEARNS_US


class OneCallAPhone(Checker):
    name = "one call a phone"
    docs = (
        "Promise 2: while a call of ours that is on record rings a phone, or speaks there, no second one is placed to "
        "it, also by a process that has only just begun: it would find the phone busy, and spend its tries on that."
    )
    sees = (CallTaken, CallStatus, Committed, Crashed)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._phones = Telephones()
        self._recorded_us: dict[str, int] = {}
        """Calls of which the disk knows, and since when."""

    def see(self, happening: Happening) -> None:
        match happening:
            case Committed(durable=True):
                refs = (change.ref for change in happening.decision.changes if change.ref)
                self._recorded_us |= {ref: happening.at_us for ref in refs if ref not in self._recorded_us}
            case Crashed(power=True):  # the last commit may have gone with it
                self._recorded_us.clear()
            case CallTaken():
                self._judge(happening)
            case _:
                pass
        self._phones.see(happening)

    def _judge(self, call: CallTaken) -> None:
        lately = self.scene.conditions.lately
        if any(lately(fault, call.at_us, UNHEARD_US) for fault in UNASKED):
            return
        for sid, number in self._phones.live.items():
            known_us = self._recorded_us.get(sid)
            if number == call.to and known_us is not None and known_us + MOMENT_US < call.at_us:
                message = f"{call.to} is called ({call.notification_id}) while our own call {sid} has that phone"
                self.accuse(call.at_us, message, once=call.sid)


class TriedBeforeGivingUp(Checker):
    name = "tried before giving up"
    docs = (
        "Promise 2: nothing is given up for having been tried too often unless a carrier was asked so often: to have "
        "found the phone held by a call of our own is no try."
    )
    sees = (Committed,)

    def see(self, happening: Happening) -> None:
        if not isinstance(happening, Committed):
            return
        for change in happening.decision.changes:
            row = self.scene.records.rows.get(change.id)
            if row is None or change.reason is not Reason.ATTEMPTS_EXHAUSTED:
                continue
            least = TRIES_LEAST if row.notification.reason is not Reason.SAID else 1
            if self.scene.conditions.last_crash_us >= row.born_us:
                least = 1  # claims of a process that died before it tried, perhaps in the very commit that wrote it
            if row.tried < least:
                n = row.notification
                message = f"{n.kind} to {n.recipient} ({n.id}) is given up after {row.tried} tries"
                self.accuse(happening.at_us, message, once=n.id)


class FreshWords(Checker):
    name = "fresh words"
    docs = (
        "A call that waited is not placed once its incident has become graver, nor, if it only repeats, once a newer "
        "call to the same phone was decided: nobody hears old words after new ones."
    )
    sees = (CallTaken,)

    def see(self, happening: Happening) -> None:
        if not isinstance(happening, CallTaken) or happening.notification_id is None:
            return
        records = self.scene.records
        row = records.rows.get(happening.notification_id)
        if row is None or row.notification.incident_id is None or row.claimed_us is None:
            return
        incident = records.incidents.get(row.notification.incident_id)
        if incident is None or self.scene.conditions.last_step_us > row.born_us:
            return
        if why := self._overtaken(row, incident, row.claimed_us - MOMENT_US):
            n = row.notification
            self.accuse(happening.at_us, f"{n.recipient} is called with old words ({n.kind}, {n.id}): {why}", once=n.id)

    def _overtaken(self, row: Row, incident: Incident, known_us: int) -> str:
        """`known_us`: what was decided by then, its claim could know."""
        n = row.notification
        graver_us = self.scene.records.seen[incident.id].upgraded_us
        asks = n.kind in SAYS_IT_AGAIN or n.kind is Kind.ALERT
        if asks and graver_us is not None and row.born_us < graver_us < known_us:
            return "it has become graver"
        if not repeats(row) or n.kind is Kind.EXHAUSTED:
            return ""
        for other in self.scene.records.rows_of.get(incident.id, ()):
            newer = other.born_us > row.born_us and other.born_us < known_us
            same = other.notification.endpoint.key == n.endpoint.key and is_voice(self.scene, n.endpoint.channel)
            if newer and same and repeats(other) and other.state is not NotificationState.SUPPRESSED:
                return f"{other.notification.kind} ({other.notification.id}) says more"
        return ""
