"""The life cycles, as data. Whatever moves an incident, an escalation or a notification moves it along these tables.

Four rules:

1. Everything that changes a state goes through `move`, and a pair that is not in its table is a bug: it raises and
   changes nothing.
2. An incident's *life* (is it going on?) and its *escalation* (is somebody still being looked for?) are two machines.
   An acknowledgement touches only the second. A lockdown never jumps from active to closed: rooms are released first.
3. `EXHAUSTED` is not an end. Only an answer, or a named human who resolves or corrects, leaves it.
4. A notification's states are ordered by what is *known*. Knowledge never goes back, except that a carrier may take
   back `delivered` ("undelivered" after it) and that a row whose outcome is unknown may be queued again.
"""

from enum import StrEnum
from typing import TypeVar

from alertd.model.incident import EscalationState as E
from alertd.model.incident import IncidentState as I
from alertd.model.notification import NotificationState as N


class Move(StrEnum):
    """What happens to an incident or its escalation."""

    PRESS = "press"
    NEWS = "news"
    CANCEL_WINDOW_ENDED = "cancel_window_ended"
    RELEASE = "release"
    CLOSE = "close"
    ANSWERED = "answered"
    UNANSWERED = "unanswered"
    LAST_STEP_UNANSWERED = "last_step_unanswered"
    STOP = "stop"


INCIDENT: dict[tuple[I, Move], I] = {
    (I.CANCEL_WINDOW, Move.PRESS): I.ACTIVE,
    (I.CANCEL_WINDOW, Move.NEWS): I.ACTIVE,
    (I.CANCEL_WINDOW, Move.CANCEL_WINDOW_ENDED): I.ACTIVE,
    (I.CANCEL_WINDOW, Move.CLOSE): I.CLOSED,
    (I.ACTIVE, Move.PRESS): I.ACTIVE,
    (I.ACTIVE, Move.NEWS): I.ACTIVE,
    (I.ACTIVE, Move.RELEASE): I.RELEASING,
    (I.ACTIVE, Move.CLOSE): I.CLOSED,
    (I.RELEASING, Move.PRESS): I.RELEASING,
    (I.RELEASING, Move.NEWS): I.ACTIVE,
    (I.RELEASING, Move.RELEASE): I.RELEASING,
    (I.RELEASING, Move.CLOSE): I.CLOSED,
}

ESCALATION: dict[tuple[E, Move], E] = {
    (E.RUNNING, Move.ANSWERED): E.PAUSED,
    (E.RUNNING, Move.UNANSWERED): E.RUNNING,
    (E.RUNNING, Move.LAST_STEP_UNANSWERED): E.EXHAUSTED,
    (E.RUNNING, Move.NEWS): E.RUNNING,
    (E.RUNNING, Move.STOP): E.STOPPED,
    (E.PAUSED, Move.ANSWERED): E.PAUSED,
    (E.PAUSED, Move.UNANSWERED): E.RUNNING,
    (E.PAUSED, Move.NEWS): E.RUNNING,
    (E.PAUSED, Move.STOP): E.STOPPED,
    (E.EXHAUSTED, Move.ANSWERED): E.PAUSED,
    (E.EXHAUSTED, Move.UNANSWERED): E.EXHAUSTED,
    (E.EXHAUSTED, Move.LAST_STEP_UNANSWERED): E.EXHAUSTED,
    (E.EXHAUSTED, Move.NEWS): E.EXHAUSTED,
    (E.EXHAUSTED, Move.STOP): E.STOPPED,
    (E.STOPPED, Move.NEWS): E.RUNNING,
    (E.STOPPED, Move.ANSWERED): E.STOPPED,
    (E.STOPPED, Move.STOP): E.STOPPED,
}

NOTIFICATION: dict[N, frozenset[N]] = {
    N.QUEUED: frozenset({N.CLAIMED, N.EXPIRED, N.WITHDRAWN, N.SUPPRESSED}),
    N.CLAIMED: frozenset(
        {N.ACCEPTED, N.SENT, N.DELIVERED, N.FAILED, N.UNKNOWN, N.QUEUED, N.EXPIRED, N.SUPPRESSED, N.WITHDRAWN}
    ),
    N.UNKNOWN: frozenset({N.ACCEPTED, N.SENT, N.DELIVERED, N.FAILED, N.QUEUED, N.EXPIRED, N.WITHDRAWN}),
    N.ACCEPTED: frozenset({N.SENT, N.DELIVERED, N.FAILED, N.QUEUED, N.EXPIRED, N.WITHDRAWN}),
    N.SENT: frozenset({N.DELIVERED, N.FAILED, N.QUEUED, N.EXPIRED, N.WITHDRAWN}),
    N.DELIVERED: frozenset({N.FAILED, N.QUEUED, N.EXPIRED, N.WITHDRAWN}),
    N.FAILED: frozenset(),
    N.EXPIRED: frozenset(),
    N.SUPPRESSED: frozenset(),
    N.WITHDRAWN: frozenset(),
}
"""From each state, the states that new knowledge may lead to. Empty: the row is at its end."""

S = TypeVar("S", I, E)


def move(table: dict[tuple[S, Move], S], state: S, by: Move) -> S:
    """The state after the move. Raises `AssertionError` for a pair that the table does not have."""
    assert (state, by) in table, f"{type(state).__name__} {state.value} cannot {by.value}"
    return table[state, by]
