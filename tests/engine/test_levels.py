"""States that last: one call for help however often it is said, and another one once the device ended it."""

import msgspec
import pytest
from msgspec.structs import replace

from alertd.engine.levels import STATES_MAX
from alertd.model.device_memory import GestureCount
from alertd.model.events import ClockStepped, Lasting, ResolveOrdered, TroubleAcknowledged
from alertd.model.ids import CauseId, DeviceId, ZoneId
from alertd.model.incident import EscalationState, IncidentClass, IncidentState
from alertd.model.notification import Kind, Lane, Notification
from alertd.model.people import Endpoint
from alertd.model.policy import Step, Target, TargetKind
from alertd.model.reason import Reason
from alertd.model.site import StateRules
from tests.engine.play import Play
from tests.engine.school import ASSIST, OAK, group, policy, registry

PANIC = Lasting(repeats_s=600)


def says(play: Play, **more: object) -> None:
    """The wall button says that it is in its panic state."""
    play.arrive("badge-204", "hold", lasting=PANIC, **more)


def over(play: Play) -> None:
    play.arrive("badge-204", "hold", lasting=PANIC, ends=True)


def incidents(play: Play) -> int:
    return len(play.state.incidents) + len(play.closed)


def close(play: Play) -> None:
    play.resolve(rooms_released=True)
    assert not play.state.incidents


def test_a_state_opens_an_incident_although_the_message_that_began_it_was_lost():
    play = Play()
    says(play)

    assert [i.incident_class for i in play.state.incidents.values()] == [IncidentClass.LOCKDOWN]


def test_a_state_that_is_said_again_and_again_tells_nobody_again():
    play = Play()
    says(play)
    told = len(play.rows)
    for _ in range(20):
        play.wait(1)
        says(play)

    (incident,) = play.state.incidents.values()
    assert incident.presses[0].count == 1, "a repeat is no press"
    assert not [n for n in list(play.rows.values())[told:] if n.notification.kind == "also"]
    assert Reason.STILL_ON in play.reasons()


def test_it_is_no_news_after_somebody_answered_either():
    play = Play()
    says(play)
    play.answer("Ruiz")
    sent = set(play.rows)
    for _ in range(5):
        play.wait(120)
        says(play)

    kinds = {row.notification.kind for id_, row in play.rows.items() if id_ not in sent}
    assert "also" not in kinds
    assert "alert" not in kinds


def test_a_state_whose_incident_was_closed_opens_none_and_is_a_trouble():
    play = Play()
    says(play)
    close(play)
    play.wait(300)
    says(play)

    assert incidents(play) == 1
    (trouble,) = (t for t in play.state.troubles.values() if t.key.startswith("still_on"))
    assert "badge-204" in trouble.key
    assert "reset it" in trouble.summary


def test_what_the_device_ended_closes_nothing():
    play = Play()
    says(play)
    over(play)

    assert len(play.state.incidents) == 1
    assert Reason.STATE_ENDED in play.reasons()


def test_after_its_end_it_calls_again():
    play = Play()
    says(play)
    close(play)
    says(play)
    over(play)
    assert not [t for t in play.state.troubles.values() if t.key.startswith("still_on")]
    says(play)

    assert incidents(play) == 2, "promise 2: a press after the device was reset pages"


@pytest.mark.parametrize(("said_s", "decided_s", "calls"), [(500, 700, 1), (700, 1000, 2)])
def test_its_silence_is_as_long_as_it_was_silent_however_long_the_disk_takes(said_s: int, decided_s: int, calls: int):
    play = Play()
    play.wait(400)
    says(play, boot_us=0)
    close(play)
    play.wait(decided_s - 400)
    says(play, boot_us=said_s * 1_000_000)
    assert incidents(play) == calls, "promise 2: after a longer silence it is another call, and only then"


def test_after_a_longer_silence_than_its_kind_knows_it_calls_again():
    """The message that ended it may have been lost: doubt pages."""
    play = Play()
    says(play)
    close(play)
    play.wait(601)
    says(play)

    assert incidents(play) == 2, "promise 2: doubt pages"


def test_a_moment_is_a_press_whatever_lasts_and_its_state_belongs_to_it():
    """Abeeway: SOS_MODE_START, then sosFlag 1 in each position."""
    play = Play()
    play.arrive("badge-204", "hold")
    close(play)
    says(play)
    assert incidents(play) == 1, "the state of a call that is over"
    play.arrive("badge-204", "hold")

    assert incidents(play) == 2, "promise 2: the key was pressed again"


