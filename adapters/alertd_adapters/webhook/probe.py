"""Is there a way to each destination? Asked by `alertd doctor`; sends no request.

Owns what can be known before the first byte of HTTP: the name leads somewhere that we may call, somebody listens, and
its certificate is good and stays so. Whether the server takes our signature, only `alertd test webhook` shows.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from alertd.ports import Found
from alertd_adapters.webhook.addresses import Resolve, why_private
from alertd_adapters.webhook.channel import Endpoint

RESOLVE_S = 3.0
CONNECT_S = 5.0
EXPIRES_SOON_DAYS = 14


async def probe(endpoints: Mapping[str, Endpoint], resolve: Resolve, addresses: Sequence[str]) -> AsyncIterator[Found]:
    """`alertd.ports.Probe`. All configured destinations, also those that no policy names now."""
    del addresses
    for name, endpoint in endpoints.items():
        yield await _destination(name, endpoint, resolve)


async def _destination(name: str, endpoint: Endpoint, resolve: Resolve) -> Found:
    parts = urlsplit(endpoint.url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    where = f"{name} ({host}:{port})"
    try:
        async with asyncio.timeout(RESOLVE_S):
            leads_to = await resolve(host, port)
    except (OSError, UnicodeError) as error:  # TimeoutError is one
        remedy = "is the URL right, and does this machine's name server answer?"
        return Found(text=f"{where}: its name has no address: {_words(error)}", remedy=remedy)
    for address in leads_to:
        if not endpoint.allow_private and (why := why_private(address)):
            remedy = 'nothing is sent there; if that is meant, set private_addresses = "allow" for it'
            return Found(text=f"{where} leads to {address}, which {why}", remedy=remedy)
    try:
        async with asyncio.timeout(CONNECT_S):
            expires_s = await _shake_hands(host, port, tls=parts.scheme == "https")
    except ssl.SSLError as error:
        remedy = "the other side must mend its certificate, or this machine lacks its authority; nothing is sent there"
        return Found(text=f"{where}: TLS failed: {_words(error)}", remedy=remedy)
    except OSError as error:
        remedy = "does the server run, and does a firewall stand between?"
        return Found(text=f"{where} cannot be reached: {_words(error)}", remedy=remedy)
    return _judged(where, expires_s)


async def _shake_hands(host: str, port: int, *, tls: bool) -> float | None:
    """When the certificate ends, in seconds since 1970."""
    context = await asyncio.to_thread(ssl.create_default_context) if tls else None
    _, writer = await asyncio.open_connection(host, port, ssl=context)
    try:
        certificate: Mapping[str, Any] = writer.get_extra_info("peercert") or {}
    finally:
        writer.transport.abort()  # we have nothing to say
    ends = certificate.get("notAfter")
    return ssl.cert_time_to_seconds(ends) if ends else None


def _judged(where: str, expires_s: float | None) -> Found:
    days = None if expires_s is None else (expires_s - time.time()) / 86_400
    if days is not None and days < EXPIRES_SOON_DAYS:
        remedy = "tell the other side: from then on nothing reaches it"
        return Found(text=f"{where}: its certificate ends in {days:.0f} days", remedy=remedy, grave=False)
    certificate = "" if days is None else f"; its certificate is good for {days:.0f} more days"
    return Found(text=f"{where} listens{certificate}; whether it takes our messages is not known (alertd test webhook)")


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
