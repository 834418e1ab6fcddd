"""Everything that can happen. Each is a value; every one of them enters through `daemon.intake`, and nothing else
changes state."""

from msgspec import Struct

from alertd.model.ids import CauseId, DeviceId, DrillId, IncidentId, NotificationId, PersonId, SiteId, ZoneId
from alertd.model.incident import AnswerKind, DispatchState, Incident, IncidentClass
from alertd.model.outcome import Outcome
from alertd.model.timer import Timer


class Lasting(Struct, frozen=True, kw_only=True):
    """A state that lasts, where a press is a moment: `sosFlag 1`, "Panic State", ON. Its repeats are no presses."""

    repeats_s: int
    """It is said again at least so often while it lasts; after a longer silence it is another one."""
    what: str = ""
    """What of the device is in that state, where it has several things (buttons) that can be."""
    state: str = ""
    """Which one of its kind it is, where the device tells (a count that is said again and again); "": it does not."""


class Heard(Struct, frozen=True, kw_only=True):
    """A gateway that heard a device, and how well. `None`: it does not say."""

    gateway_id: DeviceId
    rssi: float | None = None
    """dBm."""
    snr: float | None = None
    """dB."""
    at_us: int | None = None
    """When, wall clock; `None`: with this very message."""


GOES_ON = 0
"""Count of a sensor's report that only says that its alarm goes on: no further alarm. Written in front of the door,
never taken from a payload."""


class Signal(Struct, frozen=True, kw_only=True):
    """What a decoder understood from a payload, before anybody asked the registry.

    `action` is the device's own word ("press", "hold", "emergency", "vape"). `count`: presses the device itself
    counted, if it does. `cause` identifies the press where the device has a counter or a clock; `None` makes every
    arrival its own press. `pressed_us` is `None` without a believable clock. A site is never part of it (promise 6).
    """

    device_id: DeviceId
    action: str
    count: int | None = None
    cause: str | None = None
    pressed_us: int | None = None
    heard_by: DeviceId | None = None
    """Gateway that heard a wearable."""
    battery_pct: int | None = None
    late: bool = False
    """Its source says itself that it was stored, or held up, on its way: it is as old as `pressed_us`, or older than
    anybody knows."""
    at_most_us: int | None = None
    """Of what is `late` and has no `pressed_us`: so long before it came its device still said otherwise."""
    reading: float | None = None
    """A number that a sensor measured of `action` ("vape", 63), and no judgement of its own: alertd compares it with
    the thresholds of the sensor's gestures. Of anything but a sensor it means nothing."""
    standing: bool = False
    """It says how something stands since nobody knows when, and may have been heard before: like what a broker has
    retained."""
    lasting: Lasting | None = None
    """It says a state that lasts. `None`: a moment, a press."""
    ends: bool = False
    """The device itself says that it no longer calls: pages nobody and closes nothing, but the next call is a new one.
    `lasting` says of what; without it, of everything at the device."""
    doubtful: bool = False
    """It may be no press: its device says the same, or may, when it is let go. It counts in doubt."""
    same_s: int = 0
    """Copies of it come within so long; later the same cause is another press (a small counter that started again).
    0: as long as of any other."""
    needs_clock: bool = False
    """`cause` tells presses apart only together with the device's clock: if nobody set that, it tells nothing."""
    heard: tuple[Heard, ...] = ()
    """Every gateway that is known to have heard it, those of this message first. Empty: at most `heard_by`."""
    read_by: str = ""
    """Which rule of which profile understood it, for people."""


