"""What phones and people type back, and what they mean by it.

Owns the words of many phones (reactions, automatic replies) and the reading of a typed body by somebody who saw the
screen. Written apart from alertd's own reading on purpose: it is what that one is judged by.
"""

import re

from alertd_simulator.world.happenings import Meant

REACTIONS = (
    "Liked “{text}”",  # iPhone
    "👍 to “{text}”",  # Google Messages
    "Emphasized “{text}”",
    "Loved “{text}”",
    'Liked "{text}"',
    "Reacted 👍 to “{text}”",  # iPhone since iOS 18
    "Questioned “{text}”",
    "Laughed at “{text}”",
    "Removed a like from “{text}”",
    "Disliked “{text}”",
    "Le ha gustado “{text}”",  # an iPhone set to Spanish
)
AUTOMATIC = (
    "I'm driving with Do Not Disturb turned on. I'll see your message when I get there.",
    "I’m driving with Focus turned on. I’ll see your message when I get where I’m going.",
    "Auto-reply: I'm driving right now, I'll get back to you later.",
    "I am out of the office until Monday and will reply when I am back.",
)
WORDS = ("on my way, he is in 210", "who is this?", "ok", "is this a drill", "call me 555-0142", "yes I see them")
STOPPING = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"})
STARTING = frozenset({"start", "unstop", "yes"})
OFFER = re.compile(r"Reply (\d+) going")
CANNOT = re.compile(r"(\d+) cannot go")
ARRIVE = re.compile(r"Reply (\d+) when you arrive")
HOLD = re.compile(r"(8\d+) Hold")
LOCK = re.compile(r"(9\d+) to lock down")
ASKS_ANEW = re.compile(r"ALSO pressed|NOBODY|no arrival|nobody has answered")
"""Whoever has answered is asked once more: another room, or nobody came."""

_CODE = re.compile(r"([1-9])\s?(\d{2,6})")
_BARE = re.compile(r"[1-9]")
_QUOTED = re.compile(r"(.{1,30}?)\s[“\"].*[”\"]", re.DOTALL)
_BY_DIGIT = {
    "4": Meant.GOING,
    "5": Meant.ARRIVED,
    "6": Meant.CANNOT_GO,
    "8": Meant.HOLD,
    "9": Meant.UPGRADE,
}


def meant_by(body: str, tokens: frozenset[str]) -> tuple[Meant, str]:
    """What was meant, and the token that was typed. `tokens`: those which this screen has shown. A bare digit is meant
    as it is read, without a token: whether it can count, only who knows all open incidents can say."""
    text = body.strip()
    code = _CODE.fullmatch(text)
    if code and (len(code[2]) <= 3 or code[2] in tokens):
        known = code[2] in tokens and code[1] in _BY_DIGIT
        return (_BY_DIGIT[code[1]] if known else Meant.FOREIGN), code[2]
    if _BARE.fullmatch(text):
        return _BY_DIGIT.get(text, Meant.FOREIGN), ""
    word = text.casefold().strip(" .!")
    if word in STOPPING:
        return Meant.OPT_OUT, ""
    if word in STARTING:
        return Meant.OPT_IN, ""
    if _QUOTED.fullmatch(text):
        return Meant.REACTION, ""
    return (Meant.AUTO_REPLY if body in AUTOMATIC else Meant.WORDS), ""
