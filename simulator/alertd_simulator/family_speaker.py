"""A device that speaks as its family does, and the topics on which it does: those of the district's own triggers.

Must never put a message on a topic that no such device has: what a message is, its topic says, and that is not changed.
"""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from alertd_adapters.decoders.mapping.library import SOURCE, built_in
from alertd_adapters.decoders.mapping.topics import Template
from alertd_adapters.decoders.mapping.written import SourceProfile
from alertd_adapters.mqtt.settings import matches
from alertd_simulator.devices import Payload
from alertd_simulator.families.catalogue import Family

PLACES = frozenset(
    f"{{{name}}}"
    for name in ("application", "app", "gateway", "region", "location", "tenant", "building", "network", "group", "id",
                 "input", "sensor")
)  # fmt: skip
"""Levels of a source's topics that name where a device is, not what it says."""


class NotPlayableError(ValueError):
    """It cannot be played; the words say why, and what to do."""


class Speaker(Struct, frozen=True, kw_only=True):
    """A device with the family that it speaks, and the trigger that hears it."""

    device: str
    """As the family calls it."""
    button: str
    family: Family
    topic_filter: str
    """"": where the family speaks by itself."""
    also: tuple[str, ...] = ()
    """Where the same source is heard besides: its other triggers, and its telemetry."""
    base: str = ""
    """The base topic that the trigger's options name."""
    own_words: bool = False
    """The trigger's decoder passes on what the device says, word for word; others say what it means."""
    means: tuple[str, ...] = ()
    """What it can say that its gestures give a meaning; (): nobody has registered it."""


def placed(payload: Payload, speaker: Speaker) -> Payload:
    """On the district's own topic: its base, and the places that its triggers name. What a message is, its topic says:
    that is never changed. Raises `NotPlayableError`."""
    topic = _based(payload.topic, speaker)
    filters = (speaker.topic_filter, *speaker.also) if speaker.topic_filter else ()
    for topic_filter in filters:
        own = _filled(topic, topic_filter, speaker)
        if matches(topic_filter, own):
            return replace(payload, topic=own)
    if filters:
        raise NotPlayableError(
            f"{speaker.device} would speak on {topic}, which the trigger {', '.join(filters)} never hears: add this "
            "topic to triggers or telemetry of the source if alertd should know of it"
        )
    return replace(payload, topic=topic)


def _filled(topic: str, topic_filter: str, speaker: Speaker) -> str:
    levels, wanted = topic.split("/"), topic_filter.split("/")
    wanted = wanted[2:] if wanted[:1] == ["$share"] else wanted
    free = _places(levels, speaker)
    return "/".join(
        wanted[index] if index in free and index < len(wanted) and wanted[index] not in ("+", "#") else level
        for index, level in enumerate(levels)
    )


def _places(levels: Sequence[str], speaker: Speaker) -> set[int]:
    """Levels whose name is the district's to choose: an application, a gateway. Never the device's own."""
    written = _written(speaker.family)
    if written is None:
        named_so = set(range(len(levels)))  # alertd's own topics are the trigger's
    else:
        bases = (each.topic.replace("{base}", speaker.base or written.base, 1) for each in written.messages)
        found = next((text for text in bases if Template(text).match(levels) is not None), "")
        named_so = {index for index, level in enumerate(found.split("/")) if level in PLACES}
    return {each for each in named_so if levels[each].casefold() != speaker.device.casefold()}


def _based(topic: str, speaker: Speaker) -> str:
    written = _written(speaker.family)
    own = written.base if written is not None else ""
    if not speaker.base or not own or not topic.startswith(f"{own}/"):
        return topic
    return f"{speaker.base}/{topic.removeprefix(f'{own}/')}"


def _written(family: Family) -> SourceProfile | None:
    """`None`: alertd's own JSON, which has no profile."""
    entry = built_in().entries.get((SOURCE, family.source))
    return entry.written if entry is not None and isinstance(entry.written, SourceProfile) else None