def test_two_buttons_of_one_device_are_two_states():
    play = Play()
    play.arrive("badge-204", "hold", lasting=Lasting(repeats_s=600, what="1"))
    play.arrive("badge-204", "hold", lasting=Lasting(repeats_s=600, what="2"))

    assert Reason.STILL_ON not in play.reasons()


def test_a_count_that_is_said_again_is_the_same_press_and_another_count_is_another():
    """Shelly: published again and again with the same event_cnt, which wraps from 9999 to 1 and starts anew."""
    play = Play()

    def count(number: int) -> None:
        play.arrive("badge-204", "press", lasting=Lasting(repeats_s=600, what="0", state=str(number)))

    for number in (9998, 9998, 9999, 9999, 9999, 1):
        count(number)

    (incident,) = play.state.incidents.values()
    assert incident.presses[0].count == 3, "three presses of the badge are a staff assist"


ON = Lasting(repeats_s=700)
"""A switch on a wire, said again every five minutes; each ON that is heard was preceded by an OFF that may be lost."""


def switch(play: Play, times: int, every_s: float = 2) -> None:
    for _ in range(times):
        play.arrive("badge-204", "press", lasting=ON)
        play.wait(every_s)


def classes(play: Play) -> list[str]:
    return [i.incident_class for i in play.state.incidents.values()]


def test_three_presses_are_three_although_what_ended_them_was_lost():
    play = Play()
    switch(play, 2)
    assert not classes(play)
    switch(play, 1)
    assert classes(play) == [IncidentClass.STAFF_ASSIST], "promise 2: a lost OFF costs a press of the gesture"
    switch(play, 20)
    assert classes(play) == [IncidentClass.STAFF_ASSIST], "nobody knows whether it was pressed again, or stayed on"


def test_eight_presses_whose_ends_were_heard_are_certain():
    play = Play()
    for _ in range(8):
        switch(play, 1, every_s=1)
        play.arrive("badge-204", "press", lasting=ON, ends=True)
    assert classes(play) == [IncidentClass.LOCKDOWN], "promise 2: eight presses"


def test_a_press_that_is_taken_for_a_repeat_counts_in_the_gesture_that_it_begins():
    play = Play()
    switch(play, 3)
    close(play)
    play.wait(60)
    switch(play, 1)  # its OFF was lost: for all that anybody knows it is still on
    assert incidents(play) == 1
    for _ in range(2):
        play.arrive("badge-204", "press", lasting=ON, ends=True)
        switch(play, 1)

    assert incidents(play) == 2, "promise 2: three presses within the window"


def test_a_gesture_after_a_call_rings_if_what_ended_its_presses_was_lost():
    """A switch that stays on says the very same: nobody knows, somebody looks, and it does not open call after call."""
    play = Play()
    switch(play, 3)
    close(play)
    play.wait(60)
    play.news()
    switch(play, 2)
    trouble = play.state.troubles["still_on:badge-204"]
    assert not trouble.rings, "it may have stayed on"
    switch(play, 1)
    assert incidents(play) == 1, "one call, until it ends or falls silent"
    trouble = play.state.troubles["still_on:badge-204"]
    assert trouble.rings, "promise 2: three presses, and all of them are taken for a repeat"
    assert any(n.trouble_key == trouble.key and n.lane is Lane.PANIC for n in play.news())


@pytest.mark.parametrize("looked_after", [True, False], ids=["acknowledged", "not acknowledged"])
def test_each_gesture_that_may_be_hidden_rings_and_rings_once(looked_after: bool):
    play = Play()
    switch(play, 3)
    close(play)
    for _ in range(3):
        if looked_after and play.state.troubles:
            play.do(
                TroubleAcknowledged(
                    site_id=play.state.site_id, cause=CauseId("a"), key="still_on:badge-204", by="J. Ruiz"
                )
            )
        play.wait(600)
        play.news()
        switch(play, 2)
        play.news()
        switch(play, 9)
        rung = [n.lane for n in play.news()]
        assert rung, "promise 2: pressed again, and nobody is rung"
        assert rung == [Lane.PANIC], "a gesture is told as one: it rings, and rings once"


def test_a_press_that_was_held_up_and_completes_a_gesture_has_called():
    """The two before it paged nobody, and are newer."""
    play = Play()
    began_us = play.now_us
    for after_s, waited in ((0, False), (4, False), (2, True)):
        at_us = began_us + after_s * 1_000_000
        play.now_us = max(play.now_us, at_us)
        play.arrive("badge-204", "press", lasting=Lasting(repeats_s=60), pressed_us=at_us, late=waited)
    close(play)
    play.wait(2)
    play.arrive("badge-204", "press", lasting=Lasting(repeats_s=60), pressed_us=play.now_us)
    assert incidents(play) == 1, "doubt does not open again what a human has closed"


