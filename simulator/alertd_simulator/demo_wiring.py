"""A configuration pointed at actors on loopback: broker, carrier, dispatch, loudspeakers.

Owns which settings of each plugin are changed, and the secrets made up for the occasion. Whatever leads out of this
machine must be changed here; a section of which this file knows nothing is named by `unknown`, and then nothing starts.
"""

import json
import secrets
import socket
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from alertd_simulator.loopback_server import LOOPBACK
from alertd_simulator.loudspeakers import PA_PLUGINS

TEXTS_PER_S = 20
"""As a short code carries; the example's two long codes carry one a second each."""
MADE_UP = "0" * 16
"""Begins every secret that is made up here: no provider gives out such a one, so it can be told from a live one."""
WEBHOOK_MADE_UP = "whsec_" + b64encode(bytes(12)).decode()
POINTED = frozenset({"mqtt", "sms_twilio", "voice_twilio", "webhook", *PA_PLUGINS})
GROUP_TRIES = 200
MARK_WORDS = {
    "drill": "This is a drill.",
    "test": "This is a test.",
    "over": "This is not a drill. The drill is over.",
}
"""What the marks around an announcement say."""


class Endpoints(Struct, frozen=True, kw_only=True):
    """Where the actors listen."""

    mqtt_port: int
    carrier_url: str
    dispatch_url: str
    hurries: bool = True
    """Texts leave as fast as a short code's, for the audience of a demonstration; else as configured."""
    mqtt_host: str = LOOPBACK
    callback_port: int = 0
    """Where the daemon shall listen to the carrier, which calls it for keys; 0: nowhere, and keys are not heard of."""


class Keys(Struct, frozen=True, kw_only=True):
    """Secrets of one demonstration, made up at its start."""

    account_sid: str
    auth_token: str
    webhook: str
    other: str

    @classmethod
    def made_up(cls) -> "Keys":
        return cls(
            account_sid="AC" + MADE_UP + secrets.token_hex(8),
            auth_token=MADE_UP + secrets.token_hex(8),
            webhook="whsec_" + b64encode(bytes(12) + secrets.token_bytes(20)).decode(),
            other=MADE_UP + secrets.token_hex(8),
        )


def is_made_up(value: str) -> bool:
    """Was this secret made up by `Keys`, so that it opens nothing anywhere?"""
    return value.removeprefix("AC").startswith(MADE_UP) or value.startswith(WEBHOOK_MADE_UP)


class PaZone(Struct, frozen=True, kw_only=True):
    """What a loudspeaker of one zone listens to."""

    name: str
    groups: tuple[tuple[str, int], ...]
    emergency_groups: tuple[tuple[str, int], ...] = ()


def point(wiring: dict[str, Any], endpoints: Endpoints, keys: Keys) -> dict[str, str]:
    """Change the sections in place; answers the secrets that they name."""
    values: dict[str, str] = {}
    ports: dict[str, int] = {}
    for section in sections(wiring):
        match section.get("plugin"):
            case "mqtt":
                values |= _point_broker(section, endpoints, keys)
            case "sms_twilio":
                pace = {"per_s": TEXTS_PER_S} if endpoints.hurries else {}
                section |= {"base_url": endpoints.carrier_url, "callbacks": "poll", **pace}
                values |= _account(section, keys)
            case "voice_twilio":
                callbacks = "signed" if endpoints.callback_port else "poll"
                section |= {"base_url": endpoints.carrier_url, "callbacks": callbacks}
                values |= _account(section, keys)
            case "webhook":
                section["private_addresses"] = "allow"
                for destination in section.get("destinations", {"": section}).values():
                    destination["url"] = endpoints.dispatch_url
                    named = destination["signing_secret"]
                    values |= dict.fromkeys([named] if isinstance(named, str) else named, keys.webhook)
            case plugin if plugin in PA_PLUGINS:
                _point_loudspeakers(section, ports)
            case _:
                pass
    return values


def settings_of(endpoints: Endpoints) -> dict[str, str]:
    """Environment of the daemon that goes with it."""
    if not endpoints.callback_port:
        return {}
    address = f"{LOOPBACK}:{endpoints.callback_port}"
    return {"ALERTD_LISTEN": address, "ALERTD_PUBLIC_BASE_URL": f"http://{address}"}


