"""The stated school: the district in which simulated days happen. Two schools, 40 people, 80 devices.

Owns its configuration: the shipped example, made smaller in people and richer in kinds of buttons. Policies, words,
gestures and rooms are the example's own, so a day here says something about what users install. Nothing stays on the
disk. Must never be random: the same district in every run.

    device id       what it is                                            how many
    button-…        wall button with counter and clock                         12
    timeless-…      the same without a clock                                    5
    plain-…         neither clock nor counter nor count                         5
    astray-…        its clock is hours off                                      3
    aed-…           medical button                                              3
    zb-…, zbs-…     Zigbee button behind Zigbee2MQTT, without and with time     9
    badge-…         wearable, presses for its home                             18
    rover-…         wearable that may also press for the other school           6
    vape-…          sensor                                                      6
    gw-…            gateway: hears wearables                                   13
"""

import shutil
import tomllib
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from msgspec.structs import replace

from alertd import lint
from alertd.config import Loaded, load, render_problems
from alertd.model.ids import DISTRICT, PersonId
from alertd.model.people import Endpoint, Person, PersonKind
from alertd.model.registry import Registry
from alertd_simulator.demo_school import WIRING, dump_toml, find_example
from alertd_simulator.generated_district import fictional_numbers
from alertd_simulator.world.mapped_devices import TRIGGERS as MAPPED_TRIGGERS
from alertd_simulator.world.mapped_devices import ZIGBEE_BASE
from alertd_simulator.world.mapped_devices import profile_of as mapped_profile_of
from alertd_simulator.world.other_families import BY_ID as OTHERS
from alertd_simulator.world.other_families import PANEL
from alertd_simulator.world.other_families import TRIGGERS as OTHER_TRIGGERS
from alertd_simulator.world.other_families import rows as rows_of_others

CARRIER_URL = "https://api.twilio.com"
CENTER_URL = "https://cad-gateway.example.org/alertd"
PUBLIC_URL = "https://alertd.maple.example"
"""Where callbacks reach the school, on days when they can."""
SENDERS = ("+12025550101", "+12025550102")
"""Of channel `sms`, as in the example."""
SECOND_SENDERS = ("+12025550103",)
"""Of channel `sms-second`: the few people who have it are told twice."""
SECOND_POLL_S = 6
ANNOUNCEMENTS = {
    "lockdown": {"tone": "hi_lo", "words": "Lockdown! Locks, lights, out of sight.", "times": 2},
    "hold": {"tone": "chime", "words": "Hold in your room or area. Clear the halls.", "times": 2},
}
TEXTS_PER_S = 10
"""Of a registered campaign on long codes. At the example's 2 a second, a lockdown's texts alone would fill the day."""

KEPT_PEOPLE = ["ruiz", "chen", "brooks", "patel", "nguyen", "lopez", "hall", "okafor", "reed", "varga", "shaw", "young"]
"""Of the example's people: every text of a day costs computing time, and eleven people at a school are enough."""
KEPT_DEVICES = [
    "badge-okafor",
    "badge-diaz",
    "badge-kim",
    "badge-meyer",
    "badge-hall",
    "badge-reed",
    "button-204",
    "button-118",
    "button-office",
    "button-gym",
    "vape-112",
    "gw-2-east",
    "gw-1-west",
    "gw-gym",
    "gw-office",
    "button-elm-office",
    "gw-elm-hall",
]
"""Of the example's devices. What a wearer who is not kept leaves behind is a spare badge."""

