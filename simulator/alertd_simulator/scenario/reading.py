"""A file becomes a scenario: header, deeds, expectations, one a line.

Owns the header and the rules of a file as a whole (it proves something, it expects something, moments do not run
backwards). Raises `ScenarioError` with file, line and column of every line that cannot be understood.
"""

import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from alertd_simulator.carrier_conduct import Conduct, Pickup
from alertd_simulator.people import Habit
from alertd_simulator.scenario.cast import Cast, cast_of
from alertd_simulator.scenario.deeds import VERBS, Pen, read_deed
from alertd_simulator.scenario.expectations import read_expectation
from alertd_simulator.scenario.story import Expectation, Force, Scenario, Told
from alertd_simulator.scenario.words import Line, ScenarioError
from alertd_simulator.world.plan import Habits

BEGINS = "2026-03-04 10:42"
"""A Wednesday in term; the texts say 10:42."""
AFTERWARDS_S = 30.0
"""How long a scenario goes on after its last line, if it does not say when it ends."""
LONGEST_S = 3 * 86_400.0
WRONG_MAX = 20
"""Lines that are named."""
REQUIREMENT = re.compile(r"R\d{1,3}")
NUMBERED = "write R and a number of up to three digits, as R12 (docs/requirements.md), or promise and its number"
PROMISES = tuple(str(n) for n in range(1, 7))
HEADERS = ("proves", "site", "begins", "ends", "seed", "phone of", "nobody answers")


class _NoSchoolError(ScenarioError):
    """No line above says at which school."""


class _Draft(Struct, kw_only=True):
    """What has been read so far."""

    file: str
    cast: Cast
    pen: Pen
    title: str = ""
    proves: list[str] = []
    site: str = ""
    begins: str = BEGINS
    ends_s: float = 0.0
    seed: int = 1
    phones_off: dict[str, float] = {}
    conducts: dict[str, Conduct] = {}
    told: list[Told] = []
    expectations: list[Expectation] = []


def read_scenario(path: Path, district: Path, *, judged: bool = True) -> Scenario:
    """Read one file against the district it is played in. One that nobody judges (a rehearsal's) need not prove nor
    expect anything. Raises `ScenarioError`, or `OSError`."""
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        number, column = before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
        message = "this is no text in UTF-8: save the file as plain text"
        raise ScenarioError(path.name, number, column, message) from error
    return parse_scenario(text.removeprefix("\ufeff"), path.name, district, judged=judged)


def parse_scenario(text: str, file: str, district: Path, *, judged: bool = True) -> Scenario:
    cast = cast_of(district)
    draft = _Draft(file=file, cast=cast, pen=Pen(cast=cast))
    lines = text.splitlines()
    draft.title = _title(lines)
    wrong: list[ScenarioError] = []
    for number, source in enumerate(lines, start=1):
        line = Line(file, number, source)
        try:
            if not line.is_empty:
                _read(draft, line)
                line.end()
        except _NoSchoolError as error:  # nor has any line below it
            wrong += [error] if not wrong else []
            break
        except ScenarioError as error:
            wrong.append(error)
            if len(wrong) >= WRONG_MAX:
                break
    if wrong:
        raise wrong[0].followed_by(wrong[1:])
    _judge_whole(draft, len(lines), judged=judged)
    return _finish(draft)


def _title(lines: list[str]) -> str:
    """The comment that a file opens with."""
    found: list[str] = []
    for source in lines:
        if not source.startswith("#"):
            break
        found.append(source.removeprefix("#").strip())
    return " ".join(found)


def _read(draft: _Draft, line: Line) -> None:
    at_s = line.moment()
    if at_s is not None:
        _need_site(draft, line)
        if draft.told and at_s < draft.told[-1].at_s:
            raise ScenarioError(draft.file, line.number, 1, "this happens before the line above it; put it in order")
        read_deed(line, draft.pen, at_s)
        draft.told.append(Told(line=line.number, at_s=at_s, source=line.source))
        return
    force = line.take(*(force.value for force in Force))
    if force:
        _need_site(draft, line)
        draft.expectations.append(read_expectation(line, draft.cast, Force(force), draft.site))
        return
    _header(draft, line)


def _need_site(draft: _Draft, line: Line) -> None:
    """Groups, zones, incidents and local times are a school's own."""
    if not draft.site:
        schools = " or ".join(f"`site {site}`" for site in draft.cast.sites)
        raise _NoSchoolError(draft.file, line.number, 1, f"at which school? write {schools} above this line")


