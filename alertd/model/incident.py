"""Incidents: what is going on at a site, from the first press to the last room."""

from enum import IntEnum, StrEnum

from msgspec import Struct
from msgspec.structs import replace

from alertd.model.anchor import Anchor
from alertd.model.ids import CauseId, DeviceId, DrillId, IncidentId, NotificationId, PersonId, SiteId, ZoneId
from alertd.model.mode import Mode
from alertd.model.reason import Reason


class IncidentClass(StrEnum):
    """What kind of thing it is; decides policy, words and how presses merge."""

    LOCKDOWN = "lockdown"
    FIRE = "fire"
    POLICE_DURESS = "police_duress"
    """Somebody is forced to something at a keypad: nothing near it may show that anybody was called."""
    DURESS = "duress"
    """Somebody calls for help against another person, and nobody knows more: graver than an assist, no lockdown yet."""
    MEDICAL = "medical"
    STAFF_ASSIST = "staff_assist"
    HOLD = "hold"
    GUNSHOT_SENSOR = "gunshot_sensor"
    KEYWORD_SENSOR = "keyword_sensor"
    """A sensor heard a word that it listens for ("help")."""
    TAMPER = "tamper"
    MASKING = "masking"
    VAPE = "vape"
    NOISE = "noise"
    ENVIRONMENTAL = "environmental"
    """Heat, smoke, gas or water where none belongs, by a sensor that is no fire alarm."""


class Severity(IntEnum):
    """Order of urgency (req 26). Only goes up within an incident.

    At or above STAFF_ASSIST is a **panic** (promise 2)."""

    NUISANCE = 10
    SENSOR = 30
    STAFF_ASSIST = 50
    MEDICAL = 60
    DURESS = 80
    LOCKDOWN = 100


SEVERITY: dict[IncidentClass, Severity] = {
    IncidentClass.LOCKDOWN: Severity.LOCKDOWN,
    IncidentClass.FIRE: Severity.DURESS,
    IncidentClass.POLICE_DURESS: Severity.DURESS,
    IncidentClass.DURESS: Severity.DURESS,
    IncidentClass.MEDICAL: Severity.MEDICAL,
    IncidentClass.STAFF_ASSIST: Severity.STAFF_ASSIST,
    IncidentClass.HOLD: Severity.STAFF_ASSIST,
    IncidentClass.GUNSHOT_SENSOR: Severity.SENSOR,
    IncidentClass.KEYWORD_SENSOR: Severity.SENSOR,
    IncidentClass.TAMPER: Severity.SENSOR,
    IncidentClass.MASKING: Severity.SENSOR,
    IncidentClass.VAPE: Severity.NUISANCE,
    IncidentClass.NOISE: Severity.NUISANCE,
    IncidentClass.ENVIRONMENTAL: Severity.SENSOR,
}


def is_panic(incident_class: IncidentClass) -> bool:
    """Promise 2 protects it: never throttled, merged away unseen, silenced or delayed."""
    return SEVERITY[incident_class] >= Severity.STAFF_ASSIST


VERIFY_FIRST = (IncidentClass.GUNSHOT_SENSOR, IncidentClass.KEYWORD_SENSOR)
"""A sensor heard what would be a panic if a human said so. One alone never is (req 70): people who are near look first,
and a second sensor or a human's word makes more of it."""


def is_nuisance(incident_class: IncidentClass) -> bool:
    """Nobody is in danger by it: it waits behind everything, is told once, and is never worth a second sender."""
    return not is_panic(incident_class) and incident_class not in VERIFY_FIRST


NOBODY = "nobody"
"""Closes an incident that ends by itself: no person."""


class Location(Struct, frozen=True, kw_only=True):
    """Where a press came from, and how sure that is (req 5): never blank."""

    zone_id: ZoneId | None
    label: str
    short: str
    source: str  # fixed | last_heard | unknown
    heard_us: int | None = None
    """Of `last_heard`: when; `None`: with the press, and nobody knows when that was."""
    unsure: bool = False
    """Of `last_heard`: another place heard it nearly as well, or it was not heard with this very press."""


