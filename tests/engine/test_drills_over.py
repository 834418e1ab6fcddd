"""The end of a drill, and who knows of it (promise 3): told or named in a trouble; and until then nothing real without
the words that it is."""

import pytest
from msgspec.structs import replace

from alertd.engine import fallback, wording
from alertd.engine.gsm7 import septets
from alertd.model.anchor import Now
from alertd.model.call_script import decode
from alertd.model.decision import Facts
from alertd.model.drill import Drill
from alertd.model.events import ClockStepped, DrillFound, DrillOrdered, Pressed, Replied, Signal
from alertd.model.ids import CauseId, DeviceId, DrillId, PersonId
from alertd.model.incident import EscalationState, IncidentClass
from alertd.model.mode import Mode
from alertd.model.notification import (
    Circumstances,
    Kind,
    Notification,
    NotificationRow,
    NotificationState,
    unwanted,
)
from alertd.model.outcome import Accepted, Delivered, Failed, Sent, Withdrawn
from alertd.model.page import PageAction
from alertd.model.policy import Step, Target, TargetKind
from alertd.model.reason import Reason
from alertd.model.registry import ChannelRules, Registry
from alertd.model.site import Gestures
from tests.engine import test_announcing as loud
from tests.engine import test_calls as phones
from tests.engine.play import Play
from tests.engine.school import ELM, LOCKDOWN, OAK, PEOPLE, STAFF, group, policy, registry
from tests.engine.test_calls_in_turn import refused
from tests.engine.test_drills import EVERYBODY, REAL, read, texts

PROMISE_3 = "promise 3 broken"
SAID_REAL = "The drill is stopped. This is real. "
SECOND = "+12025550188"
ANOTHER = 3600 + 1
"""Seconds after which nobody believes in a drill any more."""


@pytest.fixture
def p() -> Play:
    return Play()


def drilled(p: Play, *devices: str, **more: object) -> Drill:
    """A drill runs, and everybody has read so."""
    p.drill(*(devices or ("badge-204",)), **more)  # type: ignore[arg-type]
    read(p)
    p.news()
    assert p.state.drill is not None
    return p.state.drill


def of(found: list[Notification], kind: Kind) -> dict[str, Notification]:
    return {n.recipient: n for n in found if n.kind is kind}


def opted_out_at_the_start(p: Play, name: str = "Okafor") -> None:
    """They hear of the drill only by what is pressed in it."""
    key = next(person for person in PEOPLE if person.name == name).endpoints[0].key
    p.opted_out.add(key)
    drilled(p)
    p.opted_out.discard(key)
    p.press("badge-204", 8)
    read(p)
    p.news()


# --- who is told ----------------------------------------------------------------------------------------------------


def test_whoever_heard_of_a_drill_only_by_an_incident_that_is_closed_hears_the_end(p: Play) -> None:
    opted_out_at_the_start(p)
    p.resolve(rooms_released=True)
    p.news()
    p.end_drill()
    assert set(of(p.news(), Kind.DRILL_OVER)) == EVERYBODY


def test_whoever_heard_of_a_drill_only_by_an_incident_that_is_closed_hears_that_it_is_real(p: Play) -> None:
    opted_out_at_the_start(p)
    p.resolve(rooms_released=True)
    read(p)
    p.press("badge-118", 3)
    stopped = of(p.news(), Kind.DRILL_STOPPED)
    assert "Okafor" in stopped, PROMISE_3


def test_whoever_heard_of_a_drill_only_by_an_open_incident_hears_first_that_it_is_real(p: Play) -> None:
    opted_out_at_the_start(p)
    p.press("badge-118", 8)
    (okafor, *_) = [n for n in texts(p.news()) if n.recipient == "Okafor"]
    assert okafor.text.startswith(f"{REAL} OAK ELEM: LOCKDOWN 10:42. Locks, lights, out of sight."), PROMISE_3
    (drill,) = p.drills.values()
    assert {told.person_id for told in drill.told} == {name.lower() for name in EVERYBODY}


def test_a_phone_that_opted_out_meanwhile_is_not_texted_that_it_is_real(p: Play) -> None:
    drilled(p)
    p.opted_out.add(PEOPLE[3].endpoints[0].key)
    p.press("badge-118", 3)
    row = next(r for r in p.rows.values() if r.notification.kind is Kind.DRILL_STOPPED and "oka" in str(r.notification))
    assert (row.state, row.reason) == (NotificationState.SUPPRESSED, Reason.OPTED_OUT)


def test_a_phone_that_opted_out_is_none_that_was_told(p: Play) -> None:
    p.opted_out.add(PEOPLE[3].endpoints[0].key)
    p.drill()
    assert p.state.drill is not None
    assert "okafor" not in {told.person_id for told in p.state.drill.told}


def test_the_district_takes_no_part_although_a_policy_would_call_it() -> None:
    widely = replace(LOCKDOWN, steps=(*LOCKDOWN.steps, Step(targets=(Target(kind=TargetKind.DISTRICT),), wait_s=60)))
    p = Play(registry(widely))
    p.drill()
    assert {n.recipient for n in p.news()} == EVERYBODY


def test_everybody_who_knows_of_a_drill_hears_of_a_restart(p: Play) -> None:
    opted_out_at_the_start(p)
    p.restart()
    assert set(of(p.news(), Kind.DRILL_GOES_ON)) == EVERYBODY


def test_each_restart_is_told(p: Play) -> None:
    drilled(p)
    for _ in range(2):
        p.wait(60)
        p.restart()
        read(p)
        assert set(of(p.news(), Kind.DRILL_GOES_ON)) == EVERYBODY, "req 77: a second restart is silent"


def test_a_notice_that_may_be_lost_is_sent_again(p: Play) -> None:
    p.drill()
    assert all(n.resend_unknown for n in p.news())