class Arrival(Struct, frozen=True, kw_only=True):
    """One message from a source, decoded or refused, with what the source knows of its journey."""

    source: str
    topic: str
    signals: tuple[Signal, ...]
    """Empty for what is certainly no trigger (then nothing happens)."""
    received_us: int
    arrival_id: str
    """Identity of this arrival, for signals that have none: connection and packet."""
    again_after_us: int = 0
    """So long ago the same arrival came first: its source delivers it again, because nobody had acknowledged it."""
    refused: str = ""
    """Why no decoder understood it, or a part of it beside the signals."""
    never_press: bool = False
    """Whoever never presses speaks: only such do on its topic, or what was refused is of a sensor that its decoder
    knew. A press of whoever is registered as a button or a wearable is refused."""
    size: int = 0
    retained: bool = False
    qos: int = 1
    backlog_since_us: int | None = None
    """It may have waited at the broker since then (when we were last connected); `None`: it is fresh."""
    boot_us: int | None = None
    """When it arrived, in the boot time of the machine that decides on it, which nobody can set; `None`: just now. The
    door notes it: a disk may keep what has arrived waiting for longer than people take for a gesture."""


class Pressed(Struct, frozen=True, kw_only=True, tag="pressed"):
    """A registered trigger spoke. `oldest_us`: the earliest moment at which it can have been pressed: the device's
    time, else, for a message that may have waited at the broker, the time we were last connected."""

    site_id: SiteId
    cause: CauseId
    signal: Signal
    received_us: int
    oldest_us: int
    backlog: bool
    """It may have waited at the broker while we were away."""
    retained: bool
    """It says how things stand, not that they happen: a broker's memory, or `signal.standing`."""
    source: str
    heard_us: int | None = None
    """Of a wearable: when the gateway in `signal.heard_by` heard it; `None`: with this very message."""
    unsure: bool = False
    """Of a wearable: another place heard it nearly as well, or it was not heard with this very press."""
    boot_us: int | None = None
    """`Arrival.boot_us`."""
    backlog_since_us: int | None = None
    """`Arrival.backlog_since_us`: since when the line was gone, whatever the device's clock says; `None`: as
    `oldest_us`."""


class Overheard(Struct, frozen=True, kw_only=True, tag="overheard"):
    """A press that another site of a roaming device heard. It counts here in doubt, for the next one may be heard here,
    and calls nobody by itself. `cause` is that of the press: this site may still hear a copy of its own."""

    site_id: SiteId
    cause: CauseId
    press: Pressed


class Unregistered(Struct, frozen=True, kw_only=True, tag="unregistered"):
    """A press-like message from a device that the registry does not know, or at a site or on a topic where it may not
    press. `cause` is not that of the press: what was nobody's may still be somebody's."""

    site_id: SiteId
    cause: CauseId
    device_id: DeviceId
    source: str
    why: str
    received_us: int
    same_s: int = 0
    """See `Signal.same_s`."""
    kept: str = ""
    """Of what a broker has kept: what tells it from others, for the same comes anew with each connection."""
    heard_by: DeviceId | None = None
    """The registered gateway that heard it best, if any did."""
    never_press: bool = False
    """See `Arrival.never_press`: it is none."""
    refused: str = ""
    """What a registered button or wearable said where, by the `kinds` of its trigger, nobody presses; "": it is none of
    these."""
    heard: str = ""
    """Of what is none: the word, if it is a shot or a cry for help."""
    alike: str = ""
    """Of a state that lasts (`Signal.lasting`), refused: what it has in common with its repeats; "": it is a press."""
    presses: tuple[CauseId, ...] = ()
    """Of what was refused: the causes that it has where it is taken, at each of its sites. If one is known, it is a
    copy of a press that is looked after."""


class Malformed(Struct, frozen=True, kw_only=True, tag="malformed"):
    """A payload on a trigger topic that no decoder understood. It could have been a press, so it is a trouble."""

    site_id: SiteId
    cause: CauseId
    source: str
    topic: str
    why: str
    size: int
    received_us: int
    kept: str = ""
    """As `Unregistered.kept`."""
    never_press: bool = False
    """See `Arrival.never_press`: it could have been none."""


class OutcomeReported(Struct, frozen=True, kw_only=True, tag="outcome"):
    """What became of an attempt: the send's own result, a later status, or a look-up.

    `epoch` is the claim it belongs to; `None` for statuses, which name the provider's `ref` instead."""

    site_id: SiteId
    notification_id: NotificationId
    epoch: int | None
    outcome: Outcome
    looked_up: bool = False
    """The provider was asked what became of it, and this is the answer."""
    begun_us: int | None = None
    """Of a send's own result: wall clock when the attempt began. Its claim was committed by then."""


