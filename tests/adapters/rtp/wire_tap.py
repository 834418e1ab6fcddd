"""A tap on the wire, a script run in the loudspeakers' namespace: every datagram with the kernel's time, TTL, TOS.

    python wire_tap.py FILE ADDRESS GROUP:PORT...

It understands nothing and shares no code with the sender: one line of JSON for a datagram. Ends by Ctrl-C.
"""

import json
import select
import socket
import struct
import sys

SO_TIMESTAMPNS = 35


def main() -> None:
    path, interface, *groups = sys.argv[1:]
    taps = []
    for group in groups:
        host, _, port = group.partition(":")
        tap = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        tap.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        tap.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
        tap.setsockopt(socket.IPPROTO_IP, 12, 1)  # IP_RECVTTL
        tap.bind((host, int(port)))
        member = socket.inet_aton(host) + socket.inet_aton(interface)
        tap.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        taps.append((group, tap))
    with open(path, "w", buffering=1) as out:  # noqa: PTH123
        while True:
            readable, _, _ = select.select([tap for _, tap in taps], [], [])
            for group, tap in taps:
                if tap in readable:
                    out.write(json.dumps(_one(group, tap)) + "\n")


def _one(group: str, tap: socket.socket) -> dict[str, object]:
    data, ancillary, _, source = tap.recvmsg(2_000, 200)
    heard: dict[str, object] = {"group": group, "data": data.hex(), "from": source[0]}
    for level, kind, value in ancillary:
        if kind == SO_TIMESTAMPNS and level == socket.SOL_SOCKET:
            seconds, nanoseconds = struct.unpack("qq", value)
            heard["at_ns"] = seconds * 1_000_000_000 + nanoseconds
        elif level == socket.IPPROTO_IP:
            heard["tos" if kind == socket.IP_TOS else "ttl"] = value[0]
    return heard


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(0)