def test_an_incident_says_of_which_drill_it_was_and_the_drill_which_press_was_real(p: Play) -> None:
    drill = drilled(p)
    p.press("badge-204", 8)
    assert p.incident.drill_id == drill.id
    p.press("badge-118", 8)
    assert p.drills[drill.id].real_incident_id == p.incident.id


# --- orders that come twice, and what a device can ------------------------------------------------------------------


def test_an_order_that_comes_again_after_its_drill_begins_nothing(p: Play) -> None:
    drilled(p)
    p.end_drill()
    order = DrillOrdered(
        site_id=OAK,
        cause=next(iter(p.causes)),
        by="J. Ruiz",
        incident_class=IncidentClass.LOCKDOWN,
        device_ids=(DeviceId("badge-204"),),
        told_before="J. Doe, dispatch",
        minutes=30,
    )
    p.news()
    p.do(order)
    assert p.state.drill is None, "the first press of a badge would be no press"
    assert not p.news()


def test_news_of_one_start_that_comes_twice_is_told_once(p: Play) -> None:
    drill = drilled(p)
    for _ in range(2):
        p.do(DrillFound(site_id=OAK, cause=CauseId("start"), drill_id=drill.id, started_us=p.now_us))
    assert p.state.drill is not None
    assert p.state.drill.restarts == 1


def test_promise_3_a_badge_of_two_schools_takes_part_in_no_drill_until_it_is_of_one() -> None:
    """Next door it is heard as well as here: what is a drill at one school would send the police to the other."""
    p = Play(site_id=ELM)
    p.drill("walker")
    assert p.state.drill is None, PROMISE_3
    assert "walker may press at oak as well, and would be REAL there" in p.entries[-1].text
    assert "register them so (devices.csv: site, roaming_sites)" in p.entries[-1].text

    walker = replace(p.registry.devices[DeviceId("walker")], site_id=ELM, roaming_sites=(ELM,))
    p = Play(replace(p.registry, devices=p.registry.devices | {walker.id: walker}), site_id=ELM)
    p.drill("walker")
    assert p.state.drill is not None, p.entries[-1].text


def test_fewer_presses_that_mean_more_are_real() -> None:
    """A district whose second press locks down and whose fifth calls for help, and drills the latter."""
    school = registry()
    odd = Gestures(id="odd", presses={2: "lockdown", 5: "staff_assist"})
    badge = replace(school.devices[DeviceId("badge-204")], gestures=odd)
    p = Play(replace(school, devices=school.devices | {badge.id: badge}))
    p.drill("badge-204", drilled="staff_assist")
    p.press("badge-204", 2)
    assert p.incident.mode is Mode.LIVE, PROMISE_3


def test_a_gesture_from_before_the_one_that_counted_is_real(p: Play) -> None:
    """By the badge's own clock it was pressed twice in the drill, and heard in the wrong order."""
    drilled(p)
    p.wait(60)
    p.press("badge-204", 8, pressed_us=p.now_us)
    p.press("badge-204", 8, pressed_us=p.now_us - 40_000_000)
    assert {i.mode for i in p.state.incidents.values()} == {Mode.LIVE}, PROMISE_3


@pytest.mark.parametrize(("before_s", "mode"), [(5, Mode.DRILL), (31, Mode.LIVE)])
def test_a_press_that_the_one_that_counted_has_overtaken_is_of_its_gesture_only_within_it(
    p: Play, before_s: int, mode: Mode
) -> None:
    drilled(p)
    p.wait(60)
    p.press("badge-204", 8, pressed_us=p.now_us)
    p.press("badge-204", None, pressed_us=p.now_us - before_s * 1_000_000)
    p.press("badge-204", None, pressed_us=p.now_us - before_s * 1_000_000)
    p.press("badge-204", None, pressed_us=p.now_us - before_s * 1_000_000)
    assert {i.mode for i in p.state.incidents.values()} == {mode}, PROMISE_3


# --- those who do not know that it is over --------------------------------------------------------------------------


def test_a_press_before_anybody_knows_of_the_end_is_real_first_and_nothing_of_the_end_follows(p: Play) -> None:
    drilled(p)
    p.end_drill()
    p.news()
    p.press("badge-118", 8)
    news = texts(p.news())

    assert p.incident.mode is Mode.LIVE
    assert {n.recipient for n in news if n.text.startswith(REAL)} == EVERYBODY, PROMISE_3
    waiting = [r.notification for r in p.rows.values() if r.state is NotificationState.QUEUED]
    assert Kind.DRILL_OVER not in {n.kind for n in waiting}, "the press reads as the last act of the drill"
    (drill,) = p.drills.values()
    assert drill.real_incident_id == p.incident.id


def test_of_a_press_after_the_end_only_those_hear_that_it_is_real_who_may_not_know(p: Play) -> None:
    drilled(p)
    p.end_drill()
    read(p, "Ruiz", "Diaz")
    p.news()
    p.press("badge-118", 8)
    marked = {n.recipient for n in texts(p.news()) if n.text.startswith(REAL)}
    assert marked == EVERYBODY - {"Ruiz", "Diaz"}


def test_whoever_does_not_know_of_the_end_and_is_not_called_hears_it_all_the_same(p: Play) -> None:
    drilled(p)
    p.end_drill()
    read(p, "Diaz")
    p.news()
    p.press("badge-118", 3)
    assert set(of(p.news(), Kind.DRILL_STOPPED)) == {"Nurse", "Okafor"}


def test_an_end_that_is_on_its_way_when_something_real_comes_is_not_tried_again(p: Play) -> None:
    drilled(p)
    p.end_drill()
    row = p.claim(next(r for r in p.rows.values() if r.notification.kind is Kind.DRILL_OVER))
    p.press("badge-118", 8)
    after = p.outcome(row, Failed(permanent=False, code="busy"))
    assert (after.state, after.reason) == (NotificationState.WITHDRAWN, Reason.DRILL_IS_REAL)


