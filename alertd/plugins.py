"""Adapters, ours and third parties', by entry point: found, checked, built.

Owns: the API number check and the containment of what a plugin may do wrong when it is built. Must never: let one
broken plugin hide the problems of the others, or import an adapter by name.
"""

import sys
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from msgspec import Struct

from alertd.config import Problem, Section
from alertd.ports import (
    API_VERSION,
    Built,
    ChannelLimits,
    DecoderPlugin,
    Paced,
    Plugin,
    Profiles,
    SettingsError,
    Surroundings,
)

GROUPS: Mapping[str, str] = {"sources": "alertd.sources", "channels": "alertd.channels"}
"""Table of `channels.toml` -> entry point group."""


class Fitted(Struct, frozen=True, kw_only=True):
    """What was built, by section ("channels.sms"), and everything that is wrong with the rest."""

    built: dict[str, Built]
    problems: tuple[Problem, ...]


class PluginError(Exception):
    """A plugin cannot be used. The message says why; `remedy` what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


def find(table: str, name: str) -> Plugin:
    """The plugin of that name for a table of the configuration. Raises `PluginError`."""
    group = GROUPS[table]
    points = _installed(group, tuple(sys.path))
    point = points.get(name)
    if point is None:
        known = ", ".join(sorted(points)) or "none: install alertd again"
        raise PluginError(f'no plugin "{name}" is installed for {table}', f"use one of: {known}")
    plugin: Plugin = _load(point, name)
    return plugin


def find_decoder(name: str) -> DecoderPlugin:
    """Who reads the payloads of a trigger. Raises `PluginError`."""
    points = _installed("alertd.decoders", tuple(sys.path))
    if name not in points:
        raise PluginError(f'no decoder "{name}" is installed', f"use one of: {', '.join(sorted(points))}")
    plugin: DecoderPlugin = _load(points[name], name)
    return plugin


def find_profiles() -> Profiles:
    """Whoever reads profiles of sources and devices. Raises `PluginError`."""
    points = _installed("alertd.profiles", tuple(sys.path))
    for name, point in points.items():
        profiles: Profiles = _load(point, name)
        return profiles
    raise PluginError("nothing that reads profiles is installed", "install alertd again")


def fit(sections: Iterable[Section], surroundings: Surroundings) -> Fitted:
    """Build every section. Problems name the file, the line and the key."""
    built: dict[str, Built] = {}
    problems: list[Problem] = []
    for section in sections:
        try:
            built[f"{section.table}.{section.name}"] = build(section, surroundings)
        except SettingsError as error:
            problems.append(section.problem(error))
        except PluginError as error:
            problems.append(_problem(section, str(error), error.remedy))
    return Fitted(built=built, problems=tuple(problems))


def build(section: Section, surroundings: Surroundings) -> Built:
    """Build one section. Raises `SettingsError` or `PluginError`, whatever the plugin does."""
    plugin = find(section.table, section.plugin)
    try:
        built: object = plugin.build(section.name, section.settings, surroundings)
    except SettingsError:
        raise
    except LookupError as error:  # a secret that is not there
        message = str(error.args[0]) if error.args else type(error).__name__
        raise PluginError(message, "provide it, then check again") from error
    except Exception as error:
        raise PluginError(f"plugin {section.plugin} failed: {type(error).__name__}: {error}", _REPORT) from error
    needed = "source" if section.table == "sources" else "channel"
    if not isinstance(built, Built) or getattr(built, needed) is None:
        raise PluginError(f"plugin {section.plugin} built no {needed}", _REPORT)
    return built


def limits_of(section: Section) -> ChannelLimits | None:
    """What a channel carries, as far as its plugin can say without secrets (`ports.Paced`); `None` if it cannot. Wrong
    settings are said by `build`."""
    try:
        plugin = find(section.table, section.plugin)
        limits: object = plugin.limits(section.settings) if isinstance(plugin, Paced) else None
    except Exception:  # noqa: BLE001 - a foreign plugin; whatever is wrong with it, `build` says
        return None
    return limits if isinstance(limits, ChannelLimits) else None


@cache
def _installed(group: str, path: tuple[str, ...]) -> Mapping[str, EntryPoint]:  # noqa: ARG001 - it is part of the key
    """What can be loaded from these folders. Looking costs more than all else that a check of one channel does."""
    return {point.name: point for point in entry_points(group=group)}


_REPORT = "this is a defect of the plugin: report it to its authors"


def _load(point: EntryPoint, name: str) -> Any:
    try:
        plugin = point.load()
        api_version = plugin.api_version
    except Exception as error:
        raise PluginError(f"plugin {name} cannot be loaded: {type(error).__name__}: {error}", _REPORT) from error
    if api_version != API_VERSION:
        raise PluginError(
            f"plugin {name} is built for API {api_version}, this alertd has API {API_VERSION}",
            "install a version of the plugin that fits this alertd",
        )
    return plugin


def _problem(section: Section, message: str, remedy: str) -> Problem:
    return Problem(
        file=section.file,
        line=section.lines.get("plugin", section.line),
        key=f"{section.table}.{section.name}",
        message=message,
        remedy=remedy,
    )
