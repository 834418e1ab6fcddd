"""Who is gone for good is known; whom alertd never heard, or could not, nobody has to miss yet."""

from msgspec.structs import replace

from alertd.model.ids import DeviceId
from alertd.model.site import DeviceKind
from alertd.model.trouble import Trouble
from alertd_simulator.checkers.judge import Judge
from alertd_simulator.checkers.supervising import Supervision
from alertd_simulator.world.happenings import Crashed, FaultBegan, FaultEnded, SignOfLife, Started
from tests.engine.school import BADGE, OAK, device, registry
from tests.simulator.checkers.story import PLAN, Story

WALL = device("wall", DeviceKind.BUTTON, BADGE, zone_id="204", check_in_s=200)
NOBODY_KNOWS = ["wall said nothing for 1080 s, and nobody knows"]


def day() -> Story:
    """It begins while nothing is known of anybody."""
    story = Story(Supervision)
    known = registry()
    story.judge = Judge(replace(known, devices={**known.devices, WALL.id: WALL}), PLAN, (Supervision,))
    return story


def said(story: Story, *, heard: bool) -> Story:
    story.see(SignOfLife, device_id=WALL.id, heard=False, online=None)
    return story.see(SignOfLife, device_id=WALL.id, heard=True, online=None) if heard else story


def fell_silent(story: Story) -> list[str]:
    """Eighteen minutes after the story's last word."""
    return story.heal().at(story.us / 1e6 + 1080).end()


def crashed(story: Story) -> Story:
    return story.see(Crashed, incarnation=1, where="anywhere", power=False, lost_bytes=0)


def test_a_device_that_was_heard_and_said_nothing_more_has_to_be_known() -> None:
    assert fell_silent(said(day().start().at(100), heard=True)) == NOBODY_KNOWS


def test_a_device_that_spoke_while_alertd_could_have_listened_has_to_be_known() -> None:
    assert fell_silent(said(day().start().at(100), heard=False)) == NOBODY_KNOWS


def test_what_was_said_before_anybody_listens_is_missed_by_nobody() -> None:
    assert fell_silent(said(day().start(), heard=False)) == []
    assert fell_silent(said(crashed(day().start().at(90)).at(100), heard=True)) == [], "handed to a dead process"


def test_what_was_said_while_the_way_was_broken_is_missed_by_nobody() -> None:
    story = day().start().at(100).see(FaultBegan, fault="broker_tricks", detail="")
    assert fell_silent(said(story.at(190), heard=False)) == []
    assert fell_silent(said(story.at(1300).see(FaultEnded, fault="broker_tricks").at(1400), heard=False)) != []


def test_while_a_broker_hands_out_no_press_nobody_is_missed() -> None:
    story = said(day().start().at(100), heard=True).at(200).published(1)
    assert story.heal().at(900).arrived(1).at(1_300).end() == []


def test_a_press_that_comes_at_once_makes_nobody_else_heard() -> None:
    story = said(day().start().at(100), heard=True).at(200).published(1)
    assert story.heal().at(201).arrived(1).at(1_180).end() == NOBODY_KNOWS


def heard_at_100_and_crashed_at(seconds: float, *, disk: str = "") -> Story:
    story = day().start()
    if disk:
        story.at(90).see(FaultBegan, fault=disk, detail="")
    crashed(said(story.at(100), heard=True).at(seconds))
    return story.see(Started, incarnation=2)


def test_a_crash_forgets_who_was_heard_for_the_first_time_since_it_was_written_last() -> None:
    assert fell_silent(heard_at_100_and_crashed_at(150)) == []
    assert fell_silent(heard_at_100_and_crashed_at(400)) != []
    assert fell_silent(heard_at_100_and_crashed_at(400, disk="disk_full")) == [], "a full disk takes nothing of it"


def test_on_a_slow_disk_what_was_heard_waits_behind_presses_and_answers() -> None:
    """Seed 785: with commits of up to 16 s its turn had not come when alertd was killed, 136 s after it was heard."""
    assert fell_silent(heard_at_100_and_crashed_at(236, disk="slow_disk")) == []