def test_an_end_that_the_carrier_took_and_lost_is_not_told_after_something_real(p: Play) -> None:
    drilled(p)
    p.end_drill()
    read(p)
    lost = next(r for r in p.rows.values() if r.notification.kind is Kind.DRILL_OVER)
    p.news()
    p.press("badge-118", 8)
    assert not [n for n in texts(p.news()) if "REAL" in n.text], "all know that it is over"
    after = p.outcome(lost, Failed(permanent=False, code="30008", ref=lost.ref))
    assert (after.state, after.reason) == (NotificationState.WITHDRAWN, Reason.DRILL_IS_REAL)
    p.wait(31)
    reminded = {n.text[:12] for n in texts(p.news()) if n.recipient == lost.notification.recipient}
    assert reminded <= {"DRILL STOPPE", "THIS IS REAL"}, "it never reached them: they may believe in a drill"


def test_an_end_that_the_carrier_lost_is_tried_again_while_nothing_is_real(p: Play) -> None:
    drilled(p)
    p.end_drill()
    read(p)
    lost = next(r for r in p.rows.values() if r.notification.kind is Kind.DRILL_OVER)
    after = p.outcome(lost, Failed(permanent=False, code="30008", ref=lost.ref))
    assert after.state is NotificationState.QUEUED
    p.wait(121)
    assert [t.summary for t in p.state.troubles.values() if lost.notification.recipient in t.summary]


def test_who_asks_for_more_before_others_know_of_the_end_stops_the_drill_for_them(p: Play) -> None:
    p.arrive("vape-wc", "vape")
    vape = p.incident
    drilled(p)
    p.end_drill()
    p.news()
    p.reply("Ruiz", f"9{vape.token}")
    assert {n.recipient for n in texts(p.news()) if n.text.startswith(REAL)} >= EVERYBODY - {"Ruiz"}


def test_a_sensor_after_the_end_is_none_of_its_business(p: Play) -> None:
    drilled(p)
    p.end_drill()
    p.news()
    p.arrive("vape-wc", "vape")
    assert not [n for n in p.news() if REAL in n.text]
    assert {r.state for r in p.rows.values() if r.notification.kind is Kind.DRILL_OVER} == {NotificationState.QUEUED}


def test_whatever_is_quicker_than_a_lost_text_says_that_it_is_real(p: Play) -> None:
    """Killed with the texts in its hands, and nobody answers before they are found again."""
    drilled(p)
    p.press("badge-118", 8)
    for row in list(p.rows.values()):
        if row.state is NotificationState.QUEUED and row.notification.recipient != "psap":
            p.claim(row)
    p.news()
    p.wait(31)
    later = [n for n in texts(p.news()) if n.kind is not Kind.PAGE]
    assert later
    told = {n.recipient: n.text for n in later}
    assert all(text.startswith((REAL, "THIS IS REAL. ")) for text in told.values()), PROMISE_3
    assert all((septets(text) or 999) <= 160 for text in told.values()), told
    read_by_all = [r for r in p.rows.values() if r.state is NotificationState.CLAIMED]
    for row in read_by_all:
        p.outcome(row, Accepted(ref=f"SM{row.notification.id}"))
    p.wait(61)
    assert not [n for n in texts(p.news()) if "REAL" in n.text], "they know it by now"


def test_an_hour_later_nobody_believes_in_a_drill(p: Play) -> None:
    drilled(p)
    p.end_drill()
    p.news()
    p.wait(ANOTHER)
    p.news()
    p.press("badge-118", 8)
    assert not [n for n in texts(p.news()) if "REAL" in n.text]


def test_a_clock_that_is_set_after_the_end_changes_nothing_of_that(p: Play) -> None:
    drilled(p)
    p.end_drill()
    p.stepped_us += 5 * 3600 * 1_000_000
    p.do(ClockStepped(site_id=OAK, step_us=5 * 3600 * 1_000_000))
    p.news()
    p.press("badge-118", 8)
    assert {n.recipient for n in texts(p.news()) if n.text.startswith(REAL)} == EVERYBODY


def test_a_press_that_alertd_cannot_handle_says_so_to_those_who_do_not_know_of_the_end(p: Play) -> None:
    drilled(p)
    p.end_drill()
    event = Pressed(
        site_id=OAK,
        cause=CauseId("poison"),
        signal=loud_signal(),
        source="mqtt",
        received_us=p.now_us,
        oldest_us=p.now_us,
        backlog=False,
        retained=False,
    )
    now = Now(wall_us=p.now_us, boot_us=0)
    page = fallback.page(p.state, Facts(registry=p.registry), event, now, "broken")
    assert page.notifications
    (drill,) = p.drills.values()
    for row in page.notifications:
        assert row.notification.text.startswith(REAL)
        assert row.notification.ends_drill == drill.id


def loud_signal() -> Signal:
    return Signal(device_id=DeviceId("badge-118"), action="press")


# --- those who cannot be told ---------------------------------------------------------------------------------------


def test_whoever_is_not_known_to_have_been_told_is_named_to_somebody_who_can_go_there(p: Play) -> None:
    drilled(p)
    p.end_drill()
    read(p, "Ruiz", "Chen")
    p.news()
    p.wait(121)
    (trouble,) = of(p.news(), Kind.TROUBLE).values()
    assert trouble.text == (
        "alertd trouble at OAK ELEM: The LOCKDOWN DRILL of 10:42 is over, and these may not know it: Nurse, Okafor, "
        "Diaz. Tell them."
    )
    read(p, "Nurse", "Okafor")
    assert p.state.troubles
    read(p, "Diaz")
    assert not p.state.troubles, "all know it, and the trouble stands"


def test_everybody_has_been_told_is_no_trouble(p: Play) -> None:
    drilled(p)
    p.end_drill()
    read(p)
    p.news()
    p.wait(600)
    assert not p.news()
    assert not p.state.troubles


