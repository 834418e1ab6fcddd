"""What becomes of an attempt: retried, asked about, given up, each with its reason."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from alertd.engine.lifecycle import ESCALATION, INCIDENT, NOTIFICATION
from alertd.engine.outcomes import QUICK_TRIES, backoff_s
from alertd.model.decision import Decision
from alertd.model.events import OutcomeReported
from alertd.model.ids import NotificationId
from alertd.model.incident import DispatchState, EscalationState, IncidentState
from alertd.model.notification import Kind, NotificationRow, NotificationState
from alertd.model.outcome import Accepted, Delivered, DispatchAnswer, Failed, Outcome, Sent, Unknown
from alertd.model.people import Endpoint
from alertd.model.policy import Step
from alertd.model.reason import Reason
from tests.engine.play import START_US, Play
from tests.engine.school import OAK, PEOPLE, group, policy, registry

N = NotificationState
REFUSED = Failed(permanent=False, code="503")


def said(play: Play, row: NotificationRow, outcome: Outcome) -> NotificationRow:
    """A carrier's status: it names no claim."""
    play.do(OutcomeReported(site_id=OAK, notification_id=row.notification.id, epoch=None, outcome=outcome))
    return play.rows[row.notification.id]


def pressed() -> tuple[Play, NotificationRow]:
    play = Play()
    play.press()
    return play, play.claim(play.row_to("Ruiz"))


def test_a_temporary_failure_is_tried_again_later() -> None:
    play, row = pressed()
    after = play.outcome(row, REFUSED)

    assert (after.state, after.reason) == (N.QUEUED, Reason.RETRYING)
    assert after.not_before_us > 0


def test_the_carriers_own_delay_is_kept() -> None:
    play, row = pressed()
    after = play.outcome(row, Failed(permanent=False, code="429", retry_after_s=7))

    assert after.not_before_us == 7_000_000


def test_an_unknown_outcome_asks_the_provider_before_it_sends_again() -> None:
    play, row = pressed()
    after = play.outcome(row, Unknown(detail="no answer in 10 s"))

    assert (after.state, after.reason) == (N.UNKNOWN, Reason.ASKED_PROVIDER)


def test_a_panic_is_sent_again_when_nobody_can_tell() -> None:
    """A duplicate beats a loss."""
    play, row = pressed()
    play.outcome(row, Unknown(detail="no answer"))
    after = play.outcome(row, Unknown(detail="cannot tell"), looked_up=True)

    assert (after.state, after.reason) == (N.QUEUED, Reason.RESENT_UNKNOWN)


def test_a_vape_notice_is_not_sent_again_when_nobody_can_tell() -> None:
    play = Play()
    play.arrive("vape-wc", "vape")
    row = play.claim(play.row_to("Ruiz"))
    play.outcome(row, Unknown(detail="no answer"))
    after = play.outcome(row, Unknown(detail="cannot tell"), looked_up=True)

    assert (after.state, after.reason) == (N.FAILED, Reason.UNKNOWN_NOT_RESENT)


def test_a_look_up_that_finds_it_ends_the_doubt() -> None:
    play, row = pressed()
    play.outcome(row, Unknown(detail="no answer"))
    after = play.outcome(row, Accepted(ref="SM1"), looked_up=True)

    assert after.state is N.ACCEPTED


def test_an_outcome_of_an_older_claim_changes_nothing() -> None:
    """Fencing: a dead owner's late answer must not undo what its successor knows."""
    play, row = pressed()
    play.claim(row)
    after = play.outcome(row, REFUSED)

    assert after.state is N.CLAIMED, "the lease: an owner whose claim is over still had its say"
    assert play.reasons()[-1] is Reason.STALE_OUTCOME


def test_knowledge_does_not_go_back() -> None:
    play, row = pressed()
    play.outcome(row, Delivered(ref="SM1"))
    after = play.outcome(play.rows[row.notification.id], Sent(ref="SM1"))

    assert after.state is N.DELIVERED


