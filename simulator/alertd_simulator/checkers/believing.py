"""Promise 3, phone by phone: who believes in a drill that is over, and what reaches them meanwhile.

Owns a record of every phone that heard of a drill and has not been given its end, made from what the carrier took and
from calls that were picked up. Shares nothing with the engine's own record of that.
"""

from msgspec import Struct

from alertd.model.ids import IncidentId, SiteId
from alertd.model.mode import Mode
from alertd.model.notification import Kind, Notification
from alertd.model.reason import Reason
from alertd_simulator.checkers.calling import is_voice
from alertd_simulator.checkers.checker import Checker, Scene
from alertd_simulator.checkers.covering import is_panic
from alertd_simulator.checkers.drills import OVER, REAL, REAL_SHORT, SECOND_US, SPOKEN_REAL, DrillBook
from alertd_simulator.world.happenings import (
    Attempted,
    CallPickedUp,
    CallTaken,
    Committed,
    Crashed,
    Happening,
    TextTaken,
)

BELIEVED_US = 3600 * SECOND_US
"""Whoever has heard nothing for so long asks somebody."""
UNTOLD_US = 180 * SECOND_US
"""Calm time after an end by which everybody was told of it, or somebody was told who was not."""
TROUBLE = "drill_over:"


class Belief(Struct, kw_only=True, eq=False):
    """A phone that was told of a drill, and of nothing after it."""

    site_id: SiteId
    since_us: int
    calm_us: int
    person_id: str
    real: bool
    """It was a live press that ended it."""
    overtaken: bool = False
    """Something live was pressed for at the site since."""
    settled: bool = False
    """Another phone of theirs was given it, or a human was told that they may not know."""


