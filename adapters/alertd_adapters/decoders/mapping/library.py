"""All profiles: those that ship with alertd, and a district's own beside them, read and ready.

What is wrong with one is a `ProfileProblem` that names file and key; the others stay usable. A district's profile
may not take the name of one of ours: whoever reads devices.csv must know what a name means.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
from msgspec import Struct

from alertd.ports import ProfileProblem
from alertd_adapters.decoders.mapping import written
from alertd_adapters.decoders.mapping.devices import Profile
from alertd_adapters.decoders.mapping.rules import KeyWrongError
from alertd_adapters.decoders.mapping.sources import Source

SOURCE = "source"
PROFILE = "profile"
_KINDS: Mapping[str, type[Struct]] = {SOURCE: written.SourceProfile, PROFILE: written.DeviceProfile}
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_PART = re.compile(r"\.?([A-Za-z_][A-Za-z0-9_]*)|\[(\d+)\]|\[(\.\.\.)\]")
_PATH = re.compile(r" - at `(?:key in )?\$(?P<path>[^`]*)`$")
_UNKNOWN = re.compile(r"unknown field `(?P<field>[^`]*)`")
_MISSING = re.compile(r"missing required field `(?P<field>[^`]*)`")


class Entry(Struct, frozen=True):
    """A profile as it was written: for its examples, and for a source under another base topic."""

    file: str
    written: written.SourceProfile | written.DeviceProfile


class Library(Struct, frozen=True, kw_only=True):
    sources: dict[str, Source]
    profiles: dict[str, Profile]
    entries: dict[tuple[str, str], Entry]
    """(kind, name) -> as it was written."""
    problems: tuple[ProfileProblem, ...]

    def source(self, name: str, base: str | None = None) -> Source:
        """Raises `KeyError`."""
        if base is None:
            return self.sources[name]
        profile = self.entries[SOURCE, name].written
        assert isinstance(profile, written.SourceProfile)
        return Source(name, profile, base)


@cache
def built_in() -> Library:
    """What ships with alertd."""
    folder = files(__package__) / "builtin"
    tables = {
        each.name: tomllib.loads(each.read_text("utf-8")) for each in folder.iterdir() if each.name.endswith(".toml")
    }
    return _library(dict(sorted(tables.items())), None)


def library(own: Mapping[str, Mapping[str, Any]]) -> Library:
    """Ours, and those of a district: file -> its TOML."""
    return _library(own, built_in()) if own else built_in()


def _library(tables: Mapping[str, Mapping[str, Any]], below: Library | None) -> Library:
    sources = dict(below.sources) if below else {}
    profiles = dict(below.profiles) if below else {}
    entries = dict(below.entries) if below else {}
    problems: list[ProfileProblem] = []
    for file, kind, name, table in _tables(tables, problems):
        path = (kind, name)
        if path in entries:
            remedy = "give it another name"
            problems.append(
                ProfileProblem(file=file, path=path, message=f"there is a {kind} {name} already", remedy=remedy)
            )
            continue
        try:
            found = _converted(kind, table)
            if isinstance(found, written.SourceProfile):
                sources[name] = Source(name, found)
            else:
                profiles[name] = Profile(name, found)
            entries[path] = Entry(file, found)
        except KeyWrongError as error:
            problems.append(
                ProfileProblem(file=file, path=(*path, *error.path), message=str(error), remedy=error.remedy)
            )
    problems += _nameless(profiles, entries)
    return Library(sources=sources, profiles=profiles, entries=entries, problems=tuple(problems))


def _tables(
    tables: Mapping[str, Mapping[str, Any]], problems: list[ProfileProblem]
) -> Iterator[tuple[str, str, str, Any]]:
    for file, table in tables.items():
        for kind, named in table.items():
            if kind not in _KINDS or not isinstance(named, dict):
                remedy = "write [source.NAME] or [profile.NAME]"
                problems.append(ProfileProblem(file=file, path=(kind,), message="is no profile", remedy=remedy))
                continue
            for name, below in named.items():
                if _NAME.fullmatch(name):
                    yield file, kind, name, below
                else:
                    remedy = "lower-case letters, digits, dot, dash and underscore"
                    problems.append(
                        ProfileProblem(file=file, path=(kind, name), message="is not a usable name", remedy=remedy)
                    )


def _nameless(profiles: Mapping[str, Profile], entries: Mapping[tuple[str, str], Entry]) -> Iterator[ProfileProblem]:
    for (kind, name), entry in entries.items():
        if not isinstance(entry.written, written.SourceProfile):
            continue
        named: list[tuple[tuple[str | int, ...], str]] = [((), entry.written.profile)]
        named += [(("messages", index), each.profile) for index, each in enumerate(entry.written.messages)]
        for below, profile in named:
            if profile and profile not in profiles:
                yield ProfileProblem(
                    file=entry.file,
                    path=(kind, name, *below, "profile"),
                    message=f'there is no profile "{profile}"',
                    remedy="write [profile.NAME], or remove this line",
                )


def _converted(kind: str, table: object) -> written.SourceProfile | written.DeviceProfile:
    """Raises `KeyWrongError`."""
    try:
        found = msgspec.convert(table, _KINDS[kind])
    except msgspec.ValidationError as error:
        raise _key_wrong(str(error)) from None
    assert isinstance(found, written.SourceProfile | written.DeviceProfile)
    return found


def _key_wrong(text: str) -> KeyWrongError:
    where = _PATH.search(text)
    path = tuple(_parts(where["path"])) if where else ()
    if field := _UNKNOWN.search(text):
        return KeyWrongError((*path, field["field"]), "unknown key", "check its spelling against docs/devices.md")
    if field := _MISSING.search(text):
        return KeyWrongError(path, f"has no {field['field']}", f"write {field['field']} = …")
    return KeyWrongError(path, _PATH.sub("", text), "see docs/devices.md")


def _parts(text: str) -> Iterator[str | int]:
    for name, index, _ in _PART.findall(text):
        if name:
            yield name
        elif index:
            yield int(index)
