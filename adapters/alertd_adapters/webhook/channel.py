"""One signed POST to a named destination, and what its answer means.

Received is not accepted: a 2xx proves only that the server has it (`Delivered`); what the dispatch centre decides is
in `Delivered.answer`, or comes later to the reply URL. `webhook-id` is the notification's id, the same for every
attempt, so sending again is safe and an *Unknown* costs nothing but a duplicate that the other side can tell.

Which refusals are worth another try: life-safety traffic is sent again wherever the other side may be mended while
the message is still true. A proxy being restarted (404, 5xx), a clock that is off or a secret just being changed
(401, 403), a server that is busy (409, 425, 429): temporary. A server that says that this very request is wrong
(400, 410, 413, 422 …) or that it lives elsewhere (3xx, never followed): permanent, so that the next route is taken at
once. A 401 never breaks the channel: its other destinations are other people's servers.
"""

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from alertd.model.blocked_numbers import blocked
from alertd.model.mode import Mode
from alertd.model.notification import Claim, Notification, NotificationRow
from alertd.model.outcome import Delivered, Failed, Outcome, Unknown
from alertd.ports import (
    ChannelLimits,
    Clock,
    Http,
    HttpNoAnswerError,
    HttpNotSentError,
    HttpRequest,
    HttpResponse,
)
from alertd_adapters.webhook import signing
from alertd_adapters.webhook.addresses import Resolve, why_private
from alertd_adapters.webhook.answers import answer_in

SHARE_OF_DEADLINE = 0.9
"""Resolving and asking together give up first, so that we name what happened before we are cancelled."""
RESOLVE_SHARE = 0.3
RETRY_AFTER_S_MAX = 60.0
"""A server that asks for more silence is asked again all the same: what we carry is soon worthless."""
DETAIL_CHARS_MAX = 200
TEMPORARY_REFUSALS = frozenset({401, 403, 404, 408, 409, 421, 423, 425, 429})


class Endpoint(Struct, frozen=True, kw_only=True):
    """A destination, ready to be called."""

    url: str
    keys: tuple[bytes, ...]
    allow_private: bool

    def __repr__(self) -> str:
        return f"Endpoint(url={self.url!r})"  # never the keys


