"""The doors of the daemon: what adapters implement, and what they are given. Adapters see this and `alertd.model` only.

`API_VERSION` is the number of this contract: a plugin built for another one is refused when it is loaded.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, Protocol, runtime_checkable

from msgspec import Struct

from alertd.model.check_in import CheckIn, LastSeen
from alertd.model.decision import Confirmation, Decision, Entry, EntryKind, GestureCount, Now, PhoneIncident, SiteState
from alertd.model.drill import Drill
from alertd.model.events import Arrival, Event, Signal
from alertd.model.ids import CauseId, DeviceId, DrillId, IncidentId, NotificationId, SiteId
from alertd.model.incident import Incident
from alertd.model.notification import Claim, NotificationRow, NotificationState
from alertd.model.outcome import Outcome
from alertd.model.policy import Policy
from alertd.model.registry import Registry
from alertd.model.timer import Timer
from alertd.model.trouble import Trouble

API_VERSION = 1


# --- the world ------------------------------------------------------------------------------------------------------


class Clock(Protocol):
    """Time. Deadlines run on boot time, which no one can set; the wall clock is for people."""

    @property
    def boot_id(self) -> str:
        """Changes when the machine restarts: boot times of different boots cannot be compared."""
        ...

    def now(self) -> Now: ...


class HttpRequest(Struct, frozen=True, kw_only=True):
    """One request. The body is already encoded; headers say how."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes = b""


class HttpResponse(Struct, frozen=True, kw_only=True):
    """One response, whole. Header names in lower case."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""


class HttpNotSentError(Exception):
    """The request certainly never reached a server (no name, no route, refused, TLS failed). Safe to try again."""


class HttpNoAnswerError(Exception):
    """The request may have been acted on: time-out, reset or garbage after it began to leave."""


class Http(Protocol):
    """The one way out over HTTP. Never retries, never follows a redirect; the adapter decides about both."""

    async def send(self, request: HttpRequest, *, timeout_s: float) -> HttpResponse:
        """Raises `HttpNotSentError` or `HttpNoAnswerError`."""
        ...


# --- what comes in ---------------------------------------------------------------------------------------------------


class Door(Protocol):
    """The one door: `daemon.intake`."""

    def receive(self, arrival: Arrival) -> Awaitable[None]:
        """Completes when everything that follows from the arrival is committed; raises `NotCommittedError` if the
        commit failed. Only then may the source acknowledge, and only over the connection that delivered it."""
        ...

    def submit(self, event: Event) -> Awaitable[None]:
        """The same for an event that needs no routing."""
        ...

    def observe(self, source: str, name: str, *, value: float = 1.0) -> None:
        """Telemetry lane: count something; never waits, never fails."""
        ...

    def check_in(
        self, source: str, check_ins: Sequence[CheckIn], *, retained: bool = False, qos: int | None = None
    ) -> None:
        """Telemetry lane: devices were heard; never waits, never fails. `retained`: the broker remembered it. That is
        the state of a link, and no sign of life. `qos`: at which it came, on the way of presses."""
        ...


class NotCommittedError(Exception):
    """The event is not on disk. A source drops its connection, so that the broker delivers again."""


class Decoder(Protocol):
    """Understands payloads of one family. Pure: bytes in, signals out."""

    name: str

    def decode(self, topic: str, payload: bytes) -> Sequence[Signal]:
        """Signals in the payload; empty if it is certainly none (a heartbeat). Raises `DecodeError`."""
        ...


PAYLOAD_MAX_BYTES = 64 * 1024
"""No decoder sees a larger payload: it is refused. The largest honest one that we know has 3 KiB."""


class DecodeError(ValueError):
    """The payload is not what this decoder understands; the message says what is wrong, without quoting secrets."""


class UncoveredError(DecodeError):
    """The payload is sound, and nothing says what it means: no rule, no device. Counted under `count`, and no trouble:
    a network server carries a town's water meters, too."""

    def __init__(self, message: str, *, count: str, strangers: tuple[str, ...] = ()) -> None:
        """`strangers`: see `Understood`."""
        super().__init__(message)
        self.count = count
        self.strangers = strangers


