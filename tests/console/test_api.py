"""The operators' routes, against real decisions: what they change, what they answer, and how they refuse."""

import pytest

from alertd.console import operations
from alertd.console.backend import Proof, Reloaded
from alertd.model.events import Arrival, ResolveOrdered
from alertd.model.ids import DeviceId
from alertd.model.incident import EscalationState, IncidentState
from alertd.model.mode import Mode
from alertd.model.notification import Kind
from alertd.model.outcome import Accepted, Delivered
from tests.console.asgi import Answer, ask
from tests.console.fake_daemon import FakeDaemon


@pytest.fixture
def daemon() -> FakeDaemon:
    return FakeDaemon()


async def lockdown(app) -> str:
    answer = await ask(app, "POST", "/v1/press", {"device_id": "badge-204", "count": 8})
    assert answer.status == 200
    return answer.json["incident"]["id"]


# --- press


async def test_a_press_goes_through_the_sources_door_and_answers_with_what_was_committed(app, daemon):
    answer = await ask(app, "POST", "/v1/press", {"device_id": "badge-204", "count": 8}, {"Idempotency-Key": "k1"})

    arrival = daemon.events[0]
    assert isinstance(arrival, Arrival)
    assert (arrival.source, arrival.signals[0].device_id, arrival.signals[0].cause) == ("console", "badge-204", "k1")
    assert answer.json["mode"] == "live"
    assert answer.json["incident"]["headline"] == "OAK ELEM Rm 204 LOCKDOWN 10:42"
    assert {n["who"] for n in answer.json["notifications"]} >= {"Ruiz", "Chen", "psap"}
    assert daemon.oak.incident.mode is Mode.LIVE


async def test_a_mode_in_the_order_is_refused_not_believed(app, daemon):
    answer = await ask(app, "POST", "/v1/press", {"device_id": "badge-204", "count": 8, "mode": "test"})

    assert answer.status == 422
    assert answer.json["where"] == "body.mode"
    assert daemon.events == []


async def test_the_same_key_presses_once(app, daemon):
    for _ in range(2):
        answer = await ask(app, "POST", "/v1/press", {"device_id": "badge-204", "count": 8}, {"Idempotency-Key": "k1"})

    assert not answer.json["changed"]
    assert [press.count for press in daemon.oak.incident.presses] == [8]


async def test_a_press_below_the_gesture_says_that_it_changed_no_incident(app, daemon):
    answer = await ask(app, "POST", "/v1/press", {"device_id": "badge-204"})

    assert not answer.json["changed"]
    assert "needs more presses" in answer.json["words"]


async def test_an_unknown_device_is_refused_with_the_nearest_name(app, daemon):
    answer = await ask(app, "POST", "/v1/press", {"device_id": "badge-205"})

    assert answer.status == 404
    assert answer.json["error"] == 'there is no device "badge-205"'
    assert answer.json["remedy"] == 'did you mean "badge-204"?'
    assert daemon.events == []


async def test_a_gateway_cannot_be_pressed(app, daemon):
    answer = await ask(app, "POST", "/v1/press", {"device_id": "gw-oak"})

    assert answer.status == 409
    assert "gateway" in answer.json["error"]
    assert daemon.events == []


async def test_what_was_not_committed_is_not_claimed(app, daemon):
    daemon.refuses_commits = True
    answer = await ask(app, "POST", "/v1/press", {"device_id": "badge-204", "count": 8})

    assert answer.status == 503
    assert "not committed" in answer.json["error"]
    assert "911" in answer.json["remedy"]


async def test_a_commit_that_never_ends_is_answered_as_not_known(app, daemon, monkeypatch):
    monkeypatch.setattr(operations, "COMMIT_WAIT_S", 0.01)
    daemon.never_commits = True
    answer = await ask(app, "POST", "/v1/press", {"device_id": "badge-204", "count": 8})

    assert answer.status == 504
    assert "not known whether it was committed" in answer.json["error"]
    assert "Idempotency-Key" in answer.json["remedy"]


