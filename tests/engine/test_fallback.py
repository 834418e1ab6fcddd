"""The fixed fallback in a drill, on a timer of a shot, and about what is no press: a defect makes no more of them."""

import pytest
from msgspec.json import decode
from msgspec.structs import replace

from alertd.engine import fallback
from alertd.engine.gsm7 import septets
from alertd.model.anchor import Now
from alertd.model.decision import Decision, Facts
from alertd.model.drill import DrillState
from alertd.model.events import Event, OutcomeReported, Pressed, TimerFired
from alertd.model.ids import NotificationId, PersonId, PolicyId
from alertd.model.mode import Mode
from alertd.model.notification import Kind, Lane, Notification, NotificationState
from alertd.model.outcome import Accepted, Delivered, Failed, Outcome, Sent
from alertd.model.page import Page as Announced
from alertd.model.page import PageAction
from alertd.model.people import Endpoint
from alertd.model.policy import Step, Target, TargetKind
from alertd.model.reason import Reason
from alertd.model.timer import Timer, TimerKind
from tests.engine import test_calls as phones
from tests.engine.play import Play
from tests.engine.school import ASSIST, OAK, group, registry
from tests.engine.test_drills import EVERYBODY, MARK, PROMISE_3, REAL, marked, read
from tests.engine.test_drills_over import SAID_REAL
from tests.engine.test_sensors import SHOT
from tests.engine.test_sensors import play as sensed

SPEAKERS = Endpoint(channel="pa", address="oak-all")
NO_PRESS = "promise 2: nobody pressed, and the whole school is paged as if somebody had"


@pytest.fixture
def p() -> Play:
    return Play()


def fails_on(p: Play, event: Event, seen_us: int | None = None) -> Decision:
    """What the fixed fallback does about the event; and then it is done. `seen_us`: its cause was committed then."""
    now = Now(wall_us=p.now_us, boot_us=p.now_us)
    decision = fallback.page(p.state, Facts(registry=p.registry, seen_us=seen_us), event, now, "KeyError")
    p._apply(decision)
    return decision


def timer_of(p: Play, kind: TimerKind) -> Timer:
    return next(timer for _, timer in p.timers.values() if timer.kind is kind)


def fails_on_timer(p: Play, kind: TimerKind = TimerKind.STEP) -> list[Notification]:
    """Whom the fixed fallback tells when the engine cannot handle the timer, and that it comes back."""
    timer = timer_of(p, kind)
    decision = fails_on(p, TimerFired(site_id=OAK, timer=timer))
    assert [(t.id, t.delay_s) for t in decision.timers] == [(timer.id, 120)], "nobody is asked again"
    return [row.notification for row in decision.notifications]


# --- a timer in a drill ---------------------------------------------------------------------------------------------


def test_an_exercise_that_the_engine_can_no_longer_follow_says_that_it_is_one(p: Play) -> None:
    p.drill("badge-204")
    p.press("badge-204")
    told = fails_on_timer(p)

    assert {n.recipient for n in told} == EVERYBODY
    for n in told:
        assert marked(n), f"promise 3: an exercise reads as an emergency: {n.text}"
        assert (n.mode, n.lane) == (Mode.DRILL, Lane.DRILL)
        assert "OAK ELEM Rm 204 LOCKDOWN DRILL 10:42: alertd can no longer call others" in n.text
        assert "Reply 417 going" in n.text, "nobody can end the calling"
        assert (septets(n.text) or 999) <= 160


def test_of_an_exercise_that_the_engine_can_no_longer_follow_only_those_hear_who_take_part(p: Play) -> None:
    p.drill("badge-204", person_ids=("ruiz",))
    p.press("badge-204")

    assert {n.recipient for n in fails_on_timer(p)} == {"Ruiz"}, "req 75: an exercise goes beyond those who take part"


def test_whoever_heard_of_the_exercise_only_in_it_hears_that_it_is_not_followed(p: Play) -> None:
    p.drill("badge-204")
    p.press("badge-204")
    drill = p.state.drill
    assert drill is not None
    p.state.drill = replace(drill, told=tuple(t for t in drill.told if t.person_id != "ruiz"))

    assert "Ruiz" in {n.recipient for n in fails_on_timer(p)}


