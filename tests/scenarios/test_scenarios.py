"""Every story in this folder, played against the whole daemon in simulated time, and the requirements they prove.

A story fails on anything sent that it does not expect. `make quick` plays a handful; the rest is for `make test`.
"""

import atexit
import re
from functools import cache
from pathlib import Path
from shutil import copytree, rmtree
from tempfile import mkdtemp

import pytest

from alertd import lint
from alertd.config import ProblemSeverity, load, render_problems
from alertd_simulator.scenario.playing import Played, play
from alertd_simulator.scenario.reading import parse_scenario, read_scenario
from alertd_simulator.scenario.story import Scenario
from tests.state_variants import NAMES, write_variant

HERE = Path(__file__).parent
DISTRICT = HERE / "district"
REQUIREMENTS = HERE.parents[1] / "docs" / "requirements.md"
VARIANTS = HERE / "variants"
"""One story for each file of config/variants/, played in the district with those rules."""
PHONES = HERE / "phones"
"""Stories of calls, played in the district with a voice channel: its responders' phones ring for a lockdown."""
EDITED = HERE / "edited"
"""Stories of a district that is a little different: what is, `EDITS` says."""
STORIES = sorted(path for folder in (HERE, VARIANTS, PHONES, EDITED) for path in folder.glob("*.txt"))
STORIES_LEAST = 30
PROMISES = {f"promise {number}" for number in range(1, 7)}
QUICK = frozenset({"first_press", "crash_before_puback", "reaction_is_no_answer", "one_press_one_school"})
SEEDS = (2, 3)


@cache
def _story(name: str) -> Scenario:
    """Read once: the folder as a whole is looked at four times."""
    path = next(path for path in STORIES if path.stem == name)
    if path.parent == PHONES:
        if name == SLOW:
            return read_scenario(path, _with_a_slow_carrier())
        callbacks = "poll" if name in POLLED else "signed"
        return read_scenario(path, _with_phones(callbacks, UNHURRIED.get(name, 1.0), PHONE_EDITS.get(name, ())))
    if path.parent == EDITED:
        return read_scenario(path, _with_edits(name))
    return read_scenario(path, _with_variant(name) if path.parent == VARIANTS else DISTRICT)


ZONE = '{ announcement = "hold", loudspeakers = "all" }'
EVERYWHERE, GYM = 'all = { channel = "pa", zone = "oak-all" }', '\ngym = { channel = "pa", zone = "oak-gym" }'
ELMS = 'all = { channel = "pa", zone = "elm-all" }'
PA = "[channels.pa.zones.elm-all]"
COUNTY = "[destinations.county-dispatch]\n"
PLAIN = '{ topic = "zigbee2mqtt/+", decoder = "zigbee2mqtt" }'
FAMILIES = """{ topic = "application/+/device/+/event/up", decoder = "profiles", options.source = "chirpstack-v4" },
  { topic = "shellies/+/input_event/+", decoder = "profiles", options = { source = "shelly-gen1" } }"""
