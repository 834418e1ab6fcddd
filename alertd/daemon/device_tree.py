"""What hangs below which gateway or bridge, and which of them are gone."""

from collections.abc import Iterator, Mapping

from alertd.daemon.device_records import Record
from alertd.model.anchor import Now
from alertd.model.ids import DeviceId

DEEP = 4
"""Gateways behind gateways."""


class DeviceTree:
    """An index of `records`, which belong to somebody else."""

    def __init__(self, records: Mapping[DeviceId, Record]) -> None:
        self._records = records
        self._below: dict[DeviceId, set[Record]] = {}
        self._gateways: dict[DeviceId, Record] = {}
        self._gone: dict[DeviceId, int] = {}
        """Gateways of which people were told that they are gone, and when."""

    def hang(self, record: Record) -> None:
        """It is new, or heard through another gateway than before, perhaps."""
        self._unhang(record)
        if record.is_gateway:
            self._gateways[record.device.id] = record
        record.hangs_below = record.behind
        if record.hangs_below is not None:
            self._below.setdefault(record.hangs_below, set()).add(record)

    def fell(self, record: Record) -> None:
        """It is registered no more."""
        self._unhang(record)

    def _unhang(self, record: Record) -> None:
        self._gateways.pop(record.device.id, None)
        if record.hangs_below is not None:
            self._below[record.hangs_below].discard(record)
            record.hangs_below = None

    def above(self, record: Record) -> Iterator[Record]:
        """The gateways through which it is heard, the nearest first."""
        for _ in range(DEEP):
            gateway = self._records.get(record.behind) if record.behind is not None else None
            if gateway is None or gateway is record or not gateway.is_gateway:
                return
            yield gateway
            record = gateway

    def below(self, gateway: Record) -> list[Record]:
        """Whatever is heard through it, other gateways and what hangs below them included; in order of their ids."""
        found: set[Record] = set()
        last = {gateway}
        for _ in range(DEEP):
            last = {each for above in last for each in self._below.get(above.device.id, ())} - found - {gateway}
            found |= last
        return sorted(found, key=lambda record: record.device.id)

    # --- who is gone ------------------------------------------------------------------------------------------------

    def gone_above(self, record: Record) -> Record | None:
        """The gateway that is gone, and behind which it cannot be heard. Whoever was heard since has another way."""
        for gateway in self.above(record):
            gone_us = self._gone.get(gateway.device.id)
            if gone_us is not None and record.last_us <= gone_us:
                return gateway
        return None

    def newly_gone(self, now_us: int) -> list[Record]:
        """Gateways that are silent, and were not said to be. One behind another that is gone is not told by itself."""
        found = []
        for gateway in self._gateways.values():
            if gateway.silent and gateway.device.id not in self._gone and self.gone_above(gateway) is None:
                self._gone[gateway.device.id] = now_us
                gateway.away_us = gateway.last_us if gateway.offline_us is None else gateway.offline_us
                found.append(gateway)
        return found

    def back(self) -> list[Record]:
        """Gateways that were said to be gone, and are heard again."""
        gone = [self._records[each] for each in self._gone if each in self._records]
        found = [gateway for gateway in gone if not gateway.silent]
        for gateway in found:
            del self._gone[gateway.device.id]
        return found

    def forget(self, device_id: DeviceId) -> None:
        """What was said of it no longer holds, or was not committed: if it is gone, it is found again."""
        self._gone.pop(device_id, None)

    def remember(self, gateway: Record, now: Now) -> None:
        """It was said to be gone by an earlier life, and may be there again."""
        gateway.silent = not gateway.is_there
        self._gone[gateway.device.id] = now.boot_us
        ago_us = max(0, now.wall_us - gateway.offline_wall_us)
        gateway.away_us = gateway.last_us if gateway.offline_us is None else now.boot_us - ago_us
