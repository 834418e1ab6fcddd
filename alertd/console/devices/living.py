"""What a message says beside presses, in words: that its device lives, how its battery is, whether somebody opened it.

Owns the words. What supervision makes of it is decided in `daemon.check_ins`.
"""

from collections.abc import Iterator, Sequence

from alertd.model.check_in import Battery, CheckIn
from alertd.model.registry import Registry
from alertd.ports import Explained, Step

TELEMETRY = "it is telemetry"
LINKS = {
    "offline": "offline: it is missed a minute later, if nothing else is heard",
    "online": "online: whoever watches the way to it says so",
}


def steps(check_ins: Sequence[CheckIn], *, retained: bool) -> Iterator[Step]:
    for each in check_ins:
        yield Step(what="device", found=each.device_id)
        if each.alive:
            memory = "not known: a broker's memory is no sign of life"
            yield Step(what="alive", found=memory if retained else "yes: its check-in window begins anew")
        if each.link is not None:
            yield Step(what="link", found=LINKS[each.link])
        if each.battery is not None and (words := _battery(each.battery)):
            yield Step(what="battery", found=words)
        if each.opened:
            yield Step(what="tamper", found="opened: a trouble until it says that it is whole")
        if each.whole_again:
            yield Step(what="tamper", found="whole: its trouble is over, if there is one")
        if each.heard_by is not None:
            yield Step(what="gateway", found=each.heard_by)


def _battery(battery: Battery) -> str:
    if battery.mains:
        return "none, or plugged in"
    pct = "" if battery.pct is None else f"{battery.pct} %"
    low = "low: a trouble of its school" if battery.is_low else ""
    return ", ".join(filter(None, (pct, low)))


def why_no_page(registry: Registry, found: Explained, check_ins: Sequence[CheckIn]) -> Iterator[str]:
    """Of what comes as telemetry."""
    if found.signals:
        pressed = ", ".join(dict.fromkeys(f"{each.device_id} says {each.action}" for each in found.signals))
        yield (
            f"{TELEMETRY}, where {pressed} pages NOBODY: a trouble asks whether it was a press. Name the topic among "
            "the source's triggers"
        )
    elif found.refused and check_ins:
        yield f"{TELEMETRY}, part of which is {found.refused}"
    elif found.refused or found.uncovered:
        yield f"{TELEMETRY} that nobody understands ({found.refused or found.uncovered}): counted, and nothing else"
    elif strange := [each.device_id for each in check_ins if registry.device_of(each.device_id) is None]:
        are = "is" if len(strange) == 1 else "are"
        yield f"{TELEMETRY}; {', '.join(strange[:3])} {are} not in the registry: alertd devices learn shows who that is"
    else:
        yield f"{TELEMETRY}: what it says of its device is kept, and pages nobody"