TRIGGER = ("channels.toml", PLAIN, f"{PLAIN},\n  {FAMILIES}")
ELM = (DISTRICT / "sites" / "elm.toml").read_text()
PINE = ELM.replace("Elm Middle", "Pine High").replace("ELM MIDDLE", "PINE HIGH").replace(ELMS, "")
TROUBLE = (DISTRICT / "policies" / "trouble.toml").read_text()
GATEWAY = "gw-elm-hall,gateway,elm,main-hall,,,,,,\n"
THIRTY = "".join(f"more-{number:02},button,oak,rm-204,wall-button,wall button,,,,\n" for number in range(30))
PLAIN_BUTTON = "plain-1,button,oak,rm-118,wall-button,plain button,,,,\n"
EDITS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "badge_heard_first_elsewhere": (
        ("sites/pine.toml", "", PINE),
        ("devices.csv", GATEWAY, f"{GATEWAY}gw-pine,gateway,pine,main-hall,,,,,,\n"),
        ("channels.toml", 'sites = ["oak", "elm"]', 'sites = ["oak", "elm", "pine"]'),
        ("people.csv", "officer,oak;elm,", "officer,oak;elm;pine,"),
        ("people.csv", "technician,district;oak;elm,", "technician,district;oak;elm;pine,"),
        ("people.csv", "principal,elm,", "principal,elm;pine,"),
        ("people.csv", "front office,elm,", "front office,elm;pine,"),
    ),
    "room_pressed_when_others_expire": (("devices.csv", GATEWAY, GATEWAY + THIRTY),),
    "room_pressed_when_others_expire_and_the_clock_is_set": (("devices.csv", GATEWAY, GATEWAY + THIRTY),),
    "room_pressed_when_others_expire_after_a_reboot": (("devices.csv", GATEWAY, GATEWAY + THIRTY),),
    "drill_falls_silent_elsewhere": (
        ("channels.toml", PA, f'[channels.pa.zones.oak-gym]\ngroups = ["239.192.4.6:5004"]\n\n{PA}'),
        ("gestures.toml", '{ 1 = "staff_assist", 4', '{ 1 = "hold", 4'),
        ("policies/hold.toml", ZONE, ZONE.replace("all", "gym")),
        ("sites/oak.toml", EVERYWHERE, EVERYWHERE + GYM),
        ("sites/elm.toml", ELMS, ELMS + GYM.replace("oak-gym", "elm-all")),
        ("sites/elm.toml", "[policies]\n", '[policies]\nhold = "hold"\n'),
    ),
    "badge_behind_a_network_server": (
        TRIGGER,
        ("devices.csv", "roaming_sites,", "roaming_sites,profile,"),
        ("devices.csv", "Kim badge,kim,", "Kim badge,kim,,milesight-ws101"),
    ),
    "button_on_the_schools_own_network": (
        TRIGGER,
        ("devices.csv", "roaming_sites,", "roaming_sites,profile,"),
        ("devices.csv", "medical-button,AED button,,", "medical-button,AED button,,,shelly-gen1"),
    ),
    "disk_slower_than_a_gesture": (
        ("devices.csv", "button-office,button,oak,office,wall-button", "plain-office,button,oak,office,badge"),
    ),
    "sensor_opened_at_night": (
        ("policies/trouble_oak.toml", "", TROUBLE.replace('{ group = "technicians" }', '{ schedule = "oak-duty" }')),
        ("sites/oak.toml", 'trouble = "trouble"', 'trouble = "trouble_oak"'),
    ),
    "reboot_with_a_clock_ahead": (("devices.csv", GATEWAY, GATEWAY + PLAIN_BUTTON),),
    "power_cut_and_a_slow_clock": (("devices.csv", GATEWAY, GATEWAY + PLAIN_BUTTON),),
    "exercise_becomes_real": (("channels.toml", COUNTY, f"{COUNTY}accepts_exercise = true\n"),),
}
"""File, what stands there, what stands there instead; where nothing stands, the file is another one."""


@cache
def _with_edits(name: str) -> Path:
    folder = Path(mkdtemp(prefix="alertd-edited-"))
    atexit.register(rmtree, folder, ignore_errors=True)
    copytree(DISTRICT, folder / "district")
    for file, old, new in EDITS[name]:
        path = folder / "district" / file
        text = path.read_text() if old else ""
        assert not old or text.count(old) == 1, f"{file} holds {old!r} {text.count(old)} times"
        path.write_text(text.replace(old, new) if old else new)
    return folder / "district"


VOICE = """
[channels.voice]
plugin = "voice_twilio"
account_sid_secret = "twilio-account-sid"
auth_token_secret = "twilio-auth-token"
from_numbers = ["+12025550101"]
callbacks = "{callbacks}"
per_s = {per_s}
"""
POLLED = {"no_way_in_for_keys", "line_is_free_when_the_call_is_over", "machine_keeps_the_date"}
"""Nothing can reach the school."""
UNHURRIED = {"second_school_is_called_first": 0.1, "words_that_are_overtaken": 0.03}
"""Calls a second: a handful of phones stands for some hundreds."""

NURSES = 'targets = [{ schedule = "oak-duty" }, { group = "nurses" }]'
RING = 'targets = [{ group = "responders" }]\nchannels = ["sms", "voice"]'
PHONE_EDITS = {"vape_waits_for_a_held_phone": (("policies/vape.toml", NURSES, RING),)}
"""As `EDITS`."""


SLOW = "answer_before_the_staff"
"""Played where texts leave at one a second, and wait here."""


@cache
def _with_a_slow_carrier() -> Path:
    folder = Path(mkdtemp(prefix="alertd-slow-"))
    atexit.register(rmtree, folder, ignore_errors=True)
    copytree(DISTRICT, folder / "district")
    wiring = folder / "district" / "channels.toml"
    both = 'from_numbers = ["+12025550101", "+12025550102"]'
    text = wiring.read_text()
    assert both in text
    wiring.write_text(text.replace(both, 'from_numbers = ["+12025550101"]\nper_s = 1\npaced = true'))
    return folder / "district"


LISTENED = "wait_s = 30"
"""Of the first step of a lockdown."""


@cache
def _with_phones(callbacks: str, per_s: float, edits: tuple[tuple[str, str, str], ...] = ()) -> Path:
    folder = Path(mkdtemp(prefix="alertd-phones-"))
    atexit.register(rmtree, folder, ignore_errors=True)
    copytree(DISTRICT, folder / "district")
    wiring = folder / "district" / "channels.toml"
    wiring.write_text(wiring.read_text() + VOICE.format(callbacks=callbacks, per_s=per_s))
    for file, old, new in (("policies/lockdown.toml", LISTENED, f'channels = ["sms", "voice"]\n{LISTENED}'), *edits):
        path = folder / "district" / file
        text = path.read_text()
        assert old in text, f"{file} holds no {old!r}"
        path.write_text(text.replace(old, new, 1))
    devices = folder / "district" / "devices.csv"
    devices.write_text(devices.read_text() + "badge-officer,wearable,oak,,badge,Brooks badge,officer,\n")
    return folder / "district"


