"""Is this request Twilio's? The signature is checked over the *public* URL, by Twilio's own validator (req 58).

Must refuse before a word of it is believed: what is not signed is counted and answered 403.
"""

from hmac import compare_digest
from urllib.parse import parse_qsl

from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from alertd.ports import Door, HttpRequest, HttpResponse

BODY_BYTES_MAX = 64 * 1024
FIELDS_MAX = 200


class _Form(dict[str, list[str]]):
    """What the validator wants to see of repeated fields."""

    def getall(self, name: str) -> list[str]:
        return self[name]


class Signatures:
    """One account's signatures. `name` counts what is refused."""

    def __init__(self, name: str, auth_token: str) -> None:
        self._name = name
        self._validator = RequestValidator(auth_token)

    def read(self, request: HttpRequest, door: Door) -> dict[str, str] | HttpResponse:
        """The fields of a form that is signed; else the answer that refuses it."""
        if request.method != "POST":
            return plain(405, "only POST")
        if len(request.body) > BODY_BYTES_MAX:
            door.observe(self._name, "callback_too_large")
            return plain(413, f"more than {BODY_BYTES_MAX} bytes")
        form = _read_form(request.body)
        if form is None or not self._is_signed(request, form):
            door.observe(self._name, "callback_refused")
            return plain(403, "not signed by Twilio for this URL")
        return {name: values[0] for name, values in form.items()}

    def _is_signed(self, request: HttpRequest, form: _Form) -> bool:
        headers = {name.lower(): value for name, value in request.headers.items()}
        signature = headers.get("x-twilio-signature", "")
        if not signature:
            return False
        try:
            # Signed nearly always as it came; with or without the port, which the validator tries, where it was not.
            expected = self._validator.compute_signature(request.url, form)
            if compare_digest(expected.encode(), signature.encode()):
                return True
            return bool(self._validator.validate(request.url, form, signature))
        except ValueError:  # a URL that is none
            return False


def _read_form(body: bytes) -> _Form | None:
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError:  # not UTF-8, or too many fields
        return None
    form = _Form()
    for name, value in pairs:
        form.setdefault(name, []).append(value)
    return form


def plain(status: int, text: str) -> HttpResponse:
    return HttpResponse(status=status, headers={"content-type": "text/plain; charset=utf-8"}, body=text.encode())
