"""`SqlTransaction`: one commit, the same on both databases.

Decisions are collected as rows and leave in one `executemany` a table. A read that could miss what is collected sends
it first, so a transaction always reads its own writes. Everything sent is also kept as a script, so that a commit that
found no room can be played again on a database that has some.

Decides one thing only: which new rows are born claimed, by the gate (`claim_gate`). What it replaces in memory,
`undoing` puts back; what memory lacks, `remembered` reads.
"""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from alertd.model.anchor import Now
from alertd.model.decision import Decision, Entry, PhoneIncident, SiteState, Turn
from alertd.model.events import ClockStepped, Event, TimerFired
from alertd.model.ids import DISTRICT, CauseId, IncidentId, NotificationId, SiteId, TimerId
from alertd.model.incident import Incident
from alertd.model.notification import Claim, NotificationChange, NotificationRow, NotificationState
from alertd.model.policy import Policy
from alertd.ports import StoreFullError
from alertd.store import journal, remembered, rows, sql
from alertd.store.claim_gate import IncidentLife, Refusal, refusal_entry, urgency
from alertd.store.memory import Memory
from alertd.store.rows import Moment
from alertd.store.sql import Row, Session
from alertd.store.tokens import HORIZON_US, NEWEST, TokenPool, last_used_us, last_uses
from alertd.store.undoing import Before
from alertd.store.withdrawals import statement_of, takes_back

PHONE_INCIDENTS_MAX = 50
"""A reply is matched against at most so many incidents of its phone: open ones, then the gravest, then the newest."""
PHONE_NEWEST = 40
"""Of so many of the district that clocks call older than a reply can speak of, the age is looked up in boot time."""
PHONE_ROWS_MAX = 2_000
"""They are chosen among so many: more than sensors that storm all day tell one phone (60 an hour and school)."""

Script = list[tuple[str, list[Row]]]
"""Statements with their rows, in order."""


class Scope(Struct, frozen=True, kw_only=True):
    """What a transaction may touch, when it happens, and who helps when there is no room.

    `rescue` plays the script of a commit that certainly did not happen where there is room; False: nowhere. It is told
    whether the script gives out reply tokens.
    `since_us`: boot time at which the store was opened.
    `is_spare`: in memory, until there is room on the disk.
    """

    site_ids: frozenset[SiteId]
    now: Now
    moment: Moment
    salt: Callable[[], str]
    rescue: Callable[[Script, bool], bool]
    lock_tokens: Callable[[], None]
    since_us: int
    is_spare: bool


