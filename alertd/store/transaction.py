"""`SqlTransaction`: one commit, the same on both databases.

Decisions are collected as rows and leave in one `executemany` a table. A read that could miss what is collected sends
it first, so a transaction always reads its own writes. Everything sent is also kept as a script, so that a commit that
found no room can be played again on a database that has some.

Decides one thing only: which new rows are born claimed, by the gate in `model.notification.claim_refused`.
"""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from alertd.model.decision import Decision, Entry, EntryKind, GestureCount, Now, PhoneIncident, SiteState, Withdrawal
from alertd.model.drill import Drill
from alertd.model.events import ClockStepped, Event, TimerFired
from alertd.model.ids import CauseId, DeviceId, IncidentId, NotificationId, SiteId, TimerId
from alertd.model.incident import Incident
from alertd.model.mode import Mode
from alertd.model.notification import (
    AFTER_CLOSE,
    TOGETHER_US,
    Circumstances,
    Claim,
    Kind,
    Notification,
    NotificationChange,
    NotificationRow,
    NotificationState,
    claim_refused,
    is_quiet,
)
from alertd.model.policy import Policy
from alertd.model.reason import Reason
from alertd.model.trouble import Trouble
from alertd.ports import StoreFullError
from alertd.store import journal, rows, sql
from alertd.store.memory import Memory
from alertd.store.rows import Moment
from alertd.store.sql import Row, Session
from alertd.store.tokens import HORIZON_US, TokenPool

PHONE_INCIDENTS_MAX = 50
"""A reply is matched against at most so many incidents of its phone, newest first."""

SET_BACK_US = 5_000_000
"""Clocks of two nodes differ by less."""

Script = list[tuple[str, list[Row]]]
"""Statements with their rows, in order."""
Refusal = tuple[NotificationState, Reason]


class IncidentLife:
    """Mode and life of incidents, and where a drill runs, as the transaction that claims reads them."""

    def __init__(self, session: Session, ids: Sequence[str], *, with_drills: bool) -> None:
        self._session = session
        found = session.rows(sql.READ_INCIDENT_LIVES, (session.listed(ids),)) if ids else []
        self._incidents = {incident.id: incident for incident in (rows.incident(*row) for row in found)}
        self._drilling = {row[0] for row in session.rows(sql.READ_DRILLING_SITES)} if with_drills else set()

    @classmethod
    def of(cls, session: Session, notifications: Sequence[Notification]) -> "IncidentLife":
        with_drills = any(n.mode is Mode.DRILL for n in notifications)
        ids = sorted({n.incident_id for n in notifications if n.incident_id is not None})
        return cls(session, ids, with_drills=with_drills)

    def refuses(self, notification: Notification, now: Now, *, waited: bool) -> Refusal | None:
        """`waited`: it was written by another transaction than the one that asks."""
        incident = self._incidents.get(notification.incident_id) if notification.incident_id is not None else None
        life = Circumstances.of(notification, incident, drill_running=notification.site_id in self._drilling)
        if waited and notification.kind is Kind.PAGE and self._spoken_since(notification, now.wall_us):
            life = replace(life, spoken_since=True)
        return claim_refused(notification, life, now)

    def _spoken_since(self, page: Notification, wall_us: int) -> bool:
        """Were words written in a later decision that this page must not cut? For quiet: whatever is said at the site,
        and a clock that was set back since leaves that open; then they count as written. For words: the same again."""
        if wall_us < page.created_us - SET_BACK_US:
            return is_quiet(page)
        later = (page.endpoint.channel, page.created_us + TOGETHER_US, wall_us, page.site_id)
        found = (rows.notification(row).notification for row in self._session.rows(sql.READ_PAGES_BETWEEN, later * 3))
        if is_quiet(page):
            return any(not is_quiet(n) for n in found)
        of, key = page.incident_id, page.endpoint.key
        return of is not None and any(n.incident_id == of and n.endpoint.key == key for n in found)


def urgency(notification: Notification) -> tuple[int, int, str]:
    """Order of claims: the lane, then whoever waits longest."""
    return notification.lane, notification.created_us, notification.id


