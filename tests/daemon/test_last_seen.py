"""When devices were heard is on the disk in the end, although the disk was full for a while."""

from collections.abc import Callable, Sequence

from alertd.daemon.last_seen import BATCH, LastSeenKeeper
from alertd.daemon.readings import Readings
from alertd.daemon.telemetry import Telemetry
from alertd.model.check_in import LastSeen
from alertd.model.ids import DeviceId
from alertd.model.site import Device, DeviceKind
from alertd.ports import StoreError
from alertd_simulator.virtual_time import in_virtual_time
from tests.daemon.watch import Watch, many, school
from tests.engine.school import BADGE, device

BADGES = [device(f"d-{number}", DeviceKind.WEARABLE, BADGE) for number in range(BATCH + 50)]


class Shelf:
    """A store that keeps nothing else, and sometimes has no room. Also the thread that calls it."""

    def __init__(self) -> None:
        self.kept: set[DeviceId] = set()
        self.room_for = 99
        """So many commits."""

    def write_last_seen(self, seen: Sequence[LastSeen]) -> None:
        if not self.room_for:
            raise StoreError("no space left")
        self.room_for -= 1
        self.kept.update(each.device_id for each in seen)

    async def run(self, work: Callable[[], None]) -> None:
        work()


def shelved(devices: Sequence[Device]) -> tuple[Watch, Shelf, LastSeenKeeper]:
    watch, shelf = Watch(many(school(), devices)), Shelf()
    readings = Readings(watch, Telemetry(watch))
    keeper = LastSeenKeeper(store=shelf, committer=shelf, check_ins=watch.check_ins, readings=readings)  # type: ignore[arg-type]
    return watch, shelf, keeper


@in_virtual_time
async def test_what_a_full_disk_did_not_take_is_written_when_there_is_room() -> None:
    watch, shelf, keeper = shelved(BADGES)
    for badge in BADGES:
        watch.hears(badge.id)
    shelf.room_for = 2  # the sources, and the first of two batches
    await keeper.flush()
    assert len(shelf.kept - {DeviceId("ear:broker")}) < len(BADGES)
    await keeper.flush()
    shelf.room_for = 99
    await keeper.flush()

    assert {badge.id for badge in BADGES} <= shelf.kept, "a device that was heard is missed after the next start"
