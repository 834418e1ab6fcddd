"""`alertd run`: the composition root. Configuration, store, plugins and console meet here and nowhere else.

Owns: the process (signals, exit codes, the event loop) and reloading. Must never: contain behaviour of the daemon.
"""

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from alertd import __version__, lint
from alertd.config import Loaded, Problem, Refused, Settings, load, render_problems, secret
from alertd.console.backend import Health, Proof, Reloaded, TcpListener
from alertd.console.serve import ListenError, serve
from alertd.daemon import logs
from alertd.daemon.core import CORE
from alertd.daemon.daemon import CONSOLE, LEASE_S, Daemon, Fittings
from alertd.daemon.http_client import HttpClient
from alertd.daemon.intake import StoreGoneError
from alertd.daemon.metrics import Metrics
from alertd.daemon.own_thread import OwnThreads, StillHangingError
from alertd.daemon.proof_of_life import FRESH_S
from alertd.daemon.retention import Retention
from alertd.daemon.supervision import CannotRunError
from alertd.daemon.system_clock import SystemClock
from alertd.daemon.systemd import Systemd
from alertd.model.check_in import DeviceStanding
from alertd.model.ids import DeviceId, SiteId
from alertd.model.registry import Registry
from alertd.plugins import PluginError, find_profiles, fit
from alertd.ports import Callbacks, Door, Overhearing, Store, StoreError, StoreLockedError, Stranger, Surroundings
from alertd.store import open_store

EXIT_OK = 0
EXIT_FAILED = 1
"""The store failed for good, or cannot be opened: whoever supervises us starts us again."""
EXIT_USAGE = 2
EXIT_INVALID = 4
"""The configuration is refused; starting again will not help."""

RELOAD_S = 20.0
"""Longest time that reading the configuration may take: a district's takes a second, a disk that hangs for ever. Less
than `alertd reload` waits for its answer."""

GARBAGE_COUNTED = 10_000
"""Objects allocated and not yet freed at which Python looks for cycles; its default, 700, is less than one batch."""

log = structlog.get_logger("alertd")


def run(directory: Path | str, overrides: Mapping[str, Any] | None = None) -> int:
    """Run the daemon in the foreground until SIGTERM. Exit code."""
    if sys.flags.optimize:
        print("alertd: refuses to run under python -O: its assertions are part of its safety", file=sys.stderr)  # noqa: T201 - nothing is set up yet
        return EXIT_USAGE
    loaded = load(directory, overrides)
    style = "console" if sys.stderr.isatty() else loaded.settings.log_format
    logs.set_up(style=style, level=loaded.settings.log_level)
    logs.of_the_whole_process()
    try:
        return asyncio.run(_run(loaded))
    except KeyboardInterrupt:
        return EXIT_OK


async def _run(loaded: Loaded) -> int:
    try:
        process = Process(loaded)
    except StoreError as error:  # its URL
        log.critical("store_refused", error=str(error))
        return EXIT_INVALID
    try:
        return await process.run()
    finally:
        await process.http.close()


