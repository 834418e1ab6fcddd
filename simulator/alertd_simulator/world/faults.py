"""Faults come and go: what a plan's faults do to broker, carrier, dispatch centre, network, disk and clock.

Owns which faults are on. The state of the world is always the sum of those that are: `_settle` sets every knob from
that list, so faults may overlap and end in any order. Must never touch the daemon.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import TypeVar

from msgspec import Struct

from alertd_simulator.broker import SimulatedBroker
from alertd_simulator.carrier import Carrier
from alertd_simulator.dispatch_center import DispatchCenter, Mood
from alertd_simulator.loudspeakers import Loudspeakers
from alertd_simulator.loudspeakers import Mood as LoudspeakerMood
from alertd_simulator.virtual_time import virtual_loop
from alertd_simulator.weather import Forecast, Weather
from alertd_simulator.world.happenings import ClockMoved, FaultBegan, FaultEnded, Happening
from alertd_simulator.world.life import Trap
from alertd_simulator.world.machine import Machine
from alertd_simulator.world.plan import (
    BrokerDown,
    BrokerDrops,
    BrokerTricks,
    CarrierTricks,
    CarrierWeather,
    ClockStep,
    Crash,
    DiskFails,
    DiskFull,
    DispatchMood,
    DispatchWeather,
    Fault,
    LoudspeakersDown,
    Replay,
    SlowDisk,
    UplinkCut,
    WrongClockAtBoot,
)
from alertd_simulator.world_http import WorldHttp

COMMIT_S = 0.2
"""Longest commit of a healthy disk."""

F = TypeVar("F", bound=Struct)


class Surface(Struct, frozen=True, kw_only=True):
    """What faults work on."""

    machine: Machine
    broker: SimulatedBroker
    carrier: Carrier
    centers: Mapping[str, DispatchCenter]
    senders: Mapping[str, tuple[str, ...]]
    """The carrier's numbers of each channel."""
    http: WorldHttp
    loudspeakers: Loudspeakers
    random: Random
    emit: Callable[[Happening], None]


