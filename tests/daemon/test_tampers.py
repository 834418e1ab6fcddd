"""Devices that say in their telemetry that somebody opened them: one trouble, until they say that they are whole."""

import pytest
from msgspec.structs import replace

from alertd.model.decision import Decision
from alertd.model.ids import DeviceId
from alertd.model.site import Gestures
from alertd_adapters.decoders.press_json import PressJson
from alertd_simulator.virtual_time import in_virtual_time
from tests.daemon.watch import Watch, school
from tests.engine.school import ELM

KEY = "tamper:badge-204"
IGNORES = {"gestures": Gestures(id="deaf", actions={"tamper": "ignore"})}


def says(watch: Watch, payload: bytes, *, retained: bool = False) -> None:
    understood = PressJson(heartbeats=True).understand("alertd/telemetry/badge-204", payload)
    watch.check_ins.heard("broker", understood.check_ins, retained=retained)
    watch.check_ins.committed(Decision(troubles=tuple(watch.standing.values())))


@in_virtual_time
async def test_a_device_that_says_it_is_open_is_a_trouble_until_it_says_that_it_is_whole() -> None:
    watch = Watch(school())
    says(watch, b'{"tamper": true, "battery": 80}')
    await watch.settle()
    (text,) = watch.told("tamper")
    assert text == "Rm 204 Okafor badge (badge-204) is opened, moved or taken down, it says. Look at it, then press it."
    for payload in (b'{"tamper": true}', b'{"battery": 80}', b"\xff"):
        says(watch, payload)
        await watch.settle()
    assert len(watch.told("tamper")) == 1, "it stands already"
    assert KEY in watch.standing, "only its own word ends it"

    says(watch, b'{"tamper": false}')
    await watch.settle()
    assert watch.over() == [("oak", KEY)]


@in_virtual_time
async def test_nobody_is_asked_to_press_a_sensor_that_is_open_or_silent() -> None:
    watch = Watch(school(vape_wc={"check_in_s": 300}))
    understood = PressJson(heartbeats=True).understand("alertd/telemetry/vape-wc", b'{"tamper": true}')
    watch.check_ins.heard("broker", understood.check_ins, retained=False)
    await watch.settle()
    assert watch.told("tamper") == ["Rm 118 vape sensor (vape-wc) is opened, moved or taken down, it says. Look at it."]
    await watch.passes(900)
    (text,) = watch.told("silent")
    assert text.endswith("Look at its power and network."), "nobody can press a sensor"


@in_virtual_time
async def test_a_tamper_that_stood_before_a_restart_is_not_told_again_and_ends() -> None:
    watch = Watch(school())
    says(watch, b'{"tamper": true}')
    await watch.settle()
    watch.restart()
    says(watch, b'{"tamper": true}', retained=True)
    await watch.settle()
    assert len(watch.told("tamper")) == 1

    says(watch, b'{"tamper": false}')
    await watch.settle()
    assert watch.over() == [("oak", KEY)]


@in_virtual_time
async def test_what_a_broker_remembers_begins_a_tamper_and_ends_none() -> None:
    watch = Watch(school())
    says(watch, b'{"tamper": true}', retained=True)
    await watch.settle()
    assert KEY in watch.standing, "it was opened while nobody listened, and nobody is told"

    says(watch, b'{"tamper": false}', retained=True)
    await watch.settle()
    assert not watch.over(), "the broker remembers it of last month: the device has said nothing"


@in_virtual_time
async def test_what_a_broker_remembers_of_before_a_device_was_heard_begins_no_tamper() -> None:
    watch = Watch(school())
    watch.hears("badge-204", whole_again=True)
    watch.hears("badge-204", retained=True, opened=True, seen_us=watch.wall_us - 1)
    await watch.settle()
    assert not watch.standing, "its own time says that it is older than what is known"


@in_virtual_time
async def test_the_last_word_counts_and_what_was_not_committed_is_told_again() -> None:
    watch = Watch(school())
    says(watch, b'{"tamper": true}')
    says(watch, b'{"tamper": false}')
    await watch.settle()
    assert not watch.events, "it was closed before anybody was told"

    watch.refuses = 1
    says(watch, b'{"tamper": true}')
    await watch.settle()
    assert KEY in watch.standing, "the disk was full for a moment, and nobody learns that it is open"


@in_virtual_time
async def test_a_device_whose_gestures_ignore_tamper_has_no_such_trouble() -> None:
    watch = Watch(school(badge_204=IGNORES))
    says(watch, b'{"tamper": true}')
    await watch.settle()
    assert not watch.events


@pytest.mark.parametrize("payload", [b'{"tamper": true}', b'{"tamper": false}'])
@in_virtual_time
async def test_the_list_shows_that_a_device_is_open(payload: bytes) -> None:
    watch = Watch(school())
    says(watch, payload)
    await watch.settle()
    says(watch, b"{}")
    assert watch.device("badge-204").tampered == (b"true" in payload), "the list says nothing of it"
    assert not watch.device("badge-118").tampered


@pytest.mark.parametrize("moved", [{"site_id": ELM, "zone_id": None}, None])
@in_virtual_time
async def test_a_device_that_hangs_elsewhere_now_leaves_no_tamper_behind(moved: dict[str, object] | None) -> None:
    watch = Watch(school())
    says(watch, b'{"tamper": true}')
    await watch.settle()
    known = school()
    devices = dict(known.devices)
    badge = devices.pop(DeviceId("badge-204"))
    if moved is not None:
        devices[badge.id] = replace(badge, **moved)
    watch.becomes(replace(known, devices=devices))
    await watch.settle()

    assert watch.over() == [("oak", KEY)], "it will never say at this school that it is whole"
