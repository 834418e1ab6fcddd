"""What a text from a phone means. Only a body that is nothing but a code counts (promise 5)."""

import re
from enum import StrEnum

from msgspec import Struct

from alertd.model.decision import PhoneIncident
from alertd.model.ids import SiteId
from alertd.model.mode import Mode


class Meaning(StrEnum):
    """How a body was read."""

    CODE = "code"
    AMBIGUOUS = "ambiguous"
    CLOSED = "closed"
    FOREIGN = "foreign"
    REACTION = "reaction"
    AUTOMATIC = "automatic"
    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    WORDS = "words"


class Reply(Struct, frozen=True, kw_only=True):
    """A body, read. `incident` is what it speaks about: certain for a code; for words, whose team should read them."""

    meaning: Meaning
    digit: int = 0
    incident: PhoneIncident | None = None
    bare: bool = False
    """A digit without a token: it names no incident, it goes by what its author can have read."""


OPT_OUT_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
"""Carriers unsubscribe a phone that sends one of these (Twilio, "Advanced Opt-Out", read in requirements 55)."""
OPT_IN_WORDS = frozenset({"START", "UNSTOP", "YES"})

_CODE = re.compile(r"([1-9])\s?([0-9]{2,6})")
"""Tokens have two digits as long as they last, more in a storm (`store.tokens`)."""
_USUAL_TOKEN = 3
"""A longer number that is no token of this phone is no mistyped code: it is words (a phone number, a plate)."""
_BARE = re.compile(r"[1-9]")
_NUMBER = re.compile(r"(?<![0-9])(?<![0-9][-:./])([0-9]+)(?![-:./]?[0-9])")
"""A number by itself: not a part of a time, a date or a phone number."""
_ROOM = re.compile(r"\b(rm|room)[ .]*[0-9]+", re.IGNORECASE)
_REACTION = re.compile(
    r"(Liked|Loved|Disliked|Laughed at|Emphasized|Questioned|Removed a .{1,20} from)\s+[\"“].*"
    r"|Reacted .{1,12} to\s+[\"“].*|.{1,8}\s+to\s+[\"“].*"
    # In any other language: it quotes a text of ours, and says no more.
    r"|[^\n0-9]{1,30}\s[\"“„«].*\b[Rr]eply [0-9]{3,} [^\"”»]*[\"“”»]",
    re.DOTALL,
)
TEXT_MAX = 1600
"""Characters of the longest text that a carrier passes on (Twilio, "Receive messages"); what is longer is words."""
_AUTOMATIC = re.compile(
    r"auto[- ]?(reply|response|matic)|i.?m driving|driving with|do not disturb|"
    r"(i.?m|i am|currently) (now )?out of (the )?office|"
    r"will (get back|reply) (to you )?(later|when)|away from my phone",
    re.IGNORECASE,
)


def read(body: str, known: tuple[PhoneIncident, ...]) -> Reply:  # noqa: PLR0911 - one a meaning
    """Read a body from a phone that was told of the incidents in `known` (open ones first, of each the newest)."""
    text = body.strip()
    code = _CODE.fullmatch(text)
    if code and (len(code[2]) <= _USUAL_TOKEN or any(p.token == code[2] for p in known)):
        return _coded(int(code[1]), code[2], known)
    still_open = gravest_first(known)
    if _BARE.fullmatch(text):
        if len(still_open) == 1:
            return Reply(meaning=Meaning.CODE, digit=int(text), incident=still_open[0], bare=True)
        return Reply(meaning=Meaning.AMBIGUOUS if still_open else Meaning.FOREIGN, digit=int(text))
    word = text.upper().strip(" .!")
    if word in OPT_OUT_WORDS:
        return Reply(meaning=Meaning.OPT_OUT)
    about = _about(text, still_open)
    if word in OPT_IN_WORDS:
        return Reply(meaning=Meaning.OPT_IN, incident=about)
    if len(text) <= TEXT_MAX and _REACTION.fullmatch(text):
        return Reply(meaning=Meaning.REACTION, incident=about)
    if _AUTOMATIC.search(text):
        return Reply(meaning=Meaning.AUTOMATIC, incident=about)
    return Reply(meaning=Meaning.WORDS, incident=about)


def _coded(digit: int, token: str, known: tuple[PhoneIncident, ...]) -> Reply:
    spoken_of = next((p for p in known if p.token == token), None)
    if spoken_of is None:
        return Reply(meaning=Meaning.FOREIGN, digit=digit, incident=next(iter(gravest_first(known)), None))
    meaning = Meaning.CODE if spoken_of.is_open else Meaning.CLOSED
    return Reply(meaning=meaning, digit=digit, incident=spoken_of)


def _about(text: str, still_open: tuple[PhoneIncident, ...]) -> PhoneIncident | None:
    """Whose team words are for: the one incident whose token or code is among them, else the gravest."""
    numbers = set(_NUMBER.findall(_ROOM.sub("", text)))
    named = [p for p in still_open if any(n in numbers for n in (p.token, *(f"{d}{p.token}" for d in range(1, 10))))]
    return named[0] if len(named) == 1 else next(iter(still_open), None)


def gravest_first(known: tuple[PhoneIncident, ...]) -> tuple[PhoneIncident, ...]:
    """What is open. Whatever is real comes before any drill (promise 3): who does not say which they mean may have seen
    it. Of equally grave ones the newest, which comes first."""
    still_open = (p for p in known if p.is_open)
    return tuple(sorted(still_open, key=lambda p: (p.mode is not Mode.LIVE, -p.severity)))


def site_for(body: str, known: tuple[PhoneIncident, ...], home: SiteId) -> SiteId:
    """The site whose rows a reply touches: that of the incident it speaks about, else the sender's own."""
    reply = read(body, known)
    if reply.incident is not None:
        return reply.incident.site_id
    return known[0].site_id if known else home