# --- looking


async def test_the_list_is_of_open_incidents_unless_asked(app, daemon):
    incident_id = await lockdown(app)
    await ask(app, "POST", f"/v1/incidents/{incident_id}/resolve", {"by": "chen", "rooms_released": True})

    assert (await ask(app, "GET", "/v1/incidents")).json["incidents"] == []
    everything = (await ask(app, "GET", "/v1/incidents?open=false&site=oak")).json["incidents"]
    assert [(i["id"], i["closed_by"]) for i in everything] == [(incident_id, "Chen")]
    assert (await ask(app, "GET", "/v1/incidents?open=false&site=elm")).json["incidents"] == []


async def test_an_unknown_site_is_not_an_empty_list(app):
    answer = await ask(app, "GET", "/v1/incidents?site=oka")

    assert answer.status == 404
    assert answer.json["remedy"] == 'did you mean "oak"?'


async def test_an_incident_shows_every_message_with_its_state_and_reason_and_no_phone_number(app, daemon):
    incident_id = await lockdown(app)
    answer = await ask(app, "GET", f"/v1/incidents/{incident_id}")

    ruiz = next(n for n in answer.json["notifications"] if n["who"] == "Ruiz")
    assert (ruiz["state"], ruiz["reason"]) == ("queued", "first_wave")
    assert ruiz["why"] == "told at once, with the first wave"
    assert ruiz["not_known"] == "whether it will get through"
    assert ruiz["address"] == "…0101"
    assert "+1202555" not in answer.body.decode()


async def test_an_incident_is_found_by_its_token_or_the_beginning_of_its_id(app):
    incident_id = await lockdown(app)

    assert (await ask(app, "GET", "/v1/incidents/17")).json["incident"]["id"] == incident_id
    assert (await ask(app, "GET", f"/v1/incidents/{incident_id[:9]}")).json["incident"]["id"] == incident_id
    assert (await ask(app, "GET", "/v1/incidents/i")).status == 404


async def test_an_unknown_incident_is_refused_in_words(app):
    incident_id = await lockdown(app)
    wrong = incident_id[:-1] + ("0" if incident_id[-1] != "0" else "1")
    answer = await ask(app, "GET", f"/v1/incidents/{wrong}")

    assert answer.status == 404
    assert answer.json["remedy"] == f'did you mean "{incident_id}"?'


async def test_a_message_can_be_asked_for_until_its_last_word(app, daemon):
    await lockdown(app)
    row = daemon.oak.row_to("Ruiz")
    daemon.oak.outcome(daemon.oak.claim(row), Accepted(ref="SM1"))
    accepted = await ask(app, "GET", f"/v1/notifications/{row.notification.id}")
    daemon.oak.outcome(daemon.oak.rows[row.notification.id], Delivered(ref="SM1"))
    delivered = await ask(app, "GET", f"/v1/notifications/{row.notification.id}")

    assert (accepted.json["state"], accepted.json["not_known"]) == ("accepted", "whether it has reached anything")
    assert (delivered.json["state"], delivered.json["not_known"]) == ("delivered", "whether a human has read it")
    assert (await ask(app, "GET", "/v1/notifications/n-0")).status == 404


# --- answers and endings


async def test_an_answer_pauses_the_escalation_and_comes_back_with_the_journals_lines(app, daemon):
    incident_id = await lockdown(app)
    answer = await ask(app, "POST", f"/v1/incidents/{incident_id}/answers", {"person": "ruiz", "kind": "going"})

    assert answer.json["incident"]["escalation"] == "paused"
    assert [(a["words"], a["holds"]) for a in answer.json["incident"]["answers"]] == [("Ruiz is going", True)]
    assert "acknowledged" in [line["reason"] for line in answer.json["lines"]]
    assert answer.json["lines"][0]["known_by"] == "an operator, at the console"


