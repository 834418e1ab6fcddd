"""Plays a story, or a seeded school day, against a running daemon: over its real broker, in real time.

Owns who does what when. People, carrier and dispatch centre are the receivers', in a process of their own; what alertd
does, alertd decides, and nobody judges it here (`alertd simulate` does). Must refuse to begin where anything leads out
of this machine, or where the daemon is not the rehearsal's.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

import aiomqtt
import msgspec
from msgspec.structs import replace

from alertd.config import load
from alertd.console.client import Client, NotReachableError, RefusedError, segment
from alertd.daemon.http_client import HttpClient
from alertd.daemon.system_clock import SystemClock
from alertd.model.registry import Registry
from alertd.ports import HttpNoAnswerError, HttpNotSentError, HttpRequest
from alertd_simulator.demo_school import read_wiring
from alertd_simulator.devices import Air, Payload, on_the_air
from alertd_simulator.feed import Line, grouped
from alertd_simulator.fleet import Fleet
from alertd_simulator.live_credentials import LiveError, live_channels, live_secrets
from alertd_simulator.play_program import Program, words_of
from alertd_simulator.receivers import Rehearsal
from alertd_simulator.world.plan import (
    CarrierWeather,
    Deed,
    DispatchMood,
    DispatchWeather,
    Key,
    Order,
    Poison,
    Press,
    Reply,
    SensorReport,
)

ASK_S = 0.25
ALIVE_S = 15.0
AFTERWARDS_S = 20.0
"""So long the feed is shown when everything was done."""
DOOR_TIMEOUT_S = 10.0
Tell = Callable[[float, str], None]
"""Seconds since the beginning, and what happened."""


def refuse_what_is_live(rehearsal: Rehearsal, environ: Mapping[str, str]) -> None:
    """Raises `LiveError` that names every way out of this machine."""
    wiring = read_wiring(Path(rehearsal.config))
    if found := [*live_channels(wiring), *live_secrets(wiring, environ)]:
        raise LiveError("this could reach somebody real, so nothing is played:\n  " + "\n  ".join(found))


class Player:
    """`play` it once."""

    def __init__(self, program: Program, rehearsal: Rehearsal, registry: Registry, *, speed: float, tell: Tell) -> None:
        self.done = 0
        self._program = program
        self._rehearsal = rehearsal
        self._registry = registry
        self._speed = speed
        self._tell = tell
        self._client = Client(Path(rehearsal.socket))
        self._http = HttpClient()
        self._fleet = Fleet(registry, clock=SystemClock(), random=Random(program.title))
        self._boot = f"p{time.time_ns() // 1_000_000}"
        """Of every device: the same counts of another evening are other presses."""
        self._seen = 0
        self._began_s = 0.0

    async def play(self, afterwards_s: float = AFTERWARDS_S) -> None:
        """Raises `RuntimeError` if the daemon, the broker or the receivers are not there."""
        await self._ready()
        self._began_s = time.monotonic()
        watching = asyncio.create_task(self._watch(), name="feed")
        host, port = self._rehearsal.broker_host, self._rehearsal.broker_port
        try:
            async with on_the_air(host, port) as air, asyncio.TaskGroup() as group:
                for deed in self._program.deeds:
                    await self._wait_until(deed.at_s / self._speed)
                    group.create_task(self._do(deed, air))
            await asyncio.wait({watching}, timeout=afterwards_s)
        except aiomqtt.MqttError as error:
            raise RuntimeError(f"the broker {host}:{port} does not answer: {error}") from None
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await self._http.close()

    @property
    def now_s(self) -> float:
        return time.monotonic() - self._began_s if self._began_s else 0.0

    async def open_incidents(self) -> list[dict[str, Any]]:
        answer = await asyncio.to_thread(self._client.get, "/v1/incidents")
        return list(answer["incidents"])

    async def _ready(self) -> None:
        await self._alive()
        self._seen = max((line.number for line in await self._feed()), default=0)
        if self._program.habits:
            await self._ask("POST", "/habits", {"people": self._program.habits})

    async def _alive(self) -> None:
        """A daemon that was started a moment ago gets its time."""
        why = ""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ALIVE_S):
                while True:
                    try:
                        health = await asyncio.to_thread(self._client.health)
                    except (NotReachableError, RefusedError) as error:
                        raise RuntimeError(f"the rehearsal's daemon does not answer: {error}") from None
                    if health["alive"]:
                        return
                    why = "; ".join(
                        f"{each['name']}: {each['words']}" for each in health["proofs"] if not each["alive"]
                    )
                    await asyncio.sleep(ASK_S)
        raise RuntimeError(
            f"the rehearsal's daemon is not alive after {ALIVE_S:.0f} s: {why}. "
            "If it was started before the receivers were, start it again"
        )

    async def _wait_until(self, at_s: float) -> None:
        await asyncio.sleep(max(0.0, self._began_s + at_s - time.monotonic()))

    # --- deeds

    async def _do(self, deed: Deed, air: Air) -> None:
        self._tell(self.now_s, f"▸ {words_of(deed)}")
        try:
            await self._carry_out(deed, air)
        except (RefusedError, NotReachableError) as error:
            self._tell(self.now_s, f"▸ {words_of(deed)}: NOT DONE, alertd says: {error}")
        except (RuntimeError, aiomqtt.MqttError) as error:
            self._tell(self.now_s, f"▸ {words_of(deed)}: NOT DONE: {error}")
        else:
            self.done += 1

    async def _carry_out(self, deed: Deed, air: Air) -> None:
        match deed:
            case Press() | SensorReport() | Poison():
                await self._publish(deed, air)
            case Reply():
                body = {"person": deed.person, "body": deed.body, "about": deed.about}
                await self._ask("POST", "/type", body)
            case Key():
                if not await self._ask("POST", "/key", {"person": deed.person, "key": deed.key}):
                    raise RuntimeError("the phone is in no call")
            case Order():
                await self._order(deed)
            case CarrierWeather() | DispatchWeather() | DispatchMood():
                await self._turn(deed)
            case _:
                raise AssertionError(f"{type(deed).__name__} cannot be played")

    async def _publish(self, deed: Press | SensorReport | Poison, air: Air) -> None:
        began_s = time.monotonic()
        for delay_s, payload, _ in self._fleet.messages(deed, time.time_ns() // 1000):
            await asyncio.sleep(max(0.0, began_s + delay_s - time.monotonic()))
            await air.publish(self._of_today(payload))

    def _of_today(self, payload: Payload) -> Payload:
        """The fleet counts from one each time it is played."""
        try:
            body = msgspec.json.decode(payload.payload)
        except (msgspec.DecodeError, RecursionError):
            return payload
        if not isinstance(body, dict) or "boot" not in body:
            return payload
        return replace(payload, payload=msgspec.json.encode(body | {"boot": self._boot}))

    async def _turn(self, deed: CarrierWeather | DispatchWeather | DispatchMood) -> None:
        """For its time, which is not shortened; then as ever."""
        path = "/carrier" if isinstance(deed, CarrierWeather) else "/dispatch"
        turn = {"mood": deed.mood} if isinstance(deed, DispatchMood) else {"weather": deed.weather, "share": deed.share}
        await self._ask("POST", path, turn)
        await asyncio.sleep(deed.lasts_s)
        await self._ask("POST", path, {})

    # --- orders

    async def _order(self, order: Order) -> None:
        """As an operator gives it, over the daemon's own API."""
        signed: dict[str, Any] = {"by": order.by} if order.by else {"name": "An operator"}
        site = f"/v1/sites/{segment(order.site)}"
        match order.what:
            case "pa_stop":
                path, body = f"{site}/silence", signed
            case "say" | "say_emergency":
                path = f"{site}/say"
                body = signed | {"words": order.words, "emergency": order.what == "say_emergency"}
            case "drill_end":
                path, body = f"{site}/drill/end", signed
            case "drill_start":
                path = f"{site}/drill"
                body = signed | {
                    "class": order.drilled, "devices": list(order.devices), "told": "the dispatcher on duty",
                    "minutes": order.minutes,
                }  # fmt: skip
            case "acknowledge_trouble":
                path, body = await self._trouble(order, signed)
            case _:
                path, body = await self._of_incident(order, signed)
        await asyncio.to_thread(self._client.post, path, body)

    async def _of_incident(self, order: Order, signed: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        found = sorted(await self.open_incidents(), key=lambda each: (each["opened"], each["id"]))
        if not found:
            raise RuntimeError("nothing is open")
        incident = found[order.nth % len(found)]
        path = f"/v1/incidents/{segment(incident['id'])}"
        match order.what:
            case "resolve":
                return f"{path}/resolve", signed
            case "resolve_rooms_released":
                return f"{path}/resolve", signed | {"rooms_released": True}
            case "release":
                return f"{path}/resolve", signed | {"zone": order.zone}
            case "correct":
                return f"{path}/correct", signed | {"reason": "pressed by mistake"}
            case "answer_going":
                return f"{path}/answers", {"person": order.by, "kind": "going"}
            case other:
                raise RuntimeError(f"no operator knows the order {other!r}")

    async def _trouble(self, order: Order, signed: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        answer = await asyncio.to_thread(self._client.get, "/v1/troubles")
        standing = [trouble for trouble in answer["troubles"] if not trouble.get("acknowledged_by")]
        if not standing:
            raise RuntimeError("no trouble stands")
        trouble = standing[order.nth % len(standing)]
        return f"/v1/troubles/{segment(trouble['key'])}/acknowledge", signed | {"site": trouble["site"]}

    # --- the receivers

    async def _watch(self) -> None:
        while True:
            lines = await self._feed()
            self._seen = max((line.number for line in lines), default=self._seen)
            for words in grouped(lines):
                self._tell(self.now_s, f"    {words}")
            await asyncio.sleep(ASK_S)

    async def _feed(self) -> list[Line]:
        answer = await self._ask("GET", f"/feed?after={self._seen}", None)
        return msgspec.convert(answer, list[Line])

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        request = HttpRequest(
            method=method, url=f"{self._rehearsal.door}{path}", body=b"" if body is None else msgspec.json.encode(body)
        )
        try:
            answer = await self._http.send(request, timeout_s=DOOR_TIMEOUT_S)
        except (HttpNotSentError, HttpNoAnswerError) as error:
            raise RuntimeError(f"the receivers do not answer ({error}): start alertd-sim receivers again") from None
        if answer.status != 200:
            raise RuntimeError(f"the receivers refuse: {answer.body.decode(errors='replace')}")
        return msgspec.json.decode(answer.body)


def registry_of(rehearsal: Rehearsal) -> Registry:
    """Of the configuration that the daemon runs."""
    return load(Path(rehearsal.config)).registry
