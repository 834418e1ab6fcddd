"""Whatever can be configured is documented. (datasette's trick: the test knows every key, not the author.)"""

import re
from pathlib import Path

from alertd.config import devices, people
from alertd.config.loading import read
from alertd.config.settings import Settings
from alertd.lint.findings import Judge
from alertd.lint.longest import longest_params
from alertd.lint.templates import KNOWN
from alertd.model.ids import SiteId
from alertd.model.incident import IncidentClass

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "configuration.md").read_text()
CODE = set(re.findall(r"`[^`]+`", TEXT))
WORDS = {word.strip(".") for span in CODE for word in re.findall(r"[a-z_0-9.]+", span)}


def test_every_key_that_is_looked_for_is_documented(school):
    _, reading = read(school.directory, {})
    named_by_users = {name.rpartition(":")[2] for names in reading.names.values() for name in names}
    asked = {key for source in reading.sources for key in source.asked}
    own = {section.plugin: set(section.settings) for section in school.load().sections}

    keys = {key for key in asked if not re.search(r"[A-Z0-9-]", key)} - named_by_users - set().union(*own.values())
    keys -= {"hold", "vape", "masking", "emergency", "tamper"}  # a device's own words
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