def test_an_exercise_that_is_over_calls_nobody_any_more(p: Play) -> None:
    p.drill("badge-204")
    p.press("badge-204")
    p.state.drill = None

    assert not fails_on_timer(p), "promise 3: an exercise after its end"


def test_a_press_after_a_drill_that_the_engine_can_no_longer_follow_is_no_exercise(p: Play) -> None:
    p.drill("badge-204")
    p.press("badge-204")
    p.end_drill()
    p.press("badge-118")
    told = fails_on_timer_of_live(p)

    assert {n.recipient for n in told} == EVERYBODY
    assert all(n.text.startswith("THIS IS REAL. OAK ELEM Rm 118 LOCKDOWN 10:42: ") for n in told), PROMISE_3
    assert {n.mode for n in told} == {Mode.LIVE}
    assert {n.lane for n in told} == {Lane.PANIC}
    assert all((septets(n.text) or 999) <= 160 and "Reply 4" in n.text for n in told)


def fails_on_timer_of_live(p: Play) -> list[Notification]:
    p.timers = {id_: each for id_, each in p.timers.items() if each[1].incident_id == p.incident.id}
    return fails_on_timer(p)


def test_an_assist_whose_cancel_window_the_engine_cannot_end_is_told() -> None:
    p = Play(registry(replace(ASSIST, cancel_window_s=10)))
    p.press("badge-204", 3)
    told = fails_on_timer(p, TimerKind.CANCEL_WINDOW)

    assert {n.recipient for n in told} == EVERYBODY, "promise 2: nobody was told of it yet, and nobody ever is"


@pytest.mark.parametrize("end", ["correction", "closing"])
def test_whoever_is_told_of_what_the_engine_can_no_longer_follow_hears_how_it_ends(p: Play, end: str) -> None:
    p.press("badge-204", 3)
    asked = {n.recipient for n in p.news()}
    told = {n.recipient for n in fails_on_timer(p)} | {n.recipient for n in fails_on_timer(p)}
    keys = [each.endpoint_key for each in p.incident.told]
    assert len(keys) == len(set(keys)), "what is known of whom is told grows with each time that they are asked"
    p.news()
    p.correct() if end == "correction" else p.resolve()
    ended = {n.recipient for n in p.news() if n.kind == end}

    assert asked < told
    assert ended == told, "somebody goes where nobody needs help"


# --- a timer of a shot ----------------------------------------------------------------------------------------------


def test_those_whom_the_policy_names_are_asked_again_about_a_shot_that_the_engine_can_no_longer_follow() -> None:
    p = sensed()
    everybody = Target(kind=TargetKind.SITE_STAFF)
    steps = (*SHOT.steps, Step(targets=(group("second"), everybody), wait_s=30))
    p.registry = replace(
        p.registry, policies=p.registry.policies | {PolicyId("gunshot_sensor"): replace(SHOT, steps=steps)}
    )
    p.arrive("ears-gym", "gunshot")
    first, again = fails_on_timer(p), fails_on_timer(p)

    assert {n.recipient for n in first} == {"Ruiz", "Chen", "Nurse"}, "req 70: those whom its policy names, nobody else"
    assert {n.lane for n in first} == {Lane.NEXT}, "promise 2: what only a sensor says went before presses"
    assert first[0].text.startswith("OAK ELEM Gym SHOT, unconfirmed 10:42: alertd can no longer ask")
    assert first[0].text.endswith("Listen from cover. Reply 417 going, 917 to lock down.")
    assert (septets(first[0].text) or 999) <= 160
    assert [n.recipient for n in again] == [n.recipient for n in first]


def test_a_shot_beside_a_drill_that_the_engine_can_no_longer_follow_is_no_exercise() -> None:
    p = sensed()
    p.drill("badge-204")
    p.arrive("ears-gym", "gunshot")

    for n in fails_on_timer(p):
        assert n.text.startswith("THIS IS REAL. OAK ELEM Gym SHOT"), f"req 74: {n.text}"
        assert n.mode is Mode.LIVE
        assert (septets(n.text) or 999) <= 160


