"""What the carrier's console would show of an account: is it open and paid, who may send, which countries it reaches.

Owns those truths and their shapes on the wire, as Twilio's API reference has them. An account of its own is well: each
long code is in a Messaging Service with a verified campaign. Tests spoil what they want to see found. Reads only.
"""

import re
from collections.abc import Callable, Mapping

from msgspec import Struct
from msgspec.json import encode

from alertd.ports import HttpResponse
from alertd_simulator.carrier_json import API, account_json, error

TOLL_FREE = re.compile(r"\+18(00|33|44|55|66|77|88)\d{7}")
HOUSE_SERVICE = "MG" + "0" * 31 + "1"


class MessagingService(Struct, kw_only=True):
    name: str = "alerts"
    numbers: tuple[str, ...] = ()
    campaign: str = "VERIFIED"
    """Status of its A2P 10DLC campaign; empty: it has none."""


class Office:
    """One account. Everything may be changed at any time."""

    def __init__(self, *, account_sid: str, numbers: Callable[[], tuple[str, ...]]) -> None:
        self.status = "active"
        self.kind = "Full"
        self.balance: str | None = "250.00"
        self.currency = "USD"
        self.without_sms: set[str] = set()
        self.without_voice: set[str] = set()
        self.verified_callers: set[str] = set()
        """Numbers that are not the account's, and that it may call from."""
        self.services: dict[str, MessagingService] | None = None
        """By SID; `None`: one, with all our numbers."""
        self.toll_free: dict[str, str] = {}
        """Number -> status of its verification; a number that is not here is verified, one with "" never asked."""
        self.text_countries = {"US", "CA"}
        self.call_countries = {"US", "CA"}
        self._account_sid = account_sid
        self._numbers = numbers

    def route(self, method: str, path: str, query: Mapping[str, str]) -> HttpResponse | None:
        """`None`: there is no such thing."""
        home = f"/{API}/Accounts/{self._account_sid}"
        if method != "GET":
            return None
        if path.startswith(home):
            return self._account(path.removeprefix(home).removesuffix(".json"), query)
        return self._product(path.strip("/").split("/"), query)

    def _product(self, path: list[str], query: Mapping[str, str]) -> HttpResponse | None:
        """Other hosts than api.twilio.com."""
        match path:
            case ["v1", "Services", *rest]:
                return self._service(rest)
            case ["v1", "Tollfree", "Verifications"]:
                return _json({"verifications": self._verifications(query.get("TollfreePhoneNumberSid", ""))})
            case ["v1", "Messaging", "GeoPermissions"]:
                return _json({"permissions": [self._text_permission(query.get("CountryCode", "US"))]})
            case ["v1", "DialingPermissions", "Countries", country]:
                low_risk = country in self.call_countries
                return _json({"iso_code": country, "name": country, "low_risk_numbers_enabled": low_risk})
            case _:
                return None

    def _account(self, path: str, query: Mapping[str, str]) -> HttpResponse | None:
        match path:
            case "":
                return _json({**account_json(self._account_sid), "status": self.status, "type": self.kind})
            case "/Balance":
                if self.balance is None:  # a subaccount's
                    return error(404, 20404, "The requested resource was not found")
                return _json({"account_sid": self._account_sid, "balance": self.balance, "currency": self.currency})
            case "/IncomingPhoneNumbers":
                found = [number for number in self._numbers() if query.get("PhoneNumber") in (None, number)]
                return _json({"incoming_phone_numbers": [self._number(number) for number in found]})
            case "/OutgoingCallerIds":
                verified = [n for n in sorted(self.verified_callers) if query.get("PhoneNumber") in (None, n)]
                return _json({"outgoing_caller_ids": [{"sid": _sid("PN", n), "phone_number": n} for n in verified]})
            case _:
                return None

    def _number(self, number: str) -> dict[str, object]:
        able = {"sms": number not in self.without_sms, "mms": False, "voice": number not in self.without_voice}
        return {"sid": _sid("PN", number), "phone_number": number, "capabilities": {**able, "fax": False}}

    def _all_services(self) -> dict[str, MessagingService]:
        if self.services is not None:
            return self.services
        return {HOUSE_SERVICE: MessagingService(numbers=self._numbers())}

    def _service(self, path: list[str]) -> HttpResponse | None:
        services = self._all_services()
        if not path:
            return _json({"services": [{"sid": sid, "friendly_name": each.name} for sid, each in services.items()]})
        sid, below = path[0], path[1:]
        return self._part(sid, services[sid], below) if sid in services else None

    def _part(self, sid: str, service: MessagingService, below: list[str]) -> HttpResponse | None:
        match below:
            case []:
                registered = service.campaign == "VERIFIED"
                return _json({"sid": sid, "friendly_name": service.name, "us_app_to_person_registered": registered})
            case ["PhoneNumbers"]:
                return _json({"phone_numbers": [{"sid": _sid("PN", n), "phone_number": n} for n in service.numbers]})
            case ["ShortCodes"]:
                return _json({"short_codes": []})
            case ["Compliance", "Usa2p"]:
                campaign = {"messaging_service_sid": sid, "campaign_status": service.campaign}
                return _json({"compliance": [campaign] if service.campaign else []})
            case _:
                return None

    def _verifications(self, sid: str) -> list[dict[str, object]]:
        return [
            {"tollfree_phone_number_sid": sid, "status": status, "rejection_reason": None}
            for number in self._numbers()
            if _sid("PN", number) == sid and TOLL_FREE.fullmatch(number)
            if (status := self.toll_free.get(number, "TWILIO_APPROVED"))
        ]

    def _text_permission(self, country: str) -> dict[str, object]:
        enabled = country in self.text_countries
        return {"country_code": country, "type": "country", "enabled": enabled, "error_code": 0, "error_messages": []}


def _sid(kind: str, number: str) -> str:
    return f"{kind}{int(number.removeprefix('+')):032x}"


def _json(body: object) -> HttpResponse:
    return HttpResponse(status=200, headers={"content-type": "application/json"}, body=encode(body))
