"""Regular expressions that a person configured, applied to text that a stranger sent.

Google's RE2 runs in time proportional to the text, whatever the pattern: no pattern can hang a press. What RE2 does not
know (back references, look-around) is refused with its own words when the pattern is read.
"""

from functools import lru_cache

import re2

PATTERN_MAX = 200
"""Characters of a pattern."""
TEXT_MAX = 2_000
"""Characters of a text that a pattern is applied to; a longer one does not match."""
MEMORY_MAX = 1 << 20
"""Bytes that one compiled pattern may take: a counted repeat of a counted repeat is refused."""


class PatternError(ValueError):
    """The pattern cannot be used; the message says why."""


class Pattern:
    """Matches a whole text, and gives its named groups."""

    def __init__(self, text: str) -> None:
        if len(text) > PATTERN_MAX:
            raise PatternError(f"has {len(text)} characters, more than {PATTERN_MAX}")
        options = re2.Options()
        options.log_errors = False
        options.max_mem = MEMORY_MAX
        try:
            self._compiled = re2.compile(text, options)
        except re2.error as error:
            raise PatternError(f"is no pattern that RE2 takes: {_said(error)}") from None

    def groups(self, text: str) -> dict[str, str | None] | None:
        """Named groups of the whole text, or `None` if it does not match."""
        if len(text) > TEXT_MAX or "\0" in text:
            return None
        try:
            found = self._compiled.fullmatch(text)
        except UnicodeEncodeError:  # half of a surrogate pair, as JSON can write it
            return None
        return dict(found.groupdict()) if found else None


def _said(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)


@lru_cache(1_000)
def compiled(text: str) -> Pattern:
    """The pattern, once a text. Raises `PatternError`."""
    return Pattern(text)
