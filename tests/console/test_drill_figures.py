"""The figures of a drill's report: each is what was measured, of this drill alone, and none is better than it was."""

import asyncio
import csv
import io
from collections.abc import Iterable

import pytest
from msgspec import to_builtins
from msgspec.structs import replace

from alertd.console.drilling import orders
from alertd.console.drilling.incidents import IncidentReport, incident_report
from alertd.console.drilling.report import DrillReport, report_of
from alertd.console.drilling.table import table
from alertd.console.operations import Signature
from alertd.console.refusals import RefusedError
from alertd.model.decision import Decision
from alertd.model.events import Event, OutcomeReported
from alertd.model.ids import NotificationId
from alertd.model.incident import AnswerKind, Incident
from alertd.model.mode import Mode
from alertd.model.notification import Kind, NotificationRow, NotificationState
from alertd.model.outcome import Accepted, Delivered, Failed, Outcome
from alertd.model.people import Endpoint
from tests.console.fake_daemon import FakeDaemon
from tests.engine.play import Play
from tests.engine.school import OAK, PEOPLE

BY = Signature(by="ruiz", name=None)
RUIZ = PEOPLE[0].endpoints[0].key


@pytest.fixture
def daemon() -> FakeDaemon:
    """A drill has begun; everything that is decided is in the journal."""
    fake = FakeDaemon()

    def journalled(event: Event, do=fake.oak.do) -> Decision:
        decision = do(event)
        for entry in decision.entries:
            fake.keep(entry)
        return decision

    fake.oak.do = journalled  # type: ignore[method-assign]
    fake.oak.drill()
    return fake


@pytest.fixture
def oak(daemon: FakeDaemon) -> Play:
    return daemon.oak


def report(daemon: FakeDaemon) -> DrillReport:
    return asyncio.run(report_of(daemon, "oak"))


def only(daemon: FakeDaemon) -> IncidentReport:
    (incident,) = report(daemon).incidents
    return incident


def hops(daemon: FakeDaemon) -> dict[str, float | None]:
    return {hop.what: hop.seconds for hop in only(daemon).hops}


def who(lines: Iterable[object]) -> set[str]:
    return {line.who for line in lines}  # type: ignore[attr-defined]


def alert_to(oak: Play, name: str, kind: Kind = Kind.ALERT) -> NotificationRow:
    return next(
        row for row in oak.rows.values() if row.notification.recipient == name and row.notification.kind is kind
    )


def tell(oak: Play, name: str, outcome: Outcome, kind: Kind = Kind.ALERT) -> NotificationRow:
    return oak.outcome(oak.claim(alert_to(oak, name, kind)), outcome)


# --- what was missed


def test_what_waited_for_minutes_and_was_taken_back_was_missed(daemon, oak):
    """Nobody's phone rang, and the drill's own end withdrew it: an admin reads "missed: nothing"."""
    oak.press("badge-204", 8)
    oak.wait(60)
    oak.end_drill()
    incident = only(daemon)

    assert who(incident.missed) >= {"Ruiz", "Chen"}, "no phone rang for a minute: the report calls nothing missed"
    assert not who(incident.taken_back) & {"Ruiz", "Chen"}, "one message is named twice"
    waited = {m.who: m.waited_s for m in incident.missed if m.kind == "alert"}
    assert waited["Ruiz"] == pytest.approx(60, abs=1)


def test_what_was_taken_back_at_once_was_not_missed(daemon, oak):
    oak.press("badge-204", 8)
    oak.wait(5)
    oak.end_drill()
    incident = only(daemon)

    assert who(incident.taken_back) >= {"Ruiz", "Chen"}
    assert not who(incident.missed) & {"Ruiz", "Chen"}


def test_a_correction_long_before_the_end_takes_back_at_its_own_time(daemon, oak):
    """What a human made needless after two seconds did not wait until the drill was over."""
    oak.press("badge-204", 8)
    oak.wait(2)
    oak.correct()
    oak.wait(600)
    oak.end_drill()
    incident = only(daemon)
    alerts = {m.who for m in incident.taken_back if m.kind == "alert"}

    assert alerts >= {"Ruiz", "Chen"}
    assert not alerts & {m.who for m in incident.missed if m.kind == "alert"}


@pytest.mark.parametrize("state", [NotificationState.EXPIRED, NotificationState.FAILED, NotificationState.UNKNOWN])
def test_a_notice_of_the_drill_that_nobody_got_was_missed(daemon, oak, state):
    row = alert_to(oak, "Chen", Kind.DRILL_BEGINS)
    tell(oak, "Ruiz", Delivered(ref="SM1"), Kind.DRILL_BEGINS)
    oak.rows[row.notification.id] = NotificationRow(notification=row.notification, state=state, reason=row.reason)
    missed = who(report(daemon).notices_missed)

    assert "Chen" in missed
    assert "Ruiz" not in missed


