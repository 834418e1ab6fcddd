"""Loudspeakers: what is said at once and again, what is never said, when there is quiet, and that no voice comes late.

Owns the schedule of announcements and their bounds, from the frozen policy and the site's rules alone. Must not ask the
engine what it meant to do; `Incident.announcing` is its own notebook, and is not read here.
"""

import re

from msgspec import Struct
from msgspec.json import decode
from msgspec.structs import replace

from alertd.model.events import SilenceOrdered, TimerFired
from alertd.model.ids import IncidentId, NotificationId, SiteId
from alertd.model.incident import EscalationState, Incident, IncidentClass, IncidentState
from alertd.model.mode import Mode
from alertd.model.notification import Kind, Lane, Notification, NotificationRow
from alertd.model.notification import NotificationState as N
from alertd.model.page import Page, PageAction
from alertd.model.people import Endpoint
from alertd.model.policy import TargetKind
from alertd.model.reason import Reason
from alertd.model.timer import TimerKind
from alertd_simulator.checkers.checker import Checker, Consequence, Scene
from alertd_simulator.checkers.covering import GRAVITY, is_panic
from alertd_simulator.checkers.final import Final
from alertd_simulator.checkers.sending import newly_claimed
from alertd_simulator.world.happenings import Committed, Crashed, Happening, Moved, Spoken

SECOND_US = 1_000_000
REPEAT_SLACK_S = 12.0
"""Calm seconds after which a repeat that is due was written."""
CALM_SLACK_US = SECOND_US // 2
UNDER_WAY_US = 12 * SECOND_US
"""What was claimed before an end may still be said: a channel's deadline, and a slow network."""
LATE_US = 60 * SECOND_US
"""From writing an announcement to its voice: half a minute until it is claimed, and an attempt."""
COMFORT = re.compile(r"\ball[ -]clear\b|\bfalse alarm\b|\bsafe\b", re.IGNORECASE)


def _lane(incident: Incident) -> Lane:
    return Lane.DRILL if incident.mode is Mode.DRILL else Lane.PANIC


class Run(Struct, frozen=True, kw_only=True):
    """One announcement of an incident, since its first words were committed."""

    since_us: int
    calm_us: int
    again_s: tuple[int, ...]
    said: int = 1
    is_owed: bool = True
    """Its repeats are due; False: something was wrong meanwhile, and they may come or not."""


def loudspeakers_meant(scene: Scene, incident: Incident) -> frozenset[Endpoint]:
    """The zones that the steps so far name, as the site has them."""
    policy = scene.registry.policies_by_hash.get(incident.policy_hash)
    site = scene.registry.sites.get(incident.site_id)
    if policy is None or site is None:
        return frozenset()
    names = {t.id for s in policy.steps[: incident.step + 1] for t in s.targets if t.kind is TargetKind.LOUDSPEAKERS}
    return frozenset(endpoint for name, endpoint in site.loudspeakers.items() if name in names)


def may_be_heard(scene: Scene, incident: Incident) -> bool:
    site = scene.registry.sites.get(incident.site_id)
    return (
        site is not None
        and site.rules.audible
        and incident.incident_class in site.rules.announce
        and is_panic(incident.incident_class)
    )


def is_over(incident: Incident) -> bool:
    return incident.escalation is EscalationState.STOPPED or incident.state is not IncidentState.ACTIVE


def page_of(notification: Notification) -> Page:
    return decode(notification.body, type=Page)


def said_of(rows: tuple[NotificationRow, ...], incident_id: IncidentId) -> list[Notification]:
    """New announcements of an incident that nobody holds back."""
    contents = (row.notification for row in rows if row.state is not N.SUPPRESSED)
    return [n for n in contents if n.kind is Kind.PAGE and n.incident_id == incident_id]


def concerned(scene: Scene, committed: Committed) -> list[Incident]:
    """Incidents that were changed, or that are spoken of, as they stand now."""
    decision = committed.decision
    found = {incident.id: incident for incident in decision.incidents}
    for row in decision.notifications:
        id_ = row.notification.incident_id
        if row.notification.kind is Kind.PAGE and id_ is not None and id_ in scene.records.incidents:
            found.setdefault(id_, scene.records.incidents[id_])
    return list(found.values())


