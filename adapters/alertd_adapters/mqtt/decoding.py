"""From a message to what it means: which trigger's decoder understands it, within bounds.

Must never raise: what nobody understands is *refused* with a reason, because it may have been a press. Decoders may
be a third party's, so whatever they raise or return is contained here.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache, partial
from importlib.metadata import EntryPoint, entry_points

import structlog
from msgspec import Struct
from msgspec.structs import replace

from alertd.model.check_in import Battery, CheckIn
from alertd.model.decision import Confirmation
from alertd.model.events import Signal
from alertd.model.ids import DeviceId
from alertd.model.registry import Registry
from alertd.model.site import DeviceKind
from alertd.ports import (
    API_VERSION,
    PAYLOAD_MAX_BYTES,
    Answering,
    Asking,
    CheckInDecoder,
    DecodeError,
    Decoder,
    DecoderPlugin,
    Downlink,
    Learning,
    Question,
    SettingsError,
    SurroundedDecoderPlugin,
    Surroundings,
    UncoveredError,
    Understood,
)
from alertd_adapters.mqtt.settings import TriggerSettings, is_within, matches

log = structlog.get_logger("alertd.mqtt")

SIGNALS_MAX = 50
"""Signals of one payload."""
CHECK_INS_MAX = 1_000
"""Devices of which one message may speak: a gateway's list of beacons."""
QUESTIONS_MAX = 20
"""Questions after one message."""
REFUSAL_MAX = 300
"""Characters of a refusal."""
TOPICS_CACHED = 5000
TRIGGERS = "triggers"
"""Where a source's settings have them; signs of life stand elsewhere."""


class Decoded(Struct, frozen=True, kw_only=True):
    """Signals, or why there are none; both, where a part of the message cannot be read. Neither: certainly no
    trigger."""

    signals: tuple[Signal, ...] = ()
    check_ins: tuple[CheckIn, ...] = ()
    """What it says beside them: signs of life."""
    refused: str = ""
    never_press: bool = False
    """As `Arrival.never_press`."""
    shut_out: frozenset[DeviceId] = frozenset()
    """Registered buttons and wearables that call where nobody presses, as it spells them: alive, but `route` refuses
    what they say."""
    strangers: tuple[str, ...] = ()
    """Devices of which it speaks and that nobody has registered."""
    uncovered: str = ""
    """Under what to count a message of which nothing says what it means: "unknown", "unregistered"."""
    unlearn: Callable[[], None] | None = None
    """Call it if the message is not committed, and will be delivered again."""


class Trigger(Struct, frozen=True, kw_only=True):
    topic_filter: str
    decoder: Decoder
    never_press: bool = False
    """Only such speak here as never press."""


