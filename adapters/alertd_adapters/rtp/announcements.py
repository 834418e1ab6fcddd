"""What the loudspeakers can say: every configured announcement in every form, rendered when the section is loaded.

Rendering at load makes a wrong voice, a missing recording or a broken codec an error of the configuration, not a
silence in an emergency. Only words that nobody could know before are spoken live.
"""

from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

from alertd.ports import NotHereError, SettingsError
from alertd_adapters.rtp import g722
from alertd_adapters.rtp.assembly import MARK_WORDS, Mark, Variant
from alertd_adapters.rtp.clips import Clip, ClipFolder
from alertd_adapters.rtp.rendering import CODERS, Recipe, Renderer, Source, source
from alertd_adapters.rtp.settings import AnnouncementSettings, Codec, PaSettings
from alertd_adapters.rtp.speech import LOAD_DEADLINE_S, Speak
from alertd_adapters.rtp.tones import ToneName

SECONDS_MAX = 90.0
"""Longer than any announcement with its repeats; a recording beyond it is a mistake."""
LIVE_KEPT = 32
"""The policy repeats live words within a minute: the last ones stay in memory."""
LIVE_TIMES = 2


class Announcements:
    """Clips by name, variant and codec; none before `render`. Raises `SettingsError`."""

    def __init__(
        self, settings: PaSettings, *, speak: Speak, speaker: str, recordings: Path | None, folder: ClipFolder
    ) -> None:
        self._recordings = recordings
        self._folder = folder
        self._marks_of = self._marks(settings)
        self._renderer = Renderer(speak=speak, speaker=speaker, marks=self._marks_of)
        self._recipes_of: dict[tuple[str, Variant, Codec], Recipe] = {}
        self._clips: dict[tuple[str, Variant, Codec], Clip] = {}
        self._live: OrderedDict[str, Clip] = OrderedDict()
        codecs = _codecs(settings)
        for name, announcement in settings.announcements.items():
            for recipe in self._recipes(name, announcement, codecs):
                self._recipes_of[name, recipe.variant, recipe.codec] = recipe

    def render(self) -> None:
        """Make every clip, or take it from where it was kept. Blocks; raises `SettingsError`."""
        for (name, variant, codec), recipe in self._recipes_of.items():
            self._clips[name, variant, codec] = self._at_load(f"announcements.{name}", recipe)
        self._renderer.forget()

    def check(self) -> None:
        """Would `render` succeed? Reads each recording, and speaks one sentence, not all. Raises `SettingsError`."""
        recipes = self._recipes_of.values()
        spoken = [recipe.said for recipe in recipes] + (list(self._marks_of.values()) if recipes else [])
        for said in {said.identity: said for said in spoken if said.data is not None}.values():
            self._renderer.try_out(said)
        if words := [said for said in spoken if said.data is None]:
            self._renderer.try_out(words[0])

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted({name for name, _, _ in self._clips}))

    def get(self, name: str, variant: Variant, codec: Codec) -> Clip | None:
        return self._clips.get((name, variant, codec))

    def live(self, words: str, *, variant: Variant, tone: ToneName, codec: Codec, deadline_s: float) -> Clip:
        """Words that nobody knew before. Blocks: from a tenth of a second. Raises `SpeechError`."""
        recipe = Recipe(said=Source(key="", words=words), tone=tone, times=LIVE_TIMES, variant=variant, codec=codec)
        key = self._renderer.key(recipe)
        if (clip := self._live.get(key)) is None:
            clip = self._live[key] = self._renderer.clip(recipe, deadline_s)
            self._renderer.forget()
            while len(self._live) > LIVE_KEPT:
                self._live.popitem(last=False)
        return clip

    # --- at load

    def _marks(self, settings: PaSettings) -> dict[Mark, Source]:
        files = {Mark.DRILL: settings.marks.drill, Mark.TEST: settings.marks.test, Mark.OVER: settings.marks.over}
        return {
            mark: source(f"marks.{mark}", words=MARK_WORDS[mark], file=file, folder=self._recordings)
            for mark, file in files.items()
        }

    def _recipes(self, name: str, said: AnnouncementSettings, codecs: list[Codec]) -> Iterator[Recipe]:
        where, folder = f"announcements.{name}", self._recordings
        live = source(
            f"{where}.{'recording' if said.recording else 'words'}",
            words=said.words, file=said.recording, folder=folder,
        )  # fmt: skip
        drill = live
        if said.drill_words or said.drill_recording:
            key = f"{where}.{'drill_recording' if said.drill_recording else 'drill_words'}"
            drill = source(key, words=said.drill_words, file=said.drill_recording, folder=folder)
        tone: ToneName = said.tone  # type: ignore[assignment]  # settings has checked it
        for variant in Variant:
            for codec in codecs:
                of = drill if variant is Variant.DRILL else live
                yield Recipe(said=of, tone=tone, times=said.times, variant=variant, codec=codec)

    def _at_load(self, where: str, recipe: Recipe) -> Clip:
        key = self._renderer.key(recipe)
        kept = self._folder.get(key)
        if kept is not None:
            clip = Clip(key=key, payload_type=CODERS[recipe.codec].payload_type, payload=kept)
        else:
            clip = self._renderer.clip(recipe, LOAD_DEADLINE_S)
            self._folder.put(key, clip.payload)
        if clip.seconds > SECONDS_MAX:
            raise SettingsError(where, f"takes {clip.seconds:.0f} s with its repeats: at most {SECONDS_MAX:.0f}")
        return clip


def _codecs(settings: PaSettings) -> list[Codec]:
    for name, zone in settings.zones.items():
        if zone.codec == "g722" and (why := g722.why_missing()):
            raise NotHereError(f"zones.{name}.codec", why)
    return sorted({zone.codec for zone in settings.zones.values()})