def refusal_entry(notification: Notification, refusal: Refusal) -> Entry:
    state, reason = refusal
    whom = notification.recipient or notification.endpoint.key
    return Entry(
        kind=EntryKind.NOTIFICATION,
        reason=reason,
        text=f"{notification.kind.value} to {whom} was not sent: {state.value}",
        incident_id=notification.incident_id,
        notification_id=notification.id,
    )


def _withdraw(site_id: SiteId, withdrawal: Withdrawal) -> tuple[str, list[Row]]:
    reason, kind = withdrawal.reason.value, withdrawal.kind
    if withdrawal.mode is not None:
        spared = withdrawal.but.value if withdrawal.but is not None else ""
        return sql.WITHDRAW_MODE_OF_SITE, [(reason, site_id, withdrawal.mode.value, spared)]
    if withdrawal.endpoint_key is not None:
        assert withdrawal.incident_id is not None, "an endpoint is left alone for the sake of one incident"
        return sql.WITHDRAW_ENDPOINT, [(reason, withdrawal.incident_id, withdrawal.endpoint_key)]
    if kind is None:
        assert withdrawal.incident_id is not None, "only of one kind is everything of a site withdrawn"
        return sql.WITHDRAW, [(reason, withdrawal.incident_id)]
    if withdrawal.incident_id is None:
        return sql.WITHDRAW_KIND_OF_SITE, [(reason, site_id, kind.value)]
    return sql.WITHDRAW_KIND, [(reason, withdrawal.incident_id, kind.value)]


def _takes_back(site_id: SiteId, withdrawal: Withdrawal, content: Notification) -> bool:
    """What the statement says, for rows that are not in the database yet."""
    if withdrawal.mode is not None:
        return content.site_id == site_id and content.mode is withdrawal.mode and content.kind is not withdrawal.but
    if withdrawal.incident_id is None:
        return content.site_id == site_id and content.kind is withdrawal.kind
    if content.incident_id != withdrawal.incident_id:
        return False
    if withdrawal.endpoint_key is not None and content.endpoint.key != withdrawal.endpoint_key:
        return False
    return content.kind not in AFTER_CLOSE if withdrawal.kind is None else content.kind is withdrawal.kind


class Scope(Struct, frozen=True, kw_only=True):
    """What a transaction may touch, when it happens, and who helps when there is no room.

    `rescue` plays the script of a commit that certainly did not happen where there is room; False: nowhere.
    """

    site_ids: frozenset[SiteId]
    now: Now
    moment: Moment
    salt: Callable[[], str]
    rescue: Callable[[Script], bool]
    lock_tokens: Callable[[], None]