class Understood(Struct, frozen=True, kw_only=True):
    """All that a message says."""

    signals: tuple[Signal, ...] = ()
    check_ins: tuple[CheckIn, ...] = ()
    unread: str = ""
    """Why a part of it, of another device, cannot be read although it may be a press: a trouble beside the signals."""
    strangers: tuple[str, ...] = ()
    """Devices of which it speaks and that nobody has registered, as the message spells them."""


@runtime_checkable
class CheckInDecoder(Protocol):
    """An optional ability of a decoder: it also understands what devices say while nobody presses. Without it, whoever
    has signals has been heard."""

    def understand(self, topic: str, payload: bytes) -> Understood:
        """As `decode`, with the signs of life in the message."""
        ...


class Downlink(Struct, frozen=True, kw_only=True):
    """A message to one device, by the way that its network has for it. QoS 1, never retained."""

    topic: str
    payload: bytes
    forget: "Downlink | None" = None
    """What takes it back, once it is worthless, from whoever may still hold it."""


@runtime_checkable
class Answering(Protocol):
    """An optional ability of a decoder: it knows how its devices are told something."""

    def answers(self, confirmation: Confirmation) -> Sequence[Downlink]:
        """What shows the confirmation at its device; empty where the device shows nothing, or is not one of its own."""
        ...


class Question(Struct, frozen=True, kw_only=True):
    """What a decoder would like to have published: "say your births again". QoS 0, never retained."""

    topic: str
    payload: bytes


@runtime_checkable
class Asking(Protocol):
    """An optional ability of a decoder: some families must be asked before they can be understood."""

    def questions(self) -> Sequence[Question]:
        """What there is to ask since this was called last; few, and mostly none."""
        ...


@runtime_checkable
class Learning(Protocol):
    """An optional ability of a decoder with a memory: what was not acknowledged was never learnt."""

    def unlearn(self) -> Callable[[], None]:
        """How to forget what the message that was decoded last has taught, and whatever came after it: the broker
        delivers them again. Called for each message, and must be cheap; its result mostly never."""
        ...


class Source(Protocol):
    """Where presses come from. Runs until cancelled; survives its peer's outages by itself."""

    name: str

    async def run(self, door: Door) -> None: ...

    @property
    def is_connected(self) -> bool:
        """Proof of life: the session with the broker stands."""
        ...


@runtime_checkable
class Listening(Protocol):
    """An optional ability of a source: it hears signs of life over another way than presses."""

    @property
    def is_listening(self) -> bool:
        """What devices say now is heard; while it is not, their silence means nothing."""
        ...


class Sample(Struct, frozen=True, kw_only=True):
    """A message of a device that nobody has registered."""

    topic: str
    payload: bytes | None
    """`None`: not kept. It is long, or may hold a code that somebody typed."""
    at_us: int
    """When it came; wall clock."""
    qos: int
    retained: bool
    said: str
    """What its decoder made of it, in words."""


class Stranger(Struct, frozen=True, kw_only=True):
    """A device that was heard, and that nobody has registered."""

    device_id: str
    """As its messages spell it."""
    messages: int
    """How many of it came since it was first heard."""
    first_us: int
    samples: tuple[Sample, ...]
    """The last few, the newest at the end."""


@runtime_checkable
class Overhearing(Protocol):
    """An optional ability of a source: it remembers who was heard and is not registered, for whoever registers it."""

    name: str

    def strangers(self) -> Sequence[Stranger]:
        """From memory, which is bounded: of very many, those heard last."""
        ...

    async def overhear(self) -> None:
        """Listen until cancelled, for `strangers`, where no daemon does: over a session of its own, which takes nothing
        from the daemon's and acknowledges nothing. Raises `ConnectionError` if there is nothing to listen to."""
        ...


