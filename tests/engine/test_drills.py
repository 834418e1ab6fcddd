"""Drills (promise 3): what belongs to one, what makes it real, what is said before and after, and how it ends."""

import pytest
from msgspec.structs import replace

from alertd.engine.gsm7 import septets
from alertd.model.drill import Drill
from alertd.model.events import ClockStepped
from alertd.model.incident import AnswerKind, Incident
from alertd.model.mode import Mode
from alertd.model.notification import Kind, Lane, Notification, NotificationState
from alertd.model.outcome import Accepted
from alertd.model.policy import Step
from alertd.model.reason import Reason
from alertd.model.registry import Registry
from tests.engine import test_calls as phones
from tests.engine import test_sensors as sensors
from tests.engine.play import Play
from tests.engine.school import OAK, group, policy, registry
from tests.engine.test_sensors import play as sensed

PROMISE_3 = "promise 3 broken"
MARK, REAL, OVER = "THIS IS A DRILL.", "DRILL STOPPED, THIS IS REAL.", "THE DRILL IS OVER."
EVERYBODY = {"Ruiz", "Chen", "Nurse", "Okafor", "Diaz"}


@pytest.fixture
def p() -> Play:
    return Play()


def running(p: Play) -> Drill:
    assert p.state.drill is not None, "no drill runs"
    return p.state.drill


def texts(found: list[Notification]) -> list[Notification]:
    return [n for n in found if not n.endpoint.dispatch]


def read(p: Play, *recipients: str) -> None:
    """A provider takes everything that waits for them; for everybody, if nobody is named."""
    for row in list(p.rows.values()):
        mine = not recipients or row.notification.recipient in recipients
        if mine and row.state is NotificationState.QUEUED and not row.notification.endpoint.dispatch:
            p.outcome(p.claim(row), Accepted(ref=f"SM{row.notification.id}"))


def marked(n: Notification) -> bool:
    return n.text.startswith(f"{MARK} ") and n.text.endswith(f" {MARK}") and len(n.text) > 2 * len(MARK) + 10


def drills_and_lives(p: Play) -> list[tuple[str, str]]:
    return [(i.mode.value, i.incident_class.value) for i in (*p.closed.values(), *p.state.incidents.values())]


def with_centers(*, accepts_exercise: bool) -> Registry:
    school = registry()
    psap = school.destinations["psap"]
    taking = replace(psap, endpoint=replace(psap.endpoint, accepts_exercise=accepts_exercise))
    return replace(school, destinations=school.destinations | {"psap": taking})


# --- beginning ------------------------------------------------------------------------------------------------------


def test_everybody_whom_the_policy_calls_hears_that_a_drill_begins_and_when_it_is_over(p: Play) -> None:
    p.drill(minutes=30)
    news = p.news()

    assert {n.recipient for n in news} == EVERYBODY, "who would be called was not told that it is a drill"
    assert all(n.kind is Kind.DRILL_BEGINS and n.mode is Mode.DRILL and marked(n) for n in news)
    assert news[0].text == (
        "THIS IS A DRILL. OAK ELEM: LOCKDOWN DRILL begins 10:42, over by 11:12. Do as trained. "
        "Real emergency: press again or call 911. THIS IS A DRILL."
    )
    assert running(p).told_before == "J. Doe, dispatch"


@pytest.mark.parametrize(
    ("order", "why"),
    [
        ({"told_before": " "}, "nobody outside was told"),
        ({"minutes": 0}, "1 to 120 minutes"),
        ({"minutes": 121}, "1 to 120 minutes"),
        ({"devices": ("badge-elm",)}, "belongs to elm"),
        (
            {"devices": ("walker",)},
            "walker may press at elm as well, and would be REAL there: name devices of oak alone",
        ),
        ({"devices": ("vape-wc",)}, "nobody can press it"),
        ({"devices": ("gw-oak",)}, "nobody can press it"),
        ({"devices": ("badge-999",)}, "there is no device badge-999"),
        ({"devices": ("wall-gym",)}, "no gesture for lockdown"),
        ({"drilled": "vape", "devices": ("badge-204",)}, "nothing that people drill"),
        ({"drilled": "hold", "devices": ("badge-204",)}, "no policy for hold"),
        ({"person_ids": ("nobody",)}, "there is no person nobody"),
    ],
)
def test_a_drill_that_could_go_wrong_does_not_begin_and_says_why(p: Play, order: dict[str, object], why: str) -> None:
    devices = order.pop("devices", ())
    p.drill(*devices, **order)  # type: ignore[misc, arg-type]

    assert p.state.drill is None
    assert p.entries[-1].reason is Reason.DRILL_REFUSED
    assert why in p.entries[-1].text
    assert not p.news()


