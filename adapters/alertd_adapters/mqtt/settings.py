"""What a `[sources.NAME]` section of kind mqtt may say. Owns the checks of single values; opens nothing."""

from collections.abc import Mapping
from itertools import zip_longest
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct
from paho.mqtt.client import topic_matches_sub

from alertd.model.site import DeviceKind
from alertd.ports import SettingsError, read_settings

DROPPED_TOPIC = "$SYS/broker/publish/messages/dropped"
DEVICE_FIELD = "{device_id}"

Port = Annotated[int, Meta(ge=1, le=65_535)]
Seconds = Annotated[float, Meta(gt=0, le=3600)]


class TriggerSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where presses come from: a topic filter, and who understands what arrives there."""

    topic: str
    decoder: str = "press_json"
    options: dict[str, Any] = {}
    """The decoder's own settings."""
    kinds: list[DeviceKind] = []
    """What speaks here; empty: whatever is registered. `alertd broker config` lets nobody else publish here; what
    arrives all the same is heard, but where only such speak as never press, nobody presses."""

    @property
    def never_press(self) -> bool:
        """Only such speak here as never press."""
        return bool(self.kinds) and {DeviceKind.SENSOR, DeviceKind.GATEWAY}.issuperset(self.kinds)


class TlsSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Paths of PEM files. `ca` absent: the system's own authorities. The server's name is always checked."""

    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    key_password_secret: str | None = None


class MqttSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """See docs/broker.md for what each is for."""

    host: str
    client_id: Annotated[str, Meta(min_length=1, max_length=100)]
    """Names the persistent session: presses wait at the broker under it. Changing it loses what waits."""
    triggers: Annotated[list[TriggerSettings], Meta(min_length=1)]
    port: Port | None = None
    protocol: Literal["5", "3.1.1"] = "5"
    username: str | None = None
    password_secret: str | None = None
    doctor_username: str | None = None
    """A device of the broker that exists only so that `alertd doctor` can try to press as another one, in vain."""
    doctor_password_secret: str | None = None
    doctor_sensor_username: str | None = None
    """The same with the rights of a sensor, which may press nowhere."""
    doctor_sensor_password_secret: str | None = None
    tls: TlsSettings | None = None
    telemetry: list[str | TriggerSettings] = []
    """Where signs of life come from: heartbeats, batteries, last wills; QoS 0, on a connection of their own. A topic
    filter alone: the last level of the topic is the device."""
    feedback_topic: str = "alertd/feedback/{device_id}"
    """"" = the presser's device is told nothing."""
    alive_topic: str | None = None
    """Our own sign of life, out and back through the broker; default `alertd/alive/{client_id}`, "" = none."""
    dropped_topic: str = DROPPED_TOPIC
    """Where the broker counts what it threw away; "" = not watched."""
    max_unacked: Annotated[int, Meta(ge=1, le=65_535)] = 2000
    """Presses taken from the broker and not yet committed; then reading stops."""
    keepalive_s: Annotated[int, Meta(ge=5, le=600)] = 15
    retry_min_s: Seconds = 0.2
    retry_max_s: Seconds = 5.0
    down_trouble_s: Seconds = 30.0
    """A broker that is away for so long is a trouble."""

    @property
    def alive(self) -> str:
        return f"alertd/alive/{self.client_id}" if self.alive_topic is None else self.alive_topic

    @property
    def tcp_port(self) -> int:
        return self.port or (8883 if self.tls else 1883)


UNKNOWN = "is not a setting of an mqtt source; check its spelling against docs/broker.md"


def parse_settings(table: Mapping[str, Any]) -> MqttSettings:
    """Raises `SettingsError` that names the key."""
    settings = read_settings(table, MqttSettings, lambda _where: UNKNOWN)
    _check(settings)
    return settings


def _check(settings: MqttSettings) -> None:
    if not settings.host.strip():
        raise SettingsError("host", "is empty: name the broker, for example mqtt.example.org")
    if settings.password_secret is not None and settings.username is None:
        raise SettingsError("username", "is missing: a password needs a user name")
    if settings.doctor_password_secret is not None and settings.doctor_username is None:
        raise SettingsError("doctor_username", "is missing: a password needs a user name")
    if settings.doctor_sensor_password_secret is not None and settings.doctor_sensor_username is None:
        raise SettingsError("doctor_sensor_username", "is missing: a password needs a user name")
    if settings.retry_min_s > settings.retry_max_s:
        raise SettingsError("retry_min_s", "is greater than retry_max_s")
    for index, trigger in enumerate(settings.triggers):
        _check_filter(f"triggers[{index}].topic", trigger.topic)
    for index, each in enumerate(settings.telemetry):
        _check_filter(f"telemetry[{index}]", each if isinstance(each, str) else each.topic)
    if settings.feedback_topic and settings.feedback_topic.count(DEVICE_FIELD) != 1:
        raise SettingsError("feedback_topic", 'must contain "{device_id}" once, or be "" for no feedback')
    _check_own_topic(settings, "feedback_topic", settings.feedback_topic.replace(DEVICE_FIELD, "device"))
    _check_own_topic(settings, "alive_topic", settings.alive)


def _check_filter(key: str, topic: str) -> None:
    levels = topic.split("/")
    if not topic or "\0" in topic or len(topic.encode()) > 65_535:
        raise SettingsError(key, "is not a topic filter")
    for index, level in enumerate(levels):
        if level == "#" and index != len(levels) - 1:
            raise SettingsError(key, f'"#" may only be the last level of a topic filter, not as in "{topic}"')
        if level not in ("#", "+") and ("#" in level or "+" in level):
            raise SettingsError(key, f'"+" and "#" stand for whole levels, not as in "{topic}"')


def _check_own_topic(settings: MqttSettings, key: str, topic: str) -> None:
    """What we publish must not come back as a press that nobody understands."""
    if "+" in topic or "#" in topic or "\0" in topic:
        raise SettingsError(key, "is a topic to publish to: it cannot have wildcards")
    for index, trigger in enumerate(settings.triggers):
        if topic and matches(trigger.topic, topic):
            raise SettingsError(
                f"triggers[{index}].topic",
                f'"{trigger.topic}" also covers {key} "{topic}", on which alertd itself speaks; narrow it',
            )


def matches(topic_filter: str, topic: str) -> bool:
    """Does the topic belong to the filter? Knows shared subscriptions (`$share/group/filter`)."""
    if topic_filter.startswith("$share/"):
        topic_filter = topic_filter.split("/", 2)[-1]
    return bool(topic_matches_sub(topic_filter, topic))


def is_within(topic_filter: str, wider: str) -> bool:
    """Does each topic of the one filter belong to the other? Of two shared subscriptions only within one group."""
    if topic_filter.startswith("$") and not wider.startswith("$"):
        return False  # MQTT 5, 4.7.2: wildcards do not begin with it; nor is a shared subscription in a plain one
    for level, other in zip_longest(topic_filter.split("/"), wider.split("/")):
        if other == "#":
            return True
        if level in (None, "#") or other not in ("+", level):
            return False
    return True
