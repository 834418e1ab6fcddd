"""Durable truth: state, journal, outbox and timers, on SQLite (embedded default) or PostgreSQL.

`open_store` makes the store that a URL names. What it promises is `alertd.ports.Store`; that it keeps it is tested by
`alertd.testing.store_contract`, the same suite for both and for a third party's.
"""

from alertd.store.opening import open_store

__all__ = ["open_store"]
