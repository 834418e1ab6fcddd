"""The products that alertd is measured beside: settings as careful as each of them offers.

A setting that is here only because of the benchmark (ports, addresses, no editor) is not among `settings`.
"""

import json
from pathlib import Path

from tests.bench.peers.product import Launch, Peer, Product
from tests.real_broker import free_port

TOPIC = "alertd/press/+"
SESSION = "bench-peer"
"""Client id, and so the name of the persistent session."""


def _node_red(program: str, folder: Path, broker_port: int, url: str) -> Launch:
    broker = {
        "id": "broker", "type": "mqtt-broker", "broker": "127.0.0.1", "port": str(broker_port), "clientid": SESSION,
        "autoConnect": True, "usetls": False, "protocolVersion": "4", "keepalive": "60", "cleansession": False,
        "autoUnsubscribe": False,
    }  # fmt: skip
    flow = [
        {"id": "tab", "type": "tab", "label": "press"},
        broker,
        {"id": "in", "type": "mqtt in", "z": "tab", "topic": TOPIC, "qos": "1", "datatype": "utf8", "broker": "broker",
         "inputs": 0, "wires": [["post"]]},
        {"id": "post", "type": "http request", "z": "tab", "method": "POST", "ret": "txt", "url": url, "persist": True,
         "wires": [[]]},
    ]  # fmt: skip
    (folder / "flows.json").write_text(json.dumps(flow))
    settings = {"uiHost": "127.0.0.1", "uiPort": free_port(), "httpAdminRoot": False, "flowFile": "flows.json",
                "logging": {"console": {"level": "warn"}}}  # fmt: skip
    (folder / "settings.js").write_text(f"module.exports = {json.dumps(settings)}\n")
    return Launch(command=(program, "--userDir", str(folder), "--settings", str(folder / "settings.js")))


NODE_RED = Peer(
    product=Product(
        name="Node-RED",
        prepare=_node_red,
        settings=(
            (
                "mqtt in (QoS 1; broker: client id set, clean session off, no unsubscribing when it ends) → http"
                " request (POST, keep-alive)"
            ),
            "it acknowledges a press when it has read it, whatever becomes of it; no setting changes that",
        ),
    ),
    variable="ALERTD_BENCH_NODE_RED",
    programs=("node-red",),
    install="Install: npm install --prefix DIR node-red; then ALERTD_BENCH_NODE_RED=DIR/node_modules/.bin/node-red",
)


def _home_assistant(program: str, folder: Path, broker_port: int, url: str) -> Launch:
    (folder / "configuration.yaml").write_text(_HOME_ASSISTANT.format(port=free_port(), url=url, topic=TOPIC))
    data = {"broker": "127.0.0.1", "port": broker_port, "client_id": SESSION, "protocol": "5"}
    options = {"discovery": False, "birth_message": {}, "will_message": {}}
    entry = {"entry_id": "bench", "version": 1, "minor_version": 2, "domain": "mqtt", "title": "broker", "data": data,
             "options": options, "source": "user", "unique_id": None, "disabled_by": None,
             "pref_disable_new_entities": False, "pref_disable_polling": False}  # fmt: skip
    # What its setup dialogue would write. The oldest format: each version brings it up to its own.
    stored = {"version": 1, "minor_version": 1, "key": "core.config_entries", "data": {"entries": [entry]}}
    (folder / ".storage").mkdir()
    (folder / ".storage" / "core.config_entries").write_text(json.dumps(stored))
    return Launch(command=(program, "--config", str(folder), "--skip-pip", "--log-no-color"))