def test_nobody_is_sent_to_tell_of_a_drill_that_something_real_has_overtaken(p: Play) -> None:
    drilled(p)
    p.end_drill()
    p.wait(121)
    assert p.state.troubles
    p.press("badge-118", 8)
    assert not p.state.troubles


def test_the_news_of_an_end_lives_an_hour(p: Play) -> None:
    drilled(p)
    p.end_drill()
    for n in of(p.news(), Kind.DRILL_OVER).values():
        assert round((n.expires_us - n.created_us) / 1_000_000) == 3600


# --- one drill after another ----------------------------------------------------------------------------------------


def one_after_another(p: Play) -> None:
    """The second, of which only Ruiz is told, begins before anybody else has read that the first is over."""
    drilled(p)
    p.end_drill()
    read(p, "Ruiz")
    p.news()
    p.drill("badge-118", drilled="staff_assist", person_ids=(PersonId("ruiz"),))


def waiting(p: Play, kind: Kind) -> set[str]:
    rows = (row.notification for row in p.rows.values() if row.state is NotificationState.QUEUED)
    return {n.recipient for n in rows if n.kind is kind}


def test_the_end_of_a_second_drill_takes_nothing_back_of_the_end_of_the_first(p: Play) -> None:
    one_after_another(p)
    p.end_drill()
    assert waiting(p, Kind.DRILL_OVER) == EVERYBODY, f"{PROMISE_3}: nobody tells them that the first is over"
    ends = [r.notification for r in p.rows.values() if r.notification.kind is Kind.DRILL_OVER]
    assert {n.recipient for n in ends if "LOCKDOWN" in n.text} == EVERYBODY
    assert {n.recipient for n in ends if "STAFF ASSIST" in n.text} == {"Ruiz"}


@pytest.mark.parametrize("second_is_over", [False, True])
def test_who_may_not_know_that_the_first_is_over_is_named_whatever_came_after_it(p: Play, second_is_over: bool) -> None:
    one_after_another(p)
    if second_is_over:
        p.end_drill()
    read(p, "Ruiz", "Chen")
    p.news()
    p.wait(121)
    (trouble,) = of(p.news(), Kind.TROUBLE).values()
    assert "The LOCKDOWN DRILL of 10:42 is over, and these may not know it: Nurse, Okafor, Diaz." in trouble.text
    read(p)
    assert not p.state.troubles, "all know it, and the trouble stands"


@pytest.mark.parametrize("second_is_over", [False, True])
def test_a_real_press_after_a_second_drill_is_real_first_for_those_of_the_first(p: Play, second_is_over: bool) -> None:
    one_after_another(p)
    read(p, "Nurse")
    if second_is_over:
        p.end_drill()
    p.news()
    p.press("badge-204", 8)
    news = texts(p.news())
    assert {n.recipient for n in news if n.text.startswith(REAL)} == EVERYBODY - {"Nurse"}, PROMISE_3
    assert not waiting(p, Kind.DRILL_OVER), "the press reads as the last act of a drill"
    assert not p.state.troubles


def test_an_end_of_the_first_that_is_on_its_way_is_not_tried_again_after_a_real_press_in_the_second(p: Play) -> None:
    drilled(p)
    p.end_drill()
    sent = p.claim(next(r for r in p.rows.values() if r.notification.kind is Kind.DRILL_OVER))
    p.drill("badge-118", drilled="staff_assist", person_ids=(PersonId("ruiz"),))
    p.press("badge-204", 8)
    after = p.outcome(sent, Failed(permanent=False, code="503", detail="busy"))
    assert after.state is not NotificationState.QUEUED, "the end of a drill follows what is real"


def test_who_heard_of_the_end_of_the_first_only_after_something_real_is_not_told_again_that_it_is(p: Play) -> None:
    one_after_another(p)
    p.press("badge-204", 8)
    read(p)
    p.news()
    p.press("badge-118", 8)
    assert not [n for n in texts(p.news()) if n.text.startswith(REAL)]


def test_the_clock_that_is_set_in_the_second_drill_takes_the_first_with_it(p: Play) -> None:
    one_after_another(p)
    p.stepped_us += 5 * 3600 * 1_000_000
    p.do(ClockStepped(site_id=OAK, step_us=5 * 3600 * 1_000_000))
    p.news()
    p.press("badge-204", 8)
    assert "Okafor" in {n.recipient for n in texts(p.news()) if n.text.startswith(REAL)}, PROMISE_3


def test_a_drill_in_which_nobody_believes_any_more_leaves_no_trouble_behind_the_next(p: Play) -> None:
    drilled(p)
    p.end_drill()
    p.wait(ANOTHER)
    assert p.state.troubles
    p.drill("badge-118")
    assert not p.state.troubles
    assert p.state.drill is not None
    assert p.state.drill.before is None


# --- restarts -------------------------------------------------------------------------------------------------------


def test_a_drill_whose_time_has_passed_when_alertd_starts_is_over_and_does_not_go_on(p: Play) -> None:
    drilled(p, minutes=2)
    p.now_us += 180 * 1_000_000  # the start is quicker than the timer
    p.restart()
    news = p.news()
    assert not of(news, Kind.DRILL_GOES_ON), "it goes on until a minute that has passed"
    assert set(of(news, Kind.DRILL_OVER)) == EVERYBODY
    assert p.state.drill is None
    assert Reason.DRILL_RESTARTED in p.reasons()


# --- calls ----------------------------------------------------------------------------------------------------------


def calling() -> Play:
    p = Play(phones.school())
    drilled(p)
    return p


def only_phones() -> Registry:
    """Nobody can be texted."""
    school = phones.school()
    heard = {p.id: replace(p, endpoints=p.endpoints[1:]) for p in school.people.values()}
    fields = {name: getattr(school, name) for name in school.__struct_fields__}
    return Registry(**fields | {"people": heard})


