"""`alertd-sim devices play` speaks on topics that such a device has, and on no other: its own profile reads each."""

from collections.abc import Callable, Iterator

import pytest
from msgspec.structs import replace

from alertd.model.ids import DeviceId, SiteId
from alertd.model.site import Device, DeviceKind, Gestures
from alertd.ports import Surroundings, UncoveredError
from alertd_adapters.decoders.mapping.checking import registry_of
from alertd_adapters.decoders.mapping.plugin import plugin
from alertd_simulator.devices import Payload
from alertd_simulator.families.catalogue import Family, families
from alertd_simulator.families.frames import CannotSayError
from alertd_simulator.family_devices import registered, steps_of
from alertd_simulator.family_player import USAGE, Wish, run_devices
from alertd_simulator.family_speaker import NotPlayableError, Speaker
from alertd_simulator.family_ways import How
from tests.simulator.families.test_playing_devices import NOW_US, sections

NAMES = {"theengs/fixed-code-433": "5592405", "sparkplug-b/sparkplug-inputs": "node:dev", "zwave-js-ui": "hall:7",
         "home-assistant": "hall:desk", "paradox-pai": "paradox", "alarmo": "alarmo"}  # fmt: skip
HALL = {"source": "shelly-gen1"}
FEW = (
    "shelly-gen1",
    "tasmota",
    "meraki",
    "zigbee2mqtt",
    "chirpstack-v4/milesight-ws101",
    "sparkplug-b/sparkplug-inputs",
)


def a_speaker(family: Family, *, narrow: bool) -> Speaker:
    """Heard by a trigger for everything of it, or for what it is played with only."""
    device = NAMES.get(family.name, "24E1240000000101")
    bare = Speaker(device=device, button="", family=family, topic_filter="")
    if not narrow:
        return replace(bare, topic_filter="#")
    pressed = said(bare, family.acts[0])[-1].topic
    levels = ["+" if level.casefold() == device.casefold() else level for level in pressed.split("/")]
    return replace(bare, topic_filter="/".join(levels))


def played(speaker: Speaker) -> Iterator[Payload]:
    for how in How:
        try:
            act = "" if speaker.family.press else speaker.family.acts[0]
            steps = steps_of(speaker, how, act=act, times=2, now_us=NOW_US)
        except (NotPlayableError, CannotSayError):
            continue
        yield from (each for _, payloads in steps for each in payloads)


def reader(speaker: Speaker) -> Callable[[Payload], bool]:
    """Does alertd read it? One decoder for all: Sparkplug's births come first."""
    registry = registry_of([speaker.device], speaker.family.profile)
    within = Surroundings(clock=None, http=None, secret=str, registry=lambda: registry)  # type: ignore[arg-type]
    decoder = plugin.build_within({"source": speaker.family.source}, within)

    def is_read(message: Payload) -> bool:
        try:
            decoder.decode(message.topic, message.payload)
        except UncoveredError:
            return False
        return True

    return is_read


def _strange(family: Family) -> list[str]:
    """Topics of what is played on which the family says nothing when it is left alone, or that alertd does not read."""
    wide, narrow = a_speaker(family, narrow=False), a_speaker(family, narrow=True)
    free = replace(wide, topic_filter="")
    own = {each.topic for act in family.acts for each in said(free, act)}
    own |= {topic.replace("gw-sim-1", f"gw-sim-{number}") for topic in own for number in (2, 3)}
    is_read = reader(wide)
    found = [*played(wide), *played(narrow)]
    assert found, "a family that nothing can be played of"
    return [each.topic for each in found if each.topic not in own or not is_read(each)]


def said(speaker: Speaker, act: str) -> list[Payload]:
    ((_, found),) = steps_of(speaker, How.SINGLE, act=act, times=0, now_us=NOW_US)
    return found


@pytest.mark.parametrize("name", FEW)
def test_a_device_speaks_on_its_own_topics_only(name):
    assert _strange(families()[name]) == []


@pytest.mark.slow
def test_so_does_every_family_in_every_way():
    assert {name: found for name, family in families().items() if (found := _strange(family))} == {}


# --- a last will ------------------------------------------------------------------------------------------------------


def shelly(*triggers: dict, telemetry: tuple = ()) -> Speaker:
    (section,) = sections(*triggers)
    found = [replace(section, settings={**section.settings, "telemetry": list(telemetry)})]
    row = Device(id=DeviceId("desk-1"), kind=DeviceKind.BUTTON, site_id=SiteId("oak"), gestures=Gestures(id="g"))
    return registered(row, found, "shelly-gen1")


PRESSES = {"topic": "shellies/+/input_event/+", "decoder": "profiles", "options": HALL}
WILLS = {"topic": "shellies/+/online", "decoder": "profiles", "options": HALL}


def test_a_last_will_that_nothing_hears_is_not_played():
    with pytest.raises(NotPlayableError, match=r"shellies/desk-1/online, which .*input_event.* never hears"):
        steps_of(shelly(PRESSES), How.SILENT, act="", times=0, now_us=NOW_US)


@pytest.mark.parametrize("speaker", [shelly(PRESSES, telemetry=("alertd/telemetry/+", WILLS)), shelly(PRESSES, WILLS)])
def test_one_that_telemetry_or_another_trigger_hears_is(speaker):
    steps = steps_of(speaker, How.SILENT, act="", times=0, now_us=NOW_US)
    assert {each.topic for _, found in steps for each in found} == {"shellies/desk-1/online"}


def test_telemetry_of_another_base_does_not_hear_it():
    other = WILLS | {"topic": "gym/+/online", "options": HALL | {"base": "gym"}}
    with pytest.raises(NotPlayableError, match="never hears"):
        steps_of(shelly(PRESSES, telemetry=(other,)), How.SILENT, act="", times=0, now_us=NOW_US)


def test_the_command_says_so_and_fails(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("alertd_simulator.family_player._speaker", lambda wish, config: shelly(PRESSES))
    wish = Wish(device="desk-1", family="shelly-gen1", how=How.SILENT, dry_run=True)
    assert run_devices(wish) == USAGE
    assert "never hears" in capsys.readouterr().err
