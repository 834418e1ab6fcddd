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
    """In which it called; `TEST`: it would have, and its device was tried out."""
    reached: int | None = None
    """Presses that the device had counted then; `None`, in rows of before: nobody noted it."""

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


class CountedPress(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A press of a device that gestures count, or what may be one, and what is known of when it was made. Wall clock,
    microseconds."""

    cause: CauseId
    number: int
    """Presses that the device has put together in it, at the least; 0: a copy of it counts in its place."""
    total: int | None = None
    """Presses that the device itself had counted with it; `None`: it counts none."""
    doubtful: bool = False
    """It may be no press: a state said again, a button still held, or only another site has heard it."""
    overheard: bool = False
    """Only another site has heard it, or heard it first: a copy that is heard here is certain."""
    received_us: int
    oldest_us: int
    """The earliest that it can have been made."""
    boot_us: int | None = None
    """When it arrived, in the boot time of `boot_id`, which no step of the clock moves. `None`: nobody noted it."""
    boot_id: str = ""
    at_us: int | None = None
    """When it was made, by the device's own clock."""
    is_believed: bool = False
    """That clock may be right."""
    waited: bool = False
    """At the broker, or stored on its way: its arrival does not say when it was made."""
    lost_us: int | None = None
    """When the line was lost, if it waited at the broker."""
    reached: int = 0
    """Presses that were certain with it."""
    called: bool = False
    """It certainly belongs to what has called for help here, in no drill."""
    tested: bool = False
    """The last of a test that is over: it counts for nothing, nor does it in the `total` of what its device counts on
    from there."""
    counts_on: bool = False
    """With `tested`: its device said its presses one by one there, so that it certainly counts on. Else a higher
    `total` may be of presses that were all made after the test."""
    drilled: bool = False
    """It has called in a drill, and nothing was counted to it since: once the drill is over it counts for nothing."""

    @property
    def says_when(self) -> bool:
        """It waited, and says itself when it was made."""
        return self.waited and self.at_us is not None

    @property
    def is_timeless(self) -> bool:
        """It waited, and nobody knows when it was made."""
        return self.waited and self.at_us is None

    @property
    def absent_us(self) -> int:
        """So long before its arrival it can have been made: the line was lost."""
        return self.received_us - self.lost_us if self.is_timeless and self.lost_us is not None else 0


class GestureCount(Struct, frozen=True, kw_only=True):
    """What the core remembers of one device at one site: presses that a gesture may be made of; states that last;
    whether it is tried out; of a sensor, what it has reported lately."""

    device_id: DeviceId
    presses: tuple[CountedPress, ...] = ()
    """As they arrived."""
    count: int = 0
    """In rows of before alone, as the next two: presses that were counted, and when the last was heard."""
    last_us: int = 0
    last_boot_us: int | None = None
    boot_id: str = ""
    lasting: tuple[Activation, ...] = ()
    """At most one of each `what`; a moment leaves one of each word."""
    test: DeviceTest | None = None
    """The last one, until it is over."""
    tested_us: int = 0
    """When a gesture of it was last heard in a test; 0: never."""
    alarms: dict[str, AlarmMemory] = {}
    """Of a sensor: its own word -> what is remembered of it. Only words that its gestures know."""
