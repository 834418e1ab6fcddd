"""What was heard of devices that nobody has registered, as rows of devices.csv that a human completes.

Asks the profiles which of them could be a device's, and writes one into a row only where a single one fits. Must never
choose a site, a place or what a press means: those only people know.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct
from paho.mqtt.client import topic_matches_sub

from alertd.config import Loaded
from alertd.config.devices import OPTIONAL, REQUIRED
from alertd.console.plugin_check import surroundings_of
from alertd.model.ids import spelled_alike
from alertd.plugins import PluginError, find_profiles
from alertd.ports import Fit, Sample, SettingsError, Stranger

COLUMNS = (*REQUIRED, *OPTIONAL)
"""Of devices.csv."""
MAPPED = "profiles"
"""The decoder that reads by profiles."""
PLAIN = "press_json"


class Learnt(Struct, frozen=True, kw_only=True):
    """A device that nobody has registered."""

    id: str
    source: str
    topic: str
    """Of its last message."""
    decoder: str
    """Of the trigger that hears it, with the source profile: "profiles (chirpstack-v4)"."""
    messages: int
    first_us: int
    last_us: int
    qos: int
    retained: bool
    said: str
    """What its last message was to its decoder."""
    fits: tuple[Fit, ...]
    """Profiles that could be its own, the likeliest first."""
    why_none: str
    """Where nothing fits, or no profile is needed: why."""
    row: dict[str, str]
    """By the columns of devices.csv; empty: a human must say."""

    @property
    def heard_by(self) -> str:
        return next((fit.heard_by for fit in self.fits if fit.heard_by), "")


def learnt(loaded: Loaded, heard: Mapping[str, Sequence[Stranger]], only: Iterable[str] = ()) -> list[Learnt]:
    """`heard`: by source. `only`: nobody but these devices, an address however it is spelled; empty: all."""
    wanted = frozenset(map(spelled_alike, only))
    found = [
        _learnt(loaded, source, stranger)
        for source, strangers in heard.items()
        for stranger in strangers
        if stranger.samples and (not wanted or spelled_alike(stranger.device_id) in wanted)
    ]
    return sorted(found, key=lambda each: -each.last_us)


def _learnt(loaded: Loaded, source: str, stranger: Stranger) -> Learnt:
    last = stranger.samples[-1]
    trigger = _trigger(loaded, source, last.topic)
    decoder = str(trigger.get("decoder", PLAIN))
    options = dict(trigger.get("options", {}))
    fits, why_none = _fits(loaded, decoder, options, stranger)
    kinds = [str(kind) for kind in trigger.get("kinds", ())]
    kind = kinds[0] if kinds else next((fit.kind for fit in fits), "button")
    return Learnt(
        id=stranger.device_id,
        source=source,
        topic=last.topic,
        decoder=f"{decoder} ({options['source']})" if "source" in options else decoder,
        messages=stranger.messages,
        first_us=stranger.first_us,
        last_us=last.at_us,
        qos=last.qos,
        retained=last.retained,
        said=_last_words(stranger.samples),
        fits=fits,
        why_none=why_none,
        row=dict.fromkeys(COLUMNS, "") | {"id": stranger.device_id, "kind": kind, "profile": only_one(fits)},
    )


def only_one(fits: Sequence[Fit]) -> str:
    """The profile for the row: of those that know a press, or of all if none does, the only one; "": not written."""
    if any(not fit.profile for fit in fits):  # the source's own
        return ""
    likely = [fit for fit in fits if fit.presses] or fits
    return likely[0].profile if len(likely) == 1 else ""


def _last_words(samples: Sequence[Sample]) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in samples[-1].said)


def _trigger(loaded: Loaded, source: str, topic: str) -> Mapping[str, Any]:
    """Of triggers that overlap the first; those of presses before those of signs of life, as the source chooses."""
    for trigger in _triggers(loaded, source):
        if topic_matches_sub(str(trigger.get("topic", "")), topic):
            return trigger
    return {}


def _triggers(loaded: Loaded, source: str) -> Iterator[Mapping[str, Any]]:
    for section in loaded.sections:
        if (section.table, section.name) != ("sources", source):
            continue
        for key in ("triggers", "telemetry"):
            listed = section.settings.get(key)
            for each in listed if isinstance(listed, list) else ():
                table = each if isinstance(each, dict) else {"topic": each}
                topic = str(table.get("topic", ""))
                yield {**table, "topic": topic.split("/", 2)[-1] if topic.startswith("$share/") else topic}


def _fits(loaded: Loaded, decoder: str, options: Mapping[str, Any], stranger: Stranger) -> tuple[tuple[Fit, ...], str]:
    """Which profiles could be its own, or why there are none."""
    if decoder != MAPPED:
        return (), f"none is needed: {decoder} reads every device alike"
    kept = [(sample.topic, sample.payload) for sample in stranger.samples if sample.payload is not None]
    if not kept:
        return (), "not known: its messages are too long to keep, or may hold a code that somebody typed"
    try:
        found = tuple(find_profiles().fits(options, surroundings_of(loaded), stranger.device_id, kept))
    except (SettingsError, PluginError) as error:
        return (), f"not known: {error}"
    return found, "" if found else (
        "none fits what it said so far. Press it and look again; alertd devices decode explains its messages, and "
        "docs/devices.md how to write a profile"
    )


def as_csv(rows: Iterable[Learnt], *, header: bool = True) -> str:
    """As devices.csv has them."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows(each.row for each in rows)
    return out.getvalue()
