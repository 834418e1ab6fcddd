"""Settings of the process, and where secrets come from."""

from pathlib import Path

import pytest

from alertd.config import secret
from alertd.config.credentials import leaks
from alertd.ports import SettingsError


def test_environment_beats_the_file(school, monkeypatch):
    monkeypatch.setenv("ALERTD_STATE_DIR", "/srv/alertd")

    settings = school.load().settings
    assert settings.state_dir == Path("/srv/alertd")
    assert settings.store == "sqlite:////srv/alertd/alertd.db"
    assert settings.socket == Path("/srv/alertd/alertd.sock")


def test_empty_variable_is_no_variable(school, monkeypatch):
    monkeypatch.setenv("ALERTD_STATE_DIR", "")

    assert school.load().settings.state_dir == Path("/var/lib/alertd")


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("ALERTD_BALLAST_MIB", "lots", "valid integer"),
        ("ALERTD_LISTEN", "8420", "127.0.0.1:8420"),
        ("ALERTD_HEARTBEAT_URL", "watch.example.org", "valid URL"),
        ("ALERTD_STORE_URL", "mysql://x", "sqlite:////"),
        ("ALERTD_STORE_URL", "postgresql://u:pw@h/alertd", "password does not belong here"),
    ],
)  # fmt: skip
def test_wrong_variable_is_a_problem_of_the_environment(school, monkeypatch, variable, value, message):
    monkeypatch.setenv(variable, value)

    (problem,) = school.read_problems()
    assert (problem.file, problem.key) == ("environment", variable)
    assert message in problem.message
    assert "pw" not in problem.message


def test_misspelt_variable_is_warned_of(school, monkeypatch):
    monkeypatch.setenv("ALERTD_STAET_DIR", "/srv")

    (problem,) = school.read_problems()
    assert (problem.key, problem.is_error) == ("ALERTD_STAET_DIR", False)
    assert "ALERTD_STATE_DIR" in problem.remedy


def test_waits_are_shortened_in_a_demo_only(school, monkeypatch):
    monkeypatch.setenv("ALERTD_DEMO_WAIT_S", "3")
    assert {step.wait_s for p in school.load().registry.policies.values() for step in p.steps} == {3}

    school.replace("alertd.toml", "demo = true", "")
    loaded = school.load()
    assert [p.key for p in loaded.problems] == ["daemon.demo_wait_s"]
    assert loaded.registry.policies["lockdown"].steps[0].wait_s == 30


def test_secret_comes_from_the_environment_first_then_from_systemd(monkeypatch, tmp_path):
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "broker-password").write_text("from systemd\n")
    assert secret("broker-password") == "from systemd"

    monkeypatch.setenv("ALERTD_SECRET_BROKER_PASSWORD", "from the environment")
    assert secret("broker-password") == "from the environment"


def test_missing_secret_says_both_places(monkeypatch):
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)

    with pytest.raises(LookupError, match=r"ALERTD_SECRET_BROKER_PASSWORD.*LoadCredential=broker-password"):
        secret("broker-password")


@pytest.mark.parametrize("name", ["../etc/passwd", "a/b", "", "a b", "x" * 65])
def test_name_of_a_secret_is_never_a_path(monkeypatch, tmp_path, name):
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    with pytest.raises(LookupError, match="not a name"):
        secret(name)


def test_credential_that_is_not_text_is_named_without_its_value(monkeypatch, tmp_path):
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "key").write_bytes(b"\xff\xfe")

    with pytest.raises(LookupError, match="not UTF-8"):
        secret("key")


@pytest.mark.parametrize(
    "settings",
    [
        {"password": "x"},
        {"api_key": "x"},
        {"auth_token": "x"},
        {"nested": {"deep": [{"token": "x"}]}},
        {"header": "Bearer abcdefgh"},
        {"anything": "SK" + "0" * 32},
        {"url": "mqtt://user:pw@host"},
        {"token_secret": "not a name at all!"},
    ],
)  # fmt: skip
def test_secret_in_clear_is_found_and_never_quoted(settings):
    (leak,) = leaks(settings)

    assert "ALERTD_SECRET_" in leak.remedy
    assert "0" * 32 not in leak.remedy + leak.message
    assert "pw@" not in leak.remedy + leak.message


@pytest.mark.parametrize(
    "settings", [{"token_secret": "twilio-token"}, {"key": "/etc/ssl/key.pem"}, {"keepalive_s": 15}, {"url": "https://x.example"}]
)  # fmt: skip
def test_honest_settings_are_no_leaks(settings):
    assert leaks(settings) == []


def test_plugin_error_gets_the_line_of_its_key(school):
    section = next(s for s in school.load().sections if s.name == "broker")
    text = (school.directory / "channels.toml").read_text()
    line = text[: text.index('topic = "zigbee2mqtt/+"')].count("\n") + 1

    problem = section.problem(SettingsError("triggers[1].topic", "is wrong"))
    assert (problem.file, problem.line, problem.key) == ("channels.toml", line, "sources.broker.triggers[1].topic")
    assert section.problem(SettingsError("nothing", "is missing")).line == section.line
    assert section.secret_names == ("broker-password",)


def test_section_that_only_moved_is_the_same(school):
    before = school.load().sections
    text = (school.directory / "channels.toml").read_text()
    school.write("channels.toml", "\n\n" + text)
    assert school.load().sections == before

    school.replace("channels.toml", "port = 1883", "port = 1884")
    assert school.load().sections != before
