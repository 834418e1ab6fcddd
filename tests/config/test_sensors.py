"""Sensors in the configuration: what is read, and what `check` refuses, with file, line and key (req 65 to 73)."""

import pytest

from alertd.model.policy import Corroboration
from alertd.model.site import Thresholds

READINGS = 'actions = { vape = "vape", masking = "masking", tamper = "tamper" }\n'
VAPE = 'targets = [{ schedule = "oak-duty" }, { schedule = "elm-duty" }, { group = "nurses" }]'
SHOT = """class = "gunshot_sensor"

[corroborated]
within_s = 45
raises = "lockdown"

[[steps]]
targets = [{ schedule = "oak-duty" }, { schedule = "elm-duty" }, { group = "responders" }]

[templates]
"alert.responder" = "{site} {where}: SHOT heard {time} by {who}. Reply 4{token} going, 9{token} to lock down."
"""


def found(problems, says):
    here = [p for p in problems if says in p.message]
    assert here, [p.message for p in problems]
    return here[0]


def test_thresholds_and_limits_are_read(school):
    school.replace(
        "gestures.toml",
        READINGS,
        READINGS + "cool_down_s = 300\nstorm_per_h = 9\nreadings.vape = { trigger = 60, release = 25, for_s = 20 }\n",
    )
    loaded = school.load()
    assert loaded.problems == ()
    rules = loaded.registry.devices["vape-112"].gestures.sensor
    assert (rules.cool_down_s, rules.storm_per_h) == (300, 9)
    assert rules.thresholds == {"vape": Thresholds(trigger=60, release=25, for_s=20)}


@pytest.mark.parametrize(
    ("readings", "key", "says"),
    [
        ("readings.vape = { trigger = 20, release = 50 }", "vape-sensor.readings.vape.release", "is not below trigger"),
        ("readings.vape = { trigger = 20, release = 20 }", "vape-sensor.readings.vape.release", "is not below trigger"),
        ("readings.vape = { release = 20 }", "vape-sensor.readings.vape.trigger", "is missing"),
        ("readings.vap = { trigger = 50, release = 20 }", "vape-sensor.readings.vap", "its actions do not know"),
        ("readings.vape = { trigger = 50, release = 20, fors = 3 }", "vape-sensor.readings.vape.fors", "unknown"),
        ("cool_down_s = 1", "vape-sensor.cool_down_s", "out of range"),
        ("storm_per_h = 0", "vape-sensor.storm_per_h", "out of range"),
    ],
)
def test_thresholds_that_cannot_work_are_refused(school, readings, key, says):
    line = school.replace("gestures.toml", READINGS, f"{READINGS}{readings}\n") + 1

    problem = found(school.read_problems(), says)
    assert (problem.file, problem.line, problem.key) == ("gestures.toml", line, key)
    assert problem.is_error
    assert problem.remedy


def test_a_sensor_without_a_place_is_refused_when_the_file_is_read(school):
    line = school.replace("devices.csv", "vape-112,sensor,oak,wc-112,", "vape-112,sensor,oak,,")

    problem = found(school.read_problems(), "nobody would know where to go")
    assert (problem.file, problem.line, problem.is_error) == ("devices.csv", line, True)


def test_a_sensor_that_would_sound_a_panic_is_refused(school):
    school.replace("gestures.toml", READINGS, READINGS.replace('"tamper" }', '"tamper", hold = "lockdown" }'))

    assert found(school.lint_problems(), "alone would raise lockdown").is_error


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("{ site_staff = true }", "would tell everybody of vape"),
        ('{ destination = "county-dispatch" }', "would tell dispatch of vape"),
        ('{ announcement = "hold", loudspeakers = "all" }', "would tell everybody of vape"),
    ],
)
def test_a_nuisance_is_told_to_few(school, target, says):
    school.replace("policies/vape.toml", VAPE, VAPE.replace('{ group = "nurses" }', target))

    assert found(school.lint_problems(), says).is_error


def test_a_large_group_is_a_mass_message_too(school):
    people = (school.directory / "people.csv").read_text()
    school.write(
        "people.csv", people.replace(",staff,teacher", ",staff,teacher").replace(",oak,,+", ",oak,everybody,+")
    )
    line = school.replace("policies/vape.toml", VAPE, VAPE.replace('"nurses"', '"everybody"'))

    problem = found(school.lint_problems(), "people at oak of vape")
    assert (problem.file, problem.line, problem.is_error) == ("policies/vape.toml", line, True)


