"""`Plan`: everything that a simulated day will do, as one value that can be written down, replayed and made smaller.

Owns the kinds of deeds. A seed makes a plan (`school_day.plan_of`), shrinking removes deeds from it, a regression keeps
it as JSON. Every moment is in seconds of true time since the world began. The plan fixes what the world *intends*;
delays and losses below that are drawn from `seed`, each actor from a stream of its own.
"""

from enum import StrEnum

from msgspec import Struct

from alertd_simulator.carrier_conduct import Conduct


class Gesture(StrEnum):
    """How a button is pressed."""

    ONCE = "once"
    THREE = "three"
    EIGHT = "eight"
    HOLD = "hold"


class Press(Struct, frozen=True, kw_only=True, tag="press", forbid_unknown_fields=True):
    """Somebody presses. `heard_by`: the gateways that hear a wearable (each passes it on); empty for a fixed button."""

    at_s: float
    name: str
    device: str
    gesture: Gesture
    heard_by: tuple[str, ...] = ()
    retain: bool = False
    """A misconfigured device publishes it retained."""
    held_back_s: float = 0.0
    """The gateway had no uplink and publishes so much later."""
    presses: int = 0
    """So many presses instead of what `gesture` says (a rehearsed district may ask for two, or for five)."""
    action: str = ""
    """The device's own word instead of what `gesture` says ("emergency")."""
    rssi: tuple[float, ...] = ()
    """How well each gateway of `heard_by` hears it, dBm; empty: none says."""
    stays_s: float = 0.0
    """It is a state, which the device says again `every_s` for so long."""
    every_s: float = 30.0
    first_lost: bool = False
    """Of a state: its first message never arrives."""
    over: bool = False
    """Nobody presses: the device itself says that it no longer calls."""


class SensorReport(Struct, frozen=True, kw_only=True, tag="sensor_report", forbid_unknown_fields=True):
    """A sensor says something: vape, masking, tamper. `times` in a row, `every_s` apart: a storm."""

    at_s: float
    name: str
    device: str
    action: str
    times: int = 1
    every_s: float = 1.0
    reading: float | None = None
    """A number that it measured of `action`, without saying that it is an alarm."""
    over: bool = False
    """It says that its alarm is over."""


class Poison(Struct, frozen=True, kw_only=True, tag="poison", forbid_unknown_fields=True):
    """Something on a press topic that is no press as anybody knows it. `kind`: "garbage", "empty", "unregistered",
    "unmapped", "huge", "deep", "decide" (valid, but the engine is made to fail on it: a bug that nobody found yet),
    "stolen" (whoever has the device's password presses as a button of its school with it)."""

    at_s: float
    name: str
    device: str
    kind: str


class SignsOfLife(Struct, frozen=True, kw_only=True, tag="signs_of_life", forbid_unknown_fields=True):
    """A device says `every_s` that it lives, for `lasts_s`; then it is dead."""

    at_s: float
    device: str
    lasts_s: float
    every_s: float = 60.0
    battery: int | None = None
    """Percent."""
    tamper: bool | None = None
    """Is its case open? `None`: it says nothing of it."""
    heard_by: str = ""


class Link(Struct, frozen=True, kw_only=True, tag="link", forbid_unknown_fields=True):
    """The broker publishes the last will of a gateway or a device, retained; or it is there again and says so."""

    at_s: float
    device: str
    online: bool


class Order(Struct, frozen=True, kw_only=True, tag="order", forbid_unknown_fields=True):
    """An admin acts on the `nth` incident that is open then (0 = oldest); nothing if there is none.

    `what`: "release" (one zone), "resolve", "resolve_rooms_released", "correct", "answer_going", "acknowledge_trouble",
    "test", "reload" (the same district, one person more); of no incident: "pa_stop", "say", "say_emergency",
    "drill_start" (of `devices`, for `minutes`), "drill_end"; "device_test_start" (of one device), "device_test_end"."""

    at_s: float
    what: str
    nth: int = 0
    by: str = ""
    """Person id; empty: whoever the world has at the console."""
    zone: str = ""
    """For "release": this zone; empty: one of the incident's own."""
    site: str = ""
    """For what concerns a school and no incident."""
    words: str = ""
    """What is to be said over its loudspeakers."""
    devices: tuple[str, ...] = ()
    """Those that take part in a drill."""
    drilled: str = "lockdown"
    """The class that is drilled."""
    minutes: int = 0
    watched_s: float = 0
    """For so long whoever has ordered the test of a device asks what was heard of it."""


