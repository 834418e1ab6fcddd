"""Who was heard and is not registered: kept so that an admin can register a new button without a second screen.

In memory, bounded, lost at a restart. Must never: wait, fail, grow with what strangers send, or keep what may be a code
that somebody typed. Nothing here pages or suppresses anything; presses of strangers are a trouble of the core's.
"""

import re
from collections import deque
from collections.abc import Callable, Iterator

from alertd.model.ids import spelled_alike
from alertd.model.registry import Registry
from alertd.ports import STRANGERS_MAX, Clock, Sample, Stranger
from alertd_adapters.mqtt.connection import BrokerMessage
from alertd_adapters.mqtt.decoding import Decoded

SAMPLES_MAX = 4
PAYLOAD_MAX_BYTES = 4 * 1024
"""The largest honest payload that we know has 3 KiB."""
WORDS_MAX = 200
"""Characters of what a decoder made of a message."""
HINTS = (b'code"', b'pin"', b"pass", b"_pin", b'eventdata"', b'event_data"', b'event-data"', b'credential"')
"""Keys of codes that people type at keypads end so; a message that has one is not kept."""
TYPED = re.compile(
    r"/(?:(?:99|111|131)/\d+|user_code|entry_control|unknownClass_(?:111|131))/|(?:code|pin|password)(?:/|$)",
    re.IGNORECASE,
)
"""Topics of Z-Wave's keypads and locks, where what was typed is the `value`; and those that name a code."""
UNCOVERED = {
    "unregistered": "nobody can say before it has a profile",
    "unknown": "nothing that its profile knows",
}


class _Heard:
    def __init__(self, first_us: int) -> None:
        self.first_us = first_us
        self.messages = 0
        self.samples: deque[Sample] = deque(maxlen=SAMPLES_MAX)


class Strangers:
    """Belongs to the event loop."""

    def __init__(self, clock: Clock, registry: Callable[[], Registry | None]) -> None:
        self._clock = clock
        self._registry = registry
        self._heard: dict[str, _Heard] = {}

    def note(self, message: BrokerMessage, decoded: Decoded) -> None:
        registry = self._registry()
        if registry is None:
            return
        registered = registry.devices.keys()
        strange = dict.fromkeys(name for name in _devices(decoded) if name not in registered)
        if strange:
            sample = self._sample(message, decoded)
            for name in strange:
                self._keep(name, sample)

    def _keep(self, name: str, sample: Sample) -> None:
        heard = self._heard.pop(name, None) or _Heard(sample.at_us)
        self._heard[name] = heard  # at the end: the one heard last
        if len(self._heard) > STRANGERS_MAX:
            del self._heard[next(iter(self._heard))]
        heard.messages += 1
        if heard.samples and (heard.samples[-1].topic, heard.samples[-1].payload) == (sample.topic, sample.payload):
            heard.samples.pop()  # said again: the others tell more
        heard.samples.append(sample)

    def _sample(self, message: BrokerMessage, decoded: Decoded) -> Sample:
        lowered = message.payload[: PAYLOAD_MAX_BYTES + 1].lower()
        is_typed = any(hint in lowered for hint in HINTS) or TYPED.search(message.topic) is not None
        is_kept = len(lowered) <= PAYLOAD_MAX_BYTES and not is_typed
        return Sample(
            topic=message.topic,
            payload=message.payload if is_kept else None,
            at_us=self._clock.now().wall_us,
            qos=message.qos,
            retained=message.retain,
            said=_said(decoded)[:WORDS_MAX],
        )

    def known(self) -> tuple[Stranger, ...]:
        """Those that are not registered meanwhile; the one heard last first."""
        registry = self._registry()
        names = set(_spelled(registry)) if registry is not None else set()
        return tuple(
            Stranger(device_id=name, messages=heard.messages, first_us=heard.first_us, samples=tuple(heard.samples))
            for name, heard in reversed(self._heard.items())
            if spelled_alike(name) not in names
        )


def _devices(decoded: Decoded) -> Iterator[str]:
    yield from decoded.strangers
    for signal in decoded.signals:
        yield signal.device_id
    for check_in in decoded.check_ins:
        yield check_in.device_id


def _said(decoded: Decoded) -> str:
    actions = ", ".join(dict.fromkeys(signal.action for signal in decoded.signals))
    return actions or decoded.refused or UNCOVERED.get(decoded.uncovered, "no press")


def _spelled(registry: Registry) -> Iterator[str]:
    """Every registered device, and those of which single buttons are registered (EUI:3)."""
    for name in registry.devices:
        yield spelled_alike(name)
        if spelled_alike(name) == name:  # else its colons are an address's
            yield from (spelled_alike(name[:at]) for at, sign in enumerate(name) if sign == ":" and at)
