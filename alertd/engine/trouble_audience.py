"""Who is told of a trouble: whoever the site's policy means now, and who instead if that is nobody.

A trouble that nobody hears is how systems die: where the policy means nobody, or only people who told the carrier to
stop (req 56), everybody of the site is told; of a school without anybody, the district's own people. What is wrong with
the district itself is wrong at each school: there the last to be told are the responders of all schools. Of what comes
of sensors never (req 70): there the policy's own people are told though off duty. Must never decide what a trouble is,
or how often it is told.
"""

from alertd.engine.audience import people_of, though_off_duty
from alertd.engine.draft import Draft
from alertd.model.ids import DISTRICT, DeviceId, PolicyId
from alertd.model.incident import IncidentClass, is_panic
from alertd.model.people import PersonKind
from alertd.model.policy import Policy, Target, TargetKind
from alertd.model.registry import Registry
from alertd.model.site import DeviceKind
from alertd.model.trouble import Trouble

TROUBLE = "trouble"
"""Name of the trouble policy among a site's policies."""
OF_SENSORS = frozenset(
    {
        "sensor_storm",
        "sensor_panic",
        "sensor_unregistered",
        "sensor_unheard",
        "sensor_unmapped",
        "sensor_malformed",
        "unverified",
    }
)
"""Families of troubles that only sensors bring about."""
EMPTY_AUDIENCE = "audience"
"""Family of "its policy reaches nobody"; the key names the policy."""


def of(d: Draft, trouble: Trouble) -> tuple[Policy, tuple[Target, ...]]:
    """The site's trouble policy and the targets to tell now."""
    _, policy = d.policy_now(TROUBLE)
    registry = d.facts.registry
    targets = tuple(t for step in policy.steps for t in step.targets)
    if _can_be_told(d, targets):
        return policy, targets
    if _is_of_sensors(registry, trouble):
        return policy, tuple(person for target in targets for person in though_off_duty(registry, target))
    staff, district = (Target(kind=TargetKind.SITE_STAFF),), (Target(kind=TargetKind.DISTRICT),)
    if d.state.site_id != DISTRICT and registry.site_staff.get(d.state.site_id):
        return policy, staff  # a school's own matter stays there (promise 6)
    wider = (staff, district, _responders(registry))
    return policy, next((each for each in wider if _can_be_told(d, each)), staff)


def _responders(registry: Registry) -> tuple[Target, ...]:
    """Of all schools; of a trouble of one of them only its own hear (`people_of`, promise 6)."""
    people = (person for person in registry.people.values() if person.kind is PersonKind.RESPONDER)
    return tuple(Target(kind=TargetKind.PERSON, id=person.id) for person in people)


def _can_be_told(d: Draft, targets: tuple[Target, ...]) -> bool:
    """They mean somebody who has a number that did not tell the carrier to stop. A broken channel is mended, and
    the trouble's reminder goes over it."""
    addressees = people_of(d.facts.registry, d.state.site_id, targets, d.now.wall_us)
    return any(e.key not in d.facts.opted_out for addressee in addressees for e in addressee.person.endpoints)


def _is_of_sensors(registry: Registry, trouble: Trouble) -> bool:
    """Nothing but sensors has to do with it: by its family, by what it is about, or by the policy that it names."""
    about = trouble.key.partition(":")[2]
    if trouble.family == EMPTY_AUDIENCE:
        policy = registry.policies.get(PolicyId(about))
        return policy is not None and any(policy.incident_class == c and not is_panic(c) for c in IncidentClass)
    devices = [registry.devices.get(DeviceId(name)) for name in trouble.members or (about,)]
    are_sensors = all(device is not None and device.kind is DeviceKind.SENSOR for device in devices)
    return trouble.family in OF_SENSORS or are_sensors