class Announcements(Checker):
    name = "announcements"
    docs = (
        "A lockdown (and whatever else the site announces) is said over exactly the loudspeakers that its policy "
        "names, in the commit with which it begins, becomes graver, is pressed again after its end, or was waited for; "
        "again at the policy's seconds; and never otherwise: a further room names no place, and quiet is for police."
    )
    sees = (Committed, Crashed)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._runs: dict[IncidentId, Run] = {}
        self._on_disk: dict[IncidentId, Run] | None = None
        """While only memory takes commits: as the disk has them."""

    def see(self, happening: Happening) -> None:
        match happening:
            case Committed():
                self._note_disk(durable=happening.durable)
                self._look(happening.at_us)
                if isinstance(happening.event, SilenceOrdered):
                    self._hush(happening.event.site_id)
                for incident in concerned(self.scene, happening):
                    self._judge(happening, incident)
            case Crashed(power=True):
                kept = {**self._runs, **(self._on_disk or {})}  # what only memory had may have been merged in time
                self._runs = {id_: replace(run, is_owed=False) for id_, run in kept.items()}
                self._on_disk = None
            case _:
                pass

    def _note_disk(self, *, durable: bool) -> None:
        if durable:
            self._on_disk = None
        elif self._on_disk is None:
            self._on_disk = dict(self._runs)

    def _hush(self, site_id: SiteId, *, below: int | None = None) -> None:
        """Of these incidents nothing more has to be said."""
        for incident_id in tuple(self._runs):
            incident = self.scene.records.incidents.get(incident_id)
            here = incident is not None and incident.site_id == site_id
            if incident is None or (here and (below is None or GRAVITY[incident.incident_class] < below)):
                del self._runs[incident_id]

    def _judge(self, committed: Committed, after: Incident) -> None:
        said = said_of(committed.decision.notifications, after.id)
        meant = loudspeakers_meant(self.scene, after) if may_be_heard(self.scene, after) else frozenset()
        if len(said) > len({(n.endpoint, n.text) for n in said}):
            self.accuse(committed.at_us, f"{after.headline} ({after.id}) is announced twice at once")
        if is_over(after):
            self._runs.pop(after.id, None)
            return  # "quiet" says what must not be said any more
        if meant and self._begins(after) and (said or not self._graver(after)):
            missing = meant - {n.endpoint for n in said}
            for endpoint in sorted(missing, key=lambda e: e.key):
                self.accuse(committed.at_us, f"{after.headline} ({after.id}) begins, and {endpoint.key} says nothing")
            self._begin(committed.at_us, after)
        elif said and after.id in self._runs and _is_repeat(committed):
            self._again(committed.at_us, after)
        elif said:
            event = type(committed.event).__name__
            self.accuse(committed.at_us, f"{after.headline} ({after.id}) is announced on {event}, for no reason")

    def _begins(self, after: Incident) -> bool:
        if after.dispatch_hold is Reason.LATE_HOLD:
            return False
        before = self.scene.records.incidents.get(after.id)
        return (
            before is None
            or before.state is IncidentState.CANCEL_WINDOW
            or before.incident_class is not after.incident_class
            or before.escalation is EscalationState.STOPPED
            or before.dispatch_hold is Reason.LATE_HOLD
        )

    def _graver(self, incident: Incident) -> bool:
        """Is something graver open at the site? Whether it outranks this one may depend on more than is known here."""
        mine = GRAVITY[incident.incident_class]
        others = self.scene.records.incidents.values()
        return any(o.is_open and o.site_id == incident.site_id and GRAVITY[o.incident_class] > mine for o in others)

    def _begin(self, at_us: int, incident: Incident) -> None:
        self._hush(incident.site_id, below=GRAVITY[incident.incident_class])
        policy = self.scene.registry.policies_by_hash[incident.policy_hash]
        calm_us = self.scene.conditions.calm_us(at_us)
        self._runs[incident.id] = Run(since_us=at_us, calm_us=calm_us, again_s=policy.announce_again_s)

    def _again(self, at_us: int, incident: Incident) -> None:
        run = self._runs[incident.id]
        if run.said > len(run.again_s):
            self.accuse(at_us, f"{incident.headline} ({incident.id}) is announced {run.said + 1} times")
        elif at_us - run.since_us < run.again_s[run.said - 1] * SECOND_US / 2:
            self.accuse(at_us, f"{incident.headline} ({incident.id}) is announced again too early")
        self._runs[incident.id] = replace(run, said=run.said + 1)

    def _look(self, at_us: int) -> None:
        """A repeat is demanded only after a time in which nothing at all was wrong: one that is late is not said."""
        now_us = self.scene.conditions.calm_us(at_us)
        for incident_id, run in tuple(self._runs.items()):
            passed_us = at_us - run.since_us
            due = sum(passed_us > (after_s + REPEAT_SLACK_S) * SECOND_US for after_s in run.again_s)
            if run.is_owed and now_us - run.calm_us < passed_us - CALM_SLACK_US:
                self._runs[incident_id] = replace(run, is_owed=False)
            elif run.is_owed and run.said < 1 + due:
                self._runs[incident_id] = replace(run, is_owed=False)
                self.accuse(at_us, f"{incident_id} is announced {run.said} times, and {1 + due} were due")

    def finish(self, final: Final, at_us: int) -> None:  # noqa: ARG002 - a checker's signature
        self._look(at_us)