# id;name;kind;role;sites;groups. Added to the people that are kept.
PEOPLE = """
gray;Gray;responder;school nurse;oak;nurses
moss;Moss;responder;assistant principal;elm;responders|admins
novak;Novak;responder;school nurse;elm;nurses
silva;Silva;responder;resource officer;elm;responders
ahmed;Ahmed;staff;superintendent;district;
cohen;Cohen;staff;safety coordinator;district;
usher;Usher;staff;district technician;district;technicians
weber;Weber;staff;buildings;district;
abbot;Abbot;parent;;oak;
klein;Klein;parent;;oak;
lang;Lang;parent;;oak;
olsen;Olsen;parent;;elm;
dale;Dale;parent;;oak;
hart;Hart;parent;;oak;
mann;Mann;parent;;elm;
cruz;Cruz;parent;;oak;
haas;Haas;parent;;oak;
ito;Ito;parent;;oak;
joshi;Joshi;parent;;oak|elm;
perez;Perez;parent;;elm;
quinn;Quinn;parent;;elm;
rossi;Rossi;parent;;elm;
tran;Tran;parent;;elm;
bauer;Bauer;parent;;elm;
dunn;Dunn;parent;;elm;
field;Field;parent;;elm;
evans;Evans;parent;;elm;
zhang;Zhang;parent;;oak|elm;
"""
"""A lockdown tells eleven people at one school and nine at the other, some of them twice, and dispatch. The district's
office hears of it when nobody has answered. Parents never hear of it by themselves: any text to one is a bug."""
CALLED = frozenset({"ruiz", "chen", "brooks", "shaw", "moss", "silva"})
"""Responders of the two schools, whose phones ring for a lockdown. A call costs more computing time than ten texts."""
TWO_ENDPOINTS = frozenset({"ruiz", "shaw", "moss"})
"""Told on both text channels."""

ROOMS = {"oak": (101, 102, 103, 105, 106, 107, 109, 110, 201, 202, 203, 205, 206, 207), "elm": tuple(range(11, 21))}
AREAS = {"oak": ("fl-1-east", "fl-2-west", "yard", "kitchen"), "elm": ("fl-1", "fl-2", "gym-hall", "yard")}
"""Where a gateway hears; beside the example's own."""

# prefix -> per school, how many more than the example has
GROWTH = {
    "oak": {"button": 3, "timeless": 3, "plain": 3, "astray": 2, "aed": 2, "zb": 3, "zbs": 3, "vape": 3, "gw": 4},
    "elm": {"button": 4, "timeless": 2, "plain": 2, "astray": 1, "aed": 1, "zb": 2, "zbs": 1, "vape": 2, "gw": 4},
}
WEARERS = {"oak": ("gray", "varga", "1", "2", "3", "4"), "elm": ("novak", "young", "10", "5", "6", "7")}
ROVERS = {"oak": ("brooks", "patel", "8"), "elm": ("silva", "moss", "9")}
"""Who wears the badges. A number: a spare one, which nobody is written down for."""

WATCHED = {
    "plain-oak-1": "200 s,gw-oak-1", "plain-oak-2": "200 s,gw-oak-1", "plain-elm-1": "5 min,", "gw-oak-2": "200 s,",
} | dict.fromkeys(OTHERS, "none,")  # fmt: skip
"""Devices that must be heard, and the gateway below which they hang. The others say nothing unless they are pressed,
whatever their profile expects."""

GESTURES = {"aed": "medical-button", "zb": "zigbee-button", "zbs": "zigbee-button", "vape": "vape-sensor", "gw": ""}
KINDS = {"vape": "sensor", "gw": "gateway"}
ZIGBEE = {
    "presses": {1: "staff_assist"},
    "actions": {"single": "staff_assist", "emergency": "lockdown", "hold": "lockdown", "duress": "lockdown"},
    "window_s": 10,
}
"""The first is of Zigbee2MQTT's words as they are, the others of what its profile makes of them, too."""
WEEKDAYS = {"start": "07:00", "end": "16:30"}
DUTY = {
    "oak-duty": {"site": "oak", "shifts": [
        {"person": "chen", "days": ["mon", "wed", "fri"]} | WEEKDAYS,
        {"person": "ruiz", "days": ["tue", "thu"]} | WEEKDAYS,
    ]},
    "elm-duty": {"site": "elm", "shifts": [{"person": "moss", "days": ["mon", "tue", "wed", "thu", "fri"]} | WEEKDAYS]},
}  # fmt: skip


@lru_cache(maxsize=2)
def stated_district(*, polls_only: bool = True) -> Loaded:
    """The district, read and judged by alertd's own code. `polls_only=False`: callbacks reach the school as well."""
    with TemporaryDirectory(prefix="alertd-stated-") as folder:
        directory = Path(folder) / "config"
        shutil.copytree(find_example(), directory)
        _write(directory, polls_only=polls_only)
        loaded = load(directory)
        problems = [p for p in (*loaded.problems, *lint.check(loaded)) if p.file != "environment"]  # somebody's shell
    if problems:
        raise RuntimeError(f"the stated district is not usable:\n{render_problems(problems)}")
    return replace(loaded, directory=Path("stated-district"))


