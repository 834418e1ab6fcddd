"""What Twilio says about our account, asked for `alertd doctor`: does it let us in, does it carry a lockdown, may it
reach our people's countries? Who may send is in `registration`.

Owns the questions and their meaning, one finding each. Must never send a text or place a call: every request is a GET.
Sources: Twilio's API reference for Account, Balance, Messaging Geo Permissions and Voice Dialing Permissions.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import TypeVar
from urllib.parse import urlencode

import phonenumbers
from msgspec import Struct

from alertd.ports import Found
from alertd_adapters.twilio.error_codes import CODES
from alertd_adapters.twilio.rest import NoAnswerError, TwilioRest, decode

T = TypeVar("T")

ASK_S = 8.0
"""Of one question."""
ONE_LOCKDOWN_PER_PERSON = 0.25
"""What one incident may cost for each of our people, in the account's currency: a dozen segments with the carriers'
fees, and two calls, at US prices of 2026."""
LOW_IN_LOCKDOWNS = 4
LOW_AT_LEAST = 20.0
COUNTRIES_MAX = 20

TEXT_GEO = "Console, Messaging, Settings, Geo permissions: enable the country"
CALL_GEO = "Console, Voice, Settings, Geo permissions: enable the country"


class Account(Struct, frozen=True):
    status: str = ""
    type: str = ""


class Balance(Struct, frozen=True):
    balance: str | None = None
    currency: str | None = None


class TextPermission(Struct, frozen=True):
    country_code: str = ""
    enabled: bool = False


class TextPermissions(Struct, frozen=True):
    permissions: tuple[TextPermission, ...] = ()


class CallPermission(Struct, frozen=True):
    low_risk_numbers_enabled: bool | None = None


class AccountOutError(Exception):
    """Nothing else need be asked: the finding says why."""

    def __init__(self, found: Found) -> None:
        super().__init__(found.text)
        self.found = found


async def ask(rest: TwilioRest, path: str, kind: type[T], product: str = "api", **query: str) -> T:
    """One document. Raises `NoAnswerError`."""
    asked = f"{path}?{urlencode(query)}" if query else path
    return decode(await rest.get(asked, ASK_S, product=product), kind)


async def account(rest: TwilioRest) -> Found:
    """Does it let us in, and is it open? Raises `AccountOutError` if the rest would not be answered."""
    try:
        told = await ask(rest, f"{rest.account}.json", Account)
    except NoAnswerError as error:
        raise AccountOutError(_shut(error)) from None
    if told.status != "active":
        remedy = "log in to Twilio: billing, or a compliance review; nothing is sent until it is open again"
        raise AccountOutError(Found(text=f"the account is {told.status or 'not active'}", remedy=remedy))
    if told.type == "Trial":
        remedy = (
            "upgrade it: a trial account reaches only numbers that were verified by hand, and alters what they read"
        )
        return Found(text="the account is a trial account", remedy=remedy)
    return Found(text="lets us in; the account is active")


def _shut(error: NoAnswerError) -> Found:
    if error.status == 0:
        remedy = "check the network, the name server and the firewall; a text cannot leave the building now"
        return Found(text=f"Twilio does not answer: {error}", remedy=remedy)
    code = CODES.get(error.code) or CODES[20003 if error.is_credentials else 20404]
    if error.is_credentials or error.status == 404:
        return Found(text=f"{code.meaning} ({error})", remedy=code.remedy)
    remedy = "try again; if it stays so, look at https://status.twilio.com"
    return Found(text=f"Twilio could not say how the account is: {error}", remedy=remedy)


async def balance(rest: TwilioRest, people: int) -> AsyncIterator[Found]:
    """Does the money last? An account without one of its own (a subaccount) is not judged."""
    told = await ask(rest, f"{rest.account}/Balance.json", Balance)
    try:
        amount = float(told.balance or "")
    except ValueError:
        yield Found(text="the account shows no balance of its own", remedy="look at the main account's", grave=False)
        return
    shown = f"the balance is {amount:,.2f} {told.currency or ''}".rstrip()
    one = people * ONE_LOCKDOWN_PER_PERSON
    if amount <= 0:
        remedy = "pay, and switch on auto-recharge; Twilio suspends a prepaid account at 0 (an invoiced one may owe)"
        yield Found(text=shown, remedy=remedy)
    elif amount < one:
        remedy = "pay, and switch on auto-recharge: the account is suspended in the middle of it"
        yield Found(text=f"{shown}; telling {people} people once may cost {one:,.2f}", remedy=remedy)
    elif amount < max(LOW_AT_LEAST, LOW_IN_LOCKDOWNS * one):
        remedy = "pay, and switch on auto-recharge: Twilio suspends a prepaid account at 0"
        yield Found(text=f"{shown}, which is low for {people} people", remedy=remedy, grave=False)
    else:
        yield Found(text=shown)


async def text_countries(rest: TwilioRest, addresses: Iterable[str]) -> AsyncIterator[Found]:
    """May we text where our people's numbers are from?"""
    for country, count in countries(addresses).items():
        told = await ask(rest, "/v1/Messaging/GeoPermissions", TextPermissions, "accounts", CountryCode=country)
        enabled = [p.enabled for p in told.permissions if p.country_code.upper() == country]
        yield _country(country, count, allowed=any(enabled) if enabled else None, what="text", remedy=TEXT_GEO)


async def call_countries(rest: TwilioRest, addresses: Iterable[str]) -> AsyncIterator[Found]:
    """May we call there?"""
    for country, count in countries(addresses).items():
        told = await ask(rest, f"/v1/DialingPermissions/Countries/{country}", CallPermission, "voice")
        yield _country(country, count, allowed=told.low_risk_numbers_enabled, what="call", remedy=CALL_GEO)


def _country(country: str, count: int, *, allowed: bool | None, what: str, remedy: str) -> Found:
    numbers = f"{count} of our numbers" if count > 1 else "one of our numbers"
    if allowed is None:
        words = f"not known whether the account may {what} {country} ({numbers})"
        return Found(text=words, remedy=f"look: {remedy.lower()}", grave=False)
    if not allowed:
        return Found(text=f"the account may not {what} {country} ({numbers})", remedy=remedy)
    return Found(text=f"may {what} {country} ({numbers})")


def countries(addresses: Iterable[str]) -> dict[str, int]:
    """ISO code -> how many of the numbers, the commonest first."""
    found: dict[str, int] = {}
    for number in addresses:
        if country := country_of(number):
            found[country] = found.get(country, 0) + 1
    ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return dict(ordered[:COUNTRIES_MAX])


def country_of(number: str) -> str | None:
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    exact = phonenumbers.region_code_for_number(parsed)
    return exact or phonenumbers.region_code_for_country_code(parsed.country_code or 0)


async def each(what: str, findings: AsyncIterator[Found]) -> AsyncIterator[Found]:
    """The findings of one question; that it got no answer is one of them."""
    try:
        async for found in findings:
            yield found
    except NoAnswerError as error:
        yield Found(
            text=f"not known {what}: {error}", remedy="ask again later, or look in Twilio's console", grave=False
        )


async def all_of(
    rest: TwilioRest, people: Sequence[str], questions: Sequence[tuple[str, AsyncIterator[Found]]]
) -> AsyncIterator[Found]:
    """The account first: if it is shut, nothing else is asked."""
    try:
        yield await account(rest)
    except AccountOutError as shut:
        yield shut.found
        return
    for what, findings in (("how much money is left", balance(rest, len(set(people)))), *questions):
        async for found in each(what, findings):
            yield found
