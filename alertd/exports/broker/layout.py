"""What a mosquitto.conf holds, line by line, and why. docs/broker.md has the figures.

Two roles. A broker of *presses* saves at every change: what waits for alertd survives kill -9 of the broker. A broker
of *readings* (sensors alone) saves once a minute, which costs it no rate.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from msgspec import Struct

from alertd.config import Section
from alertd.exports.broker.clients import Trigger
from alertd.model.site import DeviceKind
from alertd.model.this_machine import is_this_machine

TLS_PORT, PLAIN_PORT = 8883, 1883
HIGHEST = 65535 - TLS_PORT + PLAIN_PORT
ETC = PurePosixPath("/etc/mosquitto")
STATE = PurePosixPath("/var/lib/mosquitto")
CERTS = ETC / "certs"
QUIET = frozenset({DeviceKind.SENSOR, DeviceKind.GATEWAY})
"""Kinds that never press."""
NO_LIMIT = 1_000_000_000
"""Messages. 0 means "no limit" to the manual, but not to the program: with 0, mosquitto 2.0.11 to 2.0.21 end the
connection of whoever publishes what it may not (eclipse-mosquitto/mosquitto#3244), and 2.0.16 throws everything away
(#2879)."""


class Layout(Struct, frozen=True, kw_only=True):
    """One broker. `name`: of its first source."""

    name: str
    address: str
    is_first: bool
    presses: bool
    tls_port: int
    plain_port: int | None
    """For programs on this machine; `None`: all come over TLS."""

    @property
    def etc(self) -> PurePosixPath:
        return ETC if self.is_first else ETC / self.name

    @property
    def state(self) -> PurePosixPath:
        return STATE if self.is_first else STATE / self.name

    @property
    def unit(self) -> str:
        return "mosquitto" if self.is_first else f"mosquitto@{self.name}"


def address_of(section: Section) -> tuple[str, int]:
    """Sources with the same address share one broker."""
    settings = section.settings
    host = str(settings.get("host", ""))
    port = settings.get("port") or (TLS_PORT if "tls" in settings else PLAIN_PORT)
    return "localhost" if is_this_machine(host) else host.casefold(), int(port)


def is_quiet(triggers: Iterable[Mapping[str, Any]]) -> bool:
    """Of triggers as they are written: does nobody ever press there?"""
    return all(trigger.get("kinds") and QUIET.issuperset(trigger["kinds"]) for trigger in triggers)


def tls_port_beside(plain_port: int) -> int:
    """Where devices connect, at a broker that alertd reaches in clear."""
    return plain_port - PLAIN_PORT + TLS_PORT if plain_port <= HIGHEST else TLS_PORT


def layout_of(sections: Sequence[Section], triggers: Sequence[Trigger], *, is_first: bool) -> Layout:
    host, port = address_of(sections[0])
    settings: Mapping[str, Any] = sections[0].settings
    is_plain = "tls" not in settings
    return Layout(
        name=sections[0].name,
        address=f"{host}:{port}",
        is_first=is_first,
        presses=not all(trigger.kinds and trigger.kinds <= QUIET for trigger in triggers),
        tls_port=tls_port_beside(port) if is_plain else port,
        plain_port=port if is_plain else None,
    )


def conf_text(layout: Layout) -> str:
    return "\n\n".join((_head(layout), _who(layout), WAITING, _dying(layout), SIZES, SAID)) + "\n"


def _head(layout: Layout) -> str:
    if layout.presses:
        words = """for presses, as alertd assumes it. docs/broker.md explains what each line is worth, with figures.
# Telemetry (heartbeats, readings) belongs at QoS 0, or on a broker of its own: saving at every change costs rate."""
    else:
        words = """for sensors and readings, beside the broker of the presses; docs/broker.md, "Two brokers"."""
    return f"# mosquitto {words}\n# Written by `alertd broker config`, which writes it again: do not edit."


def _rule(title: str) -> str:
    return f"# --- {title} ".ljust(117, "-")


def _who(layout: Layout) -> str:
    lines = [
        _rule("who gets in"),
        "# Over the network only with TLS."
        + (" The plain listener is for programs on this machine (Zigbee2MQTT, alertd)." if layout.plain_port else ""),
        f"listener {layout.tls_port}",
        f"certfile {CERTS}/cert.pem",
        f"keyfile {CERTS}/key.pem",
        "tls_version tlsv1.2",
    ]
    if layout.plain_port:
        lines.append(f"listener {layout.plain_port} 127.0.0.1")
    lines += [
        "# Nobody without a password; every device has its own, and may press only as itself.",
        "allow_anonymous false",
        f"password_file {layout.etc}/passwords",
        f"acl_file {layout.etc}/acl",
    ]
    return "\n".join(lines)


WAITING = f"""{_rule("what waits while alertd is away")}
# No limit that anybody reaches. Debian's default of 1000 throws the rest away and answers "success" to the button.
# Not 0: with it mosquitto up to 2.0.21 hangs up on whoever publishes what it may not, and 2.0.16 delivers nothing.
max_queued_messages {NO_LIMIT}
# A press published at QoS 0 waits too (10 of 10 kept; without this line 0 of 10).
queue_qos0_messages true
# persistent_client_expiration is not set: a session never expires, however long alertd is away."""


def _dying(layout: Layout) -> str:
    if layout.presses:
        saving = """\
# Without these two lines, kill -9 or a power cut loses everything since the last save (default: 30 minutes).
autosave_on_changes true
autosave_interval 1"""
    else:
        saving = """\
# Saved once a minute: kill -9 or a power cut loses what came since, if alertd is away. Presses have a broker of
# their own.
autosave_on_changes false
autosave_interval 60"""
    return f"""{_rule("what survives the broker's own death")}
persistence true
persistence_location {layout.state}/
{saving}
# A press leaves for alertd before its button gets the answer. Without this line the kernel may hold it back for up to
# 40 ms (Nagle), and throws it away when mosquitto is killed meanwhile.
set_tcp_nodelay true"""


SIZES = f"""{_rule("sizes")}
# Messages under way to alertd: no limit. mosquitto 2.0.11 counts those of QoS 0 that waited among them, and never sends
# a press that stands behind as many as the limit: with 1000, a night of a talkative sensor. The default is 20.
max_inflight_messages 0
# Larger packets end the sender's connection, unseen by alertd. alertd reads 64 KiB; what is between is a trouble.
max_packet_size 2097152"""

SAID = f"""{_rule("what it says of itself")}
# alertd watches $SYS/broker/publish/messages/dropped and raises a trouble when it grows.
sys_interval 10
log_dest stderr
log_type error
log_type warning
log_type notice
log_type information"""
