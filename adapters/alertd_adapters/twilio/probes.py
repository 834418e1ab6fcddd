"""`alertd.ports.Probe` of the two Twilio plugins: which questions each asks. Sends nothing."""

from collections.abc import AsyncIterator, Sequence

from alertd.ports import Found
from alertd_adapters.twilio import probing, registration
from alertd_adapters.twilio.rest import TwilioRest
from alertd_adapters.twilio.settings import TwilioSettings
from alertd_adapters.twilio.voice_settings import VoiceSettings

SENDERS = "whether our senders may send"
COUNTRIES = "which countries the account may reach"


def probe_texts(rest: TwilioRest, settings: TwilioSettings, addresses: Sequence[str]) -> AsyncIterator[Found]:
    if settings.messaging_service_sid:
        senders = registration.service_senders(rest, settings.messaging_service_sid, addresses)
    else:
        senders = registration.text_senders(rest, settings.from_numbers, addresses)
    questions = ((SENDERS, senders), (COUNTRIES, probing.text_countries(rest, addresses)))
    return probing.all_of(rest, addresses, questions)


def probe_calls(rest: TwilioRest, settings: VoiceSettings, addresses: Sequence[str]) -> AsyncIterator[Found]:
    questions = (
        (SENDERS, registration.call_senders(rest, settings.from_numbers)),
        (COUNTRIES, probing.call_countries(rest, addresses)),
    )
    return probing.all_of(rest, addresses, questions)
