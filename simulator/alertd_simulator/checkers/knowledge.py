"""Promise 5: queued, accepted, sent, delivered, acknowledged are different things, and none is claimed untold.

Owns the comparison of what alertd says it knows with what carrier, dispatch centre and humans have really said.
"""

from collections import Counter

from alertd.model.decision import FeedbackState
from alertd.model.events import Pressed
from alertd.model.ids import NotificationId
from alertd.model.incident import DispatchState, Incident
from alertd.model.notification import NotificationState as N
from alertd_simulator.checkers.calling import is_voice
from alertd_simulator.checkers.checker import Checker, Consequence, Scene
from alertd_simulator.world.happenings import (
    CallPickedUp,
    CallTaken,
    Committed,
    DispatchSaid,
    DispatchTook,
    FeedbackShown,
    Happening,
    Moved,
    TextStatus,
    TextTaken,
)

Words = tuple[str, str]
"""Number and body of a text."""
CALL = "\N{BLACK TELEPHONE}"
"""Stands for the words of any call: a phone has one at a time."""
TAKEN = frozenset({N.ACCEPTED, N.SENT, N.DELIVERED})
SAID = frozenset(
    {DispatchState.ACCEPTED, DispatchState.REJECTED, DispatchState.DISPATCHED, DispatchState.ON_SCENE,
     DispatchState.CLOSED}
)  # fmt: skip
"""A dispatcher has to say it."""


class Deliveries(Checker):
    name = "deliveries"
    docs = (
        "Promise 5: a text is called accepted, sent or delivered only if the carrier has taken it, and delivered only "
        "if the carrier said so; a call only if the carrier took it, and "
        "delivered only if a human did; a message to dispatch only if the centre has it. (A text that left before the "
        "power took its row is one of the row that is written anew under its id, though that says how long ago it was.)"
    )
    sees = (Committed, Moved, TextTaken, TextStatus, CallTaken, CallPickedUp, DispatchTook)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._dispatch_has: set[str] = set()
        self._words_of: dict[str, Words] = {}
        """Of each text at the carrier."""
        self._taken: Counter[Words] = Counter()
        self._delivered: dict[Words, set[str]] = {}
        self._called: dict[tuple[Words, bool], set[NotificationId]] = {}
        """Rows of these words that are called taken, or delivered: never more than there are texts. Of two texts that
        are the same to the same phone nobody can tell which is whose, and nobody has to."""
        self._texts_of: dict[NotificationId, list[str]] = {}

    def see(self, happening: Happening) -> None:
        match happening:
            case TextTaken(sid=sid):
                words = self._words_of[sid] = (happening.to, happening.body)
                self._taken[words] += 1
                if happening.notification_id is not None:
                    self._texts_of.setdefault(happening.notification_id, []).append(sid)
            case TextStatus(sid=sid, status="delivered" | "read") if sid in self._words_of:
                self._delivered.setdefault(self._words_of[sid], set()).add(sid)
            case CallTaken():
                self._taken[happening.to, CALL] += 1
            case CallPickedUp(human=True):
                self._delivered.setdefault((happening.to, CALL), set()).add(happening.sid)
            case DispatchTook():
                self._dispatch_has.add(happening.message_id)
            case Moved(notification_id=id_, after=after):
                self._claims(happening.at_us, id_, after)
            case Committed():
                for change in happening.decision.changes:
                    self._claims(happening.at_us, change.id, change.state)
            case _:
                pass

    def _claims(self, at_us: int, id_: NotificationId, after: N) -> None:
        row = self.scene.records.rows.get(id_)
        if row is None or after not in TAKEN or row.state is after:
            return
        content = row.notification
        what = f"{content.kind} to {content.recipient} ({content.id}) is called {after}"
        if content.endpoint.person_id is None:
            if content.endpoint.dispatch and content.id not in self._dispatch_has:
                self.accuse(at_us, f"{what}, and dispatch never had it")
            return
        rings = is_voice(self.scene, content.endpoint.channel)
        words = (content.endpoint.address, CALL if rings else content.text)
        delivered = after is N.DELIVERED
        called = self._called.setdefault((words, delivered), set())
        called.add(id_)
        texts = len(self._delivered.get(words, ())) if delivered else self._taken[words]
        texts += sum(self._has_earlier(each, words, delivered=delivered) for each in called)
        if len(called) > texts:
            self.accuse(at_us, f"{what}, and the carrier never {'said so' if delivered else 'took it'}")

    def _has_earlier(self, id_: NotificationId, words: Words, *, delivered: bool) -> bool:
        """Did a text leave under its id in other words? Only those of a row that the power took can: "one content"."""
        earlier = {sid: self._words_of[sid] for sid in self._texts_of.get(id_, ()) if self._words_of[sid] != words}
        return any(not delivered or sid in self._delivered.get(said, ()) for sid, said in earlier.items())


class DispatchWord(Checker):
    name = "dispatch's word"
    docs = (
        "Promise 5: a dispatch centre has received what it took, and has accepted, rejected, sent or closed only what "
        "a dispatcher said so of: a bare 2xx is not accepted (req 37)."
    )
    sees = (Consequence, DispatchSaid, DispatchTook)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._said: set[tuple[str, str]] = set()
        self._has: set[str] = set()

    def see(self, happening: Happening) -> None:
        match happening:
            case DispatchSaid():
                self._said.add((happening.incident_id, happening.state))
            case DispatchTook():
                self._has.add(happening.incident_id)
            case Committed():
                for incident in happening.decision.incidents:
                    self._judge(happening.at_us, incident)
            case _:
                pass

    def _judge(self, at_us: int, incident: Incident) -> None:
        for status in incident.dispatch:
            if status.state in SAID and (incident.id, status.state.value) not in self._said:
                wrong = "nobody there said so"
            elif status.state is DispatchState.RECEIVED and incident.id not in self._has:
                wrong = "it never got anything"
            else:
                continue
            self.accuse(
                at_us, f"{incident.headline} ({incident.id}): {status.destination_id} is {status.state}; {wrong}"
            )


class HonestFeedback(Checker):
    name = "honest feedback"
    docs = (
        'Req 7, promise 1: a device shows "received" only for a press of its own that is committed, and "responder '
        'accepted" only when somebody has said that they go.'
    )
    sees = (Consequence, FeedbackShown)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._confirmed: Counter[tuple[str, str]] = Counter()

    def see(self, happening: Happening) -> None:
        match happening:
            case Committed():
                self._committed(happening)
            case FeedbackShown(device_id=device_id, state=state):
                self._confirmed[device_id, state] -= 1
                if self._confirmed[device_id, state] < 0:
                    self.accuse(happening.at_us, f"{device_id} shows {state!r}, and nothing was committed that says so")
            case _:
                pass

    def _committed(self, committed: Committed) -> None:
        event, decision = committed.event, committed.decision
        for confirmation in decision.confirmations:
            device_id = confirmation.device_id
            self._confirmed[device_id, confirmation.state.value] += 1
            if confirmation.state is FeedbackState.RECEIVED:
                if not isinstance(event, Pressed) or event.signal.device_id != device_id:
                    self.accuse(committed.at_us, f"{device_id} is told that its press is received; none was taken up")
            elif not any(
                incident.answers and any(p.device_id == device_id for p in incident.presses)
                for incident in decision.incidents
            ):
                self.accuse(committed.at_us, f"{device_id} is told that somebody comes; nobody has said so")
