"""Settings of the process, and where secrets come from."""

from pathlib import Path

import pytest

from alertd import lint
from alertd.config import render_problems, secret
from alertd.config.credentials import leaks, variable_of
from alertd.console.plugin_check import unbuildable
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


def test_an_empty_line_is_no_secret(monkeypatch, tmp_path):
    """Somebody pressed Enter and pasted nothing; or a unit stands in for a file that is not there."""
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "broker-password").write_text("\n")

    with pytest.raises(LookupError, match="is not set"):
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

    problem = section.problem(SettingsError("triggers[2].topic", "is wrong"))
    assert (problem.file, problem.line, problem.key) == ("channels.toml", line, "sources.broker.triggers[2].topic")
    assert section.problem(SettingsError("nothing", "is missing")).line == section.line
    assert section.secret_names == ("broker-password",)


def test_section_that_only_moved_is_the_same(school):
    before = school.load().sections
    text = (school.directory / "channels.toml").read_text()
    school.write("channels.toml", "\n\n" + text)
    after = school.load().sections
    assert after == before
    assert [one for one, former in zip(after, before, strict=True) if one != former] == [], "as a reload asks"

    school.replace("channels.toml", "port = 1883", "port = 1884")
    assert school.load().sections != before


PASTED = [
    "AC" + "0a" * 16,
    "SK" + "0b" * 16,
    "whsec_" + "c2VjcmV0c2VjcmV0",
    "d0" * 16,
    "0d" * 16,
    "correct horse battery",
]


@pytest.mark.parametrize("pasted", PASTED, ids=lambda value: value[:6])
@pytest.mark.parametrize(
    "old",
    ['"twilio-auth-token"\nfrom_numbers = ["+12025550101", "', '"broker-password"\ntriggers', '"dispatch-signing"'],
    ids=lambda value: value.split('"')[1],
)
@pytest.mark.parametrize("demo", [pytest.param("demo = true", marks=pytest.mark.slow), "demo = false"])
def test_secret_in_place_of_its_name_is_refused_and_never_shown(school, old, pasted, demo):
    """By whoever says something about it: reading, linter, plugin."""
    school.replace("channels.toml", old, old.replace(old.split('"')[1], pasted))
    school.replace("alertd.toml", "demo = true", demo)
    loaded = school.load()
    problems = (*loaded.problems, *lint.check(loaded), *unbuildable(loaded.sections, loaded.settings))

    assert any(p.is_error and p.file == "channels.toml" for p in loaded.problems)
    shown = render_problems(problems).casefold()
    assert pasted[7:].casefold() not in shown
    assert variable_of(pasted)[14:].casefold() not in shown


@pytest.mark.parametrize(
    "query",
    ["api_key=x", "v=1&access_token=x", "Token=x", "client-secret=x", "password=x", "sig=x", "key=x", "apiKey=x"],
)
def test_secret_in_a_query_is_found_and_never_quoted(query):
    (leak,) = leaks({"url": f"https://a.example/alerts?{query}opensesame"})

    assert "opensesame" not in leak.message + leak.remedy
    assert "secret in its URL" in leak.message


@pytest.mark.parametrize(
    "url", ["https://a.example/alerts?v=2&site=oak", "https://a.example/token/x", "https://a.example/?monkey=1"]
)
def test_honest_query_is_no_leak(url):
    assert leaks({"url": url}) == []


@pytest.mark.parametrize("key", ["heartbeat_url", "public_base_url"])
@pytest.mark.parametrize("url", ["https://x.example/?token=opensesame", "https://u:opensesame" + "@x.example/"])
def test_secret_in_a_url_of_the_process_is_refused_and_never_quoted(school, key, url):
    school.replace("alertd.toml", 'log_format = "json"', f'{key} = "{url}"')

    (problem,) = school.read_problems()
    assert (problem.key, problem.is_error) == (f"daemon.{key}", True)
    assert "opensesame" not in problem.message + problem.remedy


@pytest.mark.parametrize("variable", ["ALERTD_STATE_DIR", "ALERTD_SPARE_DIR", "ALERTD_SOCKET_PATH"])
def test_relative_path_is_refused(school, monkeypatch, variable):
    """What it is relative to, nobody knows: systemd's `/`, or wherever somebody typed the command."""
    monkeypatch.setenv(variable, "alertd")

    (problem,) = school.read_problems()
    assert (problem.key, problem.is_error) == (variable, True)
    assert "absolute" in problem.message


def test_store_at_a_relative_path_is_refused(school, monkeypatch):
    monkeypatch.setenv("ALERTD_STORE_URL", "sqlite:///alertd.db")

    (problem,) = school.read_problems()
    assert "sqlite:////" in problem.message


def test_callbacks_in_clear_are_warned_of(school):
    line = school.replace("alertd.toml", 'log_format = "json"', 'public_base_url = "http://alertd.example.org"')

    (problem,) = school.read_problems()
    assert (problem.key, problem.line, problem.is_error) == ("daemon.public_base_url", line, False)
    assert "https://" in problem.remedy


@pytest.mark.parametrize("url", ["https://alertd.example.org", "http://127.0.0.1:8420"])
def test_callbacks_behind_tls_or_on_this_machine_are_not(school, monkeypatch, url):
    monkeypatch.setenv("ALERTD_PUBLIC_BASE_URL", url)

    assert school.read_problems() == ()
