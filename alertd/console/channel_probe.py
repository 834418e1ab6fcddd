"""Asks each channel what it knows about its own way to people (`ports.Probe`), for `alertd doctor`.

Builds the adapters as the daemon would, gives them an `Http` that only asks, and throws them away. Must never let one
of them send, and never let a plugin that hangs or fails keep the others from being asked.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from alertd.config import Loaded, Section, secret
from alertd.console import doctor
from alertd.console.clock_probe import Reading
from alertd.console.doctor import FAIL, OK, WARN, Finding
from alertd.daemon.http_client import HttpClient
from alertd.daemon.system_clock import SystemClock
from alertd.model.registry import Registry
from alertd.plugins import PluginError, build
from alertd.ports import (
    PROBE_WAIT_S,
    Found,
    HttpNotSentError,
    HttpRequest,
    HttpResponse,
    Probe,
    SettingsError,
    Surroundings,
)

FINDINGS_MAX = 100
"""Of one channel."""


class AskingHttp:
    """`ports.Http` that only asks, and notes what time the others say it is."""

    def __init__(self, readings: dict[str, Reading]) -> None:
        self._client = HttpClient()
        self._readings = readings

    async def send(self, request: HttpRequest, *, timeout_s: float) -> HttpResponse:
        if request.method != "GET":
            raise HttpNotSentError("a probe sends nothing")
        asked_s = time.time()
        response = await self._client.send(request, timeout_s=timeout_s)
        date_s = _date_s(response)
        if date_s is not None:
            host = urlsplit(request.url).hostname or ""
            self._readings[host] = Reading(asked_s=asked_s, answered_s=time.time(), date_s=date_s)
        return response

    async def close(self) -> None:
        await self._client.close()


def _date_s(response: HttpResponse) -> float | None:
    try:
        return parsedate_to_datetime(response.headers["date"]).timestamp()
    except (KeyError, ValueError):
        return None


def channels(loaded: Loaded, readings: dict[str, Reading]) -> Iterator[Finding]:
    """One channel after the other; each finding as it comes."""
    told = addresses(loaded.registry)
    for section in loaded.sections:
        if section.table == "channels":
            theirs = tuple(sorted(told.get(section.name, ())))
            extra = {"state_dir": loaded.settings.state_dir, "config_dir": loaded.directory, "checking": True}
            ask = partial(_channel, section, theirs, loaded.settings.public_base_url, extra, readings)
            yield from doctor.in_time(f"channel {section.name}", ask)


def addresses(registry: Registry) -> dict[str, set[str]]:
    """Channel -> every address that the configuration sends to over it."""
    found: dict[str, set[str]] = {}
    for endpoint in (
        *(endpoint for person in registry.people.values() for endpoint in person.endpoints),
        *(destination.endpoint for destination in registry.destinations.values()),
        *(endpoint for site in registry.sites.values() for endpoint in site.loudspeakers.values()),
    ):
        found.setdefault(endpoint.channel, set()).add(endpoint.address)
    return found


def _channel(
    section: Section,
    theirs: Sequence[str],
    public_base_url: str | None,
    extra: Mapping[str, Any],
    readings: dict[str, Reading],
) -> Iterator[Finding]:
    what = f"channel {section.name}"
    http = AskingHttp(readings)
    surroundings = Surroundings(
        clock=SystemClock(), http=http, secret=secret, public_base_url=public_base_url, extra=extra
    )
    try:
        probe = build(section, surroundings).probe
    except (SettingsError, PluginError) as error:
        words = f"its own probe was not tried: {error}"
        yield Finding(level=WARN, what=what, words=words, remedy="mend that, then ask again")
        yield from (finding for finding in doctor.channels([section]) if finding.level != WARN)
        return
    if probe is None:
        yield from doctor.channels([section])
        return
    with asyncio.Runner() as runner:
        try:
            yield from _asked(runner, what, probe, theirs)
        finally:
            runner.run(http.close())


def _asked(runner: asyncio.Runner, what: str, probe: Probe, theirs: Sequence[str]) -> Iterator[Finding]:
    found: AsyncIterator[Found] = probe(theirs)
    for _ in range(FINDINGS_MAX):
        try:
            one = runner.run(_next(found))
        except TimeoutError:
            words = f"did not answer within {PROBE_WAIT_S:.0f} s"
            yield Finding(level=FAIL, what=what, words=words, remedy="is the network slow? Try again")
            return
        if one is None:
            return
        level = OK if one.is_good else FAIL if one.grave else WARN
        yield Finding(level=level, what=what, words=one.text, remedy=one.remedy)


async def _next(found: AsyncIterator[Found]) -> Found | None:
    async with asyncio.timeout(PROBE_WAIT_S):
        return await anext(found, None)