def test_a_call_that_tells_those_who_are_not_called_says_first_that_it_is_real() -> None:
    p = Play(only_phones())
    drilled(p)
    p.press("badge-118", 3)
    said = [r.notification for r in phones.calls(p) if r.notification.kind is Kind.DRILL_STOPPED]
    assert {n.recipient for n in said} >= {"Nurse", "Diaz"}
    assert all(decode(n.body, n.text).main.startswith(f"{SAID_REAL}Oak Elem. ") for n in said), PROMISE_3
    assert all(not n.text.endswith("real.") for n in said)


@pytest.mark.parametrize("end", ["correct", "resolve"])
def test_nobody_takes_a_call_that_says_this_is_real_of_what_is_over(end: str) -> None:
    p = Play(only_phones())
    drilled(p)
    p.press("badge-118", 3)
    (call,) = [r for r in phones.calls(p) if r.notification.recipient == "Nurse"]
    assert refused(p, call) is None
    getattr(p, end)()

    assert refused(p, call) == (NotificationState.WITHDRAWN, Reason.INCIDENT_CLOSED), PROMISE_3


@pytest.mark.parametrize("end", ["correct", "resolve"])
def test_the_text_that_the_drill_was_stopped_is_still_news_after_that(p: Play, end: str) -> None:
    drilled(p)
    p.press("badge-118", 3)
    row = p.rows[of(p.news(), Kind.DRILL_STOPPED)["Nurse"].id]
    getattr(p, end)()

    assert refused(p, row) is None, "they believe in the drill"


def test_a_drills_call_that_made_way_is_no_failure_of_anybody() -> None:
    p = Play(phones.school())
    drilled(p)
    p.press("badge-204", 8)
    call = next(r for r in phones.calls(p) if r.notification.kind is Kind.ALERT)
    told = len(p.rows)
    call = p.outcome(p.claim(call), Accepted(ref="CA1"))
    call = p.outcome(call, Withdrawn(ref="CA1", gave_way=True))

    assert (call.state, call.reason) == (NotificationState.WITHDRAWN, Reason.GAVE_WAY)
    assert len(p.rows) == told, "nobody is told otherwise of a drill while something real needs the phone"


def test_notices_by_call_are_marked_before_and_after() -> None:
    p = Play(only_phones())
    p.drill()
    begun = [r.notification for r in phones.calls(p)]
    assert begun
    for n in begun:
        assert n.text.startswith("This is a drill. "), n.text
        assert n.text.endswith(" This is a drill."), n.text
    read(p)
    p.end_drill()
    over = [r.notification for r in phones.calls(p)]
    assert over
    assert all(n.text.startswith("The drill is over. ") for n in over)


def test_until_a_human_has_taken_a_call_each_next_one_says_that_it_is_real() -> None:
    p = calling()
    p.press("badge-118", 8)
    first = next(r for r in phones.calls(p) if r.notification.recipient == "Ruiz")
    assert first.notification.text.startswith(SAID_REAL)
    p.outcome(p.claim(first), Sent(ref="CA1"))
    p.outcome(p.rows[first.notification.id], phones.BUSY)
    p.wait(16)
    second = next(r for r in phones.calls(p) if r.notification.recipient == "Ruiz")
    assert second.notification.redial == 1
    assert second.notification.text.startswith(SAID_REAL), "nobody has said so on this phone yet"

    p.outcome(p.claim(second), Delivered(ref="CA2"))
    p.wait(120)
    third = [r for r in phones.calls(p) if r.notification.recipient == "Ruiz"][-1]
    assert third.notification.id != second.notification.id
    assert "This is real" not in third.notification.text


def test_a_key_for_a_drill_that_has_become_real_answers_nothing_and_says_what_is_real() -> None:
    p = calling()
    p.press("badge-204", 8)
    call = next(r for r in phones.calls(p) if r.notification.recipient == "Ruiz")
    p.outcome(p.claim(call), Delivered(ref="CA1"))
    p.press("badge-118", 8)
    said = p.key(p.rows[call.notification.id], 4).text

    assert said.startswith(f"{SAID_REAL}Oak Elem. Rm 118, 1st fl West. Lockdown. "), said
    assert "Your key was for the drill, and changed nothing." in said
    assert "To answer, text four one eight if you are going, six one eight if you cannot." in said
    assert "This is a drill" not in said
    assert p.incident.answers == ()


def test_a_key_of_somebody_who_is_not_called_to_what_is_real_names_no_way_to_answer() -> None:
    p = Play(phones.school(policy("lockdown", Step(targets=(group("second"), STAFF), channels=("voice",)))))
    drilled(p)
    p.press("badge-204", 8)
    call = next(r for r in phones.calls(p) if r.notification.recipient == "Nurse")
    p.outcome(p.claim(call), Delivered(ref="CA1"))
    p.press("badge-118", 3)
    said = p.key(p.rows[call.notification.id], 4).text

    assert said.startswith(f"{SAID_REAL}Oak Elem. Rm 118, 1st fl West. Staff assist. The drill is over, and others")
    assert "To answer" not in said


def test_a_key_for_a_drill_that_just_ended_is_told_so_as_ever() -> None:
    p = calling()
    p.press("badge-204", 8)
    call = next(r for r in phones.calls(p) if r.notification.recipient == "Ruiz")
    p.outcome(p.claim(call), Delivered(ref="CA1"))
    p.end_drill()
    said = p.key(p.rows[call.notification.id], 4).text
    assert said.startswith("This is a drill. ")
    assert "Your key changed nothing." in said


# --- loudspeakers ---------------------------------------------------------------------------------------------------


def speaking(*targets: Target) -> Play:
    p = Play(loud.school(None, *targets))
    p.drill("badge-204")
    p.press("badge-204", 8)
    loud.take_all(p)
    p.news()
    return p


