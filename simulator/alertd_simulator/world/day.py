"""`Day`: the world of one plan, put together and lived through.

Owns the wiring: who hears whom, and what is told of it as a happening. Must never judge.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from random import Random

from alertd.config import Loaded
from alertd.daemon.core import CORE
from alertd.daemon.intake import Core
from alertd.model.anchor import Now
from alertd.model.decision import Decision, Facts, SiteState
from alertd.model.events import Event, Pressed
from alertd.model.ids import NotificationId
from alertd_simulator.broker import SimulatedBroker
from alertd_simulator.loudspeakers import Loudspeakers, Speech
from alertd_simulator.virtual_time import VirtualClock, virtual_loop
from alertd_simulator.world.deeds import CURSED, Deeds
from alertd_simulator.world.district import widened
from alertd_simulator.world.faults import Faults, Surface
from alertd_simulator.world.happenings import (
    Crashed,
    FaultBegan,
    FaultEnded,
    FellSilent,
    Happening,
    Healed,
    Over,
    Spoken,
    Started,
)
from alertd_simulator.world.machine import Machine, Network
from alertd_simulator.world.orders import Admins
from alertd_simulator.world.outside import Outside, latency, senders_of
from alertd_simulator.world.plan import Deed, Key, Link, Order, Plan, Poison, Press, Reply, SensorReport, SignsOfLife
from alertd_simulator.world.vitals import Vitals


class Day:
    """`live` until the end of the day, read `final`, then `end`."""

    def __init__(self, plan: Plan, school: Loaded, folder: Path, see: Callable[[Happening], None]) -> None:
        self._plan = plan
        self._see = see
        self._orders: set[asyncio.Task[None]] = set()
        seed = str(plan.seed)
        begins_us = round(datetime.fromisoformat(plan.begins).timestamp() * 1e6)
        self.broker = SimulatedBroker(
            latency_s=latency(Random(f"{seed}:crossing"), 0.001, 0.01), random=Random(f"{seed}:broker")
        )
        self.broker.queues_qos0 = True  # as our mosquitto.conf says
        self.broker.renumbers = Random(f"{seed}:packet ids").random() < 0.5
        true_clock = VirtualClock(wall_us=begins_us)
        self.outside = Outside(plan, school, clock=true_clock, emit=self.emit)
        self.loudspeakers = Loudspeakers(school, random=Random(f"{seed}:loudspeakers"))
        self._listen()
        self.machine = Machine(
            folder,
            clock=VirtualClock(wall_us=begins_us),
            school=school,
            network=Network(
                http=self.outside.http,
                broker=self.broker,
                public_url=school.settings.public_base_url,
                loudspeakers=self.loudspeakers,
                has_names=lambda: self.outside.http.is_plugged_in,
            ),
            seed=seed,
            emit=self.emit,
        )
        self.machine.core = _cursed(CORE)
        self.outside.reach(self.machine)
        self.faults = Faults(
            Surface(
                machine=self.machine,
                broker=self.broker,
                carrier=self.outside.carrier,
                centers=self.outside.centers,
                senders=senders_of(school),
                http=self.outside.http,
                loudspeakers=self.loudspeakers,
                random=Random(f"{seed}:faults"),
                emit=self.emit,
            )
        )
        self.admins = Admins(self.machine, random=Random(f"{seed}:admins"), emit=self.emit, widened=widened)
        self.deeds = Deeds(
            plan,
            school,
            broker=self.broker,
            clock=true_clock,
            emit=self.emit,
        )
        self.vitals = Vitals(broker=self.broker, emit=self.emit, on_heard=self.deeds.was_heard)

    # --- the day

    async def live(self) -> None:
        """From the first start to the last minute. The daemon runs when this returns, unless it cannot."""
        await self.machine.start()
        for deed in self._plan.deeds:
            self._arrange(deed)
        loop = virtual_loop()
        await asyncio.sleep(max(0.0, self._plan.heal_at_s - loop.since_s))
        self.faults.heal()
        await self.machine.up.wait()
        self.emit(Healed(at_us=self.machine.true_us()))
        await asyncio.sleep(max(0.0, self._plan.over_at_s - loop.since_s))
        self.emit(Over(at_us=self.machine.true_us()))

    async def end(self) -> None:
        await self.machine.stop()

    def _arrange(self, deed: Deed) -> None:
        loop = virtual_loop()
        match deed:
            case Order():
                loop.call_since(deed.at_s, self._order, deed)
            case Reply():
                loop.call_since(deed.at_s, self.outside.reply, deed)
            case Key():
                loop.call_since(deed.at_s, self.outside.press_key, deed)
            case Press() | SensorReport() | Poison():
                self.deeds.arrange(deed)
            case SignsOfLife() | Link():
                self.vitals.arrange(deed)
            case _:
                self.faults.arrange(deed)

    def _order(self, order: Order) -> None:
        task = asyncio.get_running_loop().create_task(self.admins.carry_out(order), name=f"order {order.what}")
        self._orders.add(task)
        task.add_done_callback(self._orders.discard)

    def _listen(self) -> None:
        self.loudspeakers.on_spoken.append(self._spoken)
        self.loudspeakers.on_silent.append(self._silent)

    def _spoken(self, speech: Speech) -> None:
        self.emit(
            Spoken(
                at_us=self.machine.true_us(),
                channel=speech.channel,
                zone=speech.zone,
                words=speech.words,
                announcement=speech.announcement,
                mode=speech.mode,
                emergency=speech.emergency,
                notification_id=NotificationId(speech.page_id),
            )
        )

    def _silent(self, speech: Speech, by: str) -> None:
        self.emit(
            FellSilent(
                at_us=self.machine.true_us(),
                channel=speech.channel,
                zone=speech.zone,
                cut=bool(by),
                by=NotificationId(by),
                notification_id=NotificationId(speech.page_id),
            )
        )

    def emit(self, happening: Happening) -> None:
        self._see(happening)
        match happening:  # a crash is a fault that is told when it happens
            case Crashed(power=power):
                self._see(FaultBegan(at_us=happening.at_us, fault="crash", detail="power" if power else ""))
            case Started(incarnation=number) if number > 1:
                self._see(FaultEnded(at_us=happening.at_us, fault="crash"))
            case _:
                pass


def _cursed(core: Core) -> Core:
    """An engine with a bug that nobody has found yet: it fails on a press with the action `CURSED`."""

    def decide(state: SiteState, facts: Facts, event: Event, now: Now) -> Decision:
        if isinstance(event, Pressed) and event.signal.action == CURSED:
            raise RuntimeError("the engine cannot handle this press")
        return core.decide(state, facts, event, now)

    return Core(route=core.route, decide=decide, page=core.page)
