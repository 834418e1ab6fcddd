"""GSM 03.38: how much room a text takes on the air (req 53).

Owns the alphabet, the count of septets and the way back into the alphabet. One character outside it turns the whole
text into UCS-2, which halves what fits: an alarm must be one segment, so everything that is rendered passes
`to_gsm7`. Never shortens a text: what is too long is the linter's business.
"""

import unicodedata

from anyascii import anyascii

SEGMENT_SEPTETS = 160
"""One message that needs no concatenation header."""

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = "\f^{}\\[~]|€"
"""Two septets each: an escape and the character."""

_ONE_SEPTET = frozenset(_BASIC)
_ALPHABET = frozenset(_BASIC + _EXTENDED)


def septets(text: str) -> int | None:
    """Septets that the text takes, or `None` if a character is outside the alphabet."""
    if _ONE_SEPTET.issuperset(text):
        return len(text)
    if not _ALPHABET.issuperset(text):
        return None
    return len(text) + sum(map(text.count, _EXTENDED))


def foreign(text: str) -> str:
    """The characters outside the alphabet, each once, in order of appearance."""
    return "".join(dict.fromkeys(character for character in text if character not in _ALPHABET))


def to_gsm7(text: str) -> str:
    """The same text with every character outside the alphabet transliterated. Invisible ones vanish; what has no
    Latin form is a "?". Never raises."""
    if _ALPHABET.issuperset(text):
        return text
    composed = unicodedata.normalize("NFC", text)
    return "".join(character if character in _ALPHABET else _transliterated(character) for character in composed)


def _transliterated(character: str) -> str:
    latin = "".join(c for c in anyascii(character) if c in _ALPHABET)
    if latin:
        return latin
    category = unicodedata.category(character)
    if category == "Zs":
        return " "
    return "" if category.startswith(("M", "C")) else "?"