def test_a_nuisance_that_is_told_day_and_night_to_the_same_people_is_doubtful(school):
    school.replace("policies/vape.toml", VAPE, 'targets = [{ group = "nurses" }]')

    problem = found(school.lint_problems(), "the same people day and night")
    assert not problem.is_error


# --- a shot ---------------------------------------------------------------------------------------------------------


def with_shot(school, text=SHOT):
    school.write("policies/gunshot_sensor.toml", text)
    for site in ("oak", "elm"):
        school.replace(
            f"sites/{site}.toml", 'tamper = "tamper"', 'tamper = "tamper"\ngunshot_sensor = "gunshot_sensor"'
        )


def test_what_a_second_sensor_makes_of_a_shot_is_read(school):
    with_shot(school)
    loaded = school.load()
    assert loaded.problems == ()
    policy = loaded.registry.policies["gunshot_sensor"]
    assert policy.corroborated == Corroboration(within_s=45, raises="lockdown", by_press=True)
    assert not [p for p in school.lint_problems() if p.is_error]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('raises = "lockdown"', 'raises = "vape"', "is no panic"),
        ('raises = "lockdown"', 'raise = "lockdown"', "unknown"),
        ("within_s = 45", "within_s = 0", "out of range"),
    ],
)
def test_corroboration_that_cannot_work_is_refused(school, old, new, says):
    with_shot(school, SHOT.replace(old, new))
    assert found(school.read_problems(), says).file == "policies/gunshot_sensor.toml"


def test_only_shots_wait_for_corroboration(school):
    school.append("policies/masking.toml", '\n[corroborated]\nraises = "lockdown"\n')
    assert found(school.read_problems(), "means nothing for masking").is_error


def test_a_shot_becomes_only_what_the_site_has_a_policy_for(school):
    with_shot(school, SHOT.replace('raises = "lockdown"', 'raises = "hold"'))
    school.replace("sites/oak.toml", 'hold = "hold"\n', "")
    assert found(school.lint_problems(), "would become hold, for which oak has no policy").is_error


def test_a_shot_that_is_heard_in_a_drill_fits_behind_the_words_that_it_is_none(school):
    with_shot(school)
    assert not [p for p in school.lint_problems() if "heard in a drill" in p.message]
    school.replace("policies/gunshot_sensor.toml", "by {who}.", f"by {{who}}. {'Listen. ' * 10}")
    warned = found(school.lint_problems(), "when it is heard in a drill: NOT A DRILL. ")
    assert warned.file == "policies/gunshot_sensor.toml"


def test_whoever_reads_of_a_shot_must_be_able_to_lock_down(school):
    with_shot(school, SHOT.replace(", 9{token} to lock down", ""))
    assert not found(school.lint_problems(), "does not say how to lock down").is_error


# --- senders --------------------------------------------------------------------------------------------------------


def test_sensors_that_share_the_sender_of_lockdowns_are_loudly_warned_of(school):
    school.replace("channels.toml", "notices = true\n", "")

    problem = found(school.lint_problems(), "whoever texts STOP to a vape notice gets no lockdown text any more")
    assert (problem.file, problem.is_error) == ("channels.toml", False)
    assert "notices = true" in problem.remedy


def test_notices_from_the_numbers_of_lockdowns_are_refused(school):
    line = school.replace("channels.toml", '["+12025550104"]', '["+12025550102"]')

    problem = found(school.lint_problems(), "+12025550102 is also of channel sms")
    assert problem.is_error
    assert 0 < problem.line <= line


def test_a_messaging_service_beside_another_channel_of_the_account_is_refused(school):
    service = f'messaging_service_sid = "MG{"0" * 32}"'
    school.replace("channels.toml", 'from_numbers = ["+12025550104"]', service)

    assert found(school.lint_problems(), "STOP to the one would count for both").is_error


def test_a_district_with_a_sender_of_notices_only_is_refused(school):
    numbers = 'from_numbers = ["+12025550101", "+12025550102"]\n'
    school.replace("channels.toml", numbers, f"{numbers}notices = true\n")

    assert found(school.lint_problems(), "a lockdown has none of its own").is_error


def test_a_lockdown_over_the_sender_of_notices_is_refused(school):
    school.replace("policies/lockdown.toml", 'channels = ["sms", "voice"]', 'channels = ["notices", "voice"]')

    assert found(school.lint_problems(), "over notices, the sender of notices").is_error


def test_everybody_with_a_phone_can_be_told_over_the_sender_of_notices_and_that_comes_last(school):
    people = school.load().registry.people
    told = {tuple(e.channel for e in p.endpoints)[-1] for p in people.values() if p.endpoints}
    assert told == {"notices"}
