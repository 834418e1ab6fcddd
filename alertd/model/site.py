"""Where things are: sites, zones and the devices that hang there."""

from enum import StrEnum

from msgspec import Struct

from alertd.model.ids import DeviceId, PolicyId, SiteId, ZoneId
from alertd.model.people import Endpoint


class Zone(Struct, frozen=True, kw_only=True):
    """A place a responder can walk to. `label` is what people read ("Rm 204, 2nd fl East"), `short` the same without
    the way there ("Rm 204"), `spoken` what they hear ("Room two-oh-four, second floor east")."""

    id: ZoneId
    site_id: SiteId
    label: str
    short: str
    spoken: str = ""
    building: str | None = None
    floor: str | None = None
    room: str | None = None
    nearest_exterior_door: str | None = None


class DeviceKind(StrEnum):
    """What a registered device is. Only a trigger (button, wearable, panel) may page."""

    BUTTON = "button"
    WEARABLE = "wearable"
    SENSOR = "sensor"
    GATEWAY = "gateway"


class Thresholds(Struct, frozen=True, kw_only=True):
    """When the numbers that a sensor measures are an alarm: at least `trigger` for `for_s`; over when at most `release`
    (req 66, 67). Between the two what was so stays so."""

    trigger: float = 50.0
    release: float = 20.0
    for_s: int = 10


class SensorRules(Struct, frozen=True, kw_only=True):
    """How much of what a sensor says becomes a notice. Means nothing for anything that people press."""

    cool_down_s: int = 600
    """What is said again within so long of the last time is the same alarm: counted, and nobody is told again."""
    storm_per_h: int = 20
    """More alarms than this within an hour are a storm: one digest, one trouble, and quiet (req 68)."""
    thresholds: dict[str, Thresholds] = {}
    """The sensor's own word -> when its numbers are an alarm."""


class Gestures(Struct, frozen=True, kw_only=True):
    """What a device's gestures mean. Presses count upward as they arrive; each threshold acts the moment it is reached.

    `presses`: lowest count -> incident class, e.g. {3: "staff_assist", 8: "lockdown"} (req 3).
    `actions`: what the device itself names ("hold", "emergency", "vape") -> incident class.
    `window_s`: presses further apart than this start a new count.
    """

    id: str
    presses: dict[int, str] = {}
    actions: dict[str, str] = {}
    window_s: int = 10
    sensor: SensorRules = SensorRules()


class Device(Struct, frozen=True, kw_only=True):
    """One registered device. An unregistered one never pages a school; it raises a trouble."""

    id: DeviceId
    kind: DeviceKind
    site_id: SiteId
    """Home: the one site a press of this device reaches (promise 6)."""
    gestures: Gestures
    zone_id: ZoneId | None = None
    """Where it hangs; `None` only for a wearable, whose place is where it was last heard."""
    label: str = ""
    """What people call it: "Okafor badge", "wall button"."""
    assigned_to: str | None = None
    """Person id of the wearer, if any. A substitute may wear it: never write "X pressed"."""
    roaming_sites: tuple[SiteId, ...] = ()
    """Not empty: a roaming device, whose press reaches the site that heard it, if that is in this list."""
    profile: str = ""
    """Which device profile says what its messages mean; "" = the one of the source that carries it."""
    duress_codes: tuple[str, ...] = ()
    """Of a keypad: salted hashes (`model.duress_code`) of the codes that mean "I am forced to"."""
    check_in_s: int | None = None
    """Its check-in window: silent for longer, it is missed. 0: it need not report; `None`: as its profile says."""
    gateway: DeviceId | None = None
    """The registered gateway or bridge below which it hangs; `None`: the one through which it was heard last."""


ANNOUNCED = ("lockdown", "hold")
"""Incident classes that loudspeakers speak of, unless the site says otherwise. A staff assist, a medical emergency or a
vape sensor is nobody's business but those who can help."""


class StateRules(Struct, frozen=True, kw_only=True):
    """Knobs in which state laws differ (req 14)."""

    audible: bool = True
    """False: no loudspeaker ever speaks of an incident."""
    confirm_before_dispatch: str = "off"  # off | timed | required
    confirm_timeout_s: int = 60
    everyone_told_within_s: int = 60
    """A panic's first step must have told everyone by then, or the configuration is refused (req 50)."""
    announce: tuple[str, ...] = ANNOUNCED
    """Incident classes that loudspeakers may speak of."""


class Hours(Struct, frozen=True, kw_only=True):
    """When a school's wearables have to be heard: at night they hang in a drawer, or went home."""

    days: tuple[int, ...] = (1, 2, 3, 4, 5)
    """ISO weekdays, 1 = Monday."""
    start: str = "08:00"
    """"HH:MM" in the site's time zone; before `end`."""
    end: str = "15:00"


class Site(Struct, frozen=True, kw_only=True):
    """A school. `short` opens every text ("OAK ELEM"); `name` is spoken and sent to dispatch."""

    id: SiteId
    name: str
    short: str
    time_zone: str
    street: str | None = None
    city: str | None = None
    state: str | None = None
    zip: str | None = None
    county: str | None = None
    lat: float | None = None
    lon: float | None = None
    psap_id: str | None = None
    main_phone: str | None = None
    entry_door: str | None = None
    key_box: str | None = None
    staging: str | None = None
    hazards: str | None = None
    rules: StateRules = StateRules()
    policies: dict[str, PolicyId] = {}
    """Incident class -> policy; "trouble" names the policy of this site's troubles."""
    loudspeakers: dict[str, Endpoint] = {}
    """Name ("all", "gym") -> a zone of a PA channel. Only these speak for this site (promise 6)."""
    hours: Hours = Hours()
    sensor_storm_per_h: int = 60
    """More alarms of nuisance sensors within an hour than this, whichever they come from, are a storm of the site."""
