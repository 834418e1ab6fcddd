"""The carrier's words: how its texts, lists and errors look on the wire.

Owns shapes only; they are judged by Twilio's own API description in a slow test. Must not decide anything.
"""

from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from urllib.parse import urlencode

from msgspec import Raw, Struct
from msgspec.json import encode

from alertd.ports import HttpResponse

API = "2010-04-01"
DATE_FIELDS = ("DateSent", "DateSent<", "DateSent>")

FAILURES = {
    30001: "Queue overflow",
    30002: "Account suspended",
    30003: "Unreachable destination handset",
    30004: "Message blocked",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Message filtered",
    30008: "Unknown error",
    30022: "US A2P 10DLC - Rate Limits Exceeded",
    30034: "US A2P 10DLC - Message from an Unregistered Number",
    30036: "Validity Period Expired",
}


class Text(Struct, kw_only=True, eq=False):
    """One text, in or out. `seen_us`: it lit up the phone, which only the simulation can know."""

    sid: str
    to: str
    sender: str
    body: str
    direction: str
    status: str
    created_us: int
    updated_us: int
    history: list[tuple[int, str]]
    sent_us: int | None = None
    seen_us: int | None = None
    error_code: int | None = None
    callback_url: str | None = None
    service_sid: str | None = None
    valid_until_us: int | None = None
    """A text that has not reached the phone by then dies."""
    sending: str = ""
    """Id of the notification that it was sent for; only the world knows."""
    rendered: Raw | None = None
    """Its JSON until something changes: lists are asked for every two seconds."""


class CallRecord(Struct, kw_only=True, eq=False):
    """One call. `taken_by` and `heard` are the truth, which only the simulation can know."""

    sid: str
    to: str
    sender: str
    twiml: str
    created_us: int
    updated_us: int
    status: str = "queued"
    start_us: int | None = None
    answered_by: str | None = None
    taken_by: str = ""
    heard: list[str] = []
    """Words that were spoken to their end, to a human or onto a tape."""
    taped: list[str] = []
    """What a machine has kept: whatever came after its beep."""
    keys: list[str] = []
    sip_code: int = 0
    callback_url: str | None = None
    machine_url: str | None = None
    detects: bool = False
    holds: bool = False
    """The line is silent until the detector is done: nobody asked for it to work meanwhile."""
    ring_s: float = 60.0
    sending: str = ""
    """Id of the notification that it was placed for; only the world knows."""

    @property
    def is_live(self) -> bool:
        return self.status in ("queued", "initiated", "ringing", "in-progress")


class Page(Struct, frozen=True, kw_only=True):
    texts: tuple[Text, ...]
    more: bool
    number: int
    size: int


def text_json(text: Text, account_sid: str) -> dict[str, object]:
    uri = f"/{API}/Accounts/{account_sid}/Messages/{text.sid}"
    return {
        "account_sid": account_sid,
        "api_version": API,
        "body": text.body,
        "date_created": _date(text.created_us),
        "date_sent": _date(text.sent_us),
        "date_updated": _date(text.updated_us),
        "direction": text.direction,
        "error_code": text.error_code,
        "error_message": FAILURES.get(text.error_code, "Unknown error") if text.error_code else None,
        "from": text.sender,
        "messaging_service_sid": text.service_sid,
        "num_media": "0",
        "num_segments": "1",
        "price": None,
        "price_unit": "USD",
        "sid": text.sid,
        "status": text.status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": text.to,
        "uri": f"{uri}.json",
    }


def rendered(text: Text, account_sid: str) -> Raw:
    if text.rendered is None:
        text.rendered = Raw(encode(text_json(text, account_sid)))
    return text.rendered


@lru_cache(maxsize=256)
def _query(filters: tuple[tuple[str, str], ...]) -> str:
    return urlencode(filters)


def list_json(page: Page, account_sid: str, filters: dict[str, str]) -> dict[str, object]:
    start = page.number * page.size
    path = f"/{API}/Accounts/{account_sid}/Messages.json"

    def uri(number: int, token: str | None) -> str:
        query = _query((*filters.items(), ("PageSize", str(page.size)), ("Page", str(number))))
        return f"{path}?{query}&PageToken={token}" if token else f"{path}?{query}"

    following = uri(page.number + 1, f"PA{page.texts[-1].sid}") if page.more else None
    return {
        "messages": [rendered(text, account_sid) for text in page.texts],
        "start": start,
        "end": start + max(len(page.texts) - 1, 0),
        "page": page.number,
        "page_size": page.size,
        "first_page_uri": uri(0, None),
        "previous_page_uri": None,
        "next_page_uri": following,
        "uri": uri(page.number, None),
    }


def call_json(call: CallRecord, account_sid: str) -> dict[str, object]:
    uri = f"/{API}/Accounts/{account_sid}/Calls/{call.sid}"
    ended = None if call.is_live else _date(call.updated_us)
    return {
        "account_sid": account_sid,
        "annotation": None,
        "answered_by": call.answered_by,
        "api_version": API,
        "caller_name": None,
        "date_created": _date(call.created_us),
        "date_updated": _date(call.updated_us),
        "direction": "outbound-api",
        "duration": None,
        "end_time": ended,
        "forwarded_from": None,
        "from": call.sender,
        "from_formatted": call.sender,
        "group_sid": None,
        "parent_call_sid": None,
        "phone_number_sid": "PN" + "0" * 32,
        "price": None,
        "price_unit": "USD",
        "queue_time": "0",
        "sid": call.sid,
        "start_time": _date(call.start_us),
        "status": "queued" if call.status == "initiated" else call.status,
        "subresource_uris": {"recordings": f"{uri}/Recordings.json"},
        "to": call.to,
        "to_formatted": call.to,
        "trunk_sid": None,
        "uri": f"{uri}.json",
    }


def calls_json(calls: tuple[CallRecord, ...], account_sid: str) -> dict[str, object]:
    uri = f"/{API}/Accounts/{account_sid}/Calls.json?PageSize={max(1, len(calls))}&Page=0"
    return {
        "calls": [call_json(call, account_sid) for call in calls],
        "start": 0,
        "end": max(len(calls) - 1, 0),
        "page": 0,
        "page_size": max(1, len(calls)),
        "first_page_uri": uri,
        "previous_page_uri": None,
        "next_page_uri": None,
        "uri": uri,
    }


def account_json(account_sid: str) -> dict[str, object]:
    return {
        "sid": account_sid,
        "owner_account_sid": account_sid,
        "friendly_name": "simulated district",
        "status": "active",
        "type": "Full",
        "uri": f"/{API}/Accounts/{account_sid}.json",
    }


def error(status: int, code: int, message: str = "Too Many Requests") -> HttpResponse:
    """The carrier's error document."""
    body = {
        "code": code,
        "message": message,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    return HttpResponse(status=status, headers={"content-type": "application/json"}, body=encode(body))


def _date(at_us: int | None) -> str | None:
    return None if at_us is None else _rfc2822(at_us // 1_000_000)


@lru_cache(maxsize=256)
def http_date(at_s: int) -> str:
    """As a header has it."""
    return format_datetime(datetime.fromtimestamp(at_s, UTC), usegmt=True)


@lru_cache(maxsize=8_192)
def _rfc2822(at_s: int) -> str:
    return format_datetime(datetime.fromtimestamp(at_s, UTC))
