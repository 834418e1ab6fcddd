"""Who listens: each source, since when, and how long in all its lives. Silence counts only while somebody listens."""

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from alertd.daemon.device_records import Record
from alertd.model.anchor import Now
from alertd.model.check_in import LastSeen
from alertd.model.ids import DeviceId
from alertd.ports import Source

EAR = "source/"
"""Under this and its name is kept how long a source has listened; no device's id has a slash."""


class Hearing(Struct, frozen=True):
    since_us: int
    """Boot time since when it listens without a gap."""
    listened_us: int
    """In all."""


class _Ear:
    __slots__ = ("before_us", "since_us")

    def __init__(self) -> None:
        self.before_us = 0
        """Listened in all, but for what is running."""
        self.since_us: int | None = None
        """`None`: it does not listen now."""

    def total_us(self, now: Now) -> int:
        return self.before_us + (0 if self.since_us is None else now.boot_us - self.since_us)


class Ears:
    def __init__(self, sources: Callable[[], Mapping[str, Source]]) -> None:
        self._sources = sources
        self._ears: dict[str, _Ear] = {}

    def listen(self, now: Now) -> None:
        """Look which of them listen now."""
        sources = self._sources()
        for name in {**sources, **self._ears}:
            ear, source = self._ears.setdefault(name, _Ear()), sources.get(name)
            listens = source is not None and _listens(source)
            if listens and ear.since_us is None:
                ear.since_us = now.boot_us
            elif not listens and ear.since_us is not None:
                ear.before_us, ear.since_us = ear.total_us(now), None

    def hearing(self, source: str, now: Now) -> Hearing | None:
        """`None`: whoever would hear the device does not listen. A device that was never heard, or over a source that
        there is no more, may speak to any."""
        sources = self._sources()
        ears = [ear for name in ((source,) if source in sources else sources) if (ear := self._ears.get(name))]
        since = [each.since_us for each in ears if each.since_us is not None]
        if not ears or len(since) < len(ears):
            return None
        return Hearing(max(since), max(each.total_us(now) for each in ears))

    def listened_us(self, source: str, now: Now) -> int:
        ear = self._ears.get(source)
        return ear.total_us(now) if ear is not None else 0

    def kept(self, now: Now) -> list[LastSeen]:
        return [
            LastSeen(device_id=DeviceId(f"{EAR}{name}"), seen_us=now.wall_us, listened_us=ear.total_us(now))
            for name, ear in self._ears.items()
        ]

    def remember(self, kept: LastSeen, records: Iterable[Record]) -> None:
        """What earlier lives listened comes on top; also for those of `records` that spoke in this life before it was
        read. What is remembered of the others has it in already."""
        name = kept.device_id.removeprefix(EAR)
        self._ears.setdefault(name, _Ear()).before_us += kept.listened_us
        for record in records:
            if record.spoke and record.source == name:
                record.listened_us += kept.listened_us


def _listens(source: Source) -> bool:
    """What `Listening` says, where a source is able to; asked every second, and `isinstance` of a protocol is slow."""
    listens: bool = getattr(source, "is_listening", source.is_connected)
    return listens
