"""`alertd devices list` and `GET /v1/devices`: which devices need a human (req 2, 13)."""

import asyncio
import json

import pytest
from msgspec.structs import replace

from alertd.console.devices.listing import AT_ONCE, Wanted, device_list
from alertd.model.check_in import DeviceStanding, LastSeen
from alertd.model.events import DeviceTestOrdered
from alertd.model.ids import CauseId, DeviceId, SiteId
from alertd.model.incident import IncidentClass
from tests.cli.conftest import Shell
from tests.console.fake_daemon import FakeDaemon

HEARD_US = 1_791_988_920_000_000
DAY_US = 24 * 3600 * 1_000_000


def standing(
    device: str,
    *,
    heard: bool = True,
    silent: bool = False,
    tampered: bool = False,
    window_s: int = 300,
    **last: object,
) -> DeviceStanding:
    seen = LastSeen(device_id=DeviceId(device), seen_us=HEARD_US if heard else 0, **last)  # type: ignore[arg-type]
    return DeviceStanding(last=seen, window_s=window_s, silent=silent, behind=None, tampered=tampered)


@pytest.fixture
def devices(daemon: FakeDaemon) -> FakeDaemon:
    daemon.standings = [
        standing("badge-204", pressed_us=HEARD_US, qos=0, battery_pct=9, battery_low=True),
        standing("badge-118", silent=True, pressed_us=HEARD_US - 1_000 * DAY_US, qos=1),
        standing("wall-gym", heard=False, window_s=0),
        standing("gw-oak", heard=False),
        standing("badge-elm", pressed_us=HEARD_US, tampered=True),
        standing("registered-no-more"),
    ]
    return daemon


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ([], ["badge-204", "badge-118", "wall-gym", "gw-oak", "badge-elm"]),
        (["--never-heard"], ["wall-gym", "gw-oak"]),
        (["--never-tested"], ["wall-gym"]),
        (["--silent"], ["badge-118"]),
        (["--low-battery"], ["badge-204"]),
        (["--tampered"], ["badge-elm"]),
        (["--qos0"], ["badge-204"]),
        (["--no-window"], ["wall-gym"]),
        (["--site", "elm"], ["badge-elm"]),
        (["--never-heard", "--never-tested"], ["wall-gym"]),
    ],
)
def test_each_list_names_those_that_need_a_human(
    devices: FakeDaemon, shell: Shell, options: list[str], ids: list[str]
) -> None:
    said = shell.run("devices", "list", *options, "--json")
    assert said.code == 0, said
    assert [each["id"] for each in said.json["devices"]] == ids


def test_devices_that_nobody_has_pressed_for_a_term(devices: FakeDaemon, shell: Shell) -> None:
    said = shell.run("devices", "list", "--untested-for", "180", "--json")
    assert {"badge-118", "wall-gym"} <= {each["id"] for each in said.json["devices"]}
    assert "gw-oak" not in said.out, "a gateway has nothing to press"


def test_a_table_for_people(devices: FakeDaemon, shell: Shell) -> None:
    said = shell.run("devices", "list", "--low-battery")
    assert said.code == 0, said
    assert "Okafor badge" in said.out
    assert "9 %" in said.out
    assert "1 device" in said.out
    assert "tampered with" in shell.run("devices", "list", "--site", "elm").out
    assert "No device is like that" in shell.run("devices", "list", "--silent", "--low-battery").out


def test_a_site_that_there_is_not(devices: FakeDaemon, shell: Shell) -> None:
    said = shell.run("devices", "list", "--site", "ash")
    assert said.code != 0
    assert "ash" in said.err


async def test_a_press_has_its_turn_while_a_large_district_is_listed(daemon: FakeDaemon) -> None:
    one = daemon.school.devices[DeviceId("badge-204")]
    ids = [DeviceId(f"b-{n}") for n in range(4 * AT_ONCE)]
    daemon.school = replace(daemon.school, devices={each: replace(one, id=each) for each in ids})
    daemon.standings = [standing(each) for each in ids]
    turns = 0

    async def press() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    waiting = asyncio.create_task(press())
    listed = json.loads(await device_list(daemon, Wanted()))
    waiting.cancel()
    assert [each["id"] for each in listed["devices"]] == ids
    assert turns >= 3, "presses wait until the whole district is listed"


def test_what_is_in_test_is_shown_in_each_list(devices: FakeDaemon, shell: Shell) -> None:
    """Its presses page nobody: whoever looks whether the buttons work must see it."""
    devices.oak.do(
        DeviceTestOrdered(
            site_id=SiteId("oak"),
            cause=CauseId("order"),
            by="J. Ruiz",
            device_id=DeviceId("badge-204"),
            incident_class=IncidentClass.STAFF_ASSIST,
            minutes=10,
        )
    )
    listed = {each["id"]: each["in_test"] for each in shell.run("devices", "list", "--json").json["devices"]}
    assert "in TEST by J. Ruiz, until " in str(listed["badge-204"]), "nothing shows that its presses page nobody"
    assert listed["badge-118"] is None
    for command in (("devices", "list"), ("troubles",), ("health",)):
        assert "TEST by J. Ruiz" in " ".join(shell.run(*command).out.split()), command
