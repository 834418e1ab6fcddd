"""A transcript: what was heard in which step, one JSON object a line. Written while listening, and judged later.

    {"kit": 1, "source": "shelly-gen1", "profile": "", "device": "desk-1", "base": "", "began": "2026-09-01T14:42:00Z"}
    {"step": "press_once", "at_s": 31.0}
    {"at_s": 33.2, "topic": "shellies/desk-1/input_event/0", "text": "{…}", "qos": 1}
    {"event": "away", "at_s": 80.1}      the broker went; "back", "received" (what the kit published), "skipped"

Payloads that are text stand as text, others as base64. Must never hold a password: it holds only what devices said.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

KIT = 1


class TranscriptError(ValueError):
    """The file is no transcript; the words say which line."""


class Subject(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is tried. `began`: wall clock when it began, in microseconds."""

    kit: int
    source: str
    """A source profile, or "press_json"."""
    device: str
    profile: str = ""
    base: str = ""
    began_us: int = 0
    topics: tuple[str, ...] = ()
    """Filters on which the kit listened."""


class Entered(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    step: str
    at_s: float


class Happened(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`event`: "away" and "back" (the broker), "received" (the kit said so), "skipped" (the step)."""

    event: str
    at_s: float


class Heard(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    at_s: float
    topic: str
    text: str | None = None
    base64: str | None = None
    qos: int = 0
    """As the publisher sent it: the kit subscribes at QoS 2."""
    retain: bool = False

    @property
    def payload(self) -> bytes:
        return b64decode(self.base64, validate=True) if self.base64 is not None else (self.text or "").encode()


Line = Entered | Happened | Heard


class Transcript(Struct, frozen=True, kw_only=True):
    subject: Subject
    lines: tuple[Line, ...]

    def of(self, step: str) -> list[Line] | None:
        """What happened in a step; `None`: it was not done, or skipped."""
        found: list[Line] | None = None
        current = ""
        for line in self.lines:
            if isinstance(line, Entered):
                current = line.step
                found = [] if current == step and found is None else found
            elif current == step and found is not None:
                found.append(line)
        skipped = found is not None and any(isinstance(line, Happened) and line.event == "skipped" for line in found)
        return None if skipped else found

    def heard(self) -> Iterator[Heard]:
        return (line for line in self.lines if isinstance(line, Heard))


def heard(at_s: float, topic: str, payload: bytes, *, qos: int, retain: bool) -> Heard:
    try:
        text: str | None = payload.decode("utf-8")
    except UnicodeDecodeError:
        text = None
    packed = b64encode(payload).decode() if text is None else None
    return Heard(at_s=round(at_s, 3), topic=topic, text=text, base64=packed, qos=qos, retain=retain)


def nothing_at_all(topics: Iterable[str], user: str = "the user") -> str:
    """What to look for: a broker such as mosquitto grants a subscription that its access list then never serves."""
    filters = ", ".join(topics) or "its topics"
    return f"nothing at all was heard: is {user} allowed to read {filters}, and does the device speak there?"


def written(subject: Subject, lines: Iterable[Line]) -> str:
    return "".join(msgspec.json.encode(each).decode() + "\n" for each in (subject, *lines))


def read(path: Path) -> Transcript:
    """Raises `TranscriptError`, `OSError`."""
    rows = path.read_text("utf-8").splitlines()
    try:
        subject = msgspec.json.decode(rows[0] if rows else "", type=Subject)
    except msgspec.DecodeError as error:
        raise TranscriptError(f"{path}:1: this is no transcript of the kit: {error}") from None
    if subject.kit != KIT:
        raise TranscriptError(f"{path}:1: it is of kit {subject.kit}; this one reads {KIT}")
    lines: list[Line] = []
    for number, row in enumerate(rows[1:], start=2):
        try:
            lines.append(_line(row))
        except (msgspec.DecodeError, ValueError) as error:
            raise TranscriptError(f"{path}:{number}: {error}") from None
    return Transcript(subject=subject, lines=tuple(lines))


def _line(row: str) -> Line:
    keys = msgspec.json.decode(row, type=dict[str, msgspec.Raw])
    kind: type[Line] = Entered if "step" in keys else Happened if "event" in keys else Heard
    found: Line = msgspec.json.decode(row, type=kind)
    if isinstance(found, Heard):
        found.payload  # noqa: B018 - raises if it is no base64
    return found
