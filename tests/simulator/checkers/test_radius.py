"""Promise 6 and req 62: who may hear of what; and one content for one id, all the way."""

from typing import Any

import pytest
from msgspec.structs import replace

from alertd.model.anchor import Anchor
from alertd.model.ids import DISTRICT, DeviceId, IncidentId, PersonId
from alertd.model.incident import IncidentClass
from alertd.model.mode import Mode
from alertd.model.notification import Kind, NotificationRow
from alertd.model.people import Endpoint
from alertd.model.reason import Reason
from alertd_simulator.checkers.contents import OnceOnly, OneContent
from alertd_simulator.checkers.numbers import EmergencyNumbers, Modes, dials_emergency
from alertd_simulator.checkers.radius import Audience, OneSite
from alertd_simulator.world.happenings import Crashed, DispatchTook, Reloaded, TextStatus, TextTaken
from tests.engine.school import ELM, OAK
from tests.simulator.checkers.story import RUIZ, WALL_US, S, Story, incident, outcome, press, pressed, text, to_dispatch


def phone(number: str) -> Endpoint:
    return Endpoint(channel="sms", address=number, person_id=PersonId("somebody"))


# --- one site --------------------------------------------------------------------------------------------------------


def test_a_press_acts_where_it_was_meant() -> None:
    assert Story(OneSite).start().published().arrived().opened(text()).acked().violations == []


def test_a_roaming_badge_that_acts_at_home_though_it_was_heard_elsewhere_is_found() -> None:
    story = Story(OneSite).start().published(device_id=DeviceId("walker"), site_id=ELM).arrived()
    story.committed(pressed("walker", heard_by="gw-elm"), incidents=(incident(presses=(press("walker", "118"),)),))
    assert any("acts at oak; it is meant for ['elm']" in words for words in story.violations)


def test_a_badge_that_was_heard_elsewhere_lately_may_act_there_and_at_home() -> None:
    for site in (OAK, ELM):
        story = Story(OneSite).start().published(device_id=DeviceId("walker"), near=(ELM,)).arrived()
        story.committed(pressed("walker", site=site), incidents=(incident(site_id=site, presses=(press("walker"),)),))
        assert story.violations == []


@pytest.mark.parametrize("heard", [True, False])
def test_what_one_school_hears_of_a_gesture_that_both_have_heard_may_act_at_either(heard: bool) -> None:
    """Three presses, each copied by a gateway of either school; of the third the copy is still on its way."""
    walker: dict[str, Any] = {"device_id": DeviceId("walker"), "press": "p1"}
    story = Story(OneSite).start()
    story.published(1, **walker).arrived(1).acked(1).published(2, site_id=ELM, **walker)
    if heard:
        story.arrived(2).acked(2)
    story.published(3, **walker).arrived(3)
    story.committed(pressed("walker", site=ELM), incidents=(incident(site_id=ELM, presses=(press("walker"),)),))
    story.acked(3).committed(pressed("walker", site=OAK), incidents=(incident(presses=(press("walker"),)),))

    wrong = ["a press of walker acts at oak; it is meant for nobody"]
    assert story.violations == wrong if heard else ["a press of walker acts at elm; it is meant for ['oak']", *wrong]


def test_an_incident_that_swallows_a_press_of_another_school_is_found() -> None:
    story = Story(OneSite).start().published(2, device_id=DeviceId("badge-elm"), site_id=ELM).arrived(2)
    story.committed(pressed("badge-elm", site=ELM), incidents=(incident(presses=(press("badge-elm"),)),))
    assert any("which pressed for no such site" in words for words in story.violations)


