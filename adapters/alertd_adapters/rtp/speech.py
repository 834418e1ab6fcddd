"""Words to sound, by a speech program of the system, started for each sentence and fed by stdin.

Owns which programs are known and how they are asked. Must never put words on a command line (a room called "-f" would
be an option), nor wait for a program without an end. The programs were timed on twelve words: espeak-ng 0.02 s, flite
0.2 s, piper 1 to 3 s and 2 s more to load its voice; so a piper voice is for what is rendered at load.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable

from msgspec import Struct

from alertd_adapters.rtp.samples import Samples
from alertd_adapters.rtp.wav import Recording, WavError, read

WORDS_CHARS_MAX = 1_000
LOAD_DEADLINE_S = 20.0
ESPEAK_VOICE = "en-us+f3"
"""Of those tried, the one whose every sentence a recogniser understood after 8 kHz and µ-law."""
FLITE_VOICES = ("slt", "awb", "rms", "kal", "kal16", "awb_time")
"""Built into it. It takes any other name without a word, and speaks as somebody else."""
FLITE_WORDS_PER_MINUTE = 170
"""Unstretched, about."""
ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "ESPEAK_DATA_PATH", "HOME", "LANG", "LC_ALL")
"""All that the program gets to see: secrets stand in the environment."""
PEAK = 0.7
"""-3 dBFS: speech is brought to this peak, whichever program made it."""
QUIET = 100
"""A peak below this is no speech but a program that failed politely."""

Speak = Callable[[str, float], Recording]
"""Words and the seconds it may take, to sound. Raises `SpeechError`."""


class SpeechError(Exception):
    """The words could not be spoken. The message says why, in words for people."""


class NoProgramError(SpeechError):
    """The speech program is not installed."""


class Voice(Struct, frozen=True, kw_only=True):
    """Who speaks. `program` is espeak-ng, flite, or the file of a piper voice (….onnx)."""

    program: str
    voice: str = ""
    words_per_minute: int = 150

    def command(self, out: str) -> list[str]:
        """Reads words from stdin, writes a WAV to `out`."""
        match self.program:
            case "espeak-ng":
                rate = str(self.words_per_minute)
                return ["espeak-ng", "--stdin", "-b", "1", "-v", self.voice or ESPEAK_VOICE, "-s", rate, "-w", out]
            case "flite":
                stretch = f"duration_stretch={FLITE_WORDS_PER_MINUTE / self.words_per_minute:.3f}"
                return ["flite", "-voice", self.voice or "slt", "--setf", stretch, "-o", out]
            case model:
                return ["piper", "--model", model, "--output_file", out]

    @property
    def name(self) -> str:
        return self.command("")[0]

    @property
    def is_installed(self) -> bool:
        return shutil.which(self.name) is not None

    @property
    def remedy(self) -> str:
        install = "pip install piper-tts" if self.name == "piper" else f"apt install {self.name}"
        return f"{self.name} is not installed on this machine: {install}, or give a recording (a WAV file) for words"

    def speak(self, words: str, deadline_s: float) -> Recording:
        """Blocks. Raises `SpeechError`."""
        # A file in memory: they seek in what they write, and a hardened daemon has no directory for such things.
        with os.fdopen(os.memfd_create("speech"), "r+b") as made:
            self._run(words, made.fileno(), deadline_s)
            made.seek(0)
            data = made.read()
        try:
            recording = read(data)
        except WavError as error:
            raise SpeechError(f"{self.name} gave no sound: what it wrote {error}") from None
        return Recording(_levelled(recording.samples, self.name), recording.rate_hz)

    def _run(self, words: str, out: int, deadline_s: float) -> None:
        try:
            done = subprocess.run(  # noqa: S603 - one of three programs; the words go in by stdin
                self.command(f"/proc/self/fd/{out}"),
                input=plain(words).encode(),
                capture_output=True,
                pass_fds=(out,),
                timeout=deadline_s,
                check=False,
                env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
            )
        except FileNotFoundError:
            raise NoProgramError(self.remedy) from None
        except subprocess.TimeoutExpired:
            raise SpeechError(f"{self.name} did not speak within {deadline_s:g} s") from None
        except OSError as error:
            raise SpeechError(f"{self.name} could not be started: {error}") from None
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            raise SpeechError(f"{self.name} failed: {said[-1][:200] if said else f'exit code {done.returncode}'}")


def plain(words: str) -> str:
    """One line without what a speech program takes for commands: [[phonemes]], <markup>, control characters."""
    text = re.sub(r"[\[\]<>{}|\\]", " ", words[:WORDS_CHARS_MAX])
    return " ".join("".join(char if char.isprintable() else " " for char in text).split()) + "\n"


def _levelled(samples: Samples, program: str) -> Samples:
    peak = max(max(samples, default=0), -min(samples, default=0))
    if peak < QUIET:
        raise SpeechError(f"{program} gave silence: does it know this voice, and the language of these words?")
    gain = 32767 * PEAK / peak
    return Samples("h", (round(gain * sample) for sample in samples))