def test_no_drill_begins_over_something_real_nor_over_another(p: Play) -> None:
    p.press("badge-204", 3)
    p.news()
    p.drill()
    assert p.state.drill is None, PROMISE_3
    assert "STAFF ASSIST" in p.entries[-1].text

    p.resolve()
    p.drill()
    first = running(p)
    p.news()
    p.drill()
    assert running(p) == first
    assert not p.news()


def test_no_drill_begins_while_a_shot_is_asked_about() -> None:
    p = sensed()
    p.arrive("ears-118", "gunshot")
    p.news()
    p.drill()

    assert p.state.drill is None, f"{PROMISE_3}: nobody could tell the two apart"
    assert not p.news()


def test_a_sensor_that_is_open_is_no_reason_not_to_drill(p: Play) -> None:
    p.arrive("vape-wc", "vape")
    p.drill()
    assert p.state.drill is not None


def test_what_a_sensor_asks_in_a_drill_is_said_to_be_none() -> None:
    """Who believes in a drill takes a shot for a part of it. It ends none: nobody knows yet that it was one."""
    p = sensed()
    p.drill(person_ids=("ruiz",))
    p.news()
    p.arrive("ears-118", "gunshot")
    asked = {n.recipient: n.text for n in p.news()}

    assert asked["Ruiz"].startswith("NOT A DRILL. OAK ELEM Rm 118: "), PROMISE_3
    assert asked["Chen"].startswith("OAK ELEM Rm 118, 1st fl West: "), "nobody has told them of a drill"
    assert p.state.drill is not None
    p.wait(31)
    assert {n.text[:12] for n in p.news() if n.recipient == "Ruiz" and n.incident_id} == {"NOT A DRILL."}, PROMISE_3


def test_after_a_drill_of_which_people_know_that_it_is_over_a_shot_is_a_shot() -> None:
    p = sensed()
    p.drill(person_ids=("ruiz",))
    p.end_drill()
    p.news()
    p.arrive("ears-118", "gunshot")
    assert {n.text[:4] for n in p.news() if n.recipient == "Ruiz"} == {"NOT "}, f"{PROMISE_3}: the end is on its way"
    read(p)
    p.wait(700)
    p.news()
    p.arrive("ears-204", "gunshot")
    assert not [n for n in p.news() if n.text.startswith("NOT ")]


def test_a_call_of_what_a_sensor_asks_in_a_drill_says_that_it_is_none() -> None:
    calling = phones.school()
    shot = policy("gunshot_sensor", Step(targets=(group("first"),), channels=("sms", "voice"), wait_s=30))
    school = replace(sensors.school(shot, people=tuple(calling.people.values())), channels=calling.channels)
    p = Play(school)
    p.drill()
    before = len(p.rows)
    p.arrive("ears-118", "gunshot")
    p.wait(700)
    said = [phones.script(r).main for r in list(p.rows.values())[before:] if r.notification.endpoint.channel == "voice"]

    assert said
    assert all(each.startswith("This is not a drill. ") for each in said), PROMISE_3


# --- what is pressed ------------------------------------------------------------------------------------------------


def test_a_participants_press_is_a_drill_with_marks_around_everything_that_people_read(p: Play) -> None:
    p.drill()
    p.news()
    p.press("badge-204", 8)
    news = p.news()

    assert p.incident.mode is Mode.DRILL
    assert {n.recipient for n in texts(news)} == EVERYBODY
    assert all(marked(n) and n.mode is Mode.DRILL and n.lane is Lane.DRILL for n in texts(news)), PROMISE_3
    assert texts(news)[0].text == (
        "THIS IS A DRILL. OAK ELEM Rm 204: LOCKDOWN DRILL 10:42. Do as trained. Reply 417 going. "
        "Real emergency: press again or call 911. THIS IS A DRILL."
    )
    assert not [n for n in news if n.endpoint.dispatch], PROMISE_3
    blocked = p.row_to("psap")
    assert (blocked.state, blocked.reason) == (NotificationState.SUPPRESSED, Reason.MODE_FORBIDS)