def test_nobody_is_asked_any_more_about_a_shot_to_which_somebody_goes() -> None:
    p = sensed()
    p.arrive("ears-gym", "gunshot")
    timer = timer_of(p, TimerKind.STEP)
    p.reply("Ruiz", "417")
    decision = fails_on(p, TimerFired(site_id=OAK, timer=timer))

    assert not decision.notifications
    assert not decision.timers


def test_a_nuisance_that_the_engine_can_no_longer_follow_is_told_to_nobody_else(p: Play) -> None:
    p.arrive("vape-wc", "vape")
    decision = fails_on(p, TimerFired(site_id=OAK, timer=timer_of(p, TimerKind.STEP)))

    assert not decision.notifications, "req 70"
    assert not decision.timers


# --- what is no press -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "more", [{"ends": True}, {"retained": True}], ids=["the end of a state", "what a broker remembers"]
)
@pytest.mark.parametrize("in_drill", [False, True])
def test_a_message_that_is_no_press_pages_nobody_and_ends_no_drill_if_the_engine_fails_on_it(
    p: Play, more: dict[str, object], in_drill: bool
) -> None:
    if in_drill:
        p.drill("badge-204")
    (event,) = p.arrive("badge-118", "hold", **more)
    decision = fails_on(p, event)

    assert decision.notifications == (), NO_PRESS
    assert decision.drill is None, "a drill is over because of what nobody pressed"
    assert decision.withdrawals == ()
    assert [entry.reason for entry in decision.entries] == [Reason.POISON], "promise 4"


def test_a_press_of_which_the_broker_has_kept_a_copy_is_no_copy_of_it_though_the_engine_failed_on_that(p: Play) -> None:
    (event,) = p.arrive("badge-118", "hold", retained=True)
    decision = fails_on(p, event)

    assert decision.cause is None, "promise 1: the press that comes from the queue is taken for known"


@pytest.mark.parametrize("device", ["badge-118", "ears-gym"])
def test_a_press_that_comes_again_is_told_once_though_the_engine_fails_on_it_each_time(device: str) -> None:
    p = sensed() if device == "ears-gym" else Play()
    (event,) = p.arrive(device, "gunshot" if device == "ears-gym" else "tap")
    first = fails_on(p, event)
    again = fails_on(p, event, seen_us=p.now_us)

    assert first.notifications
    assert not again.notifications, "everybody is paged twice for one press, and each time as if for another"
    assert [e.reason for e in again.entries] == [Reason.POISON, Reason.DUPLICATE], "promise 4"
    assert again.confirmations == first.confirmations, "whoever pressed presses on"


def test_a_device_that_uses_the_number_of_a_press_again_long_after_pages_though_the_engine_fails_on_it(p: Play) -> None:
    (event,) = p.arrive("badge-118", "tap")
    first = fails_on(p, event)
    assert isinstance(event, Pressed)
    later = replace(event, received_us=event.received_us + 30 * 86_400_000_000)
    again = fails_on(p, later, seen_us=p.now_us - 30 * 86_400_000_000)

    assert {row.notification.recipient for row in again.notifications} == EVERYBODY, "promise 2"
    told = {row.notification.id for row in first.notifications}
    assert not told & {row.notification.id for row in again.notifications}, "promise 2: they are taken for known"


def test_a_number_that_a_device_uses_again_soon_by_its_own_word_is_another_press(p: Play) -> None:
    """`same_s` of its decoder."""
    (event,) = p.arrive("badge-118", "tap", same_s=60)
    fails_on(p, event)

    assert fails_on(p, event, seen_us=p.now_us - 120_000_000).notifications, "promise 2: a press pages nobody"


def test_a_number_that_was_heard_long_after_now_is_another_press(p: Play) -> None:
    """The clock was set back."""
    (event,) = p.arrive("badge-118", "tap")

    assert fails_on(p, event, seen_us=p.now_us + 7_200_000_000).notifications, "promise 2: a press pages nobody"


