"""Every rule of the linter has a configuration that can be read and must not run: unsafe.toml, doubtful.toml."""

import pytest

AROUND_THE_CLOCK_AT_ELM = """
[elm-duty]
site = "elm"
shifts = [
  { person = "shaw", days = ["mon","tue","wed","thu","fri","sat","sun"], start = "07:00", end = "19:00" },
  { person = "moore", days = ["mon","tue","wed","thu","fri","sat","sun"], start = "19:00", end = "07:00" },
]
"""


def test_unsafe_configuration_is_refused(school, unsafe):
    school.spoil(unsafe)

    here = _found(school, unsafe)
    assert all(p.is_error and p.line and unsafe["remedy"] in p.remedy for p in here)


def test_doubtful_configuration_is_warned_of(school, doubtful):
    school.spoil(doubtful)

    here = _found(school, doubtful)
    assert all(not p.is_error and p.line and doubtful["remedy"] in p.remedy for p in here)


def _found(school, case):
    problems = school.lint_problems()
    here = [p for p in problems if p.key == case["key"] and case["says"] in p.message]
    assert here, problems
    return here


def test_step_that_reaches_nobody_at_one_of_its_sites_is_refused(school):
    school.replace("people.csv", "front office,elm,backup", "front office,elm,")
    school.replace("people.csv", "nurse,elm,nurses;backup", "nurse,elm,nurses")
    school.replace("people.csv", "counselor,elm,backup", "counselor,elm,")
    school.replace("people.csv", "oak;elm,nurses;backup", "oak,nurses;backup")

    steps = {(p.file, p.key) for p in school.lint_problems() if p.is_error and p.message == "at elm it reaches nobody"}
    assert steps == {("policies/lockdown.toml", "targets")}


def test_policy_that_no_site_uses_is_warned_of(school):
    text = (school.directory / "policies/tamper.toml").read_text()
    school.write("policies/spare.toml", text)

    (problem,) = school.lint_problems()
    assert (problem.file, problem.message, problem.is_error) == (
        "policies/spare.toml",
        "no site uses this policy",
        False,
    )


def test_schedule_of_another_school_is_warned_of_where_it_is_named(school):
    """Beside others it hides: the step reaches somebody, and not whoever is on duty (promise 6)."""
    school.replace("policies/vape.toml", '{ schedule = "elm-duty" }, ', "")

    warned = [p for p in school.lint_problems() if "oak-duty" in p.message]
    assert {(p.file, p.line, p.is_error) for p in warned} == {("policies/vape.toml", 5, False)}
    assert all("at elm nobody of oak-duty is told" in p.message for p in warned)
    assert all("name a schedule of elm" in p.remedy for p in warned)


def test_schedule_around_the_clock_has_no_gap_even_when_the_clock_changes(school):
    """Req 101; the year looked at contains both changes of the clock."""
    school.write(
        "schedules.toml",
        """
[oak-duty]
site = "oak"
shifts = [
  { person = "chen", days = ["mon","tue","wed","thu","fri","sat","sun"], start = "07:00", end = "19:00" },
  { person = "ruiz", days = ["mon","tue","wed","thu","fri","sat","sun"], start = "19:00", end = "07:00" },
]
"""
        + AROUND_THE_CLOCK_AT_ELM,
    )
    school.replace("policies/vape.toml", '{ schedule = "elm-duty" }, { group = "nurses" }', '{ schedule = "elm-duty" }')

    assert school.lint_problems() == ()


def test_gap_of_an_hour_on_one_night_is_found(school):
    school.write(
        "schedules.toml",
        """
[oak-duty]
site = "oak"
shifts = [
  { person = "chen", days = ["mon","tue","wed","thu","fri","sat","sun"], start = "07:00", end = "19:00" },
  { person = "ruiz", days = ["mon","tue","wed","thu","fri","sun"], start = "19:00", end = "07:00" },
  { person = "ruiz", days = ["sat"], start = "20:00", end = "07:00" },
]
"""
        + AROUND_THE_CLOCK_AT_ELM,
    )
    school.replace("policies/vape.toml", '{ schedule = "elm-duty" }, { group = "nurses" }', '{ schedule = "elm-duty" }')

    (problem,) = school.lint_problems()
    assert "nobody is on duty from Sat 19:00" in problem.message