class Reply(Struct, frozen=True, kw_only=True, tag="reply", forbid_unknown_fields=True):
    """Somebody types on their phone, whatever their habit is. In `body`, `{token}` stands for the code digits of the
    newest text on that screen which offers a code and holds the words `about`, and `{text}` for that whole text."""

    at_s: float
    person: str
    body: str
    about: str = ""


class Key(Struct, frozen=True, kw_only=True, tag="key", forbid_unknown_fields=True):
    """Somebody presses a key of their phone, in whatever call there is then."""

    at_s: float
    person: str
    key: str


# --- faults: each begins at `at_s`, most last `lasts_s` -------------------------------------------------------------


class Crash(Struct, frozen=True, kw_only=True, tag="crash", forbid_unknown_fields=True):
    """The daemon dies in the `nth` call of a port after `at_s` and is started `down_s` later.

    `port`: "store.commit", "store.begin", "store.claim", "http.send", "mqtt.ack", "mqtt.connect" … or "" = at `at_s`.
    `moment`: "before" the call acts, "during" (it acted, nobody has heard), "after" it returned.
    `power`: the machine goes down with it: memory, tmpfs and boot time are gone, and of the log what was not synced is
    cut at `cut` (0..1) of its length."""

    at_s: float
    port: str = ""
    nth: int = 1
    moment: str = "during"
    down_s: float = 2.0
    power: bool = False
    cut: float = 1.0


class DiskFull(Struct, frozen=True, kw_only=True, tag="disk_full", forbid_unknown_fields=True):
    at_s: float
    lasts_s: float


class DiskFails(Struct, frozen=True, kw_only=True, tag="disk_fails", forbid_unknown_fields=True):
    """Every `one_in`-th write ends in an I/O error."""

    at_s: float
    lasts_s: float
    one_in: int = 3


class SlowDisk(Struct, frozen=True, kw_only=True, tag="slow_disk", forbid_unknown_fields=True):
    """Commits take up to `commit_s`."""

    at_s: float
    lasts_s: float
    commit_s: float = 2.0


class CarrierWeather(Struct, frozen=True, kw_only=True, tag="carrier_weather", forbid_unknown_fields=True):
    """`weather` is one of `weather.Weather`; `share` of requests see it."""

    at_s: float
    lasts_s: float
    weather: str
    share: float = 1.0
    channel: str = ""
    """Only requests of this configured channel; empty: of every one that speaks to the carrier."""


class CarrierTricks(Struct, frozen=True, kw_only=True, tag="carrier_tricks", forbid_unknown_fields=True):
    """Statuses late, twice, out of order, taken back; texts that die on the way (`fails`, an error code)."""

    at_s: float
    lasts_s: float
    late_s: float = 0.0
    shuffled: bool = False
    twice: bool = False
    recants: bool = False
    fails: int = 0


class DispatchWeather(Struct, frozen=True, kw_only=True, tag="dispatch_weather", forbid_unknown_fields=True):
    at_s: float
    lasts_s: float
    weather: str
    share: float = 1.0
    destination: str = ""
    """Only this destination of the configuration; empty: all of them."""


class DispatchMood(Struct, frozen=True, kw_only=True, tag="dispatch_mood", forbid_unknown_fields=True):
    """`mood` is one of `dispatch_center.Mood`."""

    at_s: float
    lasts_s: float
    mood: str
    destination: str = ""
    """Only this destination of the configuration; empty: all of them."""


class LoudspeakersDown(Struct, frozen=True, kw_only=True, tag="loudspeakers_down", forbid_unknown_fields=True):
    """`mood` is one of `loudspeakers.Mood`: "switch down", "pacer dead", "slow"."""

    at_s: float
    lasts_s: float
    mood: str
    zone: str = ""
    """Only this zone of a PA; empty: all of them."""


class UplinkCut(Struct, frozen=True, kw_only=True, tag="uplink_cut", forbid_unknown_fields=True):
    """The school's way to the internet is gone; the broker stands in the building."""

    at_s: float
    lasts_s: float


