"""Promise 6: one press, one site. And whoever is told belongs there, or to the district.

Owns who may hear of what, by the registry and by what the world knows of each press.
"""

from collections import Counter
from collections.abc import Sequence

from msgspec.structs import replace

from alertd.model.events import Pressed
from alertd.model.ids import DISTRICT, DeviceId, SiteId
from alertd.model.incident import Incident
from alertd.model.notification import Kind, Notification
from alertd.model.people import Person, PersonKind
from alertd.model.registry import Registry
from alertd_simulator.checkers.checker import Checker, Consequence, Scene
from alertd_simulator.checkers.covering import fallback_pages, is_sensors
from alertd_simulator.world.happenings import (
    Acked,
    Arrived,
    Committed,
    DispatchTook,
    Happening,
    KeyPressed,
    Published,
    Reloaded,
    Truth,
    Typed,
)

UNBOUND = frozenset({Kind.TEST, Kind.DISPATCH_HEARTBEAT})
"""Sent to whom an admin, or the configuration, names."""


class OneSite(Checker):
    name = "one site"
    docs = (
        "Promise 6 (req 75, req 89): a press is taken up at the one site that the world says it may touch (of a badge "
        "for which no gateway is named: at its own, and where it was heard in the last quarter of an hour), and an "
        "incident of a site holds only presses that were made for it."
    )
    sees = (Published, Arrived, Acked, Consequence)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._truths: dict[int, Truth] = {}
        self._in_flight: dict[DeviceId, Counter[SiteId | None]] = {}
        """Delivered and not yet acknowledged: one of these is what a commit is about."""
        self._heard_at: dict[str, set[SiteId | None]] = {}
        """By physical act: two schools may hear it. Once both have, what one of them hears of it touches both."""
        self._arrived_for: dict[int, list[tuple[SiteId | None, ...]]] = {}
        self._pressed_for: set[tuple[DeviceId, SiteId]] = set()
        self._judged: set[str] = set()

    def see(self, happening: Happening) -> None:
        match happening:
            case Published(truth=truth) if truth is not None:
                self._truths[happening.number] = truth
                self._pressed_for |= {(truth.device_id, site_id) for site_id in _meant(truth) if site_id is not None}
            case Arrived(number=number) if truth := self._truths.get(number):
                heard_at = self._heard_at.setdefault(truth.press, set())
                heard_at.update(_meant(truth))
                self._arrived_for.setdefault(number, []).append(meant := tuple(heard_at))
                self._in_flight.setdefault(truth.device_id, Counter()).update(meant)
            case Acked(number=number) if (truth := self._truths.get(number)) and self._arrived_for.get(number):
                self._in_flight[truth.device_id].subtract(self._arrived_for[number].pop(0))
            case Committed():
                self._committed(happening)
            case _:
                pass

    def _committed(self, committed: Committed) -> None:
        event, decision = committed.event, committed.decision
        acts = self._taken_up(decision.incidents) or fallback_pages(decision.notifications)
        if isinstance(event, Pressed) and acts and not is_sensors(self.scene.registry, event.signal.device_id):
            # What a sensor says again is gathered, and acts a while after it was acknowledged.
            flying = self._in_flight.get(event.signal.device_id, Counter())
            if flying[event.site_id] <= 0:
                meant = sorted(str(site) for site, count in flying.items() if count > 0)
                self.accuse(
                    committed.at_us,
                    f"a press of {event.signal.device_id} acts at {event.site_id}; it is meant for {meant or 'nobody'}",
                )
        for incident in decision.incidents:
            for press in incident.presses:
                key = f"{incident.id}/{press.device_id}"
                if key in self._judged:
                    continue
                self._judged.add(key)
                if not press.asked and (press.device_id, incident.site_id) not in self._pressed_for:
                    self.accuse(
                        committed.at_us,
                        f"{incident.headline} at {incident.site_id} holds a press of {press.device_id}, "
                        "which pressed for no such site",
                    )

    def _taken_up(self, incidents: Sequence[Incident]) -> list[Incident]:
        """Those that are new or become another. With what happens first after the clock was set, or after a boot, the
        stamps of every incident are set; that is nobody's doing."""
        known = self.scene.records.incidents
        return [each for each in incidents if each.id not in known or not _is_only_set(known[each.id], each)]


def _is_only_set(before: Incident, after: Incident) -> bool:
    """Have stamps moved by as much as the clock was set, and nothing else?"""
    if before.anchor == after.anchor or len(before.presses) != len(after.presses):
        return False
    by_us = {one - other for one, other in zip(_stamps(after), _stamps(before), strict=True)} - {0}
    if before.anchor is not None and after.anchor is not None and before.anchor.boot_id == after.anchor.boot_id:
        is_set = by_us <= {after.anchor.ahead_us - before.anchor.ahead_us}
    else:  # over a reboot only a clock that went back can be seen
        is_set = len(by_us) <= 1 and max(by_us, default=0) <= 0
    return is_set and _unstamped(before) == _unstamped(after)


