"""What is measured is the longest that could be sent: of names, of presses, of days on which the clock changes."""

import pytest

from alertd.lint.findings import Judge
from alertd.lint.longest import longest_params
from alertd.model.ids import SiteId


def params(school) -> dict[str, str]:
    judge = Judge(school.load())
    return longest_params(judge, judge.registry.sites[SiteId("oak")], "lockdown")


def test_the_longest_name_is_measured_wherever_it_stands(school):
    school.replace("people.csv", "stone,Stone,", "stone,Abernathy-Featherly,")

    assert (params(school)["name"], params(school)["by"]) == ("Abernathy-Featherly", "Abernathy-Featherly")


def test_two_digits_of_presses_are_measured(school):
    found = params(school)

    assert len(found["presses"]) == 2
    assert found["who"].endswith(f", {found['presses']} presses")


SAYS = 'vape = "vape", masking = "masking", tamper = "tamper"'


@pytest.mark.parametrize(
    "instead",
    [
        SAYS.replace('"tamper"', '"ignore"').replace('"masking"', '"ignore"'),
        'vape = "vape"',
        'vape = "ignore"',
    ],
)
def test_what_no_sensor_says_any_more_is_measured_by_no_badge(school, instead):
    """The longest badge is longer than any sensor, and not one of them is ever told of in a sensor's text."""
    before = school.lint_problems()
    school.replace("gestures.toml", SAYS, instead)

    assert school.lint_problems() == before, "a district that ignores a sensor's word is refused as a whole"


def test_what_no_button_says_is_measured_by_the_longest_badge(school):
    """Who reads of an assist can lock down by a reply, and the text names the badge."""
    longest = params(school)["who"]
    gestures = (school.directory / "gestures.toml").read_text()
    school.write("gestures.toml", gestures.replace('"lockdown"', '"staff_assist"'))

    assert params(school)["who"] == longest


def test_a_dispatch_that_serves_another_school_tells_nobody_of_this_one(school):
    """Beside the error at the policy, each school is named that nobody would be sent to."""
    school.replace("channels.toml", 'sites = ["oak", "elm"]', 'sites = ["oak"]')

    warned = [(p.file, p.key) for p in school.lint_problems() if "nobody tells dispatch of a lockdown" in p.message]
    assert warned == [("sites/elm.toml", "policies.lockdown")]


def test_a_gap_that_only_winter_time_opens_is_found_in_summer(school):
    """Two shifts by two clocks: Arizona's does not change. The example's day is in October."""
    days = '["mon","tue","wed","thu","fri","sat","sun"]'
    school.write(
        "schedules.toml",
        f"""
[oak-duty]
site = "oak"
shifts = [{{ person = "chen", days = {days}, start = "00:00", end = "12:00" }}]
[oak-afternoon]
site = "oak"
time_zone = "America/Phoenix"
shifts = [{{ person = "ruiz", days = {days}, start = "10:00", end = "22:00" }}]
[elm-duty]
site = "elm"
shifts = [
  {{ person = "shaw", days = {days}, start = "07:00", end = "19:00" }},
  {{ person = "moore", days = {days}, start = "19:00", end = "07:00" }},
]
""",
    )
    only = '{ schedule = "oak-duty" }, { schedule = "oak-afternoon" }, { schedule = "elm-duty" }'
    was = '{ schedule = "oak-duty" }, { schedule = "elm-duty" }, { group = "nurses" }'
    school.replace("policies/vape.toml", was, only)

    found = [problem.message for problem in school.lint_problems() if problem.file == "policies/vape.toml"]
    gaps = [message for message in found if "nobody is on duty from" in message]
    assert gaps == ["at oak nobody is on duty from Sun 23:00"]


@pytest.mark.parametrize("text", ["THIS IS NOT A DRILL", "This is not a drill"])
def test_a_live_text_may_say_that_it_is_no_drill(school, text):
    school.replace("policies/vape.toml", "Not an emergency. Look", f"{text}. Look")

    assert [p for p in school.lint_problems() if "drill" in p.message and p.file.endswith("vape.toml")] == []
