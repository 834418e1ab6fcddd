"""What looks like a secret, in a value or in a URL, and how a value is named without being shown.

Judges single texts; which keys of a file are looked at is `credentials`' business. Must never answer with the secret.
"""

import re
from urllib.parse import parse_qsl, urlsplit

SHOWN_CHARACTERS = 6
"""Enough to recognize what was pasted ("whsec_", "SK3f…"), of no use to anybody else."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_SECRET = re.compile(
    r"whsec_\S+|(SK|AC)[0-9a-fA-F]{32}|-----BEGIN [A-Z ]*PRIVATE KEY|(Bearer|Basic) \S{8,}"
    r"|xox[abp]-\S+|gh[pousr]_\S{20,}"
)
_HEX = re.compile(r"[0-9a-fA-F]{24,}")
"""A token of an account, where a name is expected."""
_USER_IN_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^/@\s:]*:[^/@\s]+@", re.IGNORECASE)
_PARAMETER = re.compile(
    r"(token|secret|passw(or)?d|passphrase|pwd|api[_-]?key|auth|authorization|credentials?|signature)$|^(key|sig|pass)$",
    re.IGNORECASE,
)


def is_secret(value: str) -> bool:
    return _SECRET.search(value) is not None


def is_name(value: str) -> bool:
    """The name of a secret, and surely not the secret itself."""
    return _NAME.fullmatch(value) is not None and not is_secret(value) and _HEX.fullmatch(value) is None


def shown(value: str) -> str:
    """A name as it is; of anything else only the beginning."""
    return value if is_name(value) else f"{value[:SHOWN_CHARACTERS]}…"


def has_password(url: str) -> bool:
    return _USER_IN_URL.match(url) is not None


def secret_parameter(url: str) -> str | None:
    """The name of a parameter in the URL whose value would be a secret: "api_key"."""
    if "://" not in url:
        return None
    try:
        names = [name for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)]
    except ValueError:  # no URL at all, which others say
        return None
    return next((name for name in names if _PARAMETER.search(name)), None)
