"""A wrong section is refused with its key and what to write instead; secrets never stand in it."""

import pytest

from alertd.ports import API_VERSION, HttpResponse, SettingsError
from alertd.testing.scripted_http import ScriptedHttp
from alertd_adapters.webhook import plugin
from tests.adapters.doubles import surroundings

SECRETS = {
    "county": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "bare": "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "short": "whsec_c2hvcnQ=",
    "words": "whsec_correct horse battery staple!",
}
GOOD = {"url": "https://dispatch.example/alerts", "signing_secret": "county"}


def build(destination, *, public_base_url=None, name="county", **channel):
    http = ScriptedHttp(lambda request: HttpResponse(status=500))
    around = surroundings(http, SECRETS, public_base_url=public_base_url)
    return plugin.build("dispatch", {"destinations": {name: destination}, **channel}, around)


def test_a_good_section_makes_a_channel():
    built = build(GOOD)

    assert plugin.api_version == API_VERSION
    assert built.channel is not None
    assert (built.channel.name, built.channel.kind) == ("dispatch", "webhook")
    assert built.callbacks is None, "nobody can reach us"
    assert build(GOOD, public_base_url="https://alerts.example").callbacks is not None


def test_a_secret_without_its_prefix_is_taken():
    assert build(GOOD | {"signing_secret": "bare"}).channel is not None


@pytest.mark.parametrize(
    ("change", "key", "says"),
    [
        ({"url": "http://dispatch.example"}, "destinations.county.url", "https://"),
        ({"url": "ftp://dispatch.example"}, "destinations.county.url", "https://"),
        ({"url": "dispatch.example"}, "destinations.county.url", "https://"),
        ({"url": "https://[::1"}, "destinations.county.url", "not a URL"),
        ({"url": "https://a.example:99999"}, "destinations.county.url", "not a URL"),
        ({"url": "https://a.example/ x"}, "destinations.county.url", "not a URL"),
        ({"url": "https://u:p@a.example/"}, "destinations.county.url", "secrets never stand in files"),
        ({"url": "https://a.example/#x"}, "destinations.county.url", "fragment"),
        ({"url": "https://10.0.0.7/"}, "destinations.county.url", 'private_addresses = "allow"'),
        ({"url": "http://127.0.0.1:8000/"}, "destinations.county.url", 'private_addresses = "allow"'),
        ({"url": "https://169.254.169.254/"}, "destinations.county.url", "link-local"),
        ({"signing_secret": "nowhere"}, "destinations.county.signing_secret", "nowhere"),
        ({"signing_secret": "short"}, "destinations.county.signing_secret", "24"),
        ({"signing_secret": "words"}, "destinations.county.signing_secret", "base64"),
        ({"signing_secret": []}, "destinations.county.signing_secret", ""),
        ({"private_addresses": "maybe"}, "destinations.county.private_addresses", "maybe"),
        ({"uri": "x"}, "destinations.county.uri", "known"),
    ],
    ids=lambda value: str(value)[:50] if isinstance(value, dict) else "",
)
def test_a_wrong_key_is_named_with_its_remedy(change, key, says):
    with pytest.raises(SettingsError) as caught:
        build(GOOD | change)

    assert key in caught.value.key or caught.value.key.startswith("destinations")
    assert says in str(caught.value)
    for value in SECRETS.values():
        assert value.removeprefix("whsec_") not in str(caught.value)


def test_this_machine_may_be_called_where_it_is_meant():
    assert build(GOOD | {"url": "http://127.0.0.1:8000/", "private_addresses": "allow"}).channel is not None
    assert build(GOOD | {"url": "http://localhost:8000/"}, private_addresses="allow").channel is not None


def test_http_stays_inside_this_machine():
    with pytest.raises(SettingsError, match="https"):
        build(GOOD | {"url": "http://10.0.0.7/", "private_addresses": "allow"})


def test_no_destinations_at_all_is_refused():
    with pytest.raises(SettingsError):
        plugin.build("dispatch", {}, surroundings(ScriptedHttp(lambda request: HttpResponse(status=500)), SECRETS))


def test_a_destination_is_not_called_like_an_emergency_number():
    with pytest.raises(SettingsError, match="911"):
        build(GOOD, name="911")
