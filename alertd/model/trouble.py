"""Troubles: what is wrong with alertd, with what it depends on, or with a way that presses take. Latched: one that is
over is shown until a human has acknowledged it (req 30)."""

from enum import StrEnum

from msgspec import Struct

from alertd.model.anchor import Now
from alertd.model.ids import SiteId


class TroubleClass(StrEnum):
    """The lower two of the three classes of signals (req 30); the highest, alarm, is an incident."""

    SUPERVISORY = "supervisory"
    """Whoever presses somewhere may not be heard: somebody has to go and look."""
    TROUBLE = "trouble"
    """Something is wrong that does not stand between a press and people now: somebody has to mend it."""


SUPERVISORY_FAMILIES = frozenset(
    {
        "silent", "gateway", "tamper", "broker", "broker_alive", "broker_session", "broker_subscription",
        "broker_dropped", "broker_deaf", "broker_unproven",
    }
)  # fmt: skip
"""First words of the keys of troubles of a way that presses take."""


class Trouble(Struct, frozen=True, kw_only=True):
    """One standing trouble. `key` is its identity ("unregistered:badge-99"): raising it again does not tell again."""

    key: str
    site_id: SiteId
    summary: str
    raised_us: int
    count: int = 1
    """How often it was raised."""
    number: int = 0
    """Part of the ids of notifications and timers: one more with each time that people are told, or are to be."""
    told_us: int = 0
    """When people were told last; 0: never, or by an older alertd."""
    acknowledged_by: str = ""
    cleared_us: int | None = None
    """It is over, and a human knows of it: forgotten."""
    over_us: int | None = None
    """It is over, and nobody has acknowledged it yet: latched."""
    rings: bool = False
    """It may hide a press: told at panic priority to whoever is on duty."""
    members: tuple[str, ...] = ()
    """What it is about, one by one (devices; presses that a broker remembers): one more is news, and an acknowledgement
    covers those of its time."""
    pressed: Now | None = None
    """When it was last raised for what may have been a press; `None`: never, or by an older alertd."""
    schema: int = 1

    @property
    def family(self) -> str:
        return self.key.partition(":")[0]

    @property
    def stands(self) -> bool:
        return self.cleared_us is None and self.over_us is None

    @property
    def trouble_class(self) -> TroubleClass:
        return TroubleClass.SUPERVISORY if self.family in SUPERVISORY_FAMILIES else TroubleClass.TROUBLE
