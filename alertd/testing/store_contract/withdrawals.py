"""What becomes of a row after it was written: changed, withdrawn, or given way to newer words.

Owns which rows a withdrawal reaches, and when quiet on loudspeakers is not ordered any more.
"""

import pytest
from msgspec.structs import replace

from alertd.model.decision import Decision, Withdrawal
from alertd.model.ids import IncidentId, NotificationId, SiteId
from alertd.model.mode import Mode
from alertd.model.notification import Kind, Notification, NotificationChange, NotificationState
from alertd.model.people import Endpoint
from alertd.model.reason import Reason
from alertd.testing.store_contract.world import ELM, PLENTY, OneWorld, World, ids, outbox
from alertd.testing.store_values import OAK, SECOND_US, START_WALL_US, drill, incident, press, queued, text


def page(notification_id: str, *, at_s: float, quiet: bool = False, site_id: SiteId = OAK) -> Notification:
    """For loudspeakers: words, or quiet."""
    content = text(
        notification_id,
        kind=Kind.PAGE,
        incident_id=None,
        site_id=site_id,
        created_us=START_WALL_US + round(at_s * SECOND_US),
    )
    return replace(content, reason=Reason.SILENCED) if quiet else content


class Withdrawals(OneWorld):
    """What is withdrawn is never sent, and nothing else is withdrawn."""

    def test_a_change_leaves_what_it_does_not_name(self, world: World) -> None:
        world.commit(outbox(text("ntf-1")), born=PLENTY)
        accepted = NotificationChange(
            id=NotificationId("ntf-1"),
            state=NotificationState.ACCEPTED,
            reason=Reason.FIRST_WAVE,
            ref="SM1",
            detail="queued",
        )
        delivered = NotificationChange(
            id=NotificationId("ntf-1"), state=NotificationState.DELIVERED, reason=Reason.FIRST_WAVE
        )
        world.commit(Decision(changes=(accepted,)))
        now = world.clock.now()
        assert [row.notification.id for row in world.store.read_unsettled("sms", now, SECOND_US)] == ["ntf-1"]
        world.commit(Decision(changes=(delivered,)))

        row = world.row("ntf-1")
        assert (row.state, row.ref, row.detail, row.attempt) == (NotificationState.DELIVERED, "SM1", "queued", 1)
        assert world.store.read_unsettled("sms", now, SECOND_US) == ()

    def test_withdrawal_takes_back_what_is_unsent_and_not_what_comes_with_it(self, world: World) -> None:
        world.commit(outbox(text("a-sent")), born=PLENTY)
        world.commit(outbox(text("unsent"), text("correction", kind=Kind.CORRECTION), text("other", incident_id=None)))
        withdrawal = Withdrawal(incident_id=IncidentId("inc-1"), reason=Reason.SUPERSEDED)
        world.commit(Decision(withdrawals=(withdrawal,), notifications=(queued(text("new")),)))

        names = ("a-sent", "unsent", "correction", "other", "new")
        withdrawn = [name for name in names if world.row(name).state is NotificationState.WITHDRAWN]
        assert withdrawn == ["unsent"]
        assert world.row("unsent").reason is Reason.SUPERSEDED
        assert world.row("a-sent").state is NotificationState.CLAIMED

    def test_what_waits_for_one_endpoint_of_an_incident_is_withdrawn_alone(self, world: World) -> None:
        phone = Endpoint(channel="voice", address="+12025550191")
        mine, other = text("mine", endpoint=phone), text("other", endpoint=phone, incident_id=None)
        world.commit(outbox(mine, other, text("sms"), text("correction", endpoint=phone, kind=Kind.CORRECTION)))
        stop = Withdrawal(incident_id=mine.incident_id, reason=Reason.PRESSER, endpoint_key=phone.key)
        world.commit(Decision(withdrawals=(stop,)))

        names = ("mine", "other", "sms", "correction")
        assert [n for n in names if world.row(n).state is NotificationState.WITHDRAWN] == ["mine"]
        assert world.row("mine").reason is Reason.PRESSER

    def test_a_row_withdrawn_in_the_commit_that_made_it_is_not_sent(self, world: World) -> None:
        now = world.clock.now()
        with world.store.begin([OAK], now) as transaction:
            transaction.write(press(), outbox(text("ntf-1")), now)
            withdrawal = Withdrawal(incident_id=IncidentId("inc-1"), reason=Reason.SUPERSEDED)
            transaction.write(press(), Decision(withdrawals=(withdrawal,)), now)
            assert transaction.commit(born_leased=PLENTY) == ()

        assert (world.row("ntf-1").state, world.row("ntf-1").reason) == (
            NotificationState.WITHDRAWN,
            Reason.SUPERSEDED,
        )

    @pytest.mark.parametrize("way", ["earlier", "in the same commit"])
    def test_whatever_a_drill_has_not_sent_is_withdrawn_of_every_kind_and_nothing_else(
        self, world: World, way: str
    ) -> None:
        said = (
            text("alert", mode=Mode.DRILL),
            text("answer", mode=Mode.DRILL, kind=Kind.ANSWER),
            text("begins", mode=Mode.DRILL, kind=Kind.DRILL_BEGINS, incident_id=None),
            text("live", kind=Kind.TROUBLE, incident_id=None),
        )
        begun = Decision(
            drill=drill(), incidents=(incident(1, mode=Mode.DRILL),), notifications=tuple(map(queued, said))
        )
        stop = Withdrawal(incident_id=None, reason=Reason.DRILL_IS_REAL, mode=Mode.DRILL)
        real = text("real", kind=Kind.DRILL_STOPPED, incident_id=None)
        stopped = Decision(drill=drill(ended=True), withdrawals=(stop,), notifications=(queued(real),))
        now = world.clock.now()
        if way == "earlier":
            world.commit(begun)
        with world.store.begin([OAK], now) as transaction:
            if way != "earlier":
                transaction.write(press(), begun, now)
            transaction.write(press(2), stopped, now)
            claims = transaction.commit(born_leased=PLENTY)
        sent = set(ids(claims)) | set(ids(world.claim()))

        assert sent == {"live", "real"}, "promise 3: a text of the drill is sent after it was real"
        for name in ("alert", "answer", "begins"):
            assert world.row(name).state is NotificationState.WITHDRAWN

    # --- loudspeakers -------------------------------------------------------------------------------------------------

    def test_pages_alone_are_withdrawn_of_an_incident_or_of_a_site(self, world: World) -> None:
        own, free = text("own", kind=Kind.PAGE), text("free", kind=Kind.PAGE, incident_id=None)
        elsewhere = text("elm", kind=Kind.PAGE, incident_id=None, site_id=ELM)
        world.commit(outbox(own, free, elsewhere, text("text")))

        world.commit(
            Decision(withdrawals=(Withdrawal(incident_id=own.incident_id, reason=Reason.SUPERSEDED, kind=Kind.PAGE),))
        )
        assert [world.row(name).state is NotificationState.WITHDRAWN for name in ("own", "free", "text")] == [
            True, False, False,
        ]  # fmt: skip
        site = Withdrawal(incident_id=None, reason=Reason.SILENCED, kind=Kind.PAGE)
        world.commit(Decision(withdrawals=(site,), notifications=(queued(text("new", kind=Kind.PAGE)),)))
        assert world.row("free").reason is Reason.SILENCED
        for name in ("elm", "text", "new"):
            assert world.row(name).state is NotificationState.QUEUED, f"{name} is of another site, kind or commit"

    def test_pages_withdrawn_in_the_commit_that_made_them_are_not_sent(self, world: World) -> None:
        now = world.clock.now()
        with world.store.begin([OAK], now) as transaction:
            transaction.write(
                press(), outbox(text("page", kind=Kind.PAGE, incident_id=None), text("text", incident_id=None)), now
            )
            site = Withdrawal(incident_id=None, reason=Reason.SILENCED, kind=Kind.PAGE)
            transaction.write(press(), Decision(withdrawals=(site,)), now)
            claims = transaction.commit(born_leased=PLENTY)

        assert [claim.notification.id for claim in claims] == ["text"]

    def test_quiet_is_not_ordered_any_more_when_words_were_written_since(self, world: World) -> None:
        """Whoever wanted quiet did not know of them. An order that was lost with a crash comes again, or waits."""
        world.commit(outbox(page("stop", at_s=0, quiet=True), page("stop elm", at_s=0, quiet=True, site_id=ELM)))
        world.clock.advance(3)
        world.commit(outbox(page("lockdown", at_s=3)))

        assert [claim.notification.id for claim in world.claim()] == ["stop elm", "lockdown"]
        assert world.row("stop").state is NotificationState.WITHDRAWN
        assert world.row("stop").reason is Reason.SUPERSEDED

    def test_quiet_is_ordered_again_where_nothing_new_was_said(self, world: World) -> None:
        world.commit(
            outbox(page("before", at_s=-2), page("stop", at_s=0, quiet=True), page("stop 2", at_s=1, quiet=True))
        )
        world.clock.advance(3)

        assert [claim.notification.id for claim in world.claim()] == ["before", "stop", "stop 2"]

    def test_words_that_are_said_again_meanwhile_do_not_cut_themselves(self, world: World) -> None:
        """The first saying, lost with a crash, and its repeat. Of another incident they are other words."""
        first, again, other = (
            replace(page(name, at_s=at_s), incident_id=IncidentId(of))
            for name, at_s, of in (("first", 0, "inc-1"), ("again", 20, "inc-1"), ("other", 1, "inc-2"))
        )
        world.commit(Decision(incidents=(incident(1), incident(2))))
        world.commit(Decision(notifications=tuple(map(queued, (first, again, other)))))
        world.clock.advance(22)

        assert [claim.notification.id for claim in world.claim()] == ["other", "again"]
        assert world.row("first").reason is Reason.SUPERSEDED

    def test_quiet_gives_way_to_words_that_are_being_said_were_said_or_may_have_been(self, world: World) -> None:
        for state in (NotificationState.CLAIMED, NotificationState.UNKNOWN, NotificationState.SENT):
            name, site_id = state.value, SiteId(f"site-{state.value}")
            stop = page(f"stop {name}", at_s=0, quiet=True, site_id=site_id)
            said = page(name, at_s=3, site_id=site_id)
            at_site = replace(press(), site_id=site_id)
            world.commit(Decision(notifications=(queued(stop), queued(said))), event=at_site)
            change = NotificationChange(id=said.id, state=state, reason=Reason.FIRST_WAVE)
            world.commit(Decision(changes=(change,)), event=at_site)
        world.clock.advance(4)

        assert world.claim() == ()

    def test_quiet_gives_way_when_the_clock_was_set_back_and_nobody_knows_what_is_newer(self, world: World) -> None:
        world.commit(outbox(page("stop", at_s=60, quiet=True)))

        assert world.claim() == ()
        assert world.row("stop").reason is Reason.SUPERSEDED