def _is_repeat(committed: Committed) -> bool:
    event = committed.event
    return isinstance(event, TimerFired) and event.timer.kind is TimerKind.ANNOUNCE


class LoudspeakerWords(Checker):
    name = "loudspeaker words"
    docs = (
        "Promise 6 and R20: loudspeakers speak of their own school only, and only of what it announces; a lockdown's "
        "words name no place and nobody; no announcement says that it is over; what is said is what was written."
    )
    sees = (Consequence, Spoken)

    def see(self, happening: Happening) -> None:
        match happening:
            case Committed():
                decided = {incident.id: incident for incident in happening.decision.incidents}
                for row in happening.decision.notifications:
                    if row.notification.kind is Kind.PAGE and row.state is not N.SUPPRESSED:
                        self._judge(happening.at_us, row.notification, decided)
            case Spoken():
                self._spoken(happening)
            case _:
                pass

    def _judge(self, at_us: int, content: Notification, decided: dict[IncidentId, Incident]) -> None:
        site = self.scene.registry.sites.get(content.site_id)
        what = f"{content.id} for {content.endpoint.key}"
        if site is None or content.endpoint not in site.loudspeakers.values():
            self.accuse(at_us, f"{what} is of {content.site_id}, whose loudspeakers these are not")
        if content.incident_id is None:
            return
        incident = decided.get(content.incident_id) or self.scene.records.incidents.get(content.incident_id)
        if incident is None or not may_be_heard(self.scene, incident):
            of = "nothing" if incident is None else f"a {incident.incident_class}"
            self.accuse(at_us, f"{what} speaks of {of}, which {content.site_id} does not announce")
        elif content.lane is not _lane(incident) or content.mode is not incident.mode:
            self.accuse(at_us, f"{what} is of mode {content.mode} in lane {content.lane}")
        if comfort := COMFORT.search(content.text):
            self.accuse(at_us, f"{what} says {comfort[0]!r}")
        if incident is not None and incident.incident_class is IncidentClass.LOCKDOWN:
            place = self._place(content)
            if place:
                self.accuse(at_us, f"{what} names {place!r}: the threat hears it, too")

    def _place(self, content: Notification) -> str:
        zones = (z for z in self.scene.registry.zones.values() if z.site_id == content.site_id)
        names = {name for zone in zones for name in (zone.label, zone.short, zone.spoken) if name}
        heard = f"{content.text} {content.body}"
        return next((name for name in sorted(names) if re.search(rf"\b{re.escape(name)}\b", heard)), "")

    def _spoken(self, spoken: Spoken) -> None:
        row = self.scene.records.rows.get(spoken.notification_id)
        if row is None:
            self.accuse(spoken.at_us, f"{spoken.zone} says {spoken.words!r}, which was never committed")
            return
        content = row.notification
        if (spoken.channel, spoken.zone, spoken.words) != (*_place_of(content.endpoint), content.text):
            self.accuse(spoken.at_us, f"{spoken.zone} says {spoken.words!r}; {content.id} says something else")
        if spoken.mode != content.mode or content.mode is Mode.TEST:
            self.accuse(spoken.at_us, f"{spoken.zone} speaks in mode {spoken.mode}")


def _place_of(endpoint: Endpoint) -> tuple[str, str]:
    return endpoint.channel, endpoint.address


