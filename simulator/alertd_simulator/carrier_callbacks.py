"""The carrier's calls to us: status and inbound, signed as Twilio signs.

Owns form and signature of callbacks. The signature is made by Twilio's own library, so that alertd's check is judged
by code that alertd did not write. A callback that nobody takes is lost, as the real ones are.
"""

from urllib.parse import urlencode

from alertd.ports import Http, HttpNoAnswerError, HttpNotSentError, HttpRequest
from alertd_simulator.carrier_json import API, Text

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


def signed(url: str, form: dict[str, str], token: str) -> HttpRequest:
    from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]  # noqa: PLC0415  # slow to import

    headers = {
        "content-type": "application/x-www-form-urlencoded; charset=utf-8",
        "x-twilio-signature": RequestValidator(token).compute_signature(url, form),
        "i-twilio-idempotency-token": form["MessageSid"],
    }
    return HttpRequest(method="POST", url=url, headers=headers, body=urlencode(form).encode())


async def deliver(http: Http, request: HttpRequest) -> None:
    try:
        await http.send(request, timeout_s=CALLBACK_TIMEOUT_S)
    except (HttpNotSentError, HttpNoAnswerError):
        return