class Replied(Struct, frozen=True, kw_only=True, tag="replied"):
    """A text came in from a phone. Routed to the site of the incident it speaks about."""

    site_id: SiteId
    cause: CauseId
    channel: str
    address: str
    body: str
    at_us: int


class Keyed(Struct, frozen=True, kw_only=True, tag="keyed"):
    """A key was pressed in a call of ours. Routed to the site of the call's notification.

    A replay of the same press of a key has the same `cause`."""

    site_id: SiteId
    cause: CauseId
    notification_id: NotificationId
    """The call."""
    digit: int
    presses: int
    """How many presses of the incident the words had spoken of when the key was pressed (`CallScript.presses`)."""
    written_us: int
    """When those words were written (`CallScript.written_us`)."""
    at_us: int
    upgrades: int | None = None
    """How often the incident had become graver when they were (`CallScript.upgrades`)."""


class AnswerGiven(Struct, frozen=True, kw_only=True, tag="answer"):
    """A named human answered by a click or at the command line."""

    site_id: SiteId
    cause: CauseId
    incident_id: IncidentId
    person_id: PersonId
    kind: AnswerKind
    via: str


class ResolveOrdered(Struct, frozen=True, kw_only=True, tag="resolve"):
    """A named human closes an incident (a lockdown first goes to *releasing*, then, with `rooms_released`, closes)."""

    site_id: SiteId
    cause: CauseId
    incident_id: IncidentId
    by: str
    rooms_released: bool = False
    zone_id: ZoneId | None = None
    """Only this room was released, in person."""


class CorrectionOrdered(Struct, frozen=True, kw_only=True, tag="correct"):
    """A named human says that it was a mistake: one action, to exactly those who were told."""

    site_id: SiteId
    cause: CauseId
    incident_id: IncidentId
    by: str
    reason: str


class DispatchReported(Struct, frozen=True, kw_only=True, tag="dispatch"):
    """A dispatch centre spoke: accepted, rejected, on scene …"""

    site_id: SiteId
    cause: CauseId
    incident_id: IncidentId
    destination_id: str
    state: DispatchState
    call_number: str | None = None
    detail: str = ""


class TimerFired(Struct, frozen=True, kw_only=True, tag="timer"):
    site_id: SiteId
    timer: Timer


class TroubleRaised(Struct, frozen=True, kw_only=True, tag="trouble"):
    """Something alertd depends on is wrong. `key` is the trouble's identity."""

    site_id: SiteId
    key: str
    summary: str
    rings: bool = False
    tells_change: bool = False
    """The summary is all that is wrong under this key: if it says another thing than what stands, that is told, too."""
    members: tuple[str, ...] = ()
    """What it is about, one by one (ids of devices): all of them, each time. One that was not among them is told."""
    anew: bool = False
    """Told again though it stands, acknowledged or not: what came and went is gone for good."""
    about: DeviceId | None = None
    """The summary is said of this device, and begins with what people call it, and where it hangs."""


class TroubleCleared(Struct, frozen=True, kw_only=True, tag="trouble_cleared"):
    site_id: SiteId
    key: str


class TroubleAcknowledged(Struct, frozen=True, kw_only=True, tag="trouble_acknowledged"):
    site_id: SiteId
    cause: CauseId
    key: str
    by: str


class TestOrdered(Struct, frozen=True, kw_only=True, tag="test"):
    """`alertd test`: prove one person's endpoints, or one destination, in mode test."""

    __test__ = False  # pytest: not a test class

    site_id: SiteId
    cause: CauseId
    by: str
    person_id: PersonId | None = None
    destination_id: str | None = None
    heartbeat: bool = False
    """The regular sign of life to a dispatch centre."""