@pytest.mark.parametrize("late", [Sent(ref="SM1"), Delivered(ref="SM1")])
@pytest.mark.parametrize("begun", [False, True], ids=["before the next try", "during the next try"])
def test_a_late_word_on_the_try_that_failed_does_not_end_the_next_one(late: Outcome, begun: bool) -> None:
    """Callbacks overtake each other: "undelivered" comes before "sent"."""
    play, row = pressed()
    row = play.outcome(row, Accepted(ref="SM1"))
    row = said(play, row, Failed(permanent=False, code="30003", ref="SM1"))
    if begun:
        row = play.claim(row)
    after = said(play, row, late)
    assert after.state is row.state, "promise 5: the text that failed is called sent, and nobody tries again"
    if begun:
        assert play.outcome(row, Accepted(ref="SM2")).ref == "SM2"


def test_a_late_word_on_the_try_that_failed_says_nothing_of_the_one_that_was_taken_since() -> None:
    """Two texts left for one notification: a status names the text that it is about."""
    play, row = pressed()
    row = play.outcome(row, Accepted(ref="SM1"))
    row = play.claim(said(play, row, Failed(permanent=False, code="30003", ref="SM1")))
    row = play.outcome(row, Accepted(ref="SM2"))

    assert said(play, row, Delivered(ref="SM1")).state is N.ACCEPTED, "promise 5: another text was delivered"
    assert said(play, row, Failed(permanent=True, code="30006", ref="SM1")).state is N.ACCEPTED
    assert said(play, row, Delivered(ref="SM2")).state is N.DELIVERED


def test_a_failure_that_is_known_before_the_answer_to_the_request_stands() -> None:
    play, row = pressed()
    after = said(play, row, Failed(permanent=False, code="30003", ref="SM1"))
    assert after.state is N.QUEUED
    play.outcome(row, Accepted(ref="SM1"))

    assert play.rows[row.notification.id].state is N.QUEUED
    assert said(play, play.claim(after), Sent(ref="SM1")).state is N.CLAIMED


@pytest.mark.parametrize("known", [Sent(ref="SM1"), Delivered(ref="SM1")])
@pytest.mark.parametrize(
    "refused",
    [REFUSED, Failed(permanent=True, code="21211"), Failed(permanent=False, code="30003", ref="SM2")],
    ids=["for now", "for good", "died at once"],
)
def test_a_try_that_fails_takes_nothing_back_of_a_text_that_an_earlier_one_had_sent(
    known: Outcome, refused: Failed
) -> None:
    """Seed 2769. Nobody knew of the first text; while the second was on its way to a carrier in trouble the first was
    delivered."""
    play, row = pressed()
    lost = Unknown(detail="no answer")
    row = play.outcome(play.outcome(row, lost), lost, looked_up=True)
    row = said(play, play.claim(row), known)
    play.news()
    after = play.outcome(row, refused)

    assert (after.state, after.ref) == (row.state, "SM1"), "promise 5: it went out, and is sent once more, or given up"
    assert play.news() == [], "another way is taken to whoever was reached"
    assert said(play, after, Failed(permanent=False, code="30003", ref="SM1")).state is N.QUEUED, "its own end counts"


def test_whoever_told_the_carrier_to_stop_is_noted_though_an_earlier_text_was_delivered() -> None:
    play, row = pressed()
    row = said(play, row, Delivered(ref="SM1"))
    after = play.outcome(row, Failed(permanent=True, code="21610", opted_out=True))

    assert after.state is N.DELIVERED
    assert play.opted_out == {row.notification.endpoint.key}


def test_a_failure_that_is_said_twice_is_one() -> None:
    play, row = pressed()
    row = play.outcome(row, Accepted(ref="SM1"))
    failed = Failed(permanent=False, code="30003", ref="SM1")
    row = play.claim(said(play, row, failed))

    assert said(play, row, failed).state is N.CLAIMED, "the next try was under way, and another one was queued"


def test_a_status_that_comes_before_the_answer_to_the_request_counts() -> None:
    play, row = pressed()

    assert said(play, row, Sent(ref="SM1")).state is N.SENT