def test_every_message_of_a_whole_drill_is_marked_and_fits_one_text(p: Play) -> None:
    p.drill(minutes=60)
    p.press("badge-204", 3)
    p.press("badge-204", 8)
    p.press("badge-118", 8)
    p.wait(95)
    p.reply("Ruiz", "he is in 210")
    p.reply("Ruiz", f"4{p.incident.token}")
    p.wait(301)
    p.reply("Chen", f"6{p.incident.token}")
    p.reply("Chen", f"5{p.incident.token}")
    p.wait(250)
    p.correct()
    p.resolve(rooms_released=True)
    said = texts([r.notification for r in p.rows.values()])

    kinds = {n.kind for n in said}
    assert kinds >= {
        Kind.DRILL_BEGINS, Kind.ALERT, Kind.ALSO, Kind.REMINDER, Kind.EXHAUSTED, Kind.UPDATE, Kind.ANSWER,
        Kind.NOT_ARRIVED, Kind.CORRECTION, Kind.CLOSING,
    }  # fmt: skip
    for n in said:
        assert marked(n), f"promise 3: {n.kind} is not marked: {n.text}"
        assert (septets(n.text) or 999) <= 160, n.text
        assert "Call or radio 911" not in n.text, f"an exercise sends people to 911: {n.text}"


def test_presses_that_are_counted_on_the_way_are_one_gesture(p: Play) -> None:
    p.drill("badge-204")
    for _ in range(10):
        p.press("badge-204", None)
        p.wait(1)

    assert drills_and_lives(p) == [("drill", "lockdown")]
    assert p.state.drill is not None


def test_an_echo_of_the_gesture_is_not_a_second_one(p: Play) -> None:
    p.drill("wall-gym", drilled="medical")
    p.arrive("wall-gym", "press")
    p.wait(4)
    p.arrive("wall-gym", "press")
    assert drills_and_lives(p) == [("drill", "medical")]


def test_several_participants_are_one_drill_incident(p: Play) -> None:
    p.drill()
    p.press("badge-204", 8)
    p.wait(20)
    p.press("badge-118", 8)
    assert p.incident.mode is Mode.DRILL
    assert len(p.incident.presses) == 2


def test_a_press_that_waited_since_the_drill_began_belongs_to_it(p: Play) -> None:
    p.drill()
    began = p.now_us
    p.wait(60)
    p.press("badge-204", 8, backlog_since_us=began + 5_000_000)
    assert p.incident.mode is Mode.DRILL
    (press,) = p.incident.presses
    assert press.waited_since_us == began + 5_000_000, "promise 5 broken: a press that waited looks measured"


# --- what is real ---------------------------------------------------------------------------------------------------


def not_named(p: Play) -> None:
    p.press("badge-118", 8)


def again(p: Play) -> None:
    p.press("badge-204", 8)
    p.wait(15)
    p.press("badge-204", 8)


def never_ending(p: Play) -> None:
    for _ in range(25):
        p.press("badge-204", None)
        p.wait(1)


def other_class(p: Play) -> None:
    p.arrive("wall-gym", "press")


def from_before(p: Play) -> None:
    p.press("badge-204", 8, backlog_since_us=p.now_us - 60_000_000)


def by_its_own_clock_before(p: Play) -> None:
    p.press("badge-204", 8, pressed_us=p.now_us - 30_000_000)


def after_its_time(p: Play) -> None:
    p.now_us += 31 * 60_000_000  # the daemon was away, and its timer has not fired yet
    p.press("badge-204", 8)


def twice_while_alertd_was_away(p: Play) -> None:
    since = p.now_us
    p.wait(60)
    for _ in range(16):
        p.press("badge-204", None, backlog_since_us=since)


