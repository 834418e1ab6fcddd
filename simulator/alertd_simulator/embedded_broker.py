"""A real MQTT broker from a wheel (rumqttd, by `iotcore`), in a child process, for the demo and for tests.

Owns its configuration: loopback only, one port for MQTT 5 and one for 3.1.1. It keeps nothing on disk, so it is no
broker for a school: see docs/broker.md. Clients need a keep-alive above 0. Of 300 clients of 3.1.1 that came in the
moment in which one of MQTT 5 with their name had left, some never got an answer (rumqttd 0.20, measured: about one in
fifty); of 1,000 that stayed with one protocol, each did.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from alertd_simulator.loopback_server import LOOPBACK, free_port

START_S = 20.0
START_TRIES = 3

ROUTER = """\
id = 0

[router]
id = 0
max_connections = 2000
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 10
"""
LISTENER = """
[{version}.1]
name = "{version}"
listen = "{host}:{port}"
next_connection_delay_ms = 1

[{version}.1.connections]
connection_timeout_ms = 60000
max_payload_size = 1048576
max_inflight_count = 500
dynamic_filters = true
"""


class BrokerPorts(Struct, frozen=True, kw_only=True):
    v5: int
    v311: int


@contextmanager
def embedded_broker(directory: Path) -> Iterator[BrokerPorts]:
    """Run the broker until the block ends. Raises `RuntimeError` that says what to install if it is not there."""
    try:
        from iotcore import Broker  # noqa: PLC0415  # an optional dependency
    except ImportError:
        raise RuntimeError("the demo's broker is not installed: pip install 'alertd[demo]'") from None

    failure: Exception | None = None
    for _ in range(START_TRIES):  # between finding a port and listening on it somebody else may take it
        ports = BrokerPorts(v5=free_port(), v311=free_port())
        path = directory / "broker.toml"
        path.write_text(_configuration(ports))
        broker = Broker(config_path=str(path))
        try:
            broker.start(timeout=START_S)
        except (OSError, RuntimeError) as error:
            failure = error
            continue
        try:
            yield ports
        finally:
            broker.stop()
        return
    raise RuntimeError(f"the embedded broker does not start: {failure}")


def _configuration(ports: BrokerPorts) -> str:
    listeners = {"v5": ports.v5, "v4": ports.v311}  # rumqttd calls 3.1.1 by its protocol level
    return ROUTER + "".join(
        LISTENER.format(version=version, host=LOOPBACK, port=port) for version, port in listeners.items()
    )