class WebhookChannel:
    """`alertd.ports.Channel` for machines."""

    kind = "webhook"

    def __init__(
        self,
        *,
        name: str,
        limits: ChannelLimits,
        endpoints: Mapping[str, Endpoint],
        http: Http,
        clock: Clock,
        resolve: Resolve,
    ) -> None:
        self.name = name
        self.limits = limits
        self._endpoints = endpoints
        self._http = http
        self._clock = clock
        self._resolve = resolve

    async def send(self, claim: Claim) -> Outcome:
        notification = claim.notification
        endpoint = self._endpoints.get(notification.endpoint.address)
        if refusal := self._refusal(notification, endpoint):
            return refusal
        assert endpoint is not None
        loop = asyncio.get_running_loop()
        gives_up_s = loop.time() + self.limits.deadline_s * SHARE_OF_DEADLINE
        if not endpoint.allow_private and (refused := await self._refused_address(endpoint.url)):
            return refused
        try:
            response = await self._http.send(
                self._request(notification, endpoint), timeout_s=max(0.001, gives_up_s - loop.time())
            )
        except HttpNotSentError as error:
            return Failed(permanent=False, code="not_sent", detail=_say("the server was not reached", error))
        except HttpNoAnswerError as error:
            return Unknown(detail=_say("the server did not answer", error))
        return _judge(response, notification)

    async def look_up(self, row: NotificationRow) -> Outcome | None:  # noqa: ARG002 - the port's signature
        """A webhook's server cannot be asked; sending again under the same id is safe."""
        return None

    def _refusal(self, notification: Notification, endpoint: Endpoint | None) -> Failed | None:
        address = notification.endpoint.address
        if why := blocked(address):
            return Failed(permanent=True, code="emergency_number", detail=f"not sent: {why}")
        if endpoint is None:
            known = ", ".join(sorted(self._endpoints))[:DETAIL_CHARS_MAX]
            return Failed(
                permanent=True,
                code="unknown_destination",
                detail=f"channel {self.name} has no destination of that name; it has: {known}",
            )
        to = notification.endpoint
        if notification.mode is Mode.DRILL and to.dispatch and not to.accepts_exercise:
            return Failed(permanent=True, code="mode_forbids", detail="not sent: a drill never reaches dispatch")
        return None

    async def _refused_address(self, url: str) -> Failed | None:
        """The name is resolved to see where it leads."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        try:
            async with asyncio.timeout(self.limits.deadline_s * RESOLVE_SHARE):
                addresses = await self._resolve(host, parts.port or 443)
        except TimeoutError:
            return Failed(permanent=False, code="not_resolved", detail=f"no name server answered for {host}")
        except (OSError, UnicodeError) as error:
            return Failed(permanent=False, code="not_resolved", detail=_say(f"{host} has no address", error))
        for address in addresses:
            if why := why_private(address):
                return Failed(
                    permanent=True,
                    code="private_address",
                    detail=f'{host} leads to {address}, which {why}: not sent. If meant: private_addresses = "allow"',
                )
        return None

    def _request(self, notification: Notification, endpoint: Endpoint) -> HttpRequest:
        body = _body(notification)
        at_s = self._clock.now().wall_us // 1_000_000
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": "alertd",
            **signing.sign(endpoint.keys, notification.id, at_s, body),
        }
        return HttpRequest(method="POST", url=endpoint.url, headers=headers, body=body)


def _body(notification: Notification) -> bytes:
    """The engine's document. Without one (a trouble sent to a machine) the text in the same terms: rather told badly
    than not told."""
    if notification.body:
        return notification.body.encode()
    document = {
        "message_id": notification.id,
        "type": notification.kind.value,
        "mode": notification.mode.value,
        "headline": notification.text,
    }
    return msgspec.json.encode(document)


def _judge(response: HttpResponse, notification: Notification) -> Outcome:
    status = response.status
    if 200 <= status < 300:
        answer = answer_in(response.body)
        said = f", {answer.state}" if answer else ""
        return Delivered(ref=notification.id, detail=f"HTTP {status}{said}", answer=answer)
    if 300 <= status < 400:
        detail = f"HTTP {status}: redirects are never followed; configure the final URL"
        return Failed(permanent=True, code=f"http_{status}", detail=detail)
    if 400 <= status < 600:
        return Failed(
            permanent=status < 500 and status not in TEMPORARY_REFUSALS,
            code=f"http_{status}",
            detail=f"HTTP {status}: {_MEANINGS.get(status, 'the server refused it' if status < 500 else 'it is ill')}",
            retry_after_s=_retry_after_s(response),
        )
    return Unknown(detail=f"HTTP {status} is no answer")


_MEANINGS = {
    400: "the server cannot read our message",
    401: "the server does not accept our signature: same secret on both sides? both clocks right?",
    403: "the server does not let us in: same secret on both sides? a firewall between?",
    404: "nothing is at this URL now: is it right?",
    410: "this URL is closed for good: ask for the new one",
    413: "our message is too large for the server",
    429: "the server asks us to slow down",
    500: "the server failed",
    502: "the server behind the proxy is away",
    503: "the server is not available now",
    504: "the server behind the proxy did not answer",
}


def _retry_after_s(response: HttpResponse) -> float | None:
    """Seconds; a date would be by a clock that we do not know."""
    try:
        seconds = float(response.headers.get("retry-after", ""))
    except ValueError:
        return None
    return min(seconds, RETRY_AFTER_S_MAX) if seconds >= 0 else None


def _say(what: str, error: Exception) -> str:
    return f"{what}: {str(error) or type(error).__name__}"[:DETAIL_CHARS_MAX]