def test_a_carrier_may_take_delivered_back() -> None:
    play, row = pressed()
    play.outcome(row, Delivered(ref="SM1"))
    after = play.outcome(row, Failed(permanent=True, code="30005", ref="SM1"))

    assert after.state is N.FAILED


def test_a_panic_is_tried_as_long_as_it_is_worth_sending() -> None:
    """A carrier that answers 500 at once for minutes must not use up the tries in seconds (promise 2)."""
    play, row = pressed()
    while row.state in (N.QUEUED, N.CLAIMED):
        play.outcome(row, Unknown(detail="HTTP 500"))
        play.now_us += 3_000_000
        row = play.outcome(play.rows[row.notification.id], Unknown(detail="cannot tell"), looked_up=True)
        if row.state is N.QUEUED:
            play.now_us = max(play.now_us, START_US + row.not_before_us)
            row = play.claim(row)
    lasted_s = (play.now_us - START_US) / 1_000_000

    assert row.state is N.EXPIRED, f"promise 2: given up as {row.reason} after {lasted_s:.0f} s"
    assert row.attempt < 40


def test_attempts_are_bounded_and_the_end_says_why() -> None:
    play, row = pressed()
    for _ in range(999):
        row = play.outcome(row, REFUSED)
        if row.state is not N.QUEUED:
            break
        row = play.claim(row)

    assert (row.state, row.reason) == (N.FAILED, Reason.ATTEMPTS_EXHAUSTED)


def test_nothing_is_tried_again_after_it_expired() -> None:
    play, row = pressed()
    play.now_us += 301_000_000
    after = play.outcome(row, REFUSED)

    assert (after.state, after.reason) == (N.EXPIRED, Reason.EXPIRED)


def test_nothing_is_tried_again_after_the_incident_was_closed() -> None:
    play = Play()
    play.press("badge-204", 3)
    row = play.claim(play.row_to("Ruiz"))
    play.resolve()
    after = play.outcome(row, REFUSED)

    assert (after.state, after.reason) == (N.WITHDRAWN, Reason.INCIDENT_CLOSED)


def test_nobody_is_called_again_to_what_a_human_said_is_over() -> None:
    """Rooms are being released: the incident is open, and "Call 911" would be the wrong word."""
    play, row = pressed()
    play.resolve()
    assert play.incident.state is IncidentState.RELEASING
    after = play.outcome(row, REFUSED)

    assert (after.state, after.reason) == (N.WITHDRAWN, Reason.INCIDENT_CLOSED)


def test_nobody_is_called_again_to_what_was_a_mistake() -> None:
    """A carrier that took it, and takes its word back after the correction, does not call anybody again."""
    play, row = pressed()
    play.outcome(row, Sent(ref="SM1"))
    play.correct()
    after = play.outcome(play.rows[row.notification.id], Failed(permanent=False, code="30003", ref="SM1"))

    assert (after.state, after.reason) == (N.WITHDRAWN, Reason.INCIDENT_CLOSED)


def test_a_correction_is_tried_again_while_rooms_are_released() -> None:
    play, _ = pressed()
    play.news()
    play.correct()
    correction = next(n for n in play.news() if n.kind is Kind.CORRECTION)
    row = play.claim(play.rows[correction.id])

    assert play.outcome(row, REFUSED).state is N.QUEUED


def test_a_press_after_the_correction_is_tried_again() -> None:
    play, _ = pressed()
    play.correct()
    play.news()
    play.press("badge-118")
    also = next(n for n in play.news() if n.kind is Kind.ALSO)
    row = play.claim(play.rows[also.id])

    assert play.outcome(row, REFUSED).state is N.QUEUED, "promise 2"


def test_no_other_endpoint_is_called_to_what_a_human_said_is_over() -> None:
    play = with_two_endpoints()
    play.press()
    row = play.claim(play.row_to("Ruiz"))
    play.resolve()
    play.news()
    play.outcome(row, Failed(permanent=True, code="21211"))

    assert play.said() == []


def with_two_endpoints() -> Play:
    ruiz = PEOPLE[0]
    two = (*ruiz.endpoints, Endpoint(channel="push", address="ruiz-phone", person_id=ruiz.id))
    richer = type(ruiz)(id=ruiz.id, name=ruiz.name, kind=ruiz.kind, sites=ruiz.sites, groups=ruiz.groups, endpoints=two)
    return Play(registry(people=(richer, *PEOPLE[1:])))


