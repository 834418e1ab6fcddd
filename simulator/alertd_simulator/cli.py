"""`alertd-sim`: the simulator's command line."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from alertd_simulator.family_ways import How

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="The world around alertd, simulated.",
)


@app.callback()
def _root() -> None:
    """Nothing is common to the commands."""


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Play the story, print its timeline, exit.")] = False,
    config: Annotated[
        Path | None, typer.Option(help="Example configuration; default: the one that came with alertd.")
    ] = None,
    pa: Annotated[
        bool, typer.Option("--pa/--no-pa", help="Leave the loudspeakers out, where multicast does not work.")
    ] = True,
) -> None:
    """Watch a lockdown press reach phones, loudspeakers and a dispatch centre. Nothing leaves this machine.

    Exits 0 if every hop of the story happened, else 1; 3 if it refused to start, for credentials of a live provider are
    at hand.
    """
    from alertd_simulator.demo import demonstrate

    try:
        code = asyncio.run(demonstrate(once=once, config=config, pa=pa))
    except KeyboardInterrupt:
        code = 130
    raise typer.Exit(code)


@app.command()
def receivers(
    config: Annotated[Path, typer.Option("--config", metavar="DIR", help="The district's own configuration.")],
    into: Annotated[Path, typer.Option(metavar="DIR", help="Where the rehearsal is kept.")] = Path("rehearsal"),
    broker: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="An MQTT broker of the rehearsal's own; default: one is started."),
    ] = None,
) -> None:
    """Be everybody whom the district would tell: carrier, phones, dispatch centre, loudspeakers. Prints what they get.

    Writes a copy of the configuration that leads to them, and says how to start alertd on it. Refuses to start where
    credentials of a live provider are at hand. Ends with Ctrl-C.

    Example:  alertd-sim receivers --config our-district
    """
    from alertd_simulator.rehearsing import run_receivers

    raise typer.Exit(run_receivers(config, into, broker))


@app.command()
def play(
    story: Annotated[Path | None, typer.Argument(help="A story file; see docs/scenarios.md.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Instead of a story: the school day of this seed.")] = None,
    minutes: Annotated[int, typer.Option(min=3, max=600, help="How long a seeded day is, before --speed.")] = 10,
    speed: Annotated[
        float, typer.Option(min=0.01, max=1000.0, help="So many times the pace; alertd's waits stay.")
    ] = 1.0,
    into: Annotated[Path, typer.Option(metavar="DIR", help="The rehearsal of `receivers`.")] = Path("rehearsal"),
    leave_out: Annotated[
        bool, typer.Option("--leave-out", help="Play a story without the lines that only a simulated world can do.")
    ] = False,
) -> None:
    """Press buttons, type and give orders against the running alertd of a rehearsal, over its broker, in real time.

    Needs `alertd-sim receivers` and the alertd that it says how to start. Refuses to begin where anything leads out of
    this machine. It judges nothing: `alertd simulate --scenario` does.

    Examples:  alertd-sim play lockdown.txt  ·  alertd-sim play --seed 7 --minutes 5 --speed 4
    """
    from alertd_simulator.rehearsing import Wish, run_play

    wish = Wish(story=story, seed=seed, minutes=minutes, speed=speed, into=into, leave_out=leave_out)
    raise typer.Exit(run_play(wish))


devices_app = typer.Typer(no_args_is_help=True, help="Real families' devices, played against a broker.")
app.add_typer(devices_app, name="devices")


@devices_app.command()
def families() -> None:
    """Which families can be played, what each can say, and which cannot be played and why."""
    from alertd_simulator.family_player import list_families

    raise typer.Exit(list_families())


@devices_app.command("play")
def play_device(  # noqa: PLR0913, PLR0917 - one argument an option
    device: Annotated[str, typer.Argument(help="Its id, as devices.csv writes it.")],
    how: Annotated[How, typer.Option("--how", help="What happens to it.")] = How.SINGLE,
    act: Annotated[str, typer.Option(metavar="WORD", help="What it says; default: its press or alarm.")] = "",
    times: Annotated[int, typer.Option(min=0, max=10_000, help="For burst and flood.")] = 0,
    family: Annotated[
        str, typer.Option(metavar="NAME", help="Not of a registry: a device of this family (see families).")
    ] = "",
    over: Annotated[str, typer.Option(metavar="SOURCE", help="Where several triggers could hear it.")] = "",
    config: Annotated[
        Path | None, typer.Option("--config", metavar="DIR", help="The district; default: that of the rehearsal.")
    ] = None,
    into: Annotated[Path, typer.Option(metavar="DIR", help="The rehearsal of `receivers`.")] = Path("rehearsal"),
    broker: Annotated[str, typer.Option(metavar="HOST:PORT", help="Default: the rehearsal's.")] = "",
    username: Annotated[
        str, typer.Option(metavar="NAME", help="At the broker; the password comes from ALERTD_SIM_PASSWORD.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be published, and publish nothing.")
    ] = False,
) -> None:
    """Publish what a real device, its gateway or its network server would publish, over a real broker.

    Ways: single, burst, copies (several gateways), retained, replayed, late (stored and forwarded), dying (battery),
    silent (it stops checking in), flood (a sensor). Refuses to play where credentials of a live provider are at hand,
    or at a broker whose alertd could reach somebody real.

    Examples:  alertd-sim devices play 24E124535B316056 --how copies  ·
    alertd-sim devices play b1 --family shelly-gen1 --broker 127.0.0.1:1884
    """
    from alertd_simulator.family_player import Wish, run_devices

    wish = Wish(
        device=device, how=how, family=family, over=over, act=act, times=times, config=config, into=into, broker=broker,
        username=username, dry_run=dry_run,
    )  # fmt: skip
    raise typer.Exit(run_devices(wish))


@app.command()
def conformance(  # noqa: PLR0913, PLR0917 - one argument an option
    source: Annotated[str, typer.Option(metavar="NAME", help="Source profile, or press_json.")] = "",
    device: Annotated[str, typer.Option(metavar="ID", help="As it would stand in devices.csv.")] = "",
    topic: Annotated[
        list[str] | None, typer.Option(metavar="FILTER", help="What to listen to; more may follow.")
    ] = None,
    broker: Annotated[str, typer.Option(metavar="HOST:PORT", help="The broker that the device speaks to.")] = "",
    profile: Annotated[str, typer.Option(metavar="NAME", help="Device profile, where the source has none.")] = "",
    base: Annotated[str, typer.Option(metavar="TOPIC", help="Base topic, as in the trigger's options.")] = "",
    username: Annotated[
        str, typer.Option(metavar="NAME", help="At the broker; the password comes from ALERTD_SIM_PASSWORD.")
    ] = "",
    feedback: Annotated[str, typer.Option(metavar="TOPIC", help="Where the device hears “received”.")] = "",
    transcript: Annotated[Path, typer.Option(metavar="FILE", help="Where to write what was heard.")] = Path(
        "conformance.jsonl"
    ),
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the report as a page, too.")] = None,
    judge: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Judge this transcript; listen to nothing.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="DIR", envvar="ALERTD_CONFIG", help="Where profiles/*.toml of your own lie."),
    ] = None,
) -> None:
    """Does a device or gateway work with alertd? A checklist of eight steps at a real broker, and a report.

    For vendors and integrators. It pages nobody and needs no alertd. Exits 0 if every point that must be was passed.

    Example:  alertd-sim conformance --source shelly-gen1 --device desk-1 --topic 'shellies/desk-1/#' --broker
    127.0.0.1:1883 --html desk-1.html
    """
    from alertd_simulator.conformance.command import Wish, run

    wish = Wish(
        source=source, device=device, profile=profile, base=base, topics=tuple(topic or ()), broker=broker,
        username=username, feedback=feedback, transcript=transcript, html=html, judge=judge, config=config,
    )  # fmt: skip
    raise typer.Exit(run(wish))


def main() -> None:
    app()


if __name__ == "__main__":
    main()