class Process:
    """The daemon with what surrounds it: `console.Backend`, and whoever reloads."""

    def __init__(self, loaded: Loaded) -> None:
        self.http = HttpClient()
        self.clock = SystemClock()
        self.store = _store(loaded.settings)
        self._loaded = loaded
        self._words: Mapping[DeviceId, frozenset[str]] = {}
        self._started_us = self.clock.now().wall_us
        self._daemon: Daemon | None = None
        self._metrics: Metrics | None = None
        self._reloading = asyncio.Lock()
        self._readers = OwnThreads("reading the configuration")
        self._systemd = Systemd(os.environ)
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self) -> int:
        fitted = fit(self._loaded.sections, self._surroundings(self._loaded))
        problems = (*self._loaded.problems, *lint.check(self._loaded), *fitted.problems)
        _say(problems, self._loaded.settings)
        if _any_error(problems):
            return EXIT_INVALID
        self._words = lint.words(self._loaded)
        daemon = self._daemon = Daemon(
            owner=f"{socket.gethostname()}:{os.getpid()}:{self._started_us}",
            store=self.store,
            clock=self.clock,
            registry=self._loaded.registry,
            core=CORE,
            fittings=fitted.built,
            windows=_windows(self._loaded),
            batch_max=self._loaded.settings.commit_batch_max,
        )
        self._listen_to_signals(daemon)
        self._serve(daemon, self._loaded.settings)
        self._metrics = Metrics(
            store=self.store,
            clock=self.clock,
            measures=daemon.measures,
            telemetry=daemon.telemetry,
            life=daemon.life,
            drills=daemon.activity.drills,
            version=__version__,
        )
        days = self._loaded.settings.sensor_detail_days
        retention = Retention(store=self.store, clock=self.clock, days=days)
        daemon.run_also("retention", lambda: retention.run(daemon.intake))
        daemon.run_also("systemd", lambda: self._systemd.run(daemon.life))
        log.info("starting", version=__version__, configuration=self._loaded.registry.version)
        _collect_seldom()
        return await self._until_the_end(daemon)

    async def _until_the_end(self, daemon: Daemon) -> int:
        try:
            await daemon.run()
        except StoreLockedError as error:
            return self._give_up("another_daemon_runs", error)
        except StoreError as error:
            return self._give_up("store_not_opened", error)
        except StoreGoneError as error:
            return self._give_up("store_gone", error, remedy="look at the disk and the database; starting afresh")
        log.info("stopped")
        return EXIT_OK

    def _give_up(self, event: str, error: Exception, **more: str) -> int:
        log.critical(event, error=str(error), **more)
        self._systemd.stopping(f"gave up: {error}")
        return EXIT_FAILED

    def _stop(self, daemon: Daemon) -> None:
        self._systemd.stopping("stopping: what is under way gets a moment")
        daemon.stop()

    def _listen_to_signals(self, daemon: Daemon) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop, daemon)
        loop.add_signal_handler(signal.SIGHUP, self._reload_soon)

    def _serve(self, daemon: Daemon, settings: Settings) -> None:
        tcp = None
        if settings.listen:
            host, _, port = settings.listen.rpartition(":")
            tcp = TcpListener(host=host, port=int(port), public_base_url=settings.public_base_url)
        daemon.run_also(CONSOLE, lambda: self._open_doors(settings.socket, tcp))
        if settings.heartbeat_url is not None:
            daemon.ping(self.http, settings.heartbeat_url, settings.heartbeat_every_s)

    async def _open_doors(self, socket_path: Path, tcp: TcpListener | None) -> None:
        try:
            await serve(self, socket_path=socket_path, tcp=tcp)
        except ListenError as error:  # presses are taken all the same
            raise CannotRunError(str(error)) from error

    def _surroundings(self, loaded: Loaded) -> Surroundings:
        settings = loaded.settings
        return Surroundings(
            clock=self.clock,
            http=self.http,
            secret=secret,
            public_base_url=settings.public_base_url,
            registry=self._registry_now,
            profiles=loaded.profile_tables,
            extra={"state_dir": settings.state_dir, "config_dir": self._loaded.directory},
        )

    def _registry_now(self) -> Registry:
        """What the core goes by: decoders must not know a device before it does, or after."""
        return self._daemon.intake.registry if self._daemon is not None else self._loaded.registry

    # --- reload -----------------------------------------------------------------------------------------------------

    def _reload_soon(self) -> None:
        task = asyncio.get_running_loop().create_task(self.reload(), name="reload")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def reload(self) -> Reloaded:
        """Read the directory again; all of it is taken, or nothing."""
        async with self._reloading:
            self._systemd.reloading()
            try:
                return await self._reload()
            finally:
                self._systemd.reloaded()

    async def _reload(self) -> Reloaded:
        taken = await self._read_again()
        if isinstance(taken, Refused):
            return self._refused(taken.problems)
        former = {f"{s.table}.{s.name}": s for s in self._loaded.sections}
        anew = taken.profiles != self._loaded.profiles  # sources are built from them, too
        changed = [
            s for s in taken.sections if former.get(f"{s.table}.{s.name}") != s or (anew and s.table == "sources")
        ]
        # In a thread: announcements are rendered, and presses do not wait for that.
        fitted = await asyncio.to_thread(fit, changed, self._surroundings(taken))
        words = await asyncio.to_thread(lint.words, taken)
        if fitted.problems:
            return self._refused(fitted.problems)
        kept = {name: built for name, built in self._running.fittings.items() if name not in fitted.built}
        names = {f"{s.table}.{s.name}" for s in taken.sections}
        fittings: Fittings = {name: built for name, built in (kept | fitted.built).items() if name in names}
        await self._running.reload(taken.registry, fittings, _windows(taken))
        self._loaded, self._words = taken, words
        _collect_seldom()
        log.info("reloaded", configuration=taken.registry.version, sections=sorted(fitted.built))
        return Reloaded(config_version=taken.registry.version)

    async def _read_again(self) -> Loaded | Refused:
        """The new configuration, or why the current one stays; in time, whatever the disk does."""
        try:
            return await self._readers.run(partial(lint.reload, self._loaded), deadline_s=RELOAD_S)
        except (TimeoutError, StillHangingError) as error:
            message = f"could not be read within {RELOAD_S:g} s"
            if isinstance(error, StillHangingError):
                message = "is not read again: reading it has hung several times, and hangs still"
            remedy = "look at the disk or the network share that it lies on, then reload again"
            problem = Problem(file=str(self._loaded.directory), line=0, key="", message=message, remedy=remedy)
            return Refused(problems=(problem,))

    def _refused(self, problems: Iterable[Problem]) -> Reloaded:
        text = render_problems(problems)
        log.error("reload_refused", configuration=self._loaded.registry.version, problems=text.splitlines())
        return Reloaded(config_version=self._loaded.registry.version, problems=tuple(text.splitlines()))

    # --- `console.Backend` ------------------------------------------------------------------------------------------

    @property
    def _running(self) -> Daemon:
        assert self._daemon is not None, "the console is served by a running daemon"
        return self._daemon

    @property
    def door(self) -> Door:
        return self._running.intake

    def registry(self) -> Registry:
        return self._running.intake.registry

    def device_standings(self, ids: Iterable[DeviceId]) -> Iterable[DeviceStanding]:
        return self._running.check_ins.standings(ids)

    def words(self, device_id: DeviceId) -> frozenset[str] | None:
        return self._words.get(device_id)

    def strangers(self) -> Mapping[str, Sequence[Stranger]]:
        sources = [built.source for built in self._running.fittings.values() if built.source is not None]
        return {source.name: source.strangers() for source in sources if isinstance(source, Overhearing)}

    def callbacks(self) -> Mapping[str, Callbacks]:
        return self._running.callbacks

    async def verify_journal(self, site_id: SiteId) -> int:
        return await self._running.verify_journal(site_id)

    async def metrics(self) -> bytes:
        assert self._metrics is not None, "the console is served by a running daemon"
        return await self._metrics.render()

    def health(self) -> Health:
        life = self._running.life()
        proofs = [_broker_proof(name, connected=connected) for name, connected in life.sources.items()]
        proofs.append(_age_proof("commit", life.commit_age_s, "a commit reached the disk", durable=life.durable))
        proofs.append(_age_proof("dispatch", life.dispatch_age_s, "the claim loop passed"))
        if self._loaded.settings.heartbeat_url is not None:
            proofs.append(_ping_proof(self._running.proof.last_ping))
        return Health(
            proofs=tuple(proofs),
            ways=tuple(_ways(self.registry().channels, self._running.channel_states.doubts())),
            version=__version__,
            config_version=self._running.intake.registry.version,
            started_us=self._started_us,
            in_test=self._running.activity.device_tests(),
        )


