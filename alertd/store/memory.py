"""What a store remembers between transactions, so that a press need not be read back from the database.

Written through: what a transaction changed is kept when it was committed and forgotten when it was not. Never the
truth: everything here can be dropped at any time and read again.
"""

from msgspec import Struct

from alertd.model.decision import SiteState
from alertd.model.ids import SiteId, TimerId
from alertd.model.policy import Policy
from alertd.store.journal import Head
from alertd.store.sql import Row
from alertd.store.tokens import TokenPool

POLICIES_MAX = 1000
"""Frozen policies kept decoded; they are content-addressed, so any may be dropped."""


class Memory(Struct, kw_only=True):
    """`None`: not read yet."""

    states: dict[SiteId, SiteState] = {}
    heads: dict[SiteId, Head] = {}
    timers: dict[TimerId, Row] = {}
    """Rows of timers that are set, for the day on which the disk cannot even be read."""
    policies: dict[str, Policy] = {}
    tokens: TokenPool | None = None
    opted_out: frozenset[str] | None = None
    broken: frozenset[str] | None = None

    def forget_district(self) -> None:
        """What other nodes may have changed without this site's row."""
        self.tokens = self.opted_out = self.broken = None

    def forget(self) -> None:
        self.states.clear()
        self.heads.clear()
        self.timers.clear()
        self.forget_district()

    def keep_policy(self, content_hash: str, policy: Policy) -> None:
        if len(self.policies) >= POLICIES_MAX:
            self.policies.clear()
        self.policies[content_hash] = policy
