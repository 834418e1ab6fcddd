"""A press, from the first arrival to what people read."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from alertd.model.decision import FeedbackState
from alertd.model.events import Pressed, Unregistered
from alertd.model.ids import DeviceId, SiteId, ZoneId
from alertd.model.incident import AnswerKind, EscalationState, IncidentClass, IncidentState
from alertd.model.notification import Kind, Lane
from alertd.model.policy import Step
from alertd.model.reason import Reason
from alertd.model.site import DeviceKind, StateRules
from tests.engine.play import Play
from tests.engine.school import ASSIST, ELM, LOCKDOWN, OAK, PSAP, group, policy, registry

MINUTE_US = 60_000_000


def test_eight_presses_tell_responders_staff_and_dispatch_at_once() -> None:
    """Req 6: no channel waits for another."""
    play = Play()
    play.press(count=8)

    assert play.said() == [
        ("psap", "dispatch_new"),
        ("Ruiz", "alert"),
        ("Chen", "alert"),
        ("Nurse", "alert"),
        ("Okafor", "alert"),
        ("Diaz", "alert"),
    ]
    (text,) = play.texts_to("Ruiz")
    assert text == (
        "OAK ELEM Rm 204, 2nd fl East: LOCKDOWN 10:42. Okafor badge, 8 presses. "
        "Reply 417 going, 517 arrived, 617 cannot go."
    )
    assert play.texts_to("Diaz") == ["OAK ELEM: LOCKDOWN 10:42. Locks, lights, out of sight."]


@pytest.mark.parametrize("spelled", ["0x00158d0001a2b3c4", "0X00158D0001A2B3C4", "00:15:8d:00:01:a2:b3:c4"])
def test_promise_2_a_button_is_heard_however_its_address_is_spelled(spelled: str) -> None:
    """The label, Zigbee2MQTT and the registry each spell it in their own way, whatever the decoder."""
    school = registry()
    badge = school.devices[DeviceId("badge-204")]
    label = DeviceId("00158D0001A2B3C4")
    play = Play(replace(school, devices={**school.devices, label: replace(badge, id=label)}))
    play.press(spelled, count=8)

    assert play.said()[:2] == [("psap", "dispatch_new"), ("Ruiz", "alert")], "promise 2: it pages nobody"


def test_single_presses_count_upward_and_act_the_moment_a_threshold_is_reached() -> None:
    """Promise 2, req 3: three presses are an assist at once, eight upgrade the same incident."""
    play = Play()
    heard: list[str] = []
    for _ in range(8):
        play.press(count=None)
        play.wait(0.5)
        heard.append(next((str(i.incident_class) for i in play.state.incidents.values()), "-"))

    assert heard == ["-", "-", "staff_assist", *["staff_assist"] * 4, "lockdown"]
    assert len(play.state.incidents) == 1


def test_presses_further_apart_than_the_window_start_anew() -> None:
    play = Play()
    for _ in range(6):
        play.press(count=None)
        play.wait(11)

    assert not play.state.incidents
    assert play.reasons() == [Reason.BELOW_GESTURE] * 6


@pytest.mark.parametrize("step_s", [-3 * 3600, 3 * 3600])
def test_a_step_of_the_clock_within_a_gesture_does_not_split_it(step_s: int) -> None:
    """Promise 2: the device has no clock; somebody sets ours after the second press."""
    play = Play()
    for number in range(3):
        play.press(count=None)
        play.wait(0.5)
        if number == 1:
            play.stepped_us += step_s * 1_000_000

    assert [str(incident.incident_class) for incident in play.state.incidents.values()] == ["staff_assist"]


def test_a_press_is_confirmed_to_the_presser_even_below_the_threshold() -> None:
    """Req 7."""
    play = Play()
    play.press(count=1)

    assert [c.state for c in play.confirmations] == [FeedbackState.RECEIVED]


def test_an_upgrade_tells_everyone_anew_under_the_graver_policy() -> None:
    play = Play()
    play.press(count=3)
    play.news()
    play.press(count=8)

    assert play.said() == [
        ("psap", "dispatch_new"),
        ("Ruiz", "alert"),
        ("Chen", "alert"),
        ("Nurse", "alert"),
        ("Okafor", "alert"),
        ("Diaz", "alert"),
    ]
    assert play.incident.incident_class is IncidentClass.LOCKDOWN


def test_whoever_was_told_before_an_upgrade_stays_told() -> None:
    """The graver policy does not name them at first: they hear of it, of the next room, and how it ends."""
    play = Play(registry(policy("staff_assist", Step(targets=(group("second"),), wait_s=300))))
    play.press(count=3)
    assert play.said() == [("Nurse", "alert")]
    play.registry = registry(policy("lockdown", Step(targets=(group("first"), PSAP), wait_s=300)))
    play.press(count=8)
    assert ("Nurse", "alert") in play.said()
    play.press("badge-118")
    assert ("Nurse", "also") in play.said(), "the second room is told to everybody who was told of the first"
    play.correct()
    assert ("Nurse", "correction") in play.said()


def test_an_upgrade_during_a_paused_escalation_looks_for_people_again() -> None:
    play = Play()
    play.press(count=3)
    play.reply("Ruiz", "417")
    assert play.incident.escalation is EscalationState.PAUSED
    play.press(count=8)

    assert play.incident.escalation is EscalationState.RUNNING
    play.news()
    play.wait(30)
    assert ("Nurse", "reminder") in play.said()


def test_a_second_room_is_news_to_everyone_told_and_to_dispatch_at_once() -> None:
    play = Play()
    play.press("badge-204")
    play.news()
    play.wait(1)
    play.press("badge-118")

    assert set(play.said()) == {
        ("Ruiz", "also"),
        ("Chen", "also"),
        ("Nurse", "also"),
        ("Okafor", "also"),
        ("Diaz", "also"),
        ("psap", "dispatch_update"),
    }
    assert "Rm 118, 1st fl West ALSO pressed 10:42, Diaz badge" in play.texts_to("Ruiz")[-1]


def test_a_repeat_from_the_same_room_tells_nobody_new_and_says_why() -> None:
    """Promise 4."""
    play = Play()
    play.press("badge-204")
    play.news()
    play.press("badge-204")

    assert play.said() == []
    assert Reason.MERGED_REPEAT in play.reasons()


def test_after_an_answer_and_a_silence_the_same_button_is_news() -> None:
    """Promise 2: a panic is not merged away into an incident that everybody believes is looked after."""
    play = Play()
    play.press("badge-204", 3)
    play.reply("Ruiz", "417")
    play.news()
    play.wait(90)
    play.press("badge-204", 3)

    assert {kind for _, kind in play.said()} == {"also"}
    assert play.incident.escalation is EscalationState.RUNNING


def test_a_device_that_repeats_its_level_does_not_cry_again() -> None:
    play = Play()
    play.press("badge-204", 3)
    play.reply("Ruiz", "417")
    play.news()
    for _ in range(30):
        play.wait(5)
        play.press("badge-204", 3)

    assert play.said() == []


def test_the_same_press_delivered_again_is_known() -> None:
    play = Play()
    play.press(cause="boot1/17")
    play.news()
    play.press(cause="boot1/17")

    assert play.said() == []
    assert play.reasons()[-1] is Reason.DUPLICATE


def test_a_counter_that_started_again_is_a_press_of_its_own() -> None:
    """Doubt may merge, never drop."""
    play = Play()
    play.press(count=3, cause="1")
    play.resolve()
    play.wait(7200)
    play.news()
    play.press(count=3, cause="1")

    assert ("Ruiz", "alert") in play.said()


@pytest.mark.parametrize(("arrived_s", "is_copy"), [(1, True), (59, True), (200, False)])
def test_a_copy_is_one_although_the_disk_was_slow(arrived_s: int, is_copy: bool) -> None:
    """By when it came. Of a small counter the same number is soon another press."""
    play = Play()
    play.press(cause="17", same_s=60)
    play.resolve(rooms_released=True)
    play.wait(max(100, arrived_s))
    play.press(cause="17", same_s=60, boot_us=arrived_s * 1_000_000)
    assert bool(play.state.incidents) is not is_copy, "a copy is one although the disk is slow, and nothing else is"


@pytest.mark.parametrize(("waited_s", "is_copy"), [(100, True), (600, False)])
def test_what_is_delivered_again_is_a_copy_however_long_its_broker_was_away(waited_s: int, is_copy: bool) -> None:
    """It came 90 s ago, and its acknowledgement could not leave. What came long before it is another press."""
    play = Play()
    play.press(cause="17", same_s=60)
    play.resolve(rooms_released=True)
    play.wait(waited_s)
    play.press(cause="17", same_s=60, again_after_us=90_000_000)
    assert bool(play.state.incidents) is not is_copy, "one press counts twice, or another one not at all"


@pytest.mark.parametrize(("days", "presses"), [(60, 3), (-60, 3), (0, 1)], ids=["years off", "ahead", "set"])
def test_promise_2_with_a_clock_that_nobody_set_a_number_tells_no_presses_apart(days: int, presses: int) -> None:
    """A button that its press switches on is number 1 each time, and its clock stands where its firmware was made."""
    play = Play()
    made_us = play.now_us - days * 24 * 60 * MINUTE_US
    for _ in range(3):
        play.press(count=1, cause="1", same_s=60, needs_clock=True, pressed_us=made_us)
        play.wait(3)
    assert bool(play.state.incidents) is (presses == 3), "promise 2: three presses, and nobody is called"


def test_a_cause_that_was_seen_hours_from_now_is_no_copy() -> None:
    """A machine whose clock was hours ahead has taken it up, and died: nobody knows when that was."""
    play = Play()
    play.press(cause="1")
    play.resolve(rooms_released=True)
    for cause in play.causes:
        play.causes[cause] += 7_200_000_000
    play.wait(60)
    play.news()
    play.press(cause="1")

    assert ("Ruiz", "alert") in play.said(), "promise 2: doubt pages"


def test_a_press_of_oak_cannot_reach_elm_whatever_the_payload_says() -> None:
    """Promise 6: the blast radius is the device's home, enforced here."""
    play = Play()
    (event,) = play.arrive("badge-204", "press", count=8, heard_by="gw-elm")

    assert isinstance(event, Pressed), "promise 6: a fixed button's press was refused because of what it says"
    assert event.site_id == OAK, "promise 6: a press reached a site that is not the device's home"
    told = {n.recipient for n in play.news()}
    assert "Ruiz" in told, "promise 6: its own site was not told"
    assert "Elmer" not in told, "promise 6: somebody of another site was told, though of a group of the same name"