async def test_promise_6_an_answer_of_another_schools_person_is_refused_with_a_remedy(app, daemon):
    incident_id = await lockdown(app)
    entered = len(daemon.events)
    answer = await ask(app, "POST", f"/v1/incidents/{incident_id}/answers", {"person": "elmer", "kind": "going"})

    assert answer.status == 409
    assert answer.json["error"] == "Elmer is not of the site oak and was not told of OAK ELEM Rm 204 LOCKDOWN 10:42"
    assert "alertd incidents" in answer.json["remedy"]
    assert daemon.oak.incident.escalation is EscalationState.RUNNING
    assert len(daemon.events) == entered


@pytest.mark.parametrize("code", ["417", "517", "4 17", "817", "917"])
async def test_an_incident_is_found_by_the_code_that_every_text_shows(app, code):
    incident_id = await lockdown(app)

    assert (await ask(app, "GET", f"/v1/incidents/{code}")).json["incident"]["id"] == incident_id


@pytest.mark.parametrize("code", ["117", "418", "4170", "41"])
async def test_a_code_of_nothing_open_says_where_to_look(app, code):
    await lockdown(app)
    answer = await ask(app, "GET", f"/v1/incidents/{code}")

    assert answer.status == 404
    assert answer.json["remedy"] == "open are: 17 (OAK ELEM Rm 204 LOCKDOWN 10:42)"


async def test_a_code_of_two_incidents_is_asked_back(app, daemon):
    daemon.oak.tokens[:2] = ["17", "417"]
    await lockdown(app)
    await ask(app, "POST", "/v1/press", {"device_id": "wall-gym"})
    answer = await ask(app, "GET", "/v1/incidents/417")

    assert answer.status == 409
    assert "LOCKDOWN" in answer.json["remedy"]
    assert "MEDICAL" in answer.json["remedy"]


@pytest.mark.parametrize(
    ("code", "order", "words"),
    [
        ("17", {}, "Ruiz is going"),
        ("417", {}, "Ruiz is going"),
        ("517", {}, "Ruiz has arrived"),
        ("617", {}, "Ruiz cannot go"),
        ("417", {"kind": "cannot_go"}, "Ruiz cannot go"),
        ("917", {"kind": "going"}, "Ruiz is going"),
    ],
)
async def test_without_a_kind_the_digit_of_the_code_says_it(app, code, order, words):
    await lockdown(app)
    answer = await ask(app, "POST", f"/v1/incidents/{code}/answers", {"person": "ruiz", **order})

    assert [a["words"] for a in answer.json["incident"]["answers"]] == [words]


@pytest.mark.parametrize("code", ["817", "917"])
async def test_a_code_that_asks_for_more_is_no_answer(app, daemon, code):
    await lockdown(app)
    answer = await ask(app, "POST", f"/v1/incidents/{code}/answers", {"person": "ruiz"})

    assert answer.status == 409
    assert "alertd press" in answer.json["remedy"]
    assert daemon.oak.incident.answers == ()


async def test_an_answer_of_nobody_is_refused(app, daemon):
    incident_id = await lockdown(app)
    unknown = await ask(app, "POST", f"/v1/incidents/{incident_id}/answers", {"person": "riuz", "kind": "going"})
    wrong = await ask(app, "POST", f"/v1/incidents/{incident_id}/answers", {"person": "ruiz", "kind": "voicemail"})

    assert (unknown.status, unknown.json["remedy"]) == (404, 'did you mean "ruiz"?')
    assert (wrong.status, wrong.json["where"]) == (422, "body.kind")
    assert daemon.oak.incident.escalation is EscalationState.RUNNING


async def test_a_lockdown_is_released_in_person_before_it_closes(app, daemon):
    incident_id = await lockdown(app)
    first = await ask(app, "POST", f"/v1/incidents/{incident_id}/resolve", {"by": "chen"})
    room = await ask(app, "POST", f"/v1/incidents/{incident_id}/resolve", {"by": "chen", "zone": "Rm 204"})
    last = await ask(app, "POST", f"/v1/incidents/{incident_id}/resolve", {"by": "chen", "rooms_released": True})

    assert first.json["incident"]["state"] == "releasing"
    assert "in person" in first.json["next"]
    assert room.json["incident"]["released"] == ["Rm 204"]
    assert (last.json["incident"]["state"], last.json["next"]) == ("closed", None)


