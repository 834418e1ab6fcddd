"""The settings of one section, as its plugin reads them: what is wrong is said by its key, for whoever wrote it."""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

_Settings = TypeVar("_Settings", bound=msgspec.Struct)

_UNKNOWN_FIELD = re.compile(r"unknown field `(?P<field>[^`]*)`")
_MISSING_FIELD = re.compile(r"missing required field `(?P<field>[^`]*)`")
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
        raise _settings_error(str(error), unknown) from None


def _settings_error(text: str, unknown: Callable[[str], str]) -> SettingsError:
    """What msgspec found wrong, as people read it."""
    path = _PATH.search(text)
    where = path["path"] if path else ""
    if field := _UNKNOWN_FIELD.search(text):
        return SettingsError(f"{where}.{field['field']}".lstrip("."), unknown(where))
    if field := _MISSING_FIELD.search(text):
        return SettingsError(f"{where}.{field['field']}".lstrip("."), "is missing")
    return SettingsError(where, _PATH.sub("", text))