REALS = [
    twice_while_alertd_was_away,
    not_named,
    again,
    never_ending,
    other_class,
    from_before,
    by_its_own_clock_before,
    after_its_time,
]


@pytest.mark.parametrize("real", REALS, ids=lambda real: real.__name__)
def test_whatever_is_not_a_participants_first_gesture_is_real_and_ends_the_drill(p: Play, real: object) -> None:
    p.drill("badge-204")
    p.wait(10)
    real(p)  # type: ignore[operator]

    assert p.state.drill is None, PROMISE_3
    assert p.incident.mode is Mode.LIVE, PROMISE_3
    assert not [i for i in p.state.incidents.values() if i.mode is Mode.DRILL]
    assert Reason.DRILL_IS_REAL in p.reasons()
    waiting = {r.notification.recipient for r in p.rows.values() if r.state is NotificationState.QUEUED}
    assert "psap" in waiting or real is twice_while_alertd_was_away, "presses of a backlog are never a lockdown"


def test_a_graver_gesture_than_what_is_drilled_is_real(p: Play) -> None:
    p.drill("badge-204", drilled="staff_assist")
    p.press("badge-204", 3)
    assert p.incident.mode is Mode.DRILL
    p.press("badge-204", 8)
    assert drills_and_lives(p) == [("drill", "staff_assist"), ("live", "lockdown")], PROMISE_3


def test_a_gesture_that_began_before_the_drill_is_real(p: Play) -> None:
    p.press("badge-204", None)
    p.press("badge-204", None)
    p.wait(1)
    p.drill("badge-204")
    p.wait(1)
    p.press("badge-204", None)
    assert p.incident.mode is Mode.LIVE, PROMISE_3


def test_a_real_press_withdraws_what_the_drill_has_not_said_and_everybody_hears_first_that_it_is_real(p: Play) -> None:
    p.drill("badge-204")
    p.press("badge-204", 8)
    p.wait(3)
    p.news()
    p.press("badge-118", 8)
    news = p.news()

    waiting = [r.notification for r in p.rows.values() if r.state is NotificationState.QUEUED]
    assert not [n for n in waiting if n.mode is Mode.DRILL], "promise 3: a drill is announced after it was real"
    first: dict[str, Notification] = {}
    for n in texts(news):
        first.setdefault(n.recipient, n)
    assert set(first) == EVERYBODY, "somebody who was told of the drill does not hear that it is real"
    assert all(n.text.startswith(f"{REAL} ") and n.mode is Mode.LIVE and n.lane is Lane.PANIC for n in first.values())
    assert all((septets(n.text) or 999) <= 160 for n in texts(news))
    assert first["Ruiz"].text == (
        "DRILL STOPPED, THIS IS REAL. OAK ELEM Rm 118: LOCKDOWN 10:42. Diaz badge. "
        "Reply 418 going, 518 arrived, 618 cannot go."
    )
    assert not [n for n in texts(news) if MARK in n.text]


def test_whoever_is_not_called_to_what_is_real_hears_it_all_the_same(p: Play) -> None:
    p.drill("badge-204")
    p.news()
    p.press("badge-118", 3)
    others = {n.recipient: n for n in texts(p.news()) if n.kind is Kind.DRILL_STOPPED}

    assert set(others) == {"Nurse", "Okafor", "Diaz"}
    assert others["Okafor"].text == (
        "DRILL STOPPED, THIS IS REAL. OAK ELEM Rm 118: STAFF ASSIST 10:42. The drill is over, "
        "and others are called to this."
    )


def test_a_trouble_in_the_same_breath_takes_nobodys_news_that_it_is_real(p: Play) -> None:
    p.drill("badge-204", person_ids=("okafor",), by_id="ruiz")
    p.news()
    p.arrive("wall-gym", "press", pressed_us=p.now_us - 3600_000_000)  # slow clock: a trouble for Ruiz
    news = [n for n in p.news() if n.recipient == "Ruiz"]
    assert Kind.TROUBLE in {n.kind for n in news}
    assert [n for n in news if n.text.startswith(REAL)], "promise 3: told of the drill, and not that it is real"