def test_a_dead_number_is_replaced_by_the_persons_other_endpoint() -> None:
    play = with_two_endpoints()
    play.press()
    row = play.claim(play.row_to("Ruiz"))
    play.news()
    play.outcome(row, Failed(permanent=True, code="21211"))

    (note,) = play.news()
    assert (note.endpoint.channel, note.reason) == ("push", Reason.OTHER_CHANNEL)


def test_a_carrier_that_fails_twice_does_not_keep_a_panic_from_the_other_endpoint() -> None:
    """Its tries take minutes; whoever has a second way is told by it meanwhile, and once."""
    play = with_two_endpoints()
    play.press()
    row = play.claim(play.row_to("Ruiz"))
    play.news()
    by_push: list[int] = []
    for _ in range(250):
        row = play.outcome(row, REFUSED)
        by_push += [row.attempt for note in play.news() if note.endpoint.channel == "push"]
        if row.state is N.QUEUED:
            row = play.claim(row)

    assert row.state is N.FAILED
    assert by_push == [2], "the other endpoint is tried after the second failure, and only then"


def test_an_opted_out_phone_is_remembered_and_told_to_an_admin() -> None:
    play, row = pressed()
    play.news()
    after = play.outcome(row, Failed(permanent=True, code="21610", opted_out=True))

    assert after.state is N.FAILED
    assert play.opted_out == {"sms:+12025550101"}
    assert [r.notification.kind.value for r in play.rows.values()][-1] == "trouble"


def test_a_broken_channel_rings_and_mends_with_the_first_success() -> None:
    play, row = pressed()
    after = play.outcome(row, Failed(permanent=False, code="20003", breaks_channel=True))
    assert play.broken == {"sms"}
    row = play.claim(after)
    play.outcome(row, Accepted(ref="SM2"))

    assert not play.broken
    assert not play.state.troubles


def test_a_bare_2xx_is_received_not_accepted() -> None:
    """Promise 5."""
    play = Play()
    play.press()
    row = play.claim(play.row_to("psap"))
    play.news()
    play.outcome(row, Delivered(ref=""))

    assert play.incident.dispatch[0].state is DispatchState.RECEIVED, "promise 5: received was taken for accepted"
    assert play.said() == []


def test_acceptance_is_told_to_responders_with_the_call_number() -> None:
    play = Play()
    play.press()
    row = play.claim(play.row_to("psap"))
    play.outcome(row, Delivered(ref="", answer=DispatchAnswer(state="accepted", call_number="26-1187")))

    assert play.texts_to("Ruiz")[-1] == (
        "OAK ELEM Rm 204: 911 center ACCEPTED 10:42, call 26-1187. Do not call again unless you have news."
    )


def test_sixty_seconds_without_acceptance_is_not_told() -> None:
    play = Play()
    play.press()
    play.reply("Ruiz", "417")
    play.news()
    play.wait(61)
    said = play.said()

    assert ("monitoring", "dispatch_new") in said
    assert ("Ruiz", "update") in said
    assert "911 center has NOT confirmed" in play.texts_to("Ruiz")[-1]


def test_a_rejection_takes_the_next_route_at_once() -> None:
    play = Play()
    play.press()
    play.news()
    play.center(DispatchState.REJECTED)

    assert ("monitoring", "dispatch_new") in play.said()


def test_updates_are_batched_to_one_in_ten_seconds() -> None:
    play = Play()
    play.press()
    play.news()
    play.wait(1)
    for name in ("Ruiz", "Chen", "Nurse"):
        play.reply(name, "417")
    assert [k for r, k in play.said() if r == "psap"] == []
    play.wait(10)

    assert [k for r, k in play.said() if r == "psap"] == ["dispatch_update"]


