"""Is there anything at hand with which a rehearsal could reach somebody real? Then it does not begin.

Owns the search, in a configuration and in the environment. Says which thing it is, by its name, and never its value.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from alertd.config.credentials import variable_of
from alertd.model.this_machine import is_this_machine
from alertd_simulator.demo_wiring import POINTED, is_made_up
from alertd_simulator.loudspeakers import PA_PLUGINS

PROVIDERS = ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_API_KEY", "TWILIO_API_SECRET")
"""What a provider's own tools read from the environment."""
DEFAULT_URL = {"sms_twilio": "https://api.twilio.com", "voice_twilio": "https://api.twilio.com"}


class LiveError(RuntimeError):
    """Something here could reach somebody real."""


def refuse_live(wiring: Mapping[str, Any], environ: Mapping[str, str]) -> None:
    """Raises `LiveError` that names all secrets at hand."""
    if found := list(live_secrets(wiring, environ)):
        raise LiveError(
            "credentials of a live provider are at hand, and a rehearsal does not run beside them:\n"
            + "".join(f"  {each}\n" for each in found)
            + "unset them, and begin again in a shell that has none"
        )


def live_secrets(wiring: Mapping[str, Any], environ: Mapping[str, str]) -> Iterator[str]:
    """Secrets of channels that were not made up for a rehearsal."""
    for name in PROVIDERS:
        if environ.get(name):
            yield f"{name} stands in the environment"
    directory = environ.get("CREDENTIALS_DIRECTORY")
    for channel, section in wiring.get("channels", {}).items():
        for secret in sorted(set(_secret_names(section))):
            value = environ.get(variable_of(secret), "")
            if value and not is_made_up(value):
                yield f"{variable_of(secret)} stands in the environment, a secret of channel {channel}"
            if directory and (Path(directory) / secret).is_file():
                yield f"{Path(directory) / secret} ($CREDENTIALS_DIRECTORY) is a secret of channel {channel}"


def live_channels(wiring: Mapping[str, Any]) -> Iterator[str]:
    """Channels that lead out of this machine."""
    for channel, section in wiring.get("channels", {}).items():
        plugin = section.get("plugin", "")
        if plugin in PA_PLUGINS:
            if not is_this_machine(str(section.get("interface", ""))):
                yield f"channels.{channel} speaks by network card {section.get('interface')}: real loudspeakers hear it"
        elif plugin == "webhook":
            for name, destination in section.get("destinations", {"": section}).items():
                host = urlsplit(str(destination.get("url", ""))).hostname or ""
                if not is_this_machine(host):
                    yield f"channels.{channel}.destinations.{name} goes to {host}"
        elif plugin in DEFAULT_URL:
            host = urlsplit(section.get("base_url", DEFAULT_URL[plugin])).hostname or ""
            if not is_this_machine(host):
                yield f"channels.{channel} sends through {host}"
        elif plugin not in POINTED:
            yield f"channels.{channel} (plugin {plugin}) may lead anywhere"


def _secret_names(table: Mapping[str, Any]) -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _secret_names(value)
        elif key.endswith("_secret"):
            yield from [value] if isinstance(value, str) else value