def test_only_the_first_texts_say_that_it_is_real(p: Play) -> None:
    p.drill("badge-204")
    p.press("badge-118", 8)
    read(p)
    p.news()
    p.wait(31)
    assert not [n for n in texts(p.news()) if REAL in n.text]


def test_a_sensor_stays_live_in_its_quiet_way_and_ends_nothing(p: Play) -> None:
    p.drill("badge-204")
    p.news()
    p.arrive("vape-wc", "vape")

    assert p.incident.mode is Mode.LIVE
    assert p.state.drill is not None
    assert [(n.recipient, n.mode) for n in p.news()] == [("Ruiz", Mode.LIVE)]


def test_a_stranger_is_a_trouble_as_ever_and_no_part_of_the_drill(p: Play) -> None:
    p.drill("badge-204")
    p.registry = replace(p.registry, devices={k: v for k, v in p.registry.devices.items() if k != "badge-118"})
    p.press("badge-118", 8)
    assert p.state.drill is not None
    assert not p.state.incidents


@pytest.mark.parametrize(("digit", "drilled", "live"), [(9, "staff_assist", True), (9, "lockdown", False)])
def test_who_texts_for_more_than_is_drilled_means_it(p: Play, digit: int, drilled: str, live: bool) -> None:
    p.drill("badge-204", drilled=drilled)
    p.press("badge-204", 3)
    p.reply("Ruiz", f"{digit}{p.incident.token}")
    assert ("live", "lockdown") in drills_and_lives(p) if live else p.incident.mode is Mode.DRILL
    assert (p.state.drill is None) is live


def test_who_texts_about_a_real_incident_in_a_drill_means_it(p: Play) -> None:
    p.arrive("vape-wc", "vape")
    vape = p.incident
    p.drill("badge-204")
    p.press("badge-204", 8)
    p.reply("Ruiz", f"9{vape.token}")
    assert p.state.drill is None
    assert {i.mode for i in p.state.incidents.values()} == {Mode.LIVE}, PROMISE_3


def test_a_press_after_the_drill_is_as_real_as_ever(p: Play) -> None:
    p.drill()
    p.end_drill()
    read(p)
    p.press("badge-204", 8)
    assert p.incident.mode is Mode.LIVE, PROMISE_3
    assert not [n for n in p.news() if REAL in n.text]


# --- exercises ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("accepts", [True, False])
def test_a_centre_hears_of_a_drill_only_if_it_takes_exercises(accepts: bool) -> None:
    p = Play(with_centers(accepts_exercise=accepts))
    p.drill()
    p.press("badge-204", 8)
    p.wait(70)
    p.end_drill()
    told = [r.notification for r in p.rows.values() if r.notification.endpoint.dispatch]
    sent = [n for n in told if p.rows[n.id].state is not NotificationState.SUPPRESSED]

    assert {n.recipient for n in sent} == ({"psap"} if accepts else set()), PROMISE_3
    assert all(n.mode is Mode.DRILL and '"mode":"drill"' in n.body and '"headline":"DRILL ' in n.body for n in sent)
    if accepts:
        assert sent[-1].kind is Kind.DISPATCH_CLOSED, "the centre is left with an exercise that is over"
        assert sent[-1].mode is Mode.DRILL


# --- people ---------------------------------------------------------------------------------------------------------


def test_answers_count_in_the_drill_and_only_there(p: Play) -> None:
    p.drill()
    p.press("badge-204", 8)
    p.news()
    p.reply("Ruiz", f"4{p.incident.token}")

    assert [a.kind for a in p.incident.answers] == [AnswerKind.GOING]
    assert all(marked(n) for n in p.news())


def test_only_those_who_were_named_take_part(p: Play) -> None:
    p.drill(person_ids=("chen", "diaz"))
    assert {n.recipient for n in p.news()} == {"Chen", "Diaz"}
    p.press("badge-204", 8)
    p.wait(400)
    assert {n.recipient for n in texts(p.news())} == {"Chen", "Diaz"}, "somebody who takes no part was called"
    assert Reason.NOT_IN_DRILL in p.reasons()
    assert not p.state.troubles


def test_whoever_ordered_it_hears_what_becomes_of_it(p: Play) -> None:
    p.drill("badge-204", drilled="staff_assist", by_id="diaz", person_ids=("chen",))
    assert {n.recipient for n in p.news()} == {"Chen", "Diaz"}


