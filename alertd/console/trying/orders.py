"""Trying one device out: begin, watch what is heard, end. Every change is an event through the door.

Must never say that a press is a test, nor why none begins: the engine alone does, from the row that it made.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from alertd.console.backend import Backend
from alertd.console.naming import find_device, read, who_orders
from alertd.console.operations import Signature, cause_of, committed
from alertd.console.refusals import refused
from alertd.console.views import clock_time
from alertd.console.words import unknown_word
from alertd.engine.device_tests import UNWATCHED_S, classes_of, over_us
from alertd.engine.gestures import COUNTED, HELD, IGNORED, is_known, meant, named_by
from alertd.engine.presses import TAMPER
from alertd.model.decision import Entry, EntryKind
from alertd.model.device_memory import DeviceTest
from alertd.model.events import DeviceTestEndOrdered, DeviceTestOrdered, DeviceTestWatched
from alertd.model.ids import DISTRICT, SiteId, derive
from alertd.model.incident import SEVERITY, IncidentClass, is_panic
from alertd.model.reason import Reason
from alertd.model.site import Device, Gestures
from alertd.ports import JournalLine

LOOKS_BACK_US = 2 * 3600 * 1_000_000
"""Longer than any test lasts."""
APART_US = 60 * 1_000_000
"""Clocks of two nodes, at most: lines have the time of the one that wrote them."""
NOTED_EVERY_US = UNWATCHED_S * 1_000_000 // 3
"""Whoever watches asks twice a second; that somebody does is written down so often."""


class HeardView(Struct, frozen=True, kw_only=True):
    """One message of the device, or what a gesture of it came to."""

    number: int
    """Within its site; ask for what comes after the last one."""
    site: str
    at_local: str
    words: str
    gesture: str
    """The class that it would have called for; "": it is below the first gesture, or no press."""
    action: str
    count: int | None
    gateway: str | None
    rule: str | None
    battery: int | None
    late_ms: int | None
    """From the device's own time to its arrival; `None`: the device has no clock, or a wrong one."""
    taken_ms: int
    """From its arrival until it was written down."""
    unknown: str
    """Why it calls nobody, and what to do, if its gestures do not know the word; else ""."""
    stays: bool | None
    """It says a state that lasts (true), or that it is over (false); `None`: it says neither."""
    is_over: bool
    refused: str = ""
    """Why it calls nobody, and what to do, if it was pressed where by the `kinds` of the trigger nobody presses."""
    incident: str = ""
    """A real press, which ended the test, has opened this one, or joined it; "": this line is of the test."""


class TestView(Struct, frozen=True, kw_only=True):
    """A device that is tried out, or was."""

    __test__ = False  # pytest: not a test class

    device: str
    label: str
    sites: tuple[str, ...]
    runs: bool
    words: str
    incident_class: str | None
    ends_local: str | None
    seconds_left: int | None
    heard: tuple[HeardView, ...]
    spoke_us: int = 0
    """When it was last heard of, whatever it said; wall clock. 0: never, as far as alertd knows."""


async def start(
    backend: Backend, name: str, minutes: int, wanted: IncidentClass | None, signed: Signature, key: str | None
) -> TestView:
    """Begin, at every site at which the device may press; or say in a sentence why not."""
    device, by = find_device(backend, name), who_orders(backend, signed.by, signed.name)
    up_to = _up_to(device, backend.words(device.id), wanted)
    _, cause = cause_of(key, "device-test")
    orders = [
        DeviceTestOrdered(
            site_id=site_id,
            cause=derive(cause, site_id),  # type: ignore[arg-type]
            by=by,
            device_id=device.id,
            incident_class=up_to,
            minutes=minutes,
        )
        for site_id in _sites(device)
    ]
    since_us = backend.clock.now().wall_us
    for order in orders:
        await committed(backend.door.submit(order))
    if why := await _why_refused(backend, orders, since_us):
        await end(backend, name, signed)  # of its schools, one may have begun
        raise refused(409, why, "device", "nothing was begun: the device is live")
    view = await look(backend, name, {})
    if not view.runs:  # ordered again with the key of one that is over
        raise refused(409, f"{device.id} is not tried out: it is live", "device", "look at `alertd incidents`")
    return view


