"""The project's own lines of what devices say (words.toml), each as an example that a profile could carry."""

import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from alertd_adapters.decoders.mapping.written import Example

FILE = Path(__file__).with_name("words.toml")
WORD = "WORD"


class Message(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    profile: str
    source: str
    device: str
    topic: str
    payload: str
    said_by: Annotated[str, Meta(min_length=3)] = msgspec.field(name="from")
    means: dict[str, str | list[str] | dict[str, str]]
    """Word -> the event, or several, or one as examples expect it; "refused" and "unknown" as there."""

    def examples(self) -> Iterator[Example]:
        for word, meant in self.means.items():
            yield Example(
                source=self.source,
                device=self.device,
                topic=self.topic.replace(WORD, word),
                payload=self.payload.replace(WORD, word),
                expect=_expected(meant, self.device),
            )


def _expected(meant: Any, device: str) -> Any:
    if meant in ("refused", "unknown"):
        return meant
    found = [meant] if isinstance(meant, dict) else [{"event": event} for event in _listed(meant)]
    return [{"device": device, **each} for each in found]


def _listed(meant: str | list[str]) -> list[str]:
    return [meant] if isinstance(meant, str) else meant


@cache
def messages() -> list[Message]:
    return msgspec.convert(tomllib.loads(FILE.read_text("utf-8"))["message"], list[Message])