class Triggers:
    """The configured triggers, in order: of filters that overlap, the first speaks."""

    def __init__(self, triggers: Sequence[Trigger], registry: Callable[[], Registry | None] = lambda: None) -> None:
        """`registry`: who presses, and may not where only such speak as never do; of telemetry, where nothing is a
        press, and whoever presses there is told of, nobody asks."""
        self._triggers = tuple(triggers)
        self._registry = registry
        self._written = tuple(dict.fromkeys(trigger.topic_filter for trigger in self._triggers))
        self._trigger_of = lru_cache(TOPICS_CACHED)(self._find)
        self._blamed: set[str] = set()
        decoders = tuple(dict.fromkeys(trigger.decoder for trigger in self._triggers))
        # Told apart once: to look for a protocol's methods takes longer than to decode a message.
        self._asking = tuple(decoder for decoder in decoders if isinstance(decoder, Asking))
        self._answering = tuple(decoder for decoder in decoders if isinstance(decoder, Answering))
        self._learning: dict[Decoder, Callable[[], Callable[[], None]]] = {
            each: each.unlearn for each in decoders if isinstance(each, Learning)
        }
        self._understanding: dict[Decoder, Callable[[str, bytes], Understood]] = {
            each: each.understand if isinstance(each, CheckInDecoder) else partial(_by_signals, each)
            for each in decoders
        }

    @property
    def filters(self) -> tuple[str, ...]:
        """What to subscribe to, the widest alone: with MQTT 5 a broker may send one session a message once for each
        filter that covers it (3.3.4; mosquitto 2.0.11 does), and a press without a counter would be two."""
        return tuple(f for f in self._written if not any(is_within(f, wider) for wider in self._written if wider != f))

    def instead(self, refused: Sequence[str]) -> tuple[str, ...]:
        """What these would have covered, too."""
        return tuple(f for f in self._written if f not in refused and any(is_within(f, wider) for wider in refused))

    def _find(self, topic: str) -> Trigger | None:
        return next((t for t in self._triggers if matches(t.topic_filter, topic)), None)

    def covers(self, topic: str) -> bool:
        return self._trigger_of(topic) is not None

    def decode(self, topic: str, payload: bytes) -> Decoded:
        trigger = self._trigger_of(topic)
        if trigger is None:
            return Decoded(refused="no trigger in the configuration covers this topic")
        decoder = trigger.decoder
        if len(payload) > PAYLOAD_MAX_BYTES:
            why = f"the payload has {len(payload)} bytes, more than {PAYLOAD_MAX_BYTES}"
            return Decoded(refused=why, never_press=trigger.never_press)
        decoded = self._decoded(trigger, topic, payload)
        if decoded.refused and not payload:  # it deletes what was retained, whoever's that was
            decoded = Decoded()
        unlearn = self._learning.get(decoder)
        return decoded if unlearn is None else replace(decoded, unlearn=unlearn())

    def _decoded(self, trigger: Trigger, topic: str, payload: bytes) -> Decoded:
        decoder, never_press = trigger.decoder, trigger.never_press
        try:
            understood = self._understanding[decoder](topic, payload)
            signals = _only_signals(understood.signals)
            check_ins, shut_out = understood.check_ins[:CHECK_INS_MAX], frozenset[DeviceId]()
            if never_press:
                check_ins = tuple(map(self._untested, check_ins))
                calling = {signal.device_id for signal in signals if not signal.ends}
                shut_out = frozenset(filter(self._is_pressed, calling))
        except UncoveredError as error:
            log.debug("message_not_covered", topic=topic, count=error.count, why=str(error))
            return Decoded(uncovered=error.count, strangers=error.strangers[:CHECK_INS_MAX])
        except DecodeError as error:
            if error.never_press is not None:  # whoever is registered here by mistake may press all the same
                never_press = error.never_press
            return Decoded(refused=str(error)[:REFUSAL_MAX], never_press=never_press)
        except Exception as error:  # noqa: BLE001  # a third party may raise anything
            self._blame(decoder, error)
            why = f"the decoder {decoder.name} failed with {type(error).__name__}"
            return Decoded(refused=why, never_press=never_press)
        if len(signals) > SIGNALS_MAX:
            why = f"the payload holds {len(signals)} signals, more than {SIGNALS_MAX}"
            return Decoded(refused=why, never_press=never_press)
        return Decoded(
            signals=signals,
            check_ins=check_ins,
            shut_out=shut_out,
            refused=understood.unread[:REFUSAL_MAX],
            never_press=never_press,
            strangers=understood.strangers[:CHECK_INS_MAX],
        )

    def _is_pressed(self, device_id: DeviceId) -> bool:
        """Is it registered as what people press?"""
        registry = self._registry()
        device = None if registry is None else registry.device_of(str(device_id))
        return device is not None and device.kind in (DeviceKind.BUTTON, DeviceKind.WEARABLE)

    def _untested(self, check_in: CheckIn) -> CheckIn:
        """A press that is refused is no proof that one would be heard; whoever made it is alive."""
        is_refused = check_in.pressed and self._is_pressed(check_in.device_id)
        return replace(check_in, pressed=False, actions=()) if is_refused else check_in

    def questions(self) -> list[Question]:
        """What decoders would like to ask since the last message."""
        found: list[Question] = []
        for asking in self._asking:
            try:
                found += asking.questions()
            except Exception as error:  # noqa: BLE001  # a third party's, as in `_decoded`
                self._blame(asking, error)
        return found[:QUESTIONS_MAX]

    def answers(self, confirmation: Confirmation, expires_us: int) -> list[Downlink]:
        """What shows a confirmation at its device, beside the topic that programmable devices read."""
        found: list[Downlink] = []
        for decoder in self._answering:
            try:
                found += decoder.answers(confirmation, expires_us)
            except Exception as error:  # noqa: BLE001  # a third party's, as in `_decoded`
                self._blame(decoder, error)
        return found

    def _blame(self, decoder: Decoder | Asking | Answering, error: Exception) -> None:
        """A decoder's defect is logged with its traceback once a kind, not once a message."""
        name = getattr(decoder, "name", type(decoder).__name__)
        kind = f"{name} {type(error).__name__}"
        if kind not in self._blamed:
            self._blamed.add(kind)
            log.error("decoder_failed", decoder=name, exc_info=error, effect="refused; more are only counted")


def _by_signals(decoder: Decoder, topic: str, payload: bytes) -> Understood:
    """Of one that speaks of signals only: whoever has one is alive."""
    signals = tuple(decoder.decode(topic, payload))
    heard: dict[DeviceId, list[Signal]] = {}
    for signal in _only_signals(signals):
        heard.setdefault(signal.device_id, []).append(signal)
    return Understood(signals=signals, check_ins=tuple(map(spoke, heard.values())))


def spoke(signals: Sequence[Signal]) -> CheckIn:
    """Whoever has a signal is alive. Of one device; the last says how it is."""
    last, actions = signals[-1], tuple(signal.action for signal in signals if not signal.ends)
    battery = Battery(pct=last.battery_pct) if last.battery_pct is not None else None
    return CheckIn(
        device_id=last.device_id, battery=battery, heard_by=last.heard_by, pressed=bool(actions), actions=actions
    )


def _only_signals(decoded: Sequence[Signal]) -> tuple[Signal, ...]:
    signals = tuple(decoded)
    if not all(isinstance(signal, Signal) for signal in signals):
        raise TypeError("it returned something that is no Signal")
    if not all(isinstance(signal.device_id, str) for signal in signals):
        raise TypeError("it returned a Signal whose device_id is no text")
    return signals


def build_triggers(settings: Sequence[TriggerSettings], surroundings: Surroundings, key: str = TRIGGERS) -> Triggers:
    """Raises `SettingsError`."""
    triggers = []
    for index, trigger in enumerate(settings):
        decoder = _build(f"{key}[{index}]", trigger, surroundings)
        triggers.append(Trigger(topic_filter=trigger.topic, decoder=decoder, never_press=trigger.never_press))
    return Triggers(triggers, surroundings.registry) if key == TRIGGERS else Triggers(triggers)


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
    found = _installed(tuple(sys.path))
    if name not in found:
        raise SettingsError(key, f'there is no decoder "{name}"; installed are: {", ".join(sorted(found))}')
    try:
        plugin: DecoderPlugin = found[name].load()
    except Exception as error:
        raise SettingsError(key, f'decoder "{name}" cannot be loaded: {error}') from error
    return plugin


@cache
def _installed(path: tuple[str, ...]) -> Mapping[str, EntryPoint]:  # noqa: ARG001 - it is part of the key
    """What can be loaded from these folders. Looking anew for each trigger was most of what a start of it took."""
    return {point.name: point for point in entry_points(group="alertd.decoders")}
