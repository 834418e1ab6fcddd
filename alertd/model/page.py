"""`Page`: what a loudspeaker zone is asked to do. The body of a notification whose channel is a PA.

Owns the words between engine and PA channels. Must never hold audio, or a location for a lockdown: the threat hears it.
"""

from enum import StrEnum

from msgspec import Struct

from alertd.model.mode import Mode


class PageAction(StrEnum):
    """What the loudspeakers do."""

    SAY = "say"
    STOP = "stop"
    """Fall silent at once, in mid-word; nothing else is touched (`alertd pa stop`). In mode drill: only what drills and
    tests are saying, for the end of an exercise never cuts what is real."""


class Page(Struct, frozen=True, kw_only=True):
    """One announcement in one zone, or silence. Encoded as JSON in `Notification.body`.

    The zone's name is `Notification.endpoint.address`; which multicast groups it means is the channel's own business.
    """

    action: PageAction
    mode: Mode
    announcement: str = ""
    """Name of an announcement that the channel has rendered at load; empty: `words` are synthesized now."""
    words: str = ""
    """What people hear once, without marks and repeats: for the timeline, and for what was not rendered before."""
    emergency: bool = False
    """Cuts whatever the zone is saying, and goes to its emergency groups."""
    real_after_drill: bool = False
    """A live press ended a drill: "This is not a drill. The drill is over." comes before everything (messages.md)."""
