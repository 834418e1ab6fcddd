"""The plugins: a decoder for a trigger, and the profiles for whoever checks and explains them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from alertd.model.registry import Registry
from alertd.ports import (
    API_VERSION,
    Clock,
    Decoder,
    Explained,
    Fit,
    ProfileProblem,
    Reads,
    Says,
    SettingsError,
    Surroundings,
    Voices,
)
from alertd_adapters.decoders.mapping.bindings import Bindings
from alertd_adapters.decoders.mapping.checking import doubts, problems
from alertd_adapters.decoders.mapping.decoder import MappedDecoder
from alertd_adapters.decoders.mapping.explaining import explain
from alertd_adapters.decoders.mapping.learning import fits
from alertd_adapters.decoders.mapping.library import PROFILE, library
from alertd_adapters.decoders.mapping.saying import reads, says
from alertd_adapters.decoders.mapping.sources import Source
from alertd_adapters.decoders.mapping.sparkplug import SPARKPLUG_OPTIONS, SparkplugDecoder, SparkplugOptions


class ProfilesPlugin:
    """`ports.DecoderPlugin` and `ports.SurroundedDecoderPlugin`."""

    api_version = API_VERSION

    def build(self, settings: Mapping[str, Any]) -> Decoder:
        return _decoder(settings, {}, lambda: None)

    def build_within(self, settings: Mapping[str, Any], surroundings: Surroundings) -> MappedDecoder:
        return _decoder(settings, surroundings.profiles, surroundings.registry, surroundings.clock)

    def voices(self, topic: str, settings: Mapping[str, Any], surroundings: Surroundings) -> Voices:
        """`ports.SpeakingDecoderPlugin`: as the source profile says; its devices are those whose profile has an example
        that comes over it."""
        own = surroundings.profiles
        source, found = _source(settings, own), library(own)
        profiles = {
            name
            for (kind, name), entry in found.entries.items()
            if kind == PROFILE and any(example.source == source.name for example in entry.written.examples)
        }
        base = settings.get("base")
        return Voices(
            name=source.name if base is None else f"{source.name}-{source.base.replace('/', '-')}",
            says=source.speaks or (topic,),
            hears=source.hears,
            asks=source.asked,
            clients=source.clients,
            profiles=frozenset(profiles | ({"", source.profile} if source.profile else set())),
        )


def _decoder(
    settings: Mapping[str, Any],
    own: Mapping[str, Mapping[str, Any]],
    registry: Callable[[], Registry | None],
    clock: Clock | None = None,
) -> MappedDecoder:
    source = _source(settings, own)
    known = ["source", "base", "gateway", *(SPARKPLUG_OPTIONS if source.envelope else ())]
    for key in settings:
        if key not in known:
            raise SettingsError(key, f"is not a setting of profiles ({source.name}); there are: {', '.join(known)}")
    profiles = library(own).profiles
    if source.envelope:
        return SparkplugDecoder(source, profiles, registry, SparkplugOptions.of(settings), clock)
    return MappedDecoder(source, profiles, Bindings(registry), _gateway(settings))


def _gateway(settings: Mapping[str, Any]) -> str:
    gateway = settings.get("gateway", "")
    if not isinstance(gateway, str):
        raise SettingsError("gateway", "is the id of the registered gateway or bridge behind this topic")
    return gateway


def _source(settings: Mapping[str, Any], own: Mapping[str, Mapping[str, Any]]) -> Source:
    found = library(own)
    name = settings.get("source")
    if not isinstance(name, str) or name not in found.sources:
        known = ", ".join(sorted(found.sources))
        raise SettingsError("source", f"names the source profile; there are: {known}")
    base = settings.get("base")
    if base is None:
        return found.source(name)
    if not isinstance(base, str) or not base.strip("/") or set("+#{}") & set(base):
        raise SettingsError("base", "is the first levels of the topics, as the gateway's own settings name them")
    if not found.source(name).base:
        raise SettingsError("base", f"source {name} has no base topic: its topics are fixed")
    return found.source(name, base.strip("/"))


class Profiles:
    """`ports.Profiles`."""

    api_version = API_VERSION

    def check(self, own: Mapping[str, Mapping[str, Any]]) -> Sequence[ProfileProblem]:
        found = library(own)
        return [*problems(found, set(own)), *doubts(found, set(own))]

    def names(self, own: Mapping[str, Mapping[str, Any]]) -> Sequence[str]:
        return sorted(library(own).profiles)

    def check_in_s(self, own: Mapping[str, Mapping[str, Any]]) -> Mapping[str, int]:
        return {name: profile.check_in_s for name, profile in library(own).profiles.items() if profile.check_in_s}

    def says(self, own: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Says]:
        return says(library(own))

    def reads(self, own: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Reads]:
        return reads(library(own))

    def triggers(self, own: Mapping[str, Mapping[str, Any]], topic: str) -> Sequence[tuple[str, str]]:
        sources = library(own).sources.values()
        found = {(message.template.filter, each.name) for each in sources for message, _ in each.fitting(topic)}
        return sorted(found, key=lambda each: (each[0].endswith("#"), each[0].count("+"), each))

    def explain(self, settings: Mapping[str, Any], surroundings: Surroundings, topic: str, payload: bytes) -> Explained:
        return explain(plugin.build_within(settings, surroundings), topic, payload)

    def fits(
        self, settings: Mapping[str, Any], surroundings: Surroundings, device_id: str, said: Sequence[tuple[str, bytes]]
    ) -> Sequence[Fit]:
        own = surroundings.profiles
        return fits(lambda registry: _decoder(settings, own, registry), library(own), device_id, said)


plugin = ProfilesPlugin()
profiles = Profiles()
