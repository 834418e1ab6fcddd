"""What each command does, prints, and returns, over a real socket."""

import pytest

from alertd.console import terminal
from alertd.console.backend import Proof, Reloaded
from alertd.model.incident import EscalationState, IncidentState
from alertd.model.notification import NotificationRow, NotificationState
from alertd.model.reason import Reason


@pytest.fixture
def lockdown(daemon):
    daemon.oak.press()
    for entry in daemon.oak.entries:
        daemon.keep(entry)
    return daemon.oak.incident


# --- press


def test_press_states_the_audience_and_live_before_it_asks(shell, daemon):
    said = shell.run("press", "badge-204", "--count", "8", typed="yes\n")

    assert said.code == 1
    assert "LIVE: this is real" in said.err
    assert "Oak Elem" in said.err
    assert "its dispatch centre" in said.err
    assert "Nothing was pressed." in said.err
    assert daemon.events == []


def test_press_needs_the_word_itself(shell, daemon):
    said = shell.run("press", "badge-204", "--count", "8", typed="LIVE\n")

    assert said.code == 0
    assert "OAK ELEM Rm 204 LOCKDOWN 10:42" in said.out
    assert daemon.oak.incident.state is IncidentState.ACTIVE


def test_a_script_presses_with_yes_and_reads_json(shell, daemon):
    said = shell.run("press", "badge-204", "--count", "8", "--yes", "--json", "--key", "k-1")

    assert (said.code, said.json["mode"], said.json["cause"]) == (0, "live", "k-1")


def test_a_misspelt_device_is_answered_with_the_nearest_and_asks_nothing(shell, daemon):
    said = shell.run("press", "badge-205")

    assert said.code == 1
    assert 'did you mean "badge-204"?' in said.err
    assert "Type LIVE" not in said.err


# --- looking


def test_incidents_are_a_table_that_a_principal_understands(shell, lockdown):
    said = shell.run("incidents")

    assert said.code == 0
    assert "2026-03-02 10:42" in said.out
    assert "OAK ELEM Rm 204 LOCKDOWN 10:42" in said.out
    assert "NOBODY has answered" in said.out
    assert "reply 417" in said.out


def test_an_answer_from_before_the_second_room_is_shown_as_one(shell, daemon, lockdown):
    """Somebody goes to Rm 204: "NOBODY has answered" would be false, and that somebody goes to Rm 118, too."""
    daemon.oak.reply("Ruiz", "417")
    assert "Ruiz is going" in shell.run("incidents").out
    daemon.oak.wait(60)
    daemon.oak.press("badge-118")
    said = " ".join(shell.run("incidents").out.split())
    assert "Ruiz is going, before Rm 118 pressed 10:43: NOBODY has answered since" in said


def test_of_a_second_room_in_which_nobody_pressed_it_says_that_somebody_asked(shell, daemon, lockdown):
    daemon.oak.reply("Ruiz", "417")
    daemon.oak.wait(60)
    daemon.oak.press("badge-118", 3)
    daemon.oak.reply("Chen", "918")
    said = " ".join(shell.run("incidents").out.split())
    assert "Ruiz is going, before Rm 118 asked 10:43: NOBODY has answered since" in said
    presses = [line.strip() for line in shell.run("incidents", "17").out.splitlines() if "10:4" in line]
    assert "pressed 10:42 Rm 204, 2nd fl East: Okafor badge, 8 presses" in presses
    assert "asked   10:43 Rm 118, 1st fl West: Chen by text" in presses


def test_an_answer_that_lapsed_is_shown_as_one(shell, daemon, lockdown):
    daemon.oak.reply("Ruiz", "417")
    daemon.oak.wait(400)
    said = " ".join(shell.run("incidents").out.split())
    assert "Ruiz is going, which holds no longer: NOBODY has answered since" in said


def test_no_open_incident_is_said_in_words(shell):
    assert shell.run("incidents").out == "No incident is open.\n"


def test_one_incident_shows_its_messages_and_what_is_not_known(shell, lockdown):
    said = shell.run("incidents", "17")

    assert "Ruiz" in said.out
    assert "first_wave: told at once, with the first wave" in said.out
    assert "Not known now:" in said.out
    assert "+1202" not in said.out


