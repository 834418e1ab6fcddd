"""`Draft`: one decision while it is being made. Local to one call of `decide`; nothing outside ever sees it."""

from collections.abc import Iterable

from msgspec.structs import replace

from alertd.engine import wording
from alertd.engine.drill_templates import DRILL_TEMPLATES
from alertd.engine.fixed_policy import FIXED_HASH, FIXED_POLICY
from alertd.engine.lifecycle import ESCALATION, INCIDENT, Move, move
from alertd.model.anchor import Now
from alertd.model.decision import Confirmation, Decision, Entry, EntryKind, Facts, FeedbackState, SiteState, Withdrawal
from alertd.model.device_memory import GestureCount
from alertd.model.drill import Drill, DrillTold
from alertd.model.ids import CauseId, DeviceId, DrillId, IncidentId, NotificationId, PolicyId, TimerId, derive
from alertd.model.incident import SEVERITY, VERIFY_FIRST, Incident, Severity, is_panic
from alertd.model.mode import Mode
from alertd.model.notification import (
    Kind,
    Lane,
    Notification,
    NotificationChange,
    NotificationRow,
    NotificationState,
)
from alertd.model.people import Endpoint
from alertd.model.policy import Policy
from alertd.model.reason import Reason
from alertd.model.site import Site
from alertd.model.timer import Timer, TimerKind
from alertd.model.trouble import Trouble

REAL_FIRST_US = 1_000
"""What follows from the press that was real in a drill is older than whatever else its commit brings: it goes first."""
BELIEVED_US = 3600 * 1_000_000
"""So long after its end somebody who does not know of it may still believe in a drill. The news of it lives as long."""
NO_TOKEN = "0000"
"""The token of an incident for which the district has none left: no reply can carry it, a click still can."""


