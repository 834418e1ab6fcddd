"""Whatever can be configured is documented. (datasette's trick: the test knows every key, not the author.)"""

import re
from pathlib import Path

import pytest
from msgspec.structs import fields as fields_of

from alertd.config import devices, people
from alertd.config.loading import read
from alertd.config.settings import Settings
from alertd.lint.findings import Judge
from alertd.lint.longest import longest_params
from alertd.lint.templates import KNOWN
from alertd.model.ids import SiteId
from alertd.model.incident import IncidentClass
from alertd_adapters.mqtt.settings import MqttSettings, TlsSettings, TriggerSettings
from alertd_adapters.twilio.settings import TwilioSettings
from alertd_adapters.twilio.voice_settings import VoiceSettings
from alertd_adapters.webhook.settings import DestinationSettings, WebhookSettings

DOCS = Path(__file__).resolve().parents[2] / "docs"
TEXT = (DOCS / "configuration.md").read_text()


def code_words(text):
    """Every word that stands between backticks."""
    return {word.strip(".") for span in re.findall(r"`[^`]+`", text) for word in re.findall(r"[a-z_0-9.]+", span)}


WORDS = code_words(TEXT)


def test_every_key_that_is_looked_for_is_documented(school):
    _, reading = read(school.directory, {})
    named_by_users = {name.rpartition(":")[2] for names in reading.names.values() for name in names}
    asked = {key for source in reading.sources for key in source.asked}
    own = {section.plugin: set(section.settings) for section in school.load().sections}

    keys = {key for key in asked if not re.search(r"[A-Z0-9-]", key)} - named_by_users - set().union(*own.values())
    keys -= {"hold", "vape", "masking", "emergency", "panic", "sos", "tamper"}  # a device's own words
    assert len(keys) > 60
    assert keys - WORDS == set()


def test_every_setting_and_column_is_documented():
    columns = {*people.REQUIRED, *people.OPTIONAL, *devices.REQUIRED, *devices.OPTIONAL}

    assert {*Settings.model_fields, *columns} - WORDS == set()


def test_every_class_template_and_placeholder_is_documented(school):
    loaded = school.load()
    placeholders = longest_params(Judge(loaded), loaded.registry.sites[SiteId("oak")], "lockdown")
    templates = {name.removesuffix(".responder").removesuffix(".staff") for name in KNOWN}
    shown = WORDS | {word.removesuffix(".responder") for word in WORDS}

    assert {f"{{{name}}}" for name in placeholders} - set(re.findall(r"\{[a-z_]+\}", TEXT)) == set()
    assert templates - shown == set()
    assert set(IncidentClass) - WORDS == set()


@pytest.mark.parametrize(
    ("plugin", "file", "heading", "settings"),
    [
        ("mqtt", "broker.md", "## The source's settings", (MqttSettings, TriggerSettings, TlsSettings)),
        ("sms_twilio", "configuration.md", "### `sms_twilio`", (TwilioSettings,)),
        ("voice_twilio", "configuration.md", "### `voice_twilio`", (VoiceSettings,)),
        ("webhook", "configuration.md", "### `webhook`", (WebhookSettings, DestinationSettings)),
    ],
    ids=["mqtt", "sms_twilio", "voice_twilio", "webhook"],
)
def test_every_setting_of_a_shipped_plugin_is_documented(plugin, file, heading, settings):
    """In its own section, with its own default: that another plugin has a key of this name helps nobody."""
    text = (DOCS / file).read_text()
    section = re.split(r"^##", text.partition(heading)[2], maxsplit=1, flags=re.MULTILINE)[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]

    fields = [field for each in settings for field in fields_of(each)]
    assert {field.name for field in fields} - code_words(section) == set()
    for field in fields:
        if isinstance(field.default, (int, float)) and not isinstance(field.default, bool):
            (row,) = [row for row in rows if field.name in code_words(row.split("|")[1])]
            assert f"{field.default:g}" in row.split("|")[2], f"{plugin}: {row}"


def test_exit_codes_are_documented():
    from alertd.console.terminal import Exit

    assert re.search(rf"alertd check .*exit {Exit.INVALID:d}", TEXT)
