"""Twilio's error codes as data: what each means, whether sending again can help, what a person must do.

Owns the table and nothing else. A code that is not in it is judged by its HTTP status, or, for a text that Twilio had
already taken, as one that may succeed next time: a duplicate beats a loss.
"""

import re

from msgspec import Struct

from alertd.model.outcome import Failed

DETAIL_CHARS_MAX = 240
SLOW_RETRY_S = 30.0
"""The carrier counts texts a minute (30022): hurrying makes it worse."""

_NUMBERS = re.compile(r"\+?[0-9][0-9 ().-]{5,}[0-9]")


class Code(Struct, frozen=True, kw_only=True):
    """One code. `remedy` is for whoever runs alertd."""

    meaning: str
    remedy: str = ""
    permanent: bool = True
    opted_out: bool = False
    breaks_channel: bool = False
    retry_after_s: float | None = None


# fmt: off
CODES: dict[int, Code] = {
    # the account: nobody can be reached
    20003: Code(meaning="Twilio refuses our credentials", breaks_channel=True,
                remedy="check account SID and auth token; was the token rotated, or the account closed?"),
    20005: Code(meaning="the Twilio account is not active", breaks_channel=True,
                remedy="log in to Twilio: the account is suspended or closed"),
    20404: Code(meaning="Twilio does not know this account", breaks_channel=True,
                remedy="check the account SID"),
    30002: Code(meaning="the Twilio account is suspended", breaks_channel=True,
                remedy="log in to Twilio: billing or a compliance review"),
    # too fast
    14107: Code(meaning="too many texts between these two numbers", permanent=False, retry_after_s=SLOW_RETRY_S),
    20429: Code(meaning="too many requests at once", permanent=False),
    21611: Code(meaning="this sender's queue at Twilio is full", permanent=False,
                remedy="add senders or a Messaging Service"),
    30001: Code(meaning="Twilio's queue overflowed", permanent=False, remedy="add senders to the Messaging Service"),
    30022: Code(meaning="the carrier's rate for our registration is used up", permanent=False,
                retry_after_s=SLOW_RETRY_S, remedy="raise the 10DLC trust score or use a short code"),
    # this phone
    21211: Code(meaning="not a valid phone number", remedy="correct it in people.csv"),
    21610: Code(meaning="this person told the carrier to stop our texts", opted_out=True,
                remedy="ask them to text START to our number"),
    21614: Code(meaning="not a mobile number", remedy="use a mobile number or a voice channel"),
    21635: Code(meaning="a landline cannot be texted", remedy="use a mobile number or a voice channel"),
    30003: Code(meaning="the phone is off or out of reach", permanent=False),
    30004: Code(meaning="the phone or its carrier blocks our texts", remedy="ask the person to unblock our number"),
    30005: Code(meaning="the number is not in service", remedy="correct it in people.csv"),
    30006: Code(meaning="a landline, or a carrier that takes no texts", remedy="use a mobile number or voice"),
    30007: Code(meaning="the carrier filtered the text as unwanted", remedy="check the sender's registration"),
    30008: Code(meaning="the carrier gave no reason", permanent=False),
    30036: Code(meaning="it could not be sent while it was still true, and was dropped as planned"),
    # calls
    13224: Code(meaning="not a number that can be called", remedy="correct it in people.csv"),
    13225: Code(meaning="Twilio does not call this number", remedy="correct it in people.csv"),
    13227: Code(meaning="calls to this country are switched off", remedy="Twilio console: voice geo permissions"),
    21210: Code(meaning="our number may not place calls", remedy="from_numbers: is it ours, with voice?"),
    21214: Code(meaning="the phone cannot be reached", permanent=False),
    21215: Code(meaning="calls to this country are switched off", remedy="Twilio console: voice geo permissions"),
    21216: Code(meaning="Twilio does not let us call this number", remedy="ask Twilio's support why"),
    21217: Code(meaning="not a valid phone number", remedy="correct it in people.csv"),
    21219: Code(meaning="a trial account may call verified numbers only", remedy="upgrade the Twilio account"),
    # our sender, our settings
    21212: Code(meaning="our sender is not a valid number", remedy="correct from_numbers"),
    21408: Code(meaning="texts to this country are switched off", remedy="Twilio console: geo permissions"),
    21603: Code(meaning="no sender was given", remedy="set from_numbers or messaging_service_sid"),
    21606: Code(meaning="our sender cannot send texts", remedy="correct from_numbers: is it ours, and SMS-capable?"),
    21608: Code(meaning="a trial account may text verified numbers only", remedy="upgrade the Twilio account"),
    21612: Code(meaning="this sender cannot reach that number", remedy="use a sender of the same country"),
    21617: Code(meaning="the text is longer than 1,600 characters", remedy="shorten the template"),
    21701: Code(meaning="the Messaging Service does not exist", remedy="correct messaging_service_sid"),
    21703: Code(meaning="the Messaging Service has no sender", remedy="add a number to it"),
    30032: Code(meaning="the toll-free sender is not verified", remedy="verify it in the Twilio console"),
    30034: Code(meaning="the sender is not registered (A2P 10DLC)", remedy="register it in the Twilio console"),
}
# fmt: on


def failure(code: int, *, said: str = "", ref: str = "", retry_after_s: float | None = None) -> Failed:
    """Outcome of a refusal, or of a text that Twilio took and could not deliver. `said`: Twilio's own words, used
    only for codes that we do not know, without the numbers in them."""
    known = CODES.get(code, Code(meaning=without_numbers(said) or "unknown to alertd", permanent=False))
    detail = f"Twilio {code}: {known.meaning}" + (f" ({known.remedy})" if known.remedy else "")
    return Failed(
        permanent=known.permanent,
        code=str(code),
        detail=detail[:DETAIL_CHARS_MAX],
        ref=ref,
        retry_after_s=known.retry_after_s if retry_after_s is None else retry_after_s,
        opted_out=known.opted_out,
        breaks_channel=known.breaks_channel,
    )


def without_numbers(text: str) -> str:
    """Twilio quotes phone numbers; logs must not (req 100)."""
    return _NUMBERS.sub("[number]", text)[:DETAIL_CHARS_MAX]
