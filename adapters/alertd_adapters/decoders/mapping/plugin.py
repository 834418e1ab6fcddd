"""The plugins: a decoder for a trigger, and the profiles for whoever checks and explains them."""

from collections.abc import Mapping, Sequence
from typing import Any

from alertd.ports import API_VERSION, Decoder, Explained, ProfileProblem, SettingsError, Surroundings
from alertd_adapters.decoders.mapping.bindings import Bindings
from alertd_adapters.decoders.mapping.checking import problems
from alertd_adapters.decoders.mapping.decoder import MappedDecoder
from alertd_adapters.decoders.mapping.explaining import explain
from alertd_adapters.decoders.mapping.library import library
from alertd_adapters.decoders.mapping.sources import Source


class ProfilesPlugin:
    """`ports.DecoderPlugin` and `ports.SurroundedDecoderPlugin`."""

    api_version = API_VERSION

    def build(self, settings: Mapping[str, Any]) -> Decoder:
        return _decoder(settings, {}, Bindings(lambda: None))

    def build_within(self, settings: Mapping[str, Any], surroundings: Surroundings) -> MappedDecoder:
        return _decoder(settings, surroundings.profiles, Bindings(surroundings.registry))


def _decoder(settings: Mapping[str, Any], own: Mapping[str, Mapping[str, Any]], bindings: Bindings) -> MappedDecoder:
    for key in settings:
        if key not in ("source", "base"):
            raise SettingsError(key, 'is not a setting of profiles; there are "source" and "base"')
    found = library(own)
    return MappedDecoder(_source(settings, own), found.profiles, bindings)


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
        return problems(library(own), set(own))

    def names(self, own: Mapping[str, Mapping[str, Any]]) -> Sequence[str]:
        return sorted(library(own).profiles)

    def explain(self, settings: Mapping[str, Any], surroundings: Surroundings, topic: str, payload: bytes) -> Explained:
        return explain(plugin.build_within(settings, surroundings), topic, payload)


plugin = ProfilesPlugin()
profiles = Profiles()