def test_a_switch_that_stays_on_and_says_so_within_each_window_is_one_call_however_often_it_is_closed():
    play = Play()
    for _ in range(60):
        switch(play, 1, every_s=9)
        if play.state.incidents:
            close(play)
    assert incidents(play) == 1, "doubt does not open again what a human has closed"
    assert play.state.troubles["still_on:badge-204"].rings
    play.arrive("badge-204", "press", lasting=ON, ends=True)
    switch(play, 3)
    assert incidents(play) == 2, "promise 2: it was ended, and pressed again"


def test_a_badge_that_counts_and_says_its_first_press_again_as_quickly_as_people_press_says_the_same_press():
    play = Play()
    for _ in range(12):
        play.press(count=1, lasting=Lasting(repeats_s=20))
        play.wait(4)
    assert not incidents(play), "one press that is said again pages nobody"
    play.press(count=2, lasting=Lasting(repeats_s=20))
    play.press(count=3, lasting=Lasting(repeats_s=20))
    assert incidents(play) == 1, "promise 2: its own count rises"


def test_a_switch_that_stays_on_is_one_press_however_long():
    play = Play()
    switch(play, 3)
    play.wait(60)
    told = set(play.rows)
    switch(play, 20, every_s=300)
    (incident,) = play.state.incidents.values()
    assert incident.presses[0].count == 1
    assert not [row for id_, row in play.rows.items() if id_ not in told and row.notification.kind == "also"]


def test_a_button_that_is_held_and_says_so_every_five_seconds_is_one_press():
    play = Play()
    for _ in range(30):
        play.arrive("badge-204", "press", lasting=Lasting(repeats_s=15))
        play.wait(5)

    assert not play.state.incidents
    assert not play.state.troubles, "nothing has to be reset"


def test_a_higher_count_is_no_repeat():
    """A badge that counts by itself, and says so for as long as somebody presses."""
    play = Play()
    play.arrive("badge-204", "press", count=3, lasting=PANIC)
    play.wait(60)
    play.arrive("badge-204", "press", count=3, lasting=PANIC)
    assert classes(play) == [IncidentClass.STAFF_ASSIST]
    play.arrive("badge-204", "press", count=8, lasting=PANIC)

    assert classes(play) == [IncidentClass.LOCKDOWN], "promise 2: gestures count upward"


def test_a_state_that_meant_nothing_hides_no_call():
    """Its gestures did not know the word; now they do, and it still says so."""
    play = Play()
    play.arrive("wall-gym", "hold", lasting=PANIC)
    assert not play.state.incidents
    device = play.registry.devices[DeviceId("wall-gym")]
    knows = replace(device, gestures=replace(device.gestures, actions={"hold": "medical"}))
    play.registry = replace(play.registry, devices=play.registry.devices | {device.id: knows})
    play.wait(60)
    play.arrive("wall-gym", "hold", lasting=PANIC)

    assert classes(play) == [IncidentClass.MEDICAL], "promise 2: the first call that means something"


def test_a_number_that_is_said_again_after_the_incident_is_no_trouble():
    """Nothing has to be reset: the next press has another number."""
    play = Play()
    for number in (1, 2, 3):
        play.arrive("badge-204", "press", lasting=Lasting(repeats_s=3600, what="0", state=str(number)))
    close(play)
    for _ in range(5):
        play.wait(30)
        play.arrive("badge-204", "press", lasting=Lasting(repeats_s=3600, what="0", state="3"))

    assert incidents(play) == 1
    assert not [t for t in play.state.troubles.values() if t.key.startswith("still_on")]


def test_a_counter_that_starts_anew_with_the_device_is_another_press():
    play = Play()

    def press(**more: object) -> None:
        play.arrive("badge-204", "press", lasting=Lasting(repeats_s=3600, what="0", state="1"), **more)

    for _ in range(3):
        press()
        play.arrive("badge-204", "none", lasting=Lasting(repeats_s=3600, what="0"), ends=True)

    assert len(play.state.incidents) == 1, "three presses, each the first since the device slept"


def test_what_was_said_while_alertd_was_away_is_the_same_call():
    play = Play()
    says(play)
    close(play)
    since = play.now_us
    play.wait(7200)
    says(play, backlog_since_us=since, pressed_us=since + 60_000_000)

    assert incidents(play) == 1