def test_a_notice_that_the_end_took_back_after_minutes_was_missed(daemon, oak):
    oak.wait(120)
    oak.end_drill()
    found = report(daemon)
    begins = {(line.who, line.kind) for line in found.notices_missed}

    assert ("Chen", "a drill begins") in begins
    assert not found.notices_taken_back


def test_an_answer_that_never_reached_its_phone_was_missed(daemon, oak):
    """Whoever answered wonders whether it counted: the report says that they were not told."""
    oak.press("badge-204", 8)
    tell(oak, "Ruiz", Delivered(ref="SM1"))
    oak.reply("Ruiz", f"4{oak.incident.token}", at_us=oak.now_us + 10_000_000)
    tell(oak, "Ruiz", Failed(permanent=True, code="30003", detail="unreachable handset"), Kind.ANSWER)
    incident = only(daemon)

    assert ("Ruiz", "answer to a reply") in {(m.who, m.kind) for m in incident.missed}
    assert next(c.messages for c in incident.channels if c.channel == "sms") == len(
        [m for m in incident.messages if m.channel == "sms" and m.kind != "answer to a reply"]
    ), "an answer is as quick as whoever answers: it is no figure of alertd's"


def test_whose_first_word_of_what_is_real_was_lost_missed_it_whatever_came_later(daemon, oak):
    oak.arrive("wall-gym", "press")
    oak.wait(300)
    first, *later = (
        row
        for row in oak.rows.values()
        if row.notification.mode is Mode.LIVE and row.notification.endpoint.key == RUIZ and row.notification.incident_id
    )
    oak.outcome(oak.claim(first), Failed(permanent=True, code="30003", detail="unreachable handset"))
    for row in later:
        oak.outcome(oak.claim(row), Delivered(ref=f"SM{row.notification.id}"))
    assert later
    assert "Ruiz" in who(report(daemon).real_missed)


# --- times


def test_a_phone_that_rings_after_the_end_of_the_drill_has_its_time(daemon, oak):
    oak.press("badge-204", 8)
    row = tell(oak, "Ruiz", Accepted(ref="SM1"))
    oak.wait(1)
    oak.end_drill()
    oak.wait(4)
    oak.do(
        OutcomeReported(site_id=OAK, notification_id=row.notification.id, epoch=row.epoch, outcome=Delivered(ref="SM1"))
    )
    (ruiz,) = (person for person in only(daemon).people if person.name == "Ruiz")

    assert ruiz.delivered_s == pytest.approx(5, abs=0.1), "it rang after the end, and its time is lost"
    assert hops(daemon)["first phone rang"] == pytest.approx(5, abs=0.1)


def test_the_disk_is_measured_by_what_left_after_it(daemon, oak):
    """A decision's own time is before its commit."""
    oak.press("badge-204", 8)
    pressed_us = oak.now_us
    oak.wait(4)
    for name, after_us in (("Chen", 2_900_000), ("Ruiz", 2_500_000)):
        claimed = oak.claim(alert_to(oak, name))
        oak.do(
            OutcomeReported(
                site_id=OAK,
                notification_id=claimed.notification.id,
                epoch=claimed.epoch,
                outcome=Accepted(ref=name),
                begun_us=pressed_us + after_us,
            )
        )
    found = hops(daemon)

    assert found["taken up, and decided what follows"] == pytest.approx(0, abs=0.01)
    on_disk_s = found["on disk, first message leaves"]
    assert on_disk_s == pytest.approx(2.5, abs=0.01), "the disk is timed before the commit"


def test_of_the_disk_nothing_is_said_where_no_message_left(daemon, oak):
    oak.press("badge-204", 8)
    assert "on disk, first message leaves" not in hops(daemon)


def test_the_first_message_taken_is_timed_by_the_provider_and_not_by_its_writing(daemon, oak):
    oak.press("badge-204", 8)
    oak.wait(3)
    tell(oak, "Ruiz", Accepted(ref="SM1"))
    assert hops(daemon)["first message taken by a provider"] == pytest.approx(3, abs=0.1)


def as_other(oak: Play, row: NotificationRow, **changes: object) -> NotificationRow:
    """A copy of a row with other content, in the outbox."""
    id_ = NotificationId(f"other-{len(oak.rows)}")
    other = replace(row, notification=replace(row.notification, id=id_, **changes))
    oak.rows[id_] = other
    return other


def test_packets_to_loudspeakers_are_no_message_that_a_provider_took(daemon, oak):
    oak.press("badge-204", 8)
    pa = Endpoint(channel="pa", address="oak-all")
    page = as_other(oak, alert_to(oak, "Ruiz"), kind=Kind.PAGE, endpoint=pa, recipient="loudspeakers all")
    oak.outcome(oak.claim(page), Accepted(ref="p1"))
    oak.wait(3)
    tell(oak, "Ruiz", Accepted(ref="SM1"))
    found = hops(daemon)

    assert found["loudspeakers speak"] == pytest.approx(0, abs=0.1)
    taken_s = found["first message taken by a provider"]
    assert taken_s == pytest.approx(3, abs=0.1), "packets to loudspeakers count as a message that a provider took"


