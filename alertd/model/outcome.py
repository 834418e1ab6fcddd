"""What became of one attempt to send. Whose fault is the type; *Unknown* is its own case (promise 5)."""

from msgspec import Struct


class Accepted(Struct, frozen=True, kw_only=True, tag="accepted"):
    """The provider took it and named it. Nobody has read anything yet."""

    ref: str
    detail: str = ""


class Sent(Struct, frozen=True, kw_only=True, tag="sent"):
    """The provider handed it to the next carrier."""

    ref: str
    detail: str = ""


class DispatchAnswer(Struct, frozen=True, kw_only=True):
    """What a dispatch centre said in the very answer to our request. `state` should be a word of
    `incident.DispatchState` that a centre may say: accepted, rejected, dispatched, on_scene, closed; it may be any
    other one, of at most 40 characters, which nobody understands. A bare 2xx says none of them."""

    state: str
    call_number: str | None = None
    detail: str = ""


class Delivered(Struct, frozen=True, kw_only=True, tag="delivered"):
    """The phone, or the webhook's server, has it. Still no human."""

    ref: str
    detail: str = ""
    answer: DispatchAnswer | None = None


class Failed(Struct, frozen=True, kw_only=True, tag="failed"):
    """Certainly not delivered. `permanent`: the same send would fail again."""

    permanent: bool
    code: str
    detail: str = ""
    ref: str = ""
    retry_after_s: float | None = None
    opted_out: bool = False
    """The person told the carrier to stop (Twilio 21610)."""
    unanswered: bool = False
    """A call that nobody took: busy, rang out, switched off. The phone is there: called again after a pause, not
    retried."""
    not_tried: bool = False
    """The channel asked nobody: nothing of its rate was used, and who waits behind it goes at once."""
    breaks_channel: bool = False
    """Nobody can be reached over this channel (credentials, suspension)."""


class Unknown(Struct, frozen=True, kw_only=True, tag="unknown"):
    """It may or may not have been sent: an answer that never came, an owner that died."""

    detail: str


class Withdrawn(Struct, frozen=True, kw_only=True, tag="withdrawn"):
    """The provider ended it before it was done. Why, and whether at our word, the engine knows."""

    ref: str
    detail: str = ""
    taken: bool = False
    """Somebody had it already, and it was cut off: what is known of them stands."""
    gave_way: bool = False
    """At our own word: the phone is needed for something real."""


Outcome = Accepted | Sent | Delivered | Failed | Unknown | Withdrawn