def test_what_may_have_been_said_at_the_end_of_a_long_absence_is_another_call():
    """Its message that ended the first call may be lost, and the device has no clock."""
    play = Play()
    says(play)
    close(play)
    since = play.now_us
    play.wait(7200)
    says(play, backlog_since_us=since)

    assert incidents(play) == 2, "promise 2: a call of the last minutes is taken for one of hours ago"


def set_clock(play: Play, step_s: int, *, told: bool) -> None:
    """`told`: the site hears of it; one where nothing goes on does not."""
    play.stepped_us += step_s * 1_000_000
    if told:
        play.do(ClockStepped(site_id=OAK, step_us=step_s * 1_000_000))


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("step_s", [7200, -7200])
def test_a_clock_that_is_set_makes_no_new_call_of_it(step_s: int, told: bool):
    play = Play()
    says(play)
    close(play)
    play.wait(60)
    set_clock(play, step_s, told=told)
    for _ in range(3):
        says(play)
        play.wait(300)

    assert incidents(play) == 1


@pytest.mark.parametrize("told", [True, False])
def test_a_clock_that_is_set_back_makes_no_repeat_of_a_new_call(told: bool):
    """Silent for two hours; then the clock says that it was a moment."""
    play = Play()
    says(play)
    close(play)
    play.wait(7200)
    set_clock(play, -7200, told=told)
    says(play)

    assert incidents(play) == 2, "promise 2: a first panic after a step of the clock pages"


def test_after_a_reboot_only_the_wall_clock_is_believed():
    play = Play()
    says(play)
    close(play)
    play.boot_id = "another"
    play.wait(300)
    says(play)
    assert incidents(play) == 1, "said again within its time"
    play.wait(601)
    says(play)
    assert incidents(play) == 2


def test_a_badge_that_was_carried_to_another_place_is_news_once():
    school = registry()
    gym = replace(school.devices[DeviceId("gw-oak")], id=DeviceId("gw-gym"), zone_id=ZoneId("gym"))
    play = Play(replace(school, devices=school.devices | {gym.id: gym}))
    play.arrive("walker", "hold", lasting=PANIC, heard_by="gw-oak")
    before = set(play.rows)
    for gateway in ("gw-gym", "gw-oak", "gw-gym", "gw-oak"):
        play.wait(20)
        play.arrive("walker", "hold", lasting=PANIC, heard_by=gateway)

    also = [row for id_, row in play.rows.items() if id_ not in before and row.notification.kind == "also"]
    people = [row.notification.recipient for row in also]
    assert people
    assert len(people) == len(set(people)), "one place more, not four"


TWO_GATEWAYS = registry()
GYM = replace(TWO_GATEWAYS.devices[DeviceId("gw-oak")], id=DeviceId("gw-gym"), zone_id=ZoneId("gym"))
TWO_GATEWAYS = replace(TWO_GATEWAYS, devices=TWO_GATEWAYS.devices | {GYM.id: GYM})


def carried(play: Play, gateway: str) -> list[Notification]:
    """The badge that is in its panic state is heard there; what is told of it."""
    play.wait(20)
    play.news()
    play.arrive("walker", "hold", lasting=PANIC, heard_by=gateway)
    return play.news()


@pytest.mark.parametrize("is_mistake", [False, True], ids=["released", "corrected"])
def test_a_badge_that_is_carried_after_its_call_is_over_locks_nobody_in_again(is_mistake: bool):
    """No human pressed anything: it says what it said, and who goes about hears where it is now."""
    play = Play(TWO_GATEWAYS)
    play.arrive("walker", "hold", lasting=PANIC, heard_by="gw-oak")
    play.answer("Ruiz")
    play.correct() if is_mistake else play.resolve()
    before = play.incident
    told = carried(play, "gw-gym")

    assert play.incident.state is IncidentState.RELEASING, "a badge that nobody pressed locked the school down again"
    assert play.incident.escalation is EscalationState.STOPPED
    assert play.incident.correction == before.correction, "what a human said of it is forgotten"
    texts = [n for n in told if n.kind is Kind.UPDATE]
    assert {n.recipient for n in texts} == {"Ruiz", "Chen"}, "those who go about, and nobody else"
    assert all("ALSO heard" in n.text for n in texts), "nobody pressed"
    assert {n.kind for n in told} == {Kind.UPDATE, Kind.DISPATCH_UPDATE}, "and dispatch: no new call"
    assert [n.recipient for n in carried(play, "gw-oak") + carried(play, "gw-gym")] == [], "once a room"
    play.press("badge-118", 8)
    assert play.incident.state is IncidentState.ACTIVE, "promise 2: a press is a press"


