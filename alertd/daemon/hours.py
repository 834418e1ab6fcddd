"""When a school's wearables have to be heard, in its own local time. Pure: asks no clock."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from alertd.model.site import Site

DAYS_AHEAD = 8
"""Every weekday comes within so many days."""


def opening_us(site: Site, wall_us: int) -> int | None:
    """When the hours begin in which this moment lies, or the next ones; `None`: never. Wall clock, microseconds."""
    local = datetime.fromtimestamp(wall_us / 1_000_000, ZoneInfo(site.time_zone))
    for ahead in range(DAYS_AHEAD):
        day = local + timedelta(days=ahead)
        if day.isoweekday() in site.hours.days and wall_us < _us(_at(day, site.hours.end)):
            return _us(_at(day, site.hours.start))
    return None


def _at(day: datetime, written: str) -> datetime:
    return datetime.combine(day.date(), time.fromisoformat(written), tzinfo=day.tzinfo)


def _us(moment: datetime) -> int:
    return round(moment.astimezone(UTC).timestamp() * 1_000_000)