def _header(draft: _Draft, line: Line) -> None:
    match line.need(*HEADERS):
        case "proves":
            _proves(draft, line)
        case "site":
            draft.site = draft.pen.site = line.name(draft.cast.sites, "a school") or line.fail()
        case "begins":
            _need_site(draft, line)
            draft.begins = f"{line.word('a day (2026-03-04)')} {line.word('a time of day (10:42)')}"
            _begins(draft, line.number)
        case "ends":
            moment = line.moment()
            draft.ends_s = line.fail() if moment is None else moment
        case "seed":
            seed = line.amount("a whole number")
            draft.seed = line.fail() if seed is None else int(seed)
        case "phone of":
            person = line.name(draft.cast.persons, "a person") or line.fail()
            _phone(draft, line, person)
        case _:
            pass  # so it is anyway: whoever answers, answers in a line


PICKUPS = {
    "takes calls": Pickup.TAKES,
    "is busy": Pickup.BUSY,
    "rings out": Pickup.RINGS_OUT,
    "has its voicemail take calls": Pickup.VOICEMAIL,
    "cannot be rung": Pickup.OFF,
}


def _phone(draft: _Draft, line: Line, person: str) -> None:
    """Off for texts until a moment; or what happens when it rings."""
    if line.take("off until"):
        moment = line.moment()
        draft.phones_off[person] = line.fail() if moment is None else moment
        return
    pickup = line.pick(PICKUPS) or line.fail()
    conduct = Conduct(pickup=pickup, rings_s=4.0)
    line.comma()
    if line.take("after ringing for"):
        conduct = replace(conduct, rings_s=line.duration())
        line.comma()
    if line.take("hangs up after"):
        conduct = replace(conduct, hangs_up_s=line.duration())
    elif line.take("sounds like a machine"):
        conduct = replace(conduct, detected="machine_end_beep")
    draft.conducts[person] = conduct


def _proves(draft: _Draft, line: Line) -> None:
    while True:
        if line.take("promise"):
            draft.proves.append(f"promise {line.need(*PROMISES)}")
        else:
            column = line.column
            number = line.word("a requirement (R12) or a promise")
            if REQUIREMENT.fullmatch(number) is None:
                raise ScenarioError(draft.file, line.number, column, f"{number!r} is no requirement: {NUMBERED}")
            draft.proves.append(number)
        if not line.comma():
            return


def _begins(draft: _Draft, number: int) -> str:
    """RFC 3339 of a local time; on the night in October the first of the two."""
    try:
        local = datetime.fromisoformat(draft.begins)
    except ValueError:
        message = f"{draft.begins!r} is no day and time; write 2026-03-04 10:42"
        raise ScenarioError(draft.file, number, 1, message) from None
    zones = {str(id_): site.time_zone for id_, site in draft.cast.registry.sites.items()}
    return local.replace(tzinfo=ZoneInfo(zones[draft.site])).isoformat()


def _judge_whole(draft: _Draft, last: int, *, judged: bool) -> None:
    if judged and not draft.proves:
        raise ScenarioError(draft.file, 1, 1, "it proves nothing: write `proves R12` or `proves promise 4`")
    if not draft.told:
        raise ScenarioError(draft.file, last, 1, f"nothing happens: write a moment and a deed ({', '.join(VERBS)})")
    if judged and not draft.expectations:
        raise ScenarioError(draft.file, last, 1, "nothing is expected: write `expect text …` or `expect no text …`")


def _finish(draft: _Draft) -> Scenario:
    ends_s = draft.ends_s or draft.told[-1].at_s + AFTERWARDS_S
    if not draft.told[-1].at_s <= ends_s <= LONGEST_S:
        raise ScenarioError(draft.file, 1, 1, f"it ends at {ends_s:g} s, before its last line or after three days")
    habits = tuple(
        Habits(
            person=person,
            habit=Habit.SILENT,
            phone_off_s=draft.phones_off.get(person, 0.0),
            on_the_phone=draft.conducts.get(person),
        )
        for person in draft.cast.persons
    )
    return Scenario(
        file=draft.file,
        title=draft.title,
        proves=tuple(draft.proves),
        district=draft.cast.directory,
        begins=_begins(draft, 1),
        ends_s=ends_s,
        deeds=tuple(draft.pen.deeds),
        told=tuple(draft.told),
        habits=habits,
        expectations=tuple(draft.expectations),
        seed=draft.seed,
    )