def _up_to(device: Device, words: Collection[str] | None, wanted: IncidentClass | None) -> IncidentClass:
    """The gravest that is tried. Not said, it is the least grave that the device can say: then a button that can only
    call for help is tried out, and is no page. Refused where whoever does as told, and presses it once, may page."""
    classes, rules = classes_of(device), device.gestures
    if not classes:
        raise refused(409, f"{device.id} has no gesture that means anything", "device", "see gestures.toml")
    words = words or {*COUNTED} - HELD | {*rules.actions}  # nobody knows: it may say any; held is held by one of them
    can = {name for word in words for name in meant(word, rules)}
    least = next((each for each in classes if each.value in can), classes[0])
    if wanted is not None:
        if wanted in classes and SEVERITY[wanted] < SEVERITY[least]:
            error = f"{device.id} can say nothing less grave than {least}: in a test up to {wanted} that is REAL"
            raise refused(409, error, "class", f"--class {least}, and it pages nobody while it is in test")
        return wanted
    graver = {w: each for w, each in _at_one_touch(words, rules).items() if SEVERITY[each] > SEVERITY[least]}
    if graver:
        listed = ", ".join(f'"{word}" for {each}' for word, each in graver.items())
        error = f"one touch of {device.id} may call for more than {least}: {listed}"
        gravest = max(graver.values(), key=SEVERITY.__getitem__)
        remedy = f"say how far its test goes: --class {gravest}, and none of these pages anybody in it, even if meant; "
        remedy += f"or --class {least}, if it will say none of these: what is graver is REAL"
        raise refused(409, error, "class", remedy)
    return least


def _at_one_touch(words: Collection[str], rules: Gestures) -> dict[str, IncidentClass]:
    """Words of a key of its own (SOS, panic), or of one that is held: a finger that stays too long says it -> the panic
    that they call for. Only who presses several times does so on purpose."""
    named = {word: named_by(word, rules) for word in sorted(words) if COUNTED.get(word, 1) == 1}
    own = {word: IncidentClass(name) for word, name in named.items() if name is not None and name != IGNORED}
    return {word: each for word, each in own.items() if is_panic(each)}


async def _why_refused(backend: Backend, orders: Sequence[DeviceTestOrdered], since_us: int) -> str:
    """The engine's own words; empty: it has begun wherever it was ordered."""
    for order in orders:
        lines = await _lines(backend, order.site_id, since_us)
        said = (line.entry for line in lines if line.entry is not None)
        why = next((e.data["why"] for e in said if e.data.get("order") == order.cause), "")
        if why:
            return why
    return ""


async def end(backend: Backend, name: str, signed: Signature) -> TestView:
    """The device is live again, at all of its sites."""
    device, by = find_device(backend, name), who_orders(backend, signed.by, signed.name)
    await _end(backend, device, f"ended by {by}")
    return await look(backend, name, {})


async def _end(backend: Backend, device: Device, why: str) -> None:
    for site_id in _sites(device):
        await committed(backend.door.submit(DeviceTestEndOrdered(site_id=site_id, device_id=device.id, why=why)))


async def watch(backend: Backend, name: str, after: dict[str, int]) -> TestView:
    """`look`, by somebody who is there: the test goes on; or ends at once, if the clock was set back, or what was heard
    at one of its schools has ended it there: whoever is told that it is live must be told the truth."""
    device, now_us = find_device(backend, name), backend.clock.now().wall_us
    for site_id, memory in await read(lambda: backend.store.read_device_tests(device.id)):
        if memory.test is not None and abs(now_us - memory.test.watched_us) >= NOTED_EVERY_US:
            await committed(backend.door.submit(DeviceTestWatched(site_id=site_id, device_id=device.id)))
    view = await look(backend, name, after)
    if not view.runs or not any(line.is_over for line in view.heard):
        return view
    await _end(backend, device, "its test is over at another of its schools")
    return await look(backend, name, after)


async def look(backend: Backend, name: str, after: dict[str, int]) -> TestView:
    """What was heard of the device in its last test. `after`: of each site, the number of the last line that is known
    already."""
    device = find_device(backend, name)
    now_us = backend.clock.now().wall_us
    running = await read(lambda: backend.store.read_device_tests(device.id))
    tests = {site_id: memory.test for site_id, memory in running if memory.test and now_us < over_us(memory.test)}
    heard: list[HeardView] = []
    for site_id in _sites(device):
        test, known = tests.get(site_id), after.get(site_id, 0)
        heard += _heard(backend, device, await _lines(backend, site_id, test.began_us if test else None, known))
    if tests:
        began_us = min(test.began_us for test in tests.values())
        heard += _refused(backend, device, await _lines(backend, DISTRICT, began_us, after.get(DISTRICT, 0)), began_us)
    return _view(
        backend, device, tests, sorted(heard, key=lambda each: (each.at_local, each.site, each.number)), now_us
    )


