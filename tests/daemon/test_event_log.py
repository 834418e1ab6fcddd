"""What the log says of what happens: a line for each press, incident, trouble and failure; no names; never a flood."""

import asyncio
import io
import sys
from pathlib import Path
from typing import Any

import pytest
import structlog

from alertd.daemon import logs as log_settings
from alertd.daemon.event_log import LINES_PER_SITE, LINES_PER_WINDOW, EventLog
from alertd.model.decision import Decision, Entry, EntryKind
from alertd.model.events import AnswerGiven, CorrectionOrdered, ResolveOrdered, TroubleCleared, TroubleRaised
from alertd.model.ids import DISTRICT, CauseId, PersonId
from alertd.model.incident import AnswerKind
from alertd.model.outcome import Failed
from alertd.model.reason import Reason
from alertd_simulator.virtual_time import COMMIT_DELAY, in_virtual_time
from tests.daemon.world import World
from tests.engine.school import OAK, PEOPLE, registry


def lines(logs: list[Any], event: str) -> list[dict[str, Any]]:
    return [line for line in logs if line["event"] == event]


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_lockdown_can_be_followed_in_the_log(tmp_path: Path, logs):
    world = World(tmp_path)
    await world.start()
    world.press()
    await asyncio.sleep(40)  # nobody answers the first step
    (incident,) = world.incidents()
    about: dict[str, Any] = {"site_id": OAK, "incident_id": incident.id}
    answered = AnswerGiven(
        **about, cause=CauseId("a"), person_id=PersonId("ruiz"), kind=AnswerKind.GOING, via="console"
    )
    await world.daemon.intake.submit(answered)
    await world.daemon.intake.submit(CorrectionOrdered(**about, cause=CauseId("b"), by="Ruiz", reason="sat on it"))
    await world.daemon.intake.submit(ResolveOrdered(**about, cause=CauseId("c"), by="Ruiz", rooms_released=True))
    await asyncio.sleep(1)
    await world.stop()

    (press,) = lines(logs, "press")
    assert press == {
        "event": "press",
        "log_level": "info",
        "reason": "first_wave",
        "site": "oak",
        "device": "badge-204",
        "incident": incident.id,
        "incident_class": "lockdown",
        "mode": "live",
    }
    assert [line["reason"] for line in lines(logs, "incident")] == ["opened", "closed"]
    written = [(line["reason"], line["queued"] > 0) for line in lines(logs, "messages")]
    assert written[:2] == [("first_wave", True), ("next_step", True)]
    (answer,) = lines(logs, "answer")
    assert (answer["reason"], answer["kind"], answer["via"]) == ("acknowledged", "going", "console")
    assert [line["reason"] for line in lines(logs, "escalation")] == ["acknowledged"]
    assert len(lines(logs, "correction")) == 1
    assert not mentions_anybody(logs)


def mentions_anybody(logs: list[Any]) -> list[str]:
    ours = ("press", "incident", "messages", "answer", "escalation", "correction", "dispatch", "message_given_up")
    said = [str(line) for line in logs if line["event"] in ours or line["event"].startswith("trouble_")]
    return [s for s in said for p in PEOPLE if p.name in s or any(e.address in s for e in p.endpoints)]


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_every_round_without_an_answer_is_said(tmp_path: Path, logs):
    world = World(tmp_path)
    await world.start()
    world.press()
    await asyncio.sleep(30 + 60 + 120 + 10)
    await world.stop()

    assert [line["reason"] for line in lines(logs, "escalation")] == ["exhausted_site", "exhausted_district"]


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_press_that_tells_nobody_is_said_with_its_reason(tmp_path: Path, logs):
    world = World(tmp_path)
    await world.start()
    world.press(action="press")
    await asyncio.sleep(1)
    await world.stop()

    (press,) = lines(logs, "press")
    assert (press["reason"], press["site"], press["device"]) == ("below_gesture", "oak", "badge-204")


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_troubles_are_said_when_they_come_and_go_by_their_key_alone(tmp_path: Path, logs):
    world = World(tmp_path)
    await world.start()
    for _ in range(3):
        await world.daemon.intake.submit(
            TroubleRaised(site_id=DISTRICT, key="channel:sms", summary="call Ruiz at +12025550101", rings=True)
        )
    await world.daemon.intake.submit(TroubleCleared(site_id=DISTRICT, key="channel:sms"))
    await world.daemon.intake.submit(TroubleCleared(site_id=DISTRICT, key="channel:sms"))
    await asyncio.sleep(1)
    await world.stop()

    (raised,) = lines(logs, "trouble_raised")
    assert (raised["key"], raised["site"], raised["rings"]) == ("channel:sms", DISTRICT, True)
    assert raised["log_level"] == "warning"
    assert [line["key"] for line in lines(logs, "trouble_cleared")] == ["channel:sms"]
    assert not mentions_anybody(logs)


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_message_that_is_given_up_is_said(tmp_path: Path, logs):
    world = World(tmp_path, school=registry(people=PEOPLE[:1]))

    async def refuse(claim):
        return Failed(permanent=True, code="21211", detail=f"no such number {claim.notification.endpoint.address}")

    world.sms.behave = refuse
    await world.start()
    world.press()
    await asyncio.sleep(1)
    await world.stop()

    given_up = lines(logs, "message_given_up")[0]
    assert (given_up["reason"], given_up["channel"], given_up["state"]) == ("failed_permanently", "sms", "failed")
    assert given_up["notification"].startswith("n-")
    assert not mentions_anybody(logs)


def flood(log: EventLog, device: str, times: int) -> None:
    entry = Entry(kind=EntryKind.PRESS, reason=Reason.MERGED_REPEAT, text="", data={"device": device})
    for _ in range(times):
        log.committed(Decision(entries=(entry,)))


@in_virtual_time
async def test_a_storm_is_folded_and_counted_and_does_not_hide_another_site(logs):
    school = registry()
    log = EventLog(lambda: school)
    flood(log, "badge-204", 10_000)
    flood(log, "badge-elm", 1)
    assert logs == [], "nothing is written while a press waits to be sent"
    await asyncio.sleep(2)

    assert len(lines(logs, "press")) == LINES_PER_SITE + 1
    assert [line["site"] for line in lines(logs, "press")][-1] == "elm"
    assert [(line["what"], line["more"]) for line in lines(logs, "folded")] == [("press", 10_000 - LINES_PER_SITE)]
    flood(log, "badge-204", 1)
    log.flush()
    assert lines(logs, "press")[-1]["site"] == "oak", "the next second begins anew"


@in_virtual_time
async def test_a_storm_over_many_sites_is_bounded_as_a_whole(logs):
    log = EventLog(registry)
    for number in range(1000):
        entry = Entry(kind=EntryKind.PRESS, reason=Reason.DUPLICATE, text="", data={"device": f"ghost-{number}"})
        log.committed(Decision(entries=(entry,)))
        trouble = Entry(kind=EntryKind.ESCALATION, reason=Reason.EMPTY_STEP, text="")
        log.committed(Decision(entries=(trouble,)))
    await asyncio.sleep(2)

    assert len(logs) <= LINES_PER_WINDOW + 2


@pytest.mark.parametrize("is_terminal", [True, False])
def test_colours_are_for_terminals(monkeypatch, is_terminal):
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: is_terminal)
    monkeypatch.setattr(sys, "stderr", stream)
    before = structlog.get_config()
    try:
        log_settings.set_up(style="console", level="info")
        structlog.get_logger("x").info("press", site="oak")
    finally:
        structlog.configure(**before)

    assert ("\x1b[" in stream.getvalue()) is is_terminal
