"""Sensors: told once, counted after that, never a panic by themselves; a shot asks for corroboration (req 65 to 73)."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from alertd.engine import fallback
from alertd.model.anchor import Now
from alertd.model.decision import Decision, Facts
from alertd.model.device_memory import GestureCount
from alertd.model.events import TroubleAcknowledged, TroubleRaised
from alertd.model.ids import CauseId, DeviceId, PersonId, PolicyId
from alertd.model.incident import IncidentClass, IncidentState
from alertd.model.mode import Mode
from alertd.model.notification import Kind, Lane, NotificationState
from alertd.model.outcome import Failed
from alertd.model.people import Destination, DutyShift, Endpoint, Person
from alertd.model.policy import Corroboration, Policy, Step, Target, TargetKind
from alertd.model.reason import Reason
from alertd.model.registry import ChannelRules, Registry
from alertd.model.site import Device, DeviceKind, Gestures, SensorRules
from tests.engine.play import Play
from tests.engine.school import OAK, PEOPLE, PSAP, STAFF, VAPE, device, group, policy, registry, schedule

SENSES = Gestures(
    id="sensor",
    actions={
        "vape": "vape",
        "masking": "masking",
        "gunshot": "gunshot_sensor",
        "press": "lockdown",
        "hold": "lockdown",
        "noise": "ignore",
    },
    presses={1: "lockdown"},
    sensor=SensorRules(cool_down_s=600, storm_per_h=20),
)
SHOT = policy(
    "gunshot_sensor",
    Step(targets=(group("first"),), wait_s=30),
    corroborated=Corroboration(within_s=60, raises="lockdown"),
)
MASKING = policy("masking", Step(targets=(group("admins"),), wait_s=60))
HEARD = ("ears-118", "ears-204", "ears-gym")
COOLED_S = 601


def sensors() -> Iterator[Device]:
    yield device("vape-wc", DeviceKind.SENSOR, SENSES, zone_id="118", label="vape sensor")
    for name in HEARD:
        yield device(name, DeviceKind.SENSOR, SENSES, zone_id=name.removeprefix("ears-"), label="gunshot sensor")


def school(*policies: Policy, people: tuple[Person, ...] = PEOPLE) -> Registry:
    known = registry(MASKING, SHOT, *policies, people=people)
    oak = known.sites[OAK]
    extra = {"masking": PolicyId("masking"), "gunshot_sensor": PolicyId("gunshot_sensor")}
    oak = replace(oak, policies=oak.policies | extra)
    return replace(known, sites=known.sites | {OAK: oak}, devices=known.devices | {d.id: d for d in sensors()})


def play(*policies: Policy) -> Play:
    return Play(school(*policies))


def recipients(p: Play) -> set[str]:
    return {r.notification.recipient for r in p.rows.values() if r.state is not NotificationState.SUPPRESSED}


# --- told once ------------------------------------------------------------------------------------------------------


def test_one_alarm_tells_those_on_duty_and_repeats_are_one_incident_with_a_count():
    p = play()
    p.arrive("vape-wc", "vape")
    for _ in range(9):
        p.wait(1)
        p.arrive("vape-wc", "vape")

    assert p.said() == [("Ruiz", "alert")]
    assert p.incident.presses[0].count == 10
    assert "10 reports" in p.entries[-1].text


def test_said_again_within_the_cool_down_is_not_told_again_though_the_incident_is_over():
    p = play()
    p.arrive("vape-wc", "vape")
    p.wait(120)  # nobody answers: it ends by itself
    assert not p.state.incidents
    p.news()
    p.arrive("vape-wc", "vape")

    assert p.news() == []
    assert p.reasons()[-1] is Reason.COOLING_DOWN


def test_after_the_cool_down_it_is_told_anew_and_says_how_often_today():
    p = play(policy("vape", Step(targets=(group("admins"),), wait_s=60)))
    p.arrive("vape-wc", "vape")
    p.wait(COOLED_S)
    p.arrive("vape-wc", "vape")

    assert [n.kind for n in p.news()] == [Kind.ALERT, Kind.ALERT]
    assert [r.notification.params["today"] for r in p.rows.values()] == ["", ", 2nd today"]


def test_the_cool_down_runs_from_the_end_that_the_sensor_says():
    p = play()
    p.arrive("vape-wc", "vape")
    p.wait(COOLED_S)
    p.arrive("vape-wc", "vape", ends=True)
    p.wait(60)
    p.news()
    p.arrive("vape-wc", "vape")

    assert p.news() == []
    assert p.reasons()[-1] is Reason.COOLING_DOWN


def test_the_end_that_a_sensor_says_closes_nothing():
    p = play()
    p.arrive("vape-wc", "vape")
    p.arrive("vape-wc", "vape", ends=True)

    assert p.incident.state is IncidentState.ACTIVE
    assert p.reasons()[-1] is Reason.SENSOR_CLEARED


def test_an_alarm_that_never_ends_is_told_once_an_hour():
    p = play(VAPE)
    p.arrive("vape-wc", "vape")
    for _ in range(14):  # twice an hour is no storm; every five minutes is one alarm
        p.wait(300)
        p.arrive("vape-wc", "vape")

    assert [n.kind for n in p.news()] == [Kind.ALERT, Kind.ALERT]


def test_a_cloud_that_goes_on_is_one_alarm_after_a_restart_too():
    p = play()
    p.arrive("vape-wc", "vape")
    for _ in range(4):  # numbers stay high; what is said of it is in memory only
        p.wait(300)
        p.arrive("vape-wc", "vape", count=0)
    p.wait(400)
    p.news()
    p.arrive("vape-wc", "vape")

    assert p.news() == [], "the same cloud was told again"
    assert p.state.gestures[DeviceId("vape-wc")].alarms["vape"].recent[0][1] == 1, "that it goes on is no alarm more"


def test_a_cloud_that_goes_on_counts_nothing_in_its_incident():
    p = play()
    p.arrive("vape-wc", "vape")
    p.reply("Ruiz", f"5{p.incident.token}")
    for _ in range(5):
        p.wait(300)
        p.arrive("vape-wc", "vape", count=0)

    assert p.incident.presses[0].count == 1, "it is not quiet, and it is one alarm"


def test_a_cloud_that_goes_on_for_an_hour_is_told_again():
    p = play()
    p.arrive("vape-wc", "vape")
    for _ in range(13):
        p.wait(300)
        p.arrive("vape-wc", "vape", count=0)

    assert [n.kind for n in p.news()] == [Kind.ALERT, Kind.ALERT]


def test_a_clock_that_is_set_back_does_not_keep_a_sensor_silent_for_ever():
    p = play()
    p.arrive("vape-wc", "vape")
    p.wait(120)
    p.news()
    p.now_us -= 3 * 3600 * 1_000_000
    p.arrive("vape-wc", "vape")

    assert [n.kind for n in p.news()] == [Kind.ALERT]


def test_yesterdays_vape_is_written_down_and_nobody_is_sent():
    p = play()
    p.arrive("vape-wc", "vape", backlog_since_us=p.now_us - 6 * 3600 * 1_000_000)

    assert p.news() == []
    assert Reason.STALE_NUISANCE in p.reasons()


def test_rows_of_yesterday_know_nothing_of_alarms():
    p = play()
    p.state.gestures[DeviceId("vape-wc")] = GestureCount(device_id=DeviceId("vape-wc"), count=3, last_us=p.now_us)
    p.arrive("vape-wc", "vape")

    assert p.said() == [("Ruiz", "alert")]


# --- somebody has answered ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sensor", "word", "digit"),
    [
        ("vape-wc", "vape", 4),
        ("vape-wc", "vape", 5),
        ("vape-wc", "masking", 4),
        ("vape-wc", "masking", 5),
        ("ears-gym", "gunshot", 5),  # who goes to a shot must arrive (`test_sensor_ends`)
    ],
)
def test_what_somebody_has_looked_into_ends_by_itself_and_the_next_alarm_is_told(sensor, word, digit):
    p = play()
    p.arrive(sensor, word)
    p.wait(20)
    first = p.incident
    p.reply("Ruiz", f"{digit}{first.token}")
    p.wait(6 * 3600)
    assert not p.state.incidents, "it stays open for ever, and is never erased"
    assert any("quiet since Ruiz answered" in e.text for e in p.entries if e.incident_id == first.id)
    p.news()
    p.arrive(sensor, word)

    assert ("Ruiz", Kind.ALERT) in {(n.recipient, n.kind) for n in p.news()}, "nobody heard of the next alarm"
    assert p.incident.id != first.id


def test_nobody_is_texted_that_it_ended_by_itself():
    p = play()
    p.arrive("ears-gym", "gunshot")
    p.reply("Ruiz", f"5{p.incident.token}")
    p.news()
    p.wait(6 * 3600)

    assert p.news() == [], "no human has said that it is over"


@pytest.mark.parametrize("word", ["vape", "gunshot"])
def test_what_goes_on_after_the_answer_is_counted_and_stays_open(word):
    p = play()
    p.arrive("vape-wc", word)
    p.reply("Ruiz", f"5{p.incident.token}")
    p.news()
    for _ in range(5):
        p.wait(500)
        p.arrive("vape-wc", word)

    assert p.news() == [], "the same alarm was told twice"
    assert p.incident.presses[0].count == 6


@pytest.mark.parametrize("word", ["vape", "gunshot"])
def test_an_alarm_after_the_cool_down_is_told_though_nobody_has_closed_the_one_before(word):
    p = play(
        policy("vape", Step(targets=(group("admins"),), wait_s=60), arrive_within_s=1800),
        replace(SHOT, arrive_within_s=1800),
    )
    p.arrive("vape-wc", word)
    p.wait(10)
    first = p.incident
    p.reply("Ruiz", f"4{first.token}")
    p.news()
    p.wait(COOLED_S)
    assert p.incident.id == first.id
    p.arrive("vape-wc", word)

    assert p.incident.id != first.id, "an answer covers only what was known when it was given"
    assert ("Ruiz", Kind.ALERT) in {(n.recipient, n.kind) for n in p.news()}


def test_an_answered_alarm_that_never_ends_is_told_again_after_an_hour():
    p = play()
    p.arrive("ears-gym", "gunshot")
    p.reply("Ruiz", f"5{p.incident.token}")
    p.news()
    for _ in range(7):
        p.wait(540)
        p.arrive("ears-gym", "gunshot")

    assert ("Ruiz", Kind.ALERT) in {(n.recipient, n.kind) for n in p.news()}


def test_a_clock_that_is_set_back_keeps_no_answered_sensor_silent():
    p = play()
    p.arrive("ears-gym", "gunshot")
    p.reply("Ruiz", f"5{p.incident.token}")
    p.news()
    p.stepped_us -= 3 * 3600 * 1_000_000
    p.arrive("ears-gym", "gunshot")

    assert ("Ruiz", Kind.ALERT) in {(n.recipient, n.kind) for n in p.news()}
    p.reply("Ruiz", f"5{p.incident.token}")
    p.wait(3600)
    assert not p.state.incidents


# --- storms ---------------------------------------------------------------------------------------------------------


def test_a_storm_is_one_digest_and_one_trouble_and_no_more_texts():
    p = play()
    for _ in range(60):
        p.arrive("vape-wc", "vape")
        p.wait(50)

    told = [n.template for n in p.news() if n.kind is not Kind.TROUBLE]
    assert told == ["alert.responder", "digest.responder"]
    (trouble,) = [t for t in p.state.troubles.values() if t.key.startswith("sensor_storm")]
    assert "needs tuning" in trouble.summary
    assert "Rm 118" in trouble.summary


def test_many_alarms_that_come_as_one_count_are_a_storm():
    p = play()
    p.arrive("vape-wc", "vape")
    p.arrive("vape-wc", "vape", count=57)

    first, digest = [n for n in p.news() if n.kind is not Kind.TROUBLE]
    assert [first.template, digest.template] == ["alert.responder", "digest.responder"]
    assert "58 alarms within an hour" in digest.text


def test_a_storm_ends_when_it_is_calm_and_the_sensor_is_heard_again():
    p = play()
    p.arrive("vape-wc", "vape", count=30)
    p.wait(3601)
    assert not [t for t in p.state.troubles if t.startswith("sensor_storm")]
    p.news()
    p.arrive("vape-wc", "vape")

    assert [n.template for n in p.news()] == ["alert.responder"]


def test_a_storm_that_goes_on_is_looked_at_again_in_an_hour():
    p = play()
    p.arrive("vape-wc", "vape", count=30)
    for _ in range(35):
        p.wait(110)
        p.arrive("vape-wc", "vape")
    p.wait(10)

    assert [t for t in p.state.troubles if t.startswith("sensor_storm")]


def test_whoever_floods_a_sensor_does_not_hide_that_it_is_covered():
    p = play()
    p.arrive("vape-wc", "vape", count=500)
    p.news()
    p.arrive("vape-wc", "masking")

    assert [(n.recipient, n.template) for n in p.news()] == [("Ruiz", "alert.responder")]


def test_a_storm_of_the_whole_site_is_one_digest():
    p = Play(school())
    oak = p.registry.sites[OAK]
    p.registry = replace(p.registry, sites=p.registry.sites | {OAK: replace(oak, sensor_storm_per_h=5)})
    for name in ("vape-wc", *HEARD):
        p.arrive(name, "vape", count=2)

    templates = [n.template for n in p.news() if n.kind is not Kind.TROUBLE]
    assert templates == ["alert.responder", "digest_site.responder"], "the third of two each is more than five"
    assert "sensor_storm:site" in p.state.troubles


def test_a_storm_of_the_whole_site_is_not_one_digest_a_sensor():
    """Twenty sensors that are each too loud by themselves: whoever looks after them would get twenty texts."""
    p = Play(school())
    many = [device(f"wc-{n}", DeviceKind.SENSOR, SENSES, zone_id="118", label=f"sensor {n}") for n in range(20)]
    p.registry = replace(p.registry, devices=p.registry.devices | {each.id: each for each in many})
    for each in many:
        p.arrive(str(each.id), "vape", count=21)
        p.wait(1)

    storms = {key for key in p.state.troubles if key.startswith("sensor_storm:")}
    assert storms == {*(f"sensor_storm:wc-{n}:vape" for n in range(3)), "sensor_storm:site"}, "too many storms are told"
    digests = [n.template for n in p.news() if n.template.startswith("digest")]
    assert digests == ["digest.responder"] * 3 + ["digest_site.responder"]


def test_one_bad_sensor_does_not_silence_those_of_the_whole_school():
    p = play()
    p.arrive("vape-wc", "vape", count=5000)
    p.news()
    p.arrive("ears-gym", "vape")

    assert "sensor_storm:site" not in p.state.troubles
    assert [n.template for n in p.news()] == ["alert.responder"], "another sensor is heard as ever"


def test_memory_of_a_storm_stays_small():
    p = play()
    for _ in range(200):
        p.arrive("vape-wc", "vape", count=1000)
        p.wait(30)

    assert len(p.state.gestures[DeviceId("vape-wc")].alarms["vape"].recent) <= 61


# --- never a panic, never wide --------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["press", "hold"])
def test_a_sensor_never_sounds_a_panic_whatever_its_payload_says(action):
    p = play()
    p.arrive("vape-wc", action, count=8)

    assert not p.state.incidents, "req 71: a sensor sounded a panic by itself"
    assert Reason.SENSOR_NEVER_PANIC in p.reasons()
    assert recipients(p) == {"Ruiz"}, "only the trouble"


WIDE = Step(
    targets=(
        group("admins"),
        STAFF,
        PSAP,
        Target(kind=TargetKind.DISTRICT),
        Target(kind=TargetKind.LOUDSPEAKERS, id="all", announcement="hold"),
    ),
    wait_s=60,
)


@pytest.mark.parametrize("action", ["vape", "masking", "gunshot"])
def test_what_a_sensor_says_is_never_told_to_everybody_dispatch_or_loudspeakers(action):
    named = {"vape": "vape", "masking": "masking", "gunshot": "gunshot_sensor"}[action]
    p = play(policy(named, WIDE))
    oak = p.registry.sites[OAK]
    speaking = replace(
        oak,
        loudspeakers={"all": Endpoint(channel="dispatch", address="oak-all")},
        rules=replace(oak.rules, announce=(named, "lockdown")),
    )
    p.registry = replace(p.registry, sites=p.registry.sites | {OAK: speaking})
    p.arrive("vape-wc", action)
    p.wait(1)

    assert recipients(p) == {"Ruiz"}, "req 70: what only a sensor says was told to everybody"
    assert Reason.NEVER_WIDE in p.reasons()


def test_a_stored_message_of_a_sensor_rings_nobody():
    p = play()
    p.arrive("vape-wc", "vape", retained=True)

    assert not p.state.incidents
    assert not p.state.troubles["retained:vape-wc"].rings


TRANSCRIPT = "Timmy has a knife in locker 12"


@pytest.mark.parametrize("more", [{}, {"retained": True}, {"ends": True}])
def test_a_word_that_is_not_known_may_be_what_somebody_said_and_is_kept_nowhere(more):
    p = play()
    p.arrive("ears-gym", TRANSCRIPT, **more)

    kept = repr((p.entries, p.state, p.rows))
    assert "Timmy" not in kept, "req 73: what somebody said was kept"
    assert more.get("ends") or p.state.troubles


def test_a_word_that_is_not_known_is_one_trouble_that_says_how_to_find_it():
    p = play()
    p.arrive("ears-gym", "glassbreak")
    p.arrive("ears-gym", "carhorn")

    (trouble,) = p.state.troubles.values()
    assert "says a word that its gestures do not know. To see it: alertd devices test ears-gym" in trouble.summary


def test_once_somebody_has_looked_at_one_word_another_is_told_and_the_same_is_not():
    p = play()
    p.arrive("ears-gym", "aggression")
    p.arrive("ears-gym", TRANSCRIPT)
    assert len(p.news()) == 1
    for word in (TRANSCRIPT, "another word"):
        p.do(TroubleAcknowledged(site_id=OAK, cause=CauseId(word), key="sensor_unmapped:ears-gym", by="Ruiz"))
        p.arrive("ears-gym", "aggression")
        assert not p.news(), "of that word somebody knows"
        p.arrive("ears-gym", word)
        assert len(p.news()) == 1, "of another word nobody is told"
        p.wait(60)
        p.arrive("ears-gym", word)
        assert not p.news()

    assert "Timmy" not in repr((p.entries, p.state, p.rows)), "req 73: what somebody said was kept"
    assert not p.state.troubles["sensor_unmapped:ears-gym"].rings


@pytest.mark.parametrize("word", ["gunshot", "keyword", "aggression", "thc", "smoking"])
def test_what_profiles_make_of_what_a_sensor_hears_is_said(word):
    found = school()
    ears = found.devices[DeviceId("ears-gym")]
    found.devices[ears.id] = replace(ears, gestures=replace(ears.gestures, actions={"vape": "vape"}))
    p = Play(found)
    p.arrive("ears-gym", word)
    summary = p.state.troubles["sensor_unmapped:ears-gym"].summary
    assert f"says '{word}' that its gestures" in summary, "who could mend it reads that a shot is a word"


def test_a_word_of_alertd_itself_is_said():
    p = play()
    p.arrive("ears-gym", "environmental")
    assert "says 'environmental' that its gestures do not know." in p.state.troubles["sensor_unmapped:ears-gym"].summary


def test_a_sensor_that_is_opened_is_supervisory_though_its_gestures_know_no_tamper():
    p = play()
    p.arrive("ears-gym", "tamper")

    assert set(p.state.troubles) == {"tamper:ears-gym"}
    (text,) = p.news()
    assert text.text.startswith("alertd SUPERVISORY at OAK ELEM")
    assert "opened, moved or taken down" in text.text


def test_a_word_that_gestures_ignore_is_nothing():
    p = play()
    p.arrive("vape-wc", "noise")
    assert not p.state.incidents
    assert not p.state.troubles


def test_a_bare_number_is_no_alarm():
    p = play()
    p.arrive("vape-wc", "vape", reading=99.0)
    assert not p.state.incidents


def test_a_number_in_a_press_makes_it_no_less_of_a_press():
    p = play()
    p.arrive("badge-204", "hold", reading=99.0)
    assert locked(p)


# --- a shot ---------------------------------------------------------------------------------------------------------


def locked(p: Play) -> bool:
    return any(i.incident_class is IncidentClass.LOCKDOWN for i in p.state.incidents.values())


def test_one_shot_sensor_alone_asks_people_to_look_and_never_locks_down():
    p = play()
    for _ in range(50):
        p.arrive("ears-118", "gunshot")
        p.wait(1)

    assert not locked(p)
    assert {n.recipient for n in p.news() if n.kind is Kind.ALERT} == {"Ruiz", "Chen"}


def test_a_second_sensor_within_the_window_is_what_the_policy_says():
    p = play()
    p.arrive("ears-118", "gunshot")
    p.wait(20)
    p.arrive("ears-204", "gunshot")

    assert p.incident.incident_class is IncidentClass.LOCKDOWN
    assert Reason.CORROBORATED in p.reasons()
    assert {"Okafor", "Diaz"} <= recipients(p), "staff hear of a lockdown"


def test_nobody_reads_unconfirmed_after_the_lockdown():
    """Two senders, each at its own pace: what is borne out must not arrive before the question that it answers."""
    p = play()
    p.arrive("ears-118", "gunshot")
    p.arrive("ears-204", "gunshot")

    alerts = {r.notification.text: r.state for r in p.rows.values() if r.notification.kind is Kind.ALERT}
    shots = [state for text, state in alerts.items() if "LOCKDOWN" not in text]
    assert set(shots) == {NotificationState.WITHDRAWN}, "a shot that is borne out is still called unconfirmed"
    assert NotificationState.QUEUED in alerts.values()


def test_dispatch_hears_that_only_sensors_say_so():
    p = play()
    p.arrive("ears-118", "gunshot")
    p.arrive("ears-204", "gunshot")

    assert '"sensor_only"' in p.row_to("psap").notification.body


def test_a_second_sensor_long_after_is_news_and_no_lockdown():
    p = play()
    p.arrive("ears-118", "gunshot")
    p.wait(61)
    p.news()
    p.arrive("ears-204", "gunshot")

    assert not locked(p)
    assert {n.kind for n in p.news()} == {Kind.ALSO}


def test_without_a_word_in_the_policy_two_sensors_are_news_only():
    p = play(replace(SHOT, corroborated=Corroboration()))
    p.arrive("ears-118", "gunshot")
    p.news()
    p.arrive("ears-204", "gunshot")

    assert not locked(p)
    assert {n.kind for n in p.news()} == {Kind.ALSO}


def test_a_human_who_answers_9_locks_down():
    p = play()
    p.arrive("ears-118", "gunshot")
    p.reply("Ruiz", f"9{p.incident.token}")

    assert p.incident.incident_class is IncidentClass.LOCKDOWN


def test_a_press_for_help_bears_out_a_shot():
    p = play()
    p.arrive("ears-118", "gunshot")
    p.wait(10)
    p.press("badge-204", 3)

    assert locked(p)
    assert any(i.incident_class is IncidentClass.STAFF_ASSIST for i in p.state.incidents.values())


def test_a_shot_after_a_press_for_help_is_borne_out_at_once():
    p = play()
    p.press("badge-204", 3)
    p.wait(10)
    p.arrive("ears-118", "gunshot")

    assert locked(p)


def test_a_nurses_call_bears_out_no_shot():
    p = play()
    p.arrive("wall-gym", "press")
    p.arrive("ears-118", "gunshot")
    assert not locked(p)


def test_a_press_of_a_drill_bears_out_no_shot():
    p = play()
    p.drill("badge-204")
    p.press("badge-204")
    p.arrive("ears-118", "gunshot")

    live = [i.incident_class for i in p.state.incidents.values() if i.mode is Mode.LIVE]
    assert live == [IncidentClass.GUNSHOT_SENSOR], "an exercise made a lockdown of what one sensor heard"


def test_a_press_long_after_bears_out_nothing():
    p = play()
    p.arrive("ears-118", "gunshot")
    p.wait(300)
    p.press("badge-204", 3)
    assert not locked(p)


def test_a_policy_may_leave_presses_out_of_it():
    p = play(replace(SHOT, corroborated=Corroboration(within_s=60, raises="lockdown", by_press=False)))
    p.arrive("ears-118", "gunshot")
    p.press("badge-204", 3)
    assert not locked(p)


def test_a_lockdown_takes_the_shot_in_and_says_where():
    p = play()
    p.arrive("ears-118", "gunshot")
    p.wait(5)
    p.press("badge-204", 8)

    assert p.incident.incident_class is IncidentClass.LOCKDOWN
    assert {x.device_id for x in p.incident.presses} == {"badge-204", "ears-118"}


def test_nobody_reads_that_somebody_pressed_where_a_sensor_heard_a_shot():
    p = play()
    p.press("badge-204")
    p.news()
    p.arrive("ears-118", "gunshot")
    p.press("badge-118")

    also = [n.text for n in p.news() if n.kind is Kind.ALSO and n.recipient == "Ruiz"]
    assert ["ALSO heard" in text for text in also] == [True, False]
    assert ["ALSO pressed" in text for text in also] == [False, True]


def test_a_shot_in_a_lockdown_is_news_once():
    p = play()
    p.press("badge-204", 8)
    p.wait(30)
    p.reply("Ruiz", f"4{p.incident.token}")
    p.news()
    p.arrive("ears-118", "gunshot")
    assert {n.kind for n in p.news()} >= {Kind.ALSO}
    for _ in range(5):
        p.wait(50)
        p.reply("Ruiz", f"4{p.incident.token}")
        p.news()
        p.arrive("ears-118", "gunshot")
        assert p.news() == [], "the same sensor again is counted"


def test_two_sensors_end_a_drill():
    p = play()
    p.drill()
    p.arrive("ears-118", "gunshot")
    p.arrive("ears-204", "gunshot")

    (lockdown,) = [i for i in p.state.incidents.values() if i.incident_class is IncidentClass.LOCKDOWN]
    assert lockdown.mode is Mode.LIVE
    assert p.state.drill is None


def test_a_shot_that_nobody_looks_into_is_told_again_to_the_same_people_and_ends():
    p = play()
    p.arrive("ears-118", "gunshot")
    p.wait(1000)

    told = [n.recipient for n in p.news() if n.kind is not Kind.TROUBLE]
    assert set(told) == {"Ruiz", "Chen"}
    assert len(told) == 12
    assert any(key.startswith("unverified:") for key in p.state.troubles)
    assert not p.state.incidents


def test_a_shot_is_sent_before_whatever_else_sensors_and_troubles_have_to_say():
    p = play()
    p.arrive("vape-wc", "vape", count=50)
    p.news()
    other = {r.notification.lane for r in p.rows.values()}
    p.arrive("ears-118", "gunshot")
    shots = {n.lane for n in p.news() if n.template == "alert.responder"}

    assert all(Lane.STAFF < shot < lane for shot in shots for lane in other), "a shot waits behind notices of vape"
    assert shots
    assert other


def test_alarms_go_before_supervisory_signals_and_these_before_troubles_and_nuisances():
    """Req 30: alarm before supervisory before trouble."""
    p = play()
    p.do(TroubleRaised(site_id=OAK, key="battery:oak", summary="low"))
    p.do(TroubleRaised(site_id=OAK, key="silent:oak", summary="gone"))
    for word in ("vape", "masking", "gunshot"):
        p.arrive("vape-wc", word)

    told = sorted(p.news(), key=lambda n: n.lane)
    what = [p.state.incidents[n.incident_id].incident_class if n.incident_id else n.trouble_key for n in told]
    order = ["gunshot_sensor", "masking", "silent:oak", "battery:oak", "vape"]
    assert list(dict.fromkeys(what)) == order, "a covered sensor waits behind troubles"
    assert len({n.lane for n in told}) == 5


def test_a_storm_of_shots_is_trouble_and_each_new_one_is_still_told():
    p = play()
    p.arrive("ears-118", "gunshot", count=50)
    p.resolve()
    p.news()
    p.arrive("ears-118", "gunshot")

    assert Kind.ALERT in {n.kind for n in p.news()}
    assert any(key.startswith("sensor_storm:ears-118") for key in p.state.troubles)


# --- a sender of its own --------------------------------------------------------------------------------------------


def with_notices(p: Play) -> Play:
    people = {}
    for person in p.registry.people.values():
        phone = person.endpoints[0]
        own = Endpoint(channel="notices", address=phone.address, person_id=person.id)
        people[person.id] = replace(person, endpoints=(phone, own))
    channels = p.registry.channels | {"notices": ChannelRules(name="notices", kind="sms", notices=True)}
    p.registry = replace(p.registry, people=people, channels=channels)
    return p


def over(p: Play) -> set[str]:
    return {n.endpoint.channel for n in p.news()}


def test_a_vape_notice_goes_over_the_sender_of_notices_and_a_lockdown_does_not():
    p = with_notices(play())
    p.arrive("vape-wc", "vape")
    assert over(p) == {"notices"}
    p.press("badge-204", 8)
    assert over(p) == {"sms", "dispatch"}


def test_stop_to_a_vape_notice_never_stops_a_lockdown_text():
    p = with_notices(play())
    p.opted_out.add("notices:+12025550101")
    p.arrive("vape-wc", "vape")
    told = {n.kind for n in p.news()}
    assert told == {Kind.TROUBLE}, "nor does the notice come over the other sender"
    p.press("badge-204", 8)
    assert "Ruiz" in {n.recipient for n in p.news()}


def test_a_vape_notice_that_fails_is_not_tried_over_the_sender_of_presses():
    p = with_notices(play())
    p.arrive("vape-wc", "vape")
    (row,) = [r for r in p.rows.values() if r.notification.recipient == "Ruiz"]
    p.news()
    p.outcome(p.claim(row), Failed(permanent=True, code="21610", detail="stopped", opted_out=True))

    assert [n for n in p.news() if n.kind is not Kind.TROUBLE] == []
    assert "Texts of presses still come" in p.state.troubles["opted_out:notices:+12025550101"].summary


def test_a_shot_goes_over_the_other_sender_where_notices_were_stopped():
    p = with_notices(play())
    p.opted_out.add("notices:+12025550101")
    p.arrive("ears-118", "gunshot")

    assert {(n.recipient, n.endpoint.channel) for n in p.news()} == {("Ruiz", "sms"), ("Chen", "notices")}


def test_a_lockdown_takes_the_sender_of_notices_where_nothing_else_works():
    p = with_notices(play())
    p.opted_out.add("sms:+12025550101")
    p.press("badge-204", 8)

    assert ("Ruiz", "notices") in {(n.recipient, n.endpoint.channel) for n in p.news()}


def test_a_trouble_that_rings_goes_over_the_sender_of_presses_and_another_does_not():
    p = with_notices(play())
    p.arrive("vape-wc", "vape", count=40)
    assert {n.endpoint.channel for n in p.news() if n.kind is Kind.TROUBLE} == {"notices"}
    p.arrive("badge-204", "hold", retained=True)
    assert {n.endpoint.channel for n in p.news() if n.kind is Kind.TROUBLE} == {"sms"}


# --- who is on duty -------------------------------------------------------------------------------------------------


def test_only_who_is_on_duty_is_told():
    on_duty = schedule("America/New_York", DutyShift(person_id=PersonId("chen"), days=(1,), start="08:00", end="12:00"))
    target = Target(kind=TargetKind.SCHEDULE, id="duty")
    p = play(policy("vape", Step(targets=(target,), wait_s=60)))
    p.registry = replace(p.registry, schedules={"duty": on_duty})
    p.arrive("vape-wc", "vape")

    assert [n.recipient for n in p.news()] == ["Chen"]


OFF_DUTY = schedule("America/New_York", DutyShift(person_id=PersonId("chen"), days=(7,), start="08:00", end="12:00"))
ON_CALL = Target(kind=TargetKind.SCHEDULE, id="duty")


def by_night() -> Play:
    """Nobody is on duty, for what sensors hear nor for troubles."""
    p = play(policy("trouble", Step(targets=(ON_CALL,))), replace(SHOT, steps=(Step(targets=(ON_CALL,), wait_s=30),)))
    p.registry = replace(p.registry, schedules={"duty": OFF_DUTY})
    return p


@pytest.mark.parametrize(
    ("sensor", "word", "more"),
    [
        ("ears-gym", "gunshot", {}),
        ("ears-gym", "glassbreak", {}),
        ("ears-gym", "tamper", {}),
        ("ears-gym", "press", {}),
        ("vape-wc", "vape", {"retained": True}),
        ("vape-wc", "masking", {"count": 40}),
    ],
)
def test_where_nobody_is_on_duty_a_sensors_trouble_goes_to_the_policys_own_people(sensor, word, more):
    p = by_night()
    p.arrive(sensor, word, **more)
    p.wait(600)

    troubles = {n.recipient for n in p.news() if n.kind is Kind.TROUBLE}
    assert troubles == {"Chen"}, "req 70: what comes of sensors was told to everybody"


def test_where_nobody_is_on_duty_new_words_of_many_sensors_go_to_the_policys_own_people():
    p = by_night()
    for sensor in ("vape-wc", *HEARD):
        p.arrive(sensor, "firmware 2 has a new word")
        p.wait(60)

    troubles = [n for n in p.news() if n.kind is Kind.TROUBLE]
    assert "One of more than 3: " in troubles[-1].text
    assert {n.recipient for n in troubles} == {"Chen"}, "req 70: a sensor's new word was told to everybody"


def test_where_nobody_is_on_duty_any_other_trouble_goes_to_everybody():
    p = by_night()
    p.do(TroubleRaised(site_id=OAK, key="disk:oak", summary="full"))
    assert {"Ruiz", "Okafor"} <= {n.recipient for n in p.news()}


@pytest.mark.parametrize(("members", "everybody"), [(("vape-wc",), False), (("vape-wc", "badge-204"), True)])
def test_silent_sensors_are_a_sensors_trouble_and_a_silent_button_is_everybodys(members, everybody):
    p = by_night()
    p.do(TroubleRaised(site_id=OAK, key="silent:oak", summary="gone", members=members))
    assert ("Okafor" in {n.recipient for n in p.news()}) is everybody


def test_a_trouble_of_sensors_that_reaches_nobody_at_all_says_so():
    p = by_night()
    p.registry = replace(p.registry, schedules={"duty": replace(OFF_DUTY, shifts=())})
    p.arrive("ears-gym", "tamper")

    assert p.news() == []
    assert p.reasons()[-1] is Reason.EMPTY_AUDIENCE


@pytest.mark.parametrize(("pressed", "did"), [(False, "SENSED"), (True, "PRESSED")])
def test_a_late_text_says_pressed_only_of_what_somebody_pressed(pressed, did):
    p = play()
    p.arrive(*(("wall-gym", "press") if pressed else ("ears-gym", "gunshot")), backlog_since_us=p.now_us - 3600_000_000)
    texts = [n.text for n in p.news() if " BETWEEN " in n.text]
    assert texts, "it is late, and says so"
    assert all(f"{did} BETWEEN" in text for text in texts), "a text says that somebody pressed, and nobody did"


def test_a_late_report_that_nobody_confirms_reaches_no_dispatch_either():
    p = play(policy("masking", WIDE))
    p.arrive("vape-wc", "masking", backlog_since_us=p.now_us - 3600 * 1_000_000)
    p.wait(600)

    assert recipients(p) == {"Ruiz"}


def test_a_machine_that_is_no_dispatch_centre_may_be_told_of_vape():
    board = Target(kind=TargetKind.DESTINATION, id="board")
    p = play(policy("vape", Step(targets=(group("admins"), board, PSAP), wait_s=60)))
    shown = Destination(id="board", site_ids=(OAK,), endpoint=Endpoint(channel="dispatch", address="board"))
    p.registry = replace(p.registry, destinations=p.registry.destinations | {"board": shown})
    p.arrive("vape-wc", "vape")

    assert recipients(p) == {"Ruiz", "board"}


# --- a report on which the engine fails -----------------------------------------------------------------------------


def failed(p: Play, device_id: str, word: str, **more: object) -> Decision:
    """What the fixed fallback does about the report."""
    (event,) = p.arrive(device_id, word, **more)
    now = Now(wall_us=p.now_us, boot_us=p.now_us)
    return fallback.page(p.state, Facts(registry=p.registry), event, now, "KeyError")


@pytest.mark.parametrize(
    ("said", "more"),
    [
        (("vape-wc", "vape"), {}),
        (("ears-gym", "press"), {}),
        (("ears-gym", "glassbreak"), {}),
        (("ears-gym", "gunshot"), {"ends": True}),
        (("ears-gym", "gunshot"), {"retained": True}),
        (("ears-gym", "gunshot"), {"reading": 3.0}),
    ],
)
def test_a_report_that_is_no_shot_pages_nobody_if_the_engine_fails_on_it(said, more):
    decision = failed(play(), *said, **more)

    assert decision.notifications == (), "req 70: what only a sensor says was told to everybody, as a press"
    assert [entry.reason for entry in decision.entries] == [Reason.POISON]
    if more.get("retained"):
        assert decision.cause is None, "promise 1: the report that comes from the queue is taken for known"
    else:
        assert decision.cause, "it would be heard for ever"


def test_a_shot_on_which_the_engine_fails_is_told_to_those_whom_its_policy_names():
    everybody = Target(kind=TargetKind.SITE_STAFF)
    p = by_night()
    p.registry = replace(
        p.registry,
        policies=p.registry.policies
        | {PolicyId("gunshot_sensor"): replace(SHOT, steps=(Step(targets=(ON_CALL, group("admins"), everybody)),))},
    )
    pages = [row.notification for row in failed(p, "ears-gym", "gunshot").notifications]

    assert {n.recipient for n in pages} == {"Chen", "Ruiz"}, "req 70: a shot goes to those whom its policy names"
    assert {n.lane for n in pages} == {Lane.NEXT}, "promise 2: what only a sensor says went before presses"
    for n in pages:
        assert n.text.startswith("OAK ELEM Gym"), "nobody knows where to go"
        assert "SHOT, unconfirmed 10:42" in n.text
        assert "PANIC BUTTON" not in n.text, "nobody has pressed"


def test_a_shot_on_which_the_engine_fails_ends_no_drill():
    p = play()
    p.drill("badge-204")
    decision = failed(p, "ears-gym", "gunshot")

    assert decision.drill is None, "promise 3: one sensor alone ended a drill"
    assert decision.withdrawals == ()
    assert {row.notification.ends_drill for row in decision.notifications} == {None}
    assert all(row.notification.text.startswith("THIS IS REAL.") for row in decision.notifications)