@pytest.mark.parametrize(
    ("gateway", "site"), [("gw-oak", OAK), ("gw-elm", ELM), (None, OAK), ("nobody", OAK), ("badge-204", OAK)]
)
def test_a_roaming_badge_reaches_the_site_that_heard_it(gateway: str | None, site: str) -> None:
    (event,) = Play().arrive("walker", "press", count=8, heard_by=gateway)

    assert isinstance(event, Pressed)
    assert event.site_id == site


def test_a_roaming_badge_heard_where_it_may_not_press_is_a_trouble() -> None:
    play = Play()
    badge = play.registry.devices[DeviceId("walker")]
    play.registry.devices[DeviceId("gw-far")] = type(badge)(
        id=DeviceId("gw-far"), kind=DeviceKind.GATEWAY, site_id=SiteId("far"), gestures=badge.gestures
    )
    (event,) = play.arrive("walker", "press", count=8, heard_by="gw-far")

    assert isinstance(event, Unregistered), "promise 6: a roaming badge pressed for a site that is not in its list"
    assert event.site_id == OAK, "promise 6: the trouble of a badge belongs to its home"


def test_a_wearable_is_near_where_it_was_heard_never_in_its_home_room() -> None:
    """Req 5."""
    play = Play()
    play.press("walker", 8, heard_by="gw-oak")

    assert "NEAR Rm 118, 1st fl West (heard just now)" in play.texts_to("Ruiz")[0]


