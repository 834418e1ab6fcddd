"""Secrets: where they come from, and the proof that none is written into a file.

A key ending in `_secret` holds the *name* of a secret. Its value is `$ALERTD_SECRET_<NAME>`, or the file
`$CREDENTIALS_DIRECTORY/<name>` that systemd provides. Never logs, never quotes a value.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from alertd.config.settings import SECRET_PREFIX

SECRET_BYTES_MAX = 16 * 1024
"""Largest secret: a private key with its chain."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_SECRET_KEY = re.compile(
    r"(^|[_-])(password|passwd|passphrase|pass|pwd|token|secret|apikey|api[_-]key|auth|authorization|bearer"
    r"|credential|credentials|signing[_-]key|private[_-]key)$",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(
    r"whsec_\S+|(SK|AC)[0-9a-fA-F]{32}|-----BEGIN [A-Z ]*PRIVATE KEY|(Bearer|Basic) \S{8,}"
    r"|xox[abp]-\S+|gh[pousr]_\S{20,}"
)
_USER_IN_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^/@\s:]*:[^/@\s]+@", re.IGNORECASE)


def variable_of(name: str) -> str:
    """The environment variable of a secret."""
    return SECRET_PREFIX + re.sub(r"[^A-Z0-9]", "_", name.upper())


def secret(name: str) -> str:
    """The value of a named secret. Raises `LookupError`, which names both places where it could be."""
    if not _NAME.fullmatch(name):
        raise LookupError(f"{name[:64]!r} is not a name of a secret: use letters, digits, dash and underscore")
    value = os.environ.get(variable_of(name))
    if value:
        return value
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    if directory:
        try:
            with (Path(directory) / name).open("rb") as stream:
                raw = stream.read(SECRET_BYTES_MAX + 1)
        except OSError:
            raw = b""
        if raw and len(raw) <= SECRET_BYTES_MAX:
            return _text(name, raw)
    raise LookupError(
        f"secret {name!r} is not set: set the environment variable {variable_of(name)}, "
        f"or give systemd LoadCredential={name}:<path>"
    )


def _text(name: str, raw: bytes) -> str:
    try:
        return raw.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise LookupError(f"secret {name!r} is not UTF-8 text: write it as base64 or hex") from None


class Leak(Struct, frozen=True, kw_only=True):
    """Something in a section that is, or looks like, a secret in clear."""

    path: tuple[str | int, ...]
    message: str
    remedy: str


def leaks(settings: Mapping[str, Any], path: tuple[str | int, ...] = ()) -> list[Leak]:
    """Every secret in clear, however deep."""
    return [leak for key, value in settings.items() for leak in _leaks_of((*path, key), key, value)]


def _leaks_of(path: tuple[str | int, ...], key: str, value: object) -> list[Leak]:
    if isinstance(value, dict):
        return leaks(value, path)
    if isinstance(value, list):
        return [leak for index, element in enumerate(value) for leak in _leaks_of((*path, index), key, element)]
    message = _why(key, value)
    if message is None:
        return []
    stem = key.removesuffix("_secret")
    name = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-") or "name"
    remedy = f'write {stem}_secret = "{name}" and set {variable_of(name)} in the environment'
    return [Leak(path=path, message=message, remedy=remedy)]


def _why(key: str, value: object) -> str | None:
    if isinstance(value, str):
        if _SECRET_VALUE.search(value):
            return "looks like a secret; secrets never stand in files"
        if _USER_IN_URL.match(value):
            return "has a password in its URL; secrets never stand in files"
        if key.endswith("_secret"):
            return None if _NAME.fullmatch(value) else "is not the name of a secret"
    return "would be a secret in clear; secrets never stand in files" if _SECRET_KEY.search(key) else None