async def test_the_name_of_whoever_orders_is_a_persons_own_or_as_given(app, daemon):
    incident_id = await lockdown(app)
    await ask(app, "POST", f"/v1/incidents/{incident_id}/resolve", {"by": "chen"})
    await ask(
        app, "POST", f"/v1/incidents/{incident_id}/resolve", {"name": "Sgt. O'Hill-Núñez", "rooms_released": True}
    )

    orders = [event for event in daemon.events if isinstance(event, ResolveOrdered)]
    assert [order.by for order in orders] == ["Chen", "Sgt. O'Hill-Núñez"]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "x" * 41,
        "a\nb",
        "\x1b[31m",
        "\u202eziuR",
        "ghost 911",
        "call ٩١١",
        "9-1-1",
        "http://x",
        "A; B",
        "Hill\n",
    ],
)
@pytest.mark.parametrize("verb", ["resolve", "correct"])
async def test_a_name_that_does_not_fit_a_text_is_refused(app, daemon, verb, name):
    incident_id = await lockdown(app)
    reason = {"reason": "x"} if verb == "correct" else {}
    answer = await ask(app, "POST", f"/v1/incidents/{incident_id}/{verb}", {"name": name, **reason})

    assert (answer.status, answer.json["where"]) == (422, "body.name")
    assert daemon.oak.incident.state is IncidentState.ACTIVE


@pytest.mark.parametrize("verb", ["resolve", "correct"])
async def test_whoever_orders_is_a_registered_person_unless_a_name_is_given_as_such(app, daemon, verb):
    incident_id = await lockdown(app)
    reason = {"reason": "x"} if verb == "correct" else {}
    ghost = await ask(app, "POST", f"/v1/incidents/{incident_id}/{verb}", {"by": "ghost 911", **reason})
    nobody = await ask(app, "POST", f"/v1/incidents/{incident_id}/{verb}", reason)
    both = await ask(app, "POST", f"/v1/incidents/{incident_id}/{verb}", {"by": "ruiz", "name": "Hill", **reason})

    assert (ghost.status, ghost.json["error"]) == (404, 'there is no person "ghost 911"')
    assert "`name`" in ghost.json["remedy"]
    assert [(nobody.status, nobody.json["where"]), (both.status, both.json["where"])] == [(422, "body.by")] * 2
    assert daemon.oak.incident.state is IncidentState.ACTIVE
    assert not any("ghost" in row.notification.text for row in daemon.oak.rows.values())


async def test_an_unknown_room_is_refused(app, daemon):
    incident_id = await lockdown(app)
    answer = await ask(app, "POST", f"/v1/incidents/{incident_id}/resolve", {"by": "chen", "zone": "Rm 2O4"})

    assert answer.status == 404
    assert '"Rm 204"' in answer.json["remedy"]
    assert daemon.oak.incident.state is IncidentState.ACTIVE


async def test_a_closed_incident_says_who_closed_it_and_when(app):
    incident_id = await lockdown(app)
    await ask(app, "POST", f"/v1/incidents/{incident_id}/resolve", {"by": "chen", "rooms_released": True})
    for verb, order in (
        ("answers", {"person": "ruiz", "kind": "going"}),
        ("resolve", {"by": "ruiz"}),
        ("correct", {"by": "ruiz", "reason": "x"}),
    ):
        answer = await ask(app, "POST", f"/v1/incidents/{incident_id}/{verb}", order)

        assert answer.status == 409
        assert answer.json["error"] == "OAK ELEM Rm 204 LOCKDOWN 10:42 was closed 10:42 by Chen"


