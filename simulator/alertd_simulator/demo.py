"""The demonstration: the real daemon, a real broker, and everybody else simulated, on one machine's loopback.

Owns the composition and the exit code. Nothing in it can reach a real phone: the carrier is ours, the numbers are
reserved for fiction, and every address is 127.0.0.1.
"""

import asyncio
import sys
import tempfile
import termios
import tty
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from msgspec import Struct
from rich.console import Console
from rich.live import Live

from alertd.daemon.system_clock import SystemClock
from alertd_simulator.carrier import Carrier
from alertd_simulator.demo_daemon import DaemonFailedError, RunningDaemon, running_daemon
from alertd_simulator.demo_hops import Hop
from alertd_simulator.demo_school import Endpoints, Keys, find_example, prepare
from alertd_simulator.demo_screen import INVITATION, Screen
from alertd_simulator.demo_story import Story
from alertd_simulator.devices import on_the_air
from alertd_simulator.dispatch_center import DispatchCenter
from alertd_simulator.embedded_broker import embedded_broker
from alertd_simulator.loopback_server import LOOPBACK, served
from alertd_simulator.mqtt_tap import tapped

EXIT_OK = 0
EXIT_FAILED = 1
FRAME_S = 0.2
KEYS = {"1": "staff_assist", "2": "lockdown", "3": "medical"}


class World(Struct, frozen=True, kw_only=True):
    """Everything that runs."""

    story: Story
    carrier: Carrier
    center: DispatchCenter
    daemon: RunningDaemon

    def violations(self) -> list[str]:
        """What must never happen, and did."""
        return self.carrier.violations + self.center.violations + self.center.refused


@asynccontextmanager
async def _world(example: Path) -> AsyncIterator[World]:
    """Start everything, the daemon last; stop it in the opposite order."""
    keys, clock = Keys.made_up(), SystemClock()
    carrier = Carrier(clock=clock, account_sid=keys.account_sid, auth_token=keys.auth_token)
    center = DispatchCenter(clock=clock, secret=keys.webhook)
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="alertd-demo-")))
        ports = stack.enter_context(embedded_broker(directory))
        tap = await stack.enter_async_context(tapped(ports.v5))
        endpoints = Endpoints(
            mqtt_port=tap.port,
            carrier_url=await stack.enter_async_context(served(carrier.handle)),
            dispatch_url=await stack.enter_async_context(served(center.handle)),
        )
        school = prepare(example, directory, endpoints, keys)
        carrier.numbers = school.numbers
        air = await stack.enter_async_context(on_the_air(LOOPBACK, ports.v5))
        story = Story(school, air, carrier, center, tap)
        daemon = await stack.enter_async_context(running_daemon(school, directory / "alertd.log"))
        yield World(story=story, carrier=carrier, center=center, daemon=daemon)


async def demonstrate(*, once: bool, config: Path | None = None) -> int:
    """Run it; the exit code says whether every hop happened."""
    try:
        async with _world(find_example(config)) as world:
            return await (_once(world) if once else _live(world))
    except (DaemonFailedError, RuntimeError) as error:
        print(f"alertd-sim: {error}", file=sys.stderr)
        return EXIT_FAILED


# --- one story, line by line ----------------------------------------------------------------------------------------


async def _once(world: World) -> int:
    story = world.story
    print(f"{story.school.site.name}, simulated. The daemon, the broker and the wire are real; nobody is texted.\n")
    story.hops.on_hop.append(lambda reached: print(f"  … {reached.hop}", flush=True))
    await story.play(world.daemon)
    return _verdict(world)


def _verdict(world: World) -> int:
    """The whole timeline in order, and what is missing."""
    hops = world.story.hops
    missing, wrong = hops.missing(), world.violations()
    print(f"\nHop by hop, in milliseconds from the press ({len(hops.reached)} of {len(Hop)}):\n")
    print("\n".join(hops.story()))
    for line in wrong:
        print(f"WRONG: {line}")
    if missing or wrong:
        print(f"\nNOT every hop happened. {world.daemon.last_words()}")
        return EXIT_FAILED
    print("\nEvery hop happened.")
    return EXIT_OK


# --- live, with buttons to press ------------------------------------------------------------------------------------


async def _live(world: World) -> int:
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    screen = Screen(world.story, world.center, keys=is_terminal)
    quit_ = asyncio.Event()
    console = Console()
    with Live(screen.render(console.width), console=console, screen=is_terminal, auto_refresh=False) as live:
        drawing = asyncio.create_task(_draw(screen, live), name="draw")
        try:
            screen.note = "A lockdown button is pressed in a moment. Watch the phones."
            await world.story.play(world.daemon)
            screen.note = f"That was the story. {INVITATION}" if is_terminal else "That was the story."
            if is_terminal:
                with _keys(world, screen, quit_):
                    await quit_.wait()
        finally:
            drawing.cancel()
            await asyncio.gather(drawing, return_exceptions=True)
            live.update(screen.render(live.console.width), refresh=True)
    return _verdict(world)


async def _draw(screen: Screen, live: Live) -> None:
    while True:
        live.update(screen.render(live.console.width), refresh=True)
        await asyncio.sleep(FRAME_S)


@contextmanager
def _keys(world: World, screen: Screen, quit_: asyncio.Event) -> Iterator[None]:
    """Single keys, without Enter."""
    pressed: dict[str, int] = {}
    tasks: set[asyncio.Task[None]] = set()

    def on_key() -> None:
        key = sys.stdin.read(1)
        if key in ("q", ""):
            quit_.set()
        elif key in KEYS:
            number = pressed[key] = pressed.get(key, -1) + 1
            task = asyncio.get_running_loop().create_task(_press(world, screen, KEYS[key], number))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    asyncio.get_running_loop().add_reader(sys.stdin, on_key)
    try:
        yield
    finally:
        asyncio.get_running_loop().remove_reader(sys.stdin)
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


async def _press(world: World, screen: Screen, incident_class: str, number: int) -> None:
    try:
        part = await world.story.press(incident_class, number)
    except RuntimeError as error:
        screen.note = str(error)
    else:
        screen.note = f"{part.label} pressed in {part.where}. {INVITATION}"