def test_a_copy_makes_no_copies_of_what_comes_an_hour_after_the_press(p: Play) -> None:
    (event,) = p.arrive("badge-118", "tap")
    assert isinstance(event, Pressed)
    begun_us = p.now_us
    for minutes, pages in ((0, True), (50, False), (100, True)):
        p.now_us = begun_us + minutes * 60_000_000
        again = replace(event, received_us=p.now_us, oldest_us=p.now_us)
        decision = fails_on(p, again, seen_us=None if minutes == 0 else p.causes.get(event.cause))
        assert bool(decision.notifications) == pages, "promise 2: a button that counts anew pages nobody, for ever"


def test_another_shot_under_a_number_of_before_is_told_though_the_engine_fails_on_it() -> None:
    p = sensed()
    (shot,) = p.arrive("ears-118", "gunshot")
    assert isinstance(shot, Pressed)
    first = {row.notification.id for row in fails_on(p, shot).notifications}
    later = replace(shot, received_us=shot.received_us + 7_200_000_000)
    again = {row.notification.id for row in fails_on(p, later, seen_us=p.now_us - 7_200_000_000).notifications}

    assert first
    assert again
    assert not first & again, "a second shot is taken for the first, and told to nobody"


# --- a press in a drill ---------------------------------------------------------------------------------------------


def test_a_press_that_the_engine_cannot_handle_ends_the_drill_and_takes_back_what_it_has_not_said(p: Play) -> None:
    p.drill("badge-204")
    (pressed,) = p.arrive("badge-118", "tap")
    p.press("badge-204")
    rows = [row for row in p.rows.values() if row.state is NotificationState.QUEUED]
    waiting = [row.notification.id for row in rows if row.notification.mode is Mode.DRILL]
    (drill,) = p.drills
    decision = fails_on(p, pressed)

    assert waiting
    assert {p.rows[id_].state for id_ in waiting} == {NotificationState.WITHDRAWN}, (
        f"{PROMISE_3}: after {REAL!r} somebody reads {MARK!r}"
    )
    assert decision.recall, f"{PROMISE_3}: a phone that rings for the drill rings on"
    over = p.drills[drill]
    assert (over.state, over.ended_because) == (DrillState.ENDED, Reason.DRILL_IS_REAL), (
        f"{PROMISE_3}: the drill goes on beside what is real"
    )
    pages = [row.notification for row in decision.notifications]
    assert {n.recipient for n in pages} == EVERYBODY
    assert {n.kind for n in pages} == {Kind.ALERT}
    assert all(n.text.startswith(REAL) and n.ends_drill == drill for n in pages)


def after_a_drill_in_which_phones_rang() -> Play:
    """The engine failed on a press, everybody has read that this is real, and then somebody presses anew."""
    p = Play(phones.school())
    p.drill("badge-204")
    (pressed,) = p.arrive("badge-118", "tap")
    p.press("badge-204")
    assert phones.calls(p)
    fails_on(p, pressed)
    read(p)
    p.press("badge-118")
    return p


def test_whose_phone_rang_in_a_drill_in_which_the_engine_fails_hears_there_that_the_next_is_real() -> None:
    """Seed 901143: the fixed fallback texts, and who takes a call may have read nothing yet."""
    p = after_a_drill_in_which_phones_rang()
    said = [row.notification.text for row in phones.calls(p)]

    assert said
    assert [text for text in said if not text.startswith(SAID_REAL)] == [], f"{PROMISE_3}: a call goes on in the drill"


def test_who_began_a_drill_for_a_school_that_is_not_theirs_hears_that_it_is_real_though_the_engine_failed(
    p: Play,
) -> None:
    p.drill("badge-204", by_id=PersonId("super"))
    (pressed,) = p.arrive("badge-118", "tap")
    told = [row.notification for row in fails_on(p, pressed).notifications]

    assert {n.recipient for n in told} == EVERYBODY | {"Super"}, f"{PROMISE_3}: somebody goes on with the drill"
    assert all(n.text.startswith(REAL) for n in told)


