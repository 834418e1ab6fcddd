"""In front of the door: what sensors say, before anything follows from it. In memory; it survives no restart, and need
not: the engine remembers what people were told. Only which troubles of their clocks stand is read at a start.

Owns two things. *Numbers* become alarms here, by trigger, minimum time and release (req 66, 67): a number by itself
never passes the door. *Repeats* wait: of one thing that one sensor says, the first passes at once, and what is said
again goes through as one with a count, at most once in `GATHER_S`. So a flood of thousands of messages an hour is a
commit a minute, and delays no press (promise 2, req 68).

Must never: hold back, count or look at anything but registered sensors; lose the first of anything; lose a message
whose commit failed, because the broker sends only that one again. What waits when alertd dies is a count, and no alarm.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial

from msgspec.structs import replace

from alertd.daemon.in_vain import if_in_vain
from alertd.daemon.slow_clocks import SlowClocks
from alertd.daemon.telemetry import Telemetry
from alertd.model.decision import Decision
from alertd.model.events import GOES_ON, Event, Pressed
from alertd.model.ids import DeviceId
from alertd.model.incident import VERIFY_FIRST
from alertd.model.registry import Registry
from alertd.model.site import Device, DeviceKind, Thresholds
from alertd.model.trouble import Trouble
from alertd.ports import Clock, Door

GATHER_S = 60.0
"""Repeats of a nuisance are gathered for so long."""
GATHER_SHOTS_S = 5.0
"""The same of what would be a panic if a human said so."""
AGAIN_S = 3600
"""A number that is an alarm after so long without a word of it is another one."""
RETRY_S = 5.0
"""An alarm that could not be committed is tried again after so long at the earliest, while its number stands."""
LOOK_S = 60.0
"""At least so often it is looked who has left the registry."""
STALE_US = 120 * 1_000_000
"""A number older than this says nothing of now."""
OTHER = "?"
"""Stands for every word that the sensor's gestures do not know: nobody can make as many as they like."""
RETAINED = "retained"
SOURCE = "sensors"
"""Under which what is held back is counted."""

Key = tuple[DeviceId, str]
RegistryNow = Callable[[], Registry]


class Spoken:
    """What one sensor says of one thing."""

    __slots__ = ("above_since_us", "last", "on_us", "over", "passed_us", "pending", "retry_us", "waiting")

    def __init__(self) -> None:
        self.passed_us: int | None = None
        """Boot time when it passed the door last; `None`: never, or in vain."""
        self.waiting = 0
        """Alarms that have not passed yet."""
        self.last: Pressed | None = None
        """What stands for them, or the end of the alarm."""
        self.on_us: int | None = None
        """Boot time when it was last said that it is an alarm by its numbers; `None`: it is none."""
        self.above_since_us: int | None = None
        """Boot time since when the numbers have been an alarm, if they stay one for long enough."""
        self.pending: Pressed | None = None
        """The number that began it."""
        self.over = False
        """That it has ended was said last, and passed or will."""
        self.retry_us = 0
        """Not before this boot time: a commit has failed."""