class Feedback(Protocol):
    """The way back to the presser's device."""

    def confirm(self, confirmation: Confirmation) -> None:
        """Put it in line and return: it is called in the path of a press. Best effort, bounded by the adapter; never
        raises for a device that is away."""
        ...


# --- what goes out ---------------------------------------------------------------------------------------------------


class ChannelLimits(Struct, frozen=True, kw_only=True):
    """Bounds of one configured channel. `per_s` 0 = unlimited."""

    per_s: float = 0.0
    paced: bool = False
    """The provider starts no more than `per_s` anyway, one after the other. A panic waits for the rate too, here, where
    the most urgent still goes first and what is over is still withdrawn."""
    concurrent: int = 50
    deadline_s: float = 10.0
    """An attempt is cancelled then, and its outcome is unknown."""
    answers: bool = True
    """Whoever is told over it can answer by it. False: a call that takes no keys, a sign on a wall."""


class Channel(Protocol):
    """One configured way to tell somebody."""

    name: str
    kind: str
    limits: ChannelLimits

    async def send(self, claim: Claim) -> Outcome:
        """Try once. Every expected trouble is an outcome, not an exception."""
        ...

    async def look_up(self, row: NotificationRow) -> Outcome | None:
        """What became of an attempt whose answer was lost; `None` if the provider cannot tell.

        `Failed(permanent=False, code="not_found")`: the provider certainly never had it."""
        ...


class Recalling(Protocol):
    """An optional ability of a channel: what its provider has taken, and nobody has got yet, can be taken back."""

    async def withdraw(self, row: NotificationRow) -> Outcome | None:
        """Take it back. `Withdrawn`: the provider says that nobody gets it any more. Any other outcome: it was too
        late, somebody has it or it came to its own end, and its status will tell. `None`: the provider did not say; it
        is asked again. Whoever has it already is left alone, but where a drill would be heard on: it is cut off."""
        ...


class OneAtATime(Protocol):
    """An optional ability of a channel: an address takes one thing at a time, as a telephone does. What is sent while
    another of ours has it is not tried; it goes when the address is free, the most urgent first."""

    def held(self) -> frozenset[str]:
        """Addresses that something of ours has, as far as is known."""
        ...

    def resume(self, rows: Sequence[NotificationRow]) -> None:
        """What an earlier process, or this section before a reload, may have under way still; known before anything
        is sent."""
        ...

    def on_free(self, tell: Callable[[], None]) -> None:
        """Call this whenever an address has become free."""
        ...


class Activity(Protocol):
    """What inbound pollers may ask of the daemon."""

    def open_incidents(self) -> bool:
        """Is any incident open, or did one close within the last ten minutes?"""
        ...

    def unsettled(self, channel: str) -> Sequence[NotificationRow]:
        """Rows of the channel that were accepted but are not yet delivered or failed."""
        ...

    def owner_of(self, channel: str, ref: str) -> NotificationId | None:
        """Whose last attempt the channel's provider has named so, as far as it is stored; however long ago."""
        ...

    def row(self, notification_id: NotificationId) -> NotificationRow | None:
        """A row as it is stored, if it can be read: what a call says, what was answered to a key."""
        ...


class Inbound(Protocol):
    """Brings replies and statuses in: a poller. Runs until cancelled."""

    name: str

    async def run(self, door: Door, activity: Activity) -> None: ...


class Callbacks(Protocol):
    """An optional channel ability: signed provider callbacks, served by the console under `/v1/callbacks/{name}`."""

    name: str

    async def callback(self, request: HttpRequest, door: Door) -> HttpResponse:
        """`request.url` is the public URL; an unsigned or wrongly signed request is answered 403 and counted."""
        ...


class Found(Struct, frozen=True, kw_only=True):
    """One thing that a probe saw, in words for whoever runs alertd."""

    text: str
    remedy: str = ""
    """What to do about it; empty: nothing is wrong."""
    grave: bool = True
    """With a remedy: this stands between a press and people now. False: it may one day, or it is not known."""

    @property
    def is_good(self) -> bool:
        return not self.remedy


