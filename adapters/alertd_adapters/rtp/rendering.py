"""From a recipe to a clip: sounds are spoken or read, brought to the codec's rate, put together, encoded.

Owns what makes two clips the same. Blocks: a tenth of a second for a short sentence, so never on the event loop.
"""

from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

from alertd.ports import NotHereError, SettingsError
from alertd_adapters.rtp import g711, g722, wav
from alertd_adapters.rtp.assembly import Mark, Parts, Variant, assemble
from alertd_adapters.rtp.clips import Clip, key_of
from alertd_adapters.rtp.resampling import resample
from alertd_adapters.rtp.samples import Samples
from alertd_adapters.rtp.settings import Codec
from alertd_adapters.rtp.speech import LOAD_DEADLINE_S, NoProgramError, Speak, SpeechError
from alertd_adapters.rtp.tones import ToneName

RENDERING = "1"
"""Raise it when the same settings are to sound different: kept clips are then made anew."""


class Coder(Struct, frozen=True, kw_only=True):
    """A codec: its RTP payload type, the rate of what it takes, and its encoder."""

    payload_type: int
    rate_hz: int
    encode: Callable[[Samples], bytes]


CODERS: Mapping[Codec, Coder] = {
    "g711u": Coder(payload_type=g711.PAYLOAD_TYPE, rate_hz=g711.RATE_HZ, encode=g711.encode),
    "g722": Coder(payload_type=g722.PAYLOAD_TYPE, rate_hz=g722.RATE_HZ, encode=g722.encode),
}


class Source(Struct, frozen=True, kw_only=True):
    """Words to speak, or a recording; `key` is the setting that named it."""

    key: str
    words: str = ""
    data: bytes | None = None

    @property
    def identity(self) -> str:
        return f"words {self.words}" if self.data is None else f"file {sha256(self.data).hexdigest()}"


class Recipe(Struct, frozen=True, kw_only=True):
    """One form of one announcement."""

    said: Source
    tone: ToneName
    times: int
    variant: Variant
    codec: Codec


class Renderer:
    """`speaker` names who speaks, so that another voice makes other clips."""

    def __init__(self, *, speak: Speak, speaker: str, marks: Mapping[Mark, Source]) -> None:
        self._speak = speak
        self._speaker = speaker
        self._marks = marks
        self._heard: dict[tuple[str, int], Samples] = {}
        """What this renderer has already spoken or read: the same words stand in several forms."""

    def key(self, recipe: Recipe) -> str:
        mark = recipe.variant.mark
        return key_of(
            (
                RENDERING,
                self._speaker,
                recipe.said.identity,
                self._marks[mark].identity if mark else "",
                recipe.tone,
                str(recipe.times),
                recipe.variant,
                recipe.codec,
            )
        )

    def clip(self, recipe: Recipe, deadline_s: float) -> Clip:
        """`deadline_s` is for each sentence to speak. Raises `SettingsError` or `SpeechError`, naming no key."""
        coder = CODERS[recipe.codec]
        mark = recipe.variant.mark
        samples = assemble(
            Parts(
                tone=recipe.tone,
                words=self._sound(recipe.said, coder.rate_hz, deadline_s),
                times=recipe.times,
                variant=recipe.variant,
                mark=self._sound(self._marks[mark], coder.rate_hz, deadline_s) if mark else None,
            ),
            coder.rate_hz,
        )
        return Clip(key=self.key(recipe), payload_type=coder.payload_type, payload=coder.encode(samples))

    def try_out(self, source: Source) -> None:
        """Can this be spoken, or read? Raises `SettingsError`."""
        self._record(source, LOAD_DEADLINE_S)

    def forget(self) -> None:
        """Sounds are large; after everything is rendered nobody needs them."""
        self._heard.clear()

    def _sound(self, source: Source, rate_hz: int, deadline_s: float) -> Samples:
        kept = (source.identity, rate_hz)
        heard = self._heard.get(kept)
        if heard is None:  # live words are rendered in threads: another may have forgotten what we just kept
            recording = self._record(source, deadline_s)
            heard = self._heard[kept] = resample(recording.samples, recording.rate_hz, rate_hz)
        return heard

    def _record(self, source: Source, deadline_s: float) -> wav.Recording:
        try:
            return self._speak(source.words, deadline_s) if source.data is None else wav.read(source.data)
        except wav.WavError as error:
            raise SettingsError(source.key, str(error)) from None
        except SpeechError as error:
            if source.key and isinstance(error, NoProgramError):
                raise NotHereError(source.key, str(error)) from None
            if source.key:
                raise SettingsError(source.key, str(error)) from None
            raise


def source(key: str, *, words: str | None, file: str | None, folder: Path | None) -> Source:
    """What a setting names. A file's name is relative to `folder`, the configuration's. Raises `SettingsError`."""
    if file is None:
        return Source(key=key, words=words or "")
    path = Path(file)
    if not path.is_absolute():
        if folder is None:
            raise SettingsError(key, f"{file} must be an absolute path here")
        path = folder / path
    try:
        if path.stat().st_size > wav.BYTES_MAX:
            raise SettingsError(key, f"{path} is larger than an announcement can be")
        return Source(key=key, data=path.read_bytes())
    except OSError as error:
        raise SettingsError(key, f"{path} cannot be read: {error.strerror or error}") from None
