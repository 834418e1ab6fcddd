"""The reply URL: a dispatch centre says *accepted*, *rejected*, *dispatched*, *on scene*, *closed*, when it knows.

`POST {public_base_url}/v1/callbacks/{channel}?d={destination}` with `{"incident_id", "state", "call_number",
"reason"}`, signed by Standard Webhooks with the very secret that signs what we send. Owns the check of the signature;
must refuse before it reads a word. `webhook-id` makes a report idempotent.
"""

from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

import msgspec

from alertd.model.events import DispatchReported
from alertd.model.ids import DISTRICT, CauseId, IncidentId
from alertd.ports import Clock, Door, HttpRequest, HttpResponse, NotCommittedError
from alertd_adapters.webhook import signing
from alertd_adapters.webhook.answers import BODY_BYTES_MAX, SAYABLE, Said, read
from alertd_adapters.webhook.channel import Endpoint

MESSAGE_ID_CHARS_MAX = 128
INCIDENT_ID_CHARS_MAX = 64
DESTINATIONS_TRIED_MAX = 20
"""Where the URL names none: a stranger must not make us compute hundreds of signatures."""


class WebhookCallbacks:
    """`alertd.ports.Callbacks`."""

    def __init__(self, *, name: str, endpoints: Mapping[str, Endpoint], clock: Clock) -> None:
        self.name = name
        self._endpoints = endpoints
        self._clock = clock

    async def callback(self, request: HttpRequest, door: Door) -> HttpResponse:
        if request.method != "POST":
            return _answer(405, "only POST")
        if len(request.body) > BODY_BYTES_MAX:
            door.observe(self.name, "callback_too_large")
            return _answer(413, f"more than {BODY_BYTES_MAX} bytes")
        signed = self._signer(request)
        if signed is None:
            door.observe(self.name, "callback_refused")
            return _answer(403, "no valid Standard Webhooks signature of a known destination, or a clock is off")
        destination, message_id = signed
        event = self._event(destination, message_id, read(request.body))
        if isinstance(event, str):
            door.observe(self.name, "callback_not_understood")
            return _answer(422, event)
        try:
            await door.submit(event)
        except NotCommittedError:
            return _answer(503, "not stored, try again")
        return _answer(200, "noted")

    def _signer(self, request: HttpRequest) -> tuple[str, str] | None:
        """The destination whose secret signed it (only the one that the URL names, if it names one), and its id."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        now_s = self._clock.now().wall_us // 1_000_000
        named = parse_qs(urlsplit(request.url).query).get("d", list(self._endpoints))
        for destination in named[:DESTINATIONS_TRIED_MAX]:
            endpoint = self._endpoints.get(destination)
            message_id = endpoint and signing.verify(endpoint.keys, headers, request.body, now_s)
            if message_id:
                return destination, message_id[:MESSAGE_ID_CHARS_MAX]
        return None

    def _event(self, destination: str, message_id: str, said: Said | None) -> DispatchReported | str:
        """The event, or what is wrong with the report."""
        if said is None:
            return "the body is not JSON of the agreed shape"
        if not said.incident_id or len(said.incident_id) > INCIDENT_ID_CHARS_MAX:
            return "incident_id is missing: send the one of our message"
        if said.dispatch_state is None:
            return f"state must be one of {', '.join(sorted(SAYABLE))}"
        return DispatchReported(
            site_id=DISTRICT,
            cause=CauseId(f"webhook:{destination}:{message_id}"),
            incident_id=IncidentId(said.incident_id),
            destination_id=destination,
            state=said.dispatch_state,
            call_number=said.call,
            detail=said.why,
        )


def _answer(status: int, text: str) -> HttpResponse:
    body = msgspec.json.encode({"status": text})
    return HttpResponse(status=status, headers={"content-type": "application/json"}, body=body)
