"""What a `[channels.NAME]` section of plugin `voice_twilio` may say. Owns the checks of single values; calls nobody."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from alertd.ports import ChannelLimits, SettingsError, read_settings
from alertd_adapters.twilio.settings import Seconds, SecretName, check_base_url, check_numbers, unknown_in

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?")


class VoiceSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One Twilio account and the numbers it may call from. Secrets are named here, never written."""

    account_sid_secret: SecretName
    auth_token_secret: SecretName
    from_numbers: Annotated[tuple[str, ...], Meta(min_length=1, max_length=50)]
    """Our numbers. A person is always called from the same one, so that they know it."""
    base_url: str = "https://api.twilio.com"
    """Elsewhere only for a region, or for a fake carrier on loopback."""
    callbacks: Literal["poll", "signed"] = "poll"
    """`signed`: keys work; Twilio calls us under the daemon's `public_base_url`. `poll`: nothing can reach us, so the
    call itself says that keys do not work, and how to answer by text."""
    poll_s: Annotated[float, Meta(ge=1, le=60)] = 3.0
    """Between two questions what became of calls that are under way."""
    per_s: Annotated[float, Meta(gt=0, le=100)] = 1.0
    """Calls that Twilio starts for the account per second: 1 until it is raised (req 60). What is more waits here,
    where it can still be withdrawn and where responders go first."""
    concurrent: Annotated[int, Meta(ge=1, le=200)] = 20
    deadline_s: Seconds = 10.0
    ring_s: Annotated[int, Meta(ge=5, le=60)] = 25
    """So long a phone rings. Longer, and its voicemail takes the call."""
    language: str = "en-US"
    voice: Annotated[str, Meta(max_length=60)] = ""
    """One of Twilio's voices ("Polly.Joanna"); empty: its plain one."""

    @property
    def limits(self) -> ChannelLimits:
        return ChannelLimits(
            per_s=self.per_s,
            concurrent=self.concurrent,
            deadline_s=self.deadline_s,
            paced=True,
            answers=self.callbacks == "signed",
        )


def parse_voice_settings(table: Mapping[str, Any], public_base_url: str | None) -> VoiceSettings:
    """Raises `SettingsError` that names the key."""
    settings = read_settings(table, VoiceSettings, unknown_in("voice_twilio", VoiceSettings))
    check_numbers(settings.from_numbers)
    check_base_url(settings.base_url)
    if not _LANGUAGE.fullmatch(settings.language):
        raise SettingsError("language", 'is not a language that is spoken: write it like "en-US" or "es-MX"')
    if settings.callbacks == "signed" and not public_base_url:
        raise SettingsError(
            "callbacks", '"signed" needs daemon.public_base_url, the https:// address that Twilio can reach; or "poll"'
        )
    return settings