class Draft:
    """Collects what follows from one event. `incident(...)` reads through to the site's rows."""

    def __init__(self, state: SiteState, facts: Facts, now: Now) -> None:
        self.state = state
        self.facts = facts
        self.now = now
        self.cause: CauseId | None = None
        self._incidents: dict[IncidentId, Incident] = {}
        self._troubles: dict[str, Trouble] = {}
        self._gestures: dict[DeviceId, GestureCount] = {}
        self._policies: dict[str, Policy] = {}
        self._rows: dict[NotificationId, NotificationRow] = {}
        self._changes: list[NotificationChange] = []
        self._withdrawals: list[Withdrawal] = []
        self._timers: list[Timer] = []
        self._dropped: list[TimerId] = []
        self._confirmations: list[Confirmation] = []
        self.entries: list[Entry] = []
        self.try_now: list[str] = []
        self.look_ups: list[NotificationId] = []
        self.recall = False
        self.opt_outs: list[str] = []
        self.erasures: list[IncidentId] = []
        self.opt_ins: list[str] = []
        self.broken_channels: list[str] = []
        self.mended_channels: list[str] = []
        self._tokens_taken = 0
        self._drill: Drill | None = None
        self.stopped_drill: Drill | None = None
        """The drill that this very decision has found to be real; or that was over, and not everybody knew."""
        self.begun_us: int | None = None
        """When the attempt began whose own result this decision takes up."""

    # --- reading -----------------------------------------------------------------------------------------------------

    @property
    def site(self) -> Site:
        """The site of the rows. One that left the configuration while its incident is open keeps a name."""
        known = self.facts.registry.sites.get(self.state.site_id)
        return known or Site(
            id=self.state.site_id, name=self.state.site_id, short=self.state.site_id.upper(), time_zone="UTC"
        )

    def incident(self, incident_id: IncidentId | None) -> Incident | None:
        if incident_id is None:
            return None
        return self._incidents.get(incident_id) or self.state.incidents.get(incident_id)

    def is_open(self, incident_id: IncidentId) -> bool:
        incident = self.incident(incident_id)
        return incident is not None and incident.is_open

    def open_incidents(self) -> tuple[Incident, ...]:
        """Those that are open, as far as this decision has got."""
        every = {**self.state.incidents, **self._incidents}
        return tuple(incident for incident in every.values() if incident.is_open)

    def trouble(self, key: str) -> Trouble | None:
        """One that stands."""
        trouble = self._troubles.get(key) or self.state.troubles.get(key)
        return trouble if trouble is not None and trouble.stands else None

    def latched(self, key: str) -> Trouble | None:
        """One that is over, and nobody has acknowledged it yet."""
        trouble = self._troubles.get(key) or self.state.latched.get(key)
        return trouble if trouble is not None and trouble.over_us is not None and trouble.cleared_us is None else None

    def troubles_of(self, family: str) -> int:
        """Standing troubles whose key begins with the family's name."""
        keys = self.state.troubles.keys() | self._troubles.keys()
        return sum(key.startswith(f"{family}:") and self.trouble(key) is not None for key in keys)

    def memory(self, device_id: DeviceId) -> GestureCount:
        """What is remembered of a device, as far as this decision has got."""
        known = self._gestures.get(device_id) or self.state.gestures.get(device_id)
        return known or GestureCount(device_id=device_id)

    def remembered(self) -> Iterable[DeviceId]:
        """Devices of which something is remembered, also if only since this decision."""
        return {**self.state.gestures, **self._gestures}

    @property
    def drill(self) -> Drill | None:
        """The site's drill that runs, as far as this decision has got."""
        drill = self._drill or self.state.drill
        return drill if drill is not None and drill.is_running else None

    @property
    def drill_over(self) -> Drill | None:
        """The site's last drill, if none runs and it ended so lately that somebody may still believe in it."""
        drill = self._drill or self.state.drill_over
        if drill is None or drill.ended_us is None:
            return None
        return drill if self.is_believed(drill) else None

    @property
    def drills_over(self) -> tuple[Drill, ...]:
        """The site's drills that are over, and in which somebody may still believe; the latest first. One of them may
        have been followed by another before everybody had heard of its end."""
        last = self._drill or self.state.drill or self.state.drill_over
        return tuple(drill for drill in last.line() if self.is_believed(drill)) if last is not None else ()

    def is_believed(self, drill: Drill) -> bool:
        """Did it end so lately that somebody who was not told may still believe in it?"""
        return drill.ended_us is not None and abs(self.now.wall_us - drill.ended_us) <= BELIEVED_US

    def ends_drill(self, incident: Incident, endpoint: Endpoint) -> DrillId | None:
        """The drill of which whoever is behind the endpoint was told, and does not know that it is over: the next that
        they hear of something grave says so first (promise 3). That may be long after the press that stopped it: its
        own text was lost with a carrier, a phone was busy, alertd was killed."""
        if incident.mode is not Mode.LIVE or not is_panic(incident.incident_class):
            return None
        return next((drill.id for drill in self.drills_over if self._is_believed_there(drill, endpoint)), None)

    def goes_on_beside_drill(self, incident: Incident, endpoint: Endpoint) -> bool:
        """Is it what a sensor asks, of somebody who may take it for a part of their drill? It ends none."""
        if incident.mode is not Mode.LIVE or incident.incident_class not in VERIFY_FIRST:
            return False
        running = () if self.drill is None else (self.drill,)
        return any(self._is_believed_there(drill, endpoint) for drill in (*running, *self.drills_over))

    def _is_believed_there(self, drill: Drill, endpoint: Endpoint) -> bool:
        told = self.told_there(drill, endpoint)
        return bool(told) and not any(each.knows for each in told)

    def told_there(self, drill: Drill, endpoint: Endpoint) -> tuple[DrillTold, ...]:
        """Where whoever is behind the endpoint was told of the drill: there; else on that phone, for an answer in the
        thread of notices is read on the same one; else by any phone of theirs."""
        of_person = tuple(told for told in drill.told if told.person_id == endpoint.person_id)
        here = tuple(told for told in drill.told if told.endpoint_key == endpoint.key)
        return here or tuple(told for told in of_person if self._are_texts(told.endpoint_key, endpoint)) or of_person

    def _are_texts(self, endpoint_key: str, endpoint: Endpoint) -> bool:
        """Both to one phone, by whichever sender. What a call said nobody reads there, and a text is not heard."""
        channel, _, address = endpoint_key.partition(":")
        rules = [self.facts.registry.channels.get(name) for name in (channel, endpoint.channel)]
        return address == endpoint.address and all(each is None or each.kind != "voice" for each in rules)

    def policy(self, incident: Incident) -> Policy:
        """The policy frozen into the incident."""
        frozen = (
            self.facts.policies.get(incident.policy_hash)
            or self._policies.get(incident.policy_hash)
            or self.facts.registry.policies_by_hash.get(incident.policy_hash)
        )
        return frozen or FIXED_POLICY

    def policy_now(self, incident_class: str) -> tuple[str, Policy]:
        """Content hash and policy that the configuration has for the class at this site. A class without one gets the
        fixed policy: a press that the configuration forgot still pages the site's staff."""
        policy_id: PolicyId | None = self.site.policies.get(incident_class)
        registry = self.facts.registry
        if policy_id is None or policy_id not in registry.policies:
            return FIXED_HASH, FIXED_POLICY
        return registry.policy_hashes[policy_id], registry.policies[policy_id]

    def freeze(self, content_hash: str, policy: Policy) -> None:
        if content_hash not in self.facts.policies:
            self._policies[content_hash] = policy

    def take_token(self) -> str:
        free = self.facts.free_tokens
        self._tokens_taken += 1
        return free[self._tokens_taken - 1] if self._tokens_taken <= len(free) else NO_TOKEN

    # --- writing -----------------------------------------------------------------------------------------------------

    def put(self, incident: Incident) -> Incident:
        self._incidents[incident.id] = incident
        return incident

    def live(self, incident: Incident, by: Move) -> Incident:
        """Move the incident's life."""
        return self.put(replace(incident, state=move(INCIDENT, incident.state, by)))

    def escalate(self, incident: Incident, by: Move) -> Incident:
        """Move the incident's escalation."""
        return self.put(replace(incident, escalation=move(ESCALATION, incident.escalation, by)))

    def put_drill(self, drill: Drill) -> Drill:
        self._drill = drill
        return drill

    def put_drill_over(self, drill: Drill) -> Drill:
        """One that is over, where it stands: it may have been followed by another."""
        last = self._drill or self.state.drill or self.state.drill_over
        assert last is not None, "a drill that is over was there before"
        self._drill = _in_its_place(last, drill)
        return drill

    def put_trouble(self, trouble: Trouble) -> None:
        self._troubles[trouble.key] = trouble

    def remember(self, gesture: GestureCount) -> None:
        self._gestures[gesture.device_id] = gesture

    def entry(
        self,
        kind: EntryKind,
        reason: Reason,
        text: str,
        *,
        incident: Incident | None = None,
        notification_id: NotificationId | None = None,
        about: IncidentId | None = None,
        **data: str,
    ) -> None:
        """One line. `about`: the incident that it goes with where that is closed already."""
        self.entries.append(
            Entry(
                kind=kind,
                reason=reason,
                text=text,
                incident_id=incident.id if incident else about,
                notification_id=notification_id,
                data=data,
            )
        )

    def opt_out(self, endpoint: Endpoint) -> None:
        """The carrier will not text it any more: true for whatever else this decision says, too."""
        self.opt_outs.append(endpoint.key)
        self.facts = replace(self.facts, opted_out=self.facts.opted_out | {endpoint.key})

    def confirm(self, device_id: DeviceId, state: FeedbackState) -> None:
        self._confirmations.append(Confirmation(device_id=device_id, state=state))

    def timer(
        self, kind: TimerKind, delay_s: float, incident: Incident | None = None, *, number: int = 0, detail: str = ""
    ) -> None:
        """Set a timer. Its id comes from its cause, so the same cause sets the same timer again."""
        generation = incident.generation if incident else 0
        of = incident.id if incident else "site"
        self._timers.append(
            Timer(
                id=TimerId(derive("t", self.state.site_id, of, kind, generation, number, detail)),
                site_id=self.state.site_id,
                kind=kind,
                delay_s=delay_s,
                incident_id=incident.id if incident else None,
                number=number,
                detail=detail or str(generation),
            )
        )

    def withdraw(self, incident: Incident, reason: Reason, kind: Kind | None = None) -> None:
        """Whatever of the incident was not sent yet; only of one kind, if there is one."""
        self._withdrawals.append(Withdrawal(incident_id=incident.id, reason=reason, kind=kind))
        self.recall = True
        what = f"{kind}: " if kind else ""
        self.entry(EntryKind.NOTIFICATION, reason, f"{what}what was not sent yet is withdrawn", incident=incident)

    def withdraw_from(self, incident: Incident, endpoint: Endpoint, reason: Reason) -> None:
        """Whatever of the incident was not sent yet to one endpoint."""
        self._withdrawals.append(Withdrawal(incident_id=incident.id, reason=reason, endpoint_key=endpoint.key))
        self.recall = True
        what = f"{endpoint.channel} of {endpoint.person_id}: what was not sent yet is withdrawn"
        self.entry(EntryKind.NOTIFICATION, reason, what, incident=incident)

    def withdraw_pages(self, reason: Reason) -> None:
        """Whatever the site's loudspeakers were to say, of any incident and of none."""
        self._withdrawals.append(Withdrawal(incident_id=None, reason=reason, kind=Kind.PAGE))

    def withdraw_drill(self, reason: Reason, *, but: Kind | None = None) -> None:
        """Whatever the site's drills have not said yet, of any kind but one."""
        self._withdrawals.append(Withdrawal(incident_id=None, reason=reason, mode=Mode.DRILL, but=but))
        self.recall = True

    def withdraw_drill_over(self, reason: Reason) -> None:
        """Whatever was still to say that the site's drill is over."""
        self._withdrawals.append(Withdrawal(incident_id=None, reason=reason, kind=Kind.DRILL_OVER))
        self.recall = True

    def said(self, incident: Incident) -> frozenset[str]:
        """Endpoint keys at which this decision tells of the incident."""
        rows = (row.notification for row in self._rows.values() if row.state is NotificationState.QUEUED)
        return frozenset(n.endpoint.key for n in rows if n.incident_id == incident.id)

    def announced_at(self, incident: Incident) -> frozenset[str]:
        """Endpoint keys of the loudspeakers that this decision lets speak of it."""
        rows = (row.notification for row in self._rows.values() if row.state is NotificationState.QUEUED)
        return frozenset(n.endpoint.key for n in rows if n.kind is Kind.PAGE and n.incident_id == incident.id)

    def change(self, change: NotificationChange) -> None:
        self._changes.append(change)

    def row(self, notification: Notification, *, suppressed: Reason | None = None) -> None:
        """A new notification, or one that will not be sent and says why. The first content of an id stays."""
        if notification.id in self._rows:
            return
        # Microseconds apart, so that what was decided first is claimed first: responders before staff (req 54).
        first_us = notification.created_us - (REAL_FIRST_US if self.stopped_drill else 0)
        created_us = first_us + len(self._rows)
        expires_boot_us = self.now.boot_us + notification.expires_us - self.now.wall_us
        incident = self.incident(notification.incident_id)
        notification = replace(
            notification,
            created_us=created_us,
            expires_boot_us=expires_boot_us,
            created_boot_us=self.now.boot_us,
            boot_id=self.now.boot_id,
            upgrades=incident.upgrades if incident else None,
        )
        state = NotificationState.SUPPRESSED if suppressed else NotificationState.QUEUED
        self._rows[notification.id] = NotificationRow(
            notification=notification, state=state, reason=suppressed or notification.reason
        )
        self.entry(
            EntryKind.NOTIFICATION,
            suppressed or notification.reason,
            f"{notification.kind} to {notification.recipient} by {notification.endpoint.channel}",
            incident=incident,
            notification_id=notification.id,
            about=notification.incident_id,
        )

    def text_limit(self, channel: str) -> int:
        rules = self.facts.registry.channels.get(channel)
        return rules.text_limit if rules else wording.SEGMENT

    def decision(self) -> Decision:
        return Decision(
            cause=self.cause,
            incidents=tuple(self._incidents.values()),
            troubles=tuple(self._troubles.values()),
            gestures=tuple(self._gestures.values()),
            drill=self._drill,
            policies=tuple(self._policies.items()),
            notifications=tuple(self._rows.values()),
            changes=tuple(self._changes),
            erasures=tuple(self.erasures),
            withdrawals=tuple(self._withdrawals),
            try_now=tuple(self.try_now),
            look_ups=tuple(self.look_ups),
            recall=self.recall,
            timers=tuple(self._timers),
            dropped_timers=tuple(self._dropped),
            opt_outs=tuple(self.opt_outs),
            opt_ins=tuple(self.opt_ins),
            broken_channels=tuple(self.broken_channels),
            mended_channels=tuple(self.mended_channels),
            confirmations=tuple(self._confirmations),
            entries=tuple(self.entries),
        )


