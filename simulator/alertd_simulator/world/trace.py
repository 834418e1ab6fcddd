"""The trace: every happening of a day as one line of text, the same bytes for the same seed.

Owns the form of a line. Must leave out what differs between machines; nothing in a happening does.
"""

from hashlib import sha256
from typing import Any

import msgspec

from alertd_simulator.world.happenings import Happening


class Trace:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def see(self, happening: Happening) -> None:
        self.lines.append(line_of(happening))

    def sha256(self) -> str:
        return sha256("\n".join(self.lines).encode()).hexdigest()


def line_of(happening: Happening) -> str:
    """Moment in seconds, what happened, and its fields as JSON."""
    fields: dict[str, Any] = msgspec.to_builtins(happening)
    at_us, kind = fields.pop("at_us"), fields.pop("happening")
    return f"{at_us / 1e6:12.6f} {kind} {msgspec.json.encode(fields, order='sorted').decode()}"