@pytest.mark.parametrize(
    ("boot", "by_s", "fields", "wrong"),
    [
        ("boot-1", -86400, {}, False),
        ("boot-1", 86400, {}, False),
        ("boot-2", -86400, {}, False),
        ("boot-2", 0, {}, False),
        ("boot-2", 60, {}, True),
        ("boot-1", -86400, {"count": 9}, True),
        ("boot-1", -86400, {"last_us": WALL_US + S}, True),
        ("boot-2", 0, {"incident_class": IncidentClass.MEDICAL}, True),
    ],
    ids=["back", "on", "back over a boot", "a boot", "younger over a boot", "one more", "said again", "another class"],
)
def test_the_first_message_after_the_clock_was_set_may_set_an_incidents_stamps_and_no_more(
    boot, by_s, fields, wrong
) -> None:
    """Seeds 2056 and 3099: nonsense of a registered badge was the first that a new process took."""
    known = press(known_us=WALL_US)
    story = Story(OneSite).start().published().arrived()
    story.opened(presses=(known,), upgraded_us=WALL_US, anchor=Anchor(boot_id="boot-1", ahead_us=0)).acked()
    clock = Anchor(boot_id=boot, ahead_us=by_s * S)
    moved = replace(known, **({"known_us": known.known_us + by_s * S} | fields))
    story.nonsense(2).arrived(2)
    story.changed(pressed(), anchor=clock, presses=(moved,), upgraded_us=WALL_US + by_s * S)
    assert ["acts at oak; it is meant for nobody" in words for words in story.violations] == [True] * wrong


def test_stamps_of_an_incident_are_not_all_that_is_looked_at_when_the_clock_was_set() -> None:
    story = Story(OneSite).start().published().arrived().opened(anchor=Anchor(boot_id="boot-1", ahead_us=0)).acked()
    story.changed(pressed(), anchor=Anchor(boot_id="boot-1", ahead_us=S), presses=(press(), press("badge-118")))
    assert len(story.violations) == 2
    same = Story(OneSite).start().published().arrived().opened(text()).acked()
    assert len(same.changed(pressed()).violations) == 1, "nobody set the clock"


# --- the audience ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        (text(), ""),
        (text(endpoint=phone("+12025550120")), ""),
        (text(endpoint=phone("+12025550121")), "addressed to Elmer of elm"),
        (text(endpoint=phone("+12025550199")), "nobody's"),
        (text(kind=Kind.ANSWER), "who has written nothing"),
        (to_dispatch(), ""),
        (to_dispatch(address="monitoring", site_id=ELM), "monitoring, which does not serve it"),
        (text(kind=Kind.TEST, endpoint=phone("+12025550121")), ""),
    ],
    ids=["own", "district", "foreign", "stranger", "unasked answer", "dispatch", "foreign dispatch", "test"],
)
def test_only_the_sites_own_people_and_the_districts_are_addressed(row, wrong) -> None:
    found = Story(Audience).start().opened(row).violations
    assert [wrong in words for words in found] == ([True] if wrong else [])


def of_the_district(who: str, number: str, id_: str = "n-1", **fields: Any) -> NotificationRow:
    to = Endpoint(channel="sms", address=number, person_id=PersonId(who))
    of_it: dict[str, Any] = {"site_id": DISTRICT, "kind": Kind.TROUBLE, "trouble_key": "disk", "endpoint": to} | fields
    return text(id_, **of_it)


@pytest.mark.parametrize(
    ("who", "number", "fields", "wrong"),
    [
        ("elmer", "+12025550121", {}, ""),
        ("okafor", "+12025550110", {}, "Okafor of oak"),
        ("elmer", "+12025550121", {"kind": Kind.UPDATE}, "Elmer of elm"),
        ("elmer", "+12025550121", {"site_id": OAK}, "Elmer of elm"),
    ],
    ids=["responder", "staff", "no trouble", "a school's"],
)
def test_of_a_trouble_of_the_district_responders_hear_once_its_own_people_cannot(who, number, fields, wrong) -> None:
    row = of_the_district(who, number, **fields)
    story = Story(Audience).start().opened(row)
    assert len(story.violations) == 1, "the district's own people can be told"
    story = Story(Audience).start().committed(pressed(), opt_outs=("sms:+12025550120",)).opened(row)
    assert [wrong in words for words in story.violations] == ([True] if wrong else [])