def _stamps(incident: Incident) -> tuple[int, ...]:
    """Those that are compared with now."""
    announced_us = 0 if incident.announcing is None else incident.announcing.begun_us
    return (incident.upgraded_us, announced_us, *(press.known_us for press in incident.presses))


def _unstamped(incident: Incident) -> Incident:
    return replace(
        incident,
        anchor=None,
        upgraded_us=0,
        announcing=None if incident.announcing is None else replace(incident.announcing, begun_us=0),
        presses=tuple(replace(press, known_us=0) for press in incident.presses),
    )


def _meant(truth: Truth) -> tuple[SiteId | None, ...]:
    return (truth.site_id, *truth.near)


class Audience(Checker):
    name = "audience"
    docs = (
        "Promise 6: nothing about a site is addressed to people or machines of another one: its own people, then the "
        "district's, and the destinations that serve it. An answer goes to a phone that has written. Of a trouble "
        "of the district responders of schools hear only while each number of its own people told the carrier to stop."
    )
    sees = (Consequence, DispatchTook, Typed, KeyPressed, Reloaded)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._owners: dict[str, list[Person]] = {}
        self._known_to: Registry | None = None
        self._wrote: set[str] = set()
        self._opted_out: set[str] = set()
        self._told_instead: set[tuple[str | None, str]] = set()
        """Troubles of the district, and the responders of schools who have heard of them: by another number, too."""
        self._reloaded = False

    def see(self, happening: Happening) -> None:
        match happening:
            case Committed():
                self._opted_out |= set(happening.decision.opt_outs)
                self._opted_out -= set(happening.decision.opt_ins)
                for row in happening.decision.notifications:
                    self._judge(happening.at_us, row.notification)
            case DispatchTook():
                self._judge_dispatch(happening)
            case Typed() | KeyPressed():
                self._wrote.add(happening.number)
            case Reloaded():
                self._reloaded = True
            case _:
                pass

    def _judge(self, at_us: int, notification: Notification) -> None:
        if notification.kind in UNBOUND:
            return
        endpoint, registry = notification.endpoint, self.scene.registry
        if endpoint.dispatch or endpoint.person_id is None:
            destination = registry.destination_of(endpoint)
            if destination is not None and notification.site_id not in destination.site_ids:
                self._accuse_of(at_us, notification, f"{destination.id}, which does not serve it")
            return
        owners = self._people().get(endpoint.key, [])
        if not owners:
            if not self._reloaded:
                self._accuse_of(at_us, notification, f"{endpoint.channel}, an address that is nobody's")
        elif notification.kind is Kind.ANSWER:
            if endpoint.address not in self._wrote:
                self._accuse_of(at_us, notification, f"{owners[0].name}, who has written nothing")
        elif not any(self._may_hear(owner, notification) for owner in owners):
            self._accuse_of(at_us, notification, f"{owners[0].name} of {', '.join(owners[0].sites)}")

    def _may_hear(self, person: Person, notification: Notification) -> bool:
        site_id = notification.site_id
        if site_id in person.sites or DISTRICT in person.sites:
            return True
        staff = self.scene.registry.site_staff.get(site_id)
        if not staff:
            return True  # a site without people falls back to all adults
        if site_id != DISTRICT or notification.kind is not Kind.TROUBLE or person.kind is not PersonKind.RESPONDER:
            return False
        told = (notification.trouble_key, person.id)
        if all(endpoint.key in self._opted_out for each in staff for endpoint in each.endpoints):
            self._told_instead.add(told)
        return told in self._told_instead

    def _people(self) -> dict[str, list[Person]]:
        if self._known_to is not self.scene.registry:
            self._known_to = self.scene.registry
            self._owners = {}
            for person in self.scene.registry.people.values():
                for endpoint in person.endpoints:
                    self._owners.setdefault(endpoint.key, []).append(person)
        return self._owners

    def _accuse_of(self, at_us: int, notification: Notification, whom: str) -> None:
        what = f"{notification.kind} of {notification.site_id} ({notification.id})"
        self.accuse(at_us, f"{what} is addressed to {whom}")

    def _judge_dispatch(self, took: DispatchTook) -> None:
        incident = next((i for i in self.scene.records.incidents.values() if i.id == took.incident_id), None)
        if incident is not None and took.site_id != incident.site_id:
            self.accuse(
                took.at_us, f"dispatch was told of {took.site_id} in an incident of {incident.site_id} ({incident.id})"
            )