class Readings:
    """Belongs to the event loop."""

    def __init__(self, clock: Clock, telemetry: Telemetry) -> None:
        self._clock = clock
        self._telemetry = telemetry
        self._spoken: dict[Key, Spoken] = {}
        self._passing: list[tuple[Spoken, Pressed]] = []
        self._tried: set[DeviceId] = set()
        """Sensors that are tried out."""
        self._clocks = SlowClocks()
        self._news = asyncio.Event()

    # --- in the way of a message ------------------------------------------------------------------------------------

    def sift(self, events: tuple[Event, ...], registry: Registry) -> tuple[Event, ...]:
        """What passes the door now. Everything does that is no sensor's."""
        if not any(_sensor(event, registry) is not None for event in events):
            return events
        self._passing = []
        return tuple(passed for event in events if (passed := self._sifted(event, registry)) is not None)

    def await_commit(self, done: Awaitable[None]) -> None:
        """`done`: of what `sift` has let through. In vain: the next of its kind passes at once."""
        passing, self._passing = self._passing, []
        if passing:
            if_in_vain(done, lambda: self._try_again(passing))

    def _try_again(self, passing: list[tuple[Spoken, Pressed]]) -> None:
        """In vain: the next of its kind passes at once. Nobody sends a number again that stands: it is tried from
        here."""
        now_us = self._clock.now().boot_us
        for spoken, passed in passing:
            spoken.passed_us, spoken.over = None, False
            if spoken.on_us is not None and not passed.signal.ends:
                spoken.on_us, spoken.above_since_us, spoken.pending = None, now_us, passed
                spoken.retry_us = now_us + round(RETRY_S * 1_000_000)
                self._news.set()

    def remember(self, standing: Sequence[Trouble]) -> None:
        """Whose clock was slow, as an earlier life knew it."""
        for trouble in standing:
            self._clocks.note(trouble)

    def committed(self, decision: Decision) -> None:
        """Where a test begins, or is over, a sensor has said nothing: no alarm is a repeat of one that was tried."""
        self.remember(decision.troubles)
        for memory in decision.gestures:
            if (memory.test is not None) != (memory.device_id in self._tried):
                self._tried ^= {memory.device_id}
                for key in [key for key in self._spoken if key[0] == memory.device_id]:
                    del self._spoken[key]

    def _sifted(self, event: Event, registry: Registry) -> Event | None:
        device = _sensor(event, registry)
        if device is None or not isinstance(event, Pressed):
            return event
        action = event.signal.action
        word = RETAINED if event.retained else action if action in device.gestures.actions else OTHER
        spoken = self._spoken.setdefault((device.id, word), Spoken())
        if event.signal.reading is not None:
            return self._measured(spoken, event, device)
        return self._gathered(spoken, event, device)

    def _gathered(self, spoken: Spoken, event: Pressed, device: Device) -> Pressed | None:
        if event.signal.ends and spoken.over:
            return None  # said with each report: its cool-down runs, and the next alarm passes at once
        now_us, spoken.over = self._clock.now().boot_us, False
        times = 0 if event.signal.ends else 1
        gather_us = _gather_s(device, event.signal.action) * 1_000_000
        if spoken.passed_us is not None and now_us - spoken.passed_us < gather_us:
            self._telemetry.observe(SOURCE, "gathered")
            if spoken.last is None:
                self._news.set()
            spoken.waiting += times
            if times or not spoken.waiting:
                spoken.last, spoken.over = event, event.signal.ends
            return None
        passed = _counted(event, spoken.waiting + times)
        spoken.over = event.signal.ends
        spoken.passed_us, spoken.waiting, spoken.last = now_us, 0, None
        return self._let_through(spoken, passed)

    def _let_through(self, spoken: Spoken, passed: Pressed) -> Pressed:
        self._passing.append((spoken, passed))
        return passed

    # --- numbers ----------------------------------------------------------------------------------------------------

    def _measured(self, spoken: Spoken, event: Pressed, device: Device) -> Pressed | None:
        """A number: an alarm, the end of one, or nothing."""
        self._telemetry.observe(SOURCE, "readings")
        limits, number = device.gestures.sensor.thresholds.get(event.signal.action), event.signal.reading
        if limits is None or number is None or event.retained or event.backlog or self._is_stale(event, device):
            return None
        if spoken.on_us is not None:
            return self._goes_on(spoken, event, device, limits)
        if number < limits.trigger:
            spoken.above_since_us = spoken.pending = None
            return None
        if spoken.above_since_us is None:
            spoken.above_since_us, spoken.pending = self._clock.now().boot_us, event
            self._news.set()
        return self._triggered(spoken, device, limits)

    def _is_stale(self, event: Pressed, device: Device) -> bool:
        """Of a message that did not wait at the broker: by its sensor's clock."""
        stale = event.received_us - event.oldest_us > STALE_US
        clocks, now_us = self._clocks, self._clock.now().boot_us
        if clocks.is_old(event, device, now_us) if stale else clocks.is_young(device):
            self._news.set()
        return stale

    def _goes_on(self, spoken: Spoken, event: Pressed, device: Device, limits: Thresholds) -> Pressed | None:
        """It is an alarm until it is released, and that is said now and then: what was told is known after a restart.
        After `AGAIN_S` without a word of it, it is another one: the end may have been lost, or the sensor was dead
        meanwhile, and the next cloud must not be taken for the last one."""
        number, now_us = event.signal.reading, self._clock.now().boot_us
        assert number is not None, "what is measured has a number"
        assert spoken.on_us is not None, "only of an alarm"
        if number <= limits.release:
            spoken.on_us = None
            return self._gathered(spoken, _verdict(event, ends=True), device)
        quiet_us = now_us - spoken.on_us
        if number < limits.trigger or quiet_us < _goes_on_s(device) * 1_000_000:
            return None
        spoken.on_us = now_us
        alarm = _verdict(event, ends=False)
        if quiet_us >= AGAIN_S * 1_000_000:
            return self._gathered(spoken, alarm, device)
        return self._let_through(spoken, replace(alarm, signal=replace(alarm.signal, count=GOES_ON)))

    def _triggered(self, spoken: Spoken, device: Device, limits: Thresholds) -> Pressed | None:
        """An alarm, if the numbers have been one for long enough. The last number stands until the next one: a sensor
        that speaks when something changes says nothing more while it burns."""
        began, due_us = spoken.pending, _alarm_due_us(spoken, limits)
        if began is None or due_us is None or self._clock.now().boot_us < due_us:
            return None
        spoken.on_us, spoken.above_since_us, spoken.pending = self._clock.now().boot_us, None, None
        return self._gathered(spoken, _verdict(began, ends=False), device)

    # --- what time brings -------------------------------------------------------------------------------------------

    async def run(self, door: Door, registry: RegistryNow) -> None:
        """Let through what has waited, and what has been too much for long enough. Ends never."""
        while True:
            self._news.clear()
            wait_s = self._due_in_s(registry())
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._news.wait()
            for spoken, event in self._due(registry()):
                self._passing = [(spoken, event)]
                self.await_commit(door.submit(event))
            self._clocks.keep(registry())
            for trouble in self._clocks.news():
                if_in_vain(door.submit(trouble), partial(self._clocks.again, trouble))

    def _due_in_s(self, registry: Registry) -> float:
        """Seconds until something is due."""
        dues = (_due_us(device_id, spoken, registry) for (device_id, _), spoken in self._spoken.items())
        now_us = self._clock.now().boot_us
        due_us = min((due for due in dues if due is not None), default=now_us + round(LOOK_S * 1_000_000))
        return min(LOOK_S, max(0.0, (due_us - now_us) / 1_000_000))

    def _due(self, registry: Registry) -> list[tuple[Spoken, Pressed]]:
        now_us = self._clock.now().boot_us
        found: list[tuple[Spoken, Pressed]] = []
        for (device_id, _), spoken in self._spoken.items():
            due_us = _due_us(device_id, spoken, registry)
            if due_us is not None and due_us <= now_us:
                passed = self._passed(spoken, registry.devices[device_id], now_us)
                found += [(spoken, passed)] if passed is not None else []
        return found

    def _passed(self, spoken: Spoken, device: Device, now_us: int) -> Pressed | None:
        if spoken.pending is not None:
            limits = device.gestures.sensor.thresholds.get(spoken.pending.signal.action)
            triggered = self._triggered(spoken, device, limits) if limits is not None else None
            if triggered is not None:
                return triggered
        if spoken.last is None or now_us < _ripe_us(spoken, device):
            return None
        passed = _counted(spoken.last, spoken.waiting)
        spoken.passed_us, spoken.waiting, spoken.last = now_us, 0, None
        return passed