def widened(loaded: Loaded) -> Loaded:
    """What a reload brings: the same district, and one person more."""
    before = loaded.registry
    taken = {endpoint.address for person in before.people.values() for endpoint in person.endpoints}
    number = next(number for number in fictional_numbers() if number not in taken)
    channel = next(name for name, rules in before.channels.items() if rules.kind == "sms")
    person_id = PersonId(f"newcomer-{len(before.people) + 1}")
    newcomer = Person(
        id=person_id,
        name=f"New {len(before.people) + 1}",
        kind=PersonKind.STAFF,
        sites=(next(site for site in sorted(before.sites) if site != DISTRICT),),
        endpoints=(Endpoint(channel=channel, address=number, person_id=person_id),),
    )
    return replace(loaded, registry=_with(before, newcomer))


def _with(before: Registry, person: Person) -> Registry:
    fields = {name: getattr(before, name) for name in before.__struct_fields__}
    fields |= {"people": before.people | {person.id: person}, "version": f"{before.version}+{person.id}"}
    return Registry(**fields)  # anew: a copy would keep the indexes of before


# --- the files ------------------------------------------------------------------------------------------------------


def _write(directory: Path, *, polls_only: bool) -> None:
    _change(directory / "alertd.toml", partial(_settle, polls_only=polls_only))
    _change(directory / WIRING, partial(_wire, polls_only=polls_only))
    _change(directory / "gestures.toml", _teach)
    (directory / "schedules.toml").write_text(dump_toml(DUTY))
    for name in ANNOUNCEMENTS:
        _change(directory / "policies" / f"{name}.toml", partial(_speak, name))
    for site in ROOMS:
        _change(directory / "sites" / f"{site}.toml", partial(_grow, site))
    _write_people(directory / "people.csv")
    _write_devices(directory / "devices.csv")


def _change(file: Path, change: Callable[[dict[str, Any]], None]) -> None:
    document = tomllib.loads(file.read_text())
    change(document)
    file.write_text(dump_toml(document))


def _teach(gestures: dict[str, Any]) -> None:
    """What real families call what the example's devices call a hold."""
    gestures |= {"zigbee-button": ZIGBEE, "panel": PANEL}
    for name in ("badge", "wall-button"):
        gestures[name]["actions"]["long_press"] = "lockdown"
    gestures["vape-sensor"]["actions"]["alarm"] = "ignore"  # that it burns where a GS601 hangs, which it never does


def _settle(main: dict[str, Any], *, polls_only: bool) -> None:
    main["daemon"]["log_level"] = "error"
    if not polls_only:
        main["daemon"] |= {"public_base_url": PUBLIC_URL, "listen": "127.0.0.1:8420"}


def _wire(wiring: dict[str, Any], *, polls_only: bool) -> None:
    wiring["sources"]["broker"]["triggers"] += [
        _mapped(topic, source) for topic, source in (*MAPPED_TRIGGERS, *OTHER_TRIGGERS)
    ]
    wiring["channels"]["sms"] |= {"per_s": TEXTS_PER_S, "callbacks": "poll" if polls_only else "signed"}
    wiring["channels"]["voice"] |= {"callbacks": "poll" if polls_only else "signed"}
    second = {"from_numbers": list(SECOND_SENDERS), "poll_s": SECOND_POLL_S}
    wiring["channels"]["sms-second"] = wiring["channels"]["sms"] | second
    wiring["channels"]["pa"] = {
        "plugin": "pa_rtp",
        "interface": "192.0.2.10",
        "zones": {f"{site}-all": {"groups": [f"239.192.4.{number}:5004"]} for number, site in enumerate(ROOMS, 1)},
        "announcements": ANNOUNCEMENTS,
    }


def _mapped(topic: str, source: str) -> dict[str, Any]:
    base = {"base": ZIGBEE_BASE} if source == "zigbee2mqtt" else {}
    return {"topic": topic, "decoder": "profiles", "options": {"source": source} | base}


def _speak(name: str, policy: dict[str, Any]) -> None:
    """What the loudspeakers say in the first step of a policy, if the example does not say so already."""
    targets = policy["steps"][0]["targets"]
    if not any("loudspeakers" in target for target in targets):
        targets.append({"announcement": name, "loudspeakers": "all"})
    if name == "lockdown":
        policy["announce_again_s"] = [20, 60]