def pages_of(p: Play) -> list[tuple[str, PageAction]]:
    return [(n.endpoint.address, loud.page_of(n).action) for n in p.news() if n.kind is Kind.PAGE]


def test_a_drill_is_never_spoken_on_emergency_groups() -> None:
    p = Play(loud.school())
    p.drill("badge-204")
    p.press("badge-204", 8)
    (page,) = [loud.page_of(r.notification) for r in loud.pages(p)]
    assert (page.mode, page.emergency) == (Mode.DRILL, False), PROMISE_3


def test_a_live_announcement_after_a_drill_says_that_this_is_none_and_no_other_does() -> None:
    p = speaking()
    p.press("badge-118", 8)
    live = [loud.page_of(r.notification) for r in loud.pages(p) if r.notification.mode is Mode.LIVE]
    said = [page for page in live if page.action is PageAction.SAY]
    assert [page.real_after_drill for page in said] == [True], "nobody in the rooms hears that it is real"
    p.resolve(rooms_released=True)
    p.wait(ANOTHER)
    p.news()
    p.press("badge-204", 8)
    (again, *_) = [loud.page_of(n) for n in p.news() if n.kind is Kind.PAGE]
    assert not again.real_after_drill


def test_loudspeakers_that_say_what_is_real_are_not_silenced_and_all_others_are() -> None:
    p = speaking()
    p.press("badge-118", 8)
    spoken = [("oak-all", PageAction.SAY), ("oak-gym", PageAction.STOP)]
    said = [n for n in p.news() if n.kind is Kind.PAGE]
    found = [(n.endpoint.address, loud.page_of(n).action) for n in said]
    assert found == spoken, "promise 3 broken: the drill speaks on"
    assert loud.page_of(said[1]).mode is Mode.DRILL, "the gym may be a part of all: what is real would be cut there"


def test_where_what_is_real_is_not_spoken_the_drill_falls_silent_everywhere() -> None:
    p = speaking()
    p.press("badge-118", 3)
    assert sorted(pages_of(p)) == [("oak-all", PageAction.STOP), ("oak-gym", PageAction.STOP)]


def test_a_drill_that_never_spoke_is_not_silenced() -> None:
    p = Play(loud.school())
    p.drill("badge-204")
    p.news()
    p.press("badge-118", 3)
    assert not pages_of(p)


def test_with_the_drill_its_words_end_and_nothing_else_is_said() -> None:
    """Quiet, and no voice that says so: a lockdown is never cleared by a broadcast, and one is practised (R20)."""
    p = speaking()
    p.end_drill()
    stops = [n for n in p.news() if n.kind is Kind.PAGE]
    assert sorted((n.endpoint.address, loud.page_of(n).action) for n in stops) == [
        ("oak-all", PageAction.STOP),
        ("oak-gym", PageAction.STOP),
    ]
    assert {loud.page_of(n).mode for n in stops} == {Mode.DRILL}, "the end of a drill would cut what is real"
    assert {n.mode for n in stops} == {Mode.LIVE}, "no drill runs any more: it would be withdrawn"


def test_a_drill_whose_words_were_said_long_ago_ends_without_an_order_for_quiet() -> None:
    p = speaking()
    p.wait(180)
    p.news()
    p.end_drill()
    assert not pages_of(p)


def test_words_of_a_drill_that_has_just_run_out_are_cut_off_as_well() -> None:
    p = speaking()
    p.end_drill()
    p.news()
    p.press("badge-118", 3)
    assert sorted(pages_of(p)) == [("oak-all", PageAction.STOP), ("oak-gym", PageAction.STOP)]


# --- words ----------------------------------------------------------------------------------------------------------

LONG = (
    "{site}: LOCKDOWN {time}, threat inside. Locks, lights, out of sight. Silence this phone. Open to no one; your "
    "room is released in person."
)
GO = "{site} {where}: {what} {time}. {who}. Call or radio 911 now. Reply 4{token} going, 5{token} arrived, 6{token} no."


def real_words(**templates: str) -> dict[str, str]:
    """What a responder and somebody of the staff read of a real press in a drill."""
    lockdown = policy("lockdown", *LOCKDOWN.steps)
    p = Play(registry(replace(lockdown, templates=lockdown.templates | templates)))
    drilled(p)
    p.press("badge-118", 8)
    first: dict[str, str] = {}
    for n in texts(p.news()):
        first.setdefault(n.recipient, n.text)
    return first


def test_the_words_of_what_is_real_are_those_of_any_other_day_after_their_mark() -> None:
    said = real_words(**{"alert.responder": GO, "alert.staff": LONG})
    assert said["Ruiz"] == (
        "DRILL STOPPED, THIS IS REAL. OAK ELEM Rm 118: LOCKDOWN 10:42. Diaz badge. Call or radio 911 now. "
        "Reply 417 going, 517 arrived, 617 no."
    )
    assert said["Okafor"] == f"{REAL} {LONG.format(site='OAK ELEM', time='10:42')}", "a word of what to do is lost"


def test_a_policy_may_have_words_of_its_own_for_that_moment() -> None:
    said = real_words(**{"alert.staff": LONG, "real.staff": "{site}: LOCKDOWN {time}. Lock now."})
    assert said["Okafor"] == f"{REAL} OAK ELEM: LOCKDOWN 10:42. Lock now."


# --- answers that were meant for the drill --------------------------------------------------------------------------


def sent_and_read(p: Play) -> None:
    read(p)
    p.news()
    p.now_us += 5_000_000


def test_a_bare_digit_typed_before_anybody_can_have_read_of_the_real_press_does_not_answer_it(p: Play) -> None:
    drilled(p)
    p.press("badge-204", 8)
    sent_and_read(p)
    p.press("badge-118", 8)
    read(p)
    p.reply("Ruiz", "4", at_us=p.now_us + 1_000_000)
    assert p.incident.escalation is EscalationState.RUNNING, "promise 5 broken: nobody read it, and the looking stops"
    p.reply("Ruiz", "4", at_us=p.now_us + 10_000_000)
    assert p.incident.escalation is EscalationState.PAUSED


