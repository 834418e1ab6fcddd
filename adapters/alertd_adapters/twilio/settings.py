"""What a `[channels.NAME]` section of plugin `sms_twilio` may say. Owns the checks of single values; sends nothing."""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from alertd.model.this_machine import is_this_machine
from alertd.ports import ChannelLimits, SettingsError, read_settings

E164 = re.compile(r"\+[1-9][0-9]{7,14}")
"""The only form of a phone number that leaves us."""

Seconds = Annotated[float, Meta(gt=0, le=3600)]
SecretName = Annotated[str, Meta(min_length=1, max_length=64)]


class TwilioSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One Twilio account and the senders it may use. Secrets are named here, never written."""

    account_sid_secret: SecretName
    auth_token_secret: SecretName
    from_numbers: Annotated[tuple[str, ...], Meta(max_length=50)] = ()
    """Our numbers. A person is always texted from the same one; another is tried when a text is sent again."""
    messaging_service_sid: str = ""
    """Instead of `from_numbers`: Twilio chooses from this service's pool."""
    base_url: str = "https://api.twilio.com"
    """Elsewhere only for a region, or for a fake carrier on loopback."""
    validity_period_s: Annotated[int, Meta(ge=6, le=36_000)] = 300
    """A text that still waits at Twilio after so long is not sent at all: late, it would be a hazard (req 51)."""
    callbacks: Literal["poll", "signed"] = "poll"
    """`poll`: replies and statuses are asked for, since schools sit behind NAT. `signed`: Twilio calls us under the
    daemon's `public_base_url`, and polling goes on slowly for what it could not deliver."""
    poll_s: Annotated[float, Meta(ge=0.5, le=60)] = 2.0
    """Between two polls while an incident is open."""
    idle_poll_s: Annotated[float, Meta(ge=5, le=600)] = 30.0
    """Between two polls otherwise: a STOP should be known before the next incident."""
    per_s: Annotated[float, Meta(gt=0, le=1000)] | None = None
    """Texts per second that the senders carry; default 1 a number, a US long code's rate (req 50)."""
    paced: bool = False
    """`per_s` is what the carrier really gives out, and not less: whatever is more waits here, and not in its queue,
    where first come is first served. Here an answer goes before the thirtieth room, a second panic's responders before
    the first one's staff, and what is over is not sent at all. Were the rate said too low, a first panic would wait."""
    concurrent: Annotated[int, Meta(ge=1, le=200)] = 50
    deadline_s: Seconds = 10.0

    @property
    def rate_per_s(self) -> float:
        return self.per_s if self.per_s is not None else float(max(1, len(self.from_numbers)))

    @property
    def limits(self) -> ChannelLimits:
        return ChannelLimits(
            per_s=self.rate_per_s, concurrent=self.concurrent, deadline_s=self.deadline_s, paced=self.paced
        )


_SERVICE_SID = re.compile(r"MG[0-9a-fA-F]{32}")


def parse_settings(table: Mapping[str, Any], public_base_url: str | None) -> TwilioSettings:
    """Raises `SettingsError` that names the key."""
    settings = read_settings(table, TwilioSettings, unknown_in("sms_twilio", TwilioSettings))
    _check_senders(settings)
    check_base_url(settings.base_url)
    if settings.callbacks == "signed" and not public_base_url:
        raise SettingsError(
            "callbacks", '"signed" needs daemon.public_base_url, the https:// address that Twilio can reach; or "poll"'
        )
    if settings.paced and settings.per_s is None:
        raise SettingsError("paced", "needs per_s, what your numbers really carry together: panics wait for that rate")
    if settings.idle_poll_s < settings.poll_s:
        raise SettingsError("idle_poll_s", "is less than poll_s: an idle channel is polled less often, not more")
    return settings


def unknown_in(plugin: str, struct: type[Struct]) -> Callable[[str], str]:
    """What is said of a key that a section of the plugin cannot have."""
    return lambda _where: f"is not a setting of {plugin}; known: {', '.join(struct.__struct_fields__)}"


def _check_senders(settings: TwilioSettings) -> None:
    if bool(settings.from_numbers) == bool(settings.messaging_service_sid):
        raise SettingsError("from_numbers", "give either from_numbers or messaging_service_sid, not both and not none")
    check_numbers(settings.from_numbers)
    if settings.messaging_service_sid and not _SERVICE_SID.fullmatch(settings.messaging_service_sid):
        raise SettingsError("messaging_service_sid", "is not the SID of a Messaging Service: MG and 32 hex digits")


def check_numbers(numbers: tuple[str, ...]) -> None:
    for number in numbers:
        if not E164.fullmatch(number):
            raise SettingsError("from_numbers", f'{number!r} is not a full number: write it like "+12025550142"')


def check_base_url(url: str) -> None:
    """https, unless it is this machine: the auth token travels with every request."""
    parts = urlsplit(url)
    if parts.username is not None or parts.query or parts.fragment:
        raise SettingsError("base_url", "must be only scheme and host, like https://api.twilio.com")
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_this_machine(parts.hostname or ""))
    if not is_safe or not parts.hostname:
        raise SettingsError("base_url", "must begin with https:// (http:// only to a fake carrier on this machine)")
