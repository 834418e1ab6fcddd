"""The actors on real ports: an HTTP server in front of the carrier, a broker from a wheel, Twilio's own description."""

import asyncio
import time
from base64 import b64encode
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import aiomqtt
import msgspec
import pytest

from alertd.model.anchor import Now
from alertd_simulator.carrier import Behaviour, Carrier
from alertd_simulator.devices import Badge, on_the_air
from alertd_simulator.embedded_broker import embedded_broker
from alertd_simulator.loopback_server import free_port, served
from alertd_simulator.mqtt_tap import tapped
from alertd_simulator.storm import blow, storm_of
from alertd_simulator.weather import Weather

pytestmark = pytest.mark.slow

PRISM = Path(__file__).parents[2] / ".cache/prism/node_modules/.bin/prism"
OURS = "+12025550100"
RUIZ = "+12025550142"


class RealClock:
    boot_id = "this boot"

    def now(self) -> Now:
        return Now(wall_us=time.time_ns() // 1000, boot_us=time.monotonic_ns() // 1000)


def a_carrier() -> Carrier:
    return Carrier(clock=RealClock(), auth_token="t")


def auth(carrier: Carrier) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{carrier.account_sid}:t".encode()).decode()}


async def post(session: aiohttp.ClientSession, base: str, carrier: Carrier, **form: str) -> tuple[int, dict]:
    url = f"{base}/2010-04-01/Accounts/{carrier.account_sid}/Messages.json"
    async with session.post(url, data=form, headers=auth(carrier)) as response:
        return response.status, msgspec.json.decode(await response.read())


async def test_a_text_over_http_and_a_cut_connection():
    carrier = a_carrier()
    async with served(carrier.handle) as base, aiohttp.ClientSession() as session:
        assert base.startswith("http://127.0.0.1:")
        assert (await post(session, base, carrier, To=RUIZ, From=OURS, Body="LOCKDOWN, Rm 204 + hall"))[0] == 201
        assert carrier.to(RUIZ)[0].body == "LOCKDOWN, Rm 204 + hall"

        carrier.forecast.next.append(Weather.CUT_ACCEPTED)
        with pytest.raises(aiohttp.ClientConnectionError):
            await post(session, base, carrier, To=RUIZ, From=OURS, Body="x")
    assert len(carrier.to(RUIZ)) == 2


@pytest.mark.parametrize("version", [aiomqtt.ProtocolVersion.V5, aiomqtt.ProtocolVersion.V311])
async def test_the_embedded_broker_speaks_both_protocols_on_loopback_and_keeps_a_session(
    tmp_path: Path, version: aiomqtt.ProtocolVersion
):
    """Each by itself: see embedded_broker.py for what it does to a client of 3.1.1 right behind one of 5."""
    with embedded_broker(tmp_path) as ports:
        is_v5 = version is aiomqtt.ProtocolVersion.V5
        port = ports.v5 if is_v5 else ports.v311
        session = {"clean_start": False, "properties": never_expires()} if is_v5 else {"clean_session": False}
        client: dict[str, Any] = {"identifier": "alertd", "protocol": version, "port": port, **session}
        async with aiomqtt.Client("127.0.0.1", **client) as listener:
            await listener.subscribe("alertd/press/+", qos=1)
        async with on_the_air("127.0.0.1", port, protocol=version) as air:
            await air.publish(Badge("badge-17").press(8))
        async with aiomqtt.Client("127.0.0.1", **client) as listener, asyncio.timeout(10):
            message = await anext(aiter(listener.messages))
        assert msgspec.json.decode(message.payload)["count"] == 8


def never_expires() -> object:
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties

    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = 0xFFFFFFFF
    return properties


@asynccontextmanager
async def prism(description: Path, upstream: str):
    """Stoplight's Prism between client and carrier: it judges both by Twilio's own description."""
    if not PRISM.exists():
        pytest.skip("no .cache/prism: npm install --no-save --prefix .cache/prism @stoplight/prism-cli@5.14.2")
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        PRISM, "proxy", description, upstream, "--errors", "-p", str(port), "-h", "127.0.0.1",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            while b"is listening" not in (line := await process.stdout.readline()):
                assert line, f"Prism ended with {await process.wait()}"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.communicate()


async def test_the_carriers_answers_satisfy_twilios_own_description(shared):
    carrier = a_carrier()
    carrier.behave("+12025550143", Behaviour(fails=30003, sending_s=0.01, delivery_s=0.01))
    carrier.receive(sender=RUIZ, body="417")
    async with (
        served(carrier.handle) as upstream,
        prism(shared / "data/twilio_min.json", upstream) as base,
        aiohttp.ClientSession() as session,
    ):
        seen = [
            await post(session, base, carrier, To=RUIZ, From=OURS, Body=f"{n} + 1", ValidityPeriod="300")
            for n in range(3)
        ]
        failed = await post(session, base, carrier, To="+12025550143", From=OURS, Body="x")
        await asyncio.sleep(0.2)
        fetched = await get(session, base, carrier, f"/Messages/{failed[1]['sid']}.json")
        page = await get(session, base, carrier, "/Messages.json", PageSize="2")
        token = parse_qs(urlsplit(page[1]["next_page_uri"]).query)["PageToken"][0]
        following = await get(session, base, carrier, "/Messages.json", PageSize="2", Page="1", PageToken=token)
        account = await get(session, base, carrier, ".json")
        refused = await get(session, base, carrier, "/Messages/nonsense.json")

    assert [status for status, _ in [*seen, failed]] == [201] * 4, "Prism answers 4xx/5xx when either side is wrong"
    assert carrier.to(RUIZ)[0].body == "0 + 1"
    assert (fetched[0], fetched[1]["status"], fetched[1]["error_code"]) == (200, "undelivered", 30003)
    assert (page[0], len(page[1]["messages"])) == (200, 2)
    assert (following[0], len(following[1]["messages"])) == (200, 2)
    assert account[0] == 200
    assert refused[0] == 422


async def test_prism_would_notice_a_carrier_that_makes_up_a_status(shared):
    carrier = a_carrier()
    carrier.behave(RUIZ, Behaviour(sending_s=600))  # it stays as it is
    async with (
        served(carrier.handle) as upstream,
        prism(shared / "data/twilio_min.json", upstream) as base,
        aiohttp.ClientSession() as session,
    ):
        _, text = await post(session, base, carrier, To=RUIZ, From=OURS, Body="x")
        carrier.texts[text["sid"]].status = "qeued"
        status, _ = await get(session, base, carrier, f"/Messages/{text['sid']}.json")

    assert status == 500


async def get(session: aiohttp.ClientSession, base: str, carrier: Carrier, path: str, **query: str) -> tuple[int, dict]:
    url = f"{base}/2010-04-01/Accounts/{carrier.account_sid}{path}"
    async with session.get(url, params=query, headers=auth(carrier)) as response:
        return response.status, msgspec.json.decode(await response.read())


async def test_the_tap_sees_the_puback_of_a_press_and_can_cut_the_line(tmp_path):
    with embedded_broker(tmp_path) as ports:
        async with tapped(ports.v5) as tap:
            with pytest.raises(aiomqtt.MqttError):  # noqa: PT012  # what goes before is the way there
                async with aiomqtt.Client("127.0.0.1", port=tap.port, protocol=aiomqtt.ProtocolVersion.V5) as listener:
                    await listener.subscribe("alertd/press/+", qos=1)
                    async with on_the_air("127.0.0.1", ports.v5) as air:
                        await air.publish(Badge("badge-17").press())
                        await air.publish(Badge("badge-18").press())
                    async with asyncio.timeout(10):
                        for _ in range(2):
                            await anext(aiter(listener.messages))
                    tap.cut()
                    async with asyncio.timeout(10):
                        await anext(aiter(listener.messages))

    (delivered,) = [packet for packet in tap.packets if packet.topic == "alertd/press/badge-17"]
    (ack,) = tap.acks_of("alertd/press/badge-17")
    assert (delivered.from_client, ack.from_client) == (False, True)
    assert ack.packet_id == delivered.packet_id
    assert ack.at_us >= delivered.at_us


async def test_the_tap_can_cut_the_line_before_a_puback_passes(tmp_path):
    with embedded_broker(tmp_path) as ports:
        async with tapped(ports.v5) as tap:
            tap.cuts_before = lambda packet: packet.is_ack and packet.from_client
            with pytest.raises(aiomqtt.MqttError):  # noqa: PT012  # what goes before is the way there
                async with aiomqtt.Client("127.0.0.1", port=tap.port, protocol=aiomqtt.ProtocolVersion.V5) as listener:
                    await listener.subscribe("alertd/press/+", qos=1)
                    async with on_the_air("127.0.0.1", ports.v5) as air:
                        await air.publish(Badge("badge-17").press())
                    async with asyncio.timeout(10):
                        async for _message in listener.messages:
                            pass

    assert [packet.topic for packet in tap.packets if not packet.from_client and packet.topic] == [
        "alertd/press/badge-17"
    ]
    assert tap.acks_of("alertd/press/badge-17") == []


async def test_a_storm_reaches_the_broker_whole(tmp_path):
    devices = [f"badge-{number}" for number in range(100)]
    with embedded_broker(tmp_path) as ports:
        async with aiomqtt.Client("127.0.0.1", port=ports.v5, protocol=aiomqtt.ProtocolVersion.V5) as listener:
            await listener.subscribe("alertd/press/+", qos=1)
            storm = await blow(list(storm_of(devices, 2_000)), ports.v5)
            async with asyncio.timeout(30):
                messages = aiter(listener.messages)
                arrived = [await anext(messages) for _ in range(2_000)]

    sent = {(press.topic, press.payload) for press in storm.presses}
    assert len(sent) == 2_000, "each press can be told apart"
    assert {(str(message.topic), message.payload) for message in arrived} == sent
