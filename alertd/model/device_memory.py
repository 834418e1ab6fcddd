"""What is remembered of one device at one site, from one message of it to the next.

Owns its gesture so far, the states of it that last, the test it is in, and of a sensor what it has reported lately.
Must never: decide what any of it means (`engine.gestures`, `engine.levels`, `engine.device_tests` and `engine.sensors`
do), nor be evidence: what was decided by it stands in the journal.
"""

from msgspec import Struct

from alertd.model.anchor import Anchor
from alertd.model.ids import CauseId, DeviceId
from alertd.model.incident import IncidentClass
from alertd.model.mode import Mode


class AlarmMemory(Struct, frozen=True, kw_only=True):
    """What is remembered of one thing that one sensor reports ("vape"). Wall clock, microseconds."""

    last_us: int = 0
    """When it was last said, that it is or that it is over: from here the cool-down runs."""
    told_us: int = 0
    """When people were last told of it."""
    recent: tuple[tuple[int, int], ...] = ()
    """(when, how many) within the last hour, oldest first."""
    day: str = ""
    """Local date of `times`."""
    times: int = 0
    """How often people were told on that day."""


class Activation(Struct, frozen=True, kw_only=True):
    """A state of a device that lasts (`events.Lasting`), and calls for help. Wall clock, microseconds."""

    what: str
    """What of the device; "": the whole of it."""
    state: str
    """"WORD:WHICH": its word for it, and which one of its kind it is, if the device says so."""
    since_us: int
    last_us: int
    """When it was last said."""
    last_boot_us: int | None = None
    """The same in the boot time of `boot_id`, which no step of the clock moves; `None`: nobody noted it."""
    boot_id: str = ""
    said_us: int | None = None
    """When it was last said by the device's own clock, if it has a believable one."""
    called: bool = False
    """It was taken up as a call; else nobody was told of it, and it hides nothing. Rows of before do not say: doubt
    pages."""
    mode: Mode = Mode.LIVE
    """In which it called."""

    @property
    def numbered(self) -> bool:
        """The device itself says which one of its kind it is."""
        return not self.state.endswith(":")


class DeviceTest(Struct, frozen=True, kw_only=True):
    """One device is tried out: until then its presses page nobody, up to a class."""

    id: str
    by: str
    incident_class: IncidentClass
    """The gravest that is tried; a graver gesture is real."""
    began_us: int
    """Wall clock, as the others. None moves with a clock that is set: that ends the test."""
    ends_us: int
    """At the latest."""
    watched_us: int = 0
    """When somebody last asked what was heard; 0, also in rows of before: nobody, so that what is pressed is real."""
    anchor: Anchor | None = None
    """The clock by which it began; `None`, in rows of before: nobody noted it. A test outlives no start."""


class Counted(Struct, frozen=True, kw_only=True):
    """A gesture of a device before the one that is counted now; a message that was held up may still belong to it."""

    count: int
    last_us: int
    doubtful: int = 0
    """As many of them may be no press, or not of this gesture."""
    overheard: tuple[CauseId, ...] = ()
    """Of those in doubt, the presses that only another site has heard, so far: a copy that is heard here is certain."""
    own: bool = False
    """The device itself has counted them: it says two or more."""
    first_us: int = 0
    """When it began; 0: nobody noted it."""
    lasted_us: int = 0
    chain: int = 0
    heard_us: int = 0
    last_boot_us: int | None = None
    boot_id: str = ""
    drilled: bool = False
    """As of the gesture that is counted now."""
    called: bool = False
    """The same."""


class GestureCount(Struct, frozen=True, kw_only=True):
    """What the core remembers of one device at one site: presses that belong to one gesture, so far; states that last;
    whether it is tried out; of a sensor, what it has reported lately."""

    device_id: DeviceId
    count: int = 0
    doubtful: int = 0
    """As many of them may be no press, or not of this gesture."""
    overheard: tuple[CauseId, ...] = ()
    """Of those in doubt, the presses that only another site has heard, so far: a copy that is heard here is certain."""
    own: bool = False
    """The device itself has counted them: it says two or more."""
    last_us: int = 0
    first_us: int = 0
    """When the gesture began: presses overtake each other on the way."""
    lasted_us: int = 0
    """From when the first of them can have been pressed, at the earliest, until the last was heard. No clock that is
    set changes it."""
    chain: int = 0
    """Gestures of one number may be one: a press may have belonged to both."""
    heard_us: int = 0
    """When the last of them arrived, by the wall clock, where `last_us` may be of the device's own. 0: it had waited,
    and only its own time says when that was, or nobody noted it."""
    last_boot_us: int | None = None
    """The same in the boot time of `boot_id`, which no step of the clock moves. `None`: it had waited."""
    boot_id: str = ""
    drilled: bool = False
    """It has called in a drill, and nothing was counted to it since: once the drill is over it counts for nothing."""
    called: bool = False
    """It has called for help here, in no drill. Rows of before do not say: doubt pages."""
    others: tuple[Counted, ...] = ()
    """Gestures before it, the latest first: what a gateway held up arrives between the presses of a newer one."""
    lasting: tuple[Activation, ...] = ()
    """At most one of each `what`; a moment leaves one of each word."""
    test: DeviceTest | None = None
    """The last one, until it is over."""
    tested_us: int = 0
    """When a gesture of it was last heard in a test; 0: never."""
    alarms: dict[str, AlarmMemory] = {}
    """Of a sensor: its own word -> what is remembered of it. Only words that its gestures know."""
