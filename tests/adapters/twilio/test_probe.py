"""What `alertd doctor` hears of an account, from a carrier that judges by itself. Nothing is sent."""

import pytest

from alertd.ports import Found, HttpResponse
from alertd_adapters.twilio import plugin, voice_plugin
from alertd_simulator.carrier import Carrier
from alertd_simulator.carrier_office import MessagingService
from alertd_simulator.virtual_time import run_virtual
from alertd_simulator.world_http import WorldHttp
from tests.adapters.doubles import SteadyClock, surroundings

HOSTS = [f"https://{product}.twilio.com" for product in ("api", "messaging", "voice", "accounts")]
TOKEN = "an-auth-token-of-the-tests"
OURS, TOLL_FREE, CANADIAN = "+12025550100", "+18885550100", "+14165550100"
RUIZ, CHEN, ABROAD = "+12025550142", "+12025550143", "+447700900142"
SERVICE = "MG" + "a" * 32


class Account:
    """A carrier, and how our plugins find it."""

    def __init__(self, *numbers: str) -> None:
        self.clock = SteadyClock()
        self.carrier = Carrier(clock=self.clock, auth_token=TOKEN, numbers=numbers or (OURS,))
        self.office = self.carrier.office
        self.http = WorldHttp(dict.fromkeys(HOSTS, self.carrier.handle))
        self.token = TOKEN

    def texts(self, *people: str, **settings: object) -> list[Found]:
        senders = {} if settings else {"from_numbers": list(self.carrier.numbers)}
        return self._ask(plugin, people or (RUIZ, CHEN), {**senders, **settings})

    def calls(self, *people: str, **settings: object) -> list[Found]:
        return self._ask(voice_plugin, people or (RUIZ, CHEN), {"from_numbers": list(self.carrier.numbers), **settings})

    def _ask(self, asked, people, settings) -> list[Found]:
        secrets = {"sid": self.carrier.account_sid, "token": self.token}
        around = surroundings(self.http, secrets, clock=self.clock)
        section = {"account_sid_secret": "sid", "auth_token_secret": "token", **settings}
        probe = asked.build("sms", section, around).probe

        async def all_of_it() -> list[Found]:
            return [found async for found in probe(people)]

        found = run_virtual(all_of_it())
        assert {exchange.method for exchange in self.http.exchanges} <= {"GET"}
        assert (self.carrier.texts, self.carrier.phones.calls, self.carrier.violations) == ({}, {}, [])
        assert TOKEN not in str(found)
        return found


def people_of(count: int) -> list[str]:
    """One in each area."""
    return [f"+1{201 + area}5550142" for area in range(count)]


def wrong(found: list[Found]) -> list[str]:
    return [each.text for each in found if not each.is_good]


def test_an_account_that_is_well_is_told_line_by_line():
    account = Account()

    assert [each.text for each in account.texts()] == [
        "lets us in; the account is active",
        "the balance is 250.00 USD",
        f"{OURS}: can text, in a verified A2P 10DLC campaign",
        "may text US (2 of our numbers)",
    ]
    assert wrong(account.calls()) == []


def test_wrong_credentials_are_the_only_finding():
    account = Account()
    account.token = "rotated"
    (only,) = account.texts()

    assert only.text == "Twilio refuses our credentials (HTTP 401, code 20003)"
    assert "auth token" in only.remedy
    assert only.grave


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_a_shut_account_is_the_only_finding(status: str):
    account = Account()
    account.office.status = status
    (only,) = account.calls()

    assert only.text == f"the account is {status}"
    assert only.grave


def test_a_trial_account_is_a_failure():
    account = Account()
    account.office.kind = "Trial"

    assert wrong(account.texts()) == ["the account is a trial account"]


@pytest.mark.parametrize(
    ("balance", "people", "words", "grave"),
    [
        ("0.00", 2, "the balance is 0.00 USD", True),
        ("9.00", 40, "the balance is 9.00 USD; telling 40 people once may cost 10.00", True),
        ("11.00", 40, "the balance is 11.00 USD, which is low for 40 people", False),
        ("39.00", 40, "the balance is 39.00 USD, which is low for 40 people", False),
        (None, 2, "not known how much money is left: HTTP 404, code 20404", False),  # a subaccount
    ],
)
def test_money_is_judged_by_how_many_people_are_told(balance, people, words, grave):
    account = Account()
    account.office.balance = balance
    found = account.texts(*people_of(people))

    assert [(each.text, each.grave) for each in found if not each.is_good] == [(words, grave)]