def test_a_wearable_that_no_gateway_heard_says_so() -> None:
    play = Play()
    play.press("walker", 8)

    assert "place UNKNOWN" in play.texts_to("Ruiz")[0]


def test_a_number_that_is_used_again_in_another_room_is_told_to_everybody() -> None:
    """A small counter, in an incident that lasts: its press is one of its own, and so is what is said of it."""
    school = registry()
    here = school.devices[DeviceId("gw-oak")]
    zones = {f"gw-{zone}": replace(here, id=DeviceId(f"gw-{zone}"), zone_id=ZoneId(zone)) for zone in ("204", "gym")}
    play = Play(replace(school, devices={**school.devices, **{d.id: d for d in zones.values()}}))
    told: list[list[str]] = []
    for gateway, number in (("gw-oak", 17), ("gw-204", 18), ("gw-gym", 18)):
        play.news()
        play.arrive("walker", "hold", cause=str(number), same_s=60, heard_by=DeviceId(gateway))
        told.append([n.recipient for n in play.news() if n.kind is Kind.ALSO])
        play.wait(100)

    assert told[1]
    assert told[2] == told[1], "promise 2: the number of another press hid where this one was"


def test_an_unregistered_button_rings_the_admin_at_once() -> None:
    play = Play(site_id="district")  # type: ignore[arg-type]
    play.arrive("stranger")

    (note,) = play.news()
    assert note.recipient == "Ruiz"
    assert "stranger" in note.text
    assert note.lane is Lane.PANIC


