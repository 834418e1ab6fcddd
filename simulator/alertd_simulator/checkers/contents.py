"""One notification id, one content: what was committed is what a channel is given, and what arrives at the other end.

Owns the comparison of what leaves with what was decided. A text that nobody decided is found here, too.
"""

from alertd.model.events import OutcomeReported
from alertd.model.ids import NotificationId
from alertd.model.notification import Notification
from alertd_simulator.checkers.checker import Checker, Consequence, Scene
from alertd_simulator.world.happenings import (
    Attempted,
    Committed,
    Crashed,
    DispatchTook,
    Happening,
    TextStatus,
    TextTaken,
)


class OneContent(Checker):
    name = "one content"
    docs = (
        "House rule 4: one notification id, one content, for ever: in the row, in each attempt, at the carrier, at "
        "dispatch. What was never committed is never sent, and a retry keeps its id. (What only memory held when the "
        "power went was never promised: the press comes again, and its messages are written anew under their ids. "
        "To dispatch only what opens an incident there: other news under the id of a message that the centre has, it "
        "ignores.)"
    )
    sees = (Consequence, Attempted, TextTaken, DispatchTook, Crashed)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._bodies: dict[str, bytes] = {}
        self._first: dict[str, bytes] = {}
        """By message: what the centre goes by, for ever."""
        self._gone: dict[NotificationId, list[Notification]] = {}
        """Held by memory alone when the power went, each time that it did. What had left by then may still arrive."""

    def see(self, happening: Happening) -> None:
        match happening:
            case Committed():
                self._committed(happening)
            case Crashed(power=True):
                self._power_went()
            case Attempted():
                self._attempted(happening)
            case TextTaken():
                self._taken(happening)
            case DispatchTook():
                self._took(happening)
            case _:
                pass

    def _power_went(self) -> None:
        records = self.scene.records
        for id_ in sorted(records.fleeting_rows & records.rows.keys()):
            self._gone.setdefault(id_, []).append(records.rows[id_].notification)
            self._bodies.pop(id_, None)

    def _decided(self, id_: NotificationId) -> Notification | None:
        row = self.scene.records.rows.get(id_)
        return None if row is None else row.notification

    def _committed(self, committed: Committed) -> None:
        event = committed.event
        if not isinstance(event, OutcomeReported) or (tried := self._decided(event.notification_id)) is None:
            return
        for row in committed.decision.notifications:
            again = row.notification
            same = (again.endpoint.key, again.kind, again.incident_id) == (
                tried.endpoint.key, tried.kind, tried.incident_id,
            )  # fmt: skip
            if same and again.text == tried.text:
                self.accuse(committed.at_us, f"{tried.id} is tried again under another id, {again.id}")

    def _attempted(self, attempted: Attempted) -> None:
        sent = attempted.claim.notification
        decided = self._decided(sent.id)
        if decided is None:
            self.accuse(attempted.at_us, f"{sent.kind} to {sent.recipient} ({sent.id}) is sent but was never committed")
        elif _content(decided) != _content(sent) or (
            decided.expires_us != sent.expires_us and not self.scene.conditions.last_step_us > 0
        ):
            self.accuse(attempted.at_us, f"{sent.id} is sent with another content than was committed")

    def _taken(self, taken: TextTaken) -> None:
        if taken.notification_id is None:
            self.accuse(taken.at_us, f"the carrier took {taken.sid}, which belongs to no notification")
            return
        decided = self._decided(taken.notification_id)
        gone = self._gone.get(taken.notification_id, ())
        if any((taken.to, taken.body) == (each.endpoint.address, each.text) for each in gone):
            return
        if decided is None:
            self.accuse(taken.at_us, f"the carrier took {taken.sid} for {taken.notification_id}, never committed")
        elif (taken.to, taken.body) != (decided.endpoint.address, decided.text):
            self.accuse(taken.at_us, f"the carrier took another text than {taken.notification_id} is ({taken.sid})")

    def _took(self, took: DispatchTook) -> None:
        if took.type != "new" and self._first.setdefault(took.message_id, took.body) != took.body:
            self.accuse(took.at_us, f"dispatch ignores {took.message_id}: it had other news under that id")
        gone = self._gone.get(NotificationId(took.message_id), ())
        if any(each.body.encode() == took.body for each in gone):
            return
        before = self._bodies.setdefault(took.message_id, took.body)
        if before != took.body:
            self.accuse(took.at_us, f"dispatch got {took.message_id} twice with different content")
        decided = self._decided(NotificationId(took.message_id))
        if decided is None:
            self.accuse(took.at_us, f"dispatch got {took.message_id}, which was never committed")
        elif decided.body.encode() != took.body:
            self.accuse(took.at_us, f"dispatch got another content than {took.message_id} has")


def _content(notification: Notification) -> tuple[object, ...]:
    n = notification
    return (n.site_id, n.mode, n.kind, n.endpoint, n.incident_id, n.trouble_key, n.text, n.body)


class OnceOnly(Checker):
    name = "once only"
    docs = (
        "A nuisance is not sent again when nobody knows whether it went out: at most one text of it lives. Of two with "
        "the same words to one phone nobody can tell which is whose: two live. "
        "(A panic is: a duplicate beats a loss.)"
    )
    sees = (TextTaken, TextStatus)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._died: set[str] = set()
        """Texts that the carrier has called lost: another one may take their place."""

    def see(self, happening: Happening) -> None:
        match happening:
            case TextStatus(status="failed" | "undelivered"):
                self._died.add(happening.sid)
            case TextTaken(notification_id=id_) if id_ is not None and (row := self.scene.records.rows.get(id_)):
                alive = set(row.sids) - self._died
                content = row.notification
                if alive and not content.resend_unknown and self._one_too_many(content):
                    self.accuse(happening.at_us, f"{content.kind} to {content.recipient} ({id_}) was taken twice")
            case _:
                pass

    def _one_too_many(self, content: Notification) -> bool:
        """With this one more, do more texts of these words live than there are rows?"""
        twins = [
            row
            for row in self.scene.records.rows.values()
            if (row.notification.endpoint.key, row.notification.text) == (content.endpoint.key, content.text)
        ]
        return 1 + len({sid for row in twins for sid in row.sids} - self._died) > len(twins)