def test_enough_money_is_enough():
    account = Account()
    account.office.balance = "41.00"

    assert wrong(account.texts(*people_of(40))) == []


def test_a_number_of_somebody_else_or_without_the_ability_is_named():
    account = Account()
    account.office.without_sms = {OURS}
    account.office.without_voice = {OURS}

    assert wrong(account.texts()) == [f"{OURS} cannot text"]
    assert wrong(account.calls()) == [f"{OURS} cannot call"]
    stranger = "+12025550199"
    assert wrong(account.texts(from_numbers=[stranger])) == [f"{stranger} is not a number of this account"]
    assert wrong(account.calls(from_numbers=[stranger])) == [
        f"{stranger} is neither a number nor a verified caller id of this account"
    ]
    account.office.verified_callers = {stranger}
    assert wrong(account.calls(from_numbers=[stranger])) == []


@pytest.mark.parametrize("campaign", ["IN_PROGRESS", "FAILED", ""])
def test_a_long_code_without_a_verified_campaign_is_blocked_in_the_us(campaign: str):
    account = Account()
    account.office.services = {SERVICE: MessagingService(numbers=(OURS,), campaign=campaign)}
    (text,) = wrong(account.texts())

    assert text.startswith(f"{OURS}: ")
    assert campaign in text
    assert "(30034)" in text
    account.office.text_countries.add("GB")
    assert wrong(account.texts(ABROAD)) == [], "who texts nobody in the US needs no campaign"


def test_a_long_code_in_no_service_is_blocked_in_the_us():
    account = Account(OURS, CANADIAN)
    account.office.services = {SERVICE: MessagingService(numbers=("+12025550111",))}
    (text,) = wrong(account.texts())

    assert text.startswith(f"{OURS}: in no Messaging Service")


@pytest.mark.parametrize(
    ("status", "words"), [("", "is not verified: carriers"), ("IN_REVIEW", "is not verified (IN_REVIEW): carriers")]
)
def test_a_toll_free_number_must_be_verified(status: str, words: str):
    account = Account(TOLL_FREE)
    assert wrong(account.texts()) == []
    account.office.toll_free = {TOLL_FREE: status}
    (text,) = wrong(account.texts())

    assert f"{TOLL_FREE} {words}" in text


def test_a_messaging_service_is_looked_into():
    account = Account(OURS, TOLL_FREE)
    asked = {"messaging_service_sid": SERVICE}
    account.office.services = {}
    assert wrong(account.texts(**asked)) == ["the account has no such Messaging Service"]

    account.office.services = {SERVICE: MessagingService(name="maple")}
    assert wrong(account.texts(**asked)) == ['the Messaging Service "maple" has no sender']

    account.office.services = {SERVICE: MessagingService(numbers=(OURS, TOLL_FREE), campaign="FAILED")}
    account.office.toll_free = {TOLL_FREE: "TWILIO_REJECTED"}
    assert [text.split(":")[0].split(" (")[0] for text in wrong(account.texts(**asked))] == [
        f"the toll-free {TOLL_FREE} is not verified",
        OURS,
    ]


def test_a_country_that_is_not_allowed_is_named_with_how_many_numbers():
    account = Account()

    assert wrong(account.texts(RUIZ, ABROAD)) == ["the account may not text GB (one of our numbers)"]
    assert wrong(account.calls(RUIZ, ABROAD)) == ["the account may not call GB (one of our numbers)"]


def test_no_network_is_told_from_wrong_credentials():
    account = Account()
    account.http.is_plugged_in = False
    (only,) = account.texts()

    assert only.text.startswith("Twilio does not answer")
    assert "network" in only.remedy


def test_an_answer_that_is_no_answer_is_not_known_and_the_rest_is_asked_all_the_same():
    account = Account()

    async def ill(request) -> HttpResponse:
        return HttpResponse(status=503)

    account.http.actors["https://messaging.twilio.com"] = ill
    found = account.texts()

    assert [each.text.split(":")[0] for each in found if not each.is_good] == ["not known whether our senders may send"]
    assert found[-1].text == "may text US (2 of our numbers)"
