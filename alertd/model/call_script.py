"""`CallScript`: everything that one call may say. The body of a notification whose channel is of kind "voice".

Owns the words between engine and voice channels, so that one id is one content. Must never hold what only a human's
answer can decide: what a key did is another row, which the engine writes when it has taken the key up.
"""

import msgspec
from msgspec import Struct

from alertd.model.ids import CauseId, NotificationId, derive


class CallScript(Struct, frozen=True, kw_only=True):
    """The words of one call, or of the answer to one key. Empty words are not spoken.

    Encoded as JSON in `Notification.body`; `Notification.text` is `main`, for the timeline and for a channel that knows
    no scripts."""

    main: str
    """Place, what, when: the first thing that is heard, spoken twice. With its marks, if it is a drill or a test."""
    prompt: str = ""
    """Which keys count. Empty: no key does, and the call only speaks."""
    by_text: str = ""
    """How to answer where no key can reach us."""
    silence: str = ""
    """After everything was said twice and no key was pressed."""
    voicemail: str = ""
    """What a machine records: with its date, and that it is no answer."""
    presses: int = 1
    """How many presses of the incident the words speak of. A key covers these and no others."""
    written_us: int = 0
    """When the words were written (wall clock): what the incident became later, they do not say."""
    upgrades: int | None = None
    """How often it had become graver by then; `None`: nobody noted it."""


class CallScriptError(ValueError):
    """The body is no call script."""


def encode(script: CallScript) -> str:
    return msgspec.json.encode(script).decode()


def decode(body: str, text: str) -> CallScript:
    """The script of a notification. One without a body (a test's, the fixed fallback's) is spoken as it is written.
    Raises `CallScriptError`."""
    if not body:
        return CallScript(main=text)
    try:
        return msgspec.json.decode(body, type=CallScript)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise CallScriptError(f"not a call script: {error}") from None


def answer_id(cause: CauseId) -> NotificationId:
    """The row that answers a text or a key: its id comes from what it answers, so that each is answered once."""
    return NotificationId(derive("n", "answer", cause))
