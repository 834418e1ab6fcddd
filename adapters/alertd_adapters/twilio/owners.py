"""Which message or call at Twilio is which notification, as far as this process has learned.

Owns no truth: all of it may be forgotten, and the oldest is.
"""

from collections import OrderedDict
from collections.abc import Callable

from alertd.model.ids import NotificationId

REMEMBERED_SIDS_MAX = 10_000


class Owners:
    """By the SID of Twilio's resource."""

    def __init__(self) -> None:
        self._owner: OrderedDict[str, NotificationId] = OrderedDict()
        self._sid: dict[NotificationId, str] = {}
        self.stored: Callable[[str], NotificationId | None] = lambda _sid: None
        """Whose it is by what the daemon has stored: an earlier process may have learned it."""

    def learn(self, sid: str, notification_id: NotificationId) -> None:
        self._owner[sid] = notification_id
        self._sid[notification_id] = sid
        self._owner.move_to_end(sid)
        while len(self._owner) > REMEMBERED_SIDS_MAX:
            old, owner = self._owner.popitem(last=False)
            self.forget(old)
            if self._sid.get(owner) == old:
                del self._sid[owner]

    def forget(self, sid: str) -> None:
        """Whatever else is known of it goes, too."""

    def owner(self, sid: str) -> NotificationId | None:
        return self._owner.get(sid) or self.stored(sid)

    def sid_of(self, notification_id: NotificationId) -> str | None:
        """Of the last attempt."""
        return self._sid.get(notification_id)