def test_backoff_doubles_and_is_bounded_and_the_same_on_every_run() -> None:
    waits = [backoff_s("n-1", attempt, 30) for attempt in range(1, 12)]

    assert waits == [backoff_s("n-1", attempt, 30) for attempt in range(1, 12)]
    assert all(0.5 <= wait <= 45 for wait in waits)
    assert waits[0] < 2 < waits[4]


def test_a_young_panic_is_tried_again_within_fifteen_seconds() -> None:
    """The uplink was cut, and is back: whoever waits for a text must not wait for a pause that has grown."""
    play, row = pressed()
    waited_s: list[float] = []
    while play.now_us < START_US + 290_000_000:
        row = play.outcome(row, Failed(permanent=False, code="not_sent"))
        assert row.state is N.QUEUED, row.reason
        due_us = START_US + row.not_before_us
        waited_s.append((due_us - play.now_us) / 1_000_000)
        play.now_us = due_us
        row = play.claim(row)

    assert max(waited_s) <= 15, "promise 2"
    assert len(waited_s) < 50, "a carrier that is away is hammered"


def test_a_panic_that_is_no_longer_young_is_tried_less_often_and_until_it_expires() -> None:
    patient = policy("lockdown", Step(targets=(group("first"),)), expires_s=3600)
    play = Play(registry(patient))
    play.press()
    row = play.claim(play.row_to("Ruiz"))
    waited_s = 0.0
    while row.state in (N.QUEUED, N.CLAIMED):
        row = play.outcome(row, REFUSED)
        if row.state is N.QUEUED:
            due_us = START_US + row.not_before_us
            waited_s = max(waited_s, (due_us - play.now_us) / 1_000_000)
            play.now_us = due_us
            row = play.claim(row)

    assert row.state is N.EXPIRED, row.reason
    assert waited_s > 30


OUTCOMES = st.one_of(
    st.builds(Accepted, ref=st.just("SM1")),
    st.builds(Sent, ref=st.just("SM1")),
    st.builds(Delivered, ref=st.just("SM1")),
    st.builds(Failed, permanent=st.booleans(), code=st.sampled_from(["503", "21610", "not_found"])),
    st.builds(Unknown, detail=st.just("?")),
)


@given(st.lists(st.tuples(OUTCOMES, st.booleans(), st.floats(0, 90)), max_size=12))
def test_a_row_moves_only_along_its_table_and_always_says_why(steps: list[tuple[Outcome, bool, float]]) -> None:
    """Promise 4."""
    play, row = pressed()
    for outcome, looked_up, seconds in steps:
        play.wait(seconds)
        before = play.rows[row.notification.id]
        if before.state is N.QUEUED:
            before = play.claim(before)
        after = play.outcome(before, outcome, looked_up=looked_up)

        assert after.state is before.state or after.state in NOTIFICATION[before.state]
        assert after.reason is not None


def test_every_state_is_in_the_tables() -> None:
    assert {i for i, _ in INCIDENT} | set(INCIDENT.values()) == set(IncidentState)
    assert {e for e, _ in ESCALATION} | set(ESCALATION.values()) == set(EscalationState)
    assert set(NOTIFICATION) == set(N)


def test_a_decision_without_consequences_is_empty() -> None:
    assert Decision().notifications == ()


def knock(play: Play, until_us: int) -> list[tuple[int, int]]:
    """The dispatch centre refuses whatever is due until then: (time, attempt) of each try, in order."""
    tries: list[tuple[int, int]] = []
    while True:
        waiting = [r for r in play.rows.values() if r.notification.recipient == "psap" and r.state is N.QUEUED]
        due_us, row = min(((max(play.now_us, START_US + r.not_before_us), r) for r in waiting), key=lambda due: due[0])
        if due_us > until_us:
            return tries
        play.now_us = due_us
        claimed = play.claim(row)
        tries.append((due_us, claimed.attempt))
        play.outcome(claimed, Failed(permanent=False, code="401", detail="the server does not accept our signature"))


def refused_for(minutes: float = 4) -> tuple[Play, list[tuple[int, int]]]:
    play = Play()
    play.press()
    for number in range(12):
        play.wait(1)
        play.reply(("Ruiz", "Chen", "Nurse")[number % 3], ("417", "617")[number % 2])
        play.wait(10)
    assert sum(r.notification.recipient == "psap" for r in play.rows.values()) > 8
    return play, knock(play, play.now_us + round(minutes * 60_000_000))


