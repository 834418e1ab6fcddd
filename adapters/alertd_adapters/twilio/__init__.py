"""Texts over Twilio: `plugin = "sms_twilio"`.

One folder, one channel: `channel` sends, `poller` and `callbacks` bring replies and statuses in, `rest` speaks HTTP,
`error_codes` and `statuses` say what Twilio's words mean.
"""

from collections.abc import Mapping
from typing import Any

from alertd.ports import Built, SettingsError, Surroundings
from alertd_adapters.twilio.callbacks import TwilioCallbacks
from alertd_adapters.twilio.channel import TwilioChannel
from alertd_adapters.twilio.poller import TwilioPoller
from alertd_adapters.twilio.rest import TwilioRest
from alertd_adapters.twilio.settings import parse_settings
from alertd_adapters.twilio.statuses import Sids


class TwilioPlugin:
    """`alertd.ports.Plugin`."""

    api_version = 1
    """The contract that this was written for: a number, not the daemon's own constant, or it could never differ."""

    def build(self, name: str, settings: Mapping[str, Any], surroundings: Surroundings) -> Built:
        parsed = parse_settings(settings, surroundings.public_base_url)
        account_sid = _secret(surroundings, "account_sid_secret", parsed.account_sid_secret)
        auth_token = _secret(surroundings, "auth_token_secret", parsed.auth_token_secret)
        if not (account_sid.startswith("AC") and len(account_sid) == 34 and account_sid.isalnum()):
            raise SettingsError("account_sid_secret", "is not an account SID: AC and 32 hex digits (not an API key)")
        clock, sids = surroundings.clock, Sids()
        rest = TwilioRest(
            http=surroundings.http,
            clock=clock,
            base_url=parsed.base_url,
            account_sid=account_sid,
            auth_token=auth_token,
        )
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
        callbacks = TwilioCallbacks(name=name, auth_token=auth_token, clock=clock, sids=sids) if signed else None
        return Built(channel=channel, inbound=poller, callbacks=callbacks)


def _secret(surroundings: Surroundings, key: str, name: str) -> str:
    try:
        return surroundings.secret(name)
    except LookupError as error:
        raise SettingsError(key, str(error)) from None


plugin = TwilioPlugin()