def test_a_server_is_no_phone(daemon, oak):
    oak.press("badge-204", 8)
    server = Endpoint(channel="dispatch", address="psap", dispatch=True, accepts_exercise=True)
    exercise = as_other(oak, alert_to(oak, "Ruiz"), kind=Kind.DISPATCH_NEW, endpoint=server, recipient="psap")
    oak.outcome(oak.claim(exercise), Delivered(ref="d1"))
    assert hops(daemon)["first phone rang"] is None
    oak.wait(3)
    tell(oak, "Ruiz", Delivered(ref="SM1"))
    assert hops(daemon)["first phone rang"] == pytest.approx(3, abs=0.1)


def test_zero_is_when_the_press_was_heard(daemon, oak):
    """An incident is opened later where presses are counted, or a commit had to be done again."""
    oak.press("badge-204", 8)
    incident: Incident = oak.incident
    oak.state.incidents[incident.id] = replace(incident, opened_us=incident.opened_us + 20_000_000)
    oak.wait(3)
    tell(oak, "Ruiz", Accepted(ref="SM1"))
    assert hops(daemon)["first message taken by a provider"] == pytest.approx(3, abs=0.1)


def test_median_and_worst_of_a_channel(daemon, oak):
    oak.press("badge-204", 8)
    for name in ("Ruiz", "Chen", "Diaz"):
        oak.wait(2)
        tell(oak, name, Accepted(ref=name))
    (sms,) = (way for way in only(daemon).channels if way.channel == "sms")

    assert sms.median_taken_s == pytest.approx(4, abs=0.2)
    assert sms.worst_taken_s == pytest.approx(6, abs=0.2)


# --- who goes


def test_whoever_cannot_go_does_not_go(daemon, oak):
    oak.press("badge-204", 8)
    oak.wait(4)
    oak.answer("Chen", AnswerKind.CANNOT_GO)
    assert hops(daemon)["first human goes"] is None
    oak.wait(4)
    oak.answer("Ruiz", AnswerKind.GOING)
    assert hops(daemon)["first human goes"] == pytest.approx(8, abs=0.1)


def test_what_is_live_is_no_figure_of_a_drill(daemon, oak):
    oak.press("badge-204", 8)
    live = replace(alert_to(oak, "Ruiz").notification, id=NotificationId("live"), mode=Mode.LIVE, text="it is real")
    failed = NotificationRow(notification=live, state=NotificationState.FAILED, reason=live.reason)
    rows = (*daemon.read_notifications(oak.incident.id), failed)
    found = incident_report(oak.incident, rows, daemon.read_timeline(oak.incident.id), local=str)

    assert "it is real" not in {m.text for m in (*found.messages, *found.missed)}


# --- the drill itself


def test_who_was_told_is_a_row_each_in_the_table(daemon, oak):
    for name in ("Ruiz", "Chen"):
        tell(oak, name, Delivered(ref=name), Kind.DRILL_BEGINS)
    tell(oak, "Diaz", Failed(permanent=True, code="30005", detail="no such phone"), Kind.DRILL_BEGINS)
    oak.end_drill()
    tell(oak, "Ruiz", Delivered(ref="over"), Kind.DRILL_OVER)
    cells = list(csv.DictReader(io.StringIO(table(to_builtins(report(daemon))))))
    told = {(row["who"], row["kind"], row["state"]) for row in cells if row["what"] == "notice of the drill"}

    assert told >= {
        ("Ruiz", "a drill begins", "delivered"),
        ("Chen", "a drill begins", "delivered"),
        ("Ruiz", "the drill is over", "delivered"),
    }
    assert ("Diaz", "a drill begins", "failed") in told
    ruiz = next(row for row in cells if row["who"] == "Ruiz" and row["kind"] == "a drill begins")
    assert ruiz["delivered_s"]


def test_the_end_after_a_restart_names_those_who_are_told(daemon, oak):
    oak.restart()
    done = asyncio.run(orders.end(daemon, "oak", BY, None))
    assert {n.who for n in done.notifications} >= {"Ruiz", "Chen"}, "the end names nobody that it tells"


def test_a_drill_that_is_over_is_not_ended_again(daemon, oak):
    oak.end_drill()
    before = len(daemon.events)
    with pytest.raises(RefusedError, match="no drill runs at oak; the last one ended"):
        asyncio.run(orders.end(daemon, "oak", BY, None))
    assert len(daemon.events) == before, "something was changed"
