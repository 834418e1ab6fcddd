"""What happened in a simulated world, each a value: the one stream that trace, checkers, coverage and reports read.

Owns the vocabulary. `at_us` is true time: microseconds since the world began, which no clock step touches and no crash
resets. Must know nothing of how the daemon decides: what is stated here was seen at a port, at an actor, or written by
the world itself.
"""

from enum import StrEnum

from msgspec import Struct

from alertd.model.decision import Decision
from alertd.model.events import Event
from alertd.model.ids import DeviceId, IncidentId, NotificationId, PersonId, SiteId, ZoneId
from alertd.model.incident import IncidentClass
from alertd.model.notification import Claim, NotificationState
from alertd.model.outcome import Outcome


class Truth(Struct, frozen=True, kw_only=True):
    """What a published press really is, by the registry and by what the world did; alertd has to find it out.

    `incident_class` is `None` where nobody has to be told of an incident: below the lowest gesture, an unmapped action,
    a replayed message, an unregistered device, nonsense. A press that was published retained is a press; only its copy
    that arrives with `retain` is none."""

    press: str
    """Name of the physical act in the plan; all messages of one gesture, and their copies, share it."""
    device_id: DeviceId
    site_id: SiteId | None
    """The one site that may be touched, but for those of `near`; `None`: none may."""
    zone_id: ZoneId | None
    """Where the button hangs; `None` for a wearable."""
    incident_class: IncidentClass | None
    count: int
    pressed_us: int
    """When the finger pressed (true time)."""
    has_identity: bool
    """The payload tells two presses apart (counter and boot, or a fine time)."""
    near: tuple[SiteId, ...] = ()
    """Of a badge's press for which no gateway is named: the other schools where it was heard in the last quarter of an
    hour. It may be there: they may be touched, too."""
    is_near: bool = False
    """It was heard there within the last minute: where they are told, its own school need not be."""
    began_us: int | None = None
    """Of a button that is held, where no gesture names that: when its gesture was begun (true time). If that has
    called, and a human has closed it, this opens nothing, and rings."""


class Published(Struct, frozen=True, kw_only=True, tag_field="happening", tag="published"):
    """The broker took a message from a device. `number` names it for good, however often it is delivered."""

    at_us: int
    number: int
    topic: str
    payload: bytes
    qos: int
    retain: bool
    truth: Truth | None
    """`None`: not a press (telemetry, heartbeat, noise)."""
    user: str = ""
    """By whose password, if it was looked at."""


class SignOfLife(Struct, frozen=True, kw_only=True, tag_field="happening", tag="sign_of_life"):
    """A device said that it lives, or `online` says what is said of the way to it."""

    at_us: int
    device_id: DeviceId
    heard: bool
    """It was put into alertd's hands; a QoS 0 message that nobody took is lost."""
    online: bool | None = None
    retained: bool = False
    """The broker remembered it."""


class Refused(Struct, frozen=True, kw_only=True, tag_field="happening", tag="refused"):
    """The device could not publish: the broker was down, or its user may not. It may repeat; nothing was promised."""

    at_us: int
    topic: str
    truth: Truth | None
    forbidden: bool = False
    """By the access list."""


class Arrived(Struct, frozen=True, kw_only=True, tag_field="happening", tag="arrived"):
    """The broker delivered a message over a connection."""

    at_us: int
    number: int
    connection: int
    mid: int
    dup: bool
    retain: bool


class Acked(Struct, frozen=True, kw_only=True, tag_field="happening", tag="acked"):
    """PUBACK reached the broker over the connection that had delivered: it will never deliver this again."""

    at_us: int
    number: int
    connection: int


class FeedbackShown(Struct, frozen=True, kw_only=True, tag_field="happening", tag="feedback_shown"):
    """The broker took what the presser's own device is to show: "received", "responder_accepted"."""

    at_us: int
    device_id: DeviceId
    state: str


class BrokerForgot(Struct, frozen=True, kw_only=True, tag_field="happening", tag="broker_forgot"):
    """The broker lost messages it had taken (killed without state, a full queue, QoS 0): nobody can blame alertd."""

    at_us: int
    numbers: tuple[int, ...]
    why: str