class Believing(Checker):
    name = "drill believed"
    docs = (
        "Promise 3: whoever was told of a drill, and was given neither its end nor that it is real, gets nothing else "
        "of a live panic before; the end of a drill never follows what is live; and whoever is not given the end is "
        "named in a trouble."
    )
    sees = (Committed, Attempted, TextTaken, CallTaken, CallPickedUp, Crashed)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._book = DrillBook()
        self._believers: dict[str, Belief] = {}
        self._overtaken: dict[SiteId, bool] = {}
        """Of a site whose last drill is over: was something live pressed for since?"""
        self._open: dict[SiteId, set[IncidentId]] = {}
        """Live panics of which the commits speak."""
        self._calls: dict[str, tuple[str, str]] = {}
        """Sid of a call that ends a belief -> endpoint key, words."""

    def see(self, happening: Happening) -> None:
        match happening:
            case Committed():
                self._committed(happening)
            case Attempted():
                self._attempted(happening)
            case TextTaken(body=words, notification_id=id_) if id_ and _ends(words):
                self._told(self._key(id_))
            case CallTaken(sid=sid, words=words, notification_id=id_) if id_:
                self._calls[sid] = (self._key(id_), words)
            case CallPickedUp(sid=sid) if sid in self._calls and _ends(self._calls[sid][1]):
                self._told(self._calls[sid][0])
            case Crashed(power=True):
                self._book.power_went(happening)
                self._believers.clear()
                self._overtaken.clear()
            case _:
                pass
        self._look(happening.at_us)

    def _key(self, notification_id: str) -> str:
        row = self.scene.records.rows.get(notification_id)  # type: ignore[call-overload]
        return row.notification.endpoint.key if row is not None else ""

    def _told(self, key: str) -> None:
        told = [self._believers.pop(same) for same in self._of_phone(key)]
        if not told:
            self._told_elsewhere(key)
            return
        people = {belief.person_id for belief in told}
        for other in self._believers.values():
            other.settled |= other.person_id in people

    def _of_phone(self, key: str) -> list[str]:
        """Keys under which the phone behind this one believes. Whichever sender texts it, it is one phone: who types an
        answer in the thread of notices is answered there. A text is not heard, and a call is not read."""
        channel, _, number = key.partition(":")
        if is_voice(self.scene, channel):
            return [key] if key in self._believers else []
        split = {believer: believer.partition(":") for believer in self._believers}
        return [each for each, (by, _, to) in split.items() if to == number and not is_voice(self.scene, by)]

    def _told_elsewhere(self, key: str) -> None:
        """By another sender, or on a phone that had not heard of the drill, after the one that had could not be had."""
        people = self.scene.registry.people.values()
        of_each = ({endpoint.key for endpoint in person.endpoints} for person in people)
        mine = next((keys for keys in of_each if key in keys), set())
        for theirs in sorted(mine):
            self._believers.pop(theirs, None)

    def _committed(self, committed: Committed) -> None:
        site_id = committed.event.site_id
        ended = self._book.see(committed)
        if any(t.key.startswith(TROUBLE) and t.stands for t in committed.decision.troubles):
            self._settle(site_id)
        if ended is not None:
            running, drill = ended
            self._overtaken[drill.site_id] = False
            calm_us = self.scene.conditions.calm_us(committed.at_us)
            owners = {e.key: p.id for p in self.scene.registry.people.values() for e in p.endpoints}
            for key in sorted(running.told & owners.keys()):
                self._believers[key] = Belief(
                    site_id=drill.site_id,
                    since_us=committed.at_us,
                    calm_us=calm_us,
                    person_id=owners[key],
                    real=drill.real_incident_id is not None,
                )
        live = (i for i in committed.decision.incidents if i.mode is Mode.LIVE and is_panic(i.incident_class))
        new = {i.id for i in live} - self._open.setdefault(site_id, set())
        if new:
            self._open[site_id] |= new
            self._overtaken[site_id] = True
            for belief in self._believers.values():
                belief.overtaken = belief.overtaken or belief.site_id == site_id

    def _settle(self, site_id: SiteId) -> None:
        """A human hears who was not told, which is as much as alertd can do. That another drill begins is no end."""
        for belief in self._believers.values():
            belief.settled |= belief.site_id == site_id

    def _attempted(self, attempted: Attempted) -> None:
        content = attempted.claim.notification
        if content.kind is Kind.DRILL_OVER and self._overtaken.get(content.site_id):
            self.accuse(attempted.at_us, f"{content.recipient} is sent the end of a drill after something real")
        belief = self._believers.get(content.endpoint.key)
        if belief is None or belief.site_id != content.site_id or attempted.at_us - belief.since_us > BELIEVED_US:
            return
        born = self.scene.records.rows.get(content.id)
        if born is None or born.born_us < belief.since_us or not self._is_of_something_real(content):
            return
        if not _ends(content.text):
            self.accuse(
                attempted.at_us,
                f"{content.recipient} believes in a drill, and is sent {content.kind} by {content.endpoint.channel} "
                f"that does not say that it is real: {content.text}",
            )

    def _is_of_something_real(self, content: Notification) -> bool:
        incidents = self.scene.records.incidents
        if content.kind is not Kind.ANSWER:
            incident = incidents.get(content.incident_id) if content.incident_id else None
            return incident is not None and incident.mode is Mode.LIVE and is_panic(incident.incident_class)
        if content.reason is Reason.ANSWERED:
            return False  # who answers knows what they answer
        here = (i for i in incidents.values() if i.site_id == content.site_id and i.is_open and i.mode is Mode.LIVE)
        return any(is_panic(i.incident_class) and i.headline in content.text for i in here)

    def _look(self, at_us: int) -> None:
        if not self._believers:
            return
        calm_us = self.scene.conditions.calm_us(at_us)
        for key, belief in self._believers.items():
            settled = belief.settled or belief.real or belief.overtaken
            if not settled and calm_us - belief.calm_us > UNTOLD_US:
                belief.settled = True
                self.accuse(at_us, f"{key} was told of a drill and never of its end, and nobody was told so")


def _ends(words: str) -> bool:
    return words.strip().casefold().startswith((REAL, REAL_SHORT, SPOKEN_REAL, OVER))