def _grow(site: str, document: dict[str, Any]) -> None:
    document["loudspeakers"] = {"all": {"channel": "pa", "zone": f"{site}-all"}}
    for room in ROOMS[site]:
        document["zones"][f"rm-{room}"] = _zone(f"Rm {room}, floor {room // 100 or 1}", f"Rm {room}", f"Room {room}")
    for area in AREAS[site]:
        words = area.replace("fl-", "floor ").replace("-", " ").capitalize()
        document["zones"][area] = _zone(words, words, words)


def _zone(label: str, short: str, spoken: str) -> dict[str, str]:
    return {"label": label, "short": short, "spoken": spoken, "building": "Main", "nearest_exterior_door": "Door 1"}


def _write_people(file: Path) -> None:
    header, kept = _kept(file, KEPT_PEOPLE)
    rows = [kept[person] for person in KEPT_PEOPLE]
    numbers = fictional_numbers()
    for line in PEOPLE.split("\n")[1:-1]:
        identity, name, kind, role, sites, groups = line.split(";")
        joined = (sites.replace("|", ";"), groups.replace("|", ";"))
        rows.append(",".join((identity, name, kind, role, *joined, next(numbers), "en")))
    lines = [f"{row},{_channels(row.partition(',')[0])}" for row in rows]
    file.write_text("\n".join([f"{header},channels", *lines]) + "\n")


def _channels(person: str) -> str:
    second = ";sms-second" if person in TWO_ENDPOINTS else ""
    return f"sms{second};voice" if person in CALLED else f"sms{second}"


def _write_devices(file: Path) -> None:
    header, kept = _kept(file, KEPT_DEVICES)
    lines = [header, *(_unassigned(kept[device]) for device in KEPT_DEVICES)]
    for site, growth in GROWTH.items():
        for prefix, count in growth.items():
            places = AREAS[site] if prefix == "gw" else tuple(f"rm-{room}" for room in ROOMS[site])
            start = sum(map(ord, prefix)) % len(places)  # spread over the rooms; several of one room are wanted
            zones = [places[(start + index) % len(places)] for index in range(count)]
            lines += [_fixed(prefix, site, index, zone) for index, zone in enumerate(zones, start=1)]
        other = "elm" if site == "oak" else "oak"
        lines += [_badge("badge", site, who, "") for who in WEARERS[site]]
        lines += [_badge("rover", site, who, other) for who in ROVERS[site]]
    if "profile" not in header.split(","):
        lines = [f"{lines[0]},profile", *(f"{line},{mapped_profile_of(line.partition(',')[0])}" for line in lines[1:])]
    lines += rows_of_others({site: [f"rm-{room}" for room in rooms] for site, rooms in ROOMS.items()})
    lines = [
        f"{lines[0]},check_in,gateway",
        *(f"{line},{WATCHED.get(line.partition(',')[0], ',')}" for line in lines[1:]),
    ]
    file.write_text("\n".join(lines) + "\n")


def _kept(file: Path, ids: list[str]) -> tuple[str, dict[str, str]]:
    """The header, and the rows of these ids."""
    header, *lines = file.read_text().splitlines()
    return header, {line.partition(",")[0]: line for line in lines if line.partition(",")[0] in ids}


def _unassigned(line: str) -> str:
    """A badge of the example whose wearer is not kept is a spare one."""
    wearer = line.split(",")[6]
    return line if wearer in KEPT_PEOPLE else line.replace(f",{wearer},", ",,")


def _fixed(prefix: str, site: str, index: int, zone: str) -> str:
    label = {"aed": "AED button", "vape": "vape sensor", "gw": ""}.get(prefix, "wall button")
    kind, gestures = KINDS.get(prefix, "button"), GESTURES.get(prefix, "wall-button")
    return f"{prefix}-{site}-{index},{kind},{site},{zone},{gestures},{label},,"


def _badge(prefix: str, site: str, who: str, roaming: str) -> str:
    label, wearer = (f"badge {who}", "") if who.isdigit() else ("", who)
    return f"{prefix}-{site}-{who},wearable,{site},,badge,{label},{wearer},{roaming}"