class Before(Struct, frozen=True):
    """What a decision replaces in a site's state."""

    site_id: SiteId
    incidents: tuple[tuple[IncidentId, Incident | None], ...]
    troubles: tuple[tuple[str, Trouble | None], ...]
    gestures: tuple[tuple[DeviceId, GestureCount | None], ...]
    drill: Drill | None
    drill_over: Drill | None

    @classmethod
    def of(cls, state: SiteState, decision: Decision) -> "Before":
        return cls(
            state.site_id,
            tuple((incident.id, state.incidents.get(incident.id)) for incident in decision.incidents),
            tuple(
                (trouble.key, state.troubles.get(trouble.key) or state.latched.get(trouble.key))
                for trouble in decision.troubles
            ),
            tuple((count.device_id, state.gestures.get(count.device_id)) for count in decision.gestures),
            state.drill,
            state.drill_over,
        )

    def restore(self, memory: Memory) -> None:
        state = memory.states.pop(self.site_id, None)
        if state is None:
            return
        incidents = {**state.incidents, **dict(self.incidents)}
        troubles = {**state.troubles, **state.latched, **dict(self.troubles)}
        gestures = {**state.gestures, **dict(self.gestures)}
        memory.states[self.site_id] = SiteState(
            site_id=self.site_id,
            incidents={key: value for key, value in incidents.items() if value is not None},
            troubles={key: value for key, value in troubles.items() if value is not None and value.stands},
            latched={key: value for key, value in troubles.items() if value is not None and not value.stands},
            gestures={key: value for key, value in gestures.items() if value is not None},
            drill=self.drill,
            drill_over=self.drill_over,
        )


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
        state = self._memory.states.get(site_id)
        if state is None:
            ask = self._session.rows
            incidents = [rows.incident(*row) for row in ask(sql.READ_OPEN_INCIDENTS, (site_id,))]
            troubles = [rows.trouble(*row) for row in ask(sql.READ_STANDING_TROUBLES, (site_id,))]
            gestures = [rows.gesture(*row) for row in ask(sql.READ_GESTURES, (site_id,))]
            last = next((rows.drill(*row) for row in ask(sql.READ_LAST_DRILL, (site_id,))), None)
            runs = last is not None and last.is_running
            state = self._memory.states[site_id] = SiteState(
                site_id=site_id,
                incidents={incident.id: incident for incident in incidents},
                troubles={trouble.key: trouble for trouble in troubles if trouble.stands},
                latched={trouble.key: trouble for trouble in troubles if not trouble.stands},
                gestures={gesture.device_id: gesture for gesture in gestures},
                drill=last if runs else None,
                drill_over=None if runs else last,
            )
        return state

    def policies(self, hashes: Sequence[str]) -> dict[str, Policy]:
        known = self._memory.policies
        missing = [content_hash for content_hash in hashes if content_hash not in known]
        found = {content_hash: known[content_hash] for content_hash in hashes if content_hash in known}
        if missing:
            for content_hash, schema, blob in self._session.rows(sql.READ_POLICIES, (self._session.listed(missing),)):
                found[content_hash] = rows.policy(schema, blob)
                self._memory.keep_policy(content_hash, found[content_hash])
        return found

    def seen_us(self, cause: CauseId) -> int | None:
        if cause in self._causes:
            return self._causes[cause]
        found = self._session.rows(sql.READ_CAUSE, (cause,))
        return found[0][0] if found else None

    def notification(self, notification_id: NotificationId) -> NotificationRow | None:
        if notification_id in self._touched:
            self._send()
        found = self._session.rows(sql.READ_NOTIFICATION, (notification_id,))
        return rows.notification(found[0]) if found else None

    def phone_incidents(self, endpoint_key: str, since_us: int) -> tuple[PhoneIncident, ...]:
        if self._collected or self._incidents:
            self._send()
        params = (endpoint_key, since_us, since_us, PHONE_INCIDENTS_MAX)
        return tuple(rows.phone_incident(row) for row in self._session.rows(sql.READ_PHONE, params))

    def free_tokens(self, limit: int, now_us: int) -> tuple[str, ...]:
        pool = self._memory.tokens
        self._scope.lock_tokens()
        if pool is None:
            used = self._session.rows(sql.READ_TOKENS, (now_us - HORIZON_US,))
            pool = self._memory.tokens = TokenPool(used)
        return pool.free(limit, now_us, self._tokens)

    def opted_out(self) -> frozenset[str]:
        if self._memory.opted_out is None:
            self._memory.opted_out = frozenset(row[0] for row in self._session.rows(sql.READ_OPT_OUTS))
        return self._memory.opted_out

    def broken_channels(self) -> frozenset[str]:
        if self._memory.broken is None:
            self._memory.broken = frozenset(row[0] for row in self._session.rows(sql.READ_BROKEN))
        return self._memory.broken

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
            self._collect(sql.INSERT_CAUSE, (decision.cause, site_id, now.wall_us))
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
        for withdrawal in decision.withdrawals:
            self._stage()
            self.script.append(_withdraw(site_id, withdrawal))
            self._newborn = {
                notification_id: row
                for notification_id, row in self._newborn.items()
                if not _takes_back(site_id, withdrawal, row.notification)
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
            case ClockStepped():
                self._stage()
                shift = (moment.wall_us - moment.boot_us, moment.boot_id)
                self.script += [(sql.RESTAMP_TIMERS, [shift]), (sql.RESTAMP_OUTBOX, [shift])]
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
        head = self._memory.heads.get(site_id)
        if head is None:
            found = self._session.rows(sql.READ_SITE, (site_id,))
            head = self._memory.heads[site_id] = journal.Head(*found[0]) if found else journal.Head()
        return head

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
            if claims is None or not full or not self._scope.rescue(self.script):
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
                self._memory.tokens.note(
                    incident.id,
                    incident.token,
                    is_open=incident.is_open,
                    last_us=max(incident.opened_us, incident.closed_us or 0),
                )

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