def test_a_badge_that_is_carried_while_people_go_is_heard_there_and_was_not_pressed_again():
    play = Play(TWO_GATEWAYS)
    play.arrive("walker", "hold", lasting=PANIC, heard_by="gw-oak")
    told = carried(play, "gw-gym")
    assert {n.recipient for n in told if n.kind is Kind.ALSO} >= {"Ruiz", "Chen", "Okafor", "Diaz"}, "news for all"
    assert "ALSO heard" in next(n.text for n in told if n.recipient == "Ruiz"), "nobody pressed"
    (update,) = (n for n in told if n.kind is Kind.DISPATCH_UPDATE)
    assert msgspec.json.decode(update.body)["verification"]["state"] == "unverified_press", "pressed once"
    play.arrive("walker", "hold", heard_by="gw-gym")
    assert [p.carried for p in play.incident.presses] == [False, False], "it was pressed there, too"


def test_a_state_that_is_still_said_while_rooms_are_released_sounds_nothing():
    """It was heard late, and a human ended it before the loudspeakers spoke."""
    rules = StateRules(confirm_before_dispatch="timed", confirm_timeout_s=45)
    hall = Step(targets=(group("first"), Target(kind=TargetKind.LOUDSPEAKERS, id="all", announcement="lockdown")))
    school = registry(policy("lockdown", hall), rules=rules)
    zone = Endpoint(channel="pa", address="all")
    oak = replace(school.sites[OAK], loudspeakers={"all": zone})
    play = Play(replace(school, sites=school.sites | {OAK: oak}))
    began_us = play.now_us - 400_000_000
    says(play, pressed_us=began_us, late=True)
    assert play.incident.dispatch_hold is Reason.LATE_HOLD
    play.resolve()
    play.wait(20)
    play.news()
    says(play)
    assert [n.kind for n in play.news()] == [], "a lockdown sounds while rooms are released, and nobody pressed"


def test_a_retained_state_that_is_known_is_no_trouble():
    play = Play()
    says(play)
    says(play, retained=True)

    assert not [t for t in play.state.troubles.values() if t.key.startswith("retained")]


def test_the_cancel_window_of_a_staff_assist_is_not_cut_short_by_a_repeat():
    play = Play(registry(replace(ASSIST, cancel_window_s=10)))
    play.arrive("wall-gym", "press")  # another press in the school changes nothing
    press = Lasting(repeats_s=600)
    play.arrive("badge-118", "press", count=3, lasting=press)
    play.arrive("badge-118", "press", count=3, lasting=press)

    states = {i.incident_class: i.state for i in play.state.incidents.values()}
    assert states[IncidentClass.STAFF_ASSIST] is IncidentState.CANCEL_WINDOW


# --- copies ---------------------------------------------------------------------------------------------------------

COPY = "a copy of the same press is no other press"


def test_a_copy_that_is_slower_than_the_end_of_its_state_calls_nobody():
    """ChirpStack: the second gateway brings the ON after the OFF."""
    play = Play()
    says(play, cause="on")
    over(play)
    close(play)
    play.wait(20)
    says(play, cause="on")

    assert incidents(play) == 1, COPY
    says(play, cause="on again")
    assert incidents(play) == 2, "promise 2: another press"


def test_copies_of_one_counted_press_are_one():
    play = Play()
    for _ in range(8):
        play.arrive("badge-204", "press", cause="boot a1, seq 17", lasting=PANIC)
    assert not play.state.incidents, COPY


def test_a_copy_of_a_repeat_that_is_slower_than_the_end_calls_nobody():
    play = Play()
    says(play, cause="on")
    close(play)
    play.wait(60)
    says(play, cause="still on")
    over(play)
    says(play, cause="still on")

    assert incidents(play) == 1, COPY


def test_a_copy_of_the_end_ends_no_later_call():
    play = Play()
    play.arrive("badge-204", "hold", lasting=PANIC)
    play.arrive("badge-204", "hold", lasting=PANIC, ends=True, cause="off")
    says(play)
    close(play)
    play.arrive("badge-204", "hold", lasting=PANIC, ends=True, cause="off")
    play.wait(60)
    says(play)

    assert incidents(play) == 1, "what ended the call before ends no later one"


def test_an_end_of_what_does_not_last_is_no_event_of_note():
    play = Play()
    over(play)
    says(play)
    over(play)
    close(play)
    before = len(play.entries), dict(play.causes)
    over(play)

    assert (len(play.entries), dict(play.causes)) == before, "said with each report: it would fill any disk"


def test_a_device_that_gives_its_end_the_number_of_its_call_ends_it():
    play = Play()
    says(play, cause="no. 7")
    play.arrive("badge-204", "hold", lasting=PANIC, ends=True, cause="no. 7")
    close(play)
    says(play, cause="no. 8")

    assert incidents(play) == 2, "promise 2: it was ended, and pressed again"


