"""The settings of one section, as its plugin reads them: what is wrong is said by its key, for whoever wrote it."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

_Settings = TypeVar("_Settings", bound=msgspec.Struct)

_UNKNOWN_FIELD = re.compile(r"unknown field `(?P<field>[^`]*)`")
_MISSING_FIELD = re.compile(r"missing required field `(?P<field>[^`]*)`")
_WRITTEN = re.compile(r"^Invalid enum value (?P<value>.*?)(?: - at|$)")
_STEP = re.compile(r"\[[^\]]*\]|[^.\[]+")
_PATH = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")


class SettingsError(ValueError):
    """A section's key is wrong. `key` says which; the message says what to write instead."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


class NotHereError(SettingsError):
    """The section is right, and needs something that this machine lacks: a program, a library. The daemon refuses it
    like any other; `alertd check` warns, for it may run on another machine than the daemon."""


def read_settings(table: Mapping[str, Any], kind: type[_Settings], unknown: Callable[[str], str]) -> _Settings:
    """The section as a struct that forbids unknown fields. `unknown`: what is said of a key that there is not, by where
    it stands ("" is the section itself). Raises `SettingsError`."""
    try:
        return msgspec.convert(dict(table), kind)
    except msgspec.ValidationError as error:
        raise _settings_error(str(error), kind, unknown) from None


def _settings_error(text: str, kind: object, unknown: Callable[[str], str]) -> SettingsError:
    """What msgspec found wrong, as people read it."""
    path = _PATH.search(text)
    where = path["path"] if path else ""
    if field := _UNKNOWN_FIELD.search(text):
        return SettingsError(f"{where}.{field['field']}".lstrip("."), unknown(where))
    if field := _MISSING_FIELD.search(text):
        return SettingsError(f"{where}.{field['field']}".lstrip("."), "is missing")
    if choices := _choices(inspect.type_info(kind), where):
        written = _WRITTEN.search(text)
        return SettingsError(where, f"{written['value'] if written else 'it'} is none of {', '.join(choices)}")
    return SettingsError(where, _PATH.sub("", text))


def _choices(info: inspect.Type, path: str) -> list[str]:
    """What may stand there, if it is one of a few words."""
    found = [info]
    for step in _STEP.findall(path):
        below: list[inspect.Type] = []
        for each in _each(found):
            if isinstance(each, inspect.StructType):
                below += [field.type for field in each.fields if field.encode_name == step]
            elif isinstance(each, inspect.ListType):
                below.append(each.item_type)
            elif isinstance(each, inspect.DictType):
                below.append(each.value_type)
        found = below
    words: list[str] = []
    for each in _each(found):
        if isinstance(each, inspect.EnumType):
            words += [str(member.value) for member in each.cls]
        elif isinstance(each, inspect.LiteralType):
            words += map(str, each.values)
    return words


def _each(found: Iterable[inspect.Type]) -> Iterator[inspect.Type]:
    """Each of a union by itself."""
    for each in found:
        yield from each.types if isinstance(each, inspect.UnionType) else (each,)
