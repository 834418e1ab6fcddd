"""Builds the source and the feedback from a configured section. The one place that knows all the parts."""

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

from alertd.ports import API_VERSION, Built, SettingsError, Surroundings
from alertd_adapters.mqtt.canaries import Canaries, CanaryOptions
from alertd_adapters.mqtt.connection import Broker, ConnectOptions, Credentials
from alertd_adapters.mqtt.decoding import build_triggers
from alertd_adapters.mqtt.eavesdropper import Eavesdropper
from alertd_adapters.mqtt.feedback import MqttFeedback
from alertd_adapters.mqtt.paho_connection import PahoBroker
from alertd_adapters.mqtt.reconnecting import Backoff, BrokerSeen, Reconnecting
from alertd_adapters.mqtt.session_memory import SessionMemory
from alertd_adapters.mqtt.settings import MqttSettings, TlsSettings, TriggerSettings, parse_settings
from alertd_adapters.mqtt.side_session import SideSession, SideSessionOptions
from alertd_adapters.mqtt.source import MqttSource
from alertd_adapters.mqtt.standing_troubles import StandingTroubles
from alertd_adapters.mqtt.strangers import Strangers
from alertd_adapters.mqtt.trigger_session import TriggerSession, TriggerSessionOptions


class MqttPlugin:
    """`ports.Plugin`. `surroundings.extra` may hold "state_dir" (a path), "mqtt_broker" (a simulated `Broker`) and
    "random" (a seeded `Random`)."""

    api_version = API_VERSION

    def build(self, name: str, settings: Mapping[str, Any], surroundings: Surroundings) -> Built:
        parsed = parse_settings(settings)
        triggers = build_triggers(parsed.triggers, surroundings)
        credentials = _credentials(parsed, surroundings)
        broker: Broker = surroundings.extra.get("mqtt_broker") or _broker(parsed, surroundings)
        random: Random = surroundings.extra.get("random") or Random()  # noqa: S311 - spreads retries, hides nothing
        memory = SessionMemory(surroundings.extra.get("state_dir"), name)
        troubles = StandingTroubles()
        feedback = MqttFeedback(parsed.feedback_topic, surroundings.clock, surroundings.registry, triggers.answers)
        canaries = Canaries(
            CanaryOptions(
                name=name,
                address=broker.address,
                client_id=parsed.client_id,
                filters=triggers.filters if parsed.alive else (),  # else it lets us publish nothing
            ),
            troubles,
        )

        telemetry = build_triggers(_telemetry(parsed), surroundings, "telemetry")
        strangers = Strangers(surroundings.clock, surroundings.registry)
        seen = BrokerSeen()

        def options_of(client_id: str, *, persistent: bool = False) -> ConnectOptions:
            return ConnectOptions(
                client_id=client_id,
                persistent=persistent,
                credentials=credentials,
                keepalive_s=parsed.keepalive_s,
                window=parsed.max_unacked,
            )

        def reconnecting(client_id: str, session: str, *, persistent: bool) -> Reconnecting:
            backoff = Backoff(parsed.retry_min_s, parsed.retry_max_s, random)
            options = options_of(client_id, persistent=persistent)
            return Reconnecting(broker, options, backoff, seen, session=f"{name}/{session}")

        presses = TriggerSession(
            TriggerSessionOptions(
                name=name,
                address=broker.address,
                alive_topic=parsed.alive,
                canaries=canaries,
                strangers=strangers,
                feedback=feedback,
                max_unacked=parsed.max_unacked,
                down_trouble_s=parsed.down_trouble_s,
            ),
            reconnecting(parsed.client_id, "presses", persistent=True),
            triggers,
            surroundings.clock,
            memory,
            troubles,
        )
        side = SideSession(
            SideSessionOptions(
                name=name,
                address=broker.address,
                telemetry=telemetry,
                presses=triggers,
                dropped_topic=parsed.dropped_topic,
                canaries=canaries,
                strangers=strangers,
                listens=lambda: presses.is_connected,
                may_be_asked=lambda: presses.may_be_asked,
            ),
            reconnecting(f"{parsed.client_id}-side", "side", persistent=False),
            feedback,
            memory,
            troubles,
        )
        own = options_of(f"{parsed.client_id}-learn-{os.getpid()}")
        return Built(
            source=MqttSource(
                name, presses, side, canaries, troubles, Eavesdropper(broker, own, (triggers, telemetry), strangers)
            ),
            feedback=feedback if parsed.feedback_topic else None,
        )


def _telemetry(settings: MqttSettings) -> list[TriggerSettings]:
    return [
        TriggerSettings(topic=each, options={"heartbeats": True}) if isinstance(each, str) else each
        for each in settings.telemetry
    ]


def _credentials(settings: MqttSettings, surroundings: Surroundings) -> Credentials | None:
    if settings.username is None:
        return None
    password = ""
    if settings.password_secret is not None:
        password = _secret("password_secret", settings.password_secret, surroundings)
    return Credentials(username=settings.username, password=password)


def _secret(key: str, name: str, surroundings: Surroundings) -> str:
    try:
        return surroundings.secret(name)
    except LookupError as error:
        raise SettingsError(key, str(error.args[0]) if error.args else f"there is no secret {name}") from None


def _broker(settings: MqttSettings, surroundings: Surroundings) -> Broker:
    tls = _tls(settings.tls, surroundings) if settings.tls is not None else None
    return PahoBroker(settings.host, settings.tcp_port, protocol=settings.protocol, tls=tls)


def _tls(settings: TlsSettings, surroundings: Surroundings) -> ssl.SSLContext:
    for key, path in (("ca", settings.ca), ("cert", settings.cert), ("key", settings.key)):
        if path is not None and not Path(path).is_file():
            raise SettingsError(f"tls.{key}", f"there is no file {path}")
    if settings.key is not None and settings.cert is None:
        raise SettingsError("tls.cert", "is missing: a key needs its certificate")
    try:
        context = ssl.create_default_context(cafile=settings.ca)
    except ssl.SSLError as error:
        raise SettingsError("tls.ca", f"{settings.ca} holds no certificate in PEM form ({error.reason})") from None
    if settings.cert is None:
        return context
    password = ""  # not None: OpenSSL would ask the terminal
    if settings.key_password_secret is not None:
        password = _secret("tls.key_password_secret", settings.key_password_secret, surroundings)
    try:
        context.load_cert_chain(settings.cert, settings.key, password)
    except ssl.SSLError as error:
        raise SettingsError(
            "tls.cert", f"certificate and key do not fit, or the key's password is wrong ({error.reason})"
        ) from None
    return context


plugin = MqttPlugin()
