"""The emergency-number block: no software here ever dials 911, 112, 933, 988, 999 or 000 (req 62).

One pure question, asked when configuration is loaded and again right before every send (a pair assertion: either alone
is enough, so that one mistake is not). It reads an address as the most careless gateway on its way could: decoration
dropped, outside lines and country codes stripped, pauses followed by more keys. It must never depend on a library's
idea of a valid number, and never be made "configurable".

What is blocked:
- the number itself, however written: other scripts, spaces, dots, percent-escapes, letters for keys ("O" for 0);
- behind dialling prefixes: `9911`, `9,911`, `0-112`, `1911`, `+1911`, `+44 999`, `00 911`, `9 011 44 999`, `*67 911`;
- in URIs: `tel:911`, `sip:911@host`, `sips:+1911@host`; a host name may contain the digits, it is not dialled;
- after the call is up, as keys: `+12025550142,,911`, `…w911`, `;postd=911`, `ext. 911`;
- at the start of a longer string without "+" (`911 5550142`): an exchange that listens digit by digit has connected
  after the third;
- `+1 911 …`: no area code is called 911 (N11 is not assignable), and a gateway that strips `+1` dials the same.

What is not: a full international number that merely contains the digits (`+12029110142`), nor four digits of an
extension behind "sip:" whose first is no outside line (`sip:4911@pbx`).
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

EMERGENCY_NUMBERS = ("911", "112", "933", "988", "999", "000")
"""USA and Canada; GSM and Europe; the US test line; the US suicide and crisis line; United Kingdom; Australia."""

ADDRESS_CHARS_MAX = 256
ADDRESSES_CACHED = 4096
"""A district's endpoints are asked about again with each message."""
_PARTS_MAX = 24
_UNESCAPE_ROUNDS = 3

_ANY = "|".join(EMERGENCY_NUMBERS)
_BEHIND_PREFIXES = re.compile(rf"[01789]{{0,2}}(?:(?:00|011|0011|010)(?:[1-9][0-9]{{0,2}})?[019]?)?({_ANY})")
"""One or two outside-line or trunk digits; or an international prefix, with or without a country code."""
_BEHIND_COUNTRY = re.compile(rf"(?:1[01789]{{0,2}}|[1-9][0-9]{{0,2}}[019]?)?({_ANY})")
"""After "+": nothing, a country code, a country code and a trunk digit. North America: nothing so short is a number."""
_AT_THE_START = re.compile(rf"[89]?1?({_ANY})[0-9]*")
_NO_AREA_CODE = re.compile(r"\+1(911)[0-9]*")
_HONEST = re.compile(r"\+(?!1911)[1-9][0-9]{8,14}")
"""Long enough to be a subscriber: every pattern behind a "+" above is shorter."""

_ESCAPED = re.compile(r"(?:%[0-9a-fA-F]{2})+")
_SCHEME = re.compile(r"(?:tel|sips?|callto|sms(?:to)?|fax|facetime(?:-audio)?):(?://)?", re.IGNORECASE)
_EN_BLOC = re.compile(r"sips?:", re.IGNORECASE)
_HOST = re.compile(r"@[^;?,<>\s]*|(?<=;)[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?=[:;?>]|$)")
"""After the "@", or an IPv4 address that stands alone: where the call goes, not what is dialled."""
_STAR_CODE = re.compile(r"[*#]+([0-9]{2})")
"""*67 911, #31# 112: the two digits hide the caller or the like; the number follows."""
_BREAKS = re.compile(r"[,;?&=:@<>\"|/#*\n\r\t]+")
_PAUSE_LETTERS = re.compile(r"(?:(?<=[0-9,;=:])|^)(?:ext(?:ension|n)?|[pwx]+)(?=[0-9,;+]|$)")
_DECORATION = re.compile(r"[^0-9a-z+,;?&=:@<>\"|/#*\n\r\t]")
_KEYS = str.maketrans("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999")
_LOOKALIKES = str.maketrans({"o": "0", "i": "1", "l": "1"})
_FOREIGN_LOOKALIKES = str.maketrans({"о": "o", "ο": "o", "і": "i", "ι": "i", "ӏ": "l"})
"""Cyrillic and Greek letters that look like the Latin ones above."""


