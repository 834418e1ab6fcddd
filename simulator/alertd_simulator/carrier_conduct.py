"""What a phone does when it rings. Owns the vocabulary; `carrier_calls` performs it."""

from enum import StrEnum

from msgspec import Struct


class Pickup(StrEnum):
    """What a phone does with a call."""

    TAKES = "takes it"
    BUSY = "is busy"
    RINGS_OUT = "rings out"
    VOICEMAIL = "has its voicemail take it"
    OFF = "is off"


class Conduct(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One phone, and whoever holds it."""

    pickup: Pickup = Pickup.RINGS_OUT
    rings_s: float = 5.0
    """So long it rings before it is taken."""
    keys: tuple[tuple[str, float], ...] = ()
    """Keys and when they are pressed, in seconds after taking the call. Where nothing listens, a key is lost."""
    hangs_up_s: float = 0.0
    """So long after taking it; 0: listens to the end."""
    detected: str = ""
    """What the detector says instead of the truth ("machine_end_beep" of a human, "unknown")."""
