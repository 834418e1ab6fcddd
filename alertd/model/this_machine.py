"""Does a host's name stand for the machine that alertd runs on? Never asks a name server."""

import ipaddress


def is_this_machine(host: str) -> bool:
    """By its spelling alone: "localhost", or a loopback address."""
    if host.casefold() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
