"""What a destination says: in the answer to our request, or later to the reply URL (messages.md, Dispatch).

Owns the words and their bounds. Must never take a bare 2xx for an acceptance (req 37), and never choke on an answer.
"""

import msgspec
from msgspec import Struct

from alertd.model.incident import DispatchState
from alertd.model.outcome import DispatchAnswer

BODY_BYTES_MAX = 64 * 1024
STATE_CHARS_MAX = 40
CALL_NUMBER_CHARS_MAX = 64
REASON_CHARS_MAX = 300

SAYABLE = frozenset(
    {
        DispatchState.ACCEPTED,
        DispatchState.REJECTED,
        DispatchState.DISPATCHED,
        DispatchState.ON_SCENE,
        DispatchState.CLOSED,
    }
)
"""What only the centre can know. *Waiting*, *received* and *not told* are ours to say."""


class Said(Struct, frozen=True, kw_only=True):
    """A JSON answer or report. Other fields are theirs."""

    state: str | None = None
    status: str | None = None
    """The same by another name, which half of all servers use; but "ok" under this name is only a bare 2xx in words."""
    call_number: str | int | None = None
    reason: str | None = None
    disposition: str | None = None
    incident_id: str | None = None

    @property
    def word(self) -> str:
        """What it says, in our spelling or, under `state`, in whatever word."""
        state, status = (_bounded(text or "", STATE_CHARS_MAX).lower() for text in (self.state, self.status))
        return state or (status if status in SAYABLE else "")

    @property
    def dispatch_state(self) -> DispatchState | None:
        return DispatchState(self.word) if self.word in SAYABLE else None

    @property
    def call(self) -> str | None:
        text = "" if self.call_number is None else _bounded(str(self.call_number), CALL_NUMBER_CHARS_MAX)
        return text or None

    @property
    def why(self) -> str:
        return _bounded(self.reason or self.disposition or "", REASON_CHARS_MAX)


def read(body: bytes) -> Said | None:
    """What a body says; `None` if it is not such a document."""
    if len(body) > BODY_BYTES_MAX:
        return None
    try:
        return msgspec.json.decode(body, type=Said)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def answer_in(body: bytes) -> DispatchAnswer | None:
    """The dispatch centre's answer in a 2xx, if there is one. A word that is not ours is passed on: the timeline must
    show that the centre said something that nobody understood."""
    said = read(body)
    if said is None or not said.word:
        return None
    return DispatchAnswer(state=said.word, call_number=said.call, detail=said.why)


def _bounded(text: str, chars_max: int) -> str:
    """One line: it stands in timelines and texts."""
    return " ".join("".join(char if char.isprintable() else " " for char in text[: 4 * chars_max]).split())[:chars_max]
