"""What a call says, as TwiML: made by Twilio's own classes, so that every word is escaped as Twilio reads it.

Owns the order: place first, everything twice, then the keys. Must fit 4,000 characters: more is refused by Twilio, and
a call that is refused is worse than one that repeats itself less.
"""

import re
from collections.abc import Callable

from msgspec import Struct
from twilio.twiml.voice_response import Gather, VoiceResponse  # type: ignore[import-untyped]

from alertd.model.call_script import CallScript

TWIML_CHARS_MAX = 4_000
"""Twilio, Calls resource: "Twiml" is at most so long."""
KEY_WAIT_S = 8
"""Of nothing, after the last word: then everything is said once more, and then it is over (messages.md)."""
WORDS_CHARS_MAX = 900
"""Of the words of one part, where even the shortest form would not fit: the place stands first and survives."""
UNSPEAKABLE = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no place for (section 2.2, Char), and DEL and its kin: with one of them nothing at all is spoken."""
NOT_STORED = "Your key could not be stored. Press it again, or answer by text."


class Manner(Struct, frozen=True, kw_only=True):
    """How it is spoken."""

    language: str = "en-US"
    voice: str = ""


class Speaker:
    """Writes TwiML in one manner."""

    def __init__(self, manner: Manner) -> None:
        self._how = {"language": manner.language} | ({"voice": manner.voice} if manner.voice else {})

    def opening(self, script: CallScript, action: str | None) -> str:
        """The whole call, as it is placed. `action`: where a key goes; `None`: no key can reach us."""
        if action is None or not script.prompt:
            return self._shortest(lambda words, rounds: self._monologue(script, words, rounds))
        return self._shortest(lambda words, rounds: self._asking(script, action, words, rounds))

    def again(self, script: CallScript, action: str) -> str:
        """Somebody wants to hear it once more."""
        return self._shortest(lambda words, _: self._listening([words(script.main), script.prompt], action))

    def answer(self, said: CallScript, action: str) -> str:
        """What their key did. Another key may follow: who cannot go after all says so."""
        return self._shortest(lambda words, _: self._listening([words(said.main), words(said.prompt)], action))

    def not_stored(self, action: str) -> str:
        return self._listening([NOT_STORED], action)

    def voicemail(self, script: CallScript, action: str | None) -> str:
        """For a machine, from its beep on. Detection errs: a human who listens can still press a key, where one can
        reach us. How to answer by text is not said: it would be heard long after."""
        if action is None:
            return self._shortest(lambda words, _: self._plainly(words(script.voicemail or script.main)))
        return self._shortest(lambda words, _: self._listening([words(script.voicemail or script.main)], action))

    # --- the parts

    def _asking(self, script: CallScript, action: str, words: Callable[[str], str], rounds: int) -> str:
        response = VoiceResponse()
        for _ in range(2):
            said = [words(script.main)] * rounds
            response.append(self._gather([*said, script.prompt], action))
        self._say(response, script.silence)
        return str(response)

    def _monologue(self, script: CallScript, words: Callable[[str], str], rounds: int) -> str:
        response = VoiceResponse()
        for text in [words(script.main)] * rounds + [script.by_text, words(script.main), script.by_text]:
            self._say(response, text)
        return str(response)

    def _plainly(self, text: str) -> str:
        response = VoiceResponse()
        self._say(response, text)
        return str(response)

    def _listening(self, texts: list[str], action: str) -> str:
        response = VoiceResponse()
        response.append(self._gather(texts, action))
        return str(response)

    def _gather(self, texts: list[str], action: str) -> Gather:
        gather = Gather(input="dtmf", num_digits=1, timeout=KEY_WAIT_S, finish_on_key="", action=action, method="POST")
        for text in texts:
            self._say(gather, text)
        return gather

    def _say(self, verb: VoiceResponse | Gather, text: str) -> None:
        if text := UNSPEAKABLE.sub(" ", text).strip():
            verb.say(text, **self._how)

    def _shortest(self, write: Callable[[Callable[[str], str], int], str]) -> str:
        """As it should be; if that is too long, with fewer repeats; at last with fewer words."""
        for rounds in (2, 1):
            twiml = write(str, rounds)
            if len(twiml) <= TWIML_CHARS_MAX:
                return twiml
        return write(_cut, 1)


def _cut(text: str) -> str:
    return text[:WORDS_CHARS_MAX]
