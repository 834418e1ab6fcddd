"""Probes of what a daemon needs, one by one, for `alertd doctor`. Works while the daemon is down.

Owns what a finding is, that each probe ends in time, and the small probes; `disk_probe`, `clock_probe`, `broker_probe`
and `channel_probe` have the others. Must never page anybody, never use the daemon's own MQTT session (that would throw
it off the broker), and never call "reachable" what it did not reach.
"""

import socket
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Protocol
from urllib.parse import urlsplit

from msgspec import Struct

from alertd.console.client import Client, NotReachableError, RefusedError

OK, WARN, FAIL = "ok", "warn", "fail"

CONNECT_WAIT_S = 3.0
PROBE_MAX_S = 30.0
"""Longest time until a probe's next finding; a disk that hangs would hold it for ever."""
URL_KEYS = ("url", "api_url", "base_url")
DEFAULT_URLS = dict.fromkeys(("sms_twilio", "voice_twilio"), "https://api.twilio.com")
"""Where a plugin sends to if its section names no URL."""
SECRET_KEY_SUFFIX = "_secret"


class Finding(Struct, frozen=True, kw_only=True):
    """One line: how it is, and what to do about it."""

    level: str
    what: str
    words: str
    remedy: str = ""


def as_answer(finding: Finding) -> dict[str, str]:
    return {"level": finding.level, "what": finding.what, "words": finding.words, "remedy": finding.remedy}


def in_time(what: str, findings: Callable[[], Iterable[Finding]], wait_s: float = PROBE_MAX_S) -> Iterator[Finding]:
    """The findings of a probe as they come. One that hangs, or fails as nobody foresaw, is a finding, too."""
    told: SimpleQueue[Finding | Exception | None] = SimpleQueue()

    def examine() -> None:
        try:
            for finding in findings():
                told.put(finding)
            told.put(None)
        except Exception as error:  # noqa: BLE001 - the others shall still be asked
            told.put(error)

    Thread(target=examine, name=f"doctor: {what}", daemon=True).start()
    while True:
        try:
            answer = told.get(timeout=wait_s)
        except Empty:
            remedy = "try again; if it stays so, whatever it asks hangs, and the daemon may hang on it as well"
            yield Finding(level=FAIL, what=what, words=f"no answer within {wait_s:.0f} s", remedy=remedy)
            return
        match answer:
            case None:
                return
            case Finding():
                yield answer
            case error:
                words = f"could not be examined: {type(error).__name__}: {error}"
                yield Finding(level=FAIL, what=what, words=words, remedy="a defect of the probe: please report it")
                return


class Section(Protocol):
    """A `[sources.NAME]` or `[channels.NAME]` of the configuration."""

    @property
    def table(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def plugin(self) -> str: ...
    @property
    def settings(self) -> Mapping[str, Any]: ...


Secret = Callable[[str], str]


def configuration(directory: Path, *, errors: int, all_problems: int) -> Finding:
    """What `alertd check` found, in one line."""
    if errors:
        words = f"{directory} is invalid: {errors} errors"
        return Finding(level=FAIL, what="configuration", words=words, remedy=f"alertd check {directory}")
    if all_problems:
        words = f"{directory} is valid, with {all_problems} warnings"
        return Finding(level=WARN, what="configuration", words=words, remedy=f"alertd check {directory}")
    return Finding(level=OK, what="configuration", words=f"{directory} is valid")


def daemon(client: Client) -> Iterator[Finding]:
    """Does it run, and does it prove that it is alive?"""
    try:
        health = client.health()
    except NotReachableError as error:
        first, _, rest = str(error).partition("\n")
        yield Finding(level=FAIL, what="daemon", words=first, remedy=rest)
        return
    except RefusedError as error:
        yield Finding(level=FAIL, what="daemon", words=str(error), remedy=str(error.answer.get("remedy", "")))
        return
    words = f"alertd {health['version']} runs with configuration {health['config_version']}"
    yield Finding(level=OK, what="daemon", words=words)
    for proof in health["proofs"]:
        remedy = "" if proof["alive"] else "see the lines below and the daemon's log"
        yield Finding(
            level=OK if proof["alive"] else FAIL, what=f"daemon {proof['name']}", words=proof["words"], remedy=remedy
        )
    for way in health.get("ways", ()):
        remedy = "" if way["alive"] else "see `alertd troubles`; then prove it: alertd test person NAME"
        level = OK if way["alive"] else FAIL
        yield Finding(level=level, what=f"daemon {way['name']}", words=way["words"], remedy=remedy)


def store(url: str) -> Iterator[Finding]:
    """Does it open? Reads only: the daemon may be writing to it."""
    scheme, _, rest = url.partition("://")
    if scheme.startswith("sqlite"):
        yield _sqlite(Path(rest.removeprefix("/")))
    else:
        yield _postgres(url)


def _sqlite(path: Path) -> Finding:
    what = f"store {path}"
    if not path.exists():
        return Finding(level=WARN, what=what, words="does not exist yet", remedy="the daemon makes it when it starts")
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=CONNECT_WAIT_S)
        try:
            tables = connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone()[0]
        finally:
            connection.close()
    except sqlite3.Error as error:
        remedy = "may this user read it? If it is damaged: stop the daemon, keep the file, restore a copy"
        return Finding(level=FAIL, what=what, words=f"does not open: {error}", remedy=remedy)
    return Finding(level=OK, what=what, words=f"opens, {tables} tables, {path.stat().st_size / (1 << 20):,.1f} MiB")


