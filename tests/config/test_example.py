"""The school in config/ is a promise: it loads, it passes, and the shipped adapters accept its sections."""

import re
import tomllib
from pathlib import Path

import pytest

import alertd.exports
from alertd.engine.gsm7 import septets
from alertd.engine.wording import render
from alertd.lint.findings import Judge
from alertd.lint.longest import longest_params
from alertd.model.ids import DISTRICT, DeviceId, PersonId, PolicyId, SiteId
from alertd.model.incident import IncidentClass, is_panic
from alertd.model.mode import Mode
from alertd.model.people import PersonKind
from alertd.model.policy import TargetKind
from alertd.model.site import DeviceKind
from alertd_adapters.mqtt.settings import parse_settings as parse_mqtt
from alertd_adapters.twilio.settings import parse_settings as parse_twilio
from alertd_adapters.webhook.settings import parse_settings as parse_webhook
from tests.config.conftest import EXAMPLE

STARTER = Path(alertd.exports.__file__).parent / "starter/policies"


def test_example_has_no_problem(school):
    assert school.problems() == ()


def test_example_is_a_whole_district(school):
    """Issue 4: what an admin copies from has every kind of person and device, at both schools."""
    registry = school.load().registry
    people, devices = registry.people.values(), registry.devices.values()

    assert (len(registry.sites) - 1, len(people), len(devices)) == (2, 40, 80)
    assert {p.kind for p in people} >= {PersonKind.STAFF, PersonKind.RESPONDER, PersonKind.PARENT}
    assert {p.language for p in people} >= {"en", "es"}
    for site in ("oak", "elm"):
        here = [d for d in devices if d.site_id == site]
        assert {d.kind for d in here} == set(DeviceKind)
        assert {d.gestures.id for d in here} >= {"badge", "wall-button", "medical-button", "vape-sensor"}
        assert [d.id for d in here if d.roaming_sites] or site == "elm"
        assert set(registry.sites[SiteId(site)].policies) == {
            "lockdown", "staff_assist", "medical", "hold", "vape", "masking", "tamper", "trouble", "duress",
            "police_duress", "fire", "environmental",
        }  # fmt: skip
    assert {schedule.site_id for schedule in registry.schedules.values()} == {"oak", "elm"}
    assert [zone.id for zone in registry.zones.values() if not zone.spoken or not zone.nearest_exterior_door] == []


def test_what_its_loudspeakers_say_in_a_drill_is_known(school):
    pa = school.load().registry.channels["pa"]
    assert pa.announced("lockdown", Mode.LIVE) == "Lockdown! Locks, lights, out of sight."
    assert pa.announced("lockdown", Mode.DRILL) == "Lockdown drill. Locks, lights, out of sight."
    assert pa.announced("hold", Mode.DRILL) == pa.announced("hold", Mode.LIVE)


def test_shipped_adapters_accept_the_sections(school):
    sections = {section.plugin: section for section in school.load().sections}

    assert parse_mqtt(sections["mqtt"].settings).host == "localhost"
    assert parse_twilio(sections["sms_twilio"].settings, None).from_numbers
    assert parse_webhook(sections["webhook"].settings).destinations


def test_lockdown_tells_responders_staff_and_dispatch_at_once_and_a_second_tier_after_a_short_wait(school):
    policy = school.load().registry.policies[PolicyId("lockdown")]

    first, second = policy.steps[:2]
    assert {target.kind for target in first.targets} == {
        TargetKind.GROUP, TargetKind.SITE_STAFF, TargetKind.DESTINATION, TargetKind.LOUDSPEAKERS,
    }  # fmt: skip
    assert first.wait_s <= 30
    assert [target.id for target in second.targets] == ["backup"]


def test_a_person_has_a_text_endpoint_and_the_district_a_technician(school):
    registry = school.load().registry

    assert [e.key for e in registry.people[PersonId("ruiz")].endpoints] == [
        "sms:+12025550110",
        "voice:+12025550110",
        "notices:+12025550110",
    ]
    technicians = set(registry.by_group["technicians"])
    assert technicians <= set(registry.site_staff[DISTRICT])
    assert len(technicians) >= 2, "one of them is on holiday"


def test_a_roaming_badge_reaches_its_two_sites_only(school):
    device = school.load().registry.devices[DeviceId("badge-reed")]

    assert (device.site_id, device.roaming_sites) == (SiteId("oak"), (SiteId("elm"),))


def test_every_text_fits_one_message_when_rendered_without_shortening(school):
    """Req 53, proved without the linter: each template of each site, longest case."""
    loaded = school.load()
    judge = Judge(loaded)
    rendered = [
        render(text, longest_params(judge, site, policy.incident_class), 0)
        for site, incident_class, policy in judge.uses()
        for name, text in policy.templates.items()
        if name.startswith("trouble") == (incident_class == "trouble")
    ]

    assert len(rendered) > 100
    assert [text for text in rendered if (septets(text) or 999) > 160] == []


def test_every_text_with_the_short_words_of_a_place_has_room_for_its_age(school):
    """Req 5: each template of each site, longest case, with the place of a wearable. A correction of a lockdown sends
    nobody anywhere, and has words that must not be left out."""
    judge = Judge(school.load())
    rendered = [
        (name, render(text, longest_params(judge, site, policy.incident_class) | AGED, 160))
        for site, incident_class, policy in judge.uses()
        for name, text in policy.templates.items()
        if "{short_where}" in text and not name.startswith(("call.", "correction.")) and incident_class in PANICS
    ]

    assert len(rendered) > 50
    assert [text for _, text in rendered if (septets(text) or 999) > 160] == []
    assert {name: text for name, text in rendered if not NEAR_ROOM.search(text)} == {}


PANICS = {each.value for each in IncidentClass if is_panic(each)}
AGED = {"short_where": "MAYBE NEAR 2nd fl East (12 min ago)"}
NEAR_ROOM = re.compile(r"(MAYBE NEAR 2nd fl East \(12 min ago\)|NEAR\? 2nd fl E\w* \(12 min\))")


def test_all_numbers_are_fiction(school):
    registry = school.load().registry

    numbers = {e.address for p in registry.people.values() for e in p.endpoints}
    assert all(number.startswith("+1202" + "55501") for number in numbers)


def test_a_dispatch_centre_learns_where_to_report_if_it_can_reach_us(school, monkeypatch):
    monkeypatch.setenv("ALERTD_LISTEN", "127.0.0.1:8443")
    monkeypatch.setenv("ALERTD_PUBLIC_BASE_URL", "https://alertd.example.org/")

    county = school.load().registry.destinations["county-dispatch"]

    assert county.reply_url == "https://alertd.example.org/v1/callbacks/dispatch-webhook?d=county-dispatch"


def test_a_dispatch_centre_behind_nat_gets_no_address(school):
    assert school.load().registry.destinations["county-dispatch"].reply_url is None


WRITTEN = [*EXAMPLE.glob("policies/*.toml"), *STARTER.glob("*.toml")]


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: f"{path.parent.parent.name}/{path.name}")
def test_its_words_are_true_whatever_a_sensor_is_called_and_however_few_were_told(path: Path):
    policy = tomllib.loads(path.read_text())
    for name, template in policy.get("templates", {}).items():
        said = render(template, {"who": "halo", "device": "halo", "what": "", "tried": "1"})
        assert "1 people" not in said, f"{name}: nobody says so"
        if policy.get("class") == "vape":
            assert "vape" in said, f"{name}: of what the halo speaks, nobody reads"
