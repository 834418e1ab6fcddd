"""Lines that make something happen: who presses, who replies, what breaks.

Owns the verbs and what deed of `world.plan` each becomes. One function a verb; the table at the end is the language.
Must know nothing of what alertd does about it.
"""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from alertd.model.incident import IncidentClass
from alertd_simulator.scenario.cast import Cast
from alertd_simulator.scenario.words import Line
from alertd_simulator.weather import Weather
from alertd_simulator.world import plan

PRESS_TOPICS = "alertd/press/+"
SHORT_S = 2.0
"""How long the daemon is away where a scenario does not say."""
POWER_S = 30.0
PRESSES_MOST = 12
GESTURES = {f"x{count}": count for count in range(1, PRESSES_MOST + 1)}
"""So many presses, one after the other."""
_USUAL = {3: plan.Gesture.THREE, 8: plan.Gesture.EIGHT}
PORTS = {
    "the commit": "store.commit",
    "taking the rows": "store.begin",
    "claiming": "store.claim",
    "a text or call out": "http.send",
    "puback": "mqtt.ack",
    "a page out": "pa.send",
    "the connection": "mqtt.connect",
}
BODIES = {
    "going": "4{token}",
    "arrived": "5{token}",
    "cannot go": "6{token}",
    "hold": "8{token}",
    "lock down": "9{token}",
    "only the first digit": "4",
}
KEYS = {key: key for key in "0123456789"} | {"star": "*"}
ORDERS = {
    "corrects": "correct",
    "resolves": "resolve",
    "closes it, all rooms released": "resolve_rooms_released",
    "answers going at the console": "answer_going",
    "acknowledges the trouble": "acknowledge_trouble",
}
WEATHERS = {
    "answers 429": Weather.LIMITED,
    "answers 500": Weather.BROKEN,
    "answers 503": Weather.UNAVAILABLE,
    "redirects": Weather.REDIRECTING,
    "accepts and answers garbage": Weather.GARBAGE_ACCEPTED,
    "never answers": Weather.SILENT,
    "accepts and never answers": Weather.SILENT_ACCEPTED,
    "cuts the connection": Weather.CUT,
    "accepts and cuts the connection": Weather.CUT_ACCEPTED,
}
MOODS = {
    "accepts": "accepts in the answer",
    "accepts later": "accepts later, by reply_url",
    "rejects": "rejects with a reason",
    "only receives": "answers 204 and nothing else",
}
TRICKS = ("statuses late by", "statuses shuffled", "statuses twice", "statuses taken back", "loses texts with")
STRENGTHS = {"strongly": -55.0, "well": -62.0, "faintly": -95.0}
"""How a gateway hears a wearable, in dBm."""
POISONS = ("garbage", "empty", "unregistered", "unmapped", "huge", "deep", "decide", "stolen")


class Pen(Struct, kw_only=True):
    """Where a line's deeds are written down."""

    cast: Cast
    site: str = ""
    deeds: list[plan.Deed] = []
    starts_missing: int | None = None
    """Index of a crash whose start has not been told yet."""

    def write(self, deed: plan.Deed) -> None:
        self.deeds.append(deed)


Verb = Callable[[Line, Pen, float], None]


def read_deed(line: Line, pen: Pen, at_s: float) -> None:
    """Read what happens `at_s`."""
    verb = line.pick(VERBS)
    if verb is not None:
        verb(line, pen, at_s)
        return
    person = line.name(pen.cast.persons, "a person")
    if person is None:
        line.fail()
    _does(line, pen, at_s, person)


def _name(line: Line, known: dict[str, str], what: str) -> str:
    return line.name(known, what) or line.fail()


def _press(line: Line, pen: Pen, at_s: float) -> None:
    device = _name(line, pen.cast.devices, "a device")
    deed = plan.Press(at_s=at_s, name=f"line {line.number}", device=device, gesture=plan.Gesture.ONCE)
    presses = line.pick(GESTURES)
    if presses is not None:
        deed = replace(deed, presses=presses, gesture=_USUAL.get(presses, plan.Gesture.ONCE))
    elif line.take("held down"):
        deed = replace(deed, gesture=plan.Gesture.HOLD)
    elif line.take("says"):
        deed = replace(deed, gesture=plan.Gesture.HOLD, action=line.word("the device's own word"))
    heard: list[str] = []
    rssi: list[float] = []
    while True:
        line.comma()
        if line.take("heard by", "and") if heard else line.take("heard by"):
            heard.append(_name(line, pen.cast.gateways, "a gateway"))
            rssi += [dbm for word, dbm in STRENGTHS.items() if line.take(word)]
        elif line.take("retained"):
            deed = replace(deed, retain=True)
        elif (more := _stays(line) or _waits(line)) is not None:
            deed = replace(deed, **more)
        else:
            break
    pen.write(replace(deed, heard_by=tuple(heard), rssi=tuple(rssi)))