class Probe(Protocol):
    """An optional ability: what can be known about the way to people without telling anybody anything.

    Asked by `alertd doctor`, also beside a running daemon and once a night: never page, never open a session of the
    daemon's own, never claim what was not seen. Its `Http` refuses everything but GET. Findings are shown as they come,
    and each has `PROBE_WAIT_S`; a step that blocks belongs into a thread."""

    def __call__(self, addresses: Sequence[str]) -> AsyncIterator[Found]:
        """`addresses`: those that the configuration sends to over this channel; not for showing."""
        ...


PROBE_WAIT_S = 15.0
"""Longest time a probe may take for its next finding."""


# --- plugins ---------------------------------------------------------------------------------------------------------


def _no_registry() -> None:
    """Nobody has one."""


class Surroundings(Struct, frozen=True, kw_only=True):
    """What a plugin is given when it builds an adapter."""

    clock: Clock
    http: Http
    secret: Callable[[str], str]
    """Value of a named secret (environment or systemd credential); raises `LookupError` that names it."""
    public_base_url: str | None = None
    registry: Callable[[], Registry | None] = _no_registry
    """The registry as it is now: a reload swaps it. `None` where there is none, as in a check of the settings alone."""
    profiles: Mapping[str, Mapping[str, Any]] = {}
    """The district's own profiles of sources and devices: file -> its TOML."""
    extra: Mapping[str, Any] = {}
    """What a simulated world adds (for example its broker)."""


class Built(Struct, frozen=True, kw_only=True):
    """What a plugin made of one configured section. Absent abilities are `None`."""

    source: Source | None = None
    channel: Channel | None = None
    inbound: Inbound | None = None
    callbacks: Callbacks | None = None
    feedback: Feedback | None = None
    probe: Probe | None = None
    recalling: Recalling | None = None
    lines: OneAtATime | None = None


class Plugin(Protocol):
    """What an entry point names. `settings` is the section's TOML table; wrong ones raise `SettingsError`."""

    api_version: int

    def build(self, name: str, settings: Mapping[str, Any], surroundings: Surroundings) -> Built: ...


@runtime_checkable
class Paced(Protocol):
    """An optional ability of a channel's plugin: its limits from the settings alone, for `alertd check` on a machine
    that has no secrets. Must equal what the built channel has; wrong settings raise `SettingsError`."""

    def limits(self, settings: Mapping[str, Any]) -> ChannelLimits: ...


class DecoderPlugin(Protocol):
    """What an entry point of `alertd.decoders` names. Sources that carry payloads of many families look it up."""

    api_version: int

    def build(self, settings: Mapping[str, Any]) -> Decoder: ...


@runtime_checkable
class SurroundedDecoderPlugin(Protocol):
    """An optional ability of a decoder's plugin: it also needs the registry, or the district's profiles."""

    def build_within(self, settings: Mapping[str, Any], surroundings: Surroundings) -> Decoder: ...


class Voices(Struct, frozen=True, kw_only=True):
    """Who publishes what a trigger reads, as clients of the broker: what `alertd broker config` writes into its access
    list. Topics are filters; `{client}` in them stands for the id of a registered device, which is a client then."""

    name: str
    """Of the one client that speaks where no `{client}` stands: a server, a bridge, a gateway."""
    says: tuple[str, ...]
    hears: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    """Where alertd itself speaks to them."""
    clients: Literal["devices", "gateways"] = "devices"
    """Who they are, where `{client}` stands: those that press, or the gateways that speak for them."""
    profiles: frozenset[str] = frozenset({""})
    """Profiles of the devices that come so; "": those of which the registry names none."""
    relayed: bool = False
    """A registered gateway may speak for the wearables of its site."""

    @property
    def is_one(self) -> bool:
        """One client speaks for all."""
        return not any("{client}" in topic for topic in self.says)