def test_responders_hear_no_other_trouble_of_the_district_once_its_own_people_can_be_told_again() -> None:
    story = Story(Audience).start().committed(pressed(), opt_outs=("sms:+12025550120",))
    story.opened(of_the_district("elmer", "+12025550121"))
    story.committed(pressed(), opt_ins=("sms:+12025550120",))
    assert story.opened(of_the_district("elmer", "+12025550121", "n-2")).violations == [], "by another of his numbers"
    story.opened(of_the_district("elmer", "+12025550121", "n-3", trouble_key="broker:mqtt"))
    assert len(story.violations) == 1


def test_whoever_writes_is_answered_and_a_reload_may_bring_new_people() -> None:
    story = Story(Audience).start().typed().opened(text(kind=Kind.ANSWER))
    story.see(Reloaded, version="2").opened(text("n-2", endpoint=phone("+12025550199")))
    assert story.violations == []


def test_dispatch_is_told_of_the_incidents_own_site() -> None:
    took = {"message_id": "d-1", "type": "new", "mode": "live", "incident_id": "i-1", "body": b"{}", "arrivals": 1}
    story = Story(Audience).start().opened(to_dispatch())
    assert story.see(DispatchTook, site_id="oak", **took).violations == []
    assert len(story.see(DispatchTook, site_id="elm", **took).violations) == 1


# --- numbers and modes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "number", ["911", "9,911", "+1911", "９１１", "9-1-1", "0112", "tel:911", "911w1", "9ll", "+44 999", "5550142,,911"]
)
def test_emergency_numbers_are_known_in_every_spelling(number) -> None:
    assert dials_emergency(number)


@pytest.mark.parametrize("number", [RUIZ, "+12029110142", "+442079460112", "county-dispatch"])
def test_subscribers_are_not_mistaken_for_one(number) -> None:
    assert not dials_emergency(number)


def test_a_text_to_an_emergency_number_is_found_at_channel_and_carrier() -> None:
    story = Story(EmergencyNumbers).start().attempted(text()).taken(text())
    assert story.violations == []
    wrong = text("n-2", endpoint=phone("+1 911"))
    assert len(story.attempted(wrong).taken(wrong).violations) == 2


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        (to_dispatch(), ""),
        (to_dispatch(mode=Mode.DRILL), "is drill in an incident of live"),
        (text(mode=Mode.TEST), "is test in an incident of live"),
        (text(mode=Mode.LIVE, kind=Kind.TEST, incident_id=None), "has mode live"),
        (text(mode=Mode.TEST, kind=Kind.TEST, incident_id=None), ""),
    ],
)
def test_a_message_has_the_mode_of_its_incident(row, wrong) -> None:
    found = Story(Modes).start().opened(row).violations
    assert [wrong in words for words in found] == ([True] if wrong else [])


def test_a_drill_never_reaches_dispatch() -> None:
    story = Story(Modes).start().attempted(to_dispatch(mode=Mode.DRILL))
    took = {"message_id": "d-1", "incident_id": "i-1", "site_id": "oak", "body": b"{}", "arrivals": 1}
    story.see(DispatchTook, type="heartbeat", mode="test", **took)
    assert len(story.violations) == 1
    assert len(story.see(DispatchTook, type="new", mode="drill", **took).violations) == 2


# --- one content -----------------------------------------------------------------------------------------------------


def test_what_was_committed_is_what_leaves_and_arrives() -> None:
    story = Story(OneContent).start().opened(text(), to_dispatch()).attempted().taken()
    took = {"type": "new", "mode": "live", "incident_id": "i-1", "site_id": "oak", "arrivals": 1}
    story.see(DispatchTook, message_id="d-1", body=b"{}", **took)
    assert story.violations == []


