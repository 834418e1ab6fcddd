"""A room by any name that people have for it, as a district's configuration names rooms; and never another one."""

from types import SimpleNamespace
from typing import Any

import pytest

from alertd.console.naming import find_device, find_zone
from alertd.console.refusals import RefusedError
from alertd.model.ids import SiteId, ZoneId
from alertd.model.site import Zone
from alertd.testing.store_values import incident


def zone(id_: str, short: str, room: str | None) -> Zone:
    return Zone(id=ZoneId(id_), site_id=SiteId(id_.partition(":")[0]), label=short, short=short, room=room)


SCHOOL = (
    zone("elm:rm-204", "Elm 204", "204"),
    zone("elm:rm-9", "Rm 9", "9"),
    zone("oak:rm-204", "Rm 204", "204"),
    zone("oak:gym", "Gym", None),
    zone("oak:rm-12", "Rm 12", "12"),
    zone("oak:annex-12", "Annex 12", "12"),
    zone("oak:12", "Cellar", "0"),
)


def found(words: str, zones: tuple[Zone, ...] = SCHOOL) -> str:
    backend: Any = SimpleNamespace(registry=lambda: SimpleNamespace(zones={each.id: each for each in zones}))
    return find_zone(backend, incident(1, site_id=SiteId("oak")), words)


@pytest.mark.parametrize("words", ["oak:rm-204", "rm-204", "204", "Rm 204", "rm 204", " RM  204 "])
def test_a_room_is_found_as_its_own_school_names_it(words: str):
    assert found(words) == "oak:rm-204"


@pytest.mark.parametrize("words", ["elm:rm-204", "Elm 204", "rm-9", "Rm 9", "9"])
def test_a_room_of_another_school_is_none_of_this_one(words: str):
    with pytest.raises(RefusedError) as refused:
        found(words)
    assert "Elm" not in refused.value.refusal.remedy


def test_an_id_goes_before_a_number_on_a_door():
    assert found("12") == "oak:12"


def test_a_number_on_two_doors_is_not_guessed():
    with pytest.raises(RefusedError) as refused:
        found("12", SCHOOL[:-1])
    assert all(f'"{name}"' in refused.value.refusal.remedy for name in ("Rm 12", "Annex 12"))


RADIO = "24e124535b316056"


def found_device(typed: str, *registered: str) -> str:
    backend: Any = SimpleNamespace(
        registry=lambda: SimpleNamespace(devices={each: SimpleNamespace(id=each) for each in registered})
    )
    try:
        return find_device(backend, typed).id
    except RefusedError as refused:
        return refused.refusal.error


@pytest.mark.parametrize("typed", [RADIO, "24:e1:24:53:5B:31:60:56", "24-E1-24-53-5B-31-60-56", "24E1 2453 5B31 6056"])
@pytest.mark.parametrize("radio", [RADIO, "24:E1:24:53:5B:31:60:56", "0x24e124535b316056"])
def test_a_radio_is_found_however_its_address_is_spelled(typed: str, radio: str):
    assert found_device(typed, "button-204", "24e124535b316057", radio) == radio, "it is registered, and is not known"


@pytest.mark.parametrize("typed", ["button204", "24:e1:24:53:5b:31:60", "button:204"])
def test_a_name_that_is_no_address_is_not_guessed(typed: str):
    assert "there is no device" in found_device(typed, "button-204", RADIO)
