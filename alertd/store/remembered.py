"""What memory holds of sites and district; what it lacks is read from the database, and kept."""

from collections.abc import Sequence

from alertd.model.decision import SiteState
from alertd.model.ids import SiteId
from alertd.model.policy import Policy
from alertd.store import journal, rows, sql
from alertd.store.memory import Memory
from alertd.store.sql import Session


def site_state(session: Session, memory: Memory, site_id: SiteId) -> SiteState:
    """The site's rows. The same object as long as memory holds it."""
    state = memory.states.get(site_id)
    if state is None:
        ask = session.rows
        incidents = [rows.incident(*row) for row in ask(sql.READ_OPEN_INCIDENTS, (site_id,))]
        troubles = [rows.trouble(*row) for row in ask(sql.READ_STANDING_TROUBLES, (site_id,))]
        gestures = [rows.gesture(*row) for row in ask(sql.READ_GESTURES, (site_id,))]
        last = next((rows.drill(*row) for row in ask(sql.READ_LAST_DRILL, (site_id,))), None)
        runs = last is not None and last.is_running
        state = memory.states[site_id] = SiteState(
            site_id=site_id,
            incidents={incident.id: incident for incident in incidents},
            troubles={trouble.key: trouble for trouble in troubles if trouble.stands},
            latched={trouble.key: trouble for trouble in troubles if not trouble.stands},
            gestures={gesture.device_id: gesture for gesture in gestures},
            drill=last if runs else None,
            drill_over=None if runs else last,
        )
    return state


def policies(session: Session, memory: Memory, hashes: Sequence[str]) -> dict[str, Policy]:
    """Frozen policies, by their hashes; without those that are stored nowhere."""
    known = memory.policies
    missing = [content_hash for content_hash in hashes if content_hash not in known]
    found = {content_hash: known[content_hash] for content_hash in hashes if content_hash in known}
    if missing:
        for content_hash, schema, blob in session.rows(sql.READ_POLICIES, (session.listed(missing),)):
            found[content_hash] = rows.policy(schema, blob)
            memory.keep_policy(content_hash, found[content_hash])
    return found


def opted_out(session: Session, memory: Memory) -> frozenset[str]:
    """Endpoint keys that take no texts."""
    if memory.opted_out is None:
        memory.opted_out = frozenset(row[0] for row in session.rows(sql.READ_OPT_OUTS))
    return memory.opted_out


def broken_channels(session: Session, memory: Memory) -> frozenset[str]:
    """Channels that were told of as broken."""
    if memory.broken is None:
        memory.broken = frozenset(row[0] for row in session.rows(sql.READ_BROKEN))
    return memory.broken


def head(session: Session, memory: Memory, site_id: SiteId) -> journal.Head:
    """The end of the site's chain, and its version."""
    head = memory.heads.get(site_id)
    if head is None:
        found = session.rows(sql.READ_SITE, (site_id,))
        head = memory.heads[site_id] = journal.Head(*found[0]) if found else journal.Head()
    return head
