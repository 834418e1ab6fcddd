"""What is read afterwards: journal, timeline, tests, the outbox counted, incidents that were closed long ago.

Owns the chain, and that what is erased leaves it whole.
"""
# ruff: noqa: S106 - a reply token is no password

from typing import Any

from msgspec.structs import replace

from alertd.model.decision import Decision, EntryKind
from alertd.model.ids import IncidentId, SiteId
from alertd.model.mode import Mode
from alertd.model.notification import Kind, NotificationChange, NotificationState
from alertd.testing.store_contract.world import ELM, OneWorld, World, outbox
from alertd.testing.store_values import DAY_US, OAK, START_WALL_US, entry, first_wave, incident, phone, queued, text


class Evidence(OneWorld):
    """Nothing that was written can be changed unseen."""

    def test_the_chain_goes_on_over_restarts(self, world: World) -> None:
        for number in range(1, 6):
            world.commit(Decision(entries=(entry(f"line {number}"),)))
            world.restart()

        assert world.store.verify_journal(OAK) == 5
        assert [line.sequence for line in world.store.read_timeline(IncidentId("inc-1"))] == [1, 2, 3, 4, 5]

    def test_a_sites_journal_is_read_by_time_kind_and_number(self, world: World) -> None:
        world.commit(first_wave())
        world.commit(Decision(entries=(replace(entry("a drill begins"), kind=EntryKind.DRILL),)))
        world.restart()
        at_us = START_WALL_US

        def texts(site_id: SiteId, since_us: int, until_us: int, **only: Any) -> list[str]:
            lines = world.store.read_journal(site_id, since_us=since_us, until_us=until_us, **only)
            return [line.entry.text for line in lines if line.entry]

        every = ["pressed at Rm 204", "Ruiz is texted", "dispatch told", "a drill begins"]
        assert texts(OAK, at_us, at_us) == every
        assert texts(OAK, 0, at_us - 1) == texts(OAK, at_us + 1, at_us + 9) == texts(ELM, at_us, at_us) == []
        assert texts(OAK, 0, at_us, after=1) == every[1:]
        assert texts(OAK, 0, at_us, kind=EntryKind.DRILL) == every[3:]

    def test_tests_are_found_again(self, world: World) -> None:
        world.commit(outbox(text("t", kind=Kind.TEST, incident_id=None, mode=Mode.TEST), text("ntf-1")))

        assert [row.notification.id for row in world.store.read_tests(0)] == ["t"]
        assert world.store.read_tests(START_WALL_US + 1) == ()

    def test_the_outbox_is_counted_by_channel_and_state(self, world: World) -> None:
        assert world.store.read_outbox(START_WALL_US) == ()
        world.commit(outbox(text("ntf-1"), text("ntf-2"), text("ntf-3")))
        (claim,) = world.claim({"sms": 1})
        counted = {(each.channel, each.state): each for each in world.store.read_outbox(START_WALL_US)}

        assert {key: each.rows for key, each in counted.items()} == {
            ("sms", NotificationState.QUEUED): 2,
            ("sms", NotificationState.CLAIMED): 1,
        }
        assert counted["sms", NotificationState.CLAIMED].oldest_us == claim.notification.created_us
        taken = NotificationChange(
            id=claim.notification.id, state=NotificationState.ACCEPTED, reason=claim.notification.reason, ref="SM1"
        )
        world.commit(Decision(changes=(taken,)))
        states = {each.state: each.rows for each in world.store.read_outbox(START_WALL_US)}
        assert states == {NotificationState.QUEUED: 2, NotificationState.ACCEPTED: 1}
        later = world.store.read_outbox(START_WALL_US + 2 * DAY_US)
        assert {each.state for each in later} == {NotificationState.QUEUED}, "what nobody will ever settle is counted"

    def test_what_is_erased_of_an_incident_is_gone_and_its_neighbours_stay(self, world: World) -> None:
        me, old = phone(1), START_WALL_US - 40 * DAY_US
        both = tuple(incident(n, token=str(20 + n), opened_us=old, closed_us=old + n) for n in (1, 2))
        notices = tuple(queued(text(f"n-{n}", endpoint=me, incident_id=f"inc-{n}")) for n in (1, 2))
        lines = tuple(entry(f"Ruiz goes to {n}", incident_id=f"inc-{n}") for n in (1, 2))
        world.commit(Decision(incidents=both, notifications=notices, entries=lines))
        erased = replace(both[0], closed_by="", erased_us=START_WALL_US)
        said = entry("personal detail of 1 sensor incidents is erased", incident_id=None)
        world.commit(Decision(incidents=(erased,), erasures=(both[0].id,), entries=(said,)))

        store = world.store
        assert store.read_notifications(both[0].id) == ()
        assert [line.entry for line in store.read_timeline(both[0].id)] == [None]
        assert store.read_incident(both[0].id) == erased
        assert len(store.read_notifications(both[1].id)) == 1
        assert [line.entry is None for line in store.read_timeline(both[1].id)] == [False]
        assert store.verify_journal(OAK) == 3
        with store.begin([OAK], world.clock.now()) as transaction:
            known = transaction.phone_incidents(me.key, old - DAY_US)
        assert [each.incident_id for each in known] == ["inc-2"]

    def test_what_was_closed_long_ago_is_read_page_by_page(self, world: World) -> None:
        old = START_WALL_US - 40 * DAY_US
        closed = [incident(n, token=str(20 + n), opened_us=old, closed_us=old) for n in range(1, 6)]
        young = incident(7, token="37", closed_us=START_WALL_US)
        world.commit(Decision(incidents=(*closed, young, incident(8, token="38"))))
        read, found, after = world.store.read_closed, list[str](), IncidentId("")
        while page := read(before_us=START_WALL_US - 30 * DAY_US, after=after, limit=2):
            after = page[-1].id
            found += [each.id for each in page]

        assert found == [f"inc-{n}" for n in range(1, 6)]
