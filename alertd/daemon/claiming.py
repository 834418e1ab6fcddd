"""What is due is claimed: rows of the outbox become claims, on a lease of ours.

Must never claim anything into the room that panics keep, before all panics that are due.
"""

from collections import Counter
from collections.abc import Mapping

from alertd.daemon.channel_desk import Room
from alertd.model.anchor import Now
from alertd.model.notification import Claim
from alertd.ports import Clock, Store


def claim_rows(
    store: Store, clock: Clock, room: Room, let_go: Mapping[str, set[str]]
) -> tuple[tuple[Claim, ...], int, int | None]:
    """In the writer thread. Panics first, into all the room there is; then the rest, into theirs. Most passes find
    nothing due, and ask no further. Returns the claims, boot time at which they were made, and that of the next row
    that is queued. `let_go`: endpoints that are free now, by channel. Raises `StoreError`."""
    for name, keys in let_go.items():
        store.let_go(name, sorted(keys))
    now = clock.now()  # not before: while this waited for a slow disk, a text may have expired
    claims: tuple[Claim, ...] = ()
    next_due_us = store.next_due_us()[1]
    if _is_due(next_due_us, now):
        claims = store.claim(_some(room.panic), now, panic_only=True)
        next_due_us = store.next_due_us()[1]
    if _is_due(next_due_us, now):
        taken = Counter(claim.notification.endpoint.channel for claim in claims)
        rest = {name: min(room.rest[name], most - taken[name]) for name, most in room.panic.items()}
        claims += store.claim(_some(rest), now)
        next_due_us = store.next_due_us()[1]
    return claims, now.boot_us, next_due_us


def _is_due(due_us: int | None, now: Now) -> bool:
    return due_us is not None and due_us <= now.boot_us


def _some(limits: Mapping[str, int]) -> dict[str, int]:
    return {name: most for name, most in limits.items() if most > 0}