class BrokerDown(Struct, frozen=True, kw_only=True, tag="broker_down", forbid_unknown_fields=True):
    """`forgets`: it was killed, and its sessions, queues and retained messages were in memory only."""

    at_s: float
    lasts_s: float
    forgets: bool = False


class BrokerDrops(Struct, frozen=True, kw_only=True, tag="broker_drops", forbid_unknown_fields=True):
    """Every connection is cut, `times` times, `every_s` apart."""

    at_s: float
    times: int = 1
    every_s: float = 1.0

    @property
    def lasts_s(self) -> float:
        return self.times * self.every_s


class BrokerTricks(Struct, frozen=True, kw_only=True, tag="broker_tricks", forbid_unknown_fields=True):
    """Deliveries twice on one connection, reordered between topics, `jitter_s` late; QoS 0 lost (`loses`: share); what
    fits the topic filter `withholds` is taken, and delivered to nobody. `clogs`: a session that comes back to
    anything that has waited gets nothing any more that is to be acknowledged, as from mosquitto 2.0.11 with a limit of
    messages under way, if enough of QoS 0 is among it."""

    at_s: float
    lasts_s: float
    duplicates: float = 0.0
    jitter_s: float = 0.0
    loses: float = 0.0
    withholds: str = ""
    clogs: bool = False


class Replay(Struct, frozen=True, kw_only=True, tag="replay", forbid_unknown_fields=True):
    """A gateway or an attacker publishes old press messages again, byte for byte. `newest` of them."""

    at_s: float
    newest: int = 3


class ClockStep(Struct, frozen=True, kw_only=True, tag="clock_step", forbid_unknown_fields=True):
    """Somebody, or NTP, sets the machine's clock."""

    at_s: float
    by_s: float


class WrongClockAtBoot(Struct, frozen=True, kw_only=True, tag="wrong_clock_at_boot", forbid_unknown_fields=True):
    """The power goes; the machine comes back `off_s` wrong, and is right again `lasts_s` later."""

    at_s: float
    off_s: float
    lasts_s: float
    down_s: float = 30.0


Fault = (
    Crash
    | DiskFull
    | DiskFails
    | SlowDisk
    | CarrierWeather
    | CarrierTricks
    | DispatchWeather
    | DispatchMood
    | LoudspeakersDown
    | UplinkCut
    | BrokerDown
    | BrokerDrops
    | BrokerTricks
    | Replay
    | ClockStep
    | WrongClockAtBoot
)
Deed = Press | SensorReport | Poison | SignsOfLife | Link | Order | Reply | Key | Fault
FAULTS = (
    Crash, DiskFull, DiskFails, SlowDisk, CarrierWeather, CarrierTricks, DispatchWeather, DispatchMood, UplinkCut,
    LoudspeakersDown, BrokerDown, BrokerDrops, BrokerTricks, Replay, ClockStep, WrongClockAtBoot, Poison,
)  # fmt: skip
"""What shrinking tries to do without; `Poison` is a fault too."""


class Habits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One person's, for the day. `habit` is one of `people.Habit`; `phone_off` until then, and texts wait or die."""

    person: str
    habit: str
    after_s: float = 8.0
    phone_off_s: float = 0.0
    delivery_s: float | None = None
    """From the carrier's *sent* to this phone; `None`: as the carrier's usual."""
    on_the_phone: Conduct | None = None
    """What they do with a call; `None`: what goes with the habit."""


class Plan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A day. `begins` is the wall clock at its start (RFC 3339): days on which clocks change are days too."""

    seed: int
    begins: str
    deeds: tuple[Deed, ...]
    habits: tuple[Habits, ...] = ()
    polls_only: bool = False
    """No callback can reach the school: behind NAT, as most are."""
    heal_at_s: float = 1_800.0
    """No fault lasts longer; devices and people go on."""
    over_at_s: float = 2_700.0
    district: str = ""
    """Directory of the configuration; empty: the stated school's own."""
    rehearsal: bool = False
    """Somebody's real configuration: its numbers are real ones, and dialling them in here is no violation."""
    mapped: float = 0.0
    """Share of the stated district's devices that speak as real families do (see `mapped_devices`)."""
    texts_per_s: float = 0.0
    """What one of the carrier's senders gives out per second; 0: as many as come."""
    schema: int = 1