def _in_its_place(drill: Drill, changed: Drill) -> Drill:
    if drill.id == changed.id:
        return changed
    return replace(drill, before=_in_its_place(drill.before, changed)) if drill.before is not None else drill


def lane_of(incident: Incident, kind: Kind, template: str = "") -> Lane:
    """Of a panic's messages those who act come first, then those who hide (req 54). "It continues" to staff who know of
    it waits for both: when every room presses, that must not bury the first alert of others. What a sensor heard that
    would be a panic if a human said so is no panic, and waits for nothing else; that one is covered or opened waits for
    that. A nuisance waits for all."""
    if incident.mode is Mode.DRILL:
        return Lane.DRILL
    if incident.incident_class in VERIFY_FIRST:
        return Lane.NEXT
    if not is_panic(incident.incident_class):
        return Lane.ALARM if SEVERITY[incident.incident_class] is Severity.SENSOR else Lane.ROUTINE
    if not template.endswith(".staff"):
        return Lane.PANIC
    return Lane.NEXT if kind is Kind.ALSO else Lane.STAFF


def template_of(policy: Policy, name: str, mode: Mode = Mode.LIVE) -> str:
    """The policy's template of that name; an upgraded or late alert without one of its own is the plain alert; then
    the fixed one: never an empty text. In a drill the words of drills come first."""
    if mode is Mode.DRILL and (found := _drill_template(policy, name)) is not None:
        return found
    fixed = FIXED_POLICY.templates
    if name.startswith("call."):
        return _call_template(policy, name)
    words = name.rpartition(".")[2]
    instead = f"alert.{words}" if name.startswith(("upgrade.", "late.")) else name
    for wanted in (name, instead):
        if found := policy.templates.get(wanted) or fixed.get(wanted):
            return found
    return fixed.get(name.replace(f".{words}", ".responder")) or fixed["fallback"]


def _drill_template(policy: Policy, name: str) -> str | None:
    """Words for drills, found as those for real are; `None`: the latter will do (an answer to a reply)."""
    called = name.startswith("call.")
    plain = name.removesuffix(".responder") if called else name
    less_exact = plain.replace("upgrade", "alert").replace("late", "alert").replace(".locked", "")
    names = [plain, less_exact, less_exact.replace(".staff", "" if called else ".responder")]
    drills = (f"drill.{each}" for each in names)
    return next((t for each in drills if (t := policy.templates.get(each) or DRILL_TEMPLATES.get(each))), None)


def _call_template(policy: Policy, name: str) -> str:
    """The same for words that are spoken; a responder's stand under the plain name, "call.alert"."""
    plain = name.removesuffix(".responder")
    instead = "call.alert.staff" if plain.endswith(".staff") else "call.alert"
    for wanted in (plain, instead):
        if found := policy.templates.get(wanted) or FIXED_POLICY.templates.get(wanted):
            return found
    return FIXED_POLICY.templates["call.alert"]