def test_the_timeline_counts_milliseconds_and_gives_reasons(shell, lockdown):
    said = shell.run("timeline", "17")

    assert said.code == 0
    assert "0 ms: the first press reached alertd" in said.out
    assert "first_wave" in said.out
    assert shell.run("timeline", "17", "--json").json["lines"][0]["ms_since_press"] == 0.0


def test_terminal_codes_in_a_text_message_are_made_plain(shell, daemon, lockdown):
    daemon.oak.reply("Ruiz", "he is in 210 \x1b[2J\x1b]0;owned\x07")
    said = shell.run("incidents", "17")

    assert "he is in 210" in said.out
    assert "\x1b" not in said.out
    assert "\x07" not in said.out


# --- answers and endings


@pytest.mark.parametrize(
    ("flags", "words"), [((), "is going"), (("--arrived",), "has arrived"), (("--cannot-go",), "cannot go")]
)
def test_ack_answers_for_a_person(shell, daemon, lockdown, flags, words):
    said = shell.run("ack", "17", "--by", "ruiz", "--json", *flags)

    assert said.code == 0
    assert said.json["incident"]["answers"][0]["words"] == f"Ruiz {words}"


def test_ack_shows_what_became_of_it(shell, daemon, lockdown):
    said = shell.run("ack", "17", "--by", "ruiz")

    assert "Committed." in said.out
    assert "the escalation is paused" in said.out
    assert daemon.oak.incident.escalation is EscalationState.PAUSED


@pytest.mark.parametrize("who", [(), ("--by", "ruiz", "--as", "chen")])
def test_somebody_answers_and_one_only(shell, lockdown, who):
    said = shell.run("ack", "17", *who)
    assert said.code == 2
    assert "--by PERSON" in said.err


def test_the_word_of_before_still_says_who_answers(shell, lockdown):
    assert shell.run("ack", "17", "--as", "ruiz").code == 0
    assert "--as" not in shell.run("ack", "--help").out


def test_ack_cannot_say_two_things(shell, daemon, lockdown):
    said = shell.run("ack", "17", "--by", "ruiz", "--arrived", "--cannot-go")

    assert said.code == 2
    assert daemon.events == []


def test_a_lockdown_is_resolved_by_releasing_rooms_in_person(shell, daemon, lockdown):
    first = shell.run("resolve", "17", "--by", "chen")
    room = shell.run("release", "17", "Rm 204", "--by", "chen")
    last = shell.run("resolve", "17", "--by", "chen", "--rooms-released")

    assert "Rooms stay locked until each is released in person" in first.out
    assert "--rooms-released" in first.out
    assert room.code == 0
    assert (last.code, daemon.oak.state.incidents) == (0, {})


def test_a_correction_prints_to_whom_it_went(shell, lockdown):
    said = shell.run("correct", "17", "--by", "ruiz", "--reason", "sat on it")

    assert said.code == 0
    assert "exactly those who were told" in said.out
    for name in ("Ruiz", "Chen", "Okafor", "psap"):
        assert f"  {name} over" in said.out


@pytest.mark.parametrize(("code", "words"), [("417", "is going"), ("517", "has arrived"), ("617", "cannot go")])
def test_ack_takes_the_code_that_the_texts_show(shell, daemon, lockdown, code, words):
    said = shell.run("ack", code, "--by", "ruiz", "--json")

    assert (said.code, said.json["incident"]["answers"][0]["words"]) == (0, f"Ruiz {words}")


def test_ack_refuses_a_person_of_another_school(shell, daemon, lockdown):
    said = shell.run("ack", "17", "--by", "elmer")

    assert said.code == 1
    assert "Elmer is not of the site oak" in said.err
    assert daemon.oak.incident.escalation is EscalationState.RUNNING


def test_a_person_who_is_not_registered_is_named_as_such(shell, daemon, lockdown):
    ghost = shell.run("correct", "17", "--by", "ghost 911", "--reason", "x")
    numbered = shell.run("correct", "17", "--name", "ghost 911", "--reason", "x")
    hill = shell.run("correct", "17", "--name", "Sgt. Hill", "--reason", "x")

    assert (ghost.code, numbered.code, hill.code) == (1, 1, 0)
    assert "--name" in ghost.err
    assert daemon.oak.incident.correction.by == "Sgt. Hill"


