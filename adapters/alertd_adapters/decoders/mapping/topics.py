"""Topic templates: `v3/{app}/devices/{device}/up` against a topic, and what it captures.

A part in braces stands for one whole level, `+` for one whose name does not matter, `#` at the end for what follows.
`{base}` at the beginning is replaced by the source's base topic, which may have several levels.
"""

import re
from collections.abc import Sequence

TEMPLATE_MAX = 300
_CAPTURE = re.compile(r"\{([a-z][a-z0-9_]{0,31})\}")


class TemplateError(ValueError):
    """The template cannot be used; the message says why."""


class Template:
    def __init__(self, text: str, base: str = "") -> None:
        if len(text) > TEMPLATE_MAX:
            raise TemplateError(f"has {len(text)} characters, more than {TEMPLATE_MAX}")
        if "{base}" in text and not (text == "{base}" or text.startswith("{base}/")):
            raise TemplateError("{base} can only stand at the beginning")
        self.text = text.replace("{base}", base, 1)
        levels = self.text.split("/")
        self._open_end = levels[-1] == "#"
        self._levels = tuple(_level(each) for each in (levels[:-1] if self._open_end else levels))
        names = [name for name, _ in self._levels if name]
        if len(set(names)) != len(names):
            raise TemplateError("gives two levels the same name")
        self.captures = frozenset(names)

    @property
    def filter(self) -> str:
        """As a trigger names its topic."""
        levels = ["+" if fixed is None else fixed for _, fixed in self._levels]
        return "/".join([*levels, *(["#"] if self._open_end else [])])

    def match(self, levels: Sequence[str]) -> dict[str, str] | None:
        """What the levels of a topic hold under the names of the template; `None` if it is another topic."""
        if len(levels) != len(self._levels) and not (self._open_end and len(levels) >= len(self._levels)):
            return None
        captured = {}
        for (name, fixed), level in zip(self._levels, levels, strict=False):
            if fixed is not None and fixed != level:
                return None
            if name:
                captured[name] = level
        return captured


def _level(text: str) -> tuple[str, str | None]:
    """Name and fixed text of one level: the one, the other, or for `+` neither."""
    if text == "+":
        return "", None
    capture = _CAPTURE.fullmatch(text)
    if capture:
        return capture[1], None
    for sign in "{}+#":
        if sign in text:
            raise TemplateError(f'"{text}" is no level: write a name in braces, +, or plain text; # only at the end')
    return "", text