def _view(
    backend: Backend, device: Device, tests: dict[SiteId, DeviceTest], heard: Sequence[HeardView], now_us: int
) -> TestView:
    test = next(iter(tests.values()), None)
    until = None if test is None else clock_time(backend.registry(), device.site_id, test.ends_us)
    if test is None:
        words = f"{device.label or device.id} is LIVE: a press pages people."
    else:
        words = f"{device.label or device.id} is in TEST until {until}: its presses page nobody, up to "
        words += f"{test.incident_class}. Anything graver, and every other device, is LIVE."
    return TestView(
        device=device.id,
        label=device.label,
        sites=tuple(_sites(device)),
        runs=test is not None,
        words=words,
        incident_class=None if test is None else test.incident_class.value,
        ends_local=until,
        seconds_left=None if test is None else max(0, test.ends_us - now_us) // 1_000_000,
        heard=tuple(heard),
        spoke_us=next((each.last.seen_us for each in backend.device_standings([device.id])), 0),
    )


def _sites(device: Device) -> tuple[SiteId, ...]:
    return tuple(dict.fromkeys((device.site_id, *device.roaming_sites)))


async def _lines(backend: Backend, site_id: SiteId, since_us: int | None, after: int = 0) -> tuple[JournalLine, ...]:
    """Of a test that is over, as far back as one can have begun: whoever asks twice a second reads no two hours."""
    now_us = backend.clock.now().wall_us
    begun_us = now_us - LOOKS_BACK_US if since_us is None else since_us - APART_US
    return await read(
        lambda: backend.store.read_journal(
            site_id, since_us=begun_us, until_us=now_us + LOOKS_BACK_US, after=after, kind=EntryKind.PRESS
        )
    )


def _heard(backend: Backend, device: Device, lines: Sequence[JournalLine]) -> list[HeardView]:
    """Lines of the newest test of the device; and what a real press opened or joined that has ended it."""
    mine = [(line, line.entry) for line in lines if line.entry is not None]
    mine = [(line, entry) for line, entry in mine if entry.data.get("device") == device.id]
    newest = next((entry.data["test"] for _, entry in reversed(mine) if "test" in entry.data), "")
    of_test = [(line, entry) for line, entry in mine if entry.data.get("test", "") == newest != ""]
    over_us = {line.at_us for line, entry in of_test if entry.reason is Reason.TRIED_ENOUGH}
    told = [(line, entry) for line, entry in of_test if entry.reason in (Reason.TRIED_OUT, Reason.TRIED_ENOUGH)]
    told += [(line, entry) for line, entry in mine if entry.incident_id and line.at_us in over_us]
    return [_line(backend, line, entry) for line, entry in told]


def _refused(backend: Backend, device: Device, lines: Sequence[JournalLine], began_us: int) -> Iterator[HeardView]:
    """What came of the device meanwhile where nobody presses: it is no school's."""
    for line in lines:
        entry = line.entry
        if entry is None or entry.reason is not Reason.SHUT_TRIGGER or line.at_us < began_us:
            continue
        if entry.data.get("device") == device.id:
            remedy = f'add "{device.kind}" to its kinds in sources.{entry.data.get("source", "")}.triggers'
            why = f"its trigger is for others: {remedy}, or give it one of its own"
            yield replace(_line(backend, line, entry), refused=why, unknown="")


def _line(backend: Backend, line: JournalLine, entry: Entry) -> HeardView:
    data = entry.data
    received_us = int(data.get("received_us", line.at_us))
    pressed_us = data.get("pressed_us")
    return HeardView(
        number=line.sequence,
        site=line.site_id,
        at_local=clock_time(backend.registry(), line.site_id, line.at_us),
        words=entry.text,
        gesture=data.get("class", ""),
        action=data.get("action", ""),
        count=int(data["count"]) if "count" in data else None,
        gateway=data.get("gateway"),
        rule=data.get("rule"),
        battery=int(data["battery"]) if "battery" in data else None,
        late_ms=None if pressed_us is None else max(0, received_us - int(pressed_us)) // 1_000,
        taken_ms=max(0, line.at_us - received_us) // 1_000,
        unknown=_unknown(backend, data),
        stays=True if "stays" in data else False if "ends" in data else None,
        is_over=entry.reason is Reason.TRIED_ENOUGH,
        incident=entry.incident_id or "",
    )


def _unknown(backend: Backend, data: Mapping[str, str]) -> str:
    """Of a word that its gestures do not know; that a button is opened is no word of theirs."""
    device, action = backend.registry().device_of(data.get("device", "")), data.get("action", "")
    if device is None or not action or "ends" in data or action == TAMPER or is_known(action, device.gestures):
        return ""
    return unknown_word(action, device.gestures)