def test_a_bare_digit_from_a_phone_for_which_nothing_has_left_does_not_answer(p: Play) -> None:
    p.press("badge-118", 8)
    p.now_us += 30_000_000
    p.reply("Ruiz", "4")
    assert p.incident.escalation is EscalationState.RUNNING, "promise 5 broken: nobody read it, and the looking stops"
    p.reply("Ruiz", f"4{p.incident.token}")
    assert p.incident.escalation is EscalationState.PAUSED


def test_an_answer_to_the_drills_code_names_what_is_real_after_the_mark(p: Play) -> None:
    drilled(p)
    p.press("badge-204", 8)
    drill_token = p.incident.token
    sent_and_read(p)
    p.press("badge-118", 8)
    p.news()
    p.reply("Ruiz", f"4{drill_token}")
    (said,) = texts(p.news())
    assert said.text.startswith(f"{wording.REAL_SHORT} OAK ELEM Rm 204 LOCKDOWN DRILL 10:42 was closed"), PROMISE_3
    assert f"reply 4{p.incident.token}" in said.text


def of_two_phones() -> tuple[Play, str, str]:
    """Ruiz has a second phone, and hears of sensors over a sender of its own. A drill was pressed for, with this token;
    it became real; and this is the number of the first phone."""
    school = phones.school()
    ruiz = school.people[PersonId("ruiz")]
    first = ruiz.endpoints[0]
    endpoints = (*ruiz.endpoints, replace(first, address=SECOND), replace(first, channel="notices"))
    people = school.people | {ruiz.id: replace(ruiz, endpoints=endpoints)}
    notices = ChannelRules(name="notices", kind="sms", notices=True)
    p = Play(replace(school, people=people, channels=school.channels | {"notices": notices}))
    drilled(p)
    p.press("badge-204", 8)
    token = p.incident.token
    sent_and_read(p)
    p.press("badge-118", 8)
    return p, token, first.address


def took(p: Play, channel: str, address: str) -> None:
    """A carrier takes what says there that it is real."""
    of_it = (r for r in p.rows.values() if r.notification.ends_drill is not None)
    row = next(r for r in of_it if r.notification.endpoint.key == f"{channel}:{address}")
    p.outcome(p.claim(row), Accepted(ref=f"SM{row.notification.id}"))


def answer_by_notices(p: Play, address: str, body: str) -> str:
    p.news()
    p.do(Replied(site_id=OAK, cause=CauseId("sms:n"), channel="notices", address=address, body=body, at_us=p.now_us))
    (answer,) = (n for n in p.news() if n.kind is Kind.ANSWER)
    assert answer.endpoint.channel == "notices"
    return answer.text


@pytest.mark.parametrize("told_the_first", [True, False])
def test_an_answer_in_the_thread_of_notices_is_marked_unless_that_very_phone_was_told(told_the_first: bool) -> None:
    """It is one phone, whichever sender texts it; and it does not show what their other one was sent."""
    p, token, first = of_two_phones()
    took(p, "sms", first if told_the_first else SECOND)

    is_marked = answer_by_notices(p, first, f"4{token}").startswith(wording.REAL_SHORT)
    assert is_marked is not told_the_first, PROMISE_3


def test_a_mark_in_the_thread_of_notices_tells_that_phone_and_no_other_of_theirs() -> None:
    p, token, first = of_two_phones()
    assert answer_by_notices(p, first, f"4{token}").startswith(wording.REAL_SHORT)
    took(p, "notices", first)
    p.news()
    p.wait(300)

    later = {n.endpoint.key: n.text for n in p.news() if n.recipient == "Ruiz" and n.endpoint.channel == "sms"}
    assert {key: "REAL" in text for key, text in later.items()} == {f"sms:{first}": False, f"sms:{SECOND}": True}


# --- whose number has changed ---------------------------------------------------------------------------------------


def with_a_new_number(p: Play, name: str = "okafor") -> str:
    """The configuration is read again in the middle of the drill."""
    people = dict(p.registry.people)
    person = people[PersonId(name)]
    new = replace(person.endpoints[0], address="+12025550199")
    people[PersonId(name)] = replace(person, endpoints=(new,))
    p.registry = replace(p.registry, people=people)
    return new.address


def test_whose_number_has_changed_in_a_drill_hears_at_the_new_one_that_it_is_real(p: Play) -> None:
    drilled(p)
    new = with_a_new_number(p)
    p.press("badge-118", 3)
    said = {n.endpoint.address: n.text for n in texts(p.news())}
    assert said[new].startswith(REAL), PROMISE_3


def test_whose_number_has_changed_in_a_drill_hears_at_the_new_one_that_it_is_over(p: Play) -> None:
    drilled(p)
    new = with_a_new_number(p)
    p.end_drill()
    assert new in {n.endpoint.address for n in p.news() if n.kind is Kind.DRILL_OVER}
    read(p)
    p.wait(121)
    assert not p.state.troubles, "they have it, and somebody is sent to tell them"


# --- who told the carrier to stop in the middle of it ---------------------------------------------------------------


def with_notices(p: Play, name: str = "nurse") -> str:
    """In the middle of the drill their phone told the sender of presses to stop; that of notices still reaches it."""
    person = p.registry.people[PersonId(name)]
    notices = replace(person.endpoints[0], channel="notices")
    people = p.registry.people | {person.id: replace(person, endpoints=(*person.endpoints, notices))}
    rules = ChannelRules(name="notices", kind="sms", notices=True)
    p.registry = replace(p.registry, people=people, channels=p.registry.channels | {"notices": rules})
    drilled(p)
    p.opted_out.add(person.endpoints[0].key)
    return person.name


