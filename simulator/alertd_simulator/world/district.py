"""The stated school: the district in which simulated days happen. Two schools, 40 people, 80 devices.

Owns its configuration: the shipped example, grown. Policies, words and gestures are the example's own, so a day here
says something about what users install; only rooms, people, buttons and a second text channel are added. Nothing stays
on the disk. Must never be random: the same district in every run.

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

CARRIER_URL = "https://api.twilio.com"
CENTER_URL = "https://cad-gateway.example.org/alertd"
PUBLIC_URL = "https://alertd.maple.example"
"""Where callbacks reach the school, on days when they can."""
SENDERS = ("+12025550101", "+12025550102")
"""Of channel `sms`, as in the example."""
SECOND_SENDERS = ("+12025550103",)
"""Of channel `sms-second`: the few people who have it are told twice."""
SECOND_POLL_S = 6
TEXTS_PER_S = 10
"""Of a registered campaign on long codes. At the example's 2 a second, a lockdown's texts alone would fill the day."""

# id;name;kind;role;sites;groups. Added to the example's people, but for three.
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
LEFT_OUT = frozenset({"meyer", "diaz", "kim"})
"""Of the example's people: every text of a day costs computing time, and eleven people at a school are enough."""
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

GESTURES = {"aed": "medical-button", "zb": "zigbee-button", "zbs": "zigbee-button", "vape": "vape-sensor", "gw": ""}
KINDS = {"vape": "sensor", "gw": "gateway"}
ZIGBEE = {"actions": {"single": "staff_assist", "emergency": "lockdown", "hold": "lockdown"}, "window_s": 10}
OWN_DUTY = ("vape", "masking", "tamper")
"""Policies of which the second school has its own: with its own people on duty."""


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
    _change(directory / "gestures.toml", lambda gestures: gestures.update({"zigbee-button": ZIGBEE}))
    _change(directory / "schedules.toml", _add_duty)
    for name in OWN_DUTY:
        shutil.copy(directory / "policies" / f"{name}.toml", directory / "policies" / f"{name}-elm.toml")
        _change(directory / "policies" / f"{name}-elm.toml", _point_to_elm_duty)
    for site in ROOMS:
        _change(directory / "sites" / f"{site}.toml", partial(_grow, site))
    _write_people(directory / "people.csv")
    _write_devices(directory / "devices.csv")


def _change(file: Path, change: Callable[[dict[str, Any]], None]) -> None:
    document = tomllib.loads(file.read_text())
    change(document)
    file.write_text(dump_toml(document))


def _settle(main: dict[str, Any], *, polls_only: bool) -> None:
    main["daemon"]["log_level"] = "error"
    if not polls_only:
        main["daemon"] |= {"public_base_url": PUBLIC_URL, "listen": "127.0.0.1:8420"}


def _wire(wiring: dict[str, Any], *, polls_only: bool) -> None:
    wiring["channels"]["sms"] |= {"per_s": TEXTS_PER_S, "callbacks": "poll" if polls_only else "signed"}
    second = {"from_numbers": list(SECOND_SENDERS), "poll_s": SECOND_POLL_S}
    wiring["channels"]["sms-second"] = wiring["channels"]["sms"] | second


def _add_duty(schedules: dict[str, Any]) -> None:
    weekdays = {"days": ["mon", "tue", "wed", "thu", "fri"], "start": "07:00", "end": "16:30"}
    schedules["elm-duty"] = {"site": "elm", "shifts": [{"person": "moss"} | weekdays]}


def _point_to_elm_duty(policy: dict[str, Any]) -> None:
    for step in policy["steps"]:
        for target in step["targets"]:
            if target.get("schedule") == "oak-duty":
                target["schedule"] = "elm-duty"


def _grow(site: str, document: dict[str, Any]) -> None:
    for room in ROOMS[site]:
        document["zones"][f"rm-{room}"] = _zone(f"Rm {room}, floor {room // 100 or 1}", f"Rm {room}", f"Room {room}")
    for area in AREAS[site]:
        words = area.replace("fl-", "floor ").replace("-", " ").capitalize()
        document["zones"][area] = _zone(words, words, words)
    if site == "elm":
        document["policies"] |= {"medical": "medical", "hold": "hold"}
        document["policies"] |= {name: f"{name}-elm" for name in OWN_DUTY}


def _zone(label: str, short: str, spoken: str) -> dict[str, str]:
    return {"label": label, "short": short, "spoken": spoken, "building": "Main", "nearest_exterior_door": "Door 1"}


def _write_people(file: Path) -> None:
    header, *lines = file.read_text().splitlines()
    rows = [line for line in lines if line.partition(",")[0] not in LEFT_OUT]
    numbers = fictional_numbers()
    for line in PEOPLE.split("\n")[1:-1]:
        identity, name, kind, role, sites, groups = line.split(";")
        joined = (sites.replace("|", ";"), groups.replace("|", ";"))
        rows.append(",".join((identity, name, kind, role, *joined, next(numbers), "en")))
    channels = ("sms;sms-second" if row.partition(",")[0] in TWO_ENDPOINTS else "sms" for row in rows)
    lines = [f"{row},{channel}" for row, channel in zip(rows, channels, strict=True)]
    file.write_text("\n".join([f"{header},channels", *lines]) + "\n")


def _write_devices(file: Path) -> None:
    lines = [_unassigned(line) for line in file.read_text().splitlines()]
    for site, growth in GROWTH.items():
        for prefix, count in growth.items():
            places = AREAS[site] if prefix == "gw" else tuple(f"rm-{room}" for room in ROOMS[site])
            start = sum(map(ord, prefix)) % len(places)  # spread over the rooms; several of one room are wanted
            zones = [places[(start + index) % len(places)] for index in range(count)]
            lines += [_fixed(prefix, site, index, zone) for index, zone in enumerate(zones, start=1)]
        other = "elm" if site == "oak" else "oak"
        lines += [_badge("badge", site, who, "") for who in WEARERS[site]]
        lines += [_badge("rover", site, who, other) for who in ROVERS[site]]
    file.write_text("\n".join(lines) + "\n")


def _unassigned(line: str) -> str:
    """A badge of the example whose wearer is left out is a spare one."""
    return next((line.replace(f",{who},", ",,") for who in sorted(LEFT_OUT) if f",{who}," in line), line)


def _fixed(prefix: str, site: str, index: int, zone: str) -> str:
    label = {"aed": "AED button", "vape": "vape sensor", "gw": ""}.get(prefix, "wall button")
    kind, gestures = KINDS.get(prefix, "button"), GESTURES.get(prefix, "wall-button")
    return f"{prefix}-{site}-{index},{kind},{site},{zone},{gestures},{label},,"


def _badge(prefix: str, site: str, who: str, roaming: str) -> str:
    label, wearer = (f"badge {who}", "") if who.isdigit() else ("", who)
    return f"{prefix}-{site}-{who},wearable,{site},,badge,{label},{wearer},{roaming}"
