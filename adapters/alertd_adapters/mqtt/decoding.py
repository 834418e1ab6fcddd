"""From a message to what it means: which trigger's decoder understands it, within bounds.

Must never raise: what nobody understands is *refused* with a reason, because it may have been a press. Decoders may
be a third party's, so whatever they raise or return is contained here.
"""

from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import entry_points

import structlog
from msgspec import Struct

from alertd.model.events import Signal
from alertd.ports import (
    API_VERSION,
    DecodeError,
    Decoder,
    DecoderPlugin,
    SettingsError,
    SurroundedDecoderPlugin,
    Surroundings,
    UncoveredError,
)
from alertd_adapters.mqtt.settings import TriggerSettings, matches

log = structlog.get_logger("alertd.mqtt")

PAYLOAD_MAX_BYTES = 64 * 1024
"""The largest honest payload that we know has 3 KiB. Larger ones are refused unread."""
SIGNALS_MAX = 50
"""Signals of one payload."""
REFUSAL_MAX = 300
"""Characters of a refusal."""
TOPICS_CACHED = 5000


class Decoded(Struct, frozen=True, kw_only=True):
    """Signals, or why there are none. Neither: certainly no trigger."""

    signals: tuple[Signal, ...] = ()
    refused: str = ""
    uncovered: str = ""
    """Under what to count a message of which nothing says what it means: "unknown", "unregistered"."""


class Trigger(Struct, frozen=True, kw_only=True):
    topic_filter: str
    decoder: Decoder


class Triggers:
    """The configured triggers, in order: of filters that overlap, the first speaks."""

    def __init__(self, triggers: Sequence[Trigger]) -> None:
        self._triggers = tuple(triggers)
        self._decoder_of = lru_cache(TOPICS_CACHED)(self._find)
        self._blamed: set[str] = set()

    @property
    def filters(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(trigger.topic_filter for trigger in self._triggers))

    def _find(self, topic: str) -> Decoder | None:
        return next((t.decoder for t in self._triggers if matches(t.topic_filter, topic)), None)

    def decode(self, topic: str, payload: bytes) -> Decoded:
        decoder = self._decoder_of(topic)
        if decoder is None:
            return Decoded(refused="no trigger in the configuration covers this topic")
        if len(payload) > PAYLOAD_MAX_BYTES:
            return Decoded(refused=f"the payload has {len(payload)} bytes, more than {PAYLOAD_MAX_BYTES}")
        return self._decoded(decoder, topic, payload)

    def _decoded(self, decoder: Decoder, topic: str, payload: bytes) -> Decoded:
        try:
            signals = _only_signals(decoder.decode(topic, payload))
        except UncoveredError as error:
            log.debug("message_not_covered", topic=topic, count=error.count, why=str(error))
            return Decoded(uncovered=error.count)
        except DecodeError as error:
            return Decoded(refused=str(error)[:REFUSAL_MAX])
        except Exception as error:  # noqa: BLE001  # a third party may raise anything
            self._blame(decoder, error)
            return Decoded(refused=f"the decoder {decoder.name} failed with {type(error).__name__}")
        if len(signals) > SIGNALS_MAX:
            return Decoded(refused=f"the payload holds {len(signals)} signals, more than {SIGNALS_MAX}")
        return Decoded(signals=signals)

    def _blame(self, decoder: Decoder, error: Exception) -> None:
        """A decoder's defect is logged with its traceback once a kind, not once a message."""
        kind = f"{decoder.name} {type(error).__name__}"
        if kind not in self._blamed:
            self._blamed.add(kind)
            log.error("decoder_failed", decoder=decoder.name, exc_info=error, effect="refused; more are only counted")


def _only_signals(decoded: Sequence[Signal]) -> tuple[Signal, ...]:
    signals = tuple(decoded)
    if not all(isinstance(signal, Signal) for signal in signals):
        raise TypeError("it returned something that is no Signal")
    return signals


def build_triggers(settings: Sequence[TriggerSettings], surroundings: Surroundings) -> Triggers:
    """Raises `SettingsError`."""
    triggers = []
    for index, trigger in enumerate(settings):
        decoder = _build(f"triggers[{index}]", trigger, surroundings)
        triggers.append(Trigger(topic_filter=trigger.topic, decoder=decoder))
    return Triggers(triggers)


def _build(key: str, trigger: TriggerSettings, surroundings: Surroundings) -> Decoder:
    name = trigger.decoder
    plugin = _load(f"{key}.decoder", name)
    if plugin.api_version != API_VERSION:
        raise SettingsError(
            f"{key}.decoder",
            f'decoder "{name}" is built for API {plugin.api_version}, this alertd has {API_VERSION}: update it',
        )
    try:
        if isinstance(plugin, SurroundedDecoderPlugin):
            return plugin.build_within(trigger.options, surroundings)
        return plugin.build(trigger.options)
    except SettingsError as error:
        raise SettingsError(f"{key}.options.{error.key}", str(error)) from None


def _load(key: str, name: str) -> DecoderPlugin:
    """Ours come by entry point, too."""
    found = entry_points(group="alertd.decoders")
    for point in found:
        if point.name == name:
            try:
                plugin: DecoderPlugin = point.load()
            except Exception as error:
                raise SettingsError(key, f'decoder "{name}" cannot be loaded: {error}') from error
            return plugin
    known = ", ".join(sorted(found.names))
    raise SettingsError(key, f'there is no decoder "{name}"; installed are: {known}')
