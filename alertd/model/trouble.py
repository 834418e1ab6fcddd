"""Troubles: what is wrong with alertd or what it depends on. Latched until cleared, told to its own audience."""

from msgspec import Struct

from alertd.model.ids import SiteId


class Trouble(Struct, frozen=True, kw_only=True):
    """One standing trouble. `key` is its identity ("unregistered:badge-99"): raising it again does not tell again."""

    key: str
    site_id: SiteId
    summary: str
    raised_us: int
    count: int = 1
    """How often it was raised."""
    number: int = 0
    """How often people were told; part of the notification ids."""
    acknowledged_by: str = ""
    cleared_us: int | None = None
    rings: bool = False
    """It may hide a press: told at panic priority to whoever is on duty."""
    schema: int = 1