async def test_a_correction_names_exactly_those_who_were_told(app, daemon):
    incident_id = await lockdown(app)
    told = {row.notification.recipient for row in daemon.oak.rows.values()}
    answer = await ask(app, "POST", f"/v1/incidents/{incident_id}/correct", {"by": "ruiz", "reason": "sat on it"})

    assert {n["who"] for n in answer.json["notifications"]} == told
    assert {n["reason"] for n in answer.json["notifications"]} == {"corrected"}
    assert answer.json["incident"]["correction"] == "10:42 Ruiz says it was a mistake: sat on it"
    assert answer.json["incident"]["state"] == "releasing"


async def test_a_second_correction_tells_nobody_again_unless_somebody_pressed_since(app, daemon):
    incident_id = await lockdown(app)
    order = {"by": "ruiz", "reason": "sat on it"}
    await ask(app, "POST", f"/v1/incidents/{incident_id}/correct", order)
    again = await ask(app, "POST", f"/v1/incidents/{incident_id}/correct", order)
    daemon.oak.wait(60)
    await ask(app, "POST", "/v1/press", {"device_id": "badge-118", "count": 8})
    after_a_press = await ask(app, "POST", f"/v1/incidents/{incident_id}/correct", order)

    assert again.status == 409
    assert "Ruiz corrected it at 10:42" in again.json["error"]
    assert after_a_press.status == 200


# --- troubles


async def stranger(app, daemon) -> str:
    daemon.oak.arrivals += 1
    play = daemon.district
    play.arrive("badge-99")
    return next(iter(play.state.troubles))


async def test_a_trouble_is_listed_and_acknowledged_by_name(app, daemon):
    key = await stranger(app, daemon)
    listed = await ask(app, "GET", "/v1/troubles")
    answer = await ask(app, "POST", f"/v1/troubles/{key}/acknowledge", {"by": "ruiz"})

    assert [(t["key"], t["acknowledged_by"], t["rings"]) for t in listed.json["troubles"]] == [(key, None, True)]
    assert answer.json["trouble"]["acknowledged_by"] == "Ruiz"
    assert daemon.district.state.troubles[key].acknowledged_by == "Ruiz"


async def test_an_unknown_trouble_is_refused(app, daemon):
    await stranger(app, daemon)
    answer = await ask(app, "POST", "/v1/troubles/unregistered:badge-98/acknowledge", {"by": "ruiz"})

    assert (answer.status, answer.json["remedy"]) == (404, 'did you mean "unregistered:badge-99"?')


# --- tests


async def test_a_test_writes_to_one_person_in_mode_test_and_to_nobody_else(app, daemon):
    answer = await ask(app, "POST", "/v1/test/person/ruiz")

    assert answer.json["mode"] == "test"
    assert [(n["who"], n["kind"], n["mode"]) for n in answer.json["notifications"]] == [("Ruiz", "test", "test")]
    assert len(daemon.oak.rows) == 1


async def test_a_destination_can_be_tested(app, daemon):
    answer = await ask(app, "POST", "/v1/test/destination/psap", {"by": "ruiz"})

    assert [n["who"] for n in answer.json["notifications"]] == ["psap"]
    assert {row.notification.kind for row in daemon.oak.rows.values()} == {Kind.TEST}
    assert (await ask(app, "POST", "/v1/test/destination/psapp")).json["remedy"] == 'did you mean "psap"?'


# --- reload, journal, health


async def test_a_refused_reload_prints_every_problem(app, daemon):
    daemon.reloaded = Reloaded(config_version="v1", problems=("people.csv:7: phone: is no number → write +1…",))
    answer = await ask(app, "POST", "/v1/reload")

    assert answer.status == 409
    assert "version v1 stays in force" in answer.json["error"]
    assert answer.json["problems"] == ["people.csv:7: phone: is no number → write +1…"]


async def test_an_accepted_reload_names_the_version(app):
    assert (await ask(app, "POST", "/v1/reload")).json == {"config_version": "v2", "problems": []}