class Press(Struct, frozen=True, kw_only=True):
    """One gesture of one device, as the incident remembers it. A repeat only raises `count`: of what a person did never
    more than is certain (1: nobody knows how many), of a sensor its reports."""

    id: CauseId
    device_id: DeviceId
    """Empty: nobody has pressed, somebody asked for it (8, 9). It is no press of any device, whatever they answered."""
    device_label: str
    location: Location
    incident_class: IncidentClass
    count: int
    received_us: int
    pressed_us: int | None
    """The device's own time, if it has a believable clock."""
    assigned_to: PersonId | None = None
    late: bool = False
    oldest_us: int | None = None
    """The earliest moment at which a late one can have been pressed."""
    last_us: int = 0
    """When the device was last heard, for telling a new cry from the echo of the first."""
    cried_us: int = 0
    """When it was last heard pressing, late or not; a state said again moves only `last_us`. 0: at `last_us`."""
    said_us: tuple[int, int] | None = None
    """Between when and when it was last pressed, for certain (`presses.said_us`): that a state is said again moves only
    `last_us`. `None`: at `last_us`."""
    known_us: int = 0
    """When it was taken up: nobody can have read of it before. Moves with a clock that is set."""
    by_sensor: bool = False
    """A sensor heard or smelled it: no human has said so."""
    waited_since_us: int | None = None
    """It may have waited at the broker since then, and its device has no clock: when it was made nobody knows."""
    carried: bool = False
    """Its device had called already, and was only heard here: nobody is known to have pressed it again."""

    @property
    def asked(self) -> bool:
        """Did a human ask for it in an answer, so that nobody has pressed?"""
        return not self.device_id

    def heard_again(self, newer: "Press") -> "Press":
        """It is pressed once more. What is heard late says nothing newer than what is known."""
        pressed = replace(self, last_us=newer.received_us, cried_us=newer.received_us, carried=False)
        return pressed if newer.late else replace(pressed, said_us=newer.said_us)


class IncidentState(StrEnum):
    """Life of an incident. See `engine.lifecycle` for the transitions."""

    CANCEL_WINDOW = "cancel_window"
    ACTIVE = "active"
    RELEASING = "releasing"
    CLOSED = "closed"


class EscalationState(StrEnum):
    """Who is still being looked for. Independent of the incident's own life."""

    RUNNING = "running"
    PAUSED = "paused"
    EXHAUSTED = "exhausted"
    STOPPED = "stopped"


class AnswerKind(StrEnum):
    """What a human said. Only these acknowledge (promise 5)."""

    GOING = "going"
    ARRIVED = "arrived"
    CANNOT_GO = "cannot_go"


class Answer(Struct, frozen=True, kw_only=True):
    """A human's key, reply or click. It covers the presses known when it was given, and only those."""

    person_id: PersonId
    name: str
    kind: AnswerKind
    at_us: int
    via: str
    covers: int
    """Number of presses the incident had then."""


class DispatchState(StrEnum):
    """What we know of one dispatch centre. Received is not accepted (promise 5)."""

    WAITING = "waiting"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    NOT_TOLD = "not_told"
    DISPATCHED = "dispatched"
    ON_SCENE = "on_scene"
    CLOSED = "closed"


class DispatchStatus(Struct, frozen=True, kw_only=True):
    """One dispatch centre's side of an incident."""

    destination_id: str
    state: DispatchState
    sequence: int
    """Number of the last message sent to it."""
    last_message_id: NotificationId
    told_us: int
    call_number: str | None = None
    detail: str = ""


class Note(Struct, frozen=True, kw_only=True):
    """Words of a human, unverified ("he is in 210")."""

    at_us: int
    author: str
    text: str


class Correction(Struct, frozen=True, kw_only=True):
    """Said to be a mistake, by a named person. Never an all-clear."""

    at_us: int
    by: str
    reason: str


class Told(Struct, frozen=True, kw_only=True):
    """A person's endpoint that was addressed, and in which words: corrections go to exactly these."""

    endpoint_key: str
    person_id: PersonId
    words: str
    last_call: str = ""
    """The notification by which this phone was last called; empty for what is no phone, or was not called."""