def _stays(line: Line) -> dict[str, float | bool] | None:
    """It is a state, which the device says again."""
    if line.take("stays so for"):
        return {"stays_s": line.duration()}
    if line.take("said every"):
        return {"every_s": line.duration()}
    return {"first_lost": True} if line.take("its first message is lost") else None


def _waits(line: Line) -> dict[str, float] | None:
    return {"held_back_s": line.duration()} if line.take("held back") else None


def _reset(line: Line, pen: Pen, at_s: float) -> None:
    """Somebody resets a device that stays in a state: it no longer calls."""
    device = _name(line, pen.cast.devices, "a device")
    pen.write(plan.Press(at_s=at_s, name=f"line {line.number}", device=device, gesture=plan.Gesture.HOLD, over=True))


def _sensor(line: Line, pen: Pen, at_s: float) -> None:
    device = _name(line, pen.cast.devices, "a sensor")
    said = line.need("says", "reads")
    action = line.word("the sensor's own word (vape, masking, tamper)")
    deed = plan.SensorReport(at_s=at_s, name=f"line {line.number}", device=device, action=action)
    if said == "reads":
        reading = line.amount("a number that it measures")
        deed = replace(deed, reading=line.fail() if reading is None else reading)
    elif line.take("is over"):
        deed = replace(deed, over=True)
    times = line.amount("how many times")
    if times is not None:
        line.need("times")
        deed = replace(deed, times=int(times))
        if line.take("every"):
            deed = replace(deed, every_s=line.duration())
    pen.write(deed)


def _device(line: Line, pen: Pen, at_s: float) -> None:
    device = _name(line, pen.cast.devices | pen.cast.gateways, "a device or a gateway")
    if line.take("goes offline"):
        pen.write(plan.Link(at_s=at_s, device=device, online=False))
        return
    if line.take("is online again"):
        pen.write(plan.Link(at_s=at_s, device=device, online=True))
        return
    line.need("lives for")
    deed = plan.SignsOfLife(at_s=at_s, device=device, lasts_s=line.duration())
    if line.take("and says so every"):
        deed = replace(deed, every_s=line.duration())
    while True:
        line.comma()
        if line.take("heard by"):
            deed = replace(deed, heard_by=_name(line, pen.cast.gateways, "a gateway"))
        elif line.take("with battery"):
            deed = replace(deed, battery=int(line.amount("percent") or 0))
        elif state := line.take("with its case open", "with its case closed"):
            deed = replace(deed, tamper=state.endswith("open"))
        else:
            break
    pen.write(deed)


def _poison(line: Line, pen: Pen, at_s: float) -> None:
    kind = line.need(*POISONS)
    line.need("from")
    device = _name(line, pen.cast.devices, "a device")
    pen.write(plan.Poison(at_s=at_s, name=f"line {line.number}", device=device, kind=kind))


# --- what people do -------------------------------------------------------------------------------------------------


def _does(line: Line, pen: Pen, at_s: float, person: str) -> None:  # noqa: C901 - one arm a deed
    if line.take("replies"):
        body = line.pick(BODIES)
        if body is None:
            body = line.quoted()
        if body is None:
            line.fail()
        _reply(line, pen, plan.Reply(at_s=at_s, person=person, body=body))
    elif line.take("presses"):
        pen.write(plan.Key(at_s=at_s, person=person, key=line.pick(KEYS) or line.fail()))
    elif line.take("likes the text"):
        _reply(line, pen, plan.Reply(at_s=at_s, person=person, body="Liked “{text}”"))
    elif line.take("opts out"):
        _reply(line, pen, plan.Reply(at_s=at_s, person=person, body="Stop"))
    elif line.take("opts in"):
        _reply(line, pen, plan.Reply(at_s=at_s, person=person, body="START"))
    elif line.take("releases"):
        zone = _name(line, pen.cast.zones_of(pen.site), "a zone")
        pen.write(plan.Order(at_s=at_s, what="release", by=person, zone=zone, nth=_nth(line)))
    elif not any(read(line, pen, at_s, person) for read in (_drills, _tries_out, _speaks)):
        order = line.pick(ORDERS)
        if order is None:
            line.fail()
        pen.write(plan.Order(at_s=at_s, what=order, by=person, nth=_nth(line)))


