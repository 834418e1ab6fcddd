"""The carrier's calls to us: status and inbound, signed as Twilio signs.

Owns form and signature of callbacks. The signature is made here by Twilio's description, and alertd checks it by
Twilio's own library: neither judges itself. A callback that nobody takes is lost, as the real ones are.
"""

import hmac
from base64 import b64encode
from functools import lru_cache
from urllib.parse import quote_plus

from alertd.ports import Http, HttpNoAnswerError, HttpNotSentError, HttpRequest
from alertd_simulator.carrier_json import API, CallRecord, Text

CALLBACK_TIMEOUT_S = 15.0


def status_form(text: Text, account_sid: str) -> dict[str, str]:
    form = {
        "AccountSid": account_sid,
        "ApiVersion": API,
        "From": text.sender,
        "MessageSid": text.sid,
        "MessageStatus": text.status,
        "SmsSid": text.sid,
        "SmsStatus": text.status,
        "To": text.to,
    }
    return form | ({"ErrorCode": str(text.error_code)} if text.error_code else {})


def inbound_form(text: Text, account_sid: str, stop_words: frozenset[str]) -> dict[str, str]:
    form = {
        "AccountSid": account_sid,
        "ApiVersion": API,
        "Body": text.body,
        "From": text.sender,
        "MessageSid": text.sid,
        "NumMedia": "0",
        "NumSegments": "1",
        "SmsMessageSid": text.sid,
        "SmsSid": text.sid,
        "SmsStatus": "received",
        "To": text.to,
    }
    return form | ({"OptOutType": "STOP"} if text.body.strip().upper() in stop_words else {})


def call_form(call: CallRecord, account_sid: str) -> dict[str, str]:
    """Of a status; the SIP code comes with a call that failed."""
    form = {
        "AccountSid": account_sid,
        "ApiVersion": API,
        "CallSid": call.sid,
        "CallStatus": call.status,
        "Direction": "outbound-api",
        "From": call.sender,
        "To": call.to,
    }
    form |= {"AnsweredBy": call.answered_by} if call.answered_by else {}
    return form | ({"SipResponseCode": str(call.sip_code)} if call.sip_code else {})


def machine_form(call: CallRecord, account_sid: str) -> dict[str, str]:
    """Of the detector: no status of the call is in it."""
    return {
        "AccountSid": account_sid,
        "AnsweredBy": call.answered_by or "unknown",
        "CallSid": call.sid,
        "MachineDetectionDuration": "2500",
    }


def key_form(call: CallRecord, account_sid: str, key: str) -> dict[str, str]:
    return {**call_form(call, account_sid), "Digits": key, "msg": "Gather End"}


def signed(url: str, form: dict[str, str], token: str) -> HttpRequest:
    """Signed is the URL with every field's name and value behind it, in the order of the names."""
    words = url + "".join(name + form[name] for name in sorted(form))
    headers = {
        "content-type": "application/x-www-form-urlencoded; charset=utf-8",
        "x-twilio-signature": b64encode(hmac.digest(token.encode(), words.encode(), "sha1")).decode(),
        "i-twilio-idempotency-token": form.get("MessageSid") or form["CallSid"],
    }
    return HttpRequest(method="POST", url=url, headers=headers, body=_encoded(form))


def _encoded(form: dict[str, str]) -> bytes:
    return "&".join(f"{name}={_quoted(value)}" for name, value in form.items()).encode()


@lru_cache(maxsize=4_096)
def _quoted(value: str) -> str:
    """Numbers, ids and states come again and again."""
    return quote_plus(value)


async def deliver(http: Http, request: HttpRequest) -> None:
    try:
        await http.send(request, timeout_s=CALLBACK_TIMEOUT_S)
    except (HttpNotSentError, HttpNoAnswerError):
        return