@runtime_checkable
class SpeakingDecoderPlugin(Protocol):
    """An optional ability of a decoder's plugin: it knows who speaks. Without it, one client speaks on the trigger's
    whole topic."""

    def voices(self, topic: str, settings: Mapping[str, Any], surroundings: Surroundings) -> Voices:
        """`topic`: the trigger's filter, without `$share`. Raises `SettingsError`."""
        ...


class ProfileProblem(Struct, frozen=True, kw_only=True):
    """What is wrong with a profile. `path`: the key from the top of the file ("profile", "our-button", "rules", 0)."""

    file: str
    path: tuple[str | int, ...]
    message: str
    remedy: str


class Step(Struct, frozen=True, kw_only=True):
    """One step of an explanation: what was looked at ("device"), and what was found."""

    what: str
    found: str


class Explained(Struct, frozen=True, kw_only=True):
    """What a message means, and how that was found out."""

    steps: tuple[Step, ...]
    signals: tuple[Signal, ...] = ()
    refused: str = ""
    """It may have been a press, and nobody can read it: a trouble."""
    uncovered: str = ""
    """Nothing says what it means: counted."""


class Fit(Struct, frozen=True, kw_only=True):
    """A profile that understands what a device said. No proof: devices of one maker say much alike."""

    profile: str
    messages: int
    """How many of the samples it understands."""
    of: int
    """How many there are."""
    presses: bool
    """One of them is a press or an alarm."""
    why: tuple[str, ...]
    """What each of them is to it: "press (rule 1, value short)"."""
    heard_by: str = ""
    """The gateway that heard it, and how well: "gw-1 (-61 dBm)"."""
    kind: str = "button"
    """Of device that it is for, as far as its alarms say: "button" or "sensor"."""


class Profiles(Protocol):
    """What an entry point of `alertd.profiles` names: profiles of sources and devices, for whoever checks and explains
    them. `own`: the district's, file -> its TOML."""

    api_version: int

    def check(self, own: Mapping[str, Mapping[str, Any]]) -> Sequence[ProfileProblem]:
        """What is wrong with the district's, their examples included."""
        ...

    def names(self, own: Mapping[str, Mapping[str, Any]]) -> Sequence[str]:
        """Names that the column `profile` of devices.csv may hold."""
        ...

    def check_in_s(self, own: Mapping[str, Mapping[str, Any]]) -> Mapping[str, int]:
        """Check-in windows, in seconds, of the profiles whose devices report by themselves."""
        ...

    def explain(self, settings: Mapping[str, Any], surroundings: Surroundings, topic: str, payload: bytes) -> Explained:
        """Reads a message as the decoder with these settings would. Raises `SettingsError`."""
        ...

    def fits(
        self, settings: Mapping[str, Any], surroundings: Surroundings, device_id: str, said: Sequence[tuple[str, bytes]]
    ) -> Sequence[Fit]:
        """Profiles whose rules understand what a device said (topics and payloads), the likeliest first; "" is that of
        the source itself. Never one that takes whatever comes. Raises `SettingsError`."""
        ...


