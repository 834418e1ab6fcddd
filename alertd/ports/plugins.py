"""What an entry point names: it makes adapters of a section of the configuration, or says what is wrong with it."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol, runtime_checkable

from msgspec import Struct

from alertd.model.registry import Registry
from alertd.ports.channels import Callbacks, Channel, ChannelLimits, Inbound, OneAtATime, Probe, Recalling
from alertd.ports.decoders import Decoder
from alertd.ports.sources import Feedback, Source
from alertd.ports.world import Clock, Http

API_VERSION = 1


def _no_registry() -> None:
    """Nobody has one."""


class Surroundings(Struct, frozen=True, kw_only=True):
    """What a plugin is given when it builds an adapter."""

    clock: Clock
    http: Http
    secret: Callable[[str], str]
    """Value of a named secret (environment or systemd credential); raises `LookupError` that names it."""
    public_base_url: str | None = None
    registry: Callable[[], Registry | None] = _no_registry
    """The registry as it is now: a reload swaps it. `None` where there is none, as in a check of the settings alone."""
    profiles: Mapping[str, Mapping[str, Any]] = {}
    """The district's own profiles of sources and devices: file -> its TOML."""
    extra: Mapping[str, Any] = {}
    """What a simulated world adds (for example its broker)."""


class Built(Struct, frozen=True, kw_only=True):
    """What a plugin made of one configured section. Absent abilities are `None`."""

    source: Source | None = None
    channel: Channel | None = None
    inbound: Inbound | None = None
    callbacks: Callbacks | None = None
    feedback: Feedback | None = None
    probe: Probe | None = None
    recalling: Recalling | None = None
    lines: OneAtATime | None = None


class Plugin(Protocol):
    """What an entry point names. `settings` is the section's TOML table; wrong ones raise `SettingsError`."""

    api_version: int

    def build(self, name: str, settings: Mapping[str, Any], surroundings: Surroundings) -> Built: ...


@runtime_checkable
class Paced(Protocol):
    """An optional ability of a channel's plugin: its limits from the settings alone, for `alertd check` on a machine
    that has no secrets. Must equal what the built channel has; wrong settings raise `SettingsError`."""

    def limits(self, settings: Mapping[str, Any]) -> ChannelLimits: ...


class DecoderPlugin(Protocol):
    """What an entry point of `alertd.decoders` names. Sources that carry payloads of many families look it up."""

    api_version: int

    def build(self, settings: Mapping[str, Any]) -> Decoder: ...


@runtime_checkable
class SurroundedDecoderPlugin(Protocol):
    """An optional ability of a decoder's plugin: it also needs the registry, or the district's profiles."""

    def build_within(self, settings: Mapping[str, Any], surroundings: Surroundings) -> Decoder: ...


class Voices(Struct, frozen=True, kw_only=True):
    """Who publishes what a trigger reads, as clients of the broker: what `alertd broker config` writes into its access
    list. Topics are filters; `{client}` in them stands for the id of a registered device, which is a client then."""

    name: str
    """Of the one client that speaks where no `{client}` stands: a server, a bridge, a gateway."""
    says: tuple[str, ...]
    hears: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    """Where alertd itself speaks to them."""
    clients: Literal["devices", "gateways"] = "devices"
    """Who they are, where `{client}` stands: those that press, or the gateways that speak for them."""
    profiles: frozenset[str] = frozenset({""})
    """Profiles of the devices that come so; "": those of which the registry names none."""
    relayed: bool = False
    """A registered gateway may speak for the wearables of its site."""

    @property
    def is_one(self) -> bool:
        """One client speaks for all."""
        return not any("{client}" in topic for topic in self.says)


@runtime_checkable
class SpeakingDecoderPlugin(Protocol):
    """An optional ability of a decoder's plugin: it knows who speaks. Without it, one client speaks on the trigger's
    whole topic."""

    def voices(self, topic: str, settings: Mapping[str, Any], surroundings: Surroundings) -> Voices:
        """`topic`: the trigger's filter, without `$share`. Raises `SettingsError`."""
        ...
