"""A reload is taken whole or refused whole (req 101)."""

import pytest

from alertd import lint
from alertd.config import Loaded, Refused, load
from alertd.model.ids import PolicyId


def test_good_change_is_taken(school):
    current = school.load()
    school.replace("policies/lockdown.toml", "arrive_within_s = 300", "arrive_within_s = 240")

    taken = lint.reload(current)
    assert isinstance(taken, Loaded)
    assert taken.registry.policies[PolicyId("lockdown")].arrive_within_s == 240
    assert taken.registry.version != current.registry.version


def test_same_content_has_the_same_version(school):
    current = school.load()
    text = (school.directory / "sites/oak.toml").read_text()
    school.write("sites/oak.toml", "# only a comment\n" + text)

    assert school.load().registry.version == current.registry.version


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("people.csv", "+12025550111", "nobody"),
        ("devices.csv", "button-204,button,oak,rm-204", "button-204,button,oak,"),
        ("alertd.toml", '"/var/lib/alertd"', '"/srv/alertd"'),
        ("alertd.toml", "demo = true", "demo = false"),
    ],
    ids=["cannot be read", "would be unsafe", "cannot change while running", "example numbers"],
)
def test_bad_change_is_refused_with_its_reasons(school, file, old, new):
    current = school.load()
    school.replace(file, old, new)

    refused = lint.reload(current)
    assert isinstance(refused, Refused)
    assert any(problem.is_error for problem in refused.problems)


@pytest.mark.parametrize("file", ["people.csv", "devices.csv"])
def test_export_that_was_cut_off_is_refused(school, file):
    """Half a roster is valid CSV; nobody would notice until the press that tells nobody."""
    current = school.load()
    lines = (school.directory / file).read_text().splitlines()
    school.write(file, "\n".join(lines[:5]) + "\n")

    refused = lint.reload(current)
    assert isinstance(refused, Refused)
    assert any(p.file == file and "cut off" in p.message for p in refused.problems)


def test_warnings_do_not_stop_a_reload(school):
    current = school.load()
    school.write("policies/spare.toml", (school.directory / "policies/tamper.toml").read_text())

    assert isinstance(lint.reload(current), Loaded)


def test_what_the_caller_replaced_stays_replaced(school):
    current = load(school.directory, {"daemon.state_dir": "/tmp/elsewhere"})

    taken = lint.reload(current)

    assert isinstance(taken, Loaded), taken
    assert str(taken.settings.state_dir) == "/tmp/elsewhere"


def test_what_one_caller_replaced_is_not_replaced_for_the_next(school):
    replaced = load(school.directory, {"sources.broker.port": 18830, "daemon.log_format": "console"})

    plain = school.load()

    assert replaced.sections[0].settings["port"] == 18830
    assert plain.sections[0].settings.get("port") != 18830
    assert plain.settings.log_format != replaced.settings.log_format


def test_what_a_plugin_does_with_its_settings_stays_with_it(school):
    (wired, *_) = school.load().sections
    wired.settings["triggers"].clear()

    assert school.load().sections[0].settings["triggers"]
