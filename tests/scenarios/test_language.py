"""The language of scenarios: what it says of a line that cannot be understood, and of a day that went otherwise."""

from datetime import datetime
from pathlib import Path

import pytest

from alertd.model.ids import NotificationId
from alertd_simulator.scenario.cast import cast_of
from alertd_simulator.scenario.deeds import BODIES, MOODS, ORDERS, POISONS, PORTS, VERBS, WEATHERS
from alertd_simulator.scenario.expectations import COUNTS, DISPATCH, FEEDBACK, STANDINGS, SUBJECTS
from alertd_simulator.scenario.judging import judge
from alertd_simulator.scenario.reading import HEADERS, parse_scenario
from alertd_simulator.scenario.story import Scenario, TextExpected
from alertd_simulator.scenario.words import ScenarioError
from alertd_simulator.world.happenings import DispatchTook, Happening, TextTaken
from alertd_simulator.world.plan import Crash, Gesture, Press, Reply, WrongClockAtBoot

HERE = Path(__file__).parent
DISTRICT = HERE / "district"
LANGUAGE = HERE.parents[1] / "docs" / "scenarios.md"
HEAD = "# A story.\nproves R1\nsite oak\n"
PRESS = "0:00 press button-204 held down\n"
NURSE, KIM = "+12025550113", "+12025550144"


def _parse(body: str) -> Scenario:
    return parse_scenario(HEAD + body, "story.txt", DISTRICT)


def _text(at_s: float, to: str, body: str, id_: str = "n-1") -> Happening:
    return TextTaken(at_us=round(at_s * 1e6), sid=f"SM{at_s}", to=to, body=body, notification_id=NotificationId(id_))


def _post(at_s: float, kind: str, *, mode: str = "live") -> Happening:
    body = b'{"headline":"OAK ELEM Rm 204 LOCKDOWN 10:42"}'
    return DispatchTook(
        at_us=round(at_s * 1e6), message_id="d-1", type=kind, mode=mode, incident_id="i-1", site_id="oak", body=body,
        arrivals=1,
    )  # fmt: skip


def _judge(body: str, *happenings: Happening) -> list[str]:
    return judge(_parse(PRESS + body), cast_of(DISTRICT), happenings)


# --- what is read ---------------------------------------------------------------------------------------------------


def test_a_line_becomes_a_deed():
    story = _parse(
        "0:05   press badge-okafor x8, heard by gw-east and gw-west, held back 2 min\n"
        '1:02:03.5 nurse replies going about "MEDICAL"   # by then\n'
        "expect text nurse once\n"
    )

    assert story.deeds == (
        Press(
            at_s=5.0, name="line 4", device="badge-okafor", gesture=Gesture.EIGHT, presses=8,
            heard_by=("gw-east", "gw-west"), held_back_s=120.0,
        ),
        Reply(at_s=3723.5, person="nurse", body="4{token}", about="MEDICAL"),
    )  # fmt: skip


def test_a_start_belongs_to_the_crash_before_it():
    (crash,) = _parse("0:10 crash after 2 the commit\n0:13 start\nexpect no dispatch\n").deeds

    assert crash == Crash(at_s=10.0, port="store.commit", nth=2, moment="after", down_s=3.0)


def test_a_power_cut_may_bring_a_wrong_clock():
    line = "0:12 power cut, clock wrong by -300 d for 2 min, start 20 s later\nexpect no dispatch\n"
    (cut,) = _parse(line).deeds

    assert cut == WrongClockAtBoot(at_s=12.0, off_s=-300 * 86_400.0, lasts_s=120.0, down_s=20.0)


def test_it_begins_at_local_time_also_in_the_night_on_which_clocks_change():
    story = parse_scenario(
        "proves R19\nsite oak\nbegins 2026-11-01 01:30\n" + PRESS + "expect no dispatch\n", "story.txt", DISTRICT
    )

    assert datetime.fromisoformat(story.begins).isoformat() == "2026-11-01T01:30:00-05:00"


def test_groups_are_those_of_the_school():
    (oak, elm) = _parse(PRESS + "expect text responders\nexpect text everyone of elm but admins of elm\n").expectations

    assert isinstance(oak, TextExpected)
    assert isinstance(elm, TextExpected)
    assert oak.people == ("principal", "deputy", "officer")
    assert set(elm.people) == {"officer", "substitute", "technician", "elm-secretary"}


@pytest.mark.parametrize(
    ("line", "column", "says"),
    [
        (
            "0:05 pres button-204",
            6,
            "'pres' cannot stand here; did you mean 'press'?",
        ),
        ("0:05 press button-205", 12, "a device (button-204"),
        ("0:05 press button-204 x8 hard", 26, "the end of the line"),
        ("0:05 uplink cut for 5", 22, "the line ends too early; what may stand here: ms; s; min; h; d"),
        ("0:05 carrier answers 418 for 5 s", 22, "what may stand here: 429; 500; 503"),
        ("0:05 press button-204 held donw", 28, "'donw' cannot stand here; did you mean 'down'?"),
        ("0:05 press button-204 held", 27, "the line ends too early; what may stand here: down; back"),
        ("expect no txt nurse", 11, "did you mean 'text'?"),
        ("proves R9999", 8, "'R9999' is no requirement: write R and a number of up to three digits"),
        ("0:05 nurse replies maybe", 20, '"words in quotes"'),
        ("0:05 start", 11, "nothing has crashed"),
        ("0:05 principal releases gym-hal", 25, "a zone (gym-hall"),
        ("expect text principl", 13, "principal"),
        ("expect by 5 text nurse", 11, "a moment (0:05, 12:30.5, 1:02:03)"),
        ('expect text nurse "LOCKDOWN', 19, "no closing quote"),
        ("expect text everyone of ash", 25, "a school (elm, oak)"),
        ("expect incident lockdown happy", 26, "paused"),
        ("hello", 1, "expect no"),
        ("seed", 5, "a whole number"),
    ],
)
def test_a_line_that_cannot_be_read_is_told_with_its_place(line, column, says):
    with pytest.raises(ScenarioError) as refused:
        _parse(PRESS + line + "\n")

    assert str(refused.value).startswith(f"story.txt:5:{column}: ")
    assert says in str(refused.value)