def _windows(loaded: Loaded) -> Mapping[str, int]:
    """Check-in windows of the profiles, ours and the district's; none if nobody reads profiles."""
    try:
        return find_profiles().check_in_s(loaded.profile_tables)
    except PluginError:  # said by `lint`, if a device names one
        return {}


def _collect_seldom() -> None:
    """What was loaded stays: a collector that walks through all of it again and again, always when much is allocated,
    takes a large part of the time of a storm of presses (docs/performance.md)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_COUNTED, 10, 10)


def _store(settings: Settings) -> Store:
    return open_store(
        settings.store,
        lease_s=LEASE_S,
        ballast_bytes=settings.ballast_mib * 1024 * 1024,
        spare_parent=settings.spare_dir,
    )


def _broker_proof(name: str, *, connected: bool) -> Proof:
    words = "its session stands" if connected else "no session: look at the broker, the network and the password"
    return Proof(name=f"broker {name}", alive=connected, words=words)


def _age_proof(name: str, age_s: float | None, what: str, *, durable: bool = True) -> Proof:
    if not durable:
        words = "the disk takes no more; records are in memory only: free space at once"
    elif age_s is None:
        words = "never yet"
    else:
        words = f"{what} {age_s:.0f} s ago"
    return Proof(name=name, alive=durable and age_s is not None and age_s <= FRESH_S, words=words)


def _ways(channels: Iterable[str], doubts: Mapping[str, str]) -> Iterator[Proof]:
    """Every configured channel, and whatever else is in doubt; of a channel that was removed nothing is."""
    names = [f"channel {name}" for name in channels]
    for name in names:
        yield Proof(name=name, alive=name not in doubts, words=doubts.get(name, "nothing is known to be wrong"))
    for name, words in doubts.items():
        if not name.startswith("channel "):
            yield Proof(name=name, alive=False, words=words)


def _ping_proof(last: str) -> Proof:
    alive = last.startswith("answered 2")
    return Proof(name="heartbeat", alive=alive, words=last or "not pinged yet")


def _say(problems: Iterable[Problem], settings: Settings) -> None:
    """As people read them on a terminal; in a log, one line each."""
    problems = tuple(problems)
    if problems and (sys.stderr.isatty() or settings.log_format == "console"):
        sys.stderr.write(render_problems(problems))
        return
    for problem in problems:
        text = render_problems([problem]).partition("\n")[0]
        (log.error if problem.is_error else log.warning)("configuration_problem", text=text)


def _any_error(problems: Iterable[Problem]) -> bool:
    return any(problem.is_error for problem in problems)