def test_a_late_press_tells_responders_at_once_and_dispatch_after_a_human() -> None:
    play = Play()
    play.press(backlog_since_us=play.now_us - 180 * MINUTE_US)

    said = play.said()
    assert ("Ruiz", "alert") in said
    assert ("psap", "dispatch_new") not in said
    assert "PRESSED BETWEEN 07:42 AND 10:42" in play.texts_to("Ruiz")[0]
    play.wait(1)
    play.reply("Ruiz", "417")
    assert ("psap", "dispatch_new") in play.said()


def test_who_cannot_go_confirms_no_late_press() -> None:
    """Req 15, 35: they know no more of it than the text says."""
    play = Play()
    play.press(backlog_since_us=play.now_us - 180 * MINUTE_US)
    play.wait(1)
    play.reply("Ruiz", "617")
    play.answer("Chen", AnswerKind.CANNOT_GO)

    assert ("psap", "dispatch_new") not in play.said(), '"cannot go" told dispatch of a press that nobody confirmed'
    play.reply("Chen", "417")
    assert ("psap", "dispatch_new") in play.said()


def test_nobody_confirms_a_late_press_and_dispatch_is_told_after_the_timeout() -> None:
    """Req 15: silence is not a veto."""
    play = Play()
    play.press(backlog_since_us=play.now_us - 180 * MINUTE_US)
    play.news()
    play.wait(299)
    assert ("psap", "dispatch_new") not in play.said()
    play.wait(2)

    assert ("psap", "dispatch_new") in play.said()


def test_a_press_from_a_short_outage_is_not_late() -> None:
    play = Play()
    play.press(backlog_since_us=play.now_us - 60_000_000)

    assert ("psap", "dispatch_new") in play.said()