def test_who_has_read_that_a_drill_is_over_is_texted_of_the_next_without_that() -> None:
    p = after_a_drill_in_which_phones_rang()
    alerts = [n for n in p.news() if n.endpoint.channel == "sms" and n.incident_id is not None and n.mode is Mode.LIVE]

    assert alerts
    assert not any(REAL in n.text for n in alerts), "it takes the place of the news"


@pytest.mark.parametrize("begun_again", [False, True])
def test_after_a_press_that_the_engine_cannot_handle_nobody_hears_that_the_drill_before_it_is_over(
    p: Play, *, begun_again: bool
) -> None:
    p.drill("badge-204")
    read(p)
    p.end_drill()
    waiting = [row for row in p.rows.values() if row.notification.kind is Kind.DRILL_OVER]
    under_way = p.claim(waiting[0])
    if begun_again:
        p.drill("badge-204")
    (pressed,) = p.arrive("badge-118", "tap")
    told = [row.notification for row in fails_on(p, pressed).notifications]
    p.outcome(under_way, Failed(permanent=False, code="503"))
    p.wait(60)

    assert len(waiting) == len(EVERYBODY)
    assert {n.recipient for n in told} == EVERYBODY
    assert all(n.text.startswith(REAL) for n in told)
    left = {row.state for row in p.rows.values() if row.notification.kind is Kind.DRILL_OVER}
    assert NotificationState.QUEUED not in left, f"{PROMISE_3}: the press looks like its last act"


def test_a_drill_of_last_week_whose_end_somebody_never_read_is_not_stopped_again(p: Play) -> None:
    p.drill("badge-204", by_id=PersonId("super"))
    read(p)
    p.end_drill()
    p.now_us += 7 * 86_400_000_000
    (pressed,) = p.arrive("badge-118", "tap")
    told = [row.notification for row in fails_on(p, pressed).notifications]

    assert not any(n.text.startswith(REAL) for n in told), "a drill of last week is stopped"
    assert {n.recipient for n in told} == EVERYBODY


def test_the_loudspeakers_say_no_more_of_a_drill_in_which_the_engine_fails_on_a_press() -> None:
    p = speaking()
    p.drill("badge-204")
    (pressed,) = p.arrive("badge-118", "tap")
    p.press("badge-204")
    pages = [row.notification for row in fails_on(p, pressed).notifications if row.notification.kind is Kind.PAGE]

    assert {n.endpoint for n in pages} == {SPEAKERS}, f"{PROMISE_3}: the drill speaks on"
    stop = decode(pages[0].body, type=Announced)
    assert (stop.action, stop.mode) == (PageAction.STOP, Mode.DRILL), "what is real is cut"
    assert pages[0].lane is Lane.PANIC


def test_the_loudspeakers_are_left_alone_where_no_drill_runs() -> None:
    p = speaking()
    (pressed,) = p.arrive("badge-118", "tap")

    assert {row.notification.kind for row in fails_on(p, pressed).notifications} == {Kind.ALERT}


def speaking() -> Play:
    p = Play()
    oak = replace(p.registry.sites[OAK], loudspeakers={"all": SPEAKERS})
    p.registry = replace(p.registry, sites=p.registry.sites | {OAK: oak})
    return p


# --- an outcome -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Accepted(ref="SM1"), NotificationState.ACCEPTED),
        (Sent(ref="SM1"), NotificationState.SENT),
        (Delivered(ref="SM1"), NotificationState.DELIVERED),
        (Failed(permanent=True, code="400"), NotificationState.FAILED),
    ],
)
def test_what_a_provider_says_is_believed_though_the_engine_cannot_handle_it(
    p: Play, outcome: Outcome, state: NotificationState
) -> None:
    event = OutcomeReported(site_id=OAK, notification_id=NotificationId("n-1"), epoch=1, outcome=outcome)
    now = Now(wall_us=p.now_us, boot_us=p.now_us)
    decision = fallback.page(p.state, Facts(registry=p.registry), event, now, "KeyError")

    assert [change.state for change in decision.changes] == [state], "whoever was told stands there as not told"
