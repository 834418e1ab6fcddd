"""Can people be reached? Kept in memory from what was committed, for `alertd health`.

Owns: what is in doubt about each channel and dispatch centre. Must never: decide anything, or hold a message back: a
doubt is for people, and the engine tries all the same.
"""

from msgspec import Struct

from alertd.model.decision import Decision, Entry, EntryKind
from alertd.model.ids import SiteId
from alertd.model.notification import NotificationState
from alertd.model.reason import Reason
from alertd.model.trouble import Trouble
from alertd.ports import Clock, Store

FAILURES_MAX = 3
"""Attempts that failed one after the other, with none between that got through: from then on it is the channel."""
FAMILIES = frozenset({"carrier", "dispatch", "store"})
"""Troubles, by what their keys begin with, that mean: somebody may not be told, or what was recorded is not there."""

_FAILED = frozenset(
    {
        Reason.RETRYING,
        Reason.ASKED_PROVIDER,
        Reason.RESENT_UNKNOWN,
        Reason.UNKNOWN_NOT_RESENT,
        Reason.ATTEMPTS_EXHAUSTED,
        Reason.EXPIRED,
    }
)
"""Not `FAILED_PERMANENTLY`: a number that does not exist says nothing of the others. Not `NOT_TRIED`: there, nobody was
asked."""
_THROUGH = frozenset({NotificationState.ACCEPTED, NotificationState.SENT, NotificationState.DELIVERED})
"""And whatever is `UNANSWERED`: the call came as far as the phone."""


class Failing(Struct, frozen=True, kw_only=True):
    """Attempts on one channel since the last one that got through."""

    count: int
    last_us: int


class ChannelStates:
    """A follower of what is committed."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._broken: set[str] = set()
        self._failing: dict[str, Failing] = {}
        self._troubles: dict[tuple[SiteId, str], Trouble] = {}

    def load(self) -> None:
        """What stood when the daemon last ran. In the writer thread."""
        with self._store.begin((), self._clock.now()) as tx:
            self._broken = set(tx.broken_channels())
        for trouble in self._store.read_troubles():
            self._take(trouble)

    def committed(self, decision: Decision) -> None:
        self._broken.update(decision.broken_channels)
        self._broken.difference_update(decision.mended_channels)
        for trouble in decision.troubles:
            self._take(trouble)
        for entry in decision.entries:
            if entry.kind is EntryKind.OUTCOME and (channel := entry.data.get("channel")):
                self._note(channel, entry)

    def _note(self, channel: str, entry: Entry) -> None:
        if entry.data.get("state") in _THROUGH or entry.reason is Reason.UNANSWERED:
            self._failing.pop(channel, None)
        elif entry.reason in _FAILED:
            before = self._failing.get(channel)
            count = before.count + 1 if before else 1
            self._failing[channel] = Failing(count=count, last_us=self._clock.now().boot_us)

    def _take(self, trouble: Trouble) -> None:
        if trouble.key.partition(":")[0] not in FAMILIES:
            return
        if trouble.stands:
            self._troubles[trouble.site_id, trouble.key] = trouble
        else:
            self._troubles.pop((trouble.site_id, trouble.key), None)

    def standing_at(self, key: str) -> frozenset[SiteId]:
        """Sites at which a trouble of the families that are followed stands."""
        return frozenset(site_id for site_id, standing in self._troubles if standing == key)

    def doubts(self) -> dict[str, str]:
        """What is in doubt ("channel sms", "dispatch psap") and why, in words. Empty: nothing is known to be wrong."""
        found: dict[str, str] = {}
        for channel, failing in sorted(self._failing.items()):
            if failing.count >= FAILURES_MAX:
                ago_s = (self._clock.now().boot_us - failing.last_us) // 1_000_000
                found[f"channel {channel}"] = (
                    f"the last {failing.count} attempts failed, the latest {ago_s} s ago, and nothing got through since"
                )
        for channel in sorted(self._broken):
            found[f"channel {channel}"] = "it reaches nobody: the provider refuses us; `alertd troubles` says why"
        for trouble in sorted(self._troubles.values(), key=lambda t: t.key):
            found[trouble.key.replace(":", " ", 1)] = trouble.summary
        return found
