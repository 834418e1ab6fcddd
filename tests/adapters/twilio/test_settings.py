"""A wrong section is refused with its key and what to write instead."""

import pytest

from alertd.ports import API_VERSION, HttpResponse, SettingsError
from alertd.testing.scripted_http import ScriptedHttp
from alertd_adapters.twilio import plugin
from tests.adapters.doubles import surroundings

GOOD = {"account_sid_secret": "sid", "auth_token_secret": "token", "from_numbers": ["+12025550100"]}
SECRETS = {"sid": "AC" + "0" * 32, "token": "t", "key": "SK" + "0" * 32}


def build(settings, **around):
    http = ScriptedHttp(lambda request: HttpResponse(status=500))
    return plugin.build("sms", settings, surroundings(http, SECRETS, **around))


def test_a_good_section_makes_a_channel_that_polls():
    built = build(GOOD)

    assert plugin.api_version == API_VERSION
    assert built.channel is not None
    assert built.channel.kind == "sms"
    assert built.channel.name == "sms"
    assert built.inbound is not None
    assert built.callbacks is None


def test_signed_callbacks_poll_as_well():
    built = build(GOOD | {"callbacks": "signed"}, public_base_url="https://alerts.example")

    assert built.callbacks is not None
    assert built.inbound is not None


def test_each_number_carries_one_text_a_second_unless_told_otherwise():
    """Req 50."""
    three = build(GOOD | {"from_numbers": ["+12025550100", "+12025550101", "+12025550102"]}).channel
    short_code = build(GOOD | {"per_s": 100}).channel

    assert three is not None
    assert three.limits.per_s == 3
    assert short_code is not None
    assert short_code.limits.per_s == 100
    assert not short_code.limits.paced, "promise 2: a panic waits for a rate that nobody vouched for"


def test_a_rate_that_somebody_vouches_for_is_kept_here():
    slow = build(GOOD | {"per_s": 1, "paced": True}).channel

    assert slow is not None
    assert (slow.limits.per_s, slow.limits.paced) == (1, True)


@pytest.mark.parametrize(
    ("change", "key", "says"),
    [
        ({"account_sid_secret": None}, "account_sid_secret", "str"),
        ({"auth_token_secret": "nowhere"}, "auth_token_secret", "nowhere"),
        ({"account_sid_secret": "key"}, "account_sid_secret", "API key"),
        ({"from_numbers": []}, "from_numbers", "messaging_service_sid"),
        ({"paced": True}, "paced", "needs per_s"),
        ({"messaging_service_sid": "MG" + "0" * 32}, "from_numbers", "not both"),
        ({"from_numbers": ["202-555-0100"]}, "from_numbers", "+12025550142"),
        ({"from_numbers": [], "messaging_service_sid": "MG1"}, "messaging_service_sid", "32 hex"),
        ({"base_url": "http://api.twilio.com"}, "base_url", "https://"),
        ({"base_url": "http://10.0.0.1:80"}, "base_url", "https://"),
        ({"base_url": "https://"}, "base_url", "https://"),
        ({"base_url": "https://user:pass@api.twilio.com"}, "base_url", "scheme and host"),
        ({"callbacks": "signed"}, "callbacks", "public_base_url"),
        ({"callbacks": "maybe"}, "callbacks", "maybe"),
        ({"validity_period_s": 40_000}, "validity_period_s", "36000"),
        ({"poll_s": 0}, "poll_s", "0.5"),
        ({"poll_s": 20, "idle_poll_s": 10}, "idle_poll_s", "poll_s"),
        ({"deadline": 3}, "deadline", "deadline_s"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_a_wrong_key_is_named_with_its_remedy(change, key, says):
    with pytest.raises(SettingsError) as caught:
        build(GOOD | change)

    assert caught.value.key == key
    assert says in str(caught.value)


def test_a_missing_key_is_named():
    with pytest.raises(SettingsError) as caught:
        build({"account_sid_secret": "sid"})

    assert caught.value.key == "auth_token_secret"


@pytest.mark.parametrize("url", ["http://127.0.0.1:8099", "http://localhost:8099/", "http://[::1]:8099"])
def test_a_fake_carrier_may_live_on_this_machine(url):
    assert build(GOOD | {"base_url": url}).channel is not None
