"""`alertd-sim receivers` and `alertd-sim play`, as commands: what is printed, refusals, exit codes.

0 done, 1 it could not go on, 2 not understood, 3 refused because somebody real could be reached.
"""

import asyncio
import os
import sys
from contextlib import nullcontext
from pathlib import Path

from msgspec import Struct
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from alertd_simulator.live_credentials import LiveError
from alertd_simulator.play import Player, refuse_what_is_live, registry_of
from alertd_simulator.play_program import Program, described, program_of_seed, program_of_story
from alertd_simulator.receivers import Receivers, print_until_cancelled, read_rehearsal, receivers
from alertd_simulator.scenario.words import ScenarioError

OK, FAILED, USAGE, LIVE, INTERRUPTED = 0, 1, 2, 3, 130


class Wish(Struct, frozen=True, kw_only=True):
    """What to play, and how."""

    story: Path | None
    seed: int | None
    minutes: int
    speed: float
    into: Path
    leave_out: bool = False


def run_receivers(config: Path, into: Path, broker: str | None) -> int:
    """The exit code."""
    try:
        place = _place(broker)
        asyncio.run(_receive(config, into.absolute(), place))
    except KeyboardInterrupt:
        return OK  # it is how they end
    except LiveError as error:
        return _refused(error, LIVE)
    except ValueError as error:
        return _refused(error, USAGE)
    except (RuntimeError, OSError) as error:
        return _refused(error, FAILED)
    return OK


def run_play(wish: Wish) -> int:
    """The exit code."""
    if (wish.story is None) == (wish.seed is None):
        return _refused(ValueError("name a story file, or a --seed"), USAGE)
    try:
        return asyncio.run(_play(wish))
    except KeyboardInterrupt:
        return INTERRUPTED
    except LiveError as error:
        return _refused(error, LIVE)
    except ScenarioError as error:
        return _refused(error, USAGE)
    except (RuntimeError, OSError) as error:
        return _refused(error, FAILED)


def _refused(error: Exception, code: int) -> int:
    print(f"alertd-sim: {error}", file=sys.stderr)
    return code


def _place(broker: str | None) -> tuple[str, int] | None:
    if broker is None:
        return None
    host, _, port = broker.rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError(f"--broker {broker}: write it like 127.0.0.1:1884")
    return host, int(port)


async def _receive(config: Path, into: Path, broker: tuple[str, int] | None) -> None:
    async with receivers(config, into, os.environ, broker=broker) as running:
        print(_greeting(running), flush=True)
        await print_until_cancelled(running, lambda line: print(line, flush=True))


def _greeting(running: Receivers) -> str:
    school = running.school
    zones = len(school.pa_zones)
    lines = [
        f"{len(school.phones())} phones, a dispatch centre and {zones} loudspeaker zones. Nothing leaves this machine.",
        "Start alertd on them, in another terminal:",
        "",
        f"    {running.command}",
        "",
        "then press:  alertd-sim play STORY  ·  alertd-sim play --seed 1   (Ctrl-C here ends the rehearsal)",
        "",
    ]
    if running.no_pa:
        lines.insert(1, f"Loudspeakers cannot be heard on this machine: {running.no_pa}.")
    return "\n".join(lines)


# --- play -----------------------------------------------------------------------------------------------------------


async def _play(wish: Wish) -> int:
    rehearsal = read_rehearsal(wish.into)
    refuse_what_is_live(rehearsal, os.environ)
    registry = registry_of(rehearsal)
    if wish.story is not None:
        program = program_of_story(wish.story, Path(rehearsal.config))
    else:
        program = program_of_seed(wish.seed or 0, registry, minutes=wish.minutes)
    console = Console(highlight=False, soft_wrap=True)
    for line in described(program, wish.speed):
        console.print(line, markup=False)
    if program.left_out and not wish.leave_out:
        raise RuntimeError(
            "only a simulated world can do what is left out (alertd simulate --scenario); "
            "to play the rest all the same: --leave-out"
        )
    bar = Progress(BarColumn(), TextColumn("{task.completed:.0f} of {task.total:.0f} deeds"), console=console)
    with bar if console.is_terminal else nullcontext():
        task = bar.add_task("", total=len(program.deeds))

        def tell(at_s: float, words: str) -> None:
            console.print(f"{at_s:8.1f} s  {words}", markup=False)
            bar.update(task, completed=player.done)

        player = Player(program, rehearsal, registry, speed=wish.speed, tell=tell)
        await player.play()
        bar.update(task, completed=player.done)
    return await _summary(console, player, program)


async def _summary(console: Console, player: Player, program: Program) -> int:
    still_open = await player.open_incidents()
    console.print(
        f"{player.done} of {len(program.deeds)} deeds done; {len(still_open)} incidents are open:", markup=False
    )
    for incident in still_open:
        console.print(f"  {incident['headline']} ({incident['escalation_words']})", markup=False)
    return OK