def test_a_centre_that_takes_nothing_is_knocked_at_by_few_of_many_messages() -> None:
    """Its clock or ours is off, or somebody changed the secret: a gateway that is hammered shuts us out for good."""
    _, tries = refused_for()
    knocks = [at_us for at_us, attempt in tries if attempt > QUICK_TRIES]

    minute_us = 60_000_000
    assert max(sum(0 <= b - a < minute_us for b in knocks) for a in knocks) <= 24, "each message knocks by itself"
    assert max(b - a for a, b in pairwise(knocks)) <= 15_000_000, "a centre that is back waits for news"


def test_when_those_whose_turn_it_was_have_expired_somebody_knocks_all_the_same() -> None:
    """Thirty rooms press, five minutes pass, and what was said of them is true no more; another has pressed since."""
    play, _ = refused_for()
    play.press("badge-118")
    knock(play, play.now_us + 30_000_000)
    newest = max(r.notification.created_us for r in play.rows.values() if r.notification.recipient == "psap")
    for id_, row in list(play.rows.items()):
        if row.notification.recipient == "psap" and row.notification.created_us < newest:
            play.rows[id_] = replace(row, state=N.EXPIRED)
    tries = knock(play, play.now_us + 120_000_000)
    assert max(b - a for (a, _), (b, _) in pairwise(tries)) <= 15_000_000, "the newest room waits for a turn"


def test_what_opens_an_incident_at_a_centre_waits_for_none_that_it_refuses_for_not_knowing_it() -> None:
    play, _ = refused_for(1.5)
    opening = next(r for r in play.rows.values() if r.notification.kind is Kind.DISPATCH_NEW)
    assert opening.state is N.QUEUED
    assert START_US + opening.not_before_us - play.now_us <= 15_000_000, "its opening waits for a turn"


def test_each_message_is_tried_at_once_whatever_waits_at_its_centre() -> None:
    """Promise 2."""
    play, _ = refused_for()
    play.press("badge-118")
    tries = knock(play, play.now_us + 15_000_000)

    assert [attempt for _, attempt in tries if attempt <= QUICK_TRIES] == [1, 2, 3]


def test_once_the_centre_takes_one_all_are_due() -> None:
    play, _ = refused_for()
    waiting = [r for r in play.rows.values() if r.notification.recipient == "psap" and r.state is N.QUEUED]
    first = min(waiting, key=lambda r: r.not_before_us)
    play.now_us = START_US + first.not_before_us
    play.outcome(play.claim(first), Delivered(ref="204"))

    later = [r for r in play.rows.values() if r.state is N.QUEUED and START_US + r.not_before_us > play.now_us]
    assert [r.notification.recipient for r in later] == [], "promise 1: dispatch is back, and news waits for its turn"


def test_of_very_many_that_wait_none_is_put_off_for_long() -> None:
    play, row = pressed()
    centre = Endpoint(channel="dispatch", address="psap", dispatch=True)
    row = play.claim(next(r for r in play.rows.values() if r.notification.endpoint == centre))
    for number in range(60):
        other = replace(
            row.notification,
            id=NotificationId(f"d-{number}"),
            kind=Kind.DISPATCH_UPDATE,
            expires_us=row.notification.expires_us + 1 + number,
            expires_boot_us=(row.notification.expires_boot_us or 0) + 1 + number,
        )
        due_us = play.now_us - START_US + (number + 1) * 10_000_000
        play.rows[other.id] = NotificationRow(
            notification=other, state=N.QUEUED, reason=Reason.RETRYING, attempt=4, not_before_us=due_us
        )
    early = replace(row.notification, kind=Kind.DISPATCH_UPDATE)
    row = play.rows[row.notification.id] = replace(row, notification=early, attempt=5)
    after = play.outcome(row, REFUSED)

    assert after.state is N.QUEUED
    assert after.not_before_us - (play.now_us - START_US) <= 240_000_000, "the last of many is put off for longer"
