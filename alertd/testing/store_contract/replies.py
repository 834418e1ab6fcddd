"""What a reply finds: the incidents that its phone was told of, and the tokens that name them.

Owns which are in its reach, and when a token may be handed out again.
"""
# ruff: noqa: S106 - a reply token is no password

from alertd.model.decision import Decision
from alertd.model.incident import Severity
from alertd.model.notification import Kind, NotificationRow, NotificationState
from alertd.model.reason import Reason
from alertd.testing.store_contract.world import ELM, OneWorld, World
from alertd.testing.store_values import DAY_US, OAK, START_WALL_US, incident, phone, press, queued, text


class Replies(OneWorld):
    """A token names one incident in the whole district."""

    def test_a_phone_knows_the_incidents_it_was_told_of(self, world: World) -> None:
        me, other = phone(1), phone(2)
        suppressed = NotificationRow(
            notification=text("no", incident_id="inc-3"),
            state=NotificationState.SUPPRESSED,
            reason=Reason.OPTED_OUT,
        )
        world.commit(
            Decision(
                incidents=(
                    incident(1, token="21"),
                    incident(2, token="22", opened_us=START_WALL_US + 5),
                    incident(3, token="23"),
                    incident(4, token="24", opened_us=START_WALL_US - 3 * DAY_US, closed_us=START_WALL_US - 2 * DAY_US),
                ),
                notifications=(
                    queued(text("a", endpoint=me)),
                    queued(text("b", endpoint=me, incident_id="inc-2")),
                    queued(text("c", endpoint=other, incident_id="inc-3")),
                    queued(text("d", endpoint=me, incident_id="inc-4", kind=Kind.CLOSING)),
                    suppressed,
                ),
            )
        )
        with world.store.begin([OAK], world.clock.now()) as transaction:
            mine = transaction.phone_incidents(me.key, START_WALL_US - DAY_US)

        assert [(i.incident_id, i.token, i.is_open) for i in mine] == [("inc-2", "22", True), ("inc-1", "21", True)]
        assert mine[0].headline == "OAK ELEM Rm 204 LOCKDOWN 10:42"
        assert mine[0].severity == Severity.LOCKDOWN

    def test_an_open_incident_is_known_to_its_phone_however_many_were_closed_since(self, world: World) -> None:
        me = phone(1)
        numbers = range(2, 62)
        closed = [
            incident(n, token=str(100 + n), opened_us=START_WALL_US + n, closed_us=START_WALL_US + n) for n in numbers
        ]
        notices = [queued(text(f"n{n}", endpoint=me, incident_id=f"inc-{n}")) for n in numbers]
        world.commit(
            Decision(
                incidents=(incident(1, token="21"), *closed),
                notifications=(queued(text("first", endpoint=me)), *notices),
            )
        )
        with world.store.begin([OAK], world.clock.now()) as transaction:
            mine = transaction.phone_incidents(me.key, START_WALL_US - DAY_US)

        assert mine[0].incident_id == "inc-1", "notices that are over pushed an open incident out of a reply's reach"

    def test_tokens_in_use_are_not_handed_out_in_the_whole_district(self, world: World) -> None:
        with world.store.begin([OAK], world.clock.now()) as transaction:
            first, second, *_ = transaction.free_tokens(4, world.clock.wall_us)
        world.commit(Decision(incidents=(incident(1, site_id=ELM, token=first),)), event=press(site_id=ELM))
        closed = incident(2, token=second, closed_us=START_WALL_US + 1)
        world.commit(Decision(incidents=(closed,)))
        for _ in range(2):
            with world.store.begin([OAK], world.clock.now()) as transaction:
                free = transaction.free_tokens(500, world.clock.wall_us)
            assert first not in free
            assert second not in free, "a token was reused within 24 h"
            world.restart()
        world.clock.advance(86_402)
        with world.store.begin([OAK], world.clock.now()) as transaction:
            free = transaction.free_tokens(500, world.clock.wall_us)

        assert second in free
        assert first not in free, "a token of an open incident was handed out"
