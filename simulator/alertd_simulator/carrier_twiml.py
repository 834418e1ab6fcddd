"""TwiML as a carrier speaks it: verbs, and how long they take.

Owns the reading of what a call was told to do, by Twilio's description and not by alertd's code. What no carrier
understands is an error, as it is for callers of the real one: "an application error has occurred", and a dead line.
"""

from xml.etree import ElementTree as ET

from msgspec import Struct

from alertd_simulator.carrier_json import CallRecord

CHARS_MAX = 4_000
"""Of `Twiml` in a request (Calls resource)."""
WORDS_PER_S = 2.7
"""An unhurried synthetic voice."""
TIMEOUT_S = 5.0
"""Of `<Gather>`, where it names none."""


class TwimlError(ValueError):
    """No carrier understands this."""


class Say(Struct, frozen=True, kw_only=True):
    text: str

    @property
    def lasts_s(self) -> float:
        return max(0.4, len(self.text.split()) / WORDS_PER_S)


class Gather(Struct, frozen=True, kw_only=True):
    """Speaks, listens meanwhile, and `timeout_s` longer. A key goes to `action`; none goes on to the next verb."""

    action: str
    timeout_s: float
    says: tuple[Say, ...]


class Hangup(Struct, frozen=True, kw_only=True):
    pass


Verb = Say | Gather | Hangup


def read(twiml: str) -> tuple[Verb, ...]:
    """Raises `TwimlError`."""
    try:
        root = ET.fromstring(twiml)  # noqa: S314 - written by the daemon under test
    except ET.ParseError as error:
        raise TwimlError(f"not XML: {error}") from None
    if root.tag != "Response":
        raise TwimlError(f"<{root.tag}> is no <Response>")
    return tuple(_verb(element) for element in root)


def _verb(element: ET.Element) -> Verb:
    match element.tag:
        case "Say":
            return _say(element)
        case "Gather":
            return _gather(element)
        case "Hangup":
            return Hangup()
        case other:
            raise TwimlError(f"<{other}> is nothing that this carrier does")


def _say(element: ET.Element) -> Say:
    text = (element.text or "").strip()
    if not text or len(element):
        raise TwimlError("<Say> has no words of its own")
    return Say(text=text)


def _gather(element: ET.Element) -> Gather:
    action = element.get("action", "")
    if not action.startswith("https://") and not action.startswith("http://127."):
        raise TwimlError(f"<Gather> has no URL for the key: {action!r}")
    if element.get("numDigits") != "1" or element.get("input", "dtmf") != "dtmf":
        raise TwimlError("<Gather> listens to something else than one key")
    if any(inner.tag != "Say" for inner in element):
        raise TwimlError("<Gather> holds something else than <Say>")
    says = tuple(_say(inner) for inner in element)
    return Gather(action=action, timeout_s=float(element.get("timeout", TIMEOUT_S)), says=says)


def first_words(call: CallRecord) -> str:
    """What a call says first; empty for what no carrier speaks."""
    try:
        verbs = read(call.twiml)
    except TwimlError:
        return ""
    says = (say for verb in verbs for say in (verb.says if isinstance(verb, Gather) else (verb,)))
    return next((say.text for say in says if isinstance(say, Say)), "")