class SqlTransaction:
    """See `ports.Transaction`."""

    def __init__(self, session: Session, memory: Memory, scope: Scope) -> None:
        self._session = session
        self._memory = memory
        self._scope = scope
        self._moment = scope.moment
        self.finished = False
        self.script: Script = []
        self._sent = 0
        self._sites: set[SiteId] = set()
        self._collected: dict[str, list[Row]] = {}
        self._causes: dict[CauseId, int] = {}
        self._incidents: dict[IncidentId, Incident] = {}
        self._changed: dict[IncidentId, Incident] = {}
        """Those that are not in the script yet, as they were left last."""
        self._tokens: set[str] = set()
        self._offered: set[str] = set()
        self._frozen: set[str] = set()
        """Content hashes of the policies that it writes."""
        self._timers: dict[TimerId, Row | None] = {}
        self._new: dict[NotificationId, NotificationRow] = {}
        """Rows that are not in the script yet."""
        self._newborn: dict[NotificationId, NotificationRow] = {}
        """Rows of this transaction that may be born claimed."""
        self._heads: dict[SiteId, journal.Head] = {}
        self._heads_before: dict[SiteId, journal.Head] = {}
        self._undo: list[Before] = []
        self._timers_after: dict[TimerId, Row | None] = {}
        self._touched: set[NotificationId] = set()
        """Rows whose standing in the database is not what this transaction has made of it."""

    # --- reading ----------------------------------------------------------------------------------------------------

    def site_state(self, site_id: SiteId) -> SiteState:
        return remembered.site_state(self._session, self._memory, site_id)

    def policies(self, hashes: Sequence[str]) -> dict[str, Policy]:
        return remembered.policies(self._session, self._memory, hashes)

    def seen_us(self, cause: CauseId) -> int | None:
        if cause in self._causes:
            return self._causes[cause]
        found = self._session.rows(sql.READ_CAUSE, (cause,))
        return rows.seen_us(found[0], self._moment, self._scope.now) if found else None

    def notification(self, notification_id: NotificationId) -> NotificationRow | None:
        if notification_id in self._touched:
            self._send()
        found = self._session.rows(sql.READ_NOTIFICATION, (notification_id,))
        return rows.notification(found[0], self._moment.ahead_us) if found else None

    def turn(self, site_id: SiteId, endpoint_key: str) -> Turn | None:
        if self._touched:
            self._send()
        this_boot = (self._moment.boot_id,) * 3
        last_us, *ends = self._session.rows(sql.READ_TURN, (*this_boot, *sql.at(site_id, endpoint_key)))[0]
        return None if last_us is None else rows.turn(last_us, *ends, ahead_us=self._moment.ahead_us)

    def phone_incidents(self, endpoint_key: str, since_us: int) -> tuple[PhoneIncident, ...]:
        if self._collected or self._incidents:
            self._send()
        now, params = self._scope.now, (endpoint_key, since_us, since_us, PHONE_NEWEST, PHONE_ROWS_MAX)
        known = self._session.rows(sql.READ_PHONE, params)
        seems_old = [row for row in known if rows.seems_over(row, since_us)]
        young = rows.left_since(self._left(seems_old, endpoint_key), since_us, now)
        found = [row for row in known if row[0] in young or not rows.seems_over(row, since_us)]
        found = rows.gravest_of_phone(found, PHONE_INCIDENTS_MAX)
        left = rows.first_left(self._left(found, endpoint_key), now)
        return tuple(rows.phone_incident(row, left.get(row[0])) for row in found)

    def _left(self, incidents: Sequence[Row], endpoint_key: str) -> Sequence[Row]:
        """What has left for the phone of these, from `sql.READ_PHONE`."""
        if not incidents:
            return ()
        return self._session.rows(sql.READ_LEFT, (self._session.listed([row[0] for row in incidents]), endpoint_key))

    def free_tokens(self, limit: int) -> tuple[str, ...]:
        pool, now = self._memory.tokens, self._scope.now
        self._scope.lock_tokens()
        if pool is None:
            around_now = now.wall_us - HORIZON_US, now.wall_us + HORIZON_US
            found = self._session.rows(sql.READ_TOKENS, (*around_now, NEWEST))
            used = last_uses(found, now, self._scope.since_us)
            pool = TokenPool(used, lost_with=self._moment.boot_id if self._scope.is_spare else None)
            self._memory.tokens = pool
        free = pool.free(limit, now.boot_us, self._tokens)
        self._offered.update(free)
        return free

    def opted_out(self) -> frozenset[str]:
        return remembered.opted_out(self._session, self._memory)

    def broken_channels(self) -> frozenset[str]:
        return remembered.broken_channels(self._session, self._memory)

    # --- writing ----------------------------------------------------------------------------------------------------

    def write(self, event: Event, decision: Decision, now: Now) -> None:
        site_id = event.site_id
        assert site_id in self._scope.site_ids, f"site {site_id} is written but was not named to begin()"
        self._sites.add(site_id)
        state = self.site_state(site_id)
        self._undo.append(Before.of(state, decision))
        state.apply(decision)
        if decision.cause is not None and decision.cause not in self._causes:
            self._causes[decision.cause] = now.wall_us
            self._collect(sql.UPSERT_CAUSE, rows.cause_row(decision.cause, site_id, self._moment))
        for incident in decision.incidents:
            self._incidents[incident.id] = incident
            self._tokens.add(incident.token)
            self._changed[incident.id] = incident
        for trouble in decision.troubles:
            self._collect(sql.UPSERT_TROUBLE, rows.trouble_row(trouble))
        for gesture in decision.gestures:
            self._collect(sql.UPSERT_GESTURE, rows.gesture_row(site_id, gesture))
        if decision.drill is not None:
            self._collect(sql.UPSERT_DRILL, rows.drill_row(decision.drill))
        for content_hash, policy in decision.policies:
            if content_hash not in self._frozen:  # a storm freezes the same one with each incident
                self._frozen.add(content_hash)
                self._memory.keep_policy(content_hash, policy)
                self._collect(sql.INSERT_POLICY, rows.policy_row(site_id, content_hash, policy))
        self._write_outbox(site_id, decision)
        self._write_timers(event, decision)
        self._write_district(site_id, decision, now)
        if decision.erasures:
            self._erase(site_id, decision.erasures)
        for entry in decision.entries:
            self._append(site_id, entry, now.wall_us)

    def _erase(self, site_id: SiteId, incident_ids: Sequence[IncidentId]) -> None:
        """What may be known of a person from these incidents. The chain verifies without the words of its lines."""
        self._stage()
        self.script += [
            (sql.ERASE_WORDS_OF, [(site_id, id_, site_id) for id_ in incident_ids]),
            (sql.ERASE_SENT_OF, [(id_,) for id_ in incident_ids]),
            (sql.ERASE_TOLD_OF, [(id_,) for id_ in incident_ids]),
        ]

    def write_refusal(self, row: NotificationRow, refusal: Refusal, now: Now) -> None:
        """A queued row that may not be claimed gets the standing that says why."""
        state, reason = refusal
        self._sites.add(row.notification.site_id)
        self._collect(sql.REFUSE, (state.value, reason.value, row.notification.id))
        self._touched.add(row.notification.id)
        self._append(row.notification.site_id, refusal_entry(row.notification, refusal), now.wall_us)

    def write_raw(self, row: Row) -> None:
        self._collect(sql.INSERT_QUARANTINE, row)

    def _collect(self, statement: str, row: Row) -> None:
        self._collected.setdefault(statement, []).append(row)

    def _write_outbox(self, site_id: SiteId, decision: Decision) -> None:
        """Changes and withdrawals speak about rows that were there before; new rows come after them."""
        for change in decision.changes:
            self._change(change)
        for endpoint_key in decision.try_now:
            self._stage()
            self.script.append((sql.TRY_NOW, [sql.at(site_id, endpoint_key)]))
        for withdrawal in decision.withdrawals:
            self._stage()
            self.script.append(statement_of(site_id, withdrawal))
            self._newborn = {
                notification_id: row
                for notification_id, row in self._newborn.items()
                if not takes_back(site_id, withdrawal, row.notification)
            }
        for row in decision.notifications:
            content = row.notification
            if content.id in self._new:
                continue  # one id, one content: the first one stands
            self._new[content.id] = row
            self._touched.add(content.id)
            if row.state is NotificationState.QUEUED and rows.is_due(row.not_before_us, self._moment):
                self._newborn[content.id] = row
            if (
                content.incident_id is not None
                and row.state is not NotificationState.SUPPRESSED
                and not content.endpoint.dispatch
            ):
                self._collect(sql.INSERT_TOLD, rows.told_row(content))

    def _change(self, change: NotificationChange) -> None:
        if change.id in self._new:
            self._stage()
        self._newborn.pop(change.id, None)
        self._touched.add(change.id)
        self._collect(sql.CHANGE_NOTIFICATION, rows.change_row(change, self._moment))

    def _write_timers(self, event: Event, decision: Decision) -> None:
        moment = self._moment
        due = (moment.boot_id, moment.boot_us, moment.boot_id, moment.wall_us)
        match event:
            case TimerFired(timer=fired):
                if fired.id not in self._timers_after:
                    self._collect(sql.DROP_FIRED_TIMER, (fired.id, *due))
                    known = self._memory.timers.get(fired.id)
                    if known is not None and known[2] <= moment.boot_us:
                        self._timers_after[fired.id] = None
            case ClockStepped(site_id=site_id) if site_id == DISTRICT:  # it is told to each site, and moves all rows
                self._stage()
                self.script += rows.restamps(moment)
            case _:
                pass
        for timer_id in decision.dropped_timers:
            self._timers[timer_id] = self._timers_after[timer_id] = None
        for timer in decision.timers:
            self._timers[timer.id] = self._timers_after[timer.id] = rows.timer_row(timer, moment)

    def _write_district(self, site_id: SiteId, decision: Decision, now: Now) -> None:
        for endpoint_key in decision.opt_outs:
            self._memory.opted_out = self.opted_out() | {endpoint_key}
            self._collect(sql.INSERT_OPT_OUT, (endpoint_key, site_id, now.wall_us))
        for endpoint_key in decision.opt_ins:
            self._stage()
            self._memory.opted_out = self.opted_out() - {endpoint_key}
            self.script.append((sql.DROP_OPT_OUT, [(endpoint_key,)]))
        for channel in decision.broken_channels:
            self._memory.broken = self.broken_channels() | {channel}
            self._collect(sql.INSERT_BROKEN, (channel, site_id, now.wall_us))
        for channel in decision.mended_channels:
            self._stage()
            self._memory.broken = self.broken_channels() - {channel}
            self.script.append((sql.MEND_CHANNEL, [(channel,)]))

    def _append(self, site_id: SiteId, entry: Entry, at_us: int) -> None:
        assert site_id in self._scope.site_ids, f"site {site_id} is written but was not named to begin()"
        self._sites.add(site_id)
        before = self._head(site_id)
        self._heads_before.setdefault(site_id, before)
        head, row, payload = journal.append(before, site_id, entry, at_us, self._scope.salt())
        self._memory.heads[site_id] = head
        self._collect(sql.INSERT_JOURNAL, row)
        self._collect(sql.INSERT_PAYLOAD, payload)

    def _head(self, site_id: SiteId) -> journal.Head:
        return remembered.head(self._session, self._memory, site_id)

    # --- sending ----------------------------------------------------------------------------------------------------

    def _stage(self, born: Mapping[NotificationId, Refusal | None] | None = None) -> None:
        """Put what is collected into the script. `born`: the rows whose claim is settled; `None` is claimed."""
        if self._new:
            born = born or {}
            self.script.append((sql.INSERT_NOTIFICATION, [self._birth(row, born) for row in self._new.values()]))
            self._new = {}  # not clear(): `_prepare` still holds it
        for incident in self._changed.values():
            upsert = sql.UPSERT_OPEN_INCIDENT if incident.is_open else sql.UPSERT_INCIDENT
            self._collect(upsert, rows.incident_row(incident))
        self._changed = {}
        self.script.extend(self._collected.items())
        self._collected = {}
        drops = [(timer_id,) for timer_id, row in self._timers.items() if row is None]
        sets = [row for row in self._timers.values() if row is not None]
        self.script += [(sql.DROP_TIMER, drops)] if drops else []
        self.script += [(sql.UPSERT_TIMER, sets)] if sets else []
        self._timers = {}

    def _birth(self, row: NotificationRow, born: Mapping[NotificationId, Refusal | None]) -> Row:
        refusal = born.get(row.notification.id)
        if refusal is not None:
            refused = NotificationRow(notification=row.notification, state=refusal[0], reason=refusal[1])
            return rows.notification_row(refused, self._moment, claimed=False)
        return rows.notification_row(row, self._moment, claimed=row.notification.id in born)

    def _send(self) -> None:
        """Everything decided so far is in the database, not committed."""
        self._stage()
        self._play()
        self._touched.clear()

    def _play(self) -> None:
        while self._sent < len(self.script):
            if self._sent == 0:
                self._session.begin()
            statement, params = self.script[self._sent]
            if statement is sql.INSERT_NOTIFICATION:
                self._drop_existing([row[0] for row in params])
            self._session.run_many(statement, params)
            self._sent += 1

    def _drop_existing(self, ids: Sequence[NotificationId]) -> None:
        """A row whose id exists is not new: it must not be sent by a claim of this transaction."""
        candidates = [notification_id for notification_id in ids if notification_id in self._newborn]
        if candidates:
            for row in self._session.rows(sql.READ_EXISTING, (self._session.listed(candidates),)):
                del self._newborn[row[0]]

    def commit(self, *, born_leased: Mapping[str, int]) -> tuple[Claim, ...]:
        assert not self.finished, "a transaction commits once"
        claims: tuple[Claim, ...] | None = None
        try:
            claims = self._prepare(born_leased)
            self._play()
            self._session.commit()
        except BaseException as error:
            # Only a full disk is certain not to have committed; after any other error the caller asks what is there.
            full = isinstance(error, StoreFullError)
            if claims is None or not full or not self._scope.rescue(self.script, bool(self._tokens & self._offered)):
                self.rollback()
                raise
        self.finished = True
        self._remember()
        return claims

    def _prepare(self, born_leased: Mapping[str, int]) -> tuple[Claim, ...]:
        """Complete the script; what the gate must read back is sent already."""
        held, self._new = self._new, {}
        self._stage()
        self._play()  # the incidents are there, so that the gate reads them back
        self._drop_existing(list(held))
        claims, born = self._born(born_leased)
        self._newborn.clear()
        self._new = held
        self._stage(born)
        self._settle(
            {notification_id: refusal for notification_id, refusal in born.items() if notification_id not in held}
        )
        for site_id in sorted(self._sites):
            head = self._head(site_id)
            self._heads[site_id] = journal.Head(head.version + 1, head.sequence, head.hash)
        if self._heads:
            sites = [(site_id, head.version, head.sequence, head.hash) for site_id, head in self._heads.items()]
            self.script.append((sql.UPSERT_SITE, sites))
        return claims

    def _settle(self, born: Mapping[NotificationId, Refusal | None]) -> None:
        """Rows that were inserted before their claim was settled."""
        lease = (self._moment.owner, self._moment.lease_until_us)
        for notification_id, refusal in born.items():
            if refusal is None:
                self._collect(sql.CLAIM, (*lease, notification_id))
            else:
                self._collect(sql.REFUSE, (refusal[0].value, refusal[1].value, notification_id))
        self._stage()

    def _born(self, born_leased: Mapping[str, int]) -> tuple[tuple[Claim, ...], dict[NotificationId, Refusal | None]]:
        """The claims of rows born leased, and what becomes of each row that was looked at."""
        candidates = sorted(self._newborn.values(), key=lambda row: urgency(row.notification))
        life = IncidentLife.of(self._session, [row.notification for row in candidates])
        room = dict(born_leased)
        claims: list[Claim] = []
        born: dict[NotificationId, Refusal | None] = {}
        for row in candidates:
            content = row.notification
            if room.get(content.endpoint.channel, 0) <= 0:
                continue
            refusal = born[content.id] = life.refuses(content, self._scope.now, waited=False)
            if refusal is None:
                room[content.endpoint.channel] -= 1
                claims.append(rows.next_claim(row))
            else:
                self._append(content.site_id, refusal_entry(content, refusal), self._scope.now.wall_us)
        return tuple(claims), born

    def _remember(self) -> None:
        self._memory.heads.update(self._heads)
        for timer_id, row in self._timers_after.items():
            if row is None:
                self._memory.timers.pop(timer_id, None)
            else:
                self._memory.timers[timer_id] = row
        if self._memory.tokens is not None:
            for incident in self._incidents.values():
                last_us = last_used_us(incident.opened_us, incident.closed_us, self._scope.now)
                self._memory.tokens.note(incident.id, incident.token, is_open=incident.is_open, last_us=last_us)

    def rollback(self) -> None:
        if self.finished:
            return
        self.finished = True
        # What memory holds of the sites must be right again without a read: the disk may be what has just failed.
        for before in reversed(self._undo):
            before.restore(self._memory)
        self._memory.heads.update(self._heads_before)
        if self._undo:
            self._memory.opted_out = self._memory.broken = None
        self._session.rollback()
