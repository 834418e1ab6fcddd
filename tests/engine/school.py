"""A small school for tests of the core: Oak Elementary, and Elm Middle beside it."""

from alertd.model.ids import DISTRICT, DeviceId, PersonId, PolicyId, SiteId, ZoneId
from alertd.model.people import Destination, DutyShift, Endpoint, Person, PersonKind, Schedule
from alertd.model.policy import Policy, Step, Target, TargetKind
from alertd.model.registry import ChannelRules, Registry
from alertd.model.site import Device, DeviceKind, Gestures, Site, StateRules, Zone

OAK, ELM = SiteId("oak"), SiteId("elm")
BADGE = Gestures(id="badge", presses={3: "staff_assist", 8: "lockdown"}, actions={"hold": "lockdown"})
WALL = Gestures(id="wall", actions={"press": "medical", "release": "ignore"})
SENSOR = Gestures(id="sensor", actions={"vape": "vape"})


def person(
    name: str, number: int, *groups: str, sites: tuple[SiteId, ...] = (OAK,), kind: PersonKind = PersonKind.RESPONDER
) -> Person:
    person_id = PersonId(name.lower())
    phones = (Endpoint(channel="sms", address=f"+120255501{number:02d}", person_id=person_id),)
    return Person(id=person_id, name=name, kind=kind, sites=sites, endpoints=phones, groups=groups)


PEOPLE = (
    person("Ruiz", 1, "first", "admins"),
    person("Chen", 2, "first"),
    person("Nurse", 3, "second"),
    person("Okafor", 10, kind=PersonKind.STAFF),
    person("Diaz", 11, kind=PersonKind.STAFF),
    person("Elmer", 21, "first", sites=(ELM,)),
    person("Super", 20, "district_office", sites=(DISTRICT,)),
)


def zone(id_: str, site: SiteId, label: str, short: str) -> Zone:
    return Zone(id=ZoneId(id_), site_id=site, label=label, short=short, room=short)


ZONES = (
    zone("204", OAK, "Rm 204, 2nd fl East", "Rm 204"),
    zone("118", OAK, "Rm 118, 1st fl West", "Rm 118"),
    zone("gym", OAK, "Gym, north wall", "Gym"),
    zone("elm-1", ELM, "Rm 1, Elm", "Rm 1"),
)


def device(
    id_: str, kind: DeviceKind, gestures: Gestures, *, site: SiteId = OAK, zone_id: str | None = None, **more: object
) -> Device:
    where = ZoneId(zone_id) if zone_id else None
    return Device(id=DeviceId(id_), kind=kind, site_id=site, gestures=gestures, zone_id=where, **more)  # type: ignore[arg-type]


DEVICES = (
    device("badge-204", DeviceKind.BUTTON, BADGE, zone_id="204", label="Okafor badge", assigned_to="okafor"),
    device("badge-118", DeviceKind.BUTTON, BADGE, zone_id="118", label="Diaz badge"),
    device("wall-gym", DeviceKind.BUTTON, WALL, zone_id="gym", label="wall button"),
    device("vape-wc", DeviceKind.SENSOR, SENSOR, zone_id="118", label="vape sensor"),
    device("walker", DeviceKind.WEARABLE, BADGE, label="Walker badge", roaming_sites=(ELM,)),
    device("gw-oak", DeviceKind.GATEWAY, BADGE, zone_id="118"),
    device("gw-elm", DeviceKind.GATEWAY, BADGE, site=ELM, zone_id="elm-1"),
    device("badge-elm", DeviceKind.BUTTON, BADGE, site=ELM, zone_id="elm-1", label="Elm badge"),
)


def group(name: str, words: str = "responder") -> Target:
    return Target(kind=TargetKind.GROUP, id=name, words=words)


PSAP = Target(kind=TargetKind.DESTINATION, id="psap")
STAFF = Target(kind=TargetKind.SITE_STAFF, words="staff")
TEXTS = {
    "alert.responder": "{site} {where}: {what} {time}. {who}. "
    "Reply 4{token} going, 5{token} arrived, 6{token} cannot go.",
    "alert.staff": "{site}: {what} {time}. Locks, lights, out of sight.",
    "correction.responder": "{site} {short_where}: {time} {what} was {mistake}, says {by} {minute}. "
    "Rooms STAY LOCKED until released in person.",
    "correction.staff": "{site}: {time} {what}, no threat found so far, {by} {minute}. STAY LOCKED.",
}


def policy(id_: str, *steps: Step, **more: object) -> Policy:
    return Policy(id=PolicyId(id_), incident_class=id_, steps=steps, templates=TEXTS, **more)  # type: ignore[arg-type]


LOCKDOWN = policy(
    "lockdown",
    Step(targets=(group("first"), STAFF, PSAP), wait_s=30),
    Step(targets=(group("second"),), wait_s=60),
)
ASSIST = policy("staff_assist", Step(targets=(group("first"),), wait_s=30), Step(targets=(group("second"),), wait_s=30))
MEDICAL = policy("medical", Step(targets=(group("second"), PSAP), wait_s=30))
VAPE = policy("vape", Step(targets=(group("admins"),), wait_s=60))
TROUBLE = policy("trouble", Step(targets=(group("admins"),)))

POLICIES = (LOCKDOWN, ASSIST, MEDICAL, VAPE, TROUBLE)


def site(id_: SiteId, short: str, rules: StateRules | None = None) -> Site:
    policies = {p.incident_class: p.id for p in POLICIES}
    return Site(
        id=id_,
        name=short.title(),
        short=short,
        time_zone="America/New_York",
        policies=policies,
        rules=rules or StateRules(),
        main_phone="555-0142",
    )


def registry(*policies: Policy, rules: StateRules | None = None, people: tuple[Person, ...] = PEOPLE) -> Registry:
    """The school; a policy given here takes the place of the one of its class."""
    chosen = {p.id: p for p in POLICIES} | {p.id: p for p in policies}
    sites = {OAK: site(OAK, "OAK ELEM", rules), ELM: site(ELM, "ELM MID")}
    district = Site(
        id=DISTRICT, name="District", short="DISTRICT", time_zone="UTC", policies={"trouble": PolicyId("trouble")}
    )
    psap = Destination(
        id="psap",
        site_ids=(OAK, ELM),
        endpoint=Endpoint(channel="dispatch", address="psap", dispatch=True),
    )
    second = Destination(
        id="monitoring",
        site_ids=(OAK,),
        endpoint=Endpoint(channel="dispatch", address="monitoring", dispatch=True),
    )
    return Registry(
        version="test",
        district="Test District",
        sites={**sites, DISTRICT: district},
        zones={z.id: z for z in ZONES},
        devices={d.id: d for d in DEVICES},
        people={p.id: p for p in people},
        schedules={},
        policies=chosen,
        destinations={"psap": psap, "monitoring": second},
        channels={
            "sms": ChannelRules(name="sms", kind="sms"),
            "dispatch": ChannelRules(name="dispatch", kind="webhook", text_limit=0),
        },
    )


def schedule(zone_name: str, *shifts: DutyShift) -> Schedule:
    return Schedule(id="duty", site_id=OAK, time_zone=zone_name, shifts=shifts)
