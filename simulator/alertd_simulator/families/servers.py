"""LoRaWAN network servers: how each hands on an uplink that one or several gateways heard.

A server puts the copies of its gateways together and lists who heard; `rx_metadata`, `rxInfo`, `gws`. LORIOT hands on
the same frame twice, as `rx` at once and as `gw` when all gateways have spoken.
"""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from alertd.model.ids import derive
from alertd_simulator.devices import Payload
from alertd_simulator.families.lorawan import Uplink
from alertd_simulator.families.said import Said, iso, json, strongest

OMITTED: tuple[object, ...] = (0, "", False, None)
"""The Things Stack and ChirpStack leave out what is zero, empty or false."""


def _but_zeros(body: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if value not in OMITTED}


def chirpstack(said: Said, up: Uplink) -> list[Payload]:
    """It writes every DevEUI in lower case, whatever is printed on the device."""
    eui = said.device.lower()
    identity = derive("dedup", said.device, said.session, said.number)
    body = _but_zeros(
        {
            "deduplicationId": identity,
            "time": iso(said.at_us, timespec="microseconds"),
            "deviceInfo": {"applicationId": "7f3c", "devEui": eui, "deviceName": said.device},
            "devAddr": "01ab23cd",
            "fCnt": said.number - 1,
            "fPort": up.fport,
            "data": b64encode(up.data).decode(),
            "object": up.object,
            "rxInfo": [
                {"gatewayId": each.gateway, "uplinkId": index, "rssi": each.rssi, "snr": 7.5}
                for index, each in enumerate(said.heard, start=1)
            ],
            "txInfo": {"frequency": 868100000},
        }
    )
    return json(f"application/7f3c/device/{eui}/event/up", body)


def things_stack(said: Said, up: Uplink) -> list[Payload]:
    message = _but_zeros(
        {
            "session_key_id": b64encode(said.session.encode()).decode(),
            "f_port": up.fport,
            "f_cnt": said.number - 1,
            "frm_payload": b64encode(up.data).decode(),
            "decoded_payload": up.object,
            "rx_metadata": [
                {"gateway_ids": {"gateway_id": each.gateway}, "rssi": each.rssi, "snr": 7} for each in said.heard
            ],
        }
    )
    body = {
        "end_device_ids": {"device_id": said.device.lower(), "dev_eui": said.device},
        "received_at": iso(said.at_us, timespec="microseconds"),
        "uplink_message": message,
    }
    return json(f"v3/school@district/devices/{said.device.lower()}/up", body, qos=0)


def loriot(said: Said, up: Uplink) -> list[Payload]:
    first = strongest(said.heard)
    frame = {
        "seqno": said.number, "EUI": said.device, "ts": said.at_us // 1_000, "fcnt": said.number, "port": up.fport,
        "freq": 867500000, "rssi": first.rssi if first else -90, "snr": 10, "bat": round(1 + said.battery * 2.53),
        "data": up.data.hex().upper(),
    } | ({"decoded": up.object} if up.object is not None else {})  # fmt: skip
    gateways = [{"gweui": each.gateway, "rssi": each.rssi, "snr": 8.5} for each in said.heard]
    topic = f"loriot/uplink/{said.device}"
    return [*json(topic, {"cmd": "rx", **frame}), *json(topic, {"cmd": "gw", **frame, "gws": gateways})]


def thingpark(said: Said, up: Uplink) -> list[Payload]:
    first = strongest(said.heard)
    body = {
        "DevEUI_uplink": {
            "Time": iso(said.at_us), "DevEUI": said.device, "FPort": up.fport, "FCntUp": said.number,
            "DevAddr": f"00{said.session.encode().hex()[:6]:0>6}", "payload_hex": up.data.hex(),
            "Late": 1 if said.late else 0, "Lrrid": first.gateway if first else "",
            **({"payload": {"decoded": up.object}} if up.object is not None else {}),
            "Lrrs": {"Lrr": [{"Lrrid": each.gateway, "LrrRSSI": each.rssi} for each in said.heard]},
        }
    }  # fmt: skip
    return json(f"mqtt/things/{said.device}/uplink", body)


def milesight_gateway(said: Said, up: Uplink) -> list[Payload]:
    body = {
        "applicationID": 1, "devEUI": said.device, "time": iso(said.at_us), "fCnt": said.number, "fPort": up.fport,
        "rxInfo": [{"mac": each.gateway, "rssi": each.rssi, "loRaSNR": 9} for each in said.heard],
        "data": b64encode(up.data).decode(),
    } | ({"object": up.object} if up.object is not None else {})  # fmt: skip
    return json(f"uplink/{said.device}", body)


SERVERS = {
    "chirpstack-v4": chirpstack,
    "tts-v3": things_stack,
    "loriot": loriot,
    "thingpark": thingpark,
    "milesight-gateway": milesight_gateway,
}