async def test_a_broken_journal_is_an_error_that_names_the_entry(app, daemon):
    await lockdown(app)
    assert (await ask(app, "GET", "/v1/journal/oak/verify")).json["entries"] == len(daemon.journal)

    daemon.store_fails = "oak: entry 3 does not match its hash"
    answer = await ask(app, "GET", "/v1/journal/oak/verify")

    assert (answer.status, answer.json["error"]) == (503, "oak: entry 3 does not match its hash")


async def test_health_is_503_as_soon_as_one_proof_is_missing(app, daemon):
    assert (await ask(app, "GET", "/v1/health")).status == 200

    daemon.proofs.append(Proof(name="dispatch", alive=False, words="no claim for 40 s"))
    answer = await ask(app, "GET", "/v1/health")

    assert (answer.status, answer.json["alive"]) == (503, False)
    assert answer.json["proofs"][1] == {"name": "dispatch", "alive": False, "words": "no claim for 40 s"}


async def test_a_channel_in_doubt_is_degraded_in_words_but_alive(app, daemon):
    well = await ask(app, "GET", "/v1/health")
    daemon.ways[0] = Proof(name="channel sms", alive=False, words="the last 5 attempts failed")
    ill = await ask(app, "GET", "/v1/health")
    daemon.proofs.clear()
    dead = await ask(app, "GET", "/v1/health")

    assert [a.json["state"] for a in (well, ill, dead)] == ["alive", "degraded", "not_alive"]
    assert (ill.status, ill.json["alive"]) == (200, True)
    assert ill.json["ways"] == [{"name": "channel sms", "alive": False, "words": "the last 5 attempts failed"}]


async def test_health_without_any_proof_is_not_alive(app, daemon):
    daemon.proofs.clear()

    assert (await ask(app, "GET", "/v1/health")).status == 503


# --- what people get wrong


def refusal_of(answer: Answer) -> set[str]:
    return set(answer.json)


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [("GET", "/v1/nothing", 404), ("GET", "/", 404), ("DELETE", "/v1/incidents", 405), ("GET", "/v1/press", 405)],
)
async def test_every_refusal_has_one_shape(app, method, target, status):
    answer = await ask(app, method, target)

    assert answer.status == status
    assert refusal_of(answer) >= {"error", "where", "remedy"}


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"device_id": 5}', b'{"device_id": "a", "count": 51}']
)
async def test_a_body_that_is_no_order_is_refused_and_nothing_enters_the_door(app, daemon, raw):
    answer = await ask(app, "POST", "/v1/press", chunks=[raw])

    assert answer.status == 422
    assert refusal_of(answer) >= {"error", "where", "remedy"}
    assert daemon.events == []


async def test_a_huge_body_is_refused_before_it_is_read(app, daemon):
    answer = await ask(app, "POST", "/v1/press", chunks=[b"x" * 40_000, b"x" * 40_000, b"x" * 40_000])

    assert answer.status == 413
    assert daemon.events == []


async def test_a_bad_key_is_refused(app, daemon):
    answer = await ask(app, "POST", "/v1/press", {"device_id": "badge-204"}, {"Idempotency-Key": "a b"})

    assert (answer.status, answer.json["where"]) == (422, "header.Idempotency-Key")
    assert daemon.events == []


async def test_a_store_that_cannot_be_read_is_said(app, daemon):
    daemon.store_fails = "database disk image is malformed"
    answer = await ask(app, "GET", "/v1/incidents")

    assert (answer.status, answer.json["error"]) == (503, "database disk image is malformed")


async def test_a_device_says_whom_a_press_would_reach(app):
    answer = await ask(app, "GET", "/v1/devices/badge-204")

    assert (answer.json["site_name"], answer.json["mode"], answer.json["staff"]) == ("Oak Elem", "live", 5)
    assert (await ask(app, "GET", f"/v1/devices/{DeviceId('badge-20')}")).status == 404