def test_every_line_that_cannot_be_read_is_told_at_once():
    with pytest.raises(ScenarioError) as refused:
        _parse(PRESS + "hello\nexpect no dispatch\nexpect no txt nurse\n0:05 nurse replies maybe\n")

    assert [line.split(":")[1] for line in str(refused.value).splitlines()] == ["5", "7", "8"]


def test_a_story_without_its_school_is_told_once():
    with pytest.raises(ScenarioError) as refused:
        parse_scenario("proves R1\n" + PRESS + PRESS + "expect no dispatch\n", "story.txt", DISTRICT)

    assert str(refused.value).startswith("story.txt:2:1: at which school?")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (PRESS, "at which school?"),
        ("site oak\n" + PRESS + "expect no dispatch\n", "it proves nothing"),
        ("proves R1\nsite oak\nexpect no dispatch\n", "nothing happens"),
        ("proves R1\nsite oak\n" + PRESS, "nothing is expected"),
        ("proves R1\nsite oak\n0:05 reload\n0:04 reload\n", "put it in order"),
        ("proves twelve\nsite oak\n", "is no requirement"),
        ("proves R1\nsite oak\nends 0:01\n0:05 reload\nexpect no dispatch\n", "it ends at 1 s"),
    ],
)
def test_a_file_that_makes_no_story_is_refused(text, says):
    with pytest.raises(ScenarioError, match=says.replace("?", r"\?")):
        parse_scenario(text, "story.txt", DISTRICT)


# --- what is judged -------------------------------------------------------------------------------------------------


def test_what_nobody_expected_is_quoted_with_who_when_and_the_line_before_it():
    (complaint,) = _judge("expect no dispatch\n", _text(2.5, KIM, "OAK ELEM: boo"))

    assert complaint == (
        'story.txt:4: nobody expected a text to kim (Kim) at 0:02.5: "OAK ELEM: boo". '
        "It came after '0:00 press button-204 held down'"
    )


def test_a_message_to_dispatch_is_a_surprise_too_but_a_heartbeat_is_not():
    complaints = _judge("expect no text kim\n", _post(1.0, "heartbeat", mode="test"), _post(2.0, "new"))

    assert len(complaints) == 1
    assert "a message 'new' to dispatch at 0:02.0" in complaints[0]


def test_what_did_not_come_is_told_with_what_was_seen_instead():
    line = 'expect by 0:05 text nurse "Rm 204" "LOCKDOWN"\nallow text nurse\n'
    complaints = _judge(line, _text(7.0, NURSE, "Rm 204: LOCKDOWN"), _text(8.0, NURSE, "Rm 118: lockdown"))

    assert len(complaints) == 1
    assert complaints[0].startswith(
        'story.txt:5: expected one text to nurse (Patel) with "Rm 204" "LOCKDOWN" by 0:05.0'
    )
    assert '0:07.0 "Rm 204: LOCKDOWN" (too late)' in complaints[0]
    assert '0:08.0 "Rm 118: lockdown" (without "Rm 204")' in complaints[0]


@pytest.mark.parametrize(
    ("line", "times", "ids", "fits"),
    [
        ("expect text nurse", 1, 1, True),
        ("expect text nurse", 2, 1, False),
        ("expect text nurse", 0, 0, False),
        ("expect text nurse twice", 2, 2, True),
        ("expect text nurse 3 times", 2, 2, False),
        ("expect text nurse at least once", 4, 4, True),
        ("expect text nurse once or twice, one id", 2, 1, True),
        ("expect text nurse once or twice, one id", 2, 2, False),
        ("expect no text nurse", 1, 1, False),
        ("allow text nurse", 5, 5, True),
    ],
)
def test_how_often(line, times, ids, fits):
    texts = [_text(1.0 + n, NURSE, "hello", f"n-{n % max(ids, 1)}") for n in range(times)]

    assert (_judge(line + "\n", *texts) == []) is fits


@pytest.mark.parametrize(
    ("moments", "fits"),
    [
        ((121, 240, 362), True),
        ((121, 240), False),
        ((121, 240, 300, 362), False),
        ((), False),
        ((150, 270, 390), False),
    ],
)
def test_a_beat_has_neither_gaps_nor_extra_strokes(moments, fits):
    line = "expect text nurse every 2 min after 0:00 until 7:00\n"

    assert (_judge(line, *(_text(at_s, NURSE, "still") for at_s in moments)) == []) is fits


def test_a_window_keeps_what_comes_later_unexpected():
    complaints = _judge("allow text nurse by 0:05\nexpect no text kim\n", _text(4, NURSE, "a"), _text(6, NURSE, "b"))

    assert len(complaints) == 1
    assert '"b"' in complaints[0]


# --- the page -------------------------------------------------------------------------------------------------------


def test_every_word_of_the_language_is_on_its_page():
    page = LANGUAGE.read_text(encoding="utf-8")
    words = (
        *VERBS, *HEADERS, *BODIES, *ORDERS, *PORTS, *WEATHERS, *MOODS, *POISONS, *SUBJECTS, *COUNTS, *STANDINGS,
        *FEEDBACK, *DISPATCH,
    )  # fmt: skip

    assert [word for word in words if word not in page] == []