def _tries_out(line: Line, pen: Pen, at_s: float, person: str) -> bool:
    """At the console: one device is tried out, or is live again."""
    if line.take("ends the test of"):
        device = _name(line, pen.cast.devices, "a device")
        pen.write(plan.Order(at_s=at_s, what="device_test_end", by=person, site=pen.site, devices=(device,)))
        return True
    if not line.take("tries out"):
        return False
    device = _name(line, pen.cast.devices, "a device")
    line.need("up to")
    tried = line.need(*(c.value for c in IncidentClass))
    line.comma()
    line.need("for")
    lasts_s = line.duration()
    watched_s = line.duration() if line.take(", and is gone after") else lasts_s
    pen.write(
        plan.Order(
            at_s=at_s, what="device_test_start", by=person, site=pen.site, devices=(device,), drilled=tried,
            minutes=round(lasts_s / 60), watched_s=watched_s,
        )
    )  # fmt: skip
    return True


def _drills(line: Line, pen: Pen, at_s: float, person: str) -> bool:
    """At the console: a drill of the scenario's school begins, or ends."""
    if line.take("ends the drill"):
        pen.write(plan.Order(at_s=at_s, what="drill_end", by=person, site=pen.site))
        return True
    if not line.take("begins a drill of"):
        return False
    drilled = line.need(*(c.value for c in IncidentClass))
    line.need("with")
    devices = [_name(line, pen.cast.devices, "a device")]
    while line.comma() or line.take("and"):
        if line.take("for"):
            break
        devices.append(_name(line, pen.cast.devices, "a device"))
    else:
        line.need("for")
    minutes = round(line.duration() / 60)
    pen.write(
        plan.Order(
            at_s=at_s, what="drill_start", by=person, site=pen.site, devices=tuple(devices), drilled=drilled,
            minutes=minutes,
        )
    )  # fmt: skip
    return True


def _speaks(line: Line, pen: Pen, at_s: float, person: str) -> bool:
    """At the console, to or about the loudspeakers of the scenario's school."""
    if line.take("silences the loudspeakers"):
        pen.write(plan.Order(at_s=at_s, what="pa_stop", by=person, site=pen.site))
    elif line.take("says"):
        words = line.quoted() or line.fail()
        line.need("over the loudspeakers")
        line.comma()
        what = "say_emergency" if line.take("as an emergency") else "say"
        pen.write(plan.Order(at_s=at_s, what=what, by=person, site=pen.site, words=words))
    else:
        return False
    return True


def _reply(line: Line, pen: Pen, reply: plan.Reply) -> None:
    about = ""
    if line.take("about"):
        about = line.quoted() or line.fail()
    pen.write(replace(reply, about=about))


def _nth(line: Line) -> int:
    """Which of the open incidents, the oldest first."""
    return {"first": 0, "second": 1, "third": 2, "": 0}[line.take("first", "second", "third")]


# --- what breaks ----------------------------------------------------------------------------------------------------


def _crash(line: Line, pen: Pen, at_s: float) -> None:
    deed = plan.Crash(at_s=at_s, down_s=SHORT_S)
    moment = line.take("before", "during", "after")
    if moment:
        nth = line.amount("which one, counted from here (default 1)")
        port = line.pick(PORTS)
        if port is None:
            line.fail()
        deed = replace(deed, moment=moment, port=port, nth=int(nth or 1))
    _until_start(line, pen, deed)


def _power(line: Line, pen: Pen, at_s: float) -> None:
    line.comma()
    if line.take("clock wrong by"):
        off_s = line.duration()
        line.need("for")
        lasts_s = line.duration()
        pen.write(plan.WrongClockAtBoot(at_s=at_s, off_s=off_s, lasts_s=lasts_s, down_s=_start(line, POWER_S)))
        return
    _until_start(line, pen, plan.Crash(at_s=at_s, power=True, down_s=POWER_S))


def _until_start(line: Line, pen: Pen, crash: plan.Crash) -> None:
    down_s = _start(line, 0.0)
    pen.starts_missing = None if down_s else len(pen.deeds)
    pen.write(replace(crash, down_s=down_s) if down_s else crash)


def _start(line: Line, otherwise_s: float) -> float:
    line.comma()
    if not line.take("start"):
        return otherwise_s
    after_s = line.duration()
    line.need("later")
    return after_s


def _started(line: Line, pen: Pen, at_s: float) -> None:
    if pen.starts_missing is None:
        line.fail("nothing has crashed before this line that was not started again")
    crash = pen.deeds[pen.starts_missing]
    assert isinstance(crash, plan.Crash)
    if at_s <= crash.at_s:
        line.fail("it is started before it crashed")
    pen.deeds[pen.starts_missing] = replace(crash, down_s=at_s - crash.at_s)
    pen.starts_missing = None