class Started(Struct, frozen=True, kw_only=True, tag_field="happening", tag="started"):
    """An incarnation of the daemon takes presses."""

    at_us: int
    incarnation: int


class Crashed(Struct, frozen=True, kw_only=True, tag_field="happening", tag="crashed"):
    """`kill -9`, or the power went. `lost_bytes` of the store's log that were never acknowledged are gone."""

    at_us: int
    incarnation: int
    where: str
    """The port call it died in ("store.commit 17 during"), or why."""
    power: bool = False
    lost_bytes: int = 0


class Committed(Struct, frozen=True, kw_only=True, tag_field="happening", tag="committed"):
    """One decision of a commit that the store has made durable (or believes it has: see `durable`)."""

    at_us: int
    event: Event
    decision: Decision
    durable: bool
    """False: the disk is full, and memory holds it."""


class Moved(Struct, frozen=True, kw_only=True, tag_field="happening", tag="moved"):
    """A notification row went along its life cycle in a commit."""

    at_us: int
    notification_id: NotificationId
    before: NotificationState | None
    after: NotificationState
    durable: bool = True
    """Did the commit reach the disk? A claim is a commit of its own, without a decision."""


class Attempted(Struct, frozen=True, kw_only=True, tag_field="happening", tag="attempted"):
    """A channel was given a claim to send."""

    at_us: int
    claim: Claim
    channel: str


class Ended(Struct, frozen=True, kw_only=True, tag_field="happening", tag="ended"):
    """The attempt's own outcome; `None`: it was cancelled, or the daemon died in it."""

    at_us: int
    notification_id: NotificationId
    epoch: int
    outcome: Outcome | None


class TextTaken(Struct, frozen=True, kw_only=True, tag_field="happening", tag="text_taken"):
    """The carrier has accepted a text; whether its answer arrived is another matter."""

    at_us: int
    sid: str
    to: str
    body: str
    notification_id: NotificationId | None
    """The attempt it came from."""


class TextSeen(Struct, frozen=True, kw_only=True, tag_field="happening", tag="text_seen"):
    """A phone rang."""

    at_us: int
    sid: str
    to: str
    body: str
    person_id: PersonId | None
    notification_id: NotificationId | None


class TextStatus(Struct, frozen=True, kw_only=True, tag_field="happening", tag="text_status"):
    """The carrier's own word on a text ("sent", "delivered", "undelivered"), whether or not anybody hears of it."""

    at_us: int
    sid: str
    status: str


class CallTaken(Struct, frozen=True, kw_only=True, tag_field="happening", tag="call_taken"):
    """The carrier has accepted a call: the phone will ring. Whether its answer arrived is another matter."""

    at_us: int
    sid: str
    to: str
    words: str
    """What the call says first."""
    notification_id: NotificationId | None
    """The attempt it came from."""


class CallPickedUp(Struct, frozen=True, kw_only=True, tag_field="happening", tag="call_picked_up"):
    """Somebody, or something, took the call: only the world knows which."""

    at_us: int
    sid: str
    to: str
    person_id: PersonId | None
    human: bool


class CallHeard(Struct, frozen=True, kw_only=True, tag_field="happening", tag="call_heard"):
    """Words that a call spoke to their end."""

    at_us: int
    sid: str
    to: str
    words: str
    human: bool


class CallStatus(Struct, frozen=True, kw_only=True, tag_field="happening", tag="call_status"):
    """The carrier's own word on a call ("ringing", "busy", "completed"), whether or not anybody hears of it."""

    at_us: int
    sid: str
    status: str


class KeyPressed(Struct, frozen=True, kw_only=True, tag_field="happening", tag="key_pressed"):
    """Whoever holds the phone pressed a key during a call."""

    at_us: int
    sid: str
    number: str
    person_id: PersonId | None
    key: str
    notification_id: NotificationId | None
    """The call that asked."""


class DispatchTook(Struct, frozen=True, kw_only=True, tag_field="happening", tag="dispatch_took"):
    """The dispatch centre has a message. `arrivals` > 1: the same id again; the centre takes it for the one that it
    has. `body`: as it came this time."""

    at_us: int
    message_id: str
    type: str
    mode: str
    incident_id: str
    site_id: str
    body: bytes
    arrivals: int


