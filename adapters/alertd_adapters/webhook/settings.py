"""What a `[channels.NAME]` section of plugin `webhook` may say. Owns the checks of single values; sends nothing.

A destination's name is the address that notifications carry; its URL and secret are known here alone.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from alertd.model.blocked_numbers import blocked
from alertd.model.this_machine import is_this_machine
from alertd.ports import SettingsError, read_settings
from alertd_adapters.webhook.addresses import why_private

Seconds = Annotated[float, Meta(gt=0, le=3600)]
SecretName = Annotated[str, Meta(min_length=1, max_length=64)]
PrivateAddresses = Literal["refuse", "allow"]
URL_CHARS_MAX = 2_000


class DestinationSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One server that is told."""

    url: Annotated[str, Meta(max_length=URL_CHARS_MAX)]
    """The final one: a redirect is never followed."""
    signing_secret: SecretName | Annotated[tuple[SecretName, ...], Meta(min_length=1, max_length=4)]
    """Name of the secret, a Standard Webhooks "whsec_…"; several while the other side changes it: all of them sign."""
    private_addresses: PrivateAddresses | None = None
    """Overrides the channel's."""

    @property
    def secret_names(self) -> tuple[str, ...]:
        return (self.signing_secret,) if isinstance(self.signing_secret, str) else self.signing_secret


class WebhookSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    destinations: Annotated[dict[str, DestinationSettings], Meta(min_length=1, max_length=500)]
    private_addresses: PrivateAddresses = "refuse"
    """`refuse`: a name that leads to this machine or into a private network is not called, so that a wrong or hijacked
    name cannot make alertd knock at what stands beside it. `allow`: the destination is in the house."""
    concurrent: Annotated[int, Meta(ge=1, le=200)] = 20
    per_s: Annotated[float, Meta(ge=0, le=10_000)] = 0.0
    """Requests per second; 0 = no limit."""
    deadline_s: Seconds = 10.0

    def allows_private(self, destination: DestinationSettings) -> bool:
        return (destination.private_addresses or self.private_addresses) == "allow"


def parse_settings(table: Mapping[str, Any]) -> WebhookSettings:
    """Raises `SettingsError` that names the key."""
    settings = read_settings(table, WebhookSettings, _unknown)
    for name, destination in settings.destinations.items():
        if why := blocked(name):
            raise SettingsError(f"destinations.{name}", f"reads like a number to dial: {why}; choose another name")
        check_url(f"destinations.{name}.url", destination.url, allow_private=settings.allows_private(destination))
    return settings


def _unknown(_where: str) -> str:
    known = ", ".join((*WebhookSettings.__struct_fields__, *DestinationSettings.__struct_fields__))
    return f"is not a setting of webhook; known: {known}"


def check_url(key: str, url: str, *, allow_private: bool) -> None:
    """Https to a public host; http only to this machine; nothing secret in it."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise SettingsError(key, "is not a URL") from None
    if not host or not url.isascii() or any(char.isspace() for char in url):
        raise SettingsError(key, "is not a URL: write it like https://dispatch.example.org/alerts")
    if parts.username is not None or parts.password is not None:
        raise SettingsError(key, "has a user or password in it; secrets never stand in files")
    if parts.fragment:
        raise SettingsError(key, "has a fragment (#…), which no server ever sees")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_this_machine(host)):
        raise SettingsError(key, "must begin with https:// (http:// only to this machine): it carries names and places")
    if not allow_private and (why := why_private(host)):
        raise SettingsError(key, f'{host} {why}; if that is meant, set private_addresses = "allow" for it')