def unknown(wiring: Mapping[str, Any]) -> list[str]:
    """Sections that would go where they always go: nobody here knows their plugin."""
    return [
        f"{table}.{name} (plugin {section.get('plugin')})"
        for table in ("sources", "channels")
        for name, section in wiring.get(table, {}).items()
        if section.get("plugin") not in POINTED
    ]


def _point_broker(section: dict[str, Any], endpoints: Endpoints, keys: Keys) -> dict[str, str]:
    section |= {"host": endpoints.mqtt_host, "port": endpoints.mqtt_port, "protocol": "5"}
    section["dropped_topic"] = ""  # the demo's broker has no $SYS, and hangs up on who asks for it
    section.pop("tls", None)
    return {section["password_secret"]: keys.other} if "password_secret" in section else {}


def _account(section: Mapping[str, Any], keys: Keys) -> dict[str, str]:
    return {section["account_sid_secret"]: keys.account_sid, section["auth_token_secret"]: keys.auth_token}


# --- loudspeakers ---------------------------------------------------------------------------------------------------


def _point_loudspeakers(section: dict[str, Any], ports: dict[str, int]) -> None:
    """Every group keeps its address and gets a port of its own, so that two rehearsals on one machine do not hear each
    other. Our loudspeakers understand G.711 only."""
    section |= {"interface": LOOPBACK, "loopback": True, "ttl": 1}
    for zone in section.get("zones", {}).values():
        zone["codec"] = "g711u"
        for key in ("groups", "emergency_groups"):
            if key in zone:
                zone[key] = [_moved(group, ports) for group in zone[key]]


def _moved(group: str, ports: dict[str, int]) -> str:
    if group not in ports:
        ports[group] = free_even_port(frozenset(ports.values()))
    return f"{group.rpartition(':')[0]}:{ports[group]}"


def free_even_port(taken: frozenset[int] = frozenset()) -> int:
    """A UDP port that was free a moment ago: even, for the odd one above it belongs to RTCP."""
    for _ in range(GROUP_TRIES):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((LOOPBACK, 0))
            port: int = probe.getsockname()[1]
        if port % 2 == 0 and port not in taken:
            return port
    raise RuntimeError("there is no free UDP port on this machine")


def pa_zones(wiring: Mapping[str, Any]) -> tuple[PaZone, ...]:
    return tuple(
        PaZone(
            name=name,
            groups=tuple(map(_group, zone.get("groups", ()))),
            emergency_groups=tuple(map(_group, zone.get("emergency_groups", ()))),
        )
        for section in sections(wiring)
        if section.get("plugin") in PA_PLUGINS
        for name, zone in section.get("zones", {}).items()
    )


def recordings(wiring: Mapping[str, Any]) -> dict[str, str]:
    """File of each recording -> what it says."""
    found: dict[str, str] = {}
    for section in sections(wiring):
        if section.get("plugin") not in PA_PLUGINS:
            continue
        for name, file in section.get("marks", {}).items():
            found[file] = MARK_WORDS.get(name, name)
        for name, said in section.get("announcements", {}).items():
            for prefix in ("", "drill_"):
                if file := said.get(f"{prefix}recording"):
                    found[file] = said.get(f"{prefix}words") or f"({prefix}{name})"
    return found


def _group(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


# --- the file -------------------------------------------------------------------------------------------------------


def sections(wiring: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for table in ("sources", "channels"):
        yield from wiring.get(table, {}).values()


def senders(wiring: Mapping[str, Any]) -> tuple[str, ...]:
    """The carrier's numbers that we text and call from."""
    return tuple(dict.fromkeys(number for section in sections(wiring) for number in section.get("from_numbers", ())))


def dump_toml(document: Mapping[str, Any]) -> str:
    """Enough of TOML for a configuration that was read from TOML."""
    return "".join(_dumped((), document))


def _dumped(path: tuple[str, ...], table: Mapping[str, Any]) -> Iterator[str]:
    if path:
        yield f"\n[{'.'.join(json.dumps(part) for part in path)}]\n"
    for key, value in table.items():
        if not isinstance(value, dict):
            yield f"{json.dumps(key)} = {_value(value)}\n"
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _dumped((*path, key), value)


def _value(value: object) -> str:
    match value:
        case bool() | int() | float() | str():
            return json.dumps(value, ensure_ascii=False)
        case list():
            return f"[{', '.join(map(_value, value))}]"
        case dict():
            return "{" + ", ".join(f"{json.dumps(key)} = {_value(each)}" for key, each in value.items()) + "}"
        case _:
            raise TypeError(f"{type(value).__name__} cannot be written as TOML here")
