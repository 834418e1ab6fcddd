"""May our senders send? The numbers, the Messaging Service, and what US carriers demand, asked for `alertd doctor`.

US carriers block texts from a long code outside a verified A2P 10DLC campaign (error 30034) and from a toll-free number
that is not verified (30032). A long code belongs to a campaign through its Messaging Service. Canada and others do not
ask for it. Sources: Twilio's API reference for IncomingPhoneNumber, OutgoingCallerId, Messaging Service, its
PhoneNumbers and ShortCodes, Usa2p and Tollfree Verification.

Must never send anything or change a registration: every request is a GET.
"""

import re
from collections.abc import AsyncIterator, Iterable, Sequence

from msgspec import Struct

from alertd.ports import Found
from alertd_adapters.twilio.probing import ask, countries, country_of
from alertd_adapters.twilio.rest import NoAnswerError, TwilioRest

TOLL_FREE = re.compile(r"\+1(800|833|844|855|866|877|888)[0-9]{7}")
SERVICES_MAX = 20
"""So many Messaging Services of the account are searched for a number of ours."""
VERIFIED = "VERIFIED"
APPROVED = "TWILIO_APPROVED"
NOT_OURS = "buy it, or correct from_numbers"
REGISTER = "Console, Messaging, Regulatory compliance"


class Number(Struct, frozen=True):
    sid: str = ""
    phone_number: str = ""
    capabilities: dict[str, bool] = {}


class Numbers(Struct, frozen=True):
    incoming_phone_numbers: tuple[Number, ...] = ()


class CallerIds(Struct, frozen=True):
    outgoing_caller_ids: tuple[Number, ...] = ()


class Service(Struct, frozen=True):
    sid: str = ""
    friendly_name: str | None = None


class Services(Struct, frozen=True):
    services: tuple[Service, ...] = ()


class Sender(Struct, frozen=True):
    phone_number: str = ""
    short_code: str = ""


class Senders(Struct, frozen=True):
    phone_numbers: tuple[Sender, ...] = ()
    short_codes: tuple[Sender, ...] = ()


class Campaign(Struct, frozen=True):
    campaign_status: str | None = None


class Campaigns(Struct, frozen=True):
    compliance: tuple[Campaign, ...] = ()


class Verification(Struct, frozen=True):
    status: str | None = None
    rejection_reason: str | None = None


class Verifications(Struct, frozen=True):
    verifications: tuple[Verification, ...] = ()


async def text_senders(rest: TwilioRest, numbers: Sequence[str], addresses: Iterable[str]) -> AsyncIterator[Found]:
    """Are they ours, can they text, and are they registered for whom we text?"""
    to_us = "US" in countries(addresses)
    long_codes = []
    for number in numbers:
        held = await _held(rest, number)
        if held is None:
            yield Found(text=f"{number} is not a number of this account", remedy=NOT_OURS)
        elif not held.capabilities.get("sms", False):
            yield Found(text=f"{number} cannot text", remedy="choose a number with the capability SMS")
        elif TOLL_FREE.fullmatch(number):
            yield await _toll_free(rest, held)
        elif to_us and country_of(number) == "US":
            long_codes.append(number)
        else:
            yield Found(text=f"{number} can text")
    if long_codes:
        async for found in _long_codes(rest, long_codes):
            yield found


async def service_senders(rest: TwilioRest, sid: str, addresses: Iterable[str]) -> AsyncIterator[Found]:
    """Is there such a Messaging Service, has it senders, and are they registered for whom we text?"""
    try:
        service = await ask(rest, f"/v1/Services/{sid}", Service, "messaging")
    except NoAnswerError as error:
        if error.status != 404:
            raise
        yield Found(text="the account has no such Messaging Service", remedy="correct messaging_service_sid")
        return
    numbers = await _numbers_of(rest, sid)
    short = await ask(rest, f"/v1/Services/{sid}/ShortCodes", Senders, "messaging", PageSize="50")
    name = f'the Messaging Service "{service.friendly_name or sid}"'
    if not numbers and not short.short_codes:
        yield Found(text=f"{name} has no sender", remedy="put a number into its sender pool")
        return
    yield Found(text=f"{name} has {len(numbers) + len(short.short_codes)} senders")
    for number in numbers:
        if TOLL_FREE.fullmatch(number) and (held := await _held(rest, number)) is not None:
            yield await _toll_free(rest, held)
    long_codes = [n for n in numbers if country_of(n) == "US" and not TOLL_FREE.fullmatch(n)]
    if long_codes and "US" in countries(addresses):
        yield await _campaign(rest, sid, long_codes)


