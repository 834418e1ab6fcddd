"""The workload of `make bench`, and the school district that it runs on.

**A press** is a 300-byte JSON message at QoS 1 from a device of its own in a zone of its own: class medical, so nothing
merges, and each opens an incident. Its policy tells one webhook destination at once and waits an hour before it would
tell anybody else: one press is one webhook. The devices are spread over 50 sites.

**Around it**, all on one machine over 127.0.0.1: a real mosquitto with the settings of config/mosquitto, except that it
does not save its database on every change (it then takes a few hundred presses a second, whoever listens); `alertd run`
as a process of its own, SQLite with every commit synced on a real disk, signatures, feedback to the presser, journal
and logs as shipped, `concurrent = 50`; one process that presses (MQTT by hand) and receives the webhooks (HTTP by hand:
it answers an empty 200 at once). Beside it **the floor**: aiomqtt → 50 workers → aiohttp POST of the payload as it
came, nothing kept, nothing signed.

**Measured**, floor and alertd by turns, each time on a fresh broker and a fresh database, after a warm-up:
`single`: presses 20–50 ms apart, from the write to the broker's socket until the webhook's last byte is read.
`loaded`: the same while 1,000 telemetry messages a second (QoS 0, 300 bytes) arrive, in blocks between those of
`single` (alertd only). `storm`: presses written as fast as the socket takes them; the rate is their number over
the time until the last webhook. `CPU`: user and system time of the process under test for the storm's presses, until
the last webhook; it suffers least from what else the machine does.
"""

import json
from pathlib import Path

from msgspec import Struct

SITES = 50
PRESS_BYTES = 300
PREFIX = "bench-"
TELEMETRY_TOPIC = "alertd/telemetry/bench"
SECRETS = {
    "ALERTD_SECRET_SIGNING": "whsec_" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "ALERTD_SECRET_SID": "AC" + "0" * 32,
    "ALERTD_SECRET_TOKEN": "x",
}


class Size(Struct, frozen=True, kw_only=True):
    """How much is pressed."""

    runs: int = 5
    """Of the floor and of alertd, by turns."""
    singles: int = 200
    storm: int = 5_000
    warm_up: int = 50

    @property
    def devices(self) -> int:
        """Those of the warm-up, of `single` and `loaded`, of the storm; some warm-up presses are repeated."""
        return 2 * self.warm_up + 2 * self.singles + self.storm


def device_id(number: int) -> str:
    return f"{PREFIX}{number:06}"


def topic(number: int) -> str:
    return f"alertd/press/{device_id(number)}"


def payload(number: int) -> bytes:
    """Padded with a field that nobody reads."""
    fields = {"action": "press", "device_id": device_id(number), "seq": number, "boot": "b1", "pad": ""}
    fields["pad"] = "x" * (PRESS_BYTES - len(json.dumps(fields)))
    return json.dumps(fields).encode()


def write_district(folder: Path, devices: int, broker_port: int, webhook_url: str) -> None:
    """The configuration directory. The one person who would be texted after an hour satisfies `alertd check`."""
    write_policies(folder)
    (folder / "channels.toml").write_text(channels_text(broker_port, webhook_url, SITES))
    (folder / "gestures.toml").write_text('[medical-button]\npresses = { 1 = "medical" }\n')
    (folder / "people.csv").write_text(people(SITES))
    zones = -(-devices // SITES)
    for site in range(SITES):
        (folder / "sites" / f"{site_id(site)}.toml").write_text(site_text(site, zones))
    lines = (
        f"{device_id(number)},button,{site_id(number % SITES)},z{number // SITES},medical-button"
        for number in range(devices)
    )
    (folder / "devices.csv").write_text("\n".join(("id,kind,site,zone,gestures", *lines, "")))


def write_policies(folder: Path) -> None:
    """The folders, the district itself, and the two policies that every district here has."""
    (folder / "sites").mkdir(parents=True)
    (folder / "policies").mkdir()
    (folder / "alertd.toml").write_text(
        'demo = true\n[district]\nname = "Bench County"\nshort = "BENCH"\ntime_zone = "America/Chicago"\n'
        'trouble_policy = "trouble"\n'
    )
    (folder / "policies" / "medical.toml").write_text(MEDICAL)
    (folder / "policies" / "trouble.toml").write_text(TROUBLE)


def site_id(site: int) -> str:
    return f"s{site:02}"


def people(sites: int) -> str:
    """people.csv with the one person."""
    everywhere = ";".join((*map(site_id, range(sites)), "district"))
    return f"id,name,kind,sites,groups,phone\nruiz,J. Ruiz,responder,{everywhere},responders,+12025550110\n"


def site_text(site: int, zones: int) -> str:
    head = (
        f'name = "School {site}"\nshort = "S{site:02}"\ntime_zone = "America/Chicago"\n'
        '[policies]\nmedical = "medical"\ntrouble = "trouble"\n'
        '[address]\nstreet = "1 Elm Avenue"\ncity = "Mapleton"\nstate = "IL"\nzip = "60000"\n'
        'main_phone = "+12025550129"\nentry_door = "Door A"\n'
    )
    return head + "".join(
        f'[zones.z{zone}]\nlabel = "Rm {zone}, 2nd fl"\nshort = "Rm {zone}"\nfloor = "2"\nroom = "{zone}"\n'
        for zone in range(zones)
    )


def channels_text(broker_port: int, webhook_url: str, sites: int) -> str:
    everywhere = json.dumps([site_id(site) for site in range(sites)])
    base_url = webhook_url.rpartition("/")[0]
    return f"""
[sources.broker]
plugin = "mqtt"
host = "127.0.0.1"
port = {broker_port}
client_id = "alertd-bench"
triggers = [{{ topic = "alertd/press/+", decoder = "press_json" }}]
telemetry = ["{TELEMETRY_TOPIC}"]

[channels.centre]
plugin = "webhook"
private_addresses = "allow"
concurrent = 50

[channels.centre.destinations.centre]
url = "{webhook_url}"
signing_secret = "signing"

[channels.sms]
plugin = "sms_twilio"
base_url = "{base_url}"
account_sid_secret = "sid"
auth_token_secret = "token"
from_numbers = ["+12025550101"]

[destinations.centre]
channel = "centre"
sites = {everywhere}
accept_within_s = 600
"""


MEDICAL = """
class = "medical"
expires_s = 600
[[steps]]
targets = [{ destination = "centre" }]
wait_s = 3600
[[steps]]
targets = [{ group = "responders" }]
wait_s = 3600
[templates]
"alert.responder" = "{site} {where}: {what} {time}, {who}. Reply 4{token} going, 6{token} cannot go."
"""
TROUBLE = """
class = "trouble"
[[steps]]
targets = [{ group = "responders" }]
[templates]
"trouble.responder" = "alertd TROUBLE at {site} since {time}: {summary}"
"trouble_cleared.responder" = "alertd trouble at {site} is over, {minute}: {summary}"
"""