@pytest.mark.parametrize(
    ("tell", "wrong"),
    [
        (lambda s: s.attempted(text("n-9")), "was never committed"),
        (lambda s: s.attempted(text(text="something else")), "another content"),
        (lambda s: s.taken(text(text="something else")), "another text"),
        (lambda s: s.taken(text("n-9")), "never committed"),
        (lambda s: s.see(TextTaken, sid="SM2", to=RUIZ, body="?", notification_id=None), "belongs to no notification"),
        (lambda s: s.committed(outcome(), notifications=(text("n-2"),)), "tried again under another id"),
    ],
)
def test_another_content_is_found_wherever_it_appears(tell, wrong) -> None:
    story = Story(OneContent).start().opened(text())
    assert [wrong in words for words in tell(story).violations] == [True]


def test_dispatch_never_gets_two_contents_under_one_id() -> None:
    took = {"message_id": "d-1", "type": "new", "mode": "live", "incident_id": "i-1", "site_id": OAK, "arrivals": 1}
    story = Story(OneContent).start().opened(to_dispatch()).see(DispatchTook, body=b"{}", **took)
    assert "twice with different content" in story.see(DispatchTook, body=b"[]", **took).violations[0]


@pytest.mark.parametrize(("durable", "accused"), [(False, []), (True, ["twice with different content"])])
def test_only_what_memory_alone_held_may_be_written_anew_after_a_power_cut(durable, accused) -> None:
    took = {"message_id": "d-1", "type": "new", "mode": "live", "incident_id": "i-1", "site_id": OAK}
    story = Story(OneContent).start().opened(to_dispatch(), durable=durable)
    story.see(DispatchTook, body=b"{}", arrivals=1, **took).see(Crashed, incarnation=1, where="", power=True)
    story.see(DispatchTook, body=b"{}", arrivals=2, **took)  # had left before
    story.opened(to_dispatch(body="[]")).see(DispatchTook, body=b"[]", arrivals=3, **took)

    found = [words for words in story.violations if "different content" in words]
    assert [each in words for each, words in zip(accused, found, strict=True)] == [True] * len(accused)


def test_what_was_lost_in_two_power_cuts_may_arrive_once_more() -> None:
    took = {"message_id": "d-1", "type": "new", "mode": "live", "incident_id": "i-1", "site_id": OAK}
    story = Story(OneContent).start()
    for incarnation, body in enumerate(("{}", "[]"), start=1):
        story.opened(to_dispatch(body=body), durable=False)
        story.see(Crashed, incarnation=incarnation, where="", power=True).start()
    story.opened(to_dispatch(body="0"))
    story.see(DispatchTook, body=b"{}", arrivals=1, **took).see(DispatchTook, body=b"[]", arrivals=2, **took)
    assert story.violations == []
    assert len(story.see(DispatchTook, body=b"1", arrivals=3, **took).violations) == 1


def test_other_news_under_an_id_that_dispatch_has_is_found_though_only_memory_held_the_first() -> None:
    took = {"message_id": "d-1", "type": "update", "mode": "live", "incident_id": "i-1", "site_id": OAK}
    story = Story(OneContent).start().opened(to_dispatch(), durable=False)
    story.see(DispatchTook, body=b"{}", arrivals=1, **took).see(Crashed, incarnation=1, where="", power=True).start()
    story.opened(to_dispatch(body="[]")).see(DispatchTook, body=b"[]", arrivals=2, **took)

    assert ["dispatch ignores d-1" in words for words in story.violations] == [True]


def test_a_nuisance_is_texted_once_and_a_panic_may_be_texted_twice() -> None:
    vape = text("n-2", resend_unknown=False, incident_id=IncidentId("i-1"), reason=Reason.FIRST_WAVE)
    story = Story(OnceOnly).start().opened(text(), vape).taken().taken(sid="SM2").taken(vape, sid="SM3")
    assert story.violations == []
    story.see(TextStatus, sid="SM3", status="undelivered").taken(vape, sid="SM4")
    assert story.violations == []
    assert len(story.taken(vape, sid="SM5").violations) == 1
