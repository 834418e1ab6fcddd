"""Two-layer mapping: a *source profile* says where things stand in a message, a *device profile* what a device means.

Both are configuration (TOML with JMESPath, docs/devices.md); `builtin/` holds those of known families. The registry
says which device has which profile: its column `profile`. A trigger names its source:

    { topic = "application/+/device/+/event/up", decoder = "profiles", options = { source = "chirpstack-v4" } }
"""

from alertd_adapters.decoders.mapping.plugin import plugin, profiles

__all__ = ["plugin", "profiles"]