@pytest.mark.parametrize(("before", "waited"), [(1, 2), (2, 1), (2, 2)])
def test_a_gesture_that_the_line_was_lost_in_is_one(before: int, waited: int) -> None:
    """Pressed before and after the connection was lost: what waited may belong to what was heard (promise 2)."""
    play = Play()
    for _ in range(before):
        play.press(count=None)
        play.wait(0.5)
    lost_us = play.now_us
    play.wait(20)
    for _ in range(waited):
        play.press(count=None, backlog_since_us=lost_us)

    assert play.state.incidents, "promise 2: three presses around a lost line paged nobody"
    assert play.incident.incident_class is IncidentClass.STAFF_ASSIST


def test_what_waited_since_long_after_a_press_is_no_part_of_its_gesture() -> None:
    play = Play()
    play.press(count=None)
    play.press(count=None)
    play.wait(60)
    lost_us = play.now_us
    play.wait(20)
    play.press(count=None, backlog_since_us=lost_us)

    assert not play.state.incidents


@pytest.mark.parametrize("arrive", [(0, 8, 16), (0, 16, 8), (16, 0, 8), (8, 0, 16), (16, 8, 0)])
def test_presses_that_overtake_each_other_are_one_gesture(arrive: tuple[int, ...]) -> None:
    play = Play()
    began_us = play.now_us - 40_000_000
    for after_s in arrive:
        play.press(count=None, pressed_us=began_us + after_s * 1_000_000)

    assert play.state.incidents, "promise 2: three presses that overtake each other paged nobody"
    assert play.incident.incident_class is IncidentClass.STAFF_ASSIST


def test_eight_presses_of_which_every_second_overtakes_are_a_lockdown() -> None:
    play = Play()
    began_us = play.now_us - 40_000_000
    for after_s in (0, 9, 18, 27, 4, 13, 22, 31):
        play.press(count=None, pressed_us=began_us + after_s * 1_000_000)

    assert play.incident.incident_class is IncidentClass.LOCKDOWN, "promise 2: eight presses are no lockdown"


def test_counts_from_a_backlog_without_device_time_never_upgrade() -> None:
    play = Play()
    for _ in range(10):
        play.press(count=None, backlog_since_us=play.now_us - MINUTE_US)

    assert play.incident.incident_class is IncidentClass.STAFF_ASSIST


def test_a_retained_message_never_pages_but_rings_the_admin() -> None:
    """Req 41."""
    play = Play()
    play.press(retained=True)

    assert not play.state.incidents
    assert [(n.recipient, n.kind.value) for n in play.news()] == [("Ruiz", "trouble")]


def test_what_a_device_says_first_of_how_it_stands_never_pages_but_rings_the_admin() -> None:
    """A strip that hangs since last year must not call a school; one pulled a minute ago must not be passed over."""
    play = Play()
    play.press(standing=True)

    assert not play.state.incidents, "a strip that hangs called a school"
    (rung,) = play.news()
    assert (rung.recipient, rung.kind.value) == ("Ruiz", "trouble"), "somebody on duty has to look"
    assert "nobody heard since when. Was it pressed?" in rung.text


def test_how_a_device_stands_that_has_pressed_is_no_news() -> None:
    play = Play()
    play.press()
    play.news()
    play.press(standing=True)

    assert play.news() == []


def test_a_site_that_confirms_first_tells_dispatch_when_a_human_says_so() -> None:
    """Req 14."""
    play = Play(registry(rules=StateRules(confirm_before_dispatch="timed", confirm_timeout_s=45)))
    play.press()
    assert ("psap", "dispatch_new") not in play.said()
    play.wait(46)

    assert ("psap", "dispatch_new") in play.said()


def test_where_confirming_is_required_only_those_in_charge_confirm() -> None:
    """Req 14: the groups whose answers the step counts. With "timed" whoever goes does; req 15: silence is no veto."""
    told_first, *later = LOCKDOWN.steps
    in_charge = policy("lockdown", replace(told_first, answer_from=("admins",)), *later)
    told = {}
    for confirm in ("timed", "required"):
        play = Play(registry(in_charge, rules=StateRules(confirm_before_dispatch=confirm, confirm_timeout_s=20)))
        play.press()
        told[confirm] = [who for who in ("Chen", "Ruiz") if _tells_dispatch(play, who)]

    assert told["timed"] == ["Chen"], "req 14: a human went, and dispatch still waits"
    assert told["required"] == ["Ruiz"], "req 14: somebody else's word counted for those in charge"


