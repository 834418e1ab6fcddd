"""Troubles of devices that nobody had registered where sensors speak: over once they are registered."""

import pytest
from msgspec.structs import replace

from alertd.model.ids import DISTRICT, DeviceId
from alertd.model.registry import Registry
from alertd.model.site import DeviceKind
from alertd.model.trouble import Trouble
from alertd_simulator.virtual_time import in_virtual_time
from tests.daemon.watch import Watch, school

VAPE = "vape-wc"
FAMILIES = ("sensor_unregistered", "sensor_unheard")


def without(device_id: str) -> Registry:
    known = school()
    return replace(known, devices={each: device for each, device in known.devices.items() if each != device_id})


def stands(watch: Watch, family: str, device_id: str) -> None:
    key = f"{family}:{device_id}"
    watch.standing[key] = Trouble(key=key, site_id=DISTRICT, summary="", raised_us=watch.wall_us)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("refuses", [0, 1])
@in_virtual_time
async def test_its_trouble_is_over_once_it_is_registered_however_often_alertd_has_started_since(
    family: str, refuses: int
) -> None:
    watch = Watch(without(VAPE))
    stands(watch, family, VAPE)
    stands(watch, family, "*")
    watch.restart()
    await watch.settle()
    assert not watch.over(), "nobody has registered it"
    watch.refuses = refuses
    watch.becomes(school())
    await watch.settle()
    assert watch.over() == [(DISTRICT, f"{family}:{VAPE}")], "it goes on though its row stands, and hides its next shot"


@in_virtual_time
async def test_what_was_registered_while_alertd_was_down_leaves_none_behind() -> None:
    watch = Watch(school())
    stands(watch, "sensor_unregistered", "0123456789abcdef")
    stands(watch, "unregistered", VAPE)
    device = replace(school().devices[DeviceId(VAPE)], id=DeviceId("01-23-45-67-89-AB-CD-EF"))
    known = school()
    watch.becomes(replace(known, devices={**known.devices, device.id: device}))
    watch.restart()
    await watch.settle()
    key = "sensor_unregistered:0123456789abcdef"
    assert watch.over() == [(DISTRICT, key)], "the row writes its address in another way; a press is somebody's to see"


@in_virtual_time
async def test_one_that_is_registered_as_a_gateway_goes_on_pressing_nothing() -> None:
    watch = Watch(school(vape_wc={"kind": DeviceKind.GATEWAY}))
    stands(watch, "sensor_unregistered", VAPE)
    watch.restart()
    await watch.settle()
    assert not watch.over(), "told anew with each of its messages"
