"""Which addresses a webhook may go to: the explicit rule about private ones.

Owns the judgement of literal and resolved addresses. Honest limit: the HTTP client resolves the name again when it
connects, so a name server that answers differently within milliseconds can still lead it elsewhere; this rule stops
mistakes and stale names, a firewall stops attackers.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host and port to addresses. Raises `OSError` if there is none."""


def why_private(host: str) -> str | None:
    """Why a host (an address, or a name as it is written) is not out in the world; `None` if that cannot be seen."""
    if host == "localhost" or host.endswith(".localhost"):
        return "is this machine"
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return _why_private(address)


def _why_private(address: IPv4Address | IPv6Address) -> str | None:
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
        if inner:
            return _why_private(inner)
    if address.is_loopback:
        return "is this machine"
    if address.is_link_local:
        return "is a link-local address (a cloud's metadata service lives there)"
    if address.is_multicast or address.is_unspecified:
        return "is no single machine's address"
    if not address.is_global:
        return "is a private address"
    return None


async def resolve_by_system(host: str, port: int) -> Sequence[str]:
    """The system's resolver, in a thread."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for _, _, _, _, sockaddr in found]
