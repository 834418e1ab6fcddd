"""Texts and calls over Twilio: `plugin = "sms_twilio"` and `plugin = "voice_twilio"`.

Texts: `channel` sends, `poller` and `callbacks` bring replies and statuses in. Calls: the same in `voice`,
`voice_poller`, `voice_callbacks`; `voice_twiml` writes what is spoken. `rest` speaks HTTP, `signatures` refuses
strangers, `error_codes`, `statuses` and `voice_calls` say what Twilio's words mean. For `alertd doctor`, `probes` asks
how the account is: `probing`, `registration`.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from alertd.ports import Built, ChannelLimits, SettingsError, Surroundings
from alertd_adapters.twilio.callbacks import TwilioCallbacks
from alertd_adapters.twilio.channel import TwilioChannel
from alertd_adapters.twilio.poller import TwilioPoller
from alertd_adapters.twilio.probes import probe_calls, probe_texts
from alertd_adapters.twilio.rest import TwilioRest
from alertd_adapters.twilio.settings import TwilioSettings, parse_settings
from alertd_adapters.twilio.statuses import Sids
from alertd_adapters.twilio.voice import Switchboard, VoiceChannel
from alertd_adapters.twilio.voice_callbacks import VoiceCallbacks
from alertd_adapters.twilio.voice_calls import Lines
from alertd_adapters.twilio.voice_poller import VoicePoller
from alertd_adapters.twilio.voice_settings import VoiceSettings, parse_voice_settings
from alertd_adapters.twilio.voice_twiml import Manner, Speaker

ANYWHERE = "https://"
"""Stands for the public base URL where only the limits are asked for: callbacks change nothing about them."""


class TwilioPlugin:
    """`alertd.ports.Plugin`."""

    api_version = 1
    """The contract that this was written for: a number, not the daemon's own constant, or it could never differ."""

    def build(self, name: str, settings: Mapping[str, Any], surroundings: Surroundings) -> Built:
        parsed = parse_settings(settings, surroundings.public_base_url)
        rest, auth_token = _account(parsed, surroundings)
        clock, sids = surroundings.clock, Sids()
        signed = parsed.callbacks == "signed"
        channel = TwilioChannel(
            name=name,
            settings=parsed,
            rest=rest,
            clock=clock,
            sids=sids,
            callback_base_url=surroundings.public_base_url if signed else None,
        )
        poller = TwilioPoller(name=name, settings=parsed, rest=rest, clock=clock, sids=sids)
        callbacks = None
        if signed:
            numbers = parsed.from_numbers
            callbacks = TwilioCallbacks(name=name, auth_token=auth_token, clock=clock, sids=sids, numbers=numbers)
        probe = partial(probe_texts, rest, parsed)
        return Built(channel=channel, inbound=poller, callbacks=callbacks, probe=probe)

    def limits(self, settings: Mapping[str, Any]) -> ChannelLimits:
        """`alertd.ports.Paced`."""
        return parse_settings(settings, ANYWHERE).limits


class VoicePlugin:
    """`alertd.ports.Plugin`."""

    api_version = 1
    """See `TwilioPlugin`."""

    def build(self, name: str, settings: Mapping[str, Any], surroundings: Surroundings) -> Built:
        parsed = parse_voice_settings(settings, surroundings.public_base_url)
        rest, auth_token = _account(parsed, surroundings)
        clock, lines = surroundings.clock, Lines(surroundings.clock)
        switchboard = Switchboard(rest, parsed)
        speaker = Speaker(Manner(language=parsed.language, voice=parsed.voice))
        base_url = surroundings.public_base_url if parsed.callbacks == "signed" else None
        channel = VoiceChannel(
            name=name,
            settings=parsed,
            switchboard=switchboard,
            speaker=speaker,
            clock=clock,
            lines=lines,
            callback_base_url=base_url,
        )
        callbacks = base_url and VoiceCallbacks(
            name=name,
            auth_token=auth_token,
            public_base_url=base_url,
            clock=clock,
            lines=lines,
            switchboard=switchboard,
            speaker=speaker,
        )
        poller = VoicePoller(
            name=name,
            settings=parsed,
            switchboard=switchboard,
            speaker=speaker,
            clock=clock,
            lines=lines,
            callbacks=callbacks or None,
        )
        probe = partial(probe_calls, rest, parsed)
        return Built(
            channel=channel,
            inbound=poller,
            callbacks=callbacks or None,
            probe=probe,
            recalling=channel,
            lines=lines,
        )

    def limits(self, settings: Mapping[str, Any]) -> ChannelLimits:
        """`alertd.ports.Paced`."""
        return parse_voice_settings(settings, ANYWHERE).limits


def _account(parsed: TwilioSettings | VoiceSettings, surroundings: Surroundings) -> tuple[TwilioRest, str]:
    """The way to the account, and its token, which also signs callbacks."""
    account_sid = _secret(surroundings, "account_sid_secret", parsed.account_sid_secret)
    auth_token = _secret(surroundings, "auth_token_secret", parsed.auth_token_secret)
    if not (account_sid.startswith("AC") and len(account_sid) == 34 and account_sid.isalnum()):
        raise SettingsError("account_sid_secret", "is not an account SID: AC and 32 hex digits (not an API key)")
    rest = TwilioRest(
        http=surroundings.http,
        clock=surroundings.clock,
        base_url=parsed.base_url,
        account_sid=account_sid,
        auth_token=auth_token,
    )
    return rest, auth_token


def _secret(surroundings: Surroundings, key: str, name: str) -> str:
    try:
        return surroundings.secret(name)
    except LookupError as error:
        raise SettingsError(key, str(error)) from None


plugin = TwilioPlugin()
voice_plugin = VoicePlugin()
