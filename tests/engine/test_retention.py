"""Who went when a sensor reported is known for a short time only; of a panic it is never forgotten (req 73)."""

from msgspec.structs import replace

from alertd.model.events import RetentionDue
from alertd.model.ids import CauseId
from alertd.model.incident import AnswerKind, Incident, IncidentClass, Note
from alertd.model.reason import Reason
from tests.engine.play import Play
from tests.engine.school import ELM, OAK

DAY_US = 24 * 3600 * 1_000_000


def closed_vape(p: Play) -> Incident:
    p.arrive("vape-wc", "vape")
    p.reply("Ruiz", f"4{p.incident.token}")
    p.resolve(by="J. Ruiz")
    (incident,) = p.closed.values()
    note = Note(at_us=p.now_us, author="Ruiz", text="it was Jamie from 3b")
    return replace(incident, notes=(note,))


def due(p: Play, *incidents: Incident, days: int = 30) -> tuple[Incident, ...]:
    p.wait(40 * 24 * 3600)
    before_us = p.now_us - days * DAY_US
    event = RetentionDue(site_id=OAK, cause=CauseId("r"), incidents=incidents, before_us=before_us)
    decision = p.do(event)
    assert set(decision.erasures) == {i.id for i in decision.incidents}
    return decision.incidents


def test_after_the_time_nobody_is_named_and_the_figures_stay():
    p = Play()
    incident = closed_vape(p)
    (kept,) = due(p, incident)

    text = repr(kept)
    assert "Ruiz" not in text
    assert "Jamie" not in text
    assert "ruiz" not in text
    assert (kept.opened_us, kept.closed_us, kept.incident_class) == (
        incident.opened_us,
        incident.closed_us,
        IncidentClass.VAPE,
    )
    assert kept.presses[0].location == incident.presses[0].location
    assert [a.kind for a in kept.answers] == [AnswerKind.GOING]
    assert p.reasons()[-1] is Reason.ERASED
    assert "1 sensor incidents" in p.entries[-1].text


def test_what_is_not_old_enough_is_kept():
    p = Play()
    assert due(p, closed_vape(p), days=50) == ()


def test_the_time_runs_from_the_end_and_not_from_the_beginning():
    p = Play()
    incident = closed_vape(p)
    long_open = replace(incident, opened_us=incident.opened_us - 60 * DAY_US)
    assert due(p, long_open, days=50) == (), "who answered yesterday is erased today"


def test_a_clock_that_leaps_makes_nothing_of_this_boot_old():
    p = Play()
    incident = closed_vape(p)
    p.wait(60)
    p.stepped_us = 60 * DAY_US
    event = RetentionDue(
        site_id=OAK,
        cause=CauseId("r"),
        incidents=(incident,),
        before_us=p.now_us + 30 * DAY_US,
        before_boot_us=-30 * DAY_US,
    )
    assert p.do(event).erasures == (), "minutes old, and erased for good"
    p.boot_id = "second"
    assert p.do(event).erasures == (incident.id,), "of an earlier boot only the clock on the wall is known"


def test_what_is_texted_after_it_ended_by_itself_goes_with_it():
    p = Play()
    p.arrive("vape-wc", "vape")
    p.wait(900)
    (vape,) = p.closed.values()
    p.entries.clear()
    for body in ("Was Timmy again", f"4{vape.token}", "7"):
        p.reply("Ruiz", body)

    assert {e.incident_id for e in p.entries} == {vape.id}, "what was written of a child is kept for ever"


def test_what_is_texted_after_a_panic_is_no_sensors():
    p = Play()
    p.arrive("vape-wc", "vape")
    p.wait(900)
    p.press("badge-204", 3)
    p.resolve()
    p.entries.clear()
    p.reply("Ruiz", "that was about the fight")

    assert {e.incident_id for e in p.entries} == {None}


def test_what_was_a_panic_for_a_moment_is_never_touched():
    p = Play()
    p.press("badge-204", 3)
    p.resolve()
    (assist,) = p.closed.values()
    lowered = replace(assist, incident_class=IncidentClass.VAPE)

    assert due(p, assist, lowered) == (), "names went out of what was a panic"


def test_what_is_open_or_belongs_to_another_school_or_was_done_before_is_left_alone():
    p = Play()
    incident = closed_vape(p)
    elms = replace(incident, site_id=ELM)
    before = replace(incident, erased_us=1)

    assert due(p, elms, before) == ()
    p.wait(3600)
    p.arrive("vape-wc", "vape")
    assert due(p, replace(p.incident, closed_us=1)) == ()
