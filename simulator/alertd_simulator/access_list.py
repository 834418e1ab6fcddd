"""The simulated broker's access list: the text that `alertd broker config` writes, read as mosquitto reads it.

Shares nothing with whoever wrote it. Owns who may publish what; must not know what a device is.
"""

from functools import lru_cache

from alertd.config import Loaded
from alertd.console.plugin_check import surroundings_of
from alertd.exports.broker.files import acl_of
from alertd_simulator.broker import matches


class AccessList:
    def __init__(self, text: str) -> None:
        self._says: dict[str, list[str]] = {}
        user = ""
        for line in text.splitlines():
            word, _, rest = line.partition(" ")
            if word == "user":
                user = rest
            elif word == "topic":
                access, _, topic = rest.partition(" ")
                if access in ("write", "readwrite"):
                    self._says.setdefault(user, []).append(topic)
        self.sayers = lru_cache(maxsize=None)(self._sayers)

    def _sayers(self, topic: str) -> tuple[str, ...]:
        """Users who may publish there, by name."""
        return tuple(sorted(user for user, says in self._says.items() if any(matches(each, topic) for each in says)))


def access_list_of(district: Loaded) -> AccessList:
    """Of a district as it would be set up."""
    return AccessList(acl_of(district, surroundings_of(district)))