class SettingsError(ValueError):
    """A section's key is wrong. `key` says which; the message says what to write instead."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


class NotHereError(SettingsError):
    """The section is right, and needs something that this machine lacks: a program, a library. The daemon refuses it
    like any other; `alertd check` warns, for it may run on another machine than the daemon."""


# --- the store -------------------------------------------------------------------------------------------------------


class StoreError(Exception):
    """The commit did not happen, or may not have: nothing that depends on it may leave the building."""


class StoreFullError(StoreError):
    """No space on the device."""


class StoreLockedError(StoreError):
    """Another daemon runs on this database."""


class Transaction(Protocol):
    """One commit: the rows of some sites, read and written under their locks."""

    def site_state(self, site_id: SiteId) -> SiteState:
        """The site's rows. The same object for the whole transaction; `write` applies decisions to it."""
        ...

    def policies(self, hashes: Sequence[str]) -> dict[str, Policy]: ...

    def seen_us(self, cause: CauseId) -> int | None:
        """When a cause was committed (wall clock), or `None`."""
        ...

    def notification(self, notification_id: NotificationId) -> NotificationRow | None: ...

    def phone_incidents(self, endpoint_key: str, since_us: int) -> tuple[PhoneIncident, ...]:
        """Incidents that the endpoint was told of and that are open or were opened since then; open ones
        first, and of each the newest."""
        ...

    def free_tokens(self, limit: int, now_us: int) -> tuple[str, ...]:
        """Tokens that no incident opened in the last 24 h or still open has, best first."""
        ...

    def opted_out(self) -> frozenset[str]: ...

    def broken_channels(self) -> frozenset[str]: ...

    def write(self, event: Event, decision: Decision, now: Now) -> None:
        """State, journal, outbox and timers of one decision. Raises nothing of its own until `commit`."""
        ...

    def commit(self, *, born_leased: Mapping[str, int]) -> tuple[Claim, ...]:
        """Make it durable. Queued rows that are due are born claimed by this owner, at most `born_leased[channel]`
        a channel and the most urgent first; the rest stay queued. Raises `StoreError`."""
        ...

    def rollback(self) -> None: ...


class Lease(Struct, frozen=True, kw_only=True):
    """How claims are marked: the owner is one incarnation of one daemon."""

    owner: str
    lease_s: float


class DueTimer(Struct, frozen=True, kw_only=True):
    """A timer row that is due."""

    timer: Timer


class OutboxCount(Struct, frozen=True, kw_only=True):
    """Messages of one channel that are in one state, and none at its end."""

    channel: str
    state: NotificationState
    rows: int
    oldest_us: int
    """When the oldest was written; wall clock."""