def test_a_copy_pages_if_the_first_was_lost():
    play = Play()
    says(play, cause="on", retained=True)  # that one is not taken up
    assert not play.state.incidents
    says(play, cause="on")

    assert incidents(play) == 1, "promise 2"


def test_a_state_that_is_published_again_and_again_as_the_same_message_lasts():
    """Zigbee2MQTT publishes what it remembers, with the time at which it was heard."""
    play = Play()
    for number in range(40):
        says(play, cause="heard 10:42:00.123")
        if not number:
            close(play)
        play.wait(300)

    assert incidents(play) == 1, "also when the same message is too old to be a copy"


def test_a_copy_that_the_broker_remembers_says_nothing_of_now():
    play = Play()
    says(play, cause="on")
    close(play)
    play.wait(590)
    says(play, cause="on", retained=True)
    play.wait(20)
    says(play)

    assert incidents(play) == 2, "promise 2: it was silent for longer than it ever is"


# --- numbers --------------------------------------------------------------------------------------------------------


def test_a_number_that_is_said_again_after_hours_locks_nobody_down_and_rings():
    """The network was down for a night: every Shelly of the school says its last press again. Or one sleeps between its
    presses, counts anew each time, and what said so was lost."""
    play = Play()

    def says_number(number: int) -> None:
        play.arrive("badge-204", "hold", lasting=Lasting(repeats_s=3600, what="0", state=str(number)))

    says_number(9)
    close(play)
    for _ in range(2):
        play.wait(9 * 3600)
        play.news()
        says_number(9)
        assert incidents(play) == 1, "the number of a press that was heard is no other press"
        trouble = play.state.troubles.get("still_on:badge-204")
        assert trouble is not None, "it may have counted anew, and nobody looks"
        assert "with the number of 10:42. Was it pressed?" in trouble.summary
        told = [n.text for n in play.news() if n.trouble_key == trouble.key and n.lane is Lane.PANIC]
        assert any("alertd trouble" in text for text in told), "it may have counted anew, and nobody is rung"
    play.wait(30)
    says_number(9)
    assert play.said() == [], "said again every 30 s"
    says_number(10)
    assert incidents(play) == 2, "promise 2: another number is another press"
    assert "still_on:badge-204" not in play.state.troubles, "a new press has been told from the old one"


# --- drills ---------------------------------------------------------------------------------------------------------


def drilled(*, moment: bool = False) -> Play:
    """The badge has called in a drill that is over, and nobody has reset it."""
    play = Play()
    play.drill("badge-204")
    play.arrive("badge-204", "hold", lasting=None if moment else PANIC)
    play.wait(60)
    play.end_drill()
    play.wait(60)
    play.news()
    return play


@pytest.mark.parametrize("moment", [False, True])
def test_what_was_pressed_in_a_drill_and_is_still_said_rings_and_pages_nobody(moment: bool):
    play = drilled(moment=moment)
    for _ in range(3):
        says(play)
        play.wait(60)

    assert not play.state.incidents, "each latched button would page for real after each drill"
    trouble = play.state.troubles["still_on:badge-204"]
    assert trouble.rings, "nobody would hear a real press of it"
    assert "since the drill at 10:42" in trouble.summary
    assert [n.recipient for n in play.news() if n.trouble_key == trouble.key] == ["Ruiz"]


def test_what_was_pressed_in_a_drill_is_a_press_while_something_real_is_open():
    play = drilled()
    play.arrive("badge-118", "hold")
    play.news()
    says(play)
    assert {p.device_id for p in play.incident.presses} == {"badge-118", "badge-204"}, "promise 2: room 204 calls, too"
    assert ("Ruiz", "also") in play.said()
    close(play)
    play.wait(60)
    says(play)
    assert not play.state.incidents, "now its repeats are those of a real call"


@pytest.mark.parametrize("called_for", ["staff_assist", "medical", "fire"])
def test_what_was_pressed_in_a_drill_makes_no_more_of_what_is_real(called_for: str):
    """Of a button that nobody has reset nobody knows that it was pressed: it must not lock a school down for a fall."""
    play = drilled()
    gym = play.registry.devices[DeviceId("wall-gym")]
    gym = replace(gym, gestures=replace(gym.gestures, actions={"press": called_for}))
    play.registry = replace(play.registry, devices=play.registry.devices | {gym.id: gym})
    play.arrive("wall-gym")
    for _ in range(3):
        play.wait(60)
        says(play)

    assert len(play.state.incidents) == 1, "a button left on since a drill makes a lockdown of something less grave"
    assert play.state.troubles["still_on:badge-204"].rings, "nobody would hear a real press of it"