def _alarm_due_us(spoken: Spoken, limits: Thresholds) -> int | None:
    """When its number has been an alarm for long enough. In boot time; `None`: it is none."""
    if spoken.above_since_us is None:
        return None
    return max(spoken.above_since_us + round(limits.for_s * 1_000_000), spoken.retry_us)


def _goes_on_s(device: Device) -> float:
    """Twice a cool-down: whatever is said again within it is the same alarm, also after a restart."""
    return max(GATHER_S, device.gestures.sensor.cool_down_s / 2)


def _sensor(event: Event, registry: Registry) -> Device | None:
    """The registered sensor that speaks; `None`: somebody else, or nobody knows who."""
    if not isinstance(event, Pressed):
        return None
    device = registry.devices.get(event.signal.device_id)
    return device if device is not None and device.kind is DeviceKind.SENSOR else None


def _gather_s(device: Device, action: str) -> float:
    return GATHER_SHOTS_S if device.gestures.actions.get(action) in VERIFY_FIRST else GATHER_S


def _ripe_us(spoken: Spoken, device: Device) -> int:
    """When what waits may pass. In boot time."""
    assert spoken.last is not None, "something waits"
    if spoken.passed_us is None:
        return 0
    return spoken.passed_us + round(_gather_s(device, spoken.last.signal.action) * 1_000_000)


def _due_us(device_id: DeviceId, spoken: Spoken, registry: Registry) -> int | None:
    """Boot time at which something of it is due. A sensor that left the registry has nothing more to say."""
    device = registry.devices.get(device_id)
    if device is None or device.kind is not DeviceKind.SENSOR:
        return None
    due: list[int] = [_ripe_us(spoken, device)] if spoken.last is not None else []
    if spoken.pending is not None:
        limits = device.gestures.sensor.thresholds.get(spoken.pending.signal.action)
        alarm_us = _alarm_due_us(spoken, limits) if limits is not None else None
        due += [alarm_us] if alarm_us is not None else []
    return min(due, default=None)


def _counted(event: Pressed, times: int) -> Pressed:
    """With the number of alarms that it stands for: counted here, never taken from a payload."""
    return replace(event, signal=replace(event.signal, count=max(1, times)))


def _verdict(event: Pressed, *, ends: bool) -> Pressed:
    """What a number means."""
    return replace(event, signal=replace(event.signal, reading=None, ends=ends))
