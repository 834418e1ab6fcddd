"""Supervision without a daemon around it: devices speak, time passes in rounds, and what is told is kept."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from alertd.daemon.check_ins import CheckIns
from alertd.daemon.windows import ROUND_S
from alertd.engine.spelling import named
from alertd.model.anchor import Now
from alertd.model.check_in import Battery, CheckIn, DeviceStanding, LastSeen, Link
from alertd.model.events import Event, TroubleCleared, TroubleRaised
from alertd.model.ids import DeviceId
from alertd.model.registry import Registry
from alertd.model.site import Device, DeviceKind
from alertd.model.trouble import Trouble
from alertd.ports import NotCommittedError
from alertd_simulator.virtual_time import SCHOOL_DAY_US
from tests.engine.school import BADGE, device, registry

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S


class Broker:
    """A source, as far as supervision looks at it."""

    name = "broker"

    def __init__(self) -> None:
        self.is_connected = True

    async def run(self, door: object) -> None:
        raise AssertionError("nobody runs it")


def school(**changes: Mapping[str, object]) -> Registry:
    """The small school, with other devices: `badge_204={"check_in_s": 300}`."""
    known = registry()
    devices = dict(known.devices)
    for name, fields in changes.items():
        device_id = DeviceId(name.replace("_", "-"))
        devices[device_id] = replace(devices[device_id], **fields)
    return replace(known, devices=devices)


def many(school_: Registry, devices: Iterable[Device]) -> Registry:
    return replace(school_, devices={**school_.devices, **{device.id: device for device in devices}})


class Watch:
    """`Clock` and `Door` at once. `restart` is a new life that knows what was kept."""

    boot_id = "boot"

    def __init__(self, school_: Registry, windows: Mapping[str, int] | None = None) -> None:
        self.boot_us = 1_000_000_000
        self.wall_us = SCHOOL_DAY_US
        self.broker = Broker()
        self.sources = {"broker": self.broker}
        self.events: list[TroubleRaised | TroubleCleared] = []
        self.kept: dict[DeviceId, LastSeen] = {}
        self.standing: dict[str, Trouble] = {}
        self.elsewhere: list[LastSeen] = []
        """What other nodes have stored."""
        self.refuses = 0
        self._school, self._windows = school_, windows or {}
        self.check_ins = self._new()

    def _new(self) -> CheckIns:
        check_ins = CheckIns(clock=self, sources=lambda: self.sources, latest=self._latest)
        check_ins.use(self._school, self._windows)
        return check_ins

    async def _latest(self, device_ids: Sequence[DeviceId]) -> Sequence[LastSeen]:
        return [each for each in self.elsewhere if each.device_id in device_ids]

    def now(self) -> Now:
        return Now(wall_us=self.wall_us, boot_us=self.boot_us)

    async def submit(self, event: Event) -> None:
        if self.refuses:
            self.refuses -= 1
            raise NotCommittedError("disk full")
        assert isinstance(event, TroubleRaised | TroubleCleared)
        self.events.append(event)
        if isinstance(event, TroubleCleared):
            self.standing.pop(event.key, None)
            return
        self.standing[event.key] = Trouble(
            key=event.key, site_id=event.site_id, summary=event.summary, raised_us=self.wall_us, members=event.members
        )

    # --- what happens -----------------------------------------------------------------------------------------------

    def hears(self, device: str, *, retained: bool = False, qos: int | None = None, **more: object) -> None:
        check_in = CheckIn(device_id=DeviceId(device), **more)  # type: ignore[arg-type]
        self.check_ins.heard("broker", (named(self._school, check_in),), retained=retained, qos=qos)

    async def passes(self, seconds: float, *, step_s: float = ROUND_S, talks: Sequence[str] = ()) -> None:
        """Time goes by in rounds; those who talk are heard in each."""
        end_us = self.boot_us + round(seconds * 1_000_000)
        while self.boot_us < end_us:
            self.boot_us += round(step_s * 1_000_000)
            self.wall_us += round(step_s * 1_000_000)
            for name in talks:
                self.hears(name)
            await self.check_ins.look(self)  # type: ignore[arg-type]

    async def settle(self) -> None:
        await self.passes(6 * ROUND_S)

    def flush(self) -> None:
        for each in (*self.check_ins.listened(), *self.check_ins.take_changed(100_000)):
            before_us = self.kept.get(each.device_id, LastSeen(device_id=each.device_id)).seen_us
            if each.seen_us >= before_us or before_us > self.wall_us:
                self.kept[each.device_id] = each

    def restart(
        self, *, down_s: float = 0.0, power: bool = False, first: Mapping[str, Link | Battery] | None = None
    ) -> None:
        """Killed, and a new life: only what was flushed, and troubles, are still known. `power`: the machine, too.
        `first`: what the broker remembers, and hands out before that has been read."""
        self.boot_us = 0 if power else self.boot_us + round(down_s * 1_000_000)
        self.wall_us += round(down_s * 1_000_000)
        self.check_ins = self._new()
        for name, said in (first or {}).items():
            more = {"link": said} if isinstance(said, Link) else {"battery": said}
            self.hears(name, retained=True, alive=False, **more)
        self.check_ins.remember([self.kept[each] for each in sorted(self.kept)])  # as the store has them
        self.check_ins.remember_troubles(tuple(self.standing.values()))

    def becomes(self, school_: Registry) -> None:
        """The registry is loaded anew."""
        self._school = school_
        self.check_ins.use(school_, self._windows)

    # --- what came of it --------------------------------------------------------------------------------------------

    def told(self, family: str) -> list[str]:
        """Summaries of the troubles of a family, in order, repeats included."""
        return [e.summary for e in self.events if isinstance(e, TroubleRaised) and e.key.startswith(f"{family}:")]

    def told_anew(self) -> list[str]:
        """Summaries of what stood already, and is told once more."""
        return [e.summary for e in self.events if isinstance(e, TroubleRaised) and e.anew]

    def over(self) -> list[tuple[str, str]]:
        """Where which trouble was said to be over, in order."""
        return [(e.site_id, e.key) for e in self.events if isinstance(e, TroubleCleared)]

    def device(self, device_id: str) -> DeviceStanding:
        return next(iter(self.check_ins.standings([DeviceId(device_id)])))


def below(gateway: str, count: int) -> list[Device]:
    """Buttons that report, and hang below it."""
    names = [f"wall-{number}" for number in range(count)]
    return [
        device(name, DeviceKind.BUTTON, BADGE, zone_id="204", check_in_s=200, gateway=DeviceId(gateway))
        for name in names
    ]
