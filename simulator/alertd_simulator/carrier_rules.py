"""What the carrier knows by heart: its words, its error codes, and the numbers that nobody may dial.

Owns the judgement of a number, written apart from alertd's own block on purpose: two authors, two chances to be right.
"""

import re
from urllib.parse import unquote

from alertd.model.blocked_numbers import blocked

E164 = re.compile(r"\+[1-9]\d{6,14}")
FICTIONAL = re.compile(r"\+1[2-9]\d{2}55501\d{2}")
"""Numbers reserved for fiction. Any other one may ring a stranger's phone, and is a violation."""
EMERGENCY = frozenset({"911", "112", "933", "988", "999", "000"})
DIAL_PREFIXES = ("", "0", "00", "001", "011", "0111", "1", "8", "9", "91")
STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
START_WORDS = frozenset({"START", "YES", "UNSTOP"})
BODY_CHARS_MAX = 1_600

# fmt: off
KNOWN_FIELDS = frozenset(
    {
        "To", "From", "MessagingServiceSid", "Body", "StatusCallback", "ValidityPeriod", "ProvideFeedback",
        "Attempt", "SmartEncoded", "MediaUrl", "ApplicationSid", "MaxPrice", "ForceDelivery",
        "ContentRetention", "AddressRetention", "PersistentAction", "TrafficType", "ShortenUrls",
        "ScheduleType", "SendAt", "SendAsMms", "ContentVariables", "RiskCheck", "FallbackFrom", "ContentSid",
    }
)
CALL_FIELDS = frozenset(
    {
        "To", "From", "Twiml", "Url", "Method", "FallbackUrl", "FallbackMethod", "StatusCallback",
        "StatusCallbackEvent", "StatusCallbackMethod", "SendDigits", "Timeout", "Record", "MachineDetection",
        "MachineDetectionTimeout", "MachineDetectionSpeechThreshold", "MachineDetectionSpeechEndThreshold",
        "MachineDetectionSilenceTimeout", "AsyncAmd", "AsyncAmdStatusCallback", "AsyncAmdStatusCallbackMethod",
        "CallerId", "CallReason", "Trim", "Byoc", "CallToken", "TimeLimit", "ApplicationSid", "Status",
    }
)
# fmt: on

REFUSALS = {
    21211: "Invalid 'To' Phone Number: {to}",
    21212: "Invalid 'From' Phone Number: {sender}",
    21408: "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: {to}.",
    21602: "Message body is required.",
    21603: "A 'From' phone number is required.",
    21604: "A 'To' phone number is required.",
    21606: "The 'From' phone number {sender} is not a valid, SMS-capable inbound phone number for your account.",
    21610: "Attempt to send to unsubscribed recipient",
    21611: "This 'From' number has exceeded the maximum number of queued messages",
    21614: "'To' number is not a valid mobile number: {to}",
    21617: "The concatenated message body exceeds the 1600 character limit",
}


def complaint(dialled: str, *, strangers: bool = False) -> str:
    """Why this number must never have been dialled, or nothing. `strangers`: real numbers are meant."""
    if is_emergency(dialled) or blocked(dialled):
        return f"an emergency number was dialled: {dialled!r}"
    if not strangers and not FICTIONAL.fullmatch(dialled):
        return f"a number that may be a stranger's was dialled: {dialled!r}"
    return ""


def is_emergency(dialled: str) -> bool:
    """Any spelling: with an outside line or country code, as a SIP address, as tones after another number.

    Written apart from alertd's own block on purpose, and asked beside it: two authors, two chances to be right."""
    user = unquote(dialled).partition("@")[0].rpartition(":")[2]
    parts = [re.sub(r"\D", "", part) for part in re.split(r"[,;pwPW]", user)]
    spellings = {prefix + number for prefix in DIAL_PREFIXES for number in EMERGENCY}
    return any(part in spellings for part in [*parts, "".join(parts)])
