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

from alertd.config.problems import quoted
from alertd.config.regular_files import read_regular
from alertd.config.secrets_in_clear import has_password, is_name, is_secret, secret_parameter, shown
from alertd.config.settings import SECRET_PREFIX

SECRET_BYTES_MAX = 16 * 1024
"""Largest secret: a private key with its chain."""

_SECRET_KEY = re.compile(
    r"(^|[_-])(password|passwd|passphrase|pass|pwd|token|secret|apikey|api[_-]key|auth|authorization|bearer"
    r"|credential|credentials|signing[_-]key|private[_-]key)$",
    re.IGNORECASE,
)


def variable_of(name: str) -> str:
    """The environment variable of a secret."""
    return SECRET_PREFIX + re.sub(r"[^A-Z0-9]", "_", name.upper())


def secret(name: str) -> str:
    """The value of a named secret. Raises `LookupError`, which names both places where it could be."""
    if not is_name(name):
        remedy = "use letters, digits, dash and underscore"
        raise LookupError(f"{quoted(shown(name))} is not a name of a secret, or is one itself: {remedy}")
    value = os.environ.get(variable_of(name))
    if value:
        return value
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    if directory:
        try:
            raw = read_regular(Path(directory) / name, SECRET_BYTES_MAX)
        except OSError:
            raw = b""
        if raw.strip(b"\r\n") and len(raw) <= SECRET_BYTES_MAX:
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
    return [Leak(path=path, message=f"{message}; secrets never stand in files", remedy=_remedy(key, value))]


def _why(key: str, value: object) -> str | None:
    """What is wrong, without the secret itself."""
    if isinstance(value, str):
        if has_password(value):
            return "has a password in its URL"
        if parameter := secret_parameter(value):
            return f"has a secret in its URL ({quoted(parameter)}=…)"
        if key.endswith("_secret") and is_name(value):
            return None
        if is_secret(value) or (key.endswith("_secret") and value.isalnum()):
            return f"{quoted(shown(value))} looks like a secret"
        if key.endswith("_secret"):
            return f"{quoted(shown(value))} is not the name of a secret"
    return "would be a secret in clear" if _SECRET_KEY.search(key) else None


def _remedy(key: str, value: object) -> str:
    if isinstance(value, str) and not has_password(value) and secret_parameter(value):
        return "take it out; a receiver knows alertd by the signature that signing_secret makes"
    stem = key.removesuffix("_secret")
    name = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-") or "name"
    return f'write {stem}_secret = "{name}" and set {variable_of(name)} in the environment'
