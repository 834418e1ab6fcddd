"""The demonstration: the real daemon, a real broker, and everybody else simulated, on one machine's loopback.

Owns the composition and the exit code. Nothing in it can reach a real phone: the carrier is ours, the numbers are
reserved for fiction, and every address is 127.0.0.1.
"""

import asyncio
import os
import signal
import sys
import tempfile
import termios
import tty
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext
from pathlib import Path

from msgspec import Struct
from rich.console import Console
from rich.layout import Layout
from rich.live import Live

from alertd.daemon.http_client import HttpClient
from alertd.daemon.system_clock import SystemClock
from alertd_simulator.carrier import Carrier
from alertd_simulator.demo_buttons import Buttons
from alertd_simulator.demo_daemon import DaemonFailedError, RunningDaemon, running_daemon
from alertd_simulator.demo_loudspeakers import known_recordings, listening, why_no_multicast
from alertd_simulator.demo_school import Endpoints, Keys, find_example, prepare, read_wiring
from alertd_simulator.demo_screen import Screen
from alertd_simulator.demo_story import Story
from alertd_simulator.devices import on_the_air
from alertd_simulator.dispatch_center import DispatchCenter
from alertd_simulator.embedded_broker import embedded_broker
from alertd_simulator.live_credentials import LiveError, refuse_live
from alertd_simulator.loopback_server import LOOPBACK, free_port, served
from alertd_simulator.mqtt_tap import tapped

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_LIVE = 3
"""Refused: something here could reach somebody real."""
EXIT_SIGNAL = 128
"""And the number of the signal, as a shell says it."""
FRAME_S = 0.2
NO_PA = "Loudspeakers cannot be heard on this machine: {why}. Everything else goes on; --no-pa leaves them out."


class World(Struct, frozen=True, kw_only=True):
    """Everything that runs."""

    story: Story
    carrier: Carrier
    center: DispatchCenter
    daemon: RunningDaemon
    no_pa: str = ""
    """Why no loudspeaker is heard, though the district has some."""

    def violations(self) -> list[str]:
        """What must never happen, and did."""
        return self.carrier.violations + self.center.violations + self.center.refused


@asynccontextmanager
async def _world(example: Path, *, pa: bool = True) -> AsyncIterator[World]:
    """Start everything, the daemon last; stop it in the opposite order."""
    keys, clock = Keys.made_up(), SystemClock()
    carrier = Carrier(clock=clock, account_sid=keys.account_sid, auth_token=keys.auth_token)
    center = DispatchCenter(clock=clock, secret=keys.webhook)
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="alertd-demo-")))
        ports = stack.enter_context(embedded_broker(directory))
        tap = await stack.enter_async_context(tapped(ports.v5))
        carrier.phones.callback_http = http = HttpClient()
        stack.push_async_callback(http.close)
        endpoints = Endpoints(
            mqtt_port=tap.port,
            carrier_url=await stack.enter_async_context(served(carrier.handle)),
            dispatch_url=await stack.enter_async_context(served(center.handle)),
            callback_port=free_port(),
        )
        school = prepare(example, directory, endpoints, keys)
        school.check_stage()
        carrier.numbers = school.numbers
        carrier.rings_strangers = carrier.phones.rings_strangers = not school.is_example
        no_pa = await why_no_multicast() if pa and school.pa_zones else ""
        zones = school.pa_zones if pa and not no_pa else ()
        rooms = await stack.enter_async_context(listening(zones, known_recordings(school.directory, school.recordings)))
        air = await stack.enter_async_context(on_the_air(LOOPBACK, ports.v5))
        story = Story(school, air, carrier, center, tap, rooms)
        daemon = await stack.enter_async_context(running_daemon(school, directory / "alertd.log"))
        watching = asyncio.create_task(story.watch(daemon), name="watch")
        try:
            yield World(story=story, carrier=carrier, center=center, daemon=daemon, no_pa=no_pa)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


async def demonstrate(*, once: bool, config: Path | None = None, pa: bool = True) -> int:
    """Run it; the exit code says whether every hop happened."""
    try:
        example = find_example(config)
        refuse_live(read_wiring(example), os.environ)
        with _told_to_end() as told:
            try:
                async with _world(example, pa=pa) as world:
                    return await (_once(world) if once else _live(world))
            except asyncio.CancelledError:
                if not told:
                    raise
                return EXIT_SIGNAL + told[0]
    except LiveError as error:
        print(f"alertd-sim: {error}", file=sys.stderr)
        return EXIT_LIVE
    except (DaemonFailedError, RuntimeError) as error:
        print(f"alertd-sim: {error}", file=sys.stderr)
        return EXIT_FAILED