class Store(Protocol):
    """Durable truth. Synchronous: one writer thread calls it in production, the virtual loop inline.

    Only `read_*` and `verify_journal` may be called from other threads."""

    def open(self, owner: str, clock: Clock) -> None:
        """Raises `StoreLockedError` if another daemon holds it, `StoreError` if its schema is newer than ours."""
        ...

    def close(self) -> None: ...

    @property
    def durable(self) -> bool:
        """Does a commit reach the disk? False while the disk is full or failing and commits go to memory: what was
        committed is sent and escalated as ever, but a source must not be acknowledged (promise 1). Any thread."""
        ...

    def damaged(self) -> str:
        """Name of the damaged database that was set aside when the store was opened, now or earlier, and that nobody
        has moved away yet; empty if there is none. From the writer."""
        ...

    def heal(self, now: Now) -> bool:
        """Call every few seconds, from the writer: brings what memory held back to the disk, reconnects, re-creates
        the ballast. Never raises; returns `durable`. On a change to True withheld acknowledgements may be given."""
        ...

    def write_last_seen(self, seen: Sequence[LastSeen]) -> None:
        """Keep when these devices were last heard, in one commit of its own; of two nodes' the later one stays. From
        the writer, a few hundred at once. No evidence: nothing is written while the store is not durable."""
        ...

    def prune(self, now: Now) -> int:
        """Forget causes and cleared troubles that are too old to come again. Number of rows; call once an hour."""
        ...

    def begin(self, site_ids: Sequence[SiteId], now: Now) -> AbstractContextManager[Transaction]:
        """Locks the sites. Leaving the block without `commit` rolls back."""
        ...

    def claim(self, limits: Mapping[str, int], now: Now, *, panic_only: bool = False) -> tuple[Claim, ...]:
        """Take due queued rows, most urgent first, at most so many a channel. The transaction re-reads what may have
        changed since they were queued: mode, the incident's life, expiry; what fails is withdrawn with its reason.

        `panic_only`: rows of urgent lanes only. A channel whose rate is used up by others still takes these."""
        ...

    def let_go(self, channel: str, endpoint_keys: Sequence[str]) -> None:
        """Queued rows of the channel to these endpoints that were *not tried* are due now."""
        ...

    def abandoned(self, now: Now) -> tuple[NotificationRow, ...]:
        """Rows claimed by an owner that is dead (its lease ended, or it is an earlier incarnation), and unknown ones
        whose look-up died with it. They are leased to this owner, same epoch, so each is returned once a lease."""
        ...

    def due_timers(self, now: Now, limit: int) -> tuple[DueTimer, ...]: ...

    def next_due_us(self) -> tuple[int | None, int | None]:
        """Boot time (µs) of the next timer and of the next queued row's `not_before`; `None` if there is none.
        May lie in the past: what is due but was not taken."""
        ...

    def save_raw(self, event: Event, error: str, decision: Decision, now: Now) -> tuple[Claim, ...]:
        """Quarantine an event that `decide` cannot handle, with the fixed fallback's decision, in one commit."""
        ...

    def read_incidents(self, *, open_only: bool, site_id: SiteId | None, limit: int) -> tuple[Incident, ...]: ...

    def read_incident(self, incident_id: IncidentId) -> Incident | None: ...

    def read_closed(self, *, before_us: int, after: IncidentId, limit: int) -> tuple[Incident, ...]:
        """Incidents that were closed before then (wall clock), by their ids, which begin behind `after`."""
        ...

    def read_notifications(self, incident_id: IncidentId) -> tuple[NotificationRow, ...]: ...

    def read_notification(self, notification_id: NotificationId) -> NotificationRow | None: ...

    def read_by_ref(self, channel: str, ref: str) -> NotificationRow | None:
        """The row whose last attempt the channel's provider has named so."""
        ...

    def read_outbox(self, now_us: int) -> tuple[OutboxCount, ...]:
        """What waits or is under way, counted; of what a provider has taken, the last day's."""
        ...

    def read_tests(self, since_us: int) -> tuple[NotificationRow, ...]:
        """Rows of kind TEST and DISPATCH_HEARTBEAT created since then, oldest first: what became of `alertd test`."""
        ...

    def read_unsettled(self, channel: str, since_us: int) -> tuple[NotificationRow, ...]: ...

    def read_under_way(self, channel: str, since_us: int) -> tuple[NotificationRow, ...]:
        """Rows written since then (wall clock) that are claimed, of unknown outcome, or taken by the provider, however
        much more is known of those; newest first."""
        ...

    def read_timeline(self, incident_id: IncidentId) -> tuple["JournalLine", ...]: ...

    def read_journal(
        self, site_id: SiteId, *, since_us: int, until_us: int, after: int = 0, kind: EntryKind | None = None
    ) -> tuple["JournalLine", ...]:
        """Lines of one site that were written in that time (wall clock), of one kind or of all, in their order. At
        most some thousands: ask again with the last one's number as `after` until none is left."""
        ...

    def read_troubles(self, *, latched: bool = False) -> tuple[Trouble, ...]:
        """Those that stand; with `latched` also those that are over, and that nobody has acknowledged yet."""
        ...

    def read_last_seen(self, device_ids: Sequence[DeviceId] | None = None) -> tuple[LastSeen, ...]:
        """What was kept of these devices; `None`: of all. Stored for good, so it may be of devices long gone."""
        ...

    def read_drills(self, *, running_only: bool, site_id: SiteId | None, limit: int) -> tuple[Drill, ...]:
        """Drills, the newest first."""
        ...

    def read_drill(self, drill_id: DrillId) -> Drill | None: ...

    def read_device_tests(self) -> tuple[tuple[SiteId, GestureCount], ...]:
        """What the core remembers of devices that are being tried out."""
        ...

    def verify_journal(self, site_id: SiteId) -> int:
        """Number of entries of an unbroken chain. Raises `StoreError` naming the first broken entry."""
        ...


class JournalLine(Struct, frozen=True, kw_only=True):
    """One entry as stored. `entry` is `None` where its personal part was erased; the chain still verifies."""

    site_id: SiteId
    sequence: int
    at_us: int
    entry: Entry | None
    hash: str