class Quiet(Checker):
    name = "quiet"
    docs = (
        "R46, R20: after an end, a correction or `pa stop` nothing is said any more that was written before, and "
        "nothing new until it is graver or pressed again after its end; `pa stop` reaches every loudspeaker of the "
        "site and changes nothing else: nobody is looked for less."
    )
    sees = (Consequence, Moved, Spoken, Crashed)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._taken_back: dict[NotificationId, int] = {}
        """Written and not claimed when quiet was ordered -> when that was."""
        self._hushed: dict[IncidentId, IncidentClass] = {}

    def see(self, happening: Happening) -> None:
        match happening:
            case Committed():
                self._committed(happening)
            case Moved() if row := newly_claimed(self.scene, happening):
                if row.notification.id in self._taken_back:
                    self.accuse(happening.at_us, f"{row.notification.id} is claimed after quiet was ordered")
            case Spoken():
                self._spoken(happening)
            case Crashed(power=True):
                self._taken_back.clear()  # the order may be gone with the power
                self._hushed.clear()
            case _:
                pass

    def _committed(self, committed: Committed) -> None:
        event, decision = committed.event, committed.decision
        if isinstance(event, SilenceOrdered) and decision.cause is not None:
            self._silenced(committed, event.site_id)
        for after in concerned(self.scene, committed):
            before = self.scene.records.incidents.get(after.id)
            stopped = before is not None and before.escalation is EscalationState.STOPPED
            if self._hushed.get(after.id) is not after.incident_class or (stopped and not is_over(after)):
                self._hushed.pop(after.id, None)
            for said in said_of(decision.notifications, after.id):
                if is_over(after):
                    self.accuse(
                        committed.at_us, f"{after.headline} ({after.id}) is announced ({said.id}) after its end"
                    )
                elif after.id in self._hushed:
                    self.accuse(committed.at_us, f"{said.id} is written after quiet was ordered")

    def _silenced(self, committed: Committed, site_id: SiteId) -> None:
        at_us, records = committed.at_us, self.scene.records
        for row in records.rows.values():
            content = row.notification
            if content.kind is Kind.PAGE and content.site_id == site_id and row.state is N.QUEUED:
                self._taken_back[content.id] = at_us
        for incident in records.incidents.values():
            here = incident.site_id == site_id and not is_over(incident)
            if here and any(r.notification.kind is Kind.PAGE for r in records.rows_of.get(incident.id, ())):
                self._hushed[incident.id] = incident.incident_class
        self._only_silenced(committed, site_id)

    def _only_silenced(self, committed: Committed, site_id: SiteId) -> None:
        at_us, decision, site = committed.at_us, committed.decision, self.scene.registry.sites.get(site_id)
        ordered = f"quiet was ordered at {site_id}, and"
        told = {row.notification.endpoint for row in decision.notifications}
        for endpoint in set(site.loudspeakers.values()) - told if site else set():
            self.accuse(at_us, f"{ordered} {endpoint.key} is not told")
        for row in decision.notifications:
            if row.notification.kind is not Kind.PAGE or page_of(row.notification).action is not PageAction.STOP:
                self.accuse(at_us, f"{ordered} {row.notification.id} is sent")
        for after in decision.incidents:
            before = self.scene.records.incidents.get(after.id)
            moved = before is not None and before.anchor != after.anchor  # the first event after a reboot moves stamps
            if before is None or (not moved and _without_voice(before) != _without_voice(after)):
                self.accuse(at_us, f"{ordered} it changed {after.headline} ({after.id})")
        if decision.timers or decision.dropped_timers:
            self.accuse(at_us, f"{ordered} it changed who is called when")

    def _spoken(self, spoken: Spoken) -> None:
        row = self.scene.records.rows.get(spoken.notification_id)
        if row is None:
            return
        seen = self.scene.records.seen.get(row.notification.incident_id) if row.notification.incident_id else None
        ends = [seen.closed_us, seen.stopped_us] if seen is not None else []
        ended_us = min((us for us in ends if us is not None and us >= row.born_us), default=None)
        quiet_us = self._taken_back.get(spoken.notification_id)
        for since_us, why in ((ended_us, "it was over"), (quiet_us, "quiet was ordered")):
            if since_us is not None and spoken.at_us > since_us + UNDER_WAY_US:
                late_s = (spoken.at_us - since_us) / SECOND_US
                self.accuse(spoken.at_us, f"{spoken.zone} says {spoken.words!r} {late_s:.0f} s after {why}")


def _without_voice(incident: Incident) -> list[object]:
    return [getattr(incident, name) for name in incident.__struct_fields__ if name != "announcing"]


class FreshVoice(Checker):
    name = "fresh voice"
    docs = (
        "R9: an announcement that could not be said at once is not said a minute later: half a minute after it was "
        "written it is worthless, and a voice out of the past misleads."
    )
    sees = (Spoken,)

    def see(self, happening: Happening) -> None:
        if not isinstance(happening, Spoken):
            return
        row = self.scene.records.rows.get(happening.notification_id)
        if row is not None and happening.at_us - row.born_us > LATE_US:
            late_s = (happening.at_us - row.born_us) / SECOND_US
            self.accuse(
                happening.at_us, f"{happening.zone} says {happening.words!r} {late_s:.0f} s after it was written"
            )