def _lasts(line: Line) -> float:
    line.comma()
    line.need("for")
    return line.duration()


def _broker(line: Line, pen: Pen, at_s: float) -> None:
    match line.need(
        "down",
        "drops every connection",
        "delivers everything twice",
        "keeps presses from alertd",
        "keeps presses behind a backlog",
    ):
        case "down":
            deed = plan.BrokerDown(at_s=at_s, lasts_s=_lasts(line))
            line.comma()
            pen.write(replace(deed, forgets=bool(line.take("without memory"))))
        case "drops every connection":
            pen.write(plan.BrokerDrops(at_s=at_s))
        case "keeps presses from alertd":
            pen.write(plan.BrokerTricks(at_s=at_s, lasts_s=_lasts(line), withholds=PRESS_TOPICS))
        case "keeps presses behind a backlog":
            pen.write(plan.BrokerTricks(at_s=at_s, lasts_s=_lasts(line), clogs=True))
        case _:
            pen.write(plan.BrokerTricks(at_s=at_s, lasts_s=_lasts(line), duplicates=1.0))


def _carrier(line: Line, pen: Pen, at_s: float) -> None:
    weather = line.pick(WEATHERS)
    if weather is not None:
        pen.write(plan.CarrierWeather(at_s=at_s, lasts_s=_lasts(line), weather=weather.value))
        return
    trick = plan.CarrierTricks(at_s=at_s, lasts_s=0.0)
    match line.need(
        "statuses late by", "statuses shuffled", "statuses twice", "statuses taken back", "loses texts with"
    ):
        case "statuses late by":
            trick = replace(trick, late_s=line.duration())
        case "statuses shuffled":
            trick = replace(trick, shuffled=True)
        case "statuses twice":
            trick = replace(trick, twice=True)
        case "statuses taken back":
            trick = replace(trick, recants=True)
        case _:
            trick = replace(trick, fails=int(line.amount("an error code (30003, 30006)") or line.fail()))
    pen.write(replace(trick, lasts_s=_lasts(line)))


def _dispatch(line: Line, pen: Pen, at_s: float) -> None:
    if line.take("server"):
        weather = line.pick(WEATHERS)
        if weather is None:
            line.fail()
        pen.write(plan.DispatchWeather(at_s=at_s, lasts_s=_lasts(line), weather=weather.value))
        return
    center = line.name(pen.cast.centers, "a dispatch center") or ""
    mood = line.pick(MOODS)
    if mood is None:
        line.fail()
    pen.write(plan.DispatchMood(at_s=at_s, lasts_s=_lasts(line), mood=mood, destination=center))


def _disk(line: Line, pen: Pen, at_s: float) -> None:
    match line.need("full", "fails", "slow"):
        case "full":
            pen.write(plan.DiskFull(at_s=at_s, lasts_s=_lasts(line)))
        case "fails":
            pen.write(plan.DiskFails(at_s=at_s, lasts_s=_lasts(line), one_in=1))
        case _:
            slow = plan.SlowDisk(at_s=at_s, lasts_s=_lasts(line))
            line.comma()
            if line.take("up to"):
                slow = replace(slow, commit_s=line.duration())
                line.need("a commit")
            pen.write(slow)


def _loudspeakers(line: Line, pen: Pen, at_s: float) -> None:
    mood = line.need("switch down", "pacer dead", "slow")
    pen.write(plan.LoudspeakersDown(at_s=at_s, lasts_s=_lasts(line), mood=mood))


def _uplink(line: Line, pen: Pen, at_s: float) -> None:
    pen.write(plan.UplinkCut(at_s=at_s, lasts_s=_lasts(line)))


def _clock(line: Line, pen: Pen, at_s: float) -> None:
    pen.write(plan.ClockStep(at_s=at_s, by_s=line.duration()))


def _replay(line: Line, pen: Pen, at_s: float) -> None:
    newest = line.amount("how many of the newest presses")
    pen.write(plan.Replay(at_s=at_s, newest=int(newest or 1)))


def _reload(_line: Line, pen: Pen, at_s: float) -> None:
    pen.write(plan.Order(at_s=at_s, what="reload"))


VERBS: dict[str, Verb] = {
    "press": _press,
    "sensor": _sensor,
    "reset": _reset,
    "device": _device,
    "poison": _poison,
    "crash": _crash,
    "power cut": _power,
    "start": _started,
    "broker": _broker,
    "uplink cut": _uplink,
    "carrier": _carrier,
    "dispatch": _dispatch,
    "loudspeakers": _loudspeakers,
    "disk": _disk,
    "clock steps": _clock,
    "replay": _replay,
    "reload": _reload,
}