_HOME_ASSISTANT = """
homeassistant:
  time_zone: America/Chicago
http:
  server_host: 127.0.0.1
  server_port: {port}
logger:
  default: warning
rest_command:
  hook:
    url: "{url}"
    method: post
    content_type: application/json
    payload: "{{{{ body }}}}"
    timeout: 60
automation:
  - id: press
    alias: press
    mode: parallel
    max: 100000
    triggers:
      - trigger: mqtt
        topic: {topic}
        qos: 1
    actions:
      - action: rest_command.hook
        data:
          body: "{{{{ trigger.payload }}}}"
"""
HOME_ASSISTANT = Peer(
    product=Product(
        name="Home Assistant",
        prepare=_home_assistant,
        settings=(
            (
                "MQTT 5; automation: mqtt trigger (qos 1) → rest_command (POST); mode parallel, max 100000 (with the"
                " defaults, single and 10, it drops presses that come together)"
            ),
            "it always begins a clean session: a press made while it is down is gone; no setting changes that",
        ),
    ),
    variable="ALERTD_BENCH_HOME_ASSISTANT",
    programs=("hass",),
    install="Install: python -m venv DIR; DIR/bin/pip install homeassistant; run DIR/bin/hass once, for it installs the"
    " rest as it starts; then ALERTD_BENCH_HOME_ASSISTANT=DIR/bin/hass",
)


def _mqttwarn(program: str, folder: Path, broker_port: int, url: str) -> Launch:
    (folder / "mqttwarn.ini").write_text(_MQTTWARN.format(port=broker_port, session=SESSION, url=url, topic=TOPIC))
    return Launch(command=(program,), environment={"MQTTWARNINI": str(folder / "mqttwarn.ini")})


_MQTTWARN = """
[defaults]
hostname = '127.0.0.1'
port = {port}
clientid = '{session}'
cleansession = False
protocol = 4
num_workers = 50
loglevel = WARN
launch = hook

[config:hook]
module = 'http_urllib'
timeout = 60
targets = {{ 'sink': ['post', '{url}', None, None, True] }}

[press]
topic = {topic}
qos = 1
targets = hook:sink
"""
MQTTWARN = Peer(
    product=Product(
        name="mqttwarn",
        prepare=_mqttwarn,
        settings=(
            (
                "cleansession = False, clientid set, MQTT 3.1.1, qos = 1; http_urllib (POST), num_workers = 50, as many"
                " as alertd's `concurrent`"
            ),
            "it acknowledges a press when it has put it into a queue in memory; no setting changes that",
        ),
    ),
    variable="ALERTD_BENCH_MQTTWARN",
    programs=("mqttwarn",),
    install="Install: python -m venv DIR; DIR/bin/pip install mqttwarn; then ALERTD_BENCH_MQTTWARN=DIR/bin/mqttwarn",
)


def _alertmanager(program: str, folder: Path, broker_port: int, url: str) -> Launch:
    (folder / "alertmanager.yml").write_text(_ALERTMANAGER.format(url=url))
    port = free_port()
    options = (
        f"--config.file={folder / 'alertmanager.yml'}", f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=", "--log.level=warn",
    )  # fmt: skip
    return Launch(command=(program, *options), alerts_port=port)


_ALERTMANAGER = """
route:
  receiver: hook
  group_by: ['...']
  group_wait: 0s
receivers:
  - name: hook
    webhook_configs:
      - url: {url}
        send_resolved: false
"""
ALERTMANAGER = Peer(
    product=Product(
        name="Alertmanager",
        prepare=_alertmanager,
        settings=(
            (
                "no MQTT: each press is a POST to /api/v2/alerts, made by the benchmark itself, again every 0.1 s until"
                " it is answered 200 → webhook; group_by ['...'], group_wait 0s"
            ),
            "it keeps alerts in memory. Prometheus sends its alerts again every minute or so; a press is sent once",
        ),
    ),
    variable="ALERTD_BENCH_ALERTMANAGER",
    programs=("prometheus-alertmanager", "alertmanager"),
    install="Install: apt-get install prometheus-alertmanager",
)

PEERS = (NODE_RED, HOME_ASSISTANT, MQTTWARN, ALERTMANAGER)