def _postgres(url: str) -> Finding:
    import psycopg  # noqa: PLC0415 - slow to load, and most schools have no PostgreSQL

    where = urlsplit(url)
    what = f"store {where.hostname or 'local'}{where.path}"
    try:
        with psycopg.connect(url, connect_timeout=int(CONNECT_WAIT_S)) as connection:
            connection.execute("SELECT 1")
    except psycopg.Error as error:
        remedy = "is PostgreSQL running, and may this user in? (psql with the same URL says more)"
        first_line = str(error).strip().partition("\n")[0]
        return Finding(level=FAIL, what=what, words=f"does not open: {first_line}", remedy=remedy)
    return Finding(level=OK, what=what, words="opens and answers")


def secrets(sections: Sequence[Section], secret: Secret) -> Iterator[Finding]:
    """Is every secret there that the configuration names? Its value is neither shown nor tried."""
    for section in sections:
        for name in _secret_names(section.settings):
            what = f"secret {name} of {section.table}.{section.name}"
            try:
                secret(name)
            except LookupError as error:
                remedy = "this looks in the environment of this shell: under systemd, the unit's credentials count"
                yield Finding(level=FAIL, what=what, words=str(error), remedy=remedy)
            else:
                yield Finding(level=OK, what=what, words="is set; whether it is the right one is not known")


def _secret_names(settings: Mapping[str, Any]) -> Iterator[str]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _secret_names(value)
        elif key.endswith(SECRET_KEY_SUFFIX):
            names = [value] if isinstance(value, str) else value
            yield from (name for name in names if isinstance(name, str))


def channels(sections: Sequence[Section]) -> Iterator[Finding]:
    """Does anything listen where a channel sends to? Nothing is asked of it: `alertd test` proves more."""
    for section in sections:
        if section.table != "channels":
            continue
        what = f"channel {section.name}"
        default = DEFAULT_URLS.get(section.plugin)
        urls = list(dict.fromkeys(_urls(section.settings))) or ([default] if default else [])
        if not urls:
            words = "not tried: it names no URL"
            yield Finding(level=WARN, what=what, words=words, remedy="prove it: alertd test person ID")
        for url in urls:
            yield _listens(what, url)


def _urls(settings: Mapping[str, Any]) -> Iterator[str]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _urls(value)
        elif key in URL_KEYS and isinstance(value, str):
            yield value


def _listens(what: str, url: str) -> Finding:
    where = urlsplit(url)
    port = where.port or (443 if where.scheme == "https" else 80)
    try:
        with socket.create_connection((where.hostname or "", port), timeout=CONNECT_WAIT_S):
            pass
    except OSError as error:
        remedy = "check its name, the network and the firewall; a text cannot leave the building now"
        return Finding(level=FAIL, what=what, words=f"{where.hostname}:{port}: {error}", remedy=remedy)
    words = f"{where.hostname}:{port} listens; whether it takes our messages is not known (alertd test)"
    return Finding(level=OK, what=what, words=words)


def heartbeat(url: str | None) -> Iterator[Finding]:
    """Somebody outside must notice when this machine dies."""
    if url:
        words = "an outside watchdog is pinged; that it rings when the pings stop, only a try can show"
        yield Finding(level=OK, what="heartbeat", words=words)
    else:
        remedy = "set daemon.heartbeat_url to a dead man's switch outside the building"
        words = "none is set: nobody would notice if this machine died"
        yield Finding(level=WARN, what="heartbeat", words=words, remedy=remedy)
