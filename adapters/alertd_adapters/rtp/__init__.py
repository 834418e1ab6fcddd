"""Loudspeakers by RTP multicast, G.711µ and G.722: `plugin = "pa_rtp"`.

One folder, one channel. `settings` → `announcements` (`rendering`: `speech`, `wav`, `resampling`, `tones`, `assembly`,
`g711`, `g722`) → clips, all at load. A page: `channel` → `pacer_process` → `pacer`, the child that keeps time.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from alertd.ports import Built, ChannelLimits, Found, Surroundings
from alertd_adapters.rtp.announcements import Announcements
from alertd_adapters.rtp.channel import SHARE_OF_DEADLINE, LoudspeakerChannel, Zone
from alertd_adapters.rtp.clips import ClipFolder
from alertd_adapters.rtp.pacer import Group
from alertd_adapters.rtp.pacer_process import Way, pacer_of_this_loop
from alertd_adapters.rtp.probe import probe
from alertd_adapters.rtp.settings import PaSettings, ZoneSettings, parse_settings, read_group
from alertd_adapters.rtp.speech import Voice

AIR = "pa_air"
"""Key of `Surroundings.extra`: a simulated world's `pacer_process.Air`."""
SPEAK = "pa_speak"
"""Key of `Surroundings.extra`: a simulated world's `speech.Speak`."""
STATE_DIR, CONFIG_DIR = "state_dir", "config_dir"
CHECKING = "checking"
"""Keys of `Surroundings.extra` that the daemon sets: where it keeps things, where its configuration lies, and whether
this is only a check."""
CLIP_FOLDER = "announcements"


class LoudspeakerPlugin:
    """`alertd.ports.Plugin`."""

    api_version = 1
    """The contract that this was written for: a number, not the daemon's own constant, or it could never differ."""

    def build(self, name: str, settings: Mapping[str, Any], surroundings: Surroundings) -> Built:
        """Blocks while it renders what was never rendered: a fifth of a second for an announcement."""
        parsed = parse_settings(settings)
        extra = surroundings.extra
        air = extra.get(AIR)
        zones = {zone: _zone(zone, its) for zone, its in parsed.zones.items()}
        groups = list(dict.fromkeys(group for zone in zones.values() for group in zone.all_groups))
        channel = LoudspeakerChannel(
            name=name,
            limits=ChannelLimits(concurrent=parsed.concurrent, deadline_s=parsed.deadline_s),
            zones=zones,
            announcements=announcements_of(parsed, extra),
            way=way_of(parsed),
            air=pacer_of_this_loop if air is None else lambda: air,
            live_words_deadline_s=parsed.live_words_deadline_s,
        )
        live_words_s = min(parsed.live_words_deadline_s, parsed.deadline_s * SHARE_OF_DEADLINE)
        probing = partial(_probe, way_of(parsed), groups, voice_of(parsed), live_words_s)
        return Built(channel=channel, probe=probing)


async def _probe(
    way: Way,
    groups: Sequence[Group],
    voice: Voice,
    live_words_s: float,
    addresses: Sequence[str],  # noqa: ARG001 - the port's signature
) -> AsyncIterator[Found]:
    """`alertd.ports.Probe`, in a thread: it blocks while words are spoken."""
    for found in await asyncio.to_thread(lambda: tuple(probe(way, groups, voice, live_words_s))):
        yield found


def voice_of(settings: PaSettings) -> Voice:
    return Voice(program=settings.speech, voice=settings.voice, words_per_minute=settings.words_per_minute)


def way_of(settings: PaSettings) -> Way:
    return Way(interface=settings.interface, ttl=settings.ttl, dscp=settings.dscp, loopback=settings.loopback)


def announcements_of(settings: PaSettings, extra: Mapping[str, Any]) -> Announcements:
    """Everything rendered; for a check, only tried out. Raises `SettingsError`."""
    voice = voice_of(settings)
    state_dir, config_dir = extra.get(STATE_DIR), extra.get(CONFIG_DIR)
    announcements = Announcements(
        settings,
        speak=extra.get(SPEAK, voice.speak),
        speaker=" ".join(voice.command("")),
        recordings=Path(config_dir) if config_dir is not None else None,
        folder=ClipFolder(Path(state_dir) / CLIP_FOLDER if state_dir is not None else None),
    )
    if extra.get(CHECKING):
        announcements.check()
    else:
        announcements.render()
    return announcements


def _zone(name: str, settings: ZoneSettings) -> Zone:
    return Zone(
        groups=tuple(read_group(f"zones.{name}.groups", text) for text in settings.groups),
        emergency_groups=tuple(
            read_group(f"zones.{name}.emergency_groups", text) for text in settings.emergency_groups
        ),
        codec=settings.codec,
    )


plugin = LoudspeakerPlugin()