class Faults:
    """`arrange` each fault of the plan; `heal` ends them all."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface
        self._on: list[Fault] = []
        self._timers: list[asyncio.TimerHandle] = []
        virtual_loop().executor_delay = self._executor_delay
        carrier = surface.carrier
        carrier.sender_forecasts = {number: Forecast() for number in carrier.numbers}

    def arrange(self, fault: Fault) -> None:
        self._timers.append(virtual_loop().call_since(fault.at_s, self._begin, fault))

    def heal(self) -> None:
        """The end of all faults, begun or not."""
        for timer in self._timers:
            timer.cancel()
        self._surface.machine.traps.clear()
        for fault in tuple(self._on):
            self._end(fault)

    # --- one fault

    def _begin(self, fault: Fault) -> None:
        match fault:
            case Crash():
                self._crash(fault)  # told of by the world when it happens
            case Replay():
                self._tell_began(fault)
                self._surface.broker.replay(fault.newest)
                self._tell_ended(fault)
            case ClockStep():
                self._tell_began(fault)
                self.set_clock(fault.by_s)
                self._tell_ended(fault)
            case WrongClockAtBoot():
                self._last(fault, fault.down_s + fault.lasts_s)
                self._reboot_wrong(fault)
            case BrokerDrops():
                self._last(fault, fault.lasts_s)
                self._drop(fault, fault.times)
            case _:
                self._last(fault, fault.lasts_s)

    def _last(self, fault: Fault, lasts_s: float) -> None:
        self._on.append(fault)
        self._tell_began(fault)
        self._settle()
        self._timers.append(asyncio.get_running_loop().call_later(lasts_s, self._end, fault))

    def _end(self, fault: Fault) -> None:
        if fault not in self._on:
            return
        self._on.remove(fault)
        if isinstance(fault, WrongClockAtBoot):
            self.set_clock(-fault.off_s)
        self._settle()
        self._tell_ended(fault)

    def _tell_ended(self, fault: Fault) -> None:
        self._surface.emit(FaultEnded(at_us=self._surface.machine.true_us(), fault=tag_of(fault)))

    def _tell_began(self, fault: Fault) -> None:
        at_us = self._surface.machine.true_us()
        self._surface.emit(FaultBegan(at_us=at_us, fault=tag_of(fault), detail=_detail(fault)))

    def _crash(self, crash: Crash) -> None:
        if crash.port:
            self._surface.machine.traps.append(Trap(crash))
        else:
            self._surface.machine.kill("at its hour", crash)

    def _drop(self, fault: BrokerDrops, left: int) -> None:
        self._surface.broker.drop_connections()
        if left > 1:
            handle = asyncio.get_running_loop().call_later(fault.every_s, self._drop, fault, left - 1)
            self._timers.append(handle)

    def _reboot_wrong(self, fault: WrongClockAtBoot) -> None:
        self._surface.machine.kill("the power went", Crash(at_s=fault.at_s, power=True, down_s=fault.down_s))
        self.set_clock(fault.off_s)

    def set_clock(self, by_s: float) -> None:
        """The machine's wall clock jumps."""
        clock = self._surface.machine.clock
        clock.step_wall(by_s)
        now = self._surface.machine.true_us()
        self._surface.emit(ClockMoved(at_us=now, by_s=by_s, wall_us=clock.now().wall_us))

    # --- the sum of them

    def _all(self, kind: type[F]) -> list[F]:
        return [fault for fault in self._on if isinstance(fault, kind)]

    def _settle(self) -> None:
        surface = self._surface
        surface.machine.health.is_full = bool(self._all(DiskFull))
        surface.machine.health.fails_one_in = min((fault.one_in for fault in self._all(DiskFails)), default=0)
        surface.http.is_plugged_in = not self._all(UplinkCut)
        surface.loudspeakers.moods = {f.zone: LoudspeakerMood(f.mood) for f in self._all(LoudspeakersDown)}
        self._settle_carrier()
        tricks = self._all(CarrierTricks)
        surface.carrier.tricks = tricks[-1] if tricks else None
        for name, center in surface.centers.items():
            moods = [fault for fault in self._all(DispatchMood) if fault.destination in {"", name}]
            center.mood = Mood(moods[-1].mood) if moods else Mood.ACCEPTS
            self._forecast(center.forecast, [f for f in self._all(DispatchWeather) if f.destination in {"", name}])
        self._settle_broker()

    def _settle_carrier(self) -> None:
        carrier, weathers = self._surface.carrier, self._all(CarrierWeather)
        everywhere = [fault for fault in weathers if not fault.channel]
        self._forecast(carrier.forecast, everywhere)
        self._forecast(carrier.reading_forecast, everywhere)
        for channel, numbers in self._surface.senders.items():
            for number in numbers:
                own = [fault for fault in weathers if fault.channel == channel]
                self._forecast(carrier.sender_forecasts[number], own)

    def _forecast(self, forecast: Forecast, faults: Sequence[CarrierWeather | DispatchWeather]) -> None:
        forecast.random = self._surface.random
        forecast.standing = Weather(faults[-1].weather) if faults else Weather.FINE
        forecast.share = faults[-1].share if faults else 1.0

    def _settle_broker(self) -> None:
        broker, down = self._surface.broker, self._all(BrokerDown)
        if any(fault.forgets for fault in down):
            broker.forget()
        if down and broker.is_up:
            broker.stop()
        elif not down and not broker.is_up:
            broker.start()
        tricks = self._all(BrokerTricks)
        broker.tricks = tricks[-1] if tricks else None

    def _executor_delay(self, random: Random) -> tuple[float, float]:
        """0 to 200 ms around a commit, or what a slow disk takes."""
        slow = self._all(SlowDisk)
        total = random.random() * (max((fault.commit_s for fault in slow), default=COMMIT_S))
        before = total * random.random()
        return before, total - before


def tag_of(fault: Struct) -> str:
    return str(type(fault).__struct_config__.tag)


def _detail(fault: Fault) -> str:
    fields = {name: getattr(fault, name) for name in fault.__struct_fields__ if name != "at_s"}
    return " ".join(f"{name}={value}" for name, value in fields.items())
