"""Signed webhooks, above all to dispatch centres: `plugin = "webhook"`.

One folder, one channel: `channel` sends, `answers` reads what comes back at once, `callbacks` what comes later;
`signing` and `addresses` are the two rules that every request obeys. `probe` looks whether there is a way.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from alertd.ports import Built, ChannelLimits, SettingsError, Surroundings
from alertd_adapters.webhook.addresses import resolve_by_system
from alertd_adapters.webhook.callbacks import WebhookCallbacks
from alertd_adapters.webhook.channel import Endpoint, WebhookChannel
from alertd_adapters.webhook.probe import probe
from alertd_adapters.webhook.settings import WebhookSettings, parse_settings
from alertd_adapters.webhook.signing import read_secret

RESOLVE = "resolve"
"""Key of `Surroundings.extra`: a simulated world's name server, `async (host, port) -> addresses`."""


class WebhookPlugin:
    """`alertd.ports.Plugin`."""

    api_version = 1
    """The contract that this was written for: a number, not the daemon's own constant, or it could never differ."""

    def build(self, name: str, settings: Mapping[str, Any], surroundings: Surroundings) -> Built:
        parsed = parse_settings(settings)
        endpoints = _endpoints(parsed, surroundings)
        resolve = surroundings.extra.get(RESOLVE, resolve_by_system)
        channel = WebhookChannel(
            name=name,
            limits=ChannelLimits(per_s=parsed.per_s, concurrent=parsed.concurrent, deadline_s=parsed.deadline_s),
            endpoints=endpoints,
            http=surroundings.http,
            clock=surroundings.clock,
            resolve=resolve,
        )
        callbacks = (
            WebhookCallbacks(name=name, endpoints=endpoints, clock=surroundings.clock)
            if surroundings.public_base_url
            else None
        )
        return Built(channel=channel, callbacks=callbacks, probe=partial(probe, endpoints, resolve))


def _endpoints(parsed: WebhookSettings, surroundings: Surroundings) -> dict[str, Endpoint]:
    endpoints: dict[str, Endpoint] = {}
    for name, destination in parsed.destinations.items():
        try:
            keys = tuple(read_secret(surroundings.secret(secret)) for secret in destination.secret_names)
        except (LookupError, ValueError) as error:
            raise SettingsError(f"destinations.{name}.signing_secret", str(error)) from None
        endpoints[name] = Endpoint(url=destination.url, keys=keys, allow_private=parsed.allows_private(destination))
    return endpoints


plugin = WebhookPlugin()