def test_orders_without_a_name_are_not_understood(shell, daemon, lockdown):
    for command in (("resolve", "17"), ("correct", "17", "--reason", "x"), ("ack", "17")):
        assert shell.run(*command).code == 2
    assert daemon.events == []


# --- troubles, tests, reload, verify, health


def test_troubles_are_listed_and_acknowledged(shell, daemon):
    daemon.district.arrive("badge-99")
    listed = shell.run("troubles")
    done = shell.run("troubles", "ack", "unregistered:badge-99", "--by", "ruiz")

    assert "badge-99" in listed.out
    assert "nobody" in listed.out
    assert (done.code, "Ruiz" in done.out) == (0, True)


def test_no_trouble_is_said_in_words(shell):
    assert shell.run("troubles").out == "No trouble stands.\n"


def settle(daemon, state: NotificationState) -> None:
    """The test message gets its last word while the command waits for it."""
    read = daemon.read_notification

    def later(notification_id):
        row = read(notification_id)
        return NotificationRow(notification=row.notification, state=state, reason=Reason.TESTED, attempt=1)

    daemon.read_notification = later


def test_a_test_waits_for_the_last_word_of_each_message(shell, daemon, monkeypatch):
    monkeypatch.setattr(terminal, "POLL_S", 0.0)
    settle(daemon, NotificationState.DELIVERED)
    said = shell.run("test", "person", "ruiz")

    assert said.code == 0
    assert "it reached the phone or the server" in said.out
    assert "not known whether a human has read it" in said.out


def test_a_test_that_fails_exits_1(shell, daemon, monkeypatch):
    monkeypatch.setattr(terminal, "POLL_S", 0.0)
    settle(daemon, NotificationState.FAILED)

    assert shell.run("test", "webhook", "psap").code == 1


def test_a_test_of_which_nothing_becomes_known_exits_1(shell, daemon):
    said = shell.run("test", "person", "ruiz", "--wait", "0", "--json")

    assert (said.code, said.json["notifications"][0]["state"]) == (1, "queued")


def test_a_refused_reload_prints_every_problem_and_exits_4(shell, daemon):
    daemon.reloaded = Reloaded(config_version="v1", problems=("people.csv:7: phone: is no number", "2 errors."))
    said = shell.run("reload")

    assert said.code == 4
    assert "people.csv:7: phone: is no number" in said.err
    assert "version v1 stays in force" in said.err


def test_an_accepted_reload_says_so(shell):
    assert shell.run("reload").out == "Configuration v2 is in force.\n"


def test_verify_counts_an_unbroken_journal_and_names_a_broken_one(shell, daemon, lockdown):
    whole = shell.run("verify", "oak")
    daemon.store_fails = "oak: entry 3 does not match its hash"
    broken = shell.run("verify", "oak")

    assert whole.out == f"oak: {len(daemon.journal)} entries, chain unbroken.\n"
    assert (broken.code, "entry 3 does not match" in broken.err) == (1, True)


def test_health_exits_5_while_a_channel_reaches_nobody(shell, daemon):
    daemon.ways[0] = Proof(name="channel sms", alive=False, words="the last 5 attempts failed")
    ill = shell.run("health")
    daemon.proofs.append(Proof(name="broker", alive=False, words="no session"))
    dead = shell.run("health")

    assert ill.code == 5
    assert "DEGRADED" in ill.out
    assert "channel sms: the last 5 attempts failed" in ill.out
    assert (dead.code, "NOT PROVEN ALIVE" in dead.out) == (1, True)


def test_health_exits_1_unless_everything_is_proven(shell, daemon):
    well = shell.run("health")
    daemon.proofs.append(Proof(name="dispatch", alive=False, words="no claim for 40 s"))
    ill = shell.run("health")

    assert well.code == 0
    assert ill.code == 1
    assert "NOT PROVEN ALIVE: a press may reach nobody" in ill.out
    assert "no claim for 40 s" in ill.out


# --- refusals


def test_what_was_not_committed_is_said_and_exits_1(shell, daemon, lockdown):
    daemon.refuses_commits = True
    said = shell.run("ack", "17", "--by", "ruiz")

    assert said.code == 1
    assert "not committed: nothing happened" in said.err
    assert "911" in said.err


def test_an_unknown_incident_names_the_nearest(shell, lockdown):
    said = shell.run("timeline", lockdown.id[:-1] + "x")

    assert said.code == 1
    assert lockdown.id in said.err
