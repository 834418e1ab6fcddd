"""Which profiles could be a device's: each is tried on what was heard of it, and says why it fits.

Must never choose. Devices of one maker say much alike, so several may fit: the same bytes mean a press to one and a
press to another. Whose examples came on the port on which this one speaks is likelier; then, a press tells more than a
heartbeat. A rule that takes whatever comes is no reason, but in the profile that the source itself names.
"""

from collections.abc import Callable, Sequence

from alertd.model.registry import Registry
from alertd.ports import DecodeError, Fit
from alertd_adapters.decoders.mapping.checking import registry_of
from alertd_adapters.decoders.mapping.codes import HIDDEN, is_code
from alertd_adapters.decoders.mapping.decoder import MappedDecoder
from alertd_adapters.decoders.mapping.events import SENSED
from alertd_adapters.decoders.mapping.library import PROFILE, Library
from alertd_adapters.decoders.mapping.reading import Reading
from alertd_adapters.decoders.mapping.written import DeviceProfile, Rule

Build = Callable[[Callable[[], Registry]], MappedDecoder]
"""A decoder of the source, for that registry."""
Said = Sequence[tuple[str, bytes]]
VALUE_MAX = 40
"""Characters of a value in a reason."""


def fits(build: Build, library: Library, device_id: str, said: Said) -> list[Fit]:
    """The likeliest first; the source's own profile, if it has one that fits, before all others."""
    tried = (_fit(build, library, name, device_id, said) for name in ("", *sorted(library.profiles)))
    found = [fit for fit in tried if fit is not None]
    decoder = build(lambda: registry_of([device_id], ""))
    heard = [ports for topic, payload in said if (ports := decoder.ports(topic, payload))]

    def as_its_examples(fit: Fit) -> int:
        own = _ports(library, fit.profile)
        return sum(ports <= own for ports in heard)

    return sorted(found, key=lambda fit: (fit.profile != "", -as_its_examples(fit), not fit.presses, -fit.messages))


def _ports(library: Library, name: str) -> set[int]:
    """LoRaWAN ports on which the examples of a profile were said."""
    entry = library.entries.get((PROFILE, name))
    examples = entry.written.examples if entry is not None else ()
    known = ((library.sources.get(each.source), each) for each in examples)
    return {port for source, each in known if source for port in source.ports(each.topic, each.payload.encode())}


def _fit(build: Build, library: Library, name: str, device_id: str, said: Said) -> Fit | None:
    registry = registry_of([device_id], name)
    decoder = build(lambda: registry)  # one for all: it may remember births
    readings: list[list[Reading]] = []
    for topic, payload in said:
        try:
            found = decoder.read(topic, payload, _noted)
        except DecodeError:
            continue
        mine = [each for each in found if each.device_id == device_id and (not name or _is_reason(library, each))]
        if mine:
            readings.append(mine)
    if not readings:
        return None
    told = [each for mine in readings for each in mine]
    loud = [each for each in told if each.is_signal]
    heard = next((each for each in reversed(told) if each.heard), None)
    return Fit(
        profile=name,
        messages=len(readings),
        of=len(said),
        presses=bool(loud),
        why=tuple(dict.fromkeys(map(_why, told))),
        heard_by=_gateway(heard),
        kind="sensor" if loud and all(each.event in SENSED for each in loud) else "button",
    )


def _noted(what: str, found: str) -> None:
    """Somebody asks: readings are whole then, with their gateways."""


def _is_reason(library: Library, reading: Reading) -> bool:
    """A rule said so that does not say so of everything."""
    by, _, number = reading.by.rpartition(", rule ")
    entry = library.entries.get((PROFILE, by.removeprefix("profile ")))
    if entry is None or not isinstance(entry.written, DeviceProfile):
        return False  # the source itself: whatever the device is
    rules = entry.written.rules
    return number.isdigit() and 0 < int(number) <= len(rules) and not _takes_all(rules[int(number) - 1])


def _takes_all(rule: Rule) -> bool:
    return rule.when is None and rule.each is None and rule.value is None


def _why(reading: Reading) -> str:
    rule = reading.by.rpartition(", ")[2]
    said = "" if reading.value is None else HIDDEN if is_code(reading.value) else str(reading.value)[:VALUE_MAX]
    printable = "".join(sign if sign.isprintable() else "?" for sign in said)
    button = f", button {reading.button}" if reading.button is not None else ""
    return f"{reading.event} ({rule}{f', value {printable}' if printable else ''}{button})"


def _gateway(reading: Reading | None) -> str:
    if reading is None:
        return ""
    best = reading.heard[0]
    return best.gateway_id if best.rssi is None else f"{best.gateway_id} ({best.rssi:g} dBm)"
