"""An ear that we did not write: pocketsphinx with a closed grammar, and sox to bring what was received to its rate.

The grammar knows the announcements of these tests and nothing else. It may mistake other speech for one of them, which
is why each test also plays what must not be understood.
"""

import re
import subprocess
from pathlib import Path

import pytest

from tests.adapters.rtp.two_networks import needed

SPEECH_ONLY = ("silence", "1", "0.02", "1%", "reverse", "silence", "1", "0.02", "1%", "reverse")
"""The ear stumbles over pauses at either end: they are cut off, and made anew, of one length."""
PAUSE = bytes(2 * 16_000 * 3 // 10)


def phrase(words: str) -> str:
    return re.sub(r"[^a-z ]", "", words.lower())


def understood(
    path: Path, sentences: list[str], *, from_s: float = 0.0, for_s: float = 60.0, effects: tuple[str, ...] = ()
) -> str | None:
    """Which of the sentences was heard, whole, in this part of the recording; `None` if none of them."""
    needed("sox")
    pocketsphinx = pytest.importorskip(
        "pocketsphinx", reason="pocketsphinx has no wheel for this Python: nobody listens"
    )
    command = ["sox", str(path), "-r", "16000", "-b", "16", "-c", "1", "-e", "signed", "-t", "raw", "-"]
    sound = subprocess.run(
        [*command, "trim", str(from_s), str(for_s), *SPEECH_ONLY, *effects], capture_output=True, check=True
    ).stdout
    ear = pocketsphinx.Decoder(samprate=16000, loglevel="FATAL", lm=None)
    choice = " | ".join(map(phrase, sentences))
    ear.add_jsgf_string("pa", f"#JSGF V1.0;\ngrammar pa;\npublic <said> = {choice};\n")
    ear.activate_search("pa")
    ear.start_utt()
    ear.process_raw(PAUSE + sound + PAUSE, full_utt=True)
    ear.end_utt()
    heard = ear.hyp()
    return next((words for words in sentences if heard and heard.hypstr == phrase(words)), None)