def test_a_medical_call_of_a_drill_is_none_in_a_lockdown():
    play = Play()
    play.drill("wall-gym", drilled="medical")
    play.arrive("wall-gym", lasting=PANIC)
    play.wait(60)
    play.end_drill()
    play.arrive("badge-118", "hold")
    play.wait(60)
    play.arrive("wall-gym", lasting=PANIC)

    assert len(play.state.incidents) == 1, "other people are sent away from a threat, to where nobody has called"


def test_somebody_elses_real_press_in_a_drill_makes_what_lasts_real():
    play = Play()
    play.drill("badge-204")
    says(play)
    play.wait(30)
    play.arrive("badge-118", "hold")
    play.wait(30)
    says(play)

    assert {p.device_id for p in play.incident.presses} == {"badge-118", "badge-204"}, "promise 2: room 204 calls, too"


def test_a_drill_that_goes_on_is_not_stopped_by_a_state_that_lasts():
    play = Play()
    play.drill("badge-204")
    for _ in range(4):
        says(play)
        play.wait(60)

    assert play.state.drill is not None
    assert len(play.incident.presses) == 1


def test_after_its_end_what_was_pressed_in_a_drill_calls_again():
    play = drilled()
    over(play)
    says(play)

    assert len(play.state.incidents) == 1, "promise 2"


def test_a_number_of_a_drill_is_no_press_of_what_is_real():
    play = Play()
    nine = Lasting(repeats_s=3600, what="0", state="9")
    play.drill("badge-204")
    play.arrive("badge-204", "hold", lasting=nine)
    play.end_drill()
    play.arrive("badge-118", "hold")
    play.arrive("badge-204", "hold", lasting=nine)

    assert {p.device_id for p in play.incident.presses} == {"badge-118"}
    assert "still_on:badge-204" not in play.state.troubles, "its next press has another number"


# --- ends -----------------------------------------------------------------------------------------------------------

ENDS_NOTHING = "what is older than the call ends nothing"


def test_an_end_that_the_broker_remembers_ends_nothing():
    play = Play()
    says(play)
    close(play)
    play.arrive("badge-204", "hold", lasting=PANIC, ends=True, retained=True)
    assert not play.state.troubles, "it hides no press"
    assert play.reasons()[-1] is Reason.RETAINED
    play.wait(60)
    says(play)

    assert incidents(play) == 1, ENDS_NOTHING


@pytest.mark.parametrize(
    "more", [{"late": True}, {"backlog_since_us": 0}], ids=["kept by a gateway", "waited at the broker"]
)
def test_an_end_from_before_the_call_ends_nothing(more: dict[str, int]):
    play = Play()
    play.wait(100)
    says(play, pressed_us=play.now_us)
    close(play)
    play.wait(60)
    says(play)  # it says its time only now and then
    play.arrive("badge-204", "hold", lasting=PANIC, ends=True, pressed_us=play.now_us - 91_000_000, **more)
    assert Reason.STILL_ON in play.reasons()[-1:]
    play.wait(60)
    says(play)
    assert incidents(play) == 1, ENDS_NOTHING
    assert "still_on:badge-204" in play.state.troubles, "it still says so"


@pytest.mark.parametrize(
    ("behind_s", "more"),
    [(20, {"late": True}), (20, {"backlog_since_us": 0}), (95, {}), (4000, {})],
    ids=["kept by a gateway", "waited at the broker", "by a clock that is far off", "by one that was set"],
)
def test_an_end_over_a_gateway_whose_clock_is_behind_ends_the_call(behind_s: int, more: dict[str, bool]):
    play = Play()
    says(play, pressed_us=play.now_us)
    close(play)
    play.wait(5)
    behind_us = behind_s * 1_000_000
    play.arrive("badge-204", "hold", lasting=PANIC, ends=True, pressed_us=play.now_us - behind_us, **more)
    says(play)

    assert incidents(play) == 2, "promise 2: it was reset, and pressed again"


@pytest.mark.parametrize("other", ["a clock that was set", "another node"])
@pytest.mark.parametrize("more", [{"late": True}, {"backlog_since_us": 0}], ids=["kept", "waited"])
@pytest.mark.parametrize("repeats", [False, True])
def test_an_end_that_was_held_up_while_the_clock_was_set_ends_the_call(
    other: str, more: dict[str, bool], repeats: bool
):
    """The clocks of devices are set together with ours."""
    play = Play()
    says(play, pressed_us=play.now_us)
    close(play)
    play.wait(5)
    set_us = -600_000_000
    if other == "another node":
        play.boot_id = "another"  # its own clock, and its boot time, tell nothing of that of the first
    else:
        play.stepped_us = set_us
    if repeats:
        says(play)
        play.wait(5)
    play.arrive("badge-204", "hold", lasting=PANIC, ends=True, pressed_us=play.now_us + set_us - 1_000_000, **more)
    before = incidents(play)
    says(play)

    assert incidents(play) == before + 1, "promise 2: it was reset, and pressed again"