def _tells_dispatch(play: Play, who: str) -> bool:
    """Is it this person's answer that dispatch was waiting for?"""
    play.said()
    play.answer(who)
    return ("psap", "dispatch_new") in play.said()


def test_a_cancel_window_holds_a_staff_assist_only() -> None:
    """Promise 2; req 95."""
    assist = policy("staff_assist", *ASSIST.steps, cancel_window_s=8)
    lockdown = policy("lockdown", *registry().policies["lockdown"].steps, cancel_window_s=8)  # type: ignore[index]
    play = Play(registry(assist, lockdown))
    play.press("badge-204", 3)
    assert play.said() == []
    play.press("badge-118", 8)
    assert ("Ruiz", "alert") in play.said(), "promise 2: a cancel window delayed a lockdown"
    play.wait(9)
    assert ("Ruiz", "alert") in play.said()


def test_a_staff_assist_cancelled_in_its_window_told_nobody() -> None:
    play = Play(registry(policy("staff_assist", *ASSIST.steps, cancel_window_s=8)))
    play.press("badge-204", 3)
    play.resolve("Okafor")
    play.wait(60)

    assert play.said() == []
    assert not play.state.incidents


def test_pressing_on_in_the_cancel_window_ends_it() -> None:
    play = Play(registry(policy("staff_assist", *ASSIST.steps, cancel_window_s=8)))
    play.press("badge-204", 3)
    play.wait(1)
    play.press("badge-204", 4)

    assert ("Ruiz", "alert") in play.said()
    assert play.incident.state is IncidentState.ACTIVE


def test_a_class_without_a_policy_pages_the_whole_staff() -> None:
    play = Play()
    site = play.registry.sites[OAK]
    site.policies.pop("lockdown")
    play.press()

    assert {r for r, _ in play.said()} == {"Ruiz", "Chen", "Nurse", "Okafor", "Diaz"}


def test_an_unknown_action_is_a_trouble_because_it_may_have_been_a_press() -> None:
    play = Play()
    play.arrive("badge-204", "wiggle")

    assert [(n.recipient, n.kind.value) for n in play.news()] == [("Ruiz", "trouble")]


def test_a_release_means_nothing() -> None:
    play = Play()
    play.arrive("wall-gym", "release")

    assert play.said() == []
    assert not play.state.troubles


def test_a_vape_sensor_tells_admins_only_and_ends_by_itself() -> None:
    """Req 70."""
    play = Play()
    play.arrive("vape-wc", "vape")
    assert [r for r, _ in play.said()] == ["Ruiz"]
    play.wait(3600)

    assert play.said() == []
    assert not play.state.incidents
    play.arrive("vape-wc", "vape")
    assert [r for r, _ in play.said()] == ["Ruiz"]


@given(st.permutations(["badge-204", "badge-118", "walker", "wall-gym", "vape-wc"]), st.integers(1, 12))
def test_a_first_panic_is_told_whatever_came_before(order: list[str], count: int) -> None:
    """Promise 2: nothing silences a first panic."""
    play = Play()
    for device_id in order[:-1]:
        play.arrive(device_id, "vape" if device_id == "vape-wc" else "press", count=count)
        play.wait(0.1)
    play.news()
    last = order[-1]
    if last == "vape-wc":
        return
    play.arrive(last, "press", count=8)

    told = {n.recipient for n in play.news()}
    first_responders = {"Nurse"} if last == "wall-gym" else {"Ruiz", "Chen"}
    assert first_responders <= told, "promise 2: a first panic told nobody"