def test_a_drill_is_one_schools_and_widens_to_nobody_else(p: Play) -> None:
    p.drill(minutes=60)
    p.press("badge-204", 8)
    p.wait(900)
    assert "Super" not in {r.notification.recipient for r in p.rows.values()}, "the district is called to an exercise"


# --- ending ---------------------------------------------------------------------------------------------------------


def ended_by_hand(p: Play) -> None:
    p.end_drill()


def expired(p: Play) -> None:
    p.wait(30 * 60 + 1)


@pytest.mark.parametrize(
    ("end", "why"), [(ended_by_hand, "ended by J. Ruiz"), (expired, "its time is over")], ids=lambda x: str(x)[:14]
)
def test_whoever_heard_that_it_began_hears_that_it_is_over(p: Play, end: object, why: str) -> None:
    p.drill(minutes=30)
    p.press("badge-204", 8)
    p.news()
    end(p)  # type: ignore[operator]
    over = [n for n in p.news() if n.kind is Kind.DRILL_OVER]

    assert {n.recipient for n in over} == EVERYBODY
    assert all(n.text.startswith(f"{OVER} OAK ELEM: LOCKDOWN DRILL of 10:42 ended ") and why in n.text for n in over)
    assert p.state.drill is None
    assert not p.state.incidents, "a drill that is over still looks for people"
    read(p)
    p.wait(600)
    assert not texts(p.news()), "a drill that is over still calls people"


def test_who_was_called_in_the_drill_though_not_told_before_hears_the_end_too(p: Play) -> None:
    p.drill()
    p.state.drill = replace(running(p), told=running(p).told[:1])
    p.press("badge-204", 8)
    p.end_drill()
    over = {r.notification.recipient for r in p.rows.values() if r.notification.kind is Kind.DRILL_OVER}
    assert over >= {"Ruiz", "Chen", "Okafor", "Diaz"}


def test_ending_what_does_not_run_changes_nothing(p: Play) -> None:
    p.end_drill()
    assert p.entries[-1].reason is Reason.STALE_CODE
    assert not p.rows


# --- restarts and clocks --------------------------------------------------------------------------------------------


def test_a_restart_in_a_drill_is_told_plainly_and_the_drill_goes_on(p: Play) -> None:
    p.drill(minutes=30)
    p.news()
    p.wait(120)
    p.restart()
    news = p.news()

    assert {n.recipient for n in news} == EVERYBODY
    assert all(marked(n) for n in news)
    assert news[0].text == (
        "THIS IS A DRILL. OAK ELEM: alertd restarted 10:44. The LOCKDOWN DRILL goes on until 11:12. "
        "Real emergency: press again or call 911. THIS IS A DRILL."
    )
    p.press("badge-204", 8)
    assert p.incident.mode is Mode.DRILL


def test_a_drill_that_restarts_again_and_again_is_over(p: Play) -> None:
    p.drill()
    for _ in range(4):
        p.restart()
    assert p.state.drill is None
    assert OVER in p.texts_to("Ruiz")[-1]


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_clock_that_is_set_moves_the_window_and_not_the_end(p: Play, hours: int) -> None:
    p.drill(minutes=30)
    p.wait(60)
    step_us = hours * 3600 * 1_000_000
    p.stepped_us += step_us
    p.do(ClockStepped(site_id=OAK, step_us=step_us))

    p.press("badge-204", 8)
    assert p.incident.mode is Mode.DRILL
    p.wait(29 * 60 + 1)
    assert p.state.drill is None


def test_an_incident_that_outlived_its_drill_looks_for_nobody(p: Play) -> None:
    p.drill()
    p.press("badge-204", 8)
    p.news()
    p.state.drill = None
    p.wait(31)
    assert not p.state.incidents
    assert not p.news()


def test_a_token_of_the_drill_answers_nothing_real(p: Play) -> None:
    p.drill("badge-204")
    p.press("badge-204", 8)
    token = p.incident.token
    p.press("badge-118", 8)
    live: Incident = p.incident
    p.reply("Ruiz", f"4{token}")
    assert p.incident.answers == live.answers == ()