class Announcing(Struct, frozen=True, kw_only=True):
    """What loudspeakers say of an incident, once they have begun."""

    number: int
    """Which announcement of the incident it is, from 1: repeats of an older one mean nothing."""
    step: int
    """Index of the step that named the loudspeakers; -1: whatever comes begins anew."""
    begun_us: int
    """Moves with a clock that is set."""
    ended: bool = False
    """Nothing more is said of it, and nothing is tried again: silenced, outranked, or never to be spoken."""
    taken_by: tuple[str, ...] = ()
    """Endpoint keys of the loudspeakers that took it."""


class Incident(Struct, frozen=True, kw_only=True):
    """State of one incident. The policy is frozen by content hash; people are resolved when a step fires."""

    id: IncidentId
    site_id: SiteId
    incident_class: IncidentClass
    mode: Mode
    merge_key: str
    headline: str
    """What answers call it: "OAK ELEM Rm 204 LOCKDOWN 10:42"."""
    token: str
    """Two digits (three when the day's are used up) that a reply must carry."""
    policy_hash: str
    state: IncidentState
    escalation: EscalationState
    opened_us: int
    presses: tuple[Press, ...]
    step: int = 0
    """Index of the step that is running; len(steps) once exhausted."""
    round: int = 0
    """Rounds of widening so far."""
    generation: int = 0
    """Raised whenever the escalation starts anew (upgrade, news, lapse): timers of an older one mean nothing."""
    answers: tuple[Answer, ...] = ()
    upgraded_us: int = 0
    """When it became what it is; 0: it always was. Moves with a clock that is set."""
    upgrades: int = 0
    """How often it became graver."""
    asked_us: int = 0
    """When a human last asked in an answer for what had been pressed, or sensed, already; 0: nobody has."""
    counted_from: int = 0
    """Answers before this index have lapsed: somebody said going and nobody arrived."""
    told: tuple[Told, ...] = ()
    """In the order in which they were first addressed."""
    dispatch: tuple[DispatchStatus, ...] = ()
    dispatch_due: bool = False
    """Something changed that dispatch has not been told yet; a batch timer runs."""
    dispatch_hold: Reason | None = None
    """Why dispatch waits for a human or the site's timeout (a late press, a site that confirms first)."""
    notes: tuple[Note, ...] = ()
    correction: Correction | None = None
    released: tuple[ZoneId, ...] = ()
    announcing: Announcing | None = None
    """`None`: no loudspeaker has been asked to speak of it yet."""
    closed_us: int | None = None
    closed_by: str = ""
    drill_id: DrillId | None = None
    """Of `Mode.DRILL`: the drill in which it was pressed."""
    erased_us: int | None = None
    """When who was told, who answered and what they wrote was erased from it: only figures are left."""
    next_number: int = 0
    """Counter for notifications that no step numbers (updates, answers, notices)."""
    anchor: Anchor | None = None
    """The clock of the stamps that move with it; `None`: nobody noted it."""
    schema: int = 1

    @property
    def is_open(self) -> bool:
        return self.state is not IncidentState.CLOSED

    @property
    def unanswered(self) -> int:
        """Which press is the first of which nobody knew who goes, or is there; `len(presses)`: there is none."""
        latest = {a.person_id: a for a in self.answers[self.counted_from :]}
        return max((a.covers for a in latest.values() if a.kind is not AnswerKind.CANNOT_GO), default=0)


def newest_stamp_us(incident: Incident) -> int:
    """Of those that move with a clock that is set."""
    said = incident.announcing
    return max(incident.upgraded_us, said.begun_us if said else 0, *(press.known_us for press in incident.presses))


WRITTEN_EARLY_US = 1_000
"""So much older than its decision a row may be written, so that it goes before others."""


def graver_since(incident: Incident, upgrades: int | None, written_us: int) -> bool:
    """Has it become graver since words were written? No clock says so as surely as counting does; only of words of a
    release before, nobody has counted (`None`)."""
    if upgrades is None:
        return written_us + WRITTEN_EARLY_US < incident.upgraded_us
    return upgrades < incident.upgrades
