"""When a school's wearables have to be heard, in its own local time. Pure: asks no clock."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from alertd.model.site import Site

DAYS_AHEAD = 8
"""Every weekday comes within so many days."""


def began_us(site: Site, wall_us: int) -> int | None:
    """When the hours began in which this moment lies; `None`: it lies in none. Wall clock, microseconds."""
    local = datetime.fromtimestamp(wall_us / 1_000_000, ZoneInfo(site.time_zone))
    if local.isoweekday() not in site.hours.days:
        return None
    opening, closing = _at(local, site.hours.start), _at(local, site.hours.end)
    return _us(opening) if _us(opening) <= wall_us < _us(closing) else None


def next_us(site: Site, wall_us: int) -> int | None:
    """When the next hours begin; `None`: never."""
    local = datetime.fromtimestamp(wall_us / 1_000_000, ZoneInfo(site.time_zone))
    for ahead in range(DAYS_AHEAD):
        opening = _at(local + timedelta(days=ahead), site.hours.start)
        if opening.isoweekday() in site.hours.days and _us(opening) > wall_us:
            return _us(opening)
    return None


def _at(day: datetime, written: str) -> datetime:
    return datetime.combine(day.date(), time.fromisoformat(written), tzinfo=day.tzinfo)


def _us(moment: datetime) -> int:
    return round(moment.astimezone(UTC).timestamp() * 1_000_000)
