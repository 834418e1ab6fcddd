"""Loudspeakers: is there a zone behind each name, and may everybody hear what is said there?

A lockdown names no place, because the threat hears it too; no announcement tells anybody that it is over; what concerns
few is not told to all.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from alertd.config import Thing
from alertd.config.problems import did_you_mean, quoted
from alertd.lint.findings import Judge, policy_key
from alertd.lint.templates import COMFORT
from alertd.model.incident import IncidentClass, is_panic
from alertd.model.people import Endpoint
from alertd.model.policy import Policy, Target, TargetKind
from alertd.model.site import Site

_ROOM = re.compile(r"\b(?:room|rm|classroom)\.?\s*(?:\d|(?:one|two|three|four|five|six)\b)", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"\{[^}]*\}")
_DRILL = re.compile(r"\bdrill\b", re.IGNORECASE)


def check_loudspeakers(judge: Judge) -> None:
    if judge.unread(Thing.CHANNEL, Thing.SITE):
        return
    for site in judge.schools():
        for name, endpoint in site.loudspeakers.items():
            _check_zone(judge, site, name, endpoint)
    for site, incident_class, policy in judge.uses():
        targets = tuple(_targets(policy))
        for number, target in targets:
            _check_target(judge, site, policy, f"{policy.id}/{number}", target)
        if targets:
            _check_class(judge, site, incident_class, policy)
        elif incident_class == IncidentClass.LOCKDOWN and site.loudspeakers and site.rules.audible:
            message = f"nothing is said over the loudspeakers of {site.id}: policy {policy.id} names none"
            remedy = 'add { announcement = "lockdown", loudspeakers = "all" } to the targets of its first step'
            judge.warn(*policy_key(site, incident_class), message, remedy)


def _targets(policy: Policy) -> Iterator[tuple[int, Target]]:
    for number, step in enumerate(policy.steps):
        for target in step.targets:
            if target.kind is TargetKind.LOUDSPEAKERS:
                yield number, target


def _settings(judge: Judge, channel: str) -> Mapping[str, Any] | None:
    """Of a channel section, as far as it is written; `None`: there is no such channel."""
    found = (s.settings for s in judge.loaded.sections if s.table == "channels" and s.name == channel)
    return next(found, None)


def _names(settings: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    table = settings.get(key)
    return table if isinstance(table, dict) else {}


def _check_zone(judge: Judge, site: Site, name: str, endpoint: Endpoint) -> None:
    where = (Thing.LOUDSPEAKERS, f"{site.id}/{name}")
    settings = _settings(judge, endpoint.channel)
    if settings is None:
        remedy = did_you_mean(endpoint.channel, judge.registry.channels)
        judge.error(*where, "channel", f"no channel {quoted(endpoint.channel)}", remedy)
        return
    zones = _names(settings, "zones")
    if not zones:
        remedy = "name a channel with [channels.NAME.zones.…]: plugin pa_rtp"
        judge.error(*where, "channel", f"channel {endpoint.channel} has no loudspeakers", remedy)
    elif endpoint.address not in zones:
        message = f"channel {endpoint.channel} has no zone {quoted(endpoint.address)}"
        judge.error(*where, "zone", message, did_you_mean(endpoint.address, zones))
    for other in judge.schools():
        if other.id < site.id and endpoint in other.loudspeakers.values():
            message = f"zone {endpoint.address} belongs to {other.id} as well: a press there would be heard here"
            judge.error(*where, "zone", message, "give each school zones of its own (promise 6)")


def _check_target(judge: Judge, site: Site, policy: Policy, step: str, target: Target) -> None:
    if not step.endswith("/0"):
        remedy = "move them to the first step: no channel waits for another"
        judge.error(Thing.STEP, step, "targets", "loudspeakers speak only after a wait", remedy)
    if not site.loudspeakers:
        message = f"{site.id} has no loudspeakers: nothing is said there"
        judge.warn(Thing.STEP, step, "targets", message, f"write [loudspeakers] in sites/{site.id}.toml, if it has any")
        return
    endpoint = site.loudspeakers.get(target.id)
    if endpoint is None:
        message = f"{site.id} has no loudspeakers {quoted(target.id)}"
        judge.error(Thing.STEP, step, "targets", message, did_you_mean(target.id, site.loudspeakers))
        return
    announcements = _names(_settings(judge, endpoint.channel) or {}, "announcements")
    if target.announcement not in announcements:
        message = f"channel {endpoint.channel} has no announcement {quoted(target.announcement)}"
        judge.error(Thing.STEP, step, "targets", message, did_you_mean(target.announcement, announcements))
        return
    _check_words(judge, site, policy, endpoint, target.announcement)


def _check_class(judge: Judge, site: Site, incident_class: str, policy: Policy) -> None:
    if incident_class not in tuple(IncidentClass):
        message = "a trouble is no announcement"
        judge.error(Thing.POLICY, policy.id, "steps", message, "remove the loudspeakers from its steps")
    elif not is_panic(IncidentClass(incident_class)):
        message = f"would tell everybody of {incident_class}"
        judge.error(Thing.POLICY, policy.id, "steps", message, "remove the loudspeakers from its steps (req 70)")
    elif incident_class not in site.rules.announce:
        message = f"loudspeakers do not speak of {incident_class} at {site.id}, so nothing is said"
        classes = ", ".join(quoted(name) for name in (*site.rules.announce, incident_class))
        remedy = f"remove them from policy {policy.id}; or, if all shall hear it: announce = [{classes}] in [rules]"
        judge.warn(*policy_key(site, incident_class), message, remedy)


# --- the words ------------------------------------------------------------------------------------------------------


def _check_words(judge: Judge, site: Site, policy: Policy, endpoint: Endpoint, name: str) -> None:
    announcement = _names(_settings(judge, endpoint.channel) or {}, "announcements").get(name)
    words = announcement.get("words") if isinstance(announcement, dict) else None
    key = f"announcements.{name}.words"

    def error(message: str, remedy: str) -> None:
        section = next(s for s in judge.loaded.sections if (s.table, s.name) == ("channels", endpoint.channel))
        judge.error_at(section.file, section.line_of(key), f"channels.{endpoint.channel}.{key}", message, remedy)

    if not isinstance(words, str):
        return  # a recording: nobody can read what it says
    if comfort := COMFORT.search(words):
        error(f"says {quoted(comfort[0])} to everybody", "say what to do; that it is over, people are told in person")
    if filled := _PLACEHOLDER.search(words):
        error(
            f"{filled[0]} is not filled: it would be spoken",
            "announcements have fixed words, made in advance",
        )
    if _DRILL.search(words):
        error("a live announcement would speak of a drill", "write drill_words beside it; the marks come by themselves")
    place = _place(judge, site, words) if policy.incident_class == IncidentClass.LOCKDOWN else ""
    if place:
        error(f"names a place, {quoted(place)}: the threat hears it too", "leave the place to the texts")


def _place(judge: Judge, site: Site, words: str) -> str:
    """A place of the site that the words name; empty: none."""
    if room := _ROOM.search(words):
        return room[0]
    heard = " ".join(re.findall(r"[\w']+", words.casefold()))
    for zone in judge.registry.zones.values():
        for name in (zone.label, zone.short, zone.spoken, zone.building or ""):
            spoken = " ".join(re.findall(r"[\w']+", name.casefold()))
            if zone.site_id == site.id and spoken and f" {spoken} " in f" {heard} ":
                return name
    return ""