async def call_senders(rest: TwilioRest, numbers: Sequence[str]) -> AsyncIterator[Found]:
    """Are they ours, or verified as ours, and can they call?"""
    for number in numbers:
        held = await _held(rest, number)
        if held is not None and not held.capabilities.get("voice", False):
            yield Found(text=f"{number} cannot call", remedy="choose a number with the capability Voice")
        elif held is not None or await _is_verified_caller(rest, number):
            yield Found(text=f"{number} can call")
        else:
            yield Found(text=f"{number} is neither a number nor a verified caller id of this account", remedy=NOT_OURS)


async def _held(rest: TwilioRest, number: str) -> Number | None:
    path = f"{rest.account}/IncomingPhoneNumbers.json"
    told = await ask(rest, path, Numbers, PhoneNumber=number)
    return next((held for held in told.incoming_phone_numbers if held.phone_number == number), None)


async def _is_verified_caller(rest: TwilioRest, number: str) -> bool:
    told = await ask(rest, f"{rest.account}/OutgoingCallerIds.json", CallerIds, PhoneNumber=number)
    return any(held.phone_number == number for held in told.outgoing_caller_ids)


async def _toll_free(rest: TwilioRest, held: Number) -> Found:
    """The newest verification counts; Twilio lists it first."""
    told = await ask(
        rest, "/v1/Tollfree/Verifications", Verifications, "messaging", TollfreePhoneNumberSid=held.sid, PageSize="20"
    )
    if any(verification.status == APPROVED for verification in told.verifications):
        return Found(text=f"{held.phone_number} can text, and is verified as toll-free")
    if not told.verifications:
        text = f"the toll-free {held.phone_number} is not verified: carriers block its texts (30032)"
        return Found(text=text, remedy=f"{REGISTER}, Toll-free verification: hand it in")
    newest = told.verifications[0]
    why = f": {newest.rejection_reason}" if newest.rejection_reason else ""
    text = f"the toll-free {held.phone_number} is not verified ({newest.status}{why}): carriers block its texts (30032)"
    return Found(text=text, remedy=f"{REGISTER}, Toll-free verification: see what is asked for")


async def _long_codes(rest: TwilioRest, numbers: Sequence[str]) -> AsyncIterator[Found]:
    """A campaign is found by the service that the number is in."""
    left = list(numbers)
    told = await ask(rest, "/v1/Services", Services, "messaging", PageSize="100")
    for service in told.services[:SERVICES_MAX]:
        inside = await _numbers_of(rest, service.sid)
        if here := [number for number in left if number in inside]:
            left = [number for number in left if number not in here]
            yield await _campaign(rest, service.sid, here)
        if not left:
            return
    if len(told.services) > SERVICES_MAX:
        text = f"not known whether {', '.join(left)} is registered: not in the first {SERVICES_MAX} Messaging Services"
        yield Found(text=text, remedy=f"look: {REGISTER}, A2P 10DLC", grave=False)
        return
    text = (
        f"{', '.join(left)}: in no Messaging Service, so in no A2P 10DLC campaign: US carriers block its texts (30034)"
    )
    yield Found(text=text, remedy=f"{REGISTER}, A2P 10DLC: register brand and campaign, and put the number into it")


async def _campaign(rest: TwilioRest, sid: str, numbers: Sequence[str]) -> Found:
    told = await ask(rest, f"/v1/Services/{sid}/Compliance/Usa2p", Campaigns, "messaging")
    whose = ", ".join(numbers)
    statuses = [campaign.campaign_status or "?" for campaign in told.compliance]
    if VERIFIED in statuses:
        return Found(text=f"{whose}: can text, in a verified A2P 10DLC campaign")
    if not statuses:
        text = f"{whose}: in no A2P 10DLC campaign: US carriers block its texts (30034)"
        return Found(text=text, remedy=f"{REGISTER}, A2P 10DLC: register brand and campaign")
    text = f"{whose}: A2P 10DLC campaign {', '.join(statuses)}: US carriers block its texts (30034)"
    return Found(text=text, remedy=f"{REGISTER}, A2P 10DLC: see what is asked for; until then use a verified number")


async def _numbers_of(rest: TwilioRest, sid: str) -> list[str]:
    told = await ask(rest, f"/v1/Services/{sid}/PhoneNumbers", Senders, "messaging", PageSize="400")
    return [sender.phone_number for sender in told.phone_numbers]