@lru_cache(maxsize=ADDRESSES_CACHED)
def blocked(address: str) -> str | None:
    """Why this address must never be dialled or texted, in people's words; `None` if nothing is wrong with it.

    The answer never quotes the address: it may be a person's number with something appended."""
    if _HONEST.fullmatch(address):
        return None
    if len(address) > ADDRESS_CHARS_MAX:
        return f"it has more than {ADDRESS_CHARS_MAX} characters: no number is that long, so it cannot be checked"
    text = _plain(address)
    en_bloc = _EN_BLOC.search(text) is not None
    parts = _parts(text)
    if len(parts) > _PARTS_MAX:
        return f"it has more than {_PARTS_MAX} parts: no number has, so it cannot be checked"
    for index, dialled in _dialled(parts):
        found = _emergency_in(dialled, overdialled=index == 0 and not en_bloc)
        if found:
            return _why(found, exact=dialled == found, later=index > 0)
    return None


def _why(found: str, *, exact: bool, later: bool) -> str:
    if later:
        return f"it dials {found} after a prefix, a pause or an extension; {found} is an emergency number"
    if exact:
        return f"{found} is an emergency number"
    return f"it dials {found}, which is an emergency number, behind a prefix or before other digits"


def _plain(address: str) -> str:
    """ASCII where a phone system would see ASCII: every script's digits, full-width signs, percent-escapes."""
    text = address
    for _ in range(_UNESCAPE_ROUNDS):
        text = _ESCAPED.sub(_unescape, text)
    text = unicodedata.normalize("NFKC", text)
    return "".join(map(_digit, text)).casefold().translate(_FOREIGN_LOOKALIKES)


def _unescape(escaped: re.Match[str]) -> str:
    return bytes.fromhex(escaped[0].replace("%", "")).decode("utf-8", errors="replace")


def _digit(char: str) -> str:
    value = unicodedata.numeric(char, None)
    if value is not None and value in range(10):
        return str(int(value))
    return char


def _parts(text: str) -> list[str]:
    """What is dialled one after the other: split at pauses, parameters and extensions, without decoration."""
    text = _DECORATION.sub("", _HOST.sub(";", _SCHEME.sub(";", text)))
    text = _STAR_CODE.sub(r",\1,", _PAUSE_LETTERS.sub(",", text))
    return [part for part in _BREAKS.split(text) if part]


def _dialled(parts: list[str]) -> Iterator[tuple[int, str]]:
    """Every run of neighbouring parts, for "9,9,1,1" dials 9911; with the index of its first part."""
    for start in range(len(parts)):
        run = ""
        for part in parts[start:]:
            run += part
            yield start, run


def _emergency_in(run: str, *, overdialled: bool) -> str | None:
    if run.isdigit() or run[1:].isdigit():
        return _emergency_in_digits(run, overdialled=overdialled)
    if not any(char.isdigit() for char in run):
        return None  # a word is a name ("www"), not a number, whatever its keys spell
    for table in (_LOOKALIKES, _KEYS):
        digits = run.translate(table)
        found = digits.lstrip("+").isdigit() and _emergency_in_digits(digits, overdialled=False)
        if found:
            return found
    return None


def _emergency_in_digits(number: str, *, overdialled: bool) -> str | None:
    digits = number.lstrip("+")
    patterns = [_BEHIND_PREFIXES] if not number.startswith("+") or digits.startswith("0") else [_BEHIND_COUNTRY]
    if overdialled and not number.startswith("+"):
        patterns.append(_AT_THE_START)
    for pattern in patterns:
        if match := pattern.fullmatch(digits):
            return match[1]
    if match := _NO_AREA_CODE.fullmatch(number):
        return match[1]
    return None