def over_what(p: Play, kind: Kind, name: str) -> list[tuple[str, NotificationState]]:
    rows = [r for r in p.rows.values() if r.notification.kind is kind and r.notification.recipient == name]
    return [(row.notification.endpoint.channel, row.state) for row in rows]


STOPPED_THERE = ("sms", NotificationState.SUPPRESSED)


def test_who_opted_out_in_a_drill_hears_over_another_sender_that_it_is_over(p: Play) -> None:
    """Seed 2404: they went on answering over that sender, and were on their way when it ended."""
    name = with_notices(p)
    p.end_drill()

    assert over_what(p, Kind.DRILL_OVER, name) == [STOPPED_THERE, ("notices", NotificationState.QUEUED)], PROMISE_3
    read(p)
    p.wait(121)
    assert not any(name in t.summary for t in p.state.troubles.values()), "they have it, and are looked for"


def test_who_opted_out_in_a_drill_hears_over_another_sender_that_it_is_real(p: Play) -> None:
    name = with_notices(p)
    p.press("badge-118", 3)

    assert over_what(p, Kind.DRILL_STOPPED, name) == [STOPPED_THERE, ("notices", NotificationState.QUEUED)], PROMISE_3


def test_nobody_else_hears_of_a_drill_over_the_sender_of_notices(p: Play) -> None:
    name = with_notices(p)
    p.opted_out.clear()
    p.end_drill()

    assert over_what(p, Kind.DRILL_OVER, name) == [("sms", NotificationState.QUEUED)]


def test_who_opted_out_in_a_drill_and_has_another_phone_hears_there_that_it_is_over(p: Play) -> None:
    """STOP to the sender of notices silences no lockdown: no press is told from it while a phone takes texts."""
    name = with_notices(p)
    nurse = p.registry.people[PersonId(name.lower())]
    first, *rest = nurse.endpoints
    endpoints = (first, replace(first, address=SECOND), *rest)
    p.registry = replace(p.registry, people=p.registry.people | {nurse.id: replace(nurse, endpoints=endpoints)})
    p.end_drill()

    assert over_what(p, Kind.DRILL_OVER, name) == [STOPPED_THERE, ("sms", NotificationState.QUEUED)]


# --- at its edges ---------------------------------------------------------------------------------------------------


def test_a_participant_who_presses_a_moment_after_its_minutes_is_real_although_its_timer_is_late(p: Play) -> None:
    drilled(p, minutes=2)
    p.now_us += 122 * 1_000_000
    p.press("badge-204", 8)
    assert p.incident.mode is Mode.LIVE, PROMISE_3


# --- a text that was taken, and lost later --------------------------------------------------------------------------


def the_end_to(p: Play, name: str) -> NotificationRow:
    rows = [r for r in p.rows.values() if r.notification.recipient == name and r.notification.kind is Kind.DRILL_OVER]
    return rows[-1]


def test_an_end_that_is_lost_after_the_next_drill_has_begun_is_not_forgotten(p: Play) -> None:
    drilled(p)
    p.end_drill()
    read(p)
    p.news()
    p.drill("badge-118", drilled="staff_assist", person_ids=(PersonId("ruiz"),))
    lost = the_end_to(p, "Nurse")
    p.outcome(lost, Failed(permanent=True, code="30003", detail="unreachable", ref=lost.ref))
    p.news()
    p.press("badge-204", 8)
    said = {n.recipient: n.text for n in texts(p.news())}
    assert said["Nurse"].startswith(REAL), PROMISE_3


def test_an_end_that_is_lost_at_a_new_number_is_not_known(p: Play) -> None:
    drilled(p)
    with_a_new_number(p)
    p.end_drill()
    read(p)
    lost = the_end_to(p, "Okafor")
    p.outcome(lost, Failed(permanent=True, code="30003", detail="unreachable", ref=lost.ref))
    p.news()
    p.wait(121)
    assert any("Okafor" in t.summary for t in p.state.troubles.values()), "nobody goes to tell them"


def test_a_call_that_says_it_is_over_rings_no_more_once_something_is_real() -> None:
    p = calling()
    p.end_drill()
    over = next(r for r in p.rows.values() if r.notification.kind is Kind.DRILL_OVER)
    (drill,) = p.drills.values()
    for overtaken in (frozenset[DrillId](), frozenset({drill.id})):
        now = Circumstances.of(over.notification, None, drill_running=False, drills_overtaken=overtaken)
        assert (unwanted(over.notification, now) is not None) is bool(overtaken), PROMISE_3
    p.news()
    p.press("badge-118", 8)
    (drill,) = p.drills.values()
    assert drill.overtaken


def test_a_bare_digit_typed_before_this_phone_was_told_does_not_answer_though_others_were(p: Play) -> None:
    p.press("badge-118", 3)
    p.wait(300)
    read(p)
    first_us: dict[str, int] = {}
    for row in p.rows.values():
        if row.notification.endpoint.channel == "sms":
            first_us.setdefault(row.notification.recipient, row.notification.created_us)
    late, told_us = max(first_us.items(), key=lambda each: each[1])
    assert told_us > p.incident.opened_us + 20_000_000, "somebody is told by a later step"
    p.reply(late, "4", at_us=told_us - 10_000_000)
    assert not p.incident.answers, "promise 5 broken: nobody read it, and the looking stops"
    p.reply(late, "4", at_us=told_us + 10_000_000)
    assert p.incident.answers


def test_a_bare_digit_counts_though_the_clock_was_set_back_since_its_phone_was_told(p: Play) -> None:
    p.press("badge-118", 3)
    read(p)
    p.wait(5)
    p.stepped_us = -600_000_000
    p.do(ClockStepped(site_id=OAK, step_us=p.stepped_us))
    p.now_us += 20_000_000
    p.reply("Ruiz", "4", at_us=p.now_us + p.stepped_us)
    assert p.incident.escalation is EscalationState.PAUSED, "who goes is called on, because a clock was set"
