"""The whole examination of `alertd doctor`: which probes, in which order, and what is told to the daemon of it.

Owns the order: what the later lines depend on comes first. Every probe ends in time; none sends anything to anybody.
"""

from collections.abc import Iterator, Sequence
from functools import partial

from alertd.config import Loaded, Problem, secret
from alertd.console import (
    broker_door,
    broker_hearing,
    broker_keeping,
    broker_probe,
    broker_written,
    channel_probe,
    clock_probe,
    disk_probe,
    doctor,
)
from alertd.console.broker_session import MAX_S
from alertd.console.client import Client
from alertd.console.clock_probe import Reading
from alertd.console.doctor import FAIL, Finding, in_time

DAEMON = "daemon"
"""First word of what the running daemon says of itself: those are its own troubles already."""


def examine(loaded: Loaded, problems: Sequence[Problem], client: Client) -> Iterator[Finding]:
    """`problems`: everything that `alertd check` says of the configuration."""
    settings, sections, readings = loaded.settings, loaded.sections, dict[str, Reading]()
    errors = sum(problem.is_error for problem in problems)
    yield doctor.configuration(loaded.directory, errors=errors, all_problems=len(problems))
    yield from in_time(DAEMON, partial(doctor.daemon, client))
    yield from in_time(f"disk {settings.state_dir}", partial(disk_probe.state_directory, settings.state_dir))
    yield from in_time("ballast", partial(disk_probe.ballast, settings.store, settings.ballast_mib))
    yield from in_time("store", partial(doctor.store, settings.store))
    yield from in_time("clock", partial(clock_probe.clock, settings.state_dir))
    yield from doctor.secrets(sections, secret)
    for section in sections:
        what = f"broker of source {section.name}"
        yield from in_time(what, partial(broker_probe.brokers, [section], secret))
        yield from in_time(what, partial(broker_hearing.hearing, [section], secret), MAX_S)
        yield from in_time(what, partial(broker_keeping.keeping, [section], secret), MAX_S)
        yield from in_time(what, partial(broker_written.written, [section], secret))
        yield from in_time(what, partial(broker_door.doors, [section], secret))
    yield from channel_probe.channels(loaded, readings)
    yield from clock_probe.compared(readings)
    yield from doctor.heartbeat(settings.heartbeat_url)


def summary(findings: Sequence[Finding]) -> str:
    """What failed, for a text to whoever runs alertd; empty if nothing did. The daemon's own words are left out."""
    failed = [f for f in findings if f.level == FAIL and f.what.split()[0] != DAEMON]
    if not failed:
        return ""
    words = f"{failed[0].what}: {failed[0].words}"
    others = list(dict.fromkeys(f.what for f in failed[1:] if f.what != failed[0].what))
    return f"{words}; also {', '.join(others)}" if others else words