class DispatchSaid(Struct, frozen=True, kw_only=True, tag_field="happening", tag="dispatch_said"):
    """The dispatcher's state for an incident, in the answer or by the reply URL."""

    at_us: int
    incident_id: str
    state: str


class Spoken(Struct, frozen=True, kw_only=True, tag_field="happening", tag="spoken"):
    """A loudspeaker zone begins to speak."""

    at_us: int
    channel: str
    zone: str
    words: str
    announcement: str
    """Name of what was made in advance; empty: the words were."""
    mode: str
    emergency: bool
    notification_id: NotificationId


class FellSilent(Struct, frozen=True, kw_only=True, tag_field="happening", tag="fell_silent"):
    """It has said it, or was cut in mid-word."""

    at_us: int
    channel: str
    zone: str
    cut: bool
    notification_id: NotificationId
    by: NotificationId = NotificationId("")
    """The page that cut it."""


class Meant(StrEnum):
    """What a human meant by what was typed. Only the first three may ever acknowledge (promise 5)."""

    GOING = "going"
    ARRIVED = "arrived"
    CANNOT_GO = "cannot_go"
    HOLD = "hold"
    UPGRADE = "upgrade"
    WORDS = "words"
    REACTION = "reaction"
    AUTO_REPLY = "auto_reply"
    FOREIGN = "foreign"
    """A code whose token belongs to no open incident that this phone was told of."""
    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"


class Typed(Struct, frozen=True, kw_only=True, tag_field="happening", tag="typed"):
    """A phone sent us something. `token` as typed, where the body is a code; `reading` is the text it answers."""

    at_us: int
    person_id: PersonId | None
    number: str
    body: str
    meant: Meant
    token: str = ""
    sid: str = ""


class Ordered(Struct, frozen=True, kw_only=True, tag_field="happening", tag="ordered"):
    """An admin did something at the console: "resolve", "release", "correct", "acknowledge_trouble", "test" …

    Told when it is asked (`committed` false) and once more when the console answers that it is done."""

    at_us: int
    what: str
    by: str
    site_id: SiteId
    incident_id: IncidentId | None = None
    committed: bool = True
    """The console has answered that it is done."""


class Reloaded(Struct, frozen=True, kw_only=True, tag_field="happening", tag="reloaded"):
    """The configuration was exchanged."""

    at_us: int
    version: str


class ClockMoved(Struct, frozen=True, kw_only=True, tag_field="happening", tag="clock_moved"):
    """The machine's wall clock jumped."""

    at_us: int
    by_s: float
    wall_us: int
    """What it shows now."""


class FaultBegan(Struct, frozen=True, kw_only=True, tag_field="happening", tag="fault_began"):
    at_us: int
    fault: str
    """`Fault`'s tag, from `world.plan`."""
    detail: str = ""


class FaultEnded(Struct, frozen=True, kw_only=True, tag_field="happening", tag="fault_ended"):
    at_us: int
    fault: str


class Healed(Struct, frozen=True, kw_only=True, tag_field="happening", tag="healed"):
    """Every fault is over and alertd runs: from here on the liveness checkers count."""

    at_us: int


class Over(Struct, frozen=True, kw_only=True, tag_field="happening", tag="over"):
    """The day is done; what is not done now will not be."""

    at_us: int


Happening = (
    Published
    | SignOfLife
    | Refused
    | Arrived
    | Acked
    | FeedbackShown
    | BrokerForgot
    | Started
    | Crashed
    | Committed
    | Moved
    | Attempted
    | Ended
    | TextTaken
    | TextSeen
    | TextStatus
    | CallTaken
    | CallPickedUp
    | CallHeard
    | CallStatus
    | KeyPressed
    | DispatchTook
    | DispatchSaid
    | Spoken
    | FellSilent
    | Typed
    | Ordered
    | Reloaded
    | ClockMoved
    | FaultBegan
    | FaultEnded
    | Healed
    | Over
)
