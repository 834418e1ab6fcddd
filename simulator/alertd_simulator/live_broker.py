"""Is a broker the one at which a live daemon may listen? Then nothing is played there.

Owns the comparison, by where names lead and not by how they are written. Must never connect to a broker.
"""

import ipaddress
import socket
from collections.abc import Mapping

from alertd_simulator.live_credentials import LiveError

HERE = "here"
"""Every address of this machine: a listener may serve them all."""
PORT, TLS_PORT = 1883, 8883


def check_broker(wiring: Mapping[str, object], host: str, port: int) -> None:
    """A broker at which a live daemon may listen is none for a rehearsal: its presses would be real there. Raises
    `LiveError`. A name that leads nowhere is compared as it is written."""
    sources = wiring.get("sources", {})
    for name, section in sources.items() if isinstance(sources, dict) else ():
        usual = TLS_PORT if "tls" in section else PORT
        if int(section.get("port", usual)) == port and _places(str(section.get("host", "localhost"))) & _places(host):
            raise LiveError(
                f"{host}:{port} is the broker of sources.{name}: a live daemon may listen there, and would take for "
                "real what is played; give the rehearsal a broker of its own"
            )


def _places(host: str) -> set[str]:
    name = host.strip("[]").rstrip(".").lower()
    return {name} | {HERE if _is_here(address) else address for address in _resolved(name)}


def _resolved(name: str) -> set[str]:
    """Addresses. The system's resolver also knows "127.1"."""
    try:
        return {str(address[0]) for *_, address in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)}
    except OSError:
        return set()


def _is_here(address: str) -> bool:
    """Only an address of this machine can be listened at."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if ip.is_loopback or ip.is_unspecified:
        return True
    with socket.socket(socket.AF_INET if ip.version == 4 else socket.AF_INET6, socket.SOCK_DGRAM) as here:
        try:
            here.bind((address, 0))
        except OSError:
            return False
    return True