class SayOrdered(Struct, frozen=True, kw_only=True, tag="say"):
    """`alertd say`: a named human has words for the loudspeakers of a site."""

    site_id: SiteId
    cause: CauseId
    by: str
    words: str
    loudspeakers: tuple[str, ...] = ()
    """Names that the site gives them; empty: wherever everybody hears it."""
    emergency: bool = False
    """Cuts what is being said, and is said although something grave is going on."""


class SilenceOrdered(Struct, frozen=True, kw_only=True, tag="silence"):
    """`alertd pa stop`: a named human wants the loudspeakers of a site to be quiet, and nothing else."""

    site_id: SiteId
    cause: CauseId
    by: str


class DrillOrdered(Struct, frozen=True, kw_only=True, tag="drill"):
    """A named human begins a drill: presses of these devices are an exercise for so long."""

    site_id: SiteId
    cause: CauseId
    by: str
    incident_class: IncidentClass
    device_ids: tuple[DeviceId, ...]
    told_before: str
    """Who outside was told beforehand: "J. Doe, dispatch"."""
    minutes: int
    person_ids: tuple[PersonId, ...] = ()
    """People who take part; none: whomever the policy of the class names."""
    by_id: PersonId | None = None
    """Who ordered it, if registered: hears what becomes of it, too."""


class DrillEndOrdered(Struct, frozen=True, kw_only=True, tag="drill_end"):
    """A named human ends the drill of a site."""

    site_id: SiteId
    cause: CauseId
    by: str


class DrillFound(Struct, frozen=True, kw_only=True, tag="drill_found"):
    """alertd was started and found a drill that runs. `cause` is of this start."""

    site_id: SiteId
    cause: CauseId
    drill_id: DrillId
    started_us: int
    """When: whatever was written down before, an earlier start wrote. Wall clock."""


class DeviceTestOrdered(Struct, frozen=True, kw_only=True, tag="device_test"):
    """A named human tries out one device: for so long its presses page nobody, up to a class. One event for each site
    at which it may press."""

    site_id: SiteId
    cause: CauseId
    by: str
    device_id: DeviceId
    incident_class: IncidentClass
    """The gravest that is tried; a graver gesture is real."""
    minutes: int


class DeviceTestWatched(Struct, frozen=True, kw_only=True, tag="device_test_watched"):
    """Somebody asks what was heard of a device that is tried out: the test goes on. If nobody asks, it ends."""

    site_id: SiteId
    device_id: DeviceId


class DeviceTestEndOrdered(Struct, frozen=True, kw_only=True, tag="device_test_end"):
    """A device is live again: whoever tried it out says so, or alertd was started."""

    site_id: SiteId
    device_id: DeviceId | None
    """`None`: all of the site."""
    why: str


class RetentionDue(Struct, frozen=True, kw_only=True, tag="retention"):
    """Incidents of sensors that were closed so long ago that nobody need know any more who went."""

    site_id: SiteId
    cause: CauseId
    incidents: tuple[Incident, ...]
    """As they are stored: closed ones no longer change."""
    before_us: int
    """Closed before then. Wall clock."""
    before_boot_us: int | None = None
    """The same in boot time, for what was closed since this boot: no step of the clock makes it old. `None`: nobody
    noted it."""


class ClockStepped(Struct, frozen=True, kw_only=True, tag="clock"):
    """The wall clock jumped by `step_us` against boot time."""

    site_id: SiteId
    step_us: int


Event = (
    Pressed
    | Overheard
    | Unregistered
    | Malformed
    | OutcomeReported
    | Replied
    | Keyed
    | AnswerGiven
    | ResolveOrdered
    | CorrectionOrdered
    | DispatchReported
    | TimerFired
    | TroubleRaised
    | TroubleCleared
    | TroubleAcknowledged
    | TestOrdered
    | SayOrdered
    | SilenceOrdered
    | DrillOrdered
    | DrillEndOrdered
    | DrillFound
    | DeviceTestOrdered
    | DeviceTestWatched
    | DeviceTestEndOrdered
    | RetentionDue
    | ClockStepped
)