def test_a_device_whose_clock_is_slow_is_named_to_an_admin() -> None:
    """Each of its presses would be late, and dispatch would wait for a human, and nobody would know why."""
    play = Play()
    play.press(pressed_us=play.now_us - 180_000_000, cause="slow")

    assert [(n.recipient) for n in play.news() if n.kind.value == "trouble"] == ["Ruiz"]
    assert "set its clock" in play.texts_to("Ruiz")[0] + play.texts_to("Ruiz")[1]


def test_promise_2_presses_that_a_gateway_held_up_do_not_break_the_count_of_those_of_now():
    """Two gestures of one badge arrive press by press between each other, each press with its own time."""
    play = Play()
    earlier = play.now_us - 60_000_000
    for number in range(8):
        play.arrive("badge-204", "press", pressed_us=earlier + number * 300_000)
        play.arrive("badge-204", "press", pressed_us=play.now_us + number * 300_000)

    assert {i.incident_class for i in play.state.incidents.values()} == {IncidentClass.LOCKDOWN}, (
        "promise 2: sixteen presses, and nobody locks down"
    )


DAY_US = 24 * 3600 * 1_000_000


@pytest.mark.parametrize("days", [2, 3, 14, 30])
def test_what_a_gateway_kept_for_days_is_late_and_dispatch_waits(days: int) -> None:
    """Late: it may be older than 120 s by device time. People hear of it at once; a trouble says which clock to set."""
    play = Play()
    play.press(count=8, pressed_us=play.now_us - days * DAY_US)

    said = play.said()
    assert ("Ruiz", "alert") in said, "promise 2: a late press is told at once"
    assert ("psap", "dispatch_new") not in said, "a press of days ago sends the police"
    since = datetime.fromtimestamp((play.now_us - days * DAY_US) / 1e6, UTC).strftime("%-d %b").upper()
    (between,) = {
        row.notification.params["between"] for row in play.rows.values() if "between" in row.notification.params
    }
    assert between == f"{since} AND NOW", "which day, nobody can read"
    assert play.incident.presses[0].pressed_us is None
    assert "device_clock:badge-204" in play.state.troubles


@pytest.mark.parametrize("at_most_s", [None, 600])
def test_what_was_held_up_on_its_way_blames_no_clock(at_most_s: int | None) -> None:
    play = Play()
    play.press(count=8, late=True, at_most_us=at_most_s and at_most_s * 1_000_000)

    assert ("psap", "dispatch_new") not in play.said()
    summary = play.state.troubles["device_clock:badge-204"].summary
    assert "clock" not in summary, "it says nothing of its clock, and that may be right"
    minutes = 24 * 60 if at_most_s is None else 10
    assert f"was pressed up to {minutes} min before that was heard: dispatch waits for a human." in summary


def test_what_was_let_go_seconds_before_is_a_press_of_now() -> None:
    """A birth of Sparkplug tells of it; how it stood before is known."""
    play = Play()
    play.press(count=8, late=True, at_most_us=14_000_000)

    assert ("psap", "dispatch_new") in play.said(), "dispatch waits for what cannot be older than 14 s"
    assert not [text for text in play.texts_to("Ruiz") if "BETWEEN" in text]
    assert "device_clock:badge-204" not in play.state.troubles


@pytest.mark.parametrize("days", [32, 400, 20_000])
def test_a_clock_that_was_never_set_makes_no_press_late(days: int) -> None:
    play = Play()
    play.press(count=8, pressed_us=play.now_us - days * DAY_US)

    assert ("psap", "dispatch_new") in play.said(), "promise 2: a fresh press waits for a human because of a clock"
    assert not play.state.troubles


def test_a_clock_that_was_never_set_hides_no_wait_at_the_broker() -> None:
    play = Play()
    play.press(count=8, pressed_us=play.now_us - 400 * DAY_US, backlog_since_us=play.now_us - 3_600_000_000)

    assert ("psap", "dispatch_new") not in play.said()
