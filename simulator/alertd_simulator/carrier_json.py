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


@lru_cache(maxsize=8_192)
def _rfc2822(at_s: int) -> str:
    return format_datetime(datetime.fromtimestamp(at_s, UTC))