@contextmanager
def _told_to_end() -> Iterator[list[int]]:
    """`kill` and a closed terminal end it like Ctrl-C: in order, the daemon first. Holds the signal that came."""
    told: list[int] = []
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None

    def end(number: int) -> None:
        told.append(number)
        task.cancel()

    taken = [each for each in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(each) is not signal.SIG_IGN]
    for each in taken:  # nohup ignores one of them, and means it
        loop.add_signal_handler(each, end, each)
    try:
        yield told
    finally:
        for each in taken:
            loop.remove_signal_handler(each)


# --- one story, line by line ----------------------------------------------------------------------------------------


async def _once(world: World) -> int:
    story = world.story
    schools = " and ".join(dict.fromkeys((story.school.site.name, story.school.drill_site.name)))
    print(f"{schools}, simulated. The daemon, the broker and the wire are real; nobody is texted.\n")
    if world.no_pa:
        print(f"{NO_PA.format(why=world.no_pa)}\n")
    story.hops.on_hop.append(lambda reached: print(f"  … {reached.hop}", flush=True))
    await story.play(world.daemon)
    return _verdict(world)


def _verdict(world: World) -> int:
    """The whole timeline in order, and what is missing."""
    hops = world.story.hops
    missing, wrong = hops.missing(), world.violations()
    print(f"\nHop by hop ({len(hops.reached)} of {len(hops.wanted)}):")
    print("\n".join(hops.story()))
    for line in wrong:
        print(f"WRONG: {line}")
    if missing or wrong:
        print(f"\nNOT every hop happened. {world.daemon.last_words()}")
        return EXIT_FAILED
    if world.no_pa:
        print(f"\nEvery hop happened but the loudspeakers'. {NO_PA.format(why=world.no_pa)}")
        return EXIT_FAILED
    print("\nEvery hop happened.")
    return EXIT_OK


# --- live, with buttons to press ------------------------------------------------------------------------------------


async def _live(world: World) -> int:
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    screen = Screen(world.story, world.center, keys=is_terminal)
    quit_ = asyncio.Event()
    console = Console()
    with (
        _keys(world, screen, quit_) if is_terminal else nullcontext(),
        Live(_drawn(screen, console), console=console, screen=is_terminal, auto_refresh=False) as live,
    ):
        drawing = asyncio.create_task(_draw(screen, live), name="draw")
        playing = asyncio.create_task(_play(world, screen), name="play")
        quitting = asyncio.create_task(quit_.wait(), name="quit")
        try:
            await asyncio.wait({playing, quitting}, return_when=asyncio.FIRST_COMPLETED)
            left_early = not playing.done()
            if is_terminal:
                await quit_.wait()
        finally:
            for task in (drawing, playing, quitting):
                task.cancel()
            await asyncio.gather(drawing, playing, quitting, return_exceptions=True)
            live.update(_drawn(screen, console), refresh=True)
    if left_early:
        return EXIT_OK
    return _verdict(world)


async def _play(world: World, screen: Screen) -> None:
    pa = f" {NO_PA.format(why=world.no_pa)}" if world.no_pa else ""
    screen.note = f"A lockdown button is pressed in a moment. Watch the phones.{pa}"
    try:
        await world.story.play(world.daemon)
    except RuntimeError as error:
        screen.note = str(error)
    else:
        screen.note = "That was the story. Now it is your turn: press the keys that stand below."


def _drawn(screen: Screen, console: Console) -> Layout:
    return screen.render(console.width, console.height)


async def _draw(screen: Screen, live: Live) -> None:
    while True:
        live.update(_drawn(screen, live.console), refresh=True)
        await asyncio.sleep(FRAME_S)


@contextmanager
def _keys(world: World, screen: Screen, quit_: asyncio.Event) -> Iterator[None]:
    """Single keys, without Enter. While the story is told only q counts."""
    buttons = Buttons(world.story, world.daemon)
    tasks: set[asyncio.Task[None]] = set()

    def on_key() -> None:
        key = sys.stdin.read(1)
        if key in ("q", ""):
            quit_.set()
        elif world.story.is_over:
            task = asyncio.get_running_loop().create_task(_note(screen, buttons, key))
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


async def _note(screen: Screen, buttons: Buttons, key: str) -> None:
    try:
        screen.note = await buttons.press(key) or screen.note
    except RuntimeError as error:
        screen.note = str(error)