def test_a_disk_that_has_been_well_for_a_while_has_what_was_heard() -> None:
    story = day().start().at(50).see(FaultBegan, fault="disk_full", detail="").at(60)
    said(story.see(FaultEnded, fault="disk_full").at(100), heard=True)
    assert fell_silent(crashed(story.at(400)).see(Started, incarnation=2)) != []


def test_a_bridge_whose_last_will_was_heard_has_to_be_known() -> None:
    story = day().start().at(100)
    for heard in (False, True):
        story.see(SignOfLife, device_id=DeviceId("gw-oak"), heard=heard, online=False)
    assert fell_silent(story) == ["gw-oak left its last will, and nobody knows that it is gone"]


def left_its_last_will(*, tricks: bool, again: bool = False) -> list[str]:
    story = day().start().at(100)
    if tricks:
        story.see(FaultBegan, fault="broker_tricks", detail="").at(200)
    story.see(SignOfLife, device_id=DeviceId("gw-oak"), heard=False, online=False)
    if tricks:
        story.at(210).see(FaultEnded, fault="broker_tricks")
    if again:
        story.at(220).see(SignOfLife, device_id=DeviceId("gw-oak"), heard=True, online=False)
    return fell_silent(story)


def test_a_last_will_that_its_broker_has_lost_nobody_knows() -> None:
    """Seed 792: at QoS 0. It is retained: whoever listens anew hears it."""
    assert left_its_last_will(tricks=True) == []
    assert left_its_last_will(tricks=True, again=True) != []
    assert left_its_last_will(tricks=False) != [], "nothing was in its way"


def test_a_gateway_whose_return_its_broker_has_lost_is_gone_as_far_as_anybody_knows() -> None:
    def back(*, tricks: bool) -> list[str]:
        story = day().start().at(100).see(SignOfLife, device_id=DeviceId("gw-oak"), heard=False, online=False)
        if tricks:
            story.at(200).see(FaultBegan, fault="broker_tricks", detail="")
        story.see(SignOfLife, device_id=DeviceId("gw-oak"), heard=False, online=True)
        if tricks:
            story.at(210).see(FaultEnded, fault="broker_tricks")
        gone = Trouble(key="gateway:gw-oak", site_id=OAK, summary="gw-oak went offline", raised_us=0)
        return story.heal().at(story.us / 1e6 + 1080).end(troubles=(gone,))

    assert back(tricks=True) == []
    assert back(tricks=False) == ["gw-oak is there again, and is said to be gone"]


GATEWAY = replace(WALL, id=DeviceId("gw-oak"), kind=DeviceKind.GATEWAY, check_in_s=None)


def came_back_unheard(*, connected_anew: bool) -> list[str]:
    """Its last will was heard; that it is back was lost, and the broker says so from memory when it is asked again."""
    story = day()
    known = registry()
    story.judge = Judge(replace(known, devices={**known.devices, GATEWAY.id: GATEWAY}), PLAN, (Supervision,))
    word = {"device_id": GATEWAY.id}
    story.start().at(100).see(SignOfLife, heard=False, online=False, **word).see(
        SignOfLife, heard=True, online=False, **word
    )
    story.at(200).see(FaultBegan, fault="broker_tricks", detail="").at(210).see(
        SignOfLife, heard=False, online=True, **word
    )
    story.at(300).see(FaultEnded, fault="broker_tricks")
    if connected_anew:
        story.see(FaultBegan, fault="broker_drops", detail="").see(FaultEnded, fault="broker_drops")
    story.at(320).see(SignOfLife, heard=True, online=True, retained=True, **word)
    stands = Trouble(site_id=OAK, key="gateway:gw-oak", summary="gw-oak went offline", raised_us=0)
    return story.heal().at(1_400).end(troubles=(stands,))


def test_a_brokers_memory_is_not_believed_against_what_was_heard_over_the_same_connection() -> None:
    assert came_back_unheard(connected_anew=False) == []


def test_a_brokers_memory_is_believed_over_a_new_connection() -> None:
    assert came_back_unheard(connected_anew=True) == ["gw-oak is there again, and is said to be gone"]