@cache
def _with_variant(story: str) -> Path:
    """Kept until the tests end: whoever plays the story reads it again."""
    folder = Path(mkdtemp(prefix="alertd-variant-"))
    atexit.register(rmtree, folder, ignore_errors=True)
    return write_variant(DISTRICT, story.replace("_", "-"), folder / "district")


def _faults(played: Played) -> list[str]:
    """Complaints, and promises that were broken beside the story."""
    broken = [f"{v.checker}: {v.message}" for v in played.verdict.violations]
    return [*played.complaints, *broken]


@pytest.mark.parametrize(
    "name",
    [pytest.param(p.stem, marks=() if p.stem in QUICK else pytest.mark.slow) for p in STORIES],
)
def test_story_goes_as_told(name: str) -> None:
    faults = _faults(play(_story(name)))

    assert faults == [], "\n" + "\n".join(faults)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", [p.stem for p in STORIES if p.stem != "trouble_is_repeated"])
def test_story_holds_under_other_delays(name: str, seed: int) -> None:
    faults = _faults(play(_story(name), seed=seed))

    assert faults == [], "\n" + "\n".join(faults)


@pytest.mark.slow
def test_a_story_is_the_same_every_time() -> None:
    one, other = (play(_story("crash_while_sending")).verdict for _ in range(2))

    assert one.happenings == other.happenings


# --- the folder as a whole ------------------------------------------------------------------------------------------


def test_there_are_enough_stories_and_between_them_they_cover_the_promises() -> None:
    stories = [_story(path.stem) for path in STORIES]

    assert len(stories) >= STORIES_LEAST
    assert {p for s in stories for p in s.proves if p.startswith("promise")} == PROMISES
    assert [s.file for s in stories if not s.title] == []


def test_each_variant_of_state_law_has_a_story() -> None:
    """Req 14, 15."""
    assert {path.stem.replace("_", "-") for path in VARIANTS.glob("*.txt")} == set(NAMES)


def test_each_story_asserts_something_that_was_sent_or_not() -> None:
    for path in STORIES:
        kinds = {type(e).__name__ for e in _story(path.stem).expectations if e.force.value != "allow"}

        assert kinds & {"TextExpected", "DispatchExpected"}, path.name


def test_the_district_is_one_that_a_daemon_takes() -> None:
    loaded = load(DISTRICT)
    errors = [p for p in (*loaded.problems, *lint.check(loaded)) if p.severity is ProblemSeverity.ERROR]

    assert errors == [], render_problems(errors)


# --- requirements ---------------------------------------------------------------------------------------------------


def _requirements() -> dict[str, tuple[str, frozenset[str]]]:
    """Number -> its text, and the stories that it names."""
    parts = re.split(r"^### (R\d+) ", REQUIREMENTS.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    found: dict[str, tuple[str, frozenset[str]]] = {}
    for number, text in zip(parts[::2], parts[1::2], strict=True):
        assert number not in found, f"{number} stands there twice"
        proved = text.partition("Proved by:")[2].partition("\n## ")[0]
        found[number] = text, frozenset(re.findall(r"`(\w+)`", proved))
    return found


def test_requirements_and_stories_name_each_other() -> None:
    named = {(number, name) for number, (_, names) in _requirements().items() for name in names}
    cited = {(number, path.stem) for path in STORIES for number in _story(path.stem).proves if number.startswith("R")}

    assert cited - named == set(), "cited by a story, and not named by docs/requirements.md"
    assert named - cited == set(), "named by docs/requirements.md, and not cited by the story"


def test_each_requirement_has_a_story_and_a_source() -> None:
    for number, (text, names) in _requirements().items():
        assert names, f"{number} is proved by nothing"
        assert re.search(r"^From: \w", text, flags=re.MULTILINE), f"{number} comes from nowhere"


# --- what would prove nothing ---------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("deed", "says"),
    [
        ("0:01 crash before 99 puback", "crash or power cut"),
        ("0:01 principal replies going", "reply"),
        ("0:01 principal resolves", "order"),
    ],
)
def test_a_deed_that_comes_to_nothing_fails_its_story(deed: str, says: str) -> None:
    story = parse_scenario(f"proves R1\nsite oak\n{deed}\nexpect no dispatch\nends 0:10\n", "story.txt", DISTRICT)

    (complaint,) = play(story).complaints

    assert says in complaint