def test_missing_secret_is_warned_of_outside_the_demo(school, monkeypatch):
    school.replace("alertd.toml", "demo = true", "")
    monkeypatch.setenv("ALERTD_SECRET_BROKER_PASSWORD", "x")

    found = {p.message for p in school.problems() if "is not set here" in p.message}
    assert found == {
        f"secret {name} is not set here" for name in ("twilio-account-sid", "twilio-auth-token", "dispatch-signing")
    }


def test_linter_judges_what_could_be_read_beside_errors(school):
    school.replace("people.csv", "+12025550111", "nobody")
    school.replace("devices.csv", "button-204,button,oak,rm-204", "button-204,button,oak,")

    keys = {p.key for p in school.problems()}
    assert {"phone", "zone"} <= keys


def test_empty_configuration_is_judged_without_a_traceback(tmp_path):
    from alertd import lint
    from alertd.config import load

    loaded = load(tmp_path)

    assert not loaded.is_usable
    lint.check(loaded)


@pytest.mark.parametrize(
    ("file", "old", "new", "key"),
    [
        ("sites/oak.toml", 'vape = "vape"', 'vape = "masking"', "policies.vape"),
        ("sites/elm.toml", 'trouble = "trouble"', 'trouble = "medical"', "policies.trouble"),
        ("alertd.toml", 'trouble_policy = "trouble"', 'trouble_policy = "medical"', "district.trouble_policy"),
        ("policies/medical.toml", "[[steps]]", "cancel_window_s = 10\n[[steps]]", "cancel_window_s"),
    ],
    ids=["policy of another class", "trouble policy", "district's trouble policy", "policy"],
)
def test_problem_of_a_key_stands_at_its_line(school, file, old, new, key):
    path = school.directory / file
    path.write_text(path.read_text().replace(old, new, 1))

    lines = path.read_text().splitlines()
    here = [p for p in school.lint_problems() if (p.file, p.key) == (file, key)]
    assert here
    assert all(key.rpartition(".")[2] in lines[p.line - 1] for p in here), here


def test_policy_of_a_dispatch_less_lockdown_stands_at_its_line(school):
    school.replace("policies/lockdown.toml", '  { destination = "county-dispatch" },\n', "")

    lines = (school.directory / "sites/oak.toml").read_text().splitlines()
    (problem,) = [p for p in school.lint_problems() if p.file == "sites/oak.toml"]
    assert "lockdown" in lines[problem.line - 1]


def test_destination_whose_name_is_its_address_is_never_an_emergency_number(school):
    school.append("channels.toml", '\n[destinations.911]\nchannel = "sms"\nsites = ["oak"]\n')

    (problem,) = school.read_problems()
    assert problem.is_error
    assert problem.key == "destinations.911.address"
    assert "must never be dialled" in problem.message


@pytest.mark.parametrize("kind", ["voice", "pager", "panel"])
def test_whatever_else_might_dial_never_dials_an_emergency_number(school, kind):
    school.append(
        "channels.toml",
        f'\n[channels.other]\nplugin = "{kind}_x"\n'
        '[destinations.x]\nchannel = "other"\nsites = ["oak"]\naddress = "9,911"\n',
    )

    assert ["must never be dialled" in p.message for p in school.read_problems()] == [True]


def test_address_that_nobody_dials_may_hold_any_digits(school):
    school.append(
        "channels.toml",
        """
[channels.dispatch-webhook.destinations.911-center]
url = "https://911.example.org/"
signing_secret = "x"
[destinations.x]
channel = "dispatch-webhook"
sites = ["oak"]
address = "911-center"
""",
    )

    assert school.problems() == ()


def test_dispatch_by_text_to_an_example_number_is_refused_outside_the_demo(school):
    school.replace("alertd.toml", "demo = true", "")
    school.replace("channels.toml", 'channel = "dispatch-webhook"', 'channel = "sms"\naddress = "+12025550199"')

    (problem,) = [p for p in school.problems() if p.key == "address"]
    assert problem.is_error
    assert "example number" in problem.message


def test_lockdown_that_is_not_announced_although_there_are_loudspeakers_is_warned_of(school):
    school.replace("policies/lockdown.toml", '  { announcement = "lockdown", loudspeakers = "all" },\n', "")
    policy = (school.directory / "policies/lockdown.toml").read_text()
    school.write("policies/lockdown.toml", "".join(x for x in policy.splitlines(True) if "announce_again_s" not in x))

    found = {(p.file, p.key) for p in school.lint_problems() if "nothing is said over the loudspeakers" in p.message}
    assert found == {(f"sites/{site}.toml", "policies.lockdown") for site in ("oak", "elm")}