def test_what_was_stored_before_the_call_does_not_take_its_place():
    play = Play()
    play.wait(14_400)
    says(play)
    close(play)
    play.wait(60)
    says(play, late=True, pressed_us=play.now_us - 10_800_000_000)
    assert incidents(play) == 2, "promise 2: nobody has heard of that one"
    close(play)
    play.wait(60)
    says(play)
    assert incidents(play) == 2, "the call of two minutes ago lasts"


# --- what is remembered ---------------------------------------------------------------------------------------------


def remember(play: Play, **activation: object) -> None:
    row = {"device_id": "badge-204", "lasting": [activation | {"since_us": play.now_us, "last_us": play.now_us}]}
    play.state.gestures[DeviceId("badge-204")] = msgspec.convert(row, GestureCount)


def test_a_row_of_before_hides_no_call():
    """It does not say whether people were told, or it was a test."""
    play = Play()
    remember(play, what="", state="hold:")
    play.wait(60)
    says(play)
    assert incidents(play) == 1, "promise 2: doubt pages"


def test_a_number_in_a_row_of_before_is_the_same_press():
    play = Play()
    remember(play, what="0", state="hold:9")
    for _ in range(3):
        play.wait(60)
        play.arrive("badge-204", "hold", lasting=Lasting(repeats_s=3600, what="0", state="9"))
    assert not play.state.incidents
    assert not play.state.troubles


def test_a_clock_that_went_back_over_a_reboot_hides_no_call():
    play = Play()
    says(play)
    close(play)
    play.boot_id = "another"
    play.stepped_us = -7_200_000_000
    play.wait(3600)
    says(play)
    assert incidents(play) == 2, "promise 2: by the only clock there is it was said an hour before it began"


def test_boot_times_of_two_boots_are_not_compared():
    play = Play()
    says(play)
    close(play)
    play.boot_id = "another"  # it has run for as long as the one before when the badge was pressed
    play.stepped_us = 7_200_000_000
    says(play)
    assert incidents(play) == 2, "promise 2: two hours have passed"


def test_what_is_said_late_does_not_make_the_silence_longer():
    play = Play()
    says(play)
    close(play)
    play.wait(300)
    says(play)
    says(play, backlog_since_us=play.now_us - 400_000_000, pressed_us=play.now_us - 400_000_000)
    play.wait(400)
    says(play)
    assert incidents(play) == 1, "it was said 400 s ago"


def test_a_device_whose_clock_is_slow_says_what_it_says_now():
    play = Play()
    for _ in range(3):
        says(play, pressed_us=play.now_us - 3_600_000_000)
        if play.state.incidents:
            close(play)
        play.wait(60)
    assert incidents(play) == 1, "it is said every minute, whatever its clock shows"


def test_two_moments_of_one_device_have_each_their_state():
    play = Play()
    device = play.registry.devices[DeviceId("wall-gym")]
    knows = replace(device, gestures=replace(device.gestures, actions={"hold": "medical", "fall": "lockdown"}))
    play.registry = replace(play.registry, devices=play.registry.devices | {device.id: knows})
    play.arrive("wall-gym", "hold")
    play.arrive("wall-gym", "fall")
    for incident in tuple(play.state.incidents.values()):
        closes = ResolveOrdered(
            site_id=OAK, cause=CauseId(incident.id), incident_id=incident.id, by="J. Ruiz", rooms_released=True
        )
        play.do(closes)
        play.do(replace(closes, cause=CauseId(f"{incident.id} again")))
    assert not play.state.incidents
    play.arrive("wall-gym", "hold", lasting=PANIC)
    assert not play.state.incidents, "the state of a moment that was told"


def test_of_a_device_that_says_ever_new_things_only_the_newest_are_remembered():
    play = Play()
    for number in range(STATES_MAX + 10):
        play.arrive("badge-204", "hold", lasting=Lasting(repeats_s=600, what=str(number)))
    mine = play.state.gestures[DeviceId("badge-204")].lasting
    assert len(mine) == STATES_MAX, "the row grows without an end"
    assert mine[-1].what == str(STATES_MAX + 9)
